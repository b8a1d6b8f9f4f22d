package compute_test

import (
	"testing"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/computetest"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// visits are k, v and ts; gap is an interval as text.
var visits = computetest.Schema("k", expr.String, "v", expr.Int64, "ts", expr.Timestamp, "gap", expr.String)

// visited are visits with their own session windows.
var visited = append(visits[:4:4], expr.Field{Name: "session_window", Type: expr.TimeWindow(expr.Timestamp)})

func visit(k any, v any, s float64) row { return row{k, v, at(s), "5 seconds"} }

// dynamic is a visit with a gap of its own.
func dynamic(k any, v any, s float64, gap any) row { return row{k, v, at(s), gap} }

func gapOf(text string) expr.Expr {
	return &expr.Cast{Child: lit(text, expr.String), To: expr.Calendar}
}

func sessionsOf(in physical.Node, gap expr.Expr, s *physical.State) *physical.Session {
	return &physical.Session{Input: in, Time: ref(visits, 2), Gap: gap, State: s, Out: visited}
}

// perSession is GROUP BY k, session_window(ts, gap).
func perSession(gap expr.Expr, s *physical.State, aggs ...*expr.Agg) func(in []physical.Node) physical.Node {
	return func(in []physical.Node) physical.Node {
		n := aggregateOf(sessionsOf(in[0], gap, s), []expr.Expr{ref(visited, 0), ref(visited, 4)}, aggs, s)
		n.Session = &physical.SessionKey{Key: 1}
		return n
	}
}

func inSessions(mode base.OutputMode) *physical.State {
	return &physical.State{Name: "sessionWindowStateStoreSaveExec", Mode: mode, EventKey: 1}
}

var (
	rowCount = agg("count", expr.Int64)
	sumOfV   = agg("sum", expr.Int64, ref(visits, 1))
	listOfV  = agg("collect_list", expr.ArrayOf(expr.Int64, false), ref(visits, 1))
)

// during is the window from a to b seconds.
func during(a, b float64) []any { return w(at(a), at(b)) }

func TestSessionsFuseRowsThatTouch(t *testing.T) {
	in := rows{
		visit("a", 1, 20), visit("b", 2, 20), visit("a", 3, 25), visit(nil, 4, 1), visit("a", 5, 30.000001),
		visit("b", 6, 40), visit("b", 7, 36), visit("b", 8, 30), visit("a", 9, 12), dynamic("a", 10, 0, nil), {"a", 11, nil, "5 seconds"},
		visit("a", nil, 16.5), visit(nil, 12, -4), visit("a", 13, 100),
	}
	want := rows{
		{"a", during(12, 30), 4, 13}, {"a", during(30.000001, 35.000001), 1, 5}, {"a", during(100, 105), 1, 13}, {"a", during(0, 5), 1, 10},
		{"b", during(20, 25), 1, 2}, {"b", during(30, 35), 1, 8}, {"b", during(36, 45), 2, 13},
		{nil, during(-4, 6), 2, 16},
	}
	for _, splits := range []int{1, 2, 5, 14} {
		computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits}, Splits: splits, Unordered: true,
			Plan: perSession(gapOf("5 seconds"), nil, rowCount, sumOfV), Epochs: once(in, want)})
	}
}

func TestSessionsTakeRowsInTheOrderOfTime(t *testing.T) {
	in := rows{visit("a", 1, 24), visit("a", 2, 20), visit("a", 3, 22), visit("b", 9, 21), visit("a", 4, 20), visit("b", 8, 19), visit("a", 5, 30)}
	for _, splits := range []int{1, 3} {
		computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits}, Splits: splits, Unordered: true,
			Plan: perSession(gapOf("5 seconds"), nil, listOfV, agg("first", expr.Int64, ref(visits, 1))),
			Epochs: once(in, rows{
				{"a", during(20, 29), []any{2, 4, 3, 1}, 2}, {"a", during(30, 35), []any{5}, 5}, {"b", during(19, 26), []any{8, 9}, 8}})})
	}
}

// Recording session/recorded_dynamic_gap_kinds.
func TestSessionsWithGapsOfTheirOwn(t *testing.T) {
	gap := &expr.Cast{Child: ref(visits, 3), To: expr.Calendar}
	in := rows{
		dynamic("a", 1, 24, nil), dynamic("a", 2, 24, "-3 seconds"), dynamic("a", 3, 24, "0 seconds"), dynamic("a", 4, 24, "banana"),
		dynamic("b", 5, 24, "1 month"), dynamic("b", 6, 24, "1 day"), dynamic("c", 7, 24, "1 month -30 days"), dynamic("c", 8, 24, "1 day -86399 seconds"),
		{"d", 9, nil, "1 second"}, dynamic("e", 10, 24, "1.5 seconds"), dynamic("e", 11, 20, "4 seconds"), dynamic("e", 12, 10, "20 seconds"),
	}
	want := rows{
		{"b", w(at(24), at(31*86400+24)), 2}, {"c", w(at(24), at(86424)), 2}, {"e", during(10, 30), 3},
	}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits}, Unordered: true, Plan: perSession(gap, nil, rowCount), Epochs: once(in, want)})
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits}, Unordered: true, Plan: perSession(gap, inSessions(base.Complete), rowCount),
		Epochs: []computetest.Epoch{{In: []rows{in}, Want: want, State: []compute.StateMetrics{{Total: 3, Updated: 3, Input: 12, Used: 7,
			Refused: map[string]int64{compute.RefusedZeroGap: 4, compute.RefusedNullTime: 1}}}}}})
}

func TestSessionWindowsOfTheirOwn(t *testing.T) {
	in := rows{visit("a", 1, 8), {"b", 2, nil, ""}, visit("a", 3, 9), visit(nil, 4, -3)}
	for gap, length := range map[string]float64{"5 seconds": 5, "1 day": 86400, "0 seconds": 0, "-2 hours": 0, "nonsense": 0} {
		var want rows
		for _, r := range in {
			if us, ok := r[2].(int); ok && length > 0 {
				want = append(want, append(r[:4:4], w(us, us+at(length))))
			}
		}
		computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits},
			Plan: func(in []physical.Node) physical.Node { return sessionsOf(in[0], gapOf(gap), nil) }, Epochs: once(in, want)})
	}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits},
		Plan: func(in []physical.Node) physical.Node { return sessionsOf(in[0], gapOf("1 week"), nil) }, Epochs: []computetest.Epoch{
			{In: []rows{{{"a", 1, 1<<63 - 1, ""}}}, Error: "overflow"}}})
}

func TestSessionsOfDistinctValues(t *testing.T) {
	distinct := agg("count", expr.Int64, ref(visits, 1))
	distinct.Distinct = true
	in := rows{visit("a", 1, 24), visit("a", 2, 20), visit("a", 1, 22), visit("b", 1, 24), visit("a", 1, 29.5), visit("a", nil, 60), visit("b", 1, 29), visit("b", 2, 29)}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits}, Unordered: true,
		Plan: perSession(gapOf("5 seconds"), nil, distinct, listOfV, rowCount),
		Epochs: once(in, rows{
			{"a", during(20, 29), 2, []any{2, 1, 1}, 3}, {"a", during(29.5, 34.5), 1, []any{1}, 1}, {"a", during(60, 65), 0, []any{}, 1},
			{"b", during(24, 34), 2, []any{1, 1, 2}, 3}})})
}

// A session window that is NULL, as in a rollup, is a group of its own.
func TestSessionsWithoutAWindow(t *testing.T) {
	plan := func(s *physical.State) func(in []physical.Node) physical.Node {
		return func(in []physical.Node) physical.Node {
			own := sessionsOf(in[0], gapOf("5 seconds"), nil)
			null := &expr.Literal{Typ: visited[4].Type}
			both := &physical.Expand{Input: own, Out: visited, Lists: [][]expr.Expr{
				{ref(visited, 0), ref(visited, 1), ref(visited, 2), ref(visited, 3), ref(visited, 4)},
				{ref(visited, 0), ref(visited, 1), ref(visited, 2), ref(visited, 3), null}}}
			n := aggregateOf(both, []expr.Expr{ref(visited, 0), ref(visited, 4)}, []*expr.Agg{rowCount}, s)
			n.Session = &physical.SessionKey{Key: 1}
			return n
		}
	}
	in := rows{visit("a", 1, 20), visit("a", 2, 24), visit("a", 3, 50), visit("b", 4, 20)}
	want := rows{{"a", during(20, 29), 2}, {"a", during(50, 55), 1}, {"a", nil, 3}, {"b", during(20, 25), 1}, {"b", nil, 1}}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits}, Unordered: true, Plan: plan(nil), Epochs: once(in, want)})
	// It is never late and never over.
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits}, Unordered: true, Plan: plan(inSessions(base.Append)), Epochs: []computetest.Epoch{
		{In: []rows{in}, State: metrics(5, 5, 0, 0, 0)},
		{In: []rows{nil}, Late: 1, Evict: 40_000, Want: rows{{"a", during(20, 29), 2}, {"b", during(20, 25), 1}}, State: metrics(3, 0, 2, 0, 0)},
		{In: []rows{{visit("a", 5, 20)}}, Late: 40_000, Evict: 40_000, State: metrics(3, 2, 0, 1, 1)},
	}})
}

// Recordings session/recorded_arrival_order_state and session/recorded_ties_with_state.
func TestStoredSessionsAmongNewOnes(t *testing.T) {
	plan := perSession(gapOf("5 seconds"), inSessions(base.Append), listOfV, rowCount)
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits}, Unordered: true, Plan: plan, Epochs: []computetest.Epoch{
		{In: []rows{{visit("a", 1, 24), visit("a", 2, 28), visit("b", 1, 24)}}, State: metrics(2, 2, 0, 0, 0)},
		{In: []rows{{visit("a", 3, 26), visit("a", 4, 21), visit("a", 5, 31), visit("b", 2, 24), visit("b", 3, 22.5)}}, Late: 1, Evict: 1, State: metrics(2, 2, 2, 0, 0)},
		{In: []rows{{visit("a", 6, 28), visit("a", 7, 18), visit("b", 4, 24)}}, Late: 1000, Evict: 1000, State: metrics(2, 2, 1, 0, 0)},
		{In: []rows{nil}, Late: 1000, Evict: 170_000, Want: rows{
			{"a", during(18, 36), []any{7, 4, 1, 2, 3, 5, 6}, 7}, {"b", during(22.5, 29), []any{3, 1, 2, 4}, 4}}, State: metrics(0, 0, 2, 0, 0)},
	}})
}

// Recording session/recorded_fuse_many: rows that are fused into others are removed,
// and all sessions of a touched key count as updated.
func TestARowFusesStoredSessions(t *testing.T) {
	gap := &expr.Cast{Child: ref(visits, 3), To: expr.Calendar}
	plan := perSession(gap, inSessions(base.Append), rowCount, sumOfV)
	short := func(v int, s float64) row { return dynamic("a", v, s, "3 seconds") }
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits}, Unordered: true, Plan: plan, Epochs: []computetest.Epoch{
		{In: []rows{{short(1, 20), short(2, 30), short(4, 40), short(8, 50)}}, State: metrics(4, 4, 0, 0, 0)},
		{In: []rows{{dynamic("a", 101, 29, "60 seconds")}}, State: metrics(2, 2, 3, 0, 0)},
		{In: []rows{{short(16, 15), short(32, 93)}}, State: metrics(4, 4, 0, 0, 0)},
		{In: []rows{{short(64, 18)}}, State: metrics(3, 3, 1, 0, 0)},
		{In: []rows{nil}, Late: 1, Evict: 80_000, Want: rows{{"a", during(15, 23), 3, 81}}, State: metrics(2, 0, 1, 0, 0)},
		{In: []rows{nil}, Late: 80_000, Evict: 280_000, Want: rows{{"a", during(29, 89), 4, 115}, {"a", during(93, 96), 1, 32}}, State: metrics(0, 0, 2, 0, 0)},
	}})
}

// Recordings session/boundary_watermark, session/recorded_late_equal and
// session/recorded_complete_late: a row is judged by its own window, also in complete
// mode, and late rows of one key and time are one group.
func TestLateRowsOfSessions(t *testing.T) {
	for _, mode := range []base.OutputMode{base.Append, base.Complete} {
		var first, second rows
		if mode == base.Complete {
			first, second = rows{{"a", during(50, 55), 1, 1}}, rows{{"a", during(50, 55), 1, 1}, {"a", during(60, 65), 1, 4}, {"b", during(35.000001, 40.000001), 1, 1}}
		}
		computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits}, Unordered: true, Plan: perSession(gapOf("5 seconds"), inSessions(mode), rowCount, sumOfV), Epochs: []computetest.Epoch{
			{In: []rows{{visit("a", 1, 50)}}, Want: first, State: metrics(1, 1, 0, 0, 0)},
			{In: []rows{{visit("a", 1, 20), visit("a", 2, 20), visit("b", 1, 35.000001), visit("b", 1, 35), visit("a", 3, 21), visit("a", 4, 60)}}, Late: 40_000, Evict: 40_000,
				Want: second, State: metrics(3, 3, 0, 3, 4)},
		}})
	}
}

// A session is judged by another key, if that has the event time.
func TestSessionsBesideAnEventTime(t *testing.T) {
	s := inSessions(base.Append)
	s.EventKey = 0
	plan := func(in []physical.Node) physical.Node {
		n := aggregateOf(sessionsOf(in[0], gapOf("5 seconds"), s), []expr.Expr{ref(visited, 2), ref(visited, 4)}, []*expr.Agg{rowCount}, s)
		n.Session = &physical.SessionKey{Key: 1}
		return n
	}
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits}, Unordered: true, Plan: plan, Epochs: []computetest.Epoch{
		{In: []rows{{visit("a", 1, 20), visit("b", 1, 20), visit("a", 1, 22)}}, State: metrics(2, 2, 0, 0, 0)},
		{In: []rows{{visit("a", 1, 20), visit("a", 1, 19)}}, Late: 19_000, Evict: 20_000, Want: rows{{at(20), during(20, 25), 3}}, State: metrics(1, 1, 1, 1, 1)},
	}})
}

func TestSessionsOfNothing(t *testing.T) {
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits}, Plan: perSession(gapOf("5 seconds"), nil, rowCount, listOfV), Epochs: once(nil, nil)})
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{visits}, Plan: perSession(gapOf("5 seconds"), inSessions(base.Append), rowCount),
		Epochs: []computetest.Epoch{{In: []rows{nil}, State: metrics(0, 0, 0, 0, 0)}, {In: []rows{nil}, Late: 1, Evict: 5, State: metrics(0, 0, 0, 0, 0)}}})
}
