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
	// UpdateWhole takes in rows as Update does. It reports false, and has done
	// nothing, if it is no faster here.
	UpdateWhole(rows *Rows, args []*vec.Vec) (bool, error)
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
func (a *count) UpdateWhole(rows *Rows, args []*vec.Vec) (bool, error) {
	if a.whenTrue {
		return false, nil
	}
	for _, v := range args {
		if v.Type.Kind == expr.KindNull || v.Valid != nil {
			return false, nil
		}
	}
	rows.count(a.n.Data())
	return true, nil
}

// UpdateWhole adds integers.
func (a *intSum) UpdateWhole(rows *Rows, args []*vec.Vec) (bool, error) {
	if a.mode == expr.Try || !a.filled.upTo(rows.Old, a.sum.Valid()) {
		return false, nil
	}
	var wrapped int64
	switch v := args[0]; v.Type.Width() {
	case 4:
		vals, ok := span[int32](v, rows.At)
		if !ok {
			return false, nil
		}
		wrapped = kernels.SumGroups(a.sum.Data(), rows.Groups, vals)
	case 8:
		vals, ok := span[int64](v, rows.At)
		if !ok {
			return false, nil
		}
		wrapped = kernels.SumGroups(a.sum.Data(), rows.Groups, vals)
	default:
		return false, nil
	}
	a.begin(rows.Old)
	return true, a.check(wrapped, rows.Groups)
}

// UpdateWhole adds and counts intervals.
func (a *intervalAvg) UpdateWhole(rows *Rows, args []*vec.Vec) (bool, error) {
	done, err := a.intSum.UpdateWhole(rows, args)
	if done {
		rows.count(a.n.Data())
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
func (a *floatSum) UpdateWhole(rows *Rows, args []*vec.Vec) (bool, error) {
	if args[0].Valid != nil || args[0].Const || !a.filled.upTo(rows.Old, a.sum.Valid()) {
		return false, nil
	}
	setRange(a.sum.Valid(), rows.Old, a.sum.Len())
	a.filled.n = a.sum.Len()
	addFloats(a.sums(a.sum.Data()), rows.At, rows.Groups, args[0])
	return true, nil
}

// UpdateWhole adds and counts numbers.
func (a *floatAvg) UpdateWhole(rows *Rows, args []*vec.Vec) (bool, error) {
	sum, n := a.sums(a.sum.Data()), a.n.Data()
	switch v := args[0]; v.Type.Kind {
	case expr.KindFloat64:
		return averageSpan[float64](sum, n, rows, v), nil
	case expr.KindInt32:
		return averageSpan[int32](sum, n, rows, v), nil
	case expr.KindInt64:
		return averageSpan[int64](sum, n, rows, v), nil
	}
	return false, nil
}

// UpdateWhole adds and counts decimals.
func (a *decAvg) UpdateWhole(rows *Rows, args []*vec.Vec) (bool, error) {
	done, err := a.decSum.UpdateWhole(rows, args)
	if done {
		rows.count(a.n.Data())
	}
	return done, err
}

func averageSpan[T kernels.Signed | ~float64](sum []float64, n []int64, rows *Rows, v *vec.Vec) bool {
	vals, ok := span[T](v, rows.At)
	switch {
	case !ok:
	case rows.few(len(n)):
		kernels.FloatSumGroups(sum, rows.Groups, vals)
		rows.count(n)
	default:
		kernels.FloatMeanGroups(sum, n, rows.Groups, vals)
	}
	return ok
}

// UpdateWhole compares numbers.
func (a *extreme) UpdateWhole(rows *Rows, args []*vec.Vec) (bool, error) {
	w, ok := a.rank.(interface {
		updateWhole(rows *Rows, v *vec.Vec) bool
	})
	return ok && w.updateWhole(rows, args[0]), nil
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

func (k *numberRank[T]) updateWhole(rows *Rows, v *vec.Vec) bool {
	if k.ties || !k.filled.upTo(rows.Old, k.col.Valid()) {
		return false
	}
	vals, ok := span[T](v, rows.At)
	if !ok {
		return false
	}
	k.begin(rows.Old)
	best, groups := k.col.Data(), rows.Groups
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
