package layout

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
)

// nested is a column of every kind of nesting, whose members may be NULL or not.
func nested(nullable bool) *arrow.Schema {
	member := arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32, Nullable: nullable})
	return arrow.NewSchema([]arrow.Field{
		{Name: "s", Type: member, Nullable: true},
		{Name: "xs", Type: arrow.ListOfField(arrow.Field{Name: "element", Type: member, Nullable: nullable}), Nullable: true},
		{Name: "m", Type: arrow.MapOfFields(arrow.Field{Name: "key", Type: arrow.BinaryTypes.String}, arrow.Field{Name: "value", Type: member, Nullable: nullable}), Nullable: true},
	}, nil)
}

func rows(t *testing.T, json string) arrow.RecordBatch {
	t.Helper()
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, nested(true), strings.NewReader(json))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rec.Release)
	return rec
}

func TestRecord(t *testing.T) {
	for i, f := range nested(true).Fields() {
		if g := nested(false).Field(i); !Same(f.Type, g.Type) || !Same(g.Type, f.Type) || arrow.TypeEqual(f.Type, g.Type) {
			t.Errorf("%v and %v", f.Type, g.Type)
		}
		for j, g := range nested(true).Fields() {
			if i != j && Same(f.Type, g.Type) {
				t.Errorf("%v is taken for %v", f.Type, g.Type)
			}
		}
	}
	rec := rows(t, `[{"s":{"a":1},"xs":[{"a":2},{"a":3}],"m":[{"key":"x","value":{"a":4}}]},{"s":null,"xs":[],"m":null},{"s":{"a":5},"xs":null,"m":[]}]`)
	for from := range int64(3) {
		slice := rec.NewSlice(from, 3)
		got := Record(slice, nested(false))
		if !got.Schema().Equal(nested(false)) {
			t.Errorf("the schema is %v", got.Schema())
		}
		back := Record(got, nested(true))
		if !array.RecordEqual(back, slice) {
			t.Errorf("from %d: %v", from, back)
		}
		back.Release()
		got.Release()
		slice.Release()
	}
}

func TestCheckNulls(t *testing.T) {
	for json, path := range map[string]string{
		`[{"s":{"a":1},"xs":[{"a":1}],"m":[{"key":"x","value":{"a":1}}]}, {"s":null,"xs":null,"m":null}]`: "",
		`[{"s":{"a":1}}, {"s":{"a":null}}]`:                                              "`s.a`",
		`[{"xs":[{"a":1}]}, {"xs":[{"a":1},null]}]`:                                      "`xs.element`",
		`[{"xs":[{"a":1}]}, {"xs":[{"a":1},{"a":null}]}]`:                                "`xs.element.a`",
		`[{"m":[]}, {"m":[{"key":"x","value":null}]}]`:                                   "`m.value`",
		`[{"m":[]}, {"m":[{"key":"x","value":{"a":1}},{"key":"y","value":{"a":null}}]}]`: "`m.value.a`",
	} {
		rec := rows(t, json)
		if err := CheckNulls("t", nested(true), rec); err != nil {
			t.Errorf("%s: %v", json, err)
		}
		err := CheckNulls("t", nested(false), rec)
		if path == "" && err != nil || path != "" && (err == nil || base.AsError(err).Condition != "NOT_NULL_ASSERT_VIOLATION" || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "Row 1 ")) {
			t.Errorf("%s: %v, want %s", json, err, path)
		}
	}
}
