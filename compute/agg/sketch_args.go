package agg

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/sketch/theta"
)

// constantInt returns argument i, or fallback if it was not given. constant is
// false if it depends on the input, null true if it is NULL.
func (c call) constantInt(i int, fallback int64) (value int64, null, constant bool, err error) {
	if i >= len(c.Args) {
		return fallback, false, true, nil
	}
	if dependsOnInput(c.Args[i]) {
		return 0, false, false, nil
	}
	v, err := c.constants.Value(i)
	if err != nil {
		return 0, false, true, err
	}
	if v.Null(0) {
		return 0, true, true, nil
	}
	return int64(floats(v, nil)[0]), false, true, nil
}

func dependsOnInput(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		if _, ok := e.(*expr.Ref); ok {
			found = true
		}
		return !found
	})
	return found
}

// lgNominal returns argument i, the logarithm of the nominal entries of a theta
// sketch.
func (c call) lgNominal(i int) (int, error) {
	lg, _, constant, err := c.constantInt(i, theta.DefaultLgNominal)
	if err != nil {
		return 0, err
	}
	if !constant {
		return 0, base.UserError("THETA_LG_NOM_ENTRIES_MUST_BE_CONSTANT", "42K0E",
			"The `lgNomEntries` of `%s` must be a constant.", c.Fn)
	}
	if lg < theta.MinLgNominal || lg > theta.MaxLgNominal {
		return 0, base.UserError("SKETCH_INVALID_LG_NOM_ENTRIES", "22003",
			"The `lgNomEntries` of `%s` must be between %d and %d, but is %d.", c.Fn, theta.MinLgNominal, theta.MaxLgNominal, lg)
	}
	return int(lg), nil
}

// tupleParameters returns the logarithm of the nominal entries and the mode of a
// tuple sketch, arguments lg and mode; lg < 0: it has none.
func (c call) tupleParameters(lg, mode int) (int, theta.Mode, error) {
	nominal := int64(theta.DefaultLgNominal)
	if lg >= 0 {
		var null bool
		var err error
		if nominal, null, _, err = c.constantInt(lg, nominal); err != nil {
			return 0, 0, err
		}
		if null {
			return 0, 0, c.mismatch("UNEXPECTED_NULL", "The lgNomEntries must not be null.")
		}
		if nominal < theta.MinLgNominal || nominal > theta.MaxLgNominal {
			return 0, 0, c.mismatch("TYPE_CHECK_FAILURE_WITH_HINT", "lgNomEntries must be between %d and %d, but is %d.",
				theta.MinLgNominal, theta.MaxLgNominal, nominal)
		}
	}
	if mode >= len(c.Args) {
		return int(nominal), theta.Sum, nil
	}
	v, err := c.constants.Value(mode)
	if err != nil {
		return 0, 0, err
	}
	if v.Null(0) {
		return 0, 0, c.mismatch("UNEXPECTED_NULL", "The mode must not be null.")
	}
	m, ok := theta.ParseMode(strings.ToLower(string(v.Str(0))))
	if !ok {
		return 0, 0, c.mismatch("TYPE_CHECK_FAILURE_WITH_HINT", "the mode %q is none of sum, min, max, alwaysone.", v.Str(0))
	}
	return int(nominal), m, nil
}
