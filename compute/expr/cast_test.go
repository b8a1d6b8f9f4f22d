package expr

import (
	"testing"

	"github.com/flightd/flightd/plan/expr"
)

func cast(from, to *expr.Type, mode expr.Mode) expr.Expr {
	return &expr.Cast{Child: cols(from)[0], To: to, Mode: mode}
}

func TestCastNumbers(t *testing.T) {
	check(t, cast(expr.Int64, expr.Int8, expr.ANSI), []testCase{{in(127), "127"}, {in(128), "!CAST_OVERFLOW"}, {in(nil), "NULL"}})
	check(t, cast(expr.Int64, expr.Int8, expr.Legacy), []testCase{{in(128), "-128"}})
	check(t, cast(expr.Int64, expr.Int8, expr.Try), []testCase{{in(128), "NULL"}, {in(-1), "-1"}})
	check(t, cast(expr.Float64, expr.Int32, expr.ANSI), []testCase{{in(1.9), "1"}, {in(-1.9), "-1"}, {in(2147483647.9), "2147483647"}, {in(2147483648.0), "!CAST_OVERFLOW"}, {in("NaN"), "!CAST_OVERFLOW"}})
	check(t, cast(expr.Float64, expr.Int8, expr.Legacy), []testCase{{in(1e20), "-1"}, {in("NaN"), "0"}})
	check(t, cast(expr.Int32, expr.Decimal(3, 1), expr.ANSI), []testCase{{in(99), "99.0"}, {in(-128), "!NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"}})
	check(t, cast(expr.Float64, expr.Decimal(10, 2), expr.ANSI), []testCase{{in(1.005), "1.01"}, {in(2.675), "2.68"}, {in("NaN"), "NULL"}, {in(1e10), "!NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"}})
	check(t, cast(expr.Decimal(38, 18), expr.Float64, expr.ANSI), []testCase{{in("0.1"), "0.1"}, {in("12345678901234567890.123456789"), "1.2345678901234567E19"}})
	check(t, cast(expr.Float64, expr.Bool, expr.ANSI), []testCase{{in(0.0), "false"}, {in("NaN"), "true"}})
	check(t, cast(expr.Bool, expr.Int32, expr.ANSI), []testCase{{in(true), "1"}, {in(nil), "NULL"}})
}

func TestCastText(t *testing.T) {
	check(t, cast(expr.String, expr.Int32, expr.ANSI), []testCase{
		{in(" 12 "), "12"}, {in("1.0"), "!CAST_INVALID_INPUT"}, {in("1e3"), "!CAST_INVALID_INPUT"}, {in("2147483648"), "!CAST_INVALID_INPUT"}, {in(nil), "NULL"}, {in("-0"), "0"},
	})
	check(t, cast(expr.String, expr.Int32, expr.Legacy), []testCase{{in("1.9"), "1"}, {in("x"), "NULL"}, {in("."), "0"}})
	check(t, cast(expr.String, expr.Float64, expr.ANSI), []testCase{{in("1.5d"), "1.5"}, {in("inf"), "Infinity"}, {in("0x1p3"), "8.0"}, {in("1e400"), "Infinity"}, {in("1_0"), "!CAST_INVALID_INPUT"}})
	check(t, cast(expr.String, expr.Decimal(10, 2), expr.ANSI), []testCase{
		{in("0.015"), "0.02"}, {in("1e400"), "!NUMERIC_OUT_OF_SUPPORTED_RANGE"}, {in("99999999.995"), "!NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"}, {in("1.5.5"), "!CAST_INVALID_INPUT"}, {in("١.٥"), "1.50"},
	})
	check(t, cast(expr.String, expr.Bool, expr.ANSI), []testCase{{in("T"), "true"}, {in(" no "), "false"}, {in("on"), "!CAST_INVALID_INPUT"}})
	check(t, cast(expr.String, expr.Date, expr.ANSI), []testCase{
		{in("2020"), "2020-01-01"}, {in("2020-1-5"), "2020-01-05"}, {in("2020-01-01 abc"), "2020-01-01"}, {in("2020-02-30"), "!CAST_INVALID_INPUT"}, {in("5881580-07-11"), "+5881580-07-11"}, {in("5881580-07-12"), "!CAST_INVALID_INPUT"},
	})
	check(t, cast(expr.String, expr.Timestamp, expr.ANSI), []testCase{
		{in("2020-01-01 10:20:30.1234567"), "2020-01-01 10:20:30.123456"}, {in("2020-01-01T1:2+05:30"), "!CAST_INVALID_INPUT"}, {in("2020-01-01 10:20:30 CST"), "2020-01-01 16:20:30"},
		{in("2020-01-01 10:20:30-0100"), "2020-01-01 11:20:30"}, {in("1577836800"), "!CAST_INVALID_INPUT"}, {in("294247-01-10 04:00:54.775807"), "+294247-01-10 04:00:54.775807"},
	})
	check(t, cast(expr.String, expr.TimestampNTZ, expr.ANSI), []testCase{{in("2020-01-01 10:20:30+05:00"), "2020-01-01 10:20:30"}, {in("10:20"), "!CAST_INVALID_INPUT"}})
	check(t, cast(expr.String, expr.DayTime, expr.ANSI), []testCase{
		{in("1 02:03:04.5"), "INTERVAL '1 02:03:04.5' DAY TO SECOND"}, {in("INTERVAL -'0 00:00:01' DAY TO SECOND"), "INTERVAL '-0 00:00:01' DAY TO SECOND"},
		{in("abc"), "!INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE"}, {in("1 25:00:00"), "!INVALID_INTERVAL_FORMAT.INTERVAL_PARSING"},
	})
	check(t, cast(expr.String, expr.YearMonth, expr.ANSI), []testCase{{in("-1-2"), "INTERVAL '-1-2' YEAR TO MONTH"}, {in("x"), "!INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING"}})
	check(t, cast(expr.String, expr.Calendar, expr.ANSI), []testCase{{in("1 year 2 days 3.5 seconds"), "1 years 2 days 3.5 seconds"}, {in("x"), "NULL"}})
}

func TestCastToText(t *testing.T) {
	check(t, cast(expr.Float64, expr.String, expr.ANSI), []testCase{
		{in(1e7), "1.0E7"}, {in(9999999.0), "9999999.0"}, {in(1e-3), "0.001"}, {in(9.99e-4), "9.99E-4"}, {in("-0.0"), "-0.0"}, {in(5e-324), "4.9E-324"},
		{in(1e20), "1.0E20"}, {in(-4.6566128730773926e-10), "-4.6566128730773926E-10"},
	})
	check(t, cast(expr.Float32, expr.String, expr.ANSI), []testCase{{in(float32(2147483647)), "2.14748365E9"}, {in(float32(16777216)), "1.6777216E7"}, {in(float32(1e-45)), "1.4E-45"}})
	nested := expr.StructOf(expr.Field{Name: "a", Type: expr.ArrayOf(expr.Int32, true)}, expr.Field{Name: "m", Type: expr.MapOf(expr.String, expr.Int32, true)})
	check(t, cast(nested, expr.String, expr.ANSI), []testCase{
		{in([]any{[]any{int64(1), nil}, []expr.MapEntry{{Key: "k", Value: int64(2)}}}), "{[1, null], {k -> 2}}"}, {in([]any{nil, []expr.MapEntry{}}), "{null, {}}"}, {in(nil), "NULL"},
	})
	check(t, cast(expr.Decimal(38, 18), expr.String, expr.Legacy), []testCase{{in("0"), "0E-18"}, {in("1.5"), "1.500000000000000000"}})
}

// Elements that no live row reaches must not be cast.
func TestCastNested(t *testing.T) {
	from, to := expr.ArrayOf(expr.String, true), expr.ArrayOf(expr.Int32, true)
	check(t, cast(from, to, expr.ANSI), []testCase{
		{in([]any{"1", nil}), "[1, null]"}, {in([]any{}), "[]"}, {in(nil), "NULL"}, {in([]any{"x"}), "!CAST_INVALID_INPUT"},
	})
	check(t, cast(expr.MapOf(expr.String, expr.String, true), expr.MapOf(expr.String, expr.Int64, true), expr.Try), []testCase{
		{in([]expr.MapEntry{{Key: "a", Value: "1"}, {Key: "b", Value: "x"}}), "{a -> 1, b -> null}"},
	})
	s := func(t *expr.Type) *expr.Type { return expr.StructOf(expr.Field{Name: "f", Type: t, Nullable: true}) }
	check(t, cast(s(expr.String), s(expr.Int32), expr.ANSI), []testCase{{in([]any{"7"}), "{7}"}, {in([]any{"x"}), "!CAST_INVALID_INPUT"}, {in(nil), "NULL"}})
}

func TestCastTimes(t *testing.T) {
	check(t, cast(expr.Timestamp, expr.Date, expr.ANSI), []testCase{{in("1969-12-31 23:59:59.9"), "1969-12-31"}})
	check(t, cast(expr.Int64, expr.Timestamp, expr.ANSI), []testCase{{in(-1), "1969-12-31 23:59:59"}})
	check(t, cast(expr.Timestamp, expr.Int64, expr.ANSI), []testCase{{in("1969-12-31 23:59:59.5"), "-1"}})
	check(t, cast(expr.Timestamp, expr.Int32, expr.ANSI), []testCase{{in("9999-12-31 00:00:00"), "!CAST_OVERFLOW"}, {in("2020-01-01 00:00:00"), "1577836800"}})
	check(t, cast(expr.Int32, &expr.Type{Kind: expr.KindYearMonth, From: expr.FieldYear, To: expr.FieldMonth}, expr.ANSI), []testCase{{in(128), "INTERVAL '10-8' YEAR TO MONTH"}})
}
