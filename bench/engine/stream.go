package engine

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/bench/checksum"
	"github.com/flightd/flightd/bench/proc"
)

// Stream answers a workload's question over streams of files: in micro-batches,
// with a checkpoint, into a sink that drops the rows.
type Stream struct {
	eng     *flightd.Engine
	session *flightd.Session
	spec    *proc.Spec
	first   firstEpoch
	// runs names checkpoints.
	runs int
}

// firstEpoch is the listener that sees the first epoch end: what comes after it
// is steady.
type firstEpoch struct {
	mu     sync.Mutex
	epochs int
	rows   int64
	first  int64
	at     time.Time
	cpu    float64
	last   flightd.Progress
}

func (*firstEpoch) QueryStarted(flightd.QueryStarted)       {}
func (*firstEpoch) QueryIdle(flightd.QueryIdle)             {}
func (*firstEpoch) QueryTerminated(flightd.QueryTerminated) {}

func (f *firstEpoch) QueryProgress(p flightd.Progress) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.epochs == 0 {
		f.at, f.cpu, f.first = time.Now(), proc.CPUSeconds(), p.NumInputRows
	}
	f.epochs++
	f.rows += p.NumInputRows
	f.last = p
}

func (f *firstEpoch) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.epochs, f.rows = 0, 0
}

// Load makes tables over the files.
func (s *Stream) Load(ctx context.Context, spec *proc.Spec) (string, error) {
	var err error
	if s.eng, err = flightd.Open(ctx, flightd.Options{DataDir: filepath.Join(spec.Scratch, "engine")}); err != nil {
		return "", err
	}
	s.eng.AddListener(&s.first)
	s.session, s.spec = s.eng.NewSession(), spec
	way := spec.Ways[0]
	for _, t := range spec.Tables {
		path, options := t.Path, ""
		if !t.Static {
			if way.Small {
				path = t.SmallPath
			}
			options = ", 'maxFilesPerTrigger' = '" + strconv.Itoa(way.Files) + "'"
		}
		_, err := s.session.Execute(ctx, fmt.Sprintf("CREATE TABLE %s (%s) USING %s OPTIONS ('path' = '%s'%s)", t.Name, ddl(t.Columns), t.Format, path, options))
		if err != nil {
			return "", fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	return flightd.Version + " " + runtime.Version(), nil
}

// Run works off the files. The time is that after the first epoch, for as many
// rows as there are in all.
func (s *Stream) Run(ctx context.Context, r *proc.Reply) error {
	runtime.GC()
	s.first.reset()
	written := proc.Written()
	u := proc.Begin()
	if err := s.query(ctx, nil); err != nil {
		return err
	}
	u.End(r)
	s.first.mu.Lock()
	defer s.first.mu.Unlock()
	// A stream that the query reads twice counts twice.
	if s.first.rows == 0 || s.first.rows%int64(s.spec.Streamed) != 0 {
		return fmt.Errorf("%d of %d rows were read", s.first.rows, s.spec.Streamed)
	}
	r.Metrics = map[string]float64{
		"whole s":       r.Wall,
		"written B/row": float64(proc.Written()-written) / float64(s.spec.Streamed),
	}
	if steady := s.first.rows - s.first.first; steady > 0 {
		scale := float64(s.first.rows) / float64(steady)
		r.Wall = time.Since(s.first.at).Seconds() * scale
		r.CPU = (proc.CPUSeconds() - s.first.cpu) * scale
	}
	maps.Copy(r.Metrics, stateMetrics(&s.first.last))
	return nil
}

// query runs the workload once, into a function or, if f is nil, into nothing.
func (s *Stream) query(ctx context.Context, f func(ctx context.Context, rows []arrow.RecordBatch, batchID int64) error) error {
	s.runs++
	checkpoint := filepath.Join(s.spec.Scratch, fmt.Sprintf("checkpoint-%d", s.runs))
	w := s.session.SQL(s.spec.Queries[0]).WriteStream().OutputMode(s.spec.Mode).Trigger(flightd.Trigger{Kind: flightd.AvailableNow}).
		Option("checkpointLocation", checkpoint).Format("noop")
	if f != nil {
		w = w.ForeachBatch(f)
	}
	q, err := w.Start(ctx)
	if err != nil {
		return err
	}
	if err := q.AwaitTermination(ctx); err != nil {
		return err
	}
	return os.RemoveAll(checkpoint)
}

// Check runs once more into a function, keeps the last row of each key, and sums
// those up.
func (s *Stream) Check(ctx context.Context) (*checksum.Sum, error) {
	var all []arrow.RecordBatch
	err := s.query(ctx, func(_ context.Context, rows []arrow.RecordBatch, _ int64) error {
		for _, rec := range rows {
			rec.Retain()
			all = append(all, rec)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var sum checksum.Sum
	err = lastOf(all, s.spec.Keys, sum.Add)
	for _, rec := range all {
		rec.Release()
	}
	return &sum, err
}

// Close closes the engine.
func (s *Stream) Close() error {
	if s.eng == nil {
		return nil
	}
	return s.eng.Close()
}
