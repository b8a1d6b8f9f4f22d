package sql

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/logical"
)

// statement reads one statement, up to its semicolon.
func (p *parser) statement() logical.Statement {
	defer p.nest()()
	t := p.tok()
	if t.kind == word {
		if st := p.command(t); st != nil {
			return st
		}
	}
	if !p.startsQuery(0) && !p.isOp("(") && !p.isWord("SELECT", "WITH", "VALUES", "FROM", "TABLE") {
		p.unexpected("SELECT", "CREATE", "INSERT", "DROP", "SHOW", "DESCRIBE", "SET", "EXPLAIN", "SUBSCRIBE", "STOP QUERY")
	}
	if p.isWord("WITH") {
		if st := p.withInsert(t); st != nil {
			return st
		}
	}
	n := p.query()
	return &logical.Query{Stmt: p.stmt(t), Plan: n}
}

func (p *parser) stmt(t token) logical.Stmt { return logical.Stmt{At: p.since(t)} }

// command reads the statement whose first word is t, or returns nil for a query.
func (p *parser) command(t token) logical.Statement {
	switch t.upper {
	case "CREATE", "REPLACE":
		return p.create(t)
	case "INSERT":
		p.at++
		return p.insert(t, nil)
	case "DROP":
		return p.drop(t)
	case "STOP":
		return p.stop(t)
	case "SHOW":
		return p.show(t)
	case "DESCRIBE", "DESC":
		return p.describe(t)
	case "SET":
		return p.set(t)
	case "RESET":
		return p.reset(t)
	case "EXPLAIN":
		return p.explain(t)
	case "USE":
		return p.use(t)
	case "SUBSCRIBE":
		return p.subscribe(t)
	}
	if t.upper == "EXECUTE" && p.isWordAt(1, "IMMEDIATE") {
		return p.immediate(t)
	}
	if hint, ok := foreign[t.upper]; ok && p.startsExpr(1) {
		return p.foreignStatement(t, hint)
	}
	return nil
}

// foreign are the statements of Spark that flightd does not have, with advice.
var foreign = map[string]string{
	"ALTER": "drop the table or view and create it again", "UPDATE": "write the changed rows with INSERT, or by a query",
	"DELETE": "write a new table with CREATE TABLE … AS SELECT", "MERGE": "join in a query and write its result with INSERT", "TRUNCATE": "drop the table and create it again",
	"CACHE": "results of queries are kept by INTO memory", "UNCACHE": "", "REFRESH": "files are listed anew for each query", "ANALYZE": "flightd keeps no statistics of tables",
	"MSCK": "", "REPAIR": "", "LOAD": "use INSERT INTO … SELECT", "GRANT": "", "REVOKE": "", "COMMENT": "write COMMENT in CREATE TABLE", "DECLARE": "", "CALL": "",
	"EXECUTE": "", "START": "CREATE STREAMING QUERY starts the query", "BEGIN": "each statement is a transaction of its own", "COMMIT": "", "ROLLBACK": "", "CLEAR": "", "LIST": "", "ADD": "", "LOCK": "",
	"UNLOCK": "", "EXPORT": "", "IMPORT": "",
}

// foreignStatement raises the error for such a statement, with its whole text; of one
// about a table it makes a statement that looks whether there is that table.
func (p *parser) foreignStatement(t token, hint string) logical.Statement {
	if t.upper == "MERGE" && !p.isWordAt(3, "USING", "AS") && !p.isOpAt(3, ".") && !p.isName(3) {
		p.at += 3
		if p.at >= len(p.toks) {
			p.at = len(p.toks) - 1
		}
		p.unexpected("USING")
	}
	switch t.upper {
	case "GRANT", "REVOKE", "EXPORT", "IMPORT", "LOCK", "UNLOCK", "COMMIT", "ROLLBACK", "START":
		p.toStatementEnd()
		err := base.UserError("INVALID_STATEMENT_OR_CLAUSE", "42601", "The statement or clause: %s is not valid.", t.upper)
		err.Hint = hint
		p.fail(err.At(p.since(t)))
	}
	refused := p.foreignTable(t)
	p.toStatementEnd()
	condition := "UNSUPPORTED_FEATURE"
	switch t.upper {
	case "ALTER", "UPDATE", "DELETE", "MERGE", "TRUNCATE":
		condition += ".TABLE_OPERATION"
	}
	err := base.UserError(condition, "0A000", "%s is not supported.", t.upper).At(p.since(t))
	err.Hint = hint
	if refused == nil {
		p.fail(err)
	}
	refused.Err, refused.Stmt = err, p.stmt(t)
	return refused
}

// foreignTable reads the start of a statement about a table, up to its name; nil if it
// is about none.
func (p *parser) foreignTable(t token) *logical.Refused {
	mark := p.at
	p.at++
	found := false
	switch t.upper {
	case "ALTER":
		found = p.anyWord("TABLE", "VIEW") != ""
	case "TRUNCATE", "REFRESH", "ANALYZE":
		found = p.word("TABLE")
	case "CACHE":
		p.word("LAZY")
		found = p.word("TABLE")
	case "UNCACHE":
		found = p.word("TABLE") && !p.isPhrase("IF", "EXISTS")
	case "DELETE":
		found = p.word("FROM")
	case "MERGE":
		found = p.word("INTO")
	case "UPDATE":
		found = true
	}
	if !found || !p.isName(0) {
		p.at = mark
		return nil
	}
	name := p.tok()
	r := &logical.Refused{Table: p.names("a table")}
	r.TableAt = p.since(name)
	if t.upper == "CACHE" && (p.isWord("AS") || p.startsQuery(0)) { // it makes a view of that name
		p.at = mark
		return nil
	}
	return r
}

// toStatementEnd goes to the next semicolon or the end.
func (p *parser) toStatementEnd() {
	for !p.end() && !p.isOp(";") {
		p.at++
	}
}

// insert reads a statement from behind INSERT on; with is the WITH before it, or
// nil.
func (p *parser) insert(t token, with *logical.With) logical.Statement {
	in := &logical.Insert{}
	switch p.anyWord("INTO", "OVERWRITE") {
	case "OVERWRITE":
		in.Overwrite = true
	case "":
		p.unexpected("INTO", "OVERWRITE")
	}
	if p.isWord("TABLE") && p.isName(1) && !p.isWordAt(1, "SELECT", "VALUES") {
		p.at++
	}
	if p.isWord("DIRECTORY", "LOCAL") && !p.startsQuery(1) && !p.isOpAt(1, "(") {
		p.unsupported(p.tok(), "INSERT OVERWRITE DIRECTORY", "create a table USING the format at this path and insert into it")
	}
	name := p.tok()
	in.Table = p.names("a table")
	in.TableAt = p.since(name)
	if p.isWord("PARTITION") && p.isOpAt(1, "(") {
		p.unsupported(p.tok(), "INSERT with a PARTITION clause", "select the partition columns with the others")
	}
	if p.isWord("REPLACE") && p.isWordAt(1, "WHERE") {
		p.unsupported(p.tok(), "INSERT INTO … REPLACE WHERE", "")
	}
	switch {
	case p.word("BY", "NAME"):
		in.ByName = true
	case p.isOp("(") && !p.startsQuery(1) && !p.isOpAt(1, "("):
		in.Columns = p.nameList("a column")
	}
	if !p.startsQuery(0) && !p.isOp("(") {
		p.unexpected("VALUES", "SELECT", "a column list")
	}
	in.Plan = p.query()
	if with != nil {
		with.Body = in.Plan
		in.Plan = with
	}
	in.Stmt = p.stmt(t)
	return in
}

// withInsert reads WITH … INSERT …, or returns nil and takes nothing.
func (p *parser) withInsert(t token) logical.Statement {
	mark := p.at
	if !p.insertFollowsWith() {
		return nil
	}
	p.at = mark
	w := p.with()
	p.mustWord("INSERT")
	return p.insert(t, w)
}

// insertFollowsWith skips WITH a AS (…), … and reports whether INSERT is next.
func (p *parser) insertFollowsWith() bool {
	depth := 0
	for n := 0; ; n++ {
		t := p.ahead(n)
		switch {
		case t.kind == endOfText:
			return false
		case p.isOpAt(n, "("):
			depth++
		case p.isOpAt(n, ")"):
			depth--
			if depth == 0 && !p.isOpAt(n+1, ",") && !p.isWordAt(n+1, "AS") && !p.isOpAt(n+1, "(") {
				return p.isWordAt(n+1, "INSERT")
			}
		}
	}
}

func (p *parser) drop(t token) logical.Statement {
	p.at++
	d := &logical.Drop{}
	p.word("STREAMING")
	p.word("MATERIALIZED")
	d.What = p.anyWord("TABLE", "VIEW", "QUERY")
	switch {
	case d.What == "" && p.isWord("TEMPORARY", "TEMP") && p.isWordAt(1, "VIEW"):
		p.at += 2
		d.What = "VIEW"
	case d.What == "" && p.isWord("TEMPORARY", "TEMP") && p.isWordAt(1, "FUNCTION"):
		p.at += 2
		d.What, d.Temporary = "FUNCTION", true
	case d.What == "" && p.isWord("FUNCTION"):
		p.at++
		d.What = "FUNCTION"
	case d.What == "" && p.isWord("DATABASE", "SCHEMA", "NAMESPACE", "TEMPORARY", "INDEX"):
		p.unsupported(t, "DROP "+p.tok().upper, "")
	case d.What == "":
		p.unexpected("TABLE", "VIEW", "QUERY")
	}
	d.IfExists = p.word("IF", "EXISTS")
	d.Name = p.names("a name")
	if d.What == "FUNCTION" {
		d.Stmt = p.stmt(t)
		return d
	}
	p.word("PURGE")
	d.Stmt = p.stmt(t)
	return d
}

func (p *parser) stop(t token) logical.Statement {
	p.at++
	p.word("STREAMING")
	p.mustWord("QUERY")
	name := p.name("a query")
	return &logical.StopQuery{Stmt: p.stmt(t), Name: name}
}

// explain reads EXPLAIN [mode] statement, and EXPLAIN EMISSION [QUERY] name.
func (p *parser) explain(t token) logical.Statement {
	p.at++
	e := &logical.Explain{}
	e.Mode = p.anyWord("ANALYZE", "EMISSION", "EXTENDED", "FORMATTED", "CODEGEN", "COST", "LOGICAL")
	switch {
	case p.end():
		if e.Mode != "EMISSION" { // of all queries
			p.unexpected("a statement")
		}
	case p.isWord("QUERY") && p.isName(1):
		p.at++
		e.Name = p.name("a query")
	case e.Mode == "EMISSION" && p.isName(0) && !p.isWord("SELECT", "WITH", "FROM", "VALUES", "CREATE", "SUBSCRIBE", "TABLE", "INSERT"):
		e.Name = p.name("a query")
	default:
		e.Inner = p.statement()
	}
	e.Stmt = p.stmt(t)
	return e
}

func (p *parser) use(t token) logical.Statement {
	p.at++
	if p.isName(1) {
		p.anyWord("DATABASE", "SCHEMA", "CATALOG", "NAMESPACE")
	}
	name := p.names("a name")
	return &logical.Use{Stmt: p.stmt(t), Name: name}
}
