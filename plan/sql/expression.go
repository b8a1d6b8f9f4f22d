package sql

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// The levels of binary operators, weakest first; Spark's grammar.
const (
	levelCompare = iota + 1
	levelBitOr
	levelBitXor
	levelBitAnd
	levelShift
	levelAdd
	levelMultiply
)

// expression reads an expression with its AND, OR and NOT.
func (p *parser) expression() expr.Expr {
	first := p.tok().pos()
	terms := []expr.Expr{p.conjunction()}
	for p.isWord("OR") && p.startsExpr(1) {
		p.at++
		terms = append(terms, p.conjunction())
	}
	return p.balanced("or", terms, first)
}

func (p *parser) conjunction() expr.Expr {
	first := p.tok().pos()
	terms := []expr.Expr{p.negation()}
	for p.isWord("AND") && p.startsExpr(1) {
		p.at++
		terms = append(terms, p.negation())
	}
	return p.balanced("and", terms, first)
}

// balanced joins terms into a tree of small depth, as Spark does.
func (p *parser) balanced(op string, terms []expr.Expr, first base.Pos) expr.Expr {
	switch n := len(terms); n {
	case 1:
		return terms[0]
	case 2:
		return span2(op, terms[0], terms[1], p.text)
	default:
		mid := (n-1)/2 + 1
		return span2(op, p.balanced(op, terms[:mid], first), p.balanced(op, terms[mid:], first), p.text)
	}
}

// span2 applies a binary operator to two expressions that stand next to it.
func span2(op string, l, r expr.Expr, s string) expr.Expr {
	at := l.Pos()
	at.End = max(at.End, r.Pos().End)
	return &expr.Apply{At: at, Name: []string{op}, Args: []expr.Expr{l, r}, Operator: true}
}

func (p *parser) negation() expr.Expr {
	t := p.tok()
	switch {
	case p.isWord("NOT") && p.startsExpr(1), p.isOp("!"):
		defer p.nest()()
		p.at++
		return p.apply(t.pos(), "not", p.negation())
	case p.isWord("EXISTS") && p.startsSubquery(1):
		p.at++
		return p.subquery(expr.ExistsSubquery, t, nil)
	}
	return p.predicate()
}

// apply makes an operator whose text began at pos and ends here.
func (p *parser) apply(pos base.Pos, op string, args ...expr.Expr) expr.Expr {
	return &expr.Apply{At: p.from(pos), Name: []string{op}, Args: args, Operator: true}
}

// value reads operators that bind tighter than predicates.
func (p *parser) value() expr.Expr { return p.binary(levelCompare) }

// binary reads operators of at least the given level, by precedence climbing.
func (p *parser) binary(level int) expr.Expr {
	first := p.tok().pos()
	left := p.unary()
	for n := 1; ; n++ {
		op, l, size := p.binaryOperator()
		if size == 0 || l < level {
			return left
		}
		p.chain(n)
		p.at += size
		right := p.binary(l + 1)
		switch op {
		case "!=":
			left = p.apply(first, "not", p.apply(first, "=", left, right))
		default:
			left = p.apply(first, op, left, right)
		}
	}
}

// binaryOperator returns the operator at the current token by its canonical
// name, its level and how many tokens it has; no tokens if there is none.
func (p *parser) binaryOperator() (op string, level, size int) {
	t := p.tok()
	if t.kind == word {
		if t.upper == "DIV" && p.startsExpr(1) {
			return "div", levelMultiply, 1
		}
		return "", 0, 0
	}
	if t.kind != operator {
		return "", 0, 0
	}
	switch t.upper {
	case "*", "/", "%":
		return t.upper, levelMultiply, 1
	case "+", "-", "||":
		return t.upper, levelAdd, 1
	case "<<":
		return "<<", levelShift, 1
	case "&":
		return "&", levelBitAnd, 1
	case "^":
		return "^", levelBitXor, 1
	case "|":
		return "|", levelBitOr, 1
	case "=", "==":
		return "=", levelCompare, 1
	case "<=>", "<", "<=", ">=":
		return t.upper, levelCompare, 1
	case "<>", "!=":
		return "!=", levelCompare, 1
	case "!>":
		return "<=", levelCompare, 1
	case "!<":
		return ">=", levelCompare, 1
	case ">":
		// The tokens of >> are single for the sake of ARRAY<ARRAY<INT>>.
		if !p.isOpAt(1, ">") || !t.adjacent(p.ahead(1)) {
			return ">", levelCompare, 1
		}
		if p.isOpAt(2, ">") && p.ahead(1).adjacent(p.ahead(2)) {
			return ">>>", levelShift, 3
		}
		return ">>", levelShift, 2
	}
	return "", 0, 0
}

// unary reads signs before a primary. Whatever nests passes here, so here the
// depth is counted.
func (p *parser) unary() expr.Expr {
	defer p.nest()()
	t := p.tok()
	if !p.isOp("-", "+", "~") || p.isOp("-") && p.ahead(1).isNumber() {
		return p.primary()
	}
	p.at++
	op := map[string]string{"-": "negative", "+": "positive", "~": "~"}[t.upper]
	return p.apply(t.pos(), op, p.unary())
}

// namedExpression reads an expression and its alias: e [AS] name, e AS (a, b).
func (p *parser) namedExpression() expr.Expr {
	first := p.tok().pos()
	e := p.expression()
	switch {
	case p.isWord("AS") && (p.isName(1) && (!p.startsClause(1) || p.endsItem(2)) || p.isOpAt(1, "(") || p.ahead(1).kind == text):
		p.at++
		if p.isOp("(") {
			return p.multiAlias(first, e)
		}
	case p.isOp("(") && p.isName(1) && (p.isOpAt(2, ",") || p.isOpAt(2, ")")):
		return p.multiAlias(first, e)
	case !p.isAlias():
		return e
	default:
		p.lastAlias = p.at
	}
	name := p.nameOrIdentifier("a name")
	return &expr.Alias{At: p.from(first), Child: e, Name: name, ID: expr.NewID()}
}

// multiAlias reads the names of a generator's columns.
func (p *parser) multiAlias(first base.Pos, e expr.Expr) expr.Expr {
	names := p.nameList("a column's name")
	return &expr.MultiAlias{At: p.from(first), Child: e, Names: names}
}
