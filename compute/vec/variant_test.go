package vec

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/internal/variant"
	"github.com/flightd/flightd/plan/expr"
)

// A column of variants goes through Arrow as a struct of values and metadata, also
// where it is sliced.
func TestVariantArrow(t *testing.T) {
	b := NewBuilder(expr.Variant)
	for _, s := range []string{`{"a":1}`, "", `[null]`, `"x"`, "", `{"b":{"a":2}}`} {
		if s == "" {
			b.AppendNull()
			continue
		}
		var vb variant.Builder
		if err := vb.ParseJSON([]byte(s)); err != nil {
			t.Fatal(err)
		}
		bytes, err := vb.Finish(nil)
		if err != nil {
			t.Fatal(err)
		}
		b.AppendBytes(bytes)
	}
	v := b.Vec()
	arr := v.Arrow()
	defer arr.Release()
	if got, err := expr.FromArrow(arr.DataType()); err != nil || got.Kind != expr.KindVariant {
		t.Fatalf("the type comes back as %v, %v", got, err)
	}
	if s := arr.(*array.Struct); s.Field(0).IsNull(1) || !s.IsNull(1) {
		t.Error("a NULL is the struct's, not its members'")
	}
	for lo := range v.Len {
		part := array.NewSlice(arr, int64(lo), int64(v.Len))
		back := FromArrow(part, expr.Variant)
		for i := range back.Len {
			if back.Null(i) != v.Null(lo+i) || !back.Null(i) && string(back.Str(i)) != string(v.Str(lo+i)) {
				t.Fatalf("row %d of the slice from %d is another", i, lo)
			}
		}
		part.Release()
	}
}
