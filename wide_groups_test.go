package flightd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sources"
)

// wideSource is a source "wide" of so many keys that groups are made by part of
// the hash. An offset is a number of epochs; each has some splits of some batches.
// broken names a split that panics, of epoch 1; none is -1.
type wideSource struct{ epochs, broken int }

const (
	wideSplits  = 4
	wideBatches = 5
	wideKeys    = 150_000
)

var wideSchema = arrow.NewSchema([]arrow.Field{
	{Name: "ts", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
	{Name: "k", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "v", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
}, nil)

func (s *wideSource) provider() sources.Provider {
	return sources.Provider{Name: "wide", Stream: func(context.Context, sources.Config) (sources.Source, error) { return s, nil }}
}

func (s *wideSource) Schema() *arrow.Schema                        { return wideSchema }
func (s *wideSource) Initial(context.Context) (base.Offset, error) { return "0", nil }
func (s *wideSource) Commit(context.Context, base.Offset) error    { return nil }
func (s *wideSource) Describe() string                             { return "WideSource" }
func (s *wideSource) Close() error                                 { return nil }
func (s *wideSource) Freeze(context.Context, base.Offset) error    { return nil }

func (s *wideSource) Latest(_ context.Context, from base.Offset, _ sources.Limit) (base.Offset, error) {
	n, err := strconv.Atoi(string(from))
	return base.Offset(strconv.Itoa(min(n+1, s.epochs))), err
}

func (s *wideSource) Read(_ context.Context, from, to base.Offset, scan sources.Scan) ([]sources.Split, error) {
	a, _ := strconv.Atoi(string(from))
	z, err := strconv.Atoi(string(to))
	var out []sources.Split
	for ; a < z; a++ {
		for i := range wideSplits {
			out = append(out, &wideSplit{epoch: a, split: i, columns: scan.Columns, broken: a == 1 && i == s.broken})
		}
	}
	return out, err
}

// wideSplit is a split and its reader: the split i of epoch e has the same rows
// whenever it is read.
type wideSplit struct {
	epoch, split, batch int
	columns             []int
	broken              bool
}

func (s *wideSplit) Open(context.Context) (sources.Reader, error) {
	again := *s
	return &again, nil
}

func (s *wideSplit) String() string { return fmt.Sprintf("wide %d.%d", s.epoch, s.split) }
func (s *wideSplit) Close() error   { return nil }

func (s *wideSplit) Next(context.Context) (arrow.RecordBatch, error) {
	if s.batch == wideBatches {
		return nil, io.EOF
	}
	if s.broken && s.batch == 2 {
		panic("the wide reader is broken")
	}
	rnd := rand.New(rand.NewPCG(uint64(s.epoch), uint64(s.split*wideBatches+s.batch)))
	b := array.NewRecordBuilder(memory.DefaultAllocator, wideSchema)
	defer b.Release()
	for range 8192 {
		at := int64(s.epoch)*30_000_000 + rnd.Int64N(40_000_000)
		b.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(at))
		b.Field(1).(*array.Int64Builder).Append(rnd.Int64N(wideKeys))
		if rnd.IntN(10) == 0 {
			b.Field(2).AppendNull()
		} else {
			b.Field(2).(*array.Int64Builder).Append(rnd.Int64N(1000))
		}
		b.Field(3).(*array.Float64Builder).Append(rnd.NormFloat64() * 1e6)
	}
	s.batch++
	all := b.NewRecordBatch()
	defer all.Release()
	if s.columns == nil {
		all.Retain()
		return all, nil
	}
	var fields []arrow.Field
	var cols []arrow.Array
	for _, c := range s.columns {
		fields, cols = append(fields, wideSchema.Field(c)), append(cols, all.Column(c))
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, all.NumRows()), nil
}

// digests is a sink "digests" that keeps the digest of each commit, repeats included.
type digests struct{ commits []string }

func (d *digests) provider() sinks.Provider {
	return sinks.Provider{Name: "digests", Open: func(context.Context, sinks.Config) (sinks.Sink, error) { return &digestWriter{sink: d}, nil }}
}

type digestWriter struct{ sink *digests }

func (w *digestWriter) Write(context.Context, base.Epoch, sinks.Mode, arrow.RecordBatch) error {
	return nil
}

func (w *digestWriter) Commit(_ context.Context, epoch base.Epoch, _ sinks.Mode, digest base.Digest) error {
	w.sink.commits = append(w.sink.commits, fmt.Sprintf("epoch %d: %s", epoch, digest))
	return nil
}

func (w *digestWriter) Describe() string { return "DigestSink" }
func (w *digestWriter) Close() error     { return nil }

// playWide runs a query over the wide source with so many processors, dies before
// the steps that crashes name, and returns the digests of all commits.
func playWide(t *testing.T, src *wideSource, sql, mode string, procs int, crashes ...int) ([]string, error) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	w, sink, step := newWorld(t), &digests{}, 0
	for {
		eng, err := flightd.Open(context.Background(), flightd.Options{DataDir: filepath.Join(w.home, "data"), Clock: w.clock, CheckpointFS: w.disk,
			Sinks: []sinks.Provider{sink.provider()}, Sources: []sources.Provider{src.provider()},
			BeforeStep: func(string, string, base.Epoch) error {
				if step++; len(crashes) > 0 && step == crashes[0] {
					crashes, step = crashes[1:], 0
					return errPlanned
				}
				return nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		s := eng.NewSession()
		if err := s.ReadStream().Format("wide").Load().CreateOrReplaceTempView("e"); err != nil {
			t.Fatal(err)
		}
		q, err := s.SQL(sql).WriteStream().OutputMode(mode).QueryName("q").Format("digests").Trigger(availableNow).
			Option("checkpointLocation", filepath.Join(w.home, "checkpoint")).Start(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		err = finish(q)
		if e := eng.Close(); e != nil {
			t.Error(e)
		}
		if !errors.Is(err, errPlanned) {
			if len(crashes) > 0 {
				t.Errorf("crashes %v did not happen", crashes)
			}
			return sink.commits, err
		}
	}
}

// TestDeterminismOfManyGroups runs queries whose groups are made by part of the
// hash, by one, two and four workers, and through crashes: every commit has the
// digest of the plain run's.
func TestDeterminismOfManyGroups(t *testing.T) {
	for _, q := range []struct{ name, mode, sql string }{
		{"sums", "update", "SELECT k, count(*) AS n, sum(x) AS x, avg(x) AS mean, sum(v) AS v, min(v) AS low, max(v) AS high FROM e GROUP BY k"},
		{"text keys", "update", "SELECT concat('a key of some length ', k) AS k, sum(x) AS x, max(v) AS v FROM e GROUP BY concat('a key of some length ', k)"},
		{"panes", "append", "SELECT window.start AS start, k, count(*) AS n, sum(v) AS v FROM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS GROUP BY window(ts, '10 seconds', '5 seconds'), k"},
		{"sliding sums", "append", "SELECT window.start AS start, k, sum(x) AS x FROM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS GROUP BY window(ts, '10 seconds', '5 seconds'), k"},
	} {
		t.Run(q.name, func(t *testing.T) {
			src := &wideSource{epochs: 3, broken: -1}
			want, err := playWide(t, src, q.sql, q.mode, 1)
			if err != nil || len(want) < 3 {
				t.Fatalf("%d epochs, error %v", len(want), err)
			}
			ways := []struct {
				procs   int
				crashes []int
			}{{2, nil}, {4, []int{9, 5}}, {1, []int{12}}, {4, nil}}
			if testing.Short() {
				ways = ways[1:2]
			}
			for _, w := range ways {
				got, err := playWide(t, src, q.sql, q.mode, w.procs, w.crashes...)
				if err != nil {
					t.Fatal(err)
				}
				seen := map[string]bool{}
				for _, c := range got {
					seen[c] = true
					if !strings.Contains(strings.Join(want, "\n"), c) {
						t.Errorf("%+v: %s, want one of %q", w, c, want)
					}
				}
				if len(seen) != len(want) {
					t.Errorf("%+v: %d epochs, want %d", w, len(seen), len(want))
				}
			}
		})
	}
}

// TestBrokenReaderEndsOnlyItsQuery has a split panic, wherever it is read: the
// query fails with an error that has the panic's text and no stack, the process
// goes on.
func TestBrokenReaderEndsOnlyItsQuery(t *testing.T) {
	for _, procs := range []int{1, 4} {
		for _, sql := range []string{"SELECT k, x FROM e WHERE v > 3", "SELECT k, sum(x) AS x FROM e GROUP BY k"} {
			mode := map[bool]string{true: "update", false: "append"}[strings.Contains(sql, "GROUP")]
			commits, err := playWide(t, &wideSource{epochs: 3, broken: 2}, sql, mode, procs)
			if err == nil || len(commits) != 1 {
				t.Errorf("%d commits, error %v", len(commits), err)
				continue
			}
			if text := base.AsError(err).Display() + err.Error(); !strings.Contains(text, "a bug in flightd: the wide reader is broken") || strings.Contains(text, "goroutine") {
				t.Errorf("the error says %s", text)
			}
		}
	}
}
