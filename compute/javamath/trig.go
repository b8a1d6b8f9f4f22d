package javamath

import (
	"math"
	"math/big"
)

// double2 is the sum of two numbers, the second below half a unit of the first.
type double2 struct{ hi, lo float64 }

func sum2(a, b float64) double2 {
	s := a + b
	v := s - a
	return double2{s, (a - (s - v)) + (b - v)}
}

func (a double2) plus(b double2) double2 {
	s := sum2(a.hi, b.hi)
	return sum2(s.hi, s.lo+a.lo+b.lo)
}

func (a double2) times(b double2) double2 {
	p := a.hi * b.hi
	return sum2(p, math.FMA(a.hi, b.hi, -p)+(float64(a.hi*b.lo)+float64(a.lo*b.hi)))
}

func (a double2) over(b double2) float64 {
	q := a.hi / b.hi
	r := math.FMA(-q, b.hi, a.hi)
	return q + (r-float64(q*b.lo)+a.lo)/b.hi
}

// Sin is Math.sin.
func Sin(x float64) float64 {
	if math.Abs(x) < 0x1p-27 || x != x {
		return x
	}
	n, r := reducePi2(x)
	v := sinOrCos(n, r)
	return v.hi + v.lo
}

// Cos is Math.cos.
func Cos(x float64) float64 {
	n, r := reducePi2(x)
	v := sinOrCos(n+1, r)
	return v.hi + v.lo
}

// Tan is Math.tan.
func Tan(x float64) float64 {
	if math.Abs(x) < 0x1p-27 || x != x {
		return x
	}
	n, r := reducePi2(x)
	return sinOrCos(n, r).over(sinOrCos(n+1, r))
}

// sinOrCos is the sine of n·π/2 + r.
func sinOrCos(n int, r double2) double2 {
	r2 := r.times(r)
	var v double2
	if n&1 == 0 {
		v = r.times(series(r2, double2{1, 0}, sinTerms[:], sinTail[:]))
	} else {
		v = series(r2, double2{1, 0}, cosTerms[:], cosTail[:])
	}
	if n&2 != 0 {
		v.hi, v.lo = -v.hi, -v.lo
	}
	return v
}

var (
	sinTerms = [...]double2{{-0x1.5555555555555p-3, -0x1.5555555555555p-57}, {0x1.1111111111111p-7, 0x1.1111111111111p-63}}
	sinTail  = [...]float64{-1.0 / 5040, 1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800, -1.0 / 1307674368000, 1.0 / 355687428096000}
	cosTerms = [...]double2{{-0.5, 0}, {0x1.5555555555555p-5, 0x1.5555555555555p-59}, {-0x1.6c16c16c16c17p-10, 0x1.f49f49f49f49fp-65}}
	cosTail  = [...]float64{1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600, -1.0 / 87178291200, 1.0 / 20922789888000, -1.0 / 6402373705728000}
)

// series is first + z·(terms[0] + z·(… + z·tail(z))).
func series(z, first double2, terms []double2, tail []float64) double2 {
	s := double2{poly(z.hi, tail), 0}
	for i := len(terms) - 1; i >= 0; i-- {
		s = terms[i].plus(z.times(s))
	}
	return first.plus(z.times(s))
}

// reducePi2 returns x as n·π/2 + r, r between −π/4 and π/4; n counts modulo 4.
func reducePi2(x float64) (n int, r double2) {
	const ( // π/2 in parts of 33 bits
		p1  = 0x1.921fb544p0
		p2  = 0x1.0b4611a6p-34
		p3  = 0x1.3198a2ep-69
		p3t = 0x1.b839a252049c1p-104
	)
	switch a := math.Abs(x); {
	case a <= math.Pi/4:
		return 0, double2{x, 0}
	case x != x || math.IsInf(x, 0):
		return 0, double2{math.NaN(), 0}
	case a > 0x1p19:
		return reduceLarge(x)
	}
	k := math.RoundToEven(x * (2 / math.Pi))
	r = sum2(x-k*p1, -k*p2)
	r = r.plus(double2{-k * p3, 0}).plus(double2{-k * p3t, 0})
	return int(k) & 3, r
}

// twoOverPi is 2/π·2^twoOverPiBits.
const (
	twoOverPiBits = 1216
	twoOverPi     = "a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424d" +
		"d2e006492eea09d1921cfe1deb1cb129a73ee88235f52ebb4484e99c7026b45f7e413991d639" +
		"835339f49c845f8bbdf9283b1ff897ffde05980fef2f118b5a0a6d1f6d367ecf27cb09b74f46" +
		"3f669e5fea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6bab"
)

// reduceLarge is reducePi2 for a number of any size, with as many digits of 2/π as
// that takes.
func reduceLarge(x float64) (int, double2) {
	frac, exp := math.Frexp(math.Abs(x))
	m := new(big.Int).SetInt64(int64(frac * (1 << 53)))
	digits, _ := new(big.Int).SetString(twoOverPi, 16)
	m.Mul(m, digits)
	shift := uint(twoOverPiBits - (exp - 53)) // m·2^−shift is |x|·2/π
	n := new(big.Int).Rsh(m, shift)
	m.Sub(m, new(big.Int).Lsh(n, shift))
	if m.Bit(int(shift)-1) == 1 { // nearer to the next multiple
		n.Add(n, big.NewInt(1))
		m.Sub(m, new(big.Int).Lsh(big.NewInt(1), shift))
	}
	f := new(big.Float).SetMantExp(new(big.Float).SetInt(m), -int(shift))
	hi, _ := f.Float64()
	lo, _ := f.Sub(f, big.NewFloat(hi)).Float64()
	r := double2{hi, lo}.times(double2{pio2Hi, pio2Lo})
	k := int(new(big.Int).And(n, big.NewInt(3)).Int64())
	if x < 0 {
		return -k & 3, double2{-r.hi, -r.lo}
	}
	return k, r
}
