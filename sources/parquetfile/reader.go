package parquetfile

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
)

// Want says what of a row group is wanted.
type Want struct {
	// Schema are the columns of the record batches.
	Schema *arrow.Schema
	// Rows is the most rows of a record batch.
	Rows int
	// Dictionaries allows a column that is wanted as texts or bytes, and is so in
	// the file, to be an array of type dictionary<int32, utf8 or binary> instead, in
	// each record batch whose rows have only dictionary indices in the file. All
	// such arrays of a reader share one dictionary, which has the type of the
	// column, no nulls, and maybe values that no row has. The schema of a record
	// batch is that of its arrays.
	Dictionaries bool
	// Borrowed says that a record batch is good until the following call of Next or
	// Close only; then its memory is used again. Values at null rows may be of
	// another record batch.
	Borrowed bool
	// Where are predicates of wanted rows: pages without any are left out, of all
	// columns.
	Where []Filter
}

// Reader yields the rows of one row group.
type Reader struct {
	file  *File
	group int
	want  Want
	// columns are those of the wanted ones that are decoded here.
	columns []*column
	// nested are those that pqarrow decodes; nil if there are none. from is the
	// place of a wanted column in it, −1 for the others.
	nested *nested
	from   []int
	left   int64
	// kept are the rows to read from row at on; nil: all that are left.
	kept []rows
	at   int64
	// scratch is nil after Close, and after an error: who knows what state that left.
	scratch *scratch
	// pending is what remains of a record batch that was too long.
	pending arrow.RecordBatch
	// choice is nil unless some columns say which rows of the others are wanted.
	choice *chosen
	// varied is the schema of the last record batch that had dictionaries.
	varied *arrow.Schema
}

// Read returns the reader of row group i. Types are checked here, before anything
// is decoded. The caller closes the reader before the file.
func (p *File) Read(ctx context.Context, i int, want Want) (*Reader, error) {
	r := &Reader{file: p, group: i, want: want}
	err := p.guard(func() error { return r.open(ctx) })
	return r, err
}

func (r *Reader) open(ctx context.Context) error {
	if r.group < 0 || r.group >= r.file.RowGroups() {
		return fmt.Errorf("there is no row group %d", r.group)
	}
	r.left = r.file.Rows(r.group)
	if len(r.want.Where) > 0 && r.left > 0 {
		r.kept = r.file.keep(r.group, r.want.Where)
		r.file.cache.count(len(r.kept) > 0)
		if len(r.kept) == 0 {
			r.left = 0
		}
	}
	r.scratch = r.file.cache.take()
	var others []int
	for _, f := range r.want.Schema.Fields() {
		at, err := r.file.find(f.Name)
		if err != nil {
			return err
		}
		r.from = append(r.from, -1)
		r.columns = append(r.columns, nil)
		if at < 0 {
			continue
		}
		have := r.file.schema.Field(at).Type
		if err := convertible(have, f.Type); err != nil {
			return base.UserError("FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH", "KD001",
				"Parquet file %s: column %s is of type %s, which cannot be read as %s", r.file.path, f.Name, have, f.Type)
		}
		if r.left == 0 {
			continue
		}
		c, err := r.newColumn(at, f.Type)
		if err != nil {
			return r.where(f.Name, err)
		}
		if r.columns[len(r.columns)-1] = c; c == nil {
			r.from[len(r.from)-1] = at
			others = append(others, at)
		}
	}
	if len(others) == 0 {
		return nil
	}
	r.kept = nil // columns that are decoded elsewhere come whole
	var err error
	r.nested, err = openNested(ctx, r.file, r.group, r.want.Rows, others)
	for i, f := range r.from {
		if f >= 0 {
			r.from[i] = r.nested.place[f]
		}
	}
	return err
}

// newColumn returns the column of the file's field at, to become of type want; nil
// if it is not for this decoder.
func (r *Reader) newColumn(at int, want arrow.DataType) (*column, error) {
	field := &r.file.fields.Fields[at]
	if !field.IsLeaf() {
		return nil, nil
	}
	have := r.file.schema.Field(at).Type
	leaf := r.file.meta.Schema.Column(field.ColIndex)
	if leaf.MaxRepetitionLevel() > 0 || leaf.MaxDefinitionLevel() > 1 {
		return nil, nil
	}
	kind, err := natural(have)
	if err != nil {
		return nil, err
	}
	c := &column{optional: leaf.MaxDefinitionLevel() == 1}
	c.cells = newCells(leaf, have, r.want.Dictionaries && arrow.TypeEqual(kind, want))
	if c.cells == nil {
		return nil, nil
	}
	ok, err := r.openChunk(&c.chunk, field.ColIndex)
	if !ok || err != nil {
		return nil, err
	}
	c.unpack, c.columnScratch = &r.scratch.unpack, r.scratch.column(len(r.columns)-1)
	c.lend = r.want.Borrowed
	c.cells.use(c.columnScratch)
	return c, nil
}

// Next returns the next record batch or io.EOF.
func (r *Reader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.choice != nil {
		return r.nextChosen(ctx)
	}
	if r.pending == nil && r.left > 0 {
		err := r.file.guard(func() error { return r.decode() })
		if err != nil {
			r.scratch = nil
			return nil, err
		}
	}
	if r.pending == nil {
		return nil, io.EOF
	}
	rec := r.pending
	r.pending = nil
	if n := rec.NumRows(); n > int64(r.want.Rows) {
		r.pending = rec.NewSlice(int64(r.want.Rows), n)
		head := rec.NewSlice(0, int64(r.want.Rows))
		rec.Release()
		return head, nil
	}
	return rec, nil
}

func (r *Reader) decode() error {
	n, err := r.forward()
	if n == 0 || err != nil {
		return err
	}
	var in arrow.RecordBatch
	if r.nested != nil {
		var err error
		if in, err = r.nested.next(); err != nil {
			return r.where("", err)
		}
		if n = in.NumRows(); n > r.left || n == 0 {
			return r.where("", fmt.Errorf("%d rows where the footer says %d", n, r.left))
		}
	}
	cols := make([]arrow.Array, len(r.columns))
	defer func() {
		for _, c := range cols {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i, f := range r.want.Schema.Fields() {
		var err error
		if cols[i], err = r.cell(i, f.Type, in, int(n)); err != nil {
			return r.where(f.Name, err)
		}
	}
	r.left -= n
	r.at += n
	r.pending = array.NewRecordBatch(r.schemaOf(cols), cols, n)
	return nil
}

// forward goes to the next rows to read and returns how many of them are next, at most.
// At the end there are none.
func (r *Reader) forward() (int64, error) {
	if r.kept == nil {
		return min(r.left, int64(r.want.Rows)), nil
	}
	for len(r.kept) > 0 && r.kept[0].to <= r.at {
		r.kept = r.kept[1:]
	}
	if len(r.kept) == 0 {
		r.file.cache.skipped(r.left)
		r.left = 0
		return 0, nil
	}
	if gap := r.kept[0].from - r.at; gap > 0 {
		for _, c := range r.columns {
			if c != nil {
				c.behind += int(gap)
			}
		}
		r.file.cache.skipped(gap)
		r.at += gap
		r.left -= gap
	}
	return min(r.kept[0].to-r.at, int64(r.want.Rows)), nil
}

// cell returns the next n rows of wanted column i.
func (r *Reader) cell(i int, t arrow.DataType, in arrow.RecordBatch, n int) (arrow.Array, error) {
	switch {
	case r.columns[i] != nil:
		a, err := r.columns[i].next(n)
		if err != nil {
			return nil, err
		}
		return asWanted(a, t)
	case r.from[i] >= 0:
		return nestedArray(in.Column(r.from[i]), t)
	}
	return array.MakeArrayOfNull(memory.DefaultAllocator, t, n), nil
}

// asWanted returns a as an array of type t or, if it is one of that type's
// dictionaries, as it is. It takes over the reference.
func asWanted(a arrow.Array, t arrow.DataType) (arrow.Array, error) {
	if d, ok := a.DataType().(*arrow.DictionaryType); ok && arrow.TypeEqual(d.ValueType, t) {
		return a, nil
	}
	defer a.Release()
	return convert(a, t)
}

// where says where err came about. name may be empty.
func (r *Reader) where(name string, err error) error {
	if name == "" {
		return fmt.Errorf("row group %d: %w", r.group, err)
	}
	return fmt.Errorf("row group %d, column %s: %w", r.group, name, err)
}

// schemaOf returns the wanted schema with the types of cols.
func (r *Reader) schemaOf(cols []arrow.Array) *arrow.Schema {
	is := func(s *arrow.Schema) bool {
		for i, c := range cols {
			if s.Field(i).Type.ID() != c.DataType().ID() {
				return false
			}
		}
		return true
	}
	if is(r.want.Schema) {
		return r.want.Schema
	}
	if r.varied == nil || !is(r.varied) {
		fields := r.want.Schema.Fields()
		for i := range fields {
			fields[i].Type = cols[i].DataType()
		}
		r.varied = arrow.NewSchema(fields, nil)
	}
	return r.varied
}

// Close releases what was not returned. The file stays open.
func (r *Reader) Close() error {
	if r.pending != nil {
		r.pending.Release()
		r.pending = nil
	}
	if r.choice != nil {
		r.letGo()
	}
	r.columns, r.left = nil, 0
	r.file.cache.give(r.scratch)
	r.scratch = nil
	n := r.nested
	r.nested = nil
	if n == nil {
		return nil
	}
	return r.file.guard(func() error { n.rr.Release(); return nil })
}
