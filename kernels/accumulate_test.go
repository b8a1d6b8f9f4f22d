package kernels

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// drawnGroups are values, the ends of their range among them, and their groups.
func drawnGroups[T Signed](r *rand.Rand) (groups []int32, vals []T, n int) {
	n = 1 + r.IntN(9)
	bits := 8 * unsafe.Sizeof(T(0))
	for range r.IntN(70) {
		x := r.Int64() >> r.IntN(64)
		if r.IntN(10) == 0 {
			x = []int64{math.MinInt64, math.MaxInt64, 0, -1}[r.IntN(4)]
		}
		groups, vals = append(groups, int32(r.IntN(n))), append(vals, T(x>>(64-bits)))
	}
	return groups, vals, n
}

func accumulateCase[T Signed](t *testing.T, r *rand.Rand) {
	t.Helper()
	groups, vals, n := drawnGroups[T](r)
	sum, low, high, count := make([]int64, n), make([]T, n), make([]T, n), make([]int64, n)
	exact, floats, counted, overflow := make([]*big.Int, n), make([]float64, n), make([]int64, n), false
	wantLow, wantHigh := make([]T, n), make([]T, n)
	for g := range n {
		sum[g], low[g], high[g] = r.Int64()>>r.IntN(64), T(r.Int64()), T(r.Int64())
		exact[g], wantLow[g], wantHigh[g] = big.NewInt(sum[g]), low[g], high[g]
	}
	sums, los, his := slices.Clone(sum), slices.Clone(low), slices.Clone(high)
	for i, g := range groups {
		exact[g].Add(exact[g], big.NewInt(int64(vals[i])))
		if !exact[g].IsInt64() {
			overflow = true
			exact[g] = big.NewInt(int64(new(big.Int).And(exact[g], new(big.Int).SetUint64(math.MaxUint64)).Uint64()))
		}
		wantLow[g], wantHigh[g] = min(wantLow[g], vals[i]), max(wantHigh[g], vals[i])
		floats[g] += float64(vals[i])
		counted[g]++
	}
	check := func(what string, wrapped int64, sum []int64) {
		if (wrapped < 0) != overflow {
			t.Fatalf("%s says %d, and an overflow is %v", what, wrapped, overflow)
		}
		for g := range n {
			if sum[g] != exact[g].Int64() {
				t.Fatalf("%s of group %d is %d, want %v", what, g, sum[g], exact[g])
			}
		}
	}
	check("SumGroups", SumGroups(sum, groups, vals), sum)
	check("SumMinMaxGroups", SumMinMaxGroups(sums, los, his, groups, vals), sums)
	MinGroups(low, groups, vals)
	MaxGroups(high, groups, vals)
	for _, pair := range [][2][]T{{low, wantLow}, {los, wantLow}, {high, wantHigh}, {his, wantHigh}} {
		if !slices.Equal(pair[0], pair[1]) {
			t.Fatalf("extremes are %v, want %v", pair[0], pair[1])
		}
	}
	CountGroups(count, groups)
	if !slices.Equal(count, counted) {
		t.Fatalf("counts are %v, want %v", count, counted)
	}
	clear(count)
	total := make([]float64, n)
	FloatMeanGroups(total, count, groups, vals)
	if !slices.Equal(total, floats) || !slices.Equal(count, counted) {
		t.Fatalf("sums are %v of %v, want %v of %v", total, count, floats, counted)
	}
	clear(total)
	if FloatSumGroups(total, groups, vals); !slices.Equal(total, floats) {
		t.Fatalf("sums are %v, want %v", total, floats)
	}
	cells := make([]Summary, n)
	for g := range cells {
		cells[g] = Summary{Low: math.MaxInt64, High: math.MinInt64}
	}
	SummarizeGroups(cells, groups, vals)
	for g := range cells {
		one := Summary{Low: math.MaxInt64, High: math.MinInt64}
		for i, x := range vals {
			if int(groups[i]) == g {
				one = Summary{one.Count + 1, one.Sum + int64(x), min(one.Low, int64(x)), max(one.High, int64(x))}
			}
		}
		if cells[g] != one {
			t.Fatalf("group %d is %v, want %v", g, cells[g], one)
		}
	}
}

func accumulateCases(t *testing.T, r *rand.Rand) {
	t.Helper()
	accumulateCase[int8](t, r)
	accumulateCase[int16](t, r)
	accumulateCase[int32](t, r)
	accumulateCase[int64](t, r)
}

func TestAccumulateEqualsTheNaiveLoop(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 3000 {
		accumulateCases(t, r)
	}
}

func FuzzAccumulate(f *testing.F) {
	f.Add([]byte("sums"))
	f.Fuzz(func(t *testing.T, data []byte) { accumulateCases(t, seedOf(data)) })
}
