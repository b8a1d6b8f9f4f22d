package resolve

import (
	"strconv"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// positional puts named arguments into their parameters' places; parameters that
// are left out between them get their defaults.
func (x *exprs) positional(c *call) ([]expr.Expr, error) {
	e := c.apply
	if e.ArgNames == nil {
		return e.Args, nil
	}
	out := make([]expr.Expr, 0, len(e.Args))
	last := ""
	for i, a := range e.Args {
		name := e.ArgNames[i]
		if name == "" {
			if last != "" {
				return nil, base.UserError("UNEXPECTED_POSITIONAL_ARGUMENT", "4274K",
					"Cannot invoke routine `%s` because a positional argument stands behind the named argument `%s`.", c.name, last).At(c.at)
			}
			out = append(out, a)
			continue
		}
		last = name
		at, named := -1, false
		for k, p := range c.f.Params {
			named = named || p.Name != ""
			if p.Name != "" && strings.EqualFold(p.Name, name) {
				at = k
			}
		}
		switch {
		case !named:
			return nil, base.UserError("NAMED_PARAMETERS_NOT_SUPPORTED", "4274K",
				"The function `%s` takes no named arguments; give them in their order.", c.name).At(c.at)
		case at < 0:
			return nil, base.UserError("UNRECOGNIZED_PARAMETER_NAME", "4274K",
				"Cannot invoke routine `%s` because the routine call included a named argument reference for the argument named `%s`, but this routine does not include any signature containing an argument with this name.",
				c.name, name).At(a.Pos())
		case at < len(out) && out[at] != nil:
			kind := "DOUBLE_NAMED_ARGUMENT_REFERENCE"
			if e.ArgNames[at] == "" {
				kind = "BOTH_POSITIONAL_AND_NAMED"
			}
			return nil, base.UserError("DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT."+kind, "4274K",
				"The call of `%s` gives its parameter `%s` more than one value.", c.name, name).At(c.at)
		}
		for len(out) <= at {
			out = append(out, nil)
		}
		out[at] = a
	}
	for i, a := range out {
		if a != nil {
			continue
		}
		p := c.f.Params[i]
		if !p.HasShown {
			return nil, base.UserError("REQUIRED_PARAMETER_NOT_FOUND", "4274K",
				"Cannot invoke routine `%s` because the parameter named `%s` is required, but the routine call did not supply a value.",
				c.name, p.Name).At(c.at)
		}
		out[i] = defaultArgument(p, c.at)
	}
	return out, nil
}

// defaultArgument is the literal that a column name shows for an argument that is
// left out.
func defaultArgument(p expr.Parameter, at base.Pos) expr.Expr {
	lit := &expr.Literal{At: at, Typ: expr.Null}
	if p.Shown == "NULL" {
		return lit
	}
	lit.Value, lit.Typ = p.Shown, expr.String
	for _, w := range p.Wants {
		switch {
		case w.Type == nil:
		case w.Type.IsInteger():
			if n, err := strconv.ParseInt(p.Shown, 10, 64); err == nil {
				lit.Value, lit.Typ = n, w.Type
			}
		case w.Type.Kind == expr.KindBool:
			lit.Value, lit.Typ = p.Shown == "true", w.Type
		}
	}
	return lit
}
