package flightd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sources"
)

// ledgerSink is a sink "ledger" that remembers every commit, repeats included. It
// outlives the engines of a test, as a disk would.
type ledgerSink struct {
	mu      sync.Mutex
	commits []sinkCommit
	// onWrite and onCommit, if set, may fail a call; rows counts the rows of the
	// epoch so far, those of the call included.
	onWrite  func(ctx context.Context, epoch base.Epoch, rows int64) error
	onCommit func(epoch base.Epoch) error
}

type sinkCommit struct {
	epoch  base.Epoch
	digest base.Digest
	rows   []string
	mode   sinks.Mode
}

func (l *ledgerSink) provider() sinks.Provider {
	return sinks.Provider{Name: "ledger", Open: func(context.Context, sinks.Config) (sinks.Sink, error) { return &ledgerWriter{sink: l}, nil }}
}

// all returns every commit so far.
func (l *ledgerSink) all() []sinkCommit {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]sinkCommit(nil), l.commits...)
}

// rows returns the rows of all epochs, each once, and how many commits repeated
// an epoch. A repeat with another digest fails the test.
func (l *ledgerSink) rows(t *testing.T) (out []string, repeats int) {
	t.Helper()
	seen := map[base.Epoch]base.Digest{}
	for _, c := range l.all() {
		if d, ok := seen[c.epoch]; ok {
			repeats++
			if d != c.digest {
				t.Errorf("epoch %d was committed with digest %s and again with %s", c.epoch, d, c.digest)
			}
			continue
		}
		if int(c.epoch) != len(seen) {
			t.Errorf("epoch %d is the commit number %d", c.epoch, len(seen))
		}
		seen[c.epoch] = c.digest
		out = append(out, c.rows...)
	}
	return out, repeats
}

type ledgerWriter struct {
	sink *ledgerSink
	rows []string
}

var utcZone = kernels.NewZone(time.UTC)

func rowTexts(rec arrow.RecordBatch) []string {
	out := make([]string, rec.NumRows())
	for i := range out {
		cells := make([]string, rec.NumCols())
		for c := range cells {
			text, ok := arrowtext.Value(rec.Column(c), i, utcZone)
			if !ok {
				text = "NULL"
			}
			cells[c] = text
		}
		out[i] = strings.Join(cells, "|")
	}
	return out
}

func (w *ledgerWriter) Write(ctx context.Context, epoch base.Epoch, _ sinks.Mode, rec arrow.RecordBatch) error {
	w.rows = append(w.rows, rowTexts(rec)...)
	if f := w.sink.onWrite; f != nil {
		return f(ctx, epoch, int64(len(w.rows)))
	}
	return nil
}

func (w *ledgerWriter) Commit(_ context.Context, epoch base.Epoch, mode sinks.Mode, digest base.Digest) error {
	if f := w.sink.onCommit; f != nil {
		if err := f(epoch); err != nil {
			return err
		}
	}
	w.sink.mu.Lock()
	w.sink.commits = append(w.sink.commits, sinkCommit{epoch, digest, w.rows, mode})
	w.sink.mu.Unlock()
	w.rows = nil
	return nil
}

func (w *ledgerWriter) Describe() string { return "LedgerSink" }
func (w *ledgerWriter) Close() error     { return nil }

// errPlanned is what the tests' crashes and failures return.
var errPlanned = errors.New("planned failure")

// world is a data folder with a sink, on which engines are opened one after
// another.
type world struct {
	t     *testing.T
	home  string
	disk  vfs.FS
	sink  *ledgerSink
	clock *base.VirtualClock
	// realTime opens engines with the computer's clock.
	realTime bool
	settings map[string]string
	// before, if set, is told every durable step.
	before func(step string, epoch base.Epoch) error

	eng *flightd.Engine
	s   *flightd.Session
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, home: t.TempDir(), disk: vfs.NewMem(), sink: &ledgerSink{}, clock: base.NewVirtualClock(time.Unix(1_800_000_000, 0)),
		settings: map[string]string{}}
	t.Cleanup(func() { w.close() })
	return w
}

func (w *world) close() {
	if w.eng != nil {
		if err := w.eng.Close(); err != nil {
			w.t.Errorf("closing the engine: %v", err)
		}
		w.eng = nil
	}
}

// open opens an engine, in place of the one before.
func (w *world) open() *flightd.Session {
	w.t.Helper()
	w.close()
	var clock base.Clock = w.clock
	if w.realTime {
		clock = base.RealClock{}
	}
	eng, err := flightd.Open(context.Background(), flightd.Options{DataDir: filepath.Join(w.home, "data"), Clock: clock, CheckpointFS: w.disk,
		Sinks: []sinks.Provider{w.sink.provider()}, BeforeStep: func(_, step string, epoch base.Epoch) error {
			if w.before != nil {
				return w.before(step, epoch)
			}
			return nil
		}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.eng, w.s = eng, eng.NewSession()
	for k, v := range w.settings {
		if _, err := w.s.Set(k, v); err != nil {
			w.t.Fatal(err)
		}
	}
	return w.s
}

// stream names a folder of JSON lines as a stream; perTrigger files are read in
// an epoch, 0 is all.
func (w *world) stream(name, ddl string, perTrigger int) {
	w.t.Helper()
	r := w.s.ReadStream().Schema(ddl)
	if perTrigger > 0 {
		r = r.Option("maxFilesPerTrigger", perTrigger)
	}
	if err := r.JSON(w.dir(name)).CreateOrReplaceTempView(name); err != nil {
		w.t.Fatal(err)
	}
}

// table names a folder of JSON lines as a table.
func (w *world) table(name, ddl string) {
	w.t.Helper()
	if err := w.s.Read().Schema(ddl).JSON(w.dir(name)).CreateOrReplaceTempView(name); err != nil {
		w.t.Fatal(err)
	}
}

// dir is the folder of a stream or table.
func (w *world) dir(name string) string {
	dir := filepath.Join(w.home, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	return dir
}

// file writes the n-th file of a stream or table, lines of JSON.
func (w *world) file(name string, n int, lines ...string) {
	w.t.Helper()
	path := filepath.Join(w.dir(name), fmt.Sprintf("%05d.json", n))
	staged := filepath.Join(w.dir(name), fmt.Sprintf(".%05d.part", n)) // hidden: a running query must not see it
	if err := os.WriteFile(staged, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		w.t.Fatal(err)
	}
	at := time.Unix(1_700_000_000+int64(n)*10, 0)
	if err := os.Chtimes(staged, at, at); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(staged, path); err != nil {
		w.t.Fatal(err)
	}
}

// start starts a query into the ledger sink.
func (w *world) start(sql, mode string, trigger flightd.Trigger) (*flightd.StreamingQuery, error) {
	return w.s.SQL(sql).WriteStream().OutputMode(mode).QueryName("q").Format("ledger").Trigger(trigger).
		Option("checkpointLocation", filepath.Join(w.home, "checkpoint")).Start(context.Background())
}

// mustStart is start that cannot fail.
func (w *world) mustStart(sql, mode string, trigger flightd.Trigger) *flightd.StreamingQuery {
	w.t.Helper()
	q, err := w.start(sql, mode, trigger)
	if err != nil {
		w.t.Fatal(err)
	}
	return q
}

// finish waits for the end of a query that ends by itself.
func finish(q *flightd.StreamingQuery) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return q.AwaitTermination(ctx)
}

// settle waits until a query has nothing to do.
func settle(q *flightd.StreamingQuery) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return q.ProcessAllAvailable(ctx)
}

var availableNow = flightd.Trigger{Kind: flightd.AvailableNow}

// wantError fails the test unless err has the condition and SQLSTATE and its
// displayed text contains all parts.
func wantError(t *testing.T, err error, condition, state string, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want [%s] %s", condition, state)
		return
	}
	e := base.AsError(err)
	if e.Condition != condition || e.SQLState != state {
		t.Errorf("the error is [%s] %s, want [%s] %s: %v", e.Condition, e.SQLState, condition, state, err)
	}
	text := err.Error() + "\n" + e.Display()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("the error does not say %q:\n%s", p, text)
		}
	}
}

const eventsDDL = "ts TIMESTAMP, k STRING, v INT, x DOUBLE"

// events writes files of events that are mostly in order, sometimes late, with
// NULLs and doubles whose sum depends on the order of addition.
func (w *world) events(name string, files, rows, keys int, seed uint64) {
	w.t.Helper()
	r := rand.New(rand.NewPCG(seed, 11))
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for f := range files {
		lines := make([]string, rows)
		for i := range lines {
			at := begin.Add(time.Duration(f*rows+i) * 100 * time.Millisecond)
			if r.IntN(10) == 0 {
				at = at.Add(-time.Duration(r.IntN(90_000)) * time.Millisecond)
			}
			k, v := fmt.Sprintf(`"k%d"`, r.IntN(keys)), fmt.Sprint(r.IntN(1000))
			if r.IntN(20) == 0 {
				k = "null"
			}
			if r.IntN(20) == 0 {
				v = "null"
			}
			x := r.NormFloat64()
			for range r.IntN(20) {
				x *= 10
			}
			lines[i] = fmt.Sprintf(`{"ts":%q,"k":%s,"v":%s,"x":%g}`, at.Format("2006-01-02T15:04:05.000Z"), k, v, x)
		}
		w.file(name, f, lines...)
	}
}

// failingDisk fails the k-th operation that writes; 0 is none.
type failingDisk struct {
	vfs.FS
	mu  sync.Mutex
	ops int
	k   int
}

func newFailingDisk(fs vfs.FS, k int) *failingDisk {
	d := &failingDisk{k: k}
	d.FS = errorfs.Wrap(fs, errorfs.InjectorFunc(d.before))
	return d
}

func (d *failingDisk) before(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ops++; d.ops == d.k {
		return errPlanned
	}
	return nil
}

func (d *failingDisk) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ops
}

// dripSource is a source "drip" of a column n: drip adds the next number. It
// costs nothing to ask, unlike a directory.
type dripSource struct{ rows atomic.Int64 }

var dripSchema = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)

func (d *dripSource) provider() sources.Provider {
	return sources.Provider{Name: "drip", Stream: func(context.Context, sources.Config) (sources.Source, error) { return d, nil }}
}

func (d *dripSource) Schema() *arrow.Schema { return dripSchema }

func (d *dripSource) Initial(context.Context) (base.Offset, error) { return "0", nil }

func (d *dripSource) Latest(context.Context, base.Offset, sources.Limit) (base.Offset, error) {
	return base.Offset(strconv.FormatInt(d.rows.Load(), 10)), nil
}

func (d *dripSource) Read(_ context.Context, from, to base.Offset, _ sources.Scan) ([]sources.Split, error) {
	a, _ := strconv.ParseInt(string(from), 10, 64)
	z, err := strconv.ParseInt(string(to), 10, 64)
	return []sources.Split{dripSplit{a, z}}, err
}

func (d *dripSource) Commit(context.Context, base.Offset) error { return nil }
func (d *dripSource) Describe() string                          { return "DripSource" }
func (d *dripSource) Close() error                              { return nil }

type dripSplit struct{ from, to int64 }

func (s dripSplit) String() string                               { return fmt.Sprintf("drip[%d,%d)", s.from, s.to) }
func (s dripSplit) Open(context.Context) (sources.Reader, error) { return &dripReader{s}, nil }

type dripReader struct{ dripSplit }

func (r *dripReader) Next(context.Context) (arrow.RecordBatch, error) {
	if r.from == r.to {
		return nil, io.EOF
	}
	b := array.NewInt64Builder(memory.DefaultAllocator)
	for ; r.from < r.to; r.from++ {
		b.Append(r.from)
	}
	col := b.NewArray()
	defer col.Release()
	return array.NewRecordBatch(dripSchema, []arrow.Array{col}, int64(col.Len())), nil
}

func (r *dripReader) Close() error { return nil }
