package engine

import (
	"context"
	"runtime"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/bench/checksum"
	"github.com/flightd/flightd/bench/proc"
	"github.com/flightd/flightd/bench/workload"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/memory"
)

// Pushed answers a question over a stream of record batches in memory, with its
// checkpoint in memory too: what the engine itself costs in a stream.
type Pushed struct {
	spec *proc.Spec
	recs []arrow.RecordBatch
}

// Load generates the rows. Only workloads over one table run in this form.
func (p *Pushed) Load(_ context.Context, spec *proc.Spec) (string, error) {
	p.spec = spec
	table, err := workload.TableOf(spec.Name, spec.Tables[0].Name)
	if err != nil {
		return "", err
	}
	p.recs = table.Records(spec.Seed, spec.Rows, memoryBatch)
	return flightd.Version + " " + runtime.Version(), nil
}

// Run pushes a micro-batch, waits until it is done, and pushes the next. Nothing
// is left out.
func (p *Pushed) Run(ctx context.Context, r *proc.Reply) error {
	return p.run(ctx, r, nil)
}

// epochRows is the size of a micro-batch in this form.
const epochRows = 1 << 20

func (p *Pushed) run(ctx context.Context, r *proc.Reply, f func(ctx context.Context, rows []arrow.RecordBatch, batchID int64) error) error {
	runtime.GC()
	name := p.spec.Tables[0].Name
	stream := memory.NewStream(name, p.recs[0].Schema())
	defer stream.Release()
	eng, err := flightd.Open(ctx, flightd.Options{CheckpointFS: vfs.NewMem(), Sources: []sources.Provider{stream.Provider()}})
	if err != nil {
		return err
	}
	defer eng.Close()
	s := eng.NewSession()
	if _, err := s.Execute(ctx, "CREATE TABLE "+name+" USING "+name); err != nil {
		return err
	}
	w := s.SQL(p.spec.Queries[0]).WriteStream().OutputMode(p.spec.Mode).Format("noop")
	if f != nil {
		w = w.ForeachBatch(f)
	}
	q, err := w.Start(ctx)
	if err != nil {
		return err
	}
	u := proc.Begin()
	for at := 0; at < len(p.recs); at += epochRows / memoryBatch {
		for _, rec := range p.recs[at:min(at+epochRows/memoryBatch, len(p.recs))] {
			if err := stream.Add(rec); err != nil {
				return err
			}
		}
		if err := q.ProcessAllAvailable(ctx); err != nil {
			return err
		}
	}
	u.End(r)
	r.Metrics = stateMetrics(q.LastProgress())
	return q.Stop(ctx)
}

// stateMetrics are the size of the state.
func stateMetrics(p *flightd.Progress) map[string]float64 {
	var rows, bytes int64
	for _, op := range p.StateOps {
		rows, bytes = rows+op.NumRowsTotal, bytes+op.MemoryUsedBytes
	}
	if rows == 0 {
		return map[string]float64{}
	}
	return map[string]float64{"state rows": float64(rows), "state B/row": float64(bytes) / float64(rows)}
}

// Check runs once more into a function and sums up the last row of each key.
func (p *Pushed) Check(ctx context.Context) (*checksum.Sum, error) {
	var all []arrow.RecordBatch
	err := p.run(ctx, &proc.Reply{}, func(_ context.Context, rows []arrow.RecordBatch, _ int64) error {
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
	return &sum, lastOf(all, p.spec.Keys, sum.Add)
}

// Close does nothing: each run has an engine of its own.
func (p *Pushed) Close() error { return nil }
