package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// listOrder resolves the ORDER BY of listagg's WITHIN GROUP. With DISTINCT it must be
// by the value alone.
func (x *exprs) listOrder(c *call) error {
	var err error
	if c.within, err = x.terms(c.apply.WithinGroup, c.s); err != nil {
		return err
	}
	for _, t := range c.within {
		if c.withinText != "" {
			c.withinText += ", "
		}
		c.withinText += termText(t.Expr, t)
	}
	if c.apply.Distinct && len(c.within) > 0 {
		if len(c.within) > 1 || expr.Fingerprint(uncast(c.within[0].Expr)) != expr.Fingerprint(uncast(c.args[0])) {
			return base.UserError("INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT", "42K0K",
				"Invalid function %s with WITHIN GROUP. The function is invoked with DISTINCT and WITHIN GROUP but expressions %q and %q do not match.",
				quoteName([]string{c.name}), c.args[0].SQL(), c.withinText)
		}
	}
	for _, t := range c.within {
		if !t.Expr.Type().Orderable() {
			return mismatch("INVALID_ORDERING_TYPE", c.at, c.text(), "The `listagg` does not support ordering on type %q.", t.Expr.Type().SQL())
		}
		var wild *expr.Call
		expr.Walk(t.Expr, func(e expr.Expr) bool {
			if call, ok := e.(*expr.Call); ok && wild == nil {
				if f := call.Signature(); f != nil && f.Nondeterministic {
					wild = call
				}
			}
			return wild == nil
		})
		if wild != nil {
			return base.UserError("AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION", "42845",
				"Non-deterministic expression %q should not appear in the arguments of an aggregate function.", wild.SQL()).At(wild.At)
		}
	}
	return nil
}

func uncast(e expr.Expr) expr.Expr {
	for {
		c, ok := e.(*expr.Cast)
		if !ok {
			return e
		}
		e = c.Child
	}
}

// checkList checks the coerced arguments of listagg, and makes them the value, the
// delimiter and the sort keys.
func (c *call) checkList(text string, out *expr.Agg) error {
	value := c.args[0]
	delimiter := expr.Expr(&expr.Literal{At: c.at, Typ: value.Type()})
	if len(c.args) > 1 {
		delimiter = c.args[1]
		if c.given[1].Type().Kind != expr.KindNull && c.given[0].Type().Kind != expr.KindNull && !value.Type().Equal(delimiter.Type()) {
			return mismatch("DATA_DIFF_TYPES", c.at, text, "Input to `listagg` should all be the same type, but it's [%s].", quotedTypes(types(c.args), ", "))
		}
		if !foldable(delimiter) {
			return mismatch("NON_FOLDABLE_INPUT", c.at, text, "the input `delimiter` should be a foldable %q expression; however, got %q.",
				delimiter.Type().SQL(), delimiter.SQL())
		}
	}
	c.args = []expr.Expr{value, delimiter}
	for _, t := range c.within {
		c.args = append(c.args, t.Expr)
		out.Order = append(out.Order, expr.Direction{Descending: t.Descending, NullsFirst: t.NullsFirst})
	}
	return nil
}
