package gen

import (
	"fmt"
	"hash/fnv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Format is how a table's files are written.
type Format string

// The formats.
const (
	Parquet Format = "parquet"
	JSON    Format = "json"
)

// A Table is a generated table.
type Table struct {
	Name    string
	Columns []Column
	// Rows is the size of a static table; 0 means as many as the bench is told.
	Rows   int
	Format Format
}

// Size is the table's number of rows in a run of rows.
func (t *Table) Size(rows int) int {
	if t.Rows > 0 {
		return t.Rows
	}
	return rows
}

// Schema is the schema of the table's record batches.
func (t *Table) Schema() *arrow.Schema {
	fields := make([]arrow.Field, len(t.Columns))
	for i, c := range t.Columns {
		fields[i] = arrow.Field{Name: c.Name, Type: c.Type, Nullable: true}
	}
	return arrow.NewSchema(fields, nil)
}

// Record makes n rows from row from on.
func (t *Table) Record(seed uint64, from, n int) arrow.RecordBatch {
	cols := make([]arrow.Array, len(t.Columns))
	for i := range t.Columns {
		cols[i] = t.Columns[i].array(seed, from, n)
	}
	rec := array.NewRecordBatch(t.Schema(), cols, int64(n))
	for _, c := range cols {
		c.Release()
	}
	return rec
}

// Records makes all rows as record batches of at most batch rows.
func (t *Table) Records(seed uint64, rows, batch int) []arrow.RecordBatch {
	rows = t.Size(rows)
	var out []arrow.RecordBatch
	for from := 0; from < rows; from += batch {
		out = append(out, t.Record(seed, from, min(batch, rows-from)))
	}
	return out
}

// version changes with the generator, so that files of an older one are not
// taken for its own.
const version = 1

// fingerprint tells apart tables with other values.
func (t *Table) fingerprint() string {
	h := fnv.New32a()
	fmt.Fprintf(h, "%d %s", version, t.Format)
	for _, c := range t.Columns {
		fmt.Fprintf(h, "|%s %s %s", c.Name, c.Type, c.kind)
	}
	return fmt.Sprintf("%08x", h.Sum32())
}
