package compute

import (
	"slices"
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
	common *cexpr.Subexpressions // of the aggregates' arguments
	schema state.Schema
	// computes: keys or arguments are more than columns.
	computes bool
	// countRows adds a column that counts the input rows of each group.
	countRows bool
	// triples are the sum, min and max of one column, by their index.
	triples [][3]int
	// panes, if set, says that a key is the number of a pane; see panes.go.
	panes *paneEvaluator
	// session, if set, says that the rows have session windows; see session_plan.go.
	session *sessionWindows
	// taken counts the rows that were grouped.
	taken int64

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
	evals, err := cexpr.CompileAll(n.Keys, env.Expr)
	if err != nil {
		return nil, err
	}
	return newGroupingBy(n, groupKeys(n), evals, env)
}

// groupKeys returns the layout of the keys of n.
func groupKeys(n *physical.Aggregate) *keyLayout {
	types := make([]*expr.Type, len(n.Keys))
	for i, k := range n.Keys {
		types[i] = k.Type()
	}
	w, key := windowKey(n)
	if w == nil {
		return newKeyLayout(types)
	}
	return newSpanLayout(types, key, w.Duration)
}

// windowKey returns the time windows that n groups by, and which key they are, where
// they come from right below: all are equally long, and rows without one are dropped.
func windowKey(n *physical.Aggregate) (*physical.Window, int) {
	w, ok := n.Input.(*physical.Window)
	if !ok || w.Duration <= 0 {
		return nil, -1
	}
	key := -1
	for i, k := range n.Keys {
		if r, ok := k.(*expr.Ref); ok && r.Index == len(w.Out)-1 {
			if key >= 0 {
				return nil, -1
			}
			key = i
		}
	}
	if key < 0 {
		return nil, -1
	}
	return w, key
}

// newGroupingBy returns the grouping of n by the keys that evals make.
func newGroupingBy(n *physical.Aggregate, keys *keyLayout, evals []cexpr.Evaluator, env *Env) (*grouping, error) {
	g := &grouping{env: env, view: newView(n.Input.Schema()), keys: keys, evals: evals}
	g.schema.Keys = g.keys.fields
	g.view.uses.addKeys(n.Keys...)
	var args []expr.Expr
	for _, a := range n.Aggs {
		if a.Filter == nil && !a.Distinct {
			args = append(args, a.Args...)
		}
	}
	g.common = cexpr.NewSubexpressions(args, env.Expr, false)
	for i, a := range n.Aggs {
		if err := g.add(i, a); err != nil {
			return nil, err
		}
	}
	g.findTriples(n.Aggs)
	g.computes = computes(n)
	g.norm = state.NewKeys(g.schema.Keys, env.Seed)
	g.cols = make([]*vec.Vec, len(n.Keys))
	return g, nil
}

// computes reports whether keys or arguments of n are more than columns.
func computes(n *physical.Aggregate) bool {
	more := func(e expr.Expr) bool { _, ok := e.(*expr.Ref); return !ok }
	return slices.ContainsFunc(n.Keys, more) || slices.ContainsFunc(n.Aggs, func(a *expr.Agg) bool { return slices.ContainsFunc(a.Args, more) })
}

func (g *grouping) add(i int, a *expr.Agg) error {
	fn, err := agg.New(a, constants{a.Args, g.env})
	if err != nil {
		return err
	}
	s := aggregation{fn: fn, first: len(g.schema.Values), vals: make([]*vec.Vec, len(a.Args))}
	s.args = make([]cexpr.Evaluator, len(a.Args))
	for j, e := range a.Args {
		if s.args[j], err = g.common.Compile(e); err != nil {
			return err
		}
	}
	g.view.uses.add(a.Args...)
	g.view.uses.addCondition(a.Filter)
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

// findTriples finds the columns of which sum, min and max are asked for.
func (g *grouping) findTriples(aggs []*expr.Agg) {
	found := map[int]*[3]int{}
	for i, a := range aggs {
		if a.Filter != nil || a.Distinct || len(a.Args) != 1 {
			continue
		}
		ref, ok := a.Args[0].(*expr.Ref)
		at := slices.Index([]string{"sum", "min", "max"}, a.Fn)
		if !ok || at < 0 {
			continue
		}
		t := found[ref.Index]
		if t == nil {
			t = &[3]int{-1, -1, -1}
			found[ref.Index] = t
		}
		if t[at] < 0 {
			t[at] = i
		}
	}
	for _, t := range found {
		if slices.Min(t[:]) >= 0 {
			g.triples = append(g.triples, *t)
		}
	}
}

// fold gives accumulators the rows of a batch: args[i] are the arguments of
// aggregate i, and none of its rows is left out unless skip says that it has been
// dealt with.
func (g *grouping) fold(accs []agg.Accumulator, batch *agg.Rows, args func(i int) []*vec.Vec, skip []bool) error {
	for _, t := range g.triples {
		done, err := batch.SumMinMax(accs[t[0]], accs[t[1]], accs[t[2]], args(t[0])[0])
		if err != nil {
			return err
		}
		if done {
			skip[t[0]], skip[t[1]], skip[t[2]] = true, true, true
		}
	}
	for i, acc := range accs {
		if skip[i] {
			continue
		}
		if w, ok := acc.(agg.Whole); ok {
			done, err := w.UpdateWhole(batch, args(i))
			if err != nil {
				return err
			}
			if done {
				continue
			}
		}
		if err := acc.Update(batch.At, batch.Groups, args(i)); err != nil {
			return err
		}
	}
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

// direct reports whether the accumulators of groups are plain columns, which several
// may read at the same time.
func (g *grouping) direct() bool {
	for _, a := range g.aggs {
		if !a.fn.Direct || a.distinct != nil {
			return false
		}
	}
	return true
}

// bind returns accumulators over the value columns of t.
func (g *grouping) bind(t interface{ Value(i int) state.Column }) []agg.Accumulator {
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

// partial reports whether rows of a batch may be left out.
func (a *aggregation) partial() bool { return a.filter != nil || a.distinct != nil }

// evaluate fills vals.
func (a *aggregation) evaluate(in *cexpr.Input) error {
	for i, ev := range a.args {
		v, err := ev.Eval(in)
		if err != nil {
			return err
		}
		a.vals[i] = v
	}
	return nil
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
	err := a.evaluate(&live)
	if err != nil {
		return err
	}
	if a.distinct != nil {
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
