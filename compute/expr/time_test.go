package expr

import (
	"testing"
	"time"

	"github.com/flightd/flightd/plan/expr"
)

func TestTimeArithmetic(t *testing.T) {
	ts, ym, dt := expr.Timestamp, expr.YearMonth, expr.DayTime
	check(t, call("+", ts, cols(ts, ym)...), []testCase{{in("2020-01-31 10:00:00", "0-1"), "2020-02-29 10:00:00"}, {in(nil, "0-1"), "NULL"}})
	check(t, call("-", ts, cols(ts, dt)...), []testCase{{in("2020-03-01 00:00:00", "1 00:00:00.5"), "2020-02-28 23:59:59.5"}})
	check(t, call("-", dt, cols(ts, ts)...), []testCase{{in("2020-01-02 00:00:00", "2020-01-01 12:00:00"), "INTERVAL '0 12:00:00' DAY TO SECOND"}})
	day := &expr.Type{Kind: expr.KindDayTime, From: expr.FieldDay, To: expr.FieldDay}
	check(t, call("-", day, cols(expr.Date, expr.Date)...), []testCase{{in("2020-03-01", "2020-02-01"), "INTERVAL '29' DAY"}})
	check(t, call("+", expr.Date, cols(expr.Date, expr.Int32)...), []testCase{{in("2020-02-28", 2), "2020-03-01"}})
	check(t, call("/", ym, cols(ym, expr.Int32)...), []testCase{{in("0-5", 2), "INTERVAL '0-3' YEAR TO MONTH"}, {in("0-5", 0), "!INTERVAL_DIVIDED_BY_ZERO"}})
	check(t, call("+", ym, cols(ym, ym)...), []testCase{{in("178956970-7", "0-1"), "!INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION"}, {in("1-1", "0-11"), "INTERVAL '2-0' YEAR TO MONTH"}})
	// A day is a day of the zone, an hour is an hour.
	paris, _ := time.LoadLocation("Europe/Paris")
	hour := call("+", ts, cols(ts, dt)...)
	checkEnv(t, hour, &Env{Zone: paris}, []testCase{{in("2020-03-28 11:00:00", "1 00:00:00"), "2020-03-29 12:00:00"}, {in("2020-03-28 11:00:00", "0 23:00:00"), "2020-03-29 12:00:00"}})
}

func TestTimeFields(t *testing.T) {
	d := cols(expr.Date)[0]
	for fn, want := range map[string]string{
		"year": "2020", "quarter": "1", "month": "2", "dayofmonth": "29", "dayofyear": "60", "dayofweek": "7", "weekday": "5", "weekofyear": "9",
	} {
		check(t, call(fn, expr.Int32, d), []testCase{{in("2020-02-29"), want}, {in(nil), "NULL"}})
	}
	ts := cols(expr.Timestamp)[0]
	check(t, call("hour", expr.Int32, ts), []testCase{{in("1969-12-31 23:59:58.5"), "23"}})
	check(t, call("second", expr.Int32, ts), []testCase{{in("1969-12-31 23:59:58.5"), "58"}})
	check(t, call("extract", expr.Decimal(8, 6), str("SECONDS"), ts), []testCase{{in("1969-12-31 23:59:58.5"), "58.500000"}})
	check(t, call("date_trunc", expr.Timestamp, str("WEEK"), ts), []testCase{{in("2020-02-29 10:00:00"), "2020-02-24 00:00:00"}})
	check(t, call("date_trunc", expr.Timestamp, cols(expr.String)[0], cols(nil, expr.Timestamp)[1]), []testCase{
		{in("year", "2020-02-29 10:00:00"), "2020-01-01 00:00:00"}, {in("nope", "2020-02-29 10:00:00"), "NULL"}, {in("HOUR", "1969-12-31 23:59:58.5"), "1969-12-31 23:00:00"},
	})
	check(t, call("trunc", expr.Date, d, str("MM")), []testCase{{in("2020-02-29"), "2020-02-01"}})
	check(t, call("last_day", expr.Date, d), []testCase{{in("2020-02-01"), "2020-02-29"}})
	check(t, call("add_months", expr.Date, d, num(-12)), []testCase{{in("2020-02-29"), "2019-02-28"}})
	check(t, call("next_day", expr.Date, d, str("tu")), []testCase{{in("2020-02-29"), "2020-03-03"}})
	check(t, call("datediff", expr.Int32, cols(expr.Date, expr.Date)...), []testCase{{in("2020-03-01", "2020-02-28"), "2"}})
	check(t, call("months_between", expr.Float64, cols(expr.Timestamp, expr.Timestamp)...), []testCase{{in("1997-02-28 10:30:00", "1996-10-30 00:00:00"), "3.94959677"}, {in("2020-02-29 00:00:00", "2019-12-31 00:00:00"), "2.0"}})
	i := cols(expr.Int32, expr.Int32, expr.Int32)
	check(t, call("make_date", expr.Date, i...), []testCase{{in(2020, 2, 29), "2020-02-29"}, {in(2021, 2, 29), "!DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION"}, {in(nil, 1, 1), "NULL"}})
	w := expr.TimeWindow(expr.Timestamp)
	check(t, call("window_time", expr.Timestamp, cols(w)[0]), []testCase{{in([]any{int64(0), int64(10_000_000)}), "1970-01-01 00:00:09.999999"}, {in(nil), "NULL"}})
}

func TestTimeText(t *testing.T) {
	c := cols(expr.Timestamp, expr.String)
	check(t, call("date_format", expr.String, c...), []testCase{
		{in("2024-02-29 12:34:56.789012", "yyyy-MM-dd HH:mm:ss.SSS"), "2024-02-29 12:34:56.789"}, {in("2020-01-01 00:30:00", "h K k H a"), "12 0 24 0 AM"},
		{in("2024-02-29 12:34:56", "EEEE, MMM d QQQ"), "Thursday, Feb 29 Q1"}, {in("2024-02-29 12:34:56", "e"), "!INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN"},
		{in("2024-02-29 12:34:56", "yyyy''MM'T'"), "2024'02T"}, {in("2024-02-29 12:34:56", "B"), "!INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER"},
	})
	s := cols(expr.String, expr.String)
	check(t, call("to_timestamp", expr.Timestamp, s...), []testCase{
		{in("2020-01-02 10:20:30 PM", "yyyy-MM-dd hh:mm:ss a"), "2020-01-02 22:20:30"}, {in("20200102", "yyyyMMdd"), "2020-01-02 00:00:00"}, {in("2020-1-2", "yyyy-MM-dd"), "!CANNOT_PARSE_TIMESTAMP"},
		{in("2020-01-02 10:20", "yyyy-MM-dd[ HH:mm]"), "2020-01-02 10:20:00"}, {in("2020-01-02", "yyyy-MM-dd[ HH:mm]"), "2020-01-02 00:00:00"}, {in("99", "yy"), "2099-01-01 00:00:00"},
		{in("2020-01-02 22:20 +02:00", "yyyy-MM-dd HH:mm XXX"), "2020-01-02 20:20:00"}, {in("2020-060", "yyyy-DDD"), "2020-02-29 00:00:00"}, {in(nil, "yyyy"), "NULL"},
	})
	check(t, call("from_unixtime", expr.String, cols(expr.Int64)[0]), []testCase{{in(-1), "1969-12-31 23:59:59"}, {in(nil), "NULL"}})
	check(t, call("unix_timestamp", expr.Int64, cols(expr.String)[0]), []testCase{{in("2020-01-01 00:00:01"), "1577836801"}, {in("bad"), "!CANNOT_PARSE_TIMESTAMP"}})
	check(t, call("timestampadd", expr.Timestamp, str("MONTH"), cols(expr.Int64)[0], cols(nil, expr.Timestamp)[1]), []testCase{{in(-1, "2020-03-31 10:00:00"), "2020-02-29 10:00:00"}})
	check(t, call("timestampdiff", expr.Int64, str("YEAR"), cols(expr.Timestamp)[0], cols(nil, expr.Timestamp)[1]), []testCase{{in("2024-02-29 12:34:56", "2020-06-30 10:15:30"), "-3"}})
	check(t, call("from_utc_timestamp", expr.Timestamp, cols(expr.Timestamp)[0], str("Asia/Tokyo")), []testCase{{in("2020-01-01 00:00:00"), "2020-01-01 09:00:00"}})
	env := &Env{Now: 1_600_000_000_000_000}
	checkEnv(t, call("current_timestamp", expr.Timestamp), env, []testCase{{in(), "2020-09-13 12:26:40"}})
	checkEnv(t, call("current_date", expr.Date), env, []testCase{{in(), "2020-09-13"}})
}
