package compute

import (
	"context"
	"io"
	"strconv"

	"github.com/flightd/flightd/compute/agg"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// A grouping is a GROUP BY, compiled: it turns batches into tables of groups.
type grouping struct {
	env    *Env
	view   *view
	keys   *keyLayout
	evals  []cexpr.Evaluator
	aggs   []aggregation
	schema state.Schema
	// countRows adds a column that counts the input rows of each group.
	countRows bool

	norm *state.Keys
	rows []int32
	cols []*vec.Vec
	list rowList
}

// An aggregation is one aggregate of a grouping.
type aggregation struct {
	fn    *agg.Func
	args  []cexpr.Evaluator
	first int // the first of its columns
	// filter, if set, says which rows count, and distinct leaves out those whose
	// arguments the group has had.
	filter   cexpr.Predicate
	distinct *distinct
	sel      []int32
	groups   []int32
	vals     []*vec.Vec
}

func newGrouping(n *physical.Aggregate, env *Env) (*grouping, error) {
	g := &grouping{env: env, view: newView(n.Input.Schema(), n.Keys...)}
	types := make([]*expr.Type, len(n.Keys))
	for i, k := range n.Keys {
		types[i] = k.Type()
	}
	g.keys = newKeyLayout(types)
	g.schema.Keys = g.keys.fields
	var err error
	if g.evals, err = cexpr.CompileAll(n.Keys, env.Expr); err != nil {
		return nil, err
	}
	for i, a := range n.Aggs {
		if err := g.add(i, a); err != nil {
			return nil, err
		}
	}
	g.norm = state.NewKeys(g.schema.Keys, env.Seed)
	g.cols = make([]*vec.Vec, len(n.Keys))
	return g, nil
}

func (g *grouping) add(i int, a *expr.Agg) error {
	fn, err := agg.New(a, constants{a.Args, g.env})
	if err != nil {
		return err
	}
	s := aggregation{fn: fn, first: len(g.schema.Values), vals: make([]*vec.Vec, len(a.Args))}
	if s.args, err = cexpr.CompileAll(a.Args, g.env.Expr); err != nil {
		return err
	}
	g.view.use(a.Children()...)
	if a.Filter != nil {
		if s.filter, err = cexpr.CompilePredicate(a.Filter, g.env.Expr); err != nil {
			return err
		}
	}
	if a.Distinct {
		s.distinct = newDistinct(g, a)
	}
	for _, f := range fn.Fields {
		f.Name = "a" + strconv.Itoa(i) + "." + f.Name
		g.schema.Values = append(g.schema.Values, f)
	}
	g.aggs = append(g.aggs, s)
	return nil
}

// constants evaluates the arguments of an aggregate that are no columns.
type constants struct {
	args []expr.Expr
	env  *Env
}

func (c constants) Value(i int) (*vec.Vec, error) {
	l, err := cexpr.Fold(c.args[i], c.env.Expr)
	if err != nil {
		return nil, err
	}
	return cexpr.Constant(l.Value, c.args[i].Type())
}

// groups is a table of groups that is not kept, and its accumulators.
type groups struct {
	plan  *grouping
	table *state.Table
	accs  []agg.Accumulator
	count *state.Fixed[int64]
	// settled says that the groups were merged, if only into empty ones.
	settled bool
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

// bind returns accumulators over the value columns of t.
func (g *grouping) bind(t *state.Table) []agg.Accumulator {
	accs := make([]agg.Accumulator, len(g.aggs))
	for i, s := range g.aggs {
		cols := make([]state.Column, len(s.fn.Fields))
		for c := range cols {
			cols[c] = t.Value(s.first + c)
		}
		accs[i] = s.fn.Bind(cols)
	}
	return accs
}

// gather drains op: the groups of all splits. Without keys there is always one
// group.
func (g *grouping) gather(ctx context.Context, op Operator) (*groups, error) {
	var merged *groups
	part, split := g.newGroups(), int32(0)
	for {
		b, err := op.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if b.Live() == 0 {
			continue
		}
		if b.Split != split && part.table.Rows() > 0 {
			if merged, err = merged.take(part); err != nil {
				return nil, err
			}
			part = g.newGroups()
		}
		split = b.Split
		if err := part.add(b); err != nil {
			return nil, err
		}
	}
	merged, err := merged.take(part)
	if err == nil && len(g.evals) == 0 {
		err = merged.ensureOne()
	}
	return merged, err
}

// take returns the groups of s, those of the splits so far, with part, those of
// the next split, merged in. s is nil before the first split.
func (s *groups) take(part *groups) (*groups, error) {
	if s == nil {
		return part, nil
	}
	s.settle()
	var keys state.Keys
	part.table.Keys(&keys)
	n := part.table.Rows()
	rows := make([]int32, n)
	if err := s.table.Upsert(&keys, nil, rows); err != nil {
		return nil, err
	}
	src := part.plan.list.first(n)
	for i, acc := range s.accs {
		if err := acc.Merge(rows, part.accs[i], src); err != nil {
			return nil, err
		}
	}
	if s.count != nil {
		to, from := s.count.Data(), part.count.Data()
		for i, r := range rows {
			to[r] += from[i]
		}
	}
	return s, nil
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
	rows := g.list.of(b)
	keys, err := g.keyVectors(in, rows)
	if err != nil {
		return err
	}
	if err := g.norm.Normalise(keys, in.Rows, in.Sel); err != nil {
		return err
	}
	if cap(g.rows) < len(rows) {
		g.rows = make([]int32, len(rows))
	}
	ids := g.rows[:len(rows)]
	if err := s.table.Upsert(g.norm, in.Sel, ids); err != nil {
		return err
	}
	if s.count != nil {
		count := s.count.Data()
		for _, id := range ids {
			count[id]++
		}
	}
	for i := range g.aggs {
		if err := g.aggs[i].update(s.accs[i], in, rows, ids, keys); err != nil {
			return err
		}
	}
	return nil
}

func (g *grouping) keyVectors(in *cexpr.Input, rows []int32) ([]state.Vector, error) {
	for i, ev := range g.evals {
		v, err := ev.Eval(in)
		if err != nil {
			return nil, err
		}
		g.cols[i] = v
	}
	return g.keys.vectors(g.cols, rows), nil
}

// update gives acc the rows of in that count; ids are their groups.
func (a *aggregation) update(acc agg.Accumulator, in *cexpr.Input, rows, ids []int32, keys []state.Vector) error {
	live := *in
	if a.filter != nil {
		sel, err := a.filter.Select(in, a.sel)
		if err != nil {
			return err
		}
		a.sel = sel
		rows, ids = sel, a.pick(rows, ids, sel)
		live.Sel = sel
	}
	if len(rows) == 0 {
		return nil
	}
	for i, ev := range a.args {
		v, err := ev.Eval(&live)
		if err != nil {
			return err
		}
		a.vals[i] = v
	}
	if a.distinct != nil {
		var err error
		if rows, ids, err = a.distinct.first(keys, a.vals, rows, ids); err != nil {
			return err
		}
	}
	return acc.Update(rows, ids, a.vals)
}

// pick returns the groups of sel, a part of rows.
func (a *aggregation) pick(rows, ids, sel []int32) []int32 {
	a.groups = a.groups[:0]
	i := 0
	for _, r := range sel {
		for rows[i] != r {
			i++
		}
		a.groups = append(a.groups, ids[i])
	}
	return a.groups
}
