package compute

import (
	"github.com/flightd/flightd/compute/agg"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/state"
)

// groups is a table of groups that is not kept, and its accumulators.
type groups struct {
	plan  *grouping
	table *state.Table
	accs  []agg.Accumulator
	rows  agg.Rows
	count *state.Fixed[int64]
	// settled says that the groups were merged, if only into empty ones.
	settled bool
	skipped []bool
	counted []int32
	// charged is how much of the table's memory is counted.
	charged int64
}

func (g *grouping) newGroups() *groups {
	schema := g.schema
	if g.countRows {
		schema.Values = append(schema.Values[:len(schema.Values):len(schema.Values)], state.Field{Name: "rows", Type: "BIGINT", Kind: state.Int64})
	}
	s := &groups{plan: g, table: state.NewTable(schema, g.env.Seed)}
	s.accs = g.bind(s.table)
	if g.countRows {
		s.count = s.table.Value(len(g.schema.Values)).(*state.Fixed[int64])
	}
	return s
}

// take returns the groups of s, those of the splits so far, with part, those of
// the next split, merged in. s is nil before the first split; plan is whose
// scratch memory the groups use from now on.
func (s *groups) take(part *groups, plan *grouping) (*groups, error) {
	if s == nil {
		part.plan = plan
		return part, nil
	}
	s.settle()
	var keys state.Keys
	part.table.Keys(&keys)
	n := part.table.Rows()
	rows := make([]int32, n)
	if err := s.table.Upsert(&keys, nil, rows); err != nil {
		return s, err
	}
	if err := s.merge(rows, part, plan.list.first(n)); err != nil {
		return s, err
	}
	return s, s.charge()
}

// merge takes groups src of part into groups dst.
func (s *groups) merge(dst []int32, part *groups, src []int32) error {
	for i, acc := range s.accs {
		if err := acc.Merge(dst, part.accs[i], src); err != nil {
			return err
		}
	}
	if s.count != nil {
		to, from := s.count.Data(), part.count.Data()
		for i, r := range dst {
			to[r] += from[src[i]]
		}
	}
	return nil
}

// rowsOf returns how many input rows the groups of sel have, where that is
// counted; nil is all groups.
func (s *groups) rowsOf(sel []int32) int64 {
	if s.count == nil {
		return 0
	}
	n, counts := int64(0), s.count.Data()
	if sel == nil {
		for _, c := range counts {
			n += c
		}
	}
	for _, r := range sel {
		n += counts[r]
	}
	return n
}

// reset drops all groups and keeps their memory.
func (s *groups) reset() {
	s.table.Reset()
	for _, a := range s.accs {
		if r, ok := a.(agg.Resetter); ok {
			r.Reset()
		}
	}
	s.settled = false
}

// settle makes the groups what merging them into empty ones gives: Spark does so
// with the groups of a split, unless a batch query has only one.
func (s *groups) settle() {
	if !s.settled {
		settle(s.accs, s.plan.list.first(s.table.Rows()))
		s.settled = true
	}
}

func settle(accs []agg.Accumulator, rows []int32) {
	for _, a := range accs {
		if s, ok := a.(agg.Settler); ok {
			s.Settle(rows)
		}
	}
}

// ensureOne makes the one group of an aggregation without keys.
func (s *groups) ensureOne() error {
	if err := s.plan.norm.Normalise(nil, 1, nil); err != nil {
		return err
	}
	return s.table.Upsert(s.plan.norm, nil, make([]int32, 1))
}

// add takes in a batch.
func (s *groups) add(b Batch) error {
	g := s.plan
	in := g.view.of(b)
	var rows []int32
	var err error
	if g.computes && b.sparse() && g.panes == nil && g.session == nil {
		in = g.view.gathered()
		rows = g.list.first(in.Rows)
	} else {
		rows, err = g.admitted(in, b)
	}
	if err != nil || len(rows) == 0 {
		return err
	}
	keys, err := g.keyVectors(in, rows)
	if err != nil {
		return err
	}
	if cap(g.rows) < len(rows) {
		g.rows = make([]int32, len(rows))
	}
	g.taken += int64(len(rows))
	ids, old := g.rows[:len(rows)], s.table.Rows()
	if err := s.find(keys, in, ids); err != nil {
		return err
	}
	if s.count != nil {
		kernels.CountGroups(s.count.Data(), ids)
	}
	skip := s.skip()
	g.common.Begin(in)
	for i := range g.aggs {
		a := &g.aggs[i]
		if skip[i] = a.partial(); skip[i] {
			err = a.update(s.accs[i], in, rows, ids, keys)
		} else {
			err = a.evaluate(in)
		}
		if err != nil {
			return err
		}
	}
	if err := g.fold(s.accs, s.rows.Begin(old, rows, ids), func(i int) []*vec.Vec { return g.aggs[i].vals }, skip); err != nil {
		return err
	}
	return s.charge()
}

// takeRun gives the accumulators rows sel of a run; ids are their groups, of which
// there were old before.
func (s *groups) takeRun(r *run, sel, ids []int32, old int) error {
	if s.count != nil {
		kernels.CountGroups(s.count.Data(), ids)
	}
	skip := s.skip()
	for i, bits := range r.counted {
		if bits == nil {
			continue
		}
		skip[i] = true
		if rows, groups := s.filtered(bits, sel, ids); len(rows) > 0 {
			if err := s.accs[i].Update(rows, groups, r.args[i]); err != nil {
				return err
			}
		}
	}
	return s.plan.fold(s.accs, s.rows.Begin(old, sel, ids), func(i int) []*vec.Vec { return r.args[i] }, skip)
}

// filtered returns the members of sel whose bit is set, with their groups.
func (s *groups) filtered(bits []byte, sel, ids []int32) (rows, groups []int32) {
	if cap(s.counted) < 2*len(sel) {
		s.counted = make([]int32, 2*len(sel))
	}
	rows, groups = s.counted[:len(sel)], s.counted[len(sel):2*len(sel)]
	n := 0
	for i, r := range sel {
		rows[n], groups[n] = r, ids[i]
		n += int(bits[r>>3] >> (r & 7) & 1)
	}
	return rows[:n], groups[:n]
}

// find finds or adds the groups of the live rows of in.
func (s *groups) find(keys []state.Vector, in *cexpr.Input, ids []int32) error {
	if len(keys) == 0 { // there is one group
		clear(ids)
		if s.table.Rows() == 0 {
			return s.ensureOne()
		}
		return nil
	}
	if done, err := s.table.UpsertDirect(keys, in.Sel, ids); done || err != nil {
		return err
	}
	norm := s.plan.norm
	if err := norm.Normalise(keys, in.Rows, in.Sel); err != nil {
		return err
	}
	return s.table.Upsert(norm, in.Sel, ids)
}

// skip returns a flag for each aggregate, none of them set.
func (s *groups) skip() []bool {
	if s.skipped == nil {
		s.skipped = make([]bool, len(s.accs))
	}
	clear(s.skipped)
	return s.skipped
}

// column returns output column i of groups lo to hi: keys first.
func (g *groups) column(i, lo, hi int) (*vec.Vec, error) {
	return g.columnOf(i, g.plan.list.first(hi)[lo:hi])
}

func (g *groups) columnOf(i int, rows []int32) (*vec.Vec, error) {
	if i < len(g.plan.keys.types) {
		return g.plan.keys.column(i, func(k int) (state.Vector, error) { return g.table.Key(k, rows) })
	}
	return g.accs[i-len(g.plan.keys.types)].Final(rows)
}
