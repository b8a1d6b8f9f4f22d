package agg

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/state"
)

// first keeps the first row's value, or the last one's; among rows that are not
// NULL if ignoreNulls. A NULL that was taken is told from nothing by seen.
type first struct {
	value             slot
	seen              *state.Fixed[uint8]
	last, ignoreNulls bool
	picker
	pickRows, pickGroups []int32
}

func newFirst(c call) (*Func, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	ignore := c.IgnoreNulls
	if len(c.Args) > 1 {
		v, err := c.constants.Value(1)
		if err != nil {
			return nil, err
		}
		ignore = ignore || !v.Null(0) && v.Bool(0)
	}
	t := c.arg(0)
	return &Func{
		Fields: []state.Field{slotField(t), field(state.Bool, "BOOLEAN", false)},
		bind: func(cols []state.Column) Accumulator {
			return &first{value: newSlot(t, cols[0]), seen: cols[1].(*state.Fixed[uint8]),
				last: c.Fn == "last" || c.Fn == "last_value", ignoreNulls: ignore}
		},
	}, nil
}

func (a *first) Update(rows, groups []int32, args []*vec.Vec) error {
	if a.ignoreNulls {
		rows, groups = a.present(rows, groups, args[0])
	}
	rows, groups = a.pick(rows, groups)
	a.value.put(groups, rows, args[0])
	return nil
}

// pick marks groups as seen and returns the members whose value is to be kept.
func (a *first) pick(rows, groups []int32) (pickRows, pickGroups []int32) {
	seen := a.seen.Data()
	if a.last {
		for _, g := range groups {
			seen[g] = 1
		}
		return rows, groups
	}
	a.pickRows, a.pickGroups = a.pickRows[:0], a.pickGroups[:0]
	for i, g := range groups {
		if seen[g] == 0 {
			seen[g] = 1
			a.pickRows, a.pickGroups = append(a.pickRows, rows[i]), append(a.pickGroups, g)
		}
	}
	return a.pickRows, a.pickGroups
}

func (a *first) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*first)
	seen := o.seen.Data()
	a.rows, a.groups = a.rows[:0], a.groups[:0]
	for i, r := range src {
		if seen[r] == 1 {
			a.rows, a.groups = append(a.rows, r), append(a.groups, dst[i])
		}
	}
	rows, groups := a.pick(a.rows, a.groups)
	a.value.move(groups, o.value, rows)
	return nil
}

func (a *first) Final(groups []int32) (*vec.Vec, error) { return a.value.take(groups), nil }
