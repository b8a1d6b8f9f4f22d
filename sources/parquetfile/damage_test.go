package parquetfile

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
)

// drain reads all of a file and looks at every cell.
func drain(t testing.TB, path string, want Want) error {
	f, err := Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if want.Schema, err = f.Schema(); err != nil {
		return err
	}
	for g := range f.RowGroups() {
		if err := drainGroup(t, f, g, want); err != nil {
			return err
		}
	}
	return nil
}

func drainGroup(t testing.TB, f *File, g int, want Want) error {
	r, err := f.Read(t.Context(), g, want)
	if err != nil {
		return err
	}
	defer r.Close()
	for range 200 { // a footer may claim any number of rows that its pages repeat
		rec, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, c := range rec.Columns() {
			for i := range c.Len() {
				_ = c.ValueStr(i)
			}
			if d, ok := c.(*array.Dictionary); ok && d.Dictionary().NullN() != 0 {
				t.Fatal("a dictionary with nulls")
			}
		}
		rec.Release()
	}
	return nil
}

// TestDamagedPages breaks bytes of the pages of every kind of column: P1, and no
// memory beyond what the file can stand for.
func TestDamagedPages(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 20
	}
	dir := t.TempDir()
	for seed := range uint64(rounds) {
		rng := rand.New(rand.NewPCG(seed, 11))
		good := flatFile(t, rng, 1+rng.IntN(400), 3)
		for range 15 {
			bad := bytes.Clone(good)
			for range 1 + rng.IntN(4) {
				bad[4+rng.IntN(len(bad)-4)] ^= 1 << rng.IntN(8)
			}
			path := dir + "/f.parquet"
			if err := os.WriteFile(path, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := drain(t, path, Want{Rows: 100, Dictionaries: seed%2 == 0})
			if err2 := drainChosen(t, rng, path); err == nil {
				err = err2
			}
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 256<<20 {
				t.Fatalf("seed %d: %d bytes taken for a file of %d: %v", seed, took, len(bad), err)
			}
			if code := base.CodeOf(err); err != nil && code != base.CodeCorrupt && code != base.CodeInvalid {
				t.Fatalf("seed %d: got %v", seed, err)
			}
		}
	}
}

// drainChosen reads some rows of the first row group of a file, if it has one.
func drainChosen(t testing.TB, rng *rand.Rand, path string) error {
	f, err := Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	schema, err := f.Schema()
	if err != nil || f.RowGroups() == 0 {
		return err
	}
	r, err := f.Read(t.Context(), 0, Want{Schema: schema, Rows: 100})
	if err != nil {
		return err
	}
	defer r.Close()
	first := rng.IntN(schema.NumFields())
	r.Choose([]int{first}, func(cols []arrow.Array, n int) ([]int32, []arrow.Array, error) {
		rows := someRows(rng, n)
		return rows, []arrow.Array{array.MakeArrayOfNull(memory.DefaultAllocator, cols[first].DataType(), len(rows))}, nil
	})
	for range 200 {
		rec, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		rowTexts(rec)
		rec.Release()
	}
	return nil
}

// TestErrorsNamePlace checks that an error names the row group and the column.
func TestErrorsNamePlace(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{field("first", arrow.PrimitiveTypes.Int32), field("second", arrow.PrimitiveTypes.Int64)}, nil)
	good, err := os.ReadFile(write(t, record(t, schema, `[{"first":1,"second":1},{"first":2,"second":2},{"first":3,"second":3}]`), 2))
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(save(t, good))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := f.meta.RowGroup(1).ColumnChunk(1)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(good)
	bad[m.DataPageOffset()] = 0xff
	path := save(t, bad)
	err = drain(t, path, Want{Rows: 10})
	for _, want := range []string{path, "row group 1", "column second"} {
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(want)) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}
