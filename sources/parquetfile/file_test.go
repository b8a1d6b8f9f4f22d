package parquetfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/flightd/flightd/internal/base"
)

func field(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

func record(t testing.TB, schema *arrow.Schema, rows string) arrow.RecordBatch {
	t.Helper()
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func write(t testing.TB, rec arrow.RecordBatch, groupRows int64, opts ...pqarrow.WriterOption) string {
	t.Helper()
	var buf bytes.Buffer
	w, err := pqarrow.NewFileWriter(rec.Schema(), &buf, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(groupRows)), pqarrow.NewArrowWriterProperties(opts...))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return save(t, buf.Bytes())
}

func save(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.parquet")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// readAll returns the rows of all row groups as JSON texts.
func readAll(t testing.TB, path string, schema *arrow.Schema, rows int) (string, error) {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if schema == nil {
		if schema, err = f.Schema(); err != nil {
			return "", err
		}
	}
	var out strings.Builder
	for g := range f.RowGroups() {
		r, err := f.Read(t.Context(), g, Want{Schema: schema, Rows: rows})
		if err != nil {
			return "", err
		}
		defer r.Close()
		for {
			rec, err := r.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return "", err
			}
			if !rec.Schema().Equal(schema) || rec.NumRows() == 0 || rec.NumRows() > int64(rows) {
				t.Fatalf("got %d rows of %v", rec.NumRows(), rec.Schema())
			}
			b, err := array.RecordToStructArray(rec).MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			var cells []json.RawMessage
			if err := json.Unmarshal(b, &cells); err != nil {
				t.Fatal(err)
			}
			for i, c := range cells {
				out.WriteString(map[bool]string{true: ","}[i > 0] + string(c))
			}
			out.WriteByte('\n')
			rec.Release()
		}
	}
	return out.String(), nil
}

func TestReadConverts(t *testing.T) {
	utc := func(u arrow.TimeUnit) arrow.DataType { return &arrow.TimestampType{Unit: u, TimeZone: "UTC"} }
	ntz := &arrow.TimestampType{Unit: arrow.Microsecond}
	i32, i64, f64 := arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64
	dec := func(p, s int32) arrow.DataType { return &arrow.Decimal128Type{Precision: p, Scale: s} }
	for _, c := range []struct {
		name       string
		have, want arrow.DataType
		in, out    string
		opts       []pqarrow.WriterOption
	}{
		{"nanoseconds before 1970", utc(arrow.Nanosecond), nil, `{"a":"1969-12-31T23:59:59.999999999Z"},{"a":null}`, `{"a":"1969-12-31T23:59:59.999999Z"},{"a":null}`, nil},
		{"INT96", utc(arrow.Nanosecond), nil, `{"a":"2024-01-01T10:00:00.000001Z"}`, `{"a":"2024-01-01T10:00:00.000001Z"}`, []pqarrow.WriterOption{pqarrow.WithDeprecatedInt96Timestamps(true)}},
		{"milliseconds", utc(arrow.Millisecond), nil, `{"a":"2024-01-01T10:00:00.001Z"}`, `{"a":"2024-01-01T10:00:00.001Z"}`, nil},
		{"without zone", &arrow.TimestampType{Unit: arrow.Millisecond}, ntz, `{"a":"2024-01-01T10:00:00"}`, `{"a":"2024-01-01T10:00:00"}`, nil},
		{"unsigned", arrow.PrimitiveTypes.Uint32, nil, `{"a":4294967295}`, `{"a":4294967295}`, nil},
		{"unsigned 64", arrow.PrimitiveTypes.Uint64, nil, `{"a":18446744073709551615}`, `{"a":"18446744073709551615"}`, nil},
		{"widened", i32, i64, `{"a":7},{"a":null}`, `{"a":7},{"a":null}`, nil},
		{"int to double", i32, f64, `{"a":7}`, `{"a":7}`, nil},
		{"decimal widened", dec(5, 2), dec(10, 4), `{"a":"1.25"}`, `{"a":"1.25"}`, nil},
		{"large string", arrow.BinaryTypes.LargeString, nil, `{"a":"x"},{"a":null}`, `{"a":"x"},{"a":null}`, []pqarrow.WriterOption{pqarrow.WithStoreSchema()}},
		{"fixed bytes", &arrow.FixedSizeBinaryType{ByteWidth: 2}, nil, `{"a":"YWI="}`, `{"a":"YWI="}`, nil},
		{"binary as string", arrow.BinaryTypes.Binary, arrow.BinaryTypes.String, `{"a":"YWI="}`, `{"a":"ab"}`, nil},
		{"list", arrow.ListOf(i32), arrow.ListOf(i64), `{"a":[1,null]},{"a":null},{"a":[]},{"a":[2]}`, `{"a":[1,null]},{"a":null},{"a":[]},{"a":[2]}`, nil},
		{"map", arrow.MapOf(arrow.BinaryTypes.String, i32), arrow.MapOf(arrow.BinaryTypes.String, i64), `{"a":[{"key":"k","value":1}]},{"a":null}`, `{"a":[{"key":"k","value":1}]},{"a":null}`, nil},
		{"struct by name", arrow.StructOf(field("x", i32), field("y", i32)), arrow.StructOf(field("z", i32), field("y", i64)), `{"a":{"x":1,"y":2}},{"a":null}`, `{"a":{"y":2,"z":null}},{"a":null}`, nil},
		{"interval", arrow.PrimitiveTypes.Int64, arrow.FixedWidthTypes.Duration_us, `{"a":5}`, `{"a":"5us"}`, nil},
		{"missing column", i32, nil, `{"a":1}`, `{"a":1}`, nil},
	} {
		in := record(t, arrow.NewSchema([]arrow.Field{field("a", c.have)}, nil), "["+c.in+"]")
		path := write(t, in, 1000, c.opts...)
		var schema *arrow.Schema
		if c.want != nil {
			schema = arrow.NewSchema([]arrow.Field{field("a", c.want)}, nil)
		}
		got, err := readAll(t, path, schema, 1000)
		if err != nil || got != c.out+"\n" {
			t.Errorf("%s: got %s %v", c.name, got, err)
		}
	}
}

func TestColumnsAndRowGroups(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{field("a", arrow.PrimitiveTypes.Int32), field("s", arrow.StructOf(field("x", arrow.PrimitiveTypes.Int32))), field("B", arrow.BinaryTypes.String)}, nil)
	path := write(t, record(t, schema, `[{"a":1,"s":{"x":1},"B":"p"},{"a":2,"B":"q"},{"a":3,"s":{"x":3},"B":"r"}]`), 2)
	want := arrow.NewSchema([]arrow.Field{field("b", arrow.BinaryTypes.String), field("gone", arrow.PrimitiveTypes.Int64), field("a", arrow.PrimitiveTypes.Int32)}, nil)
	got, err := readAll(t, path, want, 1)
	if err != nil || got != `{"a":1,"b":"p","gone":null}`+"\n"+`{"a":2,"b":"q","gone":null}`+"\n"+`{"a":3,"b":"r","gone":null}`+"\n" {
		t.Errorf("got %s %v", got, err)
	}
	if got, err := readAll(t, path, arrow.NewSchema(nil, nil), 10); err != nil || got != "{},{}\n{}\n" {
		t.Errorf("no columns: got %s %v", got, err)
	}
	_, err = readAll(t, path, arrow.NewSchema([]arrow.Field{field("B", arrow.PrimitiveTypes.Int32)}, nil), 10)
	if err == nil || !strings.Contains(err.Error(), "column B is of type utf8, which cannot be read as int32") || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestDamagedFiles(t *testing.T) { // P1, P2
	schema := arrow.NewSchema([]arrow.Field{field("a", arrow.PrimitiveTypes.Int32), field("s", arrow.BinaryTypes.String), field("l", arrow.ListOf(arrow.PrimitiveTypes.Int64))}, nil)
	var rows []string
	for i := range 300 {
		rows = append(rows, `{"a":`+string(rune('0'+i%10))+`,"s":"text`+string(rune('a'+i%26))+`","l":[1,null,3]}`)
	}
	good, err := os.ReadFile(write(t, record(t, schema, "["+strings.Join(rows, ",")+"]"), 100))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 3, 11, 12, len(good) / 2, len(good) - 9, len(good) - 4, len(good) - 1} {
		path := save(t, good[:n])
		if _, err := readAll(t, path, nil, 64); base.CodeOf(err) != base.CodeCorrupt || !strings.Contains(err.Error(), path) {
			t.Errorf("first %d bytes: got %v", n, err)
		}
	}
	if _, err := Open("/nowhere/at/all"); base.CodeOf(err) != base.CodeNotFound {
		t.Errorf("got %v", err)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		bad := bytes.Clone(good)
		for range 1 + rng.IntN(3) {
			bad[rng.IntN(len(bad))] = byte(rng.Uint32())
		}
		if _, err := readAll(t, save(t, bad), nil, 64); err != nil && base.CodeOf(err) != base.CodeCorrupt && base.CodeOf(err) != base.CodeInvalid {
			t.Fatalf("got %v", err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	schema := arrow.NewSchema([]arrow.Field{field("a", arrow.PrimitiveTypes.Int32), field("s", arrow.BinaryTypes.String)}, nil)
	good, err := os.ReadFile(write(f, record(f, schema, `[{"a":1,"s":"x"},{"a":2,"s":"y"}]`), 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	for seed := range uint64(30) { // of every kind of column
		rng := rand.New(rand.NewPCG(seed, 8))
		f.Add(flatFile(f, rng, 1+rng.IntN(100), 2))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		begun := time.Now()
		defer func() {
			if took := time.Since(begun); took > 30*time.Second {
				t.Fatalf("took %v", took)
			}
		}()
		path := filepath.Join(dir, "f.parquet")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		file, err := Open(path)
		if err != nil {
			return
		}
		defer file.Close()
		schema, err := file.Schema()
		if err != nil {
			return
		}
		for g := range min(3, file.RowGroups()) {
			r, err := file.Read(t.Context(), g, Want{Schema: schema, Rows: 7, Dictionaries: len(b)%2 == 0})
			for n := 0; err == nil && n < 10; n++ {
				_, err = r.Next(t.Context())
			}
			r.Close()
		}
	})
}
