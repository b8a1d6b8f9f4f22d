package expr

import (
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// decimalArithmetic computes over unscaled decimals; an integer operand counts as
// a decimal of scale 0.
func decimalArithmetic(op string, a, b, result *expr.Type) func(f *frame) error {
	if a.Kind != expr.KindDecimal && !a.IsInteger() || b.Kind != expr.KindDecimal && !b.IsInteger() {
		return nil
	}
	o := kernels.DecimalOp{ScaleA: a.Scale, ScaleB: b.Scale, Precision: result.Precision, Scale: result.Scale}
	if op == "div" {
		o.Precision, o.Scale = 38, 0
	}
	o.Exact = exactDecimals(op, a, b, result)
	var ca, cb decimals
	switch op {
	case "+", "-", "*":
		kernel, one := kernels.AddDecimal, kernels.DecimalOp.Add
		if op == "-" {
			kernel, one = kernels.SubDecimal, kernels.DecimalOp.Sub
		} else if op == "*" {
			kernel, one = kernels.MulDecimal, kernels.DecimalOp.Mul
		}
		return func(f *frame) error {
			x, y := ca.column(f, 0), cb.column(f, 1)
			bad := kernel(o, results[kernels.Int128](f), x, y)
			return f.settle(bad, func(i int) bool { _, ok := one(o, x[i], y[i]); return ok }, func(i int) error {
				return f.fail(i, f.decimalOverflow(op, x[i], y[i], o))
			})
		}
	}
	zero, one := divideByZero, kernels.DecimalOp.Div
	switch op {
	case "%":
		zero, one = remainderByZero, kernels.DecimalOp.Rem
	case "pmod":
		zero, one = remainderByZero, pmodDecimal
	case "div":
		one = kernels.DecimalOp.Quo
	}
	return func(f *frame) error {
		x, y := ca.column(f, 0), cb.column(f, 1)
		var dst []kernels.Int128
		var longs []int64
		if op == "div" {
			longs = results[int64](f)
		} else {
			dst = results[kernels.Int128](f)
		}
		return f.try(func(i int) error {
			if y[i].Sign() == 0 {
				return f.fail0(i, zero())
			}
			r, ok := one(o, x[i], y[i])
			if op == "div" {
				if longs[i], ok = r.Int64(); !ok {
					return f.fail(i, overflow("Overflow in integral divide", "try_divide"))
				}
				return nil
			}
			dst[i] = r
			if !ok {
				return f.fail(i, f.decimalOverflow(op, x[i], y[i], o))
			}
			return nil
		})
	}
}

// exactDecimals reports whether the result's type holds every result of an operation.
func exactDecimals(op string, a, b, result *expr.Type) bool {
	digits := func(t *expr.Type) (whole, scale int) {
		if t.Kind == expr.KindDecimal {
			return t.Precision - t.Scale, t.Scale
		}
		return map[int]int{1: 3, 2: 5, 4: 10, 8: 19}[t.Width()], 0
	}
	wa, sa := digits(a)
	wb, sb := digits(b)
	switch op {
	case "+", "-":
		return result.Scale == max(sa, sb) && result.Precision-result.Scale > max(wa, wb)
	case "*":
		return result.Scale == sa+sb && result.Precision >= wa+sa+wb+sb
	}
	return false
}

func pmodDecimal(o kernels.DecimalOp, x, y kernels.Int128) (kernels.Int128, bool) {
	r, ok := o.Rem(x, y)
	if !ok || r.Sign() >= 0 {
		return r, ok
	}
	wide := kernels.DecimalOp{ScaleA: o.Scale, ScaleB: o.ScaleB, Precision: 38, Scale: max(o.Scale, o.ScaleB)}
	s, ok := wide.Add(r, y)
	if !ok {
		return s, false
	}
	return kernels.DecimalOp{ScaleA: wide.Scale, ScaleB: o.ScaleB, Precision: o.Precision, Scale: o.Scale}.Rem(s, y)
}

// decimalOverflow shows the exact value where that is easy to compute.
func (f *frame) decimalOverflow(op string, x, y kernels.Int128, o kernels.DecimalOp) *base.Error {
	a, b := x.Big(), y.Big()
	scale := o.ScaleA + o.ScaleB
	value := ""
	switch op {
	case "*":
		value = arrowtext.BigDecimal(a.Mul(a, b), scale)
	case "+", "-":
		ten := kernels.Pow10(max(o.ScaleB-o.ScaleA, 0)).Big()
		a.Mul(a, ten)
		b.Mul(b, kernels.Pow10(max(o.ScaleA-o.ScaleB, 0)).Big())
		if op == "-" {
			b.Neg(b)
		}
		value = arrowtext.BigDecimal(a.Add(a, b), max(o.ScaleA, o.ScaleB))
	default:
		value = string(arrowtext.AppendDecimal(nil, x, o.ScaleA)) + " " + op + " " + string(arrowtext.AppendDecimal(nil, y, o.ScaleB))
	}
	return outOfRange(value, f.call.Typ)
}

// decimals shows a DECIMAL or integer argument as unscaled values.
type decimals struct {
	s   spread[kernels.Int128]
	buf []kernels.Int128
}

func (d *decimals) column(f *frame, k int) []kernels.Int128 {
	switch f.args[k].Type.Kind {
	case expr.KindInt8:
		return widenDecimal[int8](d, f, k)
	case expr.KindInt16:
		return widenDecimal[int16](d, f, k)
	case expr.KindInt32:
		return widenDecimal[int32](d, f, k)
	case expr.KindInt64:
		return widenDecimal[int64](d, f, k)
	}
	return d.s.column(f, k)
}

func widenDecimal[T kernels.Int](d *decimals, f *frame, k int) []kernels.Int128 {
	if cap(d.buf) < f.n {
		d.buf = make([]kernels.Int128, f.n)
	}
	d.buf = d.buf[:f.n]
	a := argument[T](f, k)
	for i := range d.buf {
		d.buf[i] = kernels.From64(int64(a.at(i)))
	}
	return d.buf
}
