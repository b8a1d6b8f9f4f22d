package compute

import (
	"cmp"
	"context"
	"io"

	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// A sideFeed is where one side of a join of two streams gets its rows from: an
// operator, or a pipeline that several workers run.
type sideFeed struct {
	input    Operator
	pipeline *pipeline
	workers  *workers
	// makers make runs, one for each worker.
	makers []*runMaker
	// enough is Env.WaitingRows.
	enough int
	ended  bool
	// ahead are the first runs, where isAhead says that they were read before the
	// first Next.
	ahead   []*joinRun
	isAhead bool
}

// joinRows is about how many rows of a side are worked on together: the more, the
// longer a part of the state stays in the cache.
const joinRows = 1 << 20

// streamJoin makes the operator of n and its inputs.
func (b *builder) streamJoin(n *physical.StreamJoin) (Operator, error) {
	left, err := b.sideFeed(n.Left, n.LeftKeys, n.LeftSide)
	if err != nil {
		return nil, err
	}
	right, err := b.sideFeed(n.Right, n.RightKeys, n.RightSide)
	if err != nil {
		left.close()
		return nil, err
	}
	j, err := newStreamJoin(n, left, right, b.env)
	if err != nil {
		left.close()
		right.close()
		return nil, err
	}
	return j, nil
}

// sideFeed returns the input of one side. Counters and random numbers must see all
// of its rows in their order.
func (b *builder) sideFeed(in physical.Node, keys []expr.Expr, side physical.StreamSide) (*sideFeed, error) {
	used := make(uses, len(in.Schema()))
	used.all(coded) // runs copy what they carry
	used.addKeys(keys...)
	used.addCondition(side.Filter)
	if side.EventColumn >= 0 {
		used[side.EventColumn] |= plain
	}
	b.borrow(in, used)
	f := &sideFeed{enough: cmp.Or(b.env.WaitingRows, joinRows)}
	var err error
	if !countsRows(append(keys[:len(keys):len(keys)], side.Filter)...) {
		f.pipeline, err = b.pipeline(in)
	}
	if f.pipeline == nil && err == nil {
		f.input, err = b.build(in)
	}
	if f.pipeline != nil {
		b.env.readsInput()
	}
	return f, err
}

// readAhead reads the first runs of both sides.
func (j *streamJoin) readAhead(ctx context.Context) (err error) {
	for _, s := range []*streamSide{j.left, j.right} {
		if s.feed.pipeline == nil {
			continue
		}
		if s.feed.ahead, err = s.feed.some(ctx, s); err != nil {
			return err
		}
		s.feed.isAhead = true
	}
	return nil
}

// inputsRead counts the sides that were read to their end ahead.
func (j *streamJoin) inputsRead() (n int) {
	for _, s := range []*streamSide{j.left, j.right} {
		if s.feed.isAhead && s.feed.ended {
			n++
		}
	}
	return n
}

// read returns the runs of the next rows of s, in their order: none at the end.
func (f *sideFeed) read(ctx context.Context, s *streamSide) (runs []*joinRun, err error) {
	switch {
	case f.isAhead:
		runs, f.ahead, f.isAhead = f.ahead, nil, false
	case f.ended:
		return nil, nil
	default:
		if runs, err = f.some(ctx, s); err != nil {
			return nil, err
		}
	}
	if f.ended {
		if f.pipeline != nil {
			s.join.env.inputRead()
		}
		s.join.env.checkRead()
	}
	return runs, nil
}

// some reads the next rows.
func (f *sideFeed) some(ctx context.Context, s *streamSide) ([]*joinRun, error) {
	if f.makers == nil {
		if err := f.start(ctx, s); err != nil {
			return nil, err
		}
	}
	var runs []*joinRun
	var err error
	switch {
	case f.pipeline == nil:
		runs, err = f.fromOperator(ctx)
	case len(f.workers.lanes) == 1:
		runs, err = f.fromLane(ctx)
	default:
		runs, err = f.fromLanes(ctx)
	}
	if err == nil && f.ended {
		for _, m := range f.makers {
			s.add(m)
		}
	}
	return runs, err
}

func (f *sideFeed) start(ctx context.Context, s *streamSide) error {
	envs := []*Env{s.join.env}
	if f.pipeline != nil {
		w, err := newWorkers(ctx, f.pipeline)
		if err != nil {
			return err
		}
		f.workers, envs = w, nil
		for _, l := range w.lanes {
			envs = append(envs, l.env)
		}
	}
	for _, env := range envs {
		m, err := newRunMaker(s, env)
		if err != nil {
			return err
		}
		f.makers = append(f.makers, m)
	}
	return nil
}

func (f *sideFeed) fromOperator(ctx context.Context) ([]*joinRun, error) {
	var runs []*joinRun
	for rows := 0; rows < f.enough; {
		b, err := f.input.Next(ctx)
		if err == io.EOF {
			f.ended = true
			break
		}
		if err != nil {
			return nil, err
		}
		if b.Live() == 0 {
			continue
		}
		r, err := f.makers[0].run(b)
		if err != nil {
			return nil, err
		}
		runs, rows = append(runs, r), rows+len(r.rows)
	}
	return runs, nil
}

// fromLane is for one lane, whose splits need not be read to their end.
func (f *sideFeed) fromLane(ctx context.Context) ([]*joinRun, error) {
	l := f.workers.lanes[0]
	var runs []*joinRun
	for rows := 0; rows < f.enough; {
		b, err := l.top.Next(ctx)
		if err == io.EOF {
			f.ended = true
			f.workers.count()
			break
		}
		if err == errSplitEnd {
			split, ok := f.workers.take()
			l.scan.split, l.scan.ready, l.scan.done = split, ok, !ok
			continue
		}
		if err != nil {
			return nil, err
		}
		if b.Live() == 0 {
			continue
		}
		r, err := f.makers[0].run(b)
		if err != nil {
			return nil, err
		}
		runs, rows = append(runs, r), rows+len(r.rows)
	}
	return runs, nil
}

// fromLanes runs whole splits until there are enough rows.
func (f *sideFeed) fromLanes(ctx context.Context) ([]*joinRun, error) {
	w := f.workers
	first := w.next
	bySplit := make([][]*joinRun, len(w.pipeline.splits)-first)
	enough := max(1, f.enough/len(w.lanes))
	w.each(func(i int, l *lane) {
		for rows := 0; rows < enough; {
			split, ok := w.take()
			if !ok {
				return
			}
			err := l.run(ctx, split, func(b Batch) error {
				if b.Live() == 0 {
					return nil
				}
				r, err := f.makers[i].run(b)
				if err != nil {
					return err
				}
				bySplit[split-first] = append(bySplit[split-first], r)
				rows += len(r.rows)
				return nil
			})
			if err != nil {
				w.fail(split, err)
				return
			}
		}
	})
	if w.err != nil {
		return nil, w.err
	}
	if w.next == len(w.pipeline.splits) {
		f.ended = true
		if err := w.finish(ctx); err != nil {
			return nil, err
		}
	}
	var runs []*joinRun
	for _, r := range bySplit {
		runs = append(runs, r...)
	}
	return runs, nil
}

func (f *sideFeed) close() error {
	switch {
	case f.workers != nil:
		return f.workers.close()
	case f.pipeline != nil:
		return f.pipeline.close()
	}
	return Close(f.input)
}
