package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/sql"
)

// identified returns what IDENTIFIER(text) stands for: a name, or a call.
func (x *exprs) identified(e *expr.Identifier, s *scope) (expr.Expr, error) {
	parts, err := x.nameFrom(e.Arg, s, e.At)
	if err != nil {
		return nil, err
	}
	if a, ok := e.Call.(*expr.Apply); ok {
		d := *a
		d.Name, d.At = parts, e.At
		return &d, nil
	}
	return &expr.Name{At: e.At, Parts: parts}, nil
}

// nameFrom evaluates the text of IDENTIFIER, which is a constant, and cuts it at its
// dots. at is the place of the clause.
func (x *exprs) nameFrom(arg expr.Expr, s *scope, at base.Pos) ([]string, error) {
	v, err := x.expr(arg, s)
	if err != nil {
		return nil, err
	}
	wrong := func(condition, format string, args ...any) error {
		return base.UserError("NOT_A_CONSTANT_STRING."+condition, "42601",
			"The expression %s used for the routine or clause IDENTIFIER must be a constant STRING which is NOT NULL. "+format,
			append([]any{v.SQL()}, args...)...).At(arg.Pos())
	}
	unstable := func() error {
		return wrong("NOT_CONSTANT", "To be considered constant the expression must not depend on any columns, contain a subquery, or invoke a non deterministic function such as rand().")
	}
	if !foldable(v) {
		return nil, unstable()
	}
	if v.Type().Kind != expr.KindString {
		return nil, wrong("WRONG_TYPE", "The data type of the expression is %s.", strings.ToLower(v.Type().SQL()))
	}
	lit, ok := v.(*expr.Literal)
	if !ok && x.r.env.Fold != nil {
		lit, ok = x.r.env.Fold(v)
	}
	if !ok {
		return nil, unstable()
	}
	text, ok := stringLiteral(lit)
	if !ok {
		return nil, wrong("NULL", "The expression evaluates to NULL.")
	}
	parts, bad := sql.SplitName(text)
	if bad != nil {
		// Its place is one in the text, which is no part of the statement.
		bad.Pos, bad.Query = at, ""
		return nil, bad
	}
	return parts, nil
}

// relationFrom is nameFrom for a table or a function that makes one: no column is in
// sight there.
func (r *resolver) relationFrom(arg expr.Expr, at base.Pos) ([]string, error) {
	var name *expr.Name
	expr.Walk(arg, func(e expr.Expr) bool {
		if n, ok := e.(*expr.Name); ok && name == nil {
			name = n
		}
		return name == nil
	})
	if name != nil {
		return nil, base.UserError("NOT_A_CONSTANT_STRING.NOT_CONSTANT", "42601",
			"The expression %s used for the routine or clause IDENTIFIER must be a constant STRING which is NOT NULL. It must not depend on any columns.", arg.SQL()).At(arg.Pos())
	}
	x := &exprs{r: r}
	return x.nameFrom(arg, &scope{}, at)
}
