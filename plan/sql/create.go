package sql

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// create reads CREATE … and REPLACE TABLE ….
func (p *parser) create(t token) logical.Statement {
	replace := p.advance().upper == "REPLACE"
	if !replace && p.isWord("OR") && p.isWordAt(1, "REPLACE", "REFRESH") {
		p.at += 2
		replace = true
	}
	switch {
	case p.word("STREAMING", "QUERY"):
		if replace {
			p.at -= 2
			p.unsupported(t, "CREATE OR REPLACE STREAMING QUERY", "DROP QUERY first, or give the new query another name")
		}
		return p.createQuery(t)
	case p.word("STREAMING", "TABLE"):
		return p.createTable(t, replace, true)
	case p.isWord("STREAMING"):
		p.at++
		p.unexpected("QUERY", "TABLE")
	case p.word("TABLE"), p.word("EXTERNAL", "TABLE"):
		return p.createTable(t, replace, false)
	case p.isWord("TEMPORARY", "TEMP") && p.isWordAt(1, "TABLE"):
		p.unsupported(p.tok(), "CREATE TEMPORARY TABLE", "write CREATE TEMPORARY VIEW … AS SELECT …")
	case p.isWord("MATERIALIZED"):
		p.unsupported(t, "CREATE MATERIALIZED VIEW", "a streaming query INTO memory keeps its result up to date")
	case p.isWord("FUNCTION", "DATABASE", "SCHEMA", "NAMESPACE", "INDEX", "ROLE", "USER", "CATALOG", "FLOW", "MACRO") || p.isPhrase("TEMPORARY", "FUNCTION"):
		p.unsupported(t, "CREATE "+p.tok().upper, "")
	}
	temporary := p.word("GLOBAL")
	if p.word("TEMPORARY") || p.word("TEMP") {
		temporary = true
	}
	if !p.word("VIEW") {
		p.unexpected("TABLE", "TEMPORARY VIEW", "STREAMING QUERY", "STREAMING TABLE", "VIEW")
	}
	return p.createView(t, replace, temporary)
}

// createView reads what follows VIEW.
func (p *parser) createView(t token, replace, temporary bool) logical.Statement {
	v := &logical.CreateView{Replace: replace, Temporary: temporary, IfNotExists: p.word("IF", "NOT", "EXISTS")}
	v.Name = p.names("a view")
	var schema expr.Schema
	if p.isOp("(") {
		if p.isName(1) && p.isName(2) && !p.isWordAt(2, "COMMENT") {
			p.mustOp("(")
			schema = p.columns()
			p.mustOp(")")
		} else {
			p.parenthesised(func() {
				v.Columns = append(v.Columns, p.name("a column"))
				p.comment()
			})
		}
	}
	if temporary && p.isWord("USING") {
		p.at++
		src := &logical.Source{At: p.tok().pos(), Format: p.format(), Schema: schema}
		if p.word("OPTIONS") {
			src.Options = p.options()
		}
		v.Plan = src
		v.Stmt = p.stmt(t)
		return v
	}
	for {
		if p.word("TBLPROPERTIES") {
			p.options()
			continue
		}
		if _, ok := p.comment(); !ok {
			break
		}
	}
	p.mustWord("AS")
	v.Text, v.Plan = p.queryText()
	v.Stmt = p.stmt(t)
	return v
}

// comment reads COMMENT 'text' if it is there.
func (p *parser) comment() (string, bool) {
	if !p.isWord("COMMENT") || p.ahead(1).kind != text {
		return "", false
	}
	p.at++
	return p.textLiteral(), true
}

// queryText reads a query and returns its exact text with its plan.
func (p *parser) queryText() (string, logical.Node) {
	if !p.startsQuery(0) && !p.isOp("(") {
		p.unexpected("SELECT", "WITH", "VALUES", "TABLE")
	}
	first := p.at
	n := p.query()
	return p.source(first), n
}

// format reads the name of a connector.
func (p *parser) format() string {
	parts := p.names("a format such as parquet")
	s := parts[0]
	for _, part := range parts[1:] {
		s += "." + part
	}
	return s
}

// createTable reads what follows TABLE: the columns, the clauses in any order,
// the query.
func (p *parser) createTable(t token, replace, streaming bool) logical.Statement {
	c := &logical.CreateTable{Replace: replace, Streaming: streaming, IfNotExists: p.word("IF", "NOT", "EXISTS")}
	c.Name = p.names("a table")
	if p.isOp("(") && !p.startsQuery(1) {
		p.mustOp("(")
		c.Schema = p.columns()
		p.mustOp(")")
	}
	seen := map[string]bool{}
	for p.tableClause(c, seen) {
	}
	if p.word("AS") || p.startsQuery(0) {
		c.Text, c.Plan = p.queryText()
	}
	if streaming && c.Plan == nil {
		p.unexpected("AS SELECT …")
	}
	c.Stmt = p.stmt(t)
	return c
}

// tableClause reads one clause of CREATE TABLE and reports whether there was one.
func (p *parser) tableClause(c *logical.CreateTable, seen map[string]bool) bool {
	t := p.tok()
	if !p.isWord("USING", "OPTIONS", "PARTITIONED", "COMMENT", "LOCATION", "TBLPROPERTIES", "CLUSTERED", "CLUSTER", "STORED", "ROW", "SCHEDULE", "DEFAULT") {
		return false
	}
	p.once(t, seen)
	p.at++
	switch t.upper {
	case "USING":
		c.Format = p.format()
	case "OPTIONS":
		c.Options = p.merge(c.Options, p.options())
	case "PARTITIONED":
		p.mustWord("BY")
		c.PartitionBy = p.partitions(c)
	case "COMMENT":
		c.Comment = p.textLiteral()
	case "LOCATION":
		c.Options = p.merge(c.Options, base.Options{"path": p.textLiteral()})
	case "TBLPROPERTIES":
		p.options()
	default:
		p.unsupported(t, "CREATE TABLE … "+t.upper, "write CREATE TABLE t (…) USING parquet")
	}
	return true
}

// once raises an error for a clause that stands twice.
func (p *parser) once(t token, seen map[string]bool) {
	if seen[t.upper] {
		p.failAt(t.pos(), "DUPLICATE_CLAUSES", "42614", "Found duplicate clauses: %s. Please, remove one of them.", t.upper)
	}
	seen[t.upper] = true
}

func (p *parser) merge(o, more base.Options) base.Options {
	if o == nil {
		return more
	}
	for k, v := range more {
		if _, twice := o.Lookup(k); twice {
			p.failAt(p.toks[p.at-1].pos(), "DUPLICATE_KEY", "23505", "Found duplicate keys `%s`.", k)
		}
		o[k] = v
	}
	return o
}

// partitions reads (a, b) or (a INT), which also declares the column.
func (p *parser) partitions(c *logical.CreateTable) []string {
	var out []string
	p.parenthesised(func() {
		t := p.tok()
		name := p.name("a column")
		out = append(out, name)
		switch {
		case p.isOp("("):
			p.unsupported(t, "PARTITIONED BY a function of a column", "compute the column in the query and partition by it")
		case p.isName(0):
			f := expr.Field{Name: name, Type: p.dataType(), Nullable: true}
			p.columnClauses(&f)
			c.Schema = append(c.Schema, f)
		}
	})
	return out
}
