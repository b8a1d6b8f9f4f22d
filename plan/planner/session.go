package planner

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// session plans session_window by itself: each row has a window of its own, which
// an aggregation that groups by it fuses with others.
func (p *planner) session(n *logical.Session, need set) (physical.Node, []*expr.Column, error) {
	in, cols, err := p.node(n.Input, need.with(n.Time, n.Gap))
	if err != nil {
		return nil, nil, err
	}
	s := &physical.Session{Input: in}
	if s.Time, err = p.bind(n.Time, cols); err != nil {
		return nil, nil, err
	}
	gap := n.Gap
	if gap.Type().Kind != expr.KindCalendar {
		gap = &expr.Cast{At: gap.Pos(), Child: gap, To: expr.Calendar, Implicit: true}
	}
	s.Gap, err = p.bind(gap, cols)
	out := append(cols[:len(cols):len(cols)], n.Column)
	s.Out = schemaOf(out)
	return s, out, err
}

// groupsSessions reports whether one of the keys of n is a session window: of its
// own block, or of a query below.
func groupsSessions(n logical.Node) bool {
	var keys []expr.Expr
	switch n := n.(type) {
	case *logical.Aggregate:
		keys = n.Group
	default:
		for _, c := range n.Output() {
			keys = append(keys, c)
		}
	}
	for _, k := range keys {
		if logical.MetaOf(k).Session {
			return true
		}
	}
	return false
}

// sessions makes a an aggregation of sessions, if one of its keys is a session
// window. group are its keys.
func (p *planner) sessions(at base.Pos, a *physical.Aggregate, group []expr.Expr) {
	others := 0
	for i, g := range group {
		switch {
		case a.Session == nil && logical.MetaOf(g).Session:
			a.Session = &physical.SessionKey{Key: i, Local: a.State != nil && p.opts.LocalSessions}
		case !constant(g):
			others++
		}
	}
	if a.Session == nil || a.State == nil {
		return
	}
	if a.Session.Local && p.opts.KeepLate {
		a.State.Refused = base.UserError("UNSUPPORTED_FEATURE", "0A000", "Late rows of sessions cannot be kept where sessions are merged before the shuffle.").At(at).
			WithHint("set spark.sql.streaming.sessionWindow.merge.sessions.in.local.partition to false")
	}
	if others == 0 {
		a.State.Refused = base.UserError("_LEGACY_ERROR_TEMP_3068", "", "A stream cannot be grouped by a session window alone.").At(at).
			WithHint("group by a key as well: the sessions of a user, of a device")
	}
	if s, ok := a.Input.(*physical.Session); ok && isColumn(a.Keys[a.Session.Key], len(s.Out)-1) {
		s.State = a.State
	}
}

func isColumn(e expr.Expr, i int) bool {
	r, ok := e.(*expr.Ref)
	return ok && r.Index == i
}

// constant reports whether e is the same for all rows.
func constant(e expr.Expr) bool {
	same := true
	expr.Walk(e, func(e expr.Expr) bool {
		switch e := e.(type) {
		case *expr.Column, *expr.Subquery:
			same = false
		case *expr.Call:
			f := e.Signature()
			same = same && f != nil && !f.Nondeterministic
		}
		return same
	})
	return same
}
