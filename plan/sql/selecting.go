package sql

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// selectQuery reads a query from behind its SELECT (token t) to the end of its
// last clause. from is the relation of a query that began with FROM, or nil.
func (p *parser) selectQuery(t token, from logical.Node, defs map[string]*expr.WindowSpec) logical.Node {
	distinct := false
	if p.isWord("DISTINCT", "ALL") && p.startsExpr(1) && !p.startsClause(1) {
		distinct = p.advance().upper == "DISTINCT"
	}
	if p.isWord("TRANSFORM") && p.isOpAt(1, "(") && p.isWordAt(2, "USING") {
		p.unsupported(p.tok(), "TRANSFORM with a script", "use a function of arrays")
	}
	var items []expr.Expr
	p.commaList(func() { items = append(items, p.namedExpression()) })
	at := p.since(t)
	input := from
	if from == nil && p.isWord("FROM") && p.startsClause(0) {
		input = p.fromClause()
	}
	if input == nil {
		input = &logical.Values{At: at, Rows: [][]expr.Expr{{}}}
	}
	n := p.lateralViews(input)
	if w := p.tok(); p.isWord("WHERE") && p.startsExpr(1) {
		p.at++
		cond := p.expression()
		n = &logical.Filter{At: p.since(w), Cond: cond, Input: n}
	}
	n = p.grouped(at, items, n)
	n = p.qualify(n)
	p.windowClause(defs)
	n = p.qualify(n)
	if distinct {
		n = &logical.Distinct{At: at, Input: n}
	}
	return n
}

// qualify reads QUALIFY condition.
func (p *parser) qualify(n logical.Node) logical.Node {
	if !p.isWord("QUALIFY") || !p.startsExpr(1) {
		return n
	}
	t := p.advance()
	cond := p.expression()
	return &logical.Qualify{At: p.since(t), Cond: cond, Input: n}
}

// grouped reads GROUP BY and HAVING and puts the select list over them.
func (p *parser) grouped(at base.Pos, items []expr.Expr, n logical.Node) logical.Node {
	var agg *logical.Aggregate
	if g := p.tok(); p.word("GROUP", "BY") {
		agg = p.groupBy()
		agg.At = p.since(g)
	}
	if !p.isWord("HAVING") || !p.startsExpr(1) {
		if agg == nil {
			return &logical.Project{At: at, List: items, Input: n}
		}
		agg.List, agg.Input = items, n
		return agg
	}
	h := p.advance()
	if agg == nil {
		agg = &logical.Aggregate{At: at}
	}
	agg.List, agg.Input = items, n
	cond := p.expression()
	return &logical.Having{At: p.since(h), Cond: cond, Input: agg}
}

// fromQuery reads FROM relations SELECT ….
func (p *parser) fromQuery(t token, defs map[string]*expr.WindowSpec) logical.Node {
	n := p.lateralViews(p.fromClause())
	if !p.isWord("SELECT") { // operators |> are read where set operations are
		return n
	}
	p.at++
	return p.selectQuery(t, n, defs)
}

// lateralViews reads LATERAL VIEW [OUTER] gen(…) name [[AS] columns], ….
func (p *parser) lateralViews(n logical.Node) logical.Node {
	for p.isPhrase("LATERAL", "VIEW") {
		t := p.tok()
		p.at += 2
		g := &logical.Generate{Input: n}
		if p.isWord("OUTER") && !p.isOpAt(1, "(") {
			p.at++
			g.Outer = true
		}
		f := p.tok()
		name := p.names("a function such as explode")
		if !p.isOp("(") {
			p.unexpected("'('")
		}
		g.Gen = p.call(f, name)
		if p.isWord("AS") && p.isName(1) && p.endsLateral(2) {
			p.at++
		} else {
			g.Name = p.name("a name for the view")
			if !p.isWord("AS") || !p.isName(1) {
				if p.isName(0) && !p.startsClause(0) && !p.isPhrase("LATERAL", "VIEW") {
					g.Names = p.plainNames()
				}
				g.At = p.since(t)
				n = g
				continue
			}
			p.at++
		}
		g.Names = p.plainNames()
		g.At = p.since(t)
		n = g
	}
	return n
}

// endsLateral reports whether a lateral view that is written AS c, without a
// name of its own, ends before token n.
func (p *parser) endsLateral(n int) bool {
	return p.endsItem(n) || p.isWordAt(n, "LATERAL")
}

func (p *parser) plainNames() []string {
	var out []string
	p.commaList(func() { out = append(out, p.name("a column")) })
	return out
}
