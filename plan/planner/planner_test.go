package planner_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/plan/planner"
	"github.com/flightd/flightd/plan/resolve"
	"github.com/flightd/flightd/plan/rules"
	"github.com/flightd/flightd/plan/sql"
	"github.com/flightd/flightd/plan/streaming"
)

// tables is a catalog of two streams, s and r, and a table, users.
type tables map[string]*catalog.Table

func newTables(t *testing.T) tables {
	t.Helper()
	out := tables{}
	for name, ddl := range map[string]string{
		"s": "k STRING, v INT, ts TIMESTAMP", "r": "k STRING, w INT, rt TIMESTAMP", "users": "k STRING, name STRING, w INT",
	} {
		schema, err := sql.ParseSchema(ddl)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = &catalog.Table{Name: name, Schema: schema, Streamable: name != "users", Scannable: name == "users"}
	}
	return out
}

func (c tables) Table(name []string) (*catalog.Table, error) { return c[name[len(name)-1]], nil }
func (c tables) View([]string) (*catalog.View, error)        { return nil, nil }
func (c tables) Names() []string                             { return nil }
func (c tables) Source(string, base.Options, expr.Schema, bool) (*catalog.Table, error) {
	return nil, base.Errorf(base.CodeNotFound, "no source")
}

func analyse(c tables, text string) (logical.Node, error) {
	st, err := sql.Parse(text)
	if err != nil {
		return nil, err
	}
	return resolve.Plan(st.(*logical.Query).Plan, &resolve.Env{Catalog: c, Conf: catalog.Conf{}})
}

// TestPlans prints the physical plan of each query (command plan), or what the
// support check says of it (command check). Streams run in the mode of the
// argument mode, append if there is none.
func TestPlans(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		c := newTables(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			mode := base.Append
			for _, a := range d.CmdArgs {
				if a.Key == "mode" {
					var err error
					if mode, err = base.ParseOutputMode(a.Vals[0]); err != nil {
						t.Fatal(err)
					}
				}
			}
			n, err := analyse(c, d.Input)
			if err != nil {
				return err.Error()
			}
			if d.Cmd == "check" {
				if err := streaming.Check(n, mode); err != nil {
					e := base.AsError(err)
					return strings.TrimSpace(e.Condition + " " + e.SQLState + "\n" + e.Msg + "\n" + e.Hint)
				}
				return "ok"
			}
			if n, err = rules.Meaning(n, nil); err != nil {
				return err.Error()
			}
			p, err := planner.New(n, planner.Options{Stream: logical.Streaming(n), Mode: mode, Plain: d.HasArg("plain")})
			if err != nil {
				return err.Error()
			}
			var inputs []string
			for _, in := range p.Inputs {
				inputs = append(inputs, in.Table.Name)
			}
			return physical.Format(p.Root, inputs)
		})
	})
}

// TestPropagate follows the watermark through two aggregations, a union with a
// side that has none, and a redefinition.
func TestPropagate(t *testing.T) {
	c := newTables(t)
	chained := "SELECT window.start AS a, sum(n) AS n FROM (SELECT window AS w, count(*) AS n FROM STREAM s WATERMARK ts DELAY OF INTERVAL 5 SECONDS GROUP BY window(ts, '5 seconds')) GROUP BY window(w, '10 seconds')"
	for _, tc := range []struct {
		name, sql string
		global    int64
		multiple  bool
		want      []int64
		refused   bool
	}{
		{"chained", chained, 7000, true, []int64{7000, 7000}, false},
		{"chained before the watermark moves", chained, 0, true, []int64{0, 0}, false},
		{"without a watermark", "SELECT k, count(*) AS n FROM STREAM s GROUP BY k", 7000, true, []int64{streaming.None}, false},
		{"legacy", "SELECT k, count(*) AS n FROM STREAM s GROUP BY k", 7000, false, []int64{7000}, false},
		{"union with a side without one", "SELECT ts, count(*) AS n FROM (SELECT ts FROM STREAM s WATERMARK ts DELAY OF INTERVAL 5 SECONDS UNION ALL SELECT rt FROM STREAM r) GROUP BY ts", 9, true, []int64{9}, false},
		{"redefined", "SELECT ts, count(*) AS n FROM (SELECT * FROM STREAM s WATERMARK ts DELAY OF INTERVAL 5 SECONDS) WATERMARK ts DELAY OF INTERVAL 1 SECOND GROUP BY ts", 9, true, nil, true},
		{"redefined, not yet moved", "SELECT ts, count(*) AS n FROM (SELECT * FROM STREAM s WATERMARK ts DELAY OF INTERVAL 5 SECONDS) WATERMARK ts DELAY OF INTERVAL 1 SECOND GROUP BY ts", 0, true, []int64{0}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n, err := analyse(c, tc.sql)
			if err != nil {
				t.Fatal(err)
			}
			p, err := planner.New(n, planner.Options{Stream: true})
			if err != nil {
				t.Fatal(err)
			}
			got, err := streaming.Propagate(p.Root, len(p.Stateful), tc.global, tc.multiple)
			if (err != nil) != tc.refused {
				t.Fatalf("error %v, want one: %v", err, tc.refused)
			}
			if tc.refused {
				return
			}
			if len(got) != len(tc.want) {
				t.Fatalf("got %v, want %v", got, tc.want)
			}
			for i := range got {
				if got[i] != tc.want[i] {
					t.Errorf("operator %d has %d, want %d", i, got[i], tc.want[i])
				}
			}
		})
	}
}
