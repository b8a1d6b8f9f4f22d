package compute_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/flightd/flightd/compute"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

var inSession = append(eventful[:len(eventful):len(eventful)], expr.Field{Name: "session_window", Type: expr.TimeWindow(expr.Timestamp)})

// drawGap draws a gap: the same for all rows, or one that depends on a flag and is
// NULL or negative for some.
func drawGap(rnd *rand.Rand) (gap expr.Expr, micros func(flag any) int64) {
	long := int64(1+rnd.IntN(60)) * second / 10
	interval := func(us int64) expr.Expr { return lit(expr.CalendarInterval{Micros: us}, expr.Calendar) }
	if rnd.IntN(2) == 0 {
		return interval(long), func(any) int64 { return long }
	}
	other := []int64{-second, 0, second / 2, 20 * second}[rnd.IntN(4)]
	return call("if", expr.Calendar, column(cFlag), interval(long), interval(other)), func(flag any) int64 {
		if flag == true {
			return long
		}
		return other
	}
}

// overSessions groups in by keys and a session window.
func overSessions(in physical.Node, gap expr.Expr, keys []expr.Expr, at int, aggs []*expr.Agg, s *physical.State) *physical.Aggregate {
	own := &physical.Session{Input: in, Time: column(cTime), Gap: gap, State: s, Out: inSession}
	all := append(keys[:at:at], append([]expr.Expr{ref(inSession, len(eventful))}, keys[at:]...)...)
	if s != nil {
		s.EventKey = at
	}
	n := aggregateOf(own, all, aggs, s)
	n.Session = &physical.SessionKey{Key: at}
	return n
}

// drawSessions groups by keys and a session window.
func drawSessions(n physical.Node, rnd *rand.Rand, s *physical.State) physical.Node {
	keys, gap := groupKeys(rnd), expr.Expr(nil)
	gap, _ = drawGap(rnd)
	aggs := aggregates(rnd)
	if s != nil {
		aggs = slices.DeleteFunc(aggs, func(a *expr.Agg) bool { return a.Distinct })
	}
	return overSessions(n, gap, keys, rnd.IntN(len(keys)+1), aggs, s)
}

// TestWorkersDoNotShowInSessions is TestWorkersDoNotShow for sessions, whose order
// depends on nothing.
func TestWorkersDoNotShowInSessions(t *testing.T) {
	defer goleak.VerifyNone(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for seed := range seeds() {
		rnd := rand.New(rand.NewPCG(uint64(seed), 21))
		runtime.GOMAXPROCS([]int{1, 2, 4}[seed%3])
		inputs := []*input{drawEvents(t, rnd, rnd.IntN(600)), drawLabels(t, rnd)}
		plan := drawSessions(drawSteps(rnd), rnd, nil)
		want := plain.play(t, plan, inputs)
		for _, w := range ways() {
			got := w.play(t, plan, inputs)
			if got.metrics != want.metrics || !slices.Equal(want.rows, got.rows) {
				t.Fatalf("seed %d, %+v: metrics %s, want %s; %s\n%s", seed, w, got.metrics, want.metrics, differ(want.rows, got.rows), physical.Format(plan, nil))
			}
		}
	}
}

// TestWorkersDoNotShowInStoredSessions is TestWorkersDoNotShowInState for sessions.
func TestWorkersDoNotShowInStoredSessions(t *testing.T) {
	defer goleak.VerifyNone(t)
	for seed := range seeds() {
		rnd := rand.New(rand.NewPCG(uint64(seed), 22))
		s := inSessions([]base.OutputMode{base.Append, base.Complete}[seed%2])
		plan := drawSessions(drawSteps(rnd), rnd, s)
		const n = 4
		inputs, marks := make([][]*input, n), []int64{compute.NoWatermark, compute.NoWatermark}
		dim := drawLabels(t, rnd)
		for i := range inputs {
			inputs[i] = []*input{drawEvents(t, rnd, rnd.IntN(300)), dim}
		}
		for len(marks) <= n {
			marks = append(marks, max(marks[len(marks)-1], 0)+rnd.Int64N(600_000))
		}
		subs := []int{1, 4, 64}[rnd.IntN(3)]
		want := plain.epochs(t, plan, inputs, marks, subs)
		for _, w := range ways() {
			for i, got := range w.epochs(t, plan, inputs, marks, subs) {
				if !slices.Equal(want[i].rows, got.rows) || want[i].metrics != got.metrics {
					t.Fatalf("seed %d, %+v, epoch %d: %s\n%s\n%s", seed, w, i, differ(want[i].rows, got.rows),
						differ(strings.Split(want[i].metrics, "\n"), strings.Split(got.metrics, "\n")), physical.Format(plan, nil))
				}
			}
		}
	}
}

// naiveRow is a row of the naive sessions, with its own window.
type naiveRow struct {
	id         any
	start, end int64
	v          int64
	arrival    int
}

// naiveRows are the rows of in that have a window.
func naiveRows(in *input, micros func(flag any) int64) []naiveRow {
	var out []naiveRow
	for r := range in.cols[0].Len {
		ts, ok := cexpr.Value(in.cols[cTime], r).(int64)
		gap := micros(cexpr.Value(in.cols[cFlag], r))
		if ok && gap > 0 {
			out = append(out, naiveRow{cexpr.Value(in.cols[cID], r), ts, ts + gap, cexpr.Value(in.cols[cV], r).(int64), r})
		}
	}
	return out
}

// naiveSessions puts rows into sessions by what the word means: rows of one id whose
// windows touch are in one, and so are the rows that these touch.
func naiveSessions(rows []naiveRow) [][]naiveRow {
	in := make([]int, len(rows))
	for i := range in {
		in[i] = i
	}
	for changed := true; changed; {
		changed = false
		for i, a := range rows {
			for j, b := range rows {
				if a.id == b.id && a.start <= b.end && b.start <= a.end && in[i] != in[j] {
					in[i], in[j] = min(in[i], in[j]), min(in[i], in[j])
					changed = true
				}
			}
		}
	}
	by := map[int][]naiveRow{}
	for i, r := range rows {
		by[in[i]] = append(by[in[i]], r)
	}
	var out [][]naiveRow
	for _, s := range by {
		slices.SortStableFunc(s, func(a, b naiveRow) int {
			return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
		})
		out = append(out, s)
	}
	return out
}

// span is the window of a naive session.
func span(s []naiveRow) (start, end int64) {
	start, end = s[0].start, s[0].end
	for _, r := range s {
		start, end = min(start, r.start), max(end, r.end)
	}
	return start, end
}

func naiveText(s []naiveRow, list bool) string {
	start, end := span(s)
	sum, low, vs := int64(0), s[0].v, []any(nil)
	for _, r := range s {
		sum, low, vs = sum+r.v, min(low, r.v), append(vs, r.v)
	}
	text := fmt.Sprintf("%v | [%d %d] | %d | %d | %d", s[0].id, start, end, len(s), sum, low)
	if list {
		text += fmt.Sprintf(" | %v | %v", vs, vs[0])
	}
	return text
}

// TestSessionsEqualTheNaiveOnes: in a batch, taken in as rows come and in the order of
// time, by any number of workers.
func TestSessionsEqualTheNaiveOnes(t *testing.T) {
	for seed := range 3 * seeds() {
		rnd := rand.New(rand.NewPCG(uint64(seed), 23))
		in := drawEvents(t, rnd, rnd.IntN(160))
		gap, micros := drawGap(rnd)
		aggs := []*expr.Agg{agg("count", expr.Int64), agg("sum", expr.Int64, column(cV)), agg("min", expr.Int64, column(cV))}
		ordered := append(aggs[:3:3], agg("collect_list", intList, column(cV)), agg("first", expr.Int64, column(cV)))
		for i, aggs := range [][]*expr.Agg{aggs, ordered} {
			var want []string
			for _, s := range naiveSessions(naiveRows(in, micros)) {
				want = append(want, naiveText(s, i == 1))
			}
			slices.Sort(want)
			plan := overSessions(scanOf(0, eventful), gap, []expr.Expr{column(cID)}, 1, aggs, nil)
			for _, w := range []way{plain, {2, 8, 7}, {4, plenty, plenty}, {1, 1, 1}} {
				if got := slices.Sorted(slices.Values(w.play(t, plan, []*input{in}).rows)); !slices.Equal(got, want) {
					t.Fatalf("seed %d, %+v: %s\n%s", seed, w, differ(want, got), physical.Format(plan, nil))
				}
			}
		}
	}
}

// TestStoredSessionsEqualTheNaiveOnes: in a stream, what each epoch puts out and counts
// is what sessions made anew of all rows that are not over give.
func TestStoredSessionsEqualTheNaiveOnes(t *testing.T) {
	for seed := range 3 * seeds() {
		rnd := rand.New(rand.NewPCG(uint64(seed), 24))
		s := inSessions([]base.OutputMode{base.Append, base.Complete}[seed%2])
		gap, micros := drawGap(rnd)
		plan := overSessions(scanOf(0, eventful), gap, []expr.Expr{column(cID)}, 1,
			[]*expr.Agg{agg("count", expr.Int64), agg("sum", expr.Int64, column(cV)), agg("min", expr.Int64, column(cV))}, s)
		const n = 6
		inputs, marks := make([][]*input, n), []int64{compute.NoWatermark, compute.NoWatermark}
		for i := range inputs {
			in := drawEvents(t, rnd, rnd.IntN(60))
			inputs[i] = []*input{in}
		}
		for len(marks) <= n {
			marks = append(marks, max(marks[len(marks)-1], 0)+rnd.Int64N(400_000))
		}
		got := way{2, plenty, plenty}.epochs(t, plan, inputs, marks, 4)
		var alive []naiveRow
		for i := range inputs {
			fresh := naiveRows(inputs[i][0], micros)
			touched := map[any]bool{}
			for _, r := range fresh {
				if marks[i] == compute.NoWatermark || r.end > marks[i]*1000 {
					alive = append(alive, r)
					touched[r.id] = true
				}
			}
			var want []string
			var kept []naiveRow
			updated := 0
			for _, one := range naiveSessions(alive) {
				if touched[one[0].id] {
					updated++
				}
				_, end := span(one)
				over := s.Mode == base.Append && marks[i+1] != compute.NoWatermark && end <= marks[i+1]*1000
				if over || s.Mode == base.Complete {
					want = append(want, naiveText(one, false))
				}
				if !over {
					kept = append(kept, one...)
				}
			}
			alive = kept
			slices.Sort(want)
			if rows := slices.Sorted(slices.Values(got[i].rows)); !slices.Equal(rows, want) {
				t.Fatalf("seed %d, epoch %d: %s", seed, i, differ(want, rows))
			}
			if text := fmt.Sprintf("Total:%d Updated:%d ", len(naiveSessions(alive)), updated); !strings.Contains(got[i].metrics, text) {
				t.Fatalf("seed %d, epoch %d: %s, want %s", seed, i, got[i].metrics, text)
			}
		}
	}
}
