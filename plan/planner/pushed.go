package planner

import (
	"strings"

	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// pushed returns the conjuncts of a filter right above a scan that its source may use.
// The filter applies all of them in their order and stops at the first that is not true:
// so a row that one of them refuses may be left out, unless a conjunct before it would
// have failed there.
func (p *planner) pushed(cond expr.Expr, scan expr.Schema) []physical.Pushed {
	var out []physical.Pushed
	for _, c := range expr.Conjuncts(cond) {
		more, ok := p.push(c, scan)
		if !ok && !p.harmless(c) {
			break
		}
		for i := range more {
			more[i].Cond = c
		}
		out = append(out, more...)
	}
	return out
}

// mirrored are the comparisons with the sides exchanged.
var mirrored = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// push returns a conjunct as conditions that a source understands.
func (p *planner) push(e expr.Expr, scan expr.Schema) ([]physical.Pushed, bool) {
	c, ok := e.(*expr.Call)
	if !ok || len(c.Args) == 0 {
		return nil, false
	}
	fn, args := c.Fn, c.Args
	if _, ok := args[0].(*expr.Ref); !ok && len(args) == 2 && mirrored[fn] != "" {
		fn, args = mirrored[fn], []expr.Expr{args[1], args[0]}
	}
	r, ok := args[0].(*expr.Ref)
	if !ok || !comparable(scan[r.Index].Type) {
		return nil, false
	}
	values := make([]*expr.Literal, 0, len(args)-1)
	for _, a := range args[1:] {
		l, ok := p.constant(a)
		if !ok || l.Value == nil || !l.Typ.Equal(scan[r.Index].Type) {
			return nil, false
		}
		values = append(values, l)
	}
	one := func(test string, v ...*expr.Literal) []physical.Pushed {
		return []physical.Pushed{{Column: r.Index, Test: test, Values: v}}
	}
	switch {
	case (fn == "isnull" || fn == "isnotnull") && len(values) == 0:
		return one(fn), true
	case mirrored[fn] != "" && len(values) == 1:
		if fn == "=" {
			fn = "in"
		}
		return one(fn, values...), true
	case fn == "in" && len(values) > 0:
		return one(fn, values...), true
	case fn == "between" && len(values) == 2:
		return append(one(">=", values[0]), one("<=", values[1])...), true
	case fn == "startswith" && len(values) == 1:
		return one("prefix", values...), true
	case fn == "like" && len(values) == 1:
		text, _ := values[0].Value.(string)
		if i := strings.IndexAny(text, `%_\`); i > 0 {
			return one("prefix", &expr.Literal{Value: text[:i], Typ: expr.String}), plainLike(text)
		}
	}
	return nil, false
}

// plainLike reports whether a LIKE pattern has no escape, so that it cannot fail.
func plainLike(text string) bool { return !strings.Contains(text, `\`) }

// comparable reports whether values of a type are compared as sources keep their bounds.
func comparable(t *expr.Type) bool {
	switch t.Kind {
	case expr.KindInt8, expr.KindInt16, expr.KindInt32, expr.KindInt64, expr.KindFloat32, expr.KindFloat64, expr.KindDecimal,
		expr.KindDate, expr.KindTimestamp, expr.KindTimestampNTZ, expr.KindBinary:
		return true
	case expr.KindString:
		return t.Collation == ""
	}
	return false
}

// constant returns the value of an expression without columns.
func (p *planner) constant(e expr.Expr) (*expr.Literal, bool) {
	if l, ok := e.(*expr.Literal); ok {
		return l, true
	}
	if !expr.Constant(e) || p.opts.Fold == nil {
		return nil, false
	}
	return p.opts.Fold(e)
}

// harmless reports whether a condition can be asked of any row without failing.
func (p *planner) harmless(e expr.Expr) bool {
	if _, ok := p.constant(e); ok {
		return true
	}
	switch e := e.(type) {
	case *expr.Ref:
		return true
	case *expr.Cast:
		from, to := e.Child.Type(), e.To
		wider := from.IsInteger() && (to.IsInteger() && to.Width() >= from.Width() || to.Kind == expr.KindFloat64)
		return wider && p.harmless(e.Child)
	case *expr.Call:
		switch e.Fn {
		case "=", "!=", "<=>", "<", "<=", ">", ">=", "and", "or", "not", "isnull", "isnotnull", "in", "between", "startswith", "endswith", "contains":
		case "like":
			l, ok := p.constant(e.Args[len(e.Args)-1])
			text, plain := "", false
			if ok {
				text, plain = l.Value.(string)
			}
			if len(e.Args) != 2 || !plain || !plainLike(text) {
				return false
			}
		default:
			return false
		}
		for _, a := range e.Args {
			if !p.harmless(a) {
				return false
			}
		}
		return true
	}
	return false
}
