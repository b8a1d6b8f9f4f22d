package logical

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/flightd/flightd/plan/expr"
)

// Format returns a resolved plan as a tree, root first, one node a line. Columns
// read name#n, where n counts the plan's columns in the order of their
// appearance, so that equal plans have equal text. Implicit casts show.
func Format(n Node) string {
	f := &formatter{ids: map[expr.ID]int{}}
	f.node(n, "", "")
	return f.b.String()
}

// FormatExpr returns an expression as Format shows it.
func FormatExpr(e expr.Expr) string {
	f := &formatter{ids: map[expr.ID]int{}}
	return f.expr(e)
}

type formatter struct {
	b   strings.Builder
	ids map[expr.ID]int
}

func (f *formatter) id(id expr.ID) string {
	n, ok := f.ids[id]
	if !ok {
		n = len(f.ids) + 1
		f.ids[id] = n
	}
	return "#" + strconv.Itoa(n)
}

func (f *formatter) node(n Node, first, rest string) {
	var subqueries []Node
	for _, e := range Exprs(n) {
		expr.Walk(e, func(e expr.Expr) bool {
			if q, ok := e.(*expr.Subquery); ok {
				if p, ok := q.Plan.(Node); ok {
					subqueries = append(subqueries, p)
				}
			}
			return true
		})
	}
	f.b.WriteString(first + f.label(n) + "\n")
	for _, p := range subqueries {
		f.node(p, rest+"?- ", rest+"   ")
	}
	inputs := n.Inputs()
	for i, in := range inputs {
		if i < len(inputs)-1 {
			f.node(in, rest+":- ", rest+":  ")
		} else {
			f.node(in, rest+"+- ", rest+"   ")
		}
	}
}

func (f *formatter) label(n Node) string {
	switch n := n.(type) {
	case *Relation:
		text := "Relation " + n.Table.Name + f.columns(n.Columns)
		if n.Stream {
			return "Stream" + text
		}
		return text
	case *Values:
		rows := make([]string, len(n.Rows))
		for i, r := range n.Rows {
			rows[i] = "(" + f.list(r) + ")"
		}
		return "Values" + f.columns(n.Columns) + " " + strings.Join(rows, ", ")
	case *Range:
		return fmt.Sprintf("Range%s %d to %d step %d", f.columns([]*expr.Column{n.Column}), n.Start, n.End, n.Step)
	case *Project:
		return "Project [" + f.list(n.List) + "]"
	case *Filter:
		return "Filter " + f.expr(n.Cond)
	case *Aggregate:
		return "Aggregate [" + f.list(n.Group) + "] [" + f.list(n.List) + "]"
	case *Pivot:
		return fmt.Sprintf("Pivot [%s] for [%s] in %s %v", f.list(n.Aggs), f.list(n.For), f.lists(n.Values), n.Names)
	case *Unpivot:
		return fmt.Sprintf("Unpivot %v for %s in %s %v nulls=%v", n.Values, n.Name, f.lists(n.Items), n.Names, n.Nulls)
	case *Expand:
		return "Expand" + f.columns(n.Columns) + " " + f.lists(n.Lists)
	case *Window:
		return fmt.Sprintf("Window %s%s over %s duration=%d slide=%d start=%d", n.Column.Name, f.id(n.Column.ID), f.expr(n.Time), n.Duration, n.Slide, n.Start)
	case *Session:
		return fmt.Sprintf("SessionWindow %s%s over %s gap=%s", n.Column.Name, f.id(n.Column.ID), f.expr(n.Time), f.expr(n.Gap))
	case *Over:
		return f.over(n)
	case *Generate:
		outer := ""
		if n.Outer {
			outer = "outer "
		}
		return "Generate " + outer + f.expr(n.Gen) + f.columns(n.Columns)
	case *Watermark:
		return fmt.Sprintf("Watermark %s delay=%dms", f.expr(n.Column), n.DelayMs)
	}
	return f.other(n)
}

func (f *formatter) other(n Node) string {
	switch n := n.(type) {
	case *Join:
		text := "Join " + n.Kind.String()
		if n.Exists != nil {
			text += " " + f.expr(n.Exists)
		}
		if n.Cond != nil {
			text += " on " + f.expr(n.Cond)
		}
		return text
	case *AsOfJoin:
		text := "AsOfJoin inner"
		if n.Outer {
			text = "AsOfJoin left outer"
		}
		text += " match " + f.expr(n.Match[0]) + " " + n.Op + " " + f.expr(n.Match[1])
		if n.Cond != nil {
			text += " on " + f.expr(n.Cond)
		}
		return text
	case *Union:
		return "Union" + f.columns(n.Out)
	case *Recursion:
		return "Recursion" + f.columns(n.Out)
	case *Working:
		return "Working" + f.columns(n.Columns)
	case *SetOp:
		text := "Intersect"
		if n.Except {
			text = "Except"
		}
		if n.All {
			text += " all"
		}
		return text
	case *Distinct:
		return "Distinct"
	case *Sort:
		if n.Global {
			return "Sort [" + f.terms(n.Keys) + "]"
		}
		return "SortWithin [" + f.terms(n.Keys) + "]"
	case *Limit:
		text := "Limit"
		if n.Count != nil {
			text += " " + f.expr(n.Count)
		}
		if n.Offset != nil {
			text += " offset " + f.expr(n.Offset)
		}
		return text
	case *Deduplicate:
		text := "Deduplicate"
		if n.Within {
			text += " within watermark"
		}
		return text + f.columns(n.Keys)
	case *Sample:
		return fmt.Sprintf("Sample %g", n.Fraction)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", n), "*logical.")
}

func (f *formatter) over(n *Over) string {
	parts := make([]string, len(n.Functions))
	for i, fn := range n.Functions {
		parts[i] = f.expr(fn.Call)
		if fn.IgnoreNulls {
			parts[i] += " ignore nulls"
		}
		if fr := fn.Frame; fr != nil {
			unit := "range"
			if fr.Rows {
				unit = "rows"
			}
			parts[i] += " " + unit + " " + f.bound(fr.Lower) + " to " + f.bound(fr.Upper)
		}
		parts[i] += " AS " + fn.Column.Name + f.id(fn.Column.ID)
	}
	return "Over [" + strings.Join(parts, ", ") + "] partition [" + f.list(n.PartitionBy) + "] order [" + f.terms(n.OrderBy) + "]"
}

func (f *formatter) bound(b expr.Bound) string {
	switch b.Kind {
	case -2:
		return "first"
	case 2:
		return "last"
	case -1:
		return "-" + f.expr(b.Offset)
	case 1:
		return "+" + f.expr(b.Offset)
	}
	return "current"
}

func (f *formatter) terms(keys []expr.SortTerm) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = f.expr(k.Expr)
		if k.Descending {
			parts[i] += " desc"
		}
		if k.NullsFirst == k.Descending {
			parts[i] += map[bool]string{true: " nulls first", false: " nulls last"}[k.NullsFirst]
		}
	}
	return strings.Join(parts, ", ")
}

func (f *formatter) columns(cols []*expr.Column) string {
	parts := make([]string, len(cols))
	for i, c := range cols {
		parts[i] = f.expr(c)
	}
	return " [" + strings.Join(parts, ", ") + "]"
}

func (f *formatter) list(list []expr.Expr) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = f.expr(e)
	}
	return strings.Join(parts, ", ")
}

func (f *formatter) expr(e expr.Expr) string {
	switch e := e.(type) {
	case *expr.Column:
		mark := ""
		if e.Meta.EventTime {
			mark = "'"
		}
		return e.Name + f.id(e.ID) + mark
	case *expr.Alias:
		return f.expr(e.Child) + " AS " + e.Name + f.id(e.ID)
	case *expr.Cast:
		fn := "cast"
		if e.Mode == expr.Try {
			fn = "try_cast"
		}
		return fn + "(" + f.expr(e.Child) + " as " + strings.ToLower(e.To.SQL()) + ")"
	case *expr.Literal:
		if s, ok := e.Value.(string); ok {
			return "'" + s + "'"
		}
		return e.SQL()
	case *expr.LambdaVar:
		return e.Name
	case *expr.Lambda:
		names := make([]string, len(e.Params))
		for i, p := range e.Params {
			names[i] = p.Name
		}
		return "(" + strings.Join(names, ", ") + ") -> " + f.expr(e.Body)
	case *expr.Call:
		return f.call(e)
	case *expr.Agg:
		args := f.list(e.Args)
		if e.Distinct {
			args = "distinct " + args
		}
		text := e.Fn + "(" + args + ")"
		if e.IgnoreNulls {
			text += " ignore nulls"
		}
		if e.Filter != nil {
			text += " filter " + f.expr(e.Filter)
		}
		return text
	case *expr.Subquery:
		return "scalar-subquery"
	}
	return e.SQL()
}

func (f *formatter) call(e *expr.Call) string {
	prefix := ""
	if e.Mode == expr.Try {
		prefix = "try "
	}
	letter := e.Fn[0] >= 'a' && e.Fn[0] <= 'z'
	switch {
	case len(e.Args) == 2 && (!letter || e.Fn == "and" || e.Fn == "or" || e.Fn == "div"):
		return prefix + "(" + f.expr(e.Args[0]) + " " + e.Fn + " " + f.expr(e.Args[1]) + ")"
	case e.Fn == "getfield":
		if i, ok := e.Args[1].(*expr.Literal); ok {
			if at, ok := i.Value.(int64); ok && int(at) < len(e.Args[0].Type().Fields) {
				return f.expr(e.Args[0]) + "." + e.Args[0].Type().Fields[at].Name
			}
		}
	}
	return prefix + e.Fn + "(" + f.list(e.Args) + ")"
}

// Exprs returns the expressions that stand in a resolved node itself, not in the
// nodes below.
func Exprs(n Node) []expr.Expr {
	var out []expr.Expr
	terms := func(keys []expr.SortTerm) {
		for _, k := range keys {
			out = append(out, k.Expr)
		}
	}
	switch n := n.(type) {
	case *Values:
		for _, r := range n.Rows {
			out = append(out, r...)
		}
	case *Project:
		out = append(out, n.List...)
	case *Filter:
		out = append(out, n.Cond)
	case *Aggregate:
		out = append(append(out, n.Group...), n.List...)
	case *Expand:
		for _, l := range n.Lists {
			out = append(out, l...)
		}
	case *Window:
		out = append(out, n.Time)
	case *Session:
		out = append(out, n.Time, n.Gap)
	case *Over:
		out = append(out, n.PartitionBy...)
		terms(n.OrderBy)
		for _, fn := range n.Functions {
			out = append(out, fn.Call)
		}
	case *Generate:
		out = append(out, n.Gen)
	case *Join:
		if n.Cond != nil {
			out = append(out, n.Cond)
		}
	case *AsOfJoin:
		out = append(out, n.Match[0], n.Match[1])
		if n.Cond != nil {
			out = append(out, n.Cond)
		}
	case *Sort:
		terms(n.Keys)
	}
	return out
}

func (f *formatter) lists(lists [][]expr.Expr) string {
	out := make([]string, len(lists))
	for i, l := range lists {
		out[i] = "[" + f.list(l) + "]"
	}
	return strings.Join(out, " ")
}
