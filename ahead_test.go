package flightd_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sources"
)

// lateCommit is a sink whose commits wait for what a test says.
type lateCommit struct {
	digests
	wait func(epoch base.Epoch)
}

func (s *lateCommit) provider() sinks.Provider {
	return sinks.Provider{Name: "digests", Open: func(context.Context, sinks.Config) (sinks.Sink, error) {
		return &lateWriter{digestWriter{sink: &s.digests}, s.wait}, nil
	}}
}

type lateWriter struct {
	digestWriter
	wait func(epoch base.Epoch)
}

func (w *lateWriter) Commit(ctx context.Context, epoch base.Epoch, mode sinks.Mode, digest base.Digest) error {
	w.wait(epoch)
	return w.digestWriter.Commit(ctx, epoch, mode, digest)
}

// openedSource tells which epochs' splits were opened.
type openedSource struct {
	wideSource
	opened chan int
}

func (s *openedSource) provider() sources.Provider {
	return sources.Provider{Name: "wide",
		Stream: func(context.Context, sources.Config) (sources.Source, error) { return s, nil }}
}

func (s *openedSource) Read(ctx context.Context, from, to base.Offset, scan sources.Scan) ([]sources.Split, error) {
	splits, err := s.wideSource.Read(ctx, from, to, scan)
	for i, split := range splits {
		splits[i] = &openedSplit{split.(*wideSplit), s.opened}
	}
	return splits, err
}

type openedSplit struct {
	*wideSplit
	opened chan int
}

func (s *openedSplit) Open(ctx context.Context) (sources.Reader, error) {
	s.opened <- s.epoch
	return s.wideSplit.Open(ctx)
}

// TestReadsAhead has the commit of each epoch but the last wait until rows of the
// next one are being read: several workers read ahead whatever the operator, one
// alone and whoever switches it off do not.
func TestReadsAhead(t *testing.T) {
	const epochs = 3
	play := func(t *testing.T, sql, mode string, enabled bool, wait func(opened chan int, epoch base.Epoch)) []string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
		src := &openedSource{wideSource{epochs: epochs, broken: -1}, make(chan int, 100)}
		sink := &lateCommit{wait: func(epoch base.Epoch) { wait(src.opened, epoch) }}
		eng, err := flightd.Open(t.Context(), flightd.Options{DataDir: t.TempDir(), Sinks: []sinks.Provider{sink.provider()}, Sources: []sources.Provider{src.provider()}})
		if err != nil {
			t.Fatal(err)
		}
		defer eng.Close()
		s := eng.NewSession()
		if !enabled {
			if _, err := s.Execute(t.Context(), "SET flightd.readAhead.enabled = false"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.ReadStream().Format("wide").Load().CreateOrReplaceTempView("e"); err != nil {
			t.Fatal(err)
		}
		q, err := s.SQL(sql).WriteStream().OutputMode(mode).Format("digests").Trigger(availableNow).
			Option("checkpointLocation", t.TempDir()).Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := finish(q); err != nil {
			t.Fatal(err)
		}
		return sink.commits
	}
	for _, q := range []struct{ name, mode, sql string }{
		{"stateless", "append", "SELECT k, x FROM e WHERE v > 990"},
		{"aggregation", "update", "SELECT k % 10 AS k, sum(v) AS v FROM e GROUP BY k % 10"},
		{"sessions", "append", "SELECT k % 10 AS k, session_window AS w, count(*) AS n FROM e WATERMARK ts DELAY OF INTERVAL 10 SECONDS GROUP BY k % 10, session_window(ts, '1 second')"},
		{"deduplication", "append", "SELECT k FROM e DEDUPLICATE ON (k)"},
		{"join", "append", "SELECT a.k, a.v FROM e a JOIN e b ON a.k = b.k AND a.v = b.v + 1000"},
	} {
		t.Run(q.name, func(t *testing.T) {
			got := play(t, q.sql, q.mode, true, func(opened chan int, epoch base.Epoch) {
				deadline := time.After(20 * time.Second)
				for int(epoch)+1 < epochs {
					select {
					case e := <-opened:
						if e == int(epoch)+1 {
							return
						}
					case <-deadline:
						t.Errorf("epoch %d was not read while epoch %d was committed", epoch+1, epoch)
						return
					}
				}
			})
			want := play(t, q.sql, q.mode, false, func(opened chan int, epoch base.Epoch) {
				for len(opened) > 0 {
					if e := <-opened; e > int(epoch) {
						t.Errorf("epoch %d was read before epoch %d was committed", e, epoch)
					}
				}
			})
			compareCommits(t, want, got)
		})
	}
}

func compareCommits(t *testing.T, want, got []string) {
	t.Helper()
	if len(want) < 3 || len(want) != len(got) {
		t.Fatalf("%d epochs, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s, want %s", got[i], want[i])
		}
	}
}
