package parquetfile

import (
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/flightd/flightd/internal/atomicfile"
)

// groupRows is the rows of a row group. Rows are gathered up to it before they
// are encoded, so that pages do not depend on the cuts of record batches.
const groupRows = 128 << 10

// Writer writes the row groups of one file.
type Writer struct {
	f       *os.File
	w       *pqarrow.FileWriter // nil before the first row group
	codec   compress.Compression
	schema  *arrow.Schema
	pending []arrow.RecordBatch
	rows    int64
}

// New returns the writer of f, which it owns from now on. compression is none,
// snappy, gzip or zstd.
func New(f *os.File, schema *arrow.Schema, compression string) *Writer {
	codec := map[string]compress.Compression{"none": compress.Codecs.Uncompressed, "snappy": compress.Codecs.Snappy,
		"gzip": compress.Codecs.Gzip, "zstd": compress.Codecs.Zstd}[compression]
	return &Writer{f: f, codec: codec, schema: Storable(schema)}
}

// open makes the writer for a file whose first row group has the columns first.
//
// A column has a dictionary in all row groups or in none: where the writer falls
// back from one to plain values, it lists the encodings in the footer in an order
// that changes from run to run.
func (p *Writer) open(first []arrow.Array) error {
	props := []parquet.WriterProperty{parquet.WithCompression(p.codec), parquet.WithCreatedBy("flightd"),
		parquet.WithMaxRowGroupLength(groupRows), parquet.WithStats(true), parquet.WithDictionaryPageSizeLimit(1 << 30)}
	for i, c := range first {
		if !repeats(c) {
			props = append(props, parquet.WithDictionaryFor(p.schema.Field(i).Name, false))
		}
	}
	var err error
	p.w, err = pqarrow.NewFileWriter(p.schema, keepOpen{p.f}, parquet.NewWriterProperties(props...), pqarrow.NewArrowWriterProperties())
	return err
}

// repeats reports whether the first cells of c hold few enough different values
// for a dictionary.
func repeats(c arrow.Array) bool {
	const sample = 4096
	d := c.Data()
	n := min(c.Len(), sample)
	seen := make(map[string]struct{}, n)
	switch a := c.(type) {
	case *array.Boolean:
		return true
	case *array.String:
		for i := range n {
			seen[a.Value(i)] = struct{}{}
		}
	case *array.Binary:
		for i := range n {
			seen[string(a.Value(i))] = struct{}{}
		}
	default:
		t, ok := c.DataType().(arrow.FixedWidthDataType)
		if !ok || t.Bytes() == 0 || len(d.Buffers()) < 2 {
			return true
		}
		w := t.Bytes()
		b := d.Buffers()[1].Bytes()[d.Offset()*w:]
		for i := range n {
			seen[string(b[i*w:(i+1)*w])] = struct{}{}
		}
	}
	return len(seen) <= n/2
}

// keepOpen hides the file's Close from the writer, which would call it before
// the sync.
type keepOpen struct{ io.Writer }

// Check returns an error if files cannot have the columns of schema.
func Check(schema *arrow.Schema) error {
	_, err := pqarrow.ToParquet(Storable(schema), nil, pqarrow.DefaultWriterProps())
	return err
}

// Storable replaces the types that Parquet has not: intervals become the numbers
// that Spark stores for them.
func Storable(s *arrow.Schema) *arrow.Schema {
	fields := append([]arrow.Field(nil), s.Fields()...)
	for i, f := range fields {
		switch f.Type.ID() {
		case arrow.DURATION:
			fields[i].Type = arrow.PrimitiveTypes.Int64
		case arrow.INTERVAL_MONTHS:
			fields[i].Type = arrow.PrimitiveTypes.Int32
		}
	}
	return arrow.NewSchema(fields, nil)
}

// Write takes rows; the writer keeps rec if it needs it later.
func (p *Writer) Write(rec arrow.RecordBatch) error {
	cols := make([]arrow.Array, rec.NumCols())
	for i := range cols {
		c := rec.Column(i)
		if t := p.schema.Field(i).Type; !arrow.TypeEqual(c.DataType(), t) {
			d := c.Data()
			nd := array.NewData(t, d.Len(), d.Buffers(), d.Children(), d.NullN(), d.Offset())
			c = array.MakeFromData(nd)
			nd.Release()
			defer c.Release()
		}
		cols[i] = c
	}
	p.pending = append(p.pending, array.NewRecordBatch(p.schema, cols, rec.NumRows()))
	p.rows += rec.NumRows()
	for p.rows >= groupRows {
		if err := p.group(groupRows); err != nil {
			return err
		}
	}
	return nil
}

// group writes the first n pending rows as a row group.
func (p *Writer) group(n int64) error {
	var take, keep []arrow.RecordBatch
	left := n
	for _, r := range p.pending {
		switch {
		case left == 0:
			keep = append(keep, r)
			continue
		case r.NumRows() <= left:
			take = append(take, r)
		default:
			take = append(take, r.NewSlice(0, left))
			keep = append(keep, r.NewSlice(left, r.NumRows()))
			r.Release()
		}
		left -= take[len(take)-1].NumRows()
	}
	p.pending, p.rows = keep, p.rows-n
	defer func() {
		for _, r := range take {
			r.Release()
		}
	}()
	cols := make([]arrow.Array, p.schema.NumFields())
	for i := range cols {
		var parts []arrow.Array
		for _, r := range take {
			parts = append(parts, r.Column(i))
		}
		c, err := array.Concatenate(parts, memory.DefaultAllocator)
		if err != nil {
			return err
		}
		defer c.Release()
		cols[i] = c
	}
	if p.w == nil {
		if err := p.open(cols); err != nil {
			return err
		}
	}
	rec := array.NewRecordBatch(p.schema, cols, n)
	defer rec.Release()
	return p.w.Write(rec)
}

// Close ends the file, syncs it and closes it. A file without rows is empty.
func (p *Writer) Close() error {
	var err error
	if p.rows > 0 {
		err = p.group(p.rows)
	}
	if p.w != nil {
		if e := p.w.Close(); err == nil {
			err = e
		}
	}
	if e := atomicfile.SyncClose(p.f, err == nil); err == nil {
		err = e
	}
	return err
}

// Abort closes the file as it is.
func (p *Writer) Abort() {
	for _, r := range p.pending {
		r.Release()
	}
	p.pending = nil
	p.f.Close()
}
