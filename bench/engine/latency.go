package engine

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/bench/checksum"
	"github.com/flightd/flightd/bench/proc"
	"github.com/flightd/flightd/bench/workload"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/memory"
)

// Latency paces rows into a stream, a millisecond's worth at a time, and takes
// the time from there until the epoch that holds them is declared done, which
// is after the sink has its result and the checkpoint is synced.
type Latency struct {
	spec *proc.Spec
	recs []arrow.RecordBatch
	runs int
	sum  checksum.Sum
}

// Load generates the rows.
func (l *Latency) Load(_ context.Context, spec *proc.Spec) (string, error) {
	l.spec = spec
	table, err := workload.TableOf(spec.Name, spec.Tables[0].Name)
	if err != nil {
		return "", err
	}
	l.recs = table.Records(spec.Seed, spec.Rows, max(1, spec.Rate/1000))
	return flightd.Version + " " + runtime.Version(), nil
}

// arrivals are when rows came, and how long they took.
type arrivals struct {
	mu   sync.Mutex
	sent []arrival
	// done is the number of rows in epochs that are done.
	done  int64
	took  []time.Duration
	epoch int
}

type arrival struct {
	at time.Time
	// upto is the number of rows up to these.
	upto int64
}

func (*arrivals) QueryStarted(flightd.QueryStarted)       {}
func (*arrivals) QueryIdle(flightd.QueryIdle)             {}
func (*arrivals) QueryTerminated(flightd.QueryTerminated) {}

func (a *arrivals) QueryProgress(p flightd.Progress) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done += p.NumInputRows
	a.epoch++
	for len(a.took) < len(a.sent) && a.sent[len(a.took)].upto <= a.done {
		a.took = append(a.took, now.Sub(a.sent[len(a.took)].at))
	}
}

// Run takes as long as its rows come for. The first second does not count: the
// engine warms up.
func (l *Latency) Run(ctx context.Context, r *proc.Reply) error {
	l.runs++
	dir := filepath.Join(l.spec.Scratch, fmt.Sprintf("latency-%d", l.runs))
	name := l.spec.Tables[0].Name
	stream := memory.NewStream(name, l.recs[0].Schema())
	defer stream.Release()
	eng, err := flightd.Open(ctx, flightd.Options{DataDir: dir, Sources: []sources.Provider{stream.Provider()}})
	if err != nil {
		return err
	}
	defer eng.Close()
	seen := &arrivals{}
	eng.AddListener(seen)
	s := eng.NewSession()
	if _, err := s.Execute(ctx, "CREATE TABLE "+name+" USING "+name); err != nil {
		return err
	}
	var all []arrow.RecordBatch
	defer func() {
		for _, rec := range all {
			rec.Release()
		}
	}()
	q, err := s.SQL(l.spec.Queries[0]).WriteStream().OutputMode(l.spec.Mode).Option("checkpointLocation", filepath.Join(dir, "checkpoint")).
		ForeachBatch(func(_ context.Context, rows []arrow.RecordBatch, _ int64) error {
			for _, rec := range rows {
				rec.Retain()
				all = append(all, rec)
			}
			return nil
		}).Start(ctx)
	if err != nil {
		return err
	}
	runtime.GC()
	u := proc.Begin()
	if err := l.pace(stream, seen); err != nil {
		return err
	}
	if err := q.ProcessAllAvailable(ctx); err != nil {
		return err
	}
	u.End(r)
	if err := q.Stop(ctx); err != nil {
		return err
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if len(seen.took) != len(seen.sent) {
		return fmt.Errorf("%d of %d record batches were answered", len(seen.took), len(seen.sent))
	}
	r.Metrics = Percentiles(seen.took[len(seen.took)/10:])
	r.Metrics["epochs"] = float64(seen.epoch)
	l.sum = checksum.Sum{}
	return lastOf(all, l.spec.Keys, l.sum.Add)
}

// pace adds a record batch every millisecond; one that is behind its time comes
// at once, and its latency counts from when it was due.
func (l *Latency) pace(stream *memory.Stream, seen *arrivals) error {
	begun, rows := time.Now(), int64(0)
	for i, rec := range l.recs {
		due := begun.Add(time.Duration(i) * time.Millisecond)
		time.Sleep(time.Until(due))
		rows += rec.NumRows()
		seen.mu.Lock()
		seen.sent = append(seen.sent, arrival{due, rows})
		seen.mu.Unlock()
		if err := stream.Add(rec); err != nil {
			return err
		}
	}
	return nil
}

// Percentiles are the median and the tail of how long something took, in milliseconds.
func Percentiles(took []time.Duration) map[string]float64 {
	took = slices.Sorted(slices.Values(took))
	at := func(share float64) float64 {
		return float64(took[min(len(took)-1, int(share*float64(len(took))))].Microseconds()) / 1000
	}
	return map[string]float64{"p50 ms": at(0.5), "p95 ms": at(0.95), "p99 ms": at(0.99), "worst ms": at(1)}
}

// Check is the checksum of the last run.
func (l *Latency) Check(context.Context) (*checksum.Sum, error) { return &l.sum, nil }

// Close does nothing: each run has an engine of its own.
func (l *Latency) Close() error { return nil }
