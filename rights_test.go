package flightd_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

// statementRights has each kind of statement, as SQL, and the lowest role that may
// run it.
func statementRights() map[string]struct {
	sql  []string
	role flightd.Role
} {
	type row = struct {
		sql  []string
		role flightd.Role
	}
	return map[string]row{
		"Query":       {[]string{"SELECT 1", "WITH a AS (SELECT 1) SELECT * FROM a", "VALUES (1)", "TABLE t"}, flightd.Reader},
		"Show":        {[]string{"SHOW TABLES", "SHOW QUERIES", "SHOW FUNCTIONS"}, flightd.Reader},
		"Describe":    {[]string{"DESCRIBE t", "DESCRIBE QUERY SELECT 1"}, flightd.Reader},
		"Explain":     {[]string{"EXPLAIN SELECT 1", "EXPLAIN INSERT INTO t VALUES (1)"}, flightd.Reader},
		"Set":         {[]string{"SET spark.sql.session.timeZone = UTC", "SET", "RESET"}, flightd.Reader},
		"Refused":     {[]string{"ALTER TABLE t ADD COLUMNS (b INT)"}, flightd.Reader},
		"Use":         {[]string{"USE default"}, flightd.Reader},
		"Subscribe":   {[]string{"SUBSCRIBE TO t"}, flightd.Reader},
		"CreateView":  {[]string{"CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1"}, flightd.Writer},
		"CreateTable": {[]string{"CREATE OR REPLACE TABLE n (a INT)", "CREATE OR REPLACE TABLE m AS SELECT 1 AS a"}, flightd.Writer},
		"CreateQuery": {[]string{"CREATE STREAMING QUERY mine INTO noop AS SELECT * FROM STREAM src"}, flightd.Writer},
		"Insert":      {[]string{"INSERT INTO t VALUES (2)"}, flightd.Writer},
		"StopQuery":   {[]string{"STOP QUERY mine"}, flightd.Writer},
		"Immediate":   {[]string{"EXECUTE IMMEDIATE 'SELECT ?' USING 1"}, flightd.Reader},
		"Drop":        {[]string{"DROP QUERY mine", "DROP VIEW IF EXISTS v", "DROP TABLE IF EXISTS n"}, flightd.Writer},
	}
}

// A role may run what it includes and nothing else, when it is prepared and when
// it is run; every kind of statement of the language is among those tried.
func TestRights(t *testing.T) {
	kinds := statementKinds(t)
	rights := statementRights()
	order := []string{"Query", "Show", "Describe", "Explain", "Set", "Use", "Refused", "Subscribe", "CreateView", "CreateTable", "Insert", "CreateQuery", "StopQuery", "Immediate", "Drop"}
	if len(order) != len(kinds) || len(rights) != len(kinds) {
		t.Errorf("the language has %d kinds of statements %v, the test %d", len(kinds), kinds, len(order))
	}
	eng, err := flightd.Open(context.Background(), flightd.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	for _, text := range []string{"CREATE TABLE t AS SELECT 1 AS a", "CREATE TABLE src USING rate"} {
		if _, err := eng.NewSession().Execute(context.Background(), text); err != nil {
			t.Fatal(err)
		}
	}
	for role := range flightd.Role(len(flightd.Roles())) {
		s := eng.NewSessionFor(flightd.User{Name: "ann", Role: role})
		for _, kind := range order {
			if !kinds[kind] {
				t.Errorf("there is no statement %s", kind)
			}
			for _, text := range rights[kind].sql {
				_, prepared := s.Prepare(context.Background(), text)
				r, err := s.Execute(context.Background(), text)
				if err == nil {
					r.Close()
				}
				for _, err := range []error{prepared, err} {
					got := err != nil && base.AsError(err).Code == base.CodeDenied
					if want := role > rights[kind].role; got != want {
						t.Errorf("%s as %s: %v", text, role, err)
					}
				}
				if err != nil && role > rights[kind].role {
					e := base.AsError(err)
					if e.SQLState != "42501" || e.Hint == "" || !strings.Contains(e.Msg, role.String()) {
						t.Errorf("%s is refused with %s, hint %q", text, e, e.Hint)
					}
				}
			}
		}
	}
	for role, want := range []bool{true, false, false} {
		s := eng.NewSessionFor(flightd.User{Name: "ann", Role: flightd.Role(role)})
		if _, err := s.Set("Flightd.MemoryLimit", "1000000000"); (err == nil) != want {
			t.Errorf("the engine's memory as %s: %v", flightd.Role(role), err)
		}
	}
	if _, err := flightd.ParseRole("root"); err == nil {
		t.Error("there is a role root")
	}
	if flightd.Role(200).May(flightd.Reader, "x") == nil {
		t.Error("a role that there is not may read")
	}
}

// statementKinds are the types of plan/logical that are statements.
func statementKinds(t *testing.T) map[string]bool {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "plan/logical/statement.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if st, ok := spec.Type.(*ast.StructType); ok {
			for _, field := range st.Fields.List {
				if id, ok := field.Type.(*ast.Ident); ok && len(field.Names) == 0 && id.Name == "Stmt" {
					out[spec.Name.Name] = true
				}
			}
		}
		return true
	})
	return out
}

// A writer ends and replaces its own queries; those of others are an
// administrator's, also after a restart.
func TestQueriesHaveOwners(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	open := func() *flightd.Engine {
		eng, err := flightd.Open(ctx, flightd.Options{DataDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		return eng
	}
	do := func(eng *flightd.Engine, name string, role flightd.Role, text string) error {
		_, err := eng.NewSessionFor(flightd.User{Name: name, Role: role}).Execute(ctx, text)
		return err
	}
	refused := func(err error) bool { return err != nil && base.AsError(err).SQLState == "42501" }
	eng := open()
	for _, text := range []string{"CREATE TABLE src USING rate", "CREATE STREAMING QUERY q INTO noop AS SELECT * FROM STREAM src", "CREATE STREAMING TABLE st AS SELECT * FROM STREAM src"} {
		if err := do(eng, "ann", flightd.Writer, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := do(eng, "root", flightd.Admin, "CREATE STREAMING QUERY theirs INTO noop AS SELECT * FROM STREAM src"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, text := range []string{"STOP QUERY q", "DROP QUERY q", "DROP QUERY IF EXISTS Q", "DROP TABLE st", "CREATE OR REPLACE TABLE st (a INT)", "DROP QUERY st"} {
			if err := do(eng, "bob", flightd.Writer, text); !refused(err) {
				t.Errorf("%s by another: %v", text, err)
			}
		}
		if err := do(eng, "ann", flightd.Writer, "STOP QUERY theirs"); !refused(err) {
			t.Errorf("an administrator's query: %v", err)
		}
		if err := eng.Close(); err != nil {
			t.Fatal(err)
		}
		eng = open()
	}
	defer eng.Close()
	if err := do(eng, "ann", flightd.Writer, "DROP QUERY q"); err != nil {
		t.Error(err)
	}
	if err := do(eng, "root", flightd.Admin, "DROP QUERY st"); err != nil {
		t.Error(err)
	}
	if err := do(eng, "bob", flightd.Writer, "STOP QUERY none"); err == nil || refused(err) {
		t.Errorf("a query that there is not: %v", err)
	}
}
