package flightd

import (
	"context"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	sinkmemory "github.com/flightd/flightd/sinks/memory"
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

// publishResult makes the rows of a memory sink a table named like its query.
func (e *Engine) publishResult(cfg sinks.Config, s *sinkmemory.Sink) error {
	if old := e.table(cfg.Query); old != nil && !old.result {
		return base.UserError("TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "There is a table %s already.", cfg.Query).
			WithHint("a query into memory makes a table of its own name")
	}
	t := &table{def: tableDef{Name: cfg.Query, Format: "result"}, result: true, provider: sources.Provider{Name: "result",
		Batch: func(context.Context, sources.Config) (sources.Table, error) {
			v := s.Version()
			defer v.Release()
			return recordTable(cfg.Schema, v.Rows()).of(cfg.QueryID, v.Epoch()), nil
		}}}
	return e.addTable(t, true)
}
