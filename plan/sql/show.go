package sql

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/logical"
)

// shown are what SHOW lists, by the word that names it.
var shown = map[string]string{
	"QUERIES": "QUERIES", "TABLES": "TABLES", "VIEWS": "VIEWS", "FUNCTIONS": "FUNCTIONS", "DATABASES": "DATABASES", "SCHEMAS": "DATABASES",
	"NAMESPACES": "DATABASES", "COLUMNS": "COLUMNS", "CATALOGS": "CATALOGS", "PARTITIONS": "PARTITIONS", "PRODUCERS": "PRODUCERS",
}

// show reads SHOW what [FROM | IN name] [[LIKE] 'pattern'].
func (p *parser) show(t token) logical.Statement {
	p.at++
	s := &logical.Show{}
	switch {
	case p.word("CREATE", "TABLE"):
		s.What = "CREATE TABLE"
		name := p.tok()
		s.Name = p.names("a table")
		s.NameAt = p.since(name)
		s.Stmt = p.stmt(t)
		return s
	case p.word("STREAMING", "QUERIES"):
		s.What = "QUERIES"
	case p.isWord("USER", "SYSTEM", "ALL") && p.isWordAt(1, "FUNCTIONS"):
		if !p.isWord("ALL") {
			s.Of = p.tok().upper
		}
		p.at++
	case p.word("TBLPROPERTIES"):
		s.What = "TBLPROPERTIES"
		name := p.tok()
		s.Name = p.names("a table")
		s.NameAt = p.since(name)
		s.Stmt = p.stmt(t)
		return s
	}
	if s.What == "" {
		what, ok := shown[p.tok().upper]
		if !ok {
			p.unexpected("QUERIES", "TABLES", "VIEWS", "FUNCTIONS", "COLUMNS", "DATABASES")
		}
		p.at++
		s.What = what
	}
	if name := p.tok(); s.What == "PRODUCERS" || s.What == "PARTITIONS" && p.isName(0) {
		if s.What == "PRODUCERS" { // OF is ours to leave out
			p.word("OF")
			name = p.tok()
		}
		s.Name = p.names("a table")
		s.NameAt = p.since(name)
	}
	for p.isWord("FROM", "IN") {
		p.at++
		// SHOW COLUMNS IN t IN db: the last name is the outer one.
		name := p.tok()
		s.Name = append(p.names("a name"), s.Name...)
		if s.NameAt == (base.Pos{}) {
			s.NameAt = p.since(name)
		}
	}
	switch {
	case p.isWord("LIKE") && p.ahead(1).kind == text:
		p.at++
		s.Like = p.textLiteral()
	case p.tok().kind == text:
		s.Like = p.textLiteral()
	case s.What == "FUNCTIONS" && (p.isName(0) && !p.isWord("LIKE") || p.isWord("LIKE") && p.isName(1)):
		p.word("LIKE")
		parts := p.names("a function")
		s.Like = parts[len(parts)-1]
	}
	if s.What == "COLUMNS" && s.Name == nil {
		p.unexpected("IN")
	}
	s.Stmt = p.stmt(t)
	return s
}

// describe reads DESCRIBE [TABLE] t, DESCRIBE QUERY q, DESCRIBE FUNCTION f and
// DESCRIBE [QUERY] SELECT ….
func (p *parser) describe(t token) logical.Statement {
	p.at++
	d := &logical.Describe{What: "TABLE"}
	switch {
	case p.isWord("FUNCTION") && p.startsExpr(1):
		p.at++
		d.What = "FUNCTION"
		d.Extended = p.word("EXTENDED")
		name := p.tok()
		switch name.kind {
		case operator:
			p.at++
			d.Name = []string{name.upper}
		case text:
			d.Name = []string{p.textLiteral()}
		default:
			d.Name = p.names("a function")
		}
		d.NameAt = p.since(name)
	case p.isWord("DATABASE", "SCHEMA", "NAMESPACE", "CATALOG") && p.isName(1):
		p.unsupported(t, "DESCRIBE "+p.tok().upper, "SHOW TABLES lists what there is")
	default:
		streaming := p.isPhrase("STREAMING", "QUERY")
		if streaming {
			p.at++
		}
		if p.isWord("QUERY") && (p.isName(1) || p.isOpAt(1, "(")) {
			p.at++
			d.What = "QUERY"
		}
		if p.isWord("EXTENDED", "FORMATTED") && (p.isName(1) || p.isOpAt(1, "(")) {
			p.at++
			d.Extended = true
		}
		if p.startsQuery(0) && !p.isWord("TABLE") || p.isOp("(") {
			d.Plan = p.query()
			break
		}
		if d.What == "TABLE" && p.isWord("TABLE") && p.isName(1) {
			p.at++
			if p.isWord("EXTENDED", "FORMATTED") && p.isName(1) {
				p.at++
				d.Extended = true
			}
		}
		name := p.tok()
		d.Name = p.names("a name")
		d.NameAt = p.since(name)
		if p.isWord("PARTITION") && p.isOpAt(1, "(") {
			p.unsupported(p.tok(), "DESCRIBE … PARTITION", "")
		}
	}
	d.Stmt = p.stmt(t)
	return d
}
