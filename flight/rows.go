package flight

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// records are rows that are there already.
type records struct {
	schema *arrow.Schema
	recs   []arrow.RecordBatch
}

// fixed returns rows of one record batch, of which it takes over the reference.
func fixed(rec arrow.RecordBatch) *records {
	return &records{schema: rec.Schema(), recs: []arrow.RecordBatch{rec}}
}

// Schema is the schema of the rows.
func (r *records) Schema() *arrow.Schema { return r.schema }

// Next returns the next record batch.
func (r *records) Next(context.Context) (arrow.RecordBatch, error) {
	if len(r.recs) == 0 {
		return nil, io.EOF
	}
	rec := r.recs[0]
	r.recs = r.recs[1:]
	return rec, nil
}

// RowsAffected is −1: the rows are a query's.
func (r *records) RowsAffected() int64 { return -1 }

// Notices is empty.
func (r *records) Notices() []string { return nil }

// Close releases what was not read.
func (r *records) Close() error {
	for _, rec := range r.recs {
		rec.Release()
	}
	r.recs = nil
	return nil
}

// A chain runs a statement once for every row of its parameters and returns the
// rows of all runs, one after another.
type chain struct {
	statement Statement
	schema    *arrow.Schema
	params    []arrow.RecordBatch // released by Close
	batch     int
	row       int64
	current   Rows
	notices   []string
}

// Schema is that of every run.
func (c *chain) Schema() *arrow.Schema { return c.schema }

// RowsAffected is −1: the statement is a query.
func (c *chain) RowsAffected() int64 { return -1 }

// Notices are those of the runs so far.
func (c *chain) Notices() []string { return c.notices }

// Next returns the next record batch of this run, or the first of the following.
func (c *chain) Next(ctx context.Context) (arrow.RecordBatch, error) {
	for {
		if c.current != nil {
			rec, err := c.current.Next(ctx)
			if err == nil {
				return c.conform(rec)
			}
			if err != io.EOF {
				return nil, err
			}
			if err := c.current.Close(); err != nil {
				return nil, err
			}
			c.current = nil
		}
		var err error
		if c.current, err = c.run(ctx); err != nil {
			return nil, err
		}
	}
}

// Annotation is that of the run whose rows Next returned last.
func (c *chain) Annotation() func(from, to int64) []byte {
	if a, ok := c.current.(annotated); ok {
		return a.Annotation()
	}
	return nil
}

// conform gives rec, whose reference it takes over, the chain's schema, which
// differs in what may be null.
func (c *chain) conform(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	defer rec.Release()
	for i, f := range c.schema.Fields() {
		if got := rec.Column(i).DataType(); !arrow.TypeEqual(got, f.Type) {
			return nil, invalid("column %q is of type %s with one row of the parameters and of type %s with another", f.Name, sqlName(f.Type), sqlName(got))
		}
	}
	return array.NewRecordBatch(c.schema, rec.Columns(), rec.NumRows()), nil
}

// run executes the statement with the next row of parameters, or returns io.EOF.
func (c *chain) run(ctx context.Context) (Rows, error) {
	for c.batch < len(c.params) && c.row == c.params[c.batch].NumRows() {
		c.batch, c.row = c.batch+1, 0
	}
	if c.batch == len(c.params) {
		return nil, io.EOF
	}
	one := c.params[c.batch].NewSlice(c.row, c.row+1)
	defer one.Release()
	c.row++
	rows, err := c.statement.Execute(ctx, one)
	if err == nil {
		c.notices = append(c.notices, rows.Notices()...)
	}
	return rows, err
}

// Close ends the run that is open and releases the parameters.
func (c *chain) Close() error {
	for _, rec := range c.params {
		rec.Release()
	}
	c.params, c.batch = nil, 0
	if c.current == nil {
		return nil
	}
	current := c.current
	c.current = nil
	return current.Close()
}

// affectedSchema is the schema of an update's answer.
var affectedSchema = arrow.NewSchema([]arrow.Field{{Name: "rows_affected", Type: arrow.PrimitiveTypes.Int64}}, nil)

// affectedRow is an update's answer.
func affectedRow(n int64) arrow.RecordBatch {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Append(n)
	col := b.NewArray()
	defer col.Release()
	return array.NewRecordBatch(affectedSchema, []arrow.Array{col}, 1)
}
