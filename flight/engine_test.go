package flight

import (
	"context"
	"database/sql"
	"net"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	_ "github.com/apache/arrow-go/v18/arrow/flight/flightsql/driver"
	"google.golang.org/grpc/codes"

	"github.com/flightd/flightd"
)

// startEngine serves a real engine.
func startEngine(t *testing.T) string {
	t.Helper()
	eng, err := flightd.Open(bg, flightd.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Engine(eng), Options{Version: flightd.Version})
	go s.Serve(l)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		s.Stop(ctx)
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func TestEngine(t *testing.T) {
	c := dial(t, startEngine(t))
	if n, err := c.ExecuteUpdate(bg, "CREATE TABLE t AS SELECT 1 AS n, 'a' AS s"); err != nil || n != 1 {
		t.Fatalf("got %d, %v", n, err)
	}
	p, err := c.Prepare(bg, "INSERT INTO t VALUES (?, 'p')")
	if err != nil {
		t.Fatal(err)
	}
	p.SetParameters(numbers(2, 3))
	if n, err := p.ExecuteUpdate(bg); err != nil || n != 2 {
		t.Fatalf("got %d, %v", n, err)
	}
	recs, err := collect(t, c, mustInfo(t, c, "SELECT sum(n) AS total FROM t"))
	if err != nil || recs[0].Column(0).(*array.Int64).Value(0) != 6 {
		t.Fatalf("got %v, %v", recs, err)
	}
	if n, err := c.ExecuteIngest(bg, reader(t, numbers(10, 20)), ingestOptions("i", true, flightsql.TableDefinitionOptionsTableExistsOptionFail)); err != nil || n != 2 {
		t.Fatalf("got %d, %v", n, err)
	}
	_, err = c.ExecuteIngest(bg, reader(t, numbers(10, 20)), ingestOptions("i", true, flightsql.TableDefinitionOptionsTableExistsOptionFail))
	wantCode(t, err, codes.AlreadyExists, "i")
	_, err = c.Execute(bg, "SELECT m FROM t")
	wantCode(t, err, codes.InvalidArgument, "[UNRESOLVED_COLUMN.WITH_SUGGESTION]")
	_, err = c.Execute(bg, "SELECT 1 FROM nowhere")
	wantCode(t, err, codes.NotFound, "[TABLE_OR_VIEW_NOT_FOUND]")
}

// Go's database/sql reaches the engine by arrow-go's driver.
func TestDatabaseSQL(t *testing.T) {
	db, err := sql.Open("flightsql", "flightsql://"+startEngine(t)+"?timeout=30s")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE t (n BIGINT, s STRING)"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO t VALUES (?, ?)", int64(7), "seven"); err != nil {
		t.Fatal(err)
	}
	var n int64
	var s string
	for _, where := range []string{"n > ?", "? < n", "n BETWEEN ? AND 7", "n - 6 IN (?, 0)", "CAST(n AS INT) - 6 = ?", "n = 6 + ?", "coalesce(?, n) = 1 LIMIT 1"} {
		if err := db.QueryRow("SELECT n, s FROM t WHERE "+where, int64(1)).Scan(&n, &s); err != nil || n != 7 || s != "seven" {
			t.Fatalf("%s: got %d, %q, %v", where, n, s, err)
		}
	}
	p, err := db.Prepare("SELECT count(*) FROM t WHERE s LIKE ? AND n >= ?")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for i, want := range []int64{1, 1, 0} {
		if err := p.QueryRow("sev%", int64(6+i)).Scan(&n); err != nil || n != want {
			t.Fatalf("from %d: got %d, %v", 6+i, n, err)
		}
	}
	rows, err := db.Query("SELECT n FROM t WHERE n < 0")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if rows.Next() {
		t.Fatal("there is a row")
	}
}

// F1: SET has rows, which a client need not read, and holds nonetheless.
func TestSetHoldsUnread(t *testing.T) {
	x := startStreaming(t, Options{})
	c := dial(t, x.addr)
	for _, zone := range []string{"Europe/Berlin", "Asia/Tokyo"} {
		if _, err := c.Execute(bg, "SET spark.sql.session.timeZone = "+zone); err != nil {
			t.Fatal(err)
		}
		info, err := c.Execute(bg, "SET spark.sql.session.timeZone")
		if err != nil {
			t.Fatal(err)
		}
		recs, err := collect(t, c, info)
		if err != nil || rowsOf(recs) != 1 || recs[0].Column(1).ValueStr(0) != zone {
			t.Fatalf("%s: %v, %v", zone, recs, err)
		}
	}
}
