package expr

import (
	"testing"

	"github.com/flightd/flightd/plan/expr"
)

// The values are those of Spark for these seeds.
func TestSeededRandom(t *testing.T) {
	seed := func(n int64) expr.Expr { return &expr.Literal{Value: n, Typ: expr.Int64} }
	double := func(v float64) expr.Expr { return &expr.Literal{Value: v, Typ: expr.Float64} }
	for _, c := range []struct {
		e    expr.Expr
		want any
	}{
		{call("randstr", expr.String, num(10), seed(0)), "ceV0PXaR2I"},
		{call("randstr", expr.String, num(0), seed(5)), ""},
		{call("uniform", expr.Float64, double(1.5), double(2.5), seed(3)), 1.7573814350596229},
		{call("rand", expr.Float64, seed(5)), 0.02390696427502892},
	} {
		if got, err := Fold(c.e, &Env{}); err != nil || got.Value != c.want {
			t.Errorf("%s is %v (%v), want %v", c.e.SQL(), got, err, c.want)
		}
	}
}

func TestFormatStringShowsWhatJavaHolds(t *testing.T) {
	check(t, call("format_string", expr.String, str("%g %.3g %g"), cols(expr.Float64)[0], cols(expr.Float64)[0], cols(expr.Float64)[0]), []testCase{
		{in(0.0001), "0.000100000 0.000100 0.000100000"}, {in(1e10), "1.00000e+10 1.00e+10 1.00000e+10"}, {in(0.0), "0.00000 0.00 0.00000"},
	})
	check(t, call("format_string", expr.String, str("%0$s"), cols(expr.Float64)[0]), []testCase{{in(1.0), "!INVALID_PARAMETER_VALUE.ZERO_INDEX"}})
}
