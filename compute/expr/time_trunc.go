package expr

import (
	"math"
	"strings"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func timeTruncRows() map[string]row {
	return map[string]row{
		"date_trunc":         strict(dateTrunc),
		"trunc":              strict(truncDate),
		"date_add":           strict(func(f *frame) error { return addDays(f, 1) }),
		"date_sub":           strict(func(f *frame) error { return addDays(f, -1) }),
		"datediff":           strict(dateDiff),
		"last_day":           strict(lastDay),
		"next_day":           strict(nextDay),
		"add_months":         strict(addMonths),
		"months_between":     strict(monthsBetween),
		"timestampadd":       strict(timestampAdd),
		"timestampdiff":      strict(timestampDiff),
		"time_bucket":        strict(dateBin),
		"date_bin":           strict(dateBin),
		"from_utc_timestamp": strict(func(f *frame) error { return shiftZone(f, true) }),
		"to_utc_timestamp":   strict(func(f *frame) error { return shiftZone(f, false) }),
		"convert_timezone":   strict(convertTimezone),
	}
}

// truncUnit is what a unit of date_trunc and trunc means: months to a multiple, a
// week, or a multiple of microseconds.
type truncUnit struct {
	months int
	week   bool
	micros int64
}

func truncUnitOf(s []byte) (truncUnit, bool) {
	switch strings.ToUpper(string(s)) {
	case "YEAR", "YYYY", "YY":
		return truncUnit{months: 12}, true
	case "QUARTER":
		return truncUnit{months: 3}, true
	case "MONTH", "MON", "MM":
		return truncUnit{months: 1}, true
	case "WEEK":
		return truncUnit{week: true}, true
	case "DAY", "DD":
		return truncUnit{micros: kernels.Day}, true
	case "HOUR":
		return truncUnit{micros: kernels.Hour}, true
	case "MINUTE":
		return truncUnit{micros: kernels.Minute}, true
	case "SECOND":
		return truncUnit{micros: kernels.Second}, true
	case "MILLISECOND":
		return truncUnit{micros: 1000}, true
	case "MICROSECOND":
		return truncUnit{micros: 1}, true
	}
	return truncUnit{}, false
}

// day truncates a day by a unit of a day or more.
func (u truncUnit) day(d int64) int64 {
	switch {
	case u.week:
		return d - int64(kernels.Weekday(d))
	case u.months > 0:
		y, m, dom := kernels.Civil(d)
		if u.months == 1 {
			return d - int64(dom-1)
		}
		return kernels.DayOf(y, (m-1)/u.months*u.months+1, 1)
	}
	return d
}

func dateTrunc(f *frame) error {
	dst, units, times := results[int64](f), f.text(0), argument[int64](f, 1)
	zone := f.env.zone
	if f.args[1].Type.Kind == expr.KindTimestampNTZ {
		zone = utc
	}
	var u truncUnit
	var known bool
	if f.args[0].Const {
		u, known = truncUnitOf(units.at(0))
		if off, fixed := zone.Fixed(); known && fixed && off == 0 && !u.week && !f.args[1].Const {
			if u.months > 0 {
				kernels.TruncMonths(dst, times.vals[:f.n], u.months)
			} else {
				kernels.TruncTimes(dst, times.vals[:f.n], u.micros)
			}
			return nil
		}
	}
	f.each(func(i int) {
		if !f.args[0].Const {
			u, known = truncUnitOf(units.at(i))
		}
		if !known {
			f.setNull(i)
			return
		}
		t := times.at(i)
		switch {
		case u.micros > 0 && u.micros <= kernels.Hour:
			// Local time is what is truncated: offsets may have minutes.
			local := zone.Local(t)
			dst[i] = t - kernels.FloorMod(local, u.micros)
		default:
			day := u.day(kernels.FloorDiv(zone.Local(t), kernels.Day))
			dst[i] = zone.UTC(day * kernels.Day)
		}
	})
	return nil
}

// truncDate is trunc(date, unit): NULL for units below a week.
func truncDate(f *frame) error {
	dst, days, units := results[int32](f), argument[int32](f, 0), f.text(1)
	f.each(func(i int) {
		u, ok := truncUnitOf(units.at(i))
		if !ok || u.micros > 0 {
			f.setNull(i)
			return
		}
		dst[i] = int32(u.day(int64(days.at(i))))
	})
	return nil
}

func addDays(f *frame, sign int64) error {
	dst, days, n := results[int32](f), argument[int32](f, 0), ints(f, 1, nil)
	for i := range dst {
		dst[i] = int32(int64(days.at(i)) + sign*n[i])
	}
	return nil
}

func dateDiff(f *frame) error {
	dst, a, b := results[int32](f), argument[int32](f, 0), argument[int32](f, 1)
	for i := range dst {
		dst[i] = a.at(i) - b.at(i)
	}
	return nil
}

func lastDay(f *frame) error {
	dst, days := results[int32](f), argument[int32](f, 0)
	f.each(func(i int) {
		y, m, d := kernels.Civil(int64(days.at(i)))
		dst[i] = days.at(i) + int32(kernels.DaysIn(y, m)-d)
	})
	return nil
}

func nextDay(f *frame) error {
	dst, days, names := results[int32](f), argument[int32](f, 0), f.text(1)
	return f.try(func(i int) error {
		want := -1
		name := strings.ToUpper(string(names.at(i)))
		for k, full := range dayNames {
			full = strings.ToUpper(full)
			if name == full || name == full[:3] || name == full[:2] {
				want = k
			}
		}
		if want < 0 {
			return f.fail(i, base.UserError("ILLEGAL_DAY_OF_WEEK", "22009", "Illegal input for day of week: %s.", names.at(i)))
		}
		d := int64(days.at(i))
		dst[i] = int32(d + 1 + kernels.FloorMod(int64(want-kernels.Weekday(d+1)), 7))
		return nil
	})
}

func addMonths(f *frame) error {
	dst, days, n := results[int32](f), argument[int32](f, 0), ints(f, 1, nil)
	f.each(func(i int) { dst[i] = int32(kernels.AddMonths(int64(days.at(i)), n[i])) })
	return nil
}

func monthsBetween(f *frame) error {
	dst, a, b := results[float64](f), localTimes(f, 0), localTimes(f, 1)
	round := func(int) bool { return true }
	if len(f.args) == 3 {
		round = f.args[2].Bool
	}
	f.each(func(i int) {
		d1, d2 := kernels.FloorDiv(a[i], kernels.Day), kernels.FloorDiv(b[i], kernels.Day)
		y1, m1, n1 := kernels.Civil(d1)
		y2, m2, n2 := kernels.Civil(d2)
		months := float64((y1*12 + int64(m1)) - (y2*12 + int64(m2)))
		if n1 == n2 || n1 == kernels.DaysIn(y1, m1) && n2 == kernels.DaysIn(y2, m2) {
			dst[i] = months
			return
		}
		s1 := kernels.FloorMod(a[i], kernels.Day) / kernels.Second
		s2 := kernels.FloorMod(b[i], kernels.Day) / kernels.Second
		secs := float64(int64(n1-n2)*86400 + s1 - s2)
		diff := months + float64(secs/float64(31*86400))
		if round(i) {
			diff = math.Round(diff*1e8) / 1e8
		}
		dst[i] = diff
	})
	return nil
}

func badUnit(f *frame, name []byte) *base.Error {
	return badParameter("DATETIME_UNIT", "unit", f.call.Fn,
		"expects one of the units without quotes YEAR, QUARTER, MONTH, WEEK, DAY, DAYOFYEAR, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND, but got the string literal '%s'.", name)
}

func timestampAdd(f *frame) error {
	units, n := f.text(0), ints(f, 1, nil)
	zone := f.env.zone
	if f.call.Typ.Kind == expr.KindTimestampNTZ {
		zone = utc
	}
	at, dst := instants(f, 2, zone), results[int64](f)
	return f.try(func(i int) error {
		var iv interval
		ok := true
		mul := func(unit int64) int64 {
			v, fits := kernels.MulOK(n[i], unit)
			ok = ok && fits
			return v
		}
		switch strings.ToUpper(string(units.at(i))) {
		case "YEAR":
			iv.months = mul(12)
		case "QUARTER":
			iv.months = mul(3)
		case "MONTH":
			iv.months = n[i]
		case "WEEK":
			iv.days = mul(7)
		case "DAY", "DAYOFYEAR":
			iv.days = n[i]
		case "HOUR":
			iv.micros = mul(kernels.Hour)
		case "MINUTE":
			iv.micros = mul(kernels.Minute)
		case "SECOND":
			iv.micros = mul(kernels.Second)
		case "MILLISECOND":
			iv.micros = mul(1000)
		case "MICROSECOND":
			iv.micros = n[i]
		default:
			return f.raise(i, badUnit(f, units.at(i)))
		}
		const years = 1_000_000
		if !ok || iv.months > 12*years || iv.months < -12*years || iv.days > 366*years || iv.days < -366*years {
			return f.raise(i, datetimeOverflow("add %d %s to %s", n[i], units.at(i), shown(f.args[2], i)))
		}
		t, fits := addCivil(zone, at(i), iv)
		dst[i] = t
		if !fits {
			return f.raise(i, datetimeOverflow("add %d %s to %s", n[i], units.at(i), shown(f.args[2], i)))
		}
		return nil
	})
}

func timestampDiff(f *frame) error {
	units, a, b := f.text(0), localTimes(f, 1), localTimes(f, 2)
	dst := results[int64](f)
	return f.try(func(i int) error {
		diff := b[i] - a[i]
		switch strings.ToUpper(string(units.at(i))) {
		case "YEAR":
			dst[i] = wholeMonths(a[i], b[i]) / 12
		case "QUARTER":
			dst[i] = wholeMonths(a[i], b[i]) / 3
		case "MONTH":
			dst[i] = wholeMonths(a[i], b[i])
		case "WEEK":
			dst[i] = diff / kernels.Week
		case "DAY":
			dst[i] = diff / kernels.Day
		case "HOUR":
			dst[i] = diff / kernels.Hour
		case "MINUTE":
			dst[i] = diff / kernels.Minute
		case "SECOND":
			dst[i] = diff / kernels.Second
		case "MILLISECOND":
			dst[i] = diff / 1000
		case "MICROSECOND":
			dst[i] = diff
		default:
			return f.raise(i, badUnit(f, units.at(i)))
		}
		return nil
	})
}

// wholeMonths counts the whole months from a to b, towards zero.
func wholeMonths(a, b int64) int64 {
	if b < a {
		return -wholeMonthsFloor(b, a)
	}
	return wholeMonthsFloor(a, b)
}

// dateBin is the start of the bucket of a time: bucket, time[, origin].
func dateBin(f *frame) error {
	dst, iv := results[int64](f), intervals(f, 0)
	zone := f.env.zone
	if f.call.Typ.Kind == expr.KindTimestampNTZ {
		zone = utc
	}
	at := instants(f, 1, zone)
	origin := func(int) int64 { return zone.UTC(0) }
	if len(f.args) == 3 {
		origin = instants(f, 2, zone)
	}
	return f.try(func(i int) error {
		v, t := iv(i), at(i)
		o := origin(i)
		if v.months != 0 {
			if v.months < 0 || v.days != 0 || v.micros != 0 {
				return f.raise(i, badBucket(f))
			}
			d1 := kernels.FloorDiv(zone.Local(o), kernels.Day)
			n := kernels.FloorDiv(wholeMonthsFloor(zone.Local(o), zone.Local(t)), v.months) * v.months
			clock := kernels.FloorMod(zone.Local(o), kernels.Day)
			dst[i] = zone.UTC(kernels.AddMonths(d1, n)*kernels.Day + clock)
			return nil
		}
		size := v.days*kernels.Day + v.micros
		if size <= 0 {
			return f.raise(i, badBucket(f))
		}
		if v.micros == 0 && v.days > 0 { // days follow the local calendar
			lo, lt := zone.Local(o), zone.Local(t)
			dst[i] = zone.UTC(lo + kernels.FloorDiv(lt-lo, size)*size)
			return nil
		}
		dst[i] = t - kernels.FloorMod(t-o, size)
		return nil
	})
}

// badBucket is the error of a width that is not positive, which the resolver finds
// where it is a literal.
func badBucket(f *frame) *base.Error {
	return base.UserError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09",
		"Cannot resolve %q: the width of a bucket is not above zero.", f.call.SQL())
}

// wholeMonthsFloor counts whole months from a to b, towards minus infinity.
func wholeMonthsFloor(a, b int64) int64 {
	y1, m1, d1 := kernels.Civil(kernels.FloorDiv(a, kernels.Day))
	y2, m2, d2 := kernels.Civil(kernels.FloorDiv(b, kernels.Day))
	n := y2*12 + int64(m2) - y1*12 - int64(m1)
	c1, c2 := kernels.FloorMod(a, kernels.Day), kernels.FloorMod(b, kernels.Day)
	if d2 < d1 || d2 == d1 && c2 < c1 {
		n--
	}
	return n
}

// zoneOf finds the zones that an argument names.
func zoneOf(f *frame, k int) func(i int) (*kernels.Zone, error) {
	var zones arrowtext.Zones
	names := f.text(k)
	return func(i int) (*kernels.Zone, error) {
		name := string(names.at(i))
		if z := zones.Zone(name); z != nil {
			return z, nil
		}
		return nil, invalidZone(name).At(f.call.At)
	}
}

func shiftZone(f *frame, fromUTC bool) error {
	dst, times, zone := results[int64](f), argument[int64](f, 0), zoneOf(f, 1)
	return f.try(func(i int) error {
		z, err := zone(i)
		if err != nil {
			return err
		}
		if fromUTC {
			dst[i] = z.Local(times.at(i))
		} else {
			dst[i] = z.UTC(times.at(i))
		}
		return nil
	})
}

// convertTimezone is convert_timezone([source, ]target, ntz).
func convertTimezone(f *frame) error {
	n := len(f.args)
	target := zoneOf(f, n-2)
	source := func(int) (*kernels.Zone, error) { return f.env.zone, nil }
	if n == 3 {
		source = zoneOf(f, 0)
	}
	dst, times := results[int64](f), argument[int64](f, n-1)
	return f.try(func(i int) error {
		s, err := source(i)
		if err != nil {
			return err
		}
		t, err := target(i)
		if err != nil {
			return err
		}
		dst[i] = t.Local(s.UTC(times.at(i)))
		return nil
	})
}
