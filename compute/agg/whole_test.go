package agg

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// growing is a table whose groups are added as they come, with accumulators.
type growing struct {
	table *state.Table
	keys  *state.Keys
	accs  []Accumulator
	rows  Rows
}

func newGrowing(fs []*Func) *growing {
	key := []state.Field{{Name: "k", Type: "INT", Kind: state.Int32}}
	schema := state.Schema{Keys: key}
	for _, f := range fs {
		schema.Values = append(schema.Values, f.Fields...)
	}
	g := &growing{table: state.NewTable(schema, 1), keys: state.NewKeys(key, 1)}
	at := 0
	for _, f := range fs {
		var cols []state.Column
		for range f.Fields {
			cols = append(cols, g.table.Value(at))
			at++
		}
		g.accs = append(g.accs, f.Bind(cols))
	}
	return g
}

// upsert returns the groups of keys and how many there were before.
func (g *growing) upsert(t *testing.T, keys []int32) (ids []int32, old int) {
	t.Helper()
	old, ids = g.table.Rows(), make([]int32, len(keys))
	if err := g.keys.Normalise([]state.Vector{{Kind: state.Int32, Len: len(keys), Data: vec.Bytes(keys)}}, len(keys), nil); err != nil {
		t.Fatal(err)
	}
	if err := g.table.Upsert(g.keys, nil, ids); err != nil {
		t.Fatal(err)
	}
	return ids, old
}

func (g *growing) reset() {
	g.table.Reset()
	for _, a := range g.accs {
		if r, ok := a.(Resetter); ok {
			r.Reset()
		}
	}
}

// text is the results of all groups, to the bit but for the payload of NaN.
func (g *growing) text(t *testing.T) string {
	t.Helper()
	all := make([]int32, g.table.Rows())
	for i := range all {
		all[i] = int32(i)
	}
	out := ""
	for _, a := range g.accs {
		v, err := a.Final(all)
		if err != nil {
			return out + err.Error()
		}
		for i := range v.Len {
			switch {
			case v.Null(i):
				out += " NULL"
			case v.Type.Kind == expr.KindFloat64:
				out += fmt.Sprint(" ", vec.Values[float64](v)[i])
			case v.Type.Kind == expr.KindFloat32:
				out += fmt.Sprint(" ", vec.Values[float32](v)[i])
			case v.Type.Width() == 1:
				out += fmt.Sprint(" ", vec.Values[int8](v)[i])
			case v.Type.Width() == 2:
				out += fmt.Sprint(" ", vec.Values[int16](v)[i])
			default:
				out += " " + valueText(v, i)
			}
		}
		out += "\n"
	}
	return out
}

var edges = []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 0.1, 1e300, -1e300, math.SmallestNonzeroFloat64}

// drawn is a column of n values of type t: with nulls some NULLs, with ends some
// of the ends of the range. Of floats there are always odd ones.
func drawn(t *expr.Type, rnd *rand.Rand, n int, nulls, ends bool) *vec.Vec {
	b := vec.NewBuilder(t)
	for range n {
		if nulls && rnd.IntN(4) == 0 {
			b.AppendNull()
			continue
		}
		switch t.Kind {
		case expr.KindFloat64:
			x := rnd.NormFloat64()
			if rnd.IntN(2) == 0 {
				x = edges[rnd.IntN(len(edges))]
			}
			vec.AppendFixed(b, x)
		case expr.KindFloat32:
			x := float32(rnd.NormFloat64())
			if rnd.IntN(2) == 0 {
				x = float32(edges[rnd.IntN(len(edges))])
			}
			vec.AppendFixed(b, x)
		case expr.KindDecimal:
			vec.AppendFixed(b, decimal128.FromI64(rnd.Int64N(2_000_000)-1_000_000))
		case expr.KindString:
			b.AppendBytes([]byte(fmt.Sprint(rnd.IntN(50))))
		case expr.KindBool:
			b.AppendBool(rnd.IntN(2) == 0)
		default:
			x := rnd.Int64N(201) - 100
			if ends && rnd.IntN(30) == 0 {
				x = []int64{math.MinInt64, math.MaxInt64}[rnd.IntN(2)] >> (64 - 8*t.Width())
			}
			b.AppendInt(x)
		}
	}
	return b.Vec()
}

// wholes are calls whose accumulators may be Whole, by type; sums of column 0
// come with its extremes, so that they are taken in together.
func wholes(mode expr.Mode) map[string][]*expr.Agg {
	one := func(fn string, t, of *expr.Type) *expr.Agg {
		return &expr.Agg{Fn: fn, Args: []expr.Expr{ref(0, of)}, Typ: t, Mode: mode}
	}
	out := map[string][]*expr.Agg{}
	for _, t := range []*expr.Type{expr.Int8, expr.Int16, expr.Int32, expr.Int64, expr.DayTime, expr.YearMonth, expr.Float32, expr.Float64, expr.Decimal(10, 2)} {
		sum, avg := expr.Int64, expr.Float64
		switch {
		case t.IsInterval():
			sum, avg = t, t
		case t.Kind == expr.KindDecimal:
			sum, avg = expr.Decimal(20, 2), expr.Decimal(14, 6)
		case !t.IsInteger():
			sum = expr.Float64
		}
		out[t.SQL()] = []*expr.Agg{one("count", expr.Int64, t), one("sum", sum, t), one("min", t, t), one("max", t, t), one("avg", avg, t), one("try_sum", sum, t)}
	}
	for _, t := range []*expr.Type{expr.Date, expr.Timestamp, expr.String, expr.Bool} {
		out[t.SQL()] = []*expr.Agg{one("count", expr.Int64, t), one("min", t, t), one("max", t, t)}
	}
	return out
}

// fed gives accumulators a batch: whole where they want it, sum, min and max of a
// column together. plain uses Update alone.
func (g *growing) fed(t *testing.T, calls []*expr.Agg, plain bool, keys, rows []int32, col *vec.Vec) error {
	t.Helper()
	ids, old := g.upsert(t, keys)
	g.rows.Begin(old, rows, ids)
	done := make([]bool, len(g.accs))
	if !plain && len(calls) > 3 {
		triple, err := g.rows.SumMinMax(g.accs[1], g.accs[2], g.accs[3], col)
		if err != nil {
			return err
		}
		done[1], done[2], done[3] = triple, triple, triple
	}
	for i, a := range g.accs {
		if w, ok := a.(Whole); ok && !plain && !done[i] {
			var err error
			if done[i], err = w.UpdateWhole(&g.rows, []*vec.Vec{col}); err != nil {
				return err
			}
		}
		if !done[i] {
			if err := a.Update(rows, ids, []*vec.Vec{col}); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestWholeEqualsUpdate feeds two tables the same batches, with and without NULLs,
// all of their rows or some, constants among them: what UpdateWhole makes is what
// Update makes, also in a table that had other groups before.
func TestWholeEqualsUpdate(t *testing.T) {
	for _, mode := range []expr.Mode{expr.ANSI, expr.Legacy} {
		for name, calls := range wholes(mode) {
			t.Run(fmt.Sprint(name, mode), func(t *testing.T) {
				for seed := range 60 {
					rnd := rand.New(rand.NewPCG(uint64(seed), 4))
					var fs []*Func
					for _, c := range calls {
						f, err := New(c, nil)
						if err != nil {
							t.Fatal(err)
						}
						fs = append(fs, f)
					}
					quick, plain := newGrowing(fs), newGrowing(fs)
					for range 1 + rnd.IntN(3) {
						quick.reset()
						plain.reset()
						if !sameBatches(t, rnd, calls, quick, plain) {
							break // one of them was an error
						}
						if got, want := quick.text(t), plain.text(t); got != want {
							t.Fatalf("seed %d:\n%s\nwant\n%s", seed, got, want)
						}
					}
				}
			})
		}
	}
}

// sameBatches feeds some batches, up to the first error, which must be both's.
func sameBatches(t *testing.T, rnd *rand.Rand, calls []*expr.Agg, quick, plain *growing) bool {
	typ, keys, ends := calls[0].Args[0].Type(), 1+rnd.IntN([]int{3, 40}[rnd.IntN(2)]), rnd.IntN(2) == 0
	for range rnd.IntN(6) {
		n := 1 + rnd.IntN(60)
		col := drawn(typ, rnd, n, rnd.IntN(2) == 0, ends)
		if rnd.IntN(8) == 0 {
			one := *drawn(typ, rnd, 1, rnd.IntN(3) == 0, ends)
			one.Const, one.Len = true, n
			col = &one
		}
		var rows, groups []int32
		from, to, all := rnd.IntN(n), n, rnd.IntN(2) == 0
		for r := from; r < to; r++ {
			if all || rnd.IntN(2) == 0 {
				rows, groups = append(rows, int32(r)), append(groups, int32(rnd.IntN(keys)))
			}
		}
		if len(rows) == 0 {
			continue
		}
		got, want := quick.fed(t, calls, false, groups, rows, col), plain.fed(t, calls, true, groups, rows, col)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("error %v, want %v", got, want)
		}
		if got != nil {
			return false
		}
	}
	return true
}
