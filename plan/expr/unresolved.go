package expr

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
)

// The nodes of this file are what the parser and the DataFrame API make. None
// of them has a type, and none is left after resolution.

// Name is a reference to a column, a field of one, or a lambda variable, by
// name: a, t.a, t.a.b.
type Name struct {
	At    base.Pos
	Parts []string
	// PlanID, if not 0, says of which plan (logical.Tagged) the column is.
	PlanID int64
}

// Star is * or t.*, in a select list or count(*).
type Star struct {
	At        base.Pos
	Qualifier []string
	// Except lists what to leave out.
	Except [][]string
	// Replace is |> SET: the column of that name, which must be there, becomes an
	// expression.
	Replace *Alias
}

// Apply is a function or operator applied to arguments, by name. Operators go
// by their canonical names (see Functions); x[y] is "[]", x.y on anything but a
// name is "." with a STRING literal.
type Apply struct {
	At   base.Pos
	Name []string
	Args []Expr
	// ArgNames[i] is the name of a named argument, or ""; nil if none is named.
	ArgNames []string
	Distinct bool
	Filter   Expr
	// IgnoreNulls is set by IGNORE NULLS.
	IgnoreNulls bool
	// RespectNulls is set by RESPECT NULLS, which changes nothing but a name.
	RespectNulls bool
	// WithinGroup is the ORDER BY of WITHIN GROUP, or nil.
	WithinGroup []SortTerm
	// Over is the window of an OVER clause, or nil.
	Over *WindowSpec
	// Operator is set where the name is an operator's, not a call's.
	Operator bool
}

// SortTerm is one term of an ORDER BY.
type SortTerm struct {
	Expr       Expr
	Descending bool
	NullsFirst bool
}

// WindowSpec is the window of an OVER clause.
type WindowSpec struct {
	At base.Pos
	// Ref names a window of the WINDOW clause, or is "".
	Ref         string
	PartitionBy []Expr
	OrderBy     []SortTerm
	// Frame is nil for the default.
	Frame *Frame
}

// Frame is ROWS or RANGE BETWEEN Lower AND Upper.
type Frame struct {
	Rows         bool
	Lower, Upper Bound
}

// Bound is an end of a frame.
type Bound struct {
	// Kind is -2 UNBOUNDED PRECEDING, -1 PRECEDING, 0 CURRENT ROW, 1 FOLLOWING,
	// 2 UNBOUNDED FOLLOWING.
	Kind   int
	Offset Expr
	// Value, set by the resolver in a RANGE frame with an offset, is the value of the
	// order's only term at which the frame ends: the row's own, less or plus Offset.
	Value Expr
}

// SubqueryKind is the use of a query as an expression.
type SubqueryKind uint8

// The kinds of subquery expression.
const (
	ScalarSubquery SubqueryKind = iota
	ExistsSubquery
	InSubquery
)

// Subquery is a query used as an expression. Plan is a logical.Node, which this
// package cannot name.
type Subquery struct {
	At   base.Pos
	Kind SubqueryKind
	// Values are the left side of IN.
	Values []Expr
	Plan   any
	Typ    *Type
}

// Param is a parameter marker: ? with its index, or :name.
type Param struct {
	At    base.Pos
	Index int
	Label string
}

// Pos is where the name was written.
func (e *Name) Pos() base.Pos { return e.At }

// Children is empty.
func (e *Name) Children() []Expr { return nil }

// With returns e.
func (e *Name) With([]Expr) Expr { return e }

// Type is nil.
func (e *Name) Type() *Type { return nil }

// Nullable is true.
func (e *Name) Nullable() bool { return true }

// SQL is the dotted name.
func (e *Name) SQL() string {
	parts := make([]string, len(e.Parts))
	for i, p := range e.Parts {
		parts[i] = QuoteIfNeeded(p)
	}
	return strings.Join(parts, ".")
}

// Pos is where the star was written.
func (e *Star) Pos() base.Pos { return e.At }

// Children is empty.
func (e *Star) Children() []Expr { return nil }

// With returns e.
func (e *Star) With([]Expr) Expr { return e }

// Type is nil.
func (e *Star) Type() *Type { return nil }

// Nullable is true.
func (e *Star) Nullable() bool { return true }

// SQL is "*" behind its qualifier.
func (e *Star) SQL() string {
	return strings.Join(append(append([]string{}, e.Qualifier...), "*"), ".")
}

// Pos is where the call was written.
func (e *Apply) Pos() base.Pos { return e.At }

// Children are the arguments, the filter, and the expressions of WITHIN GROUP
// and OVER, in that order.
func (e *Apply) Children() []Expr {
	c := append([]Expr(nil), e.Args...)
	if e.Filter != nil {
		c = append(c, e.Filter)
	}
	for _, t := range e.WithinGroup {
		c = append(c, t.Expr)
	}
	if e.Over != nil {
		c = append(c, e.Over.PartitionBy...)
		for _, t := range e.Over.OrderBy {
			c = append(c, t.Expr)
		}
	}
	return c
}

// With puts the children back in the order of Children.
func (e *Apply) With(c []Expr) Expr {
	d := *e
	d.Args, c = c[:len(e.Args):len(e.Args)], c[len(e.Args):]
	if e.Filter != nil {
		d.Filter, c = c[0], c[1:]
	}
	d.WithinGroup, c = withTerms(e.WithinGroup, c)
	if e.Over != nil {
		o := *e.Over
		o.PartitionBy, c = c[:len(o.PartitionBy):len(o.PartitionBy)], c[len(o.PartitionBy):]
		o.OrderBy, _ = withTerms(o.OrderBy, c)
		d.Over = &o
	}
	return &d
}

func withTerms(terms []SortTerm, c []Expr) ([]SortTerm, []Expr) {
	if terms == nil {
		return nil, c
	}
	out := append([]SortTerm(nil), terms...)
	for i := range out {
		out[i].Expr = c[i]
	}
	return out, c[len(out):]
}

// Type is nil.
func (e *Apply) Type() *Type { return nil }

// Nullable is true.
func (e *Apply) Nullable() bool { return true }

// SQL is the call's text.
func (e *Apply) SQL() string {
	name := strings.Join(e.Name, ".")
	if e.Distinct {
		return name + "(DISTINCT " + texts(e.Args) + ")"
	}
	return callText(name, e.Args)
}

// Pos is where the subquery was written.
func (e *Subquery) Pos() base.Pos { return e.At }

// Children is the left side of IN.
func (e *Subquery) Children() []Expr { return e.Values }

// With has another left side.
func (e *Subquery) With(c []Expr) Expr { d := *e; d.Values = c; return &d }

// Type is nil until the resolver sets Typ.
func (e *Subquery) Type() *Type { return e.Typ }

// Nullable is true but for EXISTS.
func (e *Subquery) Nullable() bool { return e.Kind != ExistsSubquery }

// SQL is Spark's text of a subquery.
func (e *Subquery) SQL() string {
	switch e.Kind {
	case ExistsSubquery:
		return "exists()"
	case InSubquery:
		return "(" + texts(e.Values) + " IN (listquery()))"
	}
	return "scalarsubquery()"
}

// Pos is where the marker was written.
func (e *Param) Pos() base.Pos { return e.At }

// Children is empty.
func (e *Param) Children() []Expr { return nil }

// With returns e.
func (e *Param) With([]Expr) Expr { return e }

// Type is nil.
func (e *Param) Type() *Type { return nil }

// Nullable is true.
func (e *Param) Nullable() bool { return true }

// SQL is the marker.
func (e *Param) SQL() string {
	if e.Label != "" {
		return ":" + e.Label
	}
	return "?"
}
