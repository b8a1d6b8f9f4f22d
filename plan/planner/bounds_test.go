package planner_test

import (
	"testing"

	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/plan/planner"
)

// TestStateBounds solves every form of a condition for both sides: s is the left
// stream, with v INT and ts, r the right one, with w INT and rt.
func TestStateBounds(t *testing.T) {
	const ever = "for ever"
	// minus is what a planner with constants folded makes of make_dt_interval.
	fold := func(e expr.Expr) (*expr.Literal, bool) {
		if c, ok := e.(*expr.Call); ok && c.Fn == "make_dt_interval" {
			return &expr.Literal{Value: int64(90_500_000), Typ: expr.DayTime}, true
		}
		return nil, false
	}
	for _, tc := range []struct{ cond, left, right string }{
		{"rt > ts", ever, "until > 1W+0 µs"},
		{"rt >= ts", ever, "until >= 1W+0 µs"},
		{"rt < ts", "until > 1W+0 µs", ever},
		{"rt <= ts", "until >= 1W+0 µs", ever},
		{"ts < rt", ever, "until > 1W+0 µs"},
		{"rt BETWEEN ts AND ts + INTERVAL 1 HOUR", "until >= 1W-3.6e+09 µs", "until >= 1W+0 µs"},
		{"rt >= ts - INTERVAL 5 SECONDS AND rt < ts + INTERVAL 4 SECONDS", "until > 1W-4e+06 µs", "until >= 1W-5e+06 µs"},
		{"ts + INTERVAL 2 SECONDS > rt + INTERVAL 7 SECONDS", "until > 1W+5e+06 µs", ever},
		{"ts - INTERVAL 2 SECONDS > rt - INTERVAL 7 SECONDS", "until > 1W-5e+06 µs", ever},
		{"INTERVAL 2 SECONDS + ts > rt", "until > 1W-2e+06 µs", ever},
		{"ts + (INTERVAL 1 SECOND + INTERVAL 2 SECONDS) > rt", "until > 1W-3e+06 µs", ever},
		{"ts + (INTERVAL 1 SECOND - INTERVAL '2.5' SECOND) > rt", "until > 1W+1.5e+06 µs", ever},
		{"ts - (- INTERVAL 5 SECONDS) > rt", "until > 1W-5e+06 µs", ever},
		{"ts + INTERVAL '1 day 2 hours' > rt", "until > 1W-9.36e+10 µs", ever},
		{"ts + INTERVAL '1.000001' SECOND > rt", "until > 1W-1.000001e+06 µs", ever},
		{"NOT (rt < ts)", ever, "until >= 1W+0 µs"},
		{"NOT rt > ts + INTERVAL 5 SECONDS", "until >= 1W-5e+06 µs", ever},
		// Several bounds: the least counts.
		{"rt > ts AND rt >= ts - INTERVAL 1 SECOND", ever, "until > 1W+0 µs, >= 1W-1e+06 µs"},
		// Numbers are seconds.
		{"CAST(ts AS DOUBLE) + 1.5 > CAST(rt AS DOUBLE)", "until > 1W-1.5e+06 µs", ever},
		{"CAST(ts AS BIGINT) + 3 >= CAST(rt AS BIGINT)", "until >= 1W-3e+06 µs", ever},
		{"CAST(ts AS DOUBLE) - 2.5D > CAST(rt AS DOUBLE)", "until > 1W+2.5e+06 µs", ever},
		{"- CAST(ts AS BIGINT) < - CAST(rt AS BIGINT)", "until > 1W+0 µs", ever},
		{"CAST(ts AS BIGINT) + CAST(rt AS BIGINT) > 5", "until > -1W+5e+06 µs", "until > -1W+5e+06 µs"},
		// A comparison with constants alone is a bound that does not move.
		{"v > 3 AND rt > ts", "until > 0W+3e+06 µs", "until > 1W+0 µs"},
		{"v + 1 >= 3 AND rt > ts", "until >= 0W+2e+06 µs", "until > 1W+0 µs"},
		{"3 < w", ever, "until > 0W+3e+06 µs"},
		{"v < 3", ever, ever},
		// Not a sum, or not one of known columns.
		{"v > w", ever, ever},
		{"unix_seconds(ts) > unix_seconds(rt)", ever, ever},
		{"ts + INTERVAL 1 MONTH > rt", ever, ever},
		{"CAST(ts AS DATE) > CAST(rt AS DATE)", ever, ever},
		{"ts + INTERVAL 1 SECOND * 2 > rt", ever, ever},
		{"ts + make_dt_interval(0, 0, 1, 30.5) > rt", "until > 1W-9.05e+07 µs", ever},
		{"greatest(ts, rt) > rt", ever, ever},
		{"rt - ts < INTERVAL 5 SECONDS", ever, ever},
		{"ts > rt OR v > 3", ever, ever},
		{"v + v > 4 AND w + v > 3", ever, ever},
		{"ts > TIMESTAMP '2024-01-01 00:00:00'", ever, ever},
		// Equal event times bound both sides.
		{"rt = ts", "until key 1", "until key 1"},
		{"rt = ts AND rt > ts - INTERVAL 5 SECONDS", "until key 1", "until key 1"},
		{"rt = ts + INTERVAL 1 SECOND", "until key 1", "until key 1"},
		{"rt + INTERVAL 1 SECOND = ts + INTERVAL 1 SECOND", ever, ever},
		{"rt <=> ts AND rt >= ts", ever, "until >= 1W+0 µs"},
	} {
		t.Run(tc.cond, func(t *testing.T) {
			n, err := analyse(newTables(t), "SELECT s.ts, r.rt FROM STREAM s WATERMARK ts DELAY OF INTERVAL 5 SECONDS JOIN STREAM r WATERMARK rt DELAY OF INTERVAL 5 SECONDS ON s.k = r.k AND "+tc.cond)
			if err != nil {
				t.Fatal(err)
			}
			p, err := planner.New(n, planner.Options{Stream: true, Fold: fold})
			if err != nil {
				t.Fatal(err)
			}
			j, ok := p.Root.(*physical.StreamJoin)
			if !ok {
				j = p.Root.Inputs()[0].(*physical.StreamJoin)
			}
			if got := j.LeftSide.Bound.String(); got != tc.left {
				t.Errorf("left rows are kept %s, want %s", got, tc.left)
			}
			if got := j.RightSide.Bound.String(); got != tc.right {
				t.Errorf("right rows are kept %s, want %s", got, tc.right)
			}
		})
	}
}

// TestBoundsToTheMillisecond cuts bounds to milliseconds as Spark does: towards 1970,
// and one less where the times may be equal.
func TestBoundsToTheMillisecond(t *testing.T) {
	of := func(ranges ...physical.RangeBound) physical.StateBound {
		return physical.StateBound{Key: -1, Ranges: ranges}
	}
	for _, tc := range []struct {
		bound   physical.StateBound
		w, want int64
	}{
		{physical.StateBound{Key: 0}, 5000, 5000},
		{of(physical.RangeBound{Times: 1}), 5000, 5000},
		{of(physical.RangeBound{Times: 1, OrEqual: true}), 5000, 4999},
		{of(physical.RangeBound{Times: 1, Offset: -3.6e9, OrEqual: true}), 3_600_000, -1},
		{of(physical.RangeBound{Times: 1, Offset: 1}), 5000, 5000},
		{of(physical.RangeBound{Times: 1, Offset: -1}), 5000, 4999},
		{of(physical.RangeBound{Times: 1, Offset: -1}), 0, 0}, // towards 1970
		{of(physical.RangeBound{Times: 1, Offset: -1001}), 0, -1},
		{of(physical.RangeBound{Times: 1, Offset: -1, OrEqual: true}), 0, -1},
		{of(physical.RangeBound{Offset: 3e6}), 1 << 40, 3000},
		{of(physical.RangeBound{Times: -1, Offset: 5e6}), 2000, 3000},
		{of(physical.RangeBound{Times: 1}, physical.RangeBound{Times: 1, Offset: -2e6, OrEqual: true}), 5000, 2999},
		{of(physical.RangeBound{Times: 1, Offset: -999}), 1_767_225_600_123, 1_767_225_600_122},
	} {
		if got := tc.bound.Watermark(tc.w); got != tc.want {
			t.Errorf("%s at %d: %d, want %d", tc.bound, tc.w, got, tc.want)
		}
	}
}

// TestJoinOutput holds the watermark behind a join back to its slower side.
func TestJoinOutput(t *testing.T) {
	j := &physical.StreamJoin{
		LeftSide:  physical.StreamSide{Bound: physical.StateBound{Key: -1, Ranges: []physical.RangeBound{{Times: 1, Offset: -5e6, OrEqual: true}}}},
		RightSide: physical.StreamSide{Bound: physical.Unbounded()},
	}
	if got := j.Output(20_000); got != 14_999 {
		t.Errorf("the join puts out %d, want 14999", got)
	}
	j.LeftSide.Bound.Ranges[0].Offset = 5e6 // ahead of the input, which holds it back
	if got := j.Output(20_000); got != 20_000 {
		t.Errorf("the join puts out %d, want 20000", got)
	}
}
