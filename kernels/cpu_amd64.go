//go:build !purego

package kernels

// useAVX2 tells that the processor and the system have AVX2 and POPCNT. It is
// set once; a branch on it costs less than a call through a variable.
var useAVX2 = detectAVX2()

func cpuid(leaf, sub uint32) (a, b, c, d uint32)
func xgetbv() (low uint32)

func detectAVX2() bool {
	if most, _, _, _ := cpuid(0, 0); most < 7 {
		return false
	}
	const popcnt, osxsave, avx, avx2 = 1 << 23, 1 << 27, 1 << 28, 1 << 5
	if _, _, c, _ := cpuid(1, 0); c&(popcnt|osxsave|avx) != popcnt|osxsave|avx {
		return false
	}
	const registers = 1<<1 | 1<<2 // the system keeps the XMM and YMM registers
	if xgetbv()&registers != registers {
		return false
	}
	_, b, _, _ := cpuid(7, 0)
	return b&avx2 != 0
}
