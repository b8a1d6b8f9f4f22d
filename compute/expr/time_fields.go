package expr

import (
	"strings"
	"time"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

var timeUTC = time.UTC

func timeFieldRows() map[string]row {
	rows := map[string]row{
		"hour":      strict(func(f *frame) error { return clockField(f, kernels.Hour, 24) }),
		"minute":    strict(func(f *frame) error { return clockField(f, kernels.Minute, 60) }),
		"second":    strict(func(f *frame) error { return clockField(f, kernels.Second, 60) }),
		"extract":   {makeExtract},
		"date_part": {makeExtract},
		"datepart":  {makeExtract},
		"dayname": strict(func(f *frame) error {
			return nameField(f, func(d int64) string { return dayNames[kernels.Weekday(d)][:3] })
		}),
		"monthname": strict(func(f *frame) error {
			return nameField(f, func(d int64) string { _, m, _ := kernels.Civil(d); return monthNames[m-1][:3] })
		}),
	}
	for name, field := range dateFields {
		rows[name] = strict(func(f *frame) error {
			kernels.DateFields(field, results[int32](f), localDays(f, 0))
			return nil
		})
	}
	return rows
}

var dateFields = map[string]kernels.DateField{
	"year": kernels.FieldYear, "quarter": kernels.FieldQuarter, "month": kernels.FieldMonth, "day": kernels.FieldDayOfMonth,
	"dayofmonth": kernels.FieldDayOfMonth, "dayofyear": kernels.FieldDayOfYear, "dayofweek": kernels.FieldDayOfWeek,
	"weekday": kernels.FieldWeekday, "weekofyear": kernels.FieldWeek,
}

var (
	dayNames   = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	monthNames = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
)

// localDays returns the local days of a date or timestamp argument.
func localDays(f *frame, k int) []int32 {
	var sd spread[int32]
	if f.args[k].Type.Kind == expr.KindDate {
		return sd.column(f, k)
	}
	if cap(f.days) < f.n {
		f.days = make([]int32, f.n)
	}
	f.days = f.days[:f.n]
	kernels.Days(f.days, localTimes(f, k))
	return f.days
}

// localTimes returns the local microseconds of a timestamp, date or time argument.
func localTimes(f *frame, k int) []int64 {
	switch f.args[k].Type.Kind {
	case expr.KindTime:
		out, a := make([]int64, f.n), argument[int64](f, k)
		for i := range out {
			out[i] = a.at(i) / nanosPerMicro
		}
		return out
	case expr.KindTimestamp:
		var s spread[int64]
		if off, fixed := f.env.zone.Fixed(); fixed && off == 0 {
			return s.column(f, k)
		}
		out := make([]int64, f.n)
		f.env.zone.ToLocal(out, s.column(f, k))
		return out
	case expr.KindDate:
		out, a := make([]int64, f.n), argument[int32](f, k)
		for i := range out {
			out[i], _ = arrowtext.JoinDay(int64(a.at(i)), 0)
		}
		return out
	}
	var s spread[int64]
	return s.column(f, k)
}

func clockField(f *frame, unit, mod int64) error {
	dst := results[int32](f)
	for i, t := range localTimes(f, 0) {
		dst[i] = int32(kernels.FloorMod(t, kernels.Day) / unit % mod)
	}
	return nil
}

func nameField(f *frame, name func(day int64) string) error {
	days := localDays(f, 0)
	return f.write(func(i int, dst []byte) ([]byte, error) { return append(dst, name(int64(days[i]))...), nil })
}

// unit returns the canonical name of a field in EXTRACT, or "".
func unit(s string) string {
	switch strings.ToUpper(s) {
	case "YEAR", "Y", "YEARS", "YR", "YRS":
		return "YEAR"
	case "YEAROFWEEK":
		return "YEAROFWEEK"
	case "QUARTER", "QTR":
		return "QUARTER"
	case "MONTH", "MON", "MONS", "MONTHS":
		return "MONTH"
	case "WEEK", "W", "WEEKS":
		return "WEEK"
	case "DAY", "D", "DAYS":
		return "DAY"
	case "DAYOFWEEK", "DOW":
		return "DAYOFWEEK"
	case "DAYOFWEEK_ISO", "DOW_ISO":
		return "DAYOFWEEK_ISO"
	case "DOY":
		return "DOY"
	case "HOUR", "H", "HOURS", "HR", "HRS":
		return "HOUR"
	case "MINUTE", "M", "MIN", "MINS", "MINUTES":
		return "MINUTE"
	case "SECOND", "S", "SEC", "SECONDS", "SECS":
		return "SECOND"
	}
	return ""
}

func makeExtract(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	value, ok := literalArg(c, 0)
	if !ok {
		return nil, unsupported(c)
	}
	name, _ := value.(string)
	if name == "" {
		return newLiteral(nil, c.Typ)
	}
	run := extractField(unit(name), c.Args[1].Type(), c.Typ)
	if value == nil || c.Args[1].Type().Kind == expr.KindNull {
		run = func(*frame) error { return nil }
	}
	if run == nil {
		return nil, base.UserError("INVALID_EXTRACT_FIELD", "42601", "Cannot extract `%s` from %q.", name, c.Args[1].SQL()).At(c.At)
	}
	return newFunction(c, args, env, run), nil
}

func extractField(name string, t, result *expr.Type) func(f *frame) error {
	if t.IsInterval() {
		return extractInterval(name, result)
	}
	fields := map[string]kernels.DateField{
		"YEAR": kernels.FieldYear, "YEAROFWEEK": kernels.FieldYearOfWeek, "QUARTER": kernels.FieldQuarter, "MONTH": kernels.FieldMonth,
		"WEEK": kernels.FieldWeek, "DAY": kernels.FieldDayOfMonth, "DAYOFWEEK": kernels.FieldDayOfWeek,
		"DAYOFWEEK_ISO": kernels.FieldDayOfWeekISO, "DOY": kernels.FieldDayOfYear,
	}
	if field, ok := fields[name]; ok && t.Kind != expr.KindTime {
		return func(f *frame) error {
			kernels.DateFields(field, results[int32](f), localDays(f, 1))
			return nil
		}
	}
	if name == "SECOND" && t.Kind == expr.KindTime {
		unit := timeUnit(t)
		return func(f *frame) error {
			dst, a := results[kernels.Int128](f), argument[int64](f, 1)
			for i := range dst {
				dst[i] = kernels.From64(a.at(i) % (60 * nanosPerSecond) / unit)
			}
			return nil
		}
	}
	clock := map[string]func(t int64) int64{
		"HOUR":   func(t int64) int64 { return t / kernels.Hour },
		"MINUTE": func(t int64) int64 { return t / kernels.Minute % 60 },
		"SECOND": func(t int64) int64 { return t % kernels.Minute },
	}[name]
	if clock == nil {
		return nil
	}
	return func(f *frame) error {
		put := putInt(f)
		for i, t := range localTimes(f, 1) {
			put(i, clock(kernels.FloorMod(t, kernels.Day)))
		}
		return nil
	}
}

// putInt stores whole numbers in a result of any integer type, or as the
// unscaled value of a DECIMAL.
func putInt(f *frame) func(i int, v int64) {
	switch f.call.Typ.Kind {
	case expr.KindInt8:
		dst := results[int8](f)
		return func(i int, v int64) { dst[i] = int8(v) }
	case expr.KindInt16:
		dst := results[int16](f)
		return func(i int, v int64) { dst[i] = int16(v) }
	case expr.KindInt32, expr.KindDate, expr.KindYearMonth:
		dst := results[int32](f)
		return func(i int, v int64) { dst[i] = int32(v) }
	case expr.KindDecimal:
		dst := results[kernels.Int128](f)
		return func(i int, v int64) { dst[i] = kernels.From64(v) }
	case expr.KindFloat64:
		dst := results[float64](f)
		return func(i int, v int64) { dst[i] = float64(v) }
	}
	dst := results[int64](f)
	return func(i int, v int64) { dst[i] = v }
}

func extractInterval(name string, _ *expr.Type) func(f *frame) error {
	get := map[string]func(v interval) int64{
		"YEAR":    func(v interval) int64 { return v.months / 12 },
		"MONTH":   func(v interval) int64 { return v.months % 12 },
		"QUARTER": func(v interval) int64 { return v.months%12/3 + 1 },
		"DAY":     func(v interval) int64 { return v.days },
		"HOUR":    func(v interval) int64 { return v.micros / kernels.Hour },
		"MINUTE":  func(v interval) int64 { return v.micros / kernels.Minute % 60 },
		"SECOND":  func(v interval) int64 { return v.micros % kernels.Minute },
	}[name]
	if get == nil {
		return nil
	}
	return func(f *frame) error {
		put, iv := putInt(f), intervals(f, 1)
		months := f.args[1].Type.Kind == expr.KindYearMonth
		time := f.args[1].Type.Kind == expr.KindDayTime
		if months && (name == "DAY" || name == "HOUR" || name == "MINUTE" || name == "SECOND") || time && (name == "YEAR" || name == "MONTH" || name == "QUARTER") {
			return base.UserError("INVALID_EXTRACT_FIELD", "42601", "Cannot extract `%s` from %q.", name, f.call.Args[1].SQL()).At(f.call.At)
		}
		f.each(func(i int) { put(i, get(iv(i))) })
		return nil
	}
}
