package flightd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sources"
)

// leapClock is a virtual clock that does not wait: a sleep takes it where it
// ends, at once. At its end it stands still.
type leapClock struct {
	mu     sync.Mutex
	now    time.Time
	end    time.Time
	leaps  int
	onLeap func(now time.Time)
	over   chan struct{}
}

func newLeapClock(from, end time.Time) *leapClock {
	return &leapClock{now: from, end: end, over: make(chan struct{})}
}

func (c *leapClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *leapClock) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.mu.Lock()
	if next := c.now.Add(d); !next.After(c.end) {
		c.now = next
		c.leaps++
		c.mu.Unlock()
		if c.onLeap != nil {
			c.onLeap(next)
		}
		return nil
	}
	if c.over != nil {
		close(c.over)
		c.over = nil
	}
	c.mu.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

// TestMonthOfMinuteTriggers runs a trigger of a minute for a month of virtual
// time: the first epoch starts at once, every other at a full minute.
func TestMonthOfMinuteTriggers(t *testing.T) {
	w := newWorld(t)
	drip := &dripSource{}
	drip.rows.Store(1)
	begin := time.Date(2026, 3, 1, 10, 20, 17, 345_000_000, time.UTC)
	clock := newLeapClock(begin, begin.Add(30*24*time.Hour))
	clock.onLeap = func(now time.Time) {
		if now.Minute() == 30 && now.Hour()%6 == 0 {
			drip.rows.Add(1)
		}
	}
	over := clock.over
	eng, err := flightd.Open(context.Background(), flightd.Options{Clock: clock, CheckpointFS: w.disk,
		Sinks: []sinks.Provider{w.sink.provider()}, Sources: []sources.Provider{drip.provider()}})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	w.s = eng.NewSession()
	if _, err := w.s.Set("spark.sql.streaming.numRecentProgressUpdates", "1000"); err != nil {
		t.Fatal(err)
	}
	if err := w.s.ReadStream().Format("drip").Load().CreateOrReplaceTempView("e"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	q := w.mustStart("SELECT n, current_timestamp() AS now FROM e", "append", flightd.Trigger{Interval: time.Minute})
	select {
	case <-over:
	case <-time.After(time.Minute):
		t.Fatal("a month takes more than a minute")
	}
	if err := q.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	if clock.leaps < 30*24*60-1 {
		t.Errorf("%d triggers in a month", clock.leaps)
	}
	reports := q.RecentProgress()
	if len(reports) != 121 || drip.rows.Load() != 121 {
		t.Errorf("%d epochs over %d rows", len(reports), drip.rows.Load())
	}
	for i, p := range reports {
		want := ":00.000Z"
		if i == 0 {
			want = "2026-03-01T10:20:17.345Z"
		}
		if !strings.HasSuffix(p.Timestamp, want) {
			t.Errorf("epoch %d started at %s", i, p.Timestamp)
		}
	}
	rows, _ := w.sink.rows(t)
	if rows[1] != "1|2026-03-01 12:30:00" {
		t.Errorf("the second row is %s", rows[1])
	}
	t.Logf("a month of minutes, %d epochs, in %v", len(reports), took)
}

// TestProgressKeys: the report's keys are Spark's, in Spark's order; ours come
// after them.
func TestProgressKeys(t *testing.T) {
	w := newWorld(t)
	w.events("e", 1, 50, 3, 1)
	w.open()
	w.stream("e", eventsDDL, 0)
	q := w.mustStart(windowSums, "append", flightd.Trigger{})
	if err := settle(q); err != nil {
		t.Fatal(err)
	}
	reports := q.RecentProgress()
	if len(reports) != 2 {
		t.Fatalf("%d reports", len(reports))
	}
	want := map[string]string{
		"": "id runId name timestamp batchId batchDuration numInputRows inputRowsPerSecond processedRowsPerSecond durationMs eventTime " +
			"stateOperators sources sink flightdLateInputRows flightdNextWatermark",
		"durationMs": "addBatch commitOffsets getBatch latestOffset queryPlanning triggerExecution walCommit",
		"eventTime":  "avg max min watermark",
		"stateOperators": "operatorName numRowsTotal numRowsUpdated allUpdatesTimeMs numRowsRemoved allRemovalsTimeMs commitTimeMs memoryUsedBytes " +
			"numRowsDroppedByWatermark numShufflePartitions numStateStoreInstances flightdRows",
		"sources": "description startOffset endOffset latestOffset numInputRows inputRowsPerSecond processedRowsPerSecond",
		"sink":    "description numOutputRows",
	}
	// On a clock that stands still every rate is infinite or undefined, and left
	// out as Spark does; so the rates are put in here.
	if bare := reports[0].JSON(); strings.Contains(bare, "RowsPerSecond") {
		t.Errorf("an infinite rate is not left out: %s", bare)
	}
	p := reports[0]
	p.InputRate, p.ProcessedRate = 12.34, 0
	p.Sources[0].InputRate, p.Sources[0].ProcessedRate = 0, 1
	text := p.JSON()
	for path, keys := range want {
		got := jsonKeys(t, []byte(text), path)
		if path == "stateOperators" {
			got = strings.TrimSuffix(got, " customMetrics")
		}
		if got != keys {
			t.Errorf("keys of %q:\n%s\nwant:\n%s", path, got, keys)
		}
	}
	for _, part := range []string{`"inputRowsPerSecond":12.3,`, `"processedRowsPerSecond":0.0,`, `"batchId":0,`, `"name":"q"`} {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
	if end := reports[1]; end.NumInputRows != 0 || jsonKeys(t, []byte(end.JSON()), "eventTime") != "watermark" {
		t.Errorf("the report of an epoch without data: %s", end.JSON())
	}
}

// jsonKeys lists the keys of an object at one level, in order; of an array, those
// of its first element.
func jsonKeys(t *testing.T, text []byte, path string) string {
	t.Helper()
	if path != "" {
		var m map[string]json.RawMessage
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		text = m[path]
		var list []json.RawMessage
		if json.Unmarshal(text, &list) == nil && len(list) > 0 {
			text = list[0]
		}
	}
	dec := json.NewDecoder(strings.NewReader(string(text)))
	var keys []string
	depth := 0
	key := true
	for {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		if d, ok := tok.(json.Delim); ok {
			if d == '{' || d == '[' {
				depth++
			} else {
				depth--
			}
			key = true
			continue
		}
		if depth == 1 {
			if key {
				keys = append(keys, tok.(string))
			}
			key = !key
		}
	}
	return strings.Join(keys, " ")
}

// TestRecentProgressIsCapped: the newest reports are kept.
func TestRecentProgressIsCapped(t *testing.T) {
	w := newWorld(t)
	for i := range 12 {
		w.file("e", i, `{"k":"a"}`)
	}
	w.settings["spark.sql.streaming.numRecentProgressUpdates"] = "5"
	w.open()
	w.stream("e", "k STRING", 1)
	q := w.mustStart("SELECT k FROM e", "append", availableNow)
	if err := finish(q); err != nil {
		t.Fatal(err)
	}
	var got []base.Epoch
	for _, p := range q.RecentProgress() {
		got = append(got, p.BatchID)
	}
	if !slices.Equal(got, []base.Epoch{7, 8, 9, 10, 11}) || q.LastProgress().BatchID != 11 {
		t.Errorf("the reports are of the epochs %v, the last of %d", got, q.LastProgress().BatchID)
	}
}

// TestStatus: what a query says of itself while it waits, works, and has ended.
func TestStatus(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.file("e", 0, `{"k":"1"}`)
	w.stream("e", "k STRING", 1)
	entered, leave := make(chan struct{}), make(chan struct{})
	w.sink.onWrite = func(context.Context, base.Epoch, int64) error {
		entered <- struct{}{}
		<-leave
		return nil
	}
	q := w.mustStart("SELECT CAST(k AS INT) AS k FROM e", "append", flightd.Trigger{})
	<-entered
	if s := q.Status(); s != (flightd.Status{Message: "Processing new data", IsDataAvailable: true, IsTriggerActive: true}) {
		t.Errorf("while it works: %+v", s)
	}
	if q.LastProgress() != nil || q.Exception() != nil || !q.IsActive() || q.Name() != "q" {
		t.Error("a query in its first epoch has a report, a failure, or is not active")
	}
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := q.AwaitTermination(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for the end: %v", err)
	}
	if err := q.ProcessAllAvailable(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for the rows: %v", err)
	}
	leave <- struct{}{}
	if err := settle(q); err != nil {
		t.Fatal(err)
	}
	if s := q.Status(); s != (flightd.Status{Message: "Waiting for data to arrive"}) {
		t.Errorf("while it waits: %+v", s)
	}
	w.file("e", 1, `{"k":"x"}`)
	err := settle(q)
	wantError(t, err, "CAST_INVALID_INPUT", "22018", "query q [id = "+q.ID()+", runId = "+q.RunID()+"] terminated", "epoch 1")
	if s := q.Status(); !strings.HasPrefix(s.Message, "Terminated with exception: ") || s.IsTriggerActive || s.IsDataAvailable {
		t.Errorf("after the failure: %+v", s)
	}
	if q.IsActive() || q.Exception() == nil || q.AwaitTermination(context.Background()) == nil {
		t.Error("a failed query is active or has no failure")
	}
	if err := w.eng.AwaitAnyTermination(context.Background()); err != nil {
		t.Errorf("awaiting any of no running queries: %v", err)
	}
	// Stopped while it waits, a query has no failure.
	w.file("f", 0, `{"k":"1"}`)
	w.sink.onWrite = nil
	w.stream("f", "k STRING", 1)
	q, err = w.s.SQL("SELECT k FROM f").WriteStream().QueryName("r").Format("ledger").
		Option("checkpointLocation", filepath.Join(w.home, "other")).Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	any := make(chan error, 1)
	go func() { any <- w.eng.AwaitAnyTermination(context.Background()) }()
	if err := settle(q); err != nil {
		t.Fatal(err)
	}
	if err := q.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := <-any; err != nil {
		t.Errorf("awaiting any: %v", err)
	}
	if s := q.Status(); s.Message != "Stopped" || q.Exception() != nil {
		t.Errorf("after a stop: %+v, %v", s, q.Exception())
	}
}

// TestForeach: functions of the program as sinks.
func TestForeach(t *testing.T) {
	w := newWorld(t)
	w.file("e", 0, `{"k":"a"}`, `{"k":"b"}`)
	w.file("e", 1, `{"k":"c"}`)
	w.open()
	w.stream("e", "k STRING", 1)
	var rows []string
	q, err := w.s.SQL("SELECT k FROM e").WriteStream().Trigger(availableNow).
		Foreach(func(_ context.Context, rec arrow.RecordBatch, row int, batchID int64) error {
			rows = append(rows, fmt.Sprint(batchID, " ", rowTexts(rec)[row]))
			return nil
		}).Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := finish(q); err != nil {
		t.Fatal(err)
	}
	if want := []string{"0 a", "0 b", "1 c"}; !slices.Equal(rows, want) {
		t.Errorf("foreach saw %v, want %v", rows, want)
	}
	q, err = w.s.SQL("SELECT k FROM e").WriteStream().Trigger(availableNow).
		ForeachBatch(func(_ context.Context, recs []arrow.RecordBatch, batchID int64) error { return errPlanned }).Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := finish(q); !errors.Is(err, errPlanned) {
		t.Errorf("a function that fails: %v", err)
	}
}

// TestFrozenEnd: AvailableNow reads what was there at its start, in epochs of the
// rate limit, and nothing that comes while it runs.
func TestFrozenEnd(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.file("e", i, fmt.Sprintf(`{"k":"%d"}`, i))
	}
	late := 3
	w.before = func(step string, _ base.Epoch) error {
		if step == "done" {
			w.file("e", late, fmt.Sprintf(`{"k":"%d"}`, late))
			late++
		}
		return nil
	}
	w.open()
	w.stream("e", "k STRING", 2)
	for _, want := range []int{3, 5, 6} {
		if err := finish(w.mustStart("SELECT k FROM e", "append", availableNow)); err != nil {
			t.Fatal(err)
		}
		if rows, _ := w.sink.rows(t); len(rows) != want {
			t.Errorf("the sink has %v, want %d rows", rows, want)
		}
	}
}

// TestManyEpochs runs past several folds of the offsets, with restarts: every file
// is read once, and the checkpoint does not grow without end.
func TestManyEpochs(t *testing.T) {
	w := newWorld(t)
	w.settings["spark.sql.streaming.minBatchesToRetain"] = "10"
	const files = 260
	for i := range files {
		w.file("e", i, fmt.Sprintf(`{"k":"%d"}`, i))
	}
	stops := map[base.Epoch]bool{40: true, 99: true, 100: true, 101: true, 205: true}
	w.before = func(step string, epoch base.Epoch) error {
		if stops[epoch] && step == []string{"plan", "write", "done"}[epoch%3] {
			delete(stops, epoch)
			return errPlanned
		}
		return nil
	}
	for {
		w.open()
		w.stream("e", "k STRING", 1)
		err := finish(w.mustStart("SELECT k, count(*) AS n FROM e GROUP BY k", "update", availableNow))
		if err == nil {
			break
		}
		if !errors.Is(err, errPlanned) {
			t.Fatal(err)
		}
	}
	w.close()
	rows, _ := w.sink.rows(t)
	for i, row := range rows {
		if row != fmt.Sprintf("%d|1", i) {
			t.Fatalf("row %d is %s", i, row)
		}
	}
	if len(rows) != files || len(stops) > 0 {
		t.Errorf("%d rows; these crashes did not happen: %v", len(rows), stops)
	}
	if names := w.checkpointFiles(""); len(names) > 12 {
		t.Errorf("the checkpoint has %d files: %v", len(names), names)
	}
}

// TestOneFailsOthersGoOn: a query that fails, or finds a bug, is alone in that.
func TestOneFailsOthersGoOn(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	w.open()
	start := func(name, sql string) *flightd.StreamingQuery {
		q, err := w.s.SQL(sql).WriteStream().QueryName(name).Format("ledger").
			Option("checkpointLocation", filepath.Join(w.home, name)).Start(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	for _, name := range []string{"good", "bad", "buggy"} {
		w.file(name, 0, `{"k":"1"}`)
		w.stream(name, "k STRING", 0)
	}
	good, bad := start("good", "SELECT k FROM good"), start("bad", "SELECT CAST(k AS INT) AS k FROM bad")
	for _, q := range []*flightd.StreamingQuery{good, bad} {
		if err := settle(q); err != nil {
			t.Fatal(err)
		}
	}
	w.file("bad", 1, `{"k":"one"}`)
	wantError(t, settle(bad), "CAST_INVALID_INPUT", "22018")
	w.sink.onWrite = func(context.Context, base.Epoch, int64) error { panic("planned bug") }
	buggy := start("buggy", "SELECT k FROM buggy")
	if err := finish(buggy); base.CodeOf(err) != base.CodeInternal || !strings.Contains(err.Error(), "a bug in flightd: planned bug") {
		t.Errorf("a query that finds a bug ends with %v", err)
	}
	w.sink.onWrite = nil
	w.file("good", 1, `{"k":"2"}`)
	if err := settle(good); err != nil || !good.IsActive() {
		t.Errorf("the good query: %v", err)
	}
	if qs := w.eng.Queries(); len(qs) != 1 || qs[0] != good {
		t.Errorf("%d queries run", len(qs))
	}
	// The folder of the bug's checkpoint is free again.
	if err := settle(start("buggy", "SELECT k FROM buggy")); err != nil {
		t.Error(err)
	}
}

// TestStopBetweenEpochs stops queries at random and starts them again: no row is
// lost or doubled, and nothing is replayed after a clean stop.
func TestStopBetweenEpochs(t *testing.T) {
	w := newWorld(t)
	w.events("e", 30, 40, 3, 8)
	w.open()
	w.stream("e", eventsDDL, 1)
	stopAt := base.Epoch(2)
	reached := make(chan struct{}, 1)
	w.before = func(step string, epoch base.Epoch) error {
		if step == "write" && epoch >= stopAt {
			select {
			case reached <- struct{}{}:
			default:
			}
			time.Sleep(5 * time.Millisecond) // the stop comes within this epoch
		}
		return nil
	}
	for range 6 {
		q := w.mustStart("SELECT k, v, x FROM e", "append", flightd.Trigger{})
		select {
		case <-reached:
		case <-time.After(time.Minute):
			t.Fatalf("epoch %d does not come; the sink has %d", stopAt, len(w.sink.all()))
		}
		if err := q.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		select {
		case <-reached:
		default:
		}
		stopAt = base.Epoch(len(w.sink.all()) + 1)
	}
	w.before = nil
	if err := finish(w.mustStart("SELECT k, v, x FROM e", "append", availableNow)); err != nil {
		t.Fatal(err)
	}
	rows, repeats := w.sink.rows(t)
	if len(rows) != 30*40 || repeats != 0 {
		t.Errorf("%d rows, %d epochs repeated", len(rows), repeats)
	}
}
