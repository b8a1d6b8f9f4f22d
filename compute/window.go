package compute

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// window adds to each row the time window that holds it: once per window, the
// latest window first. Rows whose time is NULL are left out. Where windows do not
// overlap no column is copied.
type window struct {
	unary
	node   *physical.Window
	time   cexpr.Evaluator
	view   *view
	schema *arrow.Schema
	typ    *expr.Type
	slide  kernels.Modulus
	// overlap is the most windows that may hold a row.
	overlap int64

	// What is left of the input's batch, where windows overlap.
	batch   Batch
	pending []int32
	starts  []int64
	list    rowList
	sel     []int32
	held
}

var _ Operator = (*window)(nil)

func newWindow(n *physical.Window, input Operator, env *Env) (*window, error) {
	time, err := cexpr.Compile(n.Time, env.Expr)
	return &window{unary: unary{input}, node: n, time: time, view: newView(n.Input.Schema(), n.Time), schema: n.Out.Arrow(),
		typ: n.Out[len(n.Out)-1].Type, slide: kernels.NewModulus(n.Slide), overlap: (n.Duration + n.Slide - 1) / n.Slide}, err
}

func (w *window) Next(ctx context.Context) (Batch, error) {
	for len(w.pending) == 0 {
		b, err := w.input.Next(ctx)
		if err != nil {
			return Batch{}, err
		}
		rows, err := w.assign(b)
		if err != nil {
			return Batch{}, err
		}
		if w.node.Slide == w.node.Duration {
			return w.attach(b, rows), nil
		}
		w.batch, w.pending = b, rows
	}
	return w.repeat(), nil
}

// assign fills starts with the last window start at or before the time of each
// row, and returns the live rows that have a time.
func (w *window) assign(b Batch) ([]int32, error) {
	v, err := w.time.Eval(w.view.of(b))
	if err != nil {
		return nil, err
	}
	v = v.Flat()
	// A struct array will share starts, so they are new for each batch.
	w.starts = make([]int64, v.Len)
	rows := w.list.of(b)
	if v.Type.Kind == expr.KindNull {
		return nil, nil
	}
	kernels.WindowStarts(w.starts, vec.Values[int64](v), nil, w.node.Start, 0, w.slide)
	if v.Valid == nil && w.node.Slide == w.node.Duration {
		return rows, nil
	}
	if cap(w.sel) < len(rows) || w.sel == nil {
		w.sel = make([]int32, len(rows))
	}
	w.sel = w.sel[:len(rows)]
	if v.Valid == nil {
		copy(w.sel, rows)
	} else {
		w.sel = w.sel[:kernels.SelectOnes(v.Valid, rows, w.sel)]
	}
	if w.node.Slide != w.node.Duration {
		w.times(vec.Values[int64](v))
	}
	return w.sel, nil
}

// times keeps, beside its start, how far into it each row is: where windows
// overlap or leave gaps, start + into is the time again.
func (w *window) times(ts []int64) {
	into := make([]int64, len(ts))
	for i, t := range ts {
		into[i] = t - w.starts[i]
	}
	w.starts = append(w.starts, into...)
}

// attach puts the windows beside the columns of b.
func (w *window) attach(b Batch, rows []int32) Batch {
	n := int(b.Rec.NumRows())
	cols := make([]arrow.Array, b.Rec.NumCols(), b.Rec.NumCols()+1)
	for i := range cols {
		cols[i] = b.Rec.Column(i)
		cols[i].Retain()
	}
	cols = append(cols, w.structs(w.starts).Arrow())
	out := Batch{Rec: w.set(newRecord(w.schema, cols, n)), Sel: b.Sel, Split: b.Split}
	if len(rows) < n {
		out.Sel = rows
	}
	return out
}

func (w *window) structs(starts []int64) *vec.Vec {
	ends := make([]int64, len(starts))
	for i, s := range starts {
		ends[i] = s + w.node.Duration
	}
	t := w.typ.Fields[0].Type
	return &vec.Vec{Type: w.typ, Len: len(starts), Kids: []*vec.Vec{vec.FromValues(t, starts, nil), vec.FromValues(t, ends, nil)}}
}

// repeat puts out the next pending rows, each once per window.
func (w *window) repeat() Batch {
	n := min(len(w.pending), max(1, BatchRows/int(min(w.overlap, BatchRows))))
	rows := int(w.batch.Rec.NumRows())
	var idx []int32
	var starts []int64
	for _, r := range w.pending[:n] {
		start, into := w.starts[r], w.starts[rows+int(r)]
		for back := int64(0); into+back < w.node.Duration; back += w.node.Slide {
			idx = append(idx, r)
			starts = append(starts, start-back)
		}
	}
	w.pending = w.pending[n:]
	in := w.view.all(w.batch)
	cols := make([]*vec.Vec, 0, len(in.Cols)+1)
	for _, c := range in.Cols {
		cols = append(cols, c.Take(idx))
	}
	cols = append(cols, w.structs(starts))
	return Batch{Rec: w.set(recordOf(w.schema, cols, len(idx))), Split: w.batch.Split}
}

// Close lets go of the last batch and closes the input.
func (w *window) Close() error { w.set(nil); return w.unary.Close() }

func (w *window) Explain() string {
	return fmt.Sprintf("windows of %d µs every %d µs", w.node.Duration, w.node.Slide)
}
