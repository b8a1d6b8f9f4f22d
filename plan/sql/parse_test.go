package sql

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// The files of testdata/parse hold SQL and the trees or errors it gives. The
// commands: statement, script, expr, schema, type, interval.
func TestParse(t *testing.T) {
	datadriven.Walk(t, "testdata/parse", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out, err := run(d.Cmd, d.Input)
			if err != nil {
				return showError(t, err)
			}
			return out
		})
	})
}

func run(cmd, input string) (string, error) {
	switch cmd {
	case "statement":
		st, err := Parse(input)
		if err != nil {
			return "", err
		}
		return dump(st), nil
	case "script":
		sts, err := ParseScript(input)
		if err != nil {
			return "", err
		}
		var b strings.Builder
		for _, st := range sts {
			p := st.Pos()
			fmt.Fprintf(&b, "%d:%d %q\n%s", p.Line, p.Col, input[p.Start:p.End], dump(st))
		}
		return b.String(), nil
	case "expr":
		var b strings.Builder
		for _, line := range strings.Split(input, "\n") {
			e, err := ParseExpr(line)
			if err != nil {
				return "", err
			}
			b.WriteString(dumpExpr(e))
			if l, ok := e.(*expr.Literal); ok {
				fmt.Fprintf(&b, "  %s  %s", l.Typ, l.SQL())
			}
			b.WriteByte('\n')
		}
		return b.String(), nil
	case "schema":
		s, err := ParseSchema(input)
		return dumpValue(reflect.ValueOf(s)) + "\n", err
	case "type":
		var b strings.Builder
		for _, line := range strings.Split(input, "\n") {
			typ, err := ParseType(line)
			if err != nil {
				return "", err
			}
			b.WriteString(typ.SQL() + "\n")
		}
		return b.String(), nil
	case "interval":
		var b strings.Builder
		for _, line := range strings.Split(input, "\n") {
			m, d, us, err := ParseInterval(line)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "%d months %d days %d us\n", m, d, us)
		}
		return b.String(), nil
	}
	return "", fmt.Errorf("unknown command %q", cmd)
}

// showError prints an error as a user sees it and holds it to what every error
// promises.
func showError(t *testing.T, err error) string {
	e := base.AsError(err)
	if e.Condition == "" || e.SQLState == "" && !strings.HasPrefix(e.Condition, "_LEGACY") {
		t.Errorf("without condition or SQLSTATE: %v", err)
	}
	return e.Display() + "\n"
}

// lines reads a file of testdata with one JSON text a line, after tab-separated
// fields.
func lines(t *testing.T, path string, each func(fields []string, sql string)) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		fields := strings.Split(sc.Text(), "\t")
		var s string
		if err := json.Unmarshal([]byte(fields[len(fields)-1]), &s); err != nil {
			t.Fatal(path, err)
		}
		each(fields, s)
	}
}

// Statements that a real Spark took parse here; the exceptions are known.
func TestSparkAccepts(t *testing.T) {
	known := []string{" PIVOT ", " UNPIVOT ", "|>"}
	files, _ := filepath.Glob("testdata/accepts/*.txt")
	total, good := 0, 0
	for _, path := range files {
		lines(t, path, func(_ []string, s string) {
			total++
			_, err := Parse(s)
			if err == nil {
				good++
				return
			}
			e := base.AsError(err)
			for _, k := range known {
				if strings.Contains(s, k) && e.Condition == "UNSUPPORTED_FEATURE" {
					return
				}
			}
			t.Errorf("%s\n%s", s, e.Display())
		})
	}
	t.Logf("%d of %d statements that Spark takes parse", good, total)
	if total-good > 40 {
		t.Errorf("%d statements do not parse", total-good)
	}
}

// Texts that a real Spark refused when reading them are refused with the same
// condition, at the same place but for a handful.
func TestSparkRefuses(t *testing.T) {
	elsewhere := map[string]bool{
		"SELECT CASE WHEN 1 END": true, "SELECT k FROM l WHERE k > ALL (SELECT k FROM r)": true,
		"SELECT id, sum(id) OVER (w ROWS 1 PRECEDING) FROM emp WINDOW w AS (ORDER BY id)": true,
	}
	total, hints := 0, 0
	lines(t, "testdata/refuses.txt", func(f []string, s string) {
		total++
		_, err := Parse(s)
		if err == nil {
			t.Errorf("%s: no error, want %s", s, f[1])
			return
		}
		e := base.AsError(err)
		want, _ := strconv.Atoi(f[0])
		if e.Condition != f[1] || e.Query != s || !e.Pos.Valid() {
			t.Errorf("%s: %v at %+v, want %s", s, err, e.Pos, f[1])
		}
		if got := len([]rune(s[:min(len(s), e.Pos.Start)])); got != want && !elsewhere[s] {
			t.Errorf("%s: %v at %d, want %d", s, err, got, want)
		}
		if e.Hint != "" {
			hints++
		}
	})
	t.Logf("%d of %d errors have a hint", hints, total)
	if hints*10 < total*8 {
		t.Errorf("only %d of %d errors have a hint", hints, total)
	}
}

// What Format writes reads back as the same expression.
func TestFormatRoundTrip(t *testing.T) {
	files, _ := filepath.Glob("testdata/accepts/*.txt")
	n := 0
	for _, path := range files {
		lines(t, path, func(_ []string, s string) {
			st, err := Parse(s)
			if err != nil {
				return
			}
			eachExpr(st.(*logical.Query).Plan, func(e expr.Expr) {
				text := Format(e)
				if strings.Contains(text, "…") {
					return
				}
				again, err := ParseExpr(text)
				if err != nil {
					t.Errorf("%s: %s: %v", s, text, err)
					return
				}
				n++
				if got := Format(again); got != text {
					t.Errorf("%s: %s became %s", s, text, got)
				}
			})
		})
	}
	if n < 1000 {
		t.Errorf("only %d expressions", n)
	}
}

// eachExpr calls f for every expression of a tree and every part of one.
func eachExpr(n logical.Node, f func(expr.Expr)) {
	logical.RewriteExprs(n, func(e expr.Expr) (expr.Expr, error) {
		f(e)
		return e, nil
	})
}

func TestDialect(t *testing.T) {
	zone, _ := ParseZone("America/New_York")
	d := Dialect{Zone: zone}
	for text, want := range map[string]int64{
		"TIMESTAMP'2020-03-08 02:30:00'": 1583652600, "TIMESTAMP'2020-11-01 01:30:00'": 1604208600, "TIMESTAMP'2020-07-01 12:00:00'": 1593619200,
		"TIMESTAMP'2020-03-08 03:00:00'": 1583650800, "TIMESTAMP'2020-11-01 02:00:00'": 1604214000, "TIMESTAMP'2020-03-08 02:30:00Z'": 1583634600,
	} {
		e, err := d.ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.(*expr.Literal).Value.(int64) / 1e6; got != want {
			t.Errorf("%s is %d, want %d", text, got, want)
		}
	}
	e, err := Dialect{DoubleQuotedNames: true}.ParseExpr(`"a b"."c" + 'x'`)
	if err != nil || Format(e) != "(`a b`.`c` + 'x')" {
		t.Errorf("%v %v", e, err)
	}
	e, _ = Dialect{NTZ: true}.ParseExpr("TIMESTAMP'2020-01-01 00:00:00'")
	if e.Type() != expr.TimestampNTZ {
		t.Errorf("%v", e.Type())
	}
}

// Deep and long texts are refused or read in linear time, and never kill the
// process.
func TestLimits(t *testing.T) {
	for name, text := range map[string]string{
		"parentheses": "SELECT " + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000),
		"signs":       "SELECT " + strings.Repeat("- ", 5000) + "x",
		"not":         "SELECT " + strings.Repeat("NOT ", 5000) + "x",
		"calls":       "SELECT " + strings.Repeat("f(", 5000) + "x" + strings.Repeat(")", 5000),
		"case":        "SELECT " + strings.Repeat("CASE WHEN ", 5000) + "x",
		"types":       "SELECT CAST(x AS " + strings.Repeat("ARRAY<", 5000) + "INT" + strings.Repeat(">", 5000) + ")",
		"subqueries":  strings.Repeat("SELECT * FROM (", 5000) + "SELECT 1" + strings.Repeat(")", 5000),
		"relations":   "SELECT * FROM " + strings.Repeat("(", 5000) + "t" + strings.Repeat(")", 5000),
		"explain":     strings.Repeat("EXPLAIN ", 5000) + "SELECT 1",
		"lambdas":     "SELECT f(" + strings.Repeat("x -> ", 5000) + "x)",
		"subscripts":  "SELECT " + strings.Repeat("a[", 5000) + "0" + strings.Repeat("]", 5000),
		"plus":        "SELECT 1" + strings.Repeat(" + 1", 20000),
		"unions":      "SELECT 1" + strings.Repeat(" EXCEPT SELECT 1", 20000),
	} {
		_, err := Parse(text)
		if err == nil || base.AsError(err).Condition != "FAILED_TO_PARSE_TOO_COMPLEX" {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := "SELECT '" + strings.Repeat("x", 10<<20) + "', 1 FROM t WHERE a IN (" + strings.Repeat("1, ", 100000) + "1)"
	if _, err := Parse(long); err == nil || base.AsError(err).Condition != "SQL_TEXT_TOO_LONG" {
		t.Errorf("long: %v", err)
	}
	start := time.Now()
	if _, err := (Dialect{MaxText: -1}).Parse(long); err != nil {
		t.Error(err)
	}
	for _, s := range []string{"'", `"`, "`", "/*", "r'", "SELECT ", "((", "((SELECT 1) UNION ", "- ", "a.", "x LIKE ", "1 AS ", "AND ", "FROM t WHERE ", "WATERMARK ", "'\\'", "1e+", "a[1]:", "NATURAL "} {
		Parse("SELECT " + strings.Repeat(s, (1<<20-10)/len(s)))
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("hostile texts took %v", d)
	}
	if _, err := Parse(strings.Repeat("SELECT 1 WHERE a ", 1) + strings.Repeat("AND a ", 100000)); err != nil {
		t.Errorf("a long conjunction: %v", err)
	}
	if _, err := Parse("SELECT 'a\xff'"); base.AsError(err).Condition != "INVALID_UTF8_STRING" || base.AsError(err).Pos.Col != 10 {
		t.Errorf("invalid UTF-8: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/accepts/*.txt")
	for _, path := range files {
		i := 0
		fh, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, line := range strings.Split(string(fh), "\n") {
			var s string
			fields := strings.Split(line, "\t")
			if i++; i%15 == 0 && json.Unmarshal([]byte(fields[len(fields)-1]), &s) == nil {
				f.Add(s)
			}
		}
	}
	f.Add("CREATE STREAMING QUERY q OUTPUT MODE append TRIGGER ONCE INTO console OPTIONS ('a' = 1) AS SELECT * FROM STREAM t WATERMARK ts DELAY OF INTERVAL 5 SECONDS")
	f.Add("SUBSCRIBE TO SELECT a FROM t FROM EPOCH 3 ENVELOPE upsert(a) FOR INTERVAL '1 second'")
	f.Add("SET a.b = c; RESET x; SHOW TABLES LIKE 'x'; DESCRIBE QUERY q; EXPLAIN EMISSION q")
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string) error{
			func(s string) error { _, err := Parse(s); return err }, func(s string) error { _, err := ParseScript(s); return err },
			func(s string) error { _, err := ParseExpr(s); return err }, func(s string) error { _, err := ParseSchema(s); return err },
			func(s string) error { _, _, _, err := ParseInterval(s); return err },
		} {
			if err := parse(s); err != nil {
				e := base.AsError(err)
				if e.Condition == "" || e.Pos.Valid() && (e.Pos.Start > len(s) || e.Pos.End > len(s) || e.Pos.Start > e.Pos.End) {
					t.Fatalf("%q: %v at %+v", s, err, e.Pos)
				}
				e.Display()
			}
		}
	})
}
