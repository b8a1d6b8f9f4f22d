package expr

// Fold evaluates an expression without columns; ok is false where it cannot.
type Fold func(e Expr) (l *Literal, ok bool)

// Constant reports whether e has one value wherever and whenever it is asked for, or one
// error: it names no column, and calls nothing that depends on chance, the clock or a
// session's state, which is what functions without arguments do.
func Constant(e Expr) bool {
	switch e := e.(type) {
	case *Literal:
		return true
	case *Cast:
		return Constant(e.Child)
	case *Call:
		if f := e.Signature(); len(e.Args) == 0 || e.User != nil || f != nil && f.Nondeterministic {
			return false
		}
		for _, a := range e.Args {
			if !Constant(a) {
				return false
			}
		}
		return true
	}
	return false
}

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
