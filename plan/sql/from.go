package sql

import (
	"strconv"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// fromClause reads FROM relation, ….
func (p *parser) fromClause() logical.Node {
	p.mustWord("FROM")
	t := p.tok()
	n := p.relation()
	for i := 1; p.op(","); i++ {
		p.joined(i)
		j := &logical.Join{Kind: physical.Inner, Left: n, Lateral: p.lateral()}
		j.Right = p.relation()
		j.At = p.since(t)
		n = j
	}
	return n
}

// checkLateral refuses what cannot go with JOIN LATERAL.
func (p *parser) checkLateral(j *logical.Join) {
	names := map[physical.JoinKind]string{physical.RightOuter: "RIGHT OUTER", physical.FullOuter: "FULL OUTER", physical.LeftSemi: "LEFT SEMI", physical.LeftAnti: "LEFT ANTI"}
	switch name := names[j.Kind]; {
	case j.Natural:
		p.failAt(j.At, "INCOMPATIBLE_JOIN_TYPES", "42613", "A join is NATURAL or LATERAL, not both.")
	case j.Using != nil:
		p.failAt(j.At, "UNSUPPORTED_FEATURE.LATERAL_JOIN_USING", "0A000", "JOIN LATERAL has no USING.")
	case name != "":
		p.failAt(j.At, "INVALID_LATERAL_JOIN_TYPE", "42613", "LATERAL goes with an inner, cross or left join, not with %s.", name)
	}
}

// lateral takes LATERAL before a relation.
func (p *parser) lateral() bool {
	if !p.isWord("LATERAL") || !p.isOpAt(1, "(") && !p.isName(1) || p.isWordAt(1, "VIEW") {
		return false
	}
	t := p.tok()
	p.at++
	if !p.isOp("(") { // a table function has parentheses behind its name
		n := 1
		for p.isOpAt(n, ".") && p.isName(n+1) {
			n += 2
		}
		if !p.isOpAt(n, "(") {
			p.failAt(p.since(t), "INVALID_SQL_SYNTAX.LATERAL_WITHOUT_SUBQUERY_OR_TABLE_VALUED_FUNC", "42000", "LATERAL stands before a subquery or a table function.")
		}
	}
	return true
}

// relation reads a relation and the joins behind it.
func (p *parser) relation() logical.Node {
	t := p.tok()
	if p.isWord("LATERAL") && (p.isOpAt(1, "(") || p.isName(1) && p.isOpAt(2, "(")) {
		p.at++
	}
	return p.joins(t, p.relationPrimary())
}

func (p *parser) joins(t token, left logical.Node) logical.Node {
	for n := 1; p.startsJoin(0); n++ {
		p.joined(n)
		if p.startsAsOfJoin(0) {
			left = p.asOfJoin(left)
			continue
		}
		j := &logical.Join{Left: left}
		first := p.tok()
		j.Natural = p.word("NATURAL")
		natural := p.ahead(-1)
		j.Kind = p.joinKind()
		crossed := j.Natural && p.ahead(-1).upper == "CROSS"
		p.mustWord("JOIN")
		j.Lateral = p.lateral()
		j.Right = p.relationPrimary()
		switch {
		case crossed:
			p.fail(base.UserError("INCOMPATIBLE_JOIN_TYPES", "42613", "A join is NATURAL or CROSS, not both.").At(p.since(natural)))
		case j.Natural:
		case p.isWord("ON") && p.startsExpr(1):
			p.at++
			j.Cond = p.expression()
		case p.isWord("ON"):
			p.at++
			p.unexpected("a condition")
		case p.word("USING"):
			j.Using = p.nameList("a column")
		}
		j.At = p.since(first)
		if j.Lateral {
			p.checkLateral(j)
		}
		left = j
	}
	if p.isWord("PIVOT", "UNPIVOT") && p.startsClause(0) {
		return p.joins(t, p.pivoted(t, left))
	}
	return left
}

func (p *parser) joinKind() physical.JoinKind {
	side := p.anyWord("INNER", "CROSS", "LEFT", "RIGHT", "FULL")
	switch {
	case (side == "" || side == "LEFT") && p.word("SEMI"):
		return physical.LeftSemi
	case (side == "" || side == "LEFT") && p.word("ANTI"):
		return physical.LeftAnti
	case side == "RIGHT" && p.isWord("SEMI", "ANTI"):
		p.unexpected("JOIN", "OUTER JOIN")
	}
	switch side {
	case "LEFT", "RIGHT", "FULL":
		p.word("OUTER")
		return map[string]physical.JoinKind{"LEFT": physical.LeftOuter, "RIGHT": physical.RightOuter, "FULL": physical.FullOuter}[side]
	}
	return physical.Inner
}

// relationPrimary reads a table, a stream, a function, VALUES or a parenthesis,
// with the clauses that belong to it.
func (p *parser) relationPrimary() logical.Node {
	defer p.nest()()
	t := p.tok()
	switch {
	case p.isOp("("):
		n, _ := p.parenthesisedRelation()
		return p.decorated(t, n)
	case p.isWord("VALUES") && p.startsExpr(1):
		return p.values()
	case p.isWord("STREAM") && p.isOpAt(1, "(") && p.isName(2):
		p.at += 2
		n := p.table(true)
		p.mustOp(")")
		return p.decorated(t, p.tableOptions(n))
	case p.isWord("STREAM") && p.isName(1) && p.namesStream():
		p.at++
		return p.decorated(t, p.tableOptions(p.table(true)))
	case !p.isName(0):
		p.unexpected("a table", "a sub-query")
	}
	name, from := p.relationName()
	if p.isOp("(") {
		return p.tableFunction(t, name, from)
	}
	return p.decorated(t, p.tableOptions(&logical.Table{At: p.since(t), Name: name, From: from}))
}

// namesStream reports whether STREAM here is the keyword and not a table: a
// table's alias would have to stand where the next word does.
func (p *parser) namesStream() bool {
	if p.isWordAt(1, "AS") || joinWords[p.ahead(1).upper] && p.ahead(1).kind == word {
		return false
	}
	p.at++
	alias := p.isRelationAlias()
	p.at--
	return alias
}

func (p *parser) table(stream bool) *logical.Table {
	t := p.tok()
	name, from := p.relationName()
	return &logical.Table{At: p.since(t), Name: name, From: from, Stream: stream}
}

// tableOptions reads WITH ('key' = 'value') behind a table.
func (p *parser) tableOptions(n *logical.Table) logical.Node {
	if p.isWord("WITH") && p.isOpAt(1, "(") && (p.ahead(2).kind == text || p.isName(2)) {
		p.at++
		n.Options = p.options()
	}
	if p.isPhrase("VERSION", "AS", "OF") || p.isPhrase("TIMESTAMP", "AS", "OF") {
		p.unsupported(p.tok(), "AS OF", "a table has only its present version")
	}
	return n
}

func (p *parser) tableFunction(t token, name []string, from expr.Expr) logical.Node {
	f := &logical.Function{Name: name, From: from}
	a := &expr.Apply{}
	p.mustOp("(")
	if !p.isOp(")") {
		p.commaList(func() {
			if p.isWord("TABLE") && (p.isOpAt(1, "(") || p.isName(1)) {
				p.unsupported(p.tok(), "A table as the argument of a function", "")
			}
			p.argument(a)
		})
	}
	p.mustOp(")")
	f.Args, f.ArgNames = a.Args, a.ArgNames
	f.At = p.since(t)
	return p.decorated(t, f)
}

// parenthesisedRelation reads (query), (relation) and ((query) UNION …); the
// result says whether it was a query.
func (p *parser) parenthesisedRelation() (logical.Node, bool) {
	if p.startsSubquery(0) {
		return p.parenthesisedQuery(), true
	}
	defer p.nest()()
	stops := p.stops
	p.stops = nil
	p.mustOp("(")
	t := p.tok()
	var n logical.Node
	query := false
	if p.isOp("(") {
		n, query = p.parenthesisedRelation()
		if query && p.continuesQuery() {
			n = p.restOfQuery(n)
		} else {
			query = query && p.isOp(")")
			n = p.joins(t, p.decorated(t, n))
			n = p.commaRelations(t, n)
		}
	} else {
		n = p.commaRelations(t, p.relation())
	}
	p.mustOp(")")
	p.stops = stops
	return n, query
}

// commaRelations reads further relations inside a parenthesis.
func (p *parser) commaRelations(t token, n logical.Node) logical.Node {
	for i := 1; p.op(","); i++ {
		p.joined(i)
		j := &logical.Join{Kind: physical.Inner, Left: n, Lateral: p.lateral()}
		j.Right = p.relation()
		j.At = p.since(t)
		n = j
	}
	return n
}

// decorated reads TABLESAMPLE, WATERMARK, DEDUPLICATE and the alias of n.
func (p *parser) decorated(t token, n logical.Node) logical.Node {
	if p.isWord("TABLESAMPLE") && p.isOpAt(1, "(") {
		n = p.sample(n)
	}
	if p.isWord("WATERMARK") && p.startsClause(0) {
		n = p.watermark(n)
	}
	if p.isWord("DEDUPLICATE") && p.startsClause(0) {
		n = p.deduplicate(n)
	}
	return p.alias(t, n)
}

// alias reads [AS] name [(columns)].
func (p *parser) alias(t token, n logical.Node) logical.Node {
	switch {
	case p.isWord("AS") && p.isName(1) && !joinWords[p.ahead(1).upper]:
		p.at++
	case !p.isRelationAlias() || p.startsJoin(0):
		return n
	default:
		p.lastAlias = p.at
	}
	a := &logical.Alias{Input: n, Name: p.name("an alias")}
	if p.isOp("(") {
		a.Columns = p.nameList("a column")
	}
	a.At = p.since(t)
	return a
}

// watermark reads WATERMARK time [AS name] DELAY OF interval.
func (p *parser) watermark(n logical.Node) logical.Node {
	t := p.advance()
	w := &logical.Watermark{Input: n}
	e := p.namedExpression()
	if a, ok := e.(*expr.Alias); ok {
		w.Name, e = a.Name, a.Child
	}
	w.Time = e
	if !p.word("DELAY", "OF") {
		p.unexpected("DELAY OF INTERVAL …")
	}
	d := p.tok()
	switch {
	case p.isWord("INTERVAL") && p.isInterval():
		w.Delay = p.interval()
	case d.kind == text:
		w.Delay = &expr.Literal{At: d.pos(), Value: p.textLiteral(), Typ: expr.String}
	default:
		p.unexpected("an interval such as INTERVAL 10 MINUTES")
	}
	w.At = p.since(t)
	return w
}

// deduplicate reads DEDUPLICATE [WITHIN WATERMARK] ON (column, …).
func (p *parser) deduplicate(n logical.Node) logical.Node {
	t := p.advance()
	d := &logical.Deduplicate{Input: n}
	if p.word("WITHIN") {
		p.mustWord("WATERMARK")
		d.Within = true
	}
	p.mustWord("ON")
	d.Columns = p.nameList("a column")
	d.At = p.since(t)
	return d
}

// sample reads TABLESAMPLE [method] (n PERCENT | n ROWS | BUCKET i OUT OF k)
// [REPEATABLE (seed)].
func (p *parser) sample(n logical.Node) logical.Node {
	t := p.advance()
	p.mustOp("(")
	var out logical.Node
	var e expr.Expr
	if p.isWord("BUCKET") && p.ahead(1).isNumber() {
		out = p.bucketSample(n)
	} else {
		e = p.expression()
	}
	switch {
	case out != nil:
	case p.word("PERCENT"):
		l, ok := e.(*expr.Literal)
		f := 0.0
		if ok {
			v, err := strconv.ParseFloat(l.SQL(), 64)
			f, ok = v/100, err == nil
		}
		if ok && f > 1 {
			p.failAt(e.Pos(), "INVALID_TABLESAMPLE_FRACTION", "22023", "A sample has at most 100 percent of the rows, not %v.", 100*f)
		}
		if !ok || f < 0 {
			p.failAt(e.Pos(), "_LEGACY_ERROR_TEMP_0064", "", "Sampling fraction must be on interval [0, 100] percent.")
		}
		out = &logical.Sample{Fraction: f, Input: n}
	case p.word("ROWS"):
		out = &logical.Limit{Count: e, Input: n}
	default:
		if _, name := e.(*expr.Name); name && p.isOp(")") { // a number of bytes, 300M, to Spark
			p.failAt(e.Pos(), "_LEGACY_ERROR_TEMP_0016", "", "A sample is of a part of the rows or a number of them, not of %s.", e.SQL())
		}
		p.unexpected("PERCENT", "ROWS")
	}
	p.mustOp(")")
	if p.isWord("REPEATABLE") && p.isOpAt(1, "(") {
		p.at += 2
		p.expression()
		p.mustOp(")")
	}
	return at(out, p.since(t))
}

// bucketSample reads BUCKET i OUT OF k: as in Spark, that part of the rows.
func (p *parser) bucketSample(n logical.Node) logical.Node {
	part := func() int64 {
		t := p.tok()
		l, ok := p.operand().(*expr.Literal)
		if !ok || !l.Typ.IsInteger() || l.Value == nil {
			p.at--
			p.unexpected("a whole number")
		}
		if v := l.Value.(int64); v >= 0 {
			return v
		}
		p.failAt(t.pos(), "_LEGACY_ERROR_TEMP_0064", "", "Sampling fraction must be on interval [0, 1].")
		return 0
	}
	p.at++
	i := part()
	p.mustWord("OUT", "OF")
	t := p.tok()
	k := part()
	if p.isWord("ON") {
		p.unsupported(p.tok(), "TABLESAMPLE (BUCKET … ON …)", "write TABLESAMPLE (n PERCENT)")
	}
	if k == 0 || i > k {
		p.failAt(t.pos(), "_LEGACY_ERROR_TEMP_0064", "", "Sampling fraction must be on interval [0, 1].")
	}
	return &logical.Sample{Fraction: float64(i) / float64(k), Input: n}
}

// at sets the place of a sample.
func at(n logical.Node, pos base.Pos) logical.Node {
	switch n := n.(type) {
	case *logical.Sample:
		n.At = pos
	case *logical.Limit:
		n.At = pos
	}
	return n
}

// options reads ('key' = 'value', key value, …). Values are texts, numbers or
// true and false.
func (p *parser) options() base.Options {
	out := base.Options{}
	p.parenthesised(func() {
		t := p.tok()
		key := ""
		if t.kind == text {
			key = p.textLiteral()
		} else {
			key = p.name("an option's name")
			for p.op(".") {
				key += "." + p.name("an option's name")
			}
		}
		if _, twice := out.Lookup(key); twice {
			p.failAt(t.pos(), "DUPLICATE_KEY", "23505", "Found duplicate keys `%s`.", key)
		}
		p.op("=")
		out[key] = p.optionValue()
	})
	return out
}

func (p *parser) optionValue() string {
	t := p.tok()
	sign := ""
	if p.isOp("-") && p.ahead(1).isNumber() {
		sign = "-"
		p.at++
		t = p.tok()
	}
	switch {
	case t.kind == text:
		return p.textLiteral()
	case t.isNumber(), p.isWord("TRUE", "FALSE"):
		p.at++
		return sign + p.text[t.start:t.end]
	}
	p.unexpected("a value such as 'text' or 10")
	return ""
}
