package encoding

import (
	"encoding/binary"
	"math/bits"
)

// copyBits puts n bits of src from bit from on into dst from bit at on, where they
// are 0 before, and returns how many are 1. Both are padded.
func copyBits(dst []byte, at int, src []byte, from, n int) (ones int) {
	dst, src = dst[:cap(dst)], src[:cap(src)]
	for n > 0 {
		k := min(n, 56)
		w := load(src, from>>3) >> (from & 7) & (1<<k - 1)
		to := dst[at>>3:]
		binary.LittleEndian.PutUint64(to, binary.LittleEndian.Uint64(to)|w<<(at&7))
		ones += bits.OnesCount64(w)
		at, from, n = at+k, from+k, n-k
	}
	return ones
}

// setBits sets n bits of dst from bit at on. It is padded.
func setBits(dst []byte, at, n int) {
	dst = dst[:cap(dst)]
	for n > 0 {
		k := min(n, 56)
		to := dst[at>>3:]
		binary.LittleEndian.PutUint64(to, binary.LittleEndian.Uint64(to)|(1<<k-1)<<(at&7))
		at, n = at+k, n-k
	}
}
