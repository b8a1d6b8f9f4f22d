package resolve

import (
	"errors"
	"slices"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// asOfJoin resolves ASOF JOIN … MATCH_CONDITION.
func (r *resolver) asOfJoin(n *logical.AsOfJoin, outer *scope) (rel, error) {
	if !r.env.Conf.Bool("spark.sql.join.asofJoin.enabled", false) {
		return rel{}, base.UserError("UNSUPPORTED_FEATURE.ASOF_JOIN", "0A000", "ASOF JOIN is switched off.").At(n.At).
			WithHint("SET spark.sql.join.asofJoin.enabled = true")
	}
	if !slices.Contains([]string{">=", ">", "<=", "<"}, n.Op) {
		return rel{}, base.UserError("ASOF_JOIN_MATCH_CONDITION_INVALID_OPERATOR", "42K0E",
			"MATCH_CONDITION takes one comparison with >=, >, <= or <, not %s.", n.Op).At(n.At).
			WithHint("put other conditions into ON, and conditions of one side into WHERE or a sub-query")
	}
	left, err := r.node(n.Left, outer)
	if err != nil {
		return rel{}, err
	}
	right, err := r.node(n.Right, outer)
	if err != nil {
		return rel{}, err
	}
	out := &logical.AsOfJoin{At: n.At, Outer: n.Outer, Left: left.node, Right: right.node, Op: n.Op}
	both := &scope{cols: concat(left.cols, right.cols), hidden: concat(left.hidden, right.hidden), outer: outer, clause: "Join"}
	x := &exprs{r: r}
	if err := x.match(out, n, both); err != nil {
		return rel{}, err
	}
	kind := physical.Inner
	if n.Outer {
		kind = physical.LeftOuter
	}
	plain := &logical.Join{At: n.At, Kind: kind, Left: left.node, Right: right.node}
	var joined rel
	if n.Using != nil {
		if joined, err = r.using(plain, n.Using, left, right, x, nil); err != nil {
			return rel{}, err
		}
		out.Cond = plain.Cond
	} else {
		if out.Cond, err = x.asOfCondition(n.Cond, both); err != nil {
			return rel{}, err
		}
		joined = joinedRel(plain, left, right)
	}
	joined.node = out
	joined.cols, joined.hidden = timeless(joined.cols, left.node), timeless(joined.hidden, left.node)
	return joined, nil
}

// timeless takes the mark of an event time from the columns that are not of the left
// relation.
func timeless(cols []*expr.Column, left logical.Node) []*expr.Column {
	own := left.Output()
	out := make([]*expr.Column, len(cols))
	for i, c := range cols {
		if out[i] = c; c.Meta.EventTime && !holds(own, c.ID) {
			d := *c
			d.Meta.EventTime = false
			out[i] = &d
		}
	}
	return out
}

func (x *exprs) asOfCondition(e expr.Expr, both *scope) (expr.Expr, error) {
	if e == nil {
		return nil, nil
	}
	cond, err := x.condition(e, both)
	if err == nil && holdsJoined(cond) {
		err = base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY", "0A000", "a subquery in a join condition").At(e.Pos()).
			WithHint("put the subquery into WHERE or a joined relation")
	}
	return cond, err
}

// match resolves the operands of MATCH_CONDITION: one is over the left relation alone
// and one over the right alone, in either order, and they are made one type.
func (x *exprs) match(out, n *logical.AsOfJoin, both *scope) error {
	var ops [2]expr.Expr
	for i, e := range n.Match {
		var err error
		ops[i], err = x.expr(e, both)
		var refused *base.Error
		if errors.As(err, &refused) && refused.Condition == "UNSUPPORTED_EXPR_FOR_OPERATOR" || err == nil && unmatchable(ops[i]) {
			return base.UserError("ASOF_JOIN_MATCH_CONDITION_INVALID_EXPRESSION", "42903",
				"MATCH_CONDITION cannot compare %s.", e.SQL()).At(e.Pos()).
				WithHint("compute sub-queries, aggregates, window functions and random values in a relation of the join, and compare its column")
		}
		if err != nil {
			return err
		}
	}
	left, right := out.Left.Output(), out.Right.Output()
	switch {
	case expr.Within(ops[0], left) && expr.Within(ops[1], right): // a constant is of the side where it stands
	case expr.Over(ops[0], right) && expr.Over(ops[1], left):
		ops[0], ops[1] = ops[1], ops[0]
		out.Op = map[string]string{">=": "<=", ">": "<", "<=": ">=", "<": ">"}[n.Op]
	default:
		return base.UserError("ASOF_JOIN_MATCH_CONDITION_TABLE_REFERENCE", "42K0E",
			"MATCH_CONDITION compares a value of the left relation with one of the right, not %s with %s.", ops[0].SQL(), ops[1].SQL()).At(n.At)
	}
	w := x.comparable(ops[0], ops[1])
	if w == nil || !w.Orderable() {
		return base.UserError("ASOF_JOIN_MATCH_CONDITION_INVALID_TYPE", "42K09",
			"MATCH_CONDITION cannot order %s and %s.", ops[0].Type().SQL(), ops[1].Type().SQL()).At(n.At)
	}
	out.Match = [2]expr.Expr{x.cast(ops[0], w), x.cast(ops[1], w)}
	return nil
}

// unmatchable reports whether e holds what MATCH_CONDITION cannot compare.
func unmatchable(e expr.Expr) bool {
	found := holdsJoined(e) || holdsAgg(e) || holdsOver(e)
	expr.Walk(e, func(e expr.Expr) bool {
		switch e := e.(type) {
		case *expr.Subquery:
			found = true
		case *expr.Call:
			if f := e.Signature(); f != nil && (f.Nondeterministic || f.Class == expr.Generator) {
				found = true
			}
		}
		return !found
	})
	return found
}
