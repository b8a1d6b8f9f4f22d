package client

import (
	"fmt"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// A NamedValue is the value of a :name.
type NamedValue struct {
	Name  string
	Value any
}

// Named gives the parameter :name a value.
func Named(name string, value any) NamedValue { return NamedValue{name, value} }

// bind returns the values as a record batch of one row, or nil without any. The
// caller releases it.
func bind(args []any) (arrow.RecordBatch, error) {
	if len(args) == 0 {
		return nil, nil
	}
	if rec, ok := args[0].(arrow.RecordBatch); ok && len(args) == 1 {
		rec.Retain()
		return rec, nil
	}
	fields, cols := make([]arrow.Field, len(args)), make([]arrow.Array, 0, len(args))
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	for i, arg := range args {
		name := strconv.Itoa(i)
		if n, ok := arg.(NamedValue); ok {
			name, arg = n.Name, n.Value
		}
		col, err := one(arg)
		if err != nil {
			return nil, fmt.Errorf("flightd: parameter %s: %w", name, err)
		}
		cols = append(cols, col)
		fields[i] = arrow.Field{Name: name, Type: col.DataType(), Nullable: true}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, 1), nil
}

// one returns a column of one value.
func one(v any) (arrow.Array, error) {
	switch v := v.(type) {
	case nil:
		return array.NewNull(1), nil
	case arrow.Array:
		if v.Len() != 1 {
			return nil, fmt.Errorf("an array of %d values is no value; give a record batch for several rows", v.Len())
		}
		v.Retain()
		return v, nil
	case time.Time:
		return built(arrow.FixedWidthTypes.Timestamp_us, func(b *array.TimestampBuilder) { b.Append(arrow.Timestamp(v.UnixMicro())) })
	case time.Duration:
		return built(arrow.FixedWidthTypes.Duration_us, func(b *array.DurationBuilder) { b.Append(arrow.Duration(v.Microseconds())) })
	case bool:
		return built(arrow.FixedWidthTypes.Boolean, func(b *array.BooleanBuilder) { b.Append(v) })
	case string:
		return built(arrow.BinaryTypes.String, func(b *array.StringBuilder) { b.Append(v) })
	case []byte:
		return built(arrow.BinaryTypes.Binary, func(b *array.BinaryBuilder) { b.Append(v) })
	case float32:
		return built(arrow.PrimitiveTypes.Float32, func(b *array.Float32Builder) { b.Append(v) })
	case float64:
		return built(arrow.PrimitiveTypes.Float64, func(b *array.Float64Builder) { b.Append(v) })
	case int8:
		return built(arrow.PrimitiveTypes.Int8, func(b *array.Int8Builder) { b.Append(v) })
	case int16:
		return built(arrow.PrimitiveTypes.Int16, func(b *array.Int16Builder) { b.Append(v) })
	case int32:
		return built(arrow.PrimitiveTypes.Int32, func(b *array.Int32Builder) { b.Append(v) })
	case int64:
		return built(arrow.PrimitiveTypes.Int64, func(b *array.Int64Builder) { b.Append(v) })
	case int:
		return one(int64(v))
	case uint8:
		return one(int16(v))
	case uint16:
		return one(int32(v))
	case uint32:
		return one(int64(v))
	case uint64:
		return built(arrow.PrimitiveTypes.Uint64, func(b *array.Uint64Builder) { b.Append(v) })
	case uint:
		return one(uint64(v))
	}
	return nil, fmt.Errorf("a %T is not a value of SQL; give an arrow.Array of one value", v)
}

func built[B array.Builder](dt arrow.DataType, add func(B)) (arrow.Array, error) {
	b := array.NewBuilder(memory.DefaultAllocator, dt)
	defer b.Release()
	add(b.(B))
	return b.NewArray(), nil
}
