package resolve

import (
	"strings"

	"github.com/flightd/flightd/plan/expr"
)

// coerce casts the arguments of c to what its parameters want.
func (x *exprs) coerce(c *call) error {
	args := append([]expr.Expr(nil), c.args...)
	c.given = c.args
	text := c.text()
	var shared []int
	for i, a := range args {
		p := c.f.Parameter(i)
		switch p.Wants[0].Family {
		case expr.Shared, expr.SharedArray:
			shared = append(shared, i)
			continue
		}
		t := x.wanted(a.Type(), p.Wants)
		if c.f.Exact && t != nil && t.Kind != a.Type().Kind && a.Type().Kind != expr.KindNull {
			t = nil
		}
		if t == nil {
			return unexpectedInput(a.Pos(), text, i, wantText(p.Wants), a).At(c.at)
		}
		x.r.ask(a, t, expr.Argument)
		if c.f.Exact && a.Type().Kind == expr.KindNull && t.Kind != expr.KindNull {
			args[i] = &expr.Literal{At: a.Pos(), Typ: t}
			continue
		}
		args[i] = x.cast(a, t)
	}
	if len(shared) > 0 {
		if err := x.share(c, args, shared, text); err != nil {
			return err
		}
	}
	c.args = args
	return nil
}

// share brings the T and [T] arguments to one element type.
func (x *exprs) share(c *call, args []expr.Expr, shared []int, text string) error {
	x.elements(c, args, shared)
	if c.f.Name == "array_contains" && (args[0].Type().Kind == expr.KindNull || args[1].Type().Kind == expr.KindNull) {
		return nullTyped(c)
	}
	if t := args[0].Type(); c.f.Name == "array_position" && t.Kind == expr.KindArray && t.Elem.Kind == expr.KindNull && args[1].Type().Kind == expr.KindNull {
		return nullTyped(c)
	}
	if name := c.f.Name; (name == "array_append" || name == "array_prepend") && args[0].Type().Kind == expr.KindNull {
		return unexpectedInput(c.at, text, 0, `"ARRAY"`, args[0])
	}
	// Only array_contains meets decimals half-way.
	wider := (expr.Coercion{}).Tightest
	if c.f.Name == "array_contains" {
		wider = x.r.co.WiderNoString
	}
	var elems []*expr.Type
	null := false
	for _, i := range shared {
		t := args[i].Type()
		if c.f.Params[i].Wants[0].Family == expr.SharedArray {
			if t.Kind == expr.KindNull {
				continue
			}
			if t.Kind != expr.KindArray {
				return c.arrayMismatch(text, i, args)
			}
			null = null || t.ElemNullable
			t = t.Elem
		}
		elems = append(elems, t)
	}
	var common *expr.Type = expr.Null
	for i, t := range elems {
		if i == 0 {
			common = t
		} else if c.f.Params[1].Wants[0].Family == expr.SharedArray {
			// Two arrays meet in the narrowest type, without the rules for decimals.
			if common = (expr.Coercion{}).Tightest(common, t); common == nil {
				return c.arrayMismatch(text, -1, args)
			}
		} else if common = wider(common, t); common == nil {
			return c.arrayMismatch(text, -1, args)
		}
	}
	for _, i := range shared {
		t := common
		if c.f.Params[i].Wants[0].Family == expr.SharedArray {
			nullable := null
			if a := args[i].Type(); a.Kind == expr.KindArray {
				nullable = a.ElemNullable
			}
			t = expr.ArrayOf(common, nullable)
		}
		args[i] = x.cast(args[i], t)
	}
	return nil
}

func (c *call) arrayMismatch(text string, i int, args []expr.Expr) error {
	if i >= 0 && len(c.f.Params) > 1 && c.f.Params[1].Wants[0].Family == expr.Shared {
		return unexpectedInput(c.at, text, i, `"ARRAY"`, args[i]).At(c.at)
	}
	if c.f.Params[1].Wants[0].Family == expr.SharedArray {
		return mismatch("BINARY_ARRAY_DIFF_TYPES", c.at, text,
			"Input to function `%s` should have been two \"ARRAY\" with same element type, but it's [%s].", c.f.Name, quotedTypes(types(args), ", "))
	}
	return mismatch("ARRAY_FUNCTION_DIFF_TYPES", c.at, text,
		"Input to `%s` should have been \"ARRAY\" followed by a value with same element type, but it's [%s].", c.f.Name, quotedTypes(types(args), ", "))
}

// wanted returns the type that a t becomes for a parameter: t itself if it is
// accepted, else the first that it can be cast to; nil if there is none.
func (x *exprs) wanted(t *expr.Type, wants []expr.Want) *expr.Type {
	for _, w := range wants {
		if accepts(w, t) {
			return t
		}
	}
	if t.IsNumeric() && narrowing(wants) {
		return nil // none of several is the nearest
	}
	for _, w := range wants {
		if u := x.implicit(t, w); u != nil {
			return u
		}
	}
	return nil
}

// narrowing reports whether the wants are integer types, the widest first.
func narrowing(wants []expr.Want) bool {
	for i, w := range wants {
		if w.Family != expr.OneType || !w.Type.IsInteger() || i > 0 && w.Type.Kind > wants[i-1].Type.Kind {
			return false
		}
	}
	return len(wants) > 1
}

func accepts(w expr.Want, t *expr.Type) bool {
	switch w.Family {
	case expr.OneType:
		return t.Equal(w.Type) || w.Type.Kind == t.Kind && (t.Kind == expr.KindTime || t.Kind == expr.KindString)
	case expr.AnyType, expr.Func:
		return true
	case expr.NumericType:
		return t.IsNumeric()
	case expr.IntegralType:
		return t.IsInteger()
	case expr.DecimalType:
		return t.Kind == expr.KindDecimal
	case expr.ArrayType:
		return t.Kind == expr.KindArray
	case expr.MapType:
		return t.Kind == expr.KindMap
	case expr.StructType:
		return t.Kind == expr.KindStruct
	case expr.StringType:
		return t.Kind == expr.KindString
	case expr.OrderedType:
		return t.Orderable()
	case expr.AnsiIntervalType:
		return t.Kind == expr.KindYearMonth || t.Kind == expr.KindDayTime
	case expr.AnyTimestampType:
		return t.Kind == expr.KindTimestamp || t.Kind == expr.KindTimestampNTZ
	}
	return false
}

// implicit returns what t becomes for w by an implicit cast, or nil.
func (x *exprs) implicit(t *expr.Type, w expr.Want) *expr.Type {
	if t.Kind == expr.KindNull {
		return defaultOf(w)
	}
	switch w.Family {
	case expr.NumericType:
		if t.Kind == expr.KindString {
			return expr.Float64
		}
	case expr.DecimalType:
		if t.IsInteger() {
			return nil
		}
		if t.Kind == expr.KindString && !x.r.co.ANSI {
			return nil
		}
	case expr.AnyTimestampType:
		if t.Kind == expr.KindString || t.Kind == expr.KindDate || t.Kind == expr.KindTime {
			return expr.Timestamp
		}
	case expr.StringType:
		return x.implicit(t, expr.Want{Type: expr.String})
	case expr.OneType:
		return x.implicitTo(t, w.Type)
	}
	return nil
}

func (x *exprs) implicitTo(t, u *expr.Type) *expr.Type {
	if t.Kind == expr.KindString && !u.IsNested() && u.Kind != expr.KindVariant && u.Geo == expr.NoGeo {
		if !x.r.co.ANSI && (u.IsInterval() || u.Kind == expr.KindBool) {
			return nil
		}
		return u
	}
	if t.Kind == expr.KindArray && u.Kind == expr.KindArray {
		if e := x.implicitTo(t.Elem, u.Elem); e != nil || t.Elem.Equal(u.Elem) || t.Elem.Kind == expr.KindNull {
			return u
		}
		return nil
	}
	if expr.Assignable(t, u) {
		return u
	}
	return nil
}

func defaultOf(w expr.Want) *expr.Type {
	switch w.Family {
	case expr.OneType:
		return w.Type
	case expr.NumericType:
		return expr.Float64
	case expr.IntegralType:
		return expr.Int32
	case expr.DecimalType:
		return expr.Decimal(10, 0)
	case expr.ArrayType:
		return expr.ArrayOf(expr.Null, true)
	case expr.MapType:
		return expr.MapOf(expr.Null, expr.Null, true)
	case expr.StructType:
		return expr.StructOf()
	case expr.StringType:
		return expr.String
	case expr.AnsiIntervalType:
		return expr.DayTime
	case expr.AnyTimestampType:
		return expr.Timestamp
	}
	return expr.Null
}

var wantNames = map[expr.Family]string{
	expr.AnyType: "ANY", expr.NumericType: "NUMERIC", expr.IntegralType: "INTEGRAL", expr.DecimalType: "DECIMAL", expr.ArrayType: "ARRAY",
	expr.MapType: "MAP", expr.StructType: "STRUCT", expr.StringType: "STRING", expr.OrderedType: "ORDERABLE",
	expr.AnsiIntervalType: "ANSI INTERVAL", expr.AnyTimestampType: "(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)",
}

func wantText(wants []expr.Want) string {
	parts := make([]string, len(wants))
	for i, w := range wants {
		if w.Family == expr.OneType {
			parts[i] = `"` + w.Type.SQL() + `"`
		} else {
			parts[i] = `"` + wantNames[w.Family] + `"`
		}
	}
	return strings.Join(parts, " or ")
}
