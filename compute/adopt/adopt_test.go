package adopt

import (
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
)

// parse makes an array of dt from JSON.
func parse(t *testing.T, dt arrow.DataType, text string) arrow.Array {
	t.Helper()
	arr, _, err := array.FromJSON(memory.DefaultAllocator, dt, strings.NewReader(text))
	if err != nil {
		t.Fatal(dt, err)
	}
	return arr
}

func record(cols ...arrow.Array) arrow.RecordBatch {
	fields := make([]arrow.Field, len(cols))
	for i, c := range cols {
		fields[i] = arrow.Field{Name: string(rune('a' + i)), Type: c.DataType(), Nullable: true}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, int64(cols[0].Len()))
}

// adopted reads one column; limit is that of Of.
func adopted(col arrow.Array, limit int64) (arrow.Array, error) {
	rec := record(col)
	f, err := Of(rec.Schema(), limit)
	if err != nil {
		return nil, err
	}
	out, err := f.Record(rec)
	if err != nil {
		return nil, err
	}
	return out.Column(0), nil
}

// L1: whole columns, slices of them, and columns of nothing.
func TestValuesStay(t *testing.T) {
	list := `[[1, null], null, [], [3, 4, 5], [6]]`
	fixed := `[[1, null], null, [2, 3], [4, 5], [6, 7]]`
	for _, c := range []struct {
		dt   arrow.DataType
		text string
		want string // "" stands for text
	}{
		{arrow.PrimitiveTypes.Uint8, `[255, null, 0, 7, 1]`, ""},
		{arrow.PrimitiveTypes.Uint16, `[65535, null, 0, 7, 1]`, ""},
		{arrow.PrimitiveTypes.Uint32, `[4294967295, null, 0, 7, 1]`, ""},
		{arrow.PrimitiveTypes.Uint64, `[18446744073709551615, null, 0, 7, 1]`, `["18446744073709551615", null, "0", "7", "1"]`},
		{arrow.FixedWidthTypes.Float16, `[1.5, null, -2, 0, 1]`, ""},
		{arrow.BinaryTypes.LargeString, `["a", null, "", "ü€😀", "b"]`, ""},
		{arrow.BinaryTypes.StringView, `["a", null, "", "longer than twelve bytes", "b"]`, ""},
		{arrow.BinaryTypes.LargeBinary, `["YQ==", null, "", "Yg==", "YQ=="]`, ""},
		{arrow.BinaryTypes.BinaryView, `["YQ==", null, "", "Yg==", "YQ=="]`, ""},
		{&arrow.FixedSizeBinaryType{ByteWidth: 1}, `["YQ==", null, "Yg==", "Yg==", "YQ=="]`, ""},
		{&arrow.Decimal32Type{Precision: 5, Scale: 2}, `["1.25", null, "-1.25", "0", "999.99"]`, `["1.25", null, "-1.25", "0", "999.99"]`},
		{&arrow.Decimal64Type{Precision: 15, Scale: 2}, `["1.25", null, "-1.25", "0", "999.99"]`, ""},
		{&arrow.Decimal256Type{Precision: 38, Scale: 2}, `["1.25", null, "-1.25", "0", "99999999999999999999.99"]`, ""},
		{&arrow.TimestampType{Unit: arrow.Second}, `[1, null, -1, 0, 2]`, `["1970-01-01 00:00:01", null, "1969-12-31 23:59:59", "1970-01-01", "1970-01-01 00:00:02"]`},
		{&arrow.TimestampType{Unit: arrow.Nanosecond}, `[1000, null, -1000, 0, 2000]`,
			`["1970-01-01 00:00:00.000001", null, "1969-12-31 23:59:59.999999", "1970-01-01", "1970-01-01 00:00:00.000002"]`},
		{arrow.FixedWidthTypes.Duration_ms, `[1, null, -1, 0, 2]`, `[1000, null, -1000, 0, 2000]`},
		{arrow.FixedWidthTypes.Time32s, `["00:00:01", null, "23:59:59", "00:00:00", "00:00:02"]`, ""},
		{arrow.LargeListOf(arrow.PrimitiveTypes.Int8), list, ""},
		{arrow.ListViewOf(arrow.PrimitiveTypes.Int8), list, ""},
		{arrow.LargeListViewOf(arrow.PrimitiveTypes.Int8), list, ""},
		{arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Uint8), fixed, ""},
		{arrow.ListOf(arrow.BinaryTypes.StringView), `[["a"], null, [], ["b", null], ["c"]]`, ""},
		{arrow.StructOf(arrow.Field{Name: "u", Type: arrow.PrimitiveTypes.Uint8, Nullable: true}, arrow.Field{Name: "l", Type: arrow.BinaryTypes.LargeString, Nullable: true}),
			`[{"u": 1, "l": "a"}, null, {"u": null, "l": null}, {"u": 2, "l": ""}, {"u": 3, "l": "b"}]`, ""},
		{arrow.MapOf(arrow.BinaryTypes.LargeString, arrow.PrimitiveTypes.Uint8),
			`[[{"key": "a", "value": 1}], null, [], [{"key": "b", "value": null}, {"key": "c", "value": 3}], [{"key": "d", "value": 4}]]`, ""},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, `["a", null, "b", "a", "c"]`, ""},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint32, ValueType: arrow.PrimitiveTypes.Int64}, `[10, null, 20, 10, 30]`, ""},
		{arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String), `["a", "a", null, null, "b"]`, ""},
		{arrow.ListOf(&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}), `[["a", "b"], null, [], ["a", null], ["c"]]`, ""},
	} {
		whole := parse(t, c.dt, c.text)
		if c.want == "" {
			c.want = c.text
		}
		for _, cut := range [][2]int64{{0, 5}, {1, 5}, {2, 4}, {3, 3}, {4, 5}} {
			got, err := adopted(array.NewSlice(whole, cut[0], cut[1]), 1<<20)
			if err != nil {
				t.Errorf("%s: %v", c.dt, err)
				continue
			}
			if err := array.ValidateFull(got); got.Len() > 0 && err != nil {
				t.Errorf("%s%v: %v", c.dt, cut, err)
			}
			want := array.NewSlice(parse(t, got.DataType(), c.want), cut[0], cut[1])
			if !array.Equal(got, want) {
				t.Errorf("%s%v: got %v, want %v", c.dt, cut, got, want)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	longs := func(vals ...int64) arrow.Array {
		b := array.NewInt64Builder(memory.DefaultAllocator)
		b.AppendValues(vals, nil)
		return b.NewArray()
	}
	as := func(dt arrow.DataType, arr arrow.Array) arrow.Array {
		d := arr.Data()
		return array.MakeFromData(array.NewData(dt, d.Len(), d.Buffers(), nil, 0, 0))
	}
	for _, c := range []struct {
		col  arrow.Array
		want []string
	}{
		{parse(t, &arrow.Decimal256Type{Precision: 50, Scale: 2}, `["1"]`), []string{`"a"`, "38", "0A000"}},
		{parse(t, arrow.ListOf(&arrow.Decimal256Type{Precision: 50, Scale: 2}), `[["1"]]`), []string{`"a.element"`, "38"}},
		{as(&arrow.TimestampType{Unit: arrow.Nanosecond}, longs(1000, 1001)), []string{`"a"`, "row 1", "1001 ns", "TIMESTAMP_NTZ"}},
		{as(&arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}, longs(math.MaxInt64)), []string{`"a"`, "row 0", "TIMESTAMP"}},
		{as(&arrow.TimestampType{Unit: arrow.Millisecond}, longs(0, math.MinInt64)), []string{"row 1"}},
		{as(arrow.FixedWidthTypes.Duration_s, longs(1, 1<<62)), []string{"row 1"}},
		{as(arrow.FixedWidthTypes.Date64, longs(0, 5)), []string{"row 1", "DATE"}},
		{parse(t, arrow.SparseUnionOf([]arrow.Field{{Name: "u", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, []arrow.UnionTypeCode{0}), `[[0, 1]]`), []string{`"a"`, "union"}},
	} {
		_, err := adopted(c.col, 1<<20)
		if err == nil {
			t.Errorf("%s: no error", c.col.DataType())
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v does not name %s", c.col.DataType(), err, w)
			}
		}
		if base.AsError(err).Code != base.CodeInvalid || base.AsError(err).SQLState == "" {
			t.Errorf("%s: %v", c.col.DataType(), err)
		}
	}
}

// L2: what is short on the wire and long in memory is refused before it is written
// out.
func TestLimit(t *testing.T) {
	const n = 10_000
	long := strings.Repeat("x", 10_000)
	zeros := make([]int32, n)
	codes := array.NewInt32Builder(memory.DefaultAllocator)
	codes.AppendValues(zeros, nil)
	idx := codes.NewArray()
	value := parse(t, arrow.BinaryTypes.String, `["`+long+`"]`)
	run := array.NewRunEndEncodedArray(parse(t, arrow.PrimitiveTypes.Int32, "[10000]"), value, n, 0)
	runOfNumbers := array.NewRunEndEncodedArray(parse(t, arrow.PrimitiveTypes.Int32, "[100000000]"), parse(t, arrow.PrimitiveTypes.Int64, "[1]"), 100_000_000, 0)
	views := array.NewStringViewBuilder(memory.DefaultAllocator)
	views.Append(long)
	one := views.NewArray().Data()
	header := one.Buffers()[1].Bytes()[:16]
	var many []byte
	for range n {
		many = append(many, header...)
	}
	view := array.MakeFromData(array.NewData(arrow.BinaryTypes.StringView, n, append([]*memory.Buffer{nil, memory.NewBufferBytes(many)}, one.Buffers()[2:]...), nil, 0, 0))
	// Ten thousand lists, each of the same ten thousand numbers.
	sizes := make([]int32, n)
	for i := range sizes {
		sizes[i] = n
	}
	lists := array.MakeFromData(array.NewData(arrow.ListViewOf(arrow.PrimitiveTypes.Int32), n,
		[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(zeros)), memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(sizes))}, []arrow.ArrayData{idx.Data()}, 0, 0))
	for name, col := range map[string]arrow.Array{
		"dictionary": array.NewDictionaryArray(&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}, idx, value),
		"runs":       run, "long run": runOfNumbers, "views": view, "list views": lists,
	} {
		_, err := adopted(col, 50<<20)
		if err == nil || base.AsError(err).Code != base.CodeExhausted || !strings.Contains(err.Error(), `Column "a`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := adopted(run, 200<<20); err != nil {
		t.Error(err)
	}
}

// Columns of nothing may come without buffers.
func TestNoBuffers(t *testing.T) {
	for _, dt := range []arrow.DataType{arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String, arrow.FixedWidthTypes.Time64us} {
		none := array.NewData(dt, 0, []*memory.Buffer{nil, nil, nil}[:len(dt.Layout().Buffers)], nil, 0, 0)
		lists := array.MakeFromData(array.NewData(arrow.LargeListOf(dt), 1, []*memory.Buffer{nil, memory.NewBufferBytes(make([]byte, 16))}, []arrow.ArrayData{none}, 0, 0))
		if got, err := adopted(lists, 1<<20); err != nil || got.Len() != 1 {
			t.Errorf("%s: %v, %v", dt, got, err)
		}
	}
}
