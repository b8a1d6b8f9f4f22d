// Package layout compares Arrow types, and gives columns another one, where they differ in
// nothing but which members may be NULL; and finds the NULLs that must not be. Rows that
// were computed know that a member is never NULL, which the table they go into need not
// say, and the other way round.
package layout

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Same reports whether two types differ in nothing but which members may be NULL.
func Same(a, b arrow.DataType) bool {
	if a.ID() != b.ID() {
		return false
	}
	switch a := a.(type) {
	case *arrow.StructType:
		b := b.(*arrow.StructType)
		if a.NumFields() != b.NumFields() {
			return false
		}
		for i, f := range a.Fields() {
			if g := b.Field(i); f.Name != g.Name || !Same(f.Type, g.Type) {
				return false
			}
		}
		return true
	case *arrow.MapType:
		b := b.(*arrow.MapType)
		return Same(a.KeyType(), b.KeyType()) && Same(a.ItemType(), b.ItemType())
	case *arrow.ListType:
		return Same(a.Elem(), b.(*arrow.ListType).Elem())
	}
	return arrow.TypeEqual(a, b)
}

// Conform returns a column with a type of the same layout, over the same buffers. The
// caller releases it.
func Conform(col arrow.Array, t arrow.DataType) arrow.Array {
	if arrow.TypeEqual(col.DataType(), t) {
		col.Retain()
		return col
	}
	data := conformed(col.Data(), t)
	defer data.Release()
	return array.MakeFromData(data)
}

func conformed(d arrow.ArrayData, t arrow.DataType) arrow.ArrayData {
	var types []arrow.DataType
	switch t := t.(type) {
	case *arrow.MapType: // its child are the entries
		types = []arrow.DataType{t.Elem()}
	case arrow.NestedType:
		for _, f := range t.Fields() {
			types = append(types, f.Type)
		}
	}
	children := make([]arrow.ArrayData, len(d.Children()))
	for i, c := range d.Children() {
		children[i] = conformed(c, types[i])
		defer children[i].Release()
	}
	return array.NewData(t, d.Len(), d.Buffers(), children, d.NullN(), d.Offset())
}

// Record returns rec with the columns of schema, which have the same layout. The caller
// releases it, and keeps its reference to rec.
func Record(rec arrow.RecordBatch, schema *arrow.Schema) arrow.RecordBatch {
	cols := make([]arrow.Array, schema.NumFields())
	for i := range cols {
		cols[i] = Conform(rec.Column(i), schema.Field(i).Type)
		defer cols[i].Release()
	}
	return array.NewRecordBatch(schema, cols, rec.NumRows())
}
