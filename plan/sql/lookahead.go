package sql

// Hardly any word of Spark's SQL is reserved, so whether WHERE is a clause or the
// alias of what stands before it depends on what follows. The questions of this
// file look a few tokens ahead, never further.

// startsExpr reports whether token n on can begin an expression.
func (p *parser) startsExpr(n int) bool {
	t := p.ahead(n)
	switch t.kind {
	case endOfText, unknown:
		return false
	case operator:
		switch t.upper {
		case "(", "-", "+", "~", "!", "*", "?", ":":
			return true
		}
		return false
	}
	return true
}

// startsQuery reports whether token n on begins a query rather than an
// expression.
func (p *parser) startsQuery(n int) bool {
	switch {
	case p.isWordAt(n, "SELECT"):
		return p.startsExpr(n + 1)
	case p.isWordAt(n, "WITH"):
		return p.isName(n+1) && (p.isWordAt(n+2, "AS", "MAX") || p.isOpAt(n+2, "(") || p.isWordAt(n+1, "RECURSIVE") && p.isName(n+2))
	case p.isWordAt(n, "VALUES"):
		return p.startsExpr(n + 1)
	case p.isWordAt(n, "TABLE"):
		return p.isName(n + 1)
	case p.isWordAt(n, "FROM"):
		return p.isName(n+1) || p.isOpAt(n+1, "(")
	}
	return false
}

// startsSubquery reports whether an opening parenthesis at token n holds a
// query.
func (p *parser) startsSubquery(n int) bool { return p.isOpAt(n, "(") && p.startsQuery(n+1) }

// startsSetOperation reports whether token n on begins UNION, EXCEPT, MINUS or
// INTERSECT with a query behind it.
func (p *parser) startsSetOperation(n int) bool {
	if !p.isWordAt(n, "UNION", "EXCEPT", "MINUS", "INTERSECT") {
		return false
	}
	if p.isWordAt(n+1, "ALL", "DISTINCT") {
		return p.startsQuery(n+2) || p.isOpAt(n+2, "(") || p.isWordAt(n+2, "BY")
	}
	return p.startsQuery(n+1) || p.isOpAt(n+1, "(") || p.isName(n+1) && !p.isWordAt(n, "MINUS")
}

// startsClause reports whether token n on begins a clause that may follow a
// select list or a relation.
func (p *parser) startsClause(n int) bool {
	t := p.ahead(n)
	if t.kind != word {
		return false
	}
	switch t.upper {
	case "FROM":
		return (p.isName(n+1) || p.isOpAt(n+1, "(")) && !(p.isWordAt(n+1, "WHERE") && p.startsExpr(n+2)) ||
			p.isWordAt(n+1, "EPOCH")
	case "WHERE", "HAVING", "LIMIT", "OFFSET", "QUALIFY":
		return p.startsExpr(n+1) && !(p.isWordAt(n+1, "ON", "USING") && t.upper != "LIMIT")
	case "GROUP", "ORDER", "SORT", "CLUSTER", "DISTRIBUTE":
		return p.isWordAt(n+1, "BY")
	case "UNION", "EXCEPT", "MINUS", "INTERSECT":
		return p.startsSetOperation(n)
	case "WINDOW":
		return p.isName(n+1) && p.isWordAt(n+2, "AS")
	case "LATERAL":
		return p.isWordAt(n+1, "VIEW")
	case "PIVOT", "TABLESAMPLE":
		return p.isOpAt(n+1, "(")
	case "UNPIVOT":
		return p.isOpAt(n+1, "(") || p.isWordAt(n+1, "INCLUDE", "EXCLUDE")
	case "WATERMARK":
		return p.startsExpr(n+1) && !p.isWordAt(n+1, "WATERMARK", "DEDUPLICATE", "WHERE", "GROUP", "ORDER", "JOIN", "LIMIT", "UNION", "LATERAL")
	case "DEDUPLICATE":
		return p.isWordAt(n+1, "ON", "WITHIN")
	case "DELAY":
		return p.isWordAt(n+1, "OF")
	}
	return false
}

// startsJoin reports whether token n on begins a join.
func (p *parser) startsJoin(n int) bool {
	switch {
	case p.startsAsOfJoin(n):
		return true
	case p.isWordAt(n, "JOIN"):
		return true
	case p.isWordAt(n, "INNER", "CROSS", "SEMI", "ANTI"):
		return p.isWordAt(n+1, "JOIN")
	case p.isWordAt(n, "LEFT", "RIGHT", "FULL"):
		return p.isWordAt(n+1, "JOIN") || p.isWordAt(n+1, "OUTER", "SEMI", "ANTI") && p.isWordAt(n+2, "JOIN")
	case p.isWordAt(n, "NATURAL"):
		return !p.isWordAt(n+1, "NATURAL") && p.startsJoin(n+1)
	}
	return false
}

// isAlias reports whether the current token is the alias, without AS, of the
// expression before it.
func (p *parser) isAlias() bool {
	return p.isName(0) && !p.startsClause(0) && !p.stops[p.tok().upper]
}

// isRelationAlias is isAlias for relations, which words of joins cannot name, nor
// SELECT with a list behind it: FROM t SELECT a.
func (p *parser) isRelationAlias() bool {
	return p.isAlias() && !joinWords[p.tok().upper] && !(p.isWord("SELECT") && p.startsExpr(1))
}

// endsItem reports whether token n on cannot belong to an item of a select list
// any more.
func (p *parser) endsItem(n int) bool {
	return p.ahead(n).kind == endOfText || p.isOpAt(n, ",", ")", ";", "|>") || p.startsClause(n)
}
