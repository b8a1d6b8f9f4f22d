package physical

import (
	"fmt"

	"github.com/flightd/flightd/plan/expr"
)

// Recursion puts out the rows of Anchor, and those of Step, which runs again and
// again over the rows of the run before until it makes none. Step is not among the
// inputs: its operators live for one run.
type Recursion struct {
	Anchor, Step Node
	// MaxLevel is how many times Step may run, MaxRows how many rows there must be fewer
	// than; below 0: any number.
	MaxLevel, MaxRows int64
	// Enough, if not below 0, is how many rows are wanted at most: with those it ends,
	// and the limits do not count.
	Enough int64
	Out    expr.Schema
}

// Schema is Out.
func (n *Recursion) Schema() expr.Schema { return n.Out }

// Inputs is the anchor.
func (n *Recursion) Inputs() []Node { return []Node{n.Anchor} }

func (n *Recursion) describe() string {
	s := "Recursion " + names(n.Out)
	if n.Enough >= 0 {
		s += fmt.Sprintf(" to %d rows", n.Enough)
	}
	return s
}

// Working puts out the rows that the run of Of's step before this one made.
type Working struct {
	Of  *Recursion
	Out expr.Schema
}

// Schema is Out.
func (n *Working) Schema() expr.Schema { return n.Out }

// Inputs is empty.
func (n *Working) Inputs() []Node { return nil }
