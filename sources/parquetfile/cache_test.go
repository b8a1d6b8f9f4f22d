package parquetfile

import (
	"os"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

func TestCacheKnowsWhetherAFileChanged(t *testing.T) {
	c := NewCache()
	path := textFile(t, 100, 5, 50)
	rows := func(want int64) *File {
		t.Helper()
		f, err := c.Open(nil, path)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if got := f.Rows(0) + f.Rows(1); got != want {
			t.Errorf("got %d rows, want %d", got, want)
		}
		return f
	}
	one := rows(100)
	if two := rows(100); one.footer != two.footer {
		t.Error("the footer was decoded again")
	}
	if err := os.Rename(textFile(t, 102, 5, 51), path); err != nil {
		t.Fatal(err)
	}
	rows(102)
	if len(c.footers) != 1 || c.order.Len() != 1 || c.size != rows(102).meta.Size() {
		t.Errorf("%d footers of %d bytes", len(c.footers), c.size)
	}
	os.Remove(path)
	if _, err := c.Open(nil, path); err == nil {
		t.Error("a file that is gone was opened")
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := NewCache()
	f, err := Open(textFile(t, 100, 5, 50))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxFooters / f.meta.Size() {
		c.keep(string(rune(i)), st, f.footer)
	}
	if c.size > maxFooters || c.size < maxFooters-f.meta.Size() || len(c.footers) != c.order.Len() {
		t.Errorf("%d footers of %d bytes", len(c.footers), c.size)
	}
}

// What a reader returned stays as it is when its memory serves the next one: P4.
func TestRecordBatchesOutliveReaders(t *testing.T) {
	c := NewCache()
	read := func(path string, dictionaries bool) (out []arrow.RecordBatch) {
		f, err := c.Open(nil, path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		schema, _ := f.Schema()
		r, err := f.Read(t.Context(), 0, Want{Schema: schema, Rows: 100, Dictionaries: dictionaries})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for range 5 {
			rec, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, rec)
		}
		return out
	}
	one, other := textFile(t, 500, 40, 500), textFile(t, 500, 7, 500)
	for _, dictionaries := range []bool{false, true} {
		kept := read(one, dictionaries)
		read(other, dictionaries)
		read(other, !dictionaries)
		for i, again := range read(one, dictionaries) {
			if !array.RecordEqual(kept[i], again) {
				t.Errorf("record batch %d changed: %v", i, kept[i])
			}
		}
	}
}
