package kernels

import (
	"math/big"
	"math/bits"
)

// DecimalOp describes an operation on two columns of unscaled decimals: their
// scales and the type of the result. Results round half up, away from zero.
type DecimalOp struct {
	ScaleA, ScaleB   int
	Precision, Scale int
	// Exact says that every result of values within the arguments' types is one of the
	// result's type: nothing is rounded and nothing overflows.
	Exact bool
}

// Rescale returns x with scale to instead of from, rounded half up, and whether
// the result fits 38 digits.
func Rescale(x Int128, from, to int) (Int128, bool) {
	switch {
	case from == to:
		return x, true
	case from < to:
		return mulPow10(x, to-from)
	case from-to > 38:
		return Int128{}, true
	}
	return divHalfUp(x, pow10[from-to]), true
}

// Truncate returns x with the scale lowered by n digits, cut towards zero.
func Truncate(x Int128, n int) Int128 {
	if n > 38 {
		return Int128{}
	}
	hi, lo := x.Abs()
	q, _ := Uint256{lo, hi}.DivMod(pow10[n])
	r, _ := q.Int128(x.Hi < 0)
	return r
}

func mulPow10(x Int128, n int) (Int128, bool) {
	if n > 38 {
		return Int128{}, x.Sign() == 0
	}
	if v, ok := x.Int64(); ok && n <= 18 {
		hi, lo := mul64(v, int64(pow10[n].Lo))
		return Int128{uint64(lo), hi}, true
	}
	u, neg := Mul256(x, pow10[n])
	r, ok := u.Int128(neg)
	return r, ok && r.Fits(38)
}

// divHalfUp divides by a positive d.
func divHalfUp(x, d Int128) Int128 {
	if v, ok := x.Int64(); ok && d.Hi == 0 && int64(d.Lo) > 0 {
		e := int64(d.Lo)
		q, r := v/e, v%e
		switch {
		case r > 0 && r >= e-r:
			q++
		case r < 0 && -r >= e+r:
			q--
		}
		return From64(q)
	}
	hi, lo := x.Abs()
	q := roundedQuotient(Uint256{lo, hi}, d)
	r, _ := q.Int128(x.Hi < 0)
	return r
}

func roundedQuotient(u Uint256, d Int128) Uint256 {
	q, r := u.DivMod(d)
	if t := d.Sub(r); !r.Less(t) && (r.Hi >= 0 || t.Hi >= 0) {
		return q.Add1()
	}
	return q
}

// Add returns x+y and whether it fits the result type.
func (o DecimalOp) Add(x, y Int128) (Int128, bool) {
	s := max(o.ScaleA, o.ScaleB)
	a, okA := mulPow10(x, s-o.ScaleA)
	b, okB := mulPow10(y, s-o.ScaleB)
	r := a.Add(b)
	if !okA || !okB || (a.Hi^r.Hi)&(b.Hi^r.Hi) < 0 {
		return o.slow(func(z, a, b *big.Int) { z.Add(a, b) }, x, y)
	}
	if s > o.Scale {
		r = divHalfUp(r, pow10[s-o.Scale])
	} else if s < o.Scale {
		var ok bool
		if r, ok = mulPow10(r, o.Scale-s); !ok {
			return r, false
		}
	}
	return r, r.Fits(o.Precision)
}

// Sub returns x−y and whether it fits the result type.
func (o DecimalOp) Sub(x, y Int128) (Int128, bool) { return o.Add(x, y.Neg()) }

// slow computes on a common scale without a limit of size.
func (o DecimalOp) slow(op func(z, a, b *big.Int), x, y Int128) (Int128, bool) {
	s := max(o.ScaleA, o.ScaleB)
	z := new(big.Int)
	op(z, scaled(x, s-o.ScaleA), scaled(y, s-o.ScaleB))
	return fromBig(z, s, o)
}

func scaled(x Int128, n int) *big.Int {
	b := x.Big()
	return b.Mul(b, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil))
}

// Big returns x.
func (x Int128) Big() *big.Int {
	hi, lo := x.Abs()
	b := new(big.Int).SetUint64(hi)
	b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(lo))
	if x.Hi < 0 {
		b.Neg(b)
	}
	return b
}

// FromBig returns b, and whether it fits 38 digits.
func FromBig(b *big.Int) (Int128, bool) {
	if b.BitLen() > 127 {
		return Int128{}, false
	}
	a := new(big.Int).Abs(b)
	x := Int128{Lo: new(big.Int).And(a, new(big.Int).SetUint64(^uint64(0))).Uint64(), Hi: int64(new(big.Int).Rsh(a, 64).Uint64())}
	if b.Sign() < 0 {
		x = x.Neg()
	}
	return x, x.Fits(38)
}

// fromBig rounds z, of scale s, to the result type.
func fromBig(z *big.Int, s int, o DecimalOp) (Int128, bool) {
	if s > o.Scale {
		z = quoHalfUp(z, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(s-o.Scale)), nil))
	} else {
		z.Mul(z, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(o.Scale-s)), nil))
	}
	r, ok := FromBig(z)
	return r, ok && r.Fits(o.Precision)
}

func quoHalfUp(z, d *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(z, d, new(big.Int))
	if r.Lsh(r.Abs(r), 1).CmpAbs(d) >= 0 {
		if z.Sign()*d.Sign() < 0 {
			return q.Sub(q, big.NewInt(1))
		}
		return q.Add(q, big.NewInt(1))
	}
	return q
}

// Mul returns x·y and whether it fits the result type. A product of more than 38
// digits is first rounded to 38, as Spark does.
func (o DecimalOp) Mul(x, y Int128) (Int128, bool) {
	s := o.ScaleA + o.ScaleB
	if a, ok := x.Int64(); ok {
		if b, ok := y.Int64(); ok && s == o.Scale {
			hi, lo := mul64(a, b)
			r := Int128{uint64(lo), hi}
			return r, r.Fits(o.Precision)
		}
	}
	u, neg := Mul256(x, y)
	if n := u.digits(); n > 2*38 {
		return Int128{}, false // what lies at a NULL row may be no decimal
	} else if n > 38 {
		u = roundedQuotient(u, pow10[n-38])
		s -= n - 38
	}
	r, ok := u.Int128(neg)
	if !ok {
		return r, false
	}
	if r, ok = Rescale(r, s, o.Scale); !ok {
		return r, false
	}
	return r, r.Fits(o.Precision)
}

// digits returns how many decimal digits u has, if that is above 38; else any
// number up to 38.
func (u Uint256) digits() int {
	if u[2]|u[3] == 0 && (u[1] < uint64(pow10[38].Hi) || u[1] == uint64(pow10[38].Hi) && u[0] < pow10[38].Lo) {
		return 38
	}
	q, _ := u.DivMod(pow10[38])
	hi, _ := q.Int128(false)
	return 38 + hi.Digits()
}

// Div returns x/y and whether it fits the result type; y is not zero.
func (o DecimalOp) Div(x, y Int128) (Int128, bool) {
	e := o.Scale - o.ScaleA + o.ScaleB
	if e >= 0 && e <= 38 {
		hi, lo := x.Abs()
		u := mulU128(hi, lo, uint64(pow10[e].Hi), pow10[e].Lo)
		dh, dl := y.Abs()
		r, ok := roundedQuotient(u, Int128{dl, int64(dh)}).Int128((x.Hi < 0) != (y.Hi < 0))
		return r, ok && r.Fits(o.Precision)
	}
	num, den := x.Big(), y.Big()
	if e >= 0 {
		num = scaled(x, e)
	} else {
		den = scaled(y, -e)
	}
	r, ok := FromBig(quoHalfUp(num, den))
	return r, ok && r.Fits(o.Precision)
}

// Quo returns the integer part of x/y with scale 0 (SQL's DIV); y is not zero.
func (o DecimalOp) Quo(x, y Int128) (Int128, bool) {
	z := new(big.Int)
	s := max(o.ScaleA, o.ScaleB)
	z.Quo(scaled(x, s-o.ScaleA), scaled(y, s-o.ScaleB))
	r, ok := FromBig(z)
	return r, ok && r.Fits(o.Precision)
}

// Rem returns the remainder of x/y, with the sign of x, and whether it fits; y is
// not zero.
func (o DecimalOp) Rem(x, y Int128) (Int128, bool) {
	if o.ScaleA == o.ScaleB && o.Scale == o.ScaleA {
		xh, xl := x.Abs()
		yh, yl := y.Abs()
		_, r := Uint256{xl, xh}.DivMod(Int128{yl, int64(yh)})
		if x.Hi < 0 {
			r = r.Neg()
		}
		return r, r.Fits(o.Precision)
	}
	return o.slow(func(z, a, b *big.Int) { z.Rem(a, b) }, x, y)
}

// AddDecimal writes x+y for each row and returns the first that does not fit, or
// −1. dst shares no memory with a and b, as in all that follow. Columns of one scale take a path of two additions and a bound.
func AddDecimal(o DecimalOp, dst, a, b []Int128) int {
	a, b = a[:len(dst)], b[:len(dst)]
	bad := -1
	if o.ScaleA == o.ScaleB && o.Scale == o.ScaleA && o.Precision <= 37 {
		p := pow10[o.Precision]
		if narrowSums(dst, a, b, 1, 1, p) {
			return bad
		}
		for i := range dst {
			r := a[i].Add(b[i])
			dst[i] = r
			m := r.Hi >> 63
			lo, c := bits.Sub64(r.Lo^uint64(m), uint64(m), 0)
			hi := uint64(r.Hi^m) - uint64(m) - c
			if bad < 0 && (hi > uint64(p.Hi) || hi == uint64(p.Hi) && lo >= p.Lo) {
				bad = i
			}
		}
		return bad
	}
	return o.sums(dst, a, b, 1, DecimalOp.Add)
}

// SubDecimal writes x−y for each row and returns the first that does not fit, or
// −1.
func SubDecimal(o DecimalOp, dst, a, b []Int128) int { return o.sums(dst, a, b, -1, DecimalOp.Sub) }

// sums writes x + sign·y. Values of 64 bits, brought to the larger scale, whose result
// has that scale, are added as they are; f adds the others.
func (o DecimalOp) sums(dst, a, b []Int128, sign int64, f func(DecimalOp, Int128, Int128) (Int128, bool)) int {
	s := max(o.ScaleA, o.ScaleB)
	if s != o.Scale || s-o.ScaleA > 18 || s-o.ScaleB > 18 {
		return o.each(dst, a, b, f)
	}
	ma, mb, p := int64(pow10[s-o.ScaleA].Lo), sign*int64(pow10[s-o.ScaleB].Lo), pow10[o.Precision]
	bad := -1
	if o.Exact && o.Precision <= 18 {
		for i := range dst {
			dst[i] = From64(int64(a[i].Lo)*ma + int64(b[i].Lo)*mb)
		}
		return bad
	}
	if narrowSums(dst, a, b, ma, mb, p) {
		return bad
	}
	for i := range dst {
		x, y := a[i], b[i]
		var r Int128
		ok := false
		if xl, yl := int64(x.Lo), int64(y.Lo); x.Hi == xl>>63 && y.Hi == yl>>63 {
			xh, xl := mul64(xl, ma)
			yh, yl := mul64(yl, mb)
			// Two products of 64 bits each: their sum is far from overflowing.
			r = Int128{uint64(xl), xh}.Add(Int128{uint64(yl), yh})
			ok = o.Exact || r.Below(p)
		} else {
			r, ok = f(o, x, y)
		}
		dst[i] = r
		if !ok && bad < 0 {
			bad = i
		}
	}
	return bad
}

// MulDecimal writes x·y for each row and returns the first that does not fit, or
// −1. Values of 64 bits take a path of one product and a bound.
func MulDecimal(o DecimalOp, dst, a, b []Int128) int {
	if o.ScaleA+o.ScaleB != o.Scale {
		return o.each(dst, a, b, DecimalOp.Mul)
	}
	p := pow10[o.Precision]
	bad := -1
	a, b = a[:len(dst)], b[:len(dst)]
	if o.Exact && o.Precision <= 18 {
		for i := range dst {
			dst[i] = From64(int64(a[i].Lo) * int64(b[i].Lo))
		}
		return bad
	}
	if narrowProducts(dst, a, b, p) {
		return bad
	}
	for i := range dst {
		x, y := a[i], b[i]
		var r Int128
		ok := false
		if xl, yl := int64(x.Lo), int64(y.Lo); x.Hi == xl>>63 && y.Hi == yl>>63 {
			hi, lo := mul64(xl, yl)
			r = Int128{uint64(lo), hi}
			ok = o.Exact || r.Below(p)
		} else {
			r, ok = o.Mul(x, y)
		}
		dst[i] = r
		if !ok && bad < 0 {
			bad = i
		}
	}
	return bad
}

// Below reports whether |x| < p, which is positive.
func (x Int128) Below(p Int128) bool {
	m := x.Hi >> 63
	lo, c := bits.Sub64(x.Lo^uint64(m), uint64(m), 0)
	hi := uint64(x.Hi^m) - uint64(m) - c
	return hi < uint64(p.Hi) || hi == uint64(p.Hi) && lo < p.Lo
}

func (o DecimalOp) each(dst, a, b []Int128, f func(DecimalOp, Int128, Int128) (Int128, bool)) int {
	bad := -1
	for i := range dst {
		r, ok := f(o, a[i], b[i])
		dst[i] = r
		if !ok && bad < 0 {
			bad = i
		}
	}
	return bad
}

// CompareDecimal sets bit i of dst to a[i] op b[i] for decimals of one scale.
func CompareDecimal(op Op, dst []byte, a, b []Int128) {
	n := len(a)
	b = b[:n]
	for i := range dst {
		var m uint8
		for j := i << 3; j < min(i<<3+8, n); j++ {
			x, y := a[j], b[j]
			switch op {
			case EQ, NE:
				m |= b2u(x == y) << (j & 7)
			case LT, GE:
				m |= b2u(x.Less(y)) << (j & 7)
			default:
				m |= b2u(!y.Less(x)) << (j & 7)
			}
		}
		if op == NE || op == GE || op == GT {
			m = ^m
		}
		dst[i] = m
	}
}
