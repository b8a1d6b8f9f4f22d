package expr

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// appendText appends row i of v, which is present, as CAST(v AS STRING) prints it.
// A nil zone shows timestamps in UTC.
func appendText(dst []byte, v *vec.Vec, i int, zone *kernels.Zone) []byte {
	i = v.Index(i)
	switch v.Type.Kind {
	case expr.KindBool:
		return strconv.AppendBool(dst, v.Bool(i))
	case expr.KindInt8:
		return strconv.AppendInt(dst, int64(vec.Values[int8](v)[i]), 10)
	case expr.KindInt16:
		return strconv.AppendInt(dst, int64(vec.Values[int16](v)[i]), 10)
	case expr.KindInt32:
		return strconv.AppendInt(dst, int64(vec.Values[int32](v)[i]), 10)
	case expr.KindInt64:
		return strconv.AppendInt(dst, vec.Values[int64](v)[i], 10)
	case expr.KindDecimal:
		return arrowtext.AppendDecimal(dst, vec.Values[kernels.Int128](v)[i], v.Type.Scale)
	case expr.KindFloat32:
		return arrowtext.AppendFloat32(dst, vec.Values[float32](v)[i])
	case expr.KindFloat64:
		return arrowtext.AppendFloat64(dst, vec.Values[float64](v)[i])
	case expr.KindString, expr.KindBinary:
		return append(dst, v.Str(i)...)
	case expr.KindVariant:
		return appendVariantText(dst, v.Str(i), nil)
	case expr.KindDate:
		return arrowtext.AppendDate(dst, int64(vec.Values[int32](v)[i]))
	case expr.KindTimestamp:
		t := vec.Values[int64](v)[i]
		if zone != nil {
			t = zone.Local(t)
		}
		return arrowtext.AppendTimestamp(dst, t)
	case expr.KindTimestampNTZ:
		return arrowtext.AppendTimestamp(dst, vec.Values[int64](v)[i])
	case expr.KindTime:
		return arrowtext.AppendTime(dst, vec.Values[int64](v)[i])
	case expr.KindYearMonth:
		return arrowtext.AppendYearMonth(dst, vec.Values[int32](v)[i], int(v.Type.From), int(v.Type.To))
	case expr.KindDayTime:
		return arrowtext.AppendDayTime(dst, vec.Values[int64](v)[i], int(v.Type.From), int(v.Type.To))
	case expr.KindCalendar:
		x := vec.Values[arrow.MonthDayNanoInterval](v)[i]
		return arrowtext.AppendCalendar(dst, x.Months, x.Days, x.Nanoseconds/1000)
	case expr.KindArray:
		dst = append(dst, '[')
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			if k > v.Off[i] {
				dst = append(dst, ", "...)
			}
			dst = appendMember(dst, v.Kids[0], int(k), zone)
		}
		return append(dst, ']')
	case expr.KindMap:
		dst = append(dst, '{')
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			if k > v.Off[i] {
				dst = append(dst, ", "...)
			}
			dst = appendMember(dst, v.Kids[0], int(k), zone)
			dst = append(dst, " ->"...)
			dst = append(dst, ' ')
			dst = appendMember(dst, v.Kids[1], int(k), zone)
		}
		return append(dst, '}')
	case expr.KindStruct:
		dst = append(dst, '{')
		for k, kid := range v.Kids {
			if k > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendMember(dst, kid, i, zone)
		}
		return append(dst, '}')
	}
	return append(dst, "NULL"...)
}

func appendMember(dst []byte, v *vec.Vec, i int, zone *kernels.Zone) []byte {
	if v.Null(i) {
		return append(dst, "null"...)
	}
	return appendText(dst, v, i, zone)
}

// AppendText appends row i of v as CAST(v AS STRING) prints it, or NULL.
func AppendText(dst []byte, v *vec.Vec, i int, zone *kernels.Zone) []byte {
	if v.Null(i) {
		return append(dst, "NULL"...)
	}
	return appendText(dst, v, i, zone)
}
