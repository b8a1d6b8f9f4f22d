package planner

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// aggregate plans the grouping itself and, above it, the expressions over keys
// and aggregates that the select list asks for.
func (p *planner) aggregate(n logical.Node, group, list []expr.Expr) (physical.Node, []*expr.Column, error) {
	input := n.Inputs()[0]
	need := set{}.with(append(append([]expr.Expr(nil), group...), list...)...)
	if p.opts.KeepLate && p.state[n] != nil {
		need.addAll(input.Output())
	}
	in, cols, err := p.node(input, need)
	if err != nil {
		return nil, nil, err
	}
	a := &physical.Aggregate{Input: in, State: p.state[n]}
	p.oneEventTime(n.Pos(), among(input.Output(), ids(columnsIn(group))), a.State)
	places := map[string]*expr.Ref{}
	var keys []expr.Expr
	for _, g := range group {
		k := expr.Fingerprint(g)
		if places[k] != nil {
			continue
		}
		bound, err := p.bind(g, cols)
		if err != nil {
			return nil, nil, err
		}
		if a.State != nil && a.State.EventKey < 0 && logical.MetaOf(g).EventTime {
			a.State.EventKey = len(a.Keys)
		}
		places[k] = &expr.Ref{Index: len(a.Keys), Name: g.SQL(), Typ: g.Type(), Null: g.Nullable()}
		a.Keys, keys = append(a.Keys, bound), append(keys, g)
		a.Out = append(a.Out, expr.Field{Name: nameOf(g), Type: g.Type(), Nullable: g.Nullable()})
	}
	p.sessions(n.Pos(), a, keys)
	// Aggregations of sessions drop late rows in complete mode too.
	if s := a.State; p.opts.KeepLate && s != nil && s.EventKey >= 0 && (s.Mode != base.Complete || a.Session != nil) {
		a.Input = p.keepLate(a.Input, s, a.Keys[s.EventKey])
	}
	out := n.Output()
	top := make([]expr.Expr, len(list))
	for i, e := range list {
		if top[i], err = p.overGroups(e, a, places, cols); err != nil {
			return nil, nil, err
		}
	}
	if p.plainOutput(top, a, out) {
		return a, out, nil
	}
	return &physical.Project{Input: a, Exprs: top, Out: schemaOf(out)}, out, nil
}

// overGroups rewrites e to refer to the aggregate's output, adding the
// aggregates that it meets for the first time. Parents go first, so that a whole
// grouping expression is found before its parts.
func (p *planner) overGroups(e expr.Expr, a *physical.Aggregate, places map[string]*expr.Ref, cols []*expr.Column) (expr.Expr, error) {
	if al, ok := e.(*expr.Alias); ok {
		return p.overGroups(al.Child, a, places, cols)
	}
	k := expr.Fingerprint(e)
	if ref := places[k]; ref != nil {
		return ref, nil
	}
	if agg, ok := e.(*expr.Agg); ok {
		bound, err := p.bind(agg, cols)
		if err != nil {
			return nil, err
		}
		ref := &expr.Ref{Index: len(a.Out), Name: agg.SQL(), Typ: agg.Typ, Null: agg.Null}
		a.Aggs = append(a.Aggs, bound.(*expr.Agg))
		a.Out = append(a.Out, expr.Field{Name: agg.SQL(), Type: agg.Typ, Nullable: agg.Null})
		places[k] = ref
		return ref, nil
	}
	if sub, ok := e.(*expr.Subquery); ok {
		return p.subquery(sub)
	}
	children := e.Children()
	if len(children) == 0 {
		return e, nil
	}
	over := make([]expr.Expr, len(children))
	for i, c := range children {
		var err error
		if over[i], err = p.overGroups(c, a, places, cols); err != nil {
			return nil, err
		}
	}
	return e.With(over), nil
}

// plainOutput reports whether the select list is the aggregate's own output, and
// if so gives the columns their names.
func (p *planner) plainOutput(top []expr.Expr, a *physical.Aggregate, out []*expr.Column) bool {
	if len(top) != len(a.Out) {
		return false
	}
	for i, e := range top {
		if r, ok := e.(*expr.Ref); !ok || r.Index != i {
			return false
		}
	}
	a.Out = schemaOf(out)
	return true
}

// distinct is an aggregation over all columns without aggregates.
func (p *planner) distinct(n *logical.Distinct) (physical.Node, []*expr.Column, error) {
	cols := n.Input.Output()
	list := make([]expr.Expr, len(cols))
	for i, c := range cols {
		list[i] = c
	}
	return p.aggregate(n, list, list)
}

func nameOf(e expr.Expr) string {
	switch e := e.(type) {
	case *expr.Column:
		return e.Name
	case *expr.Alias:
		return e.Name
	}
	return e.SQL()
}

// numberStateful gives each stateful operator of a stream its number: from the
// sink down, left before right, as Spark's progress report lists them.
func (p *planner) numberStateful(root logical.Node) {
	p.state = map[logical.Node]*physical.State{}
	var visit func(n logical.Node)
	visit = func(n logical.Node) {
		name := ""
		switch n := n.(type) {
		case *logical.Aggregate, *logical.Distinct, *logical.SetOp:
			name = "stateStoreSave"
			if groupsSessions(n) {
				name = "sessionWindowStateStoreSaveExec"
			}
		case *logical.Deduplicate:
			name = "dedupe"
			if n.Within {
				name = "dedupeWithinWatermark"
			}
		case *logical.Limit:
			if p.opts.Mode == base.Append && !none(n) {
				name = "globalLimit"
			}
		case *logical.Join:
			if logical.Streaming(n.Left) && logical.Streaming(n.Right) {
				name = "symmetricHashJoin"
			}
		case *logical.AsOfJoin:
			if logical.Streaming(n.Left) && logical.Streaming(n.Right) {
				name = "asOfJoin"
			}
		}
		if name != "" && logical.Streaming(n) {
			s := &physical.State{Operator: len(p.plan.Stateful), Name: name, Mode: p.opts.Mode, EventKey: -1, Idle: name == "globalLimit"}
			p.plan.Stateful = append(p.plan.Stateful, s)
			p.state[n] = s
		}
		for _, in := range n.Inputs() {
			visit(in)
		}
	}
	visit(root)
}
