package flightd_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

// frames is a session with two streams and two tables of the same columns.
func frames(t *testing.T) *flightd.Session {
	t.Helper()
	w := newWorld(t)
	s := w.open()
	for _, name := range []string{"e", "f"} {
		w.dir(name)
		w.stream(name, eventsDDL, 0)
	}
	for _, name := range []string{"t", "u"} {
		w.file(name, 0, `{"k":"a"}`)
		w.table(name, eventsDDL)
	}
	return s
}

// TestStepsEqualSQL: every step of the DataFrame API makes the plan that its SQL
// spelling makes.
func TestStepsEqualSQL(t *testing.T) {
	s := frames(t)
	col, lit, expr := flightd.Col, flightd.Lit, flightd.Expr
	e := func() *flightd.DataFrame { return s.Table("e") }
	table := func(name string) *flightd.DataFrame { return s.Table(name) }
	marked := func() *flightd.DataFrame { return e().WithWatermark("ts", "10 seconds") }
	for _, c := range []struct {
		name string
		d    *flightd.DataFrame
		sql  string
	}{
		{"table", e(), "SELECT * FROM e"},
		{"select", e().Select(col("k"), col("v").Plus(lit(1)).As("w")), "SELECT k, v + 1 AS w FROM e"},
		{"selectExpr", e().SelectExpr("k", "upper(k) AS u"), "SELECT k, upper(k) AS u FROM e"},
		{"select star", e().Select(col("*"), col("v").Times(lit(2)).As("d")), "SELECT *, v * 2 AS d FROM e"},
		{"column arithmetic", e().Select(col("v").Minus(lit(1)).As("a"), col("v").Over(lit(2)).As("b"), col("x").Cast("INT").As("c")),
			"SELECT v - 1 AS a, v / 2 AS b, CAST(x AS INT) AS c FROM e"},
		{"comparisons", e().Select(col("v").Eq(lit(1)).As("a"), col("v").Ne(lit(1)).As("b"), col("v").Lt(lit(1)).As("c"), col("v").Le(lit(1)).As("d"),
			col("v").Gt(lit(1)).As("e"), col("v").Ge(lit(1)).As("f")),
			"SELECT v = 1 AS a, v != 1 AS b, v < 1 AS c, v <= 1 AS d, v > 1 AS e, v >= 1 AS f FROM e"},
		{"filter", e().Filter(col("v").Gt(lit(3)).And(col("k").IsNotNull())), "SELECT * FROM e WHERE v > 3 AND k IS NOT NULL"},
		{"where", e().Where("v > 3 OR k IS NULL"), "SELECT * FROM e WHERE v > 3 OR k IS NULL"},
		{"filter or not", e().Filter(col("k").IsNull().Or(col("v").Lt(lit(0)).Not())), "SELECT * FROM e WHERE k IS NULL OR NOT v < 0"},
		{"literals", e().Select(lit("x").As("s"), lit(nil).As("n"), lit(true).As("b"), lit(int64(5_000_000_000)).As("l"), lit(1.5).Cast("DOUBLE").As("d")),
			"SELECT 'x' AS s, NULL AS n, true AS b, 5000000000 AS l, CAST(1.5D AS DOUBLE) AS d FROM e"},
		{"alias", e().As("a").Select(col("a.k")), "SELECT a.k FROM e AS a"},
		{"groupBy agg", e().GroupBy(col("k")).Agg(flightd.Sum(col("v")).As("s"), flightd.Avg(col("x")).As("m")), "SELECT k, sum(v) AS s, avg(x) AS m FROM e GROUP BY k"},
		{"min max", e().GroupBy(col("k")).Agg(flightd.Min(col("v")).As("lo"), flightd.Max(col("v")).As("hi")), "SELECT k, min(v) AS lo, max(v) AS hi FROM e GROUP BY k"},
		{"count", e().GroupBy(col("k")).Count(), "SELECT k, count(1) AS count FROM e GROUP BY k"},
		{"count star", e().GroupBy(col("k")).Agg(flightd.Count(col("*")).As("n")), "SELECT k, count(*) AS n FROM e GROUP BY k"},
		{"global agg", e().Agg(flightd.Max(col("v")).As("m")), "SELECT max(v) AS m FROM e"},
		{"agg of expressions", e().GroupBy(expr("v % 10").As("d")).Agg(expr("collect_list(k) AS ks")), "SELECT v % 10 AS d, collect_list(k) AS ks FROM e GROUP BY d"},
		{"call", e().Select(flightd.Call("concat", col("k"), lit("!")).As("c")), "SELECT concat(k, '!') AS c FROM e"},
		{"join", e().As("a").Join(table("t").As("b"), expr("a.k = b.k"), "inner").Select(col("a.v"), col("b.x")), "SELECT a.v, b.x FROM e a JOIN t b ON a.k = b.k"},
		{"left join", e().As("a").Join(table("t").As("b"), expr("a.k = b.k"), "left_outer").Select(col("a.v"), col("b.x")), "SELECT a.v, b.x FROM e a LEFT JOIN t b ON a.k = b.k"},
		{"right join", table("t").As("a").Join(e().As("b"), expr("a.k = b.k"), "right").Select(col("b.v")), "SELECT b.v FROM t a RIGHT JOIN e b ON a.k = b.k"},
		{"semi join", e().As("a").Join(table("t").As("b"), expr("a.k = b.k"), "left_semi"), "SELECT * FROM e a LEFT SEMI JOIN t b ON a.k = b.k"},
		{"anti join", e().As("a").Join(table("t").As("b"), expr("a.k = b.k"), "left_anti"), "SELECT * FROM e a LEFT ANTI JOIN t b ON a.k = b.k"},
		{"cross join", e().As("a").Join(table("t").As("b"), flightd.Column{}, "cross").Select(col("a.k")), "SELECT a.k FROM e a CROSS JOIN t b"},
		{"using", e().JoinUsing(table("t"), []string{"k"}, "inner"), "SELECT * FROM e JOIN t USING (k)"},
		{"using left", e().JoinUsing(table("t"), []string{"k", "v"}, "left"), "SELECT * FROM e LEFT JOIN t USING (k, v)"},
		{"union", e().Union(table("f")), "TABLE e UNION ALL TABLE f"},
		{"unionByName", e().Select(col("k"), col("v")).UnionByName(table("f").Select(col("v"), col("k")), false),
			"SELECT k, v FROM (SELECT k, v FROM e) UNION ALL SELECT k, v FROM (SELECT v, k FROM f)"},
		{"watermark", marked(), "SELECT * FROM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS"},
		{"watermark minutes", e().WithWatermark("ts", "2 minutes 5 seconds"), "SELECT * FROM e WATERMARK ts DELAY OF INTERVAL 2 MINUTES 5 SECONDS"},
		{"dropDuplicates", e().DropDuplicates("k", "v"), "SELECT * FROM e DEDUPLICATE ON (k, v)"},
		{"dropDuplicates with time", marked().DropDuplicates("k", "ts"), "SELECT * FROM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS DEDUPLICATE ON (k, ts)"},
		{"dropDuplicatesWithinWatermark", marked().DropDuplicatesWithinWatermark("k"),
			"SELECT * FROM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS DEDUPLICATE WITHIN WATERMARK ON (k)"},
		{"distinct", e().Select(col("k")).Distinct(), "SELECT DISTINCT k FROM e"},
		{"window", marked().GroupBy(flightd.Window(col("ts"), "5 seconds")).Agg(flightd.Count(col("*")).As("n")),
			"SELECT window(ts, '5 seconds'), count(*) AS n FROM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS GROUP BY window(ts, '5 seconds')"},
		{"sliding window", marked().GroupBy(flightd.Window(col("ts"), "10 seconds", "5 seconds", "1 second"), col("k")).Count(),
			"SELECT window(ts, '10 seconds', '5 seconds', '1 second'), k, count(1) AS count FROM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS " +
				"GROUP BY window(ts, '10 seconds', '5 seconds', '1 second'), k"},
		{"orderBy", table("t").OrderBy(col("k"), col("v").Desc(), col("x").Asc()), "TABLE t ORDER BY k, v DESC, x ASC"},
		{"limit", table("t").Limit(7), "TABLE t LIMIT 7"},
		{"order and limit", table("t").OrderBy(col("v").Desc()).Limit(2), "TABLE t ORDER BY v DESC LIMIT 2"},
		{"withColumn", e().WithColumn("w", col("v").Plus(lit(1))), "SELECT *, v + 1 AS w FROM e"},
		{"withColumn replaces", e().WithColumn("V", col("v").Plus(lit(1))), "SELECT ts, k, v + 1 AS V, x FROM e"},
		{"sql continued", s.SQL("SELECT k, v FROM e").Where("v > 1"), "SELECT * FROM (SELECT k, v FROM e) WHERE v > 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.HasPrefix(c.sql, "SELECT * ") {
				c.d = c.d.Select(col("*")) // what SELECT * means
			}
			got, err := c.d.Explain()
			if err != nil {
				t.Fatal(err)
			}
			want, err := s.SQL(c.sql).Explain()
			if err != nil {
				t.Fatalf("%s: %v", c.sql, err)
			}
			if a, b := plain(got), plain(want); a != b {
				t.Errorf("the step makes\n%s\n%s makes\n%s", a, c.sql, b)
			}
		})
	}
}

// columnIDs are the numbers that tell columns of a plan apart.
var columnIDs = regexp.MustCompile(`#\d+`)

// plain numbers the columns of a plan in the order in which they come.
func plain(plan string) string {
	ids := map[string]string{}
	return columnIDs.ReplaceAllStringFunc(plan, func(id string) string {
		if ids[id] == "" {
			ids[id] = "#" + string(rune('a'+len(ids)%26)) + strings.Repeat("'", len(ids)/26)
		}
		return ids[id]
	})
}

// TestUnionByNameWithMissing has no SQL spelling: the columns that one side lacks
// are NULL.
func TestUnionByNameWithMissing(t *testing.T) {
	s := frames(t)
	d := s.Table("t").SelectExpr("k", "v").UnionByName(s.Table("u").SelectExpr("x", "k"), true)
	names, err := d.Columns()
	if err != nil || strings.Join(names, " ") != "k v x" {
		t.Errorf("the columns are %v, %v", names, err)
	}
	if _, err := s.Table("t").SelectExpr("k", "v").UnionByName(s.Table("u").SelectExpr("x", "k"), false).Columns(); err == nil {
		t.Error("a missing column is no error")
	}
}

// TestErrorsSurface: a mistake is reported by the first call that analyses or runs,
// and not lost by steps after it.
func TestErrorsSurface(t *testing.T) {
	ctx := context.Background()
	s := frames(t)
	col := flightd.Col
	for _, c := range []struct {
		name, condition, part string
		d                     *flightd.DataFrame
	}{
		{"unknown column", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "`kk`", s.Table("e").Select(col("kk"))},
		{"malformed expression", "PARSE_SYNTAX_ERROR", "", s.Table("e").SelectExpr("k +* 2").Where("v > 1").Limit(3)},
		{"malformed condition", "PARSE_SYNTAX_ERROR", "", s.Table("e").Where("v >").GroupBy(col("k")).Count()},
		{"malformed key", "PARSE_SYNTAX_ERROR", "", s.Table("e").GroupBy(flightd.Expr("(k")).Count().OrderBy(col("k"))},
		{"malformed type", "PARSE_SYNTAX_ERROR", "", s.Table("e").Select(col("k").Cast("INT(")).Distinct()},
		{"unknown type", "UNSUPPORTED_DATATYPE", "NUMBER", s.Table("e").Select(col("k").Cast("NUMBER"))},
		{"no such table", "TABLE_OR_VIEW_NOT_FOUND", "nowhere", s.Table("nowhere").Limit(1)},
		{"join kind", "", "sideways", s.Table("e").Join(s.Table("t"), flightd.Expr("true"), "sideways").Limit(1)},
		{"other side of a join", "PARSE_SYNTAX_ERROR", "", s.Table("e").JoinUsing(s.Table("t").Where("("), []string{"k"}, "inner")},
		{"other side of a union", "PARSE_SYNTAX_ERROR", "", s.Table("e").Union(s.Table("f").Where("("))},
		{"literal", "", "chan int", s.Table("e").Select(flightd.Lit(make(chan int)))},
		{"not a query", "", "Execute", s.SQL("DROP TABLE t")},
		{"delay", "CANNOT_PARSE_INTERVAL", "soon", s.Table("e").WithWatermark("ts", "soon")},
		{"watermark column", "EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE", "", s.Table("e").WithWatermark("k", "1 second")},
		{"schema", "PARSE_SYNTAX_ERROR", "", s.Read().Schema("k STRING,").JSON("/nowhere")},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, schema := c.d.Schema()
			_, columns := c.d.Columns()
			_, explain := c.d.Explain()
			_, collect := c.d.Collect(ctx)
			_, start := c.d.WriteStream().Format("ledger").QueryName("q").Start(ctx)
			for call, err := range map[string]error{"Schema": schema, "Columns": columns, "Explain": explain, "Collect": collect, "Start": start,
				"CreateOrReplaceTempView": c.d.CreateOrReplaceTempView("v")} {
				if err == nil {
					t.Errorf("%s has no error", call)
					continue
				}
				if e := base.AsError(err); e.Condition != c.condition || !strings.Contains(err.Error()+e.Hint, c.part) || e.Code != base.CodeInvalid && e.Code != base.CodeNotFound {
					t.Errorf("%s: %v %v, want %s with %q", call, e.Code, err, c.condition, c.part)
				}
			}
			if s.Engine().Query("q") != nil {
				t.Error("a query that could not start is known")
			}
		})
	}
}

// TestFrameOfAStream: a stream is no batch, and a batch no stream.
func TestFrameOfAStream(t *testing.T) {
	ctx := context.Background()
	s := frames(t)
	if ok, err := s.Table("e").IsStreaming(); !ok || err != nil {
		t.Errorf("e streams: %v, %v", ok, err)
	}
	if ok, err := s.Table("t").IsStreaming(); ok || err != nil {
		t.Errorf("t streams: %v, %v", ok, err)
	}
	if ok, err := s.Table("t").JoinUsing(s.Table("e"), []string{"k"}, "right").IsStreaming(); !ok || err != nil {
		t.Errorf("their join streams: %v, %v", ok, err)
	}
	_, err := s.Table("t").WriteStream().Format("ledger").QueryName("q").Start(ctx)
	wantError(t, err, "WRITE_STREAM_NOT_ALLOWED", "42601")
	if _, err := s.Table("e").WriteStream().Format("ledger").OutputMode("upsert").QueryName("q").Start(ctx); err == nil {
		t.Error("an output mode upsert is no error")
	}
	_, err = s.Table("e").WriteStream().Format("ledgers").QueryName("q").Start(ctx)
	wantError(t, err, "DATA_SOURCE_NOT_FOUND", "42K02", "did you mean ledger?")
	if _, err := s.Table("e").WriteStream().Format("ledger").Start(ctx); err == nil || !strings.Contains(base.AsError(err).Display(), "checkpointLocation") {
		t.Errorf("a query without name and checkpoint: %v", err)
	}
}
