package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// reflect checks a call of a method of a Java class. There is no Java here, so what
// passes the checks is not supported.
func (x *exprs) reflect(c *call) (expr.Expr, error) {
	if len(c.args) < 2 {
		return nil, base.UserError("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605",
			"The `%s` requires > 1 parameters but the actual number is %d.", c.name, len(c.args))
	}
	text := c.text()
	for i, what := range []string{"class", "method"} {
		a := c.args[i]
		if a.Type().Kind != expr.KindString || !foldable(a) {
			return nil, mismatch("NON_FOLDABLE_INPUT", c.at, text, "the input `%s` should be a foldable \"STRING\" expression; however, got %q.", what, a.SQL())
		}
	}
	if class, ok := stringLiteral(c.args[0]); ok && !strings.HasPrefix(class, "java.") {
		return nil, mismatch("UNEXPECTED_CLASS_TYPE", c.at, text, "there is no class %s.", class)
	}
	return nil, base.UserError("UNSUPPORTED_FEATURE", "0A000", "The function `%s` needs Java, which there is none of here.", c.name).At(c.at)
}
