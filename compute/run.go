package compute

import (
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// A run is the live rows of one batch, sorted by part of their keys' hash: their
// keys and the arguments of the aggregates, in memory of its own.
type run struct {
	keys state.Keys
	// rows are the places of the rows in their batch; those of part i are before
	// parts[i].
	rows, parts []int32
	// batchRows is the length of the batch.
	batchRows int
	// args are the arguments by aggregate. Aggregates of the same column share it.
	args [][]*vec.Vec
	// counted says, for each aggregate with a FILTER, which rows it is true for.
	counted [][]byte
	// arena is the memory of the arguments.
	arena []byte
	used  int
	// seen and made pair the columns of the batch with those of the run.
	seen, made []*vec.Vec
	// starts, ends and times are the session windows of the rows and the times by
	// which they are judged, where rows are grouped into sessions.
	starts, ends, times []int64
}

// newRun makes a run of b, which is not used afterwards.
func (g *grouping) newRun(b Batch, t *gathering) (*run, error) {
	r, _ := t.runs.Get().(*run)
	if r == nil {
		r = &run{args: make([][]*vec.Vec, len(g.aggs)), counted: make([][]byte, len(g.aggs))}
		for i := range g.aggs {
			r.args[i] = make([]*vec.Vec, len(g.aggs[i].args))
		}
	}
	in := g.view.of(b)
	rows, err := g.admitted(in, b)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 { // a selection of nothing, where nil would mean all
		in.Sel = []int32{}
	}
	g.taken += int64(len(rows))
	keys, err := g.keyVectors(in, rows)
	if err != nil {
		return nil, err
	}
	if err := g.norm.Normalise(keys, in.Rows, in.Sel); err != nil {
		return nil, err
	}
	r.rows, r.parts = g.norm.Split(in.Sel, t.parts, r.rows, r.parts)
	g.norm.Gather(r.rows, &r.keys)
	if g.session != nil {
		r.takeWindows(g.session)
	}
	r.batchRows, r.used = in.Rows, 0
	r.seen, r.made = r.seen[:0], r.made[:0]
	g.common.Begin(in)
	for i := range g.aggs {
		if err := r.take(i, &g.aggs[i], in); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// takeWindows takes in the windows of the rows.
func (r *run) takeWindows(w *sessionWindows) {
	n := len(r.rows)
	r.starts, r.ends = sized(r.starts, n), sized(r.ends, n)
	for i, row := range r.rows {
		r.starts[i], r.ends[i] = w.starts[row], w.ends[row]
	}
	if w.judge == nil {
		r.times = r.ends
		return
	}
	r.times = make([]int64, n)
	for i, row := range r.rows {
		r.times[i] = w.times[row]
	}
}

// bytes is about the memory of the run.
func (r *run) bytes() int {
	n := 32*len(r.rows) + 16*len(r.starts)
	for i, args := range r.args {
		n += len(r.counted[i])
		for _, v := range args {
			if v != nil && !v.Const {
				n += len(v.Data) + 4*len(v.Off)
			}
		}
	}
	return n
}

// take evaluates the arguments of aggregate i.
func (r *run) take(i int, a *aggregation, in *cexpr.Input) error {
	live := *in
	r.counted[i] = nil
	if a.filter != nil {
		sel, err := a.filter.Select(in, a.sel)
		if err != nil {
			return err
		}
		a.sel, live.Sel = sel, sel
		at := make([]byte, (in.Rows+7)/8)
		for _, row := range sel {
			at[row>>3] |= 1 << (row & 7)
		}
		r.counted[i] = (&vec.Vec{Type: expr.Bool, Len: in.Rows, Data: at}).Take(r.rows).Data
		if len(sel) == 0 {
			return nil
		}
	}
	for j, ev := range a.args {
		v, err := ev.Eval(&live)
		if err != nil {
			return err
		}
		r.args[i][j] = r.sorted(v)
	}
	return nil
}

// sorted returns v with the rows of the run. Columns of the input are sorted once
// for all aggregates; constants stay as they are.
func (r *run) sorted(v *vec.Vec) *vec.Vec {
	if v.Const {
		c := *cexpr.Fresh(v)
		c.Len = len(r.rows)
		return &c
	}
	if v.Own == vec.Shared {
		for i, s := range r.seen {
			if s == v {
				return r.made[i]
			}
		}
	}
	out := r.gather(v)
	if v.Own == vec.Shared {
		r.seen, r.made = append(r.seen, v), append(r.made, out)
	}
	return out
}

func (r *run) gather(v *vec.Vec) *vec.Vec {
	if v.Valid != nil || v.Type.Width() != 8 {
		return v.Take(r.rows)
	}
	out := &vec.Vec{Type: v.Type, Len: len(r.rows)}
	n := 8 * len(r.rows)
	if len(r.arena)-r.used < n {
		r.arena, r.used = make([]byte, max(n, 2*len(r.arena))), 0
	}
	out.Data = r.arena[r.used : r.used+n : r.used+n]
	r.used += n
	src, dst := vec.Values[uint64](v), vec.Values[uint64](out)
	dst = dst[:len(r.rows)]
	for i, row := range r.rows {
		dst[i] = src[row]
	}
	return out
}
