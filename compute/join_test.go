package compute_test

import (
	"fmt"
	"testing"

	"github.com/flightd/flightd/compute/computetest"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

var (
	leftSide  = computetest.Schema("k", expr.Int64, "l", expr.String)
	rightSide = computetest.Schema("k", expr.Int64, "r", expr.String)
	bothSides = append(append(expr.Schema(nil), leftSide...), rightSide...)
)

var (
	leftRows  = rows{{1, "a"}, {2, "b"}, {2, "bb"}, {3, nil}, {nil, "n"}}
	rightRows = rows{{1, "x"}, {2, "y"}, {2, "yy"}, {4, "z"}, {nil, "m"}}
)

func joinOf(kind physical.JoinKind, buildRight, nullSafe bool, cond expr.Expr) func(in []physical.Node) physical.Node {
	return func(in []physical.Node) physical.Node {
		j := &physical.Join{Left: in[0], Right: in[1], Kind: kind, BuildRight: buildRight, Cond: cond, Out: bothSides,
			LeftKeys: []expr.Expr{ref(leftSide, 0)}, RightKeys: []expr.Expr{ref(rightSide, 0)}, NullSafe: []bool{nullSafe}}
		switch kind {
		case physical.LeftSemi, physical.LeftAnti, physical.NullAwareAnti:
			j.Out = leftSide
		case physical.Existence:
			j.Out = append(append(expr.Schema(nil), leftSide...), expr.Field{Name: "exists", Type: expr.Bool})
		}
		return j
	}
}

// The pairs that each kind puts out, with the condition r <> 'y' or without.
func TestJoinKinds(t *testing.T) {
	var (
		ax   = row{1, "a", 1, "x"}
		by   = row{2, "b", 2, "y"}
		byy  = row{2, "b", 2, "yy"}
		bby  = row{2, "bb", 2, "y"}
		bbyy = row{2, "bb", 2, "yy"}
		l3   = row{3, nil, nil, nil}
		ln   = row{nil, "n", nil, nil}
		rz   = row{nil, nil, 4, "z"}
		rm   = row{nil, nil, nil, "m"}
		nm   = row{nil, "n", nil, "m"}
	)
	noY := call("not", expr.Bool, call("=", expr.Bool, ref(bothSides, 3), lit("y", expr.String)))
	none := call("=", expr.Bool, ref(bothSides, 3), lit("?", expr.String))
	var left []row
	for _, r := range leftRows {
		left = append(left, r)
	}
	for _, c := range []struct {
		kind     physical.JoinKind
		nullSafe bool
		cond     expr.Expr
		want     rows
	}{
		{physical.Inner, false, nil, rows{ax, by, byy, bby, bbyy}},
		{physical.Inner, true, nil, rows{ax, by, byy, bby, bbyy, nm}},
		{physical.Inner, false, noY, rows{ax, byy, bbyy}},
		{physical.LeftOuter, false, nil, rows{ax, by, byy, bby, bbyy, l3, ln}},
		{physical.LeftOuter, false, none, rows{{1, "a", nil, nil}, {2, "b", nil, nil}, {2, "bb", nil, nil}, l3, ln}},
		{physical.RightOuter, false, nil, rows{ax, by, byy, bby, bbyy, rz, rm}},
		{physical.RightOuter, false, noY, rows{ax, byy, bbyy, {nil, nil, 2, "y"}, rz, rm}},
		{physical.FullOuter, false, nil, rows{ax, by, byy, bby, bbyy, l3, ln, rz, rm}},
		{physical.FullOuter, true, nil, rows{ax, by, byy, bby, bbyy, l3, nm, rz}},
		{physical.LeftSemi, false, nil, rows{left[0], left[1], left[2]}},
		{physical.LeftSemi, true, nil, rows{left[0], left[1], left[2], left[4]}},
		{physical.LeftSemi, false, none, nil},
		{physical.LeftAnti, false, nil, rows{left[3], left[4]}},
		{physical.LeftAnti, false, none, leftRows},
		{physical.NullAwareAnti, false, nil, nil},
		{physical.Existence, false, noY, rows{{1, "a", true}, {2, "b", true}, {2, "bb", true}, {3, nil, false}, {nil, "n", false}}},
	} {
		for _, buildRight := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d/%v/%v", c.kind, c.nullSafe, buildRight), func(t *testing.T) {
				computetest.Run(t, computetest.Case{Inputs: []expr.Schema{leftSide, rightSide},
					Plan:      joinOf(c.kind, buildRight, c.nullSafe, c.cond),
					Unordered: true,
					Epochs:    []computetest.Epoch{{In: []rows{leftRows, rightRows}, Want: c.want}}})
			})
		}
	}
}

func TestJoinFollowsTheProbeSide(t *testing.T) {
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{leftSide, rightSide}, Plan: joinOf(physical.LeftOuter, true, false, nil),
		Epochs: []computetest.Epoch{{In: []rows{{{2, "b"}, {9, "i"}, {1, "a"}}, rightRows},
			Want: rows{{2, "b", 2, "y"}, {2, "b", 2, "yy"}, {9, "i", nil, nil}, {1, "a", 1, "x"}}}}})
}

func TestNotIn(t *testing.T) {
	for _, buildRight := range []bool{true, false} {
		plan := joinOf(physical.NullAwareAnti, buildRight, false, nil)
		noNull := rows{{1, "x"}, {2, "y"}}
		computetest.Run(t, computetest.Case{Inputs: []expr.Schema{leftSide, rightSide}, Plan: plan, Epochs: []computetest.Epoch{
			{In: []rows{leftRows, noNull}, Want: rows{{3, nil}}},
			{In: []rows{leftRows, rightRows}},
			{In: []rows{leftRows, nil}, Want: leftRows},
		}})
	}
}

func TestNestedLoop(t *testing.T) {
	less := call("<", expr.Bool, ref(bothSides, 0), ref(bothSides, 2))
	plan := func(kind physical.JoinKind, cond expr.Expr) func(in []physical.Node) physical.Node {
		return func(in []physical.Node) physical.Node {
			return &physical.Join{Left: in[0], Right: in[1], Kind: kind, BuildRight: true, Cond: cond, Out: bothSides}
		}
	}
	l, r := rows{{1, "a"}, {3, "c"}, {nil, "n"}}, rows{{2, "x"}, {4, "y"}}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{leftSide, rightSide}, Plan: plan(physical.LeftOuter, less),
		Epochs: []computetest.Epoch{
			{In: []rows{l, r}, Want: rows{{1, "a", 2, "x"}, {1, "a", 4, "y"}, {3, "c", 4, "y"}, {nil, "n", nil, nil}}},
			{In: []rows{l, nil}, Want: rows{{1, "a", nil, nil}, {3, "c", nil, nil}, {nil, "n", nil, nil}}},
		}})
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{leftSide, rightSide}, Plan: plan(physical.Inner, nil),
		Epochs: []computetest.Epoch{{In: []rows{l[:1], r}, Want: rows{{1, "a", 2, "x"}, {1, "a", 4, "y"}}}}})
}

// More partners than fit into a batch.
func TestJoinWithManyPartners(t *testing.T) {
	var many, want rows
	for i := range 20_000 {
		many = append(many, row{1, fmt.Sprint(i)})
		want = append(want, row{1, "a", 1, fmt.Sprint(i)})
	}
	var got computetest.Case
	got.Inputs = []expr.Schema{leftSide, rightSide}
	got.Plan = joinOf(physical.FullOuter, true, false, nil)
	got.Epochs = []computetest.Epoch{{In: []rows{{{1, "a"}}, many}, Want: want}}
	computetest.RunOnce(t, got)
}
