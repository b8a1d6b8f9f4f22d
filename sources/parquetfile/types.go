package parquetfile

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
)

// natural returns the engine's type for a type that a file has.
func natural(t arrow.DataType) (arrow.DataType, error) {
	switch t := t.(type) {
	case *arrow.BooleanType, *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type, *arrow.Float32Type, *arrow.Float64Type,
		*arrow.StringType, *arrow.BinaryType, *arrow.Date32Type, *arrow.Decimal128Type, *arrow.MonthIntervalType:
		return t, nil
	case *arrow.Uint8Type:
		return arrow.PrimitiveTypes.Int16, nil
	case *arrow.Uint16Type:
		return arrow.PrimitiveTypes.Int32, nil
	case *arrow.Uint32Type:
		return arrow.PrimitiveTypes.Int64, nil
	case *arrow.Uint64Type:
		return &arrow.Decimal128Type{Precision: 20, Scale: 0}, nil
	case *arrow.Float16Type:
		return arrow.PrimitiveTypes.Float32, nil
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return &arrow.TimestampType{Unit: arrow.Microsecond}, nil
		}
		return arrow.FixedWidthTypes.Timestamp_us, nil
	case *arrow.DurationType:
		return arrow.FixedWidthTypes.Duration_us, nil
	case *arrow.Date64Type:
		return arrow.FixedWidthTypes.Date32, nil
	case *arrow.LargeStringType, *arrow.StringViewType, *arrow.NullType:
		return arrow.BinaryTypes.String, nil
	case *arrow.LargeBinaryType, *arrow.BinaryViewType, *arrow.FixedSizeBinaryType:
		return arrow.BinaryTypes.Binary, nil
	case *arrow.DictionaryType:
		return natural(t.ValueType)
	case arrow.ExtensionType:
		return natural(t.StorageType())
	case *arrow.ListType:
		return naturalList(t.ElemField())
	case *arrow.LargeListType:
		return naturalList(t.ElemField())
	case *arrow.FixedSizeListType:
		return naturalList(t.ElemField())
	case *arrow.MapType:
		k, err := natural(t.KeyType())
		if err != nil {
			return nil, err
		}
		v, err := natural(t.ItemType())
		if err != nil {
			return nil, err
		}
		return arrow.MapOf(k, v), nil
	case *arrow.StructType:
		var out []arrow.Field
		for _, f := range t.Fields() {
			ft, err := natural(f.Type)
			if err != nil {
				return nil, fmt.Errorf("field %s: %w", f.Name, err)
			}
			out = append(out, arrow.Field{Name: f.Name, Type: ft, Nullable: true})
		}
		return arrow.StructOf(out...), nil
	}
	return nil, fmt.Errorf("the type %s is not supported", t)
}

func naturalList(f arrow.Field) (arrow.DataType, error) {
	t, err := natural(f.Type)
	if err != nil {
		return nil, err
	}
	return arrow.ListOf(t), nil
}

var errNot = fmt.Errorf("not convertible")

// rank orders the whole numbers and floats by what they can hold; 0 is neither.
func rank(t arrow.DataType) (whole, float int) {
	switch t.ID() {
	case arrow.INT8:
		return 1, 0
	case arrow.UINT8, arrow.INT16:
		return 2, 0
	case arrow.UINT16, arrow.INT32:
		return 3, 0
	case arrow.UINT32, arrow.INT64:
		return 4, 0
	case arrow.FLOAT16, arrow.FLOAT32:
		return 0, 1
	case arrow.FLOAT64:
		return 0, 2
	}
	return 0, 0
}

// convertible returns nil if a column of type have can be read as want without
// loss.
func convertible(have, want arrow.DataType) error {
	n, err := natural(have)
	if err != nil {
		return err
	}
	if have.ID() == arrow.NULL || arrow.TypeEqual(n, want) {
		return nil
	}
	hw, hf := rank(have)
	ww, wf := rank(want)
	switch {
	case hw > 0 && ww >= hw, hf > 0 && wf >= hf, hw > 0 && hw <= 3 && wf == 2:
		return nil
	}
	switch w := want.(type) {
	case *arrow.Decimal128Type:
		digits := map[int]int32{1: 3, 2: 5, 3: 10, 4: 20}[hw]
		if hw > 0 && w.Precision-w.Scale >= digits {
			return nil
		}
		if h, ok := n.(*arrow.Decimal128Type); ok && w.Scale >= h.Scale && w.Precision-w.Scale >= h.Precision-h.Scale {
			return nil
		}
	case *arrow.StringType:
		if n.ID() == arrow.BINARY && have.ID() == arrow.BINARY {
			return nil
		}
	case *arrow.BinaryType:
		if n.ID() == arrow.STRING {
			return nil
		}
	case *arrow.DurationType: // files of other writers keep microseconds as INT64
		if have.ID() == arrow.INT64 {
			return nil
		}
	case *arrow.MonthIntervalType:
		if have.ID() == arrow.INT32 {
			return nil
		}
	case *arrow.ListType:
		if h, ok := have.(arrow.ListLikeType); ok && n.ID() == arrow.LIST {
			return convertible(h.Elem(), w.Elem())
		}
	case *arrow.MapType:
		if h, ok := have.(*arrow.MapType); ok {
			if err := convertible(h.KeyType(), w.KeyType()); err != nil {
				return err
			}
			return convertible(h.ItemType(), w.ItemType())
		}
	case *arrow.StructType:
		h, ok := have.(*arrow.StructType)
		if !ok {
			return errNot
		}
		for _, f := range w.Fields() {
			if i, ok := h.FieldIdx(f.Name); ok {
				if err := convertible(h.Field(i).Type, f.Type); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return errNot
}
