package compute_test

import (
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/computetest"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// stored is record batches in memory, as a split.
type stored struct {
	recs []arrow.RecordBatch
	at   int
}

func (s *stored) Next(context.Context) (arrow.RecordBatch, error) {
	if s.at == len(s.recs) {
		return nil, io.EOF
	}
	s.at++
	s.recs[s.at-1].Retain()
	return s.recs[s.at-1], nil
}

func (s *stored) Close() error { return nil }

var facts = computetest.Schema("k", expr.Int64, "v", expr.Int64, "x", expr.Float64, "ts", expr.Timestamp)

// factRows makes n rows with keys below groups.
func factRows(n, groups int) []arrow.RecordBatch {
	rnd := rand.New(rand.NewPCG(5, 6))
	var recs []arrow.RecordBatch
	for at := 0; at < n; at += compute.BatchRows {
		m := min(compute.BatchRows, n-at)
		k, v, x, ts := make([]int64, m), make([]int64, m), make([]float64, m), make([]int64, m)
		for i := range m {
			k[i], v[i], x[i] = rnd.Int64N(int64(groups)), rnd.Int64N(1000), rnd.Float64()
			ts[i] = int64(at+i) * 1000
		}
		cols := []arrow.Array{vec.FromValues(expr.Int64, k, nil).Arrow(), vec.FromValues(expr.Int64, v, nil).Arrow(),
			vec.FromValues(expr.Float64, x, nil).Arrow(), vec.FromValues(expr.Timestamp, ts, nil).Arrow()}
		recs = append(recs, array.NewRecordBatch(facts.Arrow(), cols, int64(m)))
	}
	return recs
}

const benchRows = 4 << 20

// benchmark runs plan over recs again and again, as one epoch each.
func benchmark(b *testing.B, recs []arrow.RecordBatch, splits int, env func() *compute.Env, plan func(in physical.Node) physical.Node) {
	scan := &physical.Scan{Columns: []int{0, 1, 2, 3}, Out: facts}
	root := plan(scan)
	b.ReportAllocs()
	rows := int64(0)
	for b.Loop() {
		e := env()
		e.Expr = &cexpr.Env{}
		e.Open = func(context.Context, compute.Scan) ([]compute.Split, error) {
			out := make([]compute.Split, splits)
			for i := range out {
				part := &stored{recs: recs[i*len(recs)/splits : (i+1)*len(recs)/splits]}
				out[i] = func(context.Context) (compute.RowReader, error) { return part, nil }
			}
			return out, nil
		}
		op, err := compute.Build(b.Context(), root, e)
		if err != nil {
			b.Fatal(err)
		}
		for {
			_, err := op.Next(b.Context())
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		rows += e.Metrics.InputRows[0]
		compute.Close(op)
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func noState() *compute.Env { return &compute.Env{} }

func sums(in physical.Node, s *physical.State) physical.Node {
	return aggregateOf(in, []expr.Expr{ref(facts, 0)}, []*expr.Agg{
		agg("count", expr.Int64), agg("sum", expr.Int64, ref(facts, 1)), agg("avg", expr.Float64, ref(facts, 2)), agg("max", expr.Int64, ref(facts, 1)),
	}, s)
}

func BenchmarkFilterProject(b *testing.B) {
	benchmark(b, factRows(benchRows, 1000), 1, noState, func(in physical.Node) physical.Node {
		f := &physical.Filter{Input: in, Cond: call("<", expr.Bool, ref(facts, 1), lit(500, expr.Int64))}
		return &physical.Project{Input: f, Out: computetest.Schema("k", expr.Int64, "y", expr.Float64),
			Exprs: []expr.Expr{ref(facts, 0), call("*", expr.Float64, ref(facts, 2), lit(1.5, expr.Float64))}}
	})
}

func BenchmarkAggregate1kGroups(b *testing.B) {
	benchmark(b, factRows(benchRows, 1000), 1, noState, func(in physical.Node) physical.Node { return sums(in, nil) })
}

func BenchmarkAggregate1kGroups16Splits(b *testing.B) {
	benchmark(b, factRows(benchRows, 1000), 16, noState, func(in physical.Node) physical.Node { return sums(in, nil) })
}

func BenchmarkAggregate1MGroups(b *testing.B) {
	benchmark(b, factRows(benchRows, 1_000_000), 1, noState, func(in physical.Node) physical.Node { return sums(in, nil) })
}

func BenchmarkWindowedCount(b *testing.B) {
	benchmark(b, factRows(benchRows, 1000), 1, noState, func(in physical.Node) physical.Node {
		out := append(append(expr.Schema(nil), facts...), windowed[2])
		win := &physical.Window{Input: in, Time: ref(facts, 3), Duration: 60 * second, Slide: 60 * second, Out: out}
		return aggregateOf(win, []expr.Expr{ref(out, 4)}, []*expr.Agg{agg("count", expr.Int64)}, nil)
	})
}

// One epoch of a stateful aggregation that updates all of its million groups.
func BenchmarkStatefulAggregate1MGroups(b *testing.B) {
	store, err := state.NewMemory(state.Config{})
	if err != nil {
		b.Fatal(err)
	}
	epoch := base.Epoch(0)
	env := func() *compute.Env {
		if epoch > 0 {
			if _, err := store.Commit(epoch); err != nil {
				b.Fatal(err)
			}
		}
		epoch++
		return &compute.Env{Store: store}
	}
	benchmark(b, factRows(benchRows, 1_000_000), 1, env, func(in physical.Node) physical.Node {
		return sums(in, &physical.State{Mode: base.Update, EventKey: -1})
	})
}
