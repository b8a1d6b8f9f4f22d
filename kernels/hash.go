package kernels

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Key is a normalised key: one to six 64-bit words, in the order of its layout.
// The array types have different shapes, so each instance of a kernel over Key
// is compiled for its own number of words.
type Key interface {
	[1]uint64 | [2]uint64 | [3]uint64 | [4]uint64 | [5]uint64 | [6]uint64
}

// KeysOf views words, row-major, as keys of K's width. It copies nothing.
func KeysOf[K Key](words []uint64) []K {
	var k K
	n := len(words) / len(k)
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*K)(unsafe.Pointer(unsafe.SliceData(words))), n)
}

// HashSeed makes the hashes of one query differ from those of any other, so that
// nobody can choose keys that collide.
type HashSeed [4]uint64

// NewHashSeed spreads seed over the constants of the hash functions. The same
// seed gives the same constants for ever: seeds are kept in checkpoints.
func NewHashSeed(seed uint64) HashSeed {
	var s HashSeed
	for i := range s {
		// The step and the finaliser of splitmix64: each constant is a bijection
		// of the seed, far from its neighbours.
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		s[i] = z ^ z>>31 | 1
	}
	return s
}

// fold multiplies to 128 bits and folds the halves: every bit of a and b reaches
// every bit of the result.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// HashKeys writes the hash of keys[i] to dst[i]. dst must be as long as keys.
func HashKeys[K Key](dst []uint64, keys []K, seed *HashSeed) {
	s := *seed
	dst = dst[:len(keys)]
	for i := range keys {
		dst[i] = hashKey(&keys[i], &s)
	}
}

// HashKeysSel writes the hash of keys[r] to dst[r] for every r of sel.
func HashKeysSel[K Key](dst []uint64, keys []K, sel []int32, seed *HashSeed) {
	s := *seed
	for _, r := range sel {
		dst[r] = hashKey(&keys[r], &s)
	}
}

func hashKey[K Key](k *K, s *HashSeed) uint64 {
	h := s[3]
	for j := range len(*k) {
		h = fold((*k)[j]^s[0]^h, s[1])
	}
	return fold(h^s[2], s[3])
}

// HashBytes returns 128 bits of hash of b; the two halves are independent. Keys
// that are too long to be stored in their words are known by them.
func HashBytes(b []byte, seed *HashSeed) (uint64, uint64) {
	n := uint64(len(b))
	h1, h2 := seed[0]^n, seed[2]+n
	for len(b) >= 16 {
		x, y := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		h1 = fold(x^seed[1]^h2, y^h1)
		h2 = fold(y^seed[3]^h1, x^h2) + h1
		b = b[16:]
	}
	if len(b) > 0 {
		var tail [16]byte
		copy(tail[:], b)
		x, y := binary.LittleEndian.Uint64(tail[:]), binary.LittleEndian.Uint64(tail[8:])
		h1 = fold(x^seed[1]^h2, y^h1)
		h2 = fold(y^seed[3]^h1, x^h2) + h1
	}
	return fold(h1^seed[2], seed[1]^n), fold(h2^seed[0], seed[3]^n)
}
