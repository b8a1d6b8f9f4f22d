package arrowtext

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/kernels"
)

// Append appends row i of an array as CAST(v AS STRING) prints it; a NULL is the
// word null inside a nested value and "NULL" outside. Timestamps with a zone are
// shown in zone. BINARY is shown as its bytes. Interval columns, which have no
// fields in Arrow, are shown as YEAR TO MONTH and DAY TO SECOND. Types without a
// SQL type print as Arrow prints them.
func Append(dst []byte, arr arrow.Array, i int, zone *kernels.Zone) []byte {
	if arr.IsNull(i) {
		return append(dst, "NULL"...)
	}
	return appendValue(dst, arr, i, zone)
}

// Value returns row i of an array as text, and whether it is present.
func Value(arr arrow.Array, i int, zone *kernels.Zone) (text string, ok bool) {
	if arr.IsNull(i) {
		return "", false
	}
	return string(appendValue(nil, arr, i, zone)), true
}

func appendInner(dst []byte, arr arrow.Array, i int, zone *kernels.Zone) []byte {
	if arr.IsNull(i) {
		return append(dst, "null"...)
	}
	return appendValue(dst, arr, i, zone)
}

func appendValue(dst []byte, arr arrow.Array, i int, zone *kernels.Zone) []byte {
	switch a := arr.(type) {
	case *array.Boolean:
		return strconv.AppendBool(dst, a.Value(i))
	case *array.Int8:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Int16:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Int32:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Int64:
		return strconv.AppendInt(dst, a.Value(i), 10)
	case *array.Float32:
		return AppendFloat32(dst, a.Value(i))
	case *array.Float64:
		return AppendFloat64(dst, a.Value(i))
	case *array.Decimal128:
		v := a.Value(i)
		return AppendDecimal(dst, kernels.Int128{Lo: v.LowBits(), Hi: v.HighBits()}, int(a.DataType().(*arrow.Decimal128Type).Scale))
	case *array.String:
		return append(dst, a.Value(i)...)
	case *array.Binary:
		return append(dst, a.Value(i)...)
	case *array.Date32:
		return AppendDate(dst, int64(a.Value(i)))
	case *array.Timestamp:
		t := int64(a.Value(i))
		if zone != nil && a.DataType().(*arrow.TimestampType).TimeZone != "" {
			t = zone.Local(t)
		}
		return AppendTimestamp(dst, t)
	case *array.Time64:
		return AppendTime(dst, int64(a.Value(i))*nanosPer(a.DataType().(*arrow.Time64Type).Unit))
	case *array.MonthInterval:
		return AppendYearMonth(dst, int32(a.Value(i)), year, month)
	case *array.Duration:
		return AppendDayTime(dst, int64(a.Value(i)), day, second)
	case *array.MonthDayNanoInterval:
		v := a.Value(i)
		return AppendCalendar(dst, v.Months, v.Days, v.Nanoseconds/1000)
	case *array.Map:
		lo, hi := a.ValueOffsets(i)
		dst = append(dst, '{')
		for j := lo; j < hi; j++ {
			if j > lo {
				dst = append(dst, ", "...)
			}
			dst = appendInner(dst, a.Keys(), int(j), zone)
			dst = append(dst, " -> "...)
			dst = appendInner(dst, a.Items(), int(j), zone)
		}
		return append(dst, '}')
	case *array.List:
		lo, hi := a.ValueOffsets(i)
		dst = append(dst, '[')
		for j := lo; j < hi; j++ {
			if j > lo {
				dst = append(dst, ", "...)
			}
			dst = appendInner(dst, a.ListValues(), int(j), zone)
		}
		return append(dst, ']')
	case *array.Struct:
		if value, metadata, ok := variantColumns(a); ok {
			return appendVariantColumns(dst, value, metadata, i, zone)
		}
		dst = append(dst, '{')
		for k := range a.NumField() {
			if k > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendInner(dst, a.Field(k), i, zone)
		}
		return append(dst, '}')
	}
	return append(dst, arr.ValueStr(i)...)
}

// AppendHex appends bytes as upper-case hexadecimal digits.
func AppendHex(dst, b []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range b {
		dst = append(dst, digits[c>>4], digits[c&15])
	}
	return dst
}

// AppendBytes shows BINARY as SHOW and the console do: [61 62].
func AppendBytes(dst, b []byte) []byte {
	dst = append(dst, '[')
	for i, c := range b {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = AppendHex(dst, []byte{c})
	}
	return append(dst, ']')
}
