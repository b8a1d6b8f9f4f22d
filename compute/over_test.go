package compute_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flightd/flightd/compute/computetest"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// overRow is a row of the reference: k is the partition, id the unique order, x
// the order with peers, v the value.
type overRow struct {
	k, id, x int
	v        any
}

// TestOverAgainstBruteForce draws rows and frames and computes every function row
// by row.
func TestOverAgainstBruteForce(t *testing.T) {
	schema := computetest.Schema("k", expr.Int32, "id", expr.Int32, "x", expr.Int32, "v", expr.Int64)
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 3))
		var in rows
		var all []overRow
		for i := range 1 + r.IntN(40) {
			o := overRow{k: r.IntN(3), id: i, x: r.IntN(6)}
			if r.IntN(5) > 0 {
				o.v = int64(r.IntN(10))
			}
			all = append(all, o)
		}
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, o := range all {
			in = append(in, row{o.k, o.id, o.x, o.v})
		}
		ref := func(i int) *expr.Ref {
			return &expr.Ref{Index: i, Name: schema[i].Name, Typ: schema[i].Type, Null: true}
		}
		lower, upper := -2+r.IntN(4), r.IntN(3)
		a, b := int64(1+r.IntN(3)), int64(1+r.IntN(3))
		bound := func(kind int, n int64) expr.Bound {
			out := expr.Bound{Kind: kind}
			if kind == -1 || kind == 1 {
				out.Offset = &expr.Literal{Value: n, Typ: expr.Int32}
			}
			return out
		}
		rowsFrame := &expr.Frame{Rows: true, Lower: bound(lower, a), Upper: bound(upper, b)}
		sum := &expr.Agg{Fn: "sum", Args: []expr.Expr{ref(3)}, Typ: expr.Int64, Null: true}
		call := func(fn string, typ *expr.Type, args ...expr.Expr) *expr.Call {
			return &expr.Call{Fn: fn, Args: args, Typ: typ, Null: true}
		}
		list := &expr.Agg{Fn: "collect_list", Args: []expr.Expr{ref(1)}, Typ: expr.ArrayOf(expr.Int32, false)}
		count := &expr.Agg{Fn: "count", Args: []expr.Expr{ref(3)}, Typ: expr.Int64}
		functions := []physical.OverFunction{
			{Call: sum, Frame: rowsFrame},
			{Call: list, Frame: rowsFrame},
			{Call: count},
			{Call: call("row_number", expr.Int32)},
			{Call: call("lag", expr.Int64, ref(3), &expr.Literal{Value: a, Typ: expr.Int32}, &expr.Literal{Value: int64(-1), Typ: expr.Int64})},
			{Call: call("rank", expr.Int32)},
			{Call: call("dense_rank", expr.Int32)},
		}
		out := slices.Clone(schema)
		for i, f := range functions {
			out = append(out, expr.Field{Name: fmt.Sprint("f", i), Type: f.Call.Type(), Nullable: true})
		}
		// The order has peers in x only where id does not tell rows apart.
		byX := seed%2 == 0
		order := []physical.SortKey{{Expr: ref(1), NullsFirst: true}}
		if byX {
			order = []physical.SortKey{{Expr: ref(2), NullsFirst: true}, {Expr: ref(1), NullsFirst: true}}
		}
		slices.SortFunc(all, func(p, q overRow) int {
			if p.k != q.k {
				return p.k - q.k
			}
			if byX && p.x != q.x {
				return p.x - q.x
			}
			return p.id - q.id
		})
		var want rows
		for i, o := range all {
			from, to := i, i+1
			for from > 0 && all[from-1].k == o.k {
				from--
			}
			for to < len(all) && all[to].k == o.k {
				to++
			}
			lo, hi := frameOf(lower, upper, int(a), int(b), i, from, to)
			var sum, lag any
			ids := []any{}
			for _, p := range all[lo:hi] {
				ids = append(ids, p.id)
				if p.v != nil {
					if sum == nil {
						sum = int64(0)
					}
					sum = sum.(int64) + p.v.(int64)
				}
			}
			n := int64(0)
			for _, p := range all[from : i+1] {
				if p.v != nil {
					n++
				}
			}
			if lag = int64(-1); i-int(a) >= from {
				lag = all[i-int(a)].v
			}
			at := i - from + 1
			want = append(want, row{o.k, o.id, o.x, o.v, sum, ids, n, at, lag, at, at})
		}
		plan := func(in []physical.Node) physical.Node {
			return &physical.Over{Input: in[0], Partition: []expr.Expr{ref(0)}, Order: order, Functions: functions, Out: out}
		}
		computetest.Run(t, computetest.Case{Inputs: []expr.Schema{schema}, Plan: plan, Epochs: once(in, want)})
	}
}

func frameOf(lower, upper, a, b, i, from, to int) (int, int) {
	lo, hi := from, to
	switch lower {
	case -1:
		lo = i - a
	case 0:
		lo = i
	case 1:
		lo = i + a
	}
	switch upper {
	case 0:
		hi = i + 1
	case 1:
		hi = i + b + 1
	}
	lo, hi = min(max(lo, from), to), min(max(hi, from), to)
	return lo, max(lo, hi)
}
