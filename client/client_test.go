package client_test

import (
	"bytes"
	"context"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/codes"

	"github.com/flightd/flightd/client"
)

// values reads a result as JSON rows.
func values(t *testing.T, c *client.Conn, statement string, args ...any) string {
	t.Helper()
	rows, err := c.SQL(bg, statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer rows.Release()
	var out bytes.Buffer
	for rows.Next() {
		if err := array.RecordToJSON(rows.RecordBatch(), &out); err != nil {
			t.Fatal(err)
		}
	}
	if rows.Err() != nil {
		t.Fatalf("%s: %v", statement, rows.Err())
	}
	return strings.TrimSpace(out.String())
}

func TestStatements(t *testing.T) {
	_, c := start(t)
	if n := run(t, c, "CREATE TABLE t AS SELECT * FROM VALUES (1, 'a'), (2, NULL) AS v(n, s)"); n != 2 {
		t.Errorf("%d rows", n)
	}
	if got := values(t, c, "SELECT * FROM t ORDER BY n"); got != `{"n":1,"s":"a"}`+"\n"+`{"n":2,"s":null}` {
		t.Errorf("got %s", got)
	}
	run(t, c, "CREATE TEMPORARY VIEW mine AS SELECT 7 AS seven") // the session stays over calls
	if got := values(t, c, "SELECT * FROM mine"); got != `{"seven":7}` {
		t.Errorf("got %s", got)
	}
	rows, err := c.SQL(bg, "SELECT id FROM range(100000)")
	if err != nil {
		t.Fatal(err)
	}
	table, err := rows.ReadAll()
	if err != nil || table.NumRows() != 100_000 {
		t.Fatal(table, err)
	}
	table.Release()
}

func TestParameters(t *testing.T) {
	_, c := start(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	for _, x := range []struct {
		value any
		want  string
	}{
		{true, "true"}, {int8(-1), "-1"}, {int16(2), "2"}, {int32(3), "3"}, {4, "4"}, {uint8(5), "5"}, {uint16(6), "6"}, {uint32(7), "7"},
		{uint64(1<<64 - 1), `"18446744073709551615"`}, {float32(1.5), "1.5"}, {2.5, "2.5"}, {"ü", `"ü"`}, {[]byte("a"), `"YQ=="`}, {nil, "null"},
		{at, `"2026-01-02T03:04:05.000006Z"`}, {time.Second, `"1000000us"`},
	} {
		if got := values(t, c, "SELECT ? AS v", x.value); got != `{"v":`+x.want+`}` {
			t.Errorf("%T: got %s", x.value, got)
		}
	}
	if got := values(t, c, "SELECT :b || :a AS v", client.Named("a", "x"), client.Named("b", "y")); got != `{"v":"yx"}` {
		t.Errorf("got %s", got)
	}
	run(t, c, "CREATE TABLE t (n BIGINT)")
	if n := run(t, c, "INSERT INTO t VALUES (?)", numbers(1, 2, 3)); n != 3 {
		t.Errorf("%d rows", n)
	}
	if _, err := c.SQL(bg, "SELECT ?", big.NewInt(1)); err == nil || !strings.Contains(err.Error(), "*big.Int") {
		t.Errorf("got %v", err)
	}
}

func numbers(vals ...int64) arrow.RecordBatch {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(vals, nil)
	col := b.NewArray()
	return array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil), []arrow.Array{col}, int64(len(vals)))
}

func TestErrors(t *testing.T) {
	_, c := start(t)
	for _, x := range []struct {
		statement string
		want      client.Error
	}{
		{"SELECT nam FROM (SELECT 1 AS name)", client.Error{Code: codes.InvalidArgument, Condition: "UNRESOLVED_COLUMN.WITH_SUGGESTION", SQLState: "42703", Line: 1, Col: 8}},
		{"SELECT * FROM nowhere", client.Error{Code: codes.NotFound, Condition: "TABLE_OR_VIEW_NOT_FOUND", SQLState: "42P01", Line: 1, Col: 15}},
		{"SELECT 1 / (id - 1) AS x FROM range(3)", client.Error{Code: codes.InvalidArgument, Condition: "DIVIDE_BY_ZERO", SQLState: "22012", Line: 1, Col: 8}},
		{"SELECT `100%25ü` FROM (SELECT 1 AS `100%25u`)", client.Error{Code: codes.InvalidArgument, Condition: "UNRESOLVED_COLUMN.WITH_SUGGESTION", SQLState: "42703", Line: 1, Col: 8}},
	} {
		rows, err := c.SQL(bg, x.statement)
		if err == nil {
			for rows.Next() {
			}
			err = rows.Err()
			rows.Release()
		}
		var got *client.Error
		if !errors.As(err, &got) {
			t.Errorf("%s: %v", x.statement, err)
			continue
		}
		if got.Code != x.want.Code || got.Condition != x.want.Condition || got.SQLState != x.want.SQLState || got.Line != x.want.Line || got.Col != x.want.Col {
			t.Errorf("%s: got %+v", x.statement, got)
		}
		if strings.Contains(x.statement, "%25") && !strings.Contains(got.Hint, "100%25u") {
			t.Errorf("the hint is %q", got.Hint)
		}
	}
}

func TestIngest(t *testing.T) {
	_, c := start(t)
	put := func(mode client.Mode, recs ...arrow.RecordBatch) (int64, error) {
		r, err := array.NewRecordReader(numbers().Schema(), recs)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Release()
		return c.Ingest(bg, "t", r, mode)
	}
	var e *client.Error
	if _, err := put(client.Append, numbers(1)); !errors.As(err, &e) || e.Code != codes.NotFound {
		t.Errorf("got %v", err)
	}
	if n, err := put(client.Create); n != 0 || err != nil { // no record batch at all
		t.Errorf("%d, %v", n, err)
	}
	if _, err := put(client.Create, numbers(1)); !errors.As(err, &e) || e.Code != codes.AlreadyExists {
		t.Errorf("got %v", err)
	}
	for _, mode := range []client.Mode{client.Append, client.CreateAppend} {
		if n, err := put(mode, numbers(1, 2), numbers(3)); n != 3 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if got := values(t, c, "SELECT count(*) AS c FROM t"); got != `{"c":6}` {
		t.Errorf("got %s", got)
	}
	if n, err := put(client.Replace, numbers(1)); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

// What is read in part, or cancelled, ends on the server.
func TestReleaseEnds(t *testing.T) {
	x, c := start(t)
	stream(t, x, c)
	for range 3 {
		rows, err := c.SQL(bg, "SUBSCRIBE TO SELECT n FROM STREAM numbers")
		if err != nil {
			t.Fatal(err)
		}
		rows.Next()
		rows.Release()
	}
	ctx, cancel := context.WithCancel(bg)
	rows, err := c.SQL(ctx, "SELECT count(*) FROM range(10000000) a CROSS JOIN range(10000000) b")
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, cancel)
	if rows.Next() || rows.Err() == nil {
		t.Error("the statement came to an end")
	}
	rows.Release()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		queries, err := c.Queries(bg)
		if err != nil || time.Now().After(deadline) {
			t.Fatal(queries, err)
		}
		if len(queries) == 1 {
			break
		}
	}
}

func TestQueries(t *testing.T) {
	x, c := start(t)
	stream(t, x, c)
	if err := x.add(5); err != nil {
		t.Fatal(err)
	}
	q, err := c.Query(bg, "live")
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		s, err := q.Status(bg)
		if err != nil || time.Now().After(deadline) {
			t.Fatal(s, err)
		}
		if s.Epoch >= 0 && s.Active && s.Name == "live" && s.OutputMode == "append" && len(s.Progress) > 0 && strings.Contains(s.Statement, "CREATE STREAMING") {
			break
		}
	}
	ctx, cancel := context.WithTimeout(bg, 100*time.Millisecond)
	defer cancel()
	if err := q.AwaitTermination(ctx); err == nil {
		t.Error("it ended")
	}
	run(t, c, "CREATE STREAMING QUERY broken INTO feed AS SELECT 1 / n AS x FROM STREAM numbers")
	broken, err := c.Query(bg, "broken")
	if err != nil {
		t.Fatal(err)
	}
	if err := broken.AwaitTermination(bg); err == nil || !strings.Contains(err.Error(), "DIVIDE_BY_ZERO") {
		t.Errorf("got %v", err)
	}
	if err := q.Stop(bg); err != nil {
		t.Fatal(err)
	}
	if err := q.AwaitTermination(bg); err != nil {
		t.Error(err)
	}
	if err := q.Drop(bg); err != nil {
		t.Fatal(err)
	}
	var e *client.Error
	if _, err := c.Query(bg, "live"); !errors.As(err, &e) || e.Code != codes.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestConnect(t *testing.T) {
	for _, uri := range []string{"http://h", "grpc://ann:pw@h:1", "grpc://h/x", "grpc://"} {
		if _, err := client.Connect(bg, uri, client.Options{}); err == nil {
			t.Errorf("%s: no error", uri)
		}
	}
	_, err := client.Connect(bg, "grpc://127.0.0.1:9", client.Options{})
	var e *client.Error
	if !errors.As(err, &e) || e.Code != codes.Unavailable {
		t.Errorf("got %v", err)
	}
}
