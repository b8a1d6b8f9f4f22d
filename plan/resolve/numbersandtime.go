package resolve

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// intLiteral returns the value of an integer literal, a text of digits that is cast
// to one, or a sum, difference or negation of such.
func intLiteral(e expr.Expr) (int64, bool) {
	switch e := e.(type) {
	case *expr.Literal:
		if d, ok := e.Value.(decimal128.Num); ok { // what a cast to an integer cuts off
			return int64(d.ToFloat64(int32(e.Typ.Scale))), true
		}
		v, ok := e.Value.(int64)
		return v, ok && e.Typ.IsInteger()
	case *expr.Cast:
		if s, ok := stringLiteral(e.Child); ok && e.To.IsInteger() {
			v, err := strconv.ParseInt(strings.TrimSpace(s), 10, 32)
			return v, err == nil
		}
		return intLiteral(e.Child)
	case *expr.Call:
		if e.Fn == "negative" {
			v, ok := intLiteral(e.Args[0])
			return -v, ok
		}
		if (e.Fn == "+" || e.Fn == "-") && len(e.Args) == 2 {
			a, ok1 := intLiteral(e.Args[0])
			b, ok2 := intLiteral(e.Args[1])
			if e.Fn == "-" {
				b = -b
			}
			return a + b, ok1 && ok2
		}
	}
	return 0, false
}

// stringLiteral returns the value of a STRING literal.
func stringLiteral(e expr.Expr) (string, bool) {
	switch e := e.(type) {
	case *expr.Literal:
		v, ok := e.Value.(string)
		return v, ok
	case *expr.Cast:
		return stringLiteral(e.Child)
	}
	return "", false
}

// round resolves round, bround, ceil and floor: the scale is a literal and makes
// the type of a decimal.
func (x *exprs) round(c *call) (expr.Expr, error) {
	rounding := c.f.Rule == "@round"
	given := len(c.args) == 2
	if rounding && !given {
		c.args = append(c.args, &expr.Literal{At: c.at, Value: int64(0), Typ: expr.Int32})
	}
	text := c.text()
	if !rounding && given && c.name != "ceiling" {
		text = strings.ToLower(c.f.Name) + text[strings.IndexByte(text, '('):]
	}
	if t := c.args[0].Type(); !rounding && given && t.Kind == expr.KindFloat32 {
		c.args[0] = x.cast(c.args[0], expr.Decimal(14, 7))
	} else if !rounding && given && (t.Kind == expr.KindNull || t.Kind == expr.KindString) {
		c.args[0] = x.cast(c.args[0], expr.Decimal(38, 18))
	} else if !rounding && !given && t.Kind == expr.KindNull {
		c.args[0] = x.cast(c.args[0], expr.Float64)
	} else if !rounding && given && !t.IsInteger() && t.Kind != expr.KindDecimal {
		c.args[0] = x.cast(c.args[0], expr.Decimal(30, 15))
	} else if !rounding && given && c.args[0].Type().IsInteger() {
		c.args[0] = x.cast(c.args[0], expr.DecimalOf(c.args[0].Type()))
	}
	if err := x.coerce(c); err != nil {
		return nil, err
	}
	var t *expr.Type
	switch {
	case len(c.args) == 1:
		t = c.f.Result(types(c.args))
		if t == nil {
			t = expr.Int64
			if d := c.args[0].Type(); d.Kind == expr.KindDecimal {
				t = expr.BoundedDecimal(d.Precision-d.Scale+1, 0)
			}
		}
	default:
		if lit, ok := c.args[1].(*expr.Literal); !rounding && (!foldable(c.args[1]) || ok && lit.Value == nil) {
			return nil, base.UserError("NON_FOLDABLE_ARGUMENT", "42K08", "The function `%s` requires the parameter `scale` to be a constant INT.", c.f.Name).At(c.at)
		}
		if !foldable(c.args[1]) {
			return nil, mismatch("NON_FOLDABLE_INPUT", c.at, text, "the input `scale` should be a foldable \"INT\" expression; however, got %q.", c.args[1].SQL())
		}
		scale, _ := intLiteral(c.args[1])
		t = expr.RoundType(c.args[0].Type(), int(scale))
	}
	out, err := x.result(c, t)
	if k, ok := out.(*expr.Call); ok {
		k.Text = text
	}
	return out, err
}
