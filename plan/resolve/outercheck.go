package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// checkOuter refuses what Spark refuses of the mentions of the outer query in a
// subquery's plan: in aggregates, window functions, sort keys and LATERAL VIEW, and
// below operators that see rows of all outer rows at once.
func checkOuter(n logical.Node) error {
	switch n := n.(type) {
	case *logical.Aggregate:
		if err := checkOuterAggregate(n); err != nil {
			return err
		}
	case *logical.Sort, *logical.Over:
		if err := noOuter(n); err != nil {
			return err
		}
	case *logical.Generate:
		if n.View {
			if err := noOuter(n); err != nil {
				return err
			}
		}
	case *logical.Join:
		return checkOuterJoin(n)
	case *logical.AsOfJoin, *logical.Expand, *logical.Recursion, *logical.Deduplicate, *logical.Watermark:
		if at, what := firstOuter(n); what != "" {
			return notAllowed(at, what)
		}
	}
	for _, in := range n.Inputs() {
		if err := checkOuter(in); err != nil {
			return err
		}
	}
	return nil
}

// noOuter refuses outer columns in the expressions of n.
func noOuter(n logical.Node) error {
	for _, e := range logical.Exprs(n) {
		if holdsOuter(e) {
			return correlatedReference(n.Pos(), e)
		}
	}
	return nil
}

func correlatedReference(at base.Pos, e expr.Expr) error {
	return base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE", "0A000",
		"A column of the outer query can be used in the select list, WHERE, HAVING and ON of a subquery, but not in %q.", e.SQL()).At(at)
}

func checkOuterAggregate(n *logical.Aggregate) error {
	for _, e := range n.List {
		var err error
		expr.Walk(e, func(e expr.Expr) bool {
			if a, ok := e.(*expr.Agg); ok && holdsOuter(a) && holdsColumn(a) && err == nil {
				err = base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.AGGREGATE_FUNCTION_MIXED_OUTER_LOCAL_REFERENCES", "0A000",
					"The aggregate %s takes columns of the outer query and of the subquery.", a.SQL()).At(a.At)
			}
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	for _, e := range append(append([]expr.Expr(nil), n.List...), n.Group...) {
		if holdsOuter(e) {
			return correlatedReference(n.At, e)
		}
	}
	return nil
}

// checkOuterJoin lets outer columns into the side whose rows come out by themselves.
func checkOuterJoin(n *logical.Join) error {
	left, right := true, true
	switch n.Kind {
	case physical.RightOuter:
		left = false
	case physical.FullOuter:
		left, right = false, false
	case physical.LeftOuter, physical.LeftSemi, physical.LeftAnti, physical.NullAwareAnti, physical.Existence:
		right = false
	}
	for i, allowed := range []bool{left, right} {
		in := n.Inputs()[i]
		if !allowed {
			if at, what := firstOuter(in); what != "" {
				return notAllowed(at, what)
			}
			continue
		}
		if err := checkOuter(in); err != nil {
			return err
		}
	}
	return nil
}

// firstOuter finds the lowest mention of the outer query: its place and its text, or "".
func firstOuter(n logical.Node) (base.Pos, string) {
	for _, in := range n.Inputs() {
		if at, what := firstOuter(in); what != "" {
			return at, what
		}
	}
	for _, e := range logical.Exprs(n) {
		if holdsOuter(e) {
			return e.Pos(), e.SQL()
		}
	}
	return base.Pos{}, ""
}

// inlined puts a subquery's plan that reads no table over the plan left, whose rows its
// outer columns are those of: SELECT l.k + 1 needs no join. ok is false for any other
// plan.
func inlined(n, left logical.Node) (out logical.Node, ok bool) {
	switch n := n.(type) {
	case *logical.Values:
		return left, len(n.Rows) == 1 && len(n.Columns) == 0
	case *logical.Project:
		in, ok := inlined(n.Input, left)
		if !ok {
			return nil, false
		}
		list := asExprs(in.Output())
		for _, e := range bindAll(n.List, nil) {
			if c, is := e.(*expr.Column); is && holds(in.Output(), c.ID) {
				continue
			}
			list = append(list, e)
		}
		return &logical.Project{At: n.At, List: list, Input: in}, true
	case *logical.Filter:
		in, ok := inlined(n.Input, left)
		return &logical.Filter{At: n.At, Cond: bindOuter(n.Cond, nil), Input: in}, ok
	case *logical.Generate:
		in, ok := inlined(n.Input, left)
		d := *n
		d.Gen, d.Input = bindOuter(n.Gen, nil), in
		return &d, ok
	}
	return nil, false
}

// oneValue returns the expression that a subquery without a table is: that of
// (SELECT l.k + 1); nil for any other plan.
func oneValue(n logical.Node, out *expr.Column) expr.Expr {
	var value expr.Expr = out
	for {
		switch m := n.(type) {
		case *logical.Values:
			if len(m.Rows) == 1 && len(m.Columns) == 0 {
				return bindOuter(value, nil)
			}
			return nil
		case *logical.Project:
			v, err := expr.Rewrite(value, func(e expr.Expr) (expr.Expr, error) {
				c, ok := e.(*expr.Column)
				if !ok {
					return e, nil
				}
				for _, item := range m.List {
					if a, ok := item.(*expr.Alias); ok && a.ID == c.ID {
						return a.Child, nil
					}
				}
				return e, nil
			})
			if err != nil {
				return nil
			}
			value, n = v, m.Input
		default:
			return nil
		}
	}
}
