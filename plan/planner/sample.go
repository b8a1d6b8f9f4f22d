package planner

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// sampled takes each row with the probability that TABLESAMPLE names.
func sampled(n *logical.Sample) logical.Node {
	if n.Fraction >= 1 {
		return n.Input
	}
	chance := &expr.Call{At: n.Pos(), Fn: "rand", Typ: expr.Float64}
	return &logical.Filter{At: n.Pos(), Input: n.Input, Cond: &expr.Call{At: n.Pos(), Fn: "<", Typ: expr.Bool,
		Args: []expr.Expr{chance, &expr.Literal{At: n.Pos(), Value: n.Fraction, Typ: expr.Float64}}}}
}
