package compute_test

import (
	"testing"

	"github.com/flightd/flightd/compute/computetest"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// TestAggregateOverJoins groups the rows of a join over a join: of what the lower
// one finds, the groups see one column, the condition of the upper one another,
// and nobody the third. Record batches of both are borrowed.
func TestAggregateOverJoins(t *testing.T) {
	events := computetest.Schema("k", expr.Int64, "v", expr.Int64)
	names := computetest.Schema("k", expr.Int64, "name", expr.String, "limit", expr.Int64)
	marks := computetest.Schema("v", expr.Int64, "mark", expr.Int64)
	lower := append(append(expr.Schema(nil), events...), names...)
	upper := append(append(expr.Schema(nil), lower...), marks...)
	// With the sides swapped, columns are in other places.
	for _, buildRight := range []bool{true, false} {
		computetest.Run(t, computetest.Case{
			Inputs: []expr.Schema{events, names, marks},
			Splits: 2,
			Plan: func(in []physical.Node) physical.Node {
				j := &physical.Join{Left: in[0], Right: in[1], Kind: physical.Inner, BuildRight: true, Out: lower,
					LeftKeys: []expr.Expr{ref(events, 0)}, RightKeys: []expr.Expr{ref(names, 0)}, NullSafe: []bool{false}}
				u := &physical.Join{Left: j, Right: in[2], Kind: physical.Inner, BuildRight: true, Out: upper,
					LeftKeys: []expr.Expr{ref(lower, 1)}, RightKeys: []expr.Expr{ref(marks, 0)}, NullSafe: []bool{false},
					Cond: call("<", expr.Bool, ref(upper, 6), ref(upper, 4))}
				name, mark := 3, 6
				if !buildRight {
					swapped := append(append(expr.Schema(nil), marks...), lower...)
					u.Left, u.Right, u.BuildRight, u.Out = in[2], j, false, swapped
					u.LeftKeys, u.RightKeys = u.RightKeys, u.LeftKeys
					u.Cond = call("<", expr.Bool, ref(swapped, 1), ref(swapped, 6))
					name, mark = 5, 1
				}
				return aggregateOf(u, []expr.Expr{ref(u.Out, name)}, []*expr.Agg{agg("sum", expr.Int64, ref(u.Out, mark))}, nil)
			},
			Epochs: []computetest.Epoch{{
				In: []computetest.Rows{
					{{1, 10}, {2, 10}, {3, 20}, {1, 20}, {2, 30}, {nil, 10}, {9, 10}, {2, 20}},
					{{1, "one", 100}, {2, "two", 6}, {3, "three", 0}},
					{{10, 5}, {20, 7}, {30, 1}},
				},
				Want: computetest.Rows{{"one", 12}, {"two", 6}},
			}},
		})
	}
}
