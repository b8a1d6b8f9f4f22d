package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// checkGiven checks the arguments of an aggregate function as they were given.
func (x *exprs) checkGiven(c *call, text string) error {
	switch c.f.Name {
	case "approx_count_distinct":
		if len(c.args) == 2 {
			if k := c.args[1].Type().Kind; k != expr.KindDecimal && k != expr.KindFloat64 || !foldable(c.args[1]) {
				return base.UserError("_LEGACY_ERROR_TEMP_1104", "", "The second argument should be a double literal.").At(c.at)
			}
		}
	case "collect_union":
		switch t := c.args[0].Type(); {
		case t.Kind == expr.KindNull:
			return unexpectedInput(c.at, text, 0, `"ARRAY"`, c.args[0])
		case t.Kind == expr.KindArray && hasMap(t.Elem):
			return mismatch("UNSUPPORTED_INPUT_TYPE", c.at, text, "The input of `collect_union` can't be \"MAP\" or contain one, but it is %q.", t.SQL())
		}
	case "collect_set":
		if t := c.args[0].Type(); t.HasCollation() {
			return mismatch("UNSUPPORTED_INPUT_TYPE", c.at, text, "The input of `collect_set` can't be text with a collation, but it is %q.", t.SQL())
		}
	case "mode":
		return c.checkMode()
	case "median", "percentile", "percentile_cont", "percentile_disc", "percentile_approx":
		return x.checkPercentile(c, text)
	}
	return nil
}

func hasMap(t *expr.Type) bool {
	switch t.Kind {
	case expr.KindMap:
		return true
	case expr.KindArray:
		return hasMap(t.Elem)
	case expr.KindStruct:
		for _, f := range t.Fields {
			if hasMap(f.Type) {
				return true
			}
		}
	}
	return false
}

// checkMode checks the second argument of mode, which says whether the smallest of
// several is wanted.
func (c *call) checkMode() error {
	if len(c.args) < 2 {
		return nil
	}
	switch smallest := c.args[1]; {
	case smallest.Type().Kind == expr.KindNull:
		return mismatch("UNEXPECTED_NULL", c.at, smallest.SQL(), "The `deterministic` must not be null.")
	case smallest.Type().Kind != expr.KindBool:
		return base.UserError("UNEXPECTED_INPUT_TYPE", "42K09", "Parameter second of function `mode` requires the \"BOOLEAN\" type, however %q has the type %q.",
			smallest.SQL(), smallest.Type().SQL()).At(c.at)
	case !foldable(smallest):
		return base.UserError("NON_FOLDABLE_ARGUMENT", "42K08", "The function `mode` requires the parameter `deterministic` to be a foldable expression of the type \"BOOLEAN\", but the actual argument is a non-foldable.").At(c.at)
	}
	return nil
}

// checkPercentile checks the argument of a percentile function, its percentages, and
// the frequency or accuracy.
func (x *exprs) checkPercentile(c *call, text string) error {
	if c.args[0].Type().Kind == expr.KindDate && c.f.Name != "percentile_approx" {
		return unsupportedTime(c.at)
	}
	if len(c.args) < 2 {
		return nil
	}
	if t := c.args[1].Type(); t.Kind == expr.KindArray && (t.ElemNullable || t.Elem.Kind == expr.KindString) {
		return unexpectedInput(c.at, text, 1, wantText(c.f.Params[1].Wants), c.args[1])
	}
	if len(c.args) < 3 || c.f.Params[2].Wants[0].Family == expr.OneType && c.f.Params[2].Wants[0].Type.Kind == expr.KindBool {
		return nil
	}
	if t := c.args[2].Type(); !t.IsInteger() && t.Kind != expr.KindNull {
		return unexpectedInput(c.at, text, 2, `"INTEGRAL"`, c.args[2])
	}
	if !strings.HasSuffix(c.f.Name, "approx") {
		return nil
	}
	if c.args[2].Type().Kind == expr.KindNull {
		return mismatch("UNEXPECTED_NULL", c.at, text, "The accuracy must not be null.")
	}
	if !foldable(c.args[2]) {
		return mismatch("NON_FOLDABLE_INPUT", c.at, text, "the input `accuracy` should be a foldable \"INTEGRAL\" expression; however, got %q.", c.args[2].SQL())
	}
	return nil
}
