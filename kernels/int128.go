package kernels

import "math/bits"

// Int128 is a signed 128-bit integer in two's complement: an unscaled DECIMAL in
// Arrow's layout.
type Int128 struct {
	Lo uint64
	Hi int64
}

// From64 returns v.
func From64(v int64) Int128 { return Int128{uint64(v), v >> 63} }

// Int64 returns x as an int64, and whether it fits.
func (x Int128) Int64() (int64, bool) { return int64(x.Lo), x.Hi == int64(x.Lo)>>63 }

// Sign returns −1, 0 or 1.
func (x Int128) Sign() int {
	switch {
	case x.Hi < 0:
		return -1
	case x.Hi|int64(x.Lo) == 0 && x.Lo == 0:
		return 0
	}
	return 1
}

// Neg returns −x, wrapping.
func (x Int128) Neg() Int128 {
	lo, borrow := bits.Sub64(0, x.Lo, 0)
	hi, _ := bits.Sub64(0, uint64(x.Hi), borrow)
	return Int128{lo, int64(hi)}
}

// Abs returns |x| as an unsigned pair.
func (x Int128) Abs() (hi, lo uint64) {
	if x.Hi < 0 {
		x = x.Neg()
	}
	return uint64(x.Hi), x.Lo
}

// Add returns x+y, wrapping.
func (x Int128) Add(y Int128) Int128 {
	lo, carry := bits.Add64(x.Lo, y.Lo, 0)
	hi, _ := bits.Add64(uint64(x.Hi), uint64(y.Hi), carry)
	return Int128{lo, int64(hi)}
}

// Sub returns x−y, wrapping.
func (x Int128) Sub(y Int128) Int128 {
	lo, borrow := bits.Sub64(x.Lo, y.Lo, 0)
	hi, _ := bits.Sub64(uint64(x.Hi), uint64(y.Hi), borrow)
	return Int128{lo, int64(hi)}
}

// Cmp returns −1, 0 or 1 as x is below, equal to or above y.
func (x Int128) Cmp(y Int128) int {
	switch {
	case x.Hi != y.Hi:
		if x.Hi < y.Hi {
			return -1
		}
		return 1
	case x.Lo != y.Lo:
		if x.Lo < y.Lo {
			return -1
		}
		return 1
	}
	return 0
}

// Less reports whether x < y.
func (x Int128) Less(y Int128) bool { return x.Hi < y.Hi || x.Hi == y.Hi && x.Lo < y.Lo }

// Float64 returns the nearest double of x·10^−scale. It is exact division of
// the two doubles where both are exact, else text decides (see decimal text).
func (x Int128) Float64() float64 {
	hi, lo := x.Abs()
	f := float64(hi)*(1<<64) + float64(lo)
	if x.Hi < 0 {
		return -f
	}
	return f
}

// pow10 holds 10^0 … 10^38.
var pow10 = func() (p [39]Int128) {
	p[0] = Int128{1, 0}
	for i := 1; i < len(p); i++ {
		hi, lo := bits.Mul64(p[i-1].Lo, 10)
		p[i] = Int128{lo, int64(hi) + p[i-1].Hi*10}
	}
	return p
}()

// Pow10 returns 10^n for n in 0 … 38.
func Pow10(n int) Int128 { return pow10[n] }

// Fits reports whether x has at most precision decimal digits.
func (x Int128) Fits(precision int) bool {
	hi, lo := x.Abs()
	p := pow10[precision]
	return hi < uint64(p.Hi) || hi == uint64(p.Hi) && lo < p.Lo
}

// Digits returns how many decimal digits |x| has; 1 for 0.
func (x Int128) Digits() int {
	n := 1
	for n < 38 && !x.Fits(n) {
		n++
	}
	if !x.Fits(n) {
		n++
	}
	return n
}

func mul64(a, b int64) (hi, lo int64) {
	h, l := bits.Mul64(uint64(a), uint64(b))
	h -= uint64(a>>63)&uint64(b) + uint64(b>>63)&uint64(a)
	return int64(h), int64(l)
}

// Uint256 is an unsigned 256-bit integer, least significant word first: the
// intermediate of decimal products and quotients.
type Uint256 [4]uint64

// Mul256 returns |x|·|y| and whether the product is negative.
func Mul256(x, y Int128) (Uint256, bool) {
	xh, xl := x.Abs()
	yh, yl := y.Abs()
	return mulU128(xh, xl, yh, yl), (x.Hi < 0) != (y.Hi < 0)
}

func mulU128(xh, xl, yh, yl uint64) Uint256 {
	var r Uint256
	h0, l0 := bits.Mul64(xl, yl)
	r[0] = l0
	h1, l1 := bits.Mul64(xl, yh)
	h2, l2 := bits.Mul64(xh, yl)
	h3, l3 := bits.Mul64(xh, yh)
	var c uint64
	r[1], c = bits.Add64(h0, l1, 0)
	r[2], c = bits.Add64(h1, l3, c)
	r[3] = h3 + c
	r[1], c = bits.Add64(r[1], l2, 0)
	r[2], c = bits.Add64(r[2], h2, c)
	r[3] += c
	return r
}

// DivMod divides u by the unsigned d, which is not zero, and returns quotient
// and remainder.
func (u Uint256) DivMod(d Int128) (q Uint256, rem Int128) {
	dh, dl := uint64(d.Hi), d.Lo
	if dh == 0 {
		var r uint64
		for i := 3; i >= 0; i-- {
			q[i], r = bits.Div64(r, u[i], dl)
		}
		return q, Int128{r, 0}
	}
	// Shift and subtract by words: Knuth's division with a two-word divisor.
	s := uint(bits.LeadingZeros64(dh))
	vh, vl := dh<<s|shr(dl, 64-s), dl<<s
	var w [5]uint64
	w[4] = shr(u[3], 64-s)
	for i := 3; i > 0; i-- {
		w[i] = u[i]<<s | shr(u[i-1], 64-s)
	}
	w[0] = u[0] << s
	for j := 2; j >= 0; j-- {
		var qh uint64
		if w[j+2] >= vh {
			qh = ^uint64(0)
		} else {
			var r uint64
			qh, r = bits.Div64(w[j+2], w[j+1], vh)
			for {
				ph, pl := bits.Mul64(qh, vl)
				if ph < r || ph == r && pl <= w[j] {
					break
				}
				qh--
				r += vh
				if r < vh {
					break
				}
			}
		}
		ph, pl := bits.Mul64(qh, vl)
		ph2, pl2 := bits.Mul64(qh, vh)
		mid, c := bits.Add64(ph, pl2, 0)
		top := ph2 + c
		var b uint64
		w[j], b = bits.Sub64(w[j], pl, 0)
		w[j+1], b = bits.Sub64(w[j+1], mid, b)
		w[j+2], b = bits.Sub64(w[j+2], top, b)
		for b != 0 {
			qh--
			var c uint64
			w[j], c = bits.Add64(w[j], vl, 0)
			w[j+1], c = bits.Add64(w[j+1], vh, c)
			w[j+2], c = bits.Add64(w[j+2], 0, c)
			b -= c
		}
		q[j] = qh
	}
	lo := w[0]>>s | shl(w[1], 64-s)
	hi := w[1]>>s | shl(w[2], 64-s)
	return q, Int128{lo, int64(hi)}
}

func shr(x uint64, n uint) uint64 {
	if n >= 64 {
		return 0
	}
	return x >> n
}

func shl(x uint64, n uint) uint64 {
	if n >= 64 {
		return 0
	}
	return x << n
}

// Add1 returns u+1.
func (u Uint256) Add1() Uint256 {
	var c uint64 = 1
	for i := range u {
		u[i], c = bits.Add64(u[i], 0, c)
	}
	return u
}

// Int128 returns u with a sign, and whether it fits 127 bits.
func (u Uint256) Int128(negative bool) (Int128, bool) {
	x := Int128{u[0], int64(u[1])}
	ok := u[2]|u[3] == 0 && x.Hi >= 0
	if negative {
		x = x.Neg()
	}
	return x, ok
}
