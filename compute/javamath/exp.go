package javamath

import "math"

var expPoly = [...]float64{0x1.555555555553ep-3, -0x1.6c16c16bebd93p-9, 0x1.1566aaf25de2cp-14, -0x1.bbd41c5d26bf1p-20, 0x1.6376972bea4d0p-25}

// Exp is StrictMath.exp.
func Exp(x float64) float64 {
	switch {
	case x != x || math.IsInf(x, 1):
		return x
	case x > 0x1.62e42fefa39efp9:
		return math.Inf(1)
	case x < -0x1.74910d52d3051p9:
		return 0
	}
	hx := high(x) & 0x7fffffff
	if hx < 0x3e300000 {
		return 1 + x
	}
	k, hi, lo := reduceLn2(x, hx)
	x = hi - lo
	t := x * x
	c := x - float64(t*poly(t, expPoly[:]))
	if k == 0 {
		return 1 - (float64(x*c)/(c-2) - x)
	}
	y := 1 - ((lo - float64(x*c)/(2-c)) - hi)
	if k >= -1021 {
		return scaled(y, k)
	}
	return scaled(y, k+1000) * 0x1p-1000
}

// reduceLn2 returns x as k·ln 2 + hi − lo; hx is the high word of |x|.
func reduceLn2(x float64, hx int32) (k int32, hi, lo float64) {
	if hx <= 0x3fd62e42 {
		return 0, x, 0
	}
	half := math.Copysign(0.5, x)
	if hx < 0x3ff0a2b2 {
		one := math.Copysign(1, x)
		return int32(one), x - one*ln2Hi, one * ln2Lo
	}
	k = int32(float64(invLn*x) + half)
	t := float64(k)
	return k, x - float64(t*ln2Hi), t * ln2Lo
}

var expm1Poly = [...]float64{1, -0x1.11111111110f4p-5, 0x1.a01a019fe5585p-10, -0x1.4ce199eaadbb7p-14, 0x1.0cfca86e65239p-18, -0x1.afdb76e09c32dp-23}

// Expm1 is StrictMath.expm1.
func Expm1(x float64) float64 {
	hx := high(x) & 0x7fffffff
	switch {
	case x != x || math.IsInf(x, 1):
		return x
	case x > 0x1.62e42fefa39efp9:
		return math.Inf(1)
	case hx >= 0x4043687a && x < 0:
		return -1
	case hx < 0x3c900000:
		return x
	}
	k, hi, lo := reduceLn2(x, hx)
	c := 0.0
	if k != 0 {
		x = hi - lo
		c = (hi - x) - lo
	}
	half := 0.5 * x
	hxs := x * half
	r1 := poly(hxs, expm1Poly[:])
	t := 3 - float64(r1*half)
	e := hxs * ((r1 - t) / (6 - float64(x*t)))
	if k == 0 {
		return x - (float64(x*e) - hxs)
	}
	e = float64(x*(e-c)) - c
	e -= hxs
	switch {
	case k == -1:
		return 0.5*(x-e) - 0.5
	case k == 1 && x < -0.25:
		return -2 * (e - (x + 0.5))
	case k == 1:
		return 1 + 2*(x-e)
	case k <= -2 || k > 56:
		return scaled(1-(e-x), k) - 1
	case k < 20:
		return scaled(withHigh(1, 0x3ff00000-0x200000>>k)-(e-x), k)
	}
	return scaled(x-(e+withHigh(1, (0x3ff-k)<<20))+1, k)
}

// Sinh is Math.sinh.
func Sinh(x float64) float64 {
	a, h := math.Abs(x), math.Copysign(0.5, x)
	ix := high(a)
	switch {
	case ix >= 0x7ff00000 || ix < 0x3e300000:
		return x
	case ix < 0x3ff00000:
		t := Expm1(a)
		return h * (2*t - float64(t*t)/(t+1))
	case ix < 0x40360000:
		t := Expm1(a)
		return h * (t + t/(t+1))
	case ix < 0x40862e42:
		return h * Exp(a)
	case a <= 0x1.633ce8fb9f87dp9:
		w := Exp(0.5 * a)
		return float64(h*w) * w
	}
	return math.Copysign(math.Inf(1), x)
}

// Cosh is Math.cosh.
func Cosh(x float64) float64 {
	a := math.Abs(x)
	ix := high(a)
	switch {
	case ix >= 0x7ff00000:
		return x * x
	case ix < 0x3fd62e43:
		t := Expm1(a)
		w := 1 + t
		if ix < 0x3c800000 {
			return w
		}
		return 1 + float64(t*t)/(w+w)
	case ix < 0x40360000:
		t := Exp(a)
		return float64(0.5*t) + 0.5/t
	case ix < 0x40862e42:
		return 0.5 * Exp(a)
	case a <= 0x1.633ce8fb9f87dp9:
		w := Exp(0.5 * a)
		return float64(0.5*w) * w
	}
	return math.Inf(1)
}

// Tanh is Math.tanh.
func Tanh(x float64) float64 {
	a := math.Abs(x)
	var z float64
	switch ix := high(a); {
	case x != x:
		return x
	case ix < 0x3c800000:
		return x * (1 + x)
	case ix >= 0x40360000:
		z = 1
	case ix >= 0x3ff00000:
		z = 1 - 2/(Expm1(2*a)+2)
	default:
		t := Expm1(-2 * a)
		z = -t / (t + 2)
	}
	return math.Copysign(z, x)
}
