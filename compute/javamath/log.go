package javamath

import "math"

var (
	logEven = [...]float64{0x1.999999997fa04p-2, 0x1.c71c51d8e78afp-3, 0x1.39a09d078c69fp-3}
	logOdd  = [...]float64{0x1.5555555555593p-1, 0x1.2492494229359p-2, 0x1.7466496cb03dep-3, 0x1.2f112df3e5244p-3}
	logAll  = [...]float64{0x1.5555555555593p-1, 0x1.999999997fa04p-2, 0x1.2492494229359p-2, 0x1.c71c51d8e78afp-3, 0x1.7466496cb03dep-3,
		0x1.39a09d078c69fp-3, 0x1.2f112df3e5244p-3}
)

// normal splits a positive number into 2^k·y; subnormal ones are scaled first.
func normal(x float64) (y float64, k int32) {
	if x < 0x1p-1022 {
		x *= 0x1p54
		k = -54
	}
	return x, k + high(x)>>20 - 1023
}

// Log is StrictMath.log.
func Log(x float64) float64 {
	switch {
	case x == 0:
		return math.Inf(-1)
	case x < 0:
		return math.NaN()
	case x != x || math.IsInf(x, 1):
		return x
	}
	x, k := normal(x)
	hx := high(x) & 0xfffff
	i := (hx + 0x95f64) & 0x100000
	x = withHigh(x, hx|(i^0x3ff00000))
	k += i >> 20
	f, dk := x-1, float64(k)
	if 0xfffff&(2+hx) < 3 {
		if f == 0 {
			return float64(dk*ln2Hi) + float64(dk*ln2Lo)
		}
		r := f * f * (0.5 - float64(0.33333333333333333*f))
		if k == 0 {
			return f - r
		}
		return float64(dk*ln2Hi) - ((r - float64(dk*ln2Lo)) - f)
	}
	s := f / (2 + f)
	z := s * s
	w := z * z
	r := float64(z*poly(w, logOdd[:])) + float64(w*poly(w, logEven[:]))
	if (hx-0x6147a)|(0x6b851-hx) > 0 {
		half := 0.5 * f * f
		if k == 0 {
			return f - (half - float64(s*(half+r)))
		}
		return float64(dk*ln2Hi) - ((half - (float64(s*(half+r)) + float64(dk*ln2Lo))) - f)
	}
	if k == 0 {
		return f - float64(s*(f-r))
	}
	return float64(dk*ln2Hi) - ((float64(s*(f-r)) - float64(dk*ln2Lo)) - f)
}

// Log10 is StrictMath.log10.
func Log10(x float64) float64 {
	if x <= 0 || x != x || math.IsInf(x, 1) {
		return Log(x)
	}
	x, k := normal(x)
	i := int32(uint32(k) >> 31)
	y := float64(k + i)
	x = withHigh(x, high(x)&0xfffff|(0x3ff-i)<<20)
	z := float64(y*0x1.9fef311f12b36p-42) + float64(0x1.bcb7b1526e50ep-2*Log(x))
	return z + float64(y*0x1.34413509f6p-2)
}

// Log1p is StrictMath.log1p.
func Log1p(x float64) float64 {
	hx := high(x)
	ax := hx & 0x7fffffff
	switch {
	case x == -1:
		return math.Inf(-1)
	case x < -1:
		return math.NaN()
	case x != x || math.IsInf(x, 1):
		return x
	case ax < 0x3c900000:
		return x
	case ax < 0x3e200000:
		return x - float64(x*x)*0.5
	}
	k, f, c := int32(0), x, 0.0
	hu := int32(1)
	if !(hx < 0x3fda827a && (hx > 0 || hx <= -0x402d413d)) {
		u := x
		if hx < 0x43400000 {
			u = 1 + x
			k = high(u)>>20 - 1023
			if c = x - (u - 1); k > 0 {
				c = 1 - (u - x)
			}
			c /= u
		} else {
			k = high(u)>>20 - 1023
		}
		hu = high(u) & 0xfffff
		if hu < 0x6a09e {
			u = withHigh(u, hu|0x3ff00000)
		} else {
			k++
			u = withHigh(u, hu|0x3fe00000)
			hu = (0x100000 - hu) >> 2
		}
		f = u - 1
	}
	dk := float64(k)
	half := 0.5 * f * f
	if hu == 0 {
		if f == 0 {
			return float64(dk*ln2Hi) + (c + float64(dk*ln2Lo))
		}
		r := half * (1 - float64(0.66666666666666666*f))
		if k == 0 {
			return f - r
		}
		return float64(dk*ln2Hi) - ((r - (float64(dk*ln2Lo) + c)) - f)
	}
	s := f / (2 + f)
	z := s * s
	r := z * poly(z, logAll[:])
	if k == 0 {
		return f - (half - float64(s*(half+r)))
	}
	return float64(dk*ln2Hi) - ((half - (float64(s*(half+r)) + (float64(dk*ln2Lo) + c))) - f)
}
