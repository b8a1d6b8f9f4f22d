package kernels

import (
	"encoding/binary"
	"math/bits"
)

// Murmur3Int hashes a 32-bit value by the 32-bit Murmur3.
func Murmur3Int(v int32, seed uint32) uint32 { return murmurEnd(murmurMix(seed, uint32(v)), 4) }

// Murmur3Long hashes a 64-bit value.
func Murmur3Long(v int64, seed uint32) uint32 {
	return murmurEnd(murmurMix(murmurMix(seed, uint32(v)), uint32(uint64(v)>>32)), 8)
}

// Murmur3Bytes hashes bytes as Spark's hash() does: the tail is mixed byte by byte,
// sign-extended.
func Murmur3Bytes(b []byte, seed uint32) uint32 {
	h, n := seed, uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		h = murmurMix(h, binary.LittleEndian.Uint32(b))
	}
	for _, c := range b {
		h = murmurMix(h, uint32(int32(int8(c))))
	}
	return murmurEnd(h, n)
}

func murmurMix(h, k uint32) uint32 {
	k = bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
	return bits.RotateLeft32(h^k, 13)*5 + 0xe6546b64
}

func murmurEnd(h, n uint32) uint32 {
	h ^= n
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
