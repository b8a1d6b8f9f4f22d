package compute_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/computetest"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// sideEvents are the columns of both sides in the written cases.
var sideEvents = computetest.Schema("k", expr.Int64, "v", expr.String, "ts", expr.Timestamp)

func sided(k, v any, s float64) row { return row{k, v, at(s)} }

// within is right.ts BETWEEN left.ts AND left.ts + µs, and the bounds that follow.
func within(j *physical.StreamJoin, us int64) {
	left, right := ref(sideEvents, 2), &expr.Ref{Index: 5, Name: "ts", Typ: expr.Timestamp, Null: true}
	later := &expr.Call{Fn: "+", Args: []expr.Expr{left, &expr.Literal{Value: us, Typ: expr.DayTime}}, Typ: expr.Timestamp, Null: true}
	j.Cond = expr.And([]expr.Expr{computetest.Call(">=", expr.Bool, right, left), computetest.Call("<=", expr.Bool, right, later)})
	j.LeftSide.Bound.Ranges = []physical.RangeBound{{Times: 1, Offset: -float64(us), OrEqual: true}}
	j.RightSide.Bound.Ranges = []physical.RangeBound{{Times: 1, OrEqual: true}}
}

// streamJoinOf joins two inputs of sideEvents on k.
func streamJoinOf(kind physical.JoinKind, change func(j *physical.StreamJoin)) func(in []physical.Node) physical.Node {
	return func(in []physical.Node) physical.Node {
		side := func() physical.StreamSide {
			return physical.StreamSide{Columns: []int{0, 1, 2}, EventColumn: 2, Bound: physical.Unbounded()}
		}
		j := &physical.StreamJoin{Left: in[0], Right: in[1], Kind: kind, NullSafe: []bool{false}, LeftSide: side(), RightSide: side(),
			LeftKeys: []expr.Expr{ref(sideEvents, 0)}, RightKeys: []expr.Expr{ref(sideEvents, 0)}, State: &physical.State{Mode: base.Append, EventKey: -1}}
		j.Out = append(append(expr.Schema(nil), sideEvents...), sideEvents...)
		if kind == physical.LeftSemi {
			j.Out, j.RightSide.Columns = sideEvents, nil
		}
		change(j)
		return j
	}
}

func pairOf(l, r row) row { return append(append(row(nil), l...), r...) }

var nobody = row{nil, nil, nil}

// The partners of a row come out in their order; a row joined below its bound is not
// kept; a left row is kept even then, for the right ones of its epoch.
func TestStreamJoinByTime(t *testing.T) {
	a, b, c, d := sided(1, "a", 10), sided(1, "b", 11), sided(2, "c", 12), sided(1, "d", 30)
	p, q, r, s := sided(1, "p", 12), sided(1, "q", 13), sided(3, "r", 14), sided(1, "s", 31)
	inputs := []expr.Schema{sideEvents, sideEvents}
	range5 := func(j *physical.StreamJoin) { within(j, 5_000_000) }
	computetest.Run(t, computetest.Case{Inputs: inputs, Plan: streamJoinOf(physical.Inner, range5), Epochs: []computetest.Epoch{
		{In: []rows{{a, b, c}, {p}}, Want: rows{pairOf(a, p), pairOf(b, p)}, State: metrics(4, 4, 0, 0, 0)},
		{In: []rows{nil, {q, r}}, Want: rows{pairOf(a, q), pairOf(b, q)}, State: metrics(6, 2, 0, 0, 0)},
		{In: []rows{nil, nil}, Late: 1, Evict: 16_000, State: metrics(2, 0, 4, 0, 0)},
		// e is late by its own time, f comes for c's sake only.
		{In: []rows{{d, sided(1, "e", 16)}, {s, sided(2, "f", 16.5)}}, Late: 16_000, Evict: 17_000, Want: rows{pairOf(d, s), pairOf(c, sided(2, "f", 16.5))},
			State: []compute.StateMetrics{{Total: 3, Updated: 2, Removed: 1, Dropped: 1, LateRows: 1}}},
	}})
}

// Golden same_epoch_late, in short.
func TestStreamJoinKeepsLeftRowsForTheirEpoch(t *testing.T) {
	ahead := func(j *physical.StreamJoin) { // left.ts > right.ts + 5 s
		left, right := ref(sideEvents, 2), &expr.Ref{Index: 5, Name: "ts", Typ: expr.Timestamp, Null: true}
		later := &expr.Call{Fn: "+", Args: []expr.Expr{right, &expr.Literal{Value: int64(5_000_000), Typ: expr.DayTime}}, Typ: expr.Timestamp, Null: true}
		j.Cond = computetest.Call(">", expr.Bool, left, later)
		j.LeftSide.Bound.Ranges = []physical.RangeBound{{Times: 1, Offset: 5_000_000}}
	}
	a, b, p := sided(1, "a", 14), sided(1, "b", 13), sided(1, "p", 8.5)
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{sideEvents, sideEvents}, Plan: streamJoinOf(physical.LeftOuter, ahead), Epochs: []computetest.Epoch{
		{In: []rows{{a, b}, {p}}, Late: 8_000, Evict: 9_000, Want: rows{pairOf(a, p), pairOf(b, nobody)}, State: metrics(1, 3, 2, 0, 0)},
	}})
}

func TestStreamJoinOuter(t *testing.T) {
	a, b, n := sided(1, "a", 10), sided(2, "b", 20), sided(nil, "n", 11)
	p, q, m := sided(1, "p", 10), sided(3, "q", 21), sided(nil, "m", 12)
	inputs := []expr.Schema{sideEvents, sideEvents}
	range5 := func(j *physical.StreamJoin) { within(j, 5_000_000) }
	last := []rows{nil, nil}
	computetest.Run(t, computetest.Case{Inputs: inputs, Plan: streamJoinOf(physical.LeftOuter, range5), Epochs: []computetest.Epoch{
		{In: []rows{{a, b, n}, nil}, State: metrics(3, 3, 0, 0, 0)},
		{In: []rows{nil, {p, q, m}}, Want: rows{pairOf(a, p)}, State: metrics(6, 3, 0, 0, 0)},
		{In: last, Late: 1, Evict: 19_000, Want: rows{pairOf(n, nobody)}, State: metrics(2, 0, 4, 0, 0)},
		{In: last, Late: 1, Evict: 40_000, Want: rows{pairOf(b, nobody)}, State: metrics(0, 0, 2, 0, 0)},
	}})
	computetest.Run(t, computetest.Case{Inputs: inputs, Plan: streamJoinOf(physical.RightOuter, range5), Epochs: []computetest.Epoch{
		{In: []rows{nil, {p, q, m}}, State: metrics(3, 3, 0, 0, 0)},
		{In: []rows{{a, b, n}, nil}, Want: rows{pairOf(a, p)}, State: metrics(6, 3, 0, 0, 0)},
		{In: last, Late: 1, Evict: 13_000, Want: rows{pairOf(nobody, m)}, State: metrics(4, 0, 2, 0, 0)},
		{In: last, Late: 1, Evict: 40_000, Want: rows{pairOf(nobody, q)}, State: metrics(0, 0, 4, 0, 0)},
	}})
	// NULL keys are one key in a full join.
	computetest.Run(t, computetest.Case{Inputs: inputs, Plan: streamJoinOf(physical.FullOuter, range5), Epochs: []computetest.Epoch{
		{In: []rows{{a, b, n}, {p, q, m}}, Want: rows{pairOf(a, p), pairOf(n, m)}, State: metrics(6, 6, 0, 0, 0)},
		{In: last, Late: 1, Evict: 40_000, Want: rows{pairOf(b, nobody), pairOf(nobody, q)}, State: metrics(0, 0, 6, 0, 0)},
	}})
}

// A row that fails the condition of its own side is never kept, and comes out at once
// where its side is preserved.
func TestStreamJoinOwnCondition(t *testing.T) {
	a, b, c := sided(1, "a", 10), sided(1, "", 11), sided(1, "c", 12)
	p := sided(1, "p", 12)
	filtered := func(j *physical.StreamJoin) {
		within(j, 5_000_000)
		j.LeftSide.Filter = computetest.Call(">", expr.Bool, ref(sideEvents, 1), &expr.Literal{Value: "", Typ: expr.String})
	}
	inputs := []expr.Schema{sideEvents, sideEvents}
	computetest.Run(t, computetest.Case{Inputs: inputs, Plan: streamJoinOf(physical.LeftOuter, filtered), Epochs: []computetest.Epoch{
		{In: []rows{nil, {p}}, State: metrics(1, 1, 0, 0, 0)},
		{In: []rows{{a, b, c}, nil}, Want: rows{pairOf(a, p), pairOf(b, nobody), pairOf(c, p)}, State: metrics(3, 2, 0, 0, 0)},
	}})
	computetest.Run(t, computetest.Case{Inputs: inputs, Plan: streamJoinOf(physical.Inner, filtered), Epochs: []computetest.Epoch{
		{In: []rows{{a, b, c}, {p}}, Want: rows{pairOf(a, p), pairOf(c, p)}, State: metrics(3, 3, 0, 0, 0)},
	}})
}

// Golden semi_once: a left row comes once, and is forgotten with that.
func TestStreamJoinSemi(t *testing.T) {
	a, b, c := sided(1, "a", 10), sided(1, "b", 11), sided(2, "c", 12)
	p, q := sided(1, "p", 12), sided(1, "q", 13)
	computetest.Run(t, computetest.Case{Inputs: []expr.Schema{sideEvents, sideEvents},
		Plan: streamJoinOf(physical.LeftSemi, func(j *physical.StreamJoin) { within(j, 5_000_000) }), Epochs: []computetest.Epoch{
			{In: []rows{{a, c}, nil}, State: metrics(2, 2, 0, 0, 0)},
			{In: []rows{{b}, {p, q}}, Want: rows{a, b}, State: metrics(3, 2, 1, 0, 0)},
			{In: []rows{{sided(1, "d", 12)}, nil}, Want: rows{sided(1, "d", 12)}, State: metrics(3, 0, 0, 0, 0)},
		}})
}

// drawnJoin is a random join of two streams of eventful, and what it means, row by row.
type drawnJoin struct {
	node *physical.StreamJoin
	// keys are columns that must be equal; before and after are how far, in µs, the right
	// time may lie before and after the left one; byKey says that the times are keys.
	keys          []int
	before, after int64
	ranged, byKey bool
	filterLeft    bool
	filterRight   bool
	compare       bool
}

func drawJoin(rnd *rand.Rand) *drawnJoin {
	d := &drawnJoin{keys: [][]int{{cSmall}, {cName}, {cSmall, cName}, {cText}, {cList}, {cSmall, cFlag}}[rnd.IntN(6)], ranged: rnd.IntN(4) > 0,
		before: rnd.Int64N(3) * second, after: rnd.Int64N(6) * second, filterLeft: rnd.IntN(3) == 0, filterRight: rnd.IntN(3) == 0, compare: rnd.IntN(2) == 0}
	if rnd.IntN(4) == 0 {
		d.keys, d.byKey, d.ranged = append(slices.Clone(d.keys), cTime), true, false
	}
	kind := []physical.JoinKind{physical.Inner, physical.LeftOuter, physical.RightOuter, physical.FullOuter, physical.LeftSemi}[rnd.IntN(5)]
	j := &physical.StreamJoin{Left: scanOf(0, eventful), Right: scanOf(1, eventful), Kind: kind, State: &physical.State{Name: "symmetricHashJoin", EventKey: -1}}
	d.node = j
	safe := rnd.IntN(4) == 0
	for _, k := range d.keys {
		j.LeftKeys, j.RightKeys, j.NullSafe = append(j.LeftKeys, column(k)), append(j.RightKeys, column(k)), append(j.NullSafe, safe)
	}
	for _, s := range []*physical.StreamSide{&j.LeftSide, &j.RightSide} {
		*s = physical.StreamSide{EventColumn: cTime, Bound: physical.Unbounded()}
		if rnd.IntN(6) == 0 {
			s.EventColumn = -1
		}
		for c := range eventful {
			if rnd.IntN(2) == 0 {
				s.Columns = append(s.Columns, c)
			}
		}
	}
	if d.byKey {
		j.LeftSide.Bound.Key, j.RightSide.Bound.Key = len(d.keys)-1, len(d.keys)-1
	}
	width := len(eventful)
	other := func(c int) expr.Expr {
		return &expr.Ref{Index: width + c, Name: eventful[c].Name, Typ: eventful[c].Type, Null: true}
	}
	var cond []expr.Expr
	if d.ranged {
		moved := func(us int64) expr.Expr {
			return &expr.Call{Fn: "+", Args: []expr.Expr{column(cTime), &expr.Literal{Value: us, Typ: expr.DayTime}}, Typ: expr.Timestamp, Null: true}
		}
		cond = append(cond, computetest.Call(">=", expr.Bool, other(cTime), moved(-d.before)), computetest.Call("<=", expr.Bool, other(cTime), moved(d.after)))
		if j.LeftSide.EventColumn >= 0 && j.RightSide.EventColumn >= 0 {
			j.LeftSide.Bound.Ranges = []physical.RangeBound{{Times: 1, Offset: -float64(d.after), OrEqual: true}}
			j.RightSide.Bound.Ranges = []physical.RangeBound{{Times: 1, Offset: -float64(d.before), OrEqual: true}}
		}
	}
	if d.compare {
		cond = append(cond, computetest.Call("<", expr.Bool, column(cV), other(cV)))
	}
	j.Cond = expr.And(cond)
	positive := computetest.Call(">", expr.Bool, column(cV), &expr.Literal{Value: int64(-300_000), Typ: expr.Int64})
	if d.filterLeft {
		j.LeftSide.Filter = positive
	}
	if d.filterRight {
		j.RightSide.Filter = positive
	}
	if kind == physical.LeftSemi {
		j.RightSide.Columns = nil
	}
	for _, c := range j.LeftSide.Columns {
		j.Out = append(j.Out, eventful[c])
	}
	for _, c := range j.RightSide.Columns {
		j.Out = append(j.Out, eventful[c])
	}
	return d
}

// modelRow is a row as the loop knows it.
type modelRow struct {
	vals    []any
	matched bool
	gone    bool
}

// model is a join, played row by row as §9 of the semantics says.
type model struct {
	*drawnJoin
	sides [2][]*modelRow
	out   []string
	// what the metrics should say
	updated, removed, dropped int64
	epoch                     map[*modelRow]bool
}

func (m *model) preserved(side int) bool {
	k := m.node.Kind
	return k == physical.FullOuter || k == physical.LeftOuter && side == 0 || k == physical.RightOuter && side == 1
}

func (m *model) put(left, right *modelRow) {
	var parts []string
	for i, s := range []physical.StreamSide{m.node.LeftSide, m.node.RightSide} {
		r := []*modelRow{left, right}[i]
		for _, c := range s.Columns {
			if r == nil {
				parts = append(parts, fmt.Sprint(nil))
			} else {
				parts = append(parts, fmt.Sprint(r.vals[c]))
			}
		}
	}
	m.out = append(m.out, strings.Join(parts, " | "))
}

func (m *model) pair(side int, r, kept *modelRow) bool {
	left, right := r, kept
	if side == 1 {
		left, right = kept, r
	}
	for i, k := range m.keys {
		l, r := left.vals[k], right.vals[k]
		if (l == nil || r == nil) && !(l == nil && r == nil && (m.node.NullSafe[i] || m.node.Kind == physical.FullOuter)) || fmt.Sprint(l) != fmt.Sprint(r) {
			return false
		}
	}
	if m.ranged {
		lt, rt := left.vals[cTime], right.vals[cTime]
		if lt == nil || rt == nil || rt.(int64) < lt.(int64)-m.before || rt.(int64) > lt.(int64)+m.after {
			return false
		}
	}
	return !m.compare || left.vals[cV].(int64) < right.vals[cV].(int64)
}

// due reports whether a row's time is at or before the bound of its side.
func (m *model) due(side int, r *modelRow, evict int64) bool {
	s := []physical.StreamSide{m.node.LeftSide, m.node.RightSide}[side]
	ts, ok := r.vals[cTime].(int64)
	return ok && evict != compute.NoWatermark && s.Bound.Bounded() && ts <= s.Bound.Watermark(evict)*1000
}

func (m *model) play(in [2][]*modelRow, late, evict int64) {
	m.out, m.updated, m.removed, m.dropped, m.epoch = nil, 0, 0, 0, map[*modelRow]bool{}
	semi := m.node.Kind == physical.LeftSemi
	for side, list := range in {
		s := []physical.StreamSide{m.node.LeftSide, m.node.RightSide}[side]
		for _, r := range list {
			if ts, ok := r.vals[cTime].(int64); ok && s.EventColumn >= 0 && late != compute.NoWatermark && ts <= late*1000 {
				m.dropped++
				continue
			}
			if s.Filter != nil && r.vals[cV].(int64) <= -300_000 {
				if m.preserved(side) {
					m.show(side, r, nil)
				}
				continue
			}
			m.meet(side, r, semi)
			if semi && side == 0 && r.matched || side == 1 && m.due(1, r, evict) && (r.matched || !m.preserved(1)) {
				continue
			}
			m.sides[side] = append(m.sides[side], r)
			m.epoch[r] = true
			m.updated++
		}
	}
	for side := range m.sides {
		var kept []*modelRow
		for _, r := range m.sides[side] {
			if r.gone {
				continue
			}
			if !m.due(side, r, evict) {
				kept = append(kept, r)
				continue
			}
			m.removed++
			if m.preserved(side) && !r.matched {
				m.show(side, r, nil)
			}
		}
		m.sides[side] = kept
	}
}

func (m *model) show(side int, r, other *modelRow) {
	if side == 0 {
		m.put(r, other)
	} else {
		m.put(other, r)
	}
}

// meet finds the partners of a row among the kept ones, in the order in which they
// came.
func (m *model) meet(side int, r *modelRow, semi bool) {
	kept := m.sides[1-side]
	for _, k := range kept {
		if k.gone || !m.pair(side, r, k) {
			continue
		}
		r.matched, k.matched = true, true
		switch {
		case semi && side == 0:
			m.put(r, nil)
			return
		case semi:
			m.put(k, nil)
			if k.gone = true; m.epoch[k] {
				m.updated--
			} else {
				m.removed++
			}
		default:
			m.show(side, r, k)
		}
	}
}

// TestStreamJoinsAreThoseOfALoop draws joins and rows: each way of running them gives
// the rows, their order, the counts and the state that a loop over the rows gives.
func TestStreamJoinsAreThoseOfALoop(t *testing.T) {
	defer goleak.VerifyNone(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for seed := range seeds() {
		rnd := rand.New(rand.NewPCG(uint64(seed), 5))
		runtime.GOMAXPROCS([]int{1, 2, 4}[seed%3])
		d := drawJoin(rnd)
		m := &model{drawnJoin: d}
		const n = 4
		inputs, marks := make([][]*input, n), []int64{compute.NoWatermark, compute.NoWatermark}
		for i := range inputs {
			inputs[i] = []*input{drawEvents(t, rnd, rnd.IntN(150)), drawEvents(t, rnd, rnd.IntN(150))}
		}
		for len(marks) <= n {
			marks = append(marks, max(marks[len(marks)-1], 0)+rnd.Int64N(600_000))
		}
		subs := []int{1, 4, 64}[rnd.IntN(3)]
		var want []outcome
		for i, in := range inputs {
			m.play([2][]*modelRow{modelRows(in[0]), modelRows(in[1])}, marks[i], marks[i+1])
			want = append(want, outcome{m.out, fmt.Sprint(len(m.sides[0])+len(m.sides[1]), m.updated, m.removed, m.dropped)})
		}
		first := plain.joinEpochs(t, d.node, inputs, marks, subs)
		for i, got := range first {
			if !slices.Equal(want[i].rows, got.rows) {
				t.Fatalf("seed %d, epoch %d: %s\n%s", seed, i, differ(want[i].rows, got.rows), physical.Format(d.node, nil))
			}
			if counts, _, _ := strings.Cut(got.metrics, "\n"); counts != want[i].metrics {
				t.Fatalf("seed %d, epoch %d: counts %s, want %s\n%s", seed, i, counts, want[i].metrics, physical.Format(d.node, nil))
			}
		}
		for _, w := range ways() {
			for i, got := range w.joinEpochs(t, d.node, inputs, marks, []int{1, 4, 64}[rnd.IntN(3)]) {
				if !slices.Equal(first[i].rows, got.rows) {
					t.Fatalf("seed %d, %+v, epoch %d: %s\n%s", seed, w, i, differ(first[i].rows, got.rows), physical.Format(d.node, nil))
				}
				if first[i].metrics != got.metrics {
					t.Fatalf("seed %d, %+v, epoch %d: %s\n%s", seed, w, i, differ(strings.Split(first[i].metrics, "\n"), strings.Split(got.metrics, "\n")), physical.Format(d.node, nil))
				}
			}
		}
	}
}

func modelRows(in *input) []*modelRow {
	out := make([]*modelRow, in.cols[0].Len)
	for i := range out {
		out[i] = &modelRow{}
		for _, c := range in.cols {
			out[i].vals = append(out[i].vals, cexpr.Value(c, i))
		}
	}
	return out
}

// joinEpochs plays a join over several epochs, each over a store that was restored
// from the changes of those before.
func (w way) joinEpochs(t *testing.T, plan *physical.StreamJoin, inputs [][]*input, marks []int64, subs int) []outcome {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	var log [][]byte
	restored := func() state.Store {
		s, err := state.NewMemory(state.Config{Seed: hashSeed, SubTables: subs})
		if err != nil {
			t.Fatal(err)
		}
		for i, changes := range log {
			if err := s.Apply(base.Epoch(i), changes); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	store := restored()
	var out []outcome
	for i, in := range inputs {
		if w.waiting != 7 { // go on with the store as it is, or with a new one
			store = restored()
		}
		env := w.env(in, scribbled{mem})
		env.Store, env.ManyPairs = store, w.many
		env.Late, env.Evict = []int64{marks[i]}, []int64{marks[i+1]}
		rows, err := drained(context.Background(), plan, env)
		if err != nil {
			t.Fatalf("%+v: epoch %d: %v", w, i, err)
		}
		changes, err := store.Commit(base.Epoch(i))
		if err != nil {
			t.Fatal(err)
		}
		log = append(log, changes)
		s := env.Metrics.State[0]
		if s.Unaccounted() != 0 {
			t.Fatalf("%+v: epoch %d: %+v", w, i, s)
		}
		counts := fmt.Sprint(s.Total, s.Updated, s.Removed, s.Dropped)
		out = append(out, outcome{rows, counts + "\n" + seen(env) + contents(t, restored())})
	}
	mem.AssertSize(t, 0)
	return out
}

// A key that all rows have makes as many pairs as there are, and holds no more of them
// than a few record batches.
func TestStreamJoinHotKey(t *testing.T) {
	const kept, read = 100_000, 40
	row := func(i, c int) any {
		switch c {
		case 0:
			return int64(7)
		case 1:
			return "a text that is not short"
		}
		return int64(i)
	}
	plan := streamJoinOf(physical.Inner, func(*physical.StreamJoin) {})([]physical.Node{scanOf(0, sideEvents), scanOf(1, sideEvents)})
	store, err := state.NewMemory(state.Config{Seed: hashSeed})
	if err != nil {
		t.Fatal(err)
	}
	run := func(left, right, epoch int) (pairs int) {
		in := []*input{inputOf(t, sideEvents, left, row), inputOf(t, sideEvents, right, row)}
		env := way{workers: 2}.env(in, memory.NewGoAllocator())
		env.Store = store
		op, err := compute.Build(context.Background(), plan, env)
		if err != nil {
			t.Fatal(err)
		}
		defer compute.Close(op)
		for {
			b, err := op.Next(context.Background())
			if err != nil {
				break
			}
			if b.Live() > compute.BatchRows {
				t.Fatalf("a record batch of %d pairs", b.Live())
			}
			pairs += b.Live()
		}
		if _, err := store.Commit(base.Epoch(epoch)); err != nil {
			t.Fatal(err)
		}
		return pairs
	}
	if n := run(0, kept, 0); n != 0 {
		t.Fatalf("%d pairs of nothing", n)
	}
	if n := run(read, 0, 1); n != kept*read {
		t.Fatalf("%d pairs, want %d", n, kept*read)
	}
}
