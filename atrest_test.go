package flightd_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

// The state of a query that was stopped before the engine opened is read from its
// checkpoint, by its statement: with the views and settings of the session that made it.
func TestStateOfQueryStoppedBefore(t *testing.T) {
	dir := t.TempDir()
	eng, s := openLive(t, flightd.Options{DataDir: dir})
	execute(t, s, "CREATE TEMPORARY VIEW tens AS SELECT value % 10 AS k FROM STREAM r")
	execute(t, s, "CREATE TABLE out (k BIGINT, n BIGINT)")
	execute(t, s, "CREATE STREAMING QUERY q OUTPUT MODE complete INTO TABLE out AS SELECT k, count(*) AS n FROM tens GROUP BY k")
	execute(t, s, "CREATE STREAMING QUERY m OUTPUT MODE update INTO memory AS SELECT k, count(*) AS n FROM tens GROUP BY k")
	execute(t, s, "CREATE STREAMING QUERY plain INTO feed AS SELECT k FROM tens")
	q := eng.Query("q")
	waitFor(t, "some epochs", func() bool { return epochOf(q) >= 5 })
	for _, name := range []string{"q", "m", "plain"} {
		execute(t, s, "STOP QUERY "+name)
	}
	last := epochOf(q)
	want := fmt.Sprintf("%d %d", 1000*(last+1), last)
	if err := eng.Close(); err != nil {
		t.Fatal(err)
	}
	eng, s = openLive(t, flightd.Options{DataDir: dir})
	read := func(text, want string) {
		t.Helper()
		for range 2 {
			if got, err := firstRow(t.Context(), s, text); err != nil || got != want {
				t.Errorf("%s: got %s, %v; want %s", text, got, err, want)
			}
		}
	}
	read("SELECT sum(n), max(_epoch) FROM state.q.aggregate", want)
	read("SELECT n FROM state.q.aggregate WHERE k = 3", fmt.Sprint(100*(last+1)))
	read("SELECT a.n = b.n FROM state.q.aggregate a JOIN out b ON a.k = b.k WHERE a.k = 7", "true")
	if got := results(t, s, "SHOW TABLES IN state.q"); len(got) != 1 || !strings.Contains(got[0], "aggregate") {
		t.Errorf("tables %v", got)
	}
	refused := func(text, condition, hint string) {
		t.Helper()
		_, err := firstRow(t.Context(), s, text)
		if e := base.AsError(err); err == nil || e.Condition != condition || !strings.Contains(e.Hint, hint) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	refused("SELECT * FROM state.q.aggregates", "TABLE_OR_VIEW_NOT_FOUND", "did you mean state.q.aggregate?")
	refused("SELECT * FROM state.m.aggregate", "STATE_QUERY_NOT_RUNNING", "CREATE STREAMING QUERY")
	refused("SELECT * FROM state.plain.aggregate", "TABLE_OR_VIEW_NOT_FOUND", "aggregations")
	refused("SELECT * FROM q", "LIVE_QUERY_NOT_RUNNING", "CREATE STREAMING QUERY")
	// Started again, it is the running query's.
	execute(t, s, "CREATE TEMPORARY VIEW tens AS SELECT value % 10 AS k FROM STREAM r")
	execute(t, s, "CREATE STREAMING QUERY q OUTPUT MODE complete INTO TABLE out AS SELECT k, count(*) AS n FROM tens GROUP BY k")
	waitFor(t, "further epochs", func() bool { return epochOf(eng.Query("q")) > last+2 })
	read("SELECT sum(n) = 1000 * (max(_epoch) + 1), max(_epoch) > "+fmt.Sprint(last)+" FROM state.q.aggregate", "true true")
	// What it reads is gone: the error says why.
	execute(t, s, "STOP QUERY q")
	if err := eng.Close(); err != nil {
		t.Fatal(err)
	}
	_, s = openLive(t, flightd.Options{DataDir: dir})
	execute(t, s, "DROP TABLE r")
	refused("SELECT * FROM state.q.aggregate", "TABLE_OR_VIEW_NOT_FOUND", "")
}

// Members that are NOT NULL are held in a stream table, however the rows come; the error
// names the path and the row.
func TestNestedNotNull(t *testing.T) {
	_, s := openLive(t, flightd.Options{})
	execute(t, s, "CREATE TABLE t (id INT, s STRUCT<a: INT NOT NULL, b: STRUCT<c: STRING NOT NULL>>, xs ARRAY<STRUCT<d: INT NOT NULL>>, m MAP<STRING, STRUCT<e: INT NOT NULL>>) USING flight")
	good := "INSERT INTO t VALUES (1, named_struct('a', 1, 'b', named_struct('c', 'x')), array(named_struct('d', 1)), map('k', named_struct('e', 1))), " +
		"(2, NULL, NULL, NULL), (3, named_struct('a', 1, 'b', NULL), array(), map()), (4, NULL, array(NULL), map('k', NULL))"
	execute(t, s, good)
	for value, path := range map[string]string{
		"named_struct('a', CAST(NULL AS INT), 'b', NULL), NULL, NULL":                           "s.a",
		"named_struct('a', 1, 'b', named_struct('c', CAST(NULL AS STRING))), NULL, NULL":        "s.b.c",
		"NULL, array(named_struct('d', 7), named_struct('d', CAST(NULL AS INT))), NULL":         "xs.element.d",
		"NULL, NULL, map('a', named_struct('e', 7), 'b', named_struct('e', CAST(NULL AS INT)))": "m.value.e",
	} {
		_, err := s.Execute(t.Context(), "INSERT INTO t VALUES (9, NULL, NULL, NULL), (8, "+value+")")
		if e := base.AsError(err); err == nil || e.Condition != "NOT_NULL_ASSERT_VIOLATION" || !strings.Contains(err.Error(), "`"+path+"`") && !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v", path, err)
		}
	}
	// As a producer sends them: the types have no NOT NULL.
	inner := arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, arrow.Field{Name: "b", Type: arrow.StructOf(arrow.Field{Name: "c", Type: arrow.BinaryTypes.String, Nullable: true}), Nullable: true})
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "s", Type: inner, Nullable: true}}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(`[{"id": 5, "s": null}, {"id": 6, "s": {"a": 1, "b": {"c": "x"}}}, {"id": 7, "s": {"a": null, "b": null}}]`))
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	a, err := s.Appender(t.Context(), "t", schema)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Append(t.Context(), flightd.Appended{Rows: rec, Seq: flightd.NoSeq})
	if e := base.AsError(err); err == nil || e.Condition != "NOT_NULL_ASSERT_VIOLATION" || !strings.Contains(err.Error(), "s.a") || !strings.Contains(err.Error(), "Row 2") {
		t.Errorf("got %v", err)
	}
	some := rec.NewSlice(0, 2)
	defer some.Release()
	r, err := a.Append(t.Context(), flightd.Appended{Rows: some, Seq: flightd.NoSeq})
	if err == nil {
		_, err = r.Await(t.Context())
	}
	if err != nil {
		t.Error(err)
	}
	if got := results(t, s, "SELECT sort_array(collect_list(id)) AS ids FROM t"); !slices.Equal(got, []string{"[1, 2, 3, 4, 5, 6]"}) {
		t.Errorf("the table has %v", got)
	}
}

// LATE ROWS INTO a stream table: each once, also over a restart.
func TestLateRowsIntoStreamTable(t *testing.T) {
	dir := t.TempDir()
	eng, s := openLive(t, flightd.Options{DataDir: dir})
	execute(t, s, "CREATE TABLE t (ts TIMESTAMP, k STRING) USING flight")
	execute(t, s, "CREATE TABLE late (query STRING, epoch BIGINT, operator INT, operator_name STRING, watermark TIMESTAMP, event_time TIMESTAMP, late_by_ms BIGINT, windows ARRAY<STRUCT<start: TIMESTAMP, end: TIMESTAMP>>, row STRING) USING flight")
	execute(t, s, "CREATE STREAMING QUERY q OUTPUT MODE append LATE ROWS INTO late INTO feed AS "+lateSelect)
	settled := func() {
		t.Helper()
		if err := settle(eng.Query("q")); err != nil {
			t.Fatal(err)
		}
	}
	execute(t, s, "INSERT INTO t VALUES (TIMESTAMP '2024-01-01 12:00:00', 'a')")
	settled()
	execute(t, s, "INSERT INTO t VALUES (TIMESTAMP '2024-01-01 13:00:00', 'b')")
	settled()
	execute(t, s, "INSERT INTO t VALUES (TIMESTAMP '2024-01-01 11:00:00', 'old'), (TIMESTAMP '2024-01-01 13:00:01', 'c')")
	settled()
	count := func(want string) {
		t.Helper()
		if got, err := firstRow(t.Context(), s, "SELECT count(*), max(query) FROM late"); err != nil || got != want {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}
	count("1 q")
	if err := eng.Close(); err != nil {
		t.Fatal(err)
	}
	eng, s = openLive(t, flightd.Options{DataDir: dir})
	execute(t, s, "INSERT INTO t VALUES (TIMESTAMP '2024-01-01 10:00:00', 'older')")
	settled()
	count("2 q")
}

const lateSelect = "SELECT window.start AS start, count(*) AS n FROM STREAM t WATERMARK ts DELAY OF INTERVAL 1 MINUTE GROUP BY window(ts, '1 minute')"

// tmpfs is a folder on a disk of so many bytes.
func tmpfs(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("a file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A full disk: what was acknowledged is there and nothing else is seen, the error says
// what to do, and when there is room again producer and query go on where they were.
func TestDiskFull(t *testing.T) {
	dir := tmpfs(t, 6<<20)
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	const each = 1000
	data := filepath.Join(dir, "data")
	eng, err := flightd.Open(t.Context(), flightd.Options{DataDir: data})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { eng.Close() }()
	s := eng.NewSession()
	execute(t, s, "CREATE TABLE t (k BIGINT, v BIGINT) USING flight OPTIONS ('maxRowsPerTrigger' = '1000')")
	execute(t, s, "CREATE STREAMING QUERY q OUTPUT MODE update TRIGGER PROCESSING TIME '200 milliseconds' INTO feed AS SELECT k % 100 AS g, count(*) AS n FROM STREAM t GROUP BY k % 100")
	schema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "v", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	var seq int64 // the next number
	send := func() error {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		defer b.Release()
		for i := range int64(each) {
			b.Field(0).(*array.Int64Builder).Append(seq*each + i)
			b.Field(1).(*array.Int64Builder).Append(i * 0x5deece66d)
		}
		rec := b.NewRecordBatch()
		defer rec.Release()
		a, err := s.Appender(t.Context(), "t", schema)
		if err != nil {
			return err
		}
		r, err := a.Append(t.Context(), flightd.Appended{Rows: rec, Producer: "p", Seq: seq})
		if err == nil {
			_, err = r.Await(t.Context())
		}
		if err == nil {
			seq++
		}
		return err
	}
	there := func(when string) {
		t.Helper()
		want := fmt.Sprintf("%d %d", seq*each, max(seq*each-1, 0))
		if got, err := firstRow(t.Context(), s, "SELECT count(*), max(k) FROM t"); err != nil || got != want {
			t.Errorf("%s: the table has %s, %v; acknowledged is %s", when, got, err, want)
		}
		if n, _, err := s.Producer("t", "p"); err != nil || n != seq-1 {
			t.Errorf("%s: the last number is %d, %v; acknowledged is %d", when, n, err, seq-1)
		}
	}
	fill := func(when string) {
		t.Helper()
		var failed error
		for range 2000 {
			if failed = send(); failed != nil {
				break
			}
		}
		if e := base.AsError(failed); failed == nil || e.Condition != "DISK_FULL" || e.SQLState != "53100" || !strings.Contains(e.Hint, "make room") || e.Code != base.CodeExhausted {
			t.Fatalf("%s: got %v", when, failed)
		}
		for range 3 { // it stays so, and nothing comes of it
			if err := send(); base.AsError(err).Condition != "DISK_FULL" {
				t.Errorf("%s, again: %v", when, err)
			}
		}
		there(when)
	}
	for range 40 { // the query takes one at a time
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	// The query meets a disk without a byte left: it ends, and says so.
	last, err := os.Create(filepath.Join(dir, "last"))
	if err != nil {
		t.Fatal(err)
	}
	for _, err = last.Write(make([]byte, 4096)); err == nil; {
		_, err = last.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	waitFor(t, "the query's end", func() bool { return !eng.Query("q").IsActive() })
	if err := eng.Query("q").Exception(); base.CodeOf(err) != base.CodeExhausted || base.AsError(err).SQLState != "53100" || !strings.Contains(base.AsError(err).Hint, "goes on at its checkpoint") {
		t.Errorf("the query ended with %v", err)
	}
	there("without a byte left")
	if err := errors.Join(last.Close(), os.Remove(last.Name())); err != nil {
		t.Fatal(err)
	}
	fill("full")
	_, err = s.Execute(t.Context(), "INSERT INTO t SELECT id, id FROM range(200000)")
	if e := base.AsError(err); e.SQLState != "53100" {
		t.Errorf("INSERT: got %v", err)
	}
	there("after INSERT")
	if err := os.Truncate(filler, 2<<20); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := send(); err != nil {
			t.Fatalf("with room again: %v", err)
		}
	}
	there("with room again")
	fill("full again")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := eng.Close(); err != nil {
		t.Fatal(err)
	}
	if eng, err = flightd.Open(t.Context(), flightd.Options{DataDir: data}); err != nil {
		t.Fatal(err)
	}
	s = eng.NewSession()
	there("after a restart")
	if err := send(); err != nil {
		t.Fatal(err)
	}
	execute(t, s, "STOP QUERY q") // which goes on at its checkpoint, now without waiting between epochs
	execute(t, s, "CREATE STREAMING QUERY q OUTPUT MODE update INTO feed AS SELECT k % 100 AS g, count(*) AS n FROM STREAM t GROUP BY k % 100")
	if err := settle(eng.Query("q")); err != nil {
		t.Fatal(err)
	}
	if got, err := firstRow(t.Context(), s, "SELECT sum(n) FROM q"); err != nil || got != fmt.Sprint(seq*each) {
		t.Errorf("the query has %s, %v of %d", got, err, seq*each)
	}
}
