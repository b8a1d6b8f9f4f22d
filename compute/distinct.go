package compute

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// distinct lets through the first row of each group with given arguments, over
// all splits: each value is counted in the split where it comes first.
type distinct struct {
	args   *keyLayout
	table  *state.Table
	norm   *state.Keys
	found  []int32
	rows   []int32
	groups []int32
}

func newDistinct(g *grouping, a *expr.Agg) *distinct {
	types := make([]*expr.Type, len(a.Args))
	for i, e := range a.Args {
		types[i] = e.Type()
	}
	d := &distinct{args: newKeyLayout(types)}
	fields := append(g.schema.Keys[:len(g.schema.Keys):len(g.schema.Keys)], d.args.fields...)
	d.table = state.NewTable(state.Schema{Keys: fields}, g.env.Seed)
	d.norm = state.NewKeys(fields, g.env.Seed)
	return d
}

// first returns the members of rows that are the first of their kind, with their
// groups. keys are the group's key columns.
func (d *distinct) first(keys []state.Vector, args []*vec.Vec, rows, ids []int32) ([]int32, []int32, error) {
	all := append(keys[:len(keys):len(keys)], d.args.vectors(args, rows)...)
	if err := d.norm.Normalise(all, all[0].Len, rows); err != nil {
		return nil, nil, err
	}
	if cap(d.found) < len(rows) {
		d.found = make([]int32, len(rows))
	}
	found := d.found[:len(rows)]
	next := int32(d.table.Rows())
	if err := d.table.Upsert(d.norm, rows, found); err != nil {
		return nil, nil, err
	}
	d.rows, d.groups = d.rows[:0], d.groups[:0]
	for i, f := range found {
		if f == next { // rows are numbered in the order in which they come
			next++
			d.rows, d.groups = append(d.rows, rows[i]), append(d.groups, ids[i])
		}
	}
	return d.rows, d.groups, nil
}
