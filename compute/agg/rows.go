package agg

import (
	"math"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// Rows are rows of a batch on their way into the accumulators of one table: row At[i]
// belongs to group Groups[i]. What several accumulators ask of the same rows, such as
// how many a group has, is found out once.
type Rows struct {
	// Old is how many groups there were before; all groups since are among Groups.
	Old        int
	At, Groups []int32

	counts  []int64
	counted bool
	sums    []decimalSums
	summed  int
	cells   []kernels.Summary
}

// decimalSums are the sums of vals by group, over the rows of one batch.
type decimalSums struct {
	vals *kernels.Int128
	sum  []kernels.Int128
}

// Begin makes r the rows at, of groups; the slices are not kept beyond their use by
// accumulators. It returns r.
func (r *Rows) Begin(old int, at, groups []int32) *Rows {
	r.Old, r.At, r.Groups, r.counted, r.summed = old, at, groups, false, 0
	return r
}

// few reports whether there are so few groups that going through all of them costs
// next to nothing beside the rows.
func (r *Rows) few(groups int) bool { return 8*groups <= len(r.Groups) }

// count adds to the count of each group how many rows it has.
func (r *Rows) count(into []int64) {
	if !r.few(len(into)) {
		kernels.CountGroups(into, r.Groups)
		return
	}
	if !r.counted {
		r.counts = zeroed(r.counts, len(into))
		kernels.CountGroups(r.counts, r.Groups)
		r.counted = true
	}
	for g, n := range r.counts {
		into[g] += n
	}
}

// addDecimals adds to the sum of each group its rows' vals, wrapping.
func (r *Rows) addDecimals(sum, vals []kernels.Int128) {
	if !r.few(len(sum)) {
		kernels.SumDecimalGroups(sum, r.Groups, r.At, vals)
		return
	}
	for g, s := range r.decimals(len(sum), vals) {
		sum[g] = sum[g].Add(s)
	}
}

func (r *Rows) decimals(groups int, vals []kernels.Int128) []kernels.Int128 {
	for _, s := range r.sums[:r.summed] {
		if s.vals == &vals[0] {
			return s.sum
		}
	}
	if r.summed == len(r.sums) {
		r.sums = append(r.sums, decimalSums{})
	}
	s := &r.sums[r.summed]
	r.summed++
	s.vals, s.sum = &vals[0], zeroed(s.sum, groups)
	kernels.SumDecimalGroups(s.sum, r.Groups, r.At, vals)
	return s.sum
}

// zeroed returns n zeros, in s if they fit.
func zeroed[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// SumMinMax is UpdateWhole of the sum, the minimum and the maximum of one column
// of integers in one pass; it reports false, and has done nothing, where the
// accumulators or the column are of another kind.
func (r *Rows) SumMinMax(sum, low, high Accumulator, arg *vec.Vec) (bool, error) {
	s, ok := sum.(*intSum)
	if !ok || s.mode == expr.Try {
		return false, nil
	}
	lo, ok1 := low.(*extreme)
	hi, ok2 := high.(*extreme)
	if !ok1 || !ok2 {
		return false, nil
	}
	switch l := lo.rank.(type) {
	case *numberRank[int64]:
		return sumMinMax(r, s, l, hi.rank, arg)
	case *numberRank[int32]:
		return sumMinMax(r, s, l, hi.rank, arg)
	}
	return false, nil
}

func sumMinMax[T int32 | int64](r *Rows, s *intSum, lo *numberRank[T], high rank, arg *vec.Vec) (bool, error) {
	hi, ok := high.(*numberRank[T])
	if !ok || lo.ties || hi.ties || lo.max || !hi.max {
		return false, nil
	}
	if !s.filled.upTo(r.Old, s.sum.Valid()) || !lo.filled.upTo(r.Old, lo.col.Valid()) || !hi.filled.upTo(r.Old, hi.col.Valid()) {
		return false, nil
	}
	vals, ok := span[T](arg, r.At)
	if !ok {
		return false, nil
	}
	s.begin(r.Old)
	lo.begin(r.Old)
	hi.begin(r.Old)
	if r.few(s.sum.Len()) && summarize(r, s.sum.Data(), lo.col.Data(), hi.col.Data(), vals) {
		return true, s.check(0, r.Groups)
	}
	wrapped := kernels.SumMinMaxGroups(s.sum.Data(), lo.col.Data(), hi.col.Data(), r.Groups, vals)
	return true, s.check(wrapped, r.Groups)
}

// summarize is SumMinMaxGroups for few groups, whose state lies together meanwhile. It
// reports false, and has done nothing, where a sum might leave 64 bits on its way.
func summarize[T int32 | int64](r *Rows, sum []int64, lo, hi []T, vals []T) bool {
	r.cells = zeroed(r.cells, len(sum))
	for g := range r.cells {
		r.cells[g].Low, r.cells[g].High = int64(lo[g]), int64(hi[g])
	}
	kernels.SummarizeGroups(r.cells, r.Groups, vals)
	far := math.MaxInt64 / 2 / int64(len(vals)) // so far from zero may every value be
	for g, c := range r.cells {
		const half = math.MaxInt64 / 2
		if c.Count > 0 && (c.Low < -far || c.High > far || sum[g] < -half || sum[g] > half) {
			return false
		}
	}
	if !r.counted {
		r.counts, r.counted = zeroed(r.counts, len(sum)), true
		for g, c := range r.cells {
			r.counts[g] = c.Count
		}
	}
	for g, c := range r.cells {
		sum[g] += c.Sum
		lo[g], hi[g] = T(c.Low), T(c.High)
	}
	return true
}
