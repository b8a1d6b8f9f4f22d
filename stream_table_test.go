package flightd_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

func openAt(t *testing.T, dir string) *flightd.Engine {
	t.Helper()
	e, err := flightd.Open(context.Background(), flightd.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func script(t *testing.T, s *flightd.Session, text string) {
	t.Helper()
	if err := s.ExecuteScript(context.Background(), text, func(_ string, _ *flightd.Result, err error) error { return err }); err != nil {
		t.Fatal(err)
	}
}

func TestStreamTable(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	e := openAt(t, dir)
	s := e.NewSession()
	script(t, s, `CREATE TABLE t (k STRING NOT NULL, v BIGINT) USING flight OPTIONS ('retention' = '7 days', 'segmentBytes' = '2000');
		INSERT INTO t VALUES ('a', 1), ('b', 2);
		CREATE STREAMING QUERY sums OUTPUT MODE complete INTO memory AS SELECT k, sum(v) AS v FROM STREAM t GROUP BY k;
		CREATE TABLE copies (k STRING, v BIGINT) USING flight;
		CREATE STREAMING QUERY copy INTO TABLE copies AS SELECT upper(k) AS k, v FROM STREAM t;
		INSERT INTO t SELECT 'a', id FROM range(100);
		CREATE TABLE made USING flight AS SELECT k, v + 1 AS v FROM t WHERE k = 'b'`)
	rows := func(s *flightd.Session, text, want string) {
		t.Helper()
		if got := strings.Join(results(t, s, text), " "); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	for range 2 {
		for _, q := range e.Queries() {
			if err := settle(q); err != nil {
				t.Fatal(err)
			}
		}
		rows(s, "SELECT k, count(*), sum(v) FROM t GROUP BY k ORDER BY k", "a|101|4951 b|1|2")
		rows(s, "SELECT k, count(*), sum(v) FROM copies GROUP BY k ORDER BY k", "A|101|4951 B|1|2")
		rows(s, "SELECT * FROM made", "b|3")
		rows(s, "SHOW PRODUCERS t", "")
		if got := results(t, s, "SHOW PRODUCERS copies"); len(got) != 1 || !strings.HasPrefix(got[0], "query:") {
			t.Errorf("producers %v", got)
		}
		p := e.Query("copy").LastProgress()
		if p != nil && (p.Sources[0].Metrics["rowsBehindLatest"] != "0" || p.Sources[0].Description != "FlightTable[t]" || p.Sink.Description != "FlightTable[copies]") {
			t.Errorf("progress %+v", p)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		e = openAt(t, dir)
		s = e.NewSession()
	}
	script(t, s, "INSERT INTO t VALUES ('b', 5)")
	for _, q := range e.Queries() {
		if err := settle(q); err != nil {
			t.Fatal(err)
		}
	}
	rows(s, "SELECT * FROM sums ORDER BY k", "a|4951 b|7")
	rows(s, "SELECT count(*) FROM copies", "103")
	for text, want := range map[string]string{
		"INSERT INTO t VALUES (NULL, 1)":                                     "NOT_NULL_ASSERT_VIOLATION",
		"INSERT INTO t VALUES ('a', 'x')":                                    "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST",
		"INSERT OVERWRITE t VALUES ('a', 1)":                                 "STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE",
		"SHOW PRODUCERS sums":                                                "NOT_A_STREAM_TABLE",
		"SHOW PRODUCERS nobody":                                              "TABLE_OR_VIEW_NOT_FOUND",
		"CREATE TABLE u USING flight":                                        "",
		"CREATE TABLE t (a INT) USING flight":                                "TABLE_OR_VIEW_ALREADY_EXISTS",
		"CREATE TABLE u (a INT) USING flight OPTIONS ('retention' = 'long')": "",
		"CREATE TABLE u (a INT) USING flight OPTIONS ('path' = '/tmp')":      "",
		"CREATE TABLE u (a INT) USING flight PARTITIONED BY (a)":             "UNSUPPORTED_FEATURE",
	} {
		_, err := s.Execute(ctx, text)
		if err == nil || base.AsError(err).Condition != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	script(t, s, "CREATE OR REPLACE TABLE made (x INT) USING flight; INSERT INTO made VALUES (7)")
	rows(s, "SELECT * FROM made", "7")
	script(t, s, "DROP TABLE t; CREATE TABLE t (k STRING, v BIGINT) USING flight; INSERT INTO t VALUES ('z', 1)")
	rows(s, "SELECT * FROM t", "z|1")
	if err := e.Query("copy").AwaitTermination(ctx); base.CodeOf(err) != base.CodeNotFound {
		t.Errorf("the query over a dropped table: %v", err)
	}
}

func TestStreamTableNeedsADataFolder(t *testing.T) {
	e, err := flightd.Open(context.Background(), flightd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	_, err = e.NewSession().Execute(context.Background(), "CREATE TABLE t (a INT) USING flight")
	if err == nil || !strings.Contains(err.Error(), "no data folder") {
		t.Errorf("got %v", err)
	}
}

// results returns the rows of a statement as texts.
func results(t *testing.T, s *flightd.Session, text string) []string {
	t.Helper()
	r, err := s.Execute(context.Background(), text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer r.Close()
	var out []string
	for {
		rec, err := r.Next(context.Background())
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		out = append(out, rowTexts(rec)...)
		rec.Release()
	}
}

// A failure before any durable step, of an epoch or of a table's log, loses nothing
// and repeats nothing: of what is inserted, of what the query reads, of what it writes.
func TestStreamTableAcrossFailures(t *testing.T) {
	ctx := context.Background()
	want := 0
	failures := 0
	for k := 1; k <= 120; k += 1 + k/40 {
		dir := t.TempDir()
		var steps, failed atomic.Int64
		open := func() *flightd.Engine {
			e, err := flightd.Open(ctx, flightd.Options{DataDir: dir, BeforeStep: func(_, _ string, _ base.Epoch) error {
				if steps.Add(1) == int64(k) {
					failed.Add(1)
					return errPlanned
				}
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		e := open()
		must := func(text string) {
			t.Helper()
			for {
				_, err := e.NewSession().Execute(ctx, text)
				if err == nil {
					return
				}
				if !strings.Contains(err.Error(), errPlanned.Error()) {
					t.Fatal(err)
				}
			}
		}
		must("CREATE TABLE t (n BIGINT) USING flight OPTIONS ('segmentBytes' = '700', 'maxRowsPerTrigger' = '4')")
		must("CREATE TABLE IF NOT EXISTS copies (n BIGINT) USING flight OPTIONS ('segmentBytes' = '700')")
		must("CREATE STREAMING QUERY IF NOT EXISTS copy INTO TABLE copies AS SELECT n FROM STREAM t WHERE n % 3 > 0")
		for i := range 5 {
			must(fmt.Sprintf("INSERT INTO t SELECT id FROM range(%d, %d)", 6*i, 6*i+6))
		}
		for tries := 0; ; tries++ {
			if err := settle(e.Query("copy")); err == nil {
				break
			} else if !strings.Contains(err.Error(), errPlanned.Error()) || tries > 3 {
				t.Fatalf("step %d: %v", k, err)
			}
			e.Close()
			e = open()
		}
		s := e.NewSession()
		got := strings.Join(results(t, s, "SELECT count(*), count(DISTINCT n), sum(n) FROM t UNION ALL SELECT count(*), count(DISTINCT n), sum(n) FROM copies"), " ")
		if got != "30|30|435 20|20|300" {
			t.Errorf("failed before step %d: %s", k, got)
		}
		want++
		failures += int(failed.Load())
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	}
	t.Logf("%d of %d runs failed on the way", failures, want)
}
