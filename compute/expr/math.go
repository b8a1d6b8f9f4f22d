package expr

import (
	"math"
	"math/bits"

	"github.com/flightd/flightd/compute/javamath"
	"github.com/flightd/flightd/plan/expr"
)

func mathRows() map[string]row {
	rows := map[string]row{
		"log":          {makeLog},
		"ln":           positiveLog(javamath.Log, 0),
		"log10":        positiveLog(javamath.Log10, 0),
		"log2":         positiveLog(func(x float64) float64 { return javamath.Log(x) / javamath.Log(2) }, 0),
		"log1p":        positiveLog(javamath.Log1p, -1),
		"power":        double2(javamath.Pow),
		"atan2":        double2(func(y, x float64) float64 { return javamath.Atan2(y+0, x+0) }),
		"hypot":        double2(javamath.Hypot),
		"pi":           {constantDouble(math.Pi)},
		"e":            {constantDouble(math.E)},
		"signum":       {makeSign},
		"factorial":    strict(factorial),
		"bit_count":    strict(bitCount),
		"getbit":       strict(getBit),
		"width_bucket": strict(widthBucket),
		"conv":         strict(convert2),
		"&":            bitwise(func(a, b int64) int64 { return a & b }),
		"|":            bitwise(func(a, b int64) int64 { return a | b }),
		"^":            bitwise(func(a, b int64) int64 { return a ^ b }),
		"~":            bitwise1(func(a int64) int64 { return ^a }),
		"shiftleft":    shift(func(v int64, n uint, wide bool) int64 { return v << n }),
		"shiftright":   shift(func(v int64, n uint, wide bool) int64 { return v >> n }),
		"shiftrightunsigned": shift(func(v int64, n uint, wide bool) int64 {
			if wide {
				return int64(uint64(v) >> n)
			}
			return int64(int32(uint32(v) >> n))
		}),
	}
	for name, fn := range doubleFunctions {
		rows[name] = strict(func(f *frame) error {
			dst, a := results[float64](f), argument[float64](f, 0)
			f.each(func(i int) { dst[i] = fn(a.at(i)) })
			return nil
		})
	}
	return rows
}

// doubleFunctions are the functions of one DOUBLE.
var doubleFunctions = map[string]func(float64) float64{
	"sqrt": math.Sqrt, "cbrt": javamath.Cbrt, "exp": javamath.Exp, "expm1": javamath.Expm1, "rint": math.RoundToEven,
	"sin": javamath.Sin, "cos": javamath.Cos, "tan": javamath.Tan, "asin": javamath.Asin, "acos": javamath.Acos, "atan": javamath.Atan,
	"sinh": javamath.Sinh, "cosh": javamath.Cosh, "tanh": javamath.Tanh, "acosh": math.Acosh, "asinh": math.Asinh, "atanh": atanh,
	"cot": func(x float64) float64 { return 1 / javamath.Tan(x) }, "sec": func(x float64) float64 { return 1 / javamath.Cos(x) },
	"csc":     func(x float64) float64 { return 1 / javamath.Sin(x) },
	"degrees": func(x float64) float64 { return x * 57.29577951308232 },
	"radians": func(x float64) float64 { return x * 0.017453292519943295 },
}

func atanh(x float64) float64 { return 0.5 * (javamath.Log1p(x) - javamath.Log1p(-x)) }

func double2(fn func(a, b float64) float64) row {
	return strict(func(f *frame) error {
		dst, a, b := results[float64](f), argument[float64](f, 0), argument[float64](f, 1)
		f.each(func(i int) { dst[i] = fn(a.at(i), b.at(i)) })
		return nil
	})
}

// positiveLog is NULL at and below a limit.
func positiveLog(fn func(float64) float64, limit float64) row {
	return strict(func(f *frame) error { return logs(f, fn, limit) })
}

func logs(f *frame, fn func(float64) float64, limit float64) error {
	dst, a := results[float64](f), argument[float64](f, 0)
	f.each(func(i int) {
		if a.at(i) <= limit {
			f.setNull(i)
			return
		}
		dst[i] = fn(a.at(i))
	})
	return nil
}

// makeLog is log(x), natural, or log(base, x).
func makeLog(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	if len(args) == 1 {
		return newFunction(c, args, env, func(f *frame) error { return logs(f, javamath.Log, 0) }), nil
	}
	return newFunction(c, args, env, func(f *frame) error {
		dst, b, x := results[float64](f), argument[float64](f, 0), argument[float64](f, 1)
		f.each(func(i int) {
			if b.at(i) <= 0 || x.at(i) <= 0 {
				f.setNull(i)
				return
			}
			dst[i] = javamath.Log(x.at(i)) / javamath.Log(b.at(i))
		})
		return nil
	}), nil
}

func constantDouble(x float64) func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	return func(c *expr.Call, _ []Evaluator, _ *Env) (Evaluator, error) { return newLiteral(x, c.Typ) }
}

func makeSign(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	if c.Args[0].Type().Kind == expr.KindFloat64 {
		return newFunction(c, args, env, func(f *frame) error {
			dst, a := results[float64](f), argument[float64](f, 0)
			for i := range dst {
				switch x := a.at(i); {
				case x > 0:
					dst[i] = 1
				case x < 0:
					dst[i] = -1
				default:
					dst[i] = x
				}
			}
			return nil
		}), nil
	}
	return newFunction(c, args, env, func(f *frame) error {
		dst, a := results[float64](f), doubles(f, 0)
		f.each(func(i int) {
			x := a(i)
			dst[i] = 0
			if x != 0 {
				dst[i] = math.Copysign(1, x)
			}
		})
		return nil
	}), nil
}

func factorial(f *frame) error {
	dst, a := results[int64](f), argument[int32](f, 0)
	f.each(func(i int) {
		n := int64(a.at(i))
		if n < 0 || n > 20 {
			f.setNull(i)
			return
		}
		dst[i] = 1
		for k := int64(2); k <= n; k++ {
			dst[i] *= k
		}
	})
	return nil
}

func bitCount(f *frame) error {
	dst := results[int32](f)
	if v := f.args[0]; v.Type.Kind == expr.KindBool {
		f.each(func(i int) {
			dst[i] = 0
			if v.Bool(i) {
				dst[i] = 1
			}
		})
		return nil
	}
	a := ints(f, 0, nil)
	for i := range dst {
		dst[i] = int32(bits.OnesCount64(uint64(a[i])))
	}
	return nil
}

func getBit(f *frame) error {
	dst, a, n := results[int8](f), ints(f, 0, nil), ints(f, 1, nil)
	size := int64(8 * f.args[0].Type.Width())
	return f.try(func(i int) error {
		if n[i] < 0 || n[i] >= size {
			return f.raise(i, badParameter("BIT_POSITION_RANGE", "pos", f.call.Fn, "expects an integer value in [0, %d), but got %d.", size, n[i]))
		}
		dst[i] = int8(a[i] >> n[i] & 1)
		return nil
	})
}

// bitwise is a function of two integers of the result's type.
func bitwise(fn func(a, b int64) int64) row {
	return strict(func(f *frame) error {
		put, a, b := putInt(f), ints(f, 0, nil), ints(f, 1, nil)
		for i := range f.n {
			put(i, fn(a[i], b[i]))
		}
		return nil
	})
}

func bitwise1(fn func(a int64) int64) row {
	return strict(func(f *frame) error {
		put, a := putInt(f), ints(f, 0, nil)
		for i := range f.n {
			put(i, fn(a[i]))
		}
		return nil
	})
}

func shift(fn func(v int64, n uint, wide bool) int64) row {
	return strict(func(f *frame) error {
		put, a, n := putInt(f), ints(f, 0, nil), ints(f, 1, nil)
		wide := f.call.Typ.Kind == expr.KindInt64
		mask := int64(31)
		if wide {
			mask = 63
		}
		for i := range f.n {
			put(i, fn(a[i], uint(n[i]&mask), wide))
		}
		return nil
	})
}

func widthBucket(f *frame) error {
	dst, x, lo, hi, n := results[int64](f), doubles(f, 0), doubles(f, 1), doubles(f, 2), argument[int64](f, 3)
	f.each(func(i int) {
		v, a, b, k := x(i), lo(i), hi(i), n.at(i)
		if k <= 0 || k == math.MaxInt64 || math.IsNaN(v) || a == b || math.IsNaN(a) || math.IsNaN(b) || math.IsInf(a, 0) || math.IsInf(b, 0) {
			f.setNull(i)
			return
		}
		lower, upper := math.Min(a, b), math.Max(a, b)
		var r int64
		switch {
		case a < b && v < lower, a >= b && v > upper:
			r = 0
		case a < b && v >= upper, a >= b && v <= lower:
			r = k + 1
		case a < b:
			r = int64(float64(k)*(v-lower)/(upper-lower)) + 1
		default:
			r = int64(float64(k)*(upper-v)/(upper-lower)) + 1
		}
		dst[i] = r
	})
	return nil
}

// convert2 is conv(number, from base, to base): unsigned 64-bit unless the target
// base is negative.
func convert2(f *frame) error {
	a, from, to := f.text(0), ints(f, 1, nil), ints(f, 2, nil)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		s := a.at(i)
		fb, tb := from[i], to[i]
		if fb < 2 || fb > 36 || tb > 36 || tb < -36 || tb > -2 && tb < 2 || len(s) == 0 {
			f.setNull(i)
			return dst, nil
		}
		for len(s) > 0 && s[0] == ' ' {
			s = s[1:]
		}
		neg := false
		if len(s) > 0 && s[0] == '-' {
			neg, s = true, s[1:]
		}
		var v uint64
		over := false
		for _, c := range s {
			d := int64(99)
			switch {
			case c >= '0' && c <= '9':
				d = int64(c - '0')
			case c|0x20 >= 'a' && c|0x20 <= 'z':
				d = int64(c|0x20-'a') + 10
			}
			if d >= fb {
				break
			}
			hi, lo := bits.Mul64(v, uint64(fb))
			sum, carry := bits.Add64(lo, uint64(d), 0)
			if hi != 0 || carry != 0 {
				over = true
				break
			}
			v = sum
		}
		if over {
			if f.call.Mode == expr.ANSI {
				return dst, overflow("Overflow in function conv()", "").At(f.call.At)
			}
			v = math.MaxUint64
		}
		if neg && tb > 0 {
			if !over && int64(v) < 0 {
				v = math.MaxUint64
			} else {
				v = -v
			}
		}
		minus := false
		if tb < 0 {
			tb = -tb
			if neg && !over {
				minus = true
			} else if int64(v) < 0 {
				v, minus = -v, true
			}
		}
		if minus {
			dst = append(dst, '-')
		}
		return appendBase(dst, v, uint64(tb)), nil
	})
}

func appendBase(dst []byte, v, b uint64) []byte {
	var buf [64]byte
	n := len(buf)
	for {
		n--
		buf[n] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[v%b]
		if v /= b; v == 0 {
			return append(dst, buf[n:]...)
		}
	}
}
