package kernels

import "unsafe"

// wide reports whether T has 64 bits; words and doubles view columns of such types
// as the plain types that the vector forms take.
func wide[T Number]() bool { return unsafe.Sizeof(T(0)) == 8 }

func words[T Int](v []T) []int64 {
	return unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(v))), len(v))
}

func doubles[T Float](v []T) []float64 {
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(v))), len(v))
}

// AddInt writes the wrapped sums of a and b to dst and returns the first row
// whose sum does not fit T, or −1.
func AddInt[T Int](dst, a, b []T) int {
	if useVectors && wide[T]() && len(dst) >= 8 {
		return addInt64SIMD(words(dst), words(a[:len(dst)]), words(b[:len(dst)]))
	}
	return addIntGo(dst, a, b)
}

func addIntGo[T Int](dst, a, b []T) int {
	a, b = a[:len(dst)], b[:len(dst)]
	var bad T
	for i := range dst {
		x, y := a[i], b[i]
		r := x + y
		dst[i] = r
		bad |= (x ^ r) & (y ^ r)
	}
	if bad >= 0 {
		return -1
	}
	for i := range dst {
		if (a[i]^dst[i])&(b[i]^dst[i]) < 0 {
			return i
		}
	}
	return -1
}

// AddIntScalar is AddInt with the same b in every row.
func AddIntScalar[T Int](dst, a []T, s T) int {
	if useVectors && wide[T]() && len(dst) >= 8 {
		return addInt64ScalarSIMD(words(dst), words(a[:len(dst)]), int64(s))
	}
	return addIntScalarGo(dst, a, s)
}

func addIntScalarGo[T Int](dst, a []T, s T) int {
	a = a[:len(dst)]
	var bad T
	for i := range dst {
		x := a[i]
		r := x + s
		dst[i] = r
		bad |= (x ^ r) & (s ^ r)
	}
	if bad >= 0 {
		return -1
	}
	for i := range dst {
		if (a[i]^dst[i])&(s^dst[i]) < 0 {
			return i
		}
	}
	return -1
}

// SubInt writes the wrapped differences to dst and returns the first row that
// does not fit T, or −1.
func SubInt[T Int](dst, a, b []T) int {
	if useVectors && wide[T]() && len(dst) >= 8 {
		return subInt64SIMD(words(dst), words(a[:len(dst)]), words(b[:len(dst)]))
	}
	return subIntGo(dst, a, b)
}

func subIntGo[T Int](dst, a, b []T) int {
	a, b = a[:len(dst)], b[:len(dst)]
	var bad T
	for i := range dst {
		x, y := a[i], b[i]
		r := x - y
		dst[i] = r
		bad |= (x ^ y) & (x ^ r)
	}
	if bad >= 0 {
		return -1
	}
	for i := range dst {
		if (a[i]^b[i])&(a[i]^dst[i]) < 0 {
			return i
		}
	}
	return -1
}

// MulInt writes the wrapped products to dst and returns the first row that does
// not fit T, or −1.
func MulInt[T Int](dst, a, b []T) int {
	if useVectors && wide[T]() && len(dst) >= 8 {
		return mulInt64SIMD(words(dst), words(a[:len(dst)]), words(b[:len(dst)]))
	}
	return mulIntGo(dst, a, b)
}

func mulIntGo[T Int](dst, a, b []T) int {
	a, b = a[:len(dst)], b[:len(dst)]
	if unsafe.Sizeof(T(0)) == 8 {
		var bad uint64
		for i := range dst {
			hi, lo := mul64(int64(a[i]), int64(b[i]))
			dst[i] = T(lo)
			bad |= uint64(hi ^ lo>>63)
		}
		if bad == 0 {
			return -1
		}
	} else {
		var bad int64
		for i := range dst {
			p := int64(a[i]) * int64(b[i])
			dst[i] = T(p)
			bad |= p ^ int64(T(p))
		}
		if bad == 0 {
			return -1
		}
	}
	for i := range dst {
		if _, ok := MulOK(a[i], b[i]); !ok {
			return i
		}
	}
	return -1
}

// AddOK returns x+y, wrapped, and whether it fits.
func AddOK[T Int](x, y T) (T, bool) {
	r := x + y
	return r, (x^r)&(y^r) >= 0
}

// SubOK returns x−y and whether it fits.
func SubOK[T Int](x, y T) (T, bool) {
	r := x - y
	return r, (x^y)&(x^r) >= 0
}

// MulOK returns x·y and whether it fits.
func MulOK[T Int](x, y T) (T, bool) {
	hi, lo := mul64(int64(x), int64(y))
	r := T(lo)
	return r, hi == lo>>63 && int64(r) == lo
}

// NegInt writes −a to dst and returns the first row that is the smallest T,
// which has no negative, or −1.
func NegInt[T Int](dst, a []T) int {
	a = a[:len(dst)]
	bad := -1
	for i := range dst {
		x := a[i]
		dst[i] = -x
		if x == -x && x != 0 && bad < 0 {
			bad = i
		}
	}
	return bad
}

// AddFloat writes a+b to dst, each sum rounded on its own.
func AddFloat[T Float](dst, a, b []T) {
	if useVectors && wide[T]() && len(dst) >= 8 {
		addFloat64SIMD(doubles(dst), doubles(a[:len(dst)]), doubles(b[:len(dst)]))
		return
	}
	addFloatGo(dst, a, b)
}

func addFloatGo[T Float](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

// SubFloat writes a−b to dst.
func SubFloat[T Float](dst, a, b []T) {
	if useVectors && wide[T]() && len(dst) >= 8 {
		subFloat64SIMD(doubles(dst), doubles(a[:len(dst)]), doubles(b[:len(dst)]))
		return
	}
	subFloatGo(dst, a, b)
}

func subFloatGo[T Float](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

// MulFloat writes a·b to dst.
func MulFloat[T Float](dst, a, b []T) {
	if useVectors && wide[T]() && len(dst) >= 8 {
		mulFloat64SIMD(doubles(dst), doubles(a[:len(dst)]), doubles(b[:len(dst)]))
		return
	}
	mulFloatGo(dst, a, b)
}

func mulFloatGo[T Float](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

// DivFloat writes a/b to dst and returns the first row whose divisor is zero, or
// −1.
func DivFloat[T Float](dst, a, b []T) int {
	if useVectors && wide[T]() && len(dst) >= 8 {
		return divFloat64SIMD(doubles(dst), doubles(a[:len(dst)]), doubles(b[:len(dst)]))
	}
	return divFloatGo(dst, a, b)
}

func divFloatGo[T Float](dst, a, b []T) int {
	a, b = a[:len(dst)], b[:len(dst)]
	var zero uint8
	for i := range dst {
		dst[i] = a[i] / b[i]
		zero |= b2u(b[i] == 0)
	}
	if zero == 0 {
		return -1
	}
	return firstZero(b)
}

func firstZero[T Number](b []T) int {
	for i, v := range b {
		if v == 0 {
			return i
		}
	}
	return -1
}

// DivInt writes the truncated quotients to dst and returns the first row whose
// divisor is zero, or −1; such a row gets 0. The smallest T by −1 wraps.
func DivInt[T Int](dst, a, b []T) int {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		if d := b[i]; d != 0 && d != -1 {
			dst[i] = a[i] / d
		} else {
			dst[i] = a[i] * d // 0, or the wrapped negative
		}
	}
	return firstZero(b)
}

// RemInt writes the remainders, which have the sign of a, to dst and returns the
// first row whose divisor is zero, or −1.
func RemInt[T Int](dst, a, b []T) int {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		if d := b[i]; d != 0 && d != -1 {
			dst[i] = a[i] % d
		} else {
			dst[i] = 0
		}
	}
	return firstZero(b)
}

// Convert writes the values of a as T, as Go converts them. It serves the
// conversions that lose nothing but precision.
func Convert[T, S Number](dst []T, a []S) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = T(a[i])
	}
}

// NarrowInt writes the low bits of a to dst and returns the first row that does
// not fit, or −1.
func NarrowInt[T, S Int](dst []T, a []S) int {
	a = a[:len(dst)]
	var bad int64
	for i := range dst {
		x := a[i]
		r := T(x)
		dst[i] = r
		bad |= int64(x) ^ int64(r)
	}
	if bad == 0 {
		return -1
	}
	for i := range dst {
		if int64(a[i]) != int64(dst[i]) {
			return i
		}
	}
	return -1
}
