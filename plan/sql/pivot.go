package sql

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// pivoted reads PIVOT (…) or UNPIVOT (…) [alias] behind the relation n, which
// began at t.
func (p *parser) pivoted(t token, n logical.Node) logical.Node {
	if p.advance().upper == "PIVOT" {
		return p.alias(t, p.pivot(t, n))
	}
	return p.alias(t, p.unpivot(t, n))
}

// pivot reads (aggregate [AS name], … FOR column IN (value [AS name], …)).
func (p *parser) pivot(t token, in logical.Node) logical.Node {
	n := &logical.Pivot{Input: in}
	p.mustOp("(")
	saved := p.stops
	p.stops = map[string]bool{"FOR": true}
	p.commaList(func() { n.Aggs = append(n.Aggs, p.namedExpression()) })
	p.stops = saved
	p.mustWord("FOR")
	column := func() {
		t := p.tok()
		n.For = append(n.For, &expr.Name{Parts: []string{p.name("a column")}, At: p.since(t)})
	}
	if p.isOp("(") {
		p.parenthesised(func() { p.commaList(column) })
	} else {
		column()
	}
	p.mustWord("IN")
	p.parenthesised(func() {
		p.commaList(func() {
			value, name := p.item()
			if list, ok := rowOf(value, len(n.For)); ok {
				n.Values, n.Names = append(n.Values, list), append(n.Names, name)
				return
			}
			n.Values, n.Names = append(n.Values, []expr.Expr{value}), append(n.Names, name)
		})
	})
	p.mustOp(")")
	n.At = p.since(t)
	return n
}

// item reads expression [AS name].
func (p *parser) item() (expr.Expr, string) {
	e := p.namedExpression()
	if a, ok := e.(*expr.Alias); ok {
		return a.Child, a.Name
	}
	return e, ""
}

// rowOf returns the members of (a, b), if e is that and n is above 1.
func rowOf(e expr.Expr, n int) ([]expr.Expr, bool) {
	row, ok := e.(*expr.Apply)
	if !ok || n < 2 || row.Name[0] != "named_struct" || len(row.Args) != 2*n {
		return nil, false
	}
	var list []expr.Expr
	for i := 1; i < len(row.Args); i += 2 {
		list = append(list, row.Args[i])
	}
	return list, true
}

// unpivot reads [INCLUDE | EXCLUDE NULLS] (value FOR name IN (column [AS alias],
// …)), or ((v1, v2) FOR name IN ((a, b) [AS alias], …)).
func (p *parser) unpivot(t token, in logical.Node) logical.Node {
	n := &logical.Unpivot{Input: in}
	if w := p.anyWord("INCLUDE", "EXCLUDE"); w != "" {
		p.mustWord("NULLS")
		n.Nulls = w == "INCLUDE"
	}
	p.mustOp("(")
	if p.isOp("(") {
		n.Values = p.nameList("a column")
	} else {
		n.Values = []string{p.name("a column")}
	}
	p.mustWord("FOR")
	n.Name = p.name("a column")
	p.mustWord("IN")
	p.parenthesised(func() { p.commaList(func() { p.unpivotItem(n) }) })
	p.mustOp(")")
	n.At = p.since(t)
	return n
}

func (p *parser) unpivotItem(n *logical.Unpivot) {
	var cols []expr.Expr
	column := func() {
		t := p.tok()
		cols = append(cols, &expr.Name{Parts: p.names("a column"), At: p.since(t)})
	}
	if p.isOp("(") {
		p.parenthesised(func() { p.commaList(column) })
	} else {
		column()
	}
	name := ""
	if p.word("AS") || p.isName(0) {
		name = p.name("an alias")
	}
	n.Items, n.Names = append(n.Items, cols), append(n.Names, name)
}
