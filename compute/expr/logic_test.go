package expr

import (
	"testing"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

func TestComparison(t *testing.T) {
	d := cols(expr.Float64, expr.Float64)
	check(t, call("=", expr.Bool, d...), []testCase{{in("NaN", "NaN"), "true"}, {in("-0.0", 0.0), "true"}, {in(1.0, nil), "NULL"}, {in(1.0, 2.0), "false"}})
	check(t, call("<", expr.Bool, d...), []testCase{{in(1.0, "NaN"), "true"}, {in("NaN", 1.0), "false"}, {in("NaN", "NaN"), "false"}, {in("-Infinity", 1.0), "true"}})
	check(t, call(">=", expr.Bool, d[0], lit(1.5, expr.Float64)), []testCase{{in("NaN"), "true"}, {in(1.5), "true"}, {in(1.0), "false"}, {in(nil), "NULL"}})
	s := cols(expr.String, expr.String)
	check(t, call("<", expr.Bool, s...), []testCase{{in("a", "b"), "true"}, {in("Z", "a"), "true"}, {in("a", "é"), "true"}, {in("", nil), "NULL"}, {in("a", "a"), "false"}})
	check(t, call("<=>", expr.Bool, s...), []testCase{{in("a", "a"), "true"}, {in(nil, nil), "true"}, {in(nil, "a"), "false"}})
	m := expr.Decimal(5, 1)
	check(t, call(">", expr.Bool, cols(m, expr.Decimal(6, 3))...), []testCase{{in("1.5", "1.499"), "true"}, {in("1.5", "1.500"), "false"}})
	a := expr.ArrayOf(expr.Int32, true)
	check(t, call("=", expr.Bool, cols(a, a)...), []testCase{{in([]any{nil}, []any{nil}), "true"}, {in([]any{int64(1)}, []any{int64(2)}), "false"}})
	check(t, call("greatest", expr.Int32, cols(expr.Int32, expr.Int32)...), []testCase{{in(1, nil), "1"}, {in(nil, nil), "NULL"}, {in(3, 7), "7"}})
	check(t, call("least", expr.Int32, cols(expr.Int32, expr.Int32)...), []testCase{{in(1, nil), "1"}, {in(3, 7), "3"}})
	i := cols(expr.Int32)[0]
	check(t, call("in", expr.Bool, i, num(2), lit(nil, expr.Int32)), []testCase{{in(2), "true"}, {in(1), "NULL"}, {in(nil), "NULL"}})
	check(t, call("in", expr.Bool, cols(expr.String)[0], str("x"), str("y")), []testCase{{in("x"), "true"}, {in("z"), "false"}})
	check(t, call("between", expr.Bool, i, num(2), num(4)), []testCase{{in(2), "true"}, {in(5), "false"}, {in(nil), "NULL"}})
}

func divides(by expr.Expr) expr.Expr {
	return call(">", expr.Bool, call("div", expr.Int64, lit(int64(10), expr.Int64), by), lit(int64(1), expr.Int64))
}

// The second operand must not be evaluated where the first decides.
func TestLazyLogic(t *testing.T) {
	c := cols(expr.Bool, expr.Int64)
	check(t, call("and", expr.Bool, c[0], divides(c[1])), []testCase{
		{in(false, 0), "false"}, {in(true, 0), "!DIVIDE_BY_ZERO"}, {in(nil, 0), "!DIVIDE_BY_ZERO"}, {in(nil, 100), "false"}, {in(nil, 1), "NULL"}, {in(true, 2), "true"}, {in(true, nil), "NULL"},
	})
	check(t, call("or", expr.Bool, c[0], divides(c[1])), []testCase{
		{in(true, 0), "true"}, {in(false, 0), "!DIVIDE_BY_ZERO"}, {in(nil, 2), "true"}, {in(nil, 100), "NULL"}, {in(false, 100), "false"}, {in(false, nil), "NULL"},
	})
	check(t, call("case", expr.Int64, c[0], c[1], divides(c[1]), lit(int64(7), expr.Int64)), []testCase{
		{in(true, 0), "0"}, {in(false, 0), "!DIVIDE_BY_ZERO"}, {in(nil, 2), "7"}, {in(false, 100), "NULL"},
	})
	div := call("div", expr.Int64, lit(int64(10), expr.Int64), c[1])
	check(t, call("if", expr.Int64, c[0], div, lit(int64(-1), expr.Int64)), []testCase{{in(false, 0), "-1"}, {in(nil, 0), "-1"}, {in(true, 5), "2"}, {in(true, 0), "!DIVIDE_BY_ZERO"}})
	x := cols(expr.Int64, expr.Int64)
	check(t, call("coalesce", expr.Int64, x[0], call("div", expr.Int64, lit(int64(10), expr.Int64), x[1])), []testCase{
		{in(3, 0), "3"}, {in(nil, 0), "!DIVIDE_BY_ZERO"}, {in(nil, 5), "2"}, {in(nil, nil), "NULL"},
	})
	check(t, call("nullif", expr.Int64, x...), []testCase{{in(1, 1), "NULL"}, {in(1, 2), "1"}, {in(nil, 2), "NULL"}, {in(1, nil), "1"}})
	check(t, call("nvl2", expr.Int64, c[0], lit(int64(1), expr.Int64), lit(int64(2), expr.Int64)), []testCase{{in(true, 1), "1"}, {in(nil, 1), "2"}})
	check(t, call("not", expr.Bool, c[0]), []testCase{{in(true), "false"}, {in(nil), "NULL"}})
	check(t, call("isnull", expr.Bool, c[0]), []testCase{{in(true), "false"}, {in(nil), "true"}})
	check(t, call("isnotnull", expr.Bool, c[0]), []testCase{{in(true), "true"}, {in(nil), "false"}})
	check(t, call("isnan", expr.Bool, cols(expr.Float64)[0]), []testCase{{in("NaN"), "true"}, {in(1.0), "false"}, {in(nil), "false"}})
	check(t, call("coalesce", expr.String, cols(expr.String, expr.String)...), []testCase{{in(nil, "b"), "b"}, {in("a", "b"), "a"}})
	arr := expr.ArrayOf(expr.Int32, true)
	check(t, call("if", arr, c[0], cols(nil, nil, arr)[2], lit([]any{int64(9)}, arr)), []testCase{{in(true, 0, []any{int64(1)}), "[1]"}, {in(false, 0, nil), "[9]"}})
}

// A predicate selects what the expression is true for, whatever its form.
func TestPredicates(t *testing.T) {
	a, b := cols(expr.Int64)[0], cols(expr.Int64, expr.Int64)[1]
	l := func(v int64) expr.Expr { return lit(v, expr.Int64) }
	exprs := []expr.Expr{
		call("<", expr.Bool, a, l(5)), call(">=", expr.Bool, l(5), a), call("!=", expr.Bool, a, b),
		call("and", expr.Bool, call(">", expr.Bool, a, l(2)), call("<=", expr.Bool, b, l(7))),
		call("or", expr.Bool, call("=", expr.Bool, a, l(3)), call("and", expr.Bool, call(">", expr.Bool, b, l(6)), call("isnotnull", expr.Bool, a))),
		call("not", expr.Bool, call("in", expr.Bool, a, l(1), l(2))),
		lit(true, expr.Bool), lit(nil, expr.Bool), lit(false, expr.Bool),
	}
	for _, n := range []int{0, 1, 7, 8, 9, 64, 65, 1000} {
		var av, bv []any
		var sel []int32
		for i := range n {
			av, bv = append(av, i*7%11), append(bv, i*5%9)
			if i%5 == 0 {
				av[i] = nil
			}
			if i%3 != 0 {
				sel = append(sel, int32(i))
			}
		}
		columns := []*vec.Vec{testColumn(t, expr.Int64, av...), testColumn(t, expr.Int64, bv...)}
		for _, e := range exprs {
			for _, s := range [][]int32{nil, sel} {
				env := &Env{}
				p, err := CompilePredicate(e, env)
				if err != nil {
					t.Fatal(err)
				}
				in := &Input{Cols: columns, Rows: n, Sel: s}
				got, err := p.Select(in, nil)
				if err != nil {
					t.Fatal(err)
				}
				ev, _ := Compile(e, env)
				v, err := ev.Eval(in)
				if err != nil {
					t.Fatal(err)
				}
				var want []int32
				in.each(func(i int) {
					if !v.Null(i) && v.Bool(i) {
						want = append(want, int32(i))
					}
				})
				if len(got) != len(want) {
					t.Fatalf("%s over %d rows: %d selected, want %d", e.SQL(), n, len(got), len(want))
				}
				for i := range got {
					if got[i] != want[i] {
						t.Fatalf("%s over %d rows: %v, want %v", e.SQL(), n, got, want)
					}
				}
			}
		}
	}
}

// What Fresh returned stays as it was when the evaluator runs again; a column of
// the input is passed on as it is.
func TestFresh(t *testing.T) {
	c := cols(expr.Int64)
	in1 := &Input{Cols: []*vec.Vec{testColumn(t, expr.Int64, 1, 2, 3)}, Rows: 3}
	in2 := &Input{Cols: []*vec.Vec{testColumn(t, expr.Int64, 7, 8, 9)}, Rows: 3}
	exprs := []expr.Expr{
		call("+", expr.Int64, c[0], lit(int64(1), expr.Int64)),
		&expr.Cast{Child: c[0], To: expr.String},
		call("struct", expr.StructOf(expr.Field{Name: "x", Type: expr.Int64}), call("+", expr.Int64, c[0], lit(int64(1), expr.Int64))),
		call("coalesce", expr.Int64, call("nullif", expr.Int64, c[0], lit(int64(2), expr.Int64)), c[0]),
		&expr.Cast{Child: &expr.Cast{Child: c[0], To: expr.String}, To: expr.Binary},
	}
	for _, e := range exprs {
		env := &Env{}
		ev, err := Compile(e, env)
		if err != nil {
			t.Fatal(err)
		}
		v, err := ev.Eval(in1)
		if err != nil {
			t.Fatal(err)
		}
		fresh := Fresh(v)
		want := string(AppendText(nil, fresh, 2, nil))
		if _, err := ev.Eval(in2); err != nil {
			t.Fatal(err)
		}
		if got := string(AppendText(nil, fresh, 2, nil)); got != want {
			t.Errorf("%s: %s became %s", e.SQL(), want, got)
		}
	}
	ev, _ := Compile(c[0], &Env{})
	v, _ := ev.Eval(in1)
	if Fresh(v) != in1.Cols[0] {
		t.Error("a plain column was copied")
	}
}

func BenchmarkEval(b *testing.B) {
	const n = 8192
	vals, small := make([]int64, n), make([]int64, n)
	floats := make([]float64, n)
	for i := range vals {
		vals[i], small[i], floats[i] = int64(i*2654435761%1000003), int64(i%100), float64(i)
	}
	valid := make([]byte, n/8)
	for i := range valid {
		valid[i] = 0xef
	}
	in := &Input{Cols: []*vec.Vec{vec.FromValues(expr.Int64, vals, valid), vec.FromValues(expr.Int64, small, nil), vec.FromValues(expr.Float64, floats, nil)}, Rows: n}
	c := cols(expr.Int64, expr.Int64, expr.Float64)
	l := func(v int64) expr.Expr { return lit(v, expr.Int64) }
	for name, e := range map[string]expr.Expr{
		"add": call("+", expr.Int64, c[0], c[1]), "add-scalar": call("+", expr.Int64, c[0], l(7)), "multiply": call("*", expr.Int64, c[0], c[1]),
		"float": call("*", expr.Float64, c[2], lit(1.5, expr.Float64)), "less": call("<", expr.Bool, c[0], l(500000)),
		"case":   call("case", expr.Int64, call("<", expr.Bool, c[1], l(50)), c[0], c[1]),
		"and":    call("and", expr.Bool, call("<", expr.Bool, c[0], l(500000)), call(">", expr.Bool, c[1], l(50))),
		"totext": &expr.Cast{Child: c[0], To: expr.String},
	} {
		b.Run(name, func(b *testing.B) {
			ev, err := Compile(e, &Env{})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(n * 8)
			for b.Loop() {
				if _, err := ev.Eval(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("select", func(b *testing.B) {
		p, _ := CompilePredicate(call("<", expr.Bool, c[0], l(500000)), &Env{})
		out := make([]int32, n)
		b.SetBytes(n * 8)
		for b.Loop() {
			if _, err := p.Select(in, out); err != nil {
				b.Fatal(err)
			}
		}
	})
}
