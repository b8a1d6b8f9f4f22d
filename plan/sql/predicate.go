package sql

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// predicate reads a value and at most one predicate over it: IS, IN, BETWEEN,
// LIKE, RLIKE. A comparison of a predicate needs parentheses, as in Spark.
func (p *parser) predicate() expr.Expr {
	t := p.tok()
	first := t.pos()
	left := p.value()
	n := 0
	if p.isWord("NOT") {
		n = 1
	}
	var out expr.Expr
	switch {
	case p.isWordAt(n, "BETWEEN") && p.startsExpr(n+1):
		at := p.tok().pos() // as of IN
		p.at += n + 1
		low := p.value()
		p.mustWord("AND")
		high := p.value()
		out = &expr.Apply{At: p.from(at), Name: []string{"between"}, Args: []expr.Expr{left, low, high}}
	case p.isWordAt(n, "IN") && p.isOpAt(n+1, "("):
		t = p.tok() // Spark's place of the predicate begins here, not at its operand
		p.at += n + 1
		out = p.in(t, left)
	case p.isWordAt(n, "LIKE", "ILIKE") && p.startsExpr(n+1):
		at := p.tok().pos()
		p.at += n
		if p.isWordAt(1, "ANY", "SOME", "ALL") && p.isOpAt(2, "(") {
			return p.likeAny(first, left, n == 1)
		}
		out = p.like(at, left)
	case p.isWordAt(n, "RLIKE", "REGEXP") && p.startsExpr(n+1):
		at := p.tok().pos()
		p.at += n + 1
		out = p.apply(at, "rlike", left, p.value())
	case n == 0 && p.isWord("IS") && p.isWordAt(1, "NOT", "NULL", "TRUE", "FALSE", "UNKNOWN", "DISTINCT"):
		return p.is(first, left)
	default:
		return left
	}
	if n == 1 {
		return p.apply(first, "not", out)
	}
	return out
}

func (p *parser) in(t token, left expr.Expr) expr.Expr {
	if p.startsSubquery(0) {
		values := []expr.Expr{left}
		if row := rowValues(left); row != nil {
			values = row
		}
		return p.subquery(expr.InSubquery, t, values)
	}
	if p.isOpAt(1, ")") {
		p.at += 2
		p.failAt(p.since(t), "INVALID_SQL_SYNTAX.EMPTY_IN_PREDICATE", "42000", "IN has no values.")
	}
	args := []expr.Expr{left}
	p.parenthesised(func() { args = append(args, p.expression()) })
	return p.apply(t.pos(), "in", args...)
}

// like reads LIKE or ILIKE pattern [ESCAPE 'c'].
func (p *parser) like(first base.Pos, left expr.Expr) expr.Expr {
	t := p.advance()
	args := []expr.Expr{left, p.value()}
	if p.isWord("ESCAPE") && p.ahead(1).kind == text {
		p.at++
		at := p.tok()
		esc := p.mustText("the escape character")
		if len([]rune(esc)) != 1 {
			err := base.UserError("INVALID_ESC", "42604", "Found an invalid escape string: '%s'. The escape string must contain only one character.", esc)
			p.fail(err.At(p.since(t)).WithHint("write ESCAPE '\\\\' or another single character"))
		}
		args = append(args, &expr.Literal{At: at.pos(), Value: esc, Typ: expr.String})
	}
	return p.apply(first, map[string]string{"LIKE": "like", "ILIKE": "ilike"}[t.upper], args...)
}

// likeAny reads [I]LIKE ANY | ALL (pattern, …).
func (p *parser) likeAny(first base.Pos, left expr.Expr, negated bool) expr.Expr {
	op := map[string]string{"LIKE": "like", "ILIKE": "ilike"}[p.advance().upper]
	join := "or"
	if p.advance().upper == "ALL" {
		join = "and"
	}
	var terms []expr.Expr
	if p.isOpAt(1, ")") {
		p.at++
		p.failAt(p.tok().pos(), "_LEGACY_ERROR_TEMP_0064", "", "Expected something between '(' and ')'.")
	}
	constant := op == "like"
	patterns := []expr.Expr{left}
	p.parenthesised(func() {
		pattern := p.expression()
		lit, ok := pattern.(*expr.Literal)
		constant = constant && ok && lit.Typ.Kind == expr.KindString
		patterns = append(patterns, pattern)
		e := p.apply(first, op, left, pattern)
		if negated {
			e = p.apply(first, "not", e)
		}
		terms = append(terms, e)
	})
	if constant { // Spark has one operator for these
		name := map[string]string{"or": "likeany", "and": "likeall"}[join]
		if negated {
			name = "not" + name
		}
		return p.apply(first, name, patterns...)
	}
	return p.balanced(join, terms, first)
}

func (p *parser) is(first base.Pos, left expr.Expr) expr.Expr {
	is := p.tok().pos()
	p.at++
	negated := p.word("NOT")
	var out expr.Expr
	switch t := p.tok(); {
	case p.word("UNKNOWN"):
		if negated {
			return p.apply(is, "isnotunknown", left)
		}
		return p.apply(is, "isunknown", left)
	case p.word("NULL"):
		if negated {
			return p.apply(first, "isnotnull", left)
		}
		return p.apply(first, "isnull", left)
	case p.word("TRUE"), p.word("FALSE"):
		out = p.apply(is, "<=>", left, &expr.Literal{At: t.pos(), Value: t.upper == "TRUE", Typ: expr.Bool})
	case p.word("DISTINCT", "FROM"):
		out = p.apply(first, "<=>", left, p.value())
		negated = !negated
	default:
		p.unexpected("NULL", "TRUE", "FALSE", "UNKNOWN", "DISTINCT FROM")
	}
	if negated {
		return p.apply(first, "not", out)
	}
	return out
}
