package resolve

import "github.com/flightd/flightd/plan/expr"

// maxAsked bounds through how many columns a question goes: more than anybody writes.
const maxAsked = 32

// ask tells the parameters that e may be the value of which type is wanted: a
// parameter itself, the branches of a CASE or coalesce of nothing else, the members of
// what makes a struct, array or map, and the rows below a column.
func (r *resolver) ask(e expr.Expr, t *expr.Type, use expr.Use) {
	if r.parameters {
		r.asks(e, t, use, 0)
	}
}

func (r *resolver) asks(e expr.Expr, t *expr.Type, use expr.Use, depth int) {
	if t == nil || depth > maxAsked {
		return
	}
	switch e := e.(type) {
	case *expr.Literal:
		if e.Place != nil {
			e.Place.Ask(t, use)
		}
	case *expr.Column:
		for _, d := range r.made[e.ID] {
			r.asks(d, t, use, depth+1)
		}
	case *expr.Alias:
		r.asks(e.Child, t, use, depth)
	case *expr.Subquery:
		if out := e.Plan.(interface{ Output() []*expr.Column }).Output(); e.Kind == expr.ScalarSubquery && len(out) == 1 {
			r.asks(out[0], t, use, depth+1)
		}
	case *expr.Call:
		for i, a := range e.Args {
			r.asks(a, memberOf(e, t, i), use, depth)
		}
	}
}

// memberOf is the type that argument i of a call has if the call has type t; nil if
// that says nothing.
func memberOf(c *expr.Call, t *expr.Type, i int) *expr.Type {
	switch {
	case c.Typ != nil && c.Typ.Kind == expr.KindNull:
		return t
	case c.Fn == "named_struct" && t.Kind == expr.KindStruct && i%2 == 1 && i/2 < len(t.Fields):
		return t.Fields[i/2].Type
	case c.Fn == "array" && t.Kind == expr.KindArray, c.Fn == "map" && t.Kind == expr.KindMap && i%2 == 1:
		return t.Elem
	case c.Fn == "map" && t.Kind == expr.KindMap:
		return t.Key
	}
	return nil
}

// filled gives the parameters among the members of a struct the types that t, a struct
// beside it, has there: unlike a NULL by itself, a struct of NULLs meets no other.
func (x *exprs) filled(e expr.Expr, t *expr.Type) expr.Expr {
	c, ok := e.(*expr.Call)
	if !ok || c.Fn != "named_struct" || t.Kind != expr.KindStruct || 2*len(t.Fields) != len(c.Args) {
		return e
	}
	d, some := *c, false
	d.Args = append([]expr.Expr(nil), c.Args...)
	fields := append([]expr.Field(nil), c.Typ.Fields...)
	for i, f := range t.Fields {
		lit, ok := c.Args[2*i+1].(*expr.Literal)
		if ok && lit.Place != nil && lit.Typ.Kind == expr.KindNull && f.Type.Kind != expr.KindNull {
			d.Args[2*i+1] = x.cast(lit, f.Type)
			fields[i].Type, some = f.Type, true
		}
	}
	if !some {
		return e
	}
	d.Typ = expr.StructOf(fields...)
	return &d
}

// from notes that the column of an ID may have its value from e.
func (r *resolver) from(id expr.ID, e expr.Expr) {
	if !r.parameters {
		return
	}
	if c, ok := e.(*expr.Column); ok && (c.ID == id || len(r.made[c.ID]) == 0) || !ok && !placed(e) {
		return
	}
	r.made[id] = append(r.made[id], e)
}

// origins notes where the values of a column that is made come from.
func (r *resolver) origins(a *expr.Alias) *expr.Alias {
	r.from(a.ID, a.Child)
	return a
}

// elements gives parameters that stand for an element the type of those of the array
// beside them, and the other way round.
func (x *exprs) elements(c *call, args []expr.Expr, shared []int) {
	isArray := func(i int) bool { return c.f.Params[i].Wants[0].Family == expr.SharedArray }
	var elem *expr.Type
	for _, i := range shared {
		t := args[i].Type()
		if isArray(i) && t.Kind == expr.KindArray {
			t = t.Elem
		}
		if elem == nil && t.Kind != expr.KindNull {
			elem = t
		}
	}
	for _, i := range shared {
		lit, ok := args[i].(*expr.Literal)
		if !ok || lit.Place == nil || elem == nil || lit.Typ.Kind != expr.KindNull {
			continue
		}
		t := elem
		if isArray(i) {
			t = expr.ArrayOf(elem, true)
		}
		args[i] = x.cast(lit, t)
	}
}

// truth makes a parameter that nothing has typed a BOOLEAN.
func (x *exprs) truth(e expr.Expr) expr.Expr {
	if lit, ok := e.(*expr.Literal); ok && lit.Place != nil && lit.Typ.Kind == expr.KindNull {
		return x.cast(e, expr.Bool)
	}
	return e
}

// placed reports whether a parameter stands in e.
func placed(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		lit, ok := e.(*expr.Literal)
		found = found || ok && lit.Place != nil
		return !found
	})
	return found
}
