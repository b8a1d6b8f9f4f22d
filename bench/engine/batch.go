package engine

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/bench/checksum"
	"github.com/flightd/flightd/bench/proc"
	"github.com/flightd/flightd/bench/workload"
)

// memoryBatch is the size of the record batches of form (a).
const memoryBatch = 64 << 10

// Batch answers a workload's question over bounded tables.
type Batch struct {
	eng     *flightd.Engine
	session *flightd.Session
	query   string
	result  []arrow.RecordBatch
}

// Load makes views of the tables: over record batches in form (a), over files in
// form (b).
func (b *Batch) Load(ctx context.Context, spec *proc.Spec) (string, error) {
	var err error
	if b.eng, err = flightd.Open(ctx, flightd.Options{}); err != nil {
		return "", err
	}
	b.session, b.query = b.eng.NewSession(), spec.Queries[0]
	for _, t := range spec.Tables {
		if spec.Form == string(workload.Memory) {
			err = b.fromRecords(spec, t)
		} else {
			err = fileTable(b.session.Read(), t).CreateOrReplaceTempView(t.Name)
		}
		if err != nil {
			return "", fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	return flightd.Version + " " + runtime.Version(), nil
}

func (b *Batch) fromRecords(spec *proc.Spec, t proc.Table) error {
	table, err := workload.TableOf(spec.Name, t.Name)
	if err != nil {
		return err
	}
	recs := table.Records(spec.Seed, spec.Rows, memoryBatch)
	_, err = b.session.FromRecords(t.Name, table.Schema(), recs)
	for _, r := range recs {
		r.Release()
	}
	return err
}

// Run reads all record batches of the answer and keeps them.
func (b *Batch) Run(ctx context.Context, r *proc.Reply) error {
	b.forget()
	u := proc.Begin()
	res, err := b.session.Execute(ctx, b.query)
	if err != nil {
		return err
	}
	defer res.Close()
	for {
		rec, err := res.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		b.result = append(b.result, rec)
	}
	u.End(r)
	return nil
}

// Check sums up the kept answer.
func (b *Batch) Check(context.Context) (*checksum.Sum, error) {
	var s checksum.Sum
	for _, rec := range b.result {
		if err := s.Add(rec); err != nil {
			return nil, err
		}
	}
	return &s, nil
}

// forget drops the last answer, so that a run begins as the first one did.
func (b *Batch) forget() {
	for _, rec := range b.result {
		rec.Release()
	}
	b.result = nil
	runtime.GC()
}

// Close closes the engine.
func (b *Batch) Close() error {
	if b.eng == nil {
		return nil
	}
	b.forget()
	return b.eng.Close()
}
