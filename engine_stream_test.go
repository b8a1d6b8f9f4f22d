package flightd_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

// TestQueriesResume: a query of CREATE STREAMING QUERY runs again when its folder
// is opened, with the views and settings of the session that made it, unless it
// was stopped; DROP QUERY forgets it with its checkpoint.
func TestQueriesResume(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	w.disk = vfs.Default
	exec := func(sql string) error {
		_, err := w.s.Execute(ctx, sql)
		return err
	}
	must := func(sql string) {
		t.Helper()
		if err := exec(sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	w.file("e", 0, `{"ts":"2026-01-01T00:00:00Z","k":"a","v":1,"x":1}`)
	w.open()
	must("CREATE TABLE events (" + eventsDDL + ") USING json OPTIONS ('path' = '" + w.dir("e") + "')")
	must("CREATE TEMPORARY VIEW big AS SELECT k, v FROM STREAM events WHERE v > 0")
	must("SET spark.sql.streaming.numRecentProgressUpdates = 7")
	must("CREATE STREAMING QUERY q INTO ledger AS SELECT k, v FROM big")
	if err := settle(w.eng.Query("q")); err != nil {
		t.Fatal(err)
	}
	id, run := w.eng.Query("q").ID(), w.eng.Query("q").RunID()

	w.open()
	q := w.eng.Query("q")
	if q == nil || !q.IsActive() {
		t.Fatalf("the query does not run after a restart: %+v", q)
	}
	if q.ID() != id || q.RunID() == run {
		t.Errorf("id %s and runId %s, before the restart %s and %s", q.ID(), q.RunID(), id, run)
	}
	w.file("e", 1, `{"ts":"2026-01-01T00:00:01Z","k":"b","v":2,"x":1}`, `{"ts":"2026-01-01T00:00:01Z","k":"c","v":-2,"x":1}`)
	if err := settle(q); err != nil {
		t.Fatal(err)
	}
	if rows, repeats := w.sink.rows(t); !slices.Equal(rows, []string{"a|1", "b|2"}) || repeats != 0 {
		t.Errorf("the rows are %v, %d epochs repeated", rows, repeats)
	}
	err := exec("CREATE STREAMING QUERY q INTO ledger AS SELECT k, v FROM STREAM events")
	if base.CodeOf(err) != base.CodeConflict {
		t.Errorf("a second query of the name: %v", err)
	}

	must("STOP QUERY q")
	w.file("e", 2, `{"ts":"2026-01-01T00:00:02Z","k":"d","v":3,"x":1}`)
	w.open()
	if q := w.eng.Query("q"); q != nil && q.IsActive() {
		t.Error("a stopped query runs after a restart")
	}
	must("CREATE TEMPORARY VIEW big AS SELECT k, v FROM STREAM events WHERE v > 0")
	must("CREATE STREAMING QUERY q INTO ledger AS SELECT k, v FROM big")
	if err := settle(w.eng.Query("q")); err != nil {
		t.Fatal(err)
	}
	if rows, _ := w.sink.rows(t); !slices.Equal(rows, []string{"a|1", "b|2", "d|3"}) {
		t.Errorf("started again, the query has the rows %v", rows)
	}

	dir := filepath.Join(w.home, "data", "checkpoints", "q")
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the checkpoint is not where it should be: %v", err)
	}
	must("DROP QUERY q")
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("DROP QUERY leaves the checkpoint: %v", err)
	}
	w.open()
	if w.eng.Query("q") != nil {
		t.Error("a dropped query is there after a restart")
	}
	wantError(t, exec("STOP QUERY q"), "STREAMING_QUERY_NOT_FOUND", "42704")
}

// TestDroppedStoppedQuery: a query that was stopped in an earlier life can be
// dropped.
func TestDroppedStoppedQuery(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	w.disk = vfs.Default
	w.file("e", 0, `{"k":"a"}`)
	w.open()
	for _, sql := range []string{"CREATE TABLE events (k STRING) USING json OPTIONS ('path' = '" + w.dir("e") + "')",
		"CREATE STREAMING QUERY q INTO ledger AS SELECT k FROM STREAM events", "STOP QUERY q"} {
		if _, err := w.s.Execute(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	w.open()
	if _, err := w.s.Execute(ctx, "DROP QUERY q"); err != nil {
		t.Errorf("dropping a query that is stopped since before the restart: %v", err)
	}
}

// TestTwoEngines: one data folder has one engine, one checkpoint one query.
func TestTwoEngines(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	w.file("e", 0, `{"k":"a"}`)
	w.open()
	eng, err := flightd.Open(ctx, flightd.Options{DataDir: filepath.Join(w.home, "data")})
	if err == nil {
		eng.Close()
	}
	if base.CodeOf(err) != base.CodeConflict || !strings.Contains(base.AsError(err).Display(), "another process") {
		t.Errorf("a second engine on the folder: %v", err)
	}
	w.stream("e", "k STRING", 0)
	q := w.mustStart("SELECT k FROM e", "append", flightd.Trigger{})
	_, err = w.s.SQL("SELECT k FROM e").WriteStream().QueryName("other").Format("ledger").
		Option("checkpointLocation", filepath.Join(w.home, "checkpoint")).Start(ctx)
	if base.CodeOf(err) != base.CodeConflict {
		t.Errorf("a second query on the checkpoint: %v", err)
	}
	wantError(t, err, "CONCURRENT_STREAM_LOG_UPDATE", "40000")
	if err := settle(q); err != nil {
		t.Errorf("the first query: %v", err)
	}
}

// TestListener: the events of a query that ends well and of one that fails.
func TestListener(t *testing.T) {
	w := newWorld(t)
	w.file("e", 0, `{"k":"a"}`)
	w.file("e", 1, `{"k":"b"}`)
	w.open()
	w.stream("e", "k STRING", 1)
	l := &recorder{}
	w.eng.AddListener(l)
	q := w.mustStart("SELECT k FROM e", "append", availableNow)
	if err := finish(q); err != nil {
		t.Fatal(err)
	}
	if err := finish(w.mustStart("SELECT CAST(k AS INT) AS k FROM e", "append", availableNow)); err != nil {
		t.Fatal(err) // the checkpoint has both files already
	}
	w.file("e", 2, `{"k":"c"}`)
	if err := finish(w.mustStart("SELECT CAST(k AS INT) AS k FROM e", "append", availableNow)); err == nil {
		t.Error("the query with a malformed number did not fail")
	}
	w.close()
	want := "started q; progress 0; progress 1; terminated <nil>; started q; terminated <nil>; started q; terminated CAST_INVALID_INPUT"
	if got := l.String(); got != want {
		t.Errorf("events:\n%s\nwant:\n%s", got, want)
	}
	w.open()
	w.eng.AddListener(l)
	w.eng.RemoveListener(l)
	w.stream("e", "k STRING", 1)
	if err := finish(w.mustStart("SELECT k FROM e", "append", availableNow)); err != nil {
		t.Fatal(err)
	}
	if got := l.String(); got != want {
		t.Errorf("a listener that was removed heard more: %s", got)
	}
}

// recorder writes down what a listener hears.
type recorder struct{ lockedBuffer }

func (r *recorder) event(format string, args ...any) { fmt.Fprintf(r, format+"; ", args...) }

func (r *recorder) String() string { return strings.TrimSuffix(r.lockedBuffer.String(), "; ") }

func (r *recorder) QueryStarted(e flightd.QueryStarted) {
	if e.ID == "" || e.RunID == "" || !strings.HasSuffix(e.Timestamp, "Z") {
		r.event("incomplete %+v", e)
	}
	r.event("started %s", e.Name)
}
func (r *recorder) QueryProgress(p flightd.Progress) { r.event("progress %d", p.BatchID) }
func (r *recorder) QueryIdle(flightd.QueryIdle)      { r.event("idle") }
func (r *recorder) QueryTerminated(e flightd.QueryTerminated) {
	if e.Err == nil {
		r.event("terminated <nil>")
		return
	}
	r.event("terminated %s", base.AsError(e.Err).Condition)
}

// TestClosedEngine: a closed engine starts nothing.
func TestClosedEngine(t *testing.T) {
	w := newWorld(t)
	w.file("e", 0, `{"k":"a"}`)
	s := w.open()
	w.stream("e", "k STRING", 1)
	w.close()
	_, err := s.SQL("SELECT k FROM e").WriteStream().QueryName("q").Format("ledger").Start(context.Background())
	if base.CodeOf(err) != base.CodeUnavailable {
		t.Errorf("starting a query in a closed engine: %v", err)
	}
}
