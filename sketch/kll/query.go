package kll

import (
	"fmt"
	"math"
	"sort"
	"strings"
)

// A View is a sketch put in order, for queries.
type View[T Item] struct {
	n          int64
	items      []T
	cumulative []int64
}

// View returns the items of the sketch in order; ErrEmpty if there is none.
func (s *Sketch[T]) View() (*View[T], error) {
	if s.n == 0 {
		return nil, ErrEmpty
	}
	type weighted struct {
		x T
		w int64
	}
	var all []weighted
	for i := range len(s.levels) - 1 {
		for _, x := range s.level(i) {
			all = append(all, weighted{x, 1 << i})
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].x < all[j].x })
	v := &View[T]{n: s.n}
	if len(all) == 0 || all[0].x != s.min {
		v.items, v.cumulative = append(v.items, s.min), append(v.cumulative, 1)
	}
	sum := int64(0)
	for _, a := range all {
		sum += a.w
		v.items, v.cumulative = append(v.items, a.x), append(v.cumulative, sum)
	}
	if last := len(v.items) - 1; v.items[last] != s.max {
		v.items, v.cumulative = append(v.items, s.max), append(v.cumulative, sum)
		v.cumulative[last] = sum - 1
	}
	return v, nil
}

// Quantile returns the least item at or below which a fraction rank of all items
// lies; ErrRank if rank is not from 0 to 1.
func (v *View[T]) Quantile(rank float64) (T, error) {
	if rank < 0 || rank > 1 {
		return 0, ErrRank
	}
	// A rank that misses a whole number by rounding counts as that number.
	natural := rank * float64(v.n)
	if v.n <= 1e7 {
		natural = math.Floor(natural*1e7+0.5) / 1e7
	}
	want := int64(0)
	if natural == natural {
		want = int64(math.Ceil(natural))
	}
	at := sort.Search(len(v.cumulative), func(i int) bool { return v.cumulative[i] >= want })
	return v.items[min(at, len(v.items)-1)], nil
}

// Rank returns the fraction of items that are x or less.
func (v *View[T]) Rank(x T) float64 {
	at := sort.Search(len(v.items), func(i int) bool { return v.items[i] > x })
	if at == 0 {
		return 0
	}
	return float64(v.cumulative[at-1]) / float64(v.n)
}

// Summary returns the text that DataSketches shows of a sketch; show gives the text
// of an item.
func (s *Sketch[T]) Summary(show func(T) string) string {
	var b strings.Builder
	row := func(name string, value any) { fmt.Fprintf(&b, "   %-23s: %v\n", name, value) }
	percent := func(factor, power float64) string {
		return fmt.Sprintf("%.3f%%", factor/math.Pow(float64(s.leastK), power)*100)
	}
	least, greatest := "NaN", "NaN"
	if s.n > 0 {
		least, greatest = show(s.min), show(s.max)
	}
	fmt.Fprintf(&b, "\n### KllKll%sSketch Summary:\n", s.typeName())
	row("K", s.k)
	row("Dynamic min K", s.leastK)
	row("M", width)
	row("N", s.n)
	row("Epsilon", percent(2.296, 0.9723))
	row("Epsilon PMF", percent(2.446, 0.9433))
	row("Empty", s.n == 0)
	row("Estimation Mode", len(s.levels) > 2)
	row("Levels", len(s.levels)-1)
	row("Level 0 Sorted", s.sorted)
	row("Capacity Items", len(s.items))
	row("Retained Items", s.retained())
	row("Free Space", s.levels[0])
	row("ReadOnly", false)
	row("Updatable Storage Bytes", fullHead+4*len(s.levels)+(2+len(s.items))*s.itemBytes())
	row("Compact Storage Bytes", len(s.Append(nil)))
	row("Min Item", least)
	row("Max Item", greatest)
	b.WriteString("### End sketch summary\n")
	return b.String()
}

func (s *Sketch[T]) typeName() string {
	switch any(s).(type) {
	case *Sketch[int64]:
		return "Longs"
	case *Sketch[float64]:
		return "Doubles"
	}
	return "Floats"
}

func (s *Sketch[T]) itemBytes() int {
	if _, ok := any(s).(*Sketch[float32]); ok {
		return 4
	}
	return 8
}
