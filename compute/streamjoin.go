package compute

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/plan/physical"
)

// streamJoin joins two streams over all epochs. The rows of the left side meet the
// kept rows of the right side, and are kept; then those of the right side meet the
// kept rows of the left side, this epoch's among them; then each side forgets what
// is due, and what never met a partner comes out with NULLs if its side is preserved.
//
// Rows are worked on by part of their keys' hash, several parts at a time; the parts
// are the sub-tables of the state. Pairs come out in the order of the rows that were
// read, and the partners of one of them in the order in which they came: that is the
// same for any number of parts, workers and record batches.
type streamJoin struct {
	node *physical.StreamJoin
	env  *Env
	// left and right are read in this order; at is the one that is being read, then nil.
	left, right *streamSide
	at          *streamSide
	// waiting are the last rows of the left side: a part works on them and on the first
	// ones of the right side while its tables are in the cache.
	waiting []*joinRun
	conds   conditions
	out     *arrow.Schema
	// made is what waits to be put out, and heavy what puts out the pairs of one run.
	made    []emission
	heavy   *heavyRun
	evicted []*evicted
	ended   bool
	metrics StateMetrics
	held
}

// emission is what came of a run: record batches, or the run itself if it has so
// many pairs that they are made while they are put out.
type emission struct {
	side  *streamSide
	recs  []arrow.RecordBatch
	heavy *joinRun
}

var _ Operator = (*streamJoin)(nil)

func newStreamJoin(n *physical.StreamJoin, left, right *sideFeed, env *Env) (Operator, error) {
	j := &streamJoin{node: n, env: env, out: n.Out.Arrow()}
	of, others := conditionUses(n)
	j.conds = conditions{node: n, env: env, uses: slices.Concat(of, others), left: len(of)}
	var err error
	if j.left, err = newStreamSide(j, "left", left, of); err != nil {
		return nil, err
	}
	if j.right, err = newStreamSide(j, "right", right, others); err != nil {
		return nil, err
	}
	j.left.other, j.right.other = j.right, j.left
	j.at = j.left
	return j, nil
}

// conditionUses is how the condition of a pair uses the columns of either side.
func conditionUses(n *physical.StreamJoin) (left, right uses) {
	width := len(n.Left.Schema())
	if n.Cond == nil {
		return make(uses, width), make(uses, len(n.Right.Schema()))
	}
	both := newView(slices.Concat(n.Left.Schema(), n.Right.Schema()), n.Cond).uses
	return both[:width], both[width:]
}

func (j *streamJoin) Next(ctx context.Context) (Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Batch{}, err
		}
		switch {
		case j.heavy != nil:
			b, err := j.heavy.next(ctx)
			if err == io.EOF {
				j.heavy = nil
				continue
			}
			return b, err
		case len(j.made) > 0:
			if b, ok := j.next(); ok {
				return b, nil
			}
		case j.at != nil:
			if err := j.read(ctx); err != nil {
				return Batch{}, err
			}
		case !j.ended:
			if err := j.evict(); err != nil {
				return Batch{}, err
			}
			j.ended = true
		case len(j.evicted) > 0:
			b, err := j.evicted[0].next()
			if err == io.EOF {
				j.evicted = j.evicted[1:]
				continue
			}
			return b, err
		default:
			return Batch{}, io.EOF
		}
	}
}

// next puts out the next record batch that is made, or goes on to what makes more.
func (j *streamJoin) next() (Batch, bool) {
	e := &j.made[0]
	switch {
	case e.heavy != nil:
		j.heavy = newHeavyRun(e.side, e.heavy)
	case len(e.recs) > 0:
		rec := e.recs[0]
		e.recs = e.recs[1:]
		return Batch{Rec: j.set(rec)}, true
	}
	j.made = j.made[1:]
	return Batch{}, false
}

// read takes in the next rows of the side that is being read, and makes what comes
// of them; at its end the other side is next.
func (j *streamJoin) read(ctx context.Context) error {
	s := j.at
	runs, err := s.feed.read(ctx, s)
	if err != nil {
		return err
	}
	if s.feed.ended {
		s.count(&j.metrics)
	}
	switch {
	case s == j.right:
		if s.feed.ended {
			j.at = nil
		}
		left := j.waiting
		j.waiting = nil
		return j.take(ctx, left, runs)
	case s.feed.ended:
		j.at, j.waiting = j.right, runs
		return nil
	}
	return j.take(ctx, runs, nil)
}

// evict forgets what is due on either side, and reports.
func (j *streamJoin) evict() error {
	for _, s := range []*streamSide{j.left, j.right} {
		gone, err := s.evict()
		if err != nil {
			return err
		}
		if gone != nil {
			j.evicted = append(j.evicted, gone)
		}
		j.metrics.Removed += s.removed
		j.metrics.Updated += s.inserted
		j.metrics.Total += int64(s.table.Len())
		j.metrics.Bytes += s.table.MemBytes()
	}
	*j.env.Metrics.state(j.node.State.Operator) = j.metrics
	return nil
}

// Close lets go of all rows and closes both inputs.
func (j *streamJoin) Close() error {
	j.set(nil)
	for _, e := range j.made {
		for _, rec := range e.recs {
			rec.Release()
		}
	}
	j.made = nil
	if j.heavy != nil {
		j.heavy.set(nil)
	}
	for _, e := range j.evicted {
		e.set(nil)
	}
	return errors.Join(j.left.feed.close(), j.right.feed.close())
}

// Explain says what is joined and when rows are forgotten.
func (j *streamJoin) Explain() string {
	return fmt.Sprintf("%s join of two streams on %d keys, left kept %s, right kept %s", j.node.Kind, len(j.node.LeftKeys),
		j.node.LeftSide.Bound, j.node.RightSide.Bound)
}

// workers is how many parts may be worked on at a time. A condition that counts must
// see all pairs in one order.
func (j *streamJoin) workers() int {
	if countsRows(j.node.Cond) {
		return 1
	}
	return max(1, j.env.Workers)
}

// nullsMatch reports whether NULL keys are equal to each other, as they are in a full
// join of two streams (recording stream_stream_join/null_keys_full).
func (j *streamJoin) nullsMatch() bool { return j.kind(physical.FullOuter) }

// kind reports whether the join is one of kinds.
func (j *streamJoin) kind(kinds ...physical.JoinKind) bool {
	return slices.Contains(kinds, j.node.Kind)
}
