package resolve

import "github.com/flightd/flightd/plan/expr"

// comparableMembers returns the type in which two structs, arrays or maps are
// compared, or nil. Members meet only in a type that holds both without loss: unlike
// single values, and unlike the members of IN and coalesce, texts in them are not
// read as numbers or times, and decimals do not meet half-way. Names of members
// count only where something is cast.
func (x *exprs) comparableMembers(t, u *expr.Type) *expr.Type {
	t, u = shareCollations(t, u)
	if v := namedLike(u, t); t.Equal(v) {
		return x.r.co.Tightest(t, v)
	}
	return x.r.co.Tightest(t, u)
}

// namedLike returns t with the names of the members of as, where the two have the
// same shape.
func namedLike(t, as *expr.Type) *expr.Type {
	if t.Kind != as.Kind {
		return t
	}
	switch t.Kind {
	case expr.KindArray:
		return expr.ArrayOf(namedLike(t.Elem, as.Elem), t.ElemNullable)
	case expr.KindMap:
		return expr.MapOf(namedLike(t.Key, as.Key), namedLike(t.Elem, as.Elem), t.ElemNullable)
	case expr.KindStruct:
		if len(t.Fields) != len(as.Fields) {
			return t
		}
		fields := make([]expr.Field, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = expr.Field{Name: as.Fields[i].Name, Type: namedLike(f.Type, as.Fields[i].Type), Nullable: f.Nullable}
		}
		return expr.StructOf(fields...)
	}
	return t
}

// shareCollations gives texts in t and u that stand at the same place the collation
// that one of them has.
func shareCollations(t, u *expr.Type) (*expr.Type, *expr.Type) {
	if t.Kind != u.Kind {
		return t, u
	}
	switch t.Kind {
	case expr.KindString:
		if c := stringCollation(t, u); c != nil {
			return c, c
		}
	case expr.KindArray:
		a, b := shareCollations(t.Elem, u.Elem)
		return expr.ArrayOf(a, t.ElemNullable), expr.ArrayOf(b, u.ElemNullable)
	case expr.KindMap:
		k, l := shareCollations(t.Key, u.Key)
		a, b := shareCollations(t.Elem, u.Elem)
		return expr.MapOf(k, a, t.ElemNullable), expr.MapOf(l, b, u.ElemNullable)
	case expr.KindStruct:
		if len(t.Fields) != len(u.Fields) {
			break
		}
		a, b := append([]expr.Field(nil), t.Fields...), append([]expr.Field(nil), u.Fields...)
		for i := range a {
			a[i].Type, b[i].Type = shareCollations(a[i].Type, b[i].Type)
		}
		return expr.StructOf(a...), expr.StructOf(b...)
	}
	return t, u
}
