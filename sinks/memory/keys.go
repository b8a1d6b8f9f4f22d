package memory

import (
	"encoding/binary"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
)

// keyColumns makes byte strings of the rows' keys: equal values in all columns
// give equal bytes, others do not. A key is encoded column by column.
type keyColumns struct {
	columns []int
	rows    [][]byte
}

func newKeyColumns(columns []int) keyColumns { return keyColumns{columns: slices.Clone(columns)} }

func (k *keyColumns) are(columns []int) bool { return slices.Equal(k.columns, columns) }

// encode returns a key per row, valid until the next call.
func (k *keyColumns) encode(rec arrow.RecordBatch) [][]byte {
	n := int(rec.NumRows())
	for len(k.rows) < n {
		k.rows = append(k.rows, nil)
	}
	rows := k.rows[:n]
	if n == 0 { // such columns may have no buffers
		return rows
	}
	for i := range rows {
		rows[i] = rows[i][:0]
	}
	for _, c := range k.columns {
		appendColumn(rows, rec.Column(c), nil)
	}
	return rows
}

// appendColumn appends a byte that says whether the value is present, then the
// value. Rows of skip, which may be nil, are left as they are: they are NULL in a
// struct around the column.
func appendColumn(rows [][]byte, arr arrow.Array, skip []bool) {
	absent := make([]bool, len(rows))
	valid, offset := arr.NullBitmapBytes(), arr.Data().Offset()
	for i := range rows {
		if skip != nil && skip[i] {
			absent[i] = true
			continue
		}
		present := byte(1)
		if len(valid) > 0 && !bitutil.BitIsSet(valid, offset+i) || arr.DataType().ID() == arrow.NULL {
			absent[i], present = true, 0
		}
		rows[i] = append(rows[i], present)
	}
	switch a := arr.(type) {
	case *array.String:
		appendTexts(rows, absent, a.Value)
	case *array.Binary:
		appendTexts(rows, absent, a.Value)
	case *array.Boolean:
		for i := range rows {
			if !absent[i] {
				bit := byte(0)
				if a.Value(i) {
					bit = 1
				}
				rows[i] = append(rows[i], bit)
			}
		}
	case *array.Struct:
		for f := range a.NumField() {
			appendColumn(rows, a.Field(f), absent)
		}
	case *array.Null:
	default:
		if t, ok := a.DataType().(arrow.FixedWidthDataType); ok && len(a.Data().Buffers()) == 2 {
			appendFixed(rows, absent, a.Data().Buffers()[1].Bytes(), offset, t.Bytes())
			return
		}
		// Lists and maps are rarely keys.
		appendTexts(rows, absent, a.ValueStr)
	}
}

func appendFixed(rows [][]byte, absent []bool, data []byte, offset, width int) {
	for i := range rows {
		if !absent[i] {
			at := (offset + i) * width
			rows[i] = append(rows[i], data[at:at+width]...)
		}
	}
}

func appendTexts[T string | []byte](rows [][]byte, absent []bool, value func(int) T) {
	for i := range rows {
		if !absent[i] {
			v := value(i)
			rows[i] = append(binary.AppendUvarint(rows[i], uint64(len(v))), v...)
		}
	}
}
