package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// array resolves array(a, b, …).
func (x *exprs) array(c *call) (expr.Expr, error) {
	t := expr.Null
	if len(c.args) > 0 {
		var err error
		if t, err = x.common(c, indices(0, len(c.args))); err != nil {
			return nil, err
		}
	}
	return x.result(c, expr.ArrayOf(t, anyNullable(c.args)))
}

// mapOf resolves map(k, v, …).
func (x *exprs) mapOf(c *call) (expr.Expr, error) {
	if len(c.args)%2 != 0 {
		return nil, wrongArgs(c.at, c.name, "2n (n > 0)", len(c.args))
	}
	if len(c.args) == 0 {
		return x.result(c, expr.MapOf(expr.Null, expr.Null, false))
	}
	text := c.text()
	var keys, values []int
	for i := 0; i < len(c.args); i += 2 {
		keys, values = append(keys, i), append(values, i+1)
	}
	k, err := x.common(c, keys)
	if err != nil {
		return nil, mapKeyError(c, text, "CREATE_MAP_KEY_DIFF_TYPES", "keys", keys)
	}
	v, err := x.common(c, values)
	if err != nil {
		return nil, mapKeyError(c, text, "CREATE_MAP_VALUE_DIFF_TYPES", "values", values)
	}
	if err := mapKey(c, text, k); err != nil {
		return nil, err
	}
	null := false
	for _, i := range values {
		null = null || c.args[i].Nullable()
	}
	return x.result(c, expr.MapOf(k, v, null))
}

func mapKeyError(c *call, text, condition, what string, at []int) error {
	list := make([]*expr.Type, len(at))
	for i, k := range at {
		list[i] = c.args[k].Type()
	}
	return mismatch(condition, c.at, text, "The given %s of function `map` should all be the same type, but they are [%s].", what, quotedTypes(list, ", "))
}

// namedStruct resolves named_struct('a', x, …).
func (x *exprs) namedStruct(c *call) (expr.Expr, error) {
	if len(c.args)%2 != 0 {
		return nil, wrongArgs(c.at, c.name, "2n (n > 0)", len(c.args))
	}
	var fields []expr.Field
	for i := 0; i < len(c.args); i += 2 {
		name, ok := x.constantText(c.args[i])
		if !ok {
			return nil, mismatch("CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING", c.at, c.text(), "Only foldable \"STRING\" expressions are allowed to appear at odd position, but they are [%q].", c.args[i].SQL())
		}
		fields = append(fields, expr.Field{Name: name, Type: c.args[i+1].Type(), Nullable: c.args[i+1].Nullable()})
	}
	return x.result(c, expr.StructOf(fields...))
}

// structOf resolves struct(a, b AS x, …) and (a, b): named_struct with the names
// of its columns, or col1, col2, …
func (x *exprs) structOf(c *call) (expr.Expr, error) {
	text := "struct("
	var args []expr.Expr
	for i, a := range c.args {
		if i > 0 {
			text += ", "
		}
		name := "col" + itoa(i+1)
		value := a
		switch e := a.(type) {
		case *expr.Column:
			name = e.Name
		case *outerRef:
			name = e.Name
		case *expr.LambdaVar:
			name = e.Name
		case *expr.Alias:
			name, value = e.Name, e.Child
			a = value
			text += value.SQL() + " AS " + expr.QuoteIfNeeded(name)
		case *expr.Call:
			if e.Fn == "getfield" {
				name = fieldName(e)
			}
		}
		if _, ok := c.args[i].(*expr.Alias); !ok {
			text += a.SQL()
		}
		args = append(args, &expr.Literal{At: a.Pos(), Value: name, Typ: expr.String}, value)
	}
	return x.callOf(c, "named_struct", text+")", args...)
}

// fieldName is the name of the member that a getfield call takes.
func fieldName(e *expr.Call) string {
	i, _ := intLiteral(e.Args[1])
	return e.Args[0].Type().Fields[i].Name
}

// getItem is e[key]: an array's element (from 0), a map's value, a struct's
// member by name.
func (x *exprs) getItem(e, key expr.Expr, at base.Pos) (expr.Expr, error) {
	t := e.Type()
	text := e.SQL() + "[" + key.SQL() + "]"
	switch t.Kind {
	case expr.KindArray:
		if !key.Type().IsInteger() && key.Type().Kind != expr.KindNull {
			if key.Type().Kind == expr.KindString && t.Elem.Kind == expr.KindStruct {
				if name, ok := stringLiteral(key); ok {
					return x.member(e, name, at)
				}
			}
			if _, literal := stringLiteral(key); key.Type().Kind != expr.KindString || !x.r.co.ANSI || literal {
				return nil, unexpectedInput(at, text, 1, `"INTEGRAL"`, key)
			}
			key = x.cast(key, expr.Int32)
		}
		if key.Type().Kind == expr.KindNull {
			key = x.cast(key, expr.Int32)
		}
		return &expr.Call{At: at, Fn: "getitem", Args: []expr.Expr{e, key}, Typ: t.Elem, Null: true, Mode: x.mode(), Text: text}, nil
	case expr.KindMap:
		if w := x.r.co.WiderNoString(key.Type(), t.Key); w == nil || !w.Equal(t.Key) {
			u := x.wanted(key.Type(), []expr.Want{{Type: t.Key}})
			if u == nil {
				return nil, unexpectedInput(at, text, 1, `"`+t.Key.SQL()+`"`, key)
			}
		}
		return &expr.Call{At: at, Fn: "getmapvalue", Args: []expr.Expr{e, x.cast(key, t.Key)}, Typ: t.Elem, Null: true, Mode: x.mode(), Text: text}, nil
	case expr.KindStruct:
		if name, ok := stringLiteral(key); ok {
			return x.field(e, name, at)
		}
		return nil, base.UserError("INVALID_EXTRACT_FIELD_TYPE", "42000", "The name of a field must be a STRING literal, not %q.", key.SQL())
	}
	return nil, base.UserError("INVALID_EXTRACT_BASE_FIELD_TYPE", "42000",
		"Can't extract a value from %q. Need a complex type [STRUCT, ARRAY, MAP] but got %q.", e.SQL(), t.SQL()).At(at)
}

// dot is x.name over anything but a name.
func (x *exprs) dot(c *call) (expr.Expr, error) {
	if i, ok := intLiteral(c.args[1]); ok && c.args[0].Type().Kind == expr.KindStruct {
		return fieldAt(c.args[0], int(i), c.at), nil
	}
	name, ok := stringLiteral(c.args[1])
	if !ok {
		return x.getItem(c.args[0], c.args[1], c.at)
	}
	return x.member(c.args[0], name, c.at)
}

func (x *exprs) elementAt(c *call) (expr.Expr, error) {
	t := c.args[0].Type()
	text := c.text()
	switch t.Kind {
	case expr.KindArray:
		u := c.args[1].Type()
		if u.IsInteger() && u.Kind != expr.KindInt64 {
			c.args[1] = x.cast(c.args[1], expr.Int32)
		} else {
			return nil, unexpectedInput(c.at, text, 1, `"INT"`, c.args[1])
		}
	case expr.KindMap:
		w := x.r.co.WiderNoString(c.args[1].Type(), t.Key)
		if w == nil {
			return nil, mismatch("MAP_FUNCTION_DIFF_TYPES", c.at, text, "Input to `element_at` should have been \"MAP\" followed by a value with same key type, but it's [%s].", quotedTypes(types(c.args), ", "))
		}
		c.args[0] = x.cast(c.args[0], expr.MapOf(w, t.Elem, t.ElemNullable))
		c.args[1] = x.cast(c.args[1], w)
	default:
		return nil, unexpectedInput(c.at, text, 0, `("ARRAY" or "MAP")`, c.args[0])
	}
	return x.result(c, t.Elem)
}

// arrayWith resolves the functions that put a value into an array.
func (x *exprs) arrayWith(c *call) (expr.Expr, error) {
	switch c.f.Rule {
	case "@array_repeat":
		if n := c.args[1].Type(); n.Kind != expr.KindInt32 && n.Kind != expr.KindNull {
			return nil, unexpectedInput(c.at, c.text(), 1, `"INT"`, c.args[1])
		}
		c.args[1] = x.cast(c.args[1], expr.Int32)
		out, err := x.result(c, expr.ArrayOf(c.args[0].Type(), c.args[0].Nullable()))
		if k, ok := out.(*expr.Call); ok {
			k.Null = c.args[1].Nullable()
		}
		return out, err
	case "@array_insert":
		t := c.args[0].Type()
		if n := c.args[1].Type(); t.Kind == expr.KindArray && (!n.IsInteger() || n.Kind == expr.KindInt64) {
			return nil, unexpectedInput(c.at, c.text(), 1, `"INT"`, c.args[1])
		}
		var w *expr.Type
		if t.Kind == expr.KindArray {
			w = (expr.Coercion{}).Tightest(t.Elem, c.args[2].Type())
		}
		if w == nil {
			return nil, mismatch("ARRAY_FUNCTION_DIFF_TYPES", c.at, c.text(), "Input to `array_insert` should have been \"ARRAY\" followed by a value with same element type, but it's [%s].", quotedTypes([]*expr.Type{t, c.args[2].Type()}, ", "))
		}
		c.args[0] = x.cast(c.args[0], expr.ArrayOf(w, t.ElemNullable))
		c.args[1], c.args[2] = x.cast(c.args[1], expr.Int32), x.cast(c.args[2], w)
		out, err := x.result(c, expr.ArrayOf(w, true))
		if k, ok := out.(*expr.Call); ok {
			k.Null = c.args[0].Nullable() || c.args[1].Nullable()
		}
		return out, err
	}
	text := c.text()
	if err := x.coerce(c); err != nil {
		return nil, err
	}
	if err := checkElements(c, text); err != nil {
		return nil, err
	}
	t := c.args[0].Type()
	switch c.f.Rule {
	case "@array_compact":
		return x.result(c, expr.ArrayOf(t.Elem, false))
	case "@array_union":
		return x.result(c, expr.ArrayOf(t.Elem, t.ElemNullable || c.args[1].Type().ElemNullable))
	}
	out, err := x.result(c, expr.ArrayOf(t.Elem, t.ElemNullable || c.args[1].Nullable()))
	if k, ok := out.(*expr.Call); ok {
		k.Null = c.args[0].Nullable()
	}
	return out, err
}

func (x *exprs) arraysZip(c *call) (expr.Expr, error) {
	if err := x.coerce(c); err != nil && len(c.args) > 0 {
		return nil, err
	}
	fields := make([]expr.Field, len(c.args))
	for i, a := range c.args {
		name := itoa(i)
		switch e := a.(type) {
		case *expr.Column:
			name = e.Name
		case *expr.Alias:
			name = e.Name
		case *expr.Call:
			if e.Fn == "getfield" {
				name = fieldName(e)
			}
		}
		fields[i] = expr.Field{Name: name, Type: a.Type().Elem, Nullable: true}
	}
	return x.result(c, expr.ArrayOf(expr.StructOf(fields...), false))
}

func (x *exprs) mapWith(c *call) (expr.Expr, error) {
	if c.f.Name == "map_contains_key" {
		t := c.args[0].Type()
		if c.args[1].Type().Kind == expr.KindNull {
			return nil, nullTyped(c)
		}
		if t.Kind == expr.KindMap {
			if w := x.r.co.WiderNoString(t.Key, c.args[1].Type()); w != nil && w.Kind != expr.KindNull {
				c.args[0], c.args[1] = x.cast(c.args[0], expr.MapOf(w, t.Elem, t.ElemNullable)), x.cast(c.args[1], w)
				return x.result(c, expr.Bool)
			}
		}
		return nil, mismatch("MAP_FUNCTION_DIFF_TYPES", c.at, c.text(), "Input to `map_contains_key` should have been \"MAP\" followed by a value with same key type, but it's [%s].", quotedTypes(types(c.args), ", "))
	}
	if len(c.args) == 0 {
		return x.result(c, expr.MapOf(expr.String, expr.String, true))
	}
	for i, a := range c.args {
		if a.Type().Kind != expr.KindMap {
			return nil, mismatch("MAP_CONCAT_DIFF_TYPES", c.at, c.text(), "The `map_concat` should all be of type map, but it's [%s].", quotedTypes(types(c.args[i:i+1]), ", "))
		}
	}
	common := c.args[0].Type()
	for _, a := range c.args[1:] {
		if common = x.r.co.WiderNoString(common, a.Type()); common == nil {
			return nil, mismatch("DATA_DIFF_TYPES", c.at, c.text(), "Input to `map_concat` should all be the same type, but it's (%s).", quotedTypes(types(c.args), " or "))
		}
	}
	t, err := x.common(c, indices(0, len(c.args)))
	if err != nil {
		return nil, err
	}
	return x.result(c, t)
}

// sequence resolves sequence(start, stop[, step]) over integers and times.
func (x *exprs) sequence(c *call) (expr.Expr, error) {
	text := c.text()
	w := x.r.co.Wider(c.args[0].Type(), c.args[1].Type())
	if w != nil && w.IsInteger() && len(c.args) == 3 {
		w = x.r.co.Wider(w, c.args[2].Type())
	}
	wrong := func() error {
		return mismatch("SEQUENCE_WRONG_INPUT_TYPES", c.at, text,
			"`sequence` uses the wrong parameter type. The parameter type must conform to:\n1. The start and stop expressions must resolve to the same type.\n2. If start and stop expressions resolve to the (\"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"DATE\") type, then the step expression must resolve to the (\"INTERVAL\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\") type.\n3. Otherwise, if start and stop expressions resolve to the (\"INTEGRAL\") type, then the step expression must resolve to the same type.")
	}
	if w == nil || !w.IsInteger() && !isTime(w) {
		return nil, wrong()
	}
	c.args[0], c.args[1] = x.cast(c.args[0], w), x.cast(c.args[1], w)
	if len(c.args) == 3 {
		if t := c.args[2].Type(); isTime(w) != t.IsInterval() && t.Kind != expr.KindNull {
			return nil, wrong()
		}
		if w.IsInteger() {
			c.args[2] = x.cast(c.args[2], w)
		}
	}
	return x.result(c, expr.ArrayOf(w, false))
}
