package agg

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// count counts rows whose arguments are all present; with whenTrue, rows whose
// argument is true.
type count struct {
	n        *state.Fixed[int64]
	whenTrue bool
	picker
}

func newCount(c call) (*Func, error) {
	return &Func{
		Direct:   true,
		AnyOrder: true,
		Fields:   []state.Field{field(state.Int64, "BIGINT", false)},
		bind: func(cols []state.Column) Accumulator {
			return &count{n: cols[0].(*state.Fixed[int64]), whenTrue: c.Fn == "count_if"}
		},
	}, nil
}

func (a *count) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args...)
	n := a.n.Data()
	if !a.whenTrue {
		for _, g := range groups {
			n[g]++
		}
		return nil
	}
	v := args[0].Flat()
	for i, r := range rows {
		n[groups[i]] += int64(v.Data[r>>3] >> (r & 7) & 1)
	}
	return nil
}

func (a *count) Merge(dst []int32, from Accumulator, src []int32) error {
	n, m := a.n.Data(), from.(*count).n.Data()
	for i, g := range dst {
		n[g] += m[src[i]]
	}
	return nil
}

func (a *count) Final(groups []int32) (*vec.Vec, error) {
	return column(expr.Int64, a.n.Gather(groups)), nil
}
