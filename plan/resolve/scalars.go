package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// scalarOf finds a correlated scalar subquery in e, outside of aggregates; nil if there
// is none.
func scalarOf(e expr.Expr) *joined {
	var found *joined
	expr.Walk(e, func(e expr.Expr) bool {
		if _, ok := e.(*expr.Agg); ok {
			return false
		}
		if q, ok := e.(*joined); ok && q.kind == expr.ScalarSubquery && found == nil {
			found = q
		}
		return found == nil
	})
	return found
}

// noScalarKeys refuses correlated scalar subqueries as sort keys of their own; the name
// of a column that is one will do.
func noScalarKeys(n *logical.Sort, keys []expr.SortTerm, items []item) error {
	shown := map[string]bool{}
	for _, it := range items {
		shown[expr.Fingerprint(it.e)] = true
	}
	for _, k := range keys {
		if holdsOuter(k.Expr) {
			return correlatedReference(n.At, k.Expr)
		}
		if shown[expr.Fingerprint(k.Expr)] {
			continue
		}
		if scalarOf(k.Expr) != nil {
			return correlatedScalar(n.At)
		}
		if holdsJoined(k.Expr) {
			return base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY", "0A000", "EXISTS and IN with a subquery cannot be sort keys.").At(k.Expr.Pos()).
				WithHint("name it in the select list, and sort by the name")
		}
		if holdsOver(k.Expr) {
			return base.UserError("UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E", "A window function cannot be a sort key: %q.", k.Expr.SQL()).At(n.At).
				WithHint("name it in the select list, and sort by the name")
		}
	}
	return nil
}

// checkScalars refuses correlated scalar subqueries beside groups: in the select list
// they must be grouped by too, and the other way round, where HAVING will do as well.
func (a *aggregation) checkScalars(list, items []expr.Expr, having expr.Expr) error {
	if having != nil {
		items = append(items[:len(items):len(items)], having)
	}
	for _, g := range a.group {
		q := scalarOf(g)
		if q == nil {
			continue
		}
		shown := false
		for _, e := range items {
			shown = shown || a.shows(e, g)
		}
		if !shown {
			return base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.MUST_AGGREGATE_CORRELATED_SCALAR_SUBQUERY", "0A000",
				"A correlated scalar subquery that is grouped by must be in the select list too.").At(q.at)
		}
	}
	for _, e := range list {
		q := scalarOf(e)
		if q == nil || a.column(e) != nil || a.column(q) != nil {
			continue
		}
		return base.UserError("SCALAR_SUBQUERY_IS_IN_GROUP_BY_OR_AGGREGATE_FUNCTION", "0A000",
			"The correlated scalar subquery %q is neither grouped by nor in an aggregate.", q.SQL()).At(q.at).
			WithHint("write any_value((SELECT …)), or compute it above the aggregation")
	}
	return nil
}
