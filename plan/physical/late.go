package physical

import "github.com/flightd/flightd/plan/expr"

// Late puts aside a copy of the rows that the stateful operator above it drops as
// late (LATE ROWS INTO). It changes nothing: the operator itself still judges.
type Late struct {
	Input Node
	// State is that of the operator.
	State *State
	// Time is the event time by which the operator judges a row: a TIMESTAMP, or a
	// window, which is judged by its end. With Assign or End it is the TIMESTAMP from
	// which the windows of the row are made.
	Time expr.Expr
	// Assign, if set, is the node between here and the operator that gives each row
	// its windows: only its durations are used.
	Assign *Window
	// End, if set, is the end of the row's own session window: TIMESTAMP.
	End expr.Expr
	// Row is the row as text: STRING.
	Row expr.Expr
}

// Schema is the input's.
func (n *Late) Schema() expr.Schema { return n.Input.Schema() }

// Inputs is the one input.
func (n *Late) Inputs() []Node { return []Node{n.Input} }
