package adopt

import (
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/decimal"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/float16"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// read returns the values of arr as a column of type t, which is what typeOf gives
// for it.
func (r reader) read(arr arrow.Array, t *expr.Type) (*vec.Vec, error) {
	switch a := arr.(type) {
	case *array.Uint8:
		return widened[int16](a.Uint8Values(), t, a), nil
	case *array.Uint16:
		return widened[int32](a.Uint16Values(), t, a), nil
	case *array.Uint32:
		return widened[int64](a.Uint32Values(), t, a), nil
	case *array.Uint64:
		return mapped(a.Uint64Values(), t, a, func(v uint64) vec.Wide { return vec.Wide{Lo: v} }), nil
	case *array.Float16:
		return mapped(a.Values(), t, a, float16.Num.Float32), nil
	case *array.Decimal32:
		return mapped(a.Values(), t, a, func(v decimal.Decimal32) vec.Wide { return wide(int64(v)) }), nil
	case *array.Decimal64:
		return mapped(a.Values(), t, a, func(v decimal.Decimal64) vec.Wide { return wide(int64(v)) }), nil
	case *array.Decimal256:
		return r.decimal256(a, t)
	case *array.Date64:
		return r.days(a, t)
	case *array.Timestamp:
		return r.scaled(arrow.Int64Traits.CastFromBytes(arrow.TimestampTraits.CastToBytes(a.Values())), t, a, a.DataType().(*arrow.TimestampType).Unit)
	case *array.Duration:
		return r.scaled(arrow.Int64Traits.CastFromBytes(arrow.DurationTraits.CastToBytes(a.Values())), t, a, a.DataType().(*arrow.DurationType).Unit)
	case *array.DayTimeInterval:
		return mapped(a.DayTimeIntervalValues(), t, a, calendar), nil
	case *array.LargeString, *array.LargeBinary, *array.StringView, *array.BinaryView, *array.FixedSizeBinary:
		return r.texts(arr, t)
	case *array.Dictionary:
		return r.dictionary(a, t)
	case *array.RunEndEncoded:
		return r.runs(a, t)
	case array.ExtensionArray:
		return r.extension(a, t)
	case *array.Map:
		return r.entries(a, t)
	case array.ListLike:
		return r.lists(a, t)
	case *array.Struct:
		return r.fields(a, t)
	}
	return vec.FromArrow(arr, t), nil
}

// validity returns which values of arr are there; nil means all.
func validity(arr arrow.Array) []byte {
	n := arr.Len()
	if arr.NullN() == 0 || n == 0 || len(arr.Data().Buffers()) == 0 || arr.Data().Buffers()[0] == nil {
		return nil
	}
	out := make([]byte, (n+7)>>3)
	bitutil.CopyBitmap(arr.NullBitmapBytes(), arr.Data().Offset(), n, out, 0)
	return out
}

func mapped[T, U any](vals []T, t *expr.Type, arr arrow.Array, f func(T) U) *vec.Vec {
	out := make([]U, len(vals))
	for i, v := range vals {
		out[i] = f(v)
	}
	return vec.FromValues(t, out, validity(arr))
}

func widened[U int16 | int32 | int64, T uint8 | uint16 | uint32](vals []T, t *expr.Type, arr arrow.Array) *vec.Vec {
	return mapped(vals, t, arr, func(v T) U { return U(v) })
}

// wide returns v as a decimal's 16 bytes.
func wide(v int64) vec.Wide { return vec.Wide{Lo: uint64(v), Hi: uint64(v >> 63)} }

// calendar returns days and milliseconds as the engine's interval.
func calendar(v arrow.DayTimeInterval) arrow.MonthDayNanoInterval {
	return arrow.MonthDayNanoInterval{Days: v.Days, Nanoseconds: int64(v.Milliseconds) * 1_000_000}
}

func (r reader) decimal256(a *array.Decimal256, t *expr.Type) (*vec.Vec, error) {
	out := make([]vec.Wide, a.Len())
	for i, v := range a.Values() {
		if a.IsNull(i) {
			continue
		}
		words := v.Array() // the lowest first
		sign := uint64(int64(words[1]) >> 63)
		num := decimal128.New(int64(words[1]), words[0])
		if words[2] != sign || words[3] != sign || !num.FitsInPrecision(int32(t.Precision)) {
			return nil, r.bad(i, "the number has more than the %d digits of its type", t.Precision)
		}
		out[i] = vec.Wide{Lo: words[0], Hi: words[1]}
	}
	return vec.FromValues(t, out, validity(a)), nil
}

// dayMillis is the number of milliseconds of a day.
const dayMillis = 86_400_000

func (r reader) days(a *array.Date64, t *expr.Type) (*vec.Vec, error) {
	out := make([]int32, a.Len())
	for i, v := range a.Date64Values() {
		if a.IsNull(i) {
			continue
		}
		d := int64(v) / dayMillis
		if int64(v)%dayMillis != 0 || d != int64(int32(d)) {
			return nil, r.bad(i, "%d milliseconds are not a DATE, which has whole days", int64(v))
		}
		out[i] = int32(d)
	}
	return vec.FromValues(t, out, validity(a)), nil
}

// scaled reads counts of a unit of time as microseconds.
func (r reader) scaled(vals []int64, t *expr.Type, arr arrow.Array, unit arrow.TimeUnit) (*vec.Vec, error) {
	out := make([]int64, len(vals))
	factor := map[arrow.TimeUnit]uint64{arrow.Second: 1_000_000, arrow.Millisecond: 1000, arrow.Microsecond: 1}[unit]
	for i, v := range vals {
		switch {
		case factor == 1:
			out[i] = v
		case arr.IsNull(i):
		case factor == 0: // nanoseconds
			if out[i] = v / 1000; v%1000 != 0 {
				return nil, r.bad(i, "%d ns do not go into a %s, which has microseconds", v, t.SQL()).
					WithHint("round the column to microseconds before it is sent")
			}
		default:
			if hi, _ := bits.Mul64(magnitude(v), factor); hi != 0 || magnitude(v)*factor > math.MaxInt64 {
				return nil, r.bad(i, "%d %s do not go into a %s", v, unit, t.SQL())
			}
			out[i] = v * int64(factor)
		}
	}
	return vec.FromValues(t, out, validity(arr)), nil
}

// magnitude is v without its sign.
func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// texts writes out texts and bytes, whatever their layout is.
func (r reader) texts(arr arrow.Array, t *expr.Type) (*vec.Vec, error) {
	value := textReader(arr)
	var size int64
	for i := range arr.Len() {
		if arr.IsValid(i) {
			size += int64(len(value(i)))
		}
	}
	if err := r.spend(size + 4*int64(arr.Len())); err != nil {
		return nil, err
	}
	if size > math.MaxInt32 {
		return nil, r.bad(0, "the record batch has more than 2 GiB of values in this column")
	}
	v := &vec.Vec{Type: t, Len: arr.Len(), Valid: validity(arr), Off: make([]int32, 1, arr.Len()+1), Data: make([]byte, 0, size)}
	for i := range arr.Len() {
		if arr.IsValid(i) {
			v.Data = append(v.Data, value(i)...)
		}
		v.Off = append(v.Off, int32(len(v.Data)))
	}
	return v, nil
}

func textReader(arr arrow.Array) func(i int) []byte {
	switch a := arr.(type) {
	case *array.LargeString:
		return func(i int) []byte { return []byte(a.Value(i)) }
	case *array.StringView:
		return func(i int) []byte { return []byte(a.Value(i)) }
	case *array.LargeBinary:
		return a.Value
	case *array.BinaryView:
		return a.Value
	case *array.FixedSizeBinary:
		return a.Value
	}
	return nil
}

func (r reader) extension(a array.ExtensionArray, t *expr.Type) (*vec.Vec, error) {
	storage := a.Storage()
	if s, ok := storage.(*array.Int8); ok && t.Kind == expr.KindBool { // arrow.bool8
		v := &vec.Vec{Type: t, Len: s.Len(), Valid: validity(s), Data: make([]byte, (s.Len()+7)>>3)}
		for i, b := range s.Int8Values() {
			if b != 0 {
				v.Data[i>>3] |= 1 << (i & 7)
			}
		}
		return v, nil
	}
	return r.read(storage, t)
}
