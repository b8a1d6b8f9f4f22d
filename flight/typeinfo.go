package flight

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql/schema_ref"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// A sqlType is one row of XdbcTypeInfo.
type sqlType struct {
	name     string
	code     int32 // of ODBC
	size     int32 // of a column, in digits or characters
	quote    string
	params   []string
	radix    int32
	minScale int32
	maxScale int32
	subcode  int32 // of dates and times
}

// Codes that ODBC's and JDBC's headers name.
const (
	xdbcChar      = 1
	xdbcDecimal   = 3
	xdbcInteger   = 4
	xdbcSmallint  = 5
	xdbcReal      = 7
	xdbcDouble    = 8
	xdbcDateTime  = 9
	xdbcVarchar   = 12
	xdbcBigint    = -5
	xdbcTinyint   = -6
	xdbcBit       = -7
	xdbcVarbinary = -3
	xdbcDate      = 91
	xdbcTimestamp = 93
)

// sqlTypes are the types that a column can be declared with, by code.
var sqlTypes = []sqlType{
	{name: "BOOLEAN", code: xdbcBit, size: 1},
	{name: "TINYINT", code: xdbcTinyint, size: 3, radix: 10},
	{name: "BIGINT", code: xdbcBigint, size: 19, radix: 10},
	{name: "BINARY", code: xdbcVarbinary, size: 1<<31 - 1, quote: "X'"},
	{name: "DECIMAL", code: xdbcDecimal, size: 38, radix: 10, params: []string{"precision", "scale"}, maxScale: 38},
	{name: "INT", code: xdbcInteger, size: 10, radix: 10},
	{name: "SMALLINT", code: xdbcSmallint, size: 5, radix: 10},
	{name: "FLOAT", code: xdbcReal, size: 7, radix: 2},
	{name: "DOUBLE", code: xdbcDouble, size: 15, radix: 2},
	{name: "STRING", code: xdbcVarchar, size: 1<<31 - 1, quote: "'"},
	{name: "DATE", code: xdbcDate, size: 10, quote: "DATE '", subcode: 1},
	{name: "TIMESTAMP", code: xdbcTimestamp, size: 26, quote: "TIMESTAMP '", maxScale: 6, subcode: 3},
}

// typeInfo lists the types, or the one with the code.
func typeInfo(code *int32) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema_ref.XdbcTypeInfo)
	defer b.Release()
	for _, t := range sqlTypes {
		if code == nil || *code == t.code {
			t.appendTo(b)
		}
	}
	return b.NewRecordBatch()
}

func (t sqlType) appendTo(b *array.RecordBuilder) {
	text := func(i int, v string) {
		if v == "" {
			b.Field(i).AppendNull()
			return
		}
		b.Field(i).(*array.StringBuilder).Append(v)
	}
	num := func(i int, v int32, valid bool) {
		if !valid {
			b.Field(i).AppendNull()
			return
		}
		b.Field(i).(*array.Int32Builder).Append(v)
	}
	flag := func(i int, v bool) { b.Field(i).(*array.BooleanBuilder).Append(v) }

	text(0, t.name)
	num(1, t.code, true)
	num(2, t.size, true)
	text(3, t.quote)
	closing := ""
	if t.quote != "" {
		closing = "'"
	}
	text(4, closing)
	params := b.Field(5).(*array.ListBuilder)
	params.Append(len(t.params) > 0)
	for _, p := range t.params {
		params.ValueBuilder().(*array.StringBuilder).Append(p)
	}
	num(6, 1, true) // nullable
	flag(7, t.code == xdbcVarchar)
	num(8, 3, true) // searchable in every way
	if t.radix == 0 {
		b.Field(9).AppendNull()
	} else {
		flag(9, false)
	}
	flag(10, false)
	flag(11, false)
	text(12, t.name)
	scaled := t.code == xdbcDecimal || t.code == xdbcTimestamp
	num(13, t.minScale, scaled)
	num(14, t.maxScale, scaled)
	kind := t.code
	if t.subcode != 0 {
		kind = xdbcDateTime
	}
	num(15, kind, true)
	num(16, t.subcode, t.subcode != 0)
	num(17, t.radix, t.radix != 0)
	b.Field(18).AppendNull()
}

// sqlName is the name of an Arrow type in SQL.
func sqlName(dt arrow.DataType) string {
	switch dt.ID() {
	case arrow.BOOL:
		return "BOOLEAN"
	case arrow.INT8:
		return "TINYINT"
	case arrow.INT16:
		return "SMALLINT"
	case arrow.INT32:
		return "INT"
	case arrow.INT64:
		return "BIGINT"
	case arrow.FLOAT32:
		return "FLOAT"
	case arrow.FLOAT64:
		return "DOUBLE"
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return "STRING"
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW, arrow.FIXED_SIZE_BINARY:
		return "BINARY"
	case arrow.DATE32, arrow.DATE64:
		return "DATE"
	case arrow.TIMESTAMP:
		if dt.(*arrow.TimestampType).TimeZone == "" {
			return "TIMESTAMP_NTZ"
		}
		return "TIMESTAMP"
	case arrow.DECIMAL32, arrow.DECIMAL64, arrow.DECIMAL128, arrow.DECIMAL256:
		return "DECIMAL"
	case arrow.LIST, arrow.LARGE_LIST, arrow.FIXED_SIZE_LIST:
		return "ARRAY"
	case arrow.STRUCT:
		return "STRUCT"
	case arrow.MAP:
		return "MAP"
	}
	return dt.Name()
}
