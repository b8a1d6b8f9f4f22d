package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// exprs resolves the expressions of one query block.
type exprs struct {
	r *resolver
	// windows are the time windows of the block; nil where none may stand.
	windows *timeWindows
	// specs are the named windows of the WINDOW clause.
	inAggregate bool
	// lateralAliases counts the uses of names of the same select list.
	lateralAliases int
	// inFrom: a call of a function that makes a table may stand here.
	inFrom bool
}

// all resolves several expressions in one scope.
func (x *exprs) all(list []expr.Expr, s *scope) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = x.expr(e, s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// expr resolves e in s: the result has a type everywhere.
func (x *exprs) expr(e expr.Expr, s *scope) (expr.Expr, error) {
	switch e := e.(type) {
	case *expr.Name:
		return x.name(e, s)
	case *expr.Literal:
		x.r.parameters = x.r.parameters || e.Place != nil
		return x.literal(e), nil
	case *expr.Column:
		return e, nil
	case *expr.LambdaVar:
		return e, nil
	case *expr.Apply:
		out, err := x.apply(e, s)
		if x.r.timeRefused {
			return nil, unsupportedTime(e.At)
		}
		return out, err
	case *expr.Alias:
		child, err := x.expr(e.Child, s)
		if err != nil {
			return nil, err
		}
		return x.r.origins(&expr.Alias{At: e.At, Child: child, Name: e.Name, ID: expr.NewID(), Meta: e.Meta}), nil
	case *expr.Cast:
		child, err := x.expr(e.Child, s)
		if err != nil {
			return nil, err
		}
		return x.explicitCast(child, e)
	case *expr.Star:
		return nil, base.UserError("INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "Invalid usage of '*' in expression.").At(e.At)
	case *expr.Lambda:
		return nil, base.UserError("INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", "42K0D",
			"Invalid lambda function call. A lambda function should only be used in a higher order function.").At(e.At)
	case *expr.Subquery:
		return x.subquery(e, s)
	case *expr.Param:
		return x.param(e, s)
	case *expr.Identifier:
		named, err := x.identified(e, s)
		if err != nil {
			return nil, err
		}
		return x.expr(named, s)
	case *expr.MultiAlias: // a select list has its own
		return nil, multiAlias(e.At, e.Names, e.Child)
	case nil:
		return nil, invariants.AssertionFailedf("resolving a missing expression")
	}
	if e.Type() != nil { // resolved already
		return e, nil
	}
	return nil, invariants.AssertionFailedf("resolving expression %T", e)
}

// literal drops the text as written; TIMESTAMP keeps one, in the session's zone.
func (x *exprs) literal(e *expr.Literal) expr.Expr {
	if e.Typ.Kind == expr.KindCalendar && e.Text != "" {
		return e
	}
	d := *e
	d.Text = ""
	if us, ok := e.Value.(int64); ok && e.Typ.Kind == expr.KindTimestamp {
		d.Text = x.r.timestampText(us)
	}
	return &d
}

func (x *exprs) param(e *expr.Param, s *scope) (expr.Expr, error) {
	var value expr.Expr
	what := "`" + e.Label + "`"
	if e.Label != "" {
		value = x.r.env.Params[e.Label]
	} else {
		if e.Index < len(x.r.env.Args) {
			value = x.r.env.Args[e.Index]
		}
		what = "`_" + itoa(e.At.Start) + "`"
	}
	if value == nil {
		return nil, base.UserError("UNBOUND_SQL_PARAMETER", "42P02",
			"Found the unbound parameter: %s. Please, fix `args` and provide a mapping of the parameter to either a SQL literal or collection constructor functions such as `map()`, `array()`, `struct()`.", what).At(e.At)
	}
	return x.expr(value, s)
}

// mode is what a failing operation does in this session.
func (x *exprs) mode() expr.Mode {
	if x.r.co.ANSI {
		return expr.ANSI
	}
	return expr.Legacy
}

// cast gives e the type t by an implicit cast, if it has not got it.
func (x *exprs) cast(e expr.Expr, t *expr.Type) expr.Expr {
	if sameType(e.Type(), t) {
		return e
	}
	x.r.refuseTime(e.Type(), t)
	x.r.ask(e, t, expr.Operand)
	if lit, ok := e.(*expr.Literal); ok && lit.Value == nil {
		return &expr.Literal{At: lit.At, Typ: t, Text: lit.Text, Place: lit.Place}
	}
	return &expr.Cast{At: e.Pos(), Child: e, To: t, Mode: x.mode(), Implicit: true}
}

// sameType is Equal: members that only differ in nullability need no cast.
func sameType(a, b *expr.Type) bool { return a.Equal(b) }

func (x *exprs) explicitCast(child expr.Expr, e *expr.Cast) (expr.Expr, error) {
	d := *e
	d.Child = child
	x.r.ask(child, e.To, expr.Operand)
	if d.Mode == expr.ANSI {
		d.Mode = x.mode()
	}
	rules := x.r.co
	if d.Mode == expr.Try {
		rules.ANSI = true
	}
	from := child.Type()
	if !x.r.timeType() && (e.To.Kind == expr.KindTime || becomesTime(from, e.To)) {
		return nil, unsupportedTime(e.At)
	}
	if rules.CanCast(from, e.To) && (d.Mode == expr.ANSI || !losesKeys(from, e.To)) {
		return &d, nil
	}
	return nil, castError(&d, from, rules)
}

func castError(e *expr.Cast, from *expr.Type, rules expr.Coercion) error {
	to := e.To
	cannot := `cannot cast "` + from.SQL() + `" to "` + to.SQL() + `"`
	if rules.ANSI {
		if f := castFunction(from, to); f != "" {
			return mismatch("CAST_WITH_FUNC_SUGGESTION", e.At, e.SQL(), "%s.\nTo convert values from %q to %q, you can use the functions %s instead.",
				cannot, from.SQL(), to.SQL(), f).WithHint("use %s", f)
		}
		if (expr.Coercion{}).CanCast(from, to) && e.Mode != expr.Try {
			return mismatch("CAST_WITH_CONF_SUGGESTION", e.At, e.SQL(), "%s with ANSI mode on.\nIf you have to cast %q to %q, you can set \"spark.sql.ansi.enabled\" as 'false'.",
				cannot, from.SQL(), to.SQL())
		}
	}
	return mismatch("CAST_WITHOUT_SUGGESTION", e.At, e.SQL(), "%s.", cannot)
}

// castFunction names the functions that do what a refused cast meant.
func castFunction(from, to *expr.Type) string {
	switch {
	case from.IsNumeric() && to.Kind == expr.KindDate:
		return "`DATE_FROM_UNIX_DATE`"
	case from.Kind == expr.KindDate && to.IsNumeric():
		return "`UNIX_DATE`"
	}
	return ""
}

// foldable reports whether e has the same value for every row.
func foldable(e expr.Expr) bool {
	constant := true
	expr.Walk(e, func(e expr.Expr) bool {
		switch e := e.(type) {
		case *expr.Column, *expr.Agg, *expr.Subquery, *outerRef, *overCall, *timeWindow, *joined:
			constant = false
		case *expr.Call:
			if f := e.Signature(); f != nil && f.Nondeterministic {
				constant = false
			}
		}
		return constant
	})
	return constant
}

// streaming reports whether a plan reads a stream.
func streaming(n logical.Node) bool {
	if r, ok := n.(*logical.Relation); ok {
		return r.Stream
	}
	for _, in := range n.Inputs() {
		if streaming(in) {
			return true
		}
	}
	return false
}
