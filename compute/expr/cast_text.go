package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// castFromText returns the loop that reads values of type to; nil: there is no
// such cast.
func castFromText(to *expr.Type) func(f *frame) error {
	switch to.Kind {
	case expr.KindBool:
		return func(f *frame) error {
			dst, a := f.bits(), f.text(0)
			return f.try(func(i int) error {
				v, ok := arrowtext.ParseBool(a.at(i))
				if !ok {
					return f.castInvalid(i)
				}
				if v {
					kernels.SetBit(dst, i)
				}
				return nil
			})
		}
	case expr.KindInt8:
		return parseInts[int8]
	case expr.KindInt16:
		return parseInts[int16]
	case expr.KindInt32:
		return parseInts[int32]
	case expr.KindInt64:
		return parseInts[int64]
	case expr.KindFloat32:
		return parseFloats[float32](32)
	case expr.KindFloat64:
		return parseFloats[float64](64)
	case expr.KindDecimal:
		return parseDecimals
	case expr.KindDate:
		return parseEach(func(f *frame, s []byte) (int32, bool) { return arrowtext.ParseDate(s) })
	case expr.KindTimestamp, expr.KindTimestampNTZ:
		p := &timestampParser{ntz: to.Kind == expr.KindTimestampNTZ}
		return parseEach(p.parse)
	case expr.KindTime:
		unit := timeUnit(to)
		return parseEach(func(f *frame, s []byte) (int64, bool) {
			t, ok := arrowtext.ParseTime(s)
			return t - t%unit, ok
		})
	case expr.KindYearMonth:
		return parseIntervals(to, func(s []byte) (int32, arrowtext.IntervalStatus) {
			return arrowtext.ParseYearMonth(s, int(to.From), int(to.To))
		})
	case expr.KindDayTime:
		return parseIntervals(to, func(s []byte) (int64, arrowtext.IntervalStatus) {
			return arrowtext.ParseDayTime(s, int(to.From), int(to.To))
		})
	case expr.KindCalendar:
		return parseCalendars
	}
	return nil
}

func (f *frame) castInvalid(i int) error {
	return f.fail(i, castInvalid(quoted(f.args[0].Str(i)), f.args[0].Type, f.call.Typ))
}

func parseEach[T any](parse func(f *frame, s []byte) (T, bool)) func(f *frame) error {
	return func(f *frame) error {
		dst, a := results[T](f), f.text(0)
		return f.try(func(i int) error {
			v, ok := parse(f, a.at(i))
			if !ok {
				return f.castInvalid(i)
			}
			dst[i] = v
			return nil
		})
	}
}

func parseInts[T kernels.Int](f *frame) error {
	dst, a := results[T](f), f.text(0)
	fraction := f.call.Mode == expr.Legacy
	return f.try(func(i int) error {
		v, ok := arrowtext.ParseInt(a.at(i), fraction)
		if !ok || int64(T(v)) != v {
			return f.castInvalid(i)
		}
		dst[i] = T(v)
		return nil
	})
}

func parseFloats[T kernels.Float](size int) func(f *frame) error {
	return parseEach(func(_ *frame, s []byte) (T, bool) {
		v, ok := arrowtext.ParseFloat(s, size)
		return T(v), ok
	})
}

func parseDecimals(f *frame) error {
	dst, a, t := results[kernels.Int128](f), f.text(0), f.call.Typ
	return f.try(func(i int) error {
		s := a.at(i)
		v, status := arrowtext.ParseDecimal(s, t.Precision, t.Scale)
		switch status {
		case arrowtext.DecimalMalformed:
			return f.castInvalid(i)
		case arrowtext.DecimalTooLarge:
			return f.fail(i, base.UserError("NUMERIC_OUT_OF_SUPPORTED_RANGE", "22003",
				"The value %s cannot be interpreted as a numeric since it has more than 38 digits.", arrowtext.Trim(s)))
		case arrowtext.DecimalOutOfRange:
			return f.fail(i, outOfRange(string(arrowtext.Trim(s)), t))
		}
		dst[i] = v
		return nil
	})
}

// timestampParser reads timestamps; it keeps the zones it met.
type timestampParser struct {
	ntz   bool
	zones arrowtext.Zones
}

func (p *timestampParser) parse(f *frame, s []byte) (int64, bool) {
	t, ok := arrowtext.ParseTimestamp(s)
	if !ok || t.TimeOnly && p.ntz {
		return 0, false
	}
	zone := f.env.zone
	if t.Zone != "" {
		if zone = p.zones.Zone(t.Zone); zone == nil {
			return 0, false
		}
	}
	if p.ntz {
		return t.Local, true
	}
	if t.TimeOnly {
		t.Local += kernels.FloorDiv(zone.Local(f.env.Now), kernels.Day) * kernels.Day
	}
	u := zone.UTC(t.Local)
	if d := t.Local - u; d > 0 && u > t.Local || d < 0 && u < t.Local { // wrapped
		return 0, false
	}
	return u, true
}

func parseIntervals[T any](to *expr.Type, parse func(s []byte) (T, arrowtext.IntervalStatus)) func(f *frame) error {
	return func(f *frame) error {
		dst, a := results[T](f), f.text(0)
		return f.try(func(i int) error {
			v, status := parse(a.at(i))
			if status != arrowtext.IntervalOK {
				return f.raise(i, badInterval(a.at(i), to, status))
			}
			dst[i] = v
			return nil
		})
	}
}

const intervalAdvice = "Please ensure that the value provided is in a valid format for defining an interval. You can reference the documentation for the correct format."

func badInterval(s []byte, t *expr.Type, status arrowtext.IntervalStatus) *base.Error {
	switch {
	case status == arrowtext.IntervalOutOfRange:
		what := "day-time"
		if t.Kind == expr.KindYearMonth {
			what = "year-month"
		}
		return base.UserError("INVALID_INTERVAL_FORMAT.INTERVAL_PARSING", "22006",
			"Error parsing %s to interval. %s Error parsing interval %s string.", quoted(s), intervalAdvice, what)
	case t.Kind == expr.KindYearMonth:
		return base.UserError("INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING", "22006",
			"Error parsing %s to interval. %s Interval string does not match year-month format of %s when cast to %s.", quoted(s), intervalAdvice, intervalFormat(t), t.SQL())
	}
	return base.UserError("INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE", "22006",
		"Error parsing %s to interval. %s Interval string does not match day-time format of %s when cast to %s.", quoted(s), intervalAdvice, intervalFormat(t), t.SQL())
}

// intervalFormat is how Spark describes the text of an interval type.
func intervalFormat(t *expr.Type) string {
	letters := [...]string{"y", "m", "d", "h", "m", "s.n"}
	form := letters[t.From]
	for k := t.From + 1; k <= t.To; k++ {
		switch k {
		case expr.FieldMonth:
			form += "-"
		case expr.FieldHour:
			form += " "
		default:
			form += ":"
		}
		form += letters[k]
	}
	fields := t.From.String()
	if t.From != t.To {
		fields += " TO " + t.To.String()
	}
	return "`[+|-]" + form + "`, `INTERVAL [+|-]'[+|-]" + form + "' " + fields + "`"
}

func parseCalendars(f *frame) error {
	dst, a := results[arrow.MonthDayNanoInterval](f), f.text(0)
	return f.try(func(i int) error {
		months, days, micros, ok := arrowtext.ParseCalendar(a.at(i))
		if !ok {
			f.setNull(i) // in every mode
			return nil
		}
		dst[i] = arrow.MonthDayNanoInterval{Months: months, Days: days, Nanoseconds: micros * 1000}
		return nil
	})
}
