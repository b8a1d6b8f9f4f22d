package javamath

import "math"

const (
	pio2Hi = 0x1.921fb54442d18p0
	pio2Lo = 0x1.1a62633145c07p-54
	pio4Hi = 0x1.921fb54442d18p-1
	piLo   = 0x1.1a62633145c07p-53
)

var (
	asinP = [...]float64{0x1.5555555555555p-3, -0x1.4d61203eb6f7dp-2, 0x1.9c1550e884455p-3, -0x1.48228b5688f3bp-5, 0x1.9efe07501b288p-11, 0x1.23de10dfdf709p-15}
	asinQ = [...]float64{1, -0x1.33a271c8a2d4bp1, 0x1.02ae59c598ac8p1, -0x1.6066c1b8d0159p-1, 0x1.3b8c5b12e9282p-4}
)

// asinRatio is the rational part of the arc sine's series in t.
func asinRatio(t float64) float64 { return t * poly(t, asinP[:]) / poly(t, asinQ[:]) }

// Asin is Math.asin.
func Asin(x float64) float64 {
	ix := high(x) & 0x7fffffff
	switch a := math.Abs(x); {
	case a == 1:
		return float64(x*pio2Hi) + float64(x*pio2Lo)
	case !(a < 1):
		return math.NaN()
	case ix < 0x3e400000:
		return x
	case ix < 0x3fe00000:
		return x + float64(x*asinRatio(x*x))
	}
	t := (1 - math.Abs(x)) * 0.5
	r := asinRatio(t)
	s := math.Sqrt(t)
	if ix >= 0x3fef3333 {
		t = pio2Hi - (2*(s+float64(s*r)) - pio2Lo)
	} else {
		w := chopped(s)
		c := (t - float64(w*w)) / (s + w)
		p := float64(2*s*r) - (pio2Lo - 2*c)
		t = pio4Hi - (p - (pio4Hi - 2*w))
	}
	return math.Copysign(t, x)
}

// Acos is Math.acos.
func Acos(x float64) float64 {
	ix := high(x) & 0x7fffffff
	switch a := math.Abs(x); {
	case x == 1:
		return 0
	case x == -1:
		return math.Pi
	case !(a < 1):
		return math.NaN()
	case ix <= 0x3c600000:
		return pio2Hi + pio2Lo
	case ix < 0x3fe00000:
		return pio2Hi - (x - (pio2Lo - float64(x*asinRatio(x*x))))
	case x < 0:
		z := (1 + x) * 0.5
		s := math.Sqrt(z)
		return math.Pi - 2*(s+(float64(asinRatio(z)*s)-pio2Lo))
	}
	z := (1 - x) * 0.5
	s := math.Sqrt(z)
	df := chopped(s)
	c := (z - float64(df*df)) / (s + df)
	return 2 * (df + (float64(asinRatio(z)*s) + c))
}

var (
	atanHi   = [...]float64{0x1.dac670561bb4fp-2, 0x1.921fb54442d18p-1, 0x1.f730bd281f69bp-1, 0x1.921fb54442d18p0}
	atanLo   = [...]float64{0x1.a2b7f222f65e2p-56, 0x1.1a62633145c07p-55, 0x1.007887af0cbbdp-56, 0x1.1a62633145c07p-54}
	atanEven = [...]float64{0x1.555555555550dp-2, 0x1.24924920083ffp-3, 0x1.745cdc54c206ep-4, 0x1.10d66a0d03d51p-4, 0x1.97b4b24760debp-5, 0x1.0ad3ae322da11p-6}
	atanOdd  = [...]float64{-0x1.999999998ebc4p-3, -0x1.c71c6fe231671p-4, -0x1.3b0f2af749a6dp-4, -0x1.dde2d52defd9ap-5, -0x1.2b4442c6a6c2fp-5}
)

// Atan is Math.atan.
func Atan(x float64) float64 {
	sign := x
	ix := high(x) & 0x7fffffff
	id := -1
	switch a := math.Abs(x); {
	case x != x:
		return x
	case ix >= 0x44100000:
		return math.Copysign(atanHi[3]+atanLo[3], x)
	case ix < 0x3e200000:
		return x
	case ix < 0x3fdc0000:
	case ix < 0x3fe60000:
		id, x = 0, (2*a-1)/(2+a)
	case ix < 0x3ff30000:
		id, x = 1, (a-1)/(a+1)
	case ix < 0x40038000:
		id, x = 2, (a-1.5)/(1+float64(1.5*a))
	default:
		id, x = 3, -1/a
	}
	z := x * x
	w := z * z
	s1, s2 := z*poly(w, atanEven[:]), w*poly(w, atanOdd[:])
	if id < 0 {
		return x - float64(x*(s1+s2))
	}
	return math.Copysign(atanHi[id]-((float64(x*(s1+s2))-atanLo[id])-x), sign)
}

// Atan2 is Math.atan2.
func Atan2(y, x float64) float64 {
	switch {
	case x != x || y != y:
		return math.NaN()
	case x == 1:
		return Atan(y)
	case y == 0 && !math.Signbit(x):
		return y
	case y == 0:
		return math.Copysign(math.Pi, y)
	case x == 0:
		return math.Copysign(pio2Hi, y)
	case math.IsInf(x, 1) && math.IsInf(y, 0):
		return math.Copysign(pio4Hi, y)
	case math.IsInf(x, -1) && math.IsInf(y, 0):
		return math.Copysign(3*pio4Hi, y)
	case math.IsInf(x, 1):
		return math.Copysign(0, y)
	case math.IsInf(x, -1):
		return math.Copysign(math.Pi, y)
	case math.IsInf(y, 0):
		return math.Copysign(pio2Hi, y)
	}
	var z float64
	switch k := (high(y)&0x7fffffff - high(x)&0x7fffffff) >> 20; {
	case k > 60:
		z = pio2Hi + 0.5*piLo
	case x < 0 && k < -60:
		z = 0
	default:
		z = Atan(math.Abs(y / x))
	}
	if x < 0 {
		z = math.Pi - (z - piLo)
	}
	return math.Copysign(z, y)
}
