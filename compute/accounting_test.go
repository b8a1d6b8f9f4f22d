package compute_test

import (
	"testing"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/computetest"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// accounted are metrics where every input row has its place.
func accounted(m compute.StateMetrics, input, used int64, refused map[string]int64) []compute.StateMetrics {
	m.Input, m.Used, m.Refused = input, used, refused
	return []compute.StateMetrics{m}
}

// Rows are counted as they reach the operator: once per window, and not at all
// where they have no time.
func TestEveryRowHasItsPlace(t *testing.T) {
	sliding := func(in []physical.Node) physical.Node {
		return aggregateOf(windowsOf(in[0], 10*second, 5*second, 0), []expr.Expr{ref(windowed, 2)}, []*expr.Agg{agg("count", expr.Int64)},
			&physical.State{Mode: base.Append})
	}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{times}, Plan: sliding, Epochs: []computetest.Epoch{
		{In: []rows{append(seconds(11, 12, 13), row{nil, 1})}, Late: 1, Evict: 1, State: accounted(metrics(2, 2, 0, 0, 0)[0], 6, 6, nil)},
		{In: []rows{seconds(14, 14, 16)}, Late: 15000, Evict: 15000, Want: rows{{w(5*second, 15*second), 3}},
			State: accounted(metrics(2, 2, 1, 1, 2)[0], 6, 4, nil)},
	}})
	dedup := func(in []physical.Node) physical.Node {
		return &physical.Dedup{Input: in[0], Keys: []int{0}, EventColumn: 1, State: &physical.State{Mode: base.Append}}
	}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{events}, Plan: dedup, Epochs: []computetest.Epoch{
		{In: []rows{{event("a", 10), event("b", 20), event("a", 11), event("c", 1)}}, Late: 2000, Evict: 2000, Want: rows{event("a", 10), event("b", 20)},
			State: accounted(deduped(2, 2, 0, 1, 1)[0], 4, 2, map[string]int64{compute.RefusedDuplicate: 1})},
	}})
	limit := func(in []physical.Node) physical.Node {
		return &physical.Limit{Input: in[0], Count: 2, State: &physical.State{Mode: base.Append}}
	}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{events}, Plan: limit, Epochs: []computetest.Epoch{
		{In: []rows{{event("a", 1), event("b", 2), event("c", 3)}}, Want: rows{event("a", 1), event("b", 2)},
			State: accounted(metrics(1, 1, 0, 0, 0)[0], 3, 2, map[string]int64{compute.RefusedOverLimit: 1})},
	}})
}
