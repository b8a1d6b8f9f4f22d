package wire

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/flight/guard"
)

// gathered has a column of each layout that can be gathered.
var gathered = arrow.NewSchema([]arrow.Field{
	{Name: "i8", Type: arrow.PrimitiveTypes.Int8, Nullable: true},
	{Name: "i64", Type: arrow.PrimitiveTypes.Int64},
	{Name: "f", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "d", Type: &arrow.Decimal128Type{Precision: 30, Scale: 2}, Nullable: true},
	{Name: "ts", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true},
	{Name: "fsb", Type: &arrow.FixedSizeBinaryType{ByteWidth: 3}, Nullable: true},
	{Name: "b", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "bin", Type: arrow.BinaryTypes.Binary},
}, nil)

// someRows returns a slice of random rows, with NULLs in one of three.
func someRows(t *testing.T, alloc memory.Allocator, rnd *rand.Rand) arrow.RecordBatch {
	nulls := rnd.IntN(3) == 0
	n := rnd.IntN(300)
	rows := make([]string, n)
	for i := range rows {
		row := map[string]any{"i8": rnd.IntN(256) - 128, "i64": rnd.Int64N(1 << 50), "f": rnd.Float64(), "d": fmt.Sprintf("%d.25", rnd.Int64()),
			"ts": fmt.Sprintf("2024-01-%02d 00:00:%02dZ", rnd.IntN(28)+1, rnd.IntN(60)), "fsb": "YWJj", "b": rnd.IntN(2) == 0,
			"s": strings.Repeat("é", rnd.IntN(9)), "bin": "AAEC"}
		for name := range row {
			if nulls && name != "i64" && name != "bin" && rnd.IntN(4) == 0 {
				row[name] = nil
			}
		}
		b, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		rows[i] = string(b)
	}
	rec, _, err := array.RecordFromJSON(alloc, gathered, strings.NewReader("["+strings.Join(rows, ",")+"]"))
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	from := rnd.IntN(n + 1)
	return rec.NewSlice(int64(from), int64(from+rnd.IntN(n-from+1)))
}

// received replays what was sent to Arrow's reader, behind the guard.
type received struct {
	sent  []*flight.FlightData
	guard *guard.Guard
}

func (r *received) Recv() (*flight.FlightData, error) {
	d := r.sent[0]
	r.sent = r.sent[1:]
	m, _, err := r.guard.Admit(guard.Message{Header: d.DataHeader, Body: d.DataBody})
	d.DataHeader, d.DataBody = m.Header, m.Body
	return d, err
}

// TestGathered: what is gathered is one record batch of the rows of all, in their order,
// with memory that is given back.
func TestGathered(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 8))
		alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
		recs := make([]arrow.RecordBatch, 1+rnd.IntN(6))
		for i := range recs {
			recs[i] = someRows(t, alloc, rnd)
		}
		s := &stream{keep: true}
		w := NewWriter(s, gathered)
		if err := w.WriteGathered(recs, false); err != nil {
			t.Fatal(err)
		}
		if len(s.sent) != 2 {
			t.Fatalf("%d messages", len(s.sent))
		}
		r, err := flight.NewRecordReader(&received{s.sent, guard.New(guard.Limits{})})
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		for c := range gathered.NumFields() {
			cols := make([]arrow.Array, len(recs))
			for i := range recs {
				cols[i] = recs[i].Column(c)
			}
			want, err := array.Concatenate(cols, memory.DefaultAllocator)
			if err != nil {
				t.Fatal(err)
			}
			if !array.Equal(want, got.Column(c)) || want.NullN() != got.Column(c).NullN() {
				t.Errorf("seed %d, column %s:\n%v\nnot\n%v", seed, gathered.Field(c).Name, got.Column(c), want)
			}
		}
		r.Release()
		for i := range recs {
			recs[i].Release()
		}
		for _, b := range s.kept {
			b.Free()
		}
		alloc.AssertSize(t, 0)
	}
}

// Schemas with other layouts are not gathered.
func TestGatherable(t *testing.T) {
	other := []arrow.DataType{arrow.ListOf(arrow.PrimitiveTypes.Int8), arrow.BinaryTypes.StringView, arrow.BinaryTypes.LargeString, arrow.Null,
		arrow.StructOf(), arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int8), &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String},
		arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int8)}
	for _, typ := range other {
		if Gatherable(arrow.NewSchema([]arrow.Field{{Name: "x", Type: typ}}, nil)) {
			t.Errorf("%v is gathered", typ)
		}
	}
	if !Gatherable(gathered) || Gatherable(arrow.NewSchema(nil, nil)) {
		t.Error("a schema of plain columns is to be gathered, one without columns not")
	}
}
