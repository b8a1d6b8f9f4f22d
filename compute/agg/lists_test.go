package agg

import (
	"testing"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

func arraysOf(t *expr.Type, rows ...[]any) *vec.Vec {
	b := vec.NewBuilder(expr.ArrayOf(t, true))
	for _, vals := range rows {
		if vals == nil {
			b.AppendNull()
			continue
		}
		kid := columnOf(t, vals...)
		for i := range vals {
			b.Kids[0].AppendRow(kid, i)
		}
		b.EndList()
	}
	return b.Vec()
}

// The functions whose results follow the order of rows give the same in one part
// and in three that are merged.
func TestListsOverGroups(t *testing.T) {
	two, comma := columnOf(expr.Int32, 2), columnOf(expr.String, ", ")
	bin := expr.StructOf(expr.Field{Name: "x", Type: expr.Int32, Nullable: true}, expr.Field{Name: "y", Type: expr.Float64, Nullable: true})
	lists := arraysOf(expr.Int32, []any{3, nil}, []any{1, 3}, nil, []any{}, []any{nil}, []any{1, 7})
	floats := arraysOf(expr.Float32, []any{}, []any{}, nil, nil, nil, []any{})
	for _, c := range []struct {
		fn    string
		out   *expr.Type
		cols  []*vec.Vec // two and comma are constants
		order []expr.Direction
		want  string
	}{
		{fn: "listagg", out: expr.String, cols: []*vec.Vec{text, comma}, want: "x, Y, x  日本"},
		{fn: "listagg", out: expr.String, cols: []*vec.Vec{text, comma, bigs}, order: []expr.Direction{{}}, want: "x, x, Y  日本"},
		{fn: "listagg", out: expr.String, cols: []*vec.Vec{text, comma, bigs}, order: []expr.Direction{{Descending: true}}, want: "Y, x, x  日本"},
		{fn: "listagg", out: expr.String, cols: []*vec.Vec{text, comma, flag, bigs}, order: []expr.Direction{{}, {}}, want: "Y, x, x  日本"},
		{fn: "max_by", out: expr.ArrayOf(expr.Int64, true), cols: []*vec.Vec{bigs, ints, two}, want: "[-7,20] [NULL] NULL"},
		{fn: "min_by", out: expr.ArrayOf(expr.Int64, true), cols: []*vec.Vec{bigs, ints, two}, want: "[10,20] [NULL] NULL"},
		{fn: "collect_union", out: expr.ArrayOf(expr.Int32, false), cols: []*vec.Vec{lists}, want: "[3,1,7] [] []"},
		{fn: "histogram_numeric", out: expr.ArrayOf(bin, true), cols: []*vec.Vec{ints, two}, want: "[{1,1},{2,2}] [{3,1}] NULL"},
		{fn: "vector_sum", out: expr.ArrayOf(expr.Float32, false), cols: []*vec.Vec{floats}, want: "[] NULL NULL"},
		{fn: "mode", out: expr.Int64, cols: []*vec.Vec{bigs}, order: []expr.Direction{{Descending: true}}, want: "20 5 NULL"},
		{fn: "mode", out: expr.Int64, cols: []*vec.Vec{bigs}, order: []expr.Direction{{}}, want: "-7 5 NULL"},
	} {
		a := &expr.Agg{Fn: c.fn, Typ: c.out, Order: c.order}
		consts := fixedArgs{}
		for i, v := range c.cols {
			if v == two || v == comma {
				consts[i] = v
				a.Args = append(a.Args, &expr.Literal{Typ: v.Type})
				continue
			}
			a.Args = append(a.Args, ref(i, v.Type))
		}
		for _, parts := range []int{1, 3} {
			if got, err := run(t, a, consts, c.cols, abc, 3, parts); err != nil || got != c.want {
				t.Errorf("%s in %d parts = %q %v, want %q", a.SQL(), parts, got, err, c.want)
			}
		}
	}
}
