package compute_test

import (
	"testing"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/computetest"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

var events = computetest.Schema("k", expr.String, "ts", expr.Timestamp)

func event(k any, s float64) row { return row{k, at(s)} }

func deduped(total, updated, removed, dropped, duplicates int64) []compute.StateMetrics {
	return []compute.StateMetrics{{Total: total, Updated: updated, Removed: removed, Dropped: dropped, LateRows: dropped,
		Custom: map[string]int64{"numDroppedDuplicateRows": duplicates}}}
}

// Golden dedup/watermark_not_in_key.
func TestDedupWithoutEventTimeInTheKey(t *testing.T) {
	plan := func(in []physical.Node) physical.Node {
		return &physical.Dedup{Input: in[0], Keys: []int{0}, EventColumn: 1, State: &physical.State{Mode: base.Append}}
	}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{events}, Plan: plan, Epochs: []computetest.Epoch{
		{In: []rows{{event("a", 10), event("a", 11), event("b", 12)}}, Want: rows{event("a", 10), event("b", 12)}, State: deduped(2, 2, 0, 0, 1)},
		{In: []rows{{event("a", 40), event("c", 41)}}, Late: 1, Evict: 2000, Want: rows{event("c", 41)}, State: deduped(3, 1, 0, 0, 1)},
		{In: []rows{nil}, Late: 2000, Evict: 31000, State: deduped(3, 0, 0, 0, 0)},
		{In: []rows{{event("d", 20), event("e", 31), event("e", 31.5), event("f", 35)}}, Late: 31000, Evict: 31000,
			Want: rows{event("e", 31.5), event("f", 35)}, State: deduped(5, 2, 0, 2, 0)},
	}})
}

// Golden dedup/null_event_time.
func TestDedupWithEventTimeInTheKey(t *testing.T) {
	plan := func(in []physical.Node) physical.Node {
		return &physical.Dedup{Input: in[0], Keys: []int{0, 1}, EventColumn: 1, State: &physical.State{Mode: base.Append}}
	}
	null := func(k string) row { return row{k, nil} }
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{events}, Plan: plan, Epochs: []computetest.Epoch{
		{In: []rows{{null("a"), null("a")}}, Want: rows{null("a")}, State: deduped(1, 1, 0, 0, 1)},
		{In: []rows{{event("a", 20)}}, Late: 1, Evict: 1, Want: rows{event("a", 20)}, State: deduped(2, 1, 0, 0, 0)},
		{In: []rows{{null("a"), null("b"), event("c", 50)}}, Late: 10000, Evict: 10000, Want: rows{null("b"), event("c", 50)}, State: deduped(4, 2, 0, 0, 1)},
		{In: []rows{nil}, Late: 10000, Evict: 40000, State: deduped(3, 0, 1, 0, 0)},
	}})
}

// Vector D2.
func TestDedupWithinWatermark(t *testing.T) {
	plan := func(in []physical.Node) physical.Node {
		return &physical.Dedup{Input: in[0], Keys: []int{0}, EventColumn: 1, Within: true, Delay: 2000, State: &physical.State{Mode: base.Append}}
	}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{events}, Plan: plan, Epochs: []computetest.Epoch{
		{In: []rows{{event("a", 17)}}, Want: rows{event("a", 17)}, State: deduped(1, 1, 0, 0, 0)},
		{In: []rows{{event("a", 16)}}, Late: 15000, Evict: 15000, State: deduped(1, 0, 0, 0, 1)},
		{In: []rows{{event("a", 13)}}, Late: 15000, Evict: 15000, State: deduped(1, 0, 0, 1, 0)},
		{In: []rows{{event("b", 22), event("c", 21)}}, Late: 15000, Evict: 15000, Want: rows{event("b", 22), event("c", 21)}},
		{In: []rows{nil}, Late: 15000, Evict: 20000, State: deduped(2, 0, 1, 0, 0)},
		{In: []rows{{event("a", 21)}}, Late: 20000, Evict: 20000, Want: rows{event("a", 21)}, State: deduped(3, 1, 0, 0, 0)},
		{In: []rows{{event("d", 25)}}, Late: 20000, Evict: 20000, Want: rows{event("d", 25)}},
		{In: []rows{nil}, Late: 20000, Evict: 23000, State: deduped(2, 0, 2, 0, 0)},
	}})
}

func TestDedupInABatch(t *testing.T) {
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{events},
		Plan: func(in []physical.Node) physical.Node {
			return &physical.Dedup{Input: in[0], Keys: []int{0}, EventColumn: -1}
		},
		Epochs: once(rows{event("a", 1), event(nil, 2), event("a", 3), event(nil, 4), event("b", 5)}, rows{event("a", 1), event(nil, 2), event("b", 5)})})
}

// Golden limit/append.
func TestLimitOverTheQuerysLife(t *testing.T) {
	plan := func(in []physical.Node) physical.Node {
		return &physical.Limit{Input: in[0], Count: 5, State: &physical.State{Mode: base.Append}}
	}
	ev := func(ss ...float64) rows {
		var out rows
		for _, s := range ss {
			out = append(out, event("k", s))
		}
		return out
	}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{events}, Plan: plan, Epochs: []computetest.Epoch{
		{In: []rows{ev(1, 2)}, Want: ev(1, 2), State: metrics(1, 1, 0, 0, 0)},
		{In: []rows{ev(3, 4)}, Want: ev(3, 4), State: metrics(1, 1, 0, 0, 0)},
		{In: []rows{ev(5, 0)}, Want: ev(5), State: metrics(1, 1, 0, 0, 0)},
		{In: []rows{ev(7)}, State: metrics(1, 0, 0, 0, 0)},
	}})
}
