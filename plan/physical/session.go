package physical

import "github.com/flightd/flightd/plan/expr"

// Session gives each row a session window of its own, [Time, Time + Gap): the
// input's columns followed by one struct <start, end>. Rows without a time or a
// gap, and those whose gap is not above zero, are left out. The windows are fused
// by the Aggregate that groups by them.
type Session struct {
	Input Node
	// Time is a TIMESTAMP or TIMESTAMP_NTZ, Gap an INTERVAL of any units.
	Time, Gap expr.Expr
	// State, if set, is that of the aggregation right above, in whose account are the
	// rows that are left out.
	State *State
	Out   expr.Schema
}

// Schema is Out.
func (n *Session) Schema() expr.Schema { return n.Out }

// Inputs is the one input.
func (n *Session) Inputs() []Node { return []Node{n.Input} }

// End is the end of a row's own window.
func (n *Session) End() expr.Expr {
	return &expr.Call{Fn: "+", Args: []expr.Expr{n.Time, n.Gap}, Typ: n.Time.Type(), Null: true}
}

// A SessionKey makes an Aggregate one of sessions: of the groups that agree in all
// other keys, those whose windows overlap or touch are one group, and its window
// spans theirs.
type SessionKey struct {
	// Key is the index of the key that is a session window.
	Key int
	// Local says that the windows of a split are fused among themselves before those
	// that the watermark has passed are dropped, not after.
	Local bool
}
