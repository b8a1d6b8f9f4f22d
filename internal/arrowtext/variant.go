package arrowtext

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/internal/variant"
	"github.com/flightd/flightd/kernels"
)

// AppendVariant appends a variant as JSON: numbers as Java prints them, not finite
// ones, dates and timestamps (with their offset in zone; nil is UTC) as strings.
func AppendVariant(dst []byte, v variant.Value, zone *kernels.Zone) []byte {
	return v.AppendJSON(dst, func(dst []byte, v variant.Value) []byte { return appendScalar(dst, v, zone) })
}

func appendScalar(dst []byte, v variant.Value, zone *kernels.Zone) []byte {
	switch v.Kind() {
	case variant.Double:
		return appendNumber(dst, v.Double(), 64)
	case variant.Float:
		return appendNumber(dst, float64(v.Float()), 32)
	case variant.Decimal:
		x, scale := v.Decimal()
		return AppendDecimal(dst, x, scale)
	case variant.Date:
		return append(AppendDate(append(dst, '"'), v.Int()), '"')
	case variant.Timestamp:
		us := v.Int()
		local := us
		if zone != nil {
			local = zone.Local(us)
		}
		dst = appendISO(append(dst, '"'), local)
		return append(appendOffset(dst, (local-us)/kernels.Second), '"')
	case variant.TimestampNTZ:
		return append(appendISO(append(dst, '"'), v.Int()), '"')
	}
	return dst
}

func appendNumber(dst []byte, f float64, size int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(appendFloat(append(dst, '"'), f, size), '"')
	}
	return appendFloat(dst, f, size)
}

// appendISO appends a local time with a fraction of as many digits as it needs.
func appendISO(dst []byte, local int64) []byte { return AppendTimestamp(dst, local) }

func appendOffset(dst []byte, seconds int64) []byte {
	sign := byte('+')
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	h, m := seconds/3600, seconds/60%60
	return append(dst, sign, byte('0'+h/10), byte('0'+h%10), ':', byte('0'+m/10), byte('0'+m%10))
}

// variantColumns returns the columns of a struct that is a variant, which a mark
// on its second field says.
func variantColumns(a *array.Struct) (value, metadata *array.Binary, ok bool) {
	t := a.DataType().(*arrow.StructType)
	if t.NumFields() != 2 {
		return nil, nil, false
	}
	mark, _ := t.Field(1).Metadata.GetValue("variant")
	value, isValue := a.Field(0).(*array.Binary)
	metadata, isMetadata := a.Field(1).(*array.Binary)
	return value, metadata, mark == "true" && isValue && isMetadata
}

// appendVariantColumns appends row i of a variant as JSON; malformed bytes are
// shown as such.
func appendVariantColumns(dst []byte, value, metadata *array.Binary, i int, zone *kernels.Zone) []byte {
	var err error
	out := func() []byte {
		defer variant.Catch(&err)
		return AppendVariant(dst, variant.Open(variant.Join(nil, value.Value(i), metadata.Value(i))), zone)
	}()
	if err != nil {
		return append(dst, "<malformed variant>"...)
	}
	return out
}
