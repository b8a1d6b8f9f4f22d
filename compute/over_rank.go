package compute

import (
	"context"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

func newOverFunction(n *physical.Over, f *physical.OverFunction, env *Env) (overFunction, error) {
	if a, ok := f.Call.(*expr.Agg); ok {
		return newOverAggregate(n, a, f, env)
	}
	c, ok := f.Call.(*expr.Call)
	if !ok {
		return nil, base.Errorf(base.CodeInternal, "a window function %T", f.Call)
	}
	switch c.Fn {
	case "row_number", "rank", "dense_rank":
		return numbered{c.Fn}, nil
	case "percent_rank", "cume_dist":
		return fraction{c.Fn}, nil
	case "ntile":
		return newTile(c, env)
	case "lag", "lead":
		return newNeighbour(c, f, env)
	case "nth_value":
		return newNth(n, c, f, env)
	case "counter_diff":
		return newCounter(c, env)
	}
	return nil, base.UserError("UNSUPPORTED_FEATURE", "0A000", "The window function %s is not supported.", c.Fn).At(c.At)
}

// constantInt is the value of an argument that is the same for all rows.
func constantInt(e expr.Expr, env *Env) (int64, bool, error) {
	l, err := cexpr.Fold(e, env.Expr)
	if err != nil {
		return 0, false, err
	}
	n, ok := l.Value.(int64)
	return n, ok, nil
}

// numbered is row_number, rank and dense_rank: INT.
type numbered struct{ fn string }

func (f numbered) column(_ context.Context, s *sorted) (*vec.Vec, error) {
	out := make([]int32, s.all.rows)
	dense := int32(0)
	for i := range out {
		from := s.from(i)
		if int32(i) == from {
			dense = 0
		}
		if s.peerFrom[i] == int32(i) {
			dense++
		}
		switch f.fn {
		case "row_number":
			out[i] = int32(i) - from + 1
		case "rank":
			out[i] = s.peerFrom[i] - from + 1
		default:
			out[i] = dense
		}
	}
	return vec.FromValues(expr.Int32, out, nil), nil
}

// fraction is percent_rank, (rank − 1) / (rows − 1), and cume_dist, the share of
// rows up to the peers: DOUBLE.
type fraction struct{ fn string }

func (f fraction) column(_ context.Context, s *sorted) (*vec.Vec, error) {
	out := make([]float64, s.all.rows)
	for i := range out {
		from, n := s.from(i), s.to(i)-s.from(i)
		switch {
		case f.fn == "cume_dist":
			out[i] = float64(s.peerTo[i]-from) / float64(n)
		case n > 1:
			out[i] = float64(s.peerFrom[i]-from) / float64(n-1)
		}
	}
	return vec.FromValues(expr.Float64, out, nil), nil
}

// tile is ntile(n): INT. The first rows mod n tiles have a row more.
type tile struct{ n int64 }

func newTile(c *expr.Call, env *Env) (overFunction, error) {
	n := int64(1)
	if len(c.Args) > 0 {
		var ok bool
		var err error
		if n, ok, err = constantInt(c.Args[0], env); err != nil {
			return nil, err
		}
		if !ok || n <= 0 {
			return nil, base.UserError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", "The number of buckets of ntile must be above 0 (current value = %s).", c.Args[0].SQL()).At(c.At)
		}
	}
	return tile{n}, nil
}

func (f tile) column(_ context.Context, s *sorted) (*vec.Vec, error) {
	out := make([]int32, s.all.rows)
	for i := range out {
		at, n := int64(i)-int64(s.from(i)), int64(s.to(i)-s.from(i))
		size, more := n/f.n, n%f.n
		if at < more*(size+1) {
			out[i] = int32(at/(size+1)) + 1
		} else {
			out[i] = int32(more+(at-more*(size+1))/size) + 1
		}
	}
	return vec.FromValues(expr.Int32, out, nil), nil
}

// neighbour is lag and lead: the value so many rows behind or ahead, or the
// default. With ignoreNulls only rows with a value count.
type neighbour struct {
	value, fallback cexpr.Evaluator
	offset          int64 // ahead
	ignoreNulls     bool
	typ             *expr.Type
}

func newNeighbour(c *expr.Call, f *physical.OverFunction, env *Env) (overFunction, error) {
	out := &neighbour{ignoreNulls: f.IgnoreNulls, typ: c.Typ}
	n, _, err := constantInt(c.Args[1], env)
	if err != nil {
		return nil, err
	}
	if out.offset = n; c.Fn == "lag" {
		out.offset = -n
	}
	if out.value, err = cexpr.Compile(c.Args[0], env.Expr); err != nil {
		return nil, err
	}
	out.fallback, err = cexpr.Compile(c.Args[2], env.Expr)
	return out, err
}

func (f *neighbour) column(_ context.Context, s *sorted) (*vec.Vec, error) {
	v, err := f.value.Eval(s.in)
	if err != nil {
		return nil, err
	}
	values := vec.Fresh(v.Flat())
	d, err := f.fallback.Eval(s.in)
	if err != nil {
		return nil, err
	}
	n := s.all.rows
	both := vec.Concat([]*vec.Vec{ofType(values, f.typ), ofType(vec.Fresh(d.Flat()), f.typ)})
	idx := make([]int32, n)
	for i := range idx {
		if at := f.at(s, values, i); at >= 0 {
			idx[i] = int32(at)
		} else {
			idx[i] = int32(n + i)
		}
	}
	return both.Take(idx), nil
}

// ofType returns v, or as many NULLs of type t if v is a bare NULL.
func ofType(v *vec.Vec, t *expr.Type) *vec.Vec {
	if v.Type.Kind == expr.KindNull {
		return vec.NewNull(t, v.Len)
	}
	return v
}

// at is the row whose value row i gets, or −1.
func (f *neighbour) at(s *sorted, values *vec.Vec, i int) int {
	from, to := int(s.from(i)), int(s.to(i))
	if !f.ignoreNulls || f.offset == 0 {
		if at := int64(i) + f.offset; at >= int64(from) && at < int64(to) {
			return int(at)
		}
		return -1
	}
	step, left := 1, f.offset
	if left < 0 {
		step, left = -1, -left
	}
	for at := i + step; at >= from && at < to; at += step {
		if values.Null(at) {
			continue
		}
		if left--; left == 0 {
			return at
		}
	}
	return -1
}

// nth is nth_value: that of the frame's n-th row.
type nth struct {
	value       cexpr.Evaluator
	n           int64
	frame       *frame
	ignoreNulls bool
}

func newNth(n *physical.Over, c *expr.Call, f *physical.OverFunction, env *Env) (overFunction, error) {
	out := &nth{ignoreNulls: f.IgnoreNulls}
	var ok bool
	var err error
	if out.n, ok, err = constantInt(c.Args[1], env); err != nil {
		return nil, err
	}
	if !ok || out.n <= 0 {
		return nil, base.UserError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", "The offset of nth_value must be above 0 (current value = %s).", c.Args[1].SQL()).At(c.At)
	}
	if out.value, err = cexpr.Compile(c.Args[0], env.Expr); err != nil {
		return nil, err
	}
	out.frame, err = newFrame(f.Frame, len(n.Order) > 0, env)
	return out, err
}

func (f *nth) column(_ context.Context, s *sorted) (*vec.Vec, error) {
	v, err := f.value.Eval(s.in)
	if err != nil {
		return nil, err
	}
	values := v.Flat()
	lo, hi, err := f.frame.bounds(s)
	if err != nil {
		return nil, err
	}
	idx := make([]int32, s.all.rows)
	for i := range idx {
		idx[i] = -1
		if !f.ignoreNulls {
			if at := int64(lo[i]) + f.n - 1; at < int64(hi[i]) {
				idx[i] = int32(at)
			}
			continue
		}
		left := f.n
		for at := lo[i]; at < hi[i]; at++ {
			if values.Null(int(at)) {
				continue
			}
			if left--; left == 0 {
				idx[i] = at
				break
			}
		}
	}
	return values.Take(idx), nil
}
