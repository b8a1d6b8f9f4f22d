package flightd_test

import (
	"context"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

// DROP FUNCTION takes back what RegisterFunction gave: TEMPORARY what the session has,
// without it what the engine has, which an administrator may only.
func TestDropFunction(t *testing.T) {
	ctx := context.Background()
	eng, err := flightd.Open(ctx, flightd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	named := func(name string) flightd.Function {
		return &flightd.ScalarFunction{Name: name, Params: []arrow.DataType{bigint}, Result: bigint, Eval: scale}
	}
	s := eng.NewSession()
	writer := eng.NewSessionFor(flightd.User{Name: "w", Role: flightd.Writer})
	for _, err := range []error{eng.RegisterFunction(named("shared")), s.RegisterFunction(named("own")), writer.RegisterFunction(named("own"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		s         *flightd.Session
		sql       string
		condition string
	}{
		{s, "SELECT own(1), shared(1)", ""},
		{s, "DROP FUNCTION own", "EXPECT_PERSISTENT_FUNCTION_NOT_TEMP"},
		{s, "DROP TEMPORARY FUNCTION shared", "ROUTINE_NOT_FOUND"},
		{s, "DROP TEMPORARY FUNCTION default.own", "INVALID_TEMP_OBJ_QUALIFIER"},
		{s, "DROP TEMPORARY FUNCTION Own", ""},
		{s, "SELECT own(1)", "UNRESOLVED_ROUTINE"},
		{s, "DROP TEMPORARY FUNCTION IF EXISTS own", ""},
		{writer, "SELECT own(1), shared(1)", ""},
		{writer, "DROP FUNCTION shared", "INSUFFICIENT_PERMISSIONS"},
		{writer, "DROP TEMPORARY FUNCTION session.own", ""},
		{s, "DROP FUNCTION elsewhere.shared", "SCHEMA_NOT_FOUND"},
		{s, "DROP FUNCTION a.b.c.d", "REQUIRES_SINGLE_PART_NAMESPACE"},
		{s, "DROP FUNCTION spark_catalog.default.shared", ""},
		{s, "DROP FUNCTION shared", "ROUTINE_NOT_FOUND"},
		{s, "DROP FUNCTION IF EXISTS abs", "FORBIDDEN_OPERATION"},
		{writer, "SELECT shared(1)", "UNRESOLVED_ROUTINE"},
	} {
		r, err := c.s.Execute(ctx, c.sql)
		if err == nil {
			var recs []arrow.RecordBatch
			if recs, err = r.Collect(ctx); err == nil {
				for _, rec := range recs {
					rec.Release()
				}
			}
		}
		got := ""
		if err != nil {
			got = base.AsError(err).Condition
		}
		if got != c.condition {
			t.Errorf("%s: %q (%v), want %q", c.sql, got, err, c.condition)
		}
	}
}

// IDENTIFIER gives names from constant texts and from arguments of EXECUTE IMMEDIATE.
func TestIdentifier(t *testing.T) {
	ctx := context.Background()
	eng, err := flightd.Open(ctx, flightd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	s := eng.NewSession()
	rows := func(sql string) string {
		t.Helper()
		r, err := s.Execute(ctx, sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		recs, err := r.Collect(ctx)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		out := ""
		for _, rec := range recs {
			out += rec.Column(0).String()
			rec.Release()
		}
		return out
	}
	if got := rows("SELECT IDENTIFIER('i' || 'd') FROM IDENTIFIER(concat('ran', 'ge'))(2) AS t(id)"); got != "[0 1]" {
		t.Errorf("rows are %s", got)
	}
	if got := rows("EXECUTE IMMEDIATE 'SELECT IDENTIFIER(:c) + 5 FROM IDENTIFIER(:t)(2)' USING ('id' AS c, 'range' AS t)"); got != "[5 6]" {
		t.Errorf("rows are %s", got)
	}
	if _, err := s.SQL("SELECT * FROM IDENTIFIER(concat('ran', 'ge'))(2) AS t(a, b)").Collect(ctx); err == nil || base.AsError(err).Condition != "NUM_TABLE_VALUE_ALIASES_MISMATCH" {
		t.Errorf("two names for one column: %v", err)
	}
}

// EXECUTE IMMEDIATE needs the rights of the statement in it, also to be prepared, and
// tells places in that statement.
func TestExecuteImmediate(t *testing.T) {
	ctx := context.Background()
	eng, err := flightd.Open(ctx, flightd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	reader := eng.NewSessionFor(flightd.User{Name: "r", Role: flightd.Reader})
	const drop = "EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE ''DROP TABLE IF EXISTS t'''"
	if _, err := reader.Execute(ctx, drop); err == nil || base.AsError(err).Condition != "INSUFFICIENT_PERMISSIONS" {
		t.Errorf("a reader drops a table: %v", err)
	}
	if _, err := reader.Prepare(ctx, drop); err == nil || base.AsError(err).Condition != "INSUFFICIENT_PERMISSIONS" {
		t.Errorf("a reader prepares to drop a table: %v", err)
	}
	p, err := reader.Prepare(ctx, "EXECUTE IMMEDIATE 'SELECT ? AS a' USING 1L")
	if err != nil || p.IsUpdate || p.Schema.Field(0).Name != "a" {
		t.Errorf("prepared: %+v, %v", p, err)
	}
	for sql, want := range map[string]string{
		"EXECUTE IMMEDIATE CAST(NULL AS STRING)":                    "NULL_QUERY_STRING_EXECUTE_IMMEDIATE",
		"EXECUTE IMMEDIATE 'SELECT ?, ?' USING 1":                   "UNBOUND_SQL_PARAMETER",
		"EXECUTE IMMEDIATE 'SELECT :b' USING 1 AS a":                "UNBOUND_SQL_PARAMETER",
		"EXECUTE IMMEDIATE 'SELECT ?' USING nosuch":                 "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
		"EXECUTE IMMEDIATE 'SELECT 1' INTO x":                       "UNSUPPORTED_FEATURE",
		"EXECUTE IMMEDIATE 'SELECT nosuch'":                         "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
		"EXECUTE IMMEDIATE (SELECT 'SELECT 1')":                     "UNSUPPORTED_EXPR_FOR_PARAMETER",
		"EXECUTE IMMEDIATE 'SELECT 1 / ?' USING (1 + 1) * 0":        "DIVIDE_BY_ZERO",
		"EXECUTE IMMEDIATE 'INSERT INTO nosuch VALUES (?)' USING 1": "TABLE_OR_VIEW_NOT_FOUND",
	} {
		r, err := eng.NewSession().Execute(ctx, sql)
		if err == nil {
			_, err = r.Collect(ctx)
		}
		if err == nil {
			t.Errorf("%s: no error", sql)
			continue
		}
		e := base.AsError(err)
		if e.Condition != want {
			t.Errorf("%s: %v", sql, err)
		}
		if e.Condition == "DIVIDE_BY_ZERO" && e.Query != "SELECT 1 / ?" {
			t.Errorf("the place is in %q", e.Query)
		}
	}
}
