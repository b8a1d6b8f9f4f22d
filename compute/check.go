package compute

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/expr"
)

// Check returns op with invariants 1 and 2 of this package asserted on every
// batch: the types of its columns, the selection, the number of its split. Build
// puts it between every two operators of a build with the tag invariants.
func Check(op Operator, schema expr.Schema) Operator { return &checker{unary{op}, schema, 0} }

type checker struct {
	unary
	schema expr.Schema
	split  int32
}

func (c *checker) Next(ctx context.Context) (Batch, error) {
	b, err := c.input.Next(ctx)
	if err != nil {
		return b, err
	}
	if got, want := int(b.Rec.NumCols()), len(c.schema); got != want {
		return b, invariants.AssertionFailedf("%T puts out %d columns, want %d", c.input, got, want)
	}
	for i, f := range c.schema {
		have := b.Rec.Column(i).DataType()
		if d, ok := have.(*arrow.DictionaryType); ok {
			have = d.ValueType
		}
		t, err := expr.FromArrow(have)
		if err != nil {
			return b, err
		}
		if !sameLayout(t, f.Type) {
			return b, invariants.AssertionFailedf("%T puts out column %d %q as %s, want %s", c.input, i, f.Name, t, f.Type)
		}
	}
	last, n := int32(-1), int32(b.Rec.NumRows())
	for i, r := range b.Sel {
		if r <= last || r >= n {
			return b, invariants.AssertionFailedf("%T selects row %d at %d after %d of %d", c.input, r, i, last, n)
		}
		last = r
	}
	if b.Split < c.split {
		return b, invariants.AssertionFailedf("%T puts out split %d after %d", c.input, b.Split, c.split)
	}
	c.split = b.Split
	return b, nil
}

// sameLayout reports whether a column of type t can be read as one of type want:
// what Arrow does not know of a type (fields of intervals, collations) does not
// count, nor do the names of struct members.
func sameLayout(t, want *expr.Type) bool {
	if t.Kind != want.Kind {
		return false
	}
	if t.Kind == expr.KindDecimal && (t.Precision != want.Precision || t.Scale != want.Scale) || len(t.Fields) != len(want.Fields) {
		return false
	}
	if t.Key != nil && !sameLayout(t.Key, want.Key) || t.Elem != nil && !sameLayout(t.Elem, want.Elem) {
		return false
	}
	for i := range t.Fields {
		if !sameLayout(t.Fields[i].Type, want.Fields[i].Type) {
			return false
		}
	}
	return true
}
