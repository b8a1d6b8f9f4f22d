package planner

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// countedSetOp rewrites INTERSECT ALL and EXCEPT ALL: rows are counted on both
// sides by their values, and come out the smaller count, or the difference, of times.
func countedSetOp(n *logical.SetOp) logical.Node {
	column := func(name string, t *expr.Type, null bool) *expr.Column {
		return &expr.Column{At: n.At, ID: expr.NewID(), Name: name, Typ: t, Null: null}
	}
	number := func(v int64) *expr.Literal { return &expr.Literal{At: n.At, Value: v, Typ: expr.Int64} }
	side := func(in logical.Node, left, right int64) logical.Node {
		var list []expr.Expr
		for _, c := range in.Output() {
			list = append(list, c)
		}
		list = append(list, &expr.Alias{At: n.At, Child: number(left), Name: "left", ID: expr.NewID()},
			&expr.Alias{At: n.At, Child: number(right), Name: "right", ID: expr.NewID()})
		return &logical.Project{At: n.At, List: list, Input: in}
	}
	both := &logical.Union{At: n.At, Children: []logical.Node{side(n.Left, 1, 0), side(n.Right, 0, 1)}}
	right := n.Right.Output()
	for i, c := range n.Left.Output() {
		both.Out = append(both.Out, column(c.Name, c.Typ, c.Null || right[i].Null))
	}
	counts := []*expr.Column{column("left", expr.Int64, false), column("right", expr.Int64, false)}
	keys := len(both.Out)
	both.Out = append(both.Out, counts...)

	agg := &logical.Aggregate{At: n.At, Input: both}
	for _, c := range both.Out[:keys] {
		agg.Group, agg.List = append(agg.Group, c), append(agg.List, c)
	}
	var sums []expr.Expr
	for _, c := range counts {
		sum := column("sum", expr.Int64, true)
		agg.List = append(agg.List, &expr.Alias{At: n.At, Child: &expr.Agg{At: n.At, Fn: "sum", Args: []expr.Expr{c}, Typ: expr.Int64, Null: true}, Name: sum.Name, ID: sum.ID})
		sums = append(sums, sum)
	}
	times := &expr.Call{At: n.At, Fn: "least", Args: sums, Typ: expr.Int64, Null: true}
	if n.Except {
		times.Fn = "-"
	}
	row := expr.ArrayOf(expr.Int64, false)
	repeat := &expr.Call{At: n.At, Fn: "array_repeat", Args: []expr.Expr{number(0), &expr.Cast{At: n.At, Child: times, To: expr.Int32}}, Typ: row, Null: true}
	again := column("again", expr.Int64, false)
	gen := &logical.Generate{At: n.At, Gen: &expr.Call{At: n.At, Fn: "explode", Args: []expr.Expr{repeat},
		Typ: expr.StructOf(expr.Field{Name: again.Name, Type: again.Typ})}, Columns: []*expr.Column{again}, Input: agg}
	out := &logical.Project{At: n.At, Input: gen}
	for i, c := range n.Output() {
		out.List = append(out.List, &expr.Alias{At: n.At, Child: both.Out[i], Name: c.Name, ID: c.ID})
	}
	return out
}
