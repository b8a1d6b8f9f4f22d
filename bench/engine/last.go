package engine

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// lastOf hands on the last row of each key, the first keys columns being the
// key; all rows if keys is 0. That is what a table would hold that the output of
// an update-mode query was written to.
func lastOf(recs []arrow.RecordBatch, keys int, each func(arrow.RecordBatch) error) error {
	seen := map[string]struct{}{}
	var key []byte
	for i := len(recs) - 1; i >= 0; i-- {
		rec := recs[i]
		if keys == 0 {
			if err := each(rec); err != nil {
				return err
			}
			continue
		}
		var keep []int64
		for row := int(rec.NumRows()) - 1; row >= 0; row-- {
			key = key[:0]
			for c := range keys {
				var err error
				if key, err = appendKey(key, rec.Column(c), row); err != nil {
					return err
				}
			}
			if _, ok := seen[string(key)]; !ok {
				seen[string(key)] = struct{}{}
				keep = append(keep, int64(row))
			}
		}
		kept, err := take(rec, keep)
		if err != nil {
			return err
		}
		err = each(kept)
		kept.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func appendKey(key []byte, col arrow.Array, row int) ([]byte, error) {
	if col.IsNull(row) {
		return append(key, 0), nil
	}
	key = append(key, 1)
	switch col := col.(type) {
	case *array.Int64:
		return binary.LittleEndian.AppendUint64(key, uint64(col.Value(row))), nil
	case *array.Int32:
		return binary.LittleEndian.AppendUint32(key, uint32(col.Value(row))), nil
	case *array.Timestamp:
		return binary.LittleEndian.AppendUint64(key, uint64(col.Value(row))), nil
	case *array.String:
		key = binary.LittleEndian.AppendUint32(key, uint32(len(col.Value(row))))
		return append(key, col.Value(row)...), nil
	case *array.Dictionary:
		return appendKey(key, col.Dictionary(), col.GetValueIndex(row))
	}
	return nil, fmt.Errorf("a key of %s is not known", col.DataType())
}

// take copies rows of a record batch, in their order.
func take(rec arrow.RecordBatch, rows []int64) (arrow.RecordBatch, error) {
	cols := make([]arrow.Array, rec.NumCols())
	for i, col := range rec.Columns() {
		b := array.NewBuilder(memory.DefaultAllocator, valueType(col.DataType()))
		for _, row := range rows {
			if err := appendValue(b, col, int(row)); err != nil {
				return nil, err
			}
		}
		cols[i] = b.NewArray()
		b.Release()
	}
	fields := make([]arrow.Field, len(cols))
	for i, c := range cols {
		fields[i] = arrow.Field{Name: rec.ColumnName(i), Type: c.DataType(), Nullable: true}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, int64(len(rows))), nil
}

func valueType(t arrow.DataType) arrow.DataType {
	if d, ok := t.(*arrow.DictionaryType); ok {
		return d.ValueType
	}
	return t
}

func appendValue(b array.Builder, col arrow.Array, row int) error {
	if col.IsNull(row) {
		b.AppendNull()
		return nil
	}
	switch col := col.(type) {
	case *array.Int64:
		b.(*array.Int64Builder).Append(col.Value(row))
	case *array.Int32:
		b.(*array.Int32Builder).Append(col.Value(row))
	case *array.Float64:
		b.(*array.Float64Builder).Append(col.Value(row))
	case *array.Timestamp:
		b.(*array.TimestampBuilder).Append(col.Value(row))
	case *array.String:
		b.(*array.StringBuilder).Append(col.Value(row))
	case *array.Dictionary:
		return appendValue(b, col.Dictionary(), col.GetValueIndex(row))
	default:
		return fmt.Errorf("values of %s are not known", col.DataType())
	}
	return nil
}
