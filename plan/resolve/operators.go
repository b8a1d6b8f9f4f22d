package resolve

import (
	"github.com/flightd/flightd/plan/expr"
)

// arithmetic resolves + - * / % div pmod, over numbers, times and intervals.
func (x *exprs) arithmetic(c *call) (expr.Expr, error) {
	fn, mode := c.f.Name, x.mode()
	if out, err := x.timeArithmetic(c, fn); out != nil || err != nil {
		return out, err
	}
	return x.numeric(c, fn, mode)
}

// decimalResult is the type of fn over two decimals in this session.
func (r *resolver) decimalResult(fn string, a, b *expr.Type) *expr.Type {
	if r.env.Conf.Bool("spark.sql.decimalOperations.allowPrecisionLoss", true) {
		return expr.DecimalResult(fn, a, b)
	}
	return expr.ExactDecimalResult(fn, a, b)
}

// tryBase are the operators behind the try_ functions.
var tryBase = map[string]string{"try_add": "+", "try_subtract": "-", "try_multiply": "*", "try_divide": "/", "try_mod": "%"}

func (x *exprs) tryArithmetic(c *call) (expr.Expr, error) {
	text := c.text()
	d := *c
	d.f = expr.Functions.Lookup(tryBase[c.f.Name])
	apply := *c.apply
	apply.Operator = true
	d.apply = &apply
	d.name = d.f.Name
	out, err := x.arithmetic(&d)
	if err != nil {
		return nil, err
	}
	return withTry(out, text), nil
}

func withTry(e expr.Expr, text string) expr.Expr {
	switch e := e.(type) {
	case *expr.Call:
		d := *e
		d.Mode, d.Null, d.Text = expr.Try, true, text
		return &d
	case *expr.Cast:
		d := *e
		d.Child = withTry(e.Child, text)
		return &d
	}
	return e
}

func (x *exprs) numeric(c *call, fn string, mode expr.Mode) (expr.Expr, error) {
	if c.args[0].Type().Kind == expr.KindNull && c.args[1].Type().Kind == expr.KindNull {
		// What has no type but NULL's is a literal NULL.
		for i, a := range c.args {
			null := &expr.Literal{At: a.Pos(), Typ: expr.Null}
			if lit, ok := a.(*expr.Literal); ok {
				null.Place = lit.Place
			}
			c.args[i] = null
		}
	}
	l, r := c.args[0], c.args[1]
	text := c.text()
	lt, rt := l.Type(), r.Type()
	if x.r.co.ANSI {
		if w := x.r.co.PromoteString(lt, rt); w != nil && lt.Kind != expr.KindNull && rt.Kind != expr.KindNull {
			l, r = x.cast(l, w), x.cast(r, w)
		}
	} else {
		if lt.Kind == expr.KindString && !rt.IsInterval() {
			l = x.cast(l, expr.Float64)
		}
		if rt.Kind == expr.KindString && !lt.IsInterval() {
			r = x.cast(r, expr.Float64)
		}
	}
	lt, rt = l.Type(), r.Type()
	if lt.Kind == expr.KindDecimal || rt.Kind == expr.KindDecimal {
		if out := x.decimal(c, fn, l, r, mode, text); out != nil {
			return out, nil
		}
		lt, rt = l.Type(), r.Type()
	}
	numericOrNull := func(t *expr.Type) bool { return t.IsNumeric() || t.Kind == expr.KindNull }
	if fn == "/" && numericOrNull(lt) && numericOrNull(rt) {
		return x.operator(c, fn, x.cast(l, expr.Float64), x.cast(r, expr.Float64), expr.Float64, mode, text), nil
	}
	if fn == "div" {
		if lt.IsInteger() || lt.Kind == expr.KindNull {
			l = x.cast(l, expr.Int64)
		}
		if rt.IsInteger() || rt.Kind == expr.KindNull {
			r = x.cast(r, expr.Int64)
		}
		lt, rt = l.Type(), r.Type()
	}
	w := x.r.co.Tightest(lt, rt)
	if w == nil && numericOrNull(lt) && numericOrNull(rt) {
		w = x.r.co.WiderNoString(lt, rt)
	}
	if w != nil && w.Kind == expr.KindNull {
		w = expr.Float64
	}
	if w == nil {
		return nil, mismatch("BINARY_OP_DIFF_TYPES", c.at, text,
			"the left and right operands of the binary operator have incompatible types (%q and %q).", lt.SQL(), rt.SQL())
	}
	ok := w.IsNumeric() || (fn == "+" || fn == "-") && w.IsInterval()
	wants := `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL")`
	switch fn {
	case "div":
		ok = w.Kind == expr.KindInt64 || w.Kind == expr.KindDecimal || w.Kind == expr.KindYearMonth || w.Kind == expr.KindDayTime
		wants = `("BIGINT" or "DECIMAL" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND")`
	case "*", "%", "pmod":
		wants = `"NUMERIC"`
	case "/":
		wants = `("DOUBLE" or "DECIMAL")`
		ok = w.Kind == expr.KindFloat64 || w.Kind == expr.KindDecimal
	}
	if !ok && !lt.Equal(rt) {
		return nil, mismatch("BINARY_OP_DIFF_TYPES", c.at, text,
			"the left and right operands of the binary operator have incompatible types (%q and %q).", lt.SQL(), rt.SQL())
	}
	if !ok {
		return nil, mismatch("BINARY_OP_WRONG_TYPE", c.at, text, "the binary operator requires the input type %s, not %q.", wants, w.SQL())
	}
	typ := w
	if fn == "div" {
		typ = expr.Int64
	}
	return x.operator(c, fn, x.cast(l, w), x.cast(r, w), typ, mode, text), nil
}

func (x *exprs) operator(c *call, fn string, l, r expr.Expr, t *expr.Type, mode expr.Mode, text string) expr.Expr {
	null := l.Nullable() || r.Nullable() || mode != expr.ANSI && (fn == "/" || fn == "%" || fn == "div" || fn == "pmod" || t.Kind == expr.KindDecimal)
	out := &expr.Call{At: c.at, Fn: fn, Args: []expr.Expr{l, r}, Typ: t, Null: null, Mode: mode}
	if text != out.SQL() {
		out.Text = text
	}
	return out
}

// decimal resolves an operator with a DECIMAL on one side and a decimal or
// integer on the other; nil if the other is neither. The operands keep their
// own precision and scale.
func (x *exprs) decimal(c *call, fn string, l, r expr.Expr, mode expr.Mode, text string) expr.Expr {
	a, b := asDecimal(l), asDecimal(r)
	if l.Type().Kind == expr.KindNull {
		if fn == "/" {
			return nil // a DOUBLE
		}
		a = b
	}
	if r.Type().Kind == expr.KindNull {
		b = a
	}
	if a == nil || b == nil {
		return nil
	}
	l, r = x.cast(l, a), x.cast(r, b)
	return x.operator(c, fn, l, r, x.r.decimalResult(fn, a, b), mode, text)
}

// asDecimal returns the decimal type of an operand: an integer literal counts
// with its own digits.
func asDecimal(e expr.Expr) *expr.Type {
	t := e.Type()
	switch {
	case t.Kind == expr.KindDecimal:
		return t
	case t.Kind == expr.KindNull:
		return nil
	case t.IsInteger():
		if lit, ok := e.(*expr.Literal); ok && lit.Value != nil && t.Kind != expr.KindInt8 {
			digits := len(itoa(int(lit.Value.(int64))))
			if lit.Value.(int64) < 0 {
				digits--
			}
			return expr.Decimal(digits, 0)
		}
		return expr.DecimalOf(t)
	}
	return nil
}

// compare resolves = <=> < <= > >= and !=.
func (x *exprs) compare(c *call) (expr.Expr, error) {
	l, r := c.args[0], c.args[1]
	fn := c.f.Name
	text := c.text()
	if fn == "!=" {
		text = "(NOT (" + l.SQL() + " = " + r.SQL() + "))"
		if !c.apply.Operator {
			text = c.text()
		}
		fn = "="
	}
	l, r = x.filled(l, r.Type()), x.filled(r, l.Type())
	lt, rt := l.Type(), r.Type()
	w := x.comparable(l, r)
	if bools := (l.Type().Kind == expr.KindBool) != (r.Type().Kind == expr.KindBool); bools && l.Type().IsNumeric() != r.Type().IsNumeric() && fn != "=" && fn != "<=>" {
		w = nil // a number is true or false only where it is equal to one
	}
	if w == nil {
		return nil, mismatch("BINARY_OP_DIFF_TYPES", c.at, showCall(fn, fn, c.args, true),
			"the left and right operands of the binary operator have incompatible types (%q and %q).", lt.SQL(), rt.SQL())
	}
	if !w.Orderable() {
		return nil, mismatch("INVALID_ORDERING_TYPE", c.at, text, "The `%s` does not support ordering on type %q.", fn, w.SQL())
	}
	out := &expr.Call{At: c.at, Fn: fn, Args: []expr.Expr{x.cast(l, w), x.cast(r, w)}, Typ: expr.Bool}
	out.Null = fn != "<=>" && anyNullable(out.Args)
	if c.f.Name == "!=" {
		return &expr.Call{At: c.at, Fn: "not", Args: []expr.Expr{out}, Typ: expr.Bool, Null: out.Null, Text: text}, nil
	}
	if text != out.SQL() {
		out.Text = text
	}
	return out, nil
}

// comparable returns the type in which l and r are compared, or nil.
func (x *exprs) comparable(l, r expr.Expr) *expr.Type {
	lt, rt := l.Type(), r.Type()
	if lt.IsNested() && rt.Kind == lt.Kind {
		return x.comparableMembers(lt, rt)
	}
	if lt.Kind == expr.KindString && rt.Kind == expr.KindString {
		return stringCollation(lt, rt)
	}
	if x.r.co.ANSI {
		if a, b := asDecimal(l), asDecimal(r); a != nil && b != nil && (lt.Kind == expr.KindDecimal || rt.Kind == expr.KindDecimal) {
			return expr.WiderDecimal(a, b)
		}
		return x.r.co.Wider(lt, rt)
	}
	if lt.Kind == expr.KindString && rt.Kind != expr.KindString {
		lt, rt = rt, lt
	}
	if rt.Kind == expr.KindString && lt.Kind != expr.KindString {
		switch {
		case lt.Kind == expr.KindDecimal:
			return expr.Float64
		case lt.IsNumeric(), isTime(lt), lt.Kind == expr.KindTime, lt.Kind == expr.KindBool:
			return lt
		case lt.Kind == expr.KindBinary:
			return expr.Binary
		}
	}
	if lt.Kind == expr.KindBool && rt.IsNumeric() || rt.Kind == expr.KindBool && lt.IsNumeric() {
		if lt.IsNumeric() {
			return lt
		}
		return rt
	}
	return x.r.co.Wider(lt, rt)
}

// stringCollation returns the STRING type with the collation that one side has.
func stringCollation(t, u *expr.Type) *expr.Type {
	switch {
	case t.Collation == u.Collation || u.Collation == "":
		return t
	case t.Collation == "":
		return u
	}
	return nil
}

// logic resolves AND, OR and NOT.
func (x *exprs) logic(c *call) (expr.Expr, error) {
	text := c.text()
	if x.r.co.ANSI {
		for i, a := range c.args {
			if a.Type().Kind == expr.KindString && (len(c.args) == 1 || c.args[1-i].Type().Kind != expr.KindString) {
				c.args[i] = x.cast(a, expr.Bool)
			}
		}
	}
	for i, a := range c.args {
		if a.Type().Kind == expr.KindNull {
			c.args[i] = x.cast(a, expr.Bool)
		}
	}
	if len(c.args) == 1 {
		if t := c.args[0].Type(); t.Kind != expr.KindBool {
			return nil, unexpectedInput(c.at, text, 0, `"BOOLEAN"`, c.args[0])
		}
	} else if a, b := c.args[0].Type(), c.args[1].Type(); !a.Equal(b) {
		return nil, mismatch("BINARY_OP_DIFF_TYPES", c.at, text,
			"the left and right operands of the binary operator have incompatible types (%q and %q).", a.SQL(), b.SQL())
	} else if a.Kind != expr.KindBool {
		return nil, mismatch("BINARY_OP_WRONG_TYPE", c.at, text, "the binary operator requires the input type \"BOOLEAN\", not %q.", a.SQL())
	}
	return x.result(c, expr.Bool)
}

// bits resolves & | ^ ~.
func (x *exprs) bits(c *call) (expr.Expr, error) {
	text := c.text()
	if len(c.args) == 1 {
		a := c.args[0]
		t := a.Type()
		if t.Kind == expr.KindNull {
			t = expr.Int32
		}
		if !t.IsInteger() {
			return nil, unexpectedInput(c.at, text, 0, `"INTEGRAL"`, a)
		}
		c.args[0] = x.cast(a, t)
		return x.result(c, t)
	}
	l, r := c.args[0], c.args[1]
	if w := x.r.co.PromoteString(l.Type(), r.Type()); w != nil {
		l, r = x.cast(l, w), x.cast(r, w)
	}
	w := x.r.co.WiderNoString(l.Type(), r.Type())
	if w == nil {
		return nil, mismatch("BINARY_OP_DIFF_TYPES", c.at, text,
			"the left and right operands of the binary operator have incompatible types (%q and %q).", l.Type().SQL(), r.Type().SQL())
	}
	if w.Kind == expr.KindNull {
		w = expr.Int32
	}
	if lt, rt := l.Type(), r.Type(); !w.IsInteger() && !lt.Equal(rt) && lt.Kind != expr.KindNull && rt.Kind != expr.KindNull {
		if lt.Kind == expr.KindDecimal && rt.IsInteger() {
			rt = asDecimal(r)
		} else if rt.Kind == expr.KindDecimal && lt.IsInteger() {
			lt = asDecimal(l)
		}
		return nil, mismatch("BINARY_OP_DIFF_TYPES", c.at, text,
			"the left and right operands of the binary operator have incompatible types (%q and %q).", lt.SQL(), rt.SQL())
	}
	if !w.IsInteger() {
		return nil, mismatch("BINARY_OP_WRONG_TYPE", c.at, text, "the binary operator requires the input type \"INTEGRAL\", not %q.", w.SQL())
	}
	c.args = []expr.Expr{x.cast(l, w), x.cast(r, w)}
	return x.result(c, w)
}

// shift resolves the three shifts.
func (x *exprs) shift(c *call) (expr.Expr, error) {
	text := c.text()
	t := x.wanted(c.args[0].Type(), []expr.Want{{Type: expr.Int32}, {Type: expr.Int64}})
	if t == nil {
		return nil, unexpectedInput(c.at, text, 0, `("INT" or "BIGINT")`, c.args[0])
	}
	by := x.wanted(c.args[1].Type(), []expr.Want{{Type: expr.Int32}})
	if by == nil {
		return nil, unexpectedInput(c.at, text, 1, `"INT"`, c.args[1])
	}
	c.args = []expr.Expr{x.cast(c.args[0], t), x.cast(c.args[1], by)}
	return x.result(c, t)
}

// sign resolves unary minus and plus.
func (x *exprs) sign(c *call) (expr.Expr, error) {
	a := c.args[0]
	if a.Type().Kind == expr.KindCalendar {
		return x.result(c, expr.Calendar)
	}
	if a.Type().Kind == expr.KindNull {
		c.args[0] = x.cast(a, expr.Float64)
	}
	t := x.wanted(c.args[0].Type(), []expr.Want{{Family: expr.NumericType}, {Family: expr.AnsiIntervalType}})
	if t == nil {
		return nil, unexpectedInput(c.at, c.text(), 0, `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL")`, a)
	}
	c.args[0] = x.cast(c.args[0], t)
	return x.result(c, t)
}
