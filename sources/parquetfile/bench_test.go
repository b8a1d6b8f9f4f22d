package parquetfile

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"bytes"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// BenchmarkDecode reads one column of a row group of a million rows.
func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct {
		name     string
		t        arrow.DataType
		distinct int
		plain    bool
	}{
		{"int32/dictionary", arrow.PrimitiveTypes.Int32, 1000, false},
		{"int32/plain", arrow.PrimitiveTypes.Int32, 1 << 30, true},
		{"int64/dictionary", arrow.PrimitiveTypes.Int64, 1000, false},
		{"int64/plain", arrow.PrimitiveTypes.Int64, 1 << 30, true},
		{"double/dictionary", arrow.PrimitiveTypes.Float64, 1000, false},
		{"double/plain", arrow.PrimitiveTypes.Float64, 1 << 30, true},
		{"string/dictionary", arrow.BinaryTypes.String, 1000, false},
		{"string/plain", arrow.BinaryTypes.String, 1 << 30, true},
	} {
		for _, nulls := range []int{0, 10} {
			for _, codec := range []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Snappy} {
				name := fmt.Sprintf("%s/nulls=%d/%v", c.name, nulls, codec)
				b.Run(name, func(b *testing.B) { benchmarkColumn(b, c.t, c.distinct, nulls, c.plain, codec) })
			}
		}
	}
}

func benchmarkColumn(b *testing.B, t arrow.DataType, distinct, nulls int, plain bool, codec compress.Compression) {
	const rows = 1 << 20
	schema := arrow.NewSchema([]arrow.Field{field("a", t)}, nil)
	rng := rand.New(rand.NewPCG(1, 2))
	rec := array.NewRecordBatch(schema, []arrow.Array{values(rng, t, rows, nulls, distinct)}, rows)
	var buf bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &buf, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(rows), parquet.WithDictionaryDefault(!plain), parquet.WithCompression(codec)), pqarrow.DefaultWriterProps())
	if err != nil {
		b.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "f.parquet")
	if err := os.WriteFile(path, buf.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		n := int64(0)
		r, err := f.Read(b.Context(), 0, Want{Schema: schema, Rows: 8192})
		if err != nil {
			b.Fatal(err)
		}
		for n < rows {
			rec, err := r.Next(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			n += rec.NumRows()
			rec.Release()
		}
		r.Close()
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
