package compute_test

import (
	"testing"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/computetest"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

type (
	rows = computetest.Rows
	row  = computetest.Row
)

var (
	ref  = computetest.Ref
	call = computetest.Call
	lit  = computetest.Lit
	two  = computetest.Schema("a", expr.Int64, "s", expr.String)
)

var sample = rows{{1, "x"}, {nil, "y"}, {3, nil}, {4, "a longer text than fifteen bytes"}, {5, "z"}, {-6, ""}, {7, "q"}, {8, "w"}}

func once(in computetest.Rows, want computetest.Rows) []computetest.Epoch {
	return []computetest.Epoch{{In: []computetest.Rows{in}, Want: want}}
}

func TestFilterAndProject(t *testing.T) {
	computetest.Run(t, computetest.Case{
		Inputs: []expr.Schema{two},
		Plan: func(in []physical.Node) physical.Node {
			f := &physical.Filter{Input: in[0], Cond: call(">", expr.Bool, ref(two, 0), lit(2, expr.Int64))}
			return &physical.Project{Input: f, Out: computetest.Schema("s", expr.String, "b", expr.Int64),
				Exprs: []expr.Expr{ref(two, 1), call("+", expr.Int64, ref(two, 0), lit(10, expr.Int64))}}
		},
		Epochs: once(sample, rows{{nil, 13}, {"a longer text than fifteen bytes", 14}, {"z", 15}, {"q", 17}, {"w", 18}}),
	})
}

func TestFilterErrorNamesNoDeadRow(t *testing.T) {
	// The division by zero is in a row that the filter removed.
	computetest.Run(t, computetest.Case{
		Inputs: []expr.Schema{two},
		Plan: func(in []physical.Node) physical.Node {
			f := &physical.Filter{Input: in[0], Cond: call("not", expr.Bool, call("=", expr.Bool, ref(two, 0), lit(0, expr.Int64)))}
			return &physical.Project{Input: f, Out: computetest.Schema("b", expr.Int64),
				Exprs: []expr.Expr{call("div", expr.Int64, lit(12, expr.Int64), ref(two, 0))}}
		},
		Epochs: once(rows{{3, ""}, {0, ""}, {-4, ""}}, rows{{4}, {-3}}),
	})
}

func TestValuesAndRange(t *testing.T) {
	computetest.Run(t, computetest.Case{
		Plan: func([]physical.Node) physical.Node {
			out := computetest.Schema("id", expr.Int64)
			return &physical.Union{Out: out, Children: []physical.Node{
				&physical.Values{Out: out, Rows: [][]expr.Expr{{lit(1, expr.Int64)}, {lit(nil, expr.Int64)}}},
				&physical.Range{Start: 5, End: -2, Step: -3, Out: out},
				&physical.Range{Start: 9223372036854775800, End: 9223372036854775807, Step: 5, Out: out},
				&physical.Range{Start: 3, End: 3, Step: 1, Out: out},
			}}
		},
		Epochs: []computetest.Epoch{{Want: rows{{1}, {nil}, {5}, {2}, {-1}, {9223372036854775800}, {9223372036854775805}}}},
	})
}

func TestSortIsStableAndKnowsNulls(t *testing.T) {
	plan := func(desc, nullsFirst bool) func(in []physical.Node) physical.Node {
		return func(in []physical.Node) physical.Node {
			return &physical.Sort{Input: in[0], Keys: []physical.SortKey{{Expr: ref(two, 0), Descending: desc, NullsFirst: nullsFirst}}}
		}
	}
	in := rows{{2, "a"}, {nil, "b"}, {1, "c"}, {2, "d"}, {nil, "e"}, {1, "f"}}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{two}, Plan: plan(false, true),
		Epochs: once(in, rows{{nil, "b"}, {nil, "e"}, {1, "c"}, {1, "f"}, {2, "a"}, {2, "d"}})})
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{two}, Plan: plan(true, false),
		Epochs: once(in, rows{{2, "a"}, {2, "d"}, {1, "c"}, {1, "f"}, {nil, "b"}, {nil, "e"}})})
}

func TestLimitAndOffset(t *testing.T) {
	for _, c := range []struct {
		count, offset int64
		want          rows
	}{
		{2, 0, sample[:2]}, {0, 0, nil}, {3, 2, sample[2:5]}, {-1, 6, sample[6:]}, {100, 7, sample[7:]},
	} {
		computetest.Run(t, computetest.Case{Inputs: []expr.Schema{two},
			Plan: func(in []physical.Node) physical.Node {
				return &physical.Limit{Input: in[0], Count: c.count, Offset: c.offset}
			},
			Epochs: once(sample, c.want)})
	}
}

func TestExpandKeepsRowsTogether(t *testing.T) {
	out := computetest.Schema("a", expr.Int64, "g", expr.Int64)
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{two},
		Plan: func(in []physical.Node) physical.Node {
			return &physical.Expand{Input: in[0], Out: out, Lists: [][]expr.Expr{
				{ref(two, 0), lit(0, expr.Int64)},
				{lit(nil, expr.Int64), lit(1, expr.Int64)},
			}}
		},
		Epochs: once(rows{{1, ""}, {2, ""}}, rows{{1, 0}, {nil, 1}, {2, 0}, {nil, 1}})})
}

var (
	times    = computetest.Schema("ts", expr.Timestamp, "v", expr.Int64)
	windowed = append(append(expr.Schema(nil), times...), expr.Field{Name: "window", Type: expr.TimeWindow(expr.Timestamp), Nullable: true})
)

func windowsOf(in physical.Node, duration, slide, start int64) *physical.Window {
	return &physical.Window{Input: in, Time: ref(times, 0), Duration: duration, Slide: slide, Start: start, Out: windowed}
}

func w(start, end int) []any { return []any{int64(start), int64(end)} }

func TestTumblingWindows(t *testing.T) {
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{times},
		Plan: func(in []physical.Node) physical.Node { return windowsOf(in[0], 10, 10, 0) },
		Epochs: once(rows{{0, 1}, {9, 2}, {nil, 3}, {-1, 4}, {-10, 5}, {-11, 6}, {25, 7}},
			rows{{0, 1, w(0, 10)}, {9, 2, w(0, 10)}, {-1, 4, w(-10, 0)}, {-10, 5, w(-10, 0)}, {-11, 6, w(-20, -10)}, {25, 7, w(20, 30)}})})
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{times},
		Plan:   func(in []physical.Node) physical.Node { return windowsOf(in[0], 10, 10, 3) },
		Epochs: once(rows{{0, 1}, {3, 2}, {-8, 3}}, rows{{0, 1, w(-7, 3)}, {3, 2, w(3, 13)}, {-8, 3, w(-17, -7)}})})
}

func TestSlidingWindows(t *testing.T) {
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{times},
		Plan: func(in []physical.Node) physical.Node { return windowsOf(in[0], 10, 5, 0) },
		Epochs: once(rows{{0, 1}, {nil, 2}, {7, 3}},
			rows{{0, 1, w(0, 10)}, {0, 1, w(-5, 5)}, {7, 3, w(5, 15)}, {7, 3, w(0, 10)}})})
	// The slide does not divide the window: some times are in three, some in two.
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{times},
		Plan: func(in []physical.Node) physical.Node { return windowsOf(in[0], 10, 4, 0) },
		Epochs: once(rows{{1, 1}, {3, 2}},
			rows{{1, 1, w(0, 10)}, {1, 1, w(-4, 6)}, {1, 1, w(-8, 2)}, {3, 2, w(0, 10)}, {3, 2, w(-4, 6)}})})
}

func TestWatermarkStatistics(t *testing.T) {
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{times},
		Plan: func(in []physical.Node) physical.Node {
			return &physical.Watermark{Input: in[0], Column: 0, Delay: 10_000}
		},
		Epochs: []computetest.Epoch{
			{In: []rows{{{10_000_999, 1}, {nil, 2}, {-1, 3}}}, Want: rows{{10_000_999, 1}, {nil, 2}, {-1, 3}},
				Times: []compute.EventTime{{Count: 3, Min: -1, Max: 10_000, Avg: 3333}}},
			{In: []rows{nil}, Times: []compute.EventTime{{}}},
		}})
}

func TestUnionNumbersSplitsOn(t *testing.T) {
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{two, two}, Splits: 2,
		Plan:   func(in []physical.Node) physical.Node { return &physical.Union{Children: in, Out: two} },
		Epochs: []computetest.Epoch{{In: []rows{sample[:3], sample[3:5]}, Want: sample[:5]}}})
}

func TestScalarSubquery(t *testing.T) {
	one := computetest.Schema("id", expr.Int64)
	plan := func(rng *physical.Range) func(in []physical.Node) physical.Node {
		return func(in []physical.Node) physical.Node {
			sub := &physical.ScalarSubquery{Ref: expr.Ref{Typ: expr.Int64, Null: true}, Plan: rng}
			return &physical.Filter{Input: in[0], Cond: call(">", expr.Bool, ref(two, 0), sub)}
		}
	}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{two}, Plan: plan(&physical.Range{Start: 4, End: 5, Step: 1, Out: one}),
		Epochs: once(sample, rows{{5, "z"}, {7, "q"}, {8, "w"}})})
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{two}, Plan: plan(&physical.Range{Start: 4, End: 4, Step: 1, Out: one}),
		Epochs: once(sample, nil)})
	e := computetest.Epoch{In: []rows{sample}, Error: "SCALAR_SUBQUERY_TOO_MANY_ROWS"}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{two}, Plan: plan(&physical.Range{Start: 4, End: 6, Step: 1, Out: one}),
		Epochs: []computetest.Epoch{e}})
}

func TestGenerate(t *testing.T) {
	lists := computetest.Schema("id", expr.Int64, "xs", expr.ArrayOf(expr.Int64, true))
	in := rows{{1, []any{10, nil}}, {2, []any{}}, {3, nil}, {4, []any{7}}}
	plan := func(fn string, outer bool) func(in []physical.Node) physical.Node {
		return func(in []physical.Node) physical.Node {
			made := expr.StructOf(expr.Field{Name: "pos", Type: expr.Int32, Nullable: true}, expr.Field{Name: "col", Type: expr.Int64, Nullable: true})
			return &physical.Generate{Input: in[0], Gen: call(fn, made, ref(lists, 1)), Outer: outer, Keep: []int{0},
				Out: computetest.Schema("id", expr.Int64, "pos", expr.Int32, "col", expr.Int64)}
		}
	}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{lists}, Plan: plan("posexplode", false),
		Epochs: once(in, rows{{1, 0, 10}, {1, 1, nil}, {4, 0, 7}})})
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{lists}, Plan: plan("posexplode_outer", true),
		Epochs: once(in, rows{{1, 0, 10}, {1, 1, nil}, {2, nil, nil}, {3, nil, nil}, {4, 0, 7}})})
}
