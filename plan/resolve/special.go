package resolve

import (
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/expr"
)

// special resolves the functions whose rule is the resolver's own.
func (x *exprs) special(c *call) (expr.Expr, error) {
	switch c.f.Rule {
	case "@arithmetic":
		return x.arithmetic(c)
	case "@try":
		return x.tryArithmetic(c)
	case "@compare":
		return x.compare(c)
	case "@logic":
		return x.logic(c)
	case "@bits":
		return x.bits(c)
	case "@shift":
		return x.shift(c)
	case "@sign":
		return x.sign(c)
	case "@case":
		return x.conditional(c)
	case "@if":
		return x.choice(c)
	case "@coalesce", "@extreme":
		return x.first(c)
	case "@nullif":
		return x.nullif(c)
	case "@nvl":
		return x.nvl(c)
	case "@nvl2":
		return x.nvl2(c)
	case "@zeroifnull":
		return x.zeroIfNull(c)
	case "@nullifzero":
		return x.nullIfZero(c)
	case "@between":
		return x.between(c)
	case "@in":
		return x.in(c)
	case "@concat":
		return x.concat(c)
	case "@getitem":
		return x.getItem(c.args[0], c.args[1], c.at)
	case "@getfield":
		return x.dot(c)
	case "@array":
		return x.array(c)
	case "@map":
		return x.mapOf(c)
	case "@named_struct":
		return x.namedStruct(c)
	case "@struct":
		return x.structOf(c)
	case "@explode", "@inline", "@stack", "@json_tuple", "@variant_explode":
		return x.generator(c)
	case "@window", "@session_window":
		return x.timeWindow(c)
	case "@window_time":
		return x.windowTime(c)
	}
	return x.lesser(c)
}

// lesser resolves the rest: functions whose result type needs a literal, or
// whose parameters depend on each other.
func (x *exprs) lesser(c *call) (expr.Expr, error) {
	switch c.f.Rule {
	case "@round", "@ceil":
		return x.round(c)
	case "@concat_ws":
		return x.concatWS(c)
	case "@elt":
		return x.elt(c)
	case "@pad":
		return x.pad(c)
	case "@decode":
		return x.decode(c)
	case "@to_date", "@to_timestamp":
		return x.toTime(c)
	case "@make_timestamp":
		return x.makeTimestamp(c)
	case "@extract":
		return x.extract(c)
	case "@time_bucket":
		return x.timeBucket(c)
	case "@timestamp_nanos", "@unix_nanos":
		return x.nanoseconds(c)
	case "@random", "@uniform", "@randstr":
		return x.random(c)
	case "@unknown":
		return x.unknown(c)
	case "@like_each":
		return x.likeEach(c)
	case "@now":
		return x.now(c)
	case "@current_time":
		return x.currentTime(c)
	case "@convert_timezone":
		return x.convertTimezone(c)
	case "@to_number":
		return x.toNumber(c)
	case "@to_char":
		return x.toChar(c)
	case "@schema_of":
		return x.schemaOf(c)
	case "@to_text":
		return x.toText(c)
	case "@foreign":
		return x.foreign(c)
	case "@from_schema":
		return x.fromSchema(c)
	case "@variant_get":
		return x.variantGet(c)
	case "@variant_path":
		return x.variantPath(c)
	case "@variant_edit":
		return x.variantEdit(c)
	case "@to_variant":
		return x.toVariant(c)
	case "@sequence":
		return x.sequence(c)
	case "@element_at":
		return x.elementAt(c)
	case "@array_with", "@array_insert", "@array_compact", "@array_union", "@array_repeat":
		return x.arrayWith(c)
	case "@arrays_zip":
		return x.arraysZip(c)
	case "@map_concat", "@map_contains_key":
		return x.mapWith(c)
	case "@collate":
		return x.collate(c)
	case "@geo":
		return x.geo(c)
	case "@reflect":
		return x.reflect(c)
	case "@collation":
		return x.collationName(c)
	}
	return nil, invariants.AssertionFailedf("function %s: rule %s is nowhere", c.f.Name, c.f.Rule)
}

// concat joins strings, binaries or arrays.
func (x *exprs) concat(c *call) (expr.Expr, error) {
	c.f = expr.Functions.Lookup("concat")
	c.name = "concat"
	c.apply = &expr.Apply{At: c.at, Name: []string{"concat"}}
	if len(c.args) == 0 {
		return x.result(c, expr.String)
	}
	arrays, binary := false, true
	for _, a := range c.args {
		arrays = arrays || a.Type().Kind == expr.KindArray
		binary = binary && a.Type().Kind == expr.KindBinary
	}
	for _, a := range c.args {
		if arrays && a.Type().Kind == expr.KindNull { // a NULL is a STRING here
			return nil, mismatch("DATA_DIFF_TYPES", c.at, c.text(), "Input to `concat` should all be the same type, but it's [%s].", quotedTypes(types(c.args), ", "))
		}
	}
	switch {
	case arrays:
		t, err := x.common(c, indices(0, len(c.args)))
		if err != nil {
			return nil, err
		}
		return x.result(c, t)
	case binary:
		return x.result(c, expr.Binary)
	}
	for i, a := range c.args {
		if x.wanted(a.Type(), []expr.Want{{Family: expr.StringType}}) == nil {
			return nil, unexpectedInput(c.at, c.text(), i, `("STRING" or "BINARY" or "ARRAY")`, a)
		}
		c.args[i] = x.cast(a, stringLike(a.Type()))
	}
	return x.result(c, expr.String)
}

func stringLike(t *expr.Type) *expr.Type {
	if t.Kind == expr.KindString {
		return t
	}
	return expr.String
}

func (x *exprs) concatWS(c *call) (expr.Expr, error) {
	for i, a := range c.args {
		t := a.Type()
		if i > 0 && t.Kind == expr.KindArray {
			c.args[i] = x.cast(a, expr.ArrayOf(expr.String, true))
			continue
		}
		if x.wanted(t, []expr.Want{{Family: expr.StringType}}) == nil {
			return nil, unexpectedInput(c.at, c.text(), i, `("ARRAY<STRING>" or "STRING")`, a)
		}
		c.args[i] = x.cast(a, stringLike(t))
	}
	out, err := x.result(c, expr.String)
	if k, ok := out.(*expr.Call); ok {
		k.Null = c.args[0].Nullable()
	}
	return out, err
}

func (x *exprs) elt(c *call) (expr.Expr, error) {
	if len(c.args) < 2 {
		return nil, wrongArgs(c.at, c.name, "> 1", len(c.args))
	}
	n := x.wanted(c.args[0].Type(), []expr.Want{{Type: expr.Int32}})
	if n == nil {
		return nil, unexpectedInput(c.at, c.text(), 0, `"INT"`, c.args[0])
	}
	c.args[0] = x.cast(c.args[0], n)
	t := expr.Binary
	for _, a := range c.args[1:] {
		if a.Type().Kind != expr.KindBinary {
			t = expr.String
		}
	}
	for i, a := range c.args[1:] {
		if t == expr.String && x.wanted(a.Type(), []expr.Want{{Type: t}}) == nil {
			return nil, unexpectedInput(c.at, c.text(), i+1, `("STRING" or "BINARY")`, a)
		}
		if t == expr.Binary {
			c.args[i+1] = x.cast(a, t)
		} else {
			c.args[i+1] = x.cast(a, stringLike(a.Type()))
		}
	}
	return x.result(c, t)
}

func (x *exprs) pad(c *call) (expr.Expr, error) {
	if len(c.args) == 2 {
		fill := &expr.Literal{At: c.at, Value: " ", Typ: expr.String}
		if c.args[0].Type().Kind == expr.KindBinary {
			fill = &expr.Literal{At: c.at, Value: []byte{0}, Typ: expr.Binary}
		}
		c.args = append(c.args, fill)
		if err := x.meet(c); err != nil {
			return nil, err
		}
	}
	if err := x.coerce(c); err != nil {
		return nil, err
	}
	t := c.args[0].Type()
	if t.Kind == expr.KindBinary && c.args[2].Type().Kind != expr.KindBinary || t.Kind == expr.KindString && c.args[2].Type().Kind == expr.KindBinary {
		c.args[0], c.args[2] = x.cast(c.args[0], expr.String), x.cast(c.args[2], expr.String)
		t = expr.String
	}
	return x.result(c, t)
}

// decode is the character set decoder with two arguments, else a CASE.
func (x *exprs) decode(c *call) (expr.Expr, error) {
	if err := decodeArgs(c); err != nil {
		return nil, err
	}
	if len(c.args) == 2 {
		for i, w := range []expr.Want{{Type: expr.Binary}, {Type: expr.String}} {
			t := x.wanted(c.args[i].Type(), []expr.Want{w})
			if t == nil {
				return nil, unexpectedInput(c.at, c.text(), i, `"`+w.Type.SQL()+`"`, c.args[i])
			}
			c.args[i] = x.cast(c.args[i], t)
		}
		return x.result(c, expr.String)
	}
	var list []expr.Expr
	for i := 1; i+1 < len(c.args); i += 2 {
		cond, err := x.callOf(c, "<=>", "", c.args[0], c.args[i])
		if err != nil {
			return nil, err
		}
		list = append(list, cond, c.args[i+1])
	}
	if len(c.args)%2 == 0 {
		list = append(list, c.args[len(c.args)-1])
	}
	return x.callOf(c, "case", c.text(), list...)
}
