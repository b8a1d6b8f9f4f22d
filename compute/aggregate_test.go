package compute_test

import (
	"testing"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/computetest"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

func agg(fn string, t *expr.Type, args ...expr.Expr) *expr.Agg {
	return &expr.Agg{Fn: fn, Args: args, Typ: t, Null: true}
}

// aggregateOf groups in by keys; the output columns have no particular names.
func aggregateOf(in physical.Node, keys []expr.Expr, aggs []*expr.Agg, s *physical.State) *physical.Aggregate {
	n := &physical.Aggregate{Input: in, Keys: keys, Aggs: aggs, State: s}
	for _, k := range keys {
		n.Out = append(n.Out, expr.Field{Name: "k", Type: k.Type(), Nullable: true})
	}
	for _, a := range aggs {
		n.Out = append(n.Out, expr.Field{Name: a.Fn, Type: a.Typ, Nullable: true})
	}
	return n
}

var keyed = computetest.Schema("k", expr.String, "v", expr.Int64, "x", expr.Float64)

func TestAggregateInOrderOfFirstRow(t *testing.T) {
	in := rows{{"b", 1, 0.5}, {"a", 2, nil}, {nil, 3, 1.0}, {"b", nil, 0.25}, {nil, 4, 2.0}, {"a", 5, nil}}
	distinct := agg("count", expr.Int64, ref(keyed, 1))
	distinct.Distinct = true
	filtered := agg("sum", expr.Int64, ref(keyed, 1))
	filtered.Filter = call(">", expr.Bool, ref(keyed, 1), lit(2, expr.Int64))
	for _, splits := range []int{1, 2, 6} {
		computetest.Run(t, computetest.Case{Inputs: []expr.Schema{keyed}, Splits: splits,
			Plan: func(in []physical.Node) physical.Node {
				return aggregateOf(in[0], []expr.Expr{ref(keyed, 0)}, []*expr.Agg{
					agg("count", expr.Int64), agg("sum", expr.Int64, ref(keyed, 1)), agg("avg", expr.Float64, ref(keyed, 2)),
					agg("max", expr.Int64, ref(keyed, 1)), distinct, filtered,
					agg("collect_list", expr.ArrayOf(expr.Int64, false), ref(keyed, 1)),
				}, nil)
			},
			Epochs: once(in, rows{
				{"b", 2, 1, 0.375, 1, 1, nil, []any{1}},
				{"a", 2, 7, nil, 5, 2, 5, []any{2, 5}},
				{nil, 2, 7, 1.5, 4, 2, 7, []any{3, 4}},
			})})
	}
}

func TestAggregateOfNothing(t *testing.T) {
	aggs := []*expr.Agg{agg("count", expr.Int64), agg("sum", expr.Int64, ref(keyed, 1)), agg("collect_list", expr.ArrayOf(expr.Int64, false), ref(keyed, 1))}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{keyed},
		Plan:   func(in []physical.Node) physical.Node { return aggregateOf(in[0], nil, aggs, nil) },
		Epochs: once(nil, rows{{0, nil, []any{}}})})
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{keyed},
		Plan: func(in []physical.Node) physical.Node {
			return aggregateOf(in[0], []expr.Expr{ref(keyed, 0)}, aggs, nil)
		},
		Epochs: once(nil, nil)})
}

func TestSumOverflowIsAnError(t *testing.T) {
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{keyed},
		Plan: func(in []physical.Node) physical.Node {
			return aggregateOf(in[0], nil, []*expr.Agg{agg("sum", expr.Int64, ref(keyed, 1))}, nil)
		},
		Epochs: []computetest.Epoch{{In: []rows{{{"a", 1 << 62, nil}, {"a", 1 << 62, nil}}}, Error: "ARITHMETIC_OVERFLOW"}}})
}

const second = 1_000_000

func at(s float64) int { return int(s * second) }

// countPerWindow is GROUP BY window(ts, '5 seconds') in a stream.
func countPerWindow(mode base.OutputMode) func(in []physical.Node) physical.Node {
	return func(in []physical.Node) physical.Node {
		win := windowsOf(in[0], 5*second, 5*second, 0)
		return aggregateOf(win, []expr.Expr{ref(windowed, 2)}, []*expr.Agg{agg("count", expr.Int64)},
			&physical.State{Name: "stateStoreSave", Mode: mode})
	}
}

func seconds(ss ...float64) rows {
	var out rows
	for _, s := range ss {
		out = append(out, row{at(s), int(s)})
	}
	return out
}

func window5(start int) []any { return w(start*second, (start+5)*second) }

func metrics(total, updated, removed, dropped, late int64) []compute.StateMetrics {
	return []compute.StateMetrics{{Total: total, Updated: updated, Removed: removed, Dropped: dropped, LateRows: late}}
}

// Vector W4 of the semantics: golden tumbling/vector_w4.
func TestUpdateModeEvictsAndDropsLateGroups(t *testing.T) {
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{times}, Plan: countPerWindow(base.Update), Epochs: []computetest.Epoch{
		{In: []rows{seconds(10, 11, 12, 13, 14, 15)}, Want: rows{{window5(10), 5}, {window5(15), 1}}, State: metrics(2, 2, 0, 0, 0)},
		{In: []rows{nil}, Late: 1, Evict: 5000, State: metrics(2, 0, 0, 0, 0)},
		{In: []rows{seconds(25)}, Late: 5000, Evict: 5000, Want: rows{{window5(25), 1}}, State: metrics(3, 1, 0, 0, 0)},
		{In: []rows{nil}, Late: 5000, Evict: 15000, State: metrics(2, 0, 1, 0, 0)},
		{In: []rows{seconds(10, 25, 10)}, Late: 15000, Evict: 15000, Want: rows{{window5(25), 2}}, State: metrics(2, 1, 0, 1, 2)},
		{In: []rows{seconds(10)}, Late: 15000, Evict: 15000, State: metrics(2, 0, 0, 1, 1)},
	}})
}

// Vector W3: golden tumbling/vector_w3. A window closes exactly at its end.
func TestAppendModeEmitsOnceWhenTheWatermarkPasses(t *testing.T) {
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{times}, Plan: countPerWindow(base.Append), Epochs: []computetest.Epoch{
		{In: []rows{seconds(10, 11, 12, 13, 14, 15)}, State: metrics(2, 2, 0, 0, 0)},
		{In: []rows{nil}, Late: 1, Evict: 5000, State: metrics(2, 0, 0, 0, 0)},
		{In: []rows{seconds(25)}, Late: 5000, Evict: 5000, State: metrics(3, 1, 0, 0, 0)},
		{In: []rows{nil}, Late: 5000, Evict: 15000, Want: rows{{window5(10), 5}}, State: metrics(2, 0, 1, 0, 0)},
		{In: []rows{seconds(10)}, Late: 15000, Evict: 15000, State: metrics(2, 0, 0, 1, 1)},
		{In: []rows{seconds(15, 14.999999)}, Late: 14999, Evict: 20000, Want: rows{{window5(15), 2}, {window5(10), 1}}, State: metrics(1, 2, 2, 0, 0)},
	}})
}

// Vector W5: complete mode ignores the watermark.
func TestCompleteModePutsOutEverything(t *testing.T) {
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{times}, Plan: countPerWindow(base.Complete), Epochs: []computetest.Epoch{
		{In: []rows{seconds(12, 11, 10)}, Want: rows{{window5(10), 3}}, State: metrics(1, 1, 0, 0, 0)},
		{In: []rows{seconds(25)}, Late: 5000, Evict: 5000, Want: rows{{window5(10), 3}, {window5(25), 1}}},
		{In: []rows{seconds(10)}, Late: 15000, Evict: 15000, Want: rows{{window5(10), 4}, {window5(25), 1}}, State: metrics(2, 1, 0, 0, 0)},
		{In: []rows{nil}, Late: 15000, Evict: 15000, Want: rows{{window5(10), 4}, {window5(25), 1}}, State: metrics(2, 0, 0, 0, 0)},
	}})
}

// Golden raw_event_time/null_time: a NULL event time is never late, never due.
func TestGroupingByTheEventTimeItself(t *testing.T) {
	plan := func(in []physical.Node) physical.Node {
		return aggregateOf(in[0], []expr.Expr{ref(times, 0)}, []*expr.Agg{agg("count", expr.Int64)}, &physical.State{Mode: base.Append})
	}
	null := row{nil, 0}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{times}, Plan: plan, Epochs: []computetest.Epoch{
		{In: []rows{{null}}, State: metrics(1, 1, 0, 0, 0)},
		{In: []rows{{null, {at(20), 0}, null}}, Late: 1, Evict: 1, State: metrics(2, 2, 0, 0, 0)},
		{In: []rows{nil}, Late: 1, Evict: 10000, State: metrics(2, 0, 0, 0, 0)},
		{In: []rows{{{at(40), 0}}}, Late: 10000, Evict: 10000, State: metrics(3, 1, 0, 0, 0)},
		{In: []rows{nil}, Late: 10000, Evict: 30000, Want: rows{{at(20), 1}}, State: metrics(2, 0, 1, 0, 0)},
		{In: []rows{{null, {at(35), 0}}}, Late: 30000, Evict: 30000, State: metrics(3, 2, 0, 0, 0)},
		{In: []rows{{{at(30), 0}, {at(30) + 1, 0}}}, Late: 30000, Evict: 30000, State: metrics(4, 1, 0, 1, 1)},
	}})
}

// Golden aggregation/empty_first_epoch_global_update.
func TestGlobalAggregateHasARowInEveryEpoch(t *testing.T) {
	for _, mode := range []base.OutputMode{base.Update, base.Complete} {
		computetest.Run(t, computetest.Case{Inputs: []expr.Schema{times},
			Plan: func(in []physical.Node) physical.Node {
				return aggregateOf(in[0], nil, []*expr.Agg{agg("count", expr.Int64), agg("sum", expr.Int64, ref(times, 1)), agg("max", expr.Int64, ref(times, 1))},
					&physical.State{Mode: mode, EventKey: -1})
			},
			Epochs: []computetest.Epoch{
				{In: []rows{nil}, Want: rows{{0, nil, nil}}, State: metrics(1, 1, 0, 0, 0)},
				{In: []rows{{{0, 3}, {0, nil}, {0, 31}}}, Late: 9, Evict: 9, Want: rows{{3, 34, 31}}, State: metrics(1, 1, 0, 0, 0)},
				{In: []rows{nil}, Want: rows{{3, 34, 31}}, State: metrics(1, 1, 0, 0, 0)},
			}})
	}
}

// Update mode puts groups out in the order of their first row of the epoch,
// wherever they are in the table.
func TestUpdateModeFollowsFirstTouch(t *testing.T) {
	plan := func(in []physical.Node) physical.Node {
		return aggregateOf(in[0], []expr.Expr{ref(keyed, 0)}, []*expr.Agg{agg("sum", expr.Int64, ref(keyed, 1))}, &physical.State{Mode: base.Update, EventKey: -1})
	}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{keyed}, Plan: plan, Splits: 2, Epochs: []computetest.Epoch{
		{In: []rows{{{"a", 1, nil}, {"b", 2, nil}, {"c", 3, nil}, {"d", 4, nil}}}, Want: rows{{"a", 1}, {"b", 2}, {"c", 3}, {"d", 4}}},
		{In: []rows{{{"d", 1, nil}, {"x", 2, nil}, {"a", 3, nil}, {"d", 4, nil}}}, Want: rows{{"d", 9}, {"x", 2}, {"a", 4}}},
		{In: []rows{nil}},
	}})
}

// Vector M1: golden chained/vector_m1. The upper operator gets the lower one's
// rows in the same epoch.
func TestWindowOverWindow(t *testing.T) {
	plan := func(in []physical.Node) physical.Node {
		lower := aggregateOf(windowsOf(in[0], 5*second, 5*second, 0), []expr.Expr{ref(windowed, 2)},
			[]*expr.Agg{agg("count", expr.Int64)}, &physical.State{Operator: 1, Mode: base.Append})
		end := call("getfield", expr.Timestamp, ref(lower.Out, 0), lit(1, expr.Int32))
		wider := append(append(expr.Schema(nil), lower.Out...), windowed[2])
		win := &physical.Window{Input: lower, Time: call("-", expr.Timestamp, end, lit(1, expr.DayTime)), Duration: 10 * second, Slide: 10 * second, Out: wider}
		return aggregateOf(win, []expr.Expr{ref(wider, 2)}, []*expr.Agg{agg("count", expr.Int64), agg("sum", expr.Int64, ref(wider, 1))},
			&physical.State{Operator: 0, Mode: base.Append})
	}
	from := func(lo, hi int) rows {
		var s []float64
		for i := lo; i <= hi; i++ {
			s = append(s, float64(i))
		}
		return seconds(s...)
	}
	both := func(upper, lower []compute.StateMetrics) []compute.StateMetrics { return append(upper, lower...) }
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{times}, Plan: plan, Epochs: []computetest.Epoch{
		{In: []rows{from(10, 21)}, State: both(metrics(0, 0, 0, 0, 0), metrics(3, 3, 0, 0, 0))},
		{In: []rows{nil}, Late: 1, Evict: 21000, Want: rows{{w(10*second, 20*second), 2, 10}}, State: both(metrics(0, 1, 1, 0, 0), metrics(1, 0, 2, 0, 0))},
		{In: []rows{from(10, 29)}, Late: 21000, Evict: 21000, State: both(metrics(0, 0, 0, 0, 0), metrics(2, 2, 0, 2, 10))},
		{In: []rows{nil}, Late: 21000, Evict: 29000, State: both(metrics(1, 1, 0, 0, 0), metrics(1, 0, 1, 0, 0))},
	}})
}
