package parquetfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// values make an array of n random values, about one of nulls in which is null, of
// about distinct different ones.
func values(rng *rand.Rand, t arrow.DataType, n, nulls, distinct int) arrow.Array {
	b := array.NewBuilder(memory.DefaultAllocator, t)
	defer b.Release()
	sorted := rng.IntN(3) == 0
	run := 0
	var v int64
	for i := range n {
		if run--; run < 0 {
			if v = int64(rng.IntN(distinct)); distinct > 1000 {
				v = v * 0x9E3779B97F4A7C1 >> rng.IntN(64)
			}
			if rng.IntN(8) == 0 {
				run = rng.IntN(40)
			}
		}
		if sorted {
			v = int64(i * distinct / n)
		}
		if nulls > 0 && (rng.IntN(nulls) == 0 || nulls > 50 && i%200 < 50) {
			b.AppendNull()
			continue
		}
		appendValue(b, v)
	}
	return b.NewArray()
}

func appendValue(b array.Builder, v int64) {
	text := fmt.Sprintf("%.*s%d", v&15, "ä long text that is shared", v)
	if v%7 == 0 {
		text = ""
	} else if v%11 == 0 {
		text = strings.Repeat(text, 5)
	}
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(v&1 == 1)
	case *array.Int8Builder:
		b.Append(int8(v))
	case *array.Int16Builder:
		b.Append(int16(v))
	case *array.Int32Builder:
		b.Append(int32(v))
	case *array.Int64Builder:
		b.Append(v)
	case *array.Uint8Builder:
		b.Append(uint8(v))
	case *array.Uint16Builder:
		b.Append(uint16(v))
	case *array.Uint32Builder:
		b.Append(uint32(v))
	case *array.Uint64Builder:
		b.Append(uint64(v))
	case *array.Float16Builder:
		b.Append(float16.New(float32(v % 1000)))
	case *array.Float32Builder:
		b.Append(float32(v) / 3)
	case *array.Float64Builder:
		b.Append(float64(v) / 3)
	case *array.Date32Builder:
		b.Append(arrow.Date32(v))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(v % 1e12 * 1000))
	case *array.DurationBuilder:
		b.Append(arrow.Duration(v))
	case *array.Decimal128Builder:
		b.Append(decimal128.FromI64(v % 10000))
	case *array.StringBuilder:
		b.Append(text)
	case *array.LargeStringBuilder:
		b.Append(text)
	case *array.BinaryBuilder:
		b.Append([]byte(text))
	case *array.FixedSizeBinaryBuilder:
		b.Append([]byte(fmt.Sprintf("%05d", v%100000)[:5]))
	default:
		panic(fmt.Sprintf("%T", b))
	}
}

func utc(u arrow.TimeUnit) arrow.DataType { return &arrow.TimestampType{Unit: u, TimeZone: "UTC"} }

// kindsOfColumn are the types and encodings that a flat column may have.
func kindsOfColumn() (out []struct {
	t   arrow.DataType
	enc parquet.Encoding
}) {
	p, delta, split := parquet.Encodings.Plain, parquet.Encodings.DeltaBinaryPacked, parquet.Encodings.ByteStreamSplit
	lens, prefixes := parquet.Encodings.DeltaLengthByteArray, parquet.Encodings.DeltaByteArray
	add := func(t arrow.DataType, encs ...parquet.Encoding) {
		for _, e := range encs {
			out = append(out, struct {
				t   arrow.DataType
				enc parquet.Encoding
			}{t, e})
		}
	}
	add(arrow.FixedWidthTypes.Boolean, p, parquet.Encodings.RLE)
	for _, t := range []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
		arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64,
		arrow.FixedWidthTypes.Date32, utc(arrow.Millisecond), utc(arrow.Microsecond), utc(arrow.Nanosecond)} {
		add(t, p, delta, split)
	}
	add(arrow.PrimitiveTypes.Float32, p, split)
	add(arrow.PrimitiveTypes.Float64, p, split)
	add(arrow.FixedWidthTypes.Float16, p, split)
	add(&arrow.Decimal128Type{Precision: 7, Scale: 2}, p)
	add(&arrow.Decimal128Type{Precision: 15, Scale: 2}, p)
	add(&arrow.Decimal128Type{Precision: 30, Scale: 2}, p, split)
	add(arrow.BinaryTypes.String, p, lens, prefixes)
	add(arrow.BinaryTypes.LargeString, p)
	add(arrow.BinaryTypes.Binary, p, lens, prefixes)
	add(&arrow.FixedSizeBinaryType{ByteWidth: 5}, p, split)
	return out
}

// codecs are those that a page may have.
func codecs() []compress.Compression {
	c := compress.Codecs
	return []compress.Compression{c.Uncompressed, c.Snappy, c.Gzip, c.Brotli, c.Zstd, c.Lz4Raw}
}

// flatFile writes one row group of random flat columns. It is the bytes of a file
// in some mixture of what writers may choose.
func flatFile(t testing.TB, rng *rand.Rand, rows, columns int) []byte {
	t.Helper()
	opts := []parquet.WriterProperty{
		parquet.WithDataPageSize(int64(64 << rng.IntN(12))), parquet.WithBatchSize(int64(1 + rng.IntN(200))),
		parquet.WithDictionaryPageSizeLimit(int64(100 << rng.IntN(12))), parquet.WithStats(rng.IntN(2) == 0),
	}
	if rng.IntN(2) == 0 {
		opts = append(opts, parquet.WithDataPageVersion(parquet.DataPageV2))
	}
	kinds, int96 := kindsOfColumn(), rng.IntN(4) == 0
	var fields []arrow.Field
	var cols []arrow.Array
	for i := range columns {
		k := kinds[rng.IntN(len(kinds))]
		if int96 && k.t.ID() == arrow.TIMESTAMP { // which has one encoding only
			k.enc = parquet.Encodings.Plain
		}
		name := fmt.Sprintf("c%d", i)
		opts = append(opts, parquet.WithDictionaryFor(name, rng.IntN(2) == 0), parquet.WithEncodingFor(name, k.enc), parquet.WithCompressionFor(name, codecs()[rng.IntN(6)]))
		nulls := []int{0, 0, 1, 2, 10, 100}[rng.IntN(6)]
		fields = append(fields, arrow.Field{Name: name, Type: k.t, Nullable: nulls > 0 || rng.IntN(2) == 0})
		cols = append(cols, values(rng, k.t, rows, nulls, []int{1, 2, 17, 300, 1 << 30}[rng.IntN(5)]))
	}
	arrowOpts := []pqarrow.WriterOption{pqarrow.WithStoreSchema(), pqarrow.WithDeprecatedInt96Timestamps(int96)}
	schema := arrow.NewSchema(fields, nil)
	var buf bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &buf, parquet.NewWriterProperties(opts...), pqarrow.NewArrowWriterProperties(arrowOpts...))
	if err != nil {
		t.Fatal(err)
	}
	rec := array.NewRecordBatch(schema, cols, int64(rows))
	defer rec.Release()
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// oracle reads a row group by pqarrow alone, as record batches of rows rows.
func oracle(t testing.TB, f *File, group int, schema *arrow.Schema, rows int) (out []arrow.RecordBatch, err error) {
	t.Helper()
	var fields []int
	for i := range schema.NumFields() {
		fields = append(fields, i)
	}
	n, err := openNested(t.Context(), f, group, rows, fields)
	if err != nil {
		return nil, err
	}
	for left := f.Rows(group); left > 0; {
		in, err := n.next()
		if err != nil {
			return nil, err
		}
		cols := make([]arrow.Array, schema.NumFields())
		for i := range cols {
			if cols[i], err = nestedArray(in.Column(i), schema.Field(i).Type); err != nil {
				return nil, err
			}
		}
		out = append(out, array.NewRecordBatch(schema, cols, in.NumRows()))
		left -= in.NumRows()
	}
	return out, nil
}

func TestDecodesAsPqarrow(t *testing.T) {
	refused := 0
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 7))
		rows := 1 + rng.IntN(3000)
		path := save(t, flatFile(t, rng, rows, 6))
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := f.Schema()
		if err != nil {
			t.Fatal(err)
		}
		batch := []int{1, 7, 64, 1000, 5000}[rng.IntN(5)]
		want, err := oracle(t, f, 0, schema, batch)
		if err != nil { // it refuses Brotli pages that are nothing but nulls
			refused++
			continue
		}
		r, err := f.Read(t.Context(), 0, Want{Schema: schema, Rows: batch, Borrowed: seed%2 == 1})
		if err != nil {
			t.Fatal(err)
		}
		if r.nested != nil {
			t.Fatalf("seed %d: pqarrow reads a flat column", seed)
		}
		for i, w := range want {
			got, err := r.Next(t.Context())
			if err != nil {
				t.Fatalf("seed %d, record batch %d: %v", seed, i, err)
			}
			if !array.RecordEqual(got, w) {
				for c := range schema.NumFields() {
					if !array.Equal(got.Column(c), w.Column(c)) {
						t.Errorf("seed %d, record batch %d, column %v:\ngot  %v\nwant %v", seed, i, f.schema.Field(c), got.Column(c), w.Column(c))
					}
				}
				t.FailNow()
			}
		}
		if _, err := r.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Fatalf("seed %d: got %v after the last row", seed, err)
		}
		r.Close()
		f.Close()
	}
	if refused > 10 {
		t.Errorf("pqarrow refuses %d files", refused)
	}
}

// TestLargePages: pages that are read without a stop, and those that compression left as
// they are, become what pqarrow makes of them.
func TestLargePages(t *testing.T) {
	const rows = 60_000
	for seed := range uint64(24) {
		rng := rand.New(rand.NewPCG(seed, 9))
		fields := []arrow.Field{}
		var cols []arrow.Array
		for i, typ := range []arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32} {
			b := array.NewBuilder(memory.DefaultAllocator, typ)
			for range rows {
				v := rng.Int64() >> ([]int{0, 0, 40, 60}[int(seed+uint64(i))%4])
				if seed%3 == 0 && rng.IntN(10) == 0 {
					b.AppendNull()
				} else if typ.ID() == arrow.STRING {
					b.(*array.StringBuilder).Append(fmt.Sprintf("%x", uint64(v)))
				} else {
					appendValue(b, v)
				}
			}
			fields = append(fields, arrow.Field{Name: fmt.Sprint("c", i), Type: typ, Nullable: true})
			cols = append(cols, b.NewArray())
		}
		schema := arrow.NewSchema(fields, nil)
		opts := []parquet.WriterProperty{parquet.WithCompression(codecs()[rng.IntN(2)]), parquet.WithDictionaryDefault(rng.IntN(2) == 0), parquet.WithDataPageSize(1 << 20)}
		if seed%4 == 0 {
			opts = append(opts, parquet.WithDataPageVersion(parquet.DataPageV2))
		}
		var buf bytes.Buffer
		w, err := pqarrow.NewFileWriter(schema, &buf, parquet.NewWriterProperties(opts...), pqarrow.DefaultWriterProps())
		if err != nil {
			t.Fatal(err)
		}
		rec := array.NewRecordBatch(schema, cols, rows)
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f, err := Open(save(t, buf.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		r, err := f.Read(t.Context(), 0, Want{Schema: schema, Rows: 8192})
		if err != nil {
			t.Fatal(err)
		}
		for at := int64(0); at < rows; {
			got, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if want := rec.NewSlice(at, at+got.NumRows()); !array.RecordEqual(got, want) {
				t.Fatalf("seed %d: rows from %d on differ", seed, at)
			}
			at += got.NumRows()
		}
		r.Close()
		f.Close()
	}
}
