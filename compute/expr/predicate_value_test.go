package expr

import (
	"fmt"
	"slices"
	"testing"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// TestPredicateOfCodes asks predicates about a column as texts and as codes: the
// rows are the same, and so are errors, which values without a row do not make.
func TestPredicateOfCodes(t *testing.T) {
	k, other := &expr.Ref{Index: 1, Typ: expr.String, Null: true}, &expr.Ref{Index: 0, Typ: expr.Int64}
	text := func(s any) expr.Expr { return &expr.Literal{Value: s, Typ: expr.String} }
	call := func(fn string, t *expr.Type, args ...expr.Expr) expr.Expr {
		return &expr.Call{Fn: fn, Args: args, Typ: t, Mode: expr.ANSI}
	}
	is := func(fn string, args ...expr.Expr) expr.Expr { return call(fn, expr.Bool, args...) }
	number := &expr.Cast{Child: k, To: expr.Int64, Mode: expr.ANSI}
	predicates := map[string]expr.Expr{
		"equal":      is("=", k, text("10")),
		"unequal":    is("!=", text("10"), k),
		"in":         is("in", k, text("10"), text("7")),
		"not in":     is("not", is("in", k, text("10"), text(nil))),
		"like":       is("like", k, text("1%")),
		"is null":    is("isnull", k),
		"null safe":  is("<=>", k, text(nil)),
		"function":   is("=", call("upper", expr.String, k), text("A LONG TEXT, LONGER THAN A KEY")),
		"fallible":   is("=", number, &expr.Literal{Value: int64(10), Typ: expr.Int64}),
		"and":        is("and", is("!=", k, text("7")), is(">", other, &expr.Literal{Value: int64(3), Typ: expr.Int64})),
		"or":         is("or", is("=", k, text("7")), is("isnull", k)),
		"coalescing": is("=", call("coalesce", expr.String, k, text("7")), text("7")),
	}
	b := vec.NewBuilder(expr.String)
	for _, s := range []string{"7", "10", "a long text, longer than a key", "123"} {
		b.AppendBytes([]byte(s))
	}
	dict := b.Vec()
	for name, e := range predicates {
		for _, codes := range [][]any{{0, 1, 3, 1, 0}, {1, nil, 0, nil, 1, 3}, {2, 1, 2}, {nil, nil}, {}} {
			for _, sel := range [][]int32{nil, {}, {0}, {0, 2}, {1, 2}} {
				if len(sel) > 0 && int(sel[len(sel)-1]) >= len(codes) {
					continue
				}
				t.Run(fmt.Sprint(name, codes, sel), func(t *testing.T) {
					numbers, first := vec.NewBuilder(expr.Int32), vec.NewBuilder(expr.Int64)
					for i, c := range codes {
						first.AppendInt(int64(i * 2))
						if c == nil {
							numbers.AppendNull()
						} else {
							numbers.AppendInt(int64(c.(int)))
						}
					}
					coded := *numbers.Vec()
					coded.Type, coded.Dict = expr.String, dict
					ints := first.Vec()
					rowsOf := func(v *vec.Vec) ([]int32, error) {
						p, err := CompilePredicate(e, &Env{})
						if err != nil {
							t.Fatal(err)
						}
						var out []int32
						for range 2 { // the second time with what is known of the dictionary
							if out, err = p.Select(&Input{Cols: []*vec.Vec{ints, v}, Rows: len(codes), Sel: sel}, nil); err != nil {
								return nil, err
							}
						}
						return out, nil
					}
					want, wantErr := rowsOf(coded.Flat())
					got, gotErr := rowsOf(&coded)
					if !slices.Equal(got, want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
						t.Errorf("rows %v, %v; want %v, %v", got, gotErr, want, wantErr)
					}
				})
			}
		}
	}
}
