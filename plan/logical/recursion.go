package logical

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// Recursion is a query of WITH RECURSIVE: the rows of Anchor, and those that Step
// makes of the rows before until it makes none. Resolved only.
type Recursion struct {
	At base.Pos
	// Of is the number that the Working leaves of Step refer to.
	Of           int64
	Anchor, Step Node
	// MaxLevel is how many times Step may run, MaxRows how many rows there must be fewer
	// than; below 0: any number.
	MaxLevel, MaxRows int64
	// Out are columns of its own; those of Anchor and Step have their types, in order.
	Out []*expr.Column
}

// Working is where the Step of a Recursion reads the rows of the step before it.
// Resolved only.
type Working struct {
	At base.Pos
	// Of is the number of the Recursion.
	Of      int64
	Columns []*expr.Column
}

// Pos is where it was written.
func (n *Recursion) Pos() base.Pos { return n.At }

// Inputs are the anchor and the step.
func (n *Recursion) Inputs() []Node { return []Node{n.Anchor, n.Step} }

// With has another anchor and step.
func (n *Recursion) With(in []Node) Node { d := *n; d.Anchor, d.Step = in[0], in[1]; return &d }

// Output is the columns.
func (n *Recursion) Output() []*expr.Column { return n.Out }

// Pos is where it was written.
func (n *Working) Pos() base.Pos { return n.At }

// Inputs is empty.
func (n *Working) Inputs() []Node { return nil }

// With returns n.
func (n *Working) With([]Node) Node { return n }

// Output is the columns.
func (n *Working) Output() []*expr.Column { return n.Columns }

// Pos is where it was written.
func (n *Qualify) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Qualify) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Qualify) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is nil: it is never resolved.
func (n *Qualify) Output() []*expr.Column { return nil }
