//go:build goexperiment.simd && amd64 && !purego

package encoding

import (
	"math/bits"
	"simd/archsimd"
)

// useVectors tells that the vector forms below can run.
var useVectors = archsimd.X86.AVX512()

// spreadVectors spreads over as many eights of rows as src has values to look at for. It
// returns how many rows that are, and how many values they took.
func spreadVectors(dst, src []uint64, valid []byte, at int) (rows, taken int) {
	for len(dst)-rows >= 8 && len(src)-taken >= 8 {
		bit := at + rows
		m := uint8(load(valid, bit>>3) >> (bit & 7))
		archsimd.LoadUint64x8Slice(src[taken:]).Expand(archsimd.Mask64x8FromBits(m)).StoreSlice(dst[rows:])
		taken += bits.OnesCount8(m)
		rows += 8
	}
	archsimd.ClearAVXUpperBits()
	return rows, taken
}
