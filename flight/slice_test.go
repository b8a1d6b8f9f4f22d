package flight

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

type sizes struct{ last int }

func (s *sizes) Send(d *flight.FlightData) error {
	s.last = len(d.DataBody) + len(d.DataHeader)
	return nil
}

// The estimate is near what goes over the wire, for every kind of column and for
// slices of them.
func TestRecordBytes(t *testing.T) {
	json := `[` + strings.TrimSuffix(strings.Repeat(`{"i":1,"s":"some text","l":[1,2,3],"st":{"a":7,"b":"x"},"m":[{"key":"k","value":1}],"d":"2.50","b":true,"v":"a view that is long enough","fl":[1,2],"n":null},`, 4000), ",") + `]`
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "i", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true},
		{Name: "st", Type: arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int16}, arrow.Field{Name: "b", Type: arrow.BinaryTypes.LargeString}), Nullable: true},
		{Name: "m", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32), Nullable: true},
		{Name: "d", Type: &arrow.Decimal128Type{Precision: 10, Scale: 2}, Nullable: true},
		{Name: "b", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "v", Type: arrow.BinaryTypes.StringView, Nullable: true},
		{Name: "fl", Type: arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int32), Nullable: true},
		{Name: "n", Type: arrow.Null, Nullable: true},
	}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(json))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range schema.Fields() {
		one := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{f}, nil), rec.Columns()[i:i+1], rec.NumRows())
		for _, r := range []arrow.RecordBatch{one, one.NewSlice(1000, 3000)} {
			var s sizes
			w := flight.NewRecordWriter(&s, ipc.WithSchema(r.Schema()))
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
			got := int(recordBytes(r, 0, r.NumRows()))
			// A view's slice carries its whole data buffer along.
			if got < s.last*3/4-2048 && f.Name != "v" || got > s.last*3/2+2048 {
				t.Errorf("%s, %d rows: estimated %d bytes, sent %d", f.Name, r.NumRows(), got, s.last)
			}
		}
	}
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"%", "", true}, {"", "", true}, {"", "a", false}, {"a%", "abc", true}, {"%c", "abc", true}, {"%b%", "abc", true}, {"a_c", "abc", true},
		{"a_c", "ac", false}, {`a\_c`, "a_c", true}, {`a\_c`, "abc", false}, {`a\%`, "a%", true}, {"A%", "abc", false}, {"_", "ö", true},
		{"%a%a%a%a%a%a%b", strings.Repeat("a", 200), false}, {"abc", "abcd", false}, {"%%d", "abcd", true},
	} {
		if got := like(c.pattern, true, c.s); got != c.want {
			t.Errorf("%q like %q is %v", c.s, c.pattern, got)
		}
	}
	if !like("", false, "anything") {
		t.Error("without a pattern something does not match")
	}
}
