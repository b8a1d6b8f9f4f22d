package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// random resolves rand, randn, uniform and randstr. Their arguments are constants;
// the seed, the last of them, is an integer or NULL, which is 0.
func (x *exprs) random(c *call) (expr.Expr, error) {
	seed := len(c.f.Params) - 1
	if c.f.Name == "rand" {
		c.name = "rand"
	}
	text := c.text()
	names := map[string][]string{"uniform": {"min", "max", "seed"}, "randstr": {"length", "seed"}}[c.f.Name]
	for i, a := range c.args {
		t := a.Type()
		switch p := c.f.Params[i]; {
		case t.Kind == expr.KindNull:
		case i == seed && !t.IsInteger(), c.f.Name == "uniform" && !t.IsNumeric():
			return nil, unexpectedInput(c.at, text, i, wantText(p.Wants), a)
		case x.wanted(t, p.Wants) == nil:
			return nil, unexpectedInput(c.at, text, i, wantText(p.Wants), a)
		}
		switch {
		case foldable(a):
		case names == nil:
			return nil, base.UserError("SEED_EXPRESSION_IS_UNFOLDABLE", "42K08", "The seed %q of %q is not a constant.", a.SQL(), text).At(c.at)
		default:
			return nil, mismatch("NON_FOLDABLE_INPUT", c.at, text, "the input `%s` should be a constant; however, got %q.", names[i], a.SQL())
		}
	}
	if len(c.args) > seed {
		c.args[seed] = x.cast(c.args[seed], expr.Int64)
	}
	switch c.f.Name {
	case "uniform":
		return x.uniform(c, text)
	case "randstr":
		if n, ok := intLiteral(c.args[0]); ok && n < 0 {
			return nil, mismatch("VALUE_OUT_OF_RANGE", c.at, text, "The `length` must be between [0, 2147483647] (current value = %d).", n)
		}
		c.args[0] = x.cast(c.args[0], expr.Int32)
		return textOf(x.result(c, expr.String))(text)
	}
	return textOf(x.result(c, expr.Float64))(text)
}

// textOf gives the Call that a resolution returned the text that Spark shows.
func textOf(e expr.Expr, err error) func(text string) (expr.Expr, error) {
	return func(text string) (expr.Expr, error) {
		if k, ok := e.(*expr.Call); ok {
			k.Text = text
		}
		return e, err
	}
}

// uniform is a DOUBLE between the bounds, cast to the wider type of the two.
func (x *exprs) uniform(c *call, text string) (expr.Expr, error) {
	t, u := c.args[0].Type(), c.args[1].Type()
	if t.Kind == expr.KindNull || u.Kind == expr.KindNull {
		return &expr.Literal{At: c.at, Typ: expr.Float64, Text: text}, nil
	}
	if u.Kind > t.Kind && !(t.Kind == expr.KindDecimal && u.IsInteger()) || u.Kind == t.Kind && u.Precision > t.Precision {
		t = u
	}
	if t.Kind == expr.KindFloat32 && u.Kind == expr.KindFloat64 {
		t = u
	}
	c.args[0], c.args[1] = x.cast(c.args[0], expr.Float64), x.cast(c.args[1], expr.Float64)
	out, err := textOf(x.result(c, expr.Float64))(text)
	if err != nil {
		return nil, err
	}
	return x.cast(out, t), nil
}
