package parquetfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// BenchmarkChosen reads three columns beside one that says which rows are wanted: these
// rows only, or all.
func BenchmarkChosen(b *testing.B) {
	const rows = 1 << 19
	for _, nulls := range []int{0, 10} {
		rng := rand.New(rand.NewPCG(1, 2))
		var fields []arrow.Field
		var cols []arrow.Array
		for i := range 4 {
			fields = append(fields, arrow.Field{Name: fmt.Sprint("c", i), Type: arrow.PrimitiveTypes.Int64, Nullable: nulls > 0})
			cols = append(cols, values(rng, arrow.PrimitiveTypes.Int64, rows, nulls, []int{1000, 1 << 20, 1 << 20, 1 << 40}[i]))
		}
		schema := arrow.NewSchema(fields, nil)
		var buf bytes.Buffer
		w, err := pqarrow.NewFileWriter(schema, &buf, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)), pqarrow.DefaultWriterProps())
		if err == nil {
			err = w.Write(array.NewRecordBatch(schema, cols, rows))
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
		f, err := NewCache().Open(nil, save(b, buf.Bytes()))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		for _, percent := range []int{1, 10, 25, 50, 75} {
			chosen := make([][]int32, 16)
			for k := range chosen {
				for i := range int32(8192) {
					if rng.IntN(100) < percent {
						chosen[k] = append(chosen[k], i)
					}
				}
			}
			for _, all := range []bool{true, false} {
				b.Run(fmt.Sprintf("nulls=%d/percent=%d/all=%v", nulls, percent, all), func(b *testing.B) {
					for b.Loop() {
						readChosen(b, f, schema, chosen, all)
					}
				})
			}
		}
	}
}

func readChosen(b *testing.B, f *File, schema *arrow.Schema, chosen [][]int32, all bool) {
	r, err := f.Read(b.Context(), 0, Want{Schema: schema, Rows: 8192})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	k := 0
	r.Choose([]int{0}, func(cols []arrow.Array, n int) ([]int32, []arrow.Array, error) {
		k++
		rows := chosen[k%len(chosen)]
		if all {
			return rows, nil, nil
		}
		data := make([]byte, 8*len(rows))
		a := array.NewData(cols[0].DataType(), len(rows), []*memory.Buffer{nil, memory.NewBufferBytes(data)}, nil, 0, 0)
		defer a.Release()
		return rows, []arrow.Array{array.MakeFromData(a)}, nil
	})
	for {
		rec, err := r.Next(b.Context())
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
		rec.Release()
	}
}
