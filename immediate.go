package flightd

import (
	"context"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/resolve"
)

// immediate is EXECUTE IMMEDIATE: it evaluates and parses the text and puts the
// arguments in the place of its parameters. The text is returned for the places of
// errors. The rights are those of the statement in the text.
func (s *Session) immediate(st *logical.Immediate) (logical.Statement, string, error) {
	text, err := s.immediateText(st)
	if err != nil {
		return nil, "", err
	}
	inner, err := s.parse(text)
	if err == nil {
		inner, err = s.withArguments(inner, st)
	}
	return inner, text, inText(err, text)
}

// runImmediate runs the statement of EXECUTE IMMEDIATE.
func (s *Session) runImmediate(ctx context.Context, st *logical.Immediate) (*Result, error) {
	inner, text, err := s.immediate(st)
	if err != nil {
		return nil, err
	}
	r, err := s.run(ctx, inner, text)
	return located(r, text), inText(err, text)
}

func (s *Session) immediateText(st *logical.Immediate) (string, error) {
	const wrong = "INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE"
	lit, e, err := s.constant(st.Text)
	switch {
	case err != nil:
		return "", err
	case e.Type().Kind != expr.KindString:
		return "", base.UserError(wrong, "42K09", "The statement of EXECUTE IMMEDIATE must be a text, but it is of type %q.", e.Type().SQL()).At(st.Text.Pos())
	case lit == nil:
		return "", base.UserError("UNSUPPORTED_EXPR_FOR_PARAMETER", "42K0E", "The statement of EXECUTE IMMEDIATE is no constant: %s.", e.SQL()).At(st.Text.Pos())
	case lit.Value == nil:
		return "", base.UserError("NULL_QUERY_STRING_EXECUTE_IMMEDIATE", "22004", "The statement of EXECUTE IMMEDIATE is NULL.").At(st.Text.Pos())
	}
	text, _ := lit.Value.(string)
	return text, nil
}

// constant resolves and evaluates an expression without columns; the literal is nil
// where it is no constant.
func (s *Session) constant(raw expr.Expr) (*expr.Literal, expr.Expr, error) {
	names, conf := s.snapshot()
	fold := foldOf(conf)
	e, err := resolve.Expr(raw, nil, &resolve.Env{Catalog: names, Conf: conf, Fold: fold})
	if err != nil {
		return nil, nil, err
	}
	if lit, ok := e.(*expr.Literal); ok {
		return lit, e, nil
	}
	asks := false // of rows
	expr.Walk(e, func(e expr.Expr) bool {
		_, query := e.(*expr.Subquery)
		asks = asks || query
		return !asks
	})
	if asks {
		return nil, e, nil
	}
	lit, ok := fold(e)
	if !ok {
		lit = nil
	}
	return lit, e, nil
}

// withArguments binds the parameters of the statement in the text.
func (s *Session) withArguments(inner logical.Statement, st *logical.Immediate) (logical.Statement, error) {
	named, counted := false, false
	if _, err := rewriteStatement(inner, func(e expr.Expr) (expr.Expr, error) {
		if p, ok := e.(*expr.Param); ok {
			named, counted = named || p.Label != "", counted || p.Label == ""
		}
		return e, nil
	}); err != nil {
		return nil, err
	}
	if named && counted {
		return nil, base.UserError("INVALID_QUERY_MIXED_QUERY_PARAMETERS", "42613", "The parameters of a statement are all ? or all named, not both.")
	}
	values := make([]expr.Expr, len(st.Args))
	for i, raw := range st.Args {
		if named && st.Names[i] == "" {
			return nil, base.UserError("ALL_PARAMETERS_MUST_BE_NAMED", "07001", "The statement has named parameters, and the argument %s has no name.", raw.SQL()).
				WithHint("USING value AS name")
		}
		lit, e, err := s.constant(raw)
		if err != nil {
			return nil, err
		}
		if lit == nil {
			return nil, base.UserError("UNSUPPORTED_EXPR_FOR_PARAMETER", "42K0E", "An argument of EXECUTE IMMEDIATE must be a constant, and %s is none.", e.SQL())
		}
		values[i] = lit
	}
	return rewriteStatement(inner, func(e expr.Expr) (expr.Expr, error) {
		p, ok := e.(*expr.Param)
		if !ok {
			return e, nil
		}
		at := p.Index
		if p.Label != "" {
			at = len(values)
			for i, name := range st.Names {
				if strings.EqualFold(name, p.Label) {
					at = i
				}
			}
		}
		if at >= len(values) {
			return nil, base.UserError("UNBOUND_SQL_PARAMETER", "42P02", "The parameter %s has no value.", p.SQL()).At(p.At).WithHint("give it behind USING")
		}
		lit := *values[at].(*expr.Literal)
		lit.At = p.At
		return &lit, nil
	})
}
