package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// decorrelate takes the conditions with columns of the outer query out of a
// subquery's plan. The plan it returns puts out what those conditions need of
// it as well, behind its own columns; in them, outer columns are plain columns.
func decorrelate(n logical.Node, outer []*expr.Column) (logical.Node, []expr.Expr, error) {
	d := &decorrelation{outer: map[expr.ID]bool{}}
	for _, c := range outer {
		d.outer[c.ID] = true
	}
	out, conds, err := d.node(n)
	if err != nil {
		return nil, nil, err
	}
	for i, c := range conds {
		if conds[i], err = expr.Rewrite(c, func(e expr.Expr) (expr.Expr, error) {
			if o, ok := e.(*outerRef); ok && d.outer[o.ID] {
				return o.Column, nil
			}
			return e, nil
		}); err != nil {
			return nil, nil, err
		}
	}
	return out, conds, nil
}

type decorrelation struct{ outer map[expr.ID]bool }

func holdsOuter(e expr.Expr) bool {
	found := false
	if e == nil {
		return false
	}
	expr.Walk(e, func(e expr.Expr) bool {
		_, ok := e.(*outerRef)
		found = found || ok
		return !found
	})
	return found
}

func (d *decorrelation) node(n logical.Node) (logical.Node, []expr.Expr, error) {
	ins := n.Inputs()
	if len(ins) == 0 {
		return n, nil, nil
	}
	kids := make([]logical.Node, len(ins))
	var conds []expr.Expr
	changed := false
	for i, in := range ins {
		k, c, err := d.node(in)
		if err != nil {
			return nil, nil, err
		}
		kids[i], conds = k, append(conds, c...)
		changed = changed || k != in
	}
	switch n := n.(type) {
	case *logical.Filter:
		return d.filter(n, kids[0], conds)
	case *logical.Project:
		return d.project(n, kids[0], conds)
	case *logical.Aggregate:
		return d.aggregate(n, kids[0], conds)
	case *logical.Join:
		return d.join(n, kids, conds)
	case *logical.Limit:
		if len(conds) > 0 && !isOne(n) {
			return nil, nil, notAllowed(n.At, "a LIMIT in a correlated subquery")
		}
		if len(conds) > 0 {
			return kids[0], conds, nil
		}
	}
	for _, e := range logical.Exprs(n) {
		if holdsOuter(e) {
			return nil, nil, notAllowed(n.Pos(), e.SQL())
		}
	}
	switch n.(type) {
	case *logical.Limit, *logical.Sort, *logical.Distinct, *logical.Generate, *logical.Over, *logical.Window, *logical.Sample, *logical.Repartition:
	default:
		if len(conds) > 0 {
			return nil, nil, notAllowed(n.Pos(), "")
		}
	}
	if changed {
		return n.With(kids), conds, nil
	}
	return n, conds, nil
}

func isOne(n *logical.Limit) bool {
	c, ok := intLiteral(n.Count)
	return ok && c == 1 && n.Offset == nil
}

func notAllowed(at base.Pos, what string) error {
	return base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED", "0A000",
		"Unsupported subquery expression: Accessing outer query column is not allowed in this location: %s", what).At(at)
}

func (d *decorrelation) filter(n *logical.Filter, in logical.Node, conds []expr.Expr) (logical.Node, []expr.Expr, error) {
	var stay []expr.Expr
	for _, c := range conjuncts(n.Cond) {
		if holdsOuter(c) {
			conds = append(conds, c)
		} else {
			stay = append(stay, c)
		}
	}
	if len(stay) == 0 {
		return in, conds, nil
	}
	return &logical.Filter{At: n.At, Cond: conjunction(stay), Input: in}, conds, nil
}

// needed are the columns of in that conds mention and have does not put out.
func needed(in logical.Node, have []*expr.Column, conds []expr.Expr) []*expr.Column {
	seen := map[expr.ID]bool{}
	for _, c := range have {
		seen[c.ID] = true
	}
	offered := map[expr.ID]*expr.Column{}
	for _, c := range in.Output() {
		offered[c.ID] = c
	}
	var out []*expr.Column
	for _, cond := range conds {
		expr.Walk(cond, func(e expr.Expr) bool {
			if c, ok := e.(*expr.Column); ok && !seen[c.ID] && offered[c.ID] != nil {
				seen[c.ID] = true
				out = append(out, offered[c.ID])
			}
			return true
		})
	}
	return out
}

func (d *decorrelation) project(n *logical.Project, in logical.Node, conds []expr.Expr) (logical.Node, []expr.Expr, error) {
	list := n.List
	for _, e := range list {
		if holdsOuter(e) {
			return nil, nil, base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE", "0A000",
				"Unsupported subquery expression: Expressions referencing the outer query are not supported outside of WHERE/HAVING clauses: %q.", e.SQL()).At(e.Pos())
		}
	}
	list = append(list[:len(list):len(list)], asExprs(needed(in, n.Output(), conds))...)
	return &logical.Project{At: n.At, List: list, Input: in}, conds, nil
}

// aggregate groups by what the conditions need as well; they must be equalities.
func (d *decorrelation) aggregate(n *logical.Aggregate, in logical.Node, conds []expr.Expr) (logical.Node, []expr.Expr, error) {
	for _, e := range append(append([]expr.Expr(nil), n.Group...), n.List...) {
		if holdsOuter(e) {
			return nil, nil, base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE", "0A000",
				"Unsupported subquery expression: Expressions referencing the outer query are not supported outside of WHERE/HAVING clauses: %q.", e.SQL()).At(e.Pos())
		}
	}
	for _, c := range conds {
		if k, ok := c.(*expr.Call); !ok || k.Fn != "=" && k.Fn != "<=>" {
			return nil, nil, base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_COLUMN_IS_NOT_ALLOWED_IN_PREDICATE", "0A000",
				"Unsupported subquery expression: Correlated column is not allowed in predicate: %q.", c.SQL()).At(c.Pos())
		}
	}
	more := asExprs(needed(in, nil, conds))
	have := map[string]bool{}
	for _, g := range n.Group {
		have[expr.Fingerprint(g)] = true
	}
	out := *n
	out.Input = in
	groups, rest := n.List[:len(n.Group):len(n.Group)], n.List[len(n.Group):]
	var added []expr.Expr
	for _, m := range more {
		if !have[expr.Fingerprint(m)] {
			added = append(added, m)
		}
	}
	out.Group = append(n.Group[:len(n.Group):len(n.Group)], added...)
	out.List = append(append(groups, added...), rest...)
	return &out, conds, nil
}

func (d *decorrelation) join(n *logical.Join, kids []logical.Node, conds []expr.Expr) (logical.Node, []expr.Expr, error) {
	out := *n
	out.Left, out.Right = kids[0], kids[1]
	if n.Cond != nil && holdsOuter(n.Cond) {
		if n.Kind != physical.Inner {
			return nil, nil, notAllowed(n.At, n.Cond.SQL())
		}
		var stay []expr.Expr
		for _, c := range conjuncts(n.Cond) {
			if holdsOuter(c) {
				conds = append(conds, c)
			} else {
				stay = append(stay, c)
			}
		}
		out.Cond = conjunction(stay)
	}
	return &out, conds, nil
}

// withEmptyValue makes the value of a correlated scalar subquery: where no row
// of the plan matches, a count is 0, not NULL.
func withEmptyValue(before, after logical.Node, out *expr.Column) (logical.Node, expr.Expr) {
	agg, value := aggregateBelow(before, out)
	if agg == nil || len(agg.Group) > 0 || value == nil {
		return after, out
	}
	counts := false
	empty, err := expr.Rewrite(value, func(e expr.Expr) (expr.Expr, error) {
		a, ok := e.(*expr.Agg)
		if !ok {
			return e, nil
		}
		if f := a.Signature(); f.Null == expr.NotNull && a.Typ.Kind == expr.KindInt64 {
			counts = true
			return &expr.Literal{Value: int64(0), Typ: expr.Int64}, nil
		}
		return &expr.Literal{Typ: a.Typ}, nil
	})
	if err != nil || !counts {
		return after, out
	}
	mark := &expr.Alias{Child: &expr.Literal{Value: true, Typ: expr.Bool}, Name: "matched", ID: expr.NewID()}
	node := &logical.Project{List: append(asExprs(after.Output()), mark), Input: after}
	marked := &expr.Column{ID: mark.ID, Name: mark.Name, Typ: expr.Bool, Null: true}
	isNull := &expr.Call{Fn: "isnull", Args: []expr.Expr{marked}, Typ: expr.Bool}
	return node, &expr.Call{Fn: "if", Args: []expr.Expr{isNull, empty, out}, Typ: out.Typ, Null: true}
}

// aggregateBelow finds the global aggregate whose result out is, and the
// expression over its Aggs that out stands for.
func aggregateBelow(n logical.Node, out *expr.Column) (*logical.Aggregate, expr.Expr) {
	var value expr.Expr = out
	for {
		var list []expr.Expr
		agg, isAgg := n.(*logical.Aggregate)
		switch n := n.(type) {
		case *logical.Aggregate:
			list = n.List
		case *logical.Project:
			list = n.List
		default:
			return nil, nil
		}
		v, err := expr.Rewrite(value, func(e expr.Expr) (expr.Expr, error) {
			c, ok := e.(*expr.Column)
			if !ok {
				return e, nil
			}
			for _, item := range list {
				if a, ok := item.(*expr.Alias); ok && a.ID == c.ID {
					return a.Child, nil
				}
			}
			return e, nil
		})
		if err != nil {
			return nil, nil
		}
		if value = v; isAgg {
			return agg, value
		}
		n = n.Inputs()[0]
	}
}
