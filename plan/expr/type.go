package expr

import (
	"fmt"
	"strings"
)

// Kind is the family of a Type.
type Kind uint8

// The kinds, in Spark's order of numeric precedence where that matters.
const (
	KindNull Kind = iota // VOID: the type of a bare NULL
	KindBool
	KindInt8
	KindInt16
	KindInt32
	KindInt64
	KindDecimal
	KindFloat32
	KindFloat64
	KindString
	KindBinary
	KindDate         // days since 1970-01-01, int32
	KindTimestamp    // microseconds since 1970-01-01 UTC, int64
	KindTimestampNTZ // microseconds of local time, int64
	KindYearMonth    // months, int32
	KindDayTime      // microseconds, int64
	KindCalendar     // months, days, nanoseconds: 4 + 4 + 8 bytes
	KindTime         // nanoseconds of the day, int64
	KindArray
	KindMap
	KindStruct
	KindVariant
)

// IntervalField is the first or last unit of an interval type.
type IntervalField uint8

// The interval fields, largest first within each family.
const (
	FieldYear IntervalField = iota
	FieldMonth
	FieldDay
	FieldHour
	FieldMinute
	FieldSecond
)

// String returns the field's keyword.
func (f IntervalField) String() string {
	return [...]string{"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"}[f]
}

// Type is a SQL type. Types are immutable and compared with Equal.
type Type struct {
	Kind Kind
	// Precision and Scale are those of a DECIMAL; Precision also that of a TIME.
	Precision, Scale int
	// From and To are the fields of an interval type.
	From, To IntervalField
	// Key is a map's key type.
	Key *Type
	// Elem is an array's element type or a map's value type.
	Elem *Type
	// ElemNullable reports whether an element or map value may be NULL.
	ElemNullable bool
	// Fields are a struct's.
	Fields []Field
	// Collation of a STRING; "" is UTF8_BINARY.
	Collation string
	// Geo makes a BINARY one of shapes, with the coordinate system in Precision.
	Geo Geo
}

// Field is a column of a schema or a member of a struct.
type Field struct {
	Name     string
	Type     *Type
	Nullable bool
}

// The types without parameters.
var (
	Null         = &Type{Kind: KindNull}
	Bool         = &Type{Kind: KindBool}
	Int8         = &Type{Kind: KindInt8}
	Int16        = &Type{Kind: KindInt16}
	Int32        = &Type{Kind: KindInt32}
	Int64        = &Type{Kind: KindInt64}
	Float32      = &Type{Kind: KindFloat32}
	Float64      = &Type{Kind: KindFloat64}
	String       = &Type{Kind: KindString}
	Binary       = &Type{Kind: KindBinary}
	Date         = &Type{Kind: KindDate}
	Timestamp    = &Type{Kind: KindTimestamp}
	TimestampNTZ = &Type{Kind: KindTimestampNTZ}
	Calendar     = &Type{Kind: KindCalendar}
	YearMonth    = &Type{Kind: KindYearMonth, From: FieldYear, To: FieldMonth}
	DayTime      = &Type{Kind: KindDayTime, From: FieldDay, To: FieldSecond}
	Variant      = &Type{Kind: KindVariant}
)

// MaxPrecision is the largest precision of a DECIMAL.
const MaxPrecision = 38

// Decimal returns DECIMAL(precision, scale).
func Decimal(precision, scale int) *Type {
	return &Type{Kind: KindDecimal, Precision: precision, Scale: scale}
}

// MaxTimePrecision is the largest precision of a TIME: nanoseconds.
// DefaultTimePrecision is that of a TIME without one.
const (
	MaxTimePrecision     = 9
	DefaultTimePrecision = 6
)

// Time returns TIME(precision).
func Time(precision int) *Type { return &Type{Kind: KindTime, Precision: precision} }

// ArrayOf returns ARRAY<elem>.
func ArrayOf(elem *Type, elemNullable bool) *Type {
	return &Type{Kind: KindArray, Elem: elem, ElemNullable: elemNullable}
}

// MapOf returns MAP<key, value>.
func MapOf(key, value *Type, valueNullable bool) *Type {
	return &Type{Kind: KindMap, Key: key, Elem: value, ElemNullable: valueNullable}
}

// StructOf returns STRUCT<fields>.
func StructOf(fields ...Field) *Type { return &Type{Kind: KindStruct, Fields: fields} }

// TimeWindow is the type of window(…): struct<start, end> over ts, a TIMESTAMP
// or TIMESTAMP_NTZ.
func TimeWindow(ts *Type) *Type {
	return StructOf(Field{"start", ts, true}, Field{"end", ts, true})
}

// AsNullable returns t with members that may all be NULL, but for the keys of maps: what
// a table of files makes of a declared type, as in Spark.
func (t *Type) AsNullable() *Type {
	switch t.Kind {
	case KindArray:
		return ArrayOf(t.Elem.AsNullable(), true)
	case KindMap:
		return MapOf(t.Key.AsNullable(), t.Elem.AsNullable(), true)
	case KindStruct:
		return StructOf(Schema(t.Fields).AsNullable()...)
	}
	return t
}

// Equal reports whether t and u are the same type. Nullability of members does
// not count; the names of struct fields do.
func (t *Type) Equal(u *Type) bool {
	if t == u {
		return true
	}
	if t == nil || u == nil || t.Kind != u.Kind || t.Precision != u.Precision || t.Scale != u.Scale ||
		t.From != u.From || t.To != u.To || t.Collation != u.Collation || t.Geo != u.Geo || len(t.Fields) != len(u.Fields) {
		return false
	}
	if t.Key != nil && !t.Key.Equal(u.Key) || t.Elem != nil && !t.Elem.Equal(u.Elem) {
		return false
	}
	for i := range t.Fields {
		if t.Fields[i].Name != u.Fields[i].Name || !t.Fields[i].Type.Equal(u.Fields[i].Type) {
			return false
		}
	}
	return true
}

var kindNames = map[Kind]string{
	KindNull: "VOID", KindBool: "BOOLEAN", KindInt8: "TINYINT", KindInt16: "SMALLINT", KindInt32: "INT", KindInt64: "BIGINT",
	KindFloat32: "FLOAT", KindFloat64: "DOUBLE", KindString: "STRING", KindBinary: "BINARY", KindDate: "DATE",
	KindTimestamp: "TIMESTAMP", KindTimestampNTZ: "TIMESTAMP_NTZ", KindCalendar: "INTERVAL", KindVariant: "VARIANT",
}

// SQL returns the type as SQL text: DECIMAL(10,2), STRUCT<a: INT NOT NULL>.
func (t *Type) SQL() string {
	switch t.Kind {
	case KindDecimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case KindTime:
		return fmt.Sprintf("TIME(%d)", t.Precision)
	case KindYearMonth, KindDayTime:
		if t.From == t.To {
			return "INTERVAL " + t.From.String()
		}
		return "INTERVAL " + t.From.String() + " TO " + t.To.String()
	case KindArray:
		return "ARRAY<" + t.Elem.SQL() + ">"
	case KindMap:
		return "MAP<" + t.Key.SQL() + ", " + t.Elem.SQL() + ">"
	case KindStruct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = QuoteIfNeeded(f.Name) + ": " + f.Type.SQL()
			if !f.Nullable {
				parts[i] += " NOT NULL"
			}
		}
		return "STRUCT<" + strings.Join(parts, ", ") + ">"
	case KindBinary:
		if t.Geo != NoGeo {
			return t.geoSQL()
		}
	case KindString:
		if t.Collation != "" {
			return "STRING COLLATE " + strings.ToUpper(t.Collation)
		}
	}
	return kindNames[t.Kind]
}

// String is SQL.
func (t *Type) String() string { return t.SQL() }

// QuoteIfNeeded puts back-quotes around a name that is not a plain identifier.
func QuoteIfNeeded(name string) string {
	plain := name != ""
	digits := true
	for i := 0; i < len(name); i++ {
		c := name[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		digit := c >= '0' && c <= '9'
		plain = plain && (letter || digit)
		digits = digits && digit
	}
	if plain && !digits {
		return name
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// IsInteger reports whether t is TINYINT … BIGINT.
func (t *Type) IsInteger() bool { return t.Kind >= KindInt8 && t.Kind <= KindInt64 }

// IsNumeric reports whether t is an integer, DECIMAL, FLOAT or DOUBLE.
func (t *Type) IsNumeric() bool { return t.Kind >= KindInt8 && t.Kind <= KindFloat64 }

// IsInterval reports whether t is one of the three interval types.
func (t *Type) IsInterval() bool { return t.Kind >= KindYearMonth && t.Kind <= KindCalendar }

// IsNested reports whether t is an array, map or struct.
func (t *Type) IsNested() bool { return t.Kind >= KindArray && t.Kind <= KindStruct }

// Width returns the bytes of one value in a column: 0 for BOOLEAN (a bit),
// VOID and types of variable length.
func (t *Type) Width() int {
	switch t.Kind {
	case KindInt8:
		return 1
	case KindInt16:
		return 2
	case KindInt32, KindFloat32, KindDate, KindYearMonth:
		return 4
	case KindInt64, KindFloat64, KindTimestamp, KindTimestampNTZ, KindDayTime, KindTime:
		return 8
	case KindDecimal, KindCalendar:
		return 16
	}
	return 0
}
