package sql

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// startsAsOf reports whether the tokens from n on are ASOF JOIN … MATCH_CONDITION (.
// Without MATCH_CONDITION the word is an alias of the table before it.
func (p *parser) startsAsOf(n int) bool {
	if !p.isWordAt(n, "ASOF") || !p.isWordAt(n+1, "JOIN") {
		return false
	}
	depth := 0
	for n += 2; ; n++ {
		switch t := p.ahead(n); {
		case t.kind == endOfText || p.isOpAt(n, ";"):
			return false
		case p.isOpAt(n, "("):
			depth++
		case p.isOpAt(n, ")"):
			if depth--; depth < 0 {
				return false
			}
		case depth == 0 && p.isWordAt(n, "MATCH_CONDITION"):
			return p.isOpAt(n+1, "(")
		case depth == 0 && p.isWordAt(n, "ON", "USING", "JOIN", "WHERE", "SELECT"):
			return false
		}
	}
}

// startsAsOfJoin is startsAsOf with the kind of the join before it.
func (p *parser) startsAsOfJoin(n int) bool {
	switch {
	case p.isWordAt(n, "LEFT") && p.isWordAt(n+1, "OUTER"):
		n += 2
	case p.isWordAt(n, "INNER", "LEFT"):
		n++
	}
	return p.startsAsOf(n)
}

// asOfJoin reads [INNER | LEFT [OUTER]] ASOF JOIN t MATCH_CONDITION (a op b)
// [ON condition | USING (columns)] behind left.
func (p *parser) asOfJoin(left logical.Node) logical.Node {
	t := p.tok()
	j := &logical.AsOfJoin{Left: left}
	if p.anyWord("INNER", "LEFT") == "LEFT" {
		j.Outer = true
		p.word("OUTER")
	}
	p.mustWord("ASOF")
	p.mustWord("JOIN")
	stops := p.stops
	p.stops = map[string]bool{"MATCH_CONDITION": true} // and no alias
	j.Right = p.relationPrimary()
	p.stops = stops
	p.mustWord("MATCH_CONDITION")
	p.mustOp("(")
	match := p.expression()
	p.mustOp(")")
	switch {
	case p.isWord("ON") && p.startsExpr(1):
		p.at++
		j.Cond = p.expression()
	case p.word("USING"):
		j.Using = p.nameList("a column")
	}
	j.At = p.since(t)
	// What is no comparison has itself as both operands: the resolver refuses its Op.
	j.Op, j.Match = "an expression", [2]expr.Expr{match, match}
	if a, ok := match.(*expr.Apply); ok && len(a.Name) == 1 {
		if j.Op = a.Name[0]; len(a.Args) == 2 {
			j.Match = [2]expr.Expr{a.Args[0], a.Args[1]}
		}
	}
	return j
}
