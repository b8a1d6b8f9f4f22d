package planner

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// keepLate puts a Late node below the operator of s, whose input is in and which
// judges rows by the event time that is time over in. The node goes as far down
// as the event time can be followed, below the assignment of windows: there a row
// is still one row, and has all its columns.
func (p *planner) keepLate(in physical.Node, s *physical.State, time expr.Expr) physical.Node {
	root := in
	late := &physical.Late{State: s, Time: time}
	at := &root
	for late.Assign == nil && late.End == nil {
		ref, ok := time.(*expr.Ref)
		if !ok {
			break
		}
		next := p.followTime(*at, ref.Index, late)
		if next == nil {
			break
		}
		late.Time, at = next.time, next.input
		time = next.time
	}
	late.Input, late.Row = *at, asJSON((*at).Schema())
	*at = late
	return root
}

// below is an event time over the input of a node, and where the node keeps it.
type below struct {
	time  expr.Expr
	input *physical.Node
}

// followTime returns what column i of n's output is over n's input, if n puts out
// a row for each row that it gets; nil: it cannot be followed.
func (p *planner) followTime(n physical.Node, i int, late *physical.Late) *below {
	switch n := n.(type) {
	case *physical.Project:
		if _, ok := n.Exprs[i].(*expr.Ref); ok {
			return &below{n.Exprs[i], &n.Input}
		}
	case *physical.Expand:
		for _, l := range n.Lists {
			if _, ok := l[i].(*expr.Ref); ok {
				return &below{l[i], &n.Input}
			}
		}
	case *physical.Window:
		if i == len(n.Out)-1 {
			late.Assign = n
			return &below{n.Time, &n.Input}
		}
		return &below{ref(n.Input.Schema(), i), &n.Input}
	case *physical.Session:
		if i == len(n.Out)-1 {
			late.End = n.End()
			return &below{n.Time, &n.Input}
		}
		return &below{ref(n.Input.Schema(), i), &n.Input}
	}
	return nil
}

// ref refers to column i of an input.
func ref(s expr.Schema, i int) *expr.Ref {
	return &expr.Ref{Index: i, Name: s[i].Name, Typ: s[i].Type, Null: s[i].Nullable}
}

// asJSON is the expression of a row as JSON text: NULL columns are left out, as
// to_json does.
func asJSON(s expr.Schema) expr.Expr {
	fields := make([]expr.Expr, 0, 2*len(s))
	members := make([]expr.Field, len(s))
	for i, f := range s {
		fields = append(fields, &expr.Literal{Value: f.Name, Typ: expr.String}, ref(s, i))
		members[i] = expr.Field{Name: f.Name, Type: f.Type, Nullable: f.Nullable}
	}
	row := &expr.Call{Fn: "named_struct", Args: fields, Typ: expr.StructOf(members...)}
	// to_json's own formats end at the millisecond.
	whole := []expr.MapEntry{{Key: "timestampFormat", Value: "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}, {Key: "timestampNTZFormat", Value: "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"}}
	options := &expr.Literal{Value: whole, Typ: expr.MapOf(expr.String, expr.String, false)}
	return &expr.Call{Fn: "to_json", Args: []expr.Expr{row, options}, Typ: expr.String, Null: true}
}
