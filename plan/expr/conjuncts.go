package expr

// Fold evaluates an expression without columns; ok is false where it cannot.
type Fold func(e Expr) (l *Literal, ok bool)

// Conjuncts splits a condition at its ANDs; nil has none.
func Conjuncts(e Expr) []Expr {
	if e == nil {
		return nil
	}
	if c, ok := e.(*Call); ok && c.Fn == "and" {
		return append(Conjuncts(c.Args[0]), Conjuncts(c.Args[1])...)
	}
	return []Expr{e}
}

// And joins resolved conditions; of none it is nil.
func And(list []Expr) Expr {
	var out Expr
	for _, e := range list {
		if out == nil {
			out = e
			continue
		}
		out = &Call{At: e.Pos(), Fn: "and", Args: []Expr{out, e}, Typ: Bool, Null: out.Nullable() || e.Nullable()}
	}
	return out
}

// OrUnknown is the condition that e is true or NULL.
func OrUnknown(e Expr) Expr {
	unknown := &Call{At: e.Pos(), Fn: "isnull", Args: []Expr{e}, Typ: Bool}
	return &Call{At: e.Pos(), Fn: "or", Args: []Expr{e, unknown}, Typ: Bool, Null: true}
}
