//go:build goexperiment.simd && amd64 && !purego

package kernels

import "simd/archsimd"

// useVectors tells that the vector forms below can run: AVX2 is all they need.
var useVectors = archsimd.X86.AVX2()

// The forms take four lanes a step, two steps at a time, and leave the rest to
// the portable ones. Slices are cut before the loop, so that no step checks.

func signed(bad archsimd.Int64x4) bool {
	return bad.Less(archsimd.BroadcastInt64x4(0)).ToBits() != 0
}

func addInt64SIMD(dst, a, b []int64) int {
	a, b = a[:len(dst)], b[:len(dst)]
	var bad, bad2 archsimd.Int64x4
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		p, q, r := a[i:i+8:i+8], b[i:i+8:i+8], dst[i:i+8:i+8]
		x, y := archsimd.LoadInt64x4Slice(p), archsimd.LoadInt64x4Slice(q)
		x2, y2 := archsimd.LoadInt64x4Slice(p[4:]), archsimd.LoadInt64x4Slice(q[4:])
		s, s2 := x.Add(y), x2.Add(y2)
		s.StoreSlice(r)
		s2.StoreSlice(r[4:])
		bad = bad.Or(x.Xor(s).And(y.Xor(s)))
		bad2 = bad2.Or(x2.Xor(s2).And(y2.Xor(s2)))
	}
	failed := signed(bad.Or(bad2))
	archsimd.ClearAVXUpperBits()
	if failed {
		return addIntGo(dst, a, b)
	}
	return rest(addIntGo(dst[i:], a[i:], b[i:]), i)
}

// rest is the bad row of the rows from i on, which were done apart.
func rest(bad, i int) int {
	if bad < 0 {
		return bad
	}
	return bad + i
}

func addInt64ScalarSIMD(dst, a []int64, s int64) int {
	a = a[:len(dst)]
	var bad, bad2 archsimd.Int64x4
	y := archsimd.BroadcastInt64x4(s)
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		p, r := a[i:i+8:i+8], dst[i:i+8:i+8]
		x, x2 := archsimd.LoadInt64x4Slice(p), archsimd.LoadInt64x4Slice(p[4:])
		s, s2 := x.Add(y), x2.Add(y)
		s.StoreSlice(r)
		s2.StoreSlice(r[4:])
		bad = bad.Or(x.Xor(s).And(y.Xor(s)))
		bad2 = bad2.Or(x2.Xor(s2).And(y.Xor(s2)))
	}
	failed := signed(bad.Or(bad2))
	archsimd.ClearAVXUpperBits()
	if failed {
		return addIntScalarGo(dst, a, s)
	}
	return rest(addIntScalarGo(dst[i:], a[i:], s), i)
}

func subInt64SIMD(dst, a, b []int64) int {
	a, b = a[:len(dst)], b[:len(dst)]
	var bad, bad2 archsimd.Int64x4
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		p, q, r := a[i:i+8:i+8], b[i:i+8:i+8], dst[i:i+8:i+8]
		x, y := archsimd.LoadInt64x4Slice(p), archsimd.LoadInt64x4Slice(q)
		x2, y2 := archsimd.LoadInt64x4Slice(p[4:]), archsimd.LoadInt64x4Slice(q[4:])
		s, s2 := x.Sub(y), x2.Sub(y2)
		s.StoreSlice(r)
		s2.StoreSlice(r[4:])
		bad = bad.Or(x.Xor(y).And(x.Xor(s)))
		bad2 = bad2.Or(x2.Xor(y2).And(x2.Xor(s2)))
	}
	failed := signed(bad.Or(bad2))
	archsimd.ClearAVXUpperBits()
	if failed {
		return subIntGo(dst, a, b)
	}
	return rest(subIntGo(dst[i:], a[i:], b[i:]), i)
}

// mulInt64SIMD multiplies by the low halves, which is right and cannot overflow
// where both factors fit 32 bits. If one does not, all is done the portable way.
func mulInt64SIMD(dst, a, b []int64) int {
	a, b = a[:len(dst)], b[:len(dst)]
	var large archsimd.Uint64x4
	half := archsimd.BroadcastUint64x4(1 << 31)
	i := 0
	for ; i+4 <= len(dst); i += 4 {
		x, y := archsimd.LoadInt64x4Slice(a[i:i+4:i+4]), archsimd.LoadInt64x4Slice(b[i:i+4:i+4])
		x.AsInt32x8().MulEvenWiden(y.AsInt32x8()).StoreSlice(dst[i : i+4 : i+4])
		// A factor fits if, moved up by 2³¹, nothing is in its upper half.
		large = large.Or(x.AsUint64x4().Add(half)).Or(y.AsUint64x4().Add(half))
	}
	wide := large.Greater(archsimd.BroadcastUint64x4(1<<32-1)).ToBits() != 0
	archsimd.ClearAVXUpperBits()
	if wide {
		return mulIntGo(dst, a, b)
	}
	return rest(mulIntGo(dst[i:], a[i:], b[i:]), i)
}

func addFloat64SIMD(dst, a, b []float64) {
	a, b = a[:len(dst)], b[:len(dst)]
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		p, q, r := a[i:i+8:i+8], b[i:i+8:i+8], dst[i:i+8:i+8]
		archsimd.LoadFloat64x4Slice(p).Add(archsimd.LoadFloat64x4Slice(q)).StoreSlice(r)
		archsimd.LoadFloat64x4Slice(p[4:]).Add(archsimd.LoadFloat64x4Slice(q[4:])).StoreSlice(r[4:])
	}
	archsimd.ClearAVXUpperBits()
	addFloatGo(dst[i:], a[i:], b[i:])
}

func subFloat64SIMD(dst, a, b []float64) {
	a, b = a[:len(dst)], b[:len(dst)]
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		p, q, r := a[i:i+8:i+8], b[i:i+8:i+8], dst[i:i+8:i+8]
		archsimd.LoadFloat64x4Slice(p).Sub(archsimd.LoadFloat64x4Slice(q)).StoreSlice(r)
		archsimd.LoadFloat64x4Slice(p[4:]).Sub(archsimd.LoadFloat64x4Slice(q[4:])).StoreSlice(r[4:])
	}
	archsimd.ClearAVXUpperBits()
	subFloatGo(dst[i:], a[i:], b[i:])
}

func mulFloat64SIMD(dst, a, b []float64) {
	a, b = a[:len(dst)], b[:len(dst)]
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		p, q, r := a[i:i+8:i+8], b[i:i+8:i+8], dst[i:i+8:i+8]
		archsimd.LoadFloat64x4Slice(p).Mul(archsimd.LoadFloat64x4Slice(q)).StoreSlice(r)
		archsimd.LoadFloat64x4Slice(p[4:]).Mul(archsimd.LoadFloat64x4Slice(q[4:])).StoreSlice(r[4:])
	}
	archsimd.ClearAVXUpperBits()
	mulFloatGo(dst[i:], a[i:], b[i:])
}

func divFloat64SIMD(dst, a, b []float64) int {
	a, b = a[:len(dst)], b[:len(dst)]
	var zero archsimd.Float64x4
	bad := zero.NotEqual(zero)
	i := 0
	for ; i+4 <= len(dst); i += 4 {
		y := archsimd.LoadFloat64x4Slice(b[i : i+4 : i+4])
		archsimd.LoadFloat64x4Slice(a[i : i+4 : i+4]).Div(y).StoreSlice(dst[i : i+4 : i+4])
		bad = bad.Or(y.Equal(zero))
	}
	failed := bad.ToBits() != 0
	archsimd.ClearAVXUpperBits()
	at := rest(divFloatGo(dst[i:], a[i:], b[i:]), i)
	if failed {
		return firstZero(b)
	}
	return at
}
