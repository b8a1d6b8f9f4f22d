package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// schema of the generated events. k1k has 1,000 different values, k1m 1,000,000,
// in random order; v is from 0 to 999, x from 0 to 1; ts goes up by 1 ms a row.
var schema = arrow.NewSchema([]arrow.Field{
	{Name: "ts", Type: arrow.FixedWidthTypes.Timestamp_us},
	{Name: "k1k", Type: arrow.PrimitiveTypes.Int32},
	{Name: "k1m", Type: arrow.PrimitiveTypes.Int64},
	{Name: "v", Type: arrow.PrimitiveTypes.Int64},
	{Name: "x", Type: arrow.PrimitiveTypes.Float64},
}, nil)

const batchRows = 64 << 10

// generator is splitmix64: a counter that is mixed.
type generator struct{ state uint64 }

func (g *generator) next() uint64 {
	g.state += 0x9E3779B97F4A7C15
	z := g.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// records generates rows as record batches.
func records(seed uint64, rows int) []arrow.RecordBatch {
	g := &generator{seed}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	var out []arrow.RecordBatch
	for i := range rows {
		r := g.next()
		b.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(int64(i) * 1000))
		b.Field(1).(*array.Int32Builder).Append(int32(r % 1000))
		b.Field(2).(*array.Int64Builder).Append(int64(r >> 10 % 1_000_000))
		b.Field(3).(*array.Int64Builder).Append(int64(g.next() % 1000))
		b.Field(4).(*array.Float64Builder).Append(float64(g.next()>>11) / (1 << 53))
		if (i+1)%batchRows == 0 || i == rows-1 {
			out = append(out, b.NewRecordBatch())
		}
	}
	return out
}

// parquetFiles writes rows as Parquet files of a million rows and returns their
// directory; files that are there already are kept.
func parquetFiles(dir string, seed uint64, rows int) (string, error) {
	dir = filepath.Join(dir, fmt.Sprintf("events-%d-%d", seed, rows))
	if _, err := os.Stat(filepath.Join(dir, "_DONE")); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	const perFile = 1 << 20 / batchRows
	recs := records(seed, rows)
	for i := 0; i*perFile < len(recs); i++ {
		name := filepath.Join(dir, fmt.Sprintf("%04d.parquet", i))
		if err := writeFile(name, recs[i*perFile:min(len(recs), (i+1)*perFile)]); err != nil {
			return "", err
		}
	}
	return dir, os.WriteFile(filepath.Join(dir, "_DONE"), nil, 0o644)
}

func writeFile(name string, recs []arrow.RecordBatch) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithMaxRowGroupLength(256<<10))
	w, err := pqarrow.NewFileWriter(schema, f, props, pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	for _, rec := range recs {
		if err := w.WriteBuffered(rec); err != nil {
			return err
		}
	}
	return w.Close()
}
