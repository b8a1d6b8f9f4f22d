package parquetfile

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// TestOtherWriters reads the same rows from the files in testdata/writers, which
// lay them out as pyarrow, DuckDB and Polars do.
func TestOtherWriters(t *testing.T) {
	paths, err := filepath.Glob("testdata/writers/*.parquet")
	if err != nil || len(paths) < 8 {
		t.Fatal(paths, err)
	}
	first, err := Open("testdata/writers/pyarrow-dictionary.parquet")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	schema, err := first.Schema()
	if err != nil {
		t.Fatal(err)
	}
	want, err := oracle(t, first, 0, schema, 90)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fields := schema.Fields()
		if last := len(fields) - 1; strings.Contains(path, "int96") { // which says UTC
			fields[last].Type = arrow.FixedWidthTypes.Timestamp_us
		}
		r, err := f.Read(t.Context(), 0, Want{Schema: arrow.NewSchema(fields, nil), Rows: 90})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if r.nested != nil {
			t.Errorf("%s: pqarrow reads a flat column", path)
		}
		for _, w := range want {
			got, err := r.Next(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			for c, f := range fields {
				if !array.Equal(got.Column(c), relabel(w.Column(c), f.Type)) {
					t.Errorf("%s: column %s:\ngot  %v\nwant %v", path, f.Name, got.Column(c), w.Column(c))
				}
			}
		}
	}
}

// Dates that INT96 holds and nanoseconds do not.
func TestINT96BeyondNanoseconds(t *testing.T) {
	dst := make([]uint64, 3)
	int96Micros(dst, []byte{
		0, 0, 0, 0, 0, 0, 0, 0, 0x2c, 0xfe, 0x51, 0, // Julian day 5373484: 9999-12-31
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x8c, 0x3d, 0x25, 0, // a nanosecond before 1970
		0xe8, 3, 0, 0, 0, 0, 0, 0, 0x8c, 0x3d, 0x25, 0,
	})
	for i, want := range []string{"9999-12-31", "1969-12-31", "1970-01-01"} {
		if got := arrow.Timestamp(dst[i]).ToTime(arrow.Microsecond).Format("2006-01-02"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
