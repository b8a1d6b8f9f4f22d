package physical

import (
	"fmt"

	"github.com/flightd/flightd/plan/expr"
)

// AsOfJoin pairs each left row with the right row of its keys that is nearest to it in
// Match: the greatest at or before it, or with Forward the least at or after it. Of
// right rows that are equally near it is the last one read, or with Forward the first
// one. The columns of Out are those of Left and then those of Right.
type AsOfJoin struct {
	Left, Right Node
	// Outer puts out left rows without a match too, with NULLs.
	Outer bool
	// LeftKeys and RightKeys are the equality keys, pairwise of one type, over the
	// columns of their own side; both empty: every row may match every other.
	LeftKeys, RightKeys []expr.Expr
	// NullSafe[i] says that key i is compared with <=>.
	NullSafe []bool
	// Match are what is compared, over the left and over the right columns, of one
	// ordered type. NULL matches nothing.
	Match [2]expr.Expr
	// Forward looks for matches after the row instead of before it; Strict leaves out
	// what is equal.
	Forward, Strict bool
	// Cond is what else must hold of a pair, over the columns of Left and then those of
	// Right; nil: nothing. Of the right rows for which it holds the nearest is the match.
	Cond expr.Expr
	// State is set if both sides are streams. Then Match are the event times, the sides
	// have at least one key, and Cond, if set, fails for all rows that are further away
	// than one for which it fails.
	State               *State
	LeftSide, RightSide StreamSide
	Out                 expr.Schema
}

// beginning is a watermark in milliseconds that no row of a calendar is before.
const beginning = -62_135_596_800_000

// Output returns the watermark that a join of two streams puts out when its own is w:
// left rows come out when the watermark has passed them, but those that wait for a
// later match may do so for as long as the condition lets them.
func (n *AsOfJoin) Output(w int64) int64 {
	switch {
	case !n.Forward:
		return w
	case n.LeftSide.Bound.Bounded():
		return min(w, n.LeftSide.Bound.Watermark(w))
	}
	return beginning
}

// Schema is Out.
func (n *AsOfJoin) Schema() expr.Schema { return n.Out }

// Inputs are left and right.
func (n *AsOfJoin) Inputs() []Node { return []Node{n.Left, n.Right} }

// Op is the comparison of Match.
func (n *AsOfJoin) Op() string {
	op := ">"
	if n.Forward {
		op = "<"
	}
	if !n.Strict {
		op += "="
	}
	return op
}

// describe is the node as Format shows it.
func (n *AsOfJoin) describe() string {
	kind := "Inner"
	if n.Outer {
		kind = "LeftOuter"
	}
	s := fmt.Sprintf("%s %s match %s %s %s", stateful("AsOfJoin", n.State), kind, n.Match[0].SQL(), n.Op(), n.Match[1].SQL())
	if len(n.LeftKeys) > 0 {
		s += fmt.Sprintf(" on %s = %s", list(n.LeftKeys), list(n.RightKeys))
	}
	if n.Cond != nil {
		s += " and " + n.Cond.SQL()
	}
	if n.State == nil {
		return s
	}
	for _, side := range []struct {
		name   string
		filter expr.Expr
	}{{"left", n.LeftSide.Filter}, {"right", n.RightSide.Filter}} {
		if side.filter != nil {
			s += ", " + side.name + " if " + side.filter.SQL()
		}
	}
	if n.Forward {
		return s + ", left kept until their match, " + n.LeftSide.Bound.String()
	}
	return s + ", the last right row of a key kept " + n.RightSide.Bound.String()
}
