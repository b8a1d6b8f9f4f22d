package flightd_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/sql"
)

// nest is text that n brackets open and close around a middle.
func nest(open, middle, close string, n int) string {
	return strings.Repeat(open, n) + middle + strings.Repeat(close, n)
}

// deepTexts nests or repeats every construct of a query n times.
func deepTexts(n int) map[string]string {
	list := func(term, sep string) string { return term + strings.Repeat(sep+term, n) }
	names := make([]string, 0, n)
	for i := range n {
		names = append(names, fmt.Sprintf("c%d AS (SELECT id FROM %s)", i, map[bool]string{true: "t", false: fmt.Sprintf("c%d", i-1)}[i == 0]))
	}
	return map[string]string{
		"parentheses":     "SELECT " + nest("(", "1", ")", n) + " AS x",
		"relations":       "SELECT * FROM " + nest("(", "t", ")", n),
		"queries":         nest("(", "SELECT 1 AS x", ")", n),
		"derived tables":  nest("SELECT * FROM (", "SELECT 1 AS x", ")", n),
		"scalar queries":  nest("SELECT (", "SELECT 1", ")", n),
		"in queries":      nest("SELECT id FROM t WHERE id IN (", "SELECT 1", ")", n),
		"exists":          nest("SELECT id FROM t WHERE EXISTS (", "SELECT 1", ")", n),
		"case":            "SELECT " + nest("CASE WHEN id > 0 THEN ", "1", " END", n) + " AS x FROM t",
		"case values":     "SELECT " + nest("CASE ", "id", " WHEN 1 THEN 2 END", n) + " AS x FROM t",
		"calls":           "SELECT " + nest("abs(", "id", ")", n) + " AS x FROM t",
		"casts":           "SELECT " + nest("CAST(", "id", " AS BIGINT)", n) + " AS x FROM t",
		"postfix casts":   "SELECT id" + strings.Repeat("::bigint", n) + " AS x FROM t",
		"not":             "SELECT " + nest("NOT ", "(id > 1)", "", n) + " AS x FROM t",
		"bangs":           "SELECT " + nest("! ", "(id > 1)", "", n) + " AS x FROM t",
		"minus":           "SELECT " + nest("- ", "id", "", n) + " AS x FROM t",
		"tildes":          "SELECT " + nest("~", "id", "", n) + " AS x FROM t",
		"arrays":          "SELECT " + nest("array(", "id", ")", n) + " AS x FROM t",
		"structs":         "SELECT " + nest("struct(", "id", ")", n) + " AS x FROM t",
		"tuples":          "SELECT " + nest("(", "1, 2", ", 3)", n) + " AS x FROM t",
		"subscripts":      "SELECT " + nest("a[", "0", "]", n) + " AS x FROM t",
		"fields":          "SELECT s" + strings.Repeat(".f", n) + " AS x FROM t",
		"lambdas":         "SELECT " + nest("transform(array(1), y -> ", "1", ")", n) + " AS x",
		"types":           "SELECT CAST(NULL AS " + nest("ARRAY<", "INT", ">", n) + ") AS x",
		"struct types":    "SELECT CAST(NULL AS " + nest("STRUCT<f: ", "INT", ">", n) + ") AS x",
		"between":         "SELECT " + nest("(1 BETWEEN ", "0", " AND 2)", n) + " AS x",
		"in lists":        "SELECT " + nest("(true IN (", "true", "))", n) + " AS x",
		"likes":           "SELECT 'a'" + strings.Repeat(" LIKE 'a'", n) + " AS x",
		"is null":         "SELECT 1" + strings.Repeat(" IS NULL", n) + " AS x",
		"comments":        "SELECT " + nest("/* ", "a", " */", n) + " 1 AS x",
		"line comments":   strings.Repeat("-- a\n", n) + "SELECT 1 AS x",
		"windows":         "SELECT " + nest("sum(", "id", ") OVER ()", n) + " AS x FROM t",
		"aggregates":      "SELECT " + nest("sum(", "id", ")", n) + " AS x FROM t",
		"filters":         "SELECT count(*) FILTER (WHERE " + nest("(", "true", ")", n) + ") AS x FROM t",
		"unions":          "SELECT 1 AS x" + strings.Repeat(" UNION ALL SELECT 2", n),
		"intersects":      "SELECT 1 AS x" + strings.Repeat(" INTERSECT SELECT 1", n),
		"right unions":    nest("SELECT 1 AS x UNION ALL (", "SELECT 2", ")", n),
		"joins":           "SELECT 1 AS x FROM t" + strings.Repeat(" CROSS JOIN t", n),
		"using":           "SELECT 1 AS x FROM t" + strings.Repeat(" JOIN t USING (id)", n),
		"right joins":     "SELECT 1 AS x FROM " + nest("t JOIN (", "t", ") ON true", n),
		"commas":          "SELECT 1 AS x FROM " + list("t", ", "),
		"laterals":        "SELECT 1 AS x FROM t" + strings.Repeat(" LATERAL VIEW explode(array(1))", n),
		"pipes":           "FROM t" + strings.Repeat(" |> WHERE id > 1", n),
		"ctes":            "WITH " + strings.Join(names, ", ") + fmt.Sprintf(" SELECT id FROM c%d", n-1),
		"nested ctes":     nest("WITH a AS (", "SELECT 1 AS x", ") SELECT * FROM a", n),
		"and":             "SELECT " + list("id > 1", " AND ") + " AS x FROM t",
		"or":              "SELECT id FROM t WHERE " + list("id > 1", " OR "),
		"plus":            "SELECT " + list("id", " + ") + " AS x FROM t",
		"times":           "SELECT " + list("1", " * ") + " AS x FROM t",
		"concat":          "SELECT " + list("'a'", " || ") + " AS x FROM t",
		"columns":         "SELECT " + list("id", ", ") + " FROM t",
		"arguments":       "SELECT greatest(" + list("id", ", ") + ") AS x FROM t",
		"in values":       "SELECT id FROM t WHERE id IN (" + list("1", ", ") + ")",
		"whens":           "SELECT CASE " + list("WHEN id = 1 THEN 2", " ") + " END AS x FROM t",
		"rows":            "SELECT * FROM VALUES " + list("(1)", ", ") + " AS v(x)",
		"group by":        "SELECT 1 AS x FROM t GROUP BY " + list("id", ", "),
		"order by":        "SELECT id FROM t ORDER BY " + list("id", ", "),
		"grouping sets":   "SELECT 1 AS x FROM t GROUP BY GROUPING SETS (" + list("(id)", ", ") + ")",
		"nested sets":     "SELECT 1 AS x FROM t GROUP BY " + nest("GROUPING SETS (", "id", ")", n),
		"statements":      nest("EXPLAIN ", "SELECT 1", "", n),
		"create view":     nest("CREATE OR REPLACE TEMPORARY VIEW v AS SELECT * FROM (", "SELECT 1 AS x", ")", n),
		"hints":           "SELECT /*+ " + list("BROADCAST(t)", ", ") + " */ 1 AS x FROM t",
		"named arguments": "SELECT " + nest("abs(expr => ", "1", ")", n) + " AS x",
	}
}

// ask sends a text through parser, resolver, planner and EXPLAIN, and runs it. A
// panic would be an internal error.
func ask(t *testing.T, s *flightd.Session, what, text string, run bool) (refused bool, took time.Duration) {
	t.Helper()
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	check := func(step string, err error) bool {
		if err == nil {
			return true
		}
		e := base.AsError(err)
		if e.Condition == "" || e.SQLState == "" || e.Code == base.CodeInternal || strings.HasPrefix(e.Condition, "INTERNAL_ERROR") {
			t.Errorf("%s: %s: %.300v", what, step, err)
		}
		return false
	}
	_, err := s.Prepare(ctx, text)
	ok := check("preparing", err)
	for _, form := range []string{"EXPLAIN ", "EXPLAIN EXTENDED "} {
		if r, err := s.Execute(ctx, form+text); check(form, err) && err == nil {
			_, err := r.Collect(ctx)
			check(form, err)
		}
	}
	if run && ok {
		if r, err := s.Execute(ctx, text); check("executing", err) && err == nil {
			recs, err := r.Collect(ctx)
			check("running", err)
			for _, rec := range recs {
				rec.Release()
			}
		}
	}
	return !ok, time.Since(start)
}

func openWithTable(t *testing.T) *flightd.Session {
	t.Helper()
	eng, err := flightd.Open(context.Background(), flightd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close() })
	s := eng.NewSession()
	if err := statements(t, s, "CREATE OR REPLACE TEMPORARY VIEW t AS SELECT id, array(1) AS a, named_struct('f', 1) AS s FROM range(1)"); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDeepQueries nests every construct 10,000 deep, 100,000 terms long, and so that
// it is just taken: each is an answer or an error with a class, soon.
func TestDeepQueries(t *testing.T) {
	s := openWithTable(t)
	small, large, deep := deepTexts(50), deepTexts(200), deepTexts(10_000)
	for what := range small {
		ask(t, s, what, small[what], true)
		ask(t, s, what, large[what], true)
		if _, took := ask(t, s, what, deep[what], false); took > 30*time.Second {
			t.Errorf("%s: took %v", what, took)
		}
	}
	long := deepTexts(100_000)
	for _, what := range []string{"and", "or", "plus", "concat"} {
		if _, took := ask(t, s, what, long[what], false); took > 30*time.Second {
			t.Errorf("%s: 100,000 terms took %v", what, took)
		}
	}
}

// TestParsingIsLinear parses four times as much in not much more than four times as
// long.
func TestParsingIsLinear(t *testing.T) {
	best := func(text string) time.Duration {
		least := time.Hour
		for range 5 {
			start := time.Now()
			sql.Parse(text)
			least = min(least, time.Since(start))
		}
		return least
	}
	small, large := deepTexts(200), deepTexts(800)
	for what := range small {
		one, four := best(small[what]), best(large[what])
		// Whoever else uses the machine makes it slower, and nobody faster.
		for try := 0; try < 10 && four > 10*one+10*time.Millisecond; try++ {
			four = min(four, best(large[what]))
		}
		if four > 10*one+10*time.Millisecond {
			t.Errorf("%s: %v, and four times as much %v", what, one, four)
		}
	}
}

// TestHugeLiterals reads literals of 10 MB, which a statement may not have unless its
// session lets it, and bytes that are no UTF-8 wherever a token may stand.
func TestHugeLiterals(t *testing.T) {
	s := openWithTable(t)
	const size = 10 << 20
	for what, text := range map[string]string{
		"string":     "SELECT '" + strings.Repeat("x", size) + "' AS x",
		"number":     "SELECT " + strings.Repeat("9", size) + " AS x",
		"fraction":   "SELECT 0." + strings.Repeat("1", size) + " AS x",
		"exponent":   "SELECT 1e" + strings.Repeat("9", size) + " AS x",
		"identifier": "SELECT " + strings.Repeat("a", size) + " FROM t",
		"quoted":     "SELECT `" + strings.Repeat("a", size) + "` FROM t",
		"hex":        "SELECT X'" + strings.Repeat("af", size/2) + "' AS x",
		"comment":    "SELECT 1 /* " + strings.Repeat("a", size) + " */ AS x",
		"spaces":     "SELECT " + strings.Repeat(" ", size) + "1 AS x",
		"escapes":    "SELECT '" + strings.Repeat(`\n`, size/2) + "' AS x",
	} {
		if refused, took := ask(t, s, what, text, true); !refused || took > 10*time.Second {
			t.Errorf("%s: refused: %v, %v", what, refused, took)
		}
		start := time.Now()
		if _, err := (sql.Dialect{MaxText: -1}).Parse(text); err != nil && base.AsError(err).Condition == "" {
			t.Errorf("%s: %.200v", what, err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: parsing took %v", what, took)
		}
		// Just below the limit of a statement, it goes through everything.
		if _, took := ask(t, s, what, text[:len(text)/11]+text[len(text)-30:], true); took > 20*time.Second {
			t.Errorf("%s of 1 MB: took %v", what, took)
		}
	}
	query := "SELECT id + 1.5e0 AS `x y`, 'text' /* c */ FROM t AS u -- d\n WHERE X'00' IS NOT NULL AND id IN (1, 2)"
	for _, bad := range []string{"\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf", "\x00"} {
		for i := range len(query) + 1 {
			ask(t, s, fmt.Sprintf("%q at %d", bad, i), query[:i]+bad+query[i:], false)
		}
	}
}
