package physical

import "github.com/flightd/flightd/plan/expr"

// Schema is the columns read.
func (n *Scan) Schema() expr.Schema { return n.Out }

// Inputs is empty.
func (n *Scan) Inputs() []Node { return nil }

// Schema is the columns read.
func (n *Values) Schema() expr.Schema { return n.Out }

// Inputs is empty.
func (n *Values) Inputs() []Node { return nil }

// Schema is the columns read.
func (n *Range) Schema() expr.Schema { return n.Out }

// Inputs is empty.
func (n *Range) Inputs() []Node { return nil }

// Schema is the input's.
func (n *Filter) Schema() expr.Schema { return n.Input.Schema() }

// Inputs is the one input.
func (n *Filter) Inputs() []Node { return []Node{n.Input} }

// Schema is the input's.
func (n *Watermark) Schema() expr.Schema { return n.Input.Schema() }

// Inputs is the one input.
func (n *Watermark) Inputs() []Node { return []Node{n.Input} }

// Schema is the input's.
func (n *Sort) Schema() expr.Schema { return n.Input.Schema() }

// Inputs is the one input.
func (n *Sort) Inputs() []Node { return []Node{n.Input} }

// Schema is the input's.
func (n *Limit) Schema() expr.Schema { return n.Input.Schema() }

// Inputs is the one input.
func (n *Limit) Inputs() []Node { return []Node{n.Input} }

// Schema is the input's.
func (n *Dedup) Schema() expr.Schema { return n.Input.Schema() }

// Inputs is the one input.
func (n *Dedup) Inputs() []Node { return []Node{n.Input} }

// Schema is Out.
func (n *Project) Schema() expr.Schema { return n.Out }

// Inputs is the one input.
func (n *Project) Inputs() []Node { return []Node{n.Input} }

// Schema is Out.
func (n *Expand) Schema() expr.Schema { return n.Out }

// Inputs is the one input.
func (n *Expand) Inputs() []Node { return []Node{n.Input} }

// Schema is Out.
func (n *Generate) Schema() expr.Schema { return n.Out }

// Inputs is the one input.
func (n *Generate) Inputs() []Node { return []Node{n.Input} }

// Schema is Out.
func (n *Window) Schema() expr.Schema { return n.Out }

// Inputs is the one input.
func (n *Window) Inputs() []Node { return []Node{n.Input} }

// Schema is Out.
func (n *Aggregate) Schema() expr.Schema { return n.Out }

// Inputs is the one input.
func (n *Aggregate) Inputs() []Node { return []Node{n.Input} }

// Schema is Out.
func (n *Join) Schema() expr.Schema { return n.Out }

// Inputs are left and right.
func (n *Join) Inputs() []Node { return []Node{n.Left, n.Right} }

// Schema is Out.
func (n *Union) Schema() expr.Schema { return n.Out }

// Inputs are the children.
func (n *Union) Inputs() []Node { return n.Children }
