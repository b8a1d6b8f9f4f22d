package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// generator resolves a call that makes rows. Its Typ is a struct of the columns.
func (x *exprs) generator(c *call) (expr.Expr, error) {
	base := strings.TrimSuffix(c.f.Name, "_outer")
	outer := base != c.f.Name
	if c.f.Rule != "@stack" && c.f.Rule != "@json_tuple" { // variant_explode takes NULL
		if c.args[0].Type().Kind == expr.KindNull && base != "variant_explode" {
			return nil, unexpectedInput(c.at, c.text(), 0, wantText(c.f.Params[0].Wants), c.args[0])
		}
		if err := x.coerce(c); err != nil {
			return nil, err
		}
	}
	var fields []expr.Field
	switch base {
	case "explode", "posexplode":
		if base == "posexplode" {
			fields = append(fields, expr.Field{Name: "pos", Type: expr.Int32, Nullable: outer})
		}
		t := c.args[0].Type()
		if t.Kind == expr.KindMap {
			fields = append(fields, expr.Field{Name: "key", Type: t.Key, Nullable: outer}, expr.Field{Name: "value", Type: t.Elem, Nullable: outer || t.ElemNullable})
		} else {
			fields = append(fields, expr.Field{Name: "col", Type: t.Elem, Nullable: outer || t.ElemNullable})
		}
	case "inline":
		t := c.args[0].Type()
		if t.Elem.Kind != expr.KindStruct {
			return nil, unexpectedInput(c.at, c.text(), 0, `"ARRAY<STRUCT>"`, c.args[0])
		}
		for _, f := range t.Elem.Fields {
			fields = append(fields, expr.Field{Name: f.Name, Type: f.Type, Nullable: f.Nullable || outer || t.ElemNullable})
		}
	case "stack":
		var err error
		if fields, err = x.stack(c); err != nil {
			return nil, err
		}
	case "json_tuple":
		if len(c.args) < 2 {
			return nil, wrongArgs(c.at, c.name, "> 1", len(c.args))
		}
		for i := range c.args {
			if x.wanted(c.args[i].Type(), []expr.Want{{Type: expr.String}}) == nil || c.args[i].Type().Kind != expr.KindString {
				return nil, mismatch("NON_STRING_TYPE", c.at, c.text(), "all arguments of the function `json_tuple` must be strings.")
			}
			if i > 0 {
				fields = append(fields, expr.Field{Name: "c" + itoa(i-1), Type: expr.String, Nullable: true})
			}
		}
	case "variant_explode":
		fields = []expr.Field{{Name: "pos", Type: expr.Int32}, {Name: "key", Type: expr.String, Nullable: true}, {Name: "value", Type: expr.Variant}}
	}
	out, err := x.result(c, expr.StructOf(fields...))
	if k, ok := out.(*expr.Call); ok {
		k.Fn = base
		if outer {
			k.Fn = c.f.Name
		}
	}
	return out, err
}

// stack resolves stack(n, …): the columns take turns.
func (x *exprs) stack(c *call) ([]expr.Field, error) {
	if len(c.args) < 2 {
		return nil, wrongArgs(c.at, c.name, "> 1", len(c.args))
	}
	if !foldable(c.args[0]) {
		return nil, mismatch("NON_FOLDABLE_INPUT", c.at, c.text(), "the input `n` should be a foldable \"INT\" expression; however, got %q.", c.args[0].SQL())
	}
	n, ok := intLiteral(c.args[0])
	if !ok || n <= 0 {
		return nil, mismatch("VALUE_OUT_OF_RANGE", c.at, c.text(), "The `n` must be between (0, 2147483647] (current value = %s).", c.args[0].SQL())
	}
	width := (len(c.args) - 1 + int(n) - 1) / int(n)
	fields := make([]expr.Field, width)
	for col := range fields {
		var at []int
		for i := 1 + col; i < len(c.args); i += width {
			at = append(at, i)
		}
		null := len(at) < int(n)
		list := make([]*expr.Type, len(at))
		for k, i := range at {
			list[k] = c.args[i].Type()
			null = null || c.args[i].Nullable()
		}
		t := list[0]
		for _, u := range list[1:] {
			if t.Kind == expr.KindNull {
				t = u
			} else if u.Kind != expr.KindNull && !u.Equal(t) {
				t = nil
				break
			}
		}
		if t == nil {
			return nil, mismatch("STACK_COLUMN_DIFF_TYPES", c.at, c.text(), "The data type of the column (%d) do not have the same type: %q <> %q.", col, list[0].SQL(), list[len(list)-1].SQL())
		}
		for _, i := range at {
			c.args[i] = x.cast(c.args[i], t)
		}
		fields[col] = expr.Field{Name: "col" + itoa(col), Type: t, Nullable: null}
	}
	return fields, nil
}

// generatorOf returns e as a generator call, looking through an alias, or nil.
func generatorOf(e expr.Expr) *expr.Call {
	if a, ok := e.(*expr.Alias); ok {
		e = a.Child
	}
	if c, ok := e.(*expr.Call); ok {
		if f := c.Signature(); f != nil && f.Class == expr.Generator {
			return c
		}
	}
	return nil
}

// generateNode puts a generator over in; names rename its columns.
func generateNode(at base.Pos, gen *expr.Call, outer bool, qualifier []string, names []string, in logical.Node) (*logical.Generate, error) {
	outer = outer || strings.HasSuffix(gen.Fn, "_outer")
	d := *gen
	d.Fn = strings.TrimSuffix(gen.Fn, "_outer")
	fields := gen.Typ.Fields
	if len(names) > 0 && len(names) != len(fields) {
		return nil, base.UserError("UDTF_ALIAS_NUMBER_MISMATCH", "42802",
			"The number of aliases supplied in the AS clause does not match the number of columns output by the UDTF. Expected %d aliases, but got %s.",
			len(fields), strings.Join(names, ",")).At(at)
	}
	cols := make([]*expr.Column, len(fields))
	for i, f := range fields {
		name := f.Name
		if len(names) > 0 {
			name = names[i]
		}
		cols[i] = &expr.Column{At: at, ID: expr.NewID(), Name: name, Qualifier: qualifier, Typ: f.Type, Null: f.Nullable || outer}
	}
	return &logical.Generate{At: at, Gen: &d, Outer: outer, Columns: cols, Input: in}, nil
}

// lateralView resolves LATERAL VIEW.
func (r *resolver) lateralView(n *logical.Generate, outer *scope) (rel, error) {
	in, err := r.node(n.Input, outer)
	if err != nil {
		return rel{}, err
	}
	x := &exprs{r: r}
	if a, ok := n.Gen.(*expr.Apply); ok {
		name := strings.ToLower(a.Name[len(a.Name)-1])
		switch f := expr.Functions.Lookup(name); {
		case f == nil || tableOnly(name):
			return rel{}, base.UserError("ROUTINE_NOT_FOUND", "42883", "The function %s is not there for LATERAL VIEW.", quoteName(a.Name)).At(n.At)
		case f.Class != expr.Generator:
			return rel{}, notGenerator(n)
		}
	}
	e, err := x.expr(n.Gen, &scope{cols: in.cols, hidden: in.hidden, outer: outer, clause: "Generate"})
	if err != nil {
		return rel{}, err
	}
	gen := generatorOf(e)
	if gen == nil {
		return rel{}, notGenerator(n)
	}
	var qualifier []string
	if n.Name != "" {
		qualifier = []string{n.Name}
	}
	g, err := generateNode(n.At, gen, n.Outer, qualifier, n.Names, in.node)
	if err != nil {
		return rel{}, err
	}
	g.View = true
	return rel{node: g, cols: append(in.cols[:len(in.cols):len(in.cols)], g.Columns...), hidden: in.hidden}, nil
}

func notGenerator(n *logical.Generate) error {
	return base.UserError("UNSUPPORTED_GENERATOR.NOT_GENERATOR", "42K0E",
		"The generator is not supported: %s is expected to be a generator. However, its class is not a generator.", n.Gen.SQL()).At(n.At)
}
