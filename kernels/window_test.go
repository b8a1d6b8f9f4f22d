package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

func floorMod(x, d int64) int64 {
	r := x % d
	if r < 0 {
		r += d
	}
	return r
}

func TestFloorModEqualsDivision(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, d := range []int64{1, 2, 3, 7, 1000, 5_000_000, 3_600_000_000, 604_800_000_000, 1<<61 - 1, 1<<60 + 1} {
		m := NewModulus(d)
		for _, x := range []int64{0, 1, -1, d, -d, d - 1, 1 - d, d + 1, modulusRange, -modulusRange, modulusRange - 1,
			1 - modulusRange, math.MaxInt64, math.MinInt64} {
			if got := m.FloorMod(x); got != floorMod(x, d) {
				t.Fatalf("%d mod %d = %d, want %d", x, d, got, floorMod(x, d))
			}
		}
		for range 20_000 {
			x := int64(r.Uint64()) >> r.IntN(64)
			if got := m.FloorMod(x); got != floorMod(x, d) {
				t.Fatalf("%d mod %d = %d, want %d", x, d, got, floorMod(x, d))
			}
		}
	}
}

func BenchmarkWindowStarts(b *testing.B) {
	ts := make([]int64, 8192)
	for i := range ts {
		ts[i] = 1_700_000_000_000_000 + int64(i)*123_457
	}
	out := make([]int64, len(ts))
	m := NewModulus(5_000_000)
	b.SetBytes(int64(len(ts) * 8))
	for b.Loop() {
		WindowStarts(out, ts, 0, m)
	}
}
