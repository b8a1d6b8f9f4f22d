package compute

import (
	"cmp"
	"context"
	"io"
	"sync"

	"github.com/flightd/flightd/compute/agg"
	"github.com/flightd/flightd/state"
)

// gathering groups the rows of an epoch. Each split is grouped by itself and the
// groups are merged in the order of the splits, by however many workers.
//
// A split with few groups becomes a table of groups. Where a split has many, its
// rows go to a table for each part of the hash instead:
// they wait in runs, sorted by part, until there are enough of them, and then each
// part takes in its rows while its table is in the cache. Accumulators are told
// where splits end, so both ways give the same groups.
type gathering struct {
	plan *grouping
	// parts is how many parts the hash has; 0: the aggregates do not allow it.
	parts int
	// many and enough are Env.ManyGroups and Env.WaitingRows.
	many, enough int
	// taken is how many rows were grouped, once per window if there are windows.
	taken int64

	mu      sync.Mutex
	waiting map[int]*splitGroups
	next    int // the split whose groups are to be taken in next
	taking  bool
	merged  *groups
	// wide holds the groups by part, from the first split on that had many.
	wide *wideGroups
	// sessions, if set, takes in all rows: they are grouped into sessions.
	sessions *sessionParts
	pending  []*splitGroups // splits for wide, in their order
	rows     int            // rows that wait in runs
	bytes    int            // and their memory
	spare    []*groups
	runs     sync.Pool
	failed   error
}

// splitGroups is what became of a split.
type splitGroups struct {
	// part is the groups of its first rows; runs are the rows behind them.
	part *groups
	runs []*run
	// open says that more rows of the split follow.
	open bool
}

const (
	// manyGroups is how many groups of a split fit into a second-level cache.
	manyGroups = 1 << 14
	// sampleRows is how many rows of a split say whether it will have many groups.
	sampleRows = 1 << 11
	// waitingRows is how many rows wait before the parts take them in: the more,
	// the longer a part stays in the cache.
	waitingRows = 4 << 20
	// waitingBytes is how much memory they may take, if they are wide.
	waitingBytes = 512 << 20
	// hashParts is how many parts the hash has where no kept table says.
	hashParts = 128
)

func newGathering(g *grouping, kept *state.Sharded) *gathering {
	t := &gathering{plan: g, parts: hashParts, waiting: map[int]*splitGroups{}}
	t.many, t.enough = cmp.Or(g.env.ManyGroups, manyGroups), cmp.Or(g.env.WaitingRows, waitingRows)
	if kept != nil {
		t.parts = kept.Subs()
	}
	if !g.direct() || len(g.evals) == 0 {
		t.parts = 0
	}
	return t
}

// collector groups the rows of one worker's splits.
type collector struct {
	t    *gathering
	plan *grouping
	cur  *splitGroups
	wide bool
	// The first rows of a split, and their groups.
	head, ids []int32
	sample    *state.Table
}

// fromOperator drains op, whose batches say where splits end.
func (t *gathering) fromOperator(ctx context.Context, op Operator) error {
	c := &collector{t: t, plan: t.plan}
	split, n := int32(0), 0
	for {
		b, err := op.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if b.Live() == 0 {
			continue
		}
		if b.Split != split && c.cur != nil {
			if err := c.submit(n); err != nil {
				return err
			}
			n++
		}
		split = b.Split
		if err := c.add(b); err != nil {
			return err
		}
		if t.full() && t.mayPause() {
			if err := c.pause(n); err != nil {
				return err
			}
		}
	}
	if c.cur != nil {
		if err := c.submit(n); err != nil {
			return err
		}
	}
	t.taken = t.plan.taken
	return t.end()
}

// fromPipeline runs the splits of a pipeline by several workers. plans are their
// own copies of the grouping, over the environments of their lanes.
func (t *gathering) fromPipeline(ctx context.Context, w *workers, plans []*grouping) error {
	more := true
	for more {
		more = false
		w.each(func(i int, l *lane) {
			c := &collector{t: t, plan: plans[i]}
			for !t.full() {
				split, ok := w.take()
				if !ok {
					return
				}
				err := l.run(ctx, split, func(b Batch) error {
					if b.Live() == 0 {
						return nil
					}
					if err := c.add(b); err != nil || len(w.lanes) > 1 || !t.full() || !t.mayPause() {
						return err
					}
					return c.pause(split)
				})
				if err == nil {
					err = c.submit(split)
				}
				if err != nil {
					w.fail(split, err)
					return
				}
			}
		})
		if w.err != nil {
			return w.err
		}
		if t.full() {
			if err := t.apply(); err != nil {
				return err
			}
			more = true
		}
	}
	if err := w.finish(ctx); err != nil {
		return err
	}
	for _, p := range plans {
		t.taken += p.taken
	}
	return t.end()
}

// full reports whether enough rows wait.
func (t *gathering) full() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rows >= t.enough || t.bytes >= waitingBytes
}

// mayPause reports whether waiting rows may be taken in before their split has ended:
// not where rows of a split are put into the order of time.
func (t *gathering) mayPause() bool { return t.sessions == nil || t.plan.session.fused }

// end takes in what still waits.
func (t *gathering) end() error {
	if t.wide != nil || t.sessions != nil {
		return t.apply()
	}
	if t.merged == nil {
		t.merged = t.plan.newGroups()
	}
	if len(t.plan.evals) == 0 {
		return t.merged.ensureOne()
	}
	return nil
}

// add takes in a batch of the current split. Which way a split goes depends on its
// own rows only, not on how far others are: so an addition that overflows in one
// order and not in another fails always or never.
func (c *collector) add(b Batch) error {
	if c.cur == nil {
		c.cur = &splitGroups{}
		var err error
		if c.wide = c.t.sessions != nil; !c.wide {
			if c.wide, err = c.scattered(b); err != nil {
				return err
			}
		}
	}
	if c.wide {
		return c.addRun(b)
	}
	if c.cur.part == nil {
		c.cur.part = c.t.newPart(c.plan)
	}
	if err := c.cur.part.add(b); err != nil {
		return err
	}
	c.wide = c.t.parts > 0 && c.cur.part.table.Rows() > c.t.many
	return nil
}

// scattered reports whether nearly all of the first rows of b have a group of
// their own: then there will be many.
func (c *collector) scattered(b Batch) (bool, error) {
	if c.t.parts == 0 || c.t.many > 4*manyGroups || b.Live() < sampleRows {
		return false, nil
	}
	g := c.plan
	c.head = b.part(c.head, 0, sampleRows)
	head := Batch{Rec: b.Rec, Sel: c.head, Split: b.Split}
	in := g.view.of(head)
	rows, err := g.admitted(in, head)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	keys, err := g.keyVectors(in, rows)
	if err != nil {
		return false, err
	}
	if err := g.norm.Normalise(keys, in.Rows, in.Sel); err != nil {
		return false, err
	}
	if c.sample == nil {
		c.sample, c.ids = state.NewTable(state.Schema{Keys: g.schema.Keys}, g.env.Seed), make([]int32, sampleRows)
	}
	c.sample.Reset()
	err = c.sample.Upsert(g.norm, in.Sel, c.ids[:len(rows)])
	return c.sample.Rows() > len(rows)*97/100, err
}

func (c *collector) addRun(b Batch) error {
	r, err := c.plan.newRun(b, c.t)
	if err != nil {
		return err
	}
	c.cur.runs = append(c.cur.runs, r)
	c.t.mu.Lock()
	c.t.rows += r.keys.Len()
	c.t.bytes += r.bytes()
	c.t.mu.Unlock()
	return nil
}

// submit hands over the groups of a split that is read to its end.
func (c *collector) submit(split int) error {
	s := c.cur
	c.cur = nil
	if s == nil {
		s = &splitGroups{}
	}
	return c.t.submit(split, s)
}

// pause takes in what waits in the middle of split n, where there is one worker.
func (c *collector) pause(n int) error {
	s := c.cur
	s.open = true
	c.t.waiting[n] = s
	if err := c.t.settle(); err != nil {
		return err
	}
	c.cur = &splitGroups{}
	return c.t.apply()
}

// newPart returns an empty table of groups for a split.
func (t *gathering) newPart(plan *grouping) *groups {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.spare); n > 0 {
		s := t.spare[n-1]
		t.spare = t.spare[:n-1]
		s.plan = plan
		return s
	}
	return plan.newGroups()
}

// submit takes in the groups of a split as soon as those of all splits before it
// have been.
func (t *gathering) submit(split int, s *splitGroups) error {
	t.mu.Lock()
	t.waiting[split] = s
	if t.taking { // by another worker, who will see it
		defer t.mu.Unlock()
		return t.failed
	}
	t.taking = true
	t.mu.Unlock()
	return t.settle()
}

// settle takes in the splits that are next, one after another. Others may submit
// meanwhile.
func (t *gathering) settle() error {
	for {
		t.mu.Lock()
		s := t.waiting[t.next]
		if s == nil || t.failed != nil {
			t.taking = false
			t.mu.Unlock()
			return t.failed
		}
		delete(t.waiting, t.next)
		if !s.open {
			t.next++
		}
		if t.wide == nil && t.sessions == nil && len(s.runs) > 0 {
			t.wide = newWideGroups(t.plan, t.parts)
			if t.merged != nil {
				t.pending = append(t.pending, &splitGroups{part: t.merged})
				t.merged = nil
			}
		}
		wide := t.wide != nil || t.sessions != nil
		if wide {
			t.pending = append(t.pending, s)
		}
		t.mu.Unlock()
		if wide || s.part == nil {
			continue
		}
		first := t.merged == nil
		merged, err := t.merged.take(s.part, t.plan)
		t.mu.Lock()
		if t.merged = merged; err != nil {
			t.failed = err
		} else if !first {
			s.part.reset()
			t.spare = append(t.spare, s.part)
		}
		t.mu.Unlock()
	}
}

// apply gives the parts what waits for them, several at a time.
func (t *gathering) apply() error {
	var err error
	if workers := max(1, t.plan.env.Workers); t.sessions != nil {
		err = t.sessions.take(t.pending, workers)
	} else {
		err = t.wide.take(t.pending, workers)
	}
	for _, s := range t.pending {
		for _, r := range s.runs {
			t.runs.Put(r)
		}
	}
	t.pending, t.rows, t.bytes = t.pending[:0], 0, 0
	return err
}

// splitters returns the accumulators that must know where splits end, and tells
// them that they will.
func splitters(accs []agg.Accumulator) []agg.Splitter {
	var out []agg.Splitter
	for _, a := range accs {
		if s, ok := a.(agg.Splitter); ok {
			s.BySplit()
			out = append(out, s)
		}
	}
	return out
}
