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

// session gives each row a session window of its own, from its time to the end of
// the gap behind it. Rows without a time, and those whose gap is NULL or not above
// zero, are left out; no column is copied.
type session struct {
	unary
	node   *physical.Session
	env    *Env
	time   cexpr.Evaluator
	end    cexpr.Evaluator
	view   *view
	schema *arrow.Schema
	typ    *expr.Type
	// gap is the gap in microseconds, if it is the same for all rows and not one of
	// days or months; else -1.
	gap  int64
	list rowList
	sel  []int32
	held
}

var _ Operator = (*session)(nil)

func newSession(n *physical.Session, input Operator, env *Env) (*session, error) {
	s := &session{unary: unary{input}, node: n, env: env, view: newView(n.Input.Schema(), n.Time, n.Gap), schema: n.Out.Arrow(),
		typ: n.Out[len(n.Out)-1].Type, gap: -1}
	var err error
	if s.time, err = cexpr.Compile(n.Time, env.Expr); err != nil {
		return nil, err
	}
	if s.end, err = cexpr.Compile(n.End(), env.Expr); err != nil {
		return nil, err
	}
	if constant(n.Gap) {
		l, err := cexpr.Fold(n.Gap, env.Expr)
		if err != nil {
			return nil, err
		}
		if gap, ok := l.Value.(expr.CalendarInterval); ok && gap.Months == 0 && gap.Days == 0 && gap.Micros >= 0 {
			s.gap = gap.Micros
		}
	}
	return s, nil
}

// constant reports whether e is the same for all rows.
func constant(e expr.Expr) bool {
	same := !countsRows(e)
	expr.Walk(e, func(e expr.Expr) bool {
		_, is := e.(*expr.Ref)
		same = same && !is
		return same
	})
	return same
}

func (s *session) Next(ctx context.Context) (Batch, error) {
	b, err := s.input.Next(ctx)
	if err != nil {
		return Batch{}, err
	}
	starts, ends, rows, err := s.assign(b)
	if err != nil {
		return Batch{}, err
	}
	cols := make([]arrow.Array, b.Rec.NumCols(), b.Rec.NumCols()+1)
	for i := range cols {
		cols[i] = b.Rec.Column(i)
		cols[i].Retain()
	}
	t := s.typ.Fields[0].Type
	window := &vec.Vec{Type: s.typ, Len: len(starts), Kids: []*vec.Vec{vec.FromValues(t, starts, nil), vec.FromValues(t, ends, nil)}}
	cols = append(cols, window.Arrow())
	out := Batch{Rec: s.set(newRecord(s.schema, cols, len(starts))), Sel: b.Sel, Split: b.Split}
	if len(rows) < b.Live() {
		out.Sel = rows
	}
	return out, nil
}

// assign returns the windows of all rows of b, in memory of their own, and which of
// its live rows have one.
func (s *session) assign(b Batch) (starts, ends []int64, rows []int32, err error) {
	in := s.view.of(b)
	rows = s.list.of(b)
	starts, ends = make([]int64, in.Rows), make([]int64, in.Rows)
	v, err := s.time.Eval(in)
	if err != nil {
		return nil, nil, nil, err
	}
	if v.Type.Kind == expr.KindNull || v.Const && v.Null(0) {
		s.refuse(RefusedNullTime, len(rows))
		return starts, ends, []int32{}, nil
	}
	v = v.Flat()
	copy(starts, vec.Values[int64](v))
	if v.Valid != nil {
		s.sel = sized(s.sel, len(rows))
		timed := s.sel[:kernels.SelectOnes(v.Valid, rows, s.sel)]
		s.refuse(RefusedNullTime, len(rows)-len(timed))
		rows = timed
	}
	if s.gap > 0 && addGap(ends, starts, s.gap) {
		return starts, ends, rows, nil
	}
	timed := *in
	if len(rows) < b.Live() {
		timed.Sel = rows
	}
	if v, err = s.end.Eval(&timed); err != nil {
		return nil, nil, nil, err
	}
	kept := s.sel[:0]
	if !v.Const || !v.Null(0) {
		v = v.Flat()
		copy(ends, vec.Values[int64](v))
		s.sel = sized(s.sel, len(rows))
		kept = s.sel[:0]
		for _, r := range rows {
			if ends[r] > starts[r] && !v.Null(int(r)) {
				kept = append(kept, r)
			}
		}
	}
	s.refuse(RefusedZeroGap, len(rows)-len(kept))
	if kept == nil {
		kept = []int32{}
	}
	return starts, ends, kept, nil
}

// addGap fills ends; it reports false if a sum overflows.
func addGap(ends, starts []int64, gap int64) bool {
	fits := true
	ends = ends[:len(starts)]
	for i, t := range starts {
		e := t + gap
		ends[i] = e
		fits = fits && e > t
	}
	return fits
}

// sized returns s with length n; what it holds is lost where it is too short.
func sized[T any](s []T, n int) []T {
	if cap(s) < n || s == nil {
		return make([]T, n)
	}
	return s[:n]
}

// refuse counts rows that get no window for the aggregation above.
func (s *session) refuse(reason string, n int) {
	if s.node.State == nil || n == 0 {
		return
	}
	m := s.env.Metrics.state(s.node.State.Operator)
	m.Input += int64(n)
	m.refuse(reason, int64(n))
}

// Close lets go of the last batch and closes the input.
func (s *session) Close() error { s.set(nil); return s.unary.Close() }

func (s *session) Explain() string {
	return fmt.Sprintf("a session window from %s, gap %s", s.node.Time.SQL(), s.node.Gap.SQL())
}
