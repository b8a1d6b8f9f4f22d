package encoding

import (
	"encoding/binary"
	"math/bits"
)

// SetBits sets n bits of dst from bit at on. It is padded.
func SetBits(dst []byte, at, n int) {
	dst = dst[:cap(dst)]
	for n > 0 {
		k := min(n, 56)
		to := dst[at>>3:]
		binary.LittleEndian.PutUint64(to, binary.LittleEndian.Uint64(to)|(1<<k-1)<<(at&7))
		at, n = at+k, n-k
	}
}

// Among looks up rows among those that are present. present has a bit for each of n rows
// from first on, and places are some of these rows, ascending. Among puts into dst the
// numbers of the present ones of them, counted from 0 among all present rows, and returns
// how many they are; it sets bit to+i of valid if places[i] is one. present is padded;
// sums is room.
func Among(dst, places []int32, first int, present []byte, n int, valid []byte, to int, sums []int32) (int, []int32) {
	dst = dst[:len(places)]
	present, valid = present[:cap(present)], valid[:cap(valid)]
	// What is present before each word is counted first, for how many words lie between
	// two places cannot be guessed.
	sums = sums[:0]
	for at, sum := 0, 0; at < n; at += 64 {
		sums = append(sums, int32(sum))
		sum += bits.OnesCount64(load(present, at>>3))
	}
	found := 0
	for i, p := range places {
		k := int(p) - first
		w := load(present, k>>6<<3)
		bit := w >> (k & 63) & 1
		dst[found] = sums[k>>6] + int32(bits.OnesCount64(w&(1<<(k&63)-1)))
		found += int(bit)
		valid[(to+i)>>3] |= byte(bit << ((to + i) & 7))
	}
	return found, sums
}
