package resolve

import "github.com/flightd/flightd/plan/expr"

// ask tells the parameters that e may be the value of which type is wanted. Only
// what has no type but NULL's can be one.
func (r *resolver) ask(e expr.Expr, t *expr.Type, use expr.Use) {
	for _, p := range r.origin(e) {
		p.Ask(t, use)
	}
}

// origin is the places of the parameters that may give e its value: those of the
// branches of a CASE or coalesce, too, and those of the rows below a column.
func (r *resolver) origin(e expr.Expr) []*expr.Place {
	switch e := e.(type) {
	case *expr.Literal:
		if e.Place != nil {
			return []*expr.Place{e.Place}
		}
	case *expr.Column:
		return r.places[e.ID]
	case *expr.Alias:
		return r.origin(e.Child)
	case *expr.Subquery:
		if out := e.Plan.(interface{ Output() []*expr.Column }).Output(); e.Kind == expr.ScalarSubquery && len(out) == 1 {
			return r.origin(out[0])
		}
	case *expr.Call:
		if e.Typ == nil || e.Typ.Kind != expr.KindNull {
			return nil
		}
		var out []*expr.Place
		for _, a := range e.Args {
			out = append(out, r.origin(a)...)
		}
		return out
	}
	return nil
}

// from notes that the column of an ID may have its value from e.
func (r *resolver) from(id expr.ID, e expr.Expr) {
	if c, ok := e.(*expr.Column); ok && c.ID == id {
		return
	}
	if places := r.origin(e); len(places) > 0 {
		r.places[id] = append(r.places[id], places...)
	}
}

// placed notes where the values of a column that is made come from.
func (r *resolver) placed(a *expr.Alias) *expr.Alias {
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
