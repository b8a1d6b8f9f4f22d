package kernels

import (
	"bytes"
	"encoding/binary"
)

// EqualText sets bit i of dst if text i, data[off[i]:off[i+1]], is want, and
// clears it if not. len(dst) is BitmapBytes(len(off)-1).
func EqualText(dst []byte, off []int32, data, want []byte) {
	n := len(off) - 1
	i := 0
	if len(want) <= 8 {
		var w [8]byte
		copy(w[:], want)
		i = equalShort(dst, off, data, binary.LittleEndian.Uint64(w[:]), len(want))
	}
	for ; i < n; i += 8 {
		var b uint8
		for j := range min(8, n-i) {
			lo, hi := off[i+j], off[i+j+1]
			if int(hi-lo) == len(want) && bytes.Equal(data[lo:hi], want) {
				b |= 1 << j
			}
		}
		dst[i>>3] = b
	}
}

// equalShort does so for texts of up to 8 bytes, eight texts at a time, as long as
// eight bytes can be read from the start of each. It returns where it stopped.
func equalShort(dst []byte, off []int32, data []byte, want uint64, length int) int {
	n := len(off) - 1
	mask := uint64(1)<<(8*length) - 1 // a shift by 64 is 0
	for i := 0; i+8 <= n; i += 8 {
		o := off[i : i+9 : i+9]
		if int(o[7])+8 > len(data) {
			return i
		}
		var b uint8
		for j := range 8 {
			at := o[j]
			x := binary.LittleEndian.Uint64(data[at : at+8])
			differs := (x^want)&mask | uint64(uint32(o[j+1]-at)^uint32(length))
			b |= b2u(differs == 0) << j
		}
		dst[i>>3] = b
	}
	return n &^ 7
}

// CompareText sets bit i of dst if text i, data[off[i]:off[i+1]], is less than want, or
// less or equal with orEqual, and clears it if not, for all texts, or, with sel, those of
// sel: then the others' bits are left alone. The order is that of bytes.
func CompareText(dst []byte, off []int32, data, want []byte, sel []int32, orEqual bool) {
	var b [8]byte
	size := copy(b[:], want)
	word := binary.BigEndian.Uint64(b[:])
	tie := b2u(orEqual)
	less := func(lo, hi int32) uint8 {
		if int(lo)+8 > len(data) {
			return lessText(data[lo:hi], want, tie)
		}
		// Where the first eight bytes differ, zeros behind a shorter text do not change
		// the order: it is less than what goes on.
		x := binary.BigEndian.Uint64(data[lo:lo+8]) & ^(^uint64(0) >> (8 * uint(hi-lo)))
		if x != word {
			return b2u(x < word)
		}
		if hi-lo <= 8 && len(want) <= 8 {
			return b2u(int(hi-lo) < size) | b2u(int(hi-lo) == size)&tie
		}
		return lessText(data[lo:hi], want, tie)
	}
	if sel != nil {
		for _, r := range sel {
			if less(off[r], off[r+1]) != 0 {
				SetBit(dst, int(r))
			} else {
				ClearBit(dst, int(r))
			}
		}
		return
	}
	n := len(off) - 1
	for i := 0; i < n; i += 8 {
		var m uint8
		for j := range min(8, n-i) {
			m |= less(off[i+j], off[i+j+1]) << j
		}
		dst[i>>3] = m
	}
}

func lessText(a, b []byte, tie uint8) uint8 {
	c := bytes.Compare(a, b)
	return b2u(c < 0) | b2u(c == 0)&tie
}
