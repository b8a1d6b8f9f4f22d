package compute_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// A trap goes off when its split is opened, or when its nth batch is asked for.
type trap struct {
	input, split int
	open         bool
	batch        int
	off          func() error
}

// trapped is a way of running over readers that dawdle and have traps.
type trapped struct {
	way
	traps []trap
	calls atomic.Int64
	// atCall, if set, is told of each call of a reader.
	atCall func(n int64)
}

func (w *trapped) env(inputs []*input, mem memory.Allocator) *compute.Env {
	env := w.way.env(inputs, mem)
	open := env.Open
	env.Open = func(ctx context.Context, s compute.Scan) ([]compute.Split, error) {
		splits, err := open(ctx, s)
		for i, split := range splits {
			splits[i] = func(ctx context.Context) (compute.RowReader, error) {
				w.called()
				for _, t := range w.traps {
					if t.input == s.Input && t.split == i && t.open {
						if err := t.off(); err != nil {
							return nil, err
						}
					}
				}
				r, err := split(ctx)
				return &trappedReader{w: w, RowReader: r, input: s.Input, split: i}, err
			}
		}
		return splits, err
	}
	return env
}

func (w *trapped) called() {
	if n := w.calls.Add(1); w.atCall != nil {
		w.atCall(n)
	}
	if rand.IntN(4) == 0 {
		time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
	}
}

type trappedReader struct {
	compute.RowReader
	w            *trapped
	input, split int
	batch        int
}

func (r *trappedReader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	r.w.called()
	for _, t := range r.w.traps {
		if t.input == r.input && t.split == r.split && !t.open && t.batch == r.batch {
			if err := t.off(); err != nil {
				return nil, err
			}
		}
	}
	r.batch++
	return r.RowReader.Next(ctx)
}

// even is an input of ten splits of six batches each.
func even(t *testing.T) *input {
	in := drawEvents(t, rand.New(rand.NewPCG(1, 2)), 600)
	in.cuts = nil
	for range 10 {
		in.cuts = append(in.cuts, []int{10, 10, 10, 10, 10, 10})
	}
	return in
}

// shapes are plans over events and labels that take all ways through the workers.
func shapes() map[string]physical.Node {
	rnd := rand.New(rand.NewPCG(1, 3))
	scan := scanOf(0, eventful)
	sums := []*expr.Agg{agg("sum", expr.Float64, column(cX)), agg("min", expr.String, column(cText))}
	out := append(append(expr.Schema(nil), eventful...), expr.Field{Name: "window", Type: expr.TimeWindow(expr.Timestamp), Nullable: true})
	sliding := &physical.Window{Input: scan, Time: column(cTime), Duration: 10 * second, Slide: 5 * second, Out: out}
	return map[string]physical.Node{
		"rows":      replaced(scan, map[int]expr.Expr{cV: call("+", expr.Int64, column(cV), lit(1, expr.Int64))}),
		"join":      labelled(scan, physical.LeftOuter, rnd),
		"aggregate": aggregateOf(scan, []expr.Expr{column(cID)}, sums, nil),
		"lists":     aggregateOf(scan, []expr.Expr{column(cID)}, []*expr.Agg{agg("collect_list", intList, column(cV))}, nil),
		"no keys":   aggregateOf(labelled(scan, physical.Inner, rnd), nil, sums, nil),
		"panes":     aggregateOf(sliding, []expr.Expr{ref(out, len(eventful)), column(cID)}, []*expr.Agg{agg("count", expr.Int64)}, nil),
		"sort":      &physical.Sort{Input: scan, Keys: []physical.SortKey{{Expr: column(cV)}}},
	}
}

func shapeNames() []string {
	var names []string
	for name := range shapes() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// eachShape runs test for every shape and some ways, and checks that no goroutine
// and no record batch is left.
func eachShape(t *testing.T, test func(t *testing.T, plan physical.Node, w way, inputs []*input, mem memory.Allocator)) {
	inputs := []*input{even(t), drawLabels(t, rand.New(rand.NewPCG(4, 4)))}
	all := shapes()
	for _, name := range shapeNames() {
		for _, w := range []way{plain, {2, plenty, plenty}, {4, plenty, plenty}, {1, 4, 30}, {2, 4, 30}, {4, 4, plenty}} {
			t.Run(fmt.Sprintf("%s/%+v", name, w), func(t *testing.T) {
				defer goleak.VerifyNone(t)
				mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					test(t, all[name], w, inputs, scribbled{mem})
				}()
				select {
				case <-ended:
				case <-time.After(time.Minute):
					panic("an operator hangs")
				}
				mem.AssertSize(t, 0)
			})
		}
	}
}

func failing(what string) func() error { return func() error { return errors.New(what) } }

// TestLowestSplitsErrorWins sets traps in several splits: the error is that of the
// first of them, and what came out before is what one worker puts out.
func TestLowestSplitsErrorWins(t *testing.T) {
	eachShape(t, func(t *testing.T, plan physical.Node, w way, inputs []*input, mem memory.Allocator) {
		for round := range 8 {
			low := rand.IntN(8)
			var traps []trap
			for _, s := range []int{9, low + 1, low} {
				traps = append(traps, trap{split: s, open: rand.IntN(3) == 0, batch: rand.IntN(7), off: failing(fmt.Sprint("trap ", s))})
			}
			slow := &trapped{way: w, traps: traps}
			got, err := drained(context.Background(), plan, slow.env(inputs, mem))
			if err == nil || err.Error() != fmt.Sprint("trap ", low) {
				t.Errorf("round %d: error %v, want that of split %d", round, err, low)
			}
			one := &trapped{way: plain, traps: traps}
			want, _ := drained(context.Background(), plan, one.env(inputs, mem))
			if !slices.Equal(want, got) {
				t.Errorf("round %d: before the error %s", round, differ(want, got))
			}
		}
	})
}

// TestBuildSideFails sets a trap in the labels.
func TestBuildSideFails(t *testing.T) {
	eachShape(t, func(t *testing.T, plan physical.Node, w way, inputs []*input, mem memory.Allocator) {
		joins := strings.Contains(physical.Format(plan, nil), "HashJoin")
		for _, open := range []bool{true, false} {
			slow := &trapped{way: w, traps: []trap{{input: 1, open: open, off: failing("no labels")}}}
			_, err := drained(context.Background(), plan, slow.env(inputs, mem))
			if joins != (err != nil && err.Error() == "no labels") {
				t.Errorf("error %v with a join %v", err, joins)
			}
		}
	})
}

// TestPanicReachesTheCaller has a split panic: so does Next, in the goroutine that
// called it, and Close cleans up.
func TestPanicReachesTheCaller(t *testing.T) {
	eachShape(t, func(t *testing.T, plan physical.Node, w way, inputs []*input, mem memory.Allocator) {
		for range 4 {
			slow := &trapped{way: w, traps: []trap{{split: rand.IntN(10), open: rand.IntN(3) == 0, batch: rand.IntN(6), off: func() error { panic("a broken reader") }}}}
			func() {
				defer func() {
					if p := recover(); p == nil || !strings.HasPrefix(fmt.Sprint(p), "a broken reader") {
						t.Errorf("panic with %v", p)
					}
				}()
				_, err := drained(context.Background(), plan, slow.env(inputs, mem))
				t.Errorf("no panic, but the error %v", err)
			}()
		}
	})
}

// TestCancelAnywhere ends the context at some call of a reader.
func TestCancelAnywhere(t *testing.T) {
	eachShape(t, func(t *testing.T, plan physical.Node, w way, inputs []*input, mem memory.Allocator) {
		for range 12 {
			ctx, cancel := context.WithCancel(context.Background())
			at := 1 + rand.Int64N(60)
			slow := &trapped{way: w, atCall: func(n int64) {
				if n == at {
					cancel()
				}
			}}
			if _, err := drained(ctx, plan, slow.env(inputs, mem)); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v after the context ended at call %d", err, at)
			}
			cancel()
		}
	})
}

// TestCloseAnywhere closes operators before their first batch, between batches,
// at the end, and once more.
func TestCloseAnywhere(t *testing.T) {
	eachShape(t, func(t *testing.T, plan physical.Node, w way, inputs []*input, mem memory.Allocator) {
		for n := range 12 {
			slow := &trapped{way: w}
			op, err := compute.Build(context.Background(), plan, slow.env(inputs, mem))
			if err != nil {
				t.Fatal(err)
			}
			for range n * n {
				if _, err := op.Next(context.Background()); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if err := compute.Close(op); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// TestNextAfterTheEnd asks on: the end stays the end, and metrics what they are.
func TestNextAfterTheEnd(t *testing.T) {
	eachShape(t, func(t *testing.T, plan physical.Node, w way, inputs []*input, mem memory.Allocator) {
		env := w.env(inputs, mem)
		op, err := compute.Build(context.Background(), plan, env)
		if err != nil {
			t.Fatal(err)
		}
		defer compute.Close(op)
		for err == nil {
			_, err = op.Next(context.Background())
		}
		before := seen(env)
		for range 3 {
			if _, err := op.Next(context.Background()); err != io.EOF {
				t.Errorf("after the end: %v", err)
			}
		}
		if after := seen(env); after != before {
			t.Errorf("metrics %s, then %s", before, after)
		}
	})
}
