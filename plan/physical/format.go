package physical

import (
	"fmt"
	"strings"

	"github.com/flightd/flightd/plan/expr"
)

// Format writes a tree as text, one node a line, children indented. inputs names
// the inputs that scans refer to.
func Format(n Node, inputs []string) string {
	var b strings.Builder
	format(&b, n, inputs, "", "")
	return b.String()
}

func format(b *strings.Builder, n Node, inputs []string, first, rest string) {
	b.WriteString(first + describe(n, inputs) + "\n")
	in := n.Inputs()
	if r, ok := n.(*Recursion); ok {
		in = []Node{r.Anchor, r.Step}
	}
	for i, c := range in {
		if i == len(in)-1 {
			format(b, c, inputs, rest+"+- ", rest+"   ")
		} else {
			format(b, c, inputs, rest+":- ", rest+":  ")
		}
	}
}

func list(es []expr.Expr) string {
	parts := make([]string, len(es))
	for i, e := range es {
		parts[i] = e.SQL()
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func sortKeys(list []SortKey) string {
	keys := make([]string, len(list))
	for i, k := range list {
		keys[i] = k.Expr.SQL()
		if k.Descending {
			keys[i] += " DESC"
		}
	}
	return "[" + strings.Join(keys, ", ") + "]"
}

func names(s expr.Schema) string {
	parts := make([]string, len(s))
	for i, f := range s {
		parts[i] = f.Name
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// pushed shows the conditions that the source is told.
func pushed(where []Pushed) string {
	if len(where) == 0 {
		return ""
	}
	parts := make([]string, len(where))
	for i, w := range where {
		parts[i] = w.Cond.SQL()
	}
	return " pushed: [" + strings.Join(parts, ", ") + "]"
}

func describe(n Node, inputs []string) string {
	switch n := n.(type) {
	case *Scan:
		name := fmt.Sprintf("input %d", n.Input)
		if n.Input < len(inputs) {
			name = inputs[n.Input]
		}
		return "Scan " + name + " " + names(n.Out) + pushed(n.Where)
	case *Values:
		return fmt.Sprintf("Values %d rows %s", len(n.Rows), names(n.Out))
	case *Range:
		return fmt.Sprintf("Range (%d, %d, step %d)", n.Start, n.End, n.Step)
	case *Filter:
		return "Filter " + n.Cond.SQL()
	case *Project:
		return "Project " + list(n.Exprs)
	case *Expand:
		return fmt.Sprintf("Expand %d lists %s", len(n.Lists), names(n.Out))
	case *Generate:
		return fmt.Sprintf("Generate %s outer=%v %s", n.Gen.SQL(), n.Outer, names(n.Out))
	case *Watermark:
		return fmt.Sprintf("Watermark %s delay %d ms", n.Schema()[n.Column].Name, n.Delay)
	case *Window:
		return fmt.Sprintf("Window %s every %d µs, %d µs long, from %d µs", n.Time.SQL(), n.Slide, n.Duration, n.Start)
	case *Session:
		return fmt.Sprintf("Session from %s, gap %s", n.Time.SQL(), n.Gap.SQL())
	case *Late:
		return fmt.Sprintf("KeepLateRows [%d] by %s", n.State.Operator, n.Time.SQL())
	case *Aggregate:
		aggs := make([]expr.Expr, len(n.Aggs))
		for i, a := range n.Aggs {
			aggs[i] = a
		}
		name := "HashAggregate"
		if n.Session != nil {
			name = "SessionAggregate"
		}
		return fmt.Sprintf("%s keys=%s aggregates=%s", stateful(name, n.State), list(n.Keys), list(aggs))
	case *Join:
		cond := ""
		if n.Cond != nil {
			cond = " and " + n.Cond.SQL()
		}
		side := "left"
		if n.BuildRight {
			side = "right"
		}
		return fmt.Sprintf("HashJoin %s on %s = %s%s, build %s", n.Kind, list(n.LeftKeys), list(n.RightKeys), cond, side)
	case *StreamJoin:
		return n.describe()
	case *Reuse:
		return n.describe()
	case *AsOfJoin:
		return n.describe()
	case *Union:
		return "Union"
	case *Recursion:
		return n.describe()
	case *Working:
		return "Working " + names(n.Out)
	case *Sort:
		return "Sort " + sortKeys(n.Keys)
	case *Over:
		return fmt.Sprintf("Window by %s order %s compute %s", list(n.Partition), sortKeys(n.Order), list(n.calls()))
	case *Limit:
		return fmt.Sprintf("%s %d offset %d", stateful("Limit", n.State), n.Count, n.Offset)
	case *Dedup:
		return fmt.Sprintf("%s keys=%v", stateful("Deduplicate", n.State), n.Keys)
	}
	return fmt.Sprintf("%T", n)
}

func stateful(name string, s *State) string {
	if s == nil {
		return name
	}
	return fmt.Sprintf("Stateful%s[%d, %s]", name, s.Operator, s.Mode)
}
