package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// overCall is a function with OVER on its way to becoming the column of an Over
// node. Its children are those of the function, the partition and the order.
type overCall struct {
	at    base.Pos
	fn    expr.Expr
	part  []expr.Expr
	order []expr.SortTerm
	frame *expr.Frame
	text  string
	// ignoreNulls of lag, lead and nth_value.
	ignoreNulls bool
}

func (e *overCall) Pos() base.Pos { return e.at }
func (e *overCall) Children() []expr.Expr {
	c := append(append([]expr.Expr(nil), e.fn.Children()...), e.part...)
	for _, t := range e.order {
		c = append(c, t.Expr)
	}
	return c
}
func (e *overCall) With(c []expr.Expr) expr.Expr {
	d := *e
	n := len(e.fn.Children())
	d.fn = e.fn.With(c[:n:n])
	d.part = c[n : n+len(e.part) : n+len(e.part)]
	d.order = append([]expr.SortTerm(nil), e.order...)
	for i := range d.order {
		d.order[i].Expr = c[n+len(e.part)+i]
	}
	return &d
}
func (e *overCall) Type() *expr.Type { return e.fn.Type() }
func (e *overCall) Nullable() bool   { return e.fn.Nullable() }
func (e *overCall) SQL() string      { return e.text }
func (e *overCall) Detail() string   { return e.text }

// key is equal for functions that one Over node can compute.
func (e *overCall) key() string {
	var b strings.Builder
	for _, p := range e.part {
		b.WriteString(expr.Fingerprint(p) + ";")
	}
	for _, t := range e.order {
		b.WriteString("|" + expr.Fingerprint(t.Expr))
		if t.Descending {
			b.WriteString(" desc")
		}
		if t.NullsFirst {
			b.WriteString(" first")
		}
	}
	return b.String()
}

// over resolves a call with an OVER clause.
func (x *exprs) over(c *call) (expr.Expr, error) {
	if c.s.clause == "WHERE" || c.s.clause == "HAVING" {
		return nil, base.UserError("WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "42601", "It is not allowed to use window functions inside %s clause.", c.s.clause).At(c.at)
	}
	if x.inAggregate {
		return nil, base.UserError("_LEGACY_ERROR_TEMP_1031", "", "It is not allowed to use a window function inside an aggregate function. Please use the inner window function in a sub-query.").At(c.at)
	}
	s := *c.s
	s.over = true
	c.s = &s
	spec := c.apply.Over
	if spec.Ref != "" {
		if _, err := x.all(c.apply.Args, c.s); err != nil { // what cannot be resolved is told first
			return nil, err
		}
		return nil, base.UserError("MISSING_WINDOW_SPECIFICATION", "42P20", "Window specification is not defined in the WINDOW clause for %s.", spec.Ref).At(spec.At).
			WithHint("add WINDOW %s AS (…) to the query", spec.Ref)
	}
	if c.apply.WithinGroup != nil && (len(spec.OrderBy) > 0 || spec.Frame != nil) {
		return nil, base.UserError("INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC", "42601",
			"Cannot specify ORDER BY or a window frame for %s.", c.apply.SQL()).At(c.at)
	}
	out := &overCall{at: c.at, frame: spec.Frame, ignoreNulls: c.f.Class == expr.Ranking && c.apply.IgnoreNulls}
	var err error
	if out.part, err = x.all(spec.PartitionBy, c.s); err != nil {
		return nil, err
	}
	if out.order, err = x.terms(spec.OrderBy, c.s); err != nil {
		return nil, err
	}
	if err := windowOrder(out.part, out.order); err != nil {
		return nil, err
	}
	if err := x.overFunction(c, out); err != nil {
		return nil, err
	}
	if err := x.frame(c, out); err != nil {
		return nil, err
	}
	fn := out.fn.SQL()
	if out.ignoreNulls && c.f.Name == "nth_value" {
		fn += " ignore nulls"
	}
	out.text = fn + " OVER (" + specText(out) + ")"
	return out, nil
}

// rankingArguments checks the arguments of a ranking function that lacks its OVER.
// Ranks take any, and lag and lead may have none.
func (x *exprs) rankingArguments(c *call) error {
	offset := c.f.Rule == "@offset"
	if strings.HasSuffix(c.f.Name, "rank") || offset && len(c.apply.Args) == 0 {
		return nil
	}
	if err := x.arguments(c); err != nil || offset {
		return err
	}
	return x.coerce(c)
}

func (x *exprs) terms(list []expr.SortTerm, s *scope) ([]expr.SortTerm, error) {
	out := make([]expr.SortTerm, len(list))
	for i, t := range list {
		e, err := x.expr(t.Expr, s)
		if err != nil {
			return nil, err
		}
		out[i] = expr.SortTerm{Expr: e, Descending: t.Descending, NullsFirst: t.NullsFirst}
	}
	return out, nil
}

func (x *exprs) overFunction(c *call, out *overCall) error {
	switch c.f.Class {
	case expr.Aggregating:
		if c.apply.Distinct {
			return base.UserError("DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", "0A000", "Distinct window functions are not supported: %q.", c.apply.SQL()).At(c.at)
		}
		apply := *c.apply
		apply.Over = nil
		s := *c.s
		d := &call{at: c.at, name: c.name, f: c.f, apply: &apply, s: &s}
		nested := s.aggregates
		s.aggregates = true
		fn, err := x.windowAggregate(d, nested)
		out.fn = fn
		return err
	case expr.Ranking:
		if c.f.Rule == "@offset" && len(c.apply.Args) == 0 {
			apply := *c.apply
			apply.Args = []expr.Expr{&expr.Literal{At: c.at, Typ: expr.Null}}
			c.apply = &apply
		}
		if err := x.arguments(c); err != nil {
			return err
		}
		if c.f.Name == "ntile" && len(c.args) == 1 && !foldable(c.args[0]) {
			return mismatch("NON_FOLDABLE_INPUT", c.at, c.text(), "the input `buckets` should be a foldable \"INT\" expression; however, got %q.", c.args[0].SQL())
		}
		if c.f.Name == "nth_value" && len(c.args) == 2 && !foldable(c.args[1]) {
			return mismatch("NON_FOLDABLE_INPUT", c.at, c.text(), "the input `offset` should be a foldable \"INT\" expression; however, got %q.", c.args[1].SQL())
		}
		if c.apply.Filter != nil {
			return base.UserError("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000", "The function %s has no FILTER.", c.name).At(c.at)
		}
		if len(out.order) == 0 {
			return base.UserError("WINDOW_FUNCTION_FRAME_NOT_ORDERED", "42601",
				"Window function %s requires the window to be ordered. You need to add an ORDER BY clause.", c.apply.SQL()).At(c.at)
		}
		fn, err := x.ranking(c)
		out.fn = fn
		return err
	}
	return base.UserError("UNSUPPORTED_EXPR_FOR_WINDOW", "42P20", "Expression %q not supported within a window function.", c.apply.SQL()).At(c.at)
}

// windowAggregate resolves an aggregate function that has OVER; its arguments
// may be aggregates if the block groups.
func (x *exprs) windowAggregate(c *call, nested bool) (expr.Expr, error) {
	s := *c.s
	s.aggregates = nested
	args := make([]expr.Expr, len(c.apply.Args))
	for i, a := range c.apply.Args {
		if _, ok := a.(*expr.Star); ok {
			args[i] = a
			continue
		}
		var err error
		if args[i], err = x.expr(a, &s); err != nil {
			return nil, err
		}
	}
	apply := *c.apply
	apply.Args = args
	c.apply = &apply
	return x.aggregate(c)
}

func (x *exprs) ranking(c *call) (expr.Expr, error) {
	if c.f.Rule != "@offset" {
		if err := x.coerce(c); err != nil {
			return nil, err
		}
		return x.result(c, nil)
	}
	text := c.text()
	if len(c.args) == 1 {
		c.args = append(c.args, &expr.Literal{At: c.at, Value: int64(1), Typ: expr.Int32})
	}
	if len(c.args) == 2 {
		c.args = append(c.args, &expr.Literal{At: c.at, Typ: expr.Null})
	}
	text = c.text()
	if !foldable(c.args[1]) && !c.args[1].Type().IsInteger() {
		return nil, base.UserError("_LEGACY_ERROR_TEMP_1035", "", "Cannot specify window frame for %s function.", c.name).At(c.at)
	}
	if !foldable(c.args[1]) {
		return nil, mismatch("NON_FOLDABLE_INPUT", c.at, text, "the input `offset` should be a foldable \"INT\" expression; however, got %q.", c.args[1].SQL())
	}
	c.args[1] = x.cast(c.args[1], expr.Int32)
	t := c.args[0].Type()
	if c.args[2].Type().Kind != expr.KindNull {
		w := t
		if x.wanted(c.args[2].Type(), []expr.Want{{Type: t}}) == nil {
			return nil, mismatch("UNEXPECTED_INPUT_TYPE", c.at, text, "The third parameter requires the %q type, however %q has the type %q.", t.SQL(), c.args[2].SQL(), c.args[2].Type().SQL())
		}
		t = w
	}
	c.args[0], c.args[2] = x.cast(c.args[0], t), x.cast(c.args[2], t)
	out, err := x.result(c, t)
	if k, ok := out.(*expr.Call); ok {
		k.Text = text
	}
	return out, err
}

// frame checks the frame's bounds and gives them the type of the order.
func (x *exprs) frame(c *call, out *overCall) error {
	f := out.frame
	if f == nil {
		return nil
	}
	if c.f.Class == expr.Ranking && c.f.Name != "nth_value" {
		return base.UserError("_LEGACY_ERROR_TEMP_1036", "", "Window Frame must match the required frame.").At(c.at)
	}
	d := *f
	for _, b := range []*expr.Bound{&d.Lower, &d.Upper} {
		if b.Offset == nil {
			continue
		}
		e, err := x.expr(b.Offset, &scope{clause: "window frame"})
		if err != nil {
			return err
		}
		if f.Rows {
			switch e.Type().Kind {
			case expr.KindInt8, expr.KindInt16, expr.KindInt32, expr.KindNull:
			default:
				return mismatch("SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", c.apply.Over.At, c.apply.SQL(), "A bound of ROWS is an INT, and %q is of the type %q.", e.SQL(), e.Type().SQL())
			}
			e = x.cast(e, expr.Int32)
		} else if len(out.order) == 0 {
			return mismatch("RANGE_FRAME_WITHOUT_ORDER", c.apply.Over.At, c.apply.SQL(), "A range window frame cannot be used in an unordered window specification.")
		} else if len(out.order) > 1 {
			return mismatch("RANGE_FRAME_MULTI_ORDER", c.apply.Over.At, c.apply.SQL(), "A range window frame with value boundaries cannot be used in a window specification with multiple order by expressions.")
		} else if t := out.order[0].Expr.Type(); t.IsNumeric() && (e.Type().IsNumeric() || e.Type().Kind == expr.KindString) {
			e = x.cast(e, t)
		} else if !isTime(t) && !t.IsNumeric() && !t.IsInterval() {
			return mismatch("SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", c.apply.Over.At, c.apply.SQL(), "The data type of the bound %q does not match the expected data type.", t.SQL())
		}
		b.Offset = e
		if !f.Rows {
			if b.Value, err = x.boundValue(c, out.order[0], b); err != nil {
				return err
			}
		}
	}
	if l, u := d.Lower.Offset, d.Upper.Offset; l != nil && u != nil && !f.Rows && !l.Type().Equal(u.Type()) {
		return mismatch("SPECIFIED_WINDOW_FRAME_DIFF_TYPES", c.apply.Over.At, c.apply.SQL(), "The bounds of the window frame are of the types %s and %s: they must be of one.", l.Type().SQL(), u.Type().SQL())
	}
	if d.Lower.Kind == 2 || d.Upper.Kind == -2 {
		return mismatch("SPECIFIED_WINDOW_FRAME_INVALID_BOUND", c.apply.Over.At, c.apply.SQL(), "A window frame begins at UNBOUNDED FOLLOWING, or ends at UNBOUNDED PRECEDING.")
	}
	if d.Lower.Kind > d.Upper.Kind {
		return mismatch("SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", c.apply.Over.At, c.apply.SQL(), "The lower bound of a window frame must be less than or equal to the upper bound.")
	}
	out.frame = &d
	return nil
}

// boundValue is the value of the order's term at which a RANGE frame ends.
func (x *exprs) boundValue(c *call, term expr.SortTerm, b *expr.Bound) (expr.Expr, error) {
	fn := "+"
	if (b.Kind < 0) != term.Descending {
		fn = "-"
	}
	e, err := x.callOf(c, fn, "", term.Expr, b.Offset)
	if err != nil {
		return nil, err
	}
	return x.cast(e, term.Expr.Type()), nil
}

// specText is the window as Spark shows it in a column name.
func specText(e *overCall) string {
	var parts []string
	if len(e.part) > 0 {
		texts := make([]string, len(e.part))
		for i, p := range e.part {
			texts[i] = p.SQL()
		}
		parts = append(parts, "PARTITION BY "+strings.Join(texts, ", "))
	}
	if len(e.order) > 0 {
		texts := make([]string, len(e.order))
		for i, t := range e.order {
			texts[i] = termText(t.Expr, t)
		}
		parts = append(parts, "ORDER BY "+strings.Join(texts, ", "))
	}
	return strings.Join(append(parts, frameText(e)), " ")
}

func frameText(e *overCall) string {
	f := e.frame
	if f == nil {
		f = &expr.Frame{Rows: len(e.order) == 0, Lower: expr.Bound{Kind: -2}, Upper: expr.Bound{Kind: 0}}
		if len(e.order) == 0 {
			f.Upper.Kind = 2
		}
		if k, ok := e.fn.(*expr.Call); ok {
			f.Rows = k.Fn != "cume_dist" && k.Fn != "nth_value"
			if k.Fn == "lag" || k.Fn == "lead" {
				off := k.Args[1].SQL()
				if k.Fn == "lag" {
					off = "-" + off
					off = strings.TrimPrefix(off, "--")
					if off == "-0" {
						off = "0"
					}
				}
				return "ROWS BETWEEN " + off + " FOLLOWING AND " + off + " FOLLOWING"
			}
			if len(e.order) > 0 {
				f.Upper.Kind = 0
			}
		}
	}
	unit := "RANGE"
	if f.Rows {
		unit = "ROWS"
	}
	return unit + " BETWEEN " + boundText(f.Lower) + " AND " + boundText(f.Upper)
}

func boundText(b expr.Bound) string {
	switch b.Kind {
	case -2:
		return "UNBOUNDED PRECEDING"
	case -1:
		if k, ok := b.Offset.(*expr.Cast); ok && b.Value != nil { // as Spark spells a bound that it has cast
			return "(- " + k.Child.SQL() + ") FOLLOWING"
		}
		return b.Offset.SQL() + " PRECEDING"
	case 1:
		return b.Offset.SQL() + " FOLLOWING"
	case 2:
		return "UNBOUNDED FOLLOWING"
	}
	return "CURRENT ROW"
}

// placeOver puts Over nodes for every overCall in list over node, one for each
// partitioning and order, and replaces the calls by their columns.
func placeOver(node logical.Node, list []expr.Expr) (logical.Node, []expr.Expr, error) {
	var order []string
	groups := map[string]*logical.Over{}
	columns := map[string]*expr.Column{}
	// level is how many nodes a column of a window function needs below it: one function
	// may be computed from another.
	level := map[expr.ID]int{}
	deepest := 0
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		if e == nil {
			continue
		}
		d, err := expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
			o, ok := e.(*overCall)
			if !ok {
				return e, nil
			}
			print := expr.Fingerprint(o)
			if col, ok := columns[print]; ok {
				return col, nil
			}
			own := 0
			expr.Walk(o, func(e expr.Expr) bool {
				if c, ok := e.(*expr.Column); ok {
					own = max(own, level[c.ID])
				}
				return true
			})
			deepest = max(deepest, own)
			key := itoa(own) + ":" + o.key()
			if groups[key] == nil {
				groups[key] = &logical.Over{At: o.at, PartitionBy: o.part, OrderBy: o.order}
				order = append(order, key)
			}
			col := &expr.Column{At: o.at, ID: expr.NewID(), Name: o.text, Typ: o.Type(), Null: o.Nullable()}
			columns[print], level[col.ID] = col, own+1
			groups[key].Functions = append(groups[key].Functions, logical.OverFunction{Call: o.fn, Frame: o.frame, Column: col, IgnoreNulls: o.ignoreNulls})
			return col, nil
		})
		if err != nil {
			return nil, nil, err
		}
		out[i] = d
	}
	for l := 0; l <= deepest; l++ {
		for _, key := range order {
			if strings.HasPrefix(key, itoa(l)+":") {
				o := groups[key]
				o.Input = node
				node = o
			}
		}
	}
	return node, out, nil
}
