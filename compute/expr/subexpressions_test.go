package expr

import (
	"slices"
	"strings"
	"testing"

	"github.com/flightd/flightd/plan/expr"
)

// TestSubexpressions says which parts of some expressions are evaluated once.
func TestSubexpressions(t *testing.T) {
	g := newExpressions(t, 1, NewLibrary())
	ints := ""
	for i, c := range g.cols {
		if c.Type().Kind == expr.KindInt32 {
			ints = g.cols[i].SQL()
			break
		}
	}
	for _, c := range []struct{ list, want string }{
		{"$ + 1; ($ + 1) * 2", "($ + 1)"},
		{"$ + 1; $ + 2", ""},
		{"($ + 1) * 2; ($ + 1) * 2", "(($ + 1) * 2)"},                 // not what is in it
		{"($ + 1) * 2; ($ + 1) * 2; $ + 1", "(($ + 1) * 2); ($ + 1)"}, // but here
		{"($ + 1) * ($ + 1)", "($ + 1)"},
		{"if($ > 0, $ + 1, 0); $ + 1", "($ + 1)"},
		{"rand() + $; rand() + $", "$"}, // its cast
		{"uuid(); uuid()", ""},
		{"1 + 2; 1 + 2", ""},
		{"$; $", ""},
		{"transform(array($), x -> x + 1); transform(array($), x -> x + 1)", ""},
		{"try_add($, 1); $ + 1", ""},
	} {
		var list []expr.Expr
		for _, text := range strings.Split(strings.ReplaceAll(c.list, "$", ints), "; ") {
			e, err := g.resolve(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			list = append(list, e)
		}
		var got []string
		for e := range NewSubexpressions(list, g.env, false).parts {
			if s := strings.ReplaceAll(e.SQL(), ints, "$"); !slices.Contains(got, s) {
				got = append(got, s)
			}
		}
		slices.Sort(got)
		want := strings.Split(c.want, "; ")
		if c.want == "" {
			want = nil
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q are common, want %q", c.list, got, want)
		}
	}
}
