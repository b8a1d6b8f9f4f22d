package flightd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowmem "github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/memory"
)

// some reads the next batch and keeps the first of its rows, at most n, and the token
// behind the last of them. cut says that it had more.
func (f *follower) some(n int64) (rows []string, cut bool, err error) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	rec, err := f.r.Next(ctx)
	if err != nil {
		return nil, false, err
	}
	defer rec.Release()
	cut = n < rec.NumRows()
	n = min(n, rec.NumRows())
	var note struct{ Resume *string }
	if err := json.Unmarshal(f.r.Annotation()(0, n), &note); err != nil {
		f.t.Fatal(err)
	}
	if note.Resume == nil {
		f.t.Fatal("a batch without a token")
	}
	f.resume = *note.Resume
	return rowTexts(rec)[:n], cut, nil
}

// exec runs a statement.
func (w *world) exec(text string) {
	w.t.Helper()
	script(w.t, w.s, text)
}

// A subscription to a SELECT, a view or a table is gone on with behind any row, by its
// token alone: every row once, whatever the statement is made of, wherever its epochs are
// cut, and whether the server was started again meanwhile or not.
func TestSubscribeResumesScratch(t *testing.T) {
	for _, c := range []struct{ name, what, options string }{
		{"table", "a", ""},
		{"view", "v", "PROGRESS"},
		{"filter", "(SELECT n, upper(s) FROM STREAM a WHERE n % 5 <> 2)", ""},
		{"explode", "(SELECT n * 10 + e AS n, s FROM STREAM a LATERAL VIEW explode(sequence(0, n % 3)) x AS e)", "SNAPSHOT"},
		{"union", "(SELECT n, s FROM STREAM a UNION ALL SELECT n, s FROM STREAM b)", ""},
		{"static join", "(SELECT a.n, d.name FROM STREAM a JOIN d ON a.n % 7 = d.k)", "PROGRESS"},
		{"random", "(SELECT n, rand(), uuid(), current_timestamp() FROM STREAM a)", ""},
		{"watermark", "(SELECT n, s FROM STREAM a WATERMARK ts DELAY OF INTERVAL 1 SECOND)", "PROGRESS"},
		{"upsert", "(SELECT n, s FROM STREAM a)", "ENVELOPE upsert(n)"},
		{"managed table", "(SELECT n, s FROM STREAM m)", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(2) {
				resumesScratch(t, seed, c.what, c.options)
			}
		})
	}
}

// resumesScratch writes rows, follows them in pieces and compares.
func resumesScratch(t *testing.T, seed uint64, what, options string) {
	w := newWorld(t)
	w.realTime = true
	w.open()
	r := rand.New(rand.NewPCG(seed, 3))
	for _, name := range []string{"a", "b"} {
		w.exec(fmt.Sprintf("CREATE TABLE %s (n BIGINT, s STRING, ts TIMESTAMP) USING flight OPTIONS ('maxRowsPerTrigger' = '%d', 'segmentBytes' = '4000')", name, 1+r.IntN(30)))
	}
	w.exec("CREATE TABLE m (n BIGINT, s STRING)")
	w.exec("CREATE TABLE d AS SELECT id AS k, concat('name ', id) AS name FROM range(5)")
	n := 0
	write := func() {
		count := 1 + r.IntN(20)
		w.exec(fmt.Sprintf("INSERT INTO a SELECT id, concat('s', id), timestamp_seconds(1700000000 + id) FROM range(%d, %d)", n, n+count))
		w.exec(fmt.Sprintf("INSERT INTO b SELECT id + 1000000, 'b', NULL FROM range(%d, %d)", n, n+count/2))
		w.exec(fmt.Sprintf("INSERT INTO m SELECT id, 'm' FROM range(%d, %d)", n, n+count))
		n += count
	}
	view := func() { w.exec("CREATE OR REPLACE TEMPORARY VIEW v AS SELECT n, length(s) FROM STREAM a WHERE n >= 3") }
	write()
	view()
	var told []string
	resume := ""
	follow := func(enough func() bool) {
		text := "SUBSCRIBE TO " + what + " " + options
		if resume != "" {
			text += " RESUME '" + resume + "'"
		}
		f := w.subscribe(text)
		defer f.r.Close()
		for !enough() {
			rows, cut, err := f.some(1 + r.Int64N(12))
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			told, resume = append(told, rows...), f.resume
			if cut { // the rest is lost with the reader
				return
			}
		}
	}
	want := func() int { // rows
		all := results(t, w.s, "SELECT count(*) FROM ("+strings.NewReplacer("STREAM ", "", "WATERMARK ts DELAY OF INTERVAL 1 SECOND", "").Replace(batchOf(what))+")")
		count, _ := strconv.Atoi(all[0])
		return count
	}
	for range 25 {
		stop, there := r.IntN(4), want()
		follow(func() bool { stop--; return stop < 0 || len(values(told, options)) >= there })
		if r.IntN(2) == 0 {
			write()
		}
		if r.IntN(4) == 0 {
			w.open()
			view()
		}
	}
	expect := want()
	for len(values(told, options)) < expect {
		follow(func() bool { return len(values(told, options)) >= expect })
	}
	got := values(told, options)
	if different := slices.Compact(slices.Sorted(slices.Values(got))); len(different) != len(got) || len(got) != expect {
		t.Fatalf("seed %d: %d rows of %d, %d of them different: %v", seed, len(got), expect, len(different), got)
	}
	for _, from := range []int64{0, 1000000} { // each table's rows in order
		var of []int64
		for _, n := range got {
			if (n >= 1000000) == (from > 0) {
				of = append(of, n)
			}
		}
		if !slices.IsSorted(of) {
			t.Errorf("seed %d: not in order: %v", seed, of)
		}
	}
}

// batchOf is the statement that gives the rows at once.
func batchOf(what string) string {
	switch what {
	case "a":
		return "SELECT * FROM a"
	case "v":
		return "SELECT n, length(s) FROM a WHERE n >= 3"
	}
	return strings.TrimSuffix(strings.TrimPrefix(what, "("), ")")
}

// values are the numbers of the rows that are of the result.
func values(told []string, options string) (out []int64) {
	for _, row := range told {
		cells := strings.Split(row, "|")
		if options == "PROGRESS" || strings.HasPrefix(options, "ENVELOPE") {
			if cells[1] == "0" {
				continue
			}
			cells = cells[3:]
		}
		n, _ := strconv.ParseInt(cells[0], 10, 64)
		out = append(out, n)
	}
	return out
}

// tokenOf follows a statement for n rows and returns the token behind them.
func (w *world) tokenOf(text string, n int64) string {
	w.t.Helper()
	f := w.subscribe(text)
	defer f.r.Close()
	for n > 0 {
		rows, _, err := f.some(n)
		if err != nil {
			w.t.Fatal(err)
		}
		n -= int64(len(rows))
	}
	return f.resume
}

// What cannot be gone on with says why, and never gives a row twice or leaves one out.
func TestSubscribeResumeRefused(t *testing.T) {
	w := newLive(t)
	w.exec("CREATE TABLE t (n BIGINT, s STRING) USING flight; CREATE TABLE other (n BIGINT, s STRING) USING flight; CREATE TABLE d (k BIGINT, name STRING); INSERT INTO d VALUES (1, 'one'), (2, 'two')")
	w.exec("INSERT INTO t SELECT id, 'x' FROM range(10); INSERT INTO other VALUES (1, 'y')")
	w.exec("CREATE STREAMING QUERY live INTO feed AS SELECT n FROM STREAM t")
	token := w.tokenOf("SUBSCRIBE TO (SELECT n FROM STREAM t)", 4)
	named := w.tokenOf("SUBSCRIBE TO live FROM EPOCH 0", 4)
	for _, c := range [][4]string{
		{"(SELECT n FROM STREAM other) RESUME '" + token, "SUBSCRIBE_INVALID_TOKEN", "22023", "another statement"},
		{"(SELECT n + 1 AS n FROM STREAM t) RESUME '" + token, "SUBSCRIBE_INVALID_TOKEN", "22023", "another statement"},
		{"(SELECT n FROM STREAM t WHERE n > 1) RESUME '" + token, "SUBSCRIBE_INVALID_TOKEN", "22023", "another statement"},
		{"t RESUME '" + token, "SUBSCRIBE_INVALID_TOKEN", "22023", "another statement"},
		{"(SELECT n FROM STREAM t) ENVELOPE upsert(n) RESUME '" + token, "SUBSCRIBE_INVALID_TOKEN", "22023", "another ENVELOPE"},
		{"(SELECT n FROM STREAM t) RESUME '" + named, "SUBSCRIBE_INVALID_TOKEN", "22023", "INTO feed"},
		{"live RESUME '" + token, "SUBSCRIBE_INVALID_TOKEN", "22023", "version is 2"},
		{"(SELECT n FROM STREAM t) RESUME '", "SUBSCRIBE_INVALID_TOKEN", "22023", "base64url"},
		{"(SELECT n FROM STREAM t) RESUME '" + token[:len(token)-1], "SUBSCRIBE_INVALID_TOKEN", "22023", "token"},
		{"(SELECT n FROM STREAM t) RESUME '" + strings.Repeat("A", 1<<15), "SUBSCRIBE_INVALID_TOKEN", "22023", "characters"},
		{"(SELECT count(*) FROM STREAM t) ENVELOPE changelog RESUME '" + token, "SUBSCRIBE_NOT_RESUMABLE", "0A000", "state of an aggregation"},
		{"(SELECT DISTINCT n FROM STREAM t) RESUME '" + token, "SUBSCRIBE_NOT_RESUMABLE", "0A000", "state of"},
		{"((SELECT n FROM STREAM t LIMIT 3)) RESUME '" + token, "SUBSCRIBE_NOT_RESUMABLE", "0A000", "a LIMIT"},
		{"(SELECT t.n FROM STREAM t JOIN STREAM other o ON t.n = o.n) RESUME '" + token, "SUBSCRIBE_NOT_RESUMABLE", "0A000", "a join of streams"},
		{"lines RESUME '" + token, "SUBSCRIBE_NOT_RESUMABLE", "0A000", "read of lines (json) is known to that query alone"},
	} {
		_, err := w.s.Execute(context.Background(), "SUBSCRIBE TO "+c[0]+"'")
		wantError(t, err, c[1], c[2], c[3])
	}
	if f := w.subscribe("SUBSCRIBE TO (SELECT DISTINCT n FROM STREAM t)"); true {
		f.rows(10)
		if f.resume != "" {
			t.Errorf("a query with state gives the token %s", f.resume)
		}
	}
	w.subscribe("SUBSCRIBE TO (SELECT n FROM STREAM t) RESUME '"+token+"'").want("4", "5", "6", "7", "8", "9")

	// Settings that change values are part of the statement, those of flightd are not.
	for _, set := range []string{"SET flightd.subscribe.slow = disconnect", "SET flightd.subscribe.maxBatches = 7"} {
		w.exec(set)
	}
	w.subscribe("SUBSCRIBE TO (SELECT n FROM STREAM t) RESUME '"+token+"'").want("4", "5", "6", "7", "8", "9")
	w.exec("SET spark.sql.session.timeZone = Asia/Tokyo")
	_, err := w.s.Execute(context.Background(), "SUBSCRIBE TO (SELECT n FROM STREAM t) RESUME '"+token+"'")
	wantError(t, err, "SUBSCRIBE_INVALID_TOKEN", "22023", "settings")
	w.exec("RESET spark.sql.session.timeZone")

	// A static table that changed is read as it was in the epoch that was told in part.
	join := "(SELECT t.n, d.name FROM STREAM t JOIN d ON t.n % 3 = d.k)"
	token = w.tokenOf("SUBSCRIBE TO "+join, 2)
	w.exec("INSERT INTO d VALUES (0, 'zero')")
	w.subscribe("SUBSCRIBE TO "+join+" RESUME '"+token+"'").want("4|one", "5|two", "7|one", "8|two")

	// The table is another one.
	token = w.tokenOf("SUBSCRIBE TO t", 4)
	w.exec("CREATE OR REPLACE TABLE t (n BIGINT, s STRING) USING flight; INSERT INTO t VALUES (77, 'z')")
	_, err = w.s.Execute(context.Background(), "SUBSCRIBE TO t RESUME '"+token+"'")
	wantError(t, err, "SUBSCRIBE_INVALID_TOKEN", "22023", "other tables")

	// Another data folder's token.
	token = w.tokenOf("SUBSCRIBE TO t", 1)
	x := newLive(t)
	x.exec("CREATE TABLE t (n BIGINT, s STRING) USING flight; INSERT INTO t VALUES (77, 'z')")
	_, err = x.s.Execute(context.Background(), "SUBSCRIBE TO t RESUME '"+token+"'")
	wantError(t, err, "SUBSCRIBE_INVALID_TOKEN", "22023", "another data folder")
}

// Rows that the retention took are an error, also of a table that goes on behind such a
// loss when the loss is within an epoch that was told in part: what is left of it would
// be taken for other rows.
func TestSubscribeResumeDataLoss(t *testing.T) {
	for fails, condition := range map[string]string{"true": "FLIGHT_DATA_LOSS.ROWS_NOT_KEPT", "false": "SUBSCRIBE_REPLAY_DIFFERS"} {
		w := newWorld(t)
		w.realTime = true
		w.open()
		w.exec("CREATE TABLE t (n BIGINT, s STRING) USING flight OPTIONS ('retentionBytes' = '20000', 'segmentBytes' = '5000', 'failOnDataLoss' = '" + fails + "')")
		fill := func(from int) {
			for i := range 10 {
				w.exec(fmt.Sprintf("INSERT INTO t SELECT id, repeat(uuid(), 20) FROM range(%d, %d)", from+10*i, from+10*i+10))
			}
		}
		fill(0)
		token := w.tokenOf("SUBSCRIBE TO (SELECT n FROM STREAM t)", 5)
		for from, deadline := 100, time.Now().Add(30*time.Second); results(t, w.s, "SELECT min(n) FROM t")[0] < "5" || len(results(t, w.s, "SELECT min(n) FROM t")[0]) < 3; from += 100 {
			fill(from)
			if time.Now().After(deadline) {
				t.Fatal("the retention takes nothing")
			}
			time.Sleep(300 * time.Millisecond)
		}
		f := w.subscribe("SUBSCRIBE TO (SELECT n FROM STREAM t) RESUME '" + token + "'")
		for {
			rows, err := f.batch()
			if err != nil {
				wantError(t, err, condition, "22000")
				break
			}
			if len(rows) > 0 {
				t.Fatalf("failOnDataLoss=%s: got %v", fails, rows)
			}
		}
	}
}

// away is a source that cannot say where it begins, or where it goes on.
type away struct {
	sources.Source
	down *atomic.Bool
}

var errAway = errors.New("the broker is away")

func (a away) Initial(ctx context.Context) (base.Offset, error) {
	if a.down.Load() {
		return "", errAway
	}
	return a.Source.Initial(ctx)
}

func (a away) Latest(ctx context.Context, from base.Offset, lim sources.Limit) (base.Offset, error) {
	if a.down.Load() {
		return "", errAway
	}
	return a.Source.Latest(ctx, from, lim)
}

// A source that is away when a subscription begins or goes on costs its reader nothing:
// he has no token yet, or one that stands where his was.
func TestSubscribeResumeSourceAway(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	rows, down := memory.NewStream("away", schema), &atomic.Bool{}
	defer rows.Release()
	b := array.NewRecordBuilder(arrowmem.DefaultAllocator, schema)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 2, 3}, nil)
	rec := b.NewRecordBatch()
	defer rec.Release()
	if err := rows.Add(rec); err != nil {
		t.Fatal(err)
	}
	eng, err := flightd.Open(context.Background(), flightd.Options{DataDir: t.TempDir(), Sources: []sources.Provider{{Name: "away", Lasting: true,
		Stream: func(context.Context, sources.Config) (sources.Source, error) { return away{rows.Open(), down}, nil }}}})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	w := &world{t: t, eng: eng, s: eng.NewSession()}
	w.exec("CREATE TABLE t (n BIGINT) USING away")
	fails := func(text string) string {
		f := w.subscribe(text)
		for {
			if _, err := f.batch(); err != nil {
				if !errors.Is(err, errAway) {
					t.Fatal(err)
				}
				return f.resume
			}
		}
	}
	down.Store(true)
	if token := fails("SUBSCRIBE TO t"); token != "" {
		t.Errorf("a token of nowhere: %s", token)
	}
	down.Store(false)
	for kept := int64(1); kept <= 3; kept++ {
		token := w.tokenOf("SUBSCRIBE TO t", kept)
		down.Store(true)
		token = fails("SUBSCRIBE TO t RESUME '" + token + "'")
		down.Store(false)
		w.subscribe("SUBSCRIBE TO t RESUME '" + token + "'").want([]string{"1", "2", "3"}[kept:]...)
	}
}
