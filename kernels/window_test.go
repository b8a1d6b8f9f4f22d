package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
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
		WindowStarts(out, ts, nil, 0, 0, m)
	}
}

func TestFloorDivEqualsDivision(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	for _, d := range []int64{1, 2, 3, 7, 1000, 5_000_000, 3_600_000_000, 604_800_000_000, 1<<61 - 1, 1<<60 + 1} {
		m := NewModulus(d)
		check := func(x int64) {
			t.Helper()
			want := x / d
			if x%d < 0 {
				want--
			}
			if got := m.FloorDiv(x); got != want {
				t.Fatalf("⌊%d / %d⌋ = %d, want %d", x, d, got, want)
			}
		}
		for _, x := range []int64{0, 1, -1, d, -d, d - 1, 1 - d, d + 1, modulusRange, -modulusRange, modulusRange - 1,
			1 - modulusRange, math.MaxInt64, math.MinInt64, math.MinInt64 + 1} {
			check(x)
		}
		for range 20_000 {
			check(int64(r.Uint64()) >> r.IntN(64))
		}
	}
}

// windowCase numbers times that come in order, nearly so, or not at all.
func windowCase(t *testing.T, r *rand.Rand) {
	t.Helper()
	d := 1 + r.Int64N(1<<r.IntN(61))
	origin := r.Int64N(1<<61) - 1<<60
	ts := make([]int64, r.IntN(300))
	for i := range ts {
		ts[i] = int64(r.Uint64()) >> (2 + r.IntN(62))
	}
	if mode := r.IntN(3); mode > 0 && len(ts) > 0 {
		for i := range ts[1:] {
			ts[i+1] = max(-1<<61, min(1<<61, ts[i]+r.Int64N(d/4+2)-r.Int64N(int64(mode)*(d/8)+1)))
		}
	}
	numbers, starts := make([]int64, len(ts)), make([]int64, len(ts))
	m := NewModulus(d)
	WindowNumbers(numbers, ts, origin, m)
	shift := r.Int64N(1000)
	var sel []int32
	if r.IntN(2) == 0 {
		sel = []int32{}
		for i := range ts {
			if starts[i] = -7; r.IntN(2) == 0 {
				sel = append(sel, int32(i))
			}
		}
	}
	WindowStarts(starts, ts, sel, origin, shift, m)
	for i, x := range ts {
		rest := floorMod(x-origin, d)
		start := x - rest + shift
		if sel != nil && !slices.Contains(sel, int32(i)) {
			start = -7
		}
		if want := (x - origin - rest) / d; numbers[i] != want || starts[i] != start {
			t.Fatalf("time %d of windows of %d from %d: number %d, start %d; want %d, %d", x, d, origin, numbers[i], starts[i], want, start)
		}
	}
}

func TestWindowsEqualDivision(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 3))
	for range 5000 {
		windowCase(t, r)
	}
}

func FuzzWindows(f *testing.F) {
	f.Add([]byte("windows"))
	f.Fuzz(func(t *testing.T, data []byte) { windowCase(t, seedOf(data)) })
}
