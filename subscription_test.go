package flightd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

// follower reads a SUBSCRIBE statement in a test.
type follower struct {
	t *testing.T
	r *flightd.Result
	// resume is the token after what was read.
	resume string
	end    string
}

func (w *world) subscribe(text string) *follower {
	w.t.Helper()
	r, err := w.s.Execute(context.Background(), text)
	if err != nil {
		w.t.Fatalf("%s: %v", text, err)
	}
	f := &follower{t: w.t, r: r}
	w.t.Cleanup(func() { f.r.Close() })
	return f
}

// batch reads the rows of the next record batch; the error is io.EOF at the end.
func (f *follower) batch() ([]string, error) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	rec, err := f.r.Next(ctx)
	if err != nil {
		return nil, err
	}
	defer rec.Release()
	if !rec.Schema().Equal(f.r.Schema()) {
		f.t.Errorf("the schema is %s, not %s", rec.Schema(), f.r.Schema())
	}
	var note struct {
		Version int     `json:"v"`
		QueryID string  `json:"query_id"`
		Resume  *string `json:"resume"`
		End     string  `json:"end"`
		Rows    int64   `json:"rows"`
	}
	if err := json.Unmarshal(f.r.Annotation()(0, rec.NumRows()), &note); err != nil || note.Version != 1 || note.Rows != rec.NumRows() {
		f.t.Errorf("annotation %+v, %v", note, err)
	}
	if note.Resume != nil {
		f.resume = *note.Resume
	}
	f.end = note.End
	return rowTexts(rec), nil
}

// rows reads n rows.
func (f *follower) rows(n int) (out []string) {
	f.t.Helper()
	for len(out) < n {
		more, err := f.batch()
		if err != nil {
			f.t.Fatalf("after %d of %d rows: %v", len(out), n, err)
		}
		out = append(out, more...)
	}
	return out
}

// want reads as many rows as there are lines and compares them.
func (f *follower) want(lines ...string) {
	f.t.Helper()
	got := f.rows(len(lines))
	if a, b := strings.Join(got, "\n"), strings.Join(lines, "\n"); a != b {
		f.t.Errorf("got\n%s\nwant\n%s", a, b)
	}
}

// rest reads to the end.
func (f *follower) rest() (out []string) {
	f.t.Helper()
	for {
		more, err := f.batch()
		if err == io.EOF {
			return out
		}
		if err != nil {
			f.t.Fatal(err)
		}
		out = append(out, more...)
	}
}

// feed starts a query "live" into feed over the stream in of JSON lines.
func (w *world) feed(sql string) *flightd.StreamingQuery {
	w.t.Helper()
	if _, err := w.s.Execute(context.Background(), sql); err != nil {
		w.t.Fatal(err)
	}
	q := w.eng.Query("live")
	if err := settle(q); err != nil {
		w.t.Fatal(err)
	}
	return q
}

const liveTable = "CREATE TABLE lines (k STRING, v INT) USING json OPTIONS ('path' = '%s', 'maxFilesPerTrigger' = '1')"

func newLive(t *testing.T) *world {
	w := newWorld(t)
	w.realTime = true
	w.file("in", 0, `{"k":"a","v":1}`, `{"k":"b","v":2}`)
	w.file("in", 1, `{"k":"a","v":3}`)
	w.open()
	if _, err := w.s.Execute(context.Background(), fmt.Sprintf(liveTable, w.dir("in"))); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestSubscribeAppend(t *testing.T) {
	w := newLive(t)
	q := w.feed("CREATE STREAMING QUERY live INTO feed AS SELECT k, v FROM STREAM lines")
	f := w.subscribe("SUBSCRIBE TO live FROM EPOCH 0")
	f.want("a|1", "b|2", "a|3")
	w.subscribe("SUBSCRIBE TO live SNAPSHOT").want("a|1", "b|2", "a|3")
	new := w.subscribe("SUBSCRIBE TO live PROGRESS")
	w.file("in", 2, `{"k":"c","v":4}`, `{"k":"d","v":5}`, `{"k":"e","v":6}`)
	new.want("2|1|NULL|c|4", "2|1|NULL|d|5", "2|1|NULL|e|6", "2|0|NULL|NULL|NULL")
	f.want("c|4", "d|5", "e|6")
	if got := w.subscribe("SUBSCRIBE TO live FROM EPOCH 0 UP TO EPOCH 1").rest(); fmt.Sprint(got) != "[a|1 b|2 a|3]" {
		t.Errorf("up to epoch 1: %v", got)
	}
	limited := w.subscribe("SUBSCRIBE TO live FROM EPOCH 1 LIMIT 2")
	if got := limited.rest(); fmt.Sprint(got) != "[a|3 c|4]" || limited.end != "limit" {
		t.Errorf("limited: %v, %s", got, limited.end)
	}
	// The token of a limit stands within an epoch.
	w.subscribe("SUBSCRIBE TO live RESUME '"+limited.resume+"'").want("d|5", "e|6")
	w.subscribe("SUBSCRIBE TO live PROGRESS RESUME '"+limited.resume+"'").want("2|1|NULL|d|5", "2|1|NULL|e|6", "2|0|NULL|NULL|NULL")
	if got := w.subscribe("SUBSCRIBE TO live FOR INTERVAL '50 milliseconds'"); got.rest() != nil || got.end != "interval" {
		t.Errorf("the end is %q", got.end)
	}
	f.r.Drain()
	if got := f.rest(); got != nil || f.end != "drain" {
		t.Errorf("drained: %v, %q", got, f.end)
	}
	if err := q.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := new.rest(); got != nil || new.end != "query stopped" {
		t.Errorf("stopped: %v, %q", got, new.end)
	}
}

func TestSubscribeChangelog(t *testing.T) {
	w := newLive(t)
	q := w.feed("CREATE STREAMING QUERY live OUTPUT MODE update INTO feed AS SELECT k, sum(v) AS s FROM STREAM lines GROUP BY k")
	all := w.subscribe("SUBSCRIBE TO live FROM EPOCH 0 ENVELOPE changelog")
	got := all.rows(4)
	if strings.Join(got[2:], " ") != "1|4|NULL|a|1 1|3|NULL|a|4" {
		t.Errorf("got %v", got)
	}
	later := w.subscribe("SUBSCRIBE TO live ENVELOPE changelog")
	upsert := w.subscribe("SUBSCRIBE TO live")
	snap := w.subscribe("SUBSCRIBE TO live SNAPSHOT ENVELOPE changelog")
	w.file("in", 2, `{"k":"b","v":10}`)
	all.want("2|4|NULL|b|2", "2|3|NULL|b|12")
	later.want("2|4|NULL|b|2", "2|3|NULL|b|12")
	upsert.want("2|3|NULL|b|12")
	snap.want("1|1|NULL|b|2", "1|1|NULL|a|4", "2|4|NULL|b|2", "2|3|NULL|b|12")
	// A limit cuts the snapshot, and the token goes on in it.
	cut := w.subscribe("SUBSCRIBE TO live SNAPSHOT ENVELOPE changelog LIMIT 1")
	first := cut.rest()
	w.file("in", 3, `{"k":"b","v":100}`)
	if err := settle(q); err != nil {
		t.Fatal(err)
	}
	rest := w.subscribe("SUBSCRIBE TO live ENVELOPE changelog RESUME '" + cut.resume + "'").rows(3)
	if got := strings.Join(append(first, rest...), " "); got != "2|1|NULL|a|4 2|1|NULL|b|12 3|4|NULL|b|12 3|3|NULL|b|112" {
		t.Errorf("got %s", got)
	}
	_, err := w.s.Execute(context.Background(), "SUBSCRIBE TO live ENVELOPE append")
	wantError(t, err, "SUBSCRIBE_ENVELOPE", "42601", "update", "changelog")
	_, err = w.s.Execute(context.Background(), "SUBSCRIBE TO live ENVELOPE upsert(k) RESUME '"+cut.resume+"'")
	wantError(t, err, "SUBSCRIBE_INVALID_TOKEN", "22023", "another ENVELOPE")
	_, err = w.s.Execute(context.Background(), "SUBSCRIBE TO live ENVELOPE upsert(kk)")
	wantError(t, err, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "did you mean k?")
}

func TestSubscribeComplete(t *testing.T) {
	w := newLive(t)
	w.feed("CREATE STREAMING QUERY live OUTPUT MODE complete INTO feed AS SELECT k, sum(v) AS s FROM STREAM lines GROUP BY k HAVING sum(v) < 10")
	all := w.subscribe("SUBSCRIBE TO live FROM EPOCH 0")
	got := all.rows(4)
	if strings.Join(got[2:], " ") != "1|4|NULL|a|1 1|3|NULL|a|4" {
		t.Errorf("got %v", got)
	}
	upsert := w.subscribe("SUBSCRIBE TO live SNAPSHOT ENVELOPE upsert(k)")
	upsert.rows(2)
	w.file("in", 2, `{"k":"b","v":10}`)
	all.want("2|2|NULL|b|2")
	upsert.want("2|2|NULL|b|2")
}

func TestSubscribeSelect(t *testing.T) {
	w := newLive(t)
	f := w.subscribe("SUBSCRIBE TO SELECT k, v * 2 AS d FROM STREAM lines WHERE v > 1 LIMIT 3")
	f.want("b|4", "a|6")
	if n := len(w.eng.Queries()); n != 1 {
		t.Errorf("%d queries run", n)
	}
	w.file("in", 2, `{"k":"c","v":4}`)
	f.want("c|8")
	if f.rest(); f.end != "limit" || f.resume != "" {
		t.Errorf("end %q, resume %q", f.end, f.resume)
	}
	f.r.Close()
	if n := len(w.eng.AllQueries()); n != 0 {
		t.Errorf("%d queries are left", n)
	}
	if _, err := w.s.Execute(context.Background(), "CREATE TEMPORARY VIEW sums AS SELECT k, sum(v) AS s FROM STREAM lines GROUP BY k"); err != nil {
		t.Fatal(err)
	}
	got := w.subscribe("SUBSCRIBE TO sums ENVELOPE changelog").rows(4)
	if strings.Join(got[2:], " ") != "1|4|NULL|a|1 1|3|NULL|a|4" {
		t.Errorf("got %v", got)
	}
	w.subscribe("SUBSCRIBE TO lines").want("a|1", "b|2", "a|3", "c|4")
	p, err := w.s.Prepare(context.Background(), "SUBSCRIBE TO lines PROGRESS")
	if err != nil || p.IsUpdate || p.Schema.NumFields() != 5 {
		t.Errorf("prepared: %+v, %v", p, err)
	}
	for _, c := range [][4]string{
		{"SUBSCRIBE TO nowhere", "TABLE_OR_VIEW_NOT_FOUND", "42P01", "nowhere"},
		{"SUBSCRIBE TO lines RESUME 'x'", "SUBSCRIBE_NOT_RESUMABLE", "0A000", "ends with its reader"},
		{"SUBSCRIBE TO (SELECT * FROM STREAM lines) RESUME 'x'", "SUBSCRIBE_NOT_RESUMABLE", "0A000", "ends with its reader"},
		{"SUBSCRIBE TO lines SNAPSHOT FROM EPOCH 3", "SUBSCRIBE_OPTION", "42601", "SNAPSHOT"},
		{"SUBSCRIBE TO lines FOR INTERVAL '1 month'", "SUBSCRIBE_OPTION", "22003", "month"},
		{"SUBSCRIBE TO lines FROM EPOCH 99999999999999999999", "SUBSCRIBE_OPTION", "22003", "too large"},
		{"SUBSCRIBE TO lines ENVELOPE changelog RESUME 'AQAAAAAA'", "SUBSCRIBE_NOT_RESUMABLE", "0A000", "ends with its reader"},
	} {
		_, err := w.s.Execute(context.Background(), c[0])
		wantError(t, err, c[1], c[2], c[3])
	}
	_, err = w.s.Execute(context.Background(), "SUBSCRIBE TO SELECT 1 AS a")
	if err == nil || errors.Is(err, io.EOF) {
		t.Error("a SELECT over no stream is followed")
	} else {
		t.Log(base.AsError(err).Display())
	}
}
