package adopt

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// fieldOf returns the SQL field of an Arrow field; path names it in errors.
func fieldOf(f arrow.Field, path string) (expr.Field, error) {
	t, err := typeOf(f, path)
	return expr.Field{Name: f.Name, Type: t, Nullable: f.Nullable}, err
}

// typeOf returns the SQL type that holds the values of an Arrow field.
func typeOf(f arrow.Field, path string) (*expr.Type, error) {
	switch dt := f.Type.(type) {
	case *arrow.Uint8Type:
		return expr.Int16, nil
	case *arrow.Uint16Type:
		return expr.Int32, nil
	case *arrow.Uint32Type:
		return expr.Int64, nil
	case *arrow.Uint64Type:
		return expr.Decimal(20, 0), nil
	case *arrow.Float16Type:
		return expr.Float32, nil
	case *arrow.LargeStringType, *arrow.StringViewType:
		return expr.String, nil
	case *arrow.LargeBinaryType, *arrow.BinaryViewType, *arrow.FixedSizeBinaryType:
		return expr.Binary, nil
	case *arrow.Date64Type:
		return expr.Date, nil
	case *arrow.TimestampType:
		if dt.TimeZone == "" {
			return expr.TimestampNTZ, nil
		}
		return expr.Timestamp, nil
	case *arrow.DurationType:
		if dt.Unit != arrow.Microsecond {
			return expr.DayTime, nil
		}
	case *arrow.DayTimeIntervalType:
		return expr.Calendar, nil
	case arrow.DecimalType:
		return decimalOf(dt, path)
	case *arrow.DictionaryType:
		return typeOf(arrow.Field{Type: dt.ValueType, Metadata: f.Metadata}, path)
	case *arrow.RunEndEncodedType:
		return typeOf(arrow.Field{Type: dt.Encoded(), Metadata: f.Metadata}, path)
	case arrow.ExtensionType:
		if dt.ExtensionName() == "arrow.bool8" {
			return expr.Bool, nil
		}
		return typeOf(arrow.Field{Type: dt.StorageType(), Metadata: f.Metadata}, path)
	case *arrow.MapType:
		k, err := typeOf(dt.KeyField(), path+".key")
		if err != nil {
			return nil, err
		}
		v, err := typeOf(dt.ItemField(), path+".value")
		if err != nil {
			return nil, err
		}
		return expr.MapOf(k, v, dt.ItemField().Nullable), nil
	case arrow.ListLikeType:
		e, err := typeOf(dt.ElemField(), path+".element")
		if err != nil {
			return nil, err
		}
		return expr.ArrayOf(e, dt.ElemField().Nullable), nil
	case *arrow.StructType:
		return structOf(dt, path)
	}
	// The rest has the engine's own type or none; so do the marks of metadata.
	s, err := expr.SchemaFromArrow(arrow.NewSchema([]arrow.Field{{Name: path, Type: f.Type, Metadata: f.Metadata}}, nil))
	if err != nil {
		return nil, refused(path, "the Arrow type %s has no SQL type", f.Type).WithHint("docs/types.md lists the types that can be stored; cast the column before it is sent")
	}
	return s[0].Type, nil
}

func structOf(dt *arrow.StructType, path string) (*expr.Type, error) {
	if expr.IsVariantArrow(dt) {
		return expr.Variant, nil
	}
	fields := make([]expr.Field, dt.NumFields())
	for i, f := range dt.Fields() {
		var err error
		if fields[i], err = fieldOf(f, path+"."+f.Name); err != nil {
			return nil, err
		}
	}
	return expr.StructOf(fields...), nil
}

func decimalOf(dt arrow.DecimalType, path string) (*expr.Type, error) {
	p, s := int(dt.GetPrecision()), int(dt.GetScale())
	if p < 1 || p > expr.MaxPrecision || s < 0 || s > p {
		return nil, refused(path, "%s has no SQL type: a DECIMAL has 1 to %d digits, of which none to all stand behind the point", dt, expr.MaxPrecision).
			WithHint("cast the column to a decimal of at most %d digits, or to a double", expr.MaxPrecision)
	}
	return expr.Decimal(p, s), nil
}

// refused is the error about a column whose type or value cannot be kept.
func refused(path, format string, args ...any) *base.Error {
	return base.UserError("UNSUPPORTED_ARROWTYPE", "0A000", "Column %q: %s.", path, fmt.Sprintf(format, args...))
}
