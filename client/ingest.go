package client

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Mode says what Ingest does with a table that exists or does not.
type Mode uint8

// The modes.
const (
	CreateAppend Mode = iota // the table is made if need be
	Create                   // the table must not exist
	Append                   // the table must exist
	Replace                  // the table is made anew
)

// Ingest writes the record batches of rows into a table and returns their number of
// rows once they are durable. Columns go by name. docs/types.md lists the types; an
// error names the column.
//
// A stream table that is appended to takes them as Append does, each batch durable by
// itself, across broken connections. Any other table gets them as one commit. Where the
// table may be a stream table, a server that is away at the start is waited for, for up
// to five minutes.
func (x *Conn) Ingest(ctx context.Context, table string, rows array.RecordReader, mode Mode) (int64, error) {
	if mode == Append || mode == CreateAppend {
		var stream bool
		err := x.patiently(ctx, retryFor, func() (further bool, err error) {
			stream, err = x.isStream(ctx, table)
			return false, err
		})
		if err != nil {
			return 0, err
		}
		if stream {
			return x.Append(ctx, table, rows, AppendOptions{})
		}
	}
	o := &flightsql.TableDefinitionOptions{IfNotExist: flightsql.TableDefinitionOptionsTableNotExistOptionCreate, IfExists: flightsql.TableDefinitionOptionsTableExistsOptionAppend}
	switch mode {
	case Create:
		o.IfExists = flightsql.TableDefinitionOptionsTableExistsOptionFail
	case Append:
		o.IfNotExist = flightsql.TableDefinitionOptionsTableNotExistOptionFail
	case Replace:
		o.IfExists = flightsql.TableDefinitionOptionsTableExistsOptionReplace
	}
	sent := &atLeastOne{RecordReader: rows}
	defer sent.release()
	n, err := x.c.ExecuteIngest(ctx, sent, &flightsql.ExecuteIngestOpts{Table: table, TableDefinitionOptions: o})
	return n, serverError(err)
}

// atLeastOne is rows with a record batch without rows if they have none: an ingest
// of no record batches sends nothing, not even the schema.
type atLeastOne struct {
	array.RecordReader
	some  bool
	empty arrow.RecordBatch
}

// Next reads the next record batch.
func (r *atLeastOne) Next() bool {
	if r.empty != nil {
		return false
	}
	if r.RecordReader.Next() {
		r.some = true
		return true
	}
	if r.some || r.RecordReader.Err() != nil {
		return false
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, r.Schema())
	defer b.Release()
	r.empty = b.NewRecordBatch()
	return true
}

// RecordBatch is what Next read.
func (r *atLeastOne) RecordBatch() arrow.RecordBatch {
	if r.empty != nil {
		return r.empty
	}
	return r.RecordReader.RecordBatch()
}

// Record is RecordBatch, by its old name.
func (r *atLeastOne) Record() arrow.RecordBatch { return r.RecordBatch() }

func (r *atLeastOne) release() {
	if r.empty != nil {
		r.empty.Release()
	}
}
