package javamath

import "math"

// Cbrt is Math.cbrt.
func Cbrt(x float64) float64 {
	if x == 0 || x != x || math.IsInf(x, 0) {
		return x
	}
	a := math.Abs(x)
	var t float64
	if a < 0x1p-1022 {
		t = 0x1p54 * a
		t = withHigh(t, high(t)/3+696219795)
	} else {
		t = withHigh(0, high(a)/3+715094163)
	}
	r := t * t / a
	s := 0x1.15f15f15f15f1p-1 + float64(r*t)
	t *= 0x1.6db6db6db6db7p-2 + 0x1.9b6db6db6db6ep0/(s+0x1.6a0ea0ea0ea0fp0+-0x1.691de2532c834p-1/s)
	t = chopped(t)
	t = withHigh(t, high(t)+1)
	r = a / (t * t)
	r = (r - t) / (t + t + r)
	return math.Copysign(t+float64(t*r), x)
}

// Hypot is Math.hypot.
func Hypot(x, y float64) float64 {
	a, b := math.Abs(x), math.Abs(y)
	switch {
	case math.IsInf(a, 0) || math.IsInf(b, 0):
		return math.Inf(1)
	case a != a || b != b:
		return math.NaN()
	case b > a:
		a, b = b, a
	}
	if high(a)-high(b) > 0x3c00000 {
		return a + b
	}
	scale := 1.0
	if a > 0x1.00000ffffffffp500 {
		a, b, scale = a*0x1p-600, b*0x1p-600, 0x1p600
	}
	switch {
	case b == 0:
		return a
	case b < 0x1p-1022:
		a, b, scale = a*0x1p1022, b*0x1p1022, scale*0x1p-1022
	case b < 0x1p-500:
		a, b, scale = a*0x1p600, b*0x1p600, scale*0x1p-600
	}
	w := a - b
	if w > b {
		t1 := withHigh(0, high(a))
		t2 := a - t1
		w = math.Sqrt(float64(t1*t1) - (float64(b*-b) - float64(t2*(a+t1))))
	} else {
		t1 := withHigh(0, high(a)+0x100000)
		a += a
		y1 := withHigh(0, high(b))
		y2, t2 := b-y1, a-t1
		w = math.Sqrt(float64(t1*y1) - (float64(w*-w) - (float64(t1*y2) + float64(t2*b))))
	}
	return scale * w
}
