package resolve

import (
	"strings"

	"github.com/flightd/flightd/plan/expr"
)

// common casts the given arguments of c to their common type, which it returns.
func (x *exprs) common(c *call, indices []int) (*expr.Type, error) {
	list := make([]*expr.Type, len(indices))
	for k, i := range indices {
		list[k] = c.args[i].Type()
	}
	t := x.r.co.Common(list)
	if t == nil {
		return nil, mismatch("DATA_DIFF_TYPES", c.at, c.text(), "Input to `%s` should all be the same type, but it's (%s).",
			c.f.Name, quotedTypes(list, " or "))
	}
	for _, i := range indices {
		c.args[i] = x.cast(c.args[i], t)
	}
	return t, nil
}

func indices(from, to int) []int {
	var out []int
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// conditional resolves CASE; its arguments are cond, value, …, else.
func (x *exprs) conditional(c *call) (expr.Expr, error) {
	var values []int
	for i := range c.args {
		if i%2 == 1 || i == len(c.args)-1 {
			values = append(values, i)
		}
	}
	text := caseText(c.args)
	for i := 0; i+1 < len(c.args); i += 2 {
		c.args[i] = x.truth(c.args[i])
		t := c.args[i].Type()
		if c.args[i].Type().Kind != expr.KindBool {
			return nil, mismatch("UNEXPECTED_INPUT_TYPE", c.at, text, "The %s parameter requires the \"BOOLEAN\" type, however %q has the type %q.",
				ordinal(i/2), c.args[i].SQL(), t.SQL())
		}
	}
	list := make([]*expr.Type, len(values))
	for k, i := range values {
		list[k] = c.args[i].Type()
	}
	t := x.r.co.Common(list)
	if t == nil {
		return nil, mismatch("DATA_DIFF_TYPES", c.at, text, "Input to `casewhen` should all be the same type, but it's [%s].", quotedTypes(list, ", "))
	}
	null := len(c.args)%2 == 0
	for _, i := range values {
		c.args[i] = x.cast(c.args[i], t)
		null = null || c.args[i].Nullable()
	}
	return &expr.Call{At: c.at, Fn: "case", Args: c.args, Typ: t, Null: null, Mode: x.mode(), Text: text}, nil
}

func caseText(args []expr.Expr) string {
	var b strings.Builder
	b.WriteString("CASE")
	for i := 0; i+1 < len(args); i += 2 {
		b.WriteString(" WHEN " + args[i].SQL() + " THEN " + args[i+1].SQL())
	}
	if len(args)%2 == 1 {
		b.WriteString(" ELSE " + args[len(args)-1].SQL())
	}
	return b.String() + " END"
}

// choice resolves if(cond, a, b).
func (x *exprs) choice(c *call) (expr.Expr, error) {
	text := "(IF(" + c.args[0].SQL() + ", " + c.args[1].SQL() + ", " + c.args[2].SQL() + "))"
	if k := c.args[0].Type().Kind; k == expr.KindNull {
		c.args[0] = x.cast(c.args[0], expr.Bool)
	} else if k != expr.KindBool {
		return nil, unexpectedInput(c.at, text, 0, `"BOOLEAN"`, c.args[0])
	}
	t, err := x.common(c, []int{1, 2})
	if err != nil {
		return nil, err
	}
	return &expr.Call{At: c.at, Fn: "if", Args: c.args, Typ: t, Null: c.args[1].Nullable() || c.args[2].Nullable(), Mode: x.mode(), Text: text}, nil
}

// first resolves coalesce, greatest and least.
func (x *exprs) first(c *call) (expr.Expr, error) {
	if len(c.args) == 0 {
		return nil, wrongArgs(c.at, c.name, "> 0", 0)
	}
	if c.f.Rule == "@extreme" {
		if err := x.sameFamily(c); err != nil {
			return nil, err
		}
	}
	t, err := x.common(c, indices(0, len(c.args)))
	if err != nil {
		return nil, err
	}
	if c.f.Rule == "@extreme" && !t.Orderable() {
		return nil, mismatch("INVALID_ORDERING_TYPE", c.at, c.text(), "The `%s` does not support ordering on type %q.", c.f.Name, t.SQL())
	}
	out, err := x.result(c, t)
	if k, ok := out.(*expr.Call); ok {
		k.Null = true
		for _, a := range c.args {
			k.Null = k.Null && a.Nullable()
		}
	}
	return out, err
}

// sameFamily refuses arguments of which only some are strings: greatest and least
// turn none into anything.
func (x *exprs) sameFamily(c *call) error {
	var t *expr.Type
	for _, a := range c.args {
		if t == nil {
			t = a.Type()
		} else if t = x.r.co.WiderNoString(t, a.Type()); t == nil {
			return mismatch("DATA_DIFF_TYPES", c.at, c.text(), "Input to `%s` should all be the same type, but it's [%s].",
				c.f.Name, quotedTypes(types(c.args), ", "))
		}
	}
	return nil
}

// Some functions are others under a name of their own.

func (x *exprs) callOf(c *call, fn string, text string, args ...expr.Expr) (expr.Expr, error) {
	d := &call{at: c.at, name: fn, f: expr.Functions.Lookup(fn), apply: &expr.Apply{At: c.at, Name: []string{fn}, Operator: isSymbol(fn)}, args: args, s: c.s}
	out, err := x.scalar(d)
	if k, ok := out.(*expr.Call); ok && text != "" {
		k.Text = text
	}
	return out, err
}

func (x *exprs) nvl(c *call) (expr.Expr, error) {
	return x.callOf(c, "coalesce", c.text(), c.args...)
}

func (x *exprs) nvl2(c *call) (expr.Expr, error) {
	cond, err := x.callOf(c, "isnotnull", "", c.args[0])
	if err != nil {
		return nil, err
	}
	return x.callOf(c, "if", c.text(), cond, c.args[1], c.args[2])
}

func (x *exprs) nullif(c *call) (expr.Expr, error) {
	cond, err := x.callOf(c, "=", "", c.args[0], c.args[1])
	if err != nil {
		return nil, err
	}
	return x.callOf(c, "if", c.text(), cond, &expr.Literal{At: c.at, Typ: expr.Null}, c.args[0])
}

func (x *exprs) zeroIfNull(c *call) (expr.Expr, error) {
	zero := &expr.Literal{At: c.at, Value: int64(0), Typ: expr.Int32}
	return x.callOf(c, "coalesce", c.text(), c.args[0], zero)
}

func (x *exprs) nullIfZero(c *call) (expr.Expr, error) {
	zero := &expr.Literal{At: c.at, Value: int64(0), Typ: expr.Int32}
	cond, err := x.callOf(c, "=", "", c.args[0], zero)
	if err != nil {
		return nil, err
	}
	return x.callOf(c, "if", c.text(), cond, &expr.Literal{At: c.at, Typ: expr.Null}, c.args[0])
}

// between is a >= lo AND a <= hi.
func (x *exprs) between(c *call) (expr.Expr, error) {
	lo, err := x.callOf(c, ">=", "", c.args[0], c.args[1])
	if err != nil {
		return nil, err
	}
	hi, err := x.callOf(c, "<=", "", c.args[0], c.args[2])
	if err != nil {
		return nil, err
	}
	return x.callOf(c, "and", c.text(), lo, hi)
}

// alike reports whether types differ at most in the names of fields: IN compares
// structs by the order of their fields, as = does.
func alike(list []*expr.Type) bool {
	for _, t := range list[1:] {
		if !sameButNames(list[0], t) {
			return false
		}
	}
	return true
}

func sameButNames(a, b *expr.Type) bool {
	if a.Kind != b.Kind || len(a.Fields) != len(b.Fields) {
		return false
	}
	switch a.Kind {
	case expr.KindStruct:
		for i := range a.Fields {
			if !sameButNames(a.Fields[i].Type, b.Fields[i].Type) {
				return false
			}
		}
		return true
	case expr.KindArray:
		return sameButNames(a.Elem, b.Elem)
	}
	return a.Equal(b)
}

// in resolves value IN (list): all of one type, but for the names of fields.
func (x *exprs) in(c *call) (expr.Expr, error) {
	parts := make([]string, 0, len(c.args))
	for _, a := range c.args[1:] {
		parts = append(parts, a.SQL())
	}
	text := "(" + c.args[0].SQL() + " IN (" + strings.Join(parts, ", ") + "))"
	for i := range c.args[1:] {
		c.args[i+1] = x.filled(c.args[i+1], c.args[0].Type())
		c.args[0] = x.filled(c.args[0], c.args[i+1].Type())
	}
	var t *expr.Type
	if x.r.co.ANSI || len(c.args) != 2 || c.args[0].Type().IsNested() {
		t = x.r.co.Common(types(c.args))
	} else {
		t = x.comparable(c.args[0], c.args[1])
	}
	if t == nil && alike(types(c.args)) {
		t = c.args[0].Type()
	}
	if t == nil {
		return nil, mismatch("DATA_DIFF_TYPES", c.at, text, "Input to `in` should all be the same type, but it's [%s].",
			quotedTypes(types(c.args), ", "))
	}
	if !t.Orderable() {
		return nil, mismatch("INVALID_ORDERING_TYPE", c.at, text, "The `in` does not support ordering on type %q.", t.SQL())
	}
	for i := range c.args {
		c.args[i] = x.cast(c.args[i], t)
	}
	return &expr.Call{At: c.at, Fn: "in", Args: c.args, Typ: expr.Bool, Null: anyNullable(c.args), Mode: x.mode(), Text: text}, nil
}
