package logical

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// Statement is one SQL statement, parsed and not resolved.
type Statement interface {
	// Pos spans the statement in its text.
	Pos() base.Pos
}

// Stmt is the place of a statement, which every Statement embeds.
type Stmt struct{ At base.Pos }

// Pos is where the statement was written.
func (s Stmt) Pos() base.Pos { return s.At }

type (
	// Query is a SELECT in any of its forms.
	Query struct {
		Stmt
		Plan Node
	}
	// CreateView is CREATE [OR REPLACE] [TEMPORARY] VIEW. Plan is a *Source for
	// CREATE TEMPORARY VIEW v USING format.
	CreateView struct {
		Stmt
		Name        []string
		Replace     bool
		Temporary   bool
		IfNotExists bool
		Columns     []string
		// Text is the SQL of the query.
		Text string
		Plan Node
	}
	// CreateTable is CREATE TABLE … [USING format OPTIONS (…)] [AS query] and,
	// with Streaming, CREATE STREAMING TABLE t AS query.
	CreateTable struct {
		Stmt
		Name                 []string
		Replace, IfNotExists bool
		Streaming            bool
		Schema               expr.Schema // nil: the connector's or the query's own
		Format               string      // "" without USING
		Options              base.Options
		PartitionBy          []string
		Comment              string
		Text                 string
		Plan                 Node // nil without AS
	}
	// TriggerSpec is the TRIGGER of a query; Kind is "processing time",
	// "available now", "once", "continuous" or "real time". Interval is the text
	// as written.
	TriggerSpec struct {
		At       base.Pos
		Kind     string
		Interval string
	}
	// CreateQuery is CREATE STREAMING QUERY.
	CreateQuery struct {
		Stmt
		Name        string
		IfNotExists bool
		// OutputMode is as written, "" without the clause.
		OutputMode string
		Trigger    *TriggerSpec
		Checkpoint string
		// LateRows is the table of LATE ROWS INTO, or nil.
		LateRows []string
		// Format is the sink of INTO format, or "" with Table set.
		Format      string
		Options     base.Options
		PartitionBy []string
		Table       []string
		Text        string
		Plan        Node
	}
	// Insert is INSERT INTO [TABLE] t [(columns)] query.
	Insert struct {
		Stmt
		Table     []string
		TableAt   base.Pos
		Columns   []string
		Overwrite bool
		ByName    bool
		Plan      Node
	}
	// Drop is DROP TABLE | VIEW | QUERY [IF EXISTS] name; What is "TABLE",
	// "VIEW", "QUERY" or "FUNCTION".
	Drop struct {
		Stmt
		What     string
		Name     []string
		IfExists bool
		// Temporary is DROP TEMPORARY FUNCTION: of this session only.
		Temporary bool
	}
	// StopQuery is STOP QUERY q.
	StopQuery struct {
		Stmt
		Name string
	}
	// Show is SHOW QUERIES | TABLES | VIEWS | FUNCTIONS | DATABASES …; What is
	// upper case, Like the pattern or "". Of is "USER" or "SYSTEM" where only such
	// functions are wanted.
	Show struct {
		Stmt
		What   string
		Name   []string
		NameAt base.Pos
		Like   string
		Of     string
	}
	// Describe is DESCRIBE [TABLE] t, DESCRIBE QUERY q, DESCRIBE FUNCTION f.
	// What is "TABLE", "QUERY" or "FUNCTION".
	Describe struct {
		Stmt
		What     string
		Name     []string
		NameAt   base.Pos // of a function's name
		Extended bool
		Plan     Node // DESCRIBE [QUERY] SELECT …
	}
	// Set is SET key = value, SET key, SET (all), RESET [key], SET TIME ZONE (key
	// spark.sql.session.timeZone; the value LOCAL is the server's zone).
	Set struct {
		Stmt
		Key, Value     string
		HasValue       bool
		Reset, ListAll bool
	}
	// Explain is EXPLAIN [ANALYZE | EMISSION | EXTENDED | FORMATTED …] statement.
	Explain struct {
		Stmt
		Mode string
		// Inner is the explained statement, or nil with EMISSION of a query by Name.
		Inner Statement
		Name  string
	}
	// Subscribe is SUBSCRIBE TO name | query with its options: "SNAPSHOT" and
	// "PROGRESS" are "true", "FROM EPOCH", "UP TO EPOCH" and "LIMIT" whole numbers,
	// "RESUME" a token, "FOR" the text of an interval, "ENVELOPE" "append",
	// "changelog" or "upsert(a, b)".
	Subscribe struct {
		Stmt
		Name    []string
		Plan    Node
		Options map[string]string
	}
	// Immediate is EXECUTE IMMEDIATE text [USING args]: a statement given as a constant
	// text. Names has the name of each argument, or "".
	Immediate struct {
		Stmt
		Text  expr.Expr
		Args  []expr.Expr
		Names []string
	}
	// Refused is a statement of Spark about a table that flightd does not have: it fails
	// with Err, or because there is no such table.
	Refused struct {
		Stmt
		Table   []string
		TableAt base.Pos
		Err     *base.Error
	}
	// Use is USE name: accepted, changes nothing.
	Use struct {
		Stmt
		Name []string
	}
)
