package expr

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
)

// MultiAlias names the columns of a generator in a select list:
// stack(2, a, b) AS (x, y). Unresolved.
type MultiAlias struct {
	At    base.Pos
	Child Expr
	Names []string
}

// Pos is where it was written.
func (e *MultiAlias) Pos() base.Pos { return e.At }

// Children is the generator.
func (e *MultiAlias) Children() []Expr { return []Expr{e.Child} }

// With names the columns of another generator.
func (e *MultiAlias) With(c []Expr) Expr { d := *e; d.Child = c[0]; return &d }

// Type is nil.
func (e *MultiAlias) Type() *Type { return nil }

// Nullable is true.
func (e *MultiAlias) Nullable() bool { return true }

// SQL is the generator's text with its names.
func (e *MultiAlias) SQL() string {
	names := make([]string, len(e.Names))
	for i, n := range e.Names {
		names[i] = QuoteIfNeeded(n)
	}
	return e.Child.SQL() + " AS (" + strings.Join(names, ", ") + ")"
}
