package logical

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// Pos is where it was written.
func (n *Table) Pos() base.Pos { return n.At }

// Inputs is empty.
func (n *Table) Inputs() []Node { return nil }

// With returns n.
func (n *Table) With([]Node) Node { return n }

// Output is the columns, once resolved.
func (n *Table) Output() []*expr.Column { return nil }

// Pos is where it was written.
func (n *Function) Pos() base.Pos { return n.At }

// Inputs is empty.
func (n *Function) Inputs() []Node { return nil }

// With returns n.
func (n *Function) With([]Node) Node { return n }

// Output is the columns, once resolved.
func (n *Function) Output() []*expr.Column { return nil }

// Pos is where it was written.
func (n *Source) Pos() base.Pos { return n.At }

// Inputs is empty.
func (n *Source) Inputs() []Node { return nil }

// With returns n.
func (n *Source) With([]Node) Node { return n }

// Output is the columns, once resolved.
func (n *Source) Output() []*expr.Column { return nil }

// Pos is where it was written.
func (n *Relation) Pos() base.Pos { return n.At }

// Inputs is empty.
func (n *Relation) Inputs() []Node { return nil }

// With returns n.
func (n *Relation) With([]Node) Node { return n }

// Output is the columns, once resolved.
func (n *Relation) Output() []*expr.Column { return n.Columns }

// Pos is where it was written.
func (n *Values) Pos() base.Pos { return n.At }

// Inputs is empty.
func (n *Values) Inputs() []Node { return nil }

// With returns n.
func (n *Values) With([]Node) Node { return n }

// Output is the columns, once resolved.
func (n *Values) Output() []*expr.Column { return n.Columns }

// Pos is where it was written.
func (n *Range) Pos() base.Pos { return n.At }

// Inputs is empty.
func (n *Range) Inputs() []Node { return nil }

// With returns n.
func (n *Range) With([]Node) Node { return n }

// Output is the columns, once resolved.
func (n *Range) Output() []*expr.Column { return []*expr.Column{n.Column} }

// Pos is where it was written.
func (n *Having) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Having) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Having) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Having) Output() []*expr.Column { return n.Input.Output() }

// Pos is where it was written.
func (n *Pivot) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Pivot) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Pivot) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is nil: it is never resolved.
func (n *Pivot) Output() []*expr.Column { return nil }

// Pos is where it was written.
func (n *Unpivot) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Unpivot) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Unpivot) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is nil: it is never resolved.
func (n *Unpivot) Output() []*expr.Column { return nil }

// Pos is where it was written.
func (n *Alias) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Alias) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Alias) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Alias) Output() []*expr.Column { return n.Out }

// Pos is where it was written.
func (n *Project) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Project) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Project) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Project) Output() []*expr.Column { return outputs(n.List) }

// Pos is where it was written.
func (n *Filter) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Filter) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Filter) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Filter) Output() []*expr.Column { return n.Input.Output() }

// Pos is where it was written.
func (n *Aggregate) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Aggregate) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Aggregate) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Aggregate) Output() []*expr.Column { return outputs(n.List) }

// Pos is where it was written.
func (n *Expand) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Expand) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Expand) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Expand) Output() []*expr.Column { return n.Columns }

// Pos is where it was written.
func (n *Window) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Window) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Window) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Window) Output() []*expr.Column { return add(n.Input.Output(), n.Column) }

// Pos is where it was written.
func (n *Session) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Session) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Session) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Session) Output() []*expr.Column { return add(n.Input.Output(), n.Column) }

// Pos is where it was written.
func (n *Generate) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Generate) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Generate) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Generate) Output() []*expr.Column { return add(n.Input.Output(), n.Columns...) }

// Pos is where it was written.
func (n *Distinct) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Distinct) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Distinct) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Distinct) Output() []*expr.Column { return n.Input.Output() }

// Pos is where it was written.
func (n *Sort) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Sort) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Sort) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Sort) Output() []*expr.Column { return n.Input.Output() }

// Pos is where it was written.
func (n *Limit) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Limit) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Limit) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Limit) Output() []*expr.Column { return n.Input.Output() }

// Pos is where it was written.
func (n *Watermark) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Watermark) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Watermark) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Watermark) Output() []*expr.Column { return n.Out }

// Pos is where it was written.
func (n *Deduplicate) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Deduplicate) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Deduplicate) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Deduplicate) Output() []*expr.Column { return n.Input.Output() }

// Pos is where it was written.
func (n *Sample) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Sample) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Sample) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Sample) Output() []*expr.Column { return n.Input.Output() }

// Pos is where it was written.
func (n *Repartition) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Repartition) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Repartition) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the columns, once resolved.
func (n *Repartition) Output() []*expr.Column { return n.Input.Output() }

// Pos is where it was written.
func (n *Store) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Store) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Store) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is nil: the node is gone after resolution.
func (n *Store) Output() []*expr.Column { return nil }

// Pos is that of the plan below.
func (n *Tagged) Pos() base.Pos { return n.Input.Pos() }

// Inputs is the one input.
func (n *Tagged) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Tagged) With(in []Node) Node { return &Tagged{n.PlanID, in[0]} }

// Output is that of the plan below.
func (n *Tagged) Output() []*expr.Column { return n.Input.Output() }

// Pos is where it was written.
func (n *With) Pos() base.Pos { return n.At }

// Inputs are the queries and then the body.
func (n *With) Inputs() []Node { return append(append([]Node(nil), n.Queries...), n.Body) }

// With has other queries and body.
func (n *With) With(in []Node) Node {
	d := *n
	d.Queries, d.Body = in[:len(in)-1], in[len(in)-1]
	return &d
}

// Output is nil: the node is gone after resolution.
func (n *With) Output() []*expr.Column { return nil }

// Pos is where it was written.
func (n *Over) Pos() base.Pos { return n.At }

// Inputs is the one input.
func (n *Over) Inputs() []Node { return []Node{n.Input} }

// With has another input.
func (n *Over) With(in []Node) Node { d := *n; d.Input = in[0]; return &d }

// Output is the input's columns and then those of the functions.
func (n *Over) Output() []*expr.Column {
	out := add(n.Input.Output())
	for _, f := range n.Functions {
		out = append(out, f.Column)
	}
	return out
}

// Pos is where it was written.
func (n *Join) Pos() base.Pos { return n.At }

// Inputs are left and right.
func (n *Join) Inputs() []Node { return []Node{n.Left, n.Right} }

// With has other sides.
func (n *Join) With(in []Node) Node { d := *n; d.Left, d.Right = in[0], in[1]; return &d }

// Output is the columns of the sides that the kind of join keeps; the columns
// of a side that may be missing are nullable.
func (n *Join) Output() []*expr.Column {
	left, right := n.Left.Output(), n.Right.Output()
	switch n.Kind {
	case physical.LeftSemi, physical.LeftAnti, physical.NullAwareAnti:
		return left
	case physical.Existence:
		return add(left, n.Exists)
	case physical.LeftOuter:
		right = nullable(right)
	case physical.RightOuter:
		left = nullable(left)
	case physical.FullOuter:
		left, right = nullable(left), nullable(right)
	}
	return add(left, right...)
}

// Pos is where it was written.
func (n *AsOfJoin) Pos() base.Pos { return n.At }

// Inputs are left and right.
func (n *AsOfJoin) Inputs() []Node { return []Node{n.Left, n.Right} }

// With has other sides.
func (n *AsOfJoin) With(in []Node) Node { d := *n; d.Left, d.Right = in[0], in[1]; return &d }

// Output is the columns of both sides. Those of the right are nullable if left rows
// without a match come out, and none is an event time: a match may be as old as it
// likes.
func (n *AsOfJoin) Output() []*expr.Column {
	out := n.Left.Output()
	out = out[:len(out):len(out)]
	for _, c := range n.Right.Output() {
		d := *c
		d.Null, d.Meta.EventTime = d.Null || n.Outer, false
		out = append(out, &d)
	}
	return out
}

// Pos is where it was written.
func (n *Union) Pos() base.Pos { return n.At }

// Inputs are the children.
func (n *Union) Inputs() []Node { return n.Children }

// With has other children.
func (n *Union) With(in []Node) Node { d := *n; d.Children = in; return &d }

// Output is the columns, once resolved.
func (n *Union) Output() []*expr.Column { return n.Out }

// Pos is where it was written.
func (n *SetOp) Pos() base.Pos { return n.At }

// Inputs are left and right.
func (n *SetOp) Inputs() []Node { return []Node{n.Left, n.Right} }

// With has other sides.
func (n *SetOp) With(in []Node) Node { d := *n; d.Left, d.Right = in[0], in[1]; return &d }

// Output is the left side's.
func (n *SetOp) Output() []*expr.Column { return n.Left.Output() }

func add(cols []*expr.Column, more ...*expr.Column) []*expr.Column {
	return append(cols[:len(cols):len(cols)], more...)
}

func nullable(cols []*expr.Column) []*expr.Column {
	out := make([]*expr.Column, len(cols))
	for i, c := range cols {
		d := *c
		d.Null = true
		out[i] = &d
	}
	return out
}

// outputs returns the columns that a resolved select list puts out; nil if it is
// not resolved.
func outputs(list []expr.Expr) []*expr.Column {
	out := make([]*expr.Column, len(list))
	for i, e := range list {
		switch e := e.(type) {
		case *expr.Column:
			out[i] = e
		case *expr.Alias:
			if e.Type() == nil {
				return nil
			}
			out[i] = &expr.Column{ID: e.ID, Name: e.Name, Typ: e.Type(), Null: e.Nullable(), Meta: MetaOf(e)}
		default:
			return nil
		}
	}
	return out
}

// MetaOf returns what an expression of a select list passes on of its column:
// that of a bare or renamed column, nothing of anything computed.
func MetaOf(e expr.Expr) expr.Meta {
	switch e := e.(type) {
	case *expr.Column:
		return e.Meta
	case *expr.Alias:
		if e.Meta != nil {
			return *e.Meta
		}
		return MetaOf(e.Child)
	}
	return expr.Meta{}
}
