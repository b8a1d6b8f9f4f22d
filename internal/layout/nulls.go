package layout

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/internal/base"
)

// CheckNulls refuses NULL where the schema of a table says NOT NULL: in a column, or in a
// member of one that is there itself.
func CheckNulls(table string, schema *arrow.Schema, rec arrow.RecordBatch) error {
	for i, f := range schema.Fields() {
		if path, row := null(f, rec.Column(i), f.Name, nil); path != "" {
			what := "column"
			if path != f.Name {
				what = "member"
			}
			return base.UserError("NOT_NULL_ASSERT_VIOLATION", "42000", "Row %d of the rows has NULL in the %s `%s` of table %s, which is NOT NULL.", row, what, path, table).
				WithHint("give it a value, or leave the row out")
		}
	}
	return nil
}

// null finds a NULL that must not be: its path, and the row it is in. rows are the rows
// of the table that the values of col are part of, −1 where what is around a value is
// NULL; nil if they are the same.
func null(f arrow.Field, col arrow.Array, path string, rows []int) (string, int) {
	if rowOf := rowsOf(rows); !f.Nullable && col.NullN() > 0 {
		for i := range col.Len() {
			if row := rowOf(i); row >= 0 && col.IsNull(i) {
				return path, row
			}
		}
	}
	if !demanding(f.Type) {
		return "", 0
	}
	switch t := f.Type.(type) {
	case *arrow.StructType:
		s, ok := col.(*array.Struct)
		if !ok {
			break
		}
		rows = within(col, rows)
		for i, m := range t.Fields() {
			if at, row := null(m, s.Field(i), path+"."+m.Name, rows); at != "" {
				return at, row
			}
		}
	case *arrow.MapType:
		m, ok := col.(*array.Map)
		if !ok {
			break
		}
		if key, item := t.KeyField(), t.ItemField(); m.Keys().NullN() == 0 && !demanding(key.Type) && (item.Nullable || m.Items().NullN() == 0) && !demanding(item.Type) {
			return "", 0
		}
		inner := elements(m, rows)
		if at, row := null(t.KeyField(), m.Keys(), path+".key", inner); at != "" {
			return at, row
		}
		return null(t.ItemField(), m.Items(), path+".value", inner)
	case arrow.ListLikeType:
		if l, ok := col.(array.ListLike); ok {
			return null(t.ElemField(), l.ListValues(), path+".element", elements(l, rows))
		}
	}
	return "", 0
}

// demanding reports whether a member of a type is NOT NULL.
func demanding(t arrow.DataType) bool {
	n, ok := t.(arrow.NestedType)
	if !ok {
		return false
	}
	if _, ok := t.(*arrow.MapType); ok { // its keys are
		return true
	}
	for _, f := range n.Fields() {
		if !f.Nullable || demanding(f.Type) {
			return true
		}
	}
	return false
}

func rowsOf(rows []int) func(int) int {
	if rows == nil {
		return func(i int) int { return i }
	}
	return func(i int) int { return rows[i] }
}

// within are the rows of members of structs.
func within(col arrow.Array, rows []int) []int {
	if col.NullN() == 0 {
		return rows
	}
	rowOf := rowsOf(rows)
	out := make([]int, col.Len())
	for i := range out {
		if out[i] = rowOf(i); col.IsNull(i) {
			out[i] = -1
		}
	}
	return out
}

// elements are the rows of the values of lists, those of no list included.
func elements(l array.ListLike, rows []int) []int {
	rowOf := rowsOf(rows)
	out := make([]int, l.ListValues().Len())
	for i := range out {
		out[i] = -1
	}
	for i := range l.Len() {
		if l.IsNull(i) {
			continue
		}
		from, to := l.ValueOffsets(i)
		for at := from; at < to; at++ {
			out[at] = rowOf(i)
		}
	}
	return out
}
