package compute_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// naiveGroup is a group of the naive loop: part is the sum of the current split.
type naiveGroup struct {
	start        int64
	id           any
	n, v         int64
	x, part      float64
	has          int64
	high, lowest any
	split        int
}

// naiveWindows groups rows by window and id one row and one window at a time, the
// latest window of a row first, and returns the rows of the plan below.
func naiveWindows(in *input, duration, slide, origin int64) []string {
	at, groups, order := 0, map[string]*naiveGroup{}, []*naiveGroup(nil)
	for split, cuts := range in.cuts {
		rows := 0
		for _, c := range cuts {
			rows += c
		}
		for r := at; r < at+rows; r++ {
			value := func(c int) any { return cexpr.Value(in.cols[c], r) }
			ts, ok := value(cTime).(int64)
			if !ok {
				continue
			}
			start := origin
			for ; start > ts; start -= slide {
			}
			for ; start+slide <= ts; start += slide {
			}
			for ; start+duration > ts; start -= slide {
				name := fmt.Sprint(start, value(cID))
				g := groups[name]
				if g == nil {
					g = &naiveGroup{start: start, id: value(cID), split: split}
					groups[name], order = g, append(order, g)
				}
				g.add(split, value)
			}
		}
		at += rows
	}
	var out []string
	for _, g := range order {
		g.x += g.part
		sum, mean := any(nil), any(nil)
		if g.has > 0 {
			sum, mean = g.x, g.x/float64(g.has)
		}
		out = append(out, fmt.Sprintf("[%d %d] | %v | %d | %d | %v | %v | %v | %v", g.start, g.start+duration, g.id, g.n, g.v, sum, mean, g.high, g.lowest))
	}
	return out
}

func (g *naiveGroup) add(split int, value func(c int) any) {
	if g.split != split {
		g.x, g.part, g.split = g.x+g.part, 0, split
	}
	g.n++
	v := value(cV).(int64)
	g.v += v
	if g.high == nil || v > g.high.(int64) {
		g.high = v
	}
	if x, ok := value(cX).(float64); ok {
		g.part += x
		g.has++
	}
	if s, ok := value(cText).(string); ok && (g.lowest == nil || s < g.lowest.(string)) {
		g.lowest = s
	}
}

// TestWindowsEqualTheNaiveLoop: with doubles, windows take in row by row; without
// them, where they may, pane by pane.
func TestWindowsEqualTheNaiveLoop(t *testing.T) {
	for seed := range seeds() {
		rnd := rand.New(rand.NewPCG(uint64(seed), 3))
		in := drawEvents(t, rnd, rnd.IntN(300))
		lengths := [][2]int64{{5, 5}, {10, 5}, {6, 2}, {5, 3}, {2, 5}, {12, 1}}[seed%6]
		duration, slide, origin := lengths[0]*second, lengths[1]*second, rnd.Int64N(3)*second/2
		out := append(append(expr.Schema(nil), eventful...), expr.Field{Name: "window", Type: expr.TimeWindow(expr.Timestamp), Nullable: true})
		w := &physical.Window{Input: scanOf(0, eventful), Time: column(cTime), Duration: duration, Slide: slide, Start: origin, Out: out}
		aggs := []*expr.Agg{agg("count", expr.Int64), agg("sum", expr.Int64, column(cV)), agg("sum", expr.Float64, column(cX)),
			agg("avg", expr.Float64, column(cX)), agg("max", expr.Int64, column(cV)), agg("min", expr.String, column(cText))}
		want := naiveWindows(in, duration, slide, origin)
		keys := []expr.Expr{ref(out, len(eventful)), column(cID)}
		rowwise, panewise := aggregateOf(w, keys, aggs, nil), aggregateOf(w, keys, slices.Delete(slices.Clone(aggs), 2, 4), nil)
		cut := func(rows []string) []string {
			var out []string
			for _, r := range rows {
				c := strings.Split(r, " | ")
				out = append(out, strings.Join(slices.Delete(c, 4, 6), " | "))
			}
			return out
		}
		for _, way := range []way{plain, {4, plenty, plenty}, {1, 8, 7}, {2, 1, plenty}} {
			for _, c := range []struct {
				plan physical.Node
				want []string
			}{{rowwise, want}, {panewise, cut(want)}} {
				got := way.play(t, c.plan, []*input{in}).rows
				if way.many != plenty {
					got, c.want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(c.want))
				}
				if !slices.Equal(got, c.want) {
					t.Fatalf("seed %d, %+v: %s\n%s", seed, way, differ(c.want, got), physical.Format(c.plan, nil))
				}
			}
		}
	}
}
