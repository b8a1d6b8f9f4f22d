package kernels

import (
	"encoding/binary"
	"math/bits"
)

// little loads and stores words, whose bit i is then bit i of the bitmap.
var little = binary.LittleEndian

// BitmapBytes returns the bytes that n bits take.
func BitmapBytes(n int) int { return (n + 7) >> 3 }

// Bit reports whether bit i of b is set.
func Bit(b []byte, i int) bool { return b[i>>3]>>(i&7)&1 == 1 }

// SetBit sets bit i of b.
func SetBit(b []byte, i int) { b[i>>3] |= 1 << (i & 7) }

// ClearBit clears bit i of b.
func ClearBit(b []byte, i int) { b[i>>3] &^= 1 << (i & 7) }

// FillOnes sets all bits of b, those behind the last row included.
func FillOnes(b []byte) {
	for i := range b {
		b[i] = 0xff
	}
}

// And writes a & b to dst. All three have the length of dst.
func And(dst, a, b []byte) {
	a, b = a[:len(dst)], b[:len(dst)]
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		little.PutUint64(dst[i:], little.Uint64(a[i:])&little.Uint64(b[i:]))
	}
	for ; i < len(dst); i++ {
		dst[i] = a[i] & b[i]
	}
}

// AndNot writes a &^ b to dst.
func AndNot(dst, a, b []byte) {
	a, b = a[:len(dst)], b[:len(dst)]
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		little.PutUint64(dst[i:], little.Uint64(a[i:])&^little.Uint64(b[i:]))
	}
	for ; i < len(dst); i++ {
		dst[i] = a[i] &^ b[i]
	}
}

// Or writes a | b to dst.
func Or(dst, a, b []byte) {
	a, b = a[:len(dst)], b[:len(dst)]
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		little.PutUint64(dst[i:], little.Uint64(a[i:])|little.Uint64(b[i:]))
	}
	for ; i < len(dst); i++ {
		dst[i] = a[i] | b[i]
	}
}

// Not writes ^a to dst.
func Not(dst, a []byte) {
	a = a[:len(dst)]
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		little.PutUint64(dst[i:], ^little.Uint64(a[i:]))
	}
	for ; i < len(dst); i++ {
		dst[i] = ^a[i]
	}
}

// Ones writes the indices of the set bits among the first n bits of b to out and
// returns how many. out must have room for n.
func Ones(b []byte, n int, out []int32) int { return onesFrom(b, n, 0, out) }

// onesFrom is Ones with first added to each index.
func onesFrom(b []byte, n, first int, out []int32) int {
	k, i := 0, 0
	if useAVX2 && n >= 8 && !sparse(b, n) {
		_ = out[n-1] // which the form writes up to, by eights
		k, i = onesAVX2(&out[0], &b[0], &placesOfOnes, n>>3, first), n&^7
	}
	return k + onesGo(b[i>>3:], n-i, first+i, out[k:])
}

// sparse estimates, by every eighth word, whether so few bits are set that it is
// faster to go from one to the next.
func sparse(b []byte, n int) bool {
	c := 0
	for i := 0; i+8 <= n>>3; i += 64 {
		c += bits.OnesCount64(little.Uint64(b[i:]))
	}
	return c < n>>3/16
}

func onesGo(b []byte, n, first int, out []int32) int {
	k, i := 0, 0
	for ; i+64 <= n; i += 64 {
		w := little.Uint64(b[i>>3:])
		if w == ^uint64(0) {
			for j := range 64 {
				out[k+j] = int32(first + i + j)
			}
			k += 64
			continue
		}
		for w != 0 {
			out[k] = int32(first + i + bits.TrailingZeros64(w))
			k++
			w &= w - 1
		}
	}
	for ; i < n; i++ {
		out[k] = int32(first + i)
		k += int(b[i>>3] >> (i & 7) & 1)
	}
	return k
}

// SelectOnes writes the members of sel whose bit in b is set to out, in order,
// and returns how many. out may be sel itself.
func SelectOnes(b []byte, sel, out []int32) int {
	k := 0
	for _, i := range sel {
		out[k] = i
		k += int(b[i>>3] >> (i & 7) & 1)
	}
	return k
}

// Minus writes the members of a that are not in b to out and returns how many.
// Both ascend; out must not share memory with b.
func Minus(a, b, out []int32) int {
	k, j := 0, 0
	for _, i := range a {
		for j < len(b) && b[j] < i {
			j++
		}
		if j < len(b) && b[j] == i {
			continue
		}
		out[k] = i
		k++
	}
	return k
}

// Unclaimed writes the members of rows at which from is negative to out, which may be
// rows, and returns how many.
func Unclaimed(from, rows, out []int32) int {
	k := 0
	for _, i := range rows {
		out[k] = i
		k += int(uint32(from[i]) >> 31)
	}
	return k
}

// Union writes the members of a or b to out, ascending, and returns how many.
// Both ascend and out shares memory with neither.
func Union(a, b, out []int32) int {
	k, i, j := 0, 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case j == len(b) || i < len(a) && a[i] < b[j]:
			out[k] = a[i]
			i++
		case i == len(a) || b[j] < a[i]:
			out[k] = b[j]
			j++
		default:
			out[k] = a[i]
			i++
			j++
		}
		k++
	}
	return k
}
