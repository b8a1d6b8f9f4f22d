package resolve

import (
	"fmt"
	"os"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// testdata/plans holds SQL and the plan or error it resolves to, over tables
// that its "table" and "stream" commands declare.
func TestPlans(t *testing.T) {
	if _, err := os.Stat("testdata/plans"); err != nil {
		t.Fatal(err)
	}
	m := newMemory()
	conf := map[string]string{}
	datadriven.RunTest(t, "testdata/plans", func(t *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "table", "stream":
			m.addTable(t, d.CmdArgs[0].Key, d.Input, d.Cmd == "stream")
			return "ok\n"
		case "set":
			conf[d.CmdArgs[0].Key] = d.CmdArgs[1].Key
			return "ok\n"
		case "view":
			n, err := query(d.Input)
			if err != nil {
				return err.Error() + "\n"
			}
			m.addView(d.CmdArgs[0].Key, n)
			return "ok\n"
		case "plan":
			n, err := query(d.Input)
			if err == nil {
				n, err = Plan(n, testEnv(m, conf))
			}
			if err != nil {
				e := base.AsError(err)
				e.Query = d.Input
				return e.Display() + "\n"
			}
			checkPlan(t, n)
			return logical.Format(n)
		}
		return fmt.Sprintf("unknown command %s\n", d.Cmd)
	})
}

// checkPlan holds a resolved plan to the promises 1, 2 and 4 of the package, and
// that every column is put out by the node below.
func checkPlan(t *testing.T, n logical.Node) {
	t.Helper()
	below := map[expr.ID]bool{}
	for _, in := range n.Inputs() {
		checkPlan(t, in)
		for _, c := range in.Output() {
			below[c.ID] = true
		}
	}
	switch n := n.(type) {
	case *logical.Relation, *logical.Values, *logical.Range, *logical.Project, *logical.Filter, *logical.Expand, *logical.Window,
		*logical.Session, *logical.Over, *logical.Generate, *logical.Join, *logical.AsOfJoin, *logical.Union, *logical.SetOp, *logical.Distinct,
		*logical.Sort, *logical.Limit, *logical.Watermark, *logical.Deduplicate, *logical.Sample, *logical.Repartition, *logical.Recursion, *logical.Working:
	case *logical.Aggregate:
		for i, e := range n.List {
			if a, ok := e.(*expr.Alias); ok {
				e = a.Child
			}
			if _, isAgg := e.(*expr.Agg); isAgg == (i < len(n.Group)) {
				t.Errorf("item %d of %s", i, logical.Format(n))
			}
		}
	default:
		t.Errorf("%T is left", n)
	}
	ids := map[expr.ID]bool{}
	for _, c := range n.Output() {
		if ids[c.ID] {
			t.Errorf("%s puts out column %s twice", logical.Format(n), c.Name)
		}
		ids[c.ID] = true
	}
	for _, e := range logical.Exprs(n) {
		expr.Walk(e, func(e expr.Expr) bool {
			if e.Type() == nil {
				t.Errorf("%T %s has no type", e, e.SQL())
			}
			switch e := e.(type) {
			case *expr.Column:
				if !below[e.ID] {
					t.Errorf("column %s of a %T is not below", e.Name, n)
				}
			case *expr.Literal, *expr.Alias, *expr.Cast, *expr.Call, *expr.Lambda, *expr.LambdaVar, *expr.Agg, *expr.Subquery:
			default:
				t.Errorf("%T is left", e)
			}
			return true
		})
	}
}

// DataFrame references by plan number tell the sides of a self-join apart.
func TestTaggedColumns(t *testing.T) {
	m := newMemory()
	m.addTable(t, "t", "k INT, v INT", false)
	side := func(id int64) logical.Node {
		return &logical.Tagged{PlanID: id, Input: &logical.Filter{Cond: &expr.Literal{Value: true, Typ: expr.Bool}, Input: &logical.Table{Name: []string{"t"}}}}
	}
	col := func(id int64, name string) expr.Expr { return &expr.Name{Parts: []string{name}, PlanID: id} }
	join := &logical.Join{Left: side(1), Right: side(2),
		Cond: &expr.Apply{Name: []string{"="}, Args: []expr.Expr{col(1, "k"), col(2, "v")}, Operator: true}}
	n, err := Plan(&logical.Project{List: []expr.Expr{col(2, "k"), col(1, "v")}, Input: join}, testEnv(m, nil))
	if err != nil {
		t.Fatal(err)
	}
	want := `Project [k#1, v#2]
+- Join Inner on (k#3 = v#4)
   :- Filter true
   :  +- Relation t [k#3, v#2]
   +- Filter true
      +- Relation t [k#1, v#4]
`
	if got := logical.Format(n); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

// Parameters are bound by name and by position.
func TestParameters(t *testing.T) {
	m := newMemory()
	n, err := query("SELECT :a + ? AS x")
	if err != nil {
		t.Fatal(err)
	}
	env := testEnv(m, nil)
	if _, err := Plan(n, env); base.AsError(err).Condition != "UNBOUND_SQL_PARAMETER" {
		t.Errorf("unbound: %v", err)
	}
	env.Params = map[string]expr.Expr{"a": &expr.Literal{Value: int64(1), Typ: expr.Int32}}
	env.Args = []expr.Expr{&expr.Literal{Value: int64(2), Typ: expr.Int64}}
	out, err := Plan(n, env)
	if err != nil || out.Output()[0].Typ != expr.Int64 {
		t.Errorf("%v, %v", out, err)
	}
}

// An expression over given columns resolves without a plan.
func TestExpr(t *testing.T) {
	cols := []*expr.Column{{ID: 1, Name: "a", Typ: expr.Int32}}
	e := &expr.Apply{Name: []string{"+"}, Args: []expr.Expr{&expr.Name{Parts: []string{"A"}}, &expr.Literal{Value: int64(1), Typ: expr.Int64}}, Operator: true}
	out, err := Expr(e, cols, testEnv(newMemory(), nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := logical.FormatExpr(out); got != "(cast(A#1 as bigint) + 1)" {
		t.Error(got)
	}
}
