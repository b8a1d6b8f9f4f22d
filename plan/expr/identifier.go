package expr

import "github.com/flightd/flightd/internal/base"

// Identifier is IDENTIFIER(e), a name that a constant text gives, where the parser
// does not know the text: it becomes a Name, or the call of a function.
type Identifier struct {
	// At is the place of all of it, with the arguments of a call.
	At  base.Pos
	Arg Expr
	// Call is nil, or the *Apply behind: IDENTIFIER(e)(x, y). Its own name says nothing.
	Call Expr
}

// Pos is where the expression was written.
func (e *Identifier) Pos() base.Pos { return e.At }

// Children are the text and the call.
func (e *Identifier) Children() []Expr {
	if e.Call == nil {
		return []Expr{e.Arg}
	}
	return []Expr{e.Arg, e.Call}
}

// With has another text and call.
func (e *Identifier) With(c []Expr) Expr {
	d := *e
	d.Arg = c[0]
	if e.Call != nil {
		d.Call = c[1]
	}
	return &d
}

// Type is nil.
func (e *Identifier) Type() *Type { return nil }

// Nullable is true.
func (e *Identifier) Nullable() bool { return true }

// SQL is the text as Spark shows it.
func (e *Identifier) SQL() string { return "IDENTIFIER(" + e.Arg.SQL() + ")" }
