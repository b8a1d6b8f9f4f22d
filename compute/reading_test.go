package compute_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/compute/computetest"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// TestHowScansAreRead builds plans and looks at what their scans are opened with:
// memory is borrowed below aggregations only, through what lets go of it, and codes
// are wanted only where someone knows them.
func TestHowScansAreRead(t *testing.T) {
	schema := computetest.Schema("k", expr.String, "c", expr.String, "n", expr.Int64)
	k, c, n := ref(schema, 0), ref(schema, 1), ref(schema, 2)
	count := []*expr.Agg{agg("count", expr.Int64, n)}
	isX := call("=", expr.Bool, c, lit("x", expr.String))
	group := func(in physical.Node, keys ...expr.Expr) physical.Node { return aggregateOf(in, keys, count, nil) }
	type in = []physical.Node
	cases := []struct {
		name string
		plan func(in in) physical.Node
		want string
	}{
		{"plain", func(in in) physical.Node { return in[0] }, "0:"},
		{"sort", func(in in) physical.Node {
			return &physical.Sort{Input: in[0], Keys: []physical.SortKey{{Expr: k}}}
		}, "0:"},
		{"group by text", func(in in) physical.Node { return group(in[0], k) }, "0:borrowed,dictionaries"},
		{"group by number", func(in in) physical.Node { return group(in[0], n) }, "0:borrowed"},
		{"group by a function", func(in in) physical.Node { return group(in[0], call("upper", expr.String, k)) }, "0:borrowed"},
		{"the key is counted too", func(in in) physical.Node {
			return aggregateOf(in[0], []expr.Expr{k}, []*expr.Agg{agg("count", expr.Int64, k)}, nil)
		}, "0:borrowed"},
		{"filter", func(in in) physical.Node {
			return group(&physical.Filter{Input: in[0], Cond: isX}, n)
		}, "0:borrowed,dictionaries"},
		{"filter of two columns", func(in in) physical.Node {
			return group(&physical.Filter{Input: in[0], Cond: call("=", expr.Bool, c, k)}, n)
		}, "0:borrowed"},
		{"projection", func(in in) physical.Node {
			p := &physical.Project{Input: in[0], Exprs: []expr.Expr{n, k}, Out: expr.Schema{schema[2], schema[0]}}
			return aggregateOf(p, []expr.Expr{ref(p.Out, 1)}, []*expr.Agg{agg("count", expr.Int64, ref(p.Out, 0))}, nil)
		}, "0:borrowed,dictionaries"},
		{"distinct values of a column", func(in in) physical.Node {
			d := agg("count", expr.Int64, n)
			d.Distinct = true
			return aggregateOf(in[0], []expr.Expr{k}, []*expr.Agg{d}, nil)
		}, "0:borrowed,dictionaries"},
		{"sort between", func(in in) physical.Node {
			return group(&physical.Sort{Input: in[0], Keys: []physical.SortKey{{Expr: n}}}, k)
		}, "0:"},
		{"join", func(in in) physical.Node {
			j := &physical.Join{Left: in[0], Right: in[1], Kind: physical.Inner, LeftKeys: []expr.Expr{n}, RightKeys: []expr.Expr{n},
				NullSafe: []bool{false}, BuildRight: true, Out: append(append(expr.Schema(nil), schema...), schema...)}
			return group(j, k)
		}, "0:borrowed,dictionaries 1:"},
	}
	for _, test := range cases {
		for _, workers := range []int{1, 2} {
			t.Run(fmt.Sprint(test.name, workers), func(t *testing.T) {
				scans := make(in, 2)
				for i := range scans {
					scans[i] = &physical.Scan{Input: i, Columns: []int{0, 1, 2}, Out: schema}
				}
				seen := make([]string, 2)
				env := &compute.Env{Expr: &cexpr.Env{}, Workers: workers, Open: func(_ context.Context, s compute.Scan) ([]compute.Split, error) {
					how := fmt.Sprint(s.Input, ":")
					if s.Borrowed {
						how += "borrowed"
					}
					if s.Dictionaries {
						how += ",dictionaries"
					}
					seen[s.Input] = how
					return nil, nil
				}}
				op, err := compute.Build(t.Context(), test.plan(scans), env)
				if err != nil {
					t.Fatal(err)
				}
				defer compute.Close(op)
				for err == nil {
					_, err = op.Next(t.Context())
				}
				got := seen[0]
				if seen[1] != "" {
					got += " " + seen[1]
				}
				want := test.want
				if workers > 1 && strings.Contains(test.name, "distinct") { // through an exchange
					want = strings.Replace(want, "borrowed", "", 1)
				}
				if got != want {
					t.Errorf("scans are opened as %q, want %q", got, want)
				}
			})
		}
	}
}
