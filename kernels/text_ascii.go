package kernels

import (
	"bytes"
	"encoding/binary"
)

// High bits and ones of the eight bytes of a word.
const (
	highBits = 0x8080808080808080
	lowBytes = 0x0101010101010101
)

// IsASCII reports whether every byte of b is below 0x80.
func IsASCII(b []byte) bool {
	for len(b) >= 32 {
		x := binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:]) | binary.LittleEndian.Uint64(b[16:]) | binary.LittleEndian.Uint64(b[24:])
		if x&highBits != 0 {
			return false
		}
		b = b[32:]
	}
	var x byte
	for _, c := range b {
		x |= c
	}
	return x < 0x80
}

// FlipCase writes src to dst with the case of the letters from lo to hi changed, and
// reports whether all of src is ASCII; where it is not, dst is of no use. dst is as
// long as src.
func FlipCase(dst, src []byte, lo, hi byte) bool {
	dst = dst[:len(src)]
	notBelow, above := uint64(0x80-lo)*lowBytes, uint64(0x7f-hi)*lowBytes
	var all uint64
	i := 0
	for ; i+8 <= len(src); i += 8 {
		x := binary.LittleEndian.Uint64(src[i : i+8])
		all |= x
		// A byte carries into its high bit if it is not below lo, or above hi; the bits
		// of bytes beyond ASCII spoil the word, which is given up then.
		letters := (x + notBelow) &^ (x + above) & highBits
		binary.LittleEndian.PutUint64(dst[i:i+8], x^letters>>2)
	}
	for ; i < len(src); i++ {
		c := src[i]
		all |= uint64(c)
		if c >= lo && c <= hi {
			c ^= 0x20
		}
		dst[i] = c
	}
	return all&highBits == 0
}

// Lengths writes the lengths in bytes of the texts that begin at off.
func Lengths(dst, off []int32) {
	off = off[:len(dst)+1]
	for i := range dst {
		dst[i] = off[i+1] - off[i]
	}
}

// CutTexts copies data[lo[i]:hi[i]] of each i to dst, one behind the other, and writes
// to off where each begins, and the end. dst has room for all of them and for seven
// bytes more, which may be written. It returns the end.
func CutTexts(dst []byte, off []int32, data []byte, lo, hi []int32) int {
	n := 0
	hi, off = hi[:len(lo)], off[:len(lo)+1]
	for i, a := range lo {
		off[i] = int32(n)
		size := int(hi[i] - a)
		if at := int(a); at+(size+7)&^7 <= len(data) {
			for k := 0; k < size; k += 8 {
				binary.LittleEndian.PutUint64(dst[n+k:n+k+8], binary.LittleEndian.Uint64(data[at+k:at+k+8]))
			}
		} else {
			copy(dst[n:], data[at:at+size])
		}
		n += size
	}
	off[len(lo)] = int32(n)
	return n
}

// PrefixText sets bit i of dst if text i, data[off[i]:off[i+1]], begins with want,
// and clears it if not. len(dst) is BitmapBytes(len(off)-1).
func PrefixText(dst []byte, off []int32, data, want []byte) {
	clear(dst)
	n := len(off) - 1
	short := len(want) > 0 && len(want) <= 8
	var word [8]byte
	copy(word[:], want)
	w := binary.LittleEndian.Uint64(word[:])
	mask := uint64(1)<<(8*len(want)) - 1 // a shift by 64 is 0
	for i := range n {
		lo, hi := int(off[i]), int(off[i+1])
		if short && lo+8 <= len(data) {
			x := (binary.LittleEndian.Uint64(data[lo:lo+8]) ^ w) & mask
			dst[i>>3] |= b2u(x == 0 && hi-lo >= len(want)) << (i & 7)
			continue
		}
		dst[i>>3] |= b2u(bytes.HasPrefix(data[lo:hi], want)) << (i & 7)
	}
}

// SuffixText is PrefixText for what texts end with.
func SuffixText(dst []byte, off []int32, data, want []byte) {
	clear(dst)
	n := len(off) - 1
	short := len(want) > 0 && len(want) <= 8
	var word [8]byte
	copy(word[8-min(8, len(want)):], want)
	w := binary.LittleEndian.Uint64(word[:])
	shift := uint(64 - 8*min(8, len(want)))
	for i := range n {
		lo, hi := int(off[i]), int(off[i+1])
		if short && hi >= 8 {
			x := (binary.LittleEndian.Uint64(data[hi-8:hi]) ^ w) >> shift
			dst[i>>3] |= b2u(x == 0 && hi-lo >= len(want)) << (i & 7)
			continue
		}
		dst[i>>3] |= b2u(bytes.HasSuffix(data[lo:hi], want)) << (i & 7)
	}
}

// ContainsText is PrefixText for what stands anywhere in texts. It looks through all
// texts as one, so that it costs by the byte and not by the text.
func ContainsText(dst []byte, off []int32, data, want []byte) {
	clear(dst)
	n := len(off) - 1
	if len(want) == 0 {
		for i := range n {
			dst[i>>3] |= 1 << (i & 7)
		}
		return
	}
	if n == 0 {
		return
	}
	at, end, i := int(off[0]), int(off[n]), 0
	for at+len(want) <= end {
		k := bytes.Index(data[at:end], want)
		if k < 0 {
			return
		}
		at += k
		for int(off[i+1]) <= at {
			i++
		}
		if at+len(want) > int(off[i+1]) { // it runs into the next text
			at++
			continue
		}
		dst[i>>3] |= 1 << (i & 7)
		at = int(off[i+1])
	}
}
