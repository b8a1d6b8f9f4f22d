package flightd

import (
	"context"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	sinktable "github.com/flightd/flightd/sinks/table"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/memory"
	sourcetable "github.com/flightd/flightd/sources/table"
)

// createManagedTable makes the directory of a table under the data folder.
func createManagedTable(dir string, schema *arrow.Schema) error { return sinktable.Create(dir, schema) }

// managedProvider reads a table under the data folder, as a batch and as a stream.
func managedProvider(dir string) sources.Provider { return sourcetable.Provider(dir) }

// openManagedSink writes into a table under the data folder; writer is the query's
// identity, or a new one for a statement.
func (e *Engine) openManagedSink(t *table, writer string, schema *arrow.Schema, mode base.OutputMode) (sinks.Sink, error) {
	return sinktable.Open(context.Background(), filepath.Join(e.dir, t.def.Dir), sinks.Config{Query: t.def.Name, QueryID: writer,
		Options: t.def.Options, Schema: schema, OutputMode: mode, Clock: e.clock})
}

// memoryTable is a table over record batches, which it retains.
func memoryTable(schema *arrow.Schema, recs []arrow.RecordBatch) (*table, error) {
	for _, r := range recs {
		if !r.Schema().Equal(schema) {
			return nil, base.Errorf(base.CodeInvalid, "a record batch has the schema %s, not %s", r.Schema(), schema)
		}
		r.Retain()
	}
	return &table{def: tableDef{Name: "records", Format: "memory"}, provider: sources.Provider{Name: "memory",
		Batch: func(context.Context, sources.Config) (sources.Table, error) {
			return memory.NewTable(schema, recs), nil
		}}}, nil
}

// resultSink is a sink whose committed rows can be read.
type resultSink interface {
	sinks.Sink
	// Snapshot returns the rows of the last committed epoch.
	Snapshot() (base.Epoch, []arrow.RecordBatch)
}

// publish makes the rows of a result sink a table named like the query.
func (r *run) publish(s resultSink) error {
	schema := r.schema.Arrow()
	t := &table{def: tableDef{Name: r.q.name, Format: "result"}, provider: sources.Provider{Name: "result",
		Batch: func(context.Context, sources.Config) (sources.Table, error) {
			_, recs := s.Snapshot()
			return memory.NewTable(schema, recs), nil
		}}, result: true}
	if r.q.name == "" {
		return base.Errorf(base.CodeInvalid, "a query into memory needs a name: that of its table")
	}
	if old := r.eng.table(r.q.name); old != nil && !old.result {
		return base.UserError("TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "There is a table %s already.", r.q.name).
			WithHint("a query into memory makes a table of its own name")
	}
	return r.eng.addTable(t, true)
}
