package flightd_test

import (
	"context"
	"testing"
	"time"

	"github.com/flightd/flightd"
)

// TestSubscribe follows a query into feed, also after the engine was opened
// again: every epoch comes once, in order, from the one that was asked for.
func TestSubscribe(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	dir := t.TempDir()
	open := func(script string) (*flightd.Engine, *flightd.StreamingQuery) {
		t.Helper()
		eng, err := flightd.Open(ctx, flightd.Options{DataDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		err = eng.NewSession().ExecuteScript(ctx, script, func(_ string, _ *flightd.Result, err error) error { return err })
		if err != nil {
			t.Fatal(err)
		}
		q := eng.Query("live")
		if err := q.ProcessAllAvailable(ctx); err != nil {
			t.Fatal(err)
		}
		return eng, q
	}
	read := func(q *flightd.StreamingQuery, from int64, want ...int64) {
		t.Helper()
		sub, err := q.Subscribe(from)
		if err != nil {
			t.Fatal(err)
		}
		for i, rows := range want {
			e, err := sub.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var n int64
			for _, rec := range e.Rows {
				n += rec.NumRows()
			}
			if int64(e.Number) != from+int64(i) || n != rows {
				t.Errorf("epoch %d with %d rows, want %d with %d", e.Number, n, from+int64(i), rows)
			}
			e.Release()
		}
	}
	eng, q := open("CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2); CREATE STREAMING QUERY live INTO feed AS SELECT a FROM STREAM t")
	read(q, 0, 2)
	if err := eng.Close(); err != nil {
		t.Fatal(err)
	}
	eng, q = open("INSERT INTO t VALUES (3)")
	defer eng.Close()
	read(q, 0, 2, 1)
	read(q, 1, 1)
}
