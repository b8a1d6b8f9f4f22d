package expr

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// literal is a constant column; the Vec of the last number of rows is kept.
type literal struct{ v *vec.Vec }

func newLiteral(value any, t *expr.Type) (*literal, error) {
	v, err := Constant(value, t)
	return &literal{v}, err
}

func (l *literal) Eval(in *Input) (*vec.Vec, error) {
	if l.v.Len != in.Rows {
		c := *l.v
		c.Len = in.Rows
		l.v = &c
	}
	return l.v, nil
}

// Constant returns a constant column of one row with a literal's value.
func Constant(value any, t *expr.Type) (*vec.Vec, error) {
	b := vec.NewBuilder(t)
	if err := AppendValue(b, value); err != nil {
		return nil, err
	}
	v := b.Vec()
	v.Const = true
	return v, nil
}

// AppendValue appends a value in a literal's form (see plan/expr.Literal) to b.
func AppendValue(b *vec.Builder, value any) error {
	switch x := value.(type) {
	case nil:
		b.AppendNull()
	case bool:
		b.AppendBool(x)
	case int64:
		b.AppendInt(x)
	case float32:
		vec.AppendFixed(b, x)
	case float64:
		vec.AppendFixed(b, x)
	case decimal128.Num:
		vec.AppendFixed(b, x)
	case string:
		b.AppendBytes([]byte(x))
	case []byte:
		b.AppendBytes(x)
	case expr.CalendarInterval:
		vec.AppendFixed(b, arrow.MonthDayNanoInterval{Months: x.Months, Days: x.Days, Nanoseconds: x.Micros * 1000})
	case []any:
		if b.Type.Kind == expr.KindStruct {
			for i, k := range b.Kids {
				if err := AppendValue(k, x[i]); err != nil {
					return err
				}
			}
			b.EndStruct()
			return nil
		}
		for _, m := range x {
			if err := AppendValue(b.Kids[0], m); err != nil {
				return err
			}
		}
		b.EndList()
	case []expr.MapEntry:
		for _, m := range x {
			if err := AppendValue(b.Kids[0], m.Key); err != nil {
				return err
			}
			if err := AppendValue(b.Kids[1], m.Value); err != nil {
				return err
			}
		}
		b.EndList()
	default:
		return invariants.AssertionFailedf("literal of Go type %T", value)
	}
	return nil
}

// Value returns row i of v in a literal's form.
func Value(v *vec.Vec, i int) any {
	if v.Null(i) {
		return nil
	}
	i = v.Index(i)
	switch v.Type.Kind {
	case expr.KindBool:
		return v.Bool(i)
	case expr.KindInt8:
		return int64(vec.Values[int8](v)[i])
	case expr.KindInt16:
		return int64(vec.Values[int16](v)[i])
	case expr.KindInt32, expr.KindDate, expr.KindYearMonth:
		return int64(vec.Values[int32](v)[i])
	case expr.KindInt64, expr.KindTimestamp, expr.KindTimestampNTZ, expr.KindDayTime, expr.KindTime:
		return vec.Values[int64](v)[i]
	case expr.KindFloat32:
		return vec.Values[float32](v)[i]
	case expr.KindFloat64:
		return vec.Values[float64](v)[i]
	case expr.KindDecimal:
		x := vec.Values[kernels.Int128](v)[i]
		return decimal128.New(x.Hi, x.Lo)
	case expr.KindString:
		return string(v.Str(i))
	case expr.KindBinary, expr.KindVariant:
		return append([]byte{}, v.Str(i)...)
	case expr.KindCalendar:
		x := vec.Values[arrow.MonthDayNanoInterval](v)[i]
		return expr.CalendarInterval{Months: x.Months, Days: x.Days, Micros: x.Nanoseconds / 1000}
	case expr.KindArray:
		out := []any{}
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			out = append(out, Value(v.Kids[0], int(k)))
		}
		return out
	case expr.KindMap:
		out := []expr.MapEntry{}
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			out = append(out, expr.MapEntry{Key: Value(v.Kids[0], int(k)), Value: Value(v.Kids[1], int(k))})
		}
		return out
	case expr.KindStruct:
		out := make([]any, len(v.Kids))
		for k, kid := range v.Kids {
			out[k] = Value(kid, i)
		}
		return out
	}
	return nil
}

// literalArg returns the value of an argument that is a literal.
func literalArg(call *expr.Call, i int) (value any, ok bool) {
	if i >= len(call.Args) {
		return nil, false
	}
	e := call.Args[i]
	for {
		switch x := e.(type) {
		case *expr.Alias:
			e = x.Child
		case *expr.Cast:
			if l, isLit := x.Child.(*expr.Literal); isLit {
				f, err := Fold(x, &Env{})
				if err != nil || l == nil {
					return nil, false
				}
				return f.Value, true
			}
			return nil, false
		case *expr.Literal:
			return x.Value, true
		default:
			return nil, false
		}
	}
}
