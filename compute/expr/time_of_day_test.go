package expr

import (
	"testing"

	"github.com/flightd/flightd/plan/expr"
)

// clockColumn is a column of TIME(p) made from a column of text.
func clockColumn(p, i int) expr.Expr {
	types := make([]*expr.Type, i+1)
	types[i] = expr.String
	return &expr.Cast{Child: cols(types...)[i], To: expr.Time(p)}
}

func TestTimeOfDay(t *testing.T) {
	a, six := clockColumn(9, 0), expr.Time(6)
	check(t, a, []testCase{{in("10:20:30.1234567891"), "10:20:30.123456789"}, {in("10"), "!CAST_INVALID_INPUT"}, {in(nil), "NULL"}})
	check(t, clockColumn(3, 0), []testCase{{in("10:20:30.1239"), "10:20:30.123"}, {in("1:00 pm"), "13:00:00"}})
	check(t, call("extract", expr.Decimal(11, 9), str("SECOND"), a), []testCase{{in("10:20:30.123456789"), "30.123456789"}})
	check(t, call("hour", expr.Int32, a), []testCase{{in("23:59:59.999999999"), "23"}})
	check(t, call("time_trunc", expr.Time(9), str("millisecond"), a), []testCase{{in("10:20:30.123456789"), "10:20:30.123"}, {in(nil), "NULL"}})
	check(t, call("time_trunc", expr.Time(9), str("DAY"), a), []testCase{{in("10:20:30"), "!INVALID_PARAMETER_VALUE.TIME_UNIT"}})
	check(t, call("time_diff", expr.Int64, str("MINUTE"), a, clockColumn(9, 1)), []testCase{{in("05:00", "02:30:30"), "-149"}, {in("05:00", nil), "NULL"}})
	check(t, call("time_to_seconds", expr.Decimal(14, 6), a), []testCase{{in("01:02:03.1234567"), "3723.123457"}})
	check(t, call("time_to_millis", expr.Int64, a), []testCase{{in("01:02:03.1239"), "3723123"}})
	check(t, call("time_from_seconds", six, cols(expr.Float64)...), []testCase{{in(1.5), "00:00:01.5"}, {in(86400.0), "!DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION"}})
	check(t, call("time_from_micros", six, cols(expr.Int64)...), []testCase{{in(1), "00:00:00.000001"}, {in(-1), "!DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION"}})
	check(t, call("to_time", six, cols(expr.String, expr.String)...), []testCase{
		{in("10 PM", "h a"), "22:00:00"}, {in("10.20", "HH:mm"), "!CANNOT_PARSE_TIME"}, {in("1", "qq"), "!INVALID_DATETIME_PATTERN.WITH_SUGGESTION"}, {in(nil, "HH"), "NULL"},
	})
	check(t, call("date_format", expr.String, a, str("HH:mm:ss.SSSSSSSSS")), []testCase{{in("10:20:30.123456789"), "10:20:30.123456789"}})
	check(t, call("date_format", expr.String, a, str("yyyy")), []testCase{{in("10:20"), "!INVALID_PARAMETER_VALUE.PATTERN"}})
	hour := &expr.Type{Kind: expr.KindDayTime, From: expr.FieldHour, To: expr.FieldSecond}
	check(t, call("-", hour, a, clockColumn(9, 1)), []testCase{{in("11:00", "12:00:00.123456789"), "INTERVAL '-01:00:00.123456' HOUR TO SECOND"}})
	check(t, call("+", expr.Time(9), a, cols(nil, expr.DayTime)[1]), []testCase{{in("23:00", "0 02:00:00"), "!DATETIME_OVERFLOW"}, {in("10:00:00.000000001", "0 02:00:00"), "12:00:00.000000001"}})
}
