package compute_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/computetest"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// way is how an epoch is run: nothing of it may show.
type way struct{ workers, many, waiting int }

const plenty = 1 << 30

var plain = way{1, plenty, plenty}

// ways are all but the plain one: in the first, inputs lend their memory and have
// codes for texts, and all else is plain.
func ways() []way {
	out := []way{{1, plenty, plenty - 1}}
	for _, workers := range []int{1, 2, 4} {
		for _, many := range []int{1, 8, plenty} {
			for _, waiting := range []int{1, 7, plenty} {
				if w := (way{workers, many, waiting}); w != plain && (many != plenty || waiting == plenty) {
					out = append(out, w)
				}
			}
		}
	}
	return out
}

const hashSeed = 5

// env is the environment of an epoch over inputs, in memory of mem.
func (w way) env(inputs []*input, mem memory.Allocator) *compute.Env {
	return &compute.Env{Expr: &cexpr.Env{}, Seed: hashSeed, Workers: w.workers, ManyGroups: w.many, WaitingRows: w.waiting,
		Open: func(_ context.Context, s compute.Scan) ([]compute.Split, error) {
			in := inputs[s.Input]
			splits := in.splits(mem, s.Borrowed && w != plain)
			if s.Dictionaries && w != plain {
				return inCodes(splits, in.schema), nil
			}
			return splits, nil
		}}
}

// outcome is all that can be seen of an epoch.
type outcome struct {
	rows    []string
	metrics string
}

// drained runs a plan to its end.
func drained(ctx context.Context, plan physical.Node, env *compute.Env) (rows []string, err error) {
	op, err := compute.Build(ctx, plan, env)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := compute.Close(op); err == nil {
			err = e
		}
	}()
	for {
		b, err := op.Next(ctx)
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, textsOf(b, plan.Schema())...)
	}
}

func textsOf(b compute.Batch, s expr.Schema) []string {
	cols := make([]*vec.Vec, len(s))
	for i, f := range s {
		cols[i] = vec.FromArrow(b.Rec.Column(i), f.Type)
	}
	var out []string
	each := func(r int) {
		var parts []string
		for _, c := range cols {
			parts = append(parts, fmt.Sprint(cexpr.Value(c, r)))
		}
		out = append(out, strings.Join(parts, " | "))
	}
	if b.Sel == nil {
		for r := range int(b.Rec.NumRows()) {
			each(r)
		}
	}
	for _, r := range b.Sel {
		each(int(r))
	}
	return out
}

// play runs one epoch of a batch query.
func (w way) play(t *testing.T, plan physical.Node, inputs []*input) outcome {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	env := w.env(inputs, scribbled{mem})
	rows, err := drained(context.Background(), plan, env)
	if err != nil {
		t.Fatalf("%+v: %v", w, err)
	}
	mem.AssertSize(t, 0)
	return outcome{rows, seen(env)}
}

// seen is the metrics but for the memory.
func seen(env *compute.Env) string {
	for i := range env.Metrics.State {
		env.Metrics.State[i].Bytes = 0
	}
	return fmt.Sprintf("%v %+v %+v", env.Metrics.InputRows, env.Metrics.EventTimes, env.Metrics.State)
}

func differ(want, got []string) string {
	for i := range want {
		if i >= len(got) || want[i] != got[i] {
			return fmt.Sprintf("row %d of %d is\n  %s\nwant, of %d,\n  %s", i, len(got), strings.Join(got[min(i, len(got)):min(i+1, len(got))], ""), len(want), want[i])
		}
	}
	return fmt.Sprintf("%d rows, want %d", len(got), len(want))
}

var plans = flag.Int("plans", 24, "number of plans that the tests of workers draw")

// seeds is how many cases a test draws.
func seeds() int {
	if testing.Short() {
		return *plans / 4
	}
	return *plans
}

// TestWorkersDoNotShow draws plans and inputs: each way of running them gives the
// rows of the plain one, to the bit. The order of groups may depend on how many
// are many, and on nothing else; that of other rows on nothing.
func TestWorkersDoNotShow(t *testing.T) {
	defer goleak.VerifyNone(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for seed := range seeds() {
		rnd := rand.New(rand.NewPCG(uint64(seed), 1))
		runtime.GOMAXPROCS([]int{1, 2, 4}[seed%3])
		inputs := []*input{drawEvents(t, rnd, rnd.IntN(600)), drawLabels(t, rnd)}
		plan := drawPlan(rnd)
		want := plain.play(t, plan, inputs)
		inOrder := map[int][]string{plenty: want.rows}
		_, grouped := plan.(*physical.Aggregate)
		for _, w := range ways() {
			got := w.play(t, plan, inputs)
			if got.metrics != want.metrics {
				t.Fatalf("seed %d, %+v: metrics %s, want %s\n%s", seed, w, got.metrics, want.metrics, physical.Format(plan, nil))
			}
			if inOrder[w.many] == nil && grouped {
				inOrder[w.many] = got.rows
			}
			order := inOrder[w.many]
			if !grouped {
				order = want.rows
			}
			if !slices.Equal(order, got.rows) {
				t.Fatalf("seed %d, %+v: %s\n%s", seed, w, differ(order, got.rows), physical.Format(plan, nil))
			}
			if a, b := slices.Sorted(slices.Values(want.rows)), slices.Sorted(slices.Values(got.rows)); !slices.Equal(a, b) {
				t.Fatalf("seed %d, %+v: %s\n%s", seed, w, differ(a, b), physical.Format(plan, nil))
			}
		}
	}
}

// epochs plays a query over several epochs, and returns what can be seen of each:
// rows, metrics, and what its changelog leaves in another store.
func (w way) epochs(t *testing.T, plan physical.Node, inputs [][]*input, marks []int64, subs int) []outcome {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	stores := make([]state.Store, 2)
	for i := range stores {
		var err error
		if stores[i], err = state.NewMemory(state.Config{Seed: hashSeed, SubTables: subs}); err != nil {
			t.Fatal(err)
		}
	}
	var out []outcome
	for i, in := range inputs {
		env := w.env(in, scribbled{mem})
		env.Store = stores[0]
		env.Late, env.Evict = []int64{marks[i]}, []int64{marks[i+1]}
		rows, err := drained(context.Background(), plan, env)
		if err != nil {
			t.Fatalf("%+v: epoch %d: %v", w, i, err)
		}
		changes, err := stores[0].Commit(base.Epoch(i))
		if err != nil {
			t.Fatal(err)
		}
		if err := stores[1].Apply(base.Epoch(i), changes); err != nil {
			t.Fatal(err)
		}
		out = append(out, outcome{rows, seen(env) + contents(t, stores[1])})
	}
	mem.AssertSize(t, 0)
	return out
}

// contents is the rows of all tables as text, in their order.
func contents(t *testing.T, s state.Store) string {
	var out strings.Builder
	for _, table := range s.Tables() {
		refs := table.Scan()
		fmt.Fprintf(&out, "\n%v: %d rows", table.ID(), len(refs))
		var cols []state.Vector
		for i := range table.Schema().Keys {
			v, err := table.Key(i, refs)
			if err != nil {
				t.Fatal(err)
			}
			cols = append(cols, v)
		}
		for i := range table.Schema().Values {
			v, err := table.Value(i, refs)
			if err != nil {
				t.Fatal(err)
			}
			cols = append(cols, v)
		}
		for r := range refs {
			out.WriteString("\n ")
			for c := range cols {
				if cols[c].IsValid(r) {
					fmt.Fprintf(&out, " %s", cell(&cols[c], r))
				} else {
					out.WriteString(" NULL")
				}
			}
		}
	}
	return out.String()
}

func cell(v *state.Vector, r int) string {
	if v.Off != nil {
		return fmt.Sprintf("%q", v.At(r))
	}
	if v.Kind == state.Bool {
		return fmt.Sprint(v.Data[r>>3] >> (r & 7) & 1)
	}
	width := len(v.Data) / v.Len
	return fmt.Sprintf("%x", v.Data[r*width:(r+1)*width])
}

// TestWorkersDoNotShowInState does the same with deduplication and aggregates over several
// epochs: rows come in the same order too, and metrics and changelogs agree.
func TestWorkersDoNotShowInState(t *testing.T) {
	defer goleak.VerifyNone(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for seed := range seeds() {
		rnd := rand.New(rand.NewPCG(uint64(seed), 2))
		runtime.GOMAXPROCS([]int{1, 2, 4}[seed%3])
		s := &physical.State{Name: "stateStoreSave", Mode: []base.OutputMode{base.Update, base.Append, base.Complete}[seed%3], EventKey: -1}
		plan := drawSteps(rnd)
		if rnd.IntN(3) == 0 {
			s.Mode = base.Append
			plan = drawDedup(plan, rnd, s)
		} else if rnd.IntN(3) == 0 && s.Mode != base.Append {
			plan = aggregateOf(plan, groupKeys(rnd), aggregates(rnd), s)
		} else {
			plan = drawWindows(plan, rnd, s)
		}
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
				if !slices.Equal(want[i].rows, got.rows) {
					t.Fatalf("seed %d, %+v, epoch %d: %s\n%s", seed, w, i, differ(want[i].rows, got.rows), physical.Format(plan, nil))
				}
				if want[i].metrics != got.metrics {
					t.Fatalf("seed %d, %+v, epoch %d: %s\n%s", seed, w, i,
						differ(strings.Split(want[i].metrics, "\n"), strings.Split(got.metrics, "\n")), physical.Format(plan, nil))
				}
			}
		}
	}
}

// Equal numbers of different signs do not swap because their panes do.
func TestExtremesOfSlidingWindowsKeepTheFirstZero(t *testing.T) {
	in := inputOf(t, eventful, 3, func(row, c int) any {
		switch c {
		case cTime:
			return []int64{6, 1, 6}[row] * second
		case cX:
			return []float64{5, math.Copysign(0, -1), 0}[row]
		}
		return nil
	})
	out := append(append(expr.Schema(nil), eventful...), expr.Field{Name: "window", Type: expr.TimeWindow(expr.Timestamp), Nullable: true})
	plan := aggregateOf(&physical.Window{Input: scanOf(0, eventful), Time: column(cTime), Duration: 10 * second, Slide: 5 * second, Out: out},
		[]expr.Expr{ref(out, len(eventful))}, []*expr.Agg{agg("min", expr.Float64, column(cX))}, nil)
	got := plain.play(t, plan, []*input{in}).rows
	want := []string{"[5000000 15000000] | 0", "[0 10000000] | -0", "[-5000000 5000000] | -0"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOverflowDoesNotShowWorkers adds numbers that overflow in one order and not
// in another, and becomes NULL then: the order is always that of one worker.
func TestOverflowDoesNotShowWorkers(t *testing.T) {
	wide := expr.Decimal(38, 0)
	schema := computetest.Schema("id", expr.Int64, "v", expr.Int64, "dec", wide, "ts", expr.Timestamp, "span", expr.DayTime)
	const splits, rows = 6, 40
	rnd := rand.New(rand.NewPCG(3, 3))
	half, _ := decimal128.GetMaxValue(38).Div(decimal128.FromI64(2))
	in := inputOf(t, schema, splits*rows, func(row, c int) any {
		sign := []int64{1, -1, 0, 0, 0, 0, 0, 0, 0, 0}[rnd.IntN(10)]
		switch c {
		case 0:
			return rnd.Int64N(12)
		case 2:
			return half.Mul(decimal128.FromI64(sign))
		case 3:
			return int64(row) * 2 * second
		}
		return sign * (math.MaxInt64/2 + rnd.Int64N(1000))
	})
	in.cuts = slices.Repeat([][]int{{rows / 4, rows / 4, rows / 2}}, splits)
	decimals := func(fn string, typ *expr.Type, c int) *expr.Agg {
		a := agg(fn, typ, ref(schema, c))
		a.Mode = expr.Legacy
		return a
	}
	aggs := []*expr.Agg{decimals("try_sum", expr.Int64, 1), decimals("sum", wide, 2), decimals("try_sum", expr.DayTime, 4), decimals("avg", expr.Decimal(38, 4), 2)}
	out := append(append(expr.Schema(nil), schema...), expr.Field{Name: "window", Type: expr.TimeWindow(expr.Timestamp), Nullable: true})
	scan := scanOf(0, schema)
	sliding := &physical.Window{Input: scan, Time: ref(schema, 3), Duration: 60 * second, Slide: 20 * second, Out: out}
	for _, plan := range []physical.Node{
		aggregateOf(scan, []expr.Expr{ref(schema, 0)}, aggs, nil),
		aggregateOf(sliding, []expr.Expr{ref(out, 5)}, aggs[1:2], nil),
		aggregateOf(sliding, []expr.Expr{ref(schema, 0), ref(out, 5)}, aggs, nil),
	} {
		want := plain.play(t, plan, []*input{in}).rows
		if text := strings.Join(want, "\n"); !strings.Contains(text, "<nil>") || !strings.Contains(text, "{") {
			t.Errorf("not some sums overflow, and some do not:\n%s", text)
		}
		slices.Sort(want)
		for _, w := range ways() {
			if got := w.play(t, plan, []*input{in}).rows; !slices.Equal(slices.Sorted(slices.Values(got)), want) {
				t.Errorf("%+v: %s", w, differ(want, slices.Sorted(slices.Values(got))))
			}
		}
	}
}

// TestRandomNumbersDoNotShowWorkers groups by random numbers and adds them up.
func TestRandomNumbersDoNotShowWorkers(t *testing.T) {
	in := drawEvents(t, rand.New(rand.NewPCG(3, 4)), 500)
	in.cuts = slices.Repeat([][]int{{50, 50}}, 5)
	random := func() expr.Expr { return call("rand", expr.Float64, lit(7, expr.Int64)) }
	few := call("<", expr.Bool, random(), lit(0.5, expr.Float64))
	for _, plan := range []physical.Node{
		aggregateOf(scanOf(0, eventful), []expr.Expr{column(cSmall)}, []*expr.Agg{agg("sum", expr.Float64, random())}, nil),
		aggregateOf(scanOf(0, eventful), []expr.Expr{few}, []*expr.Agg{agg("sum", expr.Int64, column(cV))}, nil),
		&physical.Filter{Input: scanOf(0, eventful), Cond: few},
	} {
		want := plain.play(t, plan, []*input{in}).rows
		for range 5 {
			w := way{4, plenty, plenty}
			if got := w.play(t, plan, []*input{in}).rows; !slices.Equal(got, want) {
				t.Errorf("%+v: %s", w, differ(want, got))
			}
		}
	}
}
