package compute

import (
	"context"

	"github.com/flightd/flightd/compute/agg"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// overAggregate is an aggregate over a frame of each row. Frames that are whole
// partitions, or begin with them, take in each row once; others are taken in
// anew for each row, as Spark does: that costs rows times frame.
type overAggregate struct {
	plan  *grouping
	frame *frame
	whole bool
	// tail says that every frame ends with its partition, and exact that the order
	// of rows does not matter: then rows are taken in from the back.
	tail, exact bool
}

func newOverAggregate(n *physical.Over, a *expr.Agg, f *physical.OverFunction, env *Env) (overFunction, error) {
	plan, err := newGroupingBy(&physical.Aggregate{Input: n.Input, Aggs: []*expr.Agg{a}}, newKeyLayout([]*expr.Type{expr.Int32}), nil, env)
	if err != nil {
		return nil, err
	}
	out := &overAggregate{plan: plan, exact: a.Fn == "count" || (a.Fn == "sum" || a.Fn == "min" || a.Fn == "max") && exactly(a)}
	if out.frame, err = newFrame(f.Frame, len(n.Order) > 0, env); err != nil {
		return nil, err
	}
	out.whole = out.frame.Lower.Kind == -2 && out.frame.Upper.Kind == 2
	out.tail = out.frame.Upper.Kind == 2
	return out, nil
}

// overGroups are the accumulators of groups numbered from 0.
type overGroups struct {
	acc  agg.Accumulator
	plan *overAggregate
	s    *sorted
	// counts says, where a filter is set, which rows count.
	counts []bool
}

// groups makes n empty groups.
func (f *overAggregate) groups(s *sorted, n int, counts []bool) (*overGroups, error) {
	t := state.NewTable(f.plan.schema, f.plan.env.Seed)
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(i)
	}
	key := vec.FromValues(expr.Int32, ids, nil)
	norm := state.NewKeys(f.plan.schema.Keys, f.plan.env.Seed)
	if err := norm.Normalise(f.plan.keys.vectors([]*vec.Vec{key}, ids), n, nil); err != nil {
		return nil, err
	}
	rows := make([]int32, n)
	if err := t.Upsert(norm, nil, rows); err != nil {
		return nil, err
	}
	return &overGroups{acc: f.plan.bind(t)[0], plan: f, s: s, counts: counts}, nil
}

// add takes rows into groups.
func (g *overGroups) add(rows, groups []int32) error {
	if g.counts != nil {
		kept := 0
		for i, r := range rows {
			if g.counts[r] {
				rows[kept], groups[kept] = r, groups[i]
				kept++
			}
		}
		rows, groups = rows[:kept], groups[:kept]
	}
	if len(rows) == 0 {
		return nil
	}
	return g.acc.Update(rows, groups, g.plan.plan.aggs[0].vals)
}

func (f *overAggregate) column(ctx context.Context, s *sorted) (*vec.Vec, error) {
	a := &f.plan.aggs[0]
	f.plan.common.Begin(s.in)
	if err := a.evaluate(s.in); err != nil {
		return nil, err
	}
	for i, v := range a.vals {
		a.vals[i] = vec.Fresh(v)
	}
	var counts []bool
	if a.filter != nil {
		sel, err := a.filter.Select(s.in, nil)
		if err != nil {
			return nil, err
		}
		counts = make([]bool, s.all.rows)
		for _, r := range sel {
			counts[r] = true
		}
	}
	if s.all.rows == 0 {
		g, err := f.groups(s, 0, nil)
		if err != nil {
			return nil, err
		}
		return g.acc.Final(nil)
	}
	if f.whole {
		return f.partitions(s, counts)
	}
	lo, hi, err := f.frame.bounds(s)
	if err != nil {
		return nil, err
	}
	switch {
	case f.frame.Lower.Kind == -2:
		return f.growing(ctx, s, counts, hi, false)
	case f.tail && f.exact:
		return f.growing(ctx, s, counts, lo, true)
	}
	return f.sliding(ctx, s, counts, lo, hi)
}

// partitions gives every row the aggregate of its partition.
func (f *overAggregate) partitions(s *sorted, counts []bool) (*vec.Vec, error) {
	n := len(s.starts) - 1
	g, err := f.groups(s, n, counts)
	if err != nil {
		return nil, err
	}
	rows, parts := f.plan.list.first(s.all.rows), append([]int32(nil), s.part...)
	if err := g.add(append([]int32(nil), rows...), parts); err != nil {
		return nil, err
	}
	v, err := g.acc.Final(append([]int32(nil), f.plan.list.first(n)...))
	if err != nil {
		return nil, err
	}
	return v.Flat().Take(s.part), nil
}

// growing takes each row in once. Frames reach from the partition's begin to ends,
// or with back from ends to the partition's end. Partitions go abreast: a step
// is the next end of each of them.
func (f *overAggregate) growing(ctx context.Context, s *sorted, counts []bool, ends []int32, back bool) (*vec.Vec, error) {
	n := len(s.starts) - 1
	g, err := f.groups(s, n, counts)
	if err != nil {
		return nil, err
	}
	// next is the row of each partition whose frame comes next, fed how far it is.
	next, fed := make([]int32, n), make([]int32, n)
	open := make([]int32, n)
	for p := range n {
		open[p], next[p], fed[p] = int32(p), s.starts[p], s.starts[p]
		if back {
			next[p], fed[p] = s.starts[p+1]-1, s.starts[p+1]
		}
	}
	var parts []*vec.Vec
	place := make([]int32, s.all.rows)
	done := int32(0)
	var rows, groups []int32
	for len(open) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows, groups = rows[:0], groups[:0]
		for _, p := range open {
			end := ends[next[p]]
			for ; !back && fed[p] < end; fed[p]++ {
				rows, groups = append(rows, fed[p]), append(groups, p)
			}
			for ; back && fed[p] > end; fed[p]-- {
				rows, groups = append(rows, fed[p]-1), append(groups, p)
			}
		}
		if err := g.add(rows, groups); err != nil {
			return nil, err
		}
		v, err := g.acc.Final(open)
		if err != nil {
			return nil, err
		}
		parts = append(parts, vec.Fresh(v.Flat()))
		left := open[:0:0]
		for _, p := range open {
			end := ends[next[p]]
			for next[p] >= s.starts[p] && next[p] < s.starts[p+1] && ends[next[p]] == end {
				place[next[p]] = done
				if back {
					next[p]--
				} else {
					next[p]++
				}
			}
			done++
			if next[p] >= s.starts[p] && next[p] < s.starts[p+1] {
				left = append(left, p)
			}
		}
		open = left
	}
	return vec.Concat(parts).Take(place), nil
}

// slidingRows is how many rows sliding frames take in at a time.
const slidingRows = 1 << 16

// sliding takes in the frame of every row by itself.
func (f *overAggregate) sliding(ctx context.Context, s *sorted, counts []bool, lo, hi []int32) (*vec.Vec, error) {
	var parts []*vec.Vec
	for from := 0; from < s.all.rows; {
		to, sum := from, 0
		for to < s.all.rows && to-from < BatchRows && (to == from || sum+int(hi[to]-lo[to]) <= slidingRows) {
			sum += int(hi[to] - lo[to])
			to++
		}
		g, err := f.groups(s, to-from, counts)
		if err != nil {
			return nil, err
		}
		rows, groups := make([]int32, 0, min(sum, slidingRows)), make([]int32, 0, min(sum, slidingRows))
		for i := from; i < to; i++ {
			for r := lo[i]; r < hi[i]; r++ {
				rows, groups = append(rows, r), append(groups, int32(i-from))
				if len(rows) == slidingRows { // one long frame
					if err := ctx.Err(); err != nil {
						return nil, err
					}
					if err := g.add(rows, groups); err != nil {
						return nil, err
					}
					rows, groups = rows[:0], groups[:0]
				}
			}
		}
		if err := g.add(rows, groups); err != nil {
			return nil, err
		}
		v, err := g.acc.Final(append([]int32(nil), f.plan.list.first(to-from)...))
		if err != nil {
			return nil, err
		}
		parts = append(parts, vec.Fresh(v.Flat()))
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		from = to
	}
	return vec.Concat(parts), nil
}
