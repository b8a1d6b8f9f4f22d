package rules

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// InferNotNull adds, below a join, the filters that its condition implies:
// columns that an equality or comparison needs are not NULL. Inner and semi
// joins filter both sides, an outer join the side that it does not preserve, a
// full join none. With PushFilters they sink below the watermark, so a row
// without a key does not move it (recordings stream_stream_join/null_keys_*).
func InferNotNull(n logical.Node) logical.Node {
	inputs := n.Inputs()
	if len(inputs) > 0 {
		next := make([]logical.Node, len(inputs))
		for i, in := range inputs {
			next[i] = InferNotNull(in)
		}
		n = n.With(next)
	}
	j, ok := n.(*logical.Join)
	if !ok || j.Cond == nil {
		return n
	}
	left, right := filtered(j.Kind)
	if !left && !right {
		return n
	}
	var needed []*expr.Column
	for _, c := range expr.Conjuncts(j.Cond) {
		needed = needs(c, needed)
	}
	d := *j
	if left {
		d.Left = notNull(j.Left, needed)
	}
	if right {
		d.Right = notNull(j.Right, needed)
	}
	return &d
}

// notNull filters n for those of cols that are its own and may be NULL.
func notNull(n logical.Node, cols []*expr.Column) logical.Node {
	var cond []expr.Expr
	for _, own := range n.Output() {
		for _, c := range cols {
			if c.ID == own.ID && own.Null {
				cond = append(cond, &expr.Call{Fn: "isnotnull", Args: []expr.Expr{own}, Typ: expr.Bool})
				break
			}
		}
	}
	if len(cond) == 0 {
		return n
	}
	return &logical.Filter{At: n.Pos(), Cond: expr.And(cond), Input: n}
}

// needs appends the columns without which e is NULL.
func needs(e expr.Expr, cols []*expr.Column) []*expr.Column {
	switch e := e.(type) {
	case *expr.Column:
		return append(cols, e)
	case *expr.Cast:
		return needs(e.Child, cols)
	case *expr.Call:
		switch e.Fn {
		case "=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "div", "negative", "getfield", "not", "isnotnull", "upper", "lower", "collation_key":
			for _, a := range e.Args {
				cols = needs(a, cols)
			}
		}
	}
	return cols
}
