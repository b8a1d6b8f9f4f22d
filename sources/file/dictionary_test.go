package file

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/flightd/flightd/sources"
)

// Dictionary arrays come through beside the columns that directories give, and
// only where a scan allows them.
func TestDictionaries(t *testing.T) {
	d := newDir(t)
	var rows []string
	for i := range 700 {
		rows = append(rows, fmt.Sprintf(`{"a":%d,"s":"text %d"}`, i%5, i%5))
	}
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, abSchema, strings.NewReader("["+strings.Join(rows, ",")+"]"))
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w, err := pqarrow.NewFileWriter(abSchema, &buf, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err == nil {
		err = errors.Join(w.Write(rec), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	d.put(t, "day=1/a.parquet", buf.String())
	tab := table(t, "parquet", d.path, nil)
	pin, err := tab.Pin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, allowed := range []bool{false, true} {
		splits, err := tab.Scan(t.Context(), pin, sources.Scan{Dictionaries: allowed, BatchRows: 200})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, s := range splits {
			r, err := s.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for {
				rec, err := r.Next(t.Context())
				if err != nil {
					break
				}
				dict, ok := rec.Column(1).(*array.Dictionary)
				if ok != allowed || rec.Schema().Field(0).Type.ID() != arrow.INT64 || rec.Schema().Field(2).Type.ID() != arrow.INT32 {
					t.Fatalf("got %v", rec.Schema())
				}
				if ok && dict.Dictionary().(*array.String).Value(dict.GetValueIndex(0)) != "text "+rec.Column(0).ValueStr(0) {
					t.Errorf("got %v", rec)
				}
				n += int(rec.NumRows())
			}
			r.Close()
		}
		if n != 700 {
			t.Errorf("got %d rows", n)
		}
	}
}
