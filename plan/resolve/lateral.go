package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// lateral resolves JOIN LATERAL over its resolved sides. It returns the whole join, or
// with done false it has put what to join with into out and into right.
func (r *resolver) lateral(n, out *logical.Join, left rel, right *rel, outer *scope) (all rel, done bool, err error) {
	if err := checkOuter(right.node); err != nil {
		return rel{}, false, err
	}
	if volatilePlan(right.node) && !oneRowPlan(left.node) {
		return rel{}, false, base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.NON_DETERMINISTIC_LATERAL_SUBQUERIES", "0A000",
			"A LATERAL subquery with rand() or its like has no meaning beside a relation of several rows.").At(n.At)
	}
	if g, ok := right.node.(*logical.Generate); ok && n.Cond == nil {
		if v, ok := g.Input.(*logical.Values); ok && len(v.Columns) == 0 {
			all, err := lateralGenerate(g, left, *right)
			return all, true, err
		}
	}
	if !correlated(right.node) {
		return rel{}, false, nil
	}
	if node, ok := inlined(right.node, left.node); ok && (n.Kind == physical.Inner || n.Cond == nil && oneRowPlan(right.node)) {
		all, err := r.joinCondition(n, rel{node: node, cols: concat(left.cols, right.cols), hidden: left.hidden}, outer)
		return all, true, err
	}
	if len(right.cols) > 0 && (n.Kind == physical.Inner || n.Cond == nil) {
		if agg, value := aggregateBelow(right.node, right.cols[0]); agg != nil && value != nil && len(agg.Group) == 0 {
			all, ok, err := r.lateralRow(n, out, agg, left, *right, outer)
			if err != nil || ok {
				return all, ok, err
			}
		}
	}
	d, err := decorrelate(right.node, nil)
	if err != nil {
		return rel{}, false, err
	}
	if d.outer != nil && logical.Streaming(left.node) {
		return rel{}, false, base.UserError("UNSUPPORTED_FEATURE.LATERAL_OVER_STREAM", "0A000", "This LATERAL subquery needs to see all rows of the stream before it at once.").
			At(n.At).WithHint("over a stream a LATERAL subquery may compute columns, or compare columns of a table with the stream's by =")
	}
	out.Right, out.Cond = overDomains(d.node, d.outer, asExprs(d.outer), left.node), conjunction(d.conds)
	return rel{}, false, nil
}

// volatilePlan reports whether an expression of a plan is not the same whenever it is
// evaluated.
func volatilePlan(n logical.Node) bool {
	for _, e := range logical.Exprs(n) {
		found := false
		expr.Walk(e, func(e expr.Expr) bool {
			if c, ok := e.(*expr.Call); ok {
				if f := c.Signature(); f != nil && f.Nondeterministic {
					found = true
				}
			}
			return !found
		})
		if found {
			return true
		}
	}
	for _, in := range n.Inputs() {
		if volatilePlan(in) {
			return true
		}
	}
	return false
}

// oneRowPlan reports whether n has exactly one row, whatever there is in tables.
func oneRowPlan(n logical.Node) bool {
	switch n := n.(type) {
	case *logical.Values:
		return len(n.Rows) == 1
	case *logical.Project:
		return oneRowPlan(n.Input)
	case *logical.Aggregate:
		return len(n.Group) == 0
	}
	return false
}

// joinCondition puts the ON of a join over the joined rows.
func (r *resolver) joinCondition(n *logical.Join, all rel, outer *scope) (rel, error) {
	if n.Cond == nil {
		return all, nil
	}
	x := &exprs{r: r}
	cond, err := x.condition(n.Cond, &scope{cols: all.cols, hidden: all.hidden, outer: outer, clause: "Join"})
	if err != nil {
		return rel{}, err
	}
	if err := noScalarIn(cond, n); err != nil {
		return rel{}, err
	}
	all.node, err = filterSubqueries(all.node, n.At, cond)
	return all, err
}

// lateralGenerate is a join with LATERAL explode(…) over the left's columns: a
// Generate over the left. As in Spark, LEFT JOIN LATERAL explode keeps no row of its
// own; explode_outer does.
func lateralGenerate(g *logical.Generate, left, right rel) (rel, error) {
	gen, err := expr.Rewrite(g.Gen, func(e expr.Expr) (expr.Expr, error) {
		if o, ok := e.(*outerRef); ok {
			return o.Column, nil
		}
		return e, nil
	})
	if err != nil {
		return rel{}, err
	}
	d := *g
	d.Gen, d.Input = gen, left.node
	return rel{node: &d, cols: concat(left.cols, right.cols), hidden: left.hidden}, nil
}

// lateralRow is a join with LATERAL (SELECT count(*) …): every row of the left has
// its row of the right, which is that of no input where nothing matches. ok is false if
// it cannot be told what that row is.
func (r *resolver) lateralRow(n, out *logical.Join, agg *logical.Aggregate, left, right rel, outer *scope) (all rel, ok bool, err error) {
	d, err := decorrelate(right.node, agg)
	if err != nil || d.outer != nil || len(d.conds) == 0 {
		return rel{}, false, err
	}
	join := *out
	join.Right = d.node
	values := make([]expr.Expr, len(right.cols))
	for i, c := range right.cols {
		if join.Right, values[i], ok = withEmptyValue(right.node, join.Right, c); !ok {
			return rel{}, false, nil
		}
	}
	join.Kind, join.Cond = physical.LeftOuter, conjunction(d.conds)
	list := asExprs(left.node.Output())
	cols := left.cols
	for i, c := range right.cols {
		d := *c
		d.ID, d.Null = expr.NewID(), values[i].Nullable()
		list = append(list, &expr.Alias{At: n.At, Child: values[i], Name: c.Name, ID: d.ID})
		cols = append(cols[:len(cols):len(cols)], &d)
	}
	all, err = r.joinCondition(n, rel{node: &logical.Project{At: n.At, List: list, Input: &join}, cols: cols, hidden: left.hidden}, outer)
	return all, true, err
}

// noScalarIn refuses correlated scalar subqueries in a join condition, as Spark does.
func noScalarIn(cond expr.Expr, n *logical.Join) error {
	var err error
	expr.Walk(cond, func(e expr.Expr) bool {
		if q, ok := e.(*joined); ok && q.kind == expr.ScalarSubquery {
			err = correlatedScalar(n.At)
		}
		return err == nil
	})
	return err
}

// correlatedScalar refuses a correlated scalar subquery where there is no row to join
// it with.
func correlatedScalar(at base.Pos) error {
	return base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY", "0A000",
		"A correlated scalar subquery can stand in the select list and in WHERE and HAVING, not here.").At(at).
		WithHint("compute it in the select list of a subquery in FROM")
}

// joinedWithSubqueries is a join whose condition has EXISTS or IN: that of an inner join
// becomes a filter; of another join, each is a column of the side that it speaks of.
func joinedWithSubqueries(n *logical.Join, conds []expr.Expr, cond expr.Expr, left, right rel) (rel, error) {
	if err := noScalarIn(cond, n); err != nil {
		return rel{}, err
	}
	var both error
	expr.Walk(cond, func(e expr.Expr) bool {
		if q, ok := e.(*joined); ok && mentions(q, left.cols) && mentions(q, right.cols) && both == nil {
			both = base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_EXPRESSION_IN_JOIN_CONDITION", "0A000",
				"The subquery %s in a join condition speaks of both sides.", q.SQL()).At(q.at).WithHint("put the subquery into WHERE, or into a joined relation")
		}
		return both == nil
	})
	if both != nil {
		return rel{}, both
	}
	if n.Kind == physical.Inner {
		n.Cond = conjunction(conds)
		out := joinedRel(n, left, right)
		var err error
		out.node, err = filterSubqueries(n, n.At, cond)
		return out, err
	}
	for _, c := range conjuncts(cond) {
		if !holdsJoined(c) {
			conds = append(conds, c)
			continue
		}
		side := &n.Left
		if mentions(c, right.cols) {
			side = &n.Right
		}
		if side == &n.Right && mentions(c, left.cols) {
			return rel{}, base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY", "0A000",
				"A subquery in the condition of an outer join speaks of both sides.").At(c.Pos()).WithHint("put the subquery into a joined relation")
		}
		node, list, err := placeSubqueries(*side, []expr.Expr{c})
		if err != nil {
			return rel{}, err
		}
		*side = node
		conds = append(conds, list[0])
	}
	n.Cond = conjunction(conds)
	out := joinedRel(n, left, right)
	out.node = &logical.Project{At: n.At, List: asExprs(out.cols), Input: n}
	for i, c := range out.cols {
		out.node.(*logical.Project).List[i] = plain(c)
	}
	for _, c := range out.hidden {
		p := out.node.(*logical.Project)
		p.List = append(p.List, plain(c))
	}
	return out, nil
}

func mentions(e expr.Expr, cols []*expr.Column) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		c, ok := e.(*expr.Column)
		found = found || ok && holds(cols, c.ID)
		return !found
	})
	return found
}
