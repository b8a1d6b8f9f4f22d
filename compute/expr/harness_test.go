package expr

import (
	"errors"
	"fmt"
	"math/rand"
	"testing"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// cols are the columns of a test: one Ref per type.
func cols(types ...*expr.Type) []expr.Expr {
	out := make([]expr.Expr, len(types))
	for i, t := range types {
		out[i] = &expr.Ref{Index: i, Name: fmt.Sprint("c", i), Typ: t, Null: true}
	}
	return out
}

func call(fn string, t *expr.Type, args ...expr.Expr) *expr.Call {
	return &expr.Call{Fn: fn, Args: args, Typ: t, Null: true}
}

func lit(v any, t *expr.Type) expr.Expr { return &expr.Literal{Value: v, Typ: t} }
func str(s string) expr.Expr            { return lit(s, expr.String) }
func num(i int64) expr.Expr             { return lit(i, expr.Int32) }

// column builds a column of values in a literal's form.
func testColumn(t testing.TB, typ *expr.Type, vals ...any) *vec.Vec {
	t.Helper()
	b := vec.NewBuilder(typ)
	for _, v := range vals {
		if i, ok := v.(int); ok {
			v = int64(i)
		}
		if s, ok := v.(string); ok && typ.Kind != expr.KindString && typ.Kind != expr.KindBinary {
			v = parsed(t, s, typ)
		}
		if err := AppendValue(b, v); err != nil {
			t.Fatal(err)
		}
	}
	return b.Vec()
}

// parseEnv is shared: an Env makes its tables once.
var parseEnv = &Env{}

// parsed reads a value's text by CAST.
func parsed(t testing.TB, s string, typ *expr.Type) any {
	t.Helper()
	l, err := Fold(&expr.Cast{Child: str(s), To: typ}, parseEnv)
	if err != nil {
		t.Fatal(err)
	}
	return l.Value
}

// testCase is a row of arguments and the text of the result: NULL, a value, or
// !CONDITION for an error.
type testCase struct {
	args []any
	want string
}

func in(args ...any) []any { return args }

// check evaluates e over the rows alone and together, in many sizes, with
// selections whose other rows are the ones that raise.
func check(t *testing.T, e expr.Expr, cases []testCase) {
	t.Helper()
	checkEnv(t, e, &Env{}, cases)
}

func checkEnv(t *testing.T, e expr.Expr, env *Env, cases []testCase) {
	t.Helper()
	var types []*expr.Type
	expr.Walk(e, func(x expr.Expr) bool {
		if r, ok := x.(*expr.Ref); ok {
			for len(types) <= r.Index {
				types = append(types, nil)
			}
			types[r.Index] = r.Typ
		}
		return true
	})
	ev, err := Compile(e, env)
	if err != nil {
		t.Fatalf("%s: %v", e.SQL(), err)
	}
	columns := func(rows []testCase) []*vec.Vec {
		out := make([]*vec.Vec, len(types))
		for c, typ := range types {
			if typ == nil {
				continue
			}
			vals := make([]any, len(rows))
			for r, row := range rows {
				vals[r] = row.args[c]
			}
			out[c] = testColumn(t, typ, vals...)
		}
		return out
	}
	var good, bad []testCase
	for _, c := range cases {
		v, err := ev.Eval(&Input{Cols: columns([]testCase{c}), Rows: 1})
		if got := outcome(v, 0, err, env); got != c.want {
			t.Errorf("%s of %v: got %s, want %s", e.SQL(), c.args, got, c.want)
			continue
		}
		if err != nil {
			bad = append(bad, c)
		} else {
			good = append(good, c)
		}
	}
	if len(good) == 0 || t.Failed() {
		return
	}
	rnd := rand.New(rand.NewSource(1))
	for _, n := range []int{0, 1, 7, 8, 9, 1000} {
		for _, poison := range []bool{false, true} {
			rows := make([]testCase, n)
			var sel []int32
			if poison {
				sel = []int32{}
			}
			for i := range rows {
				if poison && rnd.Intn(3) == 0 && len(bad) > 0 {
					rows[i] = bad[rnd.Intn(len(bad))]
					continue
				}
				rows[i] = good[rnd.Intn(len(good))]
				if poison && rnd.Intn(4) > 0 {
					sel = append(sel, int32(i))
				}
			}
			in := &Input{Cols: columns(rows), Rows: n, Sel: sel}
			v, err := ev.Eval(in)
			if err != nil {
				t.Fatalf("%s over %d rows, poison %v: %v", e.SQL(), n, poison, err)
			}
			if v.Len != n {
				t.Fatalf("%s over %d rows: result has %d", e.SQL(), n, v.Len)
			}
			fresh := Fresh(v)
			in.each(func(i int) {
				if got := outcome(fresh, i, nil, env); got != rows[i].want && !t.Failed() {
					t.Errorf("%s over %d rows, poison %v: row %d of %v: got %s, want %s", e.SQL(), n, poison, i, rows[i].args, got, rows[i].want)
				}
			})
			if n > 0 && !poison {
				fresh.Arrow().Release()
			}
		}
	}
}

func outcome(v *vec.Vec, i int, err error, env *Env) string {
	if err != nil {
		var e *base.Error
		if errors.As(err, &e) {
			return "!" + e.Condition
		}
		return "!" + err.Error()
	}
	return string(AppendText(nil, v, i, env.zone))
}

// one checks an expression without columns.
func one(t *testing.T, e expr.Expr, want string) {
	t.Helper()
	env := &Env{}
	ev, err := Compile(e, env)
	if err == nil {
		var v *vec.Vec
		v, err = ev.Eval(&Input{Rows: 1})
		if got := outcome(v, 0, err, env); got != want {
			t.Errorf("%s: got %s, want %s (%v)", e.SQL(), got, want, err)
		}
		return
	}
	if got := outcome(nil, 0, err, env); got != want {
		t.Errorf("%s: got %s, want %s", e.SQL(), got, want)
	}
}
