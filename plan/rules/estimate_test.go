package rules

import (
	"math"
	"testing"

	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// TestEstimates holds the rules of thumb to their figures: of a table a of 1,000 rows
// whose k is between 1 and 100, and b of 10 rows whose k is between 1 and 10.
func TestEstimates(t *testing.T) {
	column := func(name string, typ *expr.Type) *expr.Column {
		return &expr.Column{ID: expr.NewID(), Name: name, Typ: typ}
	}
	ak, as, bk := column("k", expr.Int64), column("s", expr.String), column("k", expr.Int64)
	tables := map[*catalog.Table]int64{}
	relation := func(rows int64, cols ...*expr.Column) *logical.Relation {
		table := &catalog.Table{}
		tables[table] = rows
		return &logical.Relation{Table: table, Columns: cols}
	}
	a, b := relation(1000, ak, as), relation(10, bk)
	unknown := &logical.Relation{Table: &catalog.Table{}, Columns: []*expr.Column{column("k", expr.Int64)}}
	stream := &logical.Relation{Table: a.Table, Columns: a.Columns, Stream: true}
	stats := func(t *catalog.Table) (int64, map[string][2]int64, bool) {
		rows, ok := tables[t]
		return rows, map[string][2]int64{"k": {1, min(rows, 100)}}, ok
	}
	num := func(v int64) expr.Expr { return &expr.Literal{Value: v, Typ: expr.Int64} }
	text := &expr.Literal{Value: "x", Typ: expr.String}
	call := func(fn string, args ...expr.Expr) *expr.Call {
		return &expr.Call{Fn: fn, Args: args, Typ: expr.Bool}
	}
	filter := func(cond expr.Expr) logical.Node { return &logical.Filter{Cond: cond, Input: a} }
	join := func(kind physical.JoinKind, on expr.Expr) logical.Node {
		return &logical.Join{Kind: kind, Left: a, Right: b, Cond: on}
	}
	for name, c := range map[string]struct {
		plan logical.Node
		rows float64 // −1 is unknown
	}{
		"table":                 {a, 1000},
		"unknown table":         {unknown, -1},
		"stream":                {stream, -1},
		"over an unknown table": {&logical.Filter{Cond: call("=", ak, num(1)), Input: unknown}, -1},
		"range":                 {&logical.Range{Start: 0, End: 100, Step: 10}, 10},
		"values":                {&logical.Values{Rows: make([][]expr.Expr, 3)}, 3},
		"sort":                  {&logical.Sort{Input: a}, 1000},
		"limit":                 {&logical.Limit{Count: num(7), Input: a}, 7},
		"limit beyond":          {&logical.Limit{Count: num(7000), Input: a}, 1000},
		"union":                 {&logical.Union{Children: []logical.Node{a, b}}, 1010},
		"union with unknown":    {&logical.Union{Children: []logical.Node{a, unknown}}, -1},
		"equal":                 {filter(call("=", ak, num(1))), 10},
		"equal text":            {filter(call("=", as, text)), 50},
		"below a tenth":         {filter(call("<", ak, num(11))), 1000 * 10.0 / 99},
		"above a tenth":         {filter(call(">", ak, num(11))), 1000 * 89.0 / 99},
		"constant first":        {filter(call(">", num(11), ak)), 1000 * 10.0 / 99},
		"below all":             {filter(call("<", ak, num(-5))), 1},
		"in":                    {filter(call("in", ak, num(1), num(2), num(3))), 30},
		"and":                   {filter(call("and", call("=", ak, num(1)), call("isnotnull", as))), 10},
		"or":                    {filter(call("or", call("=", ak, num(1)), call("=", ak, num(2)))), 20},
		"not":                   {filter(call("not", call("=", ak, num(1)))), 990},
		"like":                  {filter(call("like", as, text)), 100},
		"another condition":     {filter(call("f", as)), 250},
		"product":               {join(physical.Inner, nil), 10_000},
		"equal keys":            {join(physical.Inner, call("=", ak, bk)), 1000},
		"left join":             {join(physical.LeftOuter, call("and", call("=", ak, bk), call("=", ak, num(1)))), 1000},
		"full join":             {join(physical.FullOuter, call("=", ak, bk)), 1010},
		"semi join":             {join(physical.LeftSemi, call("=", ak, bk)), 500},
		"existence":             {join(physical.Existence, call("=", ak, bk)), 1000},
		"groups":                {&logical.Aggregate{Group: []expr.Expr{ak}, List: []expr.Expr{ak}, Input: a}, 100},
		"groups of unknown":     {&logical.Aggregate{Group: []expr.Expr{ak, as}, List: []expr.Expr{ak}, Input: a}, 1000},
		"one group":             {&logical.Aggregate{List: []expr.Expr{num(1)}, Input: a}, 1},
	} {
		s := (&estimator{stats}).of(c.plan)
		switch {
		case s == nil && c.rows >= 0 || s != nil && c.rows < 0:
			t.Errorf("%s: %v, want %v rows", name, s, c.rows)
		case s != nil && math.Abs(s.rows-c.rows) > 1e-6*max(1, c.rows):
			t.Errorf("%s: %v rows, want %v", name, s.rows, c.rows)
		}
	}
}
