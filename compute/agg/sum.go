package agg

import (
	"math"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

func newSum(c call) (*Func, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	if c.Fn == "try_sum" {
		c.Agg = withMode(c.Agg, expr.Try)
	}
	switch t := c.arg(0); {
	case t.Kind == expr.KindDecimal:
		return decimalSum(c, c.Typ), nil
	case t.IsInteger() || t.Kind == expr.KindDayTime || t.Kind == expr.KindYearMonth:
		return intSumFunc(c), nil
	case t.IsNumeric() || t.Kind == expr.KindNull:
		return floatSumFunc(c.Typ), nil
	}
	return nil, c.unsupported(c.arg(0))
}

func withMode(a *expr.Agg, m expr.Mode) *expr.Agg {
	b := *a
	b.Mode = m
	return &b
}

// intSum adds integers and intervals. A sum of nothing is NULL; seen tells it
// from the NULL of a sum that a Try could not hold.
type intSum struct {
	sum  *state.Fixed[int64]
	seen *state.Fixed[uint8]
	typ  *expr.Type
	mode expr.Mode
	at   base.Pos
	picker
	filled
}

// intSumFunc is the sum of integers or intervals. Where it becomes NULL once it
// overflows, the order of rows decides; where that is an error, it may only be one
// or none.
func intSumFunc(c call) *Func {
	anyOrder := c.Mode != expr.Try
	return &Func{
		Direct:   anyOrder,
		AnyOrder: anyOrder,
		Fields:   []state.Field{field(state.Int64, c.Typ.SQL(), true), field(state.Bool, "BOOLEAN", false)},
		bind: func(cols []state.Column) Accumulator {
			return &intSum{sum: cols[0].(*state.Fixed[int64]), seen: cols[1].(*state.Fixed[uint8]), typ: c.Typ, mode: c.Mode, at: c.At}
		},
	}
}

func (a *intSum) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[0])
	if len(rows) == 0 {
		return nil
	}
	v := args[0].Flat()
	switch v.Type.Width() {
	case 1:
		return addInts(a, rows, groups, vec.Values[int8](v))
	case 2:
		return addInts(a, rows, groups, vec.Values[int16](v))
	case 4:
		return addInts(a, rows, groups, vec.Values[int32](v))
	}
	return addInts(a, rows, groups, vec.Values[int64](v))
}

func addInts[T int8 | int16 | int32 | int64](a *intSum, rows, groups []int32, vals []T) error {
	if a.mode == expr.Try {
		for i, r := range rows {
			a.tryAdd(groups[i], int64(vals[r]))
		}
		return nil
	}
	sum, valid, seen := a.sum.Data(), a.sum.Valid(), a.seen.Data()
	wrapped := int64(0)
	for i, r := range rows {
		g, x := groups[i], int64(vals[r])
		old := sum[g]
		s := old + x
		wrapped |= (old ^ s) & (x ^ s)
		sum[g], seen[g] = s, 1
		set(valid, g)
	}
	return a.check(wrapped, groups)
}

func (a *intSum) tryAdd(g int32, x int64) {
	sum, valid, seen := a.sum.Data(), a.sum.Valid(), a.seen.Data()
	old := sum[g]
	s := old + x
	fits := (old^s)&(x^s) >= 0 && (a.typ.Kind != expr.KindYearMonth || int64(int32(s)) == s)
	switch {
	case seen[g] == 1 && !isSet(valid, g):
	case fits:
		sum[g] = s
		set(valid, g)
	default:
		unset(valid, g)
	}
	seen[g] = 1
}

// check reports a sum that overflowed: wrapped is negative if any did.
func (a *intSum) check(wrapped int64, groups []int32) error {
	if a.mode == expr.Legacy && !a.typ.IsInterval() {
		return nil
	}
	if a.typ.Kind == expr.KindYearMonth {
		sum := a.sum.Data()
		for _, g := range groups {
			if s := sum[g]; s < math.MinInt32 || s > math.MaxInt32 {
				wrapped = -1
			}
		}
	}
	if wrapped >= 0 {
		return nil
	}
	if a.typ.IsInterval() {
		return base.UserError("INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "22015",
			"%s overflow while operating with intervals. Use `try_add` to tolerate overflow and return NULL instead.",
			map[bool]string{true: "Integer", false: "Long"}[a.typ.Kind == expr.KindYearMonth])
	}
	return overflow("overflow.", "try_add").At(a.at)
}

func overflow(what, instead string) *base.Error {
	return base.UserError("ARITHMETIC_OVERFLOW", "22003", "%s Use '%s' to tolerate overflow and return NULL instead. "+
		"If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error.", what, instead)
}

func (a *intSum) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*intSum)
	sum, valid, seen := o.sum.Data(), o.sum.Valid(), o.seen.Data()
	wrapped := int64(0)
	for i, g := range dst {
		r := src[i]
		if seen[r] == 0 {
			continue
		}
		if a.mode == expr.Try {
			if isSet(valid, r) {
				a.tryAdd(g, sum[r])
			} else {
				a.seen.Data()[g] = 1
				a.sum.SetNull(g)
			}
			continue
		}
		old := a.sum.Data()[g]
		s := old + sum[r]
		wrapped |= (old ^ s) & (sum[r] ^ s)
		a.sum.Set(g, s)
		a.seen.Data()[g] = 1
	}
	return a.check(wrapped, dst)
}

func (a *intSum) Final(groups []int32) (*vec.Vec, error) {
	v := column(a.typ, a.sum.Gather(groups))
	if a.typ.Width() == 4 {
		narrow := make([]int32, v.Len)
		for i, x := range vec.Values[int64](v) {
			narrow[i] = int32(x)
		}
		v.Data = vec.Bytes(narrow)
	}
	return v, nil
}

// floatSum adds doubles from zero, in row order.
type floatSum struct {
	sum *state.Fixed[float64]
	picker
	bySplit
	filled
}

// EndSplit adds the sums of the split to groups.
func (a *floatSum) EndSplit(groups []int32) { a.end(a.sum.Data(), groups) }

func floatSumFunc(t *expr.Type) *Func {
	return &Func{
		Direct: true,
		Fields: []state.Field{field(state.Float64, t.SQL(), true)},
		bind:   func(cols []state.Column) Accumulator { return &floatSum{sum: cols[0].(*state.Fixed[float64])} },
	}
}

func (a *floatSum) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[0])
	if len(rows) == 0 {
		return nil
	}
	valid := a.sum.Valid()
	for _, g := range groups {
		set(valid, g)
	}
	addFloats(a.sums(a.sum.Data()), rows, groups, args[0])
	return nil
}

func (a *floatSum) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*floatSum)
	sum, add := a.sums(a.sum.Data()), o.sum.Data()
	for i, g := range dst {
		if r := src[i]; o.sum.IsValid(r) {
			sum[g] += add[r]
			a.sum.SetValid(g)
		}
	}
	return nil
}

func (a *floatSum) Final(groups []int32) (*vec.Vec, error) {
	return column(expr.Float64, a.sum.Gather(groups)), nil
}

// addFloats adds numbers to the sums of their groups, in row order.
func addFloats(sum []float64, rows, groups []int32, v *vec.Vec) {
	v = v.Flat()
	switch v.Type.Kind {
	case expr.KindFloat64:
		addEach(sum, rows, groups, vec.Values[float64](v))
	case expr.KindFloat32:
		addEach(sum, rows, groups, vec.Values[float32](v))
	case expr.KindInt8:
		addEach(sum, rows, groups, vec.Values[int8](v))
	case expr.KindInt16:
		addEach(sum, rows, groups, vec.Values[int16](v))
	case expr.KindInt32:
		addEach(sum, rows, groups, vec.Values[int32](v))
	default:
		addEach(sum, rows, groups, vec.Values[int64](v))
	}
}

func addEach[T int8 | int16 | int32 | int64 | float32 | float64](sum []float64, rows, groups []int32, vals []T) {
	groups = groups[:len(rows)]
	for i, r := range rows {
		sum[groups[i]] += float64(vals[r])
	}
}
