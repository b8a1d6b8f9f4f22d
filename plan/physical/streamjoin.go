package physical

import (
	"fmt"

	"github.com/flightd/flightd/plan/expr"
)

// StreamJoin joins two streams over all epochs: each row meets the rows of the
// other side that have come before it, and is kept for those that will come after.
// The columns of Out are those that Left puts out and then those of Right, or only
// those of Left for a LeftSemi.
type StreamJoin struct {
	Left, Right Node
	// Kind is Inner, LeftOuter, RightOuter, FullOuter or LeftSemi.
	Kind JoinKind
	// LeftKeys and RightKeys are the equality keys, pairwise of one type, over the
	// columns of their own side.
	LeftKeys, RightKeys []expr.Expr
	// NullSafe[i] says that key i is compared with <=>.
	NullSafe            []bool
	LeftSide, RightSide StreamSide
	// Cond is what else must hold of a pair, over the columns of Left and then those of
	// Right; nil: nothing.
	Cond  expr.Expr
	State *State
	Out   expr.Schema
}

// StreamSide is what a StreamJoin knows of one of its sides.
type StreamSide struct {
	// Filter is the part of the condition that is over this side alone: a row for which
	// it is not true matches nothing, and is never kept. nil: no such part.
	Filter expr.Expr
	// Columns are the columns that the join puts out, by their index, ascending, and Used
	// those that it uses in any way: these are kept, so that a restart may put out others
	// of them, or ask another condition about them.
	Columns, Used []int
	// EventColumn is the index of the column that carries the watermark, or −1: a row
	// at or before the watermark is late.
	EventColumn int
	// Bound says how long a row is kept.
	Bound StateBound
}

// StateBound says from when on a kept row cannot match any more: its event time is
// at or before what Watermark returns.
type StateBound struct {
	// Key is the equality key that is the event time, or −1: then it is the side's
	// EventColumn that Ranges bound.
	Key    int
	Ranges []RangeBound
}

// A RangeBound is a conjunct of a join's condition, solved for the event time t of
// one side in microseconds: t > Times·W + Offset, where W is the watermark; or ≥ if
// OrEqual.
type RangeBound struct {
	// Times is 1; 0 where the other side's event time is not in the conjunct; and −1
	// where it is subtracted.
	Times, Offset float64
	OrEqual       bool
}

// Unbounded is the bound of rows that are kept for ever.
func Unbounded() StateBound { return StateBound{Key: -1} }

// Bounded reports whether rows are ever forgotten.
func (b StateBound) Bounded() bool { return b.Key >= 0 || len(b.Ranges) > 0 }

// Watermark returns the event time in milliseconds at or before which rows of a
// bounded side are forgotten, when the operator's watermark is w milliseconds. It is
// computed as in Spark's StreamingJoinHelper, in doubles, so that it is the same
// millisecond.
func (b StateBound) Watermark(w int64) int64 {
	if b.Key >= 0 {
		return w
	}
	least := int64(0)
	for i, r := range b.Ranges {
		at := int64((r.Times*(float64(w)*1000) + r.Offset) / 1000)
		if r.OrEqual {
			at--
		}
		if i == 0 || at < least {
			least = at
		}
	}
	return least
}

// Output returns the watermark that the join puts out when its own is w: no row
// that it puts out later has an event time at or before that, on either side.
func (n *StreamJoin) Output(w int64) int64 {
	out := w
	for _, b := range []StateBound{n.LeftSide.Bound, n.RightSide.Bound} {
		if b.Bounded() {
			out = min(out, b.Watermark(w))
		}
	}
	return out
}

// Schema is Out.
func (n *StreamJoin) Schema() expr.Schema { return n.Out }

// Inputs are left and right.
func (n *StreamJoin) Inputs() []Node { return []Node{n.Left, n.Right} }

// describe is the node as Format shows it.
func (n *StreamJoin) describe() string {
	s := fmt.Sprintf("%s %s on %s = %s", stateful("StreamJoin", n.State), n.Kind, list(n.LeftKeys), list(n.RightKeys))
	if n.Cond != nil {
		s += " and " + n.Cond.SQL()
	}
	side := func(name string, side StreamSide, schema expr.Schema) {
		s += ", " + name
		if side.Filter != nil {
			s += " if " + side.Filter.SQL()
		}
		if side.EventColumn >= 0 {
			s += " by " + schema[side.EventColumn].Name
		}
		s += " kept " + side.Bound.String()
	}
	side("left", n.LeftSide, n.Left.Schema())
	side("right", n.RightSide, n.Right.Schema())
	return s
}

// String says until when rows are kept.
func (b StateBound) String() string {
	switch {
	case b.Key >= 0:
		return fmt.Sprintf("until key %d", b.Key)
	case len(b.Ranges) == 0:
		return "for ever"
	}
	s := "until"
	for i, r := range b.Ranges {
		if i > 0 {
			s += ","
		}
		op := ">"
		if r.OrEqual {
			op = ">="
		}
		s += fmt.Sprintf(" %s %gW%+g µs", op, r.Times, r.Offset)
	}
	return s
}
