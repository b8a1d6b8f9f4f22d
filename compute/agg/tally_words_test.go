package agg

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flightd/flightd/compute/vec"
)

// Sorting by words is the stable sort by value.
func TestSortTallied(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 3))
	special := []float64{0, math.Copysign(0, -1), math.NaN(), math.Float64frombits(0xfff8000000000001), math.Inf(1), math.Inf(-1), 5e-324, -5e-324, 1, -1}
	for round := range 300 {
		vals := make([]tallied, 1+rnd.IntN(200))
		for i := range vals {
			vals[i] = tallied{rnd.NormFloat64() * math.Pow(10, float64(rnd.IntN(20)-10)), int64(i)}
			if rnd.IntN(2) == 0 {
				vals[i].value = special[rnd.IntN(len(special))]
			}
		}
		descending := round%2 == 0
		want := slices.Clone(vals)
		slices.SortStableFunc(want, func(x, y tallied) int {
			if descending {
				x, y = y, x
			}
			return vec.CompareFloat(x.value, y.value)
		})
		for i, got := range sortTallied(vals, descending) {
			if got.n != want[i].n {
				t.Fatalf("round %d: value %d is %v, not %v", round, i, got, want[i])
			}
		}
	}
}
