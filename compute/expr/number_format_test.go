package expr

import (
	"testing"

	"github.com/flightd/flightd/plan/expr"
)

func TestNumberFormats(t *testing.T) {
	s := cols(expr.String)[0]
	check(t, call("to_number", expr.Decimal(6, 1), s, str("99,999.9S")), []testCase{
		{in("454"), "454.0"}, {in("12,454.8-"), "-12454.8"}, {in(" 5"), "5.0"}, {in(nil), "NULL"},
		{in("<12>"), "!INVALID_FORMAT.MISMATCH_INPUT"}, {in(""), "!INVALID_FORMAT.MISMATCH_INPUT"}, {in("1,2,3"), "!INVALID_FORMAT.MISMATCH_INPUT"},
	})
	check(t, call("to_number", expr.Decimal(1, 1), s, str(".9")), []testCase{{in(".5"), "0.5"}, {in("0"), "0.0"}, {in("5"), "!NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"}})
	try := call("try_to_number", expr.Decimal(3, 2), s, str("9.99"))
	try.Mode = expr.Try
	check(t, try, []testCase{{in("1.5"), "1.50"}, {in("x"), "NULL"}, {in(".5"), "0.50"}})
	d := cols(expr.Decimal(38, 2))[0]
	check(t, call("to_char", expr.String, d, str("S99,999.99")), []testCase{
		{in("-12454.80"), "-12,454.80"}, {in("0.50"), "      +.50"}, {in("99999999999999999999999999.00"), "+## ###.##"}, {in(nil), "NULL"},
	})
}
