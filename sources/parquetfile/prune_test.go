package parquetfile

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/flightd/flightd/sources"
)

// sorted writes 4,000 rows of n and a text in four row groups with small pages.
func sorted(t *testing.T, index bool) string {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range 4000 {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.StringBuilder).Append("row")
	}
	rec := b.NewRecordBatch()
	defer rec.Release()
	var out bytes.Buffer
	props := parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(1000), parquet.WithDataPageSize(400), parquet.WithBatchSize(25), parquet.WithPageIndexEnabled(index), parquet.WithDictionaryDefault(false))
	w, err := pqarrow.NewFileWriter(schema, &out, props, pqarrow.DefaultWriterProps())
	if err == nil {
		err = w.Write(rec)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sorted.parquet")
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Row groups, and pages where the file has an index, are left out that no row of a range
// lies in, and counted.
func TestPruned(t *testing.T) {
	for _, index := range []bool{false, true} {
		path, cache := sorted(t, index), NewCache()
		f, err := cache.Open(nil, path)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := f.Schema()
		if err != nil {
			t.Fatal(err)
		}
		n := arrow.PrimitiveTypes.Int64
		where := []Filter{
			{"n", n, sources.Predicate{Test: sources.GreaterEqual, Values: []any{int64(1500)}}},
			{"n", n, sources.Predicate{Test: sources.Less, Values: []any{int64(1510)}}},
		}
		var got []int64
		for g := range f.RowGroups() {
			r, err := f.Read(t.Context(), g, Want{Schema: schema, Rows: 64, Where: where, Borrowed: true})
			if err != nil {
				t.Fatal(err)
			}
			for {
				rec, err := r.Next(t.Context())
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range rec.Column(0).(*array.Int64).Int64Values() {
					if v >= 1500 && v < 1510 {
						got = append(got, v)
					}
					if s := rec.Column(1).(*array.String).Value(i); s != "row" {
						t.Fatalf("row %d has %q", v, s)
					}
				}
				rec.Release()
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if len(got) != 10 || got[0] != 1500 || got[9] != 1509 {
			t.Fatalf("index %v: read %v", index, got)
		}
		p := cache.Pruned()
		if p.Groups.Load() != 1 || p.GroupsSkipped.Load() != 3 {
			t.Fatalf("%d row groups were read and %d skipped", p.Groups.Load(), p.GroupsSkipped.Load())
		}
		if skipped := p.RowsSkipped.Load(); index != (skipped > 800) || !index && skipped != 0 {
			t.Fatalf("index %v: %d rows in skipped pages", index, skipped)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
