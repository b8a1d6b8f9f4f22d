package compute

import (
	"context"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// counter is counter_diff(value, start): by how much the value is above that of the
// last row before with one; NULL if it is below, or counting began anew at a later
// start.
type counter struct {
	value, start cexpr.Evaluator
	typ          *expr.Type
	zone         *kernels.Zone
}

func newCounter(c *expr.Call, env *Env) (overFunction, error) {
	out := &counter{typ: c.Typ, zone: kernels.NewZone(env.Expr.Zone)}
	var err error
	if out.value, err = cexpr.Compile(c.Args[0], env.Expr); err != nil {
		return nil, err
	}
	if len(c.Args) > 1 {
		out.start, err = cexpr.Compile(c.Args[1], env.Expr)
	}
	return out, err
}

func (f *counter) column(_ context.Context, s *sorted) (*vec.Vec, error) {
	v, err := f.value.Eval(s.in)
	if err != nil {
		return nil, err
	}
	v = ofType(v.Flat(), f.typ)
	start := vec.NewNull(expr.Timestamp, v.Len)
	if f.start != nil {
		if start, err = f.start.Eval(s.in); err != nil {
			return nil, err
		}
		start = start.Flat()
	}
	zero := vec.NewBuilder(f.typ)
	appendDifference(zero, v, -1, -1)
	none := zero.Vec()
	b := vec.NewBuilder(f.typ)
	last := -1
	for i := range s.all.rows {
		if int32(i) == s.from(i) {
			last = -1
		}
		if v.Null(i) {
			b.AppendNull()
			continue
		}
		if vec.Compare(v, i, none, 0) < 0 {
			return nil, base.UserError("COUNTER_DIFF_NEGATIVE_COUNTER_VALUE", "22003",
				"A negative counter value %s was provided to function `counter_diff`. Negative counter values are not allowed.", f.text(v, i))
		}
		began := 0
		if last >= 0 && !start.Null(last) && !start.Null(i) {
			began = vec.Compare(start, i, start, last)
		}
		switch {
		case began < 0:
			return nil, base.UserError("COUNTER_DIFF_START_TIME_DECREASED", "22023",
				"Start time provided to function `counter_diff` decreased from %s to %s. Start time is required to be non-decreasing.",
				f.text(start, last), f.text(start, i))
		case last < 0 || began > 0 || vec.Compare(v, i, v, last) < 0:
			b.AppendNull()
		default:
			appendDifference(b, v, i, last)
		}
		last = i
	}
	return b.Vec(), nil
}

func (f *counter) text(v *vec.Vec, i int) string { return string(cexpr.AppendText(nil, v, i, f.zone)) }

// appendDifference appends v[i] − v[j], of which a negative one is 0. The values are
// 0 or more.
func appendDifference(b *vec.Builder, v *vec.Vec, i, j int) {
	switch v.Type.Kind {
	case expr.KindFloat32:
		vec.AppendFixed(b, valueOr0[float32](v, i)-valueOr0[float32](v, j))
	case expr.KindFloat64:
		vec.AppendFixed(b, valueOr0[float64](v, i)-valueOr0[float64](v, j))
	case expr.KindDecimal:
		vec.AppendFixed(b, valueOr0[kernels.Int128](v, i).Sub(valueOr0[kernels.Int128](v, j)))
	default:
		n := int64(0)
		if i >= 0 {
			n = v.Int(i) - v.Int(j)
		}
		b.AppendInt(n)
	}
}

func valueOr0[T any](v *vec.Vec, i int) (zero T) {
	if i < 0 {
		return zero
	}
	return vec.Values[T](v)[i]
}
