package expr

import (
	"math"
	"math/big"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func timeMakeRows() map[string]row {
	rows := map[string]row{
		"make_date":           strict(makeDates),
		"make_ym_interval":    strict(makeYearMonths),
		"make_dt_interval":    strict(makeDayTimes),
		"make_interval":       strict(makeCalendars),
		"try_make_interval":   trying(makeCalendars),
		"timestamp_seconds":   strict(timestampSeconds),
		"timestamp_millis":    strict(func(f *frame) error { return timestampOf(f, 1000, "milliseconds") }),
		"timestamp_micros":    strict(func(f *frame) error { return timestampOf(f, 1, "microseconds") }),
		"date_from_unix_date": strict(func(f *frame) error { return copyInts[int32](f, 0) }),
		"unix_date":           strict(func(f *frame) error { return copyInts[int32](f, 0) }),
		"unix_micros":         strict(func(f *frame) error { return copyInts[int64](f, 0) }),
		"unix_millis":         strict(func(f *frame) error { return floorTo(f, 1000) }),
		"unix_seconds":        strict(func(f *frame) error { return floorTo(f, kernels.Second) }),
		"window_time":         strict(windowTime),
		"current_timestamp":   {now(func(env *Env) int64 { return env.Now })},
		"now":                 {now(func(env *Env) int64 { return env.Now })},
		"localtimestamp":      {now(func(env *Env) int64 { return env.zone.Local(env.Now) })},
		"current_date":        {now(func(env *Env) int64 { return kernels.FloorDiv(env.zone.Local(env.Now), kernels.Day) })},
		"current_timezone":    {constantText(func(env *Env) string { return env.zone.String() })},
	}
	for _, name := range []string{"make_timestamp", "make_timestamp_ltz", "make_timestamp_ntz"} {
		rows[name] = strict(makeTimestamps)
		rows["try_"+name] = trying(makeTimestamps)
	}
	return rows
}

// trying is strict in the mode Try.
func trying(run func(f *frame) error) row {
	return row{func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
		try := *c
		try.Mode = expr.Try
		return newFunction(&try, args, env, run), nil
	}}
}

// clock is a function of the epoch's time.
type clock struct {
	env  *Env
	t    *expr.Type
	read func(env *Env) int64
}

func now(read func(env *Env) int64) func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	return func(c *expr.Call, _ []Evaluator, env *Env) (Evaluator, error) { return &clock{env, c.Typ, read}, nil }
}

func (e *clock) Eval(in *Input) (*vec.Vec, error) {
	v, err := Constant(e.read(e.env), e.t)
	if err == nil {
		v.Len = in.Rows
	}
	return v, err
}

func constantText(text func(env *Env) string) func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	return func(c *expr.Call, _ []Evaluator, env *Env) (Evaluator, error) { return newLiteral(text(env), c.Typ) }
}

func copyInts[T kernels.Int](f *frame, k int) error {
	a := argument[T](f, k)
	dst := results[T](f)
	for i := range dst {
		dst[i] = a.at(i)
	}
	return nil
}

func floorTo(f *frame, unit int64) error {
	dst, a := results[int64](f), argument[int64](f, 0)
	for i := range dst {
		dst[i] = kernels.FloorDiv(a.at(i), unit)
	}
	return nil
}

// fieldError is the error of java.time for a field out of its range.
func fieldError(format string, args ...any) *base.Error {
	e := base.UserError("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "22023", format, args...)
	e.Msg += ". "
	return e
}

// civilDate checks a date as java.time does.
func civilDate(y, m, d int64) (int64, *base.Error) {
	switch {
	case y < -999999999 || y > 999999999:
		return 0, fieldError("Invalid value for Year (valid values -999999999 - 999999999): %d", y)
	case m < 1 || m > 12:
		return 0, fieldError("Invalid value for MonthOfYear (valid values 1 - 12): %d", m)
	case d < 1 || d > 31:
		return 0, fieldError("Invalid value for DayOfMonth (valid values 1 - 28/31): %d", d)
	case d > int64(kernels.DaysIn(y, int(m))):
		if d == 29 {
			return 0, fieldError("Invalid date 'February 29' as '%d' is not a leap year", y)
		}
		return 0, fieldError("Invalid date '%s %d'", strings.ToUpper(monthNames[m-1]), d)
	}
	return kernels.DayOf(y, int(m), int(d)), nil
}

func makeDates(f *frame) error {
	dst, y, m, d := results[int32](f), argument[int32](f, 0), argument[int32](f, 1), argument[int32](f, 2)
	return f.try(func(i int) error {
		day, err := civilDate(int64(y.at(i)), int64(m.at(i)), int64(d.at(i)))
		if err != nil {
			return f.fail(i, err)
		}
		if day != int64(int32(day)) {
			return f.fail(i, plainOverflow("integer overflow"))
		}
		dst[i] = int32(day)
		return nil
	})
}

// makeTimestamps takes year, month, day, hour, minute, second and a zone; or a
// date, a time and a zone.
func makeTimestamps(f *frame) error {
	var zones arrowtext.Zones
	ntz := f.call.Typ.Kind == expr.KindTimestampNTZ
	dst := results[int64](f)
	zoneArg := -1
	if n := len(f.args); n == 7 || n == 3 {
		zoneArg = n - 1
	}
	finish := func(i int, local int64) error {
		zone := f.env.zone
		if zoneArg >= 0 {
			if zone = zones.Zone(string(f.args[zoneArg].Str(i))); zone == nil {
				return invalidZone(string(f.args[zoneArg].Str(i))).At(f.call.At) // in try_ functions too
			}
		}
		if ntz {
			dst[i] = local
			if zoneArg >= 0 {
				dst[i] = f.env.zone.Local(zone.UTC(local))
			}
			return nil
		}
		dst[i] = zone.UTC(local)
		return nil
	}
	if len(f.args) <= 3 {
		days := localDays(f, 0)
		clock := argument[int64](f, 1)
		return f.try(func(i int) error {
			local, _ := arrowtext.JoinDay(int64(days[i]), clock.at(i)/nanosPerMicro)
			return finish(i, local)
		})
	}
	y, mo, d := argument[int32](f, 0), argument[int32](f, 1), argument[int32](f, 2)
	h, mi := argument[int32](f, 3), argument[int32](f, 4)
	sec := argument[kernels.Int128](f, 5)
	scale := f.args[5].Type.Scale
	return f.try(func(i int) error {
		s, _ := kernels.Rescale(sec.at(i), scale, 6)
		micros, _ := s.Int64()
		whole, frac := kernels.FloorDiv(micros, kernels.Second), kernels.FloorMod(micros, kernels.Second)
		day, err := civilDate(int64(y.at(i)), int64(mo.at(i)), int64(d.at(i)))
		carry := int64(0)
		switch {
		case whole == 60 && frac == 0:
			whole, carry = 0, kernels.Minute
		case whole == 60:
			return f.fail(i, base.UserError("INVALID_FRACTION_OF_SECOND", "22023",
				"Valid range for seconds is [0, 60] (inclusive), but the provided value is %s. To avoid this error, use `try_%s`, which returns NULL on error.\nIf you do not want to use the session default timestamp version of this function, use `try_make_timestamp_ntz` or `try_make_timestamp_ltz`.",
				arrowtext.BigDecimal(trimZeros(s.Big(), 6)), strings.TrimPrefix(f.call.Fn, "try_")))
		}
		if err == nil {
			err = clockFields(int64(h.at(i)), int64(mi.at(i)), whole)
		}
		if err != nil {
			return f.fail(i, err)
		}
		local, ok := arrowtext.JoinDay(day, int64(h.at(i))*kernels.Hour+int64(mi.at(i))*kernels.Minute+whole*kernels.Second+frac)
		if !ok {
			return f.fail(i, plainOverflow("long overflow"))
		}
		return finish(i, local+carry)
	})
}

func trimZeros(b *big.Int, scale int) (*big.Int, int) {
	ten := big.NewInt(10)
	for scale > 0 {
		q, r := new(big.Int).QuoRem(b, ten, new(big.Int))
		if r.Sign() != 0 {
			break
		}
		b, scale = q, scale-1
	}
	return b, scale
}

func clockFields(h, m, s int64) *base.Error {
	switch {
	case h < 0 || h > 23:
		return fieldError("Invalid value for HourOfDay (valid values 0 - 23): %d", h)
	case m < 0 || m > 59:
		return fieldError("Invalid value for MinuteOfHour (valid values 0 - 59): %d", m)
	case s < 0 || s > 59:
		return fieldError("Invalid value for SecondOfMinute (valid values 0 - 59): %d", s)
	}
	return nil
}

func invalidZone(name string) *base.Error {
	return base.UserError("INVALID_TIMEZONE", "22009",
		"The timezone: %s is invalid. The timezone must be either a region-based zone ID or a zone offset. Region IDs must have the form 'area/city', such as 'America/Los_Angeles'. Zone offsets must be in the format '(+|-)HH', '(+|-)HH:mm’ or '(+|-)HH:mm:ss', e.g '-08' , '+01:00' or '-13:33:33', and must be in the range from -18:00 to +18:00. 'Z' and 'UTC' are accepted as synonyms for '+00:00'.", name)
}

func timestampOf(f *frame, unit int64, name string) error {
	dst, a := results[int64](f), ints(f, 0, nil)
	return f.try(func(i int) error {
		v, ok := kernels.MulOK(a[i], unit)
		dst[i] = v
		if !ok {
			return f.raise(i, datetimeOverflow("create a TIMESTAMP from %dL %s since the epoch", a[i], name))
		}
		return nil
	})
}

func timestampSeconds(f *frame) error {
	t := f.args[0].Type
	switch {
	case t.IsInteger():
		return timestampOf(f, kernels.Second, "seconds")
	case t.Kind == expr.KindDecimal:
		dst, a := results[int64](f), argument[kernels.Int128](f, 0)
		return f.try(func(i int) error {
			b := a.at(i).Big()
			b.Mul(b, big.NewInt(kernels.Second))
			q, r := b.QuoRem(b, kernels.Pow10(t.Scale).Big(), new(big.Int))
			if r.Sign() != 0 {
				return f.raise(i, plainOverflow("Rounding necessary"))
			}
			if !q.IsInt64() {
				return f.raise(i, plainOverflow("Overflow"))
			}
			dst[i] = q.Int64()
			return nil
		})
	}
	dst, a := results[int64](f), doubles(f, 0)
	f.each(func(i int) {
		x := a(i)
		if t.Kind == expr.KindFloat32 {
			x, _ = arrowtext.ParseFloat(arrowtext.AppendFloat32(nil, float32(x)), 64)
		}
		if math.IsNaN(x) || math.IsInf(x, 0) {
			f.setNull(i)
			return
		}
		dst[i] = saturate(x*1e6, math.MinInt64, math.MaxInt64)
	})
	return nil
}

func makeYearMonths(f *frame) error {
	dst := results[int32](f)
	part := optionalInts(f)
	return f.try(func(i int) error {
		v := part(0, i)*12 + part(1, i)
		dst[i] = int32(v)
		if v != int64(int32(v)) {
			return f.raise(i, intervalOverflow(""))
		}
		return nil
	})
}

// optionalInts reads INT arguments, 0 where there is none.
func optionalInts(f *frame) func(k, i int) int64 {
	cols := make([]func(i int) int64, len(f.args))
	for k, v := range f.args {
		if v.Type.Kind == expr.KindDecimal {
			a := argument[kernels.Int128](f, k)
			scale := v.Type.Scale
			cols[k] = func(i int) int64 {
				x, _ := kernels.Rescale(a.at(i), scale, 6)
				m, _ := x.Int64()
				return m
			}
			continue
		}
		a := ints(f, k, nil)
		cols[k] = func(i int) int64 { return a[i] }
	}
	return func(k, i int) int64 {
		if k >= len(cols) {
			return 0
		}
		return cols[k](i)
	}
}

func makeDayTimes(f *frame) error {
	dst := results[int64](f)
	part := optionalInts(f)
	return f.try(func(i int) error {
		total, ok := sumParts([]int64{part(0, i), part(1, i), part(2, i), part(3, i)}, []int64{kernels.Day, kernels.Hour, kernels.Minute, 1})
		dst[i] = total
		if !ok {
			return f.raise(i, intervalOverflow(""))
		}
		return nil
	})
}

func sumParts(vals, units []int64) (int64, bool) {
	total, fits := int64(0), true
	for k, v := range vals {
		p, ok1 := kernels.MulOK(v, units[k])
		t, ok2 := kernels.AddOK(total, p)
		total, fits = t, fits && ok1 && ok2
	}
	return total, fits
}

// makeCalendars takes years, months, weeks, days, hours, minutes, seconds.
func makeCalendars(f *frame) error {
	dst := results[arrow.MonthDayNanoInterval](f)
	part := optionalInts(f)
	return f.try(func(i int) error {
		micros, ok := sumParts([]int64{part(4, i), part(5, i), part(6, i)}, []int64{kernels.Hour, kernels.Minute, 1})
		v, fits := calendar(part(0, i)*12+part(1, i), part(2, i)*7+part(3, i), micros)
		dst[i] = v
		if !ok || !fits {
			return f.fail(i, overflow("overflow", ""))
		}
		return nil
	})
}

// windowTime is the last microsecond of a window: its end − 1 µs.
func windowTime(f *frame) error {
	v := f.args[0]
	end := v.Kids[1]
	dst := results[int64](f)
	vals := vec.Values[int64](end)
	f.each(func(i int) {
		k := end.Index(v.Index(i))
		if end.Null(v.Index(i)) {
			f.setNull(i)
			return
		}
		dst[i] = vals[k] - 1
	})
	return nil
}
