package sql

import (
	"strconv"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// innerQuery reads a query inside parentheses, where the words that may follow a
// SUBSCRIBE are names again.
func (p *parser) innerQuery() logical.Node {
	stops := p.stops
	p.stops = nil
	n := p.query()
	p.stops = stops
	return n
}

// query reads [WITH …] terms [ORDER BY … LIMIT …].
func (p *parser) query() logical.Node {
	defer p.nest()()
	outer := p.refs
	p.refs = nil
	defs := map[string]*expr.WindowSpec{}
	with := p.with()
	n := p.queryTerm(false, defs)
	n = p.organized(n, defs)
	p.bindWindows(p.refs, defs)
	p.refs = outer
	if with != nil {
		with.Body = n
		return with
	}
	return n
}

// with reads WITH name [(columns)] [AS] (query), …, or returns nil.
func (p *parser) with() *logical.With {
	if !p.isWord("WITH") {
		return nil
	}
	t := p.advance()
	w := &logical.With{At: t.pos()}
	if p.isWord("RECURSIVE") && p.isName(1) && !p.isWordAt(1, "AS") {
		p.at++
		w.Recursive = true
	}
	seen := map[string]bool{}
	limited := false
	p.commaList(func() {
		first := p.tok()
		name := p.name("a name for the query")
		if seen[fold(name)] {
			p.failAt(first.pos(), "DUPLICATED_CTE_NAMES", "42602", "CTE definition can't have duplicate names: `%s`.", name)
		}
		seen[fold(name)] = true
		var columns []string
		if p.isOp("(") && !p.startsQuery(1) {
			columns = p.nameList("a column")
		}
		level := int64(-1)
		if p.word("MAX", "RECURSION", "LEVEL") {
			level = p.recursionLevel()
			limited = true
		}
		p.word("AS")
		p.mustOp("(")
		w.Names = append(w.Names, name)
		w.Levels = append(w.Levels, level)
		w.Columns = append(w.Columns, columns)
		w.Queries = append(w.Queries, p.innerQuery())
		p.mustOp(")")
	})
	if limited && !w.Recursive {
		p.failAt(p.since(t), "_LEGACY_ERROR_TEMP_0035", "", "MAX RECURSION LEVEL belongs to WITH RECURSIVE.")
	}
	w.At = p.since(t)
	return w
}

// recursionLevel reads the number behind MAX RECURSION LEVEL.
func (p *parser) recursionLevel() int64 {
	t := p.tok()
	n, err := strconv.ParseInt(p.text[t.start:t.end], 10, 32)
	if t.kind != integer || err != nil {
		p.unexpected("a number")
	}
	p.at++
	return n
}

// queryTerm reads queries joined by set operations, from the left; INTERSECT
// binds tighter than the others.
func (p *parser) queryTerm(intersect bool, defs map[string]*expr.WindowSpec) logical.Node {
	var left logical.Node
	if intersect {
		left = p.queryPrimary(defs)
	} else {
		left = p.queryTerm(true, defs)
	}
	return p.setOperations(left, intersect, defs)
}

// setOperations reads the set operations behind left; only INTERSECT if
// intersect is set.
func (p *parser) setOperations(left logical.Node, intersect bool, defs map[string]*expr.WindowSpec) logical.Node {
	first := left.Pos()
	for n := 1; ; n++ {
		p.chain(n)
		switch {
		case !intersect && p.isOp("|>"):
			left = p.pipe(left, defs)
			continue
		case intersect && p.isWord("INTERSECT") && p.startsSetOperation(0), !intersect && p.isWord("UNION", "EXCEPT", "MINUS") && p.startsSetOperation(0):
		default:
			return left
		}
		op := p.advance().upper
		all := p.anyWord("ALL", "DISTINCT") == "ALL"
		var right logical.Node
		if intersect {
			right = p.queryPrimary(defs)
		} else {
			right = p.queryTerm(true, defs)
		}
		left = setOperation(p.from(first), op, all, left, right, n > 1)
	}
}

// setOperation joins two queries. A chain of UNION ALL becomes one node.
func setOperation(at base.Pos, op string, all bool, left, right logical.Node, chained bool) logical.Node {
	if op != "UNION" {
		return &logical.SetOp{At: at, Except: op != "INTERSECT", All: all, Left: left, Right: right}
	}
	children := []logical.Node{left, right}
	if u, ok := left.(*logical.Union); ok && chained {
		children = append(u.Children, right)
	}
	u := &logical.Union{At: at, Children: children}
	if all {
		return u
	}
	return &logical.Distinct{At: at, Input: u}
}

// organized reads ORDER BY, SORT BY, DISTRIBUTE BY, CLUSTER BY, WINDOW, LIMIT and
// OFFSET behind a query.
func (p *parser) organized(n logical.Node, defs map[string]*expr.WindowSpec) logical.Node {
	t := p.tok()
	clauses := 0
	if p.word("ORDER", "BY") {
		n = p.orderBy(t, n)
		clauses++
	}
	if t := p.tok(); p.word("CLUSTER", "BY") {
		clauses++
		terms := p.plainTerms()
		n = &logical.Repartition{At: p.since(t), Input: n}
		n = &logical.Sort{At: p.since(t), Keys: terms, Input: n}
	}
	distributed := false
	if t := p.tok(); p.word("DISTRIBUTE", "BY") {
		clauses++
		distributed = true
		p.plainTerms()
		n = &logical.Repartition{At: p.since(t), Input: n}
	}
	if t := p.tok(); p.word("SORT", "BY") {
		if clauses++; distributed {
			clauses-- // these two go together
		}
		keys := p.sortTerms()
		n = &logical.Sort{At: p.since(t), Keys: keys, Input: n}
	}
	if clauses > 1 {
		p.failAt(p.since(t), "UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES", "0A000", "A query has one of ORDER BY, SORT BY, CLUSTER BY and DISTRIBUTE BY, or the last with SORT BY.")
	}
	p.windowClause(defs)
	return p.limit(n)
}

func (p *parser) plainTerms() []expr.SortTerm {
	var out []expr.SortTerm
	p.commaList(func() { out = append(out, expr.SortTerm{Expr: p.expression(), NullsFirst: true}) })
	return out
}

// orderBy reads what follows ORDER BY. For ORDER BY ALL the one key holds the
// direction.
func (p *parser) orderBy(t token, n logical.Node) logical.Node {
	if p.isWord("ALL") && (p.isWordAt(1, "ASC", "DESC", "NULLS") || p.endsItem(1) && !p.isOpAt(1, ",")) {
		all := expr.SortTerm{Expr: &expr.Name{At: p.tok().pos(), Parts: []string{"ALL"}}}
		p.at++
		p.direction(&all)
		return &logical.Sort{At: p.since(t), All: true, Global: true, Keys: []expr.SortTerm{all}, Input: n}
	}
	keys := p.sortTerms()
	return &logical.Sort{At: p.since(t), Keys: keys, Global: true, Input: n}
}

// limit reads [LIMIT n | ALL] [OFFSET n].
func (p *parser) limit(n logical.Node) logical.Node {
	t := p.tok()
	if p.stops["LIMIT"] && p.isWord("LIMIT") {
		return n
	}
	l := &logical.Limit{Input: n}
	if p.isWord("LIMIT") && p.startsExpr(1) {
		p.at++
		if !p.word("ALL") {
			l.Count = p.expression()
		}
	}
	if p.isWord("OFFSET") && p.startsExpr(1) {
		p.at++
		l.Offset = p.expression()
	}
	if l.Count == nil && l.Offset == nil {
		return n
	}
	l.At = p.since(t)
	return l
}

// queryPrimary reads SELECT, FROM … SELECT, TABLE t, VALUES or a query in
// parentheses.
func (p *parser) queryPrimary(defs map[string]*expr.WindowSpec) logical.Node {
	t := p.tok()
	switch {
	case p.isOp("("):
		return p.parenthesisedQuery()
	case p.isWord("SELECT"):
		p.at++
		return p.selectQuery(t, nil, defs)
	case p.isWord("FROM"):
		return p.fromQuery(t, defs)
	case p.isWord("TABLE") && p.isName(1):
		p.at++
		return p.table(false)
	case p.isWord("VALUES"):
		return p.values()
	case p.isWord("MAP", "REDUCE"):
		p.unsupported(t, t.upper+" with a script", "use the functions of arrays and maps")
	}
	p.unexpected("SELECT", "VALUES", "TABLE", "FROM", "'('")
	return nil
}

func (p *parser) parenthesisedQuery() logical.Node {
	defer p.nest()()
	p.mustOp("(")
	n := p.innerQuery()
	p.mustOp(")")
	return n
}

// continuesQuery reports whether what follows makes the subquery just read the
// first part of a longer query: ((SELECT 1) UNION (SELECT 2)).
func (p *parser) continuesQuery() bool {
	return p.startsSetOperation(0) || p.isOp("|>") || p.isPhrase("ORDER", "BY") || p.isWord("LIMIT", "OFFSET") && p.startsExpr(1)
}

// widenSubquery reads the rest of a query whose first part sub is, up to the
// closing parenthesis of t.
func (p *parser) widenSubquery(t token, sub *expr.Subquery) expr.Expr {
	plan := p.restOfQuery(sub.Plan.(logical.Node))
	p.mustOp(")")
	return &expr.Subquery{At: p.since(t), Kind: expr.ScalarSubquery, Plan: plan}
}

// restOfQuery reads the set operations and the order of a query whose first part
// has been read.
func (p *parser) restOfQuery(n logical.Node) logical.Node {
	defs := map[string]*expr.WindowSpec{}
	n = p.setOperations(n, true, defs)
	n = p.setOperations(n, false, defs)
	return p.organized(n, defs)
}

// values reads VALUES row, … [[AS] alias [(columns)]].
func (p *parser) values() logical.Node {
	t := p.advance()
	v := &logical.Values{}
	p.commaList(func() { v.Rows = append(v.Rows, valuesRow(p.expression())) })
	v.At = p.since(t)
	n := p.alias(t, v)
	at := p.since(t)
	for i, r := range v.Rows {
		want := len(v.Rows[0])
		if a, ok := n.(*logical.Alias); ok && a.Columns != nil {
			want = len(a.Columns)
		}
		if len(r) != want {
			err := base.UserError("INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "42000",
				"Invalid inline table. Inline table expected %d columns but found %d columns in row %d.", want, len(r), i)
			p.fail(err.At(at).WithHint("rows are counted from 0; each needs %d values", want))
		}
	}
	return n
}

// valuesRow returns the columns of one row: the members of (a, b) and of
// struct(a, b), or the expression itself.
func valuesRow(e expr.Expr) []expr.Expr {
	if row := rowValues(e); row != nil {
		return row
	}
	if a, ok := e.(*expr.Apply); ok && len(a.Name) == 1 && strings.EqualFold(a.Name[0], "struct") && len(a.Args) > 0 {
		out := make([]expr.Expr, len(a.Args))
		for i, arg := range a.Args {
			if al, ok := arg.(*expr.Alias); ok {
				arg = al.Child
			}
			out[i] = arg
		}
		return out
	}
	return []expr.Expr{e}
}
