package sql

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// Dialect holds what changes how text is read. The zero Dialect is Spark's
// default.
type Dialect struct {
	// Zone is the session's time zone, of TIMESTAMP literals without one; nil is
	// UTC.
	Zone *time.Location
	// NTZ makes TIMESTAMP mean TIMESTAMP_NTZ (spark.sql.timestampType).
	NTZ bool
	// DoubleQuotedNames makes "x" a name (spark.sql.ansi.doubleQuotedIdentifiers).
	DoubleQuotedNames bool
	// NoChar refuses CHAR and VARCHAR, as schemas in text do, and names an empty
	// text.
	NoChar bool
	// MaxText is the longest text accepted, in bytes; 0 is 1 MiB, negative is no
	// limit.
	MaxText int
}

const (
	defaultMaxText = 1 << 20
	// maxDepth is how deep parentheses, calls, subqueries and types may nest.
	maxDepth = 1000
	// maxChain is how many operators of one precedence may follow each other
	// (AND and OR: any number, their trees are balanced).
	maxChain = 2000
	// maxRelations is how many relations may be joined in one FROM: each join puts out
	// the columns of all before it.
	maxRelations = 250
)

// Parse reads one statement; semicolons may follow it.
func Parse(s string) (logical.Statement, error) { return Dialect{}.Parse(s) }

// ParseScript reads statements separated by semicolons; comments and empty
// statements are skipped. An error's place is that in the whole script.
func ParseScript(s string) ([]logical.Statement, error) { return Dialect{}.ParseScript(s) }

// ParseExpr reads one expression, which may have an alias: "a + 1 AS b", "*".
func ParseExpr(s string) (expr.Expr, error) { return Dialect{}.ParseExpr(s) }

// ParseSchema reads the columns of a table in DDL form ("k STRING, v INT NOT
// NULL") or a struct type ("struct<k: string>").
func ParseSchema(ddl string) (expr.Schema, error) { return Dialect{}.ParseSchema(ddl) }

// ParseType reads a type: "DECIMAL(10, 2)", "array<int>".
func ParseType(s string) (*expr.Type, error) { return Dialect{}.ParseType(s) }

// Parse reads one statement; semicolons may follow it.
func (d Dialect) Parse(s string) (st logical.Statement, err error) {
	err = d.run(s, func(p *parser) {
		if p.end() {
			p.emptyStatement()
		}
		st = p.statement()
		for p.op(";") {
		}
		p.mustEnd()
	})
	return st, err
}

// ParseScript reads statements separated by semicolons.
func (d Dialect) ParseScript(s string) (sts []logical.Statement, err error) {
	err = d.run(s, func(p *parser) {
		for {
			for p.op(";") {
			}
			if p.end() {
				return
			}
			sts = append(sts, p.statement())
			if !p.end() && !p.isOp(";") {
				p.unexpected(endOfStatement)
			}
		}
	})
	return sts, err
}

// ParseExpr reads one expression, which may have an alias.
func (d Dialect) ParseExpr(s string) (e expr.Expr, err error) {
	err = d.run(s, func(p *parser) {
		if p.end() {
			p.emptyStatement()
		}
		e = p.namedExpression()
		p.mustEnd()
	})
	return e, err
}

// ParseSchema reads the columns of a table in DDL form or a struct type.
func (d Dialect) ParseSchema(ddl string) (s expr.Schema, err error) {
	err = d.run(ddl, func(p *parser) {
		if p.isWord("STRUCT") && p.isOpAt(1, "<", "<>") {
			s = p.dataType().Fields
		} else {
			s = p.columns()
		}
		p.mustEnd()
	})
	return s, err
}

// ParseType reads a type.
func (d Dialect) ParseType(s string) (t *expr.Type, err error) {
	err = d.run(s, func(p *parser) {
		if p.NoChar && p.end() {
			p.emptyStatement()
		}
		t = p.dataType()
		p.mustEnd()
	})
	return t, err
}

// parser walks the tokens of one text. Its methods raise errors by bailout; run
// turns them into returned ones.
type parser struct {
	Dialect
	text  string
	toks  []token
	at    int
	depth int
	// refs are the window specifications of the query being read that name one
	// of its WINDOW clause.
	refs []*expr.WindowSpec
	// lastAlias is the number of the last token taken for an alias without AS.
	lastAlias int
	// params counts the ? seen.
	params int
	// stops are words that are no alias here: those of SUBSCRIBE after its query.
	stops map[string]bool
}

func (d Dialect) run(s string, f func(*parser)) (err error) {
	defer func() {
		if r := recover(); r != nil {
			b, ok := r.(bailout)
			if !ok {
				panic(r)
			}
			b.err.Query = s
			err = b.err
		}
	}()
	limit := d.MaxText
	if limit == 0 {
		limit = defaultMaxText
	}
	if limit > 0 && len(s) > limit {
		e := base.UserError("SQL_TEXT_TOO_LONG", "54000", "The SQL text has %d bytes, more than the limit of %d.", len(s), limit)
		return e.At(base.Pos{Start: limit, End: limit + 1, Line: strings.Count(s[:limit], "\n") + 1, Col: columnOf(s, limit)}).
			WithHint("load data from a file or through Flight instead of from the text of a statement")
	}
	toks, lexErr := lex(s)
	if lexErr != nil {
		lexErr.Query = s
		return lexErr
	}
	f(&parser{Dialect: d, text: s, toks: toks})
	return nil
}

// columnOf returns the 1-based column, in characters, of byte i.
func columnOf(s string, i int) int {
	return utf8.RuneCountInString(s[strings.LastIndexByte(s[:i], '\n')+1:i]) + 1
}

func (p *parser) emptyStatement() {
	t := p.tok()
	p.failAt(t.pos(), "PARSE_EMPTY_STATEMENT", "42617", "Syntax error, unexpected empty statement.")
}

func (p *parser) mustEnd() {
	if !p.end() {
		p.unexpected(endOfStatement)
	}
}

// nest guards recursion; defer its result.
func (p *parser) nest() func() {
	p.depth++
	if p.depth > maxDepth {
		err := base.UserError("FAILED_TO_PARSE_TOO_COMPLEX", "54001",
			"The statement, including potential SQL functions and referenced views, was too complex to parse: it is nested deeper than %d levels.", maxDepth)
		p.fail(err.At(p.tok().pos()).WithHint("name intermediate results in a WITH clause or a view"))
	}
	return p.unnest
}

func (p *parser) unnest() { p.depth-- }

// chain guards loops that grow a tree on its left side.
func (p *parser) chain(n int) { p.atMost(n, maxChain, "operators follow each other") }

// joined guards loops that add relations to FROM.
func (p *parser) joined(n int) { p.atMost(n, maxRelations, "relations are joined") }

func (p *parser) atMost(n, limit int, what string) {
	if n > limit {
		p.failAt(p.tok().pos(), "FAILED_TO_PARSE_TOO_COMPLEX", "54001", "The statement was too complex to parse: more than %d %s.", limit, what)
	}
}
