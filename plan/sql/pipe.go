package sql

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// pipe reads one operator of the pipe syntax, |> …, over n.
func (p *parser) pipe(n logical.Node, defs map[string]*expr.WindowSpec) logical.Node {
	t := p.advance()
	star := func() *expr.Star { return &expr.Star{At: p.since(t)} }
	switch {
	case p.isWord("SELECT"):
		p.at++
		return p.pipeSelect(t, n, defs)
	case p.word("EXTEND"):
		list := []expr.Expr{star()}
		p.commaList(func() { list = append(list, p.namedExpression()) })
		n = &logical.Project{At: p.since(t), List: list, Input: n, Pipe: "EXTEND"}
		p.windowClause(defs)
		return n
	case p.word("SET"):
		p.commaList(func() {
			first := p.tok()
			a := &expr.Alias{Name: p.name("a column"), ID: expr.NewID()}
			p.mustOp("=")
			a.Child = p.expression()
			a.At = p.since(first)
			s := star()
			s.Replace = a
			n = &logical.Project{At: p.since(t), List: []expr.Expr{s}, Input: n, Pipe: "SET"}
		})
		return n
	case p.word("DROP"):
		s := star()
		p.commaList(func() { s.Except = append(s.Except, p.names("a column")) })
		return &logical.Project{At: p.since(t), List: []expr.Expr{s}, Input: n}
	case p.word("AS"):
		return &logical.Alias{Name: p.name("an alias"), Input: n, At: p.since(t)}
	case p.word("WHERE"):
		cond := p.expression()
		return &logical.Filter{At: p.since(t), Cond: cond, Input: n}
	case p.isWord("PIVOT", "UNPIVOT"):
		return p.pivoted(t, n)
	case p.isWord("TABLESAMPLE"):
		return p.sample(n)
	case p.startsJoin(0):
		return p.joins(t, n)
	case p.isWord("UNION", "EXCEPT", "MINUS", "INTERSECT"):
		op := p.advance().upper
		all := p.anyWord("ALL", "DISTINCT") == "ALL"
		right := p.queryPrimary(defs)
		return setOperation(p.since(t), op, all, n, right, false)
	case p.word("AGGREGATE"):
		return p.pipeAggregate(t, n)
	case p.isWord("WINDOW"):
		p.failAt(p.tok().pos(), "UNSUPPORTED_FEATURE.CLAUSE_WITH_PIPE_OPERATORS", "0A000", "The pipe syntax has no operator WINDOW.")
	case p.isWord("ORDER", "SORT", "CLUSTER", "DISTRIBUTE", "LIMIT", "OFFSET"):
		return p.organized(n, defs)
	}
	p.unexpected("SELECT", "EXTEND", "SET", "DROP", "AS", "WHERE", "JOIN", "AGGREGATE", "UNION", "ORDER BY", "LIMIT", "PIVOT", "UNPIVOT")
	return nil
}

// pipeSelect reads [DISTINCT] items.
func (p *parser) pipeSelect(t token, n logical.Node, defs map[string]*expr.WindowSpec) logical.Node {
	distinct := p.isWord("DISTINCT", "ALL") && p.startsExpr(1) && !p.startsClause(1) && p.advance().upper == "DISTINCT"
	var list []expr.Expr
	p.commaList(func() { list = append(list, p.namedExpression()) })
	var out logical.Node = &logical.Project{At: p.since(t), List: list, Input: n}
	if distinct {
		out = &logical.Distinct{At: p.since(t), Input: out}
	}
	p.windowClause(defs)
	return out
}

// pipeAggregate reads [aggregates] [GROUP BY …]: the groups are put out first.
func (p *parser) pipeAggregate(t token, n logical.Node) logical.Node {
	var list []expr.Expr
	if !p.isPhrase("GROUP", "BY") {
		p.commaList(func() { list = append(list, p.namedExpression()) })
	}
	a := &logical.Aggregate{Pipe: true}
	if p.word("GROUP", "BY") {
		saved := p.stops
		a = p.groupBy()
		p.stops = saved
		a.Pipe = true
	}
	a.At, a.Input = p.since(t), n
	a.List = append(append([]expr.Expr(nil), a.Group...), list...)
	return a
}
