package resolve

import (
	"math"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// Assign returns the value of a literal in another type if the assignment of a
// column converts between the two (see store). A value that does not fit, or of which
// something would be lost, is an error, also where the assignment of a column would
// round: a client that gave it never wrote a cast. A literal that no assignment
// converts is returned as it is.
func Assign(v *expr.Literal, to *expr.Type, fold expr.Fold) (*expr.Literal, error) {
	switch {
	case sameType(v.Typ, to):
		return v, nil
	case v.Value == nil:
		return &expr.Literal{At: v.At, Typ: to}, nil
	case !storable(v.Typ, to):
		return v, nil
	}
	out, ok := fold(&expr.Cast{At: v.At, Child: v, To: to, Mode: expr.ANSI})
	if !ok || out.Value == nil {
		return nil, base.UserError("CAST_OVERFLOW", "22003", "The value %s of the type %q does not fit into %q.", v.SQL(), v.Typ.SQL(), to.SQL()).At(v.At)
	}
	if !exact(v, out, fold) {
		return nil, base.UserError("CAST_INVALID_INPUT", "22018", "The value %s of the type %q is not one of %q.", v.SQL(), v.Typ.SQL(), to.SQL()).At(v.At)
	}
	return out, nil
}

// exact reports whether the value comes back from its new type. Floating-point
// numbers are rounded wherever they go, so that they need not, but stay finite.
func exact(v, out *expr.Literal, fold expr.Fold) bool {
	floating := func(t *expr.Type) bool { return t.Kind == expr.KindFloat32 || t.Kind == expr.KindFloat64 }
	if infinite(out.Value) {
		return infinite(v.Value)
	}
	if out.Typ.Kind == expr.KindString || floating(out.Typ) || floating(v.Typ) && out.Typ.Kind == expr.KindDecimal {
		return true
	}
	back, ok := fold(&expr.Cast{At: v.At, Child: out, To: v.Typ, Mode: expr.ANSI})
	return ok && back.SQL() == v.SQL()
}

func infinite(v any) bool {
	switch v := v.(type) {
	case float64:
		return math.IsInf(v, 0)
	case float32:
		return math.IsInf(float64(v), 0)
	}
	return false
}
