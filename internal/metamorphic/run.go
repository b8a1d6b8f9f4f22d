package metamorphic

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/sinks"
)

// play is one way of running a query: how its input is cut, and how often it
// crashes.
type play struct {
	cuts int
	// waiting reads all micro-batches in one run, one after another; else each is a
	// run of its own.
	waiting bool
	crash   bool
}

func (p play) String() string {
	return fmt.Sprintf("cuts=%d waiting=%v crash=%v", p.cuts, p.waiting, p.crash)
}

// trial is a query over its data.
type trial struct {
	home  string
	r     *rand.Rand
	query *query
	play  play
	s, t  [][]row
	disk  vfs.FS
	sink  committed
	// fuse is the durable step before which the run dies; 0: none.
	fuse int
}

var errCrash = errors.New("planned crash")

// flush is a row that moves the watermark past everything.
func flush(id int, side string, rows []row) row {
	far := int64(0)
	for _, r := range rows {
		if r.time != nil {
			far = max(far, *r.time)
		}
	}
	k, v := "flush "+side, -77
	x := row{ID: id, K: &k, V: &v, Gap: 1}
	x.at(far/1_000_000*1_000_000 + 10*24*3600*1_000_000)
	return x
}

// newTrial draws data for q and cuts it as p says.
func newTrial(home string, r *rand.Rand, q *query, p play) *trial {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	if r.IntN(6) == 0 {
		begin = -20_000_000 // before 1970 rows are late from the first epoch on
	}
	n := 20 + r.IntN(100)
	x := &trial{home: home, r: r, query: q, play: p, disk: vfs.NewMem()}
	s := draw(r, n, 0, begin)
	t := draw(r, n/2+1, 10_000, begin)
	last := flush(-1, "s", append(slices.Clone(s), t...))
	x.s, x.t = append(cut(r, s, p.cuts), []row{last}), append(cut(r, t, p.cuts), []row{flush(-2, "t", []row{last})})
	*x.t[p.cuts][0].time, *x.t[p.cuts][0].TS = *last.time, *last.TS
	if p.crash {
		x.fuse = 1 + r.IntN(4*p.cuts+4)
	}
	return x
}

// want is what the batch query says of the pairs that the model keeps.
func (x *trial) want(ctx context.Context) ([]string, error) {
	p, q := x.query.keep(x.s, x.t, x.play.waiting)
	write := func(name string, pairs []pair) error {
		var b strings.Builder
		for _, y := range pairs {
			if y.ID < 0 {
				continue
			}
			line := y.line()
			fmt.Fprintf(&b, "%s,\"ws\":%q,\"we\":%q,\"grp\":%d}\n", line[:len(line)-1], stamp(y.start), stamp(y.end), y.group)
		}
		dir := filepath.Join(x.home, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "0.json"), []byte(b.String()), 0o644)
	}
	if err := errors.Join(write("p", p), write("q", q)); err != nil {
		return nil, err
	}
	eng, err := flightd.Open(ctx, flightd.Options{})
	if err != nil {
		return nil, err
	}
	defer eng.Close()
	session := eng.NewSession()
	if _, err := session.Set("spark.sql.join.asofJoin.enabled", "true"); err != nil {
		return nil, err
	}
	for _, name := range []string{"p", "q"} {
		err := session.Read().Schema(ddl + ", ws TIMESTAMP, we TIMESTAMP, grp INT").JSON(filepath.Join(x.home, name)).CreateOrReplaceTempView(name)
		if err != nil {
			return nil, err
		}
	}
	recs, err := session.SQL(x.query.batch).Collect(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, rec := range recs {
		out = append(out, texts(rec)...)
		rec.Release()
	}
	slices.Sort(out)
	return out, nil
}

// got is what the streaming query puts out.
func (x *trial) got(ctx context.Context) ([]string, error) {
	for i := range x.s {
		if err := errors.Join(x.file("s", i, x.s[i]), x.file("t", i, x.t[i])); err != nil {
			return nil, err
		}
		if x.play.waiting && i < len(x.s)-1 {
			continue
		}
		err := x.run(ctx)
		if errors.Is(err, errCrash) {
			err = x.run(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	return x.sink.sorted(), nil
}

// file adds the i-th micro-batch to a stream; an empty one is none.
func (x *trial) file(name string, i int, rows []row) error {
	dir := filepath.Join(x.home, name)
	if err := os.MkdirAll(dir, 0o755); err != nil || len(rows) == 0 {
		return err
	}
	var b strings.Builder
	for _, r := range rows {
		b.WriteString(r.line() + "\n")
	}
	path := filepath.Join(dir, fmt.Sprintf("%05d.json", i))
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		return err
	}
	at := time.Unix(1_700_000_000+int64(i)*10, 0)
	return os.Chtimes(path, at, at)
}

// run starts the query on what is there, in a new engine, and waits for its end.
func (x *trial) run(ctx context.Context) error {
	eng, err := flightd.Open(ctx, flightd.Options{CheckpointFS: x.disk, Sinks: []sinks.Provider{x.sink.provider()}, BeforeStep: func(string, string, base.Epoch) error {
		if x.fuse--; x.fuse == 0 {
			return errCrash
		}
		return nil
	}})
	if err != nil {
		return err
	}
	defer eng.Close()
	session := eng.NewSession()
	for _, kv := range [][2]string{{"flightd.subTables", fmt.Sprint(1 << x.r.IntN(5))}, {"flightd.batchRows", fmt.Sprint(pick(x.r, []int{1, 3, 1000}))},
		{"spark.sql.join.asofJoin.enabled", "true"}, {"flightd.streamAsOfJoin.enabled", "true"},
		{"spark.sql.streaming.stateStore.minDeltasForSnapshot", fmt.Sprint(1 + x.r.IntN(4))}} {
		if _, err := session.Set(kv[0], kv[1]); err != nil {
			return err
		}
	}
	for _, name := range []string{"s", "t"} {
		in := session.ReadStream().Schema(ddl)
		if x.play.waiting {
			in = in.Option("maxFilesPerTrigger", 1)
		}
		if err := in.JSON(filepath.Join(x.home, name)).CreateOrReplaceTempView(name); err != nil {
			return err
		}
	}
	q, err := session.SQL(x.query.stream).WriteStream().OutputMode("append").QueryName("q").Format("kept").
		Trigger(flightd.Trigger{Kind: flightd.AvailableNow}).Option("checkpointLocation", filepath.Join(x.home, "checkpoint")).Start(ctx)
	if err != nil {
		return err
	}
	return q.AwaitTermination(ctx)
}

// committed is a sink that keeps each epoch once, over all runs.
type committed struct {
	mu     sync.Mutex
	epochs map[base.Epoch]base.Digest
	rows   []string
}

func (c *committed) provider() sinks.Provider {
	return sinks.Provider{Name: "kept", Open: func(context.Context, sinks.Config) (sinks.Sink, error) { return &writer{sink: c}, nil }}
}

func (c *committed) sorted() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The row that flushes is not a row of the query.
	out := slices.DeleteFunc(slices.Clone(c.rows), func(row string) bool { return strings.Contains(row, "flush ") || strings.Contains(row, "-77") })
	slices.Sort(out)
	return out
}

type writer struct {
	sink *committed
	rows []string
}

var _ sinks.Sink = (*writer)(nil)

func (w *writer) Write(_ context.Context, _ base.Epoch, _ sinks.Mode, rec arrow.RecordBatch) error {
	w.rows = append(w.rows, texts(rec)...)
	return nil
}

func (w *writer) Commit(_ context.Context, epoch base.Epoch, _ sinks.Mode, digest base.Digest) error {
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	rows := w.rows
	w.rows = nil
	if old, ok := w.sink.epochs[epoch]; ok {
		if old != digest {
			return base.Errorf(base.CodeCorrupt, "epoch %d comes again with another digest", epoch)
		}
		return nil
	}
	if w.sink.epochs == nil {
		w.sink.epochs = map[base.Epoch]base.Digest{}
	}
	w.sink.epochs[epoch] = digest
	w.sink.rows = append(w.sink.rows, rows...)
	return nil
}

func (w *writer) Describe() string { return "KeptSink" }
func (w *writer) Close() error     { return nil }

func texts(rec arrow.RecordBatch) []string {
	zone := kernels.NewZone(time.UTC)
	out := make([]string, rec.NumRows())
	for i := range out {
		cells := make([]string, rec.NumCols())
		for c := range cells {
			text, ok := arrowtext.Value(rec.Column(c), i, zone)
			if !ok {
				text = "NULL"
			}
			cells[c] = text
		}
		out[i] = strings.Join(cells, "|")
	}
	return out
}
