package compute

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// emit makes the record batches of run i, which is r: its pairs by the places of the
// rows that were read, and among them, with NULLs, those rows that the side's own
// condition kept from meeting anybody.
func (s *streamSide) emit(parts []*matching, r *joinRun, i int) ([]arrow.RecordBatch, error) {
	next := make([]int32, r.batchRows+1) // where the next pair of each place goes
	for p, m := range parts {
		lo, hi := m.pairs(i)
		from, _ := r.part(p)
		from -= m.offsets[i]
		for _, at := range m.at[lo:hi] {
			next[r.rows[from+at]+1]++
		}
	}
	for _, place := range r.rows[r.passed:] {
		next[place+1]++
	}
	for k := 1; k < len(next); k++ {
		next[k] += next[k-1]
	}
	total := int(next[r.batchRows])
	if total == 0 {
		return nil, nil
	}
	e := &pairs{side: s, run: r, driving: make([]int32, total), partner: make([]int32, total), fixed: make([]*vec.Vec, len(s.other.spec.Columns))}
	refs := e.wantsRefs()
	if refs {
		e.refs = make([]state.Ref, total)
	}
	k := int32(0)
	for p, m := range parts {
		lo, hi := m.pairs(i)
		from, _ := r.part(p)
		from -= m.offsets[i]
		for x, at := range m.at[lo:hi] {
			place := r.rows[from+at]
			o := next[place]
			next[place]++
			e.driving[o], e.partner[o] = from+at, k
			if refs {
				e.refs[o] = state.Ref{Sub: int32(p), Row: m.rows[int(lo)+x]}
			}
			k++
		}
	}
	for x, place := range r.rows[r.passed:] {
		o := next[place]
		next[place]++
		e.driving[o], e.partner[o] = int32(r.passed+x), -1
		if refs {
			e.refs[o].Row = -1
		}
	}
	for c := range e.fixed {
		var cols []*vec.Vec
		for _, m := range parts {
			if lo, hi := m.pairs(i); lo < hi && m.partners[c] != nil {
				cols = append(cols, m.partners[c].Slice(int(lo), int(hi)))
			}
		}
		if len(cols) > 0 {
			e.fixed[c] = vec.Concat(cols)
		}
	}
	return e.records()
}

// pairs are what comes out of a run: rows of it, by their place in the run, and
// partners, by their place in fixed; a negative one is none. refs says where the
// partners are kept.
type pairs struct {
	side             *streamSide
	run              *joinRun
	driving, partner []int32
	refs             []state.Ref
	// fixed has the other side's columns whose values have a fixed width.
	fixed []*vec.Vec
}

// wantsRefs reports whether a column of the other side has no fixed width.
func (e *pairs) wantsRefs() bool {
	o := e.side.other
	for _, c := range o.spec.Columns {
		if o.schema[c].Type.Width() == 0 {
			return true
		}
	}
	return false
}

func (e *pairs) records() ([]arrow.RecordBatch, error) {
	var recs []arrow.RecordBatch
	for lo := 0; lo < len(e.driving); lo += BatchRows {
		hi := min(len(e.driving), lo+BatchRows)
		rec, err := e.record(lo, hi)
		if err != nil {
			for _, rec := range recs {
				rec.Release()
			}
			return nil, err
		}
		recs = append(recs, rec)
	}
	return recs, nil
}

// record makes a record batch of pairs lo to hi.
func (e *pairs) record(lo, hi int) (arrow.RecordBatch, error) {
	s := e.side
	var own, others []*vec.Vec
	if s == s.join.left || !s.join.kind(physical.LeftSemi) {
		for _, c := range s.spec.Columns {
			own = append(own, e.run.cols[s.place[c]].Take(e.driving[lo:hi]))
		}
	}
	for i := range s.other.spec.Columns {
		v, err := e.partners(i, lo, hi)
		if err != nil {
			return nil, err
		}
		others = append(others, v)
	}
	if s == s.join.right {
		own, others = others, own
	}
	return recordOf(s.join.out, append(own, others...), hi-lo), nil
}

// partners returns output column i of the other side.
func (e *pairs) partners(i, lo, hi int) (*vec.Vec, error) {
	o := e.side.other
	c := o.spec.Columns[i]
	if e.fixed != nil && o.schema[c].Type.Width() > 0 {
		if e.fixed[i] == nil { // there is not one partner
			return vec.NewNull(o.schema[c].Type, hi-lo), nil
		}
		return e.fixed[i].Take(e.partner[lo:hi]), nil
	}
	refs, missing := e.refs[lo:hi], 0
	for _, r := range refs {
		if r.Row < 0 {
			missing++
		}
	}
	if missing == 0 {
		return o.columnOf(c, refs)
	}
	there, idx := make([]state.Ref, 0, len(refs)-missing), make([]int32, len(refs))
	for k, r := range refs {
		if idx[k] = -1; r.Row >= 0 {
			idx[k] = int32(len(there))
			there = append(there, r)
		}
	}
	if len(there) == 0 {
		return vec.NewNull(o.schema[c].Type, len(refs)), nil
	}
	v, err := o.columnOf(c, there)
	if err != nil {
		return nil, err
	}
	return v.Take(idx), nil
}

// A heavyRun makes the pairs of one run while they are put out, so many that they
// would not have room: in the same order as emit.
type heavyRun struct {
	side *streamSide
	run  *joinRun
	// order has the rows of the run by their places, part their parts, and heads the
	// newest rows with their keys.
	order, part, heads []int32
	// at is where in order it goes on: with what is left of chain, the partners of that
	// row, newest first, if it is within it.
	at     int
	chain  []int32
	within bool
	window *pairWindow

	driving []int32
	refs    []state.Ref
	held
}

func newHeavyRun(s *streamSide, r *joinRun) *heavyRun { return &heavyRun{side: s, run: r} }

func (h *heavyRun) next(ctx context.Context) (Batch, error) {
	if h.window == nil {
		if err := h.begin(); err != nil {
			return Batch{}, err
		}
	}
	for {
		if err := ctx.Err(); err != nil {
			return Batch{}, err
		}
		h.driving, h.refs = h.driving[:0], h.refs[:0]
		h.candidates()
		if len(h.driving) == 0 {
			h.side.join.conds.put(h.window)
			h.set(nil)
			return Batch{}, io.EOF
		}
		if err := h.settle(); err != nil {
			return Batch{}, err
		}
		if len(h.driving) == 0 {
			continue
		}
		e := &pairs{side: h.side, run: h.run, driving: h.driving, refs: h.refs}
		rec, err := e.record(0, len(h.driving))
		if err != nil {
			return Batch{}, err
		}
		return Batch{Rec: h.set(rec)}, nil
	}
}

func (h *heavyRun) begin() error {
	s, r := h.side, h.run
	var err error
	if h.window, err = s.join.conds.take(); err != nil {
		return err
	}
	h.order = make([]int32, r.batchRows)
	for i := range h.order {
		h.order[i] = -1
	}
	for j, place := range r.rows {
		h.order[place] = int32(j)
	}
	h.part, h.heads = make([]int32, r.passed), make([]int32, r.passed)
	for p := range r.ends {
		from, to := r.part(p)
		if from == to {
			continue
		}
		if err := s.other.table.Sub(p).Find(&r.keys, h.window.span(from, to), h.heads[from:to]); err != nil {
			return err
		}
		for j := from; j < to; j++ {
			if h.part[j] = int32(p); r.never != nil && r.never[j] {
				h.heads[j] = -1
			}
		}
	}
	return nil
}

// candidates lists the next ones.
func (h *heavyRun) candidates() {
	for ; h.at < len(h.order); h.at++ {
		j := h.order[h.at]
		switch {
		case j < 0:
			continue
		case int(j) >= h.run.passed:
			if len(h.driving) == BatchRows {
				return
			}
			h.driving, h.refs = append(h.driving, j), append(h.refs, state.Ref{Row: -1})
			continue
		}
		t := h.side.other.table.Sub(int(h.part[j]))
		if !h.within {
			h.chain, h.within = h.chain[:0], true
			for row := h.heads[j]; row >= 0; row = t.Older(row) {
				// The right rows of the epoch may be there already; they come to the left ones, not
				// these to them.
				if h.side == h.side.join.right || int(row) < h.side.other.old[h.part[j]] {
					h.chain = append(h.chain, row)
				}
			}
		}
		for ; len(h.chain) > 0; h.chain = h.chain[:len(h.chain)-1] {
			if len(h.driving) == BatchRows {
				return
			}
			h.driving, h.refs = append(h.driving, j), append(h.refs, state.Ref{Sub: h.part[j], Row: h.chain[len(h.chain)-1]})
		}
		h.within = false
	}
}

// settle keeps the candidates that are pairs, and notes who has met whom.
func (h *heavyRun) settle() error {
	pass, err := h.passing()
	if err != nil {
		return err
	}
	kept := 0
	for _, k := range pass {
		j, ref := h.driving[k], h.refs[k]
		h.driving[kept], h.refs[kept] = j, ref
		kept++
		if ref.Row < 0 {
			continue
		}
		if err := h.meet(j, ref); err != nil {
			return err
		}
	}
	h.driving, h.refs = h.driving[:kept], h.refs[:kept]
	return nil
}

// meet notes that row j of the run and a kept row have met.
func (h *heavyRun) meet(j int32, ref state.Ref) error {
	s, r := h.side, h.run
	if s.other.matched >= 0 && s.other.flags(s.other.table.Sub(int(ref.Sub)))[ref.Row] == 0 {
		if err := s.other.table.TouchPart(int(ref.Sub), []int32{ref.Row}, []int64{r.touch + int64(r.rows[j])}); err != nil {
			return err
		}
		s.other.flags(s.other.table.Sub(int(ref.Sub)))[ref.Row] = 1
	}
	if s.matched < 0 || r.own[j] < 0 {
		return nil
	}
	p, own := int(h.part[j]), r.own[j]
	if r.due != nil && r.due[j] { // it was kept only for the case that it meets nobody
		r.own[j] = -1
		s.inserted--
		return s.table.RemoveSub(p, []int32{own})
	}
	s.flags(s.table.Sub(p))[own] = 1
	return nil
}

// passing returns which candidates the condition holds for. One without a partner is
// not asked about.
func (h *heavyRun) passing() ([]int32, error) {
	w := h.window
	if w.cond == nil {
		return w.list.first(len(h.driving)), nil
	}
	var real, driving []int32
	var refs []state.Ref
	for k, ref := range h.refs {
		if ref.Row >= 0 {
			real, driving, refs = append(real, int32(k)), append(driving, h.driving[k]), append(refs, ref)
		}
	}
	s := h.side
	sel, err := w.ask(s, len(real),
		func(c int) (*vec.Vec, error) { return h.run.cols[s.place[c]].Take(driving), nil },
		func(c int) (*vec.Vec, error) { return s.other.columnOf(c, refs) })
	if err != nil {
		return nil, err
	}
	pass, next, hit := make([]int32, 0, len(h.refs)), 0, 0
	for k, ref := range h.refs {
		if ref.Row < 0 {
			pass = append(pass, int32(k))
			continue
		}
		if hit < len(sel) && sel[hit] == int32(next) {
			pass = append(pass, int32(k))
			hit++
		}
		next++
	}
	return pass, nil
}
