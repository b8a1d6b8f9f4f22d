package expr

import "slices"

// Walk calls f for e and, while f returns true, for everything below it, parents
// first.
func Walk(e Expr, f func(Expr) bool) {
	if e == nil || !f(e) {
		return
	}
	for _, c := range e.Children() {
		Walk(c, f)
	}
}

// Rewrite replaces e and everything below it by what f returns, children first.
// A node whose children stay the same is passed on as it is.
func Rewrite(e Expr, f func(Expr) (Expr, error)) (Expr, error) {
	children := e.Children()
	var changed []Expr
	for i, c := range children {
		d, err := Rewrite(c, f)
		if err != nil {
			return nil, err
		}
		if d != c && changed == nil {
			changed = append([]Expr(nil), children...)
		}
		if changed != nil {
			changed[i] = d
		}
	}
	if changed != nil {
		e = e.With(changed)
	}
	return f(e)
}

// Within reports whether all columns of e are among cols; so it is of a constant.
func Within(e Expr, cols []*Column) bool {
	all, _ := among(e, cols)
	return all
}

// Over reports whether e has columns, and all of them are among cols.
func Over(e Expr, cols []*Column) bool {
	all, some := among(e, cols)
	return all && some
}

func among(e Expr, cols []*Column) (all, some bool) {
	all = true
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Column); ok {
			some = true
			all = all && slices.ContainsFunc(cols, func(d *Column) bool { return d.ID == c.ID })
		}
		return all
	})
	return all, some
}
