package rules

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// strengthened returns the kind of a join whose output is filtered by cond: an outer
// join whose missing side would fail the filter is a stronger one.
func (p *pusher) strengthened(n *logical.Join, cond []expr.Expr) physical.JoinKind {
	if n.Single { // a stronger join would not see the second match
		return n.Kind
	}
	left, right := p.refusesNulls(cond, n.Left.Output()), p.refusesNulls(cond, n.Right.Output())
	switch {
	case n.Kind == physical.LeftOuter && right, n.Kind == physical.RightOuter && left, n.Kind == physical.FullOuter && left && right:
		return physical.Inner
	case n.Kind == physical.FullOuter && left:
		return physical.LeftOuter
	case n.Kind == physical.FullOuter && right:
		return physical.RightOuter
	}
	return n.Kind
}

// refusesNulls reports whether a conjunct over cols alone is not true where they are
// all NULL.
func (p *pusher) refusesNulls(cond []expr.Expr, cols []*expr.Column) bool {
	if p.fold == nil {
		return false
	}
	for _, e := range cond {
		if !movable(e) || !expr.Over(e, cols) {
			continue
		}
		null, err := expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
			if c, ok := e.(*expr.Column); ok {
				return &expr.Literal{At: c.At, Typ: c.Typ}, nil
			}
			return e, nil
		})
		if err != nil {
			continue
		}
		if l, ok := p.fold(null); ok && (l.Value == nil || l.Value == false) {
			return true
		}
	}
	return false
}
