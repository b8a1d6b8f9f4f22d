//go:build !purego

package kernels

import "unsafe"

// The assembly forms take eight rows a step: blocks is how many steps, above 0.

//go:noescape
func eqInt64Scalar(dst *byte, a, b unsafe.Pointer, blocks int)

//go:noescape
func ltInt64Scalar(dst *byte, a, b unsafe.Pointer, blocks int)

//go:noescape
func gtInt64Scalar(dst *byte, a, b unsafe.Pointer, blocks int)

//go:noescape
func eqInt64(dst *byte, a, b unsafe.Pointer, blocks int)

//go:noescape
func gtInt64(dst *byte, a, b unsafe.Pointer, blocks int)

//go:noescape
func eqInt32Scalar(dst *byte, a, b unsafe.Pointer, blocks int)

//go:noescape
func ltInt32Scalar(dst *byte, a, b unsafe.Pointer, blocks int)

//go:noescape
func gtInt32Scalar(dst *byte, a, b unsafe.Pointer, blocks int)

//go:noescape
func eqInt32(dst *byte, a, b unsafe.Pointer, blocks int)

//go:noescape
func gtInt32(dst *byte, a, b unsafe.Pointer, blocks int)

//go:noescape
func eqFloat64Scalar(dst *byte, a, b unsafe.Pointer, blocks int)

//go:noescape
func ltFloat64Scalar(dst *byte, a, b unsafe.Pointer, blocks int)

//go:noescape
func leFloat64Scalar(dst *byte, a, b unsafe.Pointer, blocks int)

//go:noescape
func onesAVX2(out *int32, bits *byte, table *[256]uint64, blocks, first int) int

// compareIntAVX2 is CompareInt for the first len(a)&^7 rows, which are some; done
// is how many. It has EQ and GT; the other comparisons are made of them. (Calls
// through a variable would put the arguments on the heap.)
func compareIntAVX2[T Int](op Op, dst []byte, a, b []T) (done int) {
	blocks := len(a) >> 3
	x, y := unsafe.Pointer(unsafe.SliceData(a)), unsafe.Pointer(unsafe.SliceData(b))
	if op == LT || op == GE {
		x, y = y, x
	}
	equal := op == EQ || op == NE
	switch size := unsafe.Sizeof(T(0)); {
	case size == 8 && equal:
		eqInt64(&dst[0], x, y, blocks)
	case size == 8:
		gtInt64(&dst[0], x, y, blocks)
	case size == 4 && equal:
		eqInt32(&dst[0], x, y, blocks)
	case size == 4:
		gtInt32(&dst[0], x, y, blocks)
	default:
		return 0
	}
	if op == NE || op == LE || op == GE {
		Not(dst[:blocks], dst[:blocks])
	}
	return blocks << 3
}

// compareIntScalarAVX2 is CompareIntScalar for the first len(a)&^7 rows, which
// are some.
func compareIntScalarAVX2[T Int](op Op, dst []byte, a []T, s T) (done int) {
	blocks := len(a) >> 3
	x, y := unsafe.Pointer(unsafe.SliceData(a)), unsafe.Pointer(&s)
	equal, less := op == EQ || op == NE, op == LT || op == GE
	switch size := unsafe.Sizeof(T(0)); {
	case size == 8 && equal:
		eqInt64Scalar(&dst[0], x, y, blocks)
	case size == 8 && less:
		ltInt64Scalar(&dst[0], x, y, blocks)
	case size == 8:
		gtInt64Scalar(&dst[0], x, y, blocks)
	case size == 4 && equal:
		eqInt32Scalar(&dst[0], x, y, blocks)
	case size == 4 && less:
		ltInt32Scalar(&dst[0], x, y, blocks)
	case size == 4:
		gtInt32Scalar(&dst[0], x, y, blocks)
	default:
		return 0
	}
	if op == NE || op == LE || op == GE {
		Not(dst[:blocks], dst[:blocks])
	}
	return blocks << 3
}

// compareScalarAVX2 is CompareScalar for the first len(a)&^7 rows, which are
// some, of doubles; s is not NaN. A row that is NaN is above s, so that what LT
// and LE say of it is false, as the instructions have it.
func compareScalarAVX2[T Number](op Op, dst []byte, a []T, s T) (done int) {
	if unsafe.Sizeof(T(0)) != 8 || T(1)/T(2) == 0 || s != s {
		return 0
	}
	blocks := len(a) >> 3
	x, y := unsafe.Pointer(unsafe.SliceData(a)), unsafe.Pointer(&s)
	switch op {
	case EQ, NE:
		eqFloat64Scalar(&dst[0], x, y, blocks)
	case LT, GE:
		ltFloat64Scalar(&dst[0], x, y, blocks)
	case LE, GT:
		leFloat64Scalar(&dst[0], x, y, blocks)
	}
	if op == NE || op == GE || op == GT {
		Not(dst[:blocks], dst[:blocks])
	}
	return blocks << 3
}

// placesOfOnes has for each byte the places of its set bits, a byte each, from
// the lowest byte on. It is never written again.
var placesOfOnes = func() (table [256]uint64) {
	for b := range table {
		k := 0
		for bit := range uint64(8) {
			if b>>bit&1 == 1 {
				table[b] |= bit << k
				k += 8
			}
		}
	}
	return table
}()
