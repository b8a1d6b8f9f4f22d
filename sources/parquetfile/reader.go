package parquetfile

import (
	"context"
	"fmt"
	"io"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/flightd/flightd/internal/base"
)

// Reader yields the rows of one row group. It is the seam for another decoder:
// nothing outside this file knows that pqarrow reads.
type Reader struct {
	file   *File
	group  int
	schema *arrow.Schema
	rows   int
	// from is the place of a wanted column among those read; −1 is absent.
	from []int
	rr   pqarrow.RecordReader
	left int64
	// pending is what remains of a record batch that was too long.
	pending arrow.RecordBatch
}

// Read returns the reader of row group i that yields record batches of schema,
// of at most rows rows. Types are checked here, before anything is decoded.
func (p *File) Read(ctx context.Context, i int, schema *arrow.Schema, rows int) (*Reader, error) {
	r := &Reader{file: p, group: i, schema: schema, rows: rows}
	err := p.guard(func() error { return r.open(ctx, i) })
	return r, err
}

func (r *Reader) open(ctx context.Context, group int) error {
	if group < 0 || group >= r.file.RowGroups() {
		return fmt.Errorf("there is no row group %d", group)
	}
	r.left = r.file.Rows(group)
	var fields []int
	for _, f := range r.schema.Fields() {
		at, err := r.file.find(f.Name)
		if err != nil {
			return err
		}
		if at >= 0 {
			have := r.file.schema.Field(at).Type
			if err := convertible(have, f.Type); err != nil {
				return base.UserError("FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH", "KD001",
					"Parquet file %s: column %s is of type %s, which cannot be read as %s", r.file.path, f.Name, have, f.Type)
			}
			fields = append(fields, at)
		}
		r.from = append(r.from, at)
	}
	sort.Ints(fields)
	place := map[int]int{}
	var cols []int
	manifest := r.file.arrow.Manifest
	for _, f := range fields {
		if _, ok := place[f]; ok {
			continue
		}
		place[f] = len(place)
		cols = leaves(&manifest.Fields[f], cols)
	}
	for i, f := range r.from {
		if f >= 0 {
			r.from[i] = place[f]
		}
	}
	if len(cols) == 0 || r.left == 0 {
		return nil
	}
	sort.Ints(cols)
	fr, err := pqarrow.NewFileReader(r.file.rdr, pqarrow.ArrowReadProperties{BatchSize: int64(r.rows)}, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	r.rr, err = fr.GetRecordReader(ctx, cols, []int{group})
	return err
}

// Next returns the next record batch or io.EOF.
func (r *Reader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.pending == nil && r.left > 0 {
		err := r.file.guard(func() error { return r.decode() })
		if err != nil {
			return nil, err
		}
	}
	if r.pending == nil {
		return nil, io.EOF
	}
	rec := r.pending
	r.pending = nil
	if n := rec.NumRows(); n > int64(r.rows) {
		r.pending = rec.NewSlice(int64(r.rows), n)
		head := rec.NewSlice(0, int64(r.rows))
		rec.Release()
		return head, nil
	}
	return rec, nil
}

func (r *Reader) decode() error {
	n := min(r.left, int64(r.rows))
	var in arrow.RecordBatch
	if r.rr != nil {
		if !r.rr.Next() {
			if err := r.rr.Err(); err != nil {
				return err
			}
			return fmt.Errorf("row group %d ends %d rows early", r.group, r.left)
		}
		in = r.rr.RecordBatch()
		if n = in.NumRows(); n > r.left || n == 0 {
			return fmt.Errorf("row group %d has more rows than the footer says", r.group)
		}
	}
	cols := make([]arrow.Array, len(r.from))
	defer func() {
		for _, c := range cols {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i, from := range r.from {
		t := r.schema.Field(i).Type
		if from < 0 {
			cols[i] = array.MakeArrayOfNull(memory.DefaultAllocator, t, int(n))
			continue
		}
		err := check(in.Column(from))
		if err == nil {
			cols[i], err = convert(in.Column(from), t)
		}
		if err == nil && !textIsValid(cols[i]) {
			err = fmt.Errorf("a text that is not UTF-8")
		}
		if err != nil {
			return fmt.Errorf("column %s: %w", r.schema.Field(i).Name, err)
		}
	}
	r.left -= n
	r.pending = array.NewRecordBatch(r.schema, cols, n)
	return nil
}

// Close releases what was not returned. The file stays open.
func (r *Reader) Close() error {
	if r.pending != nil {
		r.pending.Release()
		r.pending = nil
	}
	if r.rr != nil {
		rr := r.rr
		r.rr = nil
		return r.file.guard(func() error { rr.Release(); return nil })
	}
	return nil
}
