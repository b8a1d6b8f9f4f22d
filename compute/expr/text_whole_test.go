package expr

import (
	"math/rand/v2"
	"testing"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// What a column gives as a whole is what each of its rows gives by itself, in which case
// no loop over whole columns is taken.
func TestWholeColumnsAreTheirRows(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	call := func(fn string, typ *expr.Type, args ...expr.Expr) expr.Expr {
		return &expr.Call{Fn: fn, Args: args, Typ: typ}
	}
	text := func(s string) expr.Expr { return &expr.Literal{Value: s, Typ: expr.String} }
	number := func(n int64) expr.Expr { return &expr.Literal{Value: n, Typ: expr.Int32} }
	s, k := &expr.Ref{Index: 0, Typ: expr.String}, &expr.Ref{Index: 1, Typ: expr.Int64}
	tests := []expr.Expr{
		call("upper", expr.String, s), call("lower", expr.String, s), call("length", expr.Int32, s), call("octet_length", expr.Int32, s), call("reverse", expr.String, s),
		call("instr", expr.Int32, s, text("b")), call("contains", expr.Bool, s, text("ab")), call("startswith", expr.Bool, s, text("a")), call("endswith", expr.Bool, s, text("ba")),
	}
	for _, n := range []int64{-9, -3, -1, 0, 1, 2, 5, 20} {
		tests = append(tests, call("left", expr.String, s, number(n)), call("right", expr.String, s, number(n)), call("substring", expr.String, s, number(n)))
		for _, m := range []int64{-1, 0, 1, 4, 50} {
			tests = append(tests, call("substring", expr.String, s, number(n), number(m)))
		}
	}
	for _, p := range []string{"a%", "%b", "%ab%", "ab", "%", "a%b%a", "_b%", "%a_", "%_é%", "a__%b", "\\%%", ""} {
		tests = append(tests, call("like", expr.Bool, s, text(p)), call("ilike", expr.Bool, s, text(p)))
	}
	for _, p := range []string{"a+b", "^b|a$", `\bA`, "é", "(a)(b?)"} {
		tests = append(tests, call("rlike", expr.Bool, s, text(p)), call("regexp_replace", expr.String, s, text(p), text("<>")), call("regexp_count", expr.Int32, s, text(p)),
			call("regexp_extract", expr.String, s, text(p), number(0)))
	}
	words := func(n int64) expr.Expr {
		return call("case", expr.String, call("=", expr.Bool, call("%", expr.Int64, k, &expr.Literal{Value: int64(5), Typ: expr.Int64}), &expr.Literal{Value: n, Typ: expr.Int64}), text("x"),
			call("=", expr.Bool, call("%", expr.Int64, k, &expr.Literal{Value: int64(5), Typ: expr.Int64}), &expr.Literal{Value: int64(2), Typ: expr.Int64}), text("yy"), text("é"))
	}
	tests = append(tests, words(0), words(2), words(9_000_000), words(-4))
	for round := range 12 {
		n, letters := 1+rnd.IntN(60), "abAB z%_"
		if round%2 == 0 {
			letters += "é"
		}
		texts, keys := vec.NewBuilder(expr.String), vec.NewBuilder(expr.Int64)
		for range n {
			if rnd.IntN(8) == 0 {
				texts.AppendNull()
				keys.AppendNull()
				continue
			}
			var b []rune
			for range rnd.IntN(12) {
				all := []rune(letters)
				b = append(b, all[rnd.IntN(len(all))])
			}
			texts.AppendBytes([]byte(string(b)))
			keys.AppendInt(rnd.Int64N(40) - 20)
		}
		in := Input{Cols: []*vec.Vec{texts.Vec(), keys.Vec()}, Rows: n}
		for _, e := range tests {
			whole, one := mustEval(t, e, &in), make([]string, n)
			all := make([]string, n)
			for i := range n {
				all[i] = string(AppendText(nil, whole, i, nil))
			}
			for i := range n {
				if n >= 3 {
					single := in.narrowed([]int32{int32(i)})
					one[i] = string(AppendText(nil, mustEval(t, e, &single), i, nil))
					if one[i] != all[i] {
						t.Fatalf("%s of %q is %q as one of %d rows and %q alone", e.SQL(), AppendText(nil, in.Cols[0], i, nil), all[i], n, one[i])
					}
				}
			}
		}
	}
}

func mustEval(t *testing.T, e expr.Expr, in *Input) *vec.Vec {
	t.Helper()
	ev, err := Compile(e, &Env{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := ev.Eval(in)
	if err != nil {
		t.Fatalf("%s: %v", e.SQL(), err)
	}
	return v
}
