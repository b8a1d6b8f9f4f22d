package flightd_test

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

// insiders are words that no user should meet: types and packages of Go, and what the
// code calls its own parts.
var insiders = regexp.MustCompile(`\*?(expr|logical|physical|base|vec|arrow|array|agg|compute|resolve|sql)\.[A-Z]|\[\]|interface \{|runtime error|goroutine|<nil>|%!|nil pointer|evaluator|accumulator|unimplemented|panic|\ba bug in\b`)

// TestErrorCorpus runs the statements of testdata/errors. Each fails with a class, an
// SQLSTATE, a place and a caret, in a user's words; at least four of five say what to
// do.
func TestErrorCorpus(t *testing.T) {
	ctx := context.Background()
	eng, err := flightd.Open(ctx, flightd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	s := eng.NewSession()
	const rows = `CREATE TEMPORARY VIEW t AS SELECT * FROM VALUES
		(1, 'x', TIMESTAMP'2024-01-01 00:00:00', array(1, 2), map('k', 1), named_struct('x', 1)) AS v(a, b, ts, arr, m, st)`
	if _, err := s.Execute(ctx, rows); err != nil {
		t.Fatal(err)
	}
	count, hints := 0, 0
	var wrong []string // reported at the end: a failed case would hide the rest of its file
	fail := func(d *datadriven.TestData, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%s: %s: ", d.Pos, d.Input)+fmt.Sprintf(format, args...))
	}
	datadriven.Walk(t, "testdata/errors", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			err := runAll(ctx, s, d.Input)
			if err == nil {
				fail(d, "no error")
				return "no error\n"
			}
			e := base.AsError(err)
			count++
			if e.Hint != "" {
				hints++
			}
			text := e.Display()
			if e.Condition == "" || e.SQLState == "" || !e.Pos.Valid() || !strings.Contains(text, "^") {
				fail(d, "class %q, SQLSTATE %q, place %v\n%s", e.Condition, e.SQLState, e.Pos, text)
			}
			shown := strings.ReplaceAll(text, d.Input, "")
			if m := insiders.FindString(strings.ReplaceAll(shown, lineOf(text), "")); m != "" {
				fail(d, "a user is shown %q\n%s", m, text)
			}
			return text + "\n"
		})
	})
	for _, w := range wrong {
		t.Error(w)
	}
	t.Logf("%d statements, %d hints", count, hints)
	if count < 150 || 100*hints < 80*count {
		t.Errorf("%d statements with %d hints: want at least 150, and four of five with a hint", count, hints)
	}
}

// lineOf is the line of a displayed error that repeats the query.
func lineOf(text string) string {
	for _, l := range strings.Split(text, "\n") {
		if strings.HasPrefix(l, "line ") {
			return l
		}
	}
	return ""
}

// runAll runs a script to the end of its results.
func runAll(ctx context.Context, s *flightd.Session, text string) error {
	return s.ExecuteScript(ctx, text, func(_ string, r *flightd.Result, err error) error {
		if err != nil {
			return err
		}
		defer r.Close()
		for {
			rec, err := r.Next(ctx)
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			rec.Release()
		}
	})
}
