package compute

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// streamAsOf pairs each row of a stream with the nearest one of another. Rows of both
// sides wait until the watermark has passed them; then all that is as old is there,
// and they are gone through in the order of time, as a sweep does it.
//
// A left row that looks back meets the last right row of its key: of those that the
// watermark has passed one a key is kept. A left row that looks forward is kept open
// until the watermark has passed a right row of its key.
//
// Left rows come out in the order in which they came, those that were open first: the
// same for any number of parts, workers and record batches. Rows that can have no
// match come out in the epoch that reads them.
type streamAsOf struct {
	node        *physical.AsOfJoin
	env         *Env
	left, right *asOfSide
	// kept are the last right rows by key, or with Forward the open left ones, several a
	// key: both hold what their side's table holds.
	kept *state.Sharded
	cond *pairCondition
	out  *arrow.Schema
	// made is what is to be put out.
	made  []*batches
	ended bool
	// evict is the watermark, in milliseconds, that ends rows.
	evict   int64
	metrics StateMetrics
}

var _ Operator = (*streamAsOf)(nil)

func newStreamAsOf(n *physical.AsOfJoin, left, right Operator, env *Env) (Operator, error) {
	j := &streamAsOf{node: n, env: env, out: n.Out.Arrow(), evict: watermark(env.Evict, n.State.Operator)}
	var err error
	if j.left, err = newAsOfSide(n, "left", left, env); err != nil {
		return nil, err
	}
	if j.right, err = newAsOfSide(n, "right", right, env); err != nil {
		return nil, err
	}
	name, of := "last", j.right
	if n.Forward {
		name, of = "open", j.left
	}
	schema := of.table.Schema()
	schema.Many, schema.Time = n.Forward, nil
	if schema.Values = append([]state.Field(nil), schema.Values...); n.Forward {
		schema.Time = &state.TimeColumn{At: of.time, Fixed: true}
	}
	if j.kept, err = namedTable(env, n.State, name, schema); err != nil {
		return nil, err
	}
	if n.Cond != nil {
		j.cond, err = newPairCondition(&physical.Join{Left: n.Left, Right: n.Right, Cond: n.Cond}, env)
	}
	return j, err
}

func (j *streamAsOf) Next(ctx context.Context) (Batch, error) {
	for {
		if len(j.made) > 0 {
			b, err := j.made[0].Next(ctx)
			if err != io.EOF {
				return b, err
			}
			j.made[0].set(nil)
			j.made = j.made[1:]
			continue
		}
		if j.ended {
			return Batch{}, io.EOF
		}
		if err := j.epoch(ctx); err != nil {
			return Batch{}, err
		}
		j.ended = true
	}
}

// epoch takes in both sides, and makes what comes out.
func (j *streamAsOf) epoch(ctx context.Context) error {
	for _, s := range []*asOfSide{j.left, j.right} {
		for {
			b, err := s.input.Next(ctx)
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			alone, err := s.take(b)
			if err != nil {
				return err
			}
			if s == j.left && j.node.Outer && alone != nil {
				j.put(alone, j.right.nothing(alone.rows))
			}
		}
	}
	if j.evict != NoWatermark {
		if err := j.pass(); err != nil {
			return err
		}
	}
	return j.report()
}

// put puts out rows of both sides beside each other.
func (j *streamAsOf) put(left, right *collected) {
	if left.rows == 0 {
		return
	}
	var list rowList
	all := &collected{cols: append(left.cols[:len(left.cols):len(left.cols)], right.cols...), rows: left.rows}
	j.made = append(j.made, &batches{schema: j.out, from: all, rows: list.first(all.rows)})
}

// pass pairs the rows that the watermark has passed.
func (j *streamAsOf) pass() error {
	workers := max(1, j.env.Workers)
	var due [2][][]int32
	for i, s := range []*asOfSide{j.left, j.right} {
		var err error
		if due[i], err = s.due(j.evict, workers); err != nil {
			return err
		}
	}
	w := j.walks(due)
	errs := make([]error, len(w))
	inTurn(workers, len(w), func(p int) { errs[p] = w[p].run() })
	if err := firstOf(errs); err != nil {
		return err
	}
	if err := j.emit(w); err != nil {
		return err
	}
	first := j.kept.Begin(w.numbers(j.node.Forward))
	inTurn(workers, len(w), func(p int) { errs[p] = w[p].keep(first) })
	if err := firstOf(errs); err != nil {
		return err
	}
	for _, x := range w {
		j.metrics.Removed += x.removed
	}
	if j.node.Forward {
		return j.giveUp(workers)
	}
	return j.forget(workers)
}

// giveUp puts out open rows whose match would be too far away by now.
func (j *streamAsOf) giveUp(workers int) error {
	bound := j.node.LeftSide.Bound
	if !bound.Bounded() {
		return nil
	}
	gone := make([][]int32, j.kept.Subs())
	err := j.kept.Expire(bound.Watermark(j.evict)*1000, workers, func(p int, rows []int32) error {
		gone[p] = append([]int32(nil), rows...)
		return nil
	})
	if err != nil {
		return err
	}
	refs := j.kept.InOrder(gone)
	j.metrics.Removed += int64(len(refs))
	if !j.node.Outer || len(refs) == 0 {
		return nil
	}
	left, err := j.left.rowsOf(j.kept, refs)
	if err == nil {
		j.put(left, j.right.nothing(left.rows))
	}
	return err
}

// forget drops last rows that are too far away for any left row that is still to
// come.
func (j *streamAsOf) forget(workers int) error {
	bound := j.node.RightSide.Bound
	if !bound.Bounded() {
		return nil
	}
	limit := bound.Watermark(j.evict) * 1000
	errs, gone := make([]error, j.kept.Subs()), make([]int64, j.kept.Subs())
	inTurn(workers, j.kept.Subs(), func(p int) {
		t := j.kept.Sub(p)
		rows, err := t.Due(limit, func(rows []int32) (state.Vector, error) { return t.Value(j.right.time).Gather(rows), nil })
		if err == nil && len(rows) > 0 {
			gone[p], err = int64(len(rows)), j.kept.RemoveSub(p, rows)
		}
		errs[p] = err
	})
	for _, n := range gone {
		j.metrics.Removed += n
	}
	return firstOf(errs)
}

// report tells what the epoch has done.
func (j *streamAsOf) report() error {
	m := &j.metrics
	for _, s := range []*asOfSide{j.left, j.right} {
		m.Input += s.rows
		m.LateRows += s.lateRows
		m.Dropped += s.lateRows
		m.Used += s.used
		m.Updated += s.inserted
		m.Removed += s.removed
		if err := s.oldest(m); err != nil {
			return err
		}
	}
	for _, t := range []*state.Sharded{j.left.table, j.right.table, j.kept} {
		m.Total += int64(t.Len())
		m.Bytes += t.MemBytes()
	}
	*j.env.Metrics.state(j.node.State.Operator) = *m
	return nil
}

// Close lets go of all rows and closes both inputs.
func (j *streamAsOf) Close() error {
	for _, b := range j.made {
		b.set(nil)
	}
	j.made = nil
	return closeAll(j.left.input, j.right.input)
}

// Explain says what is compared and how long rows are kept.
func (j *streamAsOf) Explain() string {
	bound := j.node.RightSide.Bound
	if j.node.Forward {
		bound = j.node.LeftSide.Bound
	}
	return fmt.Sprintf("as-of join %s of two streams on %d keys, kept %s", j.node.Op(), len(j.node.LeftKeys), bound)
}

// emit makes the rows of all parts, in the order of the left rows.
func (j *streamAsOf) emit(w asOfWalks) error {
	for _, from := range []struct {
		left *state.Sharded
		list func(*asOfWalk) *asOfMatches
	}{{j.kept, func(x *asOfWalk) *asOfMatches { return &x.opened }}, {j.left.table, func(x *asOfWalk) *asOfMatches { return &x.came }}} {
		refs, partners := w.pairs(from.left, from.list)
		if len(refs) == 0 {
			continue
		}
		left, err := j.left.rowsOf(from.left, refs)
		if err != nil {
			return err
		}
		right, met, err := j.partners(partners)
		if err != nil {
			return err
		}
		if err := j.settle(left, right, met); err != nil {
			return err
		}
	}
	return nil
}

// A partner is where the match of a left row is: among the right rows of the epoch, or
// among the kept ones; Row −1: there is none.
type partner struct {
	state.Ref
	kept bool
}

// partners returns the right columns of partners, with NULLs for none, and which there
// are.
func (j *streamAsOf) partners(list []partner) (*collected, []bool, error) {
	var now, kept []state.Ref
	for _, p := range list {
		switch {
		case p.Row < 0:
		case p.kept:
			kept = append(kept, p.Ref)
		default:
			now = append(now, p.Ref)
		}
	}
	idx, met := make([]int32, len(list)), make([]bool, len(list))
	atNow, atKept := int32(0), int32(len(now))
	for i, p := range list {
		met[i] = p.Row >= 0
		switch {
		case p.Row < 0:
			idx[i] = -1
		case p.kept:
			idx[i] = atKept
			atKept++
		default:
			idx[i] = atNow
			atNow++
		}
	}
	out := j.right.nothing(len(list))
	if len(now)+len(kept) == 0 {
		return out, met, nil
	}
	var parts []*collected
	for _, from := range []struct {
		t    *state.Sharded
		refs []state.Ref
	}{{j.right.table, now}, {j.kept, kept}} {
		if len(from.refs) == 0 {
			continue
		}
		rows, err := j.right.rowsOf(from.t, from.refs)
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, rows)
	}
	for c := range out.cols {
		var cols []*vec.Vec
		for _, p := range parts {
			cols = append(cols, p.cols[c])
		}
		out.cols[c] = vec.Concat(cols).Take(idx)
	}
	return out, met, nil
}

// settle puts out the pairs for which the condition holds, and without their partner
// the others if they must come out.
func (j *streamAsOf) settle(left, right *collected, met []bool) error {
	if j.cond != nil {
		if err := j.check(left, right, met); err != nil {
			return err
		}
	}
	rows, partners := make([]int32, 0, left.rows), make([]int32, 0, left.rows)
	whole := true
	for i, m := range met {
		p := int32(i)
		if !m {
			whole = false
			if p = -1; !j.node.Outer {
				continue
			}
		}
		rows, partners = append(rows, int32(i)), append(partners, p)
	}
	if !whole {
		left, right = left.take(rows), right.take(partners)
	}
	j.put(left, right)
	return nil
}

// take returns the given rows; a negative one is NULLs.
func (c *collected) take(rows []int32) *collected {
	out := &collected{cols: make([]*vec.Vec, len(c.cols)), rows: len(rows)}
	for i, col := range c.cols {
		out.cols[i] = col.Take(rows)
	}
	return out
}

// check takes back the matches that are too far away.
func (j *streamAsOf) check(left, right *collected, met []bool) error {
	var rows []int32
	for i, m := range met {
		if m {
			rows = append(rows, int32(i))
		}
	}
	pass, err := j.cond.pass(left.cols, right.cols, rows, rows)
	if err != nil {
		return err
	}
	for k, i := range rows {
		if len(pass) > 0 && pass[0] == int32(k) {
			pass = pass[1:]
			continue
		}
		met[i] = false
	}
	return nil
}
