package compute

import (
	"context"
	"sync"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

const (
	// windowPairs is how many candidates are put to the condition at a time.
	windowPairs = 1 << 14
	// A part of a run with more pairs than manyPairs, and manyTimes its rows, makes the
	// run a heavy one.
	manyPairs, manyTimes = 1 << 12, 64
)

// many is how many pairs n rows may have.
func (j *streamJoin) many(n int) int {
	if j.env.ManyPairs > 0 {
		return j.env.ManyPairs
	}
	return max(manyPairs, manyTimes*n)
}

// take works on runs, which are in order, of the left side and then of the right one:
// their rows meet the kept rows of the other side, and are kept. It makes what comes of
// them.
func (j *streamJoin) take(ctx context.Context, left, right []*joinRun) error {
	work := []*sideWork{j.left.work(left), j.right.work(right)}
	errs := make([]error, j.left.table.Subs())
	inTurn(j.workers(), len(errs), func(p int) {
		for _, w := range work {
			if errs[p] == nil && len(w.runs) > 0 {
				m := &matching{side: w.side, part: p, runs: w.runs}
				errs[p] = m.match(ctx)
				w.parts[p] = m
			}
		}
	})
	if err := firstOf(errs); err != nil {
		return err
	}
	for _, w := range work {
		made, err := w.emit()
		j.made = append(j.made, made...)
		if err != nil {
			return err
		}
	}
	return nil
}

// sideWork is runs of one side that are worked on, and what came of them in each part.
type sideWork struct {
	side  *streamSide
	runs  []*joinRun
	parts []*matching
}

func (s *streamSide) work(runs []*joinRun) *sideWork {
	for _, r := range runs {
		r.first = s.table.Begin(int64(r.batchRows))
		if s.other.matched >= 0 {
			r.touch = s.other.table.Begin(int64(r.batchRows))
		}
		if s.matched >= 0 {
			r.own = make([]int32, r.passed)
		}
	}
	return &sideWork{side: s, runs: runs, parts: make([]*matching, s.table.Subs())}
}

// emit makes what comes of the runs, in their order.
func (w *sideWork) emit() ([]emission, error) {
	if len(w.runs) == 0 {
		return nil, nil
	}
	s := w.side
	for _, m := range w.parts {
		s.inserted += m.inserted
		s.other.inserted -= m.withdrawn
		s.other.removed += m.forgotten
		for i, heavy := range m.heavy {
			w.runs[i].heavy = w.runs[i].heavy || heavy
		}
	}
	made, errs := make([]emission, len(w.runs)), make([]error, len(w.runs))
	inTurn(s.join.workers(), len(w.runs), func(i int) {
		made[i].side = s
		if w.runs[i].heavy {
			made[i].heavy = w.runs[i]
			return
		}
		made[i].recs, errs[i] = s.emit(w.parts, w.runs[i], i)
	})
	return made, firstOf(errs)
}

// matching is what one part of the rows of some runs meets.
type matching struct {
	side *streamSide
	part int
	runs []*joinRun
	// offsets number the rows of the part over all runs: those of run i are from
	// offsets[i] on.
	offsets []int32
	// at and rows are the pairs: a row of the part, ascending, and a row of the other
	// side's sub-table. Those of run i are before ends[i].
	at, rows, ends []int32
	// partners are the other side's columns of the pairs, where their values have a fixed
	// width.
	partners []*vec.Vec
	// met says which rows of the part have met a partner, and heavy which runs have too
	// many pairs.
	met, heavy []bool
	inserted   int64
	// withdrawn and forgotten count the kept rows for which one partner was enough, by
	// whether they came in this epoch.
	withdrawn, forgotten int64

	table  *state.Table // the other side's
	window *pairWindow
	// once says that one partner is enough for a row that is read, and first that one is
	// enough for a row that is kept: gone then says which have had theirs.
	once, first bool
	gone        []bool
	// current is the run of the pairs that come, began where its pairs begin, and limit
	// how many it may have.
	current, began, limit int
	// flags are those of the other side's rows, flipped those that were set, and ordinals
	// when.
	flags    []uint8
	flipped  []int32
	ordinals []int64
}

func (m *matching) match(ctx context.Context) error {
	s := m.side
	m.offsets, m.ends, m.heavy = make([]int32, len(m.runs)+1), make([]int32, len(m.runs)), make([]bool, len(m.runs))
	for i, r := range m.runs {
		from, to := r.part(m.part)
		m.offsets[i+1] = m.offsets[i] + to - from
	}
	n := m.offsets[len(m.runs)]
	if n == 0 {
		return nil
	}
	m.met = make([]bool, n)
	m.table = s.other.table.Sub(m.part)
	w, err := s.join.conds.take()
	if err != nil {
		return err
	}
	m.window = w
	if m.table.Len() > 0 {
		err = m.find(ctx)
	}
	for i := 0; i < len(m.runs) && err == nil; i++ {
		err = m.keep(i)
	}
	if err == nil {
		err = m.gather()
	}
	m.window = nil
	s.join.conds.put(w)
	return err
}

// find makes the pairs of all runs.
func (m *matching) find(ctx context.Context) error {
	s, w := m.side, m.window
	semi := s.join.kind(physical.LeftSemi)
	m.once, m.first = semi && s == s.join.left, semi && s == s.join.right
	if m.first {
		m.gone = make([]bool, m.table.Rows())
	}
	if s.other.matched >= 0 {
		if err := s.other.table.TouchPart(m.part, nil, nil); err != nil { // the flags may be written now
			return err
		}
		m.flags = s.other.flags(m.table)
	}
	if err := w.begin(m); err != nil {
		return err
	}
	m.enter(0)
	for i, r := range m.runs {
		from, to := r.part(m.part)
		if from == to {
			continue
		}
		sel, heads := w.span(from, to), w.rowsOf(int(to-from))
		if err := m.table.Find(&r.keys, sel, heads); err != nil {
			return err
		}
		for k, row := range heads {
			if row < 0 || r.never != nil && r.never[sel[k]] {
				continue
			}
			if err := m.follow(ctx, i, m.offsets[i]+int32(k), row); err != nil {
				return err
			}
		}
	}
	if err := m.settle(); err != nil {
		return err
	}
	for i := range m.ends[m.current:] {
		m.ends[m.current+i] = int32(len(m.at))
	}
	if m.first {
		return m.forget()
	}
	return s.other.table.TouchPart(m.part, m.flipped, m.ordinals)
}

// forget takes the kept rows for which one partner was enough out of their table.
func (m *matching) forget() error {
	for _, row := range m.rows {
		if int(row) >= m.side.other.old[m.part] {
			m.withdrawn++
		}
	}
	m.forgotten = int64(len(m.rows)) - m.withdrawn
	return m.side.other.table.RemoveSub(m.part, m.rows)
}

// follow makes candidates of row at of run i and of the rows of the chain that begins
// at row: those that came first are first.
func (m *matching) follow(ctx context.Context, i int, at, row int32) error {
	w := m.window
	if m.once && w.cond == nil {
		w.at, w.rows = append(w.at, at), append(w.rows, row)
		return m.offer(ctx)
	}
	chain := append(w.chain[:0], row)
	for row = m.table.Older(row); row >= 0; row = m.table.Older(row) {
		chain = append(chain, row)
	}
	w.chain = chain
	for k := len(chain) - 1; k >= 0; k-- {
		if m.first && m.gone[chain[k]] {
			continue
		}
		w.at, w.rows = append(w.at, at), append(w.rows, chain[k])
		if len(w.at) < windowPairs {
			continue
		}
		if err := m.offer(ctx); err != nil {
			return err
		}
		if m.heavy[i] || m.once && m.met[at] {
			return nil
		}
	}
	return nil
}

// offer settles the candidates if there are enough.
func (m *matching) offer(ctx context.Context) error {
	if len(m.window.at) < windowPairs {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.settle()
}

// settle makes pairs of the candidates that the condition holds for.
func (m *matching) settle() error {
	w := m.window
	pass, err := w.passing(m)
	if err != nil {
		return err
	}
	for _, c := range pass {
		at, row := w.at[c], w.rows[c]
		for at >= m.offsets[m.current+1] {
			m.ends[m.current] = int32(len(m.at))
			m.enter(m.current + 1)
		}
		if m.once && m.met[at] || m.first && m.gone[row] || m.heavy[m.current] {
			continue
		}
		m.met[at] = true
		switch {
		case m.first:
			m.gone[row] = true
		case m.flags != nil && m.flags[row] == 0:
			m.flip(at, row)
		}
		m.at, m.rows = append(m.at, at), append(m.rows, row)
		if len(m.at)-m.began > m.limit && !m.once && !m.first {
			m.heavy[m.current] = true
			m.at, m.rows = m.at[:m.began], m.rows[:m.began]
		}
	}
	w.at, w.rows = w.at[:0], w.rows[:0]
	return nil
}

// enter goes on to the pairs of run i.
func (m *matching) enter(i int) {
	m.current, m.began = i, len(m.at)
	m.limit = m.side.join.many(int(m.offsets[i+1] - m.offsets[i]))
}

// flip notes that the kept row has met its first partner, row at of the current run.
func (m *matching) flip(at, row int32) {
	r := m.runs[m.current]
	from, _ := r.part(m.part)
	m.flags[row] = 1
	m.flipped = append(m.flipped, row)
	m.ordinals = append(m.ordinals, r.touch+int64(r.rows[from+at-m.offsets[m.current]]))
}

// keep puts the rows of run i into the table of their side.
func (m *matching) keep(i int) error {
	s, r := m.side, m.runs[i]
	from, to := r.part(m.part)
	sel := m.kept(i, from, to)
	rows := m.window.rowsOf(len(sel))
	if len(sel) > 0 {
		if err := s.table.InsertPart(m.part, &r.keys, sel, rows, r.first); err != nil {
			return err
		}
	}
	t := s.table.Sub(m.part)
	for c := range r.values {
		t.Value(c).Load(rows, &r.values[c], sel)
	}
	m.inserted += int64(len(sel))
	if s.matched < 0 {
		return nil
	}
	for j := from; j < to; j++ {
		r.own[j] = -1
	}
	flags := s.flags(t)
	for k, j := range sel {
		r.own[j] = rows[k]
		if m.met[m.offsets[i]+j-from] {
			flags[rows[k]] = 1
		}
	}
	return nil
}

// kept returns those of rows from to to of run i that are worth keeping: not a left
// row of a semi join that has come out, nor a right row that would be forgotten at
// the end of the epoch, unless it has to come out then.
func (m *matching) kept(i int, from, to int32) []int32 {
	s, r := m.side, m.runs[i]
	sel := m.window.span(from, to)
	if !m.once && r.due == nil {
		return sel
	}
	keep := make([]int32, 0, len(sel))
	for k, j := range sel {
		met := m.met[m.offsets[i]+int32(k)]
		if m.once && met || r.due != nil && r.due[j] && (met || !s.preserved) {
			continue
		}
		keep = append(keep, j)
	}
	return keep
}

// gather makes the columns of the partners.
func (m *matching) gather() error {
	o := m.side.other
	m.partners = make([]*vec.Vec, len(o.spec.Columns))
	for i, c := range o.spec.Columns {
		if o.schema[c].Type.Width() == 0 {
			continue
		}
		var err error
		if m.partners[i], err = o.column(c, m.table, m.rows); err != nil {
			return err
		}
	}
	return nil
}

// pairs returns which pairs are those of run i.
func (m *matching) pairs(i int) (from, to int32) {
	if i > 0 {
		from = m.ends[i-1]
	}
	return from, m.ends[i]
}

// conditions are copies of the condition of a join, one for each worker.
type conditions struct {
	node *physical.StreamJoin
	env  *Env
	// uses are the columns of both sides that it uses, of which left are the left's.
	uses uses
	left int

	mu   sync.Mutex
	free []*pairWindow
}

func (c *conditions) take() (*pairWindow, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.free); n > 0 {
		w := c.free[n-1]
		c.free = c.free[:n-1]
		return w, nil
	}
	w := &pairWindow{of: c}
	w.in.Cols = make([]*vec.Vec, len(c.uses))
	if c.node.Cond == nil {
		return w, nil
	}
	var err error
	w.cond, err = cexpr.CompilePredicate(c.node.Cond, c.env.Expr)
	return w, err
}

func (c *conditions) put(w *pairWindow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free = append(c.free, w)
}

// pairWindow holds candidates until there are enough to ask the condition about.
type pairWindow struct {
	of       *conditions
	cond     cexpr.Predicate // nil: none
	in       cexpr.Input
	at, rows []int32
	// driving are the columns of the rows of a part that the condition uses.
	driving    []*vec.Vec
	sel, found []int32
	// chain is the rows of one key.
	chain []int32
	list  rowList
}

// span returns from … to−1. It must not be written.
func (w *pairWindow) span(from, to int32) []int32 { return w.list.first(int(to))[from:] }

// rowsOf returns room for n rows.
func (w *pairWindow) rowsOf(n int) []int32 {
	if cap(w.found) < n {
		w.found = make([]int32, n, 2*n)
	}
	return w.found[:n]
}

// begin makes ready for the pairs of m.
func (w *pairWindow) begin(m *matching) error {
	w.at, w.rows = w.at[:0], w.rows[:0]
	if w.cond == nil {
		return nil
	}
	s := m.side
	w.driving = make([]*vec.Vec, len(s.schema))
	for c, u := range w.of.side(s) {
		if u == 0 {
			continue
		}
		var parts []*vec.Vec
		for _, r := range m.runs {
			if from, to := r.part(m.part); from < to {
				parts = append(parts, r.cols[s.place[c]].Slice(int(from), int(to)))
			}
		}
		w.driving[c] = vec.Concat(parts)
	}
	return nil
}

// side returns which columns of a side the condition uses.
func (c *conditions) side(s *streamSide) uses {
	if s == s.join.left {
		return c.uses[:c.left]
	}
	return c.uses[c.left:]
}

// passing returns the candidates that the condition holds for.
func (w *pairWindow) passing(m *matching) ([]int32, error) {
	if w.cond == nil || len(w.at) == 0 {
		return w.list.first(len(w.at)), nil
	}
	return w.ask(m.side, len(w.at),
		func(c int) (*vec.Vec, error) { return w.driving[c].Take(w.at), nil },
		func(c int) (*vec.Vec, error) { return m.side.other.column(c, m.table, w.rows) })
}

// ask returns which of n pairs the condition holds for. driving and partner return
// columns of the side s and of the other one.
func (w *pairWindow) ask(s *streamSide, n int, driving, partner func(c int) (*vec.Vec, error)) ([]int32, error) {
	for _, side := range []*streamSide{s, s.other} {
		get, at := driving, 0
		if side != s {
			get = partner
		}
		if side == s.join.right {
			at = w.of.left
		}
		for c, u := range w.of.side(side) {
			if u == 0 {
				continue
			}
			var err error
			if w.in.Cols[at+c], err = get(c); err != nil {
				return nil, err
			}
		}
	}
	w.in.Rows, w.in.Sel = n, nil
	var err error
	w.sel, err = w.cond.Select(&w.in, w.sel)
	return w.sel, err
}
