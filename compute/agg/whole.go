package agg

import (
	"math"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// A Resetter is an accumulator that knows more of its groups than its columns
// hold: Reset says that the table has no group any more.
type Resetter interface{ Reset() }

// A Whole is an accumulator that is faster where nothing is left out: no row of
// the batch, no NULL.
type Whole interface {
	// UpdateWhole takes in rows as Update does. Before these rows there were old
	// groups; all groups since are among them. It reports false, and has done
	// nothing, if it is no faster here.
	UpdateWhole(old int, rows, groups []int32, args []*vec.Vec) (bool, error)
}

// filled counts the leading groups that have a value, of an accumulator whose
// groups may have none: where it is all of them, nobody asks row by row.
type filled struct{ n int }

// Reset forgets all groups.
func (f *filled) Reset() { f.n = 0 }

// upTo reports whether all of the first old groups have a value.
func (f *filled) upTo(old int, valid []byte) bool {
	f.n = min(f.n, old)
	for f.n < old && isSet(valid, int32(f.n)) {
		f.n++
	}
	return f.n == old
}

// span returns the values of rows where they lie together.
func span[T any](v *vec.Vec, rows []int32) ([]T, bool) {
	n := len(rows)
	if n == 0 || v.Const || v.Valid != nil || int(rows[n-1]-rows[0]) != n-1 {
		return nil, false
	}
	return vec.Values[T](v)[rows[0] : int(rows[0])+n], true
}

// setRange sets bits lo to hi−1.
func setRange(bits []byte, lo, hi int) {
	for ; lo < hi && lo&7 != 0; lo++ {
		set(bits, int32(lo))
	}
	for ; lo+8 <= hi; lo += 8 {
		bits[lo>>3] = 0xff
	}
	for ; lo < hi; lo++ {
		set(bits, int32(lo))
	}
}

func fill[T any](s []T, x T) {
	for i := range s {
		s[i] = x
	}
}

// UpdateWhole counts rows.
func (a *count) UpdateWhole(old int, rows, groups []int32, args []*vec.Vec) (bool, error) {
	if a.whenTrue {
		return false, nil
	}
	for _, v := range args {
		if v.Type.Kind == expr.KindNull || v.Valid != nil {
			return false, nil
		}
	}
	kernels.CountGroups(a.n.Data(), groups)
	return true, nil
}

// UpdateWhole adds integers.
func (a *intSum) UpdateWhole(old int, rows, groups []int32, args []*vec.Vec) (bool, error) {
	if a.mode == expr.Try || !a.filled.upTo(old, a.sum.Valid()) {
		return false, nil
	}
	var wrapped int64
	switch v := args[0]; v.Type.Width() {
	case 4:
		vals, ok := span[int32](v, rows)
		if !ok {
			return false, nil
		}
		wrapped = kernels.SumGroups(a.sum.Data(), groups, vals)
	case 8:
		vals, ok := span[int64](v, rows)
		if !ok {
			return false, nil
		}
		wrapped = kernels.SumGroups(a.sum.Data(), groups, vals)
	default:
		return false, nil
	}
	a.begin(old)
	return true, a.check(wrapped, groups)
}

// UpdateWhole adds and counts intervals.
func (a *intervalAvg) UpdateWhole(old int, rows, groups []int32, args []*vec.Vec) (bool, error) {
	done, err := a.intSum.UpdateWhole(old, rows, groups, args)
	if done {
		kernels.CountGroups(a.n.Data(), groups)
	}
	return done, err
}

// begin says that the groups from old on have a value.
func (a *intSum) begin(old int) {
	n := a.sum.Len()
	setRange(a.sum.Valid(), old, n)
	fill(a.seen.Data()[old:], 1)
	a.filled.n = n
}

// UpdateWhole adds numbers.
func (a *floatSum) UpdateWhole(old int, rows, groups []int32, args []*vec.Vec) (bool, error) {
	if args[0].Valid != nil || args[0].Const || !a.filled.upTo(old, a.sum.Valid()) {
		return false, nil
	}
	setRange(a.sum.Valid(), old, a.sum.Len())
	a.filled.n = a.sum.Len()
	addFloats(a.sums(a.sum.Data()), rows, groups, args[0])
	return true, nil
}

// UpdateWhole adds and counts numbers.
func (a *floatAvg) UpdateWhole(old int, rows, groups []int32, args []*vec.Vec) (bool, error) {
	sum, n := a.sums(a.sum.Data()), a.n.Data()
	switch v := args[0]; v.Type.Kind {
	case expr.KindFloat64:
		return averageSpan[float64](sum, n, groups, v, rows), nil
	case expr.KindInt32:
		return averageSpan[int32](sum, n, groups, v, rows), nil
	case expr.KindInt64:
		return averageSpan[int64](sum, n, groups, v, rows), nil
	}
	return false, nil
}

// UpdateWhole adds and counts decimals.
func (a *decAvg) UpdateWhole(old int, rows, groups []int32, args []*vec.Vec) (bool, error) {
	done, err := a.decSum.UpdateWhole(old, rows, groups, args)
	if done {
		kernels.CountGroups(a.n.Data(), groups)
	}
	return done, err
}

func averageSpan[T kernels.Signed | ~float64](sum []float64, n []int64, groups []int32, v *vec.Vec, rows []int32) bool {
	vals, ok := span[T](v, rows)
	if ok {
		kernels.FloatSumGroups(sum, n, groups, vals)
	}
	return ok
}

// UpdateWhole compares numbers.
func (a *extreme) UpdateWhole(old int, rows, groups []int32, args []*vec.Vec) (bool, error) {
	w, ok := a.rank.(interface {
		updateWhole(old int, rows, groups []int32, v *vec.Vec) bool
	})
	return ok && w.updateWhole(old, rows, groups, args[0]), nil
}

// Reset forgets all groups.
func (a *extreme) Reset() {
	if r, ok := a.rank.(Resetter); ok {
		r.Reset()
	}
}

// begin gives the groups from old on a value that no other is worse than.
func (k *numberRank[T]) begin(old int) {
	n := k.col.Len()
	setRange(k.col.Valid(), old, n)
	fill(k.col.Data()[old:], worst[T](k.max))
	k.filled.n = n
}

// worst is the value that every other beats in min, or in max. NaN is the
// greatest.
func worst[T number](max bool) T {
	var t T
	var x any
	switch any(t).(type) {
	case int8:
		x = pick[int8](max, math.MinInt8, math.MaxInt8)
	case int16:
		x = pick[int16](max, math.MinInt16, math.MaxInt16)
	case int32:
		x = pick[int32](max, math.MinInt32, math.MaxInt32)
	case int64:
		x = pick[int64](max, math.MinInt64, math.MaxInt64)
	case float32:
		x = pick(max, float32(math.Inf(-1)), float32(math.NaN()))
	default:
		x = pick(max, math.Inf(-1), math.NaN())
	}
	return x.(T)
}

func pick[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}

func (k *numberRank[T]) updateWhole(old int, rows, groups []int32, v *vec.Vec) bool {
	if k.ties || !k.filled.upTo(old, k.col.Valid()) {
		return false
	}
	vals, ok := span[T](v, rows)
	if !ok {
		return false
	}
	k.begin(old)
	best := k.col.Data()
	switch best := any(best).(type) {
	case []int32:
		extremes(k.max, best, groups, any(vals).([]int32))
		return true
	case []int64:
		extremes(k.max, best, groups, any(vals).([]int64))
		return true
	}
	for i, g := range groups {
		if beats(k.order, vals[i], best[g]) {
			best[g] = vals[i]
		}
	}
	return true
}

func extremes[T kernels.Signed](max bool, best []T, groups []int32, vals []T) {
	if max {
		kernels.MaxGroups(best, groups, vals)
	} else {
		kernels.MinGroups(best, groups, vals)
	}
}

// SumMinMax is UpdateWhole of the sum, the minimum and the maximum of one column
// of integers in one pass; it reports false, and has done nothing, where the
// accumulators or the column are of another kind.
func SumMinMax(sum, low, high Accumulator, old int, rows, groups []int32, arg *vec.Vec) (bool, error) {
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
		return sumMinMax(s, l, hi.rank, old, rows, groups, arg)
	case *numberRank[int32]:
		return sumMinMax(s, l, hi.rank, old, rows, groups, arg)
	}
	return false, nil
}

func sumMinMax[T int32 | int64](s *intSum, lo *numberRank[T], high rank, old int, rows, groups []int32, arg *vec.Vec) (bool, error) {
	hi, ok := high.(*numberRank[T])
	if !ok || lo.ties || hi.ties || lo.max || !hi.max {
		return false, nil
	}
	if !s.filled.upTo(old, s.sum.Valid()) || !lo.filled.upTo(old, lo.col.Valid()) || !hi.filled.upTo(old, hi.col.Valid()) {
		return false, nil
	}
	vals, ok := span[T](arg, rows)
	if !ok {
		return false, nil
	}
	s.begin(old)
	lo.begin(old)
	hi.begin(old)
	wrapped := kernels.SumMinMaxGroups(s.sum.Data(), lo.col.Data(), hi.col.Data(), groups, vals)
	return true, s.check(wrapped, groups)
}
