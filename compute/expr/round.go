package expr

import (
	"math"
	"math/big"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func roundRows() map[string]row {
	return map[string]row{
		"round":  strict(func(f *frame) error { return roundNumbers(f, halfUp) }),
		"bround": strict(func(f *frame) error { return roundNumbers(f, halfEven) }),
		"ceil":   strict(func(f *frame) error { return roundNumbers(f, up) }),
		"floor":  strict(func(f *frame) error { return roundNumbers(f, down) }),
	}
}

// rounding is a way to drop digits.
type rounding uint8

const (
	halfUp rounding = iota
	halfEven
	up
	down
)

// roundNumbers is round, bround, ceil and floor of any numeric type, with an
// optional number of digits.
func roundNumbers(f *frame, mode rounding) error {
	scale := func(int) int64 { return 0 }
	if len(f.args) > 1 {
		n := ints(f, 1, nil)
		scale = func(i int) int64 { return n[i] }
	}
	t := f.args[0].Type
	switch {
	case t.Kind == expr.KindDecimal:
		return roundDecimals(f, mode, scale)
	case t.Kind == expr.KindFloat64 && f.call.Typ.Kind == expr.KindInt64:
		dst, a := results[int64](f), argument[float64](f, 0)
		return f.try(func(i int) error {
			x := math.Floor(a.at(i))
			if mode == up {
				x = math.Ceil(a.at(i))
			}
			if (x > 1<<63 || x < -1<<63) && f.call.Mode == expr.ANSI {
				return overflow("overflow", "").At(f.call.At)
			}
			dst[i] = saturate(x, math.MinInt64, math.MaxInt64)
			return nil
		})
	case t.Kind == expr.KindFloat64:
		dst, a := results[float64](f), argument[float64](f, 0)
		f.each(func(i int) { dst[i] = roundFloat(a.at(i), 64, scale(i), mode) })
		return nil
	case t.Kind == expr.KindFloat32:
		dst, a := results[float32](f), argument[float32](f, 0)
		f.each(func(i int) { dst[i] = float32(roundFloat(float64(a.at(i)), 32, scale(i), mode)) })
		return nil
	}
	put, a := putInt(f), ints(f, 0, nil)
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	if w := f.call.Typ.Width(); w > 0 && w < 8 {
		lo, hi = -1<<(8*w-1), 1<<(8*w-1)-1
	}
	return f.try(func(i int) error {
		s := scale(i)
		if s >= 0 {
			put(i, a[i])
			return nil
		}
		b := roundBig(big.NewInt(a[i]), int(min(-s, 40)), mode)
		put(i, new(big.Int).And(b, new(big.Int).SetUint64(math.MaxUint64)).Int64())
		if u := new(big.Int).And(b, new(big.Int).SetUint64(math.MaxUint64)); !b.IsInt64() {
			put(i, int64(u.Uint64()))
		}
		if (!b.IsInt64() || b.Int64() < lo || b.Int64() > hi) && f.call.Mode == expr.ANSI {
			return overflow("Overflow", "").At(f.call.At)
		}
		return nil
	})
}

// roundFloat rounds the decimal text of x.
func roundFloat(x float64, size int, scale int64, mode rounding) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	if x == 0 {
		return 0 // BigDecimal has no −0
	}
	if size == 64 {
		if y, ok := roundNear(x, scale, mode); ok {
			return y
		}
	}
	var text []byte
	if size == 32 {
		text = arrowtext.AppendFloat32(nil, float32(x))
	} else {
		text = arrowtext.AppendFloat64(nil, x)
	}
	n, _ := arrowtext.ScanDecimal(text)
	b, have := n.BigDecimal()
	if int64(have) <= scale {
		return x
	}
	if scale < -400 {
		scale = -400
	}
	drop := have - int(scale)
	r := roundBig(b, drop, mode)
	q := new(big.Int).Quo(r, pow10Big(drop))
	out, _ := arrowtext.ParseFloat([]byte(q.String()+"e"+itoa(-scale)), size)
	if out == 0 && math.Signbit(x) {
		return 0 // BigDecimal has no −0
	}
	return out
}

// roundNear is roundFloat of numbers that are so far from where rounding changes its
// mind that neither the digits of their shortest text nor the error of a multiplication
// matter: there the rounded number of units, which is exact, divided by an exact power
// of ten is correctly rounded.
func roundNear(x float64, scale int64, mode rounding) (float64, bool) {
	if scale < 0 || scale > 22 {
		return 0, false
	}
	ten := tens[scale]
	y := math.Abs(x) * ten
	if y > 1<<50 {
		return 0, false
	}
	units := math.Floor(y)
	part, slack := y-units, y*(1.0/(1<<50))+1e-300
	switch mode {
	case halfUp, halfEven:
		if math.Abs(part-0.5) <= slack {
			return 0, false
		}
		if part > 0.5 {
			units++
		}
	default:
		if part <= slack || part >= 1-slack {
			return 0, false
		}
		if (mode == up) == (x > 0) {
			units++
		}
	}
	switch {
	case units == 0:
		return 0, true
	case x < 0:
		units = -units
	}
	return units / ten, true
}

// tens are the powers of ten that doubles hold exactly.
var tens = [23]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

func itoa(v int64) string { return big.NewInt(v).String() }

func pow10Big(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// roundBig rounds b to a multiple of 10^digits.
func roundBig(b *big.Int, digits int, mode rounding) *big.Int {
	if digits <= 0 {
		return b
	}
	ten := pow10Big(digits)
	q, r := new(big.Int).QuoRem(b, ten, new(big.Int))
	step := int64(0)
	twice := new(big.Int).Lsh(new(big.Int).Abs(r), 1)
	switch c := twice.Cmp(ten); {
	case mode == up && r.Sign() > 0:
		step = 1
	case mode == down && r.Sign() < 0:
		step = -1
	case mode == halfUp && c >= 0, mode == halfEven && (c > 0 || c == 0 && q.Bit(0) == 1):
		step = int64(b.Sign())
	}
	q.Add(q, big.NewInt(step))
	return q.Mul(q, ten)
}

func roundDecimals(f *frame, mode rounding, scale func(i int) int64) error {
	from, to := f.args[0].Type, f.call.Typ
	a := argument[kernels.Int128](f, 0)
	dst := results[kernels.Int128](f)
	return f.try(func(i int) error {
		s := int(max(min(scale(i), 38), -38))
		b := a.at(i).Big()
		if from.Scale > s {
			b = roundBig(b, from.Scale-s, mode)
		}
		if to.Scale < from.Scale {
			b = new(big.Int).Quo(b, pow10Big(from.Scale-to.Scale))
		} else {
			b = new(big.Int).Mul(b, pow10Big(to.Scale-from.Scale))
		}
		x, ok := kernels.FromBig(b)
		dst[i] = x
		if !ok || !x.Fits(to.Precision) {
			return f.fail(i, outOfRange(arrowtext.BigDecimal(b, to.Scale), to))
		}
		return nil
	})
}
