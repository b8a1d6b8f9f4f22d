package guard

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
)

func TestHonestStreamsPass(t *testing.T) {
	codecs := map[string][]ipc.Option{"plain": nil, "lz4": {ipc.WithLZ4()}, "zstd": {ipc.WithZstd()}}
	for name, opts := range codecs {
		for _, rows := range []int{0, 1, 7, 1000} {
			recs := []arrow.RecordBatch{record(types(), rows, 1), record(types(), rows/2, 2)}
			i := 0
			got, err := decode(encode(t, recs, opts...), Limits{}, func(rec arrow.RecordBatch) {
				if !array.RecordEqual(rec, recs[i]) {
					t.Errorf("%s, %d rows: record batch %d came back changed", name, rows, i)
				}
				i++
			})
			if err != nil || got != int64(rows+rows/2) || i != 2 {
				t.Fatalf("%s, %d rows: got %d rows in %d record batches, %v", name, rows, got, i, err)
			}
		}
	}
}

func TestSlicedColumnsPass(t *testing.T) {
	for _, dt := range types() {
		if dt.ID() == arrow.LIST_VIEW || dt.ID() == arrow.DENSE_UNION {
			continue // arrow-go's writer refuses slices of these
		}
		rec := record([]arrow.DataType{dt}, 100, 3)
		want := rec.NewSlice(13, 57)
		_, err := decode(encode(t, []arrow.RecordBatch{want}), Limits{}, func(got arrow.RecordBatch) {
			if !array.RecordEqual(got, want) {
				t.Errorf("%v: the slice came back changed", dt)
			}
		})
		if err != nil {
			t.Errorf("%v: %v", dt, err)
		}
	}
}

func TestNoColumnsAndManyColumns(t *testing.T) {
	none := array.NewRecordBatch(arrow.NewSchema(nil, nil), nil, 5)
	if rows, err := decode(encode(t, []arrow.RecordBatch{none}), Limits{}, nil); err != nil || rows != 5 {
		t.Fatalf("got %d rows, %v", rows, err)
	}
	many := make([]arrow.DataType, 10_000)
	for i := range many {
		many[i] = arrow.PrimitiveTypes.Int8
	}
	if _, err := decode(encode(t, []arrow.RecordBatch{record(many, 1, 1)}), Limits{}, nil); err != nil {
		t.Fatal(err)
	}
	refused(t, encode(t, []arrow.RecordBatch{record(append(many, arrow.Null), 1, 1)}), base.CodeExhausted, "more than 10000 fields")
}

func TestDepth(t *testing.T) {
	nested := func(depth int) []Message {
		dt := arrow.DataType(arrow.PrimitiveTypes.Int8)
		for range depth - 1 {
			dt = arrow.ListOf(dt)
		}
		return encode(t, []arrow.RecordBatch{record([]arrow.DataType{dt}, 2, 1)})
	}
	if _, err := decode(nested(64), Limits{}, nil); err != nil {
		t.Fatal(err)
	}
	_, err := decode(nested(64), Limits{Depth: 63}, nil)
	if base.CodeOf(err) != base.CodeExhausted || !strings.Contains(err.Error(), "nests deeper than 63") {
		t.Fatalf("got %v", err)
	}
}

func TestOrderOfMessages(t *testing.T) {
	ms := encode(t, []arrow.RecordBatch{record(types(), 3, 1)})
	last := ms[len(ms)-1]
	refused(t, []Message{last}, base.CodeInvalid, "before the schema")
	refused(t, slices.Concat(ms, ms[:1]), base.CodeInvalid, "second schema")
	refused(t, slices.Concat(ms[:1], []Message{{}}, ms[1:]), base.CodeInvalid, "header is empty")
	refused(t, slices.Concat(ms[:1], []Message{{Body: make([]byte, 64)}}), base.CodeInvalid, "header is empty")
	plain := encode(t, []arrow.RecordBatch{record([]arrow.DataType{arrow.PrimitiveTypes.Int8}, 3, 1)})
	refused(t, []Message{plain[0], ms[1]}, base.CodeInvalid, "not in the schema")
	refused(t, []Message{plain[0], last}, base.CodeInvalid, "malformed")
}

func TestTruncatedBodies(t *testing.T) {
	ms := encode(t, []arrow.RecordBatch{record([]arrow.DataType{arrow.PrimitiveTypes.Int64}, 100, 1)})
	short := Message{Header: ms[1].Header, Body: ms[1].Body[:len(ms[1].Body)-64]}
	refused(t, []Message{ms[0], short}, base.CodeInvalid, "bytes")
}

// A column that takes no bytes may not have rows without end.
func TestFreeRows(t *testing.T) {
	null := func(n int64) []Message {
		col := array.NewNull(int(n))
		schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.Null, Nullable: true}}, nil)
		return encode(t, []arrow.RecordBatch{array.NewRecordBatch(schema, []arrow.Array{col}, n)})
	}
	if rows, err := decode(null(1<<20), Limits{}, nil); err != nil || rows != 1<<20 {
		t.Fatalf("got %d rows, %v", rows, err)
	}
	refused(t, null(1<<32), base.CodeExhausted, "take no bytes")
	none := array.NewRecordBatch(arrow.NewSchema(nil, nil), nil, 1<<40)
	refused(t, encode(t, []arrow.RecordBatch{none}), base.CodeExhausted, "take no bytes")
}

func TestCompressionBombs(t *testing.T) {
	zeros := array.NewInt64Builder(memory.DefaultAllocator)
	zeros.AppendValues(make([]int64, 16<<20), nil)
	rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "z", Type: arrow.PrimitiveTypes.Int64}}, nil), []arrow.Array{zeros.NewArray()}, 16<<20)
	for _, opt := range []ipc.Option{ipc.WithLZ4(), ipc.WithZstd()} {
		ms := encode(t, []arrow.RecordBatch{rec}, opt)
		refused(t, ms, base.CodeExhausted, "declare more than")
		if rows, err := decode(ms, Limits{Inflated: 1 << 30}, nil); err != nil || rows != 16<<20 {
			t.Fatalf("with a higher limit: %d rows, %v", rows, err)
		}
	}
}

// A buffer that inflates to more or less than it declares is refused.
func TestLyingCompression(t *testing.T) {
	for _, opt := range []ipc.Option{ipc.WithLZ4(), ipc.WithZstd()} {
		ms := encode(t, []arrow.RecordBatch{record([]arrow.DataType{arrow.PrimitiveTypes.Int64}, 4096, 1)}, opt)
		for _, change := range []int64{-8, 8, 1 << 20} {
			body := slices.Clone(ms[1].Body)
			at := 0
			for at < len(body) && int64(binary.LittleEndian.Uint64(body[at:])) != 8*4096 {
				at += 8
			}
			if at == len(body) {
				t.Fatal("found no buffer that declares 32,768 bytes")
			}
			binary.LittleEndian.PutUint64(body[at:], uint64(8*4096+change))
			refused(t, []Message{ms[0], {Header: ms[1].Header, Body: body}}, base.CodeInvalid, "")
		}
	}
}

func TestDictionariesAreLimited(t *testing.T) {
	dt := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	ms := encode(t, []arrow.RecordBatch{record([]arrow.DataType{dt}, 100, 1)})
	if _, err := decode(ms, Limits{}, nil); err != nil {
		t.Fatal(err)
	}
	_, err := decode(ms, Limits{Dictionaries: 100}, nil)
	if base.CodeOf(err) != base.CodeExhausted || !strings.Contains(err.Error(), "dictionaries of an Arrow stream") {
		t.Fatalf("got %v", err)
	}
}

// Values that only show as wrong after decoding are errors, not panics.
func TestValuesAreChecked(t *testing.T) {
	ms := encode(t, []arrow.RecordBatch{record([]arrow.DataType{arrow.BinaryTypes.String}, 100, 1)})
	body := slices.Clone(ms[1].Body)
	for i := 64; i < 128; i += 4 {
		binary.LittleEndian.PutUint32(body[i:], 1<<30)
	}
	refused(t, []Message{ms[0], {Header: ms[1].Header, Body: body}}, base.CodeInvalid, "")
}

func refused(t *testing.T, ms []Message, code base.Code, text string) {
	t.Helper()
	_, err := decode(ms, Limits{}, nil)
	if err == nil || base.CodeOf(err) != code || !strings.Contains(err.Error(), text) {
		t.Fatalf("want a %v error with %q, got %v", code, text, err)
	}
}
