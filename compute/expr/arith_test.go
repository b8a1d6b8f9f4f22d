package expr

import (
	"testing"

	"github.com/flightd/flightd/plan/expr"
)

func TestIntegerArithmetic(t *testing.T) {
	c := cols(expr.Int32, expr.Int32)
	check(t, call("+", expr.Int32, c...), []testCase{
		{in(1, 2), "3"}, {in(nil, 2), "NULL"}, {in(2147483647, 0), "2147483647"}, {in(2147483647, 1), "!ARITHMETIC_OVERFLOW"},
		{in(-2147483648, -1), "!ARITHMETIC_OVERFLOW"}, {in(2147483647, nil), "NULL"},
	})
	check(t, call("+", expr.Int32, c[0], num(1)), []testCase{{in(1), "2"}, {in(2147483647), "!ARITHMETIC_OVERFLOW"}, {in(nil), "NULL"}})
	check(t, call("-", expr.Int32, c[0], num(1)), []testCase{{in(1), "0"}, {in(-2147483648), "!ARITHMETIC_OVERFLOW"}})
	legacy := call("+", expr.Int32, c...)
	legacy.Mode = expr.Legacy
	check(t, legacy, []testCase{{in(2147483647, 1), "-2147483648"}})
	check(t, call("try_add", expr.Int32, c...), []testCase{{in(2147483647, 1), "NULL"}, {in(1, 1), "2"}})
	check(t, call("*", expr.Int32, c...), []testCase{{in(65536, 65536), "!ARITHMETIC_OVERFLOW"}, {in(-3, 4), "-12"}})
	l := cols(expr.Int64, expr.Int64)
	check(t, call("*", expr.Int64, l...), []testCase{
		{in(4611686018427387904, 2), "!ARITHMETIC_OVERFLOW"}, {in(-4611686018427387904, 2), "-9223372036854775808"}, {in(3, -7), "-21"},
	})
	check(t, call("div", expr.Int64, l...), []testCase{
		{in(7, 2), "3"}, {in(-7, 2), "-3"}, {in(1, 0), "!DIVIDE_BY_ZERO"}, {in(nil, 0), "NULL"}, {in(int64(-1<<63), -1), "!ARITHMETIC_OVERFLOW"},
	})
	check(t, call("%", expr.Int64, l...), []testCase{{in(-7, 3), "-1"}, {in(7, 0), "!REMAINDER_BY_ZERO"}, {in(int64(-1<<63), -1), "0"}})
	check(t, call("pmod", expr.Int64, l...), []testCase{{in(-7, 3), "2"}, {in(-7, -3), "-1"}, {in(7, 0), "!REMAINDER_BY_ZERO"}})
	b := cols(expr.Int8, expr.Int8)
	check(t, call("+", expr.Int8, b...), []testCase{{in(127, 1), "!BINARY_ARITHMETIC_OVERFLOW"}, {in(100, 27), "127"}})
	check(t, call("negative", expr.Int8, b[0]), []testCase{{in(-128), "!ARITHMETIC_OVERFLOW"}, {in(5), "-5"}})
	check(t, call("abs", expr.Int8, b[0]), []testCase{{in(-128), "!ARITHMETIC_OVERFLOW"}, {in(-5), "5"}})
}

func TestFloatArithmetic(t *testing.T) {
	c := cols(expr.Float64, expr.Float64)
	check(t, call("/", expr.Float64, c...), []testCase{
		{in(1.0, 2.0), "0.5"}, {in(1.0, 0.0), "!DIVIDE_BY_ZERO"}, {in("-0.0", 3.0), "-0.0"}, {in(nil, 0.0), "NULL"}, {in(7.0, 9.0), "0.7777777777777778"},
	})
	check(t, call("%", expr.Float64, c...), []testCase{{in(-7.5, 2.0), "-1.5"}, {in(7.5, 0.0), "!REMAINDER_BY_ZERO"}})
	check(t, call("+", expr.Float64, c...), []testCase{{in(0.1, 0.2), "0.30000000000000004"}, {in("NaN", 1.0), "NaN"}})
}

func TestDecimalArithmetic(t *testing.T) {
	a, b := expr.Decimal(10, 2), expr.Decimal(10, 2)
	c := cols(a, b)
	check(t, call("+", expr.Decimal(11, 2), c...), []testCase{{in("1.25", "2.50"), "3.75"}, {in("-1.25", nil), "NULL"}, {in("99999999.99", "99999999.99"), "199999999.98"}})
	check(t, call("*", expr.Decimal(21, 4), c...), []testCase{{in("1.25", "-2.50"), "-3.1250"}})
	check(t, call("/", expr.Decimal(23, 13), c...), []testCase{{in("1.00", "3.00"), "0.3333333333333"}, {in("2.00", "3.00"), "0.6666666666667"}, {in("1.00", "0.00"), "!DIVIDE_BY_ZERO"}})
	check(t, call("%", expr.Decimal(10, 2), c...), []testCase{{in("7.50", "2.00"), "1.50"}, {in("-7.50", "2.00"), "-1.50"}, {in("7.50", "0.00"), "!REMAINDER_BY_ZERO"}})
	w := cols(expr.Decimal(38, 0), expr.Decimal(38, 0))
	check(t, call("+", expr.Decimal(38, 0), w...), []testCase{
		{in("99999999999999999999999999999999999999", "1"), "!NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"}, {in("5", "6"), "11"},
	})
	check(t, call("*", expr.Decimal(38, 0), w...), []testCase{
		{in("10000000000000000000", "10000000000000000000"), "!NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"}, {in("10000000000000000000", "1000000000000000000"), "10000000000000000000000000000000000000"},
	})
}
