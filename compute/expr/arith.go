package expr

import (
	"math"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func arithmeticRows() map[string]row {
	rows := map[string]row{
		"negative": {makeNegative}, "positive": {makePositive}, "abs": {makeAbs},
	}
	for _, op := range []string{"+", "-", "*", "/", "%", "div", "pmod"} {
		rows[op] = row{func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
			return makeArithmetic(op, c, args, env)
		}}
	}
	for name, op := range map[string]string{"try_add": "+", "try_subtract": "-", "try_multiply": "*", "try_divide": "/", "try_mod": "%"} {
		rows[name] = row{func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
			try := *c
			try.Mode = expr.Try
			return makeArithmetic(op, &try, args, env)
		}}
	}
	return rows
}

// tolerant returns e with the casts that coercion put around it in mode Try.
func tolerant(e expr.Expr) expr.Expr {
	c, ok := e.(*expr.Cast)
	if !ok || !c.Implicit || c.Mode != expr.ANSI {
		return e
	}
	try := *c
	try.Mode, try.Child = expr.Try, tolerant(c.Child)
	return &try
}

var tryNames = map[string]string{"+": "try_add", "-": "try_subtract", "*": "try_multiply", "/": "try_divide", "%": "try_mod"}

func makeArithmetic(op string, c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	if c.Mode == expr.Try { // the casts that coercion put in are tolerant too
		args = append([]Evaluator(nil), args...)
		for k, a := range c.Args {
			if t := tolerant(a); t != a {
				var err error
				if args[k], err = Compile(t, env); err != nil {
					return nil, err
				}
			}
		}
	}
	a, b := c.Args[0].Type(), c.Args[1].Type()
	if a.Kind == expr.KindNull || b.Kind == expr.KindNull {
		return newFunction(c, args, env, func(*frame) error { return nil }), nil
	}
	temporal := func(t *expr.Type) bool { return t.Kind >= expr.KindDate && t.Kind <= expr.KindTime }
	var run func(f *frame) error
	switch {
	case temporal(a) || temporal(b):
		var err error
		if run, err = temporalArithmetic(op, c, env); err != nil {
			return nil, err
		}
	case a.Kind == expr.KindDecimal || b.Kind == expr.KindDecimal:
		run = decimalArithmetic(op, a, b, c.Typ)
	case op == "div":
		run = divide(a)
	default:
		switch c.Typ.Kind {
		case expr.KindInt8:
			run = intArithmetic[int8](op)
		case expr.KindInt16:
			run = intArithmetic[int16](op)
		case expr.KindInt32:
			run = intArithmetic[int32](op)
		case expr.KindInt64:
			run = intArithmetic[int64](op)
		case expr.KindFloat32:
			run = floatArithmetic[float32](op)
		case expr.KindFloat64:
			run = floatArithmetic[float64](op)
		}
	}
	if run == nil {
		return nil, unsupported(c)
	}
	return newFunction(c, args, env, run), nil
}

// spread shows a fixed-width argument as a full column; the copies of a constant
// are kept for the next batch.
type spread[T comparable] struct{ buf []T }

func (s *spread[T]) column(f *frame, k int) []T {
	v := f.args[k]
	vals := vec.Values[T](v)
	if !v.Const {
		return vals[:f.n]
	}
	if len(s.buf) < f.n || len(s.buf) > 0 && s.buf[0] != vals[0] {
		s.buf = make([]T, f.n)
		for i := range s.buf {
			s.buf[i] = vals[0]
		}
	}
	return s.buf[:f.n]
}

// settle looks at the live rows from bad on, the first row that a kernel found
// wanting, and fails for those that ok refuses.
func (f *frame) settle(bad int, ok func(i int) bool, fail func(i int) error) error {
	if bad < 0 {
		return nil
	}
	return f.try(func(i int) error {
		if i < bad || ok(i) {
			return nil
		}
		return fail(i)
	})
}

func intArithmetic[T kernels.Int](op string) func(f *frame) error {
	var sa, sb spread[T]
	kernel, one := map[string]func(dst, a, b []T) int{
		"+": kernels.AddInt[T], "-": kernels.SubInt[T], "*": kernels.MulInt[T], "%": kernels.RemInt[T],
	}[op], map[string]func(a, b T) (T, bool){
		"+": kernels.AddOK[T], "-": kernels.SubOK[T], "*": kernels.MulOK[T],
	}[op]
	switch op {
	case "pmod":
		kernel = pmodInt[T]
		fallthrough
	case "%":
		return func(f *frame) error {
			b := sb.column(f, 1)
			bad := kernel(results[T](f), sa.column(f, 0), b)
			return f.settle(bad, func(i int) bool { return b[i] != 0 }, func(i int) error { return f.fail0(i, remainderByZero()) })
		}
	case "/":
		return nil
	}
	return func(f *frame) error {
		dst, a := results[T](f), sa.column(f, 0)
		if v := f.args[1]; v.Const && op != "*" {
			s := vec.Values[T](v)[0]
			if op == "-" && s != -s {
				if bad := kernels.AddIntScalar(dst, a, -s); bad < 0 || f.call.Mode == expr.Legacy {
					return nil
				}
			} else if op == "+" {
				if bad := kernels.AddIntScalar(dst, a, s); bad < 0 || f.call.Mode == expr.Legacy {
					return nil
				}
			}
		}
		b := sb.column(f, 1)
		bad := kernel(dst, a, b)
		if f.call.Mode == expr.Legacy {
			return nil
		}
		return f.settle(bad, func(i int) bool { _, ok := one(a[i], b[i]); return ok }, func(i int) error {
			return f.fail(i, f.intOverflow(op, i))
		})
	}
}

// fail0 is fail for a zero divisor, which legacy mode answers with NULL.
func (f *frame) fail0(i int, err *base.Error) error { return f.fail(i, err) }

func (f *frame) intOverflow(op string, i int) *base.Error {
	if w := f.call.Typ.Width(); w <= 2 {
		a, b := appendText(nil, f.args[0], i, nil), appendText(nil, f.args[1], i, nil)
		return base.UserError("BINARY_ARITHMETIC_OVERFLOW", "22003",
			"%sS %s %sS caused overflow. Use `%s` to ignore overflow problem and return NULL.", a, op, b, tryNames[op])
	}
	return overflow("overflow", tryNames[op])
}

func pmodInt[T kernels.Int](dst, a, b []T) int {
	bad := kernels.RemInt(dst, a, b)
	for i := range dst {
		// pmod takes r = a % n and, if r < 0, (r + n) % n.
		if r := dst[i]; r < 0 {
			if n := b[i]; n != 0 && n != -1 {
				dst[i] = (r + n) % n
			}
		}
	}
	return bad
}

func floatArithmetic[T kernels.Float](op string) func(f *frame) error {
	var sa, sb spread[T]
	run := func(kernel func(dst, a, b []T)) func(f *frame) error {
		return func(f *frame) error {
			kernel(results[T](f), sa.column(f, 0), sb.column(f, 1))
			return nil
		}
	}
	divided := func(kernel func(dst, a, b []T) int, zero func() *base.Error) func(f *frame) error {
		return func(f *frame) error {
			b := sb.column(f, 1)
			bad := kernel(results[T](f), sa.column(f, 0), b)
			return f.settle(bad, func(i int) bool { return b[i] != 0 }, func(i int) error { return f.fail0(i, zero()) })
		}
	}
	switch op {
	case "+":
		return run(kernels.AddFloat[T])
	case "-":
		return run(kernels.SubFloat[T])
	case "*":
		return run(kernels.MulFloat[T])
	case "/":
		return divided(kernels.DivFloat[T], divideByZero)
	case "%":
		return divided(func(dst, a, b []T) int { return remFloat(dst, a, b, false) }, remainderByZero)
	case "pmod":
		return divided(func(dst, a, b []T) int { return remFloat(dst, a, b, true) }, remainderByZero)
	}
	return nil
}

func remFloat[T kernels.Float](dst, a, b []T, positive bool) int {
	bad := -1
	for i := range dst {
		n := float64(b[i])
		if n == 0 && bad < 0 {
			bad = i
		}
		r := math.Mod(float64(a[i]), n)
		if positive && r < 0 {
			r = math.Mod(r+n, n)
		}
		dst[i] = T(r)
	}
	return bad
}

// divide is DIV over integers: BIGINT.
func divide(t *expr.Type) func(f *frame) error {
	switch t.Kind {
	case expr.KindInt8:
		return divideInt[int8]()
	case expr.KindInt16:
		return divideInt[int16]()
	case expr.KindInt32:
		return divideInt[int32]()
	case expr.KindInt64:
		return divideInt[int64]()
	}
	return nil
}

func divideInt[T kernels.Int]() func(f *frame) error {
	var sa, sb spread[T]
	var wa, wb []int64
	return func(f *frame) error {
		dst := results[int64](f)
		wa, wb = widened(wa, sa.column(f, 0)), widened(wb, sb.column(f, 1))
		bad := kernels.DivInt(dst, wa, wb)
		err := f.settle(bad, func(i int) bool { return wb[i] != 0 }, func(i int) error { return f.fail0(i, divideByZero()) })
		if err != nil || f.call.Mode == expr.Legacy || f.args[0].Type.Kind != expr.KindInt64 {
			return err
		}
		for i, q := range dst {
			if q == math.MinInt64 && wb[i] == -1 {
				return f.settle(i, func(i int) bool { return dst[i] != math.MinInt64 || wb[i] != -1 }, func(i int) error {
					return f.fail(i, overflow("Overflow in integral divide", "try_divide"))
				})
			}
		}
		return nil
	}
}

// widened returns vals as int64, in buf if they are not already.
func widened[T kernels.Int](buf []int64, vals []T) []int64 {
	if v, ok := any(vals).([]int64); ok {
		return v
	}
	if cap(buf) < len(vals) {
		buf = make([]int64, len(vals))
	}
	buf = buf[:len(vals)]
	kernels.Convert(buf, vals)
	return buf
}

func makePositive(c *expr.Call, args []Evaluator, _ *Env) (Evaluator, error) { return args[0], nil }

func makeNegative(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	var run func(f *frame) error
	switch c.Typ.Kind {
	case expr.KindNull:
		return args[0], nil
	case expr.KindInt8:
		run = negateInt[int8]
	case expr.KindInt16:
		run = negateInt[int16]
	case expr.KindInt32, expr.KindYearMonth:
		run = negateInt[int32]
	case expr.KindInt64, expr.KindDayTime:
		run = negateInt[int64]
	case expr.KindFloat32:
		run = negateFloat[float32]
	case expr.KindFloat64:
		run = negateFloat[float64]
	case expr.KindDecimal:
		run = func(f *frame) error {
			dst, a := results[kernels.Int128](f), argument[kernels.Int128](f, 0)
			for i := range dst {
				dst[i] = a.at(i).Neg()
			}
			return nil
		}
	case expr.KindCalendar:
		run = negateCalendar
	default:
		return nil, unsupported(c)
	}
	return newFunction(c, args, env, run), nil
}

func negateInt[T kernels.Int](f *frame) error {
	var s spread[T]
	a := s.column(f, 0)
	bad := kernels.NegInt(results[T](f), a)
	if f.call.Mode == expr.Legacy && !f.call.Typ.IsInterval() {
		return nil
	}
	return f.settle(bad, func(i int) bool { return a[i] == 0 || a[i] != -a[i] }, func(i int) error {
		if f.call.Typ.IsInterval() {
			return f.raise(i, intervalOverflow(""))
		}
		return f.fail(i, overflow("overflow", ""))
	})
}

func negateFloat[T kernels.Float](f *frame) error {
	dst, a := results[T](f), argument[T](f, 0)
	for i := range dst {
		dst[i] = -a.at(i)
	}
	return nil
}

func makeAbs(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	var run func(f *frame) error
	switch c.Typ.Kind {
	case expr.KindInt8:
		run = absInt[int8]
	case expr.KindInt16:
		run = absInt[int16]
	case expr.KindInt32, expr.KindYearMonth:
		run = absInt[int32]
	case expr.KindInt64, expr.KindDayTime:
		run = absInt[int64]
	case expr.KindFloat32:
		run = absFloat[float32]
	case expr.KindFloat64:
		run = absFloat[float64]
	case expr.KindDecimal:
		run = func(f *frame) error {
			dst, a := results[kernels.Int128](f), argument[kernels.Int128](f, 0)
			for i := range dst {
				hi, lo := a.at(i).Abs()
				dst[i] = kernels.Int128{Lo: lo, Hi: int64(hi)}
			}
			return nil
		}
	case expr.KindNull:
		return args[0], nil
	default:
		return nil, unsupported(c)
	}
	return newFunction(c, args, env, run), nil
}

func absInt[T kernels.Int](f *frame) error {
	var s spread[T]
	dst, a := results[T](f), s.column(f, 0)
	bad := -1
	for i, x := range a {
		if x < 0 {
			x = -x
			if x < 0 && bad < 0 {
				bad = i
			}
		}
		dst[i] = x
	}
	if f.call.Mode == expr.Legacy && !f.call.Typ.IsInterval() {
		return nil
	}
	return f.settle(bad, func(i int) bool { return dst[i] >= 0 }, func(i int) error {
		return f.fail(i, overflow("overflow", ""))
	})
}

func absFloat[T kernels.Float](f *frame) error {
	dst, a := results[T](f), argument[T](f, 0)
	for i := range dst {
		dst[i] = T(math.Abs(float64(a.at(i))))
	}
	return nil
}
