package gen

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

func everyColumn() *Table {
	return &Table{Name: "t", Format: Parquet, Columns: []Column{
		Uniform("u", 100), Distinct("d", 50), Clock("c", 1000, 10), Real("r", 2), Text("t", "key-", 4, 77), Choice("w", "a", "bc"),
		Counter("n", 3), Repeated("p", 20, 10), Lots("o", 15, 100, 100), Uniform("z", 9).WithNulls(10),
	}}
}

// A part of a table is what the whole has there, whoever asks for it.
func TestPartsOfTheWhole(t *testing.T) {
	table := everyColumn()
	whole := table.Record(1, 0, 1000)
	if part := table.Record(1, 300, 200); !array.RecordEqual(part, whole.NewSlice(300, 500)) {
		t.Error("rows 300 to 499 differ from those of the whole")
	}
	if other := table.Record(2, 0, 1000); array.RecordEqual(other, whole) {
		t.Error("another seed makes the same rows")
	}
	nulls := whole.Column(9).NullN()
	if nulls < 50 || nulls > 150 {
		t.Errorf("%d of 1,000 values are NULL, not about a tenth", nulls)
	}
	seen := map[int64]bool{}
	for _, v := range whole.Column(1).(*array.Int64).Int64Values() {
		seen[v] = true
	}
	if len(seen) != 50 {
		t.Errorf("%d different values, not 50", len(seen))
	}
}

// The same numbers come on every machine: the first outputs of splitmix64 for
// seed 0, as published.
func TestSplitmix(t *testing.T) {
	for i, want := range []uint64{0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F} {
		if got := random(0, i); got != want {
			t.Errorf("output %d is %x, not %x", i, got, want)
		}
	}
}

func TestFiles(t *testing.T) {
	table, dir := everyColumn(), t.TempDir()
	folder, err := table.Files(dir, 1, 1000, 400)
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(folder, "*.parquet"))
	if err != nil || len(names) != 3 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	infos := make([]os.FileInfo, len(names))
	for i, name := range names {
		if infos[i], err = os.Stat(name); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.IsSortedFunc(infos, func(a, b os.FileInfo) int { return a.ModTime().Compare(b.ModTime()) }) {
		t.Error("files are not in the order of their times")
	}
	r, err := file.OpenParquetFile(names[1], false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := table.Record(1, 400, 400)
	for i, c := range want.Columns() {
		all, err := array.Concatenate(got.Column(i).Data().Chunks(), memory.DefaultAllocator)
		if err != nil || !array.Equal(all, c) {
			t.Errorf("column %s of the second file differs", want.ColumnName(i))
		}
	}
	again, err := table.Files(dir, 1, 1000, 400)
	if err != nil || again != folder {
		t.Errorf("the second time it is %s, %v", again, err)
	}
}

func TestJSONLines(t *testing.T) {
	table := &Table{Name: "t", Format: JSON, Columns: []Column{Counter("n", 1), Clock("c", 1000, 0), Choice("w", "a"), Counter("z", 1).WithNulls(100)}}
	folder, err := table.Files(t.TempDir(), 1, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(folder, "00000.json"))
	const want = `{"n":0,"c":"2026-01-01T00:00:00.000Z","w":"a","z":null}
{"n":1,"c":"2026-01-01T00:00:00.001Z","w":"a","z":null}
`
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
}
