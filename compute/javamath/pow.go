package javamath

import "math"

var (
	powLog = [...]float64{0x1.3333333333303p-1, 0x1.b6db6db6fabffp-2, 0x1.55555518f264dp-2, 0x1.17460a91d4101p-2, 0x1.d864a93c9db65p-3, 0x1.a7e284a454eefp-3}
	powBP  = [...]float64{1, 1.5}
	powDPH = [...]float64{0, 0x1.2b8034p-1}
	powDPL = [...]float64{0, 0x1.cfdeb43cfd006p-27}
)

// Pow is StrictMath.pow.
func Pow(x, y float64) float64 {
	ya, xa := math.Abs(y), math.Abs(x)
	switch {
	case y == 0:
		return 1
	case x != x || y != y:
		return math.NaN()
	case y == 2:
		return x * x
	case y == 0.5 && x >= -math.MaxFloat64:
		return math.Sqrt(x + 0)
	case y == 1:
		return x
	case y == -1:
		return 1 / x
	case math.IsInf(ya, 0) && xa == 1:
		return math.NaN()
	case math.IsInf(ya, 0) && (xa > 1) == (y > 0):
		return math.Inf(1)
	case math.IsInf(ya, 0):
		return 0
	}
	whole, odd := false, false
	if math.Signbit(x) {
		whole = ya >= 0x1p53 || ya == math.Trunc(ya)
		odd = ya < 0x1p53 && whole && int64(ya)&1 == 1
	}
	if xa == 0 || math.IsInf(xa, 0) || xa == 1 {
		z := xa
		if y < 0 {
			z = 1 / z
		}
		switch {
		case !math.Signbit(x):
		case xa == 1 && !whole:
			return math.NaN()
		case odd:
			z = -z
		}
		return z
	}
	sign := 1.0
	if x < 0 {
		if !whole {
			return math.NaN()
		}
		if odd {
			sign = -1
		}
	}
	var t1, t2 float64
	if ya > 0x1.00000ffffffffp31 {
		switch {
		case xa < 0x1.fffff00000000p-1:
			return sign * infinityIf(y < 0)
		case xa > 0x1.00000ffffffffp0:
			return sign * infinityIf(y > 0)
		}
		t1, t2 = log2Near1(xa)
	} else {
		t1, t2 = log2Parts(xa)
	}
	y1 := chopped(y)
	pl := float64((y-y1)*t1) + float64(y*t2)
	ph := y1 * t1
	z := pl + ph
	switch j := high(z); {
	case z >= 1024 && (z > 1024 || pl+8.0085662595372944372e-17 > z-ph):
		return sign * math.Inf(1)
	case j&0x7fffffff >= 0x4090cc00 && (z < -1075 || z == -1075 && pl <= z-ph || j&0x7fffffff > 0x4090cc00 && z < 0):
		return sign * 0
	}
	return sign * exp2Parts(ph, pl)
}

func infinityIf(yes bool) float64 {
	if yes {
		return math.Inf(1)
	}
	return 0
}

// log2Near1 returns log₂ x in two parts for an x very near 1.
func log2Near1(x float64) (hi, lo float64) {
	t := x - 1
	w := float64(t*t) * (0.5 - float64(t*(0.3333333333333333333333-float64(t*0.25))))
	u := 0x1.715476p0 * t
	v := float64(t*0x1.4ae0bf85ddf44p-26) - float64(w*invLn)
	hi = chopped(u + v)
	return hi, v - (hi - u)
}

// log2Parts returns log₂ x in two parts.
func log2Parts(x float64) (hi, lo float64) {
	const (
		cp  = 0x1.ec709dc3a03fdp-1
		cpH = 0x1.ec709ep-1
		cpL = -0x1.e2fe0145b01f5p-28
	)
	n := int32(0)
	if x < 0x1p-1022 {
		x *= 0x1p53
		n = -53
	}
	ix := high(x)
	n += ix>>20 - 0x3ff
	j := ix & 0xfffff
	ix = j | 0x3ff00000
	k := 0
	switch {
	case j <= 0x3988e:
	case j < 0xbb67a:
		k = 1
	default:
		n++
		ix -= 0x100000
	}
	x = withHigh(x, ix)
	u := x - powBP[k]
	v := 1 / (x + powBP[k])
	ss := u * v
	sh := chopped(ss)
	th := withHigh(0, (ix>>1|0x20000000)+0x80000+int32(k)<<18)
	tl := x - (th - powBP[k])
	sl := v * ((u - float64(sh*th)) - float64(sh*tl))
	s2 := ss * ss
	r := float64(s2*s2) * poly(s2, powLog[:])
	r += float64(sl * (sh + ss))
	s2 = sh * sh
	th = chopped(3 + s2 + r)
	tl = r - ((th - 3) - s2)
	u = sh * th
	v = float64(sl*th) + float64(tl*ss)
	ph := chopped(u + v)
	pl := v - (ph - u)
	zh := cpH * ph
	zl := float64(cpL*ph) + float64(pl*cp) + powDPL[k]
	t := float64(n)
	hi = chopped(((zh + zl) + powDPH[k]) + t)
	return hi, zl - (((hi - t) - powDPH[k]) - zh)
}

// exp2Parts is 2^(ph + pl).
func exp2Parts(ph, pl float64) float64 {
	const (
		lg2  = 0x1.62e42fefa39efp-1
		lg2H = 0x1.62e43p-1
		lg2L = -0x1.05c610ca86c39p-29
	)
	j := high(pl + ph)
	i := j & 0x7fffffff
	n := int32(0)
	if i > 0x3fe00000 {
		k := i>>20 - 0x3ff
		n = j + 0x100000>>(k+1)
		k = (n&0x7fffffff)>>20 - 0x3ff
		ph -= withHigh(0, n&^(0xfffff>>k))
		n = (n&0xfffff | 0x100000) >> (20 - k)
		if j < 0 {
			n = -n
		}
	}
	t := chopped(pl + ph)
	u := t * lg2H
	v := float64((pl-(t-ph))*lg2) + float64(t*lg2L)
	z := u + v
	w := v - (z - u)
	t = z * z
	t1 := z - float64(t*poly(t, expPoly[:]))
	r := float64(z*t1)/(t1-2) - (w + float64(z*w))
	z = 1 - (r - z)
	if (high(z)+n<<20)>>20 <= 0 {
		return math.Ldexp(z, int(n))
	}
	return scaled(z, n)
}
