package parquetfile

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// textFile writes n rows of a string column s, of the distinct different ones, and
// of the bytes b, in row groups of groupRows.
func textFile(t testing.TB, n, distinct, groupRows int, opts ...parquet.WriterProperty) string {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{field("s", arrow.BinaryTypes.String), field("b", arrow.BinaryTypes.Binary)}, nil)
	var rows strings.Builder
	for i := range n {
		s := fmt.Sprintf(`"%d ö"`, i%distinct)
		if i%10 == 3 {
			s = "null"
		}
		fmt.Fprintf(&rows, `,{"s":%s,"b":"YWI="}`, s)
	}
	var buf bytes.Buffer
	opts = append(opts, parquet.WithMaxRowGroupLength(int64(groupRows)), parquet.WithDataPageSize(300), parquet.WithBatchSize(50))
	w, err := pqarrow.NewFileWriter(schema, &buf, parquet.NewWriterProperties(opts...), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(record(t, schema, "["+rows.String()[1:]+"]")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return save(t, buf.Bytes())
}

// plainOf returns a, if it is a dictionary array, as the texts it stands for.
func plainOf(t testing.TB, a arrow.Array) arrow.Array {
	t.Helper()
	if a.DataType().ID() != arrow.DICTIONARY {
		return a
	}
	out, err := decodeDictionary(a.(*array.Dictionary))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDictionaries(t *testing.T) {
	path := textFile(t, 2000, 50, 1000)
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	schema := arrow.NewSchema([]arrow.Field{field("s", arrow.BinaryTypes.String), field("gone", arrow.BinaryTypes.String)}, nil)
	for g := range f.RowGroups() {
		plain, err := f.Read(t.Context(), g, Want{Schema: schema, Rows: 170})
		if err != nil {
			t.Fatal(err)
		}
		r, err := f.Read(t.Context(), g, Want{Schema: schema, Rows: 170, Dictionaries: true})
		if err != nil {
			t.Fatal(err)
		}
		var dict arrow.Array
		for range (1000 + 169) / 170 {
			want, err := plain.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			d, ok := got.Column(0).(*array.Dictionary)
			if !ok || !arrow.TypeEqual(got.Schema().Field(0).Type, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}) {
				t.Fatalf("got %v", got.Schema())
			}
			if got.Schema().Field(1).Type.ID() != arrow.STRING || d.NullN() != want.Column(0).NullN() || d.NullN() == 0 {
				t.Fatalf("got %v with %d nulls", got.Schema(), d.NullN())
			}
			if dict == nil {
				dict = d.Dictionary()
			}
			if d.Dictionary().Len() != 45 || d.Dictionary().Data().Buffers()[2] != dict.Data().Buffers()[2] {
				t.Fatal("another dictionary")
			}
			if !array.Equal(plainOf(t, d), want.Column(0)) {
				t.Fatalf("got %v, want %v", d, want.Column(0))
			}
		}
	}
}

// Some pages have indices, later ones do not: no array mixes them.
func TestDictionaryThatOverflows(t *testing.T) {
	path := textFile(t, 2000, 1500, 2000, parquet.WithDictionaryPageSizeLimit(2000))
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	schema, _ := f.Schema()
	want, err := oracle(t, f, 0, schema, 90)
	if err != nil {
		t.Fatal(err)
	}
	for _, borrowed := range []bool{false, true} {
		overflows(t, f, Want{Schema: schema, Rows: 90, Dictionaries: true, Borrowed: borrowed}, want)
	}
}

func overflows(t *testing.T, f *File, asked Want, want []arrow.RecordBatch) {
	t.Helper()
	r, err := f.Read(t.Context(), 0, asked)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	kinds := map[arrow.Type]int{}
	for _, w := range want {
		got, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		kinds[got.Column(0).DataType().ID()]++
		if got.Column(1).DataType().ID() != arrow.DICTIONARY {
			t.Errorf("the second column is of type %v", got.Column(1).DataType())
		}
		for c := range 2 {
			if !array.Equal(plainOf(t, got.Column(c)), w.Column(c)) {
				t.Fatalf("got %v, want %v", got.Column(c), w.Column(c))
			}
		}
	}
	if kinds[arrow.STRING] == 0 || kinds[arrow.DICTIONARY] == 0 {
		t.Errorf("got %v", kinds)
	}
}

// Row groups are read at the same time, from one file and from one footer.
func TestRowGroupsAtTheSameTime(t *testing.T) {
	path := textFile(t, 3000, 100, 300)
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	schema, _ := f.Schema()
	var wg sync.WaitGroup
	for g := range f.RowGroups() {
		wg.Go(func() {
			own, err := OpenWith(path, f.Footer())
			if err != nil {
				t.Error(err)
				return
			}
			defer own.Close()
			for _, from := range []*File{f, own} {
				if err := drainGroup(t, from, g, Want{Schema: schema, Rows: 64}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
