package rowtext

import (
	"encoding/base64"
	"slices"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
)

// Row is the columns of a record batch, ready for its rows to be written.
type Row struct{ cols []column }

// column is an array with what every cell of it needs.
type column struct {
	arr    arrow.Array
	name   []byte // as a JSON text with colon
	valid  []byte // nil: all present
	offset int
	inner  []column // of nested types
}

// Check returns an error for the first field that no text can be made of. With
// nested false, lists, maps and structs are refused too.
func Check(schema *arrow.Schema, nested bool) error {
	for _, f := range schema.Fields() {
		if err := check(f.Type, nested); err != nil {
			return base.UserError("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "0A000", "column %s: the type %s cannot be written as text", f.Name, f.Type)
		}
	}
	return nil
}

func check(t arrow.DataType, nested bool) error {
	switch t := t.(type) {
	case *arrow.ListType:
		if nested {
			return check(t.Elem(), true)
		}
	case *arrow.MapType:
		if nested {
			return check(t.ItemType(), true)
		}
	case *arrow.StructType:
		for _, f := range t.Fields() {
			if err := check(f.Type, nested); err != nil {
				return err
			}
		}
		if nested {
			return nil
		}
	case *arrow.NullType, *arrow.BooleanType, *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type, *arrow.Float32Type,
		*arrow.Float64Type, *arrow.Decimal128Type, *arrow.StringType, *arrow.BinaryType, *arrow.Date32Type, *arrow.TimestampType,
		*arrow.MonthIntervalType, *arrow.DurationType:
		return nil
	}
	return base.Errorf(base.CodeInvalid, "type %s", t)
}

// NewRow returns the rows of rec. It is valid as long as rec.
func NewRow(rec arrow.RecordBatch) *Row {
	r := &Row{}
	for i, c := range rec.Columns() {
		r.cols = append(r.cols, newColumn(c, rec.ColumnName(i)))
	}
	return r
}

func newColumn(a arrow.Array, name string) column {
	c := column{arr: a, name: append(AppendJSONString(nil, []byte(name)), ':'), offset: a.Data().Offset()}
	if a.NullN() > 0 {
		c.valid = a.NullBitmapBytes()
	}
	switch a := a.(type) {
	case *array.Map:
		c.inner = []column{newColumn(a.Keys(), ""), newColumn(a.Items(), "")}
	case *array.List:
		c.inner = []column{newColumn(a.ListValues(), "")}
	case *array.Struct:
		for i, f := range a.DataType().(*arrow.StructType).Fields() {
			c.inner = append(c.inner, newColumn(a.Field(i), f.Name))
		}
	}
	return c
}

func (c *column) isNull(i int) bool {
	if c.valid == nil {
		return c.arr.DataType().ID() == arrow.NULL
	}
	i += c.offset
	return c.valid[i>>3]>>(i&7)&1 == 0
}

// appendPlain appends a present cell without quotes: numbers, dates, texts as
// they are, timestamps in ISO form.
func (c *column) appendPlain(dst []byte, i int) []byte {
	switch a := c.arr.(type) {
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
		return arrowtext.AppendFloat32(dst, a.Value(i))
	case *array.Float64:
		return arrowtext.AppendFloat64(dst, a.Value(i))
	case *array.Decimal128:
		return append(dst, a.Value(i).ToString(a.DataType().(*arrow.Decimal128Type).Scale)...)
	case *array.String:
		return append(dst, a.Value(i)...)
	case *array.Binary:
		return append(dst, a.Value(i)...)
	case *array.Date32:
		return arrowtext.AppendDate(dst, int64(a.Value(i)))
	case *array.Timestamp:
		return appendTimestamp(dst, int64(a.Value(i)), a.DataType().(*arrow.TimestampType).TimeZone != "")
	}
	return arrowtext.Append(dst, c.arr, i, nil)
}

// appendTimestamp appends 2024-01-01T10:00:00.000Z: three digits of fraction,
// six if there are microseconds, and the Z of an instant.
func appendTimestamp(dst []byte, micros int64, instant bool) []byte {
	const day = int64(24 * time.Hour / time.Microsecond)
	d, t := micros/day, micros%day
	if t < 0 {
		d, t = d-1, t+day
	}
	dst = append(arrowtext.AppendDate(dst, d), 'T')
	secs, frac, digits := t/1e6, t%1e6, 6
	if frac%1000 == 0 {
		frac, digits = frac/1000, 3
	}
	dst = append(dst, byte('0'+secs/36000), byte('0'+secs/3600%10), ':', byte('0'+secs/600%6), byte('0'+secs/60%10), ':', byte('0'+secs%60/10), byte('0'+secs%10), '.')
	for p := map[int]int64{3: 100, 6: 100_000}[digits]; p > 0; p /= 10 {
		dst = append(dst, byte('0'+frac/p%10))
	}
	if instant {
		dst = append(dst, 'Z')
	}
	return dst
}

// AppendJSON appends row i as a JSON object. Fields that are null are left out
// unless nulls is set.
func (r *Row) AppendJSON(dst []byte, i int, nulls bool) []byte {
	return appendObject(dst, r.cols, i, nulls)
}

func appendObject(dst []byte, cols []column, i int, nulls bool) []byte {
	dst = append(dst, '{')
	first := true
	for k := range cols {
		c := &cols[k]
		if !nulls && c.isNull(i) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, c.name...)
		dst = c.appendJSON(dst, i, nulls)
	}
	return append(dst, '}')
}

func (c *column) appendJSON(dst []byte, i int, nulls bool) []byte {
	if c.isNull(i) {
		return append(dst, "null"...)
	}
	switch a := c.arr.(type) {
	case *array.Boolean, *array.Int8, *array.Int16, *array.Int32, *array.Int64, *array.Decimal128:
		return c.appendPlain(dst, i)
	case *array.Float32, *array.Float64:
		at := len(dst)
		dst = c.appendPlain(dst, i)
		if last := dst[len(dst)-1]; last == 'N' || last == 'y' { // NaN, Infinity
			dst = append(slices.Insert(dst, at, '"'), '"')
		}
		return dst
	case *array.String:
		return AppendJSONString(dst, []byte(a.Value(i)))
	case *array.Binary:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, a.Value(i))
		return append(dst, '"')
	case *array.Map:
		lo, hi := a.ValueOffsets(i)
		dst = append(dst, '{')
		for j := lo; j < hi; j++ {
			if j > lo {
				dst = append(dst, ',')
			}
			dst = AppendJSONString(dst, c.inner[0].appendPlain(nil, int(j)))
			dst = append(dst, ':')
			dst = c.inner[1].appendJSON(dst, int(j), nulls)
		}
		return append(dst, '}')
	case *array.List:
		lo, hi := a.ValueOffsets(i)
		dst = append(dst, '[')
		for j := lo; j < hi; j++ {
			if j > lo {
				dst = append(dst, ',')
			}
			dst = c.inner[0].appendJSON(dst, int(j), nulls)
		}
		return append(dst, ']')
	case *array.Struct:
		return appendObject(dst, c.inner, i, nulls)
	}
	dst = append(dst, '"')
	return append(c.appendPlain(dst, i), '"')
}

// AppendJSONString appends s as a JSON text, escaping no more than JSON demands.
func AppendJSONString(dst, s []byte) []byte {
	const hex = "0123456789ABCDEF"
	dst = append(dst, '"')
	from := 0
	for i, c := range s {
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[from:]...), '"')
}
