package parquetfile

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// convert returns in as an array of type to, which convertible has allowed. The
// caller releases the result.
func convert(in arrow.Array, to arrow.DataType) (arrow.Array, error) {
	if arrow.TypeEqual(in.DataType(), to) {
		in.Retain()
		return in, nil
	}
	switch a := in.(type) {
	case *array.Null:
		return array.MakeArrayOfNull(memory.DefaultAllocator, to, a.Len()), nil
	case array.ExtensionArray:
		return convert(a.Storage(), to)
	case *array.Dictionary:
		flat, err := decodeDictionary(a)
		if err != nil {
			return nil, err
		}
		defer flat.Release()
		return convert(flat, to)
	}
	switch t := to.(type) {
	case *arrow.TimestampType:
		return toMicros(in, t, in.DataType().(*arrow.TimestampType).Unit)
	case *arrow.DurationType:
		if d, ok := in.DataType().(*arrow.DurationType); ok {
			return toMicros(in, t, d.Unit)
		}
		return relabel(in, to), nil
	case *arrow.MonthIntervalType:
		return relabel(in, to), nil
	case *arrow.Date32Type:
		a := in.(*array.Date64)
		return mapped(in, to, arrow.Date32Traits.CastToBytes, func(i int) arrow.Date32 { return arrow.Date32FromTime(a.Value(i).ToTime()) }), nil
	case *arrow.Decimal128Type:
		return toDecimal(in, t)
	case *arrow.StringType, *arrow.BinaryType:
		return toBytes(in, to)
	case *arrow.ListType:
		return toList(in, t)
	case *arrow.MapType:
		return toMap(in.(*array.Map), t)
	case *arrow.StructType:
		return toStruct(in.(*array.Struct), t)
	}
	return toNumber(in, to)
}

// mapped makes a fixed-width array whose valid cells come from at.
func mapped[T any](in arrow.Array, to arrow.DataType, bytes func([]T) []byte, at func(i int) T) arrow.Array {
	out := make([]T, in.Len())
	for i := range out {
		if in.IsValid(i) {
			out[i] = at(i)
		}
	}
	return newFixed(in, to, bytes(out))
}

func newFixed(in arrow.Array, to arrow.DataType, data []byte) arrow.Array {
	d := array.NewData(to, in.Len(), []*memory.Buffer{validity(in), memory.NewBufferBytes(data)}, nil, in.NullN(), 0)
	defer d.Release()
	return array.MakeFromData(d)
}

// validity returns in's validity bitmap from bit 0 on; nil if nothing is null.
func validity(in arrow.Array) *memory.Buffer {
	if in.NullN() == 0 {
		return nil
	}
	d := in.Data()
	if d.Offset() == 0 {
		return d.Buffers()[0]
	}
	bits := make([]byte, (in.Len()+7)/8)
	bitutil.CopyBitmap(d.Buffers()[0].Bytes(), d.Offset(), in.Len(), bits, 0)
	return memory.NewBufferBytes(bits)
}

// relabel gives in's buffers another type of the same layout.
func relabel(in arrow.Array, to arrow.DataType) arrow.Array {
	d := in.Data()
	nd := array.NewData(to, d.Len(), d.Buffers(), nil, d.NullN(), d.Offset())
	defer nd.Release()
	return array.MakeFromData(nd)
}

func toMicros(in arrow.Array, to arrow.DataType, unit arrow.TimeUnit) (arrow.Array, error) {
	if unit == arrow.Microsecond {
		return relabel(in, to), nil
	}
	vals := arrow.Int64Traits.CastFromBytes(in.Data().Buffers()[1].Bytes())[in.Data().Offset():]
	out := make([]int64, in.Len())
	vals = vals[:len(out)]
	if unit == arrow.Nanosecond { // towards minus infinity, as time before 1970 needs
		for i, v := range vals {
			out[i] = v/1000 + v%1000>>63
		}
		return newFixed(in, to, arrow.Int64Traits.CastToBytes(out)), nil
	}
	name, factor := "ms", int64(1000)
	if unit == arrow.Second {
		name, factor = "s", 1_000_000
	}
	for i, v := range vals {
		if v > math.MaxInt64/factor || v < math.MinInt64/factor {
			if in.IsNull(i) {
				continue
			}
			return nil, fmt.Errorf("%d %s is beyond what a timestamp can hold", v, name)
		}
		out[i] = v * factor
	}
	return newFixed(in, to, arrow.Int64Traits.CastToBytes(out)), nil
}

// wholeAt returns the cells of a column of whole numbers; nil for others.
func wholeAt(in arrow.Array) func(i int) int64 {
	switch a := in.(type) {
	case *array.Int8:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Int16:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Int32:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Int64:
		return a.Value
	case *array.Uint8:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Uint16:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Uint32:
		return func(i int) int64 { return int64(a.Value(i)) }
	}
	return nil
}

func toNumber(in arrow.Array, to arrow.DataType) (arrow.Array, error) {
	if at := wholeAt(in); at != nil {
		switch to.ID() {
		case arrow.INT16:
			return mapped(in, to, arrow.Int16Traits.CastToBytes, func(i int) int16 { return int16(at(i)) }), nil
		case arrow.INT32:
			return mapped(in, to, arrow.Int32Traits.CastToBytes, func(i int) int32 { return int32(at(i)) }), nil
		case arrow.INT64:
			return mapped(in, to, arrow.Int64Traits.CastToBytes, at), nil
		case arrow.FLOAT64:
			return mapped(in, to, arrow.Float64Traits.CastToBytes, func(i int) float64 { return float64(at(i)) }), nil
		}
	}
	switch a := in.(type) {
	case *array.Float16:
		if to.ID() == arrow.FLOAT32 {
			return mapped(in, to, arrow.Float32Traits.CastToBytes, func(i int) float32 { return a.Value(i).Float32() }), nil
		}
		return mapped(in, to, arrow.Float64Traits.CastToBytes, func(i int) float64 { return float64(a.Value(i).Float32()) }), nil
	case *array.Float32:
		return mapped(in, to, arrow.Float64Traits.CastToBytes, func(i int) float64 { return float64(a.Value(i)) }), nil
	}
	return nil, fmt.Errorf("converting %s to %s", in.DataType(), to)
}

func toDecimal(in arrow.Array, to *arrow.Decimal128Type) (arrow.Array, error) {
	scale := to.Scale
	var at func(i int) decimal128.Num
	switch a := in.(type) {
	case *array.Decimal128:
		scale -= in.DataType().(*arrow.Decimal128Type).Scale
		at = a.Value
	case *array.Uint64:
		at = func(i int) decimal128.Num { return decimal128.FromU64(a.Value(i)) }
	default:
		whole := wholeAt(in)
		if whole == nil {
			return nil, fmt.Errorf("converting %s to %s", in.DataType(), to)
		}
		at = func(i int) decimal128.Num { return decimal128.FromI64(whole(i)) }
	}
	return mapped(in, to, arrow.Decimal128Traits.CastToBytes, func(i int) decimal128.Num { return at(i).IncreaseScaleBy(scale) }), nil
}
