package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// aggregate resolves a call of an aggregate function to an Agg.
func (x *exprs) aggregate(c *call) (expr.Expr, error) {
	e := c.apply
	if !c.s.aggregates {
		return nil, misplacedAggregate(c)
	}
	if x.inAggregate {
		return nil, base.UserError("NESTED_AGGREGATE_FUNCTION", "42607",
			"It is not allowed to use an aggregate function in the argument of another aggregate function. Please use the inner aggregate function in a sub-query.").At(c.at)
	}
	x.inAggregate = true
	defer func() { x.inAggregate = false }()
	if err := x.aggregateArguments(c); err != nil {
		return nil, err
	}
	out := &expr.Agg{At: c.at, Fn: c.f.Name, Distinct: e.Distinct, IgnoreNulls: e.IgnoreNulls, Mode: x.mode(), User: c.user()}
	if err := x.aggregateShape(c, out); err != nil {
		return nil, err
	}
	text := c.aggregateText(out)
	if c.f.Rule == "@grouping" {
		out.Args, out.Typ = c.args, expr.Int64
		if c.f.Name == "grouping" {
			out.Typ = expr.Int8
		}
		out.Text = text
		return out, nil
	}
	if err := x.coerceAggregate(c, out); err != nil {
		return nil, err
	}
	if e.Filter != nil {
		x.inAggregate = false
		cond, err := x.expr(e.Filter, c.s)
		if err != nil {
			return nil, err
		}
		switch {
		case holdsAgg(cond):
			return nil, base.UserError("INVALID_AGGREGATE_FILTER.CONTAINS_AGGREGATE", "42903", "The FILTER %q of an aggregate function has an aggregate function.", cond.SQL()).At(c.at)
		case holdsOver(cond):
			return nil, base.UserError("INVALID_AGGREGATE_FILTER.CONTAINS_WINDOW_FUNCTION", "42903", "The FILTER %q of an aggregate function has a window function.", cond.SQL()).At(c.at)
		}
		if cond.Type().Kind != expr.KindBool {
			if cond.Type().Kind != expr.KindNull {
				return nil, base.UserError("INVALID_AGGREGATE_FILTER.NOT_BOOLEAN", "42903", "The FILTER %q of an aggregate function has the type %q.", cond.SQL(), cond.Type().SQL()).At(c.at)
			}
			cond = x.cast(cond, expr.Bool)
		}
		out.Filter = cond
	}
	out.Text = text
	return out, nil
}

func misplacedAggregate(c *call) error {
	if c.s.clause == "WHERE" {
		return base.UserError("INVALID_WHERE_CONDITION", "42903",
			"The WHERE condition %q contains invalid expressions: %s.\nRewrite the query to avoid window functions, aggregate functions, and generator functions in the WHERE clause.",
			c.name, c.name+"()").At(c.at).WithHint("conditions on aggregates stand in HAVING")
	}
	if c.s.clause == "GROUP BY" {
		return base.UserError("GROUP_BY_AGGREGATE", "42903", "Aggregate functions are not allowed in GROUP BY, but found %s.", c.apply.SQL()).At(c.at)
	}
	what := c.s.clause
	if what == "" {
		what = "Project"
	}
	return base.UserError("UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E",
		"The query operator %s contains one or more unsupported expressions.\nConsider to rewrite it to avoid window functions, aggregate functions, and generator functions in the %s operator.\nInvalid expressions: [%q]",
		what, what, c.apply.SQL()).At(c.at)
}

// aggregateArguments resolves the arguments; count(*) counts the literal 1.
func (x *exprs) aggregateArguments(c *call) error {
	e := c.apply
	if c.f.Name == "count" && len(e.Args) == 1 {
		if star, ok := e.Args[0].(*expr.Star); ok && len(star.Qualifier) == 0 && len(star.Except) == 0 && !e.Distinct {
			c.args = []expr.Expr{&expr.Literal{At: star.At, Value: int64(1), Typ: expr.Int32}}
			return nil
		}
	}
	if c.f.Name == "count" && len(e.Args) == 1 {
		if star, ok := e.Args[0].(*expr.Star); ok && len(star.Qualifier) > 0 {
			return base.UserError("INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT", "42000",
				"count(%s.*) is not allowed. Please use count(*) or expand the columns manually, e.g. count(col1, col2).", strings.Join(star.Qualifier, "."))
		}
	}
	if c.f.Name == "count" && len(e.Args) == 0 {
		return base.UserError("WRONG_NUM_ARGS.WITH_SUGGESTION", "42605",
			"The `count` requires  >= 1 parameters but the actual number is 0. Write count(*) to count the rows.").At(c.at)
	}
	ordered := c.apply.WithinGroup
	if c.apply.Distinct && (len(ordered) > 0 && c.f.Name != "listagg" || c.f.Name == "mode") {
		return base.UserError("INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED", "42K0K",
			"Invalid function %s with WITHIN GROUP. The function does not support DISTINCT with WITHIN GROUP.", quoteName([]string{c.name})).At(c.at)
	}
	if len(ordered) > 0 && c.f.Name != "listagg" {
		return x.withinGroup(c)
	}
	if c.f.Name == "percentile_cont" || c.f.Name == "percentile_disc" {
		if n := len(e.Args); n != 1 {
			return wrongArgs(c.at, c.name, "1", n)
		}
		return base.UserError("INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING", "42K0K",
			"Invalid function %s with WITHIN GROUP. WITHIN GROUP is required for the function.", quoteName([]string{c.name})).At(c.at)
	}
	return x.arguments(c)
}

// withinGroup makes percentile_cont(p) WITHIN GROUP (ORDER BY x) the call
// percentile_cont(x, p[, true]), the last for DESC, and mode() likewise mode(x).
func (x *exprs) withinGroup(c *call) error {
	terms := c.apply.WithinGroup
	if c.f.Name == "mode" && len(c.apply.Args) > 0 {
		return base.UserError("INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS", "42K0K",
			"Invalid function %s with WITHIN GROUP. The function has its argument and an ordering, it wants one of them.", quoteName([]string{c.name})).At(c.at)
	}
	if len(terms) > 1 {
		return base.UserError("INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS", "42K0K",
			"Invalid function %s with WITHIN GROUP. The function requires 1 orderings in WITHIN GROUP but got %d.", quoteName([]string{c.name}), len(terms)).At(c.at)
	}
	value, err := x.expr(terms[0].Expr, c.s)
	if err != nil {
		return err
	}
	rest, err := x.all(c.apply.Args, c.s)
	if err != nil {
		return err
	}
	if c.f.Name != "mode" && len(rest) > 1 {
		return wrongArgs(c.at, c.name, "1", len(rest))
	}
	c.args = append([]expr.Expr{value}, rest...)
	if terms[0].Descending && c.f.Name != "mode" {
		c.args = append(c.args, &expr.Literal{At: c.at, Value: true, Typ: expr.Bool})
	}
	return checkCount(c, len(c.args))
}

// aggregateShape turns the forms of first, mode and the percentiles into one.
func (x *exprs) aggregateShape(c *call, out *expr.Agg) error {
	switch c.f.Name {
	case "first", "last", "any_value":
		if len(c.args) == 2 {
			lit, ok := c.args[1].(*expr.Literal)
			ignore, isBool := false, false
			if ok {
				ignore, isBool = lit.Value.(bool)
			}
			if !isBool {
				return base.UserError("_LEGACY_ERROR_TEMP_1210", "", "The second argument in %s should be a boolean literal.", c.name).At(c.at)
			}
			out.IgnoreNulls = out.IgnoreNulls || ignore
		}
	case "listagg":
		return x.listOrder(c)
	case "mode":
		switch smallest, ok := lastLiteral(c); {
		case c.apply.WithinGroup != nil:
			out.Order = []expr.Direction{{Descending: c.apply.WithinGroup[0].Descending}}
		case ok && smallest:
			out.Order = []expr.Direction{{}}
		}
	}
	return nil
}

// termText is a term of ORDER BY as Spark shows it.
func termText(e expr.Expr, t expr.SortTerm) string {
	text := e.SQL() + " ASC"
	if t.Descending {
		text = e.SQL() + " DESC"
	}
	if t.NullsFirst {
		return text + " NULLS FIRST"
	}
	return text + " NULLS LAST"
}

// showsNull reports whether column names have NULL for an argument that can be
// nothing else.
func showsNull(fn string) bool {
	return strings.HasPrefix(fn, "bit_") || strings.Contains(fn, "_sketch")
}

func (c *call) aggregateText(out *expr.Agg) string {
	name := c.name
	if c.f.Shown != "" {
		name = c.f.Shown
	}
	parts := make([]string, 0, len(c.args))
	args := c.args
	if c.f.Name == "first" || c.f.Name == "last" || c.f.Name == "any_value" {
		args = args[:1]
	}
	for _, a := range shownArgs(c.f.Name, args) {
		if a.Type().Kind == expr.KindNull && showsNull(c.f.Name) {
			a = &expr.Literal{Typ: a.Type()}
		}
		parts = append(parts, a.SQL())
	}
	for i := len(parts); i < len(c.f.Params) && c.f.Params[i].HasShown; i++ {
		parts = append(parts, c.f.Params[i].Shown)
	}
	body := strings.Join(parts, ", ")
	if lit, ok := lastLiteral(c); ok && c.f.Name == "mode" && c.apply.WithinGroup == nil {
		if lit {
			return "mode() WITHIN GROUP (ORDER BY " + parts[0] + " DESC)"
		}
		return "mode(" + parts[0] + ")"
	}
	if c.apply.Distinct && c.f.Name == "listagg" {
		body = "DISTINCT " + body
	}
	if c.apply.WithinGroup != nil && c.f.Name == "listagg" {
		return "listagg(" + body + ") WITHIN GROUP (ORDER BY " + c.withinText + ")"
	}
	if c.apply.WithinGroup != nil && len(c.args) > 0 {
		dir := ""
		if c.apply.WithinGroup[0].Descending != (c.f.Name == "mode") {
			dir = " DESC"
		}
		first := ""
		if len(parts) > 1 {
			first = parts[1]
		}
		return name + "(" + first + ") WITHIN GROUP (ORDER BY " + parts[0] + dir + ")"
	}
	if c.apply.Distinct && c.f.Name != "listagg" {
		body = "DISTINCT " + body
	}
	if c.apply.IgnoreNulls || c.apply.RespectNulls {
		name = c.f.Name
	}
	return name + "(" + body + ")"
}

// coerceAggregate casts the arguments and finds the type.
func (x *exprs) coerceAggregate(c *call, out *expr.Agg) error {
	text := c.text()
	if c.f.Name == "first" || c.f.Name == "last" || c.f.Name == "any_value" {
		c.args = c.args[:1]
	}
	if err := x.checkGiven(c, text); err != nil {
		return err
	}
	switch c.f.Name {
	case "min", "max", "min_by", "max_by":
		last := c.args[min(1, len(c.args)-1)]
		if !last.Type().Orderable() {
			return mismatch("INVALID_ORDERING_TYPE", c.at, c.text(), "The `%s` does not support ordering on type %q.", c.f.Name, last.Type().SQL())
		}
	case "regr_avgx", "regr_avgy":
		if err := x.coerce(c); err != nil {
			return err
		}
		at := 1
		if c.f.Name == "regr_avgy" {
			at = 0
		}
		out.Args, out.Null = c.args, true
		out.Typ = expr.Functions.Lookup("avg").Result(types(c.args[at : at+1]))
		return nil
	case "percentile_approx", "percentile", "percentile_cont", "percentile_disc":
		if t := c.args[1].Type(); t.Kind == expr.KindArray && t.Elem.Kind != expr.KindFloat64 {
			c.args[1] = x.cast(c.args[1], expr.ArrayOf(expr.Float64, t.ElemNullable))
		}
	}
	if err := x.coerce(c); err != nil {
		return err
	}
	if strings.HasPrefix(c.f.Name, "percentile") && !foldable(c.args[1]) {
		return mismatch("NON_FOLDABLE_INPUT", c.at, text, "the input `percentage` should be a foldable \"DOUBLE\" expression; however, got %q.", c.args[1].SQL())
	}
	if err := c.checkSketch(text); err != nil {
		return err
	}
	if c.f.Name == "listagg" {
		if err := c.checkList(text, out); err != nil {
			return err
		}
	}
	out.Args = c.args
	out.Null = c.f.Null == expr.Nullable
	out.Typ = c.f.Result(types(c.args))
	if out.Typ == nil {
		return c.typeCheck(text, "the state must be a struct that approx_top_k_accumulate made, not %q.", c.args[0].Type().SQL())
	}
	if strings.HasPrefix(c.f.Name, "try_") {
		out.Mode = expr.Try
	}
	return nil
}

// lastLiteral returns the value of a BOOLEAN literal as the last of two arguments.
func lastLiteral(c *call) (bool, bool) {
	if len(c.args) != 2 {
		return false, false
	}
	lit, ok := c.args[1].(*expr.Literal)
	if !ok {
		return false, false
	}
	v, ok := lit.Value.(bool)
	return v, ok
}
