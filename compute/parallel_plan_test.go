package compute_test

import (
	"math/rand/v2"

	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

func scanOf(i int, s expr.Schema) *physical.Scan {
	n := &physical.Scan{Input: i, Out: s}
	for c := range s {
		n.Columns = append(n.Columns, c)
	}
	return n
}

// column is a reference to a column of the events.
func column(i int) *expr.Ref { return ref(eventful, i) }

// replaced projects onto the columns of the events, with some of them made anew.
func replaced(in physical.Node, by map[int]expr.Expr) physical.Node {
	p := &physical.Project{Input: in, Out: eventful}
	for i := range eventful {
		e := by[i]
		if e == nil {
			e = column(i)
		}
		p.Exprs = append(p.Exprs, e)
	}
	return p
}

// A step puts a node above one that has the columns of the events, and has them
// too. Input 1 has labels.
type step struct {
	name string
	over func(in physical.Node, rnd *rand.Rand) physical.Node
}

var steps = []step{
	{"filter", func(in physical.Node, rnd *rand.Rand) physical.Node {
		return &physical.Filter{Input: in, Cond: call(">", expr.Bool, column(cSmall), lit(rnd.IntN(8), expr.Int32))}
	}},
	{"filter by text", func(in physical.Node, _ *rand.Rand) physical.Node {
		return &physical.Filter{Input: in, Cond: call("not", expr.Bool, call("=", expr.Bool, column(cName), lit("a", expr.String)))}
	}},
	{"project", func(in physical.Node, _ *rand.Rand) physical.Node {
		return replaced(in, map[int]expr.Expr{cV: call("+", expr.Int64, column(cV), lit(7, expr.Int64)), cX: call("*", expr.Float64, column(cX), lit(1.1, expr.Float64))})
	}},
	{"expand", func(in physical.Node, _ *rand.Rand) physical.Node {
		x := &physical.Expand{Input: in, Out: eventful, Lists: make([][]expr.Expr, 2)}
		for i, f := range eventful {
			x.Lists[0] = append(x.Lists[0], column(i))
			if e := expr.Expr(column(i)); i != cID && i != cName {
				x.Lists[1] = append(x.Lists[1], e)
			} else {
				x.Lists[1] = append(x.Lists[1], lit(nil, f.Type))
			}
		}
		return x
	}},
	{"generate", func(in physical.Node, rnd *rand.Rand) physical.Node {
		g := &physical.Generate{Input: in, Outer: rnd.IntN(2) == 0, Out: append(append(expr.Schema(nil), eventful...), expr.Field{Name: "col", Type: expr.Int64, Nullable: true})}
		g.Gen = call("explode", expr.StructOf(expr.Field{Name: "col", Type: expr.Int64, Nullable: true}), column(cList))
		for i := range eventful {
			g.Keep = append(g.Keep, i)
		}
		return replaced(g, map[int]expr.Expr{cV: ref(g.Out, len(eventful))})
	}},
	{"watermark", func(in physical.Node, _ *rand.Rand) physical.Node {
		return &physical.Watermark{Input: in, Column: cTime, Delay: 1000}
	}},
	{"inner join", func(in physical.Node, rnd *rand.Rand) physical.Node { return labelled(in, physical.Inner, rnd) }},
	{"left join", func(in physical.Node, rnd *rand.Rand) physical.Node { return labelled(in, physical.LeftOuter, rnd) }},
	{"semi join", func(in physical.Node, rnd *rand.Rand) physical.Node { return labelled(in, physical.LeftSemi, rnd) }},
	{"anti join", func(in physical.Node, rnd *rand.Rand) physical.Node { return labelled(in, physical.LeftAnti, rnd) }},
	{"existence join", func(in physical.Node, rnd *rand.Rand) physical.Node { return labelled(in, physical.Existence, rnd) }},
}

// labelled joins with the labels; inner joins also with the labels on the left.
func labelled(in physical.Node, kind physical.JoinKind, rnd *rand.Rand) physical.Node {
	j := &physical.Join{Left: in, Right: scanOf(1, dims), Kind: kind, BuildRight: true,
		LeftKeys: []expr.Expr{column(cID)}, RightKeys: []expr.Expr{ref(dims, 0)}, NullSafe: []bool{rnd.IntN(3) == 0}}
	switch rnd.IntN(4) {
	case 0: // texts
		j.LeftKeys, j.RightKeys = []expr.Expr{column(cName)}, []expr.Expr{ref(dims, 1)}
	case 1: // an integer and a text
		j.LeftKeys, j.RightKeys = append(j.LeftKeys, column(cName)), append(j.RightKeys, ref(dims, 1))
		j.NullSafe = append(j.NullSafe, rnd.IntN(2) == 0)
	}
	both := append(append(expr.Schema(nil), eventful...), dims...)
	switch {
	case kind == physical.LeftSemi || kind == physical.LeftAnti:
		j.Out = eventful
		return j
	case kind == physical.Existence:
		j.Out = append(append(expr.Schema(nil), eventful...), expr.Field{Name: "exists", Type: expr.Bool})
		return replaced(j, map[int]expr.Expr{cFlag: ref(j.Out, len(eventful))})
	case kind == physical.Inner && rnd.IntN(3) == 0:
		j.Left, j.Right, j.BuildRight, j.LeftKeys, j.RightKeys = j.Right, j.Left, false, j.RightKeys, j.LeftKeys
		j.Out = append(append(expr.Schema(nil), dims...), eventful...)
		p := &physical.Project{Input: j, Out: eventful}
		for i := range eventful {
			at := len(dims) + i
			if i == cName {
				at = 1
			}
			p.Exprs = append(p.Exprs, ref(j.Out, at))
		}
		return p
	case rnd.IntN(3) == 0:
		j.Cond = call("<", expr.Bool, ref(both, cSmall), lit(5, expr.Int32))
	}
	j.Out = both
	return replaced(j, map[int]expr.Expr{cName: ref(both, len(eventful)+1)})
}

func filtered(a *expr.Agg) *expr.Agg {
	a.Filter = column(cFlag)
	return a
}

func distinctly(a *expr.Agg) *expr.Agg {
	a.Distinct = true
	return a
}

// direct are aggregates that may take in rows split after split, others the rest.
var (
	direct = []func() *expr.Agg{
		func() *expr.Agg { return agg("count", expr.Int64) },
		func() *expr.Agg { return agg("count", expr.Int64, column(cName), column(cX)) },
		func() *expr.Agg { return agg("count_if", expr.Int64, column(cFlag)) },
		func() *expr.Agg { return agg("sum", expr.Int64, column(cV)) },
		func() *expr.Agg { return agg("min", expr.Int64, column(cV)) },
		func() *expr.Agg { return agg("max", expr.Int64, column(cV)) },
		func() *expr.Agg { return agg("sum", expr.Int64, column(cSmall)) },
		func() *expr.Agg { return agg("min", expr.Int32, column(cSmall)) },
		func() *expr.Agg { return agg("max", expr.Int32, column(cSmall)) },
		func() *expr.Agg { return agg("sum", expr.Float64, column(cX)) },
		func() *expr.Agg { return filtered(agg("sum", expr.Float64, column(cX))) },
		func() *expr.Agg { return agg("avg", expr.Float64, column(cX)) },
		func() *expr.Agg { return agg("avg", expr.Float64, column(cV)) },
		func() *expr.Agg { return filtered(agg("avg", expr.Float64, column(cSmall))) },
		func() *expr.Agg { return agg("sum", expr.Float64, column(cF)) },
		func() *expr.Agg { return agg("sum", expr.Decimal(20, 2), column(cDec)) },
		func() *expr.Agg { return agg("avg", expr.Decimal(14, 6), column(cDec)) },
		func() *expr.Agg { return agg("sum", expr.DayTime, column(cSpan)) },
		func() *expr.Agg { return agg("avg", expr.DayTime, column(cSpan)) },
		func() *expr.Agg { return agg("min", expr.Float64, column(cX)) },
		func() *expr.Agg { return agg("max", expr.Float32, column(cF)) },
		func() *expr.Agg { return agg("min", expr.String, column(cText)) },
		func() *expr.Agg { return filtered(agg("max", expr.String, column(cName))) },
		func() *expr.Agg { return agg("max", dec102, column(cDec)) },
		func() *expr.Agg { return agg("min", intList, column(cList)) },
		func() *expr.Agg { return agg("max", expr.Bool, column(cFlag)) },
		func() *expr.Agg { return agg("min_by", expr.String, column(cText), column(cSmall)) },
		func() *expr.Agg { return agg("max_by", expr.Int64, column(cV), column(cX)) },
	}
	others = []func() *expr.Agg{
		func() *expr.Agg { return agg("first", expr.String, column(cText)) },
		func() *expr.Agg { return agg("last", expr.Float64, column(cX)) },
		func() *expr.Agg { return agg("collect_list", intList, column(cV)) },
		func() *expr.Agg { return agg("stddev", expr.Float64, column(cX)) },
		func() *expr.Agg { return agg("bit_xor", expr.Int64, column(cV)) },
		func() *expr.Agg { return agg("bool_and", expr.Bool, column(cFlag)) },
		func() *expr.Agg { return distinctly(agg("count", expr.Int64, column(cSmall))) },
		func() *expr.Agg { return filtered(distinctly(agg("sum", expr.Float64, column(cX)))) },
		func() *expr.Agg { return agg("mode", expr.Int32, column(cSmall)) },
	}
)

// aggregates draws some aggregates; most often only direct ones, which is what
// many groups are for.
func aggregates(rnd *rand.Rand) []*expr.Agg {
	list := direct
	if rnd.IntN(4) == 0 {
		list = append(append(list[:len(list):len(list)], others...), others...)
	}
	var out []*expr.Agg
	for range 1 + rnd.IntN(6) {
		out = append(out, list[rnd.IntN(len(list))]())
	}
	return out
}

// groupKeys draws the keys of a GROUP BY.
func groupKeys(rnd *rand.Rand) []expr.Expr {
	keys := [][]int{nil, {cID}, {cSmall}, {cID, cSmall}, {cSmall, cID, cSmall}, {cName}, {cText}, {cID, cText}, {cList}, {cX}, {cDec, cFlag}, {cTime}}
	var out []expr.Expr
	for _, k := range keys[rnd.IntN(len(keys))] {
		out = append(out, column(k))
	}
	return out
}

// A drawn plan is a chain of steps, most often below an aggregate.
func drawPlan(rnd *rand.Rand) physical.Node {
	n := drawSteps(rnd)
	switch rnd.IntN(6) {
	case 0:
		return n
	case 1, 2:
		return aggregateOf(n, groupKeys(rnd), aggregates(rnd), nil)
	}
	return drawWindows(n, rnd, nil)
}

func drawSteps(rnd *rand.Rand) physical.Node {
	if rnd.IntN(10) == 0 {
		return &physical.Union{Children: []physical.Node{drawSteps(rnd), drawSteps(rnd)}, Out: eventful}
	}
	var n physical.Node = scanOf(0, eventful)
	for range rnd.IntN(4) {
		n = steps[rnd.IntN(len(steps))].over(n, rnd)
	}
	return n
}

// drawWindows groups by windows, tumbling or sliding, in whole panes or not.
func drawWindows(n physical.Node, rnd *rand.Rand, s *physical.State) physical.Node {
	lengths := [][2]int64{{5, 5}, {10, 5}, {6, 2}, {5, 3}, {2, 5}, {12, 1}}[rnd.IntN(6)]
	out := append(append(expr.Schema(nil), eventful...), expr.Field{Name: "window", Type: expr.TimeWindow(expr.Timestamp), Nullable: true})
	w := &physical.Window{Input: n, Time: column(cTime), Duration: lengths[0] * second, Slide: lengths[1] * second, Start: rnd.Int64N(3) * second / 2, Out: out}
	keys := groupKeys(rnd)
	at := rnd.IntN(len(keys) + 1)
	keys = append(keys[:at:at], append([]expr.Expr{ref(out, len(eventful))}, keys[at:]...)...)
	if s != nil {
		s.EventKey = at
	}
	return aggregateOf(w, keys, aggregates(rnd), s)
}

// drawDedup puts a deduplication above in, by some columns, with the event time among
// them, beside them, or not looked at.
func drawDedup(in physical.Node, rnd *rand.Rand, s *physical.State) physical.Node {
	keys := [][]int{{cID}, {cName}, {cSmall, cName}, {cTime}, {cID, cTime}, {cList, cX}}[rnd.IntN(6)]
	d := &physical.Dedup{Input: in, Keys: keys, EventColumn: -1, State: s}
	if rnd.IntN(4) > 0 {
		d.EventColumn = cTime
		d.Within = rnd.IntN(2) == 0
		d.Delay = rnd.Int64N(100_000)
	}
	return d
}
