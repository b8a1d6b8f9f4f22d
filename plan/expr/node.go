package expr

import "github.com/flightd/flightd/internal/base"

// Pos is where the expression was written.
func (e *Column) Pos() base.Pos { return e.At }

// Children is empty.
func (e *Column) Children() []Expr { return nil }

// With returns e.
func (e *Column) With([]Expr) Expr { return e }

// Type is the value's type.
func (e *Column) Type() *Type { return e.Typ }

// Nullable reports whether the value may be NULL.
func (e *Column) Nullable() bool { return e.Null }

// Pos is where the expression was written.
func (e *Literal) Pos() base.Pos { return e.At }

// Children is empty.
func (e *Literal) Children() []Expr { return nil }

// With returns e.
func (e *Literal) With([]Expr) Expr { return e }

// Pos is where the expression was written.
func (e *Alias) Pos() base.Pos { return e.At }

// Pos is where the expression was written.
func (e *Cast) Pos() base.Pos { return e.At }

// Pos is where the expression was written.
func (e *Call) Pos() base.Pos { return e.At }

// Type is the value's type.
func (e *Call) Type() *Type { return e.Typ }

// Nullable reports whether the value may be NULL.
func (e *Call) Nullable() bool { return e.Null }

// Pos is where the expression was written.
func (e *Lambda) Pos() base.Pos { return e.At }

// Pos is where the expression was written.
func (e *LambdaVar) Pos() base.Pos { return e.At }

// Children is empty.
func (e *LambdaVar) Children() []Expr { return nil }

// With returns e.
func (e *LambdaVar) With([]Expr) Expr { return e }

// Type is the value's type.
func (e *LambdaVar) Type() *Type { return e.Typ }

// Nullable reports whether the value may be NULL.
func (e *LambdaVar) Nullable() bool { return e.Null }

// Pos is where the expression was written.
func (e *Agg) Pos() base.Pos { return e.At }

// Type is the value's type.
func (e *Agg) Type() *Type { return e.Typ }

// Nullable reports whether the value may be NULL.
func (e *Agg) Nullable() bool { return e.Null }

// Pos is nowhere.
func (e *Ref) Pos() base.Pos { return base.Pos{} }

// Children is empty.
func (e *Ref) Children() []Expr { return nil }

// With returns e.
func (e *Ref) With([]Expr) Expr { return e }

// Type is the value's type.
func (e *Ref) Type() *Type { return e.Typ }

// Nullable reports whether the value may be NULL.
func (e *Ref) Nullable() bool { return e.Null }

// Type is the literal's type.
func (e *Literal) Type() *Type { return e.Typ }

// Nullable reports whether the literal is NULL.
func (e *Literal) Nullable() bool { return e.Value == nil }

// Children is the named expression.
func (e *Alias) Children() []Expr { return []Expr{e.Child} }

// With renames another expression, keeping the ID.
func (e *Alias) With(c []Expr) Expr { d := *e; d.Child = c[0]; return &d }

// Type is the child's.
func (e *Alias) Type() *Type { return e.Child.Type() }

// Nullable is the child's.
func (e *Alias) Nullable() bool { return e.Child.Nullable() }

// Children is the converted expression.
func (e *Cast) Children() []Expr { return []Expr{e.Child} }

// With converts another expression.
func (e *Cast) With(c []Expr) Expr { d := *e; d.Child = c[0]; return &d }

// Type is the target type.
func (e *Cast) Type() *Type { return e.To }

// Nullable reports whether the child may be NULL or the cast may give NULL.
func (e *Cast) Nullable() bool { return e.Mode != ANSI || e.Child.Nullable() }

// Children are the arguments.
func (e *Call) Children() []Expr { return e.Args }

// With calls the function with other arguments of the same types.
func (e *Call) With(c []Expr) Expr { d := *e; d.Args = c; return &d }

// Children is the body.
func (e *Lambda) Children() []Expr { return []Expr{e.Body} }

// With has the same parameters over another body.
func (e *Lambda) With(c []Expr) Expr { d := *e; d.Body = c[0]; return &d }

// Type is the body's.
func (e *Lambda) Type() *Type { return e.Body.Type() }

// Nullable is the body's.
func (e *Lambda) Nullable() bool { return e.Body.Nullable() }

// Signature is that of the function: the user's own or that of Functions; nil for
// the few that only the resolver makes.
func (e *Call) Signature() *Function { return signature(e.User, e.Fn) }

// Signature is that of the function: the user's own or that of Functions.
func (e *Agg) Signature() *Function { return signature(e.User, e.Fn) }

func signature(user *Function, name string) *Function {
	if user != nil {
		return user
	}
	return Functions.Lookup(name)
}

// Children are the arguments and then the filter, if there is one.
func (e *Agg) Children() []Expr {
	if e.Filter == nil {
		return e.Args
	}
	return append(append([]Expr(nil), e.Args...), e.Filter)
}

// With has other arguments and filter.
func (e *Agg) With(c []Expr) Expr {
	d := *e
	d.Args = c[:len(e.Args)]
	if e.Filter != nil {
		d.Filter = c[len(e.Args)]
	}
	return &d
}
