package state

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// A block of rows is an Arrow IPC stream of one record batch: the row numbers,
// then the key columns, then, unless the rows were removed, the value columns.

// numberColumn is the name of the column of row numbers in a block.
const numberColumn = "row number"

func arrowType(k Kind) arrow.DataType {
	switch k {
	case Bool:
		return arrow.FixedWidthTypes.Boolean
	case Int8:
		return arrow.PrimitiveTypes.Int8
	case Int16:
		return arrow.PrimitiveTypes.Int16
	case Int32:
		return arrow.PrimitiveTypes.Int32
	case Int64:
		return arrow.PrimitiveTypes.Int64
	case Float32:
		return arrow.PrimitiveTypes.Float32
	case Float64:
		return arrow.PrimitiveTypes.Float64
	case Wide:
		return &arrow.FixedSizeBinaryType{ByteWidth: 16}
	}
	return arrow.BinaryTypes.Binary
}

// arrowArray views v as an Arrow array, without copying.
func arrowArray(v *Vector) arrow.Array {
	buffers, nulls := []*memory.Buffer{nil, memory.NewBufferBytes(v.Data)}, 0
	if v.Valid != nil {
		buffers[0] = memory.NewBufferBytes(v.Valid)
		nulls = v.Len - bitutil.CountSetBits(v.Valid, 0, v.Len)
	}
	if v.Kind == Bytes {
		buffers = []*memory.Buffer{buffers[0], memory.NewBufferBytes(bytesOf(v.Off)), buffers[1]}
	}
	data := array.NewData(arrowType(v.Kind), v.Len, buffers, nil, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// blockFields are the columns of a block.
func blockFields(s Schema, withValues bool) []Field {
	fields := append([]Field{{Name: numberColumn, Type: "BIGINT", Kind: Int64}}, s.Keys...)
	if withValues {
		fields = append(fields, s.Values...)
	}
	return fields
}

// encodeBlock writes the IPC stream of cols, whose fields are given, to buf.
func encodeBlock(buf *bytes.Buffer, fields []Field, cols []Vector) error {
	arrowFields, arrays := make([]arrow.Field, len(fields)), make([]arrow.Array, len(fields))
	for i, f := range fields {
		arrowFields[i] = arrow.Field{Name: f.Name, Type: arrowType(f.Kind), Nullable: true,
			Metadata: arrow.NewMetadata([]string{"type"}, []string{f.Type})}
		arrays[i] = arrowArray(&cols[i])
		defer arrays[i].Release()
	}
	schema := arrow.NewSchema(arrowFields, nil)
	rec := array.NewRecordBatch(schema, arrays, int64(cols[0].Len))
	defer rec.Release()
	w := ipc.NewWriter(buf, ipc.WithSchema(schema))
	if err := w.Write(rec); err != nil {
		return err
	}
	return w.Close()
}
