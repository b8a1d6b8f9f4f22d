package javamath

import "math"

// high and low are the halves of a number's bits; withHigh and withLow replace one.
func high(x float64) int32 { return int32(math.Float64bits(x) >> 32) }
func low(x float64) uint32 { return uint32(math.Float64bits(x)) }

func withHigh(x float64, h int32) float64 {
	return math.Float64frombits(math.Float64bits(x)&0xffffffff | uint64(uint32(h))<<32)
}

// chopped is x without the low half of its bits.
func chopped(x float64) float64 { return math.Float64frombits(math.Float64bits(x) &^ 0xffffffff) }

// scaled adds k to the exponent of x, which must stay in range.
func scaled(x float64, k int32) float64 { return withHigh(x, high(x)+k<<20) }

// poly is c[0] + z·(c[1] + z·(c[2] + …)).
func poly(z float64, c []float64) float64 {
	r := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		r = c[i] + float64(z*r)
	}
	return r
}

// ln 2 in two parts, the first with zeros at its end.
const (
	ln2Hi = 0x1.62e42feep-1
	ln2Lo = 0x1.a39ef35793c76p-33
	invLn = 0x1.71547652b82fep0
)
