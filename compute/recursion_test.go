package compute_test

import (
	"testing"

	"github.com/flightd/flightd/compute/computetest"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// hops goes from the rows of the first input along those of the second.
func hops(enough int64) func(in []physical.Node) physical.Node {
	return func(in []physical.Node) physical.Node {
		r := &physical.Recursion{Anchor: in[0], MaxLevel: 10, MaxRows: -1, Enough: enough, Out: edges}
		both := append(append(expr.Schema(nil), edges...), edges...)
		join := &physical.Join{Left: &physical.Working{Of: r, Out: edges}, Right: in[1], Kind: physical.Inner, BuildRight: true, Out: both,
			LeftKeys: []expr.Expr{ref(edges, 1)}, RightKeys: []expr.Expr{ref(edges, 0)}, NullSafe: []bool{false}}
		r.Step = &physical.Project{Input: join, Exprs: []expr.Expr{ref(both, 2), ref(both, 3)}, Out: edges}
		return r
	}
}

var edges = computetest.Schema("from", expr.Int64, "to", expr.Int64)

// Each run of the step sees the rows of the run before, and its own build side anew.
func TestRecursion(t *testing.T) {
	graph := rows{{1, 2}, {2, 3}, {2, 4}, {3, 5}, {7, 8}, {nil, 1}, {4, nil}}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{edges, edges}, Plan: hops(-1), Unordered: true, Epochs: []computetest.Epoch{
		{In: []rows{{{0, 1}}, graph}, Want: rows{{0, 1}, {1, 2}, {2, 3}, {2, 4}, {3, 5}, {4, nil}}},
		{In: []rows{{{0, 9}}, graph}, Want: rows{{0, 9}}},
		{In: []rows{nil, graph}},
	}})
}

// A recursion without an end fails at its limit of levels, unless enough rows are there
// before.
func TestRecursionWithoutEnd(t *testing.T) {
	circle := rows{{1, 2}, {2, 1}}
	computetest.RunOnce(t, computetest.Case{Inputs: []expr.Schema{edges, edges}, Plan: hops(4),
		Epochs: []computetest.Epoch{{In: []rows{{{0, 1}}, circle}, Want: rows{{0, 1}, {1, 2}, {2, 1}, {1, 2}}}}})
}

func TestRecursionOverItsLimit(t *testing.T) {
	circle := rows{{1, 2}, {2, 1}}
	computetest.RunOnce(t, computetest.Case{Inputs: []expr.Schema{edges, edges}, Plan: hops(-1),
		Epochs: []computetest.Epoch{{In: []rows{{{0, 1}}, circle}, Error: "RECURSION_LEVEL_LIMIT_EXCEEDED"}}})
}

// A second match of a left row is an error where the right side is a scalar subquery.
func TestSingleJoin(t *testing.T) {
	plan := func(in []physical.Node) physical.Node {
		j := joinOf(physical.LeftOuter, true, false, nil)(in).(*physical.Join)
		j.Single = true
		return j
	}
	computetest.RunOnce(t, computetest.Case{Inputs: []expr.Schema{leftSide, rightSide}, Plan: plan, Unordered: true,
		Epochs: []computetest.Epoch{{In: []rows{{{1, "a"}, {3, "c"}}, rightRows}, Want: rows{{1, "a", 1, "x"}, {3, "c", nil, nil}}}}})
	computetest.RunOnce(t, computetest.Case{Inputs: []expr.Schema{leftSide, rightSide}, Plan: plan,
		Epochs: []computetest.Epoch{{In: []rows{leftRows, rightRows}, Error: "SCALAR_SUBQUERY_TOO_MANY_ROWS"}}})
}
