package adopt

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// A Form reads the record batches of one schema. It holds nothing but types, so
// several goroutines may use one.
type Form struct {
	schema expr.Schema
	arrow  *arrow.Schema
	// same says of each column that it is passed on as it is.
	same  []bool
	limit int64
}

// Of returns the form of record batches with the schema s. What the dictionaries,
// views and runs of one record batch stand for may have at most limit bytes. The
// error names the first column whose type has no SQL counterpart.
func Of(s *arrow.Schema, limit int64) (*Form, error) {
	f := &Form{schema: make(expr.Schema, s.NumFields()), same: make([]bool, s.NumFields()), limit: limit}
	for i, field := range s.Fields() {
		var err error
		if f.schema[i], err = fieldOf(field, field.Name); err != nil {
			return nil, err
		}
	}
	f.arrow = f.schema.Arrow()
	for i, field := range s.Fields() {
		f.same[i] = arrow.TypeEqual(field.Type, f.arrow.Field(i).Type)
	}
	return f, nil
}

// Schema is the SQL schema of what Record returns.
func (f *Form) Schema() expr.Schema { return f.schema }

// Record returns rec in the engine's types; the caller releases it and keeps rec.
func (f *Form) Record(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	cols := make([]arrow.Array, rec.NumCols())
	defer func() {
		for _, c := range cols {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i, col := range rec.Columns() {
		var err error
		if cols[i], err = f.column(i, col); err != nil {
			return nil, err
		}
	}
	return array.NewRecordBatch(f.arrow, cols, rec.NumRows()), nil
}

func (f *Form) column(i int, col arrow.Array) (arrow.Array, error) {
	if f.same[i] {
		col.Retain()
		return col, nil
	}
	left := f.limit
	r := reader{path: f.schema[i].Name, left: &left, limit: f.limit}
	v, err := r.read(col, f.schema[i].Type)
	if err != nil {
		return nil, err
	}
	return v.Arrow(), nil
}

// Value returns a column of one parameter in the engine's type.
func Value(col arrow.Array, name string, limit int64) (*vec.Vec, *expr.Type, error) {
	t, err := typeOf(arrow.Field{Type: col.DataType(), Nullable: true}, name)
	if err != nil {
		return nil, nil, err
	}
	v, err := reader{path: name, left: &limit, limit: limit}.read(col, t)
	return v, t, err
}

// A reader reads one column, or one column inside another.
type reader struct {
	path string
	// left counts down the bytes that may still be written out.
	left  *int64
	limit int64
}

// inside returns the reader of a column within this one.
func (r reader) inside(name string) reader {
	r.path += "." + name
	return r
}

// spend takes n bytes of what may be written out.
func (r reader) spend(n int64) error {
	if *r.left -= n; *r.left >= 0 {
		return nil
	}
	return exhausted("Column %q: the values of a record batch have more than %d bytes once dictionaries, views and runs are written out.", r.path, r.limit).
		WithHint("send smaller record batches")
}

func exhausted(format string, args ...any) *base.Error {
	e := base.UserError("LIMIT_EXCEEDED", "53000", format, args...)
	e.Code = base.CodeExhausted
	return e
}

// bad is the error about value i.
func (r reader) bad(i int, format string, args ...any) *base.Error {
	return base.UserError("CAST_OVERFLOW", "22003", "Column %q, row %d: %s.", r.path, i, fmt.Sprintf(format, args...))
}
