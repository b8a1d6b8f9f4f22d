package client

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Rows are the answer to a statement, to be read once. Release ends the statement
// on the server.
type Rows struct {
	schema   *arrow.Schema
	prepared *flightsql.PreparedStatement
	cancel   context.CancelFunc
	stream   flight.FlightService_DoGetClient // nil for an update
	r        *flight.Reader                   // nil before the first Next: the schema comes with the first rows
	affected int64
	rec      arrow.RecordBatch
	err      error
}

// SQL runs a statement. args are the values of its parameters: Go values for each ?
// in order, values made by Named for each :name, or one record batch, for each of
// whose rows the statement is run. The Rows are read until ctx ends.
func (x *Conn) SQL(ctx context.Context, statement string, args ...any) (*Rows, error) {
	params, err := bind(args)
	if err != nil {
		return nil, err
	}
	if params != nil {
		defer params.Release()
	}
	var rows *Rows
	return rows, x.again(ctx, func() error {
		var err error
		rows, err = x.open(ctx, statement, params)
		return err
	})
}

func (x *Conn) open(ctx context.Context, statement string, params arrow.RecordBatch) (*Rows, error) {
	ctx, cancel := context.WithCancel(ctx)
	p, err := x.c.Prepare(ctx, statement)
	if err != nil {
		cancel()
		return nil, err
	}
	rows := &Rows{prepared: p, cancel: cancel, affected: -1, schema: arrow.NewSchema(nil, nil)}
	if params != nil {
		p.SetParameters(params)
	}
	if update, known := p.IsUpdate(); update || !known && p.DatasetSchema() == nil {
		if rows.affected, err = p.ExecuteUpdate(ctx); err != nil {
			rows.Release()
			return nil, err
		}
		return rows, nil
	}
	info, err := p.Execute(ctx)
	if err == nil && len(info.GetEndpoint()) != 1 {
		err = errors.New("flightd: the server answered with more than one endpoint")
	}
	if err == nil {
		rows.schema, err = flight.DeserializeSchema(info.GetSchema(), memory.DefaultAllocator)
	}
	if err == nil {
		rows.stream, err = x.c.Client.DoGet(ctx, info.Endpoint[0].Ticket)
	}
	if err != nil {
		rows.Release()
		return nil, err
	}
	return rows, nil
}

// Schema is the schema of the rows; it has no fields for an update.
func (r *Rows) Schema() *arrow.Schema { return r.schema }

// RowsAffected is what an update changed; -1 for a query.
func (r *Rows) RowsAffected() int64 { return r.affected }

// Next reads the next record batch and reports whether there is one; the loop over
// it ends with a look at Err.
func (r *Rows) Next() bool {
	if r.stream == nil || r.err != nil {
		return false
	}
	if r.r == nil {
		var err error
		if r.r, err = flight.NewRecordReader(r.stream); err != nil {
			r.err = serverError(err)
			return false
		}
	}
	rec, err := r.r.Read()
	if err != nil {
		r.rec = nil
		if err != io.EOF {
			r.err = serverError(err)
		}
		return false
	}
	r.rec = rec
	return true
}

// RecordBatch is the record batch that Next read, until the next call of it: retain
// it to keep it.
func (r *Rows) RecordBatch() arrow.RecordBatch { return r.rec }

// Err is the error that ended the rows, if one did.
func (r *Rows) Err() error { return r.err }

// ReadAll reads what is left as a table, which the caller releases, and releases
// the rows.
func (r *Rows) ReadAll() (arrow.Table, error) {
	defer r.Release()
	var recs []arrow.RecordBatch
	defer func() {
		for _, rec := range recs {
			rec.Release()
		}
	}()
	for r.Next() {
		r.rec.Retain()
		recs = append(recs, r.rec)
	}
	if r.err != nil {
		return nil, r.err
	}
	return array.NewTableFromRecords(r.schema, recs), nil
}

// Release ends the statement.
func (r *Rows) Release() {
	r.cancel()
	if r.r != nil {
		r.r.Release()
		r.r = nil
	}
	r.stream, r.rec = nil, nil
	if r.prepared != nil {
		_ = r.prepared.Close(context.Background()) // a handle ends with its session at the latest
		r.prepared = nil
	}
}

// Execute runs a statement for its effect and returns how many rows it changed. The
// rows of a query are not read.
func (x *Conn) Execute(ctx context.Context, statement string, args ...any) (int64, error) {
	rows, err := x.SQL(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Release()
	return max(0, rows.affected), nil
}

// serverError is the *Error in err, if there is one: the decoder wraps it in words
// of its own.
func serverError(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return err
}
