package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// checkSketch checks what functions of sketches want of their arguments besides
// types: parameters that must be constant, arrays without NULL, items that can be
// counted. text is the call as it is shown.
func (c *call) checkSketch(text string) error {
	name := c.f.Name
	if strings.HasPrefix(name, "vector_") {
		return c.checkVectors(text)
	}
	if !sketchFunction(name) {
		return nil
	}
	// An array is taken as it is, or cast by functions that cast, but not from text.
	if key := c.given[0]; key.Type().Kind == expr.KindArray && !strings.HasPrefix(name, "approx_") {
		if t := key.Type().Elem; t.Kind == expr.KindString || c.f.Exact && t.Kind != expr.KindInt32 && t.Kind != expr.KindInt64 {
			return unexpectedInput(c.at, text, 0, wantText(c.f.Params[0].Wants), key)
		}
	}
	switch {
	case strings.HasPrefix(name, "tuple_"), name == "count_min_sketch":
		for i := range c.args {
			switch p := c.f.Params[i].Name; p {
			case "lgNomEntries", "mode", "epsilon", "confidence", "seed":
				if p == "epsilon" { // Spark's message has the short name
					p = "eps"
				}
				if err := c.wantConstant(text, i, p); err != nil {
					return err
				}
			}
		}
	case strings.HasPrefix(name, "kll_sketch_get_quantile_"):
		return c.checkQuantiles(text, "rank")
	case strings.HasPrefix(name, "kll_sketch_get_rank_"):
		return c.checkQuantiles(text, "quantile")
	case strings.HasPrefix(name, "kll_"):
		if len(c.args) == 2 && c.f.Class == expr.Aggregating {
			return c.wantConstant(text, 1, "k")
		}
	case strings.HasPrefix(name, "approx_top_k"):
		return c.checkTopK(text)
	}
	return nil
}

func (c *call) wantConstant(text string, i int, name string) error {
	if foldable(c.args[i]) {
		return nil
	}
	return mismatch("NON_FOLDABLE_INPUT", c.at, text, "the input %s should be a foldable %q expression; however, got %q.",
		name, c.args[i].Type().SQL(), c.args[i].SQL())
}

// checkQuantiles checks the ranks or items that a quantile sketch is asked for.
func (c *call) checkQuantiles(text, name string) error {
	a := c.given[1]
	if t := a.Type(); t.Kind == expr.KindArray && (t.Elem.Kind == expr.KindString || t.ElemNullable && foldable(a)) {
		return unexpectedInput(c.at, text, 1, wantText(c.f.Params[1].Wants), a)
	}
	return c.wantConstant(text, 1, name)
}

// checkTopK checks the arguments of the approx_top_k family.
func (c *call) checkTopK(text string) error {
	name := c.f.Name
	if t := c.args[0].Type(); (name == "approx_top_k" || name == "approx_top_k_accumulate") && !expr.TopKItem(t) {
		return c.typeCheck(text, "columns of type %q are not supported.", t.SQL())
	}
	for _, a := range c.args[1:] {
		if !foldable(a) {
			return c.typeCheck(text, "%q must be a constant.", a.SQL())
		}
	}
	if name == "approx_top_k_estimate" && c.f.Result(types(c.args)) == nil && c.args[0].Type().Kind != expr.KindNull {
		return c.typeCheck(text, "the state must be a struct that approx_top_k_accumulate made, not %q.", c.args[0].Type().SQL())
	}
	return nil
}

// typeCheck is the error of arguments of right types that do not fit.
func (c *call) typeCheck(text, format string, args ...any) *base.Error {
	return mismatch("TYPE_CHECK_FAILURE_WITH_HINT", c.at, text, format, args...)
}

// sketchFunction reports whether a function has to do with sketches.
func sketchFunction(name string) bool {
	for _, p := range []string{"theta_", "tuple_", "kll_", "hll_", "approx_top_k", "count_min_"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// checkVectors checks that vectors are arrays of FLOAT as they are: nothing, not even
// NULL, is cast to them.
func (c *call) checkVectors(text string) error {
	for i, a := range c.given {
		if want := c.f.Params[i].Wants[0].Type; !a.Type().Equal(want) {
			return unexpectedInput(c.at, text, i, wantText(c.f.Params[i].Wants), a)
		}
	}
	return nil
}
