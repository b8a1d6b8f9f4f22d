package compute_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/computetest"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// askingReader reads the rows of a split in pieces. If asks is set it can ask.
type askingReader struct {
	schema  *arrow.Schema
	rows    [][2]int64
	asks    bool
	columns []int
	choose  func([]arrow.Array, int) ([]int32, []arrow.Array, error)
	asked   *atomic.Int64
}

func (r *askingReader) Choose(columns []int, choose func([]arrow.Array, int) ([]int32, []arrow.Array, error)) bool {
	if r.asks {
		r.columns, r.choose = columns, choose
	}
	return r.asks
}

func ints(rows [][2]int64, column int, which []int32) arrow.Array {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	for _, i := range which {
		b.Append(rows[i][column])
	}
	return b.NewArray()
}

func (r *askingReader) Next(context.Context) (arrow.RecordBatch, error) {
	for len(r.rows) > 0 {
		n := min(10, len(r.rows))
		piece := r.rows[:n]
		r.rows = r.rows[n:]
		all := make([]int32, n)
		for i := range all {
			all[i] = int32(i)
		}
		cols := make([]arrow.Array, 2)
		which := all
		if r.choose != nil {
			r.asked.Add(1)
			for _, c := range r.columns {
				cols[c] = ints(piece, c, all)
			}
			wanted, taken, err := r.choose(cols, n)
			if err != nil {
				return nil, err
			}
			if len(wanted) == 0 {
				continue
			}
			if taken != nil {
				which = wanted
				for k, c := range r.columns {
					cols[c] = taken[k]
				}
			}
		}
		for c := range cols {
			if cols[c] == nil {
				cols[c] = ints(piece, c, which)
			}
		}
		return array.NewRecordBatch(r.schema, cols, int64(len(which))), nil
	}
	return nil, io.EOF
}

func (r *askingReader) Close() error { return nil }

// TestScansThatChoose: whether a reader asks which rows are wanted shows in nothing: not
// in rows, their order, what is counted, nor in which error comes.
func TestScansThatChoose(t *testing.T) {
	schema := computetest.Schema("k", expr.Int64, "v", expr.Int64)
	arrowSchema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}, {Name: "v", Type: arrow.PrimitiveTypes.Int64}}, nil)
	k, v := ref(schema, 0), ref(schema, 1)
	long := func(n int64) expr.Expr { return lit(n, expr.Int64) }
	below := func(n int64) expr.Expr { return call("<", expr.Bool, k, long(n)) }
	cases := []struct {
		name string
		cond expr.Expr
		asks bool
	}{
		{"none", below(0), true},
		{"few", below(5), true},
		{"most", below(90), true},
		{"all", below(1000), true},
		{"both columns", call("<", expr.Bool, k, v), false},
		{"an error", call("<", expr.Bool, call("div", expr.Int64, long(100), call("-", expr.Int64, k, long(77))), long(3)), true},
	}
	for _, c := range cases {
		for _, workers := range []int{1, 2} {
			var results []string
			for _, asks := range []bool{false, true} {
				var asked atomic.Int64
				env := &compute.Env{Expr: &cexpr.Env{}, Workers: workers, Open: func(context.Context, compute.Scan) ([]compute.Split, error) {
					var out []compute.Split
					for s := range 3 {
						out = append(out, func(context.Context) (compute.RowReader, error) {
							r := &askingReader{schema: arrowSchema, asks: asks, asked: &asked}
							for i := range int64(95) {
								r.rows = append(r.rows, [2]int64{(i*37 + int64(s)) % 100, 1000*int64(s) + i})
							}
							return r, nil
						})
					}
					return out, nil
				}}
				scan := &physical.Scan{Columns: []int{0, 1}, Out: schema}
				plan := &physical.Project{Input: &physical.Filter{Input: scan, Cond: c.cond},
					Exprs: []expr.Expr{v, call("div", expr.Int64, long(1000), k)}, Out: expr.Schema{schema[1], schema[0]}}
				if c.name != "few" && c.name != "none" && c.name != "an error" { // k may be 0
					plan.Exprs[1] = k
				}
				op, err := compute.Build(t.Context(), plan, env)
				if err != nil {
					t.Fatal(err)
				}
				var rows []string
				for err == nil {
					var b compute.Batch
					if b, err = op.Next(t.Context()); err != nil {
						break
					}
					rec, err := b.Compact()
					if err != nil {
						t.Fatal(err)
					}
					for i := range int(rec.NumRows()) {
						rows = append(rows, rec.Column(0).ValueStr(i)+" "+rec.Column(1).ValueStr(i))
					}
					rec.Release()
				}
				if err := compute.Close(op); err != nil {
					t.Fatal(err)
				}
				counted := slices.Clone(env.Metrics.InputRows)
				if err != io.EOF {
					counted = nil // how far others are by then is not known
				}
				results = append(results, fmt.Sprint(rows, err, counted))
				if want := asks && c.asks; (asked.Load() > 0) != want {
					t.Errorf("%s, %d workers: asked %d times, want it: %v", c.name, workers, asked.Load(), want)
				}
			}
			if results[0] != results[1] {
				t.Errorf("%s, %d workers:\nnot asked %s\nasked     %s", c.name, workers, results[0], results[1])
			}
			if isError := strings.Contains(results[0], "DIVIDE_BY_ZERO"); isError != (c.name == "an error" || c.name == "few") {
				t.Errorf("%s: %s", c.name, results[0])
			}
		}
	}
}
