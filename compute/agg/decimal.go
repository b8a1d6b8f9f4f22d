package agg

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// decSum adds decimals of one scale. A sum beyond its precision becomes NULL and
// stays so, which Final makes an error unless the mode forbids.
type decSum struct {
	sum  *state.Fixed[state.Word16]
	seen *state.Fixed[uint8]
	typ  *expr.Type
	call call
	// instead is the function that tolerates what overflows.
	instead string
	// roomy: see neverFull.
	roomy bool
	filled
	picker
}

func decimalSumFields(t *expr.Type) []state.Field {
	return []state.Field{field(state.Wide, t.SQL(), true), field(state.Bool, "BOOLEAN", false)}
}

func bindDecimalSum(cols []state.Column, t *expr.Type, c call, instead string) *decSum {
	return &decSum{sum: cols[0].(*state.Fixed[state.Word16]), seen: cols[1].(*state.Fixed[uint8]), typ: t, call: c, instead: instead, roomy: neverFull(c, t)}
}

// decimalSum is sum(DECIMAL); t is its type, of the argument's scale.
func decimalSum(c call, t *expr.Type) *Func {
	roomy := neverFull(c, t)
	return &Func{
		Direct:   roomy,
		AnyOrder: roomy,
		Fields:   decimalSumFields(t),
		bind:     func(cols []state.Column) Accumulator { return bindDecimalSum(cols, t, c, "try_sum") },
	}
}

// neverFull reports whether a sum of type t cannot overflow: it has ten digits more
// than what it adds, so that takes more rows than there are in an epoch. Where a sum
// can, the order of its rows decides.
func neverFull(c call, t *expr.Type) bool { return t.Precision >= c.arg(0).Precision+10 }

func (a *decSum) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[0])
	if len(rows) == 0 {
		return nil
	}
	vals := vec.Values[kernels.Int128](args[0].Flat())
	sum, valid, seen := int128s(a.sum.Data()), a.sum.Valid(), a.seen.Data()
	limit := kernels.Pow10(a.typ.Precision)
	for i, r := range rows {
		g := groups[i]
		// Below its limit, of 38 digits at most, a sum has not overflowed.
		if s := sum[g].Add(vals[r]); seen[g] == 1 && isSet(valid, g) && s.Below(limit) && vals[r].Below(limit) {
			sum[g] = s
			continue
		}
		a.add(sum, valid, seen, g, vals[r])
	}
	return nil
}

// UpdateWhole adds decimals to few groups, of which none can overflow in one batch: a sum
// of one digit less than its type has takes another 2^31 values of ten digits less, or,
// if it has 30 digits, of 64 bits.
func (a *decSum) UpdateWhole(rows *Rows, args []*vec.Vec) (bool, error) {
	v, n := args[0], a.sum.Len()
	if v.Valid != nil || v.Const || v.Type.Kind != expr.KindDecimal || 4*n > len(rows.At) || !a.upTo(rows.Old, a.sum.Valid()) {
		return false, nil
	}
	if !a.roomy && (a.typ.Precision < 30 || !kernels.Narrow(vec.Values[kernels.Int128](v))) {
		return false, nil
	}
	sum := int128s(a.sum.Data())[:n]
	limit := kernels.Pow10(a.typ.Precision - 1)
	for _, s := range sum {
		if !s.Below(limit) {
			return false, nil
		}
	}
	setRange(a.sum.Valid(), rows.Old, n)
	fill(a.seen.Data()[rows.Old:n], 1)
	a.filled.n = n
	rows.addDecimals(sum, vec.Values[kernels.Int128](v))
	return true, nil
}

func (a *decSum) add(sum []kernels.Int128, valid, seen []byte, g int32, x kernels.Int128) {
	if seen[g] == 1 && !isSet(valid, g) {
		return
	}
	old := sum[g]
	s := old.Add(x)
	seen[g] = 1
	if (old.Hi^s.Hi)&(x.Hi^s.Hi) < 0 || !s.Fits(a.typ.Precision) {
		sum[g] = kernels.Int128{}
		unset(valid, g)
		return
	}
	sum[g] = s
	set(valid, g)
}

func (a *decSum) Merge(dst []int32, from Accumulator, src []int32) error {
	a.merge(dst, from.(*decSum), src)
	return nil
}

func (a *decSum) merge(dst []int32, o *decSum, src []int32) {
	sum, valid, seen := int128s(a.sum.Data()), a.sum.Valid(), a.seen.Data()
	add := int128s(o.sum.Data())
	for i, g := range dst {
		switch r := src[i]; {
		case o.seen.Data()[r] == 0:
		case o.sum.IsValid(r):
			a.add(sum, valid, seen, g, add[r])
		default:
			seen[g] = 1
			a.sum.SetNull(g)
		}
	}
}

// check returns the error of a sum among groups that was too large.
func (a *decSum) check(groups []int32) error {
	if a.call.Mode != expr.ANSI {
		return nil
	}
	seen := a.seen.Data()
	for _, g := range groups {
		if seen[g] == 1 && !a.sum.IsValid(g) {
			return a.overflow()
		}
	}
	return nil
}

func (a *decSum) overflow() error {
	return overflow("Overflow in sum of decimals.", a.instead).At(a.call.At)
}

func (a *decSum) Final(groups []int32) (*vec.Vec, error) {
	return column(a.typ, a.sum.Gather(groups)), a.check(groups)
}
