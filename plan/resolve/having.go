package resolve

import (
	"github.com/flightd/flightd/plan/expr"
)

// havingNames says what a name in HAVING means that is both a column of FROM and one of
// the select list. As in Spark, the column of FROM goes first, so far as the query
// groups by it. Else it is the one of the select list; but what it is cast to is found
// with the column of FROM: SELECT lv AS k … GROUP BY lv HAVING k > 'a' reads 'a' as a
// number where FROM has a number k.
type havingNames struct {
	agg *aggregation
	// both is set once a name has two types.
	both bool
	// probing has names mean the columns of FROM, to find casts: the types that names
	// are cast to, by their places.
	probing bool
	casts   map[int]*expr.Type
}

// having resolves the condition of HAVING.
func (b *block) resolveHaving(raw expr.Expr, s *scope) (expr.Expr, error) {
	h := &havingNames{agg: b.agg, casts: map[int]*expr.Type{}}
	s.having = h
	cond, err := b.x.havingCondition(raw, s)
	if !h.both || hasSubquery(raw) {
		return cond, err
	}
	h.probing = true
	probe, failed := b.x.havingCondition(raw, s)
	h.probing = false
	if failed != nil {
		return cond, err
	}
	expr.Walk(probe, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Cast); ok && c.Implicit {
			if k, ok := c.Child.(*expr.Column); ok {
				h.casts[k.At.Start] = c.To
			}
		}
		return true
	})
	if len(h.casts) == 0 {
		return cond, err
	}
	return b.x.havingCondition(raw, s)
}

func hasSubquery(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		_, ok := e.(*expr.Subquery)
		found = found || ok
		return !found
	})
	return found
}

// listed returns what a name means by the select list, which HAVING sees; nil if
// nothing.
func (x *exprs) listed(n *expr.Name, s *scope) (expr.Expr, error) {
	h := s.having
	var of expr.Expr
	if h != nil {
		if e, err := x.column(n, s, false); err == nil {
			of = e
		}
		if of != nil && (h.probing || h.agg.column(of) != nil) {
			return of, nil
		}
	}
	e, err := x.namedExpr(n, s.first)
	if e == nil || err != nil || h == nil {
		return e, err
	}
	if c, ok := e.(*expr.Column); ok { // it stands where the name does
		d := *c
		d.At = n.At
		e = &d
	}
	h.both = h.both || of != nil && !of.Type().Equal(e.Type())
	if t := h.casts[n.At.Start]; t != nil && of != nil && !e.Type().Equal(t) {
		return x.explicitCast(e, &expr.Cast{At: n.At, To: t, Implicit: true})
	}
	return e, nil
}
