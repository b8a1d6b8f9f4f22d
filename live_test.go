package flightd_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

// openLive is an engine on a folder of its own, with a table r of which every epoch
// reads 1,000 rows.
func openLive(t *testing.T, o flightd.Options) (*flightd.Engine, *flightd.Session) {
	t.Helper()
	if o.DataDir == "" {
		o.DataDir = t.TempDir()
	}
	eng, err := flightd.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close() })
	s := eng.NewSession()
	execute(t, s, "CREATE TABLE IF NOT EXISTS r USING `rate-micro-batch` OPTIONS ('rowsPerBatch' = '1000')")
	return eng, s
}

func execute(t *testing.T, s *flightd.Session, text string) {
	t.Helper()
	r, err := s.Execute(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// firstRow is the first row of a statement's result.
func firstRow(ctx context.Context, s *flightd.Session, text string) (string, error) {
	r, err := s.Execute(ctx, text)
	if err != nil {
		return "", err
	}
	recs, err := r.Collect(ctx)
	if err != nil {
		return "", err
	}
	var out []string
	for i, rec := range recs {
		if i == 0 {
			for _, c := range rec.Columns() {
				out = append(out, c.ValueStr(0))
			}
		}
		rec.Release()
	}
	return strings.Join(out, " "), nil
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for at := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(at) > 30*time.Second {
			t.Fatalf("%s: not after 30 seconds", what)
		}
	}
}

func epochOf(q *flightd.StreamingQuery) int64 {
	if p := q.LastProgress(); p != nil {
		return int64(p.BatchID)
	}
	return -1
}

// A reader that comes while an epoch works with the state waits for its end, unless it
// gives up or wants the result alone; one that comes while other readers are there does
// not wait.
func TestReaderBesideLongEpoch(t *testing.T) {
	var hold atomic.Pointer[chan struct{}]
	eng, s := openLive(t, flightd.Options{BeforeStep: func(_, step string, epoch base.Epoch) error {
		if c := hold.Load(); c != nil && step == "commit" {
			<-*c
		}
		return nil
	}})
	execute(t, s, "CREATE STREAMING QUERY q OUTPUT MODE update INTO memory AS SELECT value % 10 AS k, count(*) AS n FROM STREAM r GROUP BY value % 10")
	q := eng.Query("q")
	waitFor(t, "an epoch", func() bool { return epochOf(q) >= 2 })
	held := make(chan struct{})
	hold.Store(&held)
	last := int64(-1)
	waitFor(t, "the epoch to be held up", func() bool {
		now := epochOf(q)
		same := now == last
		last = now
		time.Sleep(20 * time.Millisecond)
		return same
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got, err := firstRow(ctx, s, "SELECT count(*) FROM state.q.aggregate"); err == nil {
		t.Fatalf("the state could be read within an epoch: %s", got)
	}
	if got, err := firstRow(t.Context(), s, "SELECT sum(n) FROM q"); err != nil || got != fmt.Sprint(1000*(last+1)) {
		t.Fatalf("the result beside an epoch that is held up after epoch %d: %s, %v", last, got, err)
	}
	answer := make(chan string)
	go func() {
		got, err := firstRow(t.Context(), s, "SELECT sum(n) FROM state.q.aggregate")
		answer <- fmt.Sprint(got, err)
	}()
	time.Sleep(20 * time.Millisecond)
	hold.Store(nil)
	close(held)
	if got := <-answer; got != fmt.Sprintf("%d<nil>", 1000*(last+2)) {
		t.Errorf("got %s for epoch %d", got, last+1)
	}
	// Now there are readers: the next epoch is held up, and nobody waits.
	held = make(chan struct{})
	hold.Store(&held)
	time.Sleep(50 * time.Millisecond)
	got, err := firstRow(t.Context(), s, "SELECT sum(n) = 1000 * (max(_epoch) + 1) FROM state.q.aggregate")
	if err != nil || got != "true" {
		t.Errorf("got %s, %v", got, err)
	}
	hold.Store(nil)
	close(held)
}

// A reader that keeps a state while all of it changes takes memory up to the limit; then
// it fails, and the query goes on.
func TestReaderBeyondItsMemory(t *testing.T) {
	eng, s := openLive(t, flightd.Options{})
	execute(t, s, "SET flightd.memoryLimit = 2m")
	execute(t, s, "SET flightd.subTables = 1") // a page is read when it is asked for
	execute(t, s, "CREATE STREAMING QUERY q OUTPUT MODE update INTO noop AS SELECT value % 100000 AS k, count(*) AS n, max(value) AS a, min(value) AS b, sum(value) AS c FROM STREAM r GROUP BY value % 100000")
	q := eng.Query("q")
	waitFor(t, "all groups", func() bool { return epochOf(q) >= 100 })
	r, err := s.Execute(t.Context(), "SELECT * FROM state.q.aggregate")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rows := int64(0)
	for err == nil {
		var rec arrow.RecordBatch
		if rec, err = r.Next(t.Context()); err == nil {
			rows += rec.NumRows()
			rec.Release()
			from := epochOf(q)
			waitFor(t, "all groups to change", func() bool { return epochOf(q) >= from+120 })
		}
	}
	if e := base.AsError(err); e.Condition != "UNABLE_TO_ACQUIRE_MEMORY" {
		t.Errorf("got %v after %d rows", err, rows)
	}
	if !q.IsActive() {
		t.Error(q.Exception())
	}
}

// A result that is not read to its end holds the state until it is closed.
func TestUnreadResultLetsGo(t *testing.T) {
	eng, s := openLive(t, flightd.Options{})
	execute(t, s, "CREATE STREAMING QUERY q OUTPUT MODE update INTO noop AS SELECT value % 10 AS k, count(*) AS n FROM STREAM r GROUP BY value % 10")
	r, err := s.Execute(t.Context(), "SELECT * FROM state.q.aggregate")
	if err != nil {
		t.Fatal(err)
	}
	if n := eng.Query("q").Readers(); n != 1 {
		t.Errorf("%d readers", n)
	}
	r.Close()
	if _, err := firstRow(t.Context(), s, "SELECT * FROM state.q.aggregate a JOIN state.q.aggregate b USING (k)"); err != nil {
		t.Error(err)
	}
	if _, err := firstRow(t.Context(), s, "SELECT 1 / (n - n) FROM state.q.aggregate"); err == nil && epochOf(eng.Query("q")) > 0 {
		t.Error("a division by zero gave no error")
	}
	if n := eng.Query("q").Readers(); n != 0 {
		t.Errorf("%d readers are left", n)
	}
}

// The state of a query that has ended is in its checkpoint, also for the next process.
func TestStateOfStoppedQuery(t *testing.T) {
	dir := t.TempDir()
	eng, s := openLive(t, flightd.Options{DataDir: dir})
	execute(t, s, "CREATE TABLE out (k BIGINT, n BIGINT)")
	execute(t, s, "CREATE STREAMING QUERY q OUTPUT MODE complete INTO TABLE out AS SELECT value % 10 AS k, count(*) AS n FROM STREAM r GROUP BY value % 10")
	q := eng.Query("q")
	waitFor(t, "some epochs", func() bool { return epochOf(q) >= 25 })
	execute(t, s, "STOP QUERY q")
	last := epochOf(q)
	want := fmt.Sprintf("%d %d", 1000*(last+1), last)
	if got, err := firstRow(t.Context(), s, "SELECT sum(n), max(_epoch) FROM state.q.aggregate"); err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	if got, err := firstRow(t.Context(), s, "SELECT n FROM state.q.aggregate WHERE k = 3"); err != nil || got != fmt.Sprint(100*(last+1)) {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := firstRow(t.Context(), s, "SELECT * FROM q"); err == nil || !strings.Contains(base.AsError(err).Hint, "in the table: SELECT * FROM out") {
		t.Errorf("got %v", err)
	}
	execute(t, s, "CREATE STREAMING QUERY m OUTPUT MODE update INTO memory AS SELECT value % 10 AS k, count(*) AS n FROM STREAM r GROUP BY value % 10")
	waitFor(t, "an epoch", func() bool { return epochOf(eng.Query("m")) >= 0 })
	execute(t, s, "STOP QUERY m")
	if _, err := firstRow(t.Context(), s, "SELECT * FROM state.m.aggregate"); base.AsError(err).Condition != "STATE_QUERY_NOT_RUNNING" {
		t.Errorf("got %v", err)
	}
	if got, err := firstRow(t.Context(), s, "SELECT sum(n) = 1000 * (max(_epoch) + 1) FROM m"); err != nil || got != "true" {
		t.Errorf("got %s, %v", got, err)
	}
}

// A SELECT over a state with a key in its filter copies the pages of its rows and no
// others; what it reads is right for every key.
func TestPointLookUps(t *testing.T) {
	eng, s := openLive(t, flightd.Options{})
	execute(t, s, "CREATE STREAMING QUERY q OUTPUT MODE update INTO noop AS SELECT value % 1000 AS k, CAST(value % 3 AS STRING) AS t, count(*) AS n FROM STREAM r GROUP BY value % 1000, CAST(value % 3 AS STRING)")
	waitFor(t, "all groups", func() bool { return epochOf(eng.Query("q")) >= 3 })
	for k := range 50 {
		r, err := s.Execute(t.Context(), fmt.Sprintf("SELECT k, t, n, _epoch FROM state.q.aggregate WHERE k = %d AND t IN ('0', '2')", 20*k))
		if err != nil {
			t.Fatal(err)
		}
		recs, err := r.Collect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for _, rec := range recs {
			for i := range int(rec.NumRows()) {
				rows++
				if got := rec.Column(0).(*array.Int64).Value(i); got != int64(20*k) {
					t.Errorf("key %d for %d", got, 20*k)
				}
			}
			rec.Release()
		}
		if rows != 2 {
			t.Errorf("key %d has %d rows", 20*k, rows)
		}
	}
}

// The result of a query into feed is what its epochs came to, also where the feed has let
// go of most of them.
func TestResultOfTrimmedFeed(t *testing.T) {
	clock := base.NewVirtualClock(time.Unix(1_800_000_000, 0))
	dir := t.TempDir()
	eng, s := openLive(t, flightd.Options{Clock: clock, DataDir: filepath.Join(dir, "data")})
	for range 4 { // each start has a segment of its own, and a later one lets it go
		execute(t, s, "CREATE STREAMING QUERY q OUTPUT MODE update INTO feed OPTIONS ('retention' = '1 second') AS SELECT value % 10 AS k, count(*) AS n FROM STREAM r GROUP BY value % 10")
		q := eng.Query("q")
		for range 3 {
			from := epochOf(q)
			waitFor(t, "some epochs", func() bool { return epochOf(q) >= from+5 })
			clock.Advance(5 * time.Second)
			got, err := firstRow(t.Context(), s, "SELECT sum(n) = 1000 * (max(_epoch) + 1) FROM q")
			if err != nil || got != "true" {
				t.Fatalf("got %s, %v at epoch %d", got, err, epochOf(q))
			}
		}
		execute(t, s, "STOP QUERY q")
		got, err := firstRow(t.Context(), s, "SELECT sum(n), max(_epoch) FROM q")
		if want := fmt.Sprintf("%d %d", 1000*(epochOf(q)+1), epochOf(q)); err != nil || got != want {
			t.Fatalf("stopped: got %s, %v, want %s", got, err, want)
		}
		if first, _, _ := q.FeedRange(); first == 0 && epochOf(q) > 40 {
			t.Error("the feed has let go of nothing")
		}
	}
}

// A table with the name of a query goes first, and who starts the query is told.
func TestQueryNamedLikeTable(t *testing.T) {
	_, s := openLive(t, flightd.Options{})
	r, err := s.Execute(t.Context(), "CREATE STREAMING QUERY r INTO feed AS SELECT value FROM STREAM r")
	if err != nil {
		t.Fatal(err)
	}
	if n := r.Notices(); len(n) != 1 || !strings.Contains(n[0], "SELECT reads the table") {
		t.Errorf("notices %q", n)
	}
	r.Close()
	if _, err := firstRow(t.Context(), s, "SELECT * FROM r"); err == nil || !strings.Contains(err.Error(), "is a stream") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Execute(t.Context(), "CREATE STREAMING QUERY o INTO noop AS SELECT o.value FROM STREAM r o JOIN state.o.x USING (value)"); err == nil {
		t.Error("a query could read its own state")
	}
}

// A streaming query cannot read what changes with every epoch of another one, but for
// the result of a query into memory as it is at the start.
func TestStreamOverLiveTables(t *testing.T) {
	eng, s := openLive(t, flightd.Options{})
	execute(t, s, "CREATE STREAMING QUERY m OUTPUT MODE update INTO memory AS SELECT value % 10 AS k, count(*) AS n FROM STREAM r GROUP BY value % 10")
	waitFor(t, "an epoch", func() bool { return epochOf(eng.Query("m")) >= 0 })
	for _, table := range []string{"state.m.aggregate"} {
		_, err := s.Execute(t.Context(), "CREATE STREAMING QUERY q INTO noop AS SELECT r.value FROM STREAM r JOIN "+table+" m ON r.value % 10 = m.k")
		if err == nil || !strings.Contains(err.Error(), "A streaming query cannot read") {
			t.Errorf("%s: got %v", table, err)
		}
	}
	for _, speed := range []string{"true", "false"} {
		execute(t, s, "SET flightd.speedRules.enabled = "+speed)
		execute(t, s, "CREATE STREAMING QUERY q"+speed+" INTO memory AS SELECT r.value, m._epoch AS e FROM STREAM r JOIN m ON r.value % 10 = m.k")
		q := eng.Query("q" + speed)
		waitFor(t, "an epoch", func() bool { return epochOf(q) >= 0 || !q.IsActive() })
		if got, err := firstRow(t.Context(), s, "SELECT count(DISTINCT e), count(*) = 1000 * (max(_epoch) + 1) FROM q"+speed); err != nil || got != "1 true" {
			t.Errorf("got %s, %v, %v", got, err, q.Exception())
		}
		execute(t, s, "STOP QUERY q"+speed)
	}
}
