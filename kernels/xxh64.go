package kernels

import (
	"encoding/binary"
	"math/bits"
)

// The primes of XXH64.
const (
	xxPrime1 uint64 = 0x9e3779b185ebca87
	xxPrime2 uint64 = 0xc2b2ae3d27d4eb4f
	xxPrime3 uint64 = 0x165667b19e3779f9
	xxPrime4 uint64 = 0x85ebca77c2b2ae63
	xxPrime5 uint64 = 0x27d4eb2f165667c5
)

// XXH64 returns the XXH64 hash of b: what SQL's xxhash64 gives for text.
func XXH64(b []byte, seed uint64) uint64 {
	n := uint64(len(b))
	h := seed + xxPrime5
	if len(b) >= 32 {
		v1, v2, v3, v4 := seed+xxPrime1+xxPrime2, seed+xxPrime2, seed, seed-xxPrime1
		for len(b) >= 32 {
			v1 = xxRound(v1, binary.LittleEndian.Uint64(b))
			v2 = xxRound(v2, binary.LittleEndian.Uint64(b[8:]))
			v3 = xxRound(v3, binary.LittleEndian.Uint64(b[16:]))
			v4 = xxRound(v4, binary.LittleEndian.Uint64(b[24:]))
			b = b[32:]
		}
		h = bits.RotateLeft64(v1, 1) + bits.RotateLeft64(v2, 7) + bits.RotateLeft64(v3, 12) + bits.RotateLeft64(v4, 18)
		for _, v := range [4]uint64{v1, v2, v3, v4} {
			h = (h^xxRound(0, v))*xxPrime1 + xxPrime4
		}
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h = xxWord(h, binary.LittleEndian.Uint64(b))
	}
	if len(b) >= 4 {
		h = xxHalf(h, binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	for _, c := range b {
		h = bits.RotateLeft64(h^uint64(c)*xxPrime5, 11) * xxPrime1
	}
	return xxFinish(h)
}

// XXH64Uint64 is XXH64 of the 8 little-endian bytes of x.
func XXH64Uint64(x, seed uint64) uint64 { return xxFinish(xxWord(seed+xxPrime5+8, x)) }

// XXH64Uint32 is XXH64 of the 4 little-endian bytes of x.
func XXH64Uint32(x uint32, seed uint64) uint64 { return xxFinish(xxHalf(seed+xxPrime5+4, x)) }

func xxRound(acc, x uint64) uint64 {
	return bits.RotateLeft64(acc+x*xxPrime2, 31) * xxPrime1
}

func xxWord(h, x uint64) uint64 {
	return bits.RotateLeft64(h^xxRound(0, x), 27)*xxPrime1 + xxPrime4
}

func xxHalf(h uint64, x uint32) uint64 {
	return bits.RotateLeft64(h^uint64(x)*xxPrime1, 23)*xxPrime2 + xxPrime3
}

func xxFinish(h uint64) uint64 {
	h = (h ^ h>>33) * xxPrime2
	h = (h ^ h>>29) * xxPrime3
	return h ^ h>>32
}
