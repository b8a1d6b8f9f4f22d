package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// variantPath resolves v:a.b[0], whose arguments are v, the path and the last name
// of the path, if it has one: that is what the value is called.
func (x *exprs) variantPath(c *call) (expr.Expr, error) {
	v := c.args[0]
	if v.Type().Kind != expr.KindVariant {
		return nil, base.UserError("COLUMN_IS_NOT_VARIANT_TYPE", "42K09",
			"The operator `:` takes parts of a VARIANT, but %q has the type %q.", v.SQL(), v.Type().SQL()).At(c.at)
	}
	path, _ := stringLiteral(c.args[1])
	get := &expr.Call{At: c.at, Fn: "variant_get", Args: c.args[:2], Typ: expr.Variant, Null: true, Mode: x.mode(),
		Text: "variant_get(" + v.SQL() + ", " + path + ")"}
	if len(c.args) < 3 {
		return get, nil
	}
	name, _ := stringLiteral(c.args[2])
	return &expr.Alias{At: c.at, Child: get, Name: name, ID: expr.NewID()}, nil
}

// variantEdit resolves the functions that change a variant.
func (x *exprs) variantEdit(c *call) (expr.Expr, error) {
	if c.f.Name == "variant_delete" && len(c.args) < 2 {
		return nil, wrongArgs(c.at, c.name, "> 1", len(c.args))
	}
	text := c.text()
	if err := x.coerce(c); err != nil {
		return nil, err
	}
	if len(c.f.Params) > 2 {
		if t := c.args[2].Type(); t.Kind != expr.KindNull && !expr.ToVariant(t, false) {
			return nil, noVariant(c, text, t)
		}
	}
	return x.result(c, expr.Variant)
}

func noVariant(c *call, text string, t *expr.Type) error {
	return mismatch("CAST_WITHOUT_SUGGESTION", c.at, text, "cannot cast %q to \"VARIANT\".", t.SQL())
}

// toVariant resolves to_variant_object, which takes arrays, maps and structs.
func (x *exprs) toVariant(c *call) (expr.Expr, error) {
	if t := c.args[0].Type(); !t.IsNested() || !expr.ToVariant(t, true) {
		return nil, noVariant(c, c.text(), t)
	}
	return x.result(c, expr.Variant)
}

// variantGet resolves variant_get(v, path[, type]).
func (x *exprs) variantGet(c *call) (expr.Expr, error) {
	t := expr.Variant
	if len(c.args) > 2 {
		var err error
		if t, err = x.schemaArgument(c, 2); err != nil {
			return nil, err
		}
		t = nullableType(t)
	}
	c.args = c.args[:2]
	text := c.text()
	if err := x.coerce(c); err != nil {
		return nil, err
	}
	if !expr.ToVariant(t, true) {
		return nil, mismatch("CAST_WITHOUT_SUGGESTION", c.at, text, "cannot cast \"VARIANT\" to %q.", t.SQL())
	}
	return x.result(c, t)
}

// nullableType is t with every member nullable.
func nullableType(t *expr.Type) *expr.Type {
	switch t.Kind {
	case expr.KindArray:
		return expr.ArrayOf(nullableType(t.Elem), true)
	case expr.KindMap:
		return expr.MapOf(nullableType(t.Key), nullableType(t.Elem), true)
	case expr.KindStruct:
		fields := make([]expr.Field, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = expr.Field{Name: f.Name, Type: nullableType(f.Type), Nullable: true}
		}
		return expr.StructOf(fields...)
	}
	return t
}

// hasKind reports whether t is of a kind or has a member that is.
func hasKind(t *expr.Type, k expr.Kind) bool {
	if t.Kind == k || t.Key != nil && hasKind(t.Key, k) || t.Elem != nil && hasKind(t.Elem, k) {
		return true
	}
	for _, f := range t.Fields {
		if hasKind(f.Type, k) {
			return true
		}
	}
	return false
}

// hashable refuses types that have no hash: what is equal might hash differently.
func hashable(c *call) error {
	for _, a := range c.args {
		for _, k := range []expr.Kind{expr.KindVariant, expr.KindMap} {
			if hasKind(a.Type(), k) {
				name := map[expr.Kind]string{expr.KindMap: "MAP", expr.KindVariant: "VARIANT"}[k]
				return mismatch("HASH_"+name+"_TYPE", c.at, c.text(), "Input to the function `%s` cannot contain elements of the type %q.", c.f.Name, name)
			}
		}
	}
	return nil
}

// setOperationOn refuses types that cannot be told apart in DISTINCT, INTERSECT
// and EXCEPT.
func setOperationOn(at base.Pos, cols []*expr.Column) error {
	for _, c := range cols {
		for _, k := range []expr.Kind{expr.KindMap, expr.KindVariant} {
			if hasKind(c.Typ, k) {
				name := map[expr.Kind]string{expr.KindMap: "MAP", expr.KindVariant: "VARIANT"}[k]
				return base.UserError("UNSUPPORTED_FEATURE.SET_OPERATION_ON_"+name+"_TYPE", "0A000",
					"The feature is not supported: a DISTINCT or set operation over columns of type %s; the column %s has the type %q.",
					name, quoteName([]string{c.Name}), c.Typ.SQL()).At(at)
			}
		}
	}
	return nil
}
