package state

import (
	"bytes"
	"math/bits"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// A block of rows is an Arrow IPC stream of one record batch: the row numbers,
// then the key columns, then, unless the rows were removed, the value columns.
// Integers are as narrow as the block allows, and the differences of neighbours where
// these are narrower: half the bytes are half the work of compressing them.

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

// narrowed returns v, a column of integers, in the narrowest integers that hold
// its values, and how many bytes these have.
func narrowed(v *Vector) (Vector, int) {
	switch v.Kind {
	case Int64:
		return narrow(v, Values[int64](v))
	case Int32:
		return narrow(v, Values[int32](v))
	case Int16:
		return narrow(v, Values[int16](v))
	}
	return *v, 0
}

func narrow[T int16 | int32 | int64](v *Vector, vals []T) (Vector, int) {
	low, high := T(0), T(0)
	for _, x := range vals[:v.Len] {
		low, high = min(low, x), max(high, x)
	}
	out, fits := *v, bits.Len64(uint64(high))
	if low < 0 {
		fits = max(fits, bits.Len64(^uint64(low)))
	}
	width := v.Kind.width()
	switch {
	case fits < 8 && width > 1:
		out.Data = converted[int8](vals[:v.Len])
		return out, 1
	case fits < 16 && width > 2:
		out.Data = converted[int16](vals[:v.Len])
		return out, 2
	case fits < 32 && width > 4:
		out.Data = converted[int32](vals[:v.Len])
		return out, 4
	}
	return out, width
}

// fromKey is what the metadata of a column has that holds differences: what the
// first one is added to.
const fromKey = "from"

// differences returns v, a column of integers without NULLs that needs width bytes,
// as the differences of neighbours, if these need fewer; from is the first value.
func differences(v *Vector, width int) (out Vector, narrower int, from int64) {
	if v.Valid != nil || v.Len < 2 || width == 1 {
		return *v, width, 0
	}
	switch v.Kind {
	case Int64:
		return differ(v, Values[int64](v), width)
	case Int32:
		return differ(v, Values[int32](v), width)
	}
	return *v, width, 0
}

func differ[T int32 | int64](v *Vector, vals []T, width int) (Vector, int, int64) {
	vals = vals[:v.Len]
	low, high, last := T(0), T(0), vals[0]
	for _, x := range vals {
		d := x - last // may wrap around, and back
		low, high, last = min(low, d), max(high, d), x
	}
	out, fits := *v, bits.Len64(uint64(high))
	if low < 0 {
		fits = max(fits, bits.Len64(^uint64(low)))
	}
	switch {
	case fits < 8:
		out.Data, width = differed[int8](vals), 1
	case fits < 16 && width > 2:
		out.Data, width = differed[int16](vals), 2
	case fits < 32 && width > 4:
		out.Data, width = differed[int32](vals), 4
	default:
		return out, width, 0
	}
	return out, width, int64(vals[0])
}

func differed[U int8 | int16 | int32, T int32 | int64](vals []T) []byte {
	out, last := make([]U, len(vals)), vals[0]
	for i, x := range vals {
		out[i], last = U(x-last), x
	}
	return bytesOf(out)
}

func converted[U, T int8 | int16 | int32 | int64](vals []T) []byte {
	out := make([]U, len(vals))
	for i, x := range vals {
		out[i] = U(x)
	}
	return bytesOf(out)
}

// kindOf is the kind of integers of a width.
func kindOf(width int) Kind {
	switch width {
	case 1:
		return Int8
	case 2:
		return Int16
	case 4:
		return Int32
	}
	return Int64
}

// encodeBlock writes the IPC stream of cols, whose fields are given, to buf.
func encodeBlock(buf *bytes.Buffer, fields []Field, cols []Vector) error {
	arrowFields, arrays := make([]arrow.Field, len(fields)), make([]arrow.Array, len(fields))
	for i, f := range fields {
		col, width := narrowed(&cols[i])
		names, values := []string{"type"}, []string{f.Type}
		if d, less, from := differences(&cols[i], width); less < width {
			col, width = d, less
			names, values = append(names, fromKey), append(values, strconv.FormatInt(from, 10))
		}
		if width > 0 {
			col.Kind = kindOf(width)
		}
		arrowFields[i] = arrow.Field{Name: f.Name, Type: arrowType(col.Kind), Nullable: true, Metadata: arrow.NewMetadata(names, values)}
		arrays[i] = arrowArray(&col)
		defer arrays[i].Release()
	}
	size := 1<<10 + 512*len(fields)
	for _, a := range arrays {
		size += int(a.Data().SizeInBytes())
	}
	buf.Grow(size)
	schema := arrow.NewSchema(arrowFields, nil)
	rec := array.NewRecordBatch(schema, arrays, int64(cols[0].Len))
	defer rec.Release()
	w := ipc.NewWriter(buf, ipc.WithSchema(schema))
	if err := w.Write(rec); err != nil {
		return err
	}
	return w.Close()
}
