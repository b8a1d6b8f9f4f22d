package expr

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
)

// Arrow returns the Arrow type that holds values of t on every surface.
func (t *Type) Arrow() arrow.DataType {
	switch t.Kind {
	case KindNull:
		return arrow.Null
	case KindBool:
		return arrow.FixedWidthTypes.Boolean
	case KindInt8:
		return arrow.PrimitiveTypes.Int8
	case KindInt16:
		return arrow.PrimitiveTypes.Int16
	case KindInt32:
		return arrow.PrimitiveTypes.Int32
	case KindInt64:
		return arrow.PrimitiveTypes.Int64
	case KindDecimal:
		return &arrow.Decimal128Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}
	case KindFloat32:
		return arrow.PrimitiveTypes.Float32
	case KindFloat64:
		return arrow.PrimitiveTypes.Float64
	case KindString:
		return arrow.BinaryTypes.String
	case KindBinary:
		return arrow.BinaryTypes.Binary
	case KindVariant:
		return variantArrow()
	case KindDate:
		return arrow.FixedWidthTypes.Date32
	case KindTimestamp:
		return arrow.FixedWidthTypes.Timestamp_us
	case KindTimestampNTZ:
		return &arrow.TimestampType{Unit: arrow.Microsecond}
	case KindYearMonth:
		return arrow.FixedWidthTypes.MonthInterval
	case KindDayTime:
		return arrow.FixedWidthTypes.Duration_us
	case KindCalendar:
		return arrow.FixedWidthTypes.MonthDayNanoInterval
	case KindTime:
		return arrow.FixedWidthTypes.Time64ns
	case KindArray:
		return arrow.ListOfField(arrow.Field{Name: "element", Type: t.Elem.Arrow(), Nullable: t.ElemNullable, Metadata: fieldMetadata(t.Elem)})
	case KindMap:
		m := arrow.MapOfWithMetadata(t.Key.Arrow(), fieldMetadata(t.Key), t.Elem.Arrow(), fieldMetadata(t.Elem))
		m.SetItemNullable(t.ElemNullable)
		return m
	case KindStruct:
		return arrow.StructOf(arrowFields(t.Fields)...)
	}
	return arrow.Null
}

// variantArrow is the Arrow type of a VARIANT, which is Spark's: the bytes of the
// value and of its metadata, the second marked.
func variantArrow() arrow.DataType {
	return arrow.StructOf(
		arrow.Field{Name: "value", Type: arrow.BinaryTypes.Binary},
		arrow.Field{Name: "metadata", Type: arrow.BinaryTypes.Binary, Metadata: arrow.NewMetadata([]string{VariantMark}, []string{"true"})},
	)
}

// VariantMark is the key of the Arrow metadata that marks the second field of a
// VARIANT.
const VariantMark = "variant"

// IsVariantArrow reports whether an Arrow struct is a VARIANT.
func IsVariantArrow(t *arrow.StructType) bool {
	if t.NumFields() != 2 || t.Field(0).Name != "value" || t.Field(1).Name != "metadata" {
		return false
	}
	mark, _ := t.Field(1).Metadata.GetValue(VariantMark)
	return mark == "true" && t.Field(0).Type.ID() == arrow.BINARY && t.Field(1).Type.ID() == arrow.BINARY
}

func arrowFields(fields []Field) []arrow.Field {
	out := make([]arrow.Field, len(fields))
	for i, f := range fields {
		out[i] = arrow.Field{Name: f.Name, Type: f.Type.Arrow(), Nullable: f.Nullable, Metadata: fieldMetadata(f.Type)}
	}
	return out
}

// TimePrecision is the key of the metadata that a column of TIME has: Arrow's type
// counts nanoseconds whatever the precision is.
const TimePrecision = "flightd.time"

// IntervalFields is the key of the metadata that a column of INTERVAL YEAR or
// INTERVAL DAY TO HOUR has: Arrow's interval types know nothing of the fields.
const IntervalFields = "flightd.interval"

func fieldMetadata(t *Type) arrow.Metadata {
	if t.Kind == KindYearMonth && !t.Equal(YearMonth) || t.Kind == KindDayTime && !t.Equal(DayTime) {
		return arrow.NewMetadata([]string{IntervalFields}, []string{t.From.String() + " TO " + t.To.String()})
	}
	if t.Kind == KindTime {
		return arrow.NewMetadata([]string{TimePrecision}, []string{strconv.Itoa(t.Precision)})
	}
	return arrow.Metadata{}
}

// withFields gives an interval type the fields, a TIME the precision that its
// column's metadata names.
func withFields(t *Type, m arrow.Metadata) *Type {
	if text, ok := m.GetValue(TimePrecision); ok && t.Kind == KindTime {
		if p, err := strconv.Atoi(text); err == nil && p >= 0 && p <= MaxTimePrecision {
			return Time(p)
		}
		return t
	}
	text, ok := m.GetValue(IntervalFields)
	if !ok || !t.IsInterval() {
		return t
	}
	for from := FieldYear; from <= FieldSecond; from++ {
		for to := from; to <= FieldSecond; to++ {
			if text == from.String()+" TO "+to.String() {
				return &Type{Kind: t.Kind, From: from, To: to}
			}
		}
	}
	return t
}

// Schema is the names and types of the columns of a relation.
type Schema []Field

// AsNullable returns s with columns and members that may all be NULL; see
// Type.AsNullable.
func (s Schema) AsNullable() Schema {
	out := make(Schema, len(s))
	for i, f := range s {
		out[i] = Field{f.Name, f.Type.AsNullable(), true}
	}
	return out
}

// Arrow returns s as an Arrow schema.
func (s Schema) Arrow() *arrow.Schema { return arrow.NewSchema(arrowFields(s), nil) }

// SchemaFromArrow returns the SQL schema of an Arrow schema; the error names the
// first column whose type has no SQL counterpart.
func SchemaFromArrow(a *arrow.Schema) (Schema, error) {
	s := make(Schema, a.NumFields())
	for i, f := range a.Fields() {
		t, err := FromArrow(f.Type)
		if err != nil {
			return nil, base.Wrap(err, "column %q", f.Name)
		}
		s[i] = Field{f.Name, withFields(t, f.Metadata), f.Nullable}
	}
	return s, nil
}

// FromArrow returns the SQL type of an Arrow type that Arrow produces, and of
// its close relatives; an Invalid error names any other type.
func FromArrow(dt arrow.DataType) (*Type, error) {
	switch dt := dt.(type) {
	case *arrow.NullType:
		return Null, nil
	case *arrow.BooleanType:
		return Bool, nil
	case *arrow.Int8Type:
		return Int8, nil
	case *arrow.Int16Type:
		return Int16, nil
	case *arrow.Int32Type:
		return Int32, nil
	case *arrow.Int64Type:
		return Int64, nil
	case *arrow.Float32Type:
		return Float32, nil
	case *arrow.Float64Type:
		return Float64, nil
	case *arrow.Decimal128Type:
		return Decimal(int(dt.Precision), int(dt.Scale)), nil
	case *arrow.StringType:
		return String, nil
	case *arrow.BinaryType:
		return Binary, nil
	case *arrow.Date32Type:
		return Date, nil
	case *arrow.TimestampType:
		if dt.Unit == arrow.Microsecond {
			if dt.TimeZone == "" {
				return TimestampNTZ, nil
			}
			return Timestamp, nil
		}
	case *arrow.MonthIntervalType:
		return YearMonth, nil
	case *arrow.DurationType:
		if dt.Unit == arrow.Microsecond {
			return DayTime, nil
		}
	case *arrow.MonthDayNanoIntervalType:
		return Calendar, nil
	case *arrow.Time64Type:
		if dt.Unit == arrow.Nanosecond {
			return Time(MaxTimePrecision), nil
		}
		return Time(DefaultTimePrecision), nil
	case *arrow.Time32Type:
		if dt.Unit == arrow.Millisecond {
			return Time(3), nil
		}
		return Time(0), nil
	case *arrow.MapType:
		k, err := FromArrow(dt.KeyType())
		if err != nil {
			return nil, err
		}
		v, err := FromArrow(dt.ItemType())
		if err != nil {
			return nil, err
		}
		return MapOf(withFields(k, dt.KeyField().Metadata), withFields(v, dt.ItemField().Metadata), dt.ItemField().Nullable), nil
	case *arrow.ListType:
		e, err := FromArrow(dt.Elem())
		if err != nil {
			return nil, err
		}
		return ArrayOf(withFields(e, dt.ElemField().Metadata), dt.ElemField().Nullable), nil
	case *arrow.StructType:
		if IsVariantArrow(dt) {
			return Variant, nil
		}
		s, err := SchemaFromArrow(arrow.NewSchema(dt.Fields(), nil))
		if err != nil {
			return nil, err
		}
		return StructOf(s...), nil
	}
	return nil, base.Errorf(base.CodeInvalid, "Arrow type %s has no SQL type", dt)
}
