package kernels

import "encoding/binary"

// inlineMasks[n] keeps the first n bytes of 16 and makes room for their number in
// the last byte.
var inlineMasks = [16][2]uint64{
	{0, 0}, {1<<8 - 1, 0}, {1<<16 - 1, 0}, {1<<24 - 1, 0}, {1<<32 - 1, 0}, {1<<40 - 1, 0}, {1<<48 - 1, 0}, {1<<56 - 1, 0},
	{1<<64 - 1, 0}, {1<<64 - 1, 1<<8 - 1}, {1<<64 - 1, 1<<16 - 1}, {1<<64 - 1, 1<<24 - 1}, {1<<64 - 1, 1<<32 - 1},
	{1<<64 - 1, 1<<40 - 1}, {1<<64 - 1, 1<<48 - 1}, {1<<64 - 1, 1<<56 - 1},
}

// InlineTexts packs texts of up to 15 bytes into two words each: the bytes, and
// their number in the last byte of the second word. Text i is data[off[i]:off[i+1]]
// and goes to words[i*step] and the word behind it. It stops before the first text
// that begins less than 16 bytes before the end of data, and returns how many it has
// been through. Longer texts get words of no use; others names them, and has room
// for all; how many there are is the second result.
func InlineTexts(words []uint64, step int, off []int32, data []byte, others []int32) (done, more int) {
	n := len(off) - 1
	for n > 0 && int(off[n-1])+16 > len(data) {
		n--
	}
	if n <= 0 {
		return 0, 0
	}
	from := int(off[0])
	others = others[:n]
	_ = words[(n-1)*step+1]
	for i, end := range off[1 : n+1] {
		size := int(end) - from
		b := data[from : from+16 : from+16]
		m := &inlineMasks[size&15]
		w := words[i*step : i*step+2 : i*step+2]
		w[0] = binary.LittleEndian.Uint64(b) & m[0]
		w[1] = binary.LittleEndian.Uint64(b[8:])&m[1] | uint64(size)<<56
		others[more] = int32(i)
		if size > 15 {
			more++
		}
		from = int(end)
	}
	return n, more
}

// HashPairs is HashKeys for keys of two words; of each hash only the bits of keep
// are kept.
func HashPairs(dst []uint64, keys [][2]uint64, seed *HashSeed, keep uint64) {
	s0, s1, s2, s3 := seed[0], seed[1], seed[2], seed[3]
	dst = dst[:len(keys)]
	for i := range keys {
		h := fold(keys[i][0]^s0^s3, s1)
		h = fold(keys[i][1]^s0^h, s1)
		dst[i] = fold(h^s2, s3) & keep
	}
}
