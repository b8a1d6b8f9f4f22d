package resolve

import (
	"strings"
	"unicode/utf8"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// checkConstants checks the arguments of some functions that must be constants of
// certain values, and those that must agree with each other. The arguments have
// their types already.
func (x *exprs) checkConstants(c *call, text string) error {
	switch c.f.Name {
	case "mask":
		return maskLetters(c, text)
	case "to_binary":
		return binaryFormat(c, text)
	case "regexp_replace":
		return replacePosition(c, text)
	case "width_bucket":
		for _, a := range c.args[1:3] {
			if a.Type().Kind != c.args[0].Type().Kind {
				return mismatch("DATA_DIFF_TYPES", c.at, text, "Input to `width_bucket` should all be the same type, but it's [%s].", quotedTypes(types(c.args[:3]), ", "))
			}
		}
	}
	return nil
}

// maskLetters: each replacement of mask is one character or NULL.
func maskLetters(c *call, text string) error {
	for i, a := range c.args[1:] {
		name := c.f.Params[i+1].Name
		if !foldable(a) {
			return mismatch("NON_FOLDABLE_INPUT", c.at, text, "the input `%s` should be a constant STRING; however, got %q.", name, a.SQL())
		}
		if s, ok := stringLiteral(a); ok && utf8.RuneCountInString(s) != 1 {
			return mismatch("INPUT_SIZE_NOT_ONE", c.at, text, "%s must be one character.", name)
		}
	}
	return nil
}

func binaryFormat(c *call, text string) error {
	if len(c.args) < 2 {
		return nil
	}
	if !foldable(c.args[1]) {
		return mismatch("NON_FOLDABLE_INPUT", c.at, text, "the input `fmt` should be a constant STRING; however, got %q.", c.args[1].SQL())
	}
	known := false
	switch s, ok := stringLiteral(c.args[1]); strings.ToLower(s) {
	case "hex", "utf-8", "utf8", "base64":
		known = ok
	default:
		lit, isLit := c.args[1].(*expr.Literal)
		known = isLit && lit.Value == nil
	}
	if !known {
		return mismatch("INVALID_ARG_VALUE", c.at, text, "The format is one of 'hex', 'utf-8', 'utf8' and 'base64', and is %s.", c.args[1].SQL())
	}
	return nil
}

// replacePosition: regexp_replace begins at a constant position from 1 on.
func replacePosition(c *call, text string) error {
	if len(c.args) < 4 {
		return nil
	}
	if !foldable(c.args[3]) {
		return mismatch("NON_FOLDABLE_INPUT", c.at, text, "the input `position` should be a constant INT; however, got %q.", c.args[3].SQL())
	}
	if n, ok := intLiteral(c.args[3]); ok && n < 1 {
		return mismatch("VALUE_OUT_OF_RANGE", c.at, text, "The position must be between (0, 2147483647] (current value = %d).", n)
	}
	return nil
}

func decodeArgs(c *call) *base.Error {
	if len(c.args) < 2 {
		return wrongArgs(c.at, c.name, "2", len(c.args))
	}
	return nil
}
