package physical

import "github.com/flightd/flightd/plan/expr"

// Over computes window functions over all rows of a batch: the columns of Out are
// the input's and then those of Functions, and rows come out by partition and in
// order.
type Over struct {
	Input     Node
	Partition []expr.Expr
	Order     []SortKey
	Functions []OverFunction
	Out       expr.Schema
}

// OverFunction is one function of an Over.
type OverFunction struct {
	// Call is an *expr.Agg, or the *expr.Call of a window function.
	Call expr.Expr
	// Frame has bounds over the input's columns; nil is the function's default.
	Frame       *expr.Frame
	IgnoreNulls bool
}

// Schema is Out.
func (n *Over) Schema() expr.Schema { return n.Out }

// Inputs is the one input.
func (n *Over) Inputs() []Node { return []Node{n.Input} }

func (n *Over) calls() []expr.Expr {
	out := make([]expr.Expr, len(n.Functions))
	for i, f := range n.Functions {
		out[i] = f.Call
	}
	return out
}
