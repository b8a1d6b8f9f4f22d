package expr

import (
	"math"
	"strings"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// Nanoseconds of the parts of a day: TIME counts them, everything else in the
// dialect microseconds.
const (
	nanosPerMicro  = 1000
	nanosPerSecond = 1_000_000_000
	nanosPerDay    = 86400 * nanosPerSecond
)

// timeOfDayRows are the functions of the TIME type.
func timeOfDayRows() map[string]row {
	return map[string]row{
		"current_time":      {currentTime},
		"to_time":           {makeToTime},
		"try_to_time":       {makeToTime},
		"make_time":         strict(makeTimes),
		"time_trunc":        strict(truncateTimes),
		"time_diff":         strict(timeDifferences),
		"time_from_seconds": strict(timesFromSeconds),
		"time_from_millis":  strict(func(f *frame) error { return timesFrom(f, 1_000_000) }),
		"time_from_micros":  strict(func(f *frame) error { return timesFrom(f, nanosPerMicro) }),
		"time_to_seconds":   strict(timesToSeconds),
		"time_to_millis":    strict(func(f *frame) error { return timesTo(f, 1_000_000) }),
		"time_to_micros":    strict(func(f *frame) error { return timesTo(f, nanosPerMicro) }),
	}
}

// currentTime is the epoch's clock, cut to the precision of the type.
func currentTime(c *expr.Call, _ []Evaluator, env *Env) (Evaluator, error) {
	unit := timeUnit(c.Typ)
	return &clock{env, c.Typ, func(env *Env) int64 {
		t := kernels.FloorMod(env.zone.Local(env.Now), kernels.Day) * nanosPerMicro
		return t - t%unit
	}}, nil
}

// makeToTime makes to_time and try_to_time: CAST's grammar where no pattern is
// given, else the pattern's. The result keeps digits that its type has no room
// for, as Spark's does.
func makeToTime(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	call := *c
	if strings.HasPrefix(c.Fn, "try_") {
		call.Mode = expr.Try
	}
	fail := func(f *frame, i int, s []byte, format string) error {
		return f.raise(i, base.UserError("CANNOT_PARSE_TIME", "22010",
			"The text '%s' is not a TIME of the format '%s'.", strings.ToValidUTF8(string(s), "\uFFFD"), format))
	}
	if len(args) == 1 {
		return newFunction(&call, args, env, func(f *frame) error {
			dst, texts := results[int64](f), f.text(0)
			return f.try(func(i int) error {
				t, ok := arrowtext.ParseTime(texts.at(i))
				if dst[i] = t; !ok {
					return fail(f, i, texts.at(i), "HH:mm:ss.SSSSSS")
				}
				return nil
			})
		}), nil
	}
	cache := patterns{parsing: true}
	return newFunction(&call, args, env, func(f *frame) error {
		dst, texts, pats := results[int64](f), f.text(0), f.text(1)
		return f.try(func(i int) error {
			p, bad := cache.of(pats.at(i))
			if bad != nil {
				return f.raise(i, invalidPattern(pats.at(i)))
			}
			r, why := p.parse(string(texts.at(i)))
			if why != "" {
				return fail(f, i, texts.at(i), string(pats.at(i)))
			}
			dst[i] = kernels.FloorMod(r.local, kernels.Day)*nanosPerMicro + r.nanos
			return nil
		})
	}), nil
}

func invalidPattern(p []byte) *base.Error {
	return base.UserError("INVALID_DATETIME_PATTERN.WITH_SUGGESTION", "22007",
		"The datetime pattern '%s' is not one; see https://spark.apache.org/docs/latest/sql-ref-datetime-pattern.html.", p)
}

// makeTimes takes hours, minutes and seconds, a DECIMAL(16,6).
func makeTimes(f *frame) error {
	dst, h, m := results[int64](f), argument[int32](f, 0), argument[int32](f, 1)
	sec, scale := argument[kernels.Int128](f, 2), f.args[2].Type.Scale
	return f.try(func(i int) error {
		s, _ := kernels.Rescale(sec.at(i), scale, 6)
		micros, _ := s.Int64()
		whole := kernels.FloorDiv(micros, kernels.Second)
		if err := clockFields(int64(h.at(i)), int64(m.at(i)), whole); err != nil {
			return f.raise(i, err)
		}
		dst[i] = (int64(h.at(i))*kernels.Hour + int64(m.at(i))*kernels.Minute + micros) * nanosPerMicro
		return nil
	})
}

// timeUnitOf returns the nanoseconds of a unit that time_trunc and time_diff take.
func timeUnitOf(s []byte, fn string) (int64, *base.Error) {
	switch strings.ToUpper(string(s)) {
	case "HOUR":
		return kernels.Hour * nanosPerMicro, nil
	case "MINUTE":
		return kernels.Minute * nanosPerMicro, nil
	case "SECOND":
		return nanosPerSecond, nil
	case "MILLISECOND":
		return 1_000_000, nil
	case "MICROSECOND":
		return nanosPerMicro, nil
	}
	return 0, badParameter("TIME_UNIT", "unit", fn,
		"'%s' is not one of 'HOUR', 'MINUTE', 'SECOND', 'MILLISECOND', 'MICROSECOND'", strings.ToValidUTF8(string(s), "\uFFFD"))
}

func truncateTimes(f *frame) error {
	dst, units, a := results[int64](f), f.text(0), argument[int64](f, 1)
	return f.try(func(i int) error {
		unit, err := timeUnitOf(units.at(i), f.call.Fn)
		if err != nil {
			return f.raise(i, err)
		}
		dst[i] = a.at(i) - a.at(i)%unit
		return nil
	})
}

// timeDifferences is how many whole units lie between two times.
func timeDifferences(f *frame) error {
	dst, units := results[int64](f), f.text(0)
	from, to := argument[int64](f, 1), argument[int64](f, 2)
	return f.try(func(i int) error {
		unit, err := timeUnitOf(units.at(i), f.call.Fn)
		if err != nil {
			return f.raise(i, err)
		}
		dst[i] = (to.at(i) - from.at(i)) / unit
		return nil
	})
}

// timesFrom counts a unit of so many nanoseconds from midnight on.
func timesFrom(f *frame, unit int64) error {
	dst, a := results[int64](f), ints(f, 0, nil)
	return f.try(func(i int) error {
		v, ok := kernels.MulOK(a[i], unit)
		dst[i] = v
		return f.checkTime(i, v, ok)
	})
}

// checkTime raises the error of a number that is no time of the day; !fits: it is
// not even a number of nanoseconds.
func (f *frame) checkTime(i int, nanos int64, fits bool) error {
	switch {
	case !fits:
		return f.raise(i, fieldError("The number does not fit a TIME"))
	case nanos < 0 || nanos >= nanosPerDay:
		return f.raise(i, fieldError("%d nanoseconds are outside the range of TIME, 00:00:00 to 23:59:59.999999999", nanos))
	}
	return nil
}

func timesFromSeconds(f *frame) error {
	t := f.args[0].Type
	dst := results[int64](f)
	switch {
	case t.IsInteger():
		return timesFrom(f, nanosPerSecond)
	case t.Kind == expr.KindDecimal:
		a := argument[kernels.Int128](f, 0)
		return f.try(func(i int) error {
			exact := a.at(i)
			if t.Scale > expr.MaxTimePrecision {
				cut := kernels.Truncate(exact, t.Scale-expr.MaxTimePrecision)
				back, _ := kernels.Rescale(cut, 0, t.Scale-expr.MaxTimePrecision)
				if back != exact {
					return f.checkTime(i, 0, false)
				}
				exact = cut
			}
			nanos, ok := kernels.Rescale(exact, min(t.Scale, expr.MaxTimePrecision), expr.MaxTimePrecision)
			v, fits := nanos.Int64()
			dst[i] = v
			return f.checkTime(i, v, ok && fits)
		})
	}
	a := doubles(f, 0)
	return f.try(func(i int) error {
		x := a(i)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return f.raise(i, fieldError("NaN and infinite numbers are no TIME"))
		}
		dst[i] = saturate(x*nanosPerSecond, math.MinInt64, math.MaxInt64)
		return f.checkTime(i, dst[i], true)
	})
}

// timesToSeconds gives DECIMAL(14,6), rounded half up.
func timesToSeconds(f *frame) error {
	dst, a := results[kernels.Int128](f), argument[int64](f, 0)
	for i := range dst {
		dst[i] = kernels.From64((a.at(i) + nanosPerMicro/2) / nanosPerMicro)
	}
	return nil
}

func timesTo(f *frame, unit int64) error {
	dst, a := results[int64](f), argument[int64](f, 0)
	for i := range dst {
		dst[i] = a.at(i) / unit
	}
	return nil
}

// formatTimes is date_format of a TIME: letters of a date or a zone have no value.
func formatTimes(f *frame) error {
	var c patterns
	a, pats := argument[int64](f, 0), f.text(1)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		p, bad := c.of(pats.at(i))
		if bad != nil {
			return dst, invalidPattern(pats.at(i)).At(f.call.At)
		}
		for _, it := range p {
			if it.letter != 0 && strings.IndexByte("ahKkHmsS[]", it.letter) < 0 {
				return dst, badParameter("PATTERN", "format", f.call.Fn, "'%s' has fields that a TIME has not", pats.at(i)).At(f.call.At)
			}
		}
		return p.format(dst, a.at(i)/nanosPerMicro, a.at(i)%nanosPerMicro, utc, f.env.Zone), nil
	})
}
