package kernels

// Microseconds in the units of time.
const (
	Second = int64(1_000_000)
	Minute = 60 * Second
	Hour   = 60 * Minute
	Day    = 24 * Hour
	Week   = 7 * Day
)

// FloorDiv returns a/b rounded towards minus infinity; b is positive.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// FloorMod returns a − b·FloorDiv(a, b).
func FloorMod(a, b int64) int64 {
	r := a % b
	if r < 0 {
		r += b
	}
	return r
}

// Civil returns the proleptic Gregorian date of a day since 1970-01-01.
func Civil(day int64) (year int64, month, dom int) {
	if day >= firstShort && day <= lastShort {
		y, m, d, _ := civil(int32(day))
		return int64(y), int(m), int(d)
	}
	z := day + 719468
	era := FloorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	dom = int(doy - (153*mp+2)/5 + 1)
	month = int(mp + 3)
	if month > 12 {
		month -= 12
	}
	year = yoe + era*400
	if month <= 2 {
		year++
	}
	return year, month, dom
}

// firstShort and lastShort bound the days that civil knows, 30,000 years to both sides.
const firstShort, lastShort = -12_000_000, 12_000_000

// civil is Civil in 32 bits, by the method of Neri and Schneider: it also returns the
// day of the year from 1 March, from 0.
func civil(day int32) (year, month, dom, fromMarch int32) {
	const eras = 82
	n := 4*(uint32(day)+719468+146097*eras) + 3
	century := n / 146097
	n = n%146097 | 3
	p := uint64(2939745) * uint64(n)
	z, doy := uint32(p>>32), uint32(p)/2939745/4
	m := 2141*doy + 197913
	year, month, dom = int32(100*century+z)-400*eras, int32(m>>16), int32(m&0xffff)/2141+1
	if doy >= 306 { // January and February belong to the year that begins in March
		year++
		month -= 12
	}
	return year, month, dom, int32(doy)
}

// yearDay is YearDay of a day that civil knows.
func yearDay(day int32) int32 {
	y, _, _, doy := civil(day)
	if doy >= 306 {
		return doy - 305
	}
	leap := int32(0)
	if y&3 == 0 && (y%100 != 0 || y%400 == 0) {
		leap = 1
	}
	return doy + 60 + leap
}

// DayOf returns the day since 1970-01-01 of a date; month is 1 … 12.
func DayOf(year int64, month, dom int) int64 {
	if month <= 2 {
		year--
	}
	era := FloorDiv(year, 400)
	yoe := year - era*400
	mp := int64(month+9) % 12
	doy := (153*mp+2)/5 + int64(dom) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// LeapYear reports whether year has 366 days.
func LeapYear(year int64) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// DaysIn returns the number of days of a month, 1 … 12.
func DaysIn(year int64, month int) int {
	switch month {
	case 2:
		if LeapYear(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// AddMonths returns day moved by months; a day that its month does not have
// becomes the month's last.
func AddMonths(day, months int64) int64 {
	y, m, d := Civil(day)
	t := y*12 + int64(m-1) + months
	y, m = FloorDiv(t, 12), int(FloorMod(t, 12))+1
	return DayOf(y, m, min(d, DaysIn(y, m)))
}

// Weekday returns 0 for Monday … 6 for Sunday.
func Weekday(day int64) int { return int(FloorMod(day+3, 7)) }

// YearDay returns the day of the year from 1.
func YearDay(day int64) int {
	if day >= firstShort && day <= lastShort {
		return int(yearDay(int32(day)))
	}
	y, _, _ := Civil(day)
	return int(day-DayOf(y, 1, 1)) + 1
}

// ISOWeek returns the ISO 8601 year and week of a day.
func ISOWeek(day int64) (year int64, week int) {
	thursday := day - int64(Weekday(day)) + 3
	year, _, _ = Civil(thursday)
	return year, (YearDay(thursday)-1)/7 + 1
}

// Days writes the day of each time.
func Days(dst []int32, micros []int64) {
	micros = micros[:len(dst)]
	for i, t := range micros {
		dst[i] = int32(int64(daysUp(t)) - upDays)
	}
}

// upDays are as many days as move every time to the unsigned half, where division
// needs no sign.
const upDays = 106751992

func daysUp(t int64) uint64 {
	if t > 1<<63-1-Day {
		return uint64(FloorDiv(t, Day) + upDays)
	}
	return (uint64(t) + upDays*uint64(Day)) / uint64(Day)
}

// TruncMonths writes the beginning of the month, quarter or year of each local time:
// months is 1, 3 or 12.
func TruncMonths(dst, src []int64, months int) {
	src = src[:len(dst)]
	for i, t := range src {
		day := int64(daysUp(t)) - upDays
		if day < firstShort || day > lastShort || months == 3 {
			y, m, _ := Civil(day)
			dst[i] = DayOf(y, (m-1)/months*months+1, 1) * Day
			continue
		}
		if months == 12 {
			day -= int64(yearDay(int32(day))) - 1
		} else {
			_, _, dom, _ := civil(int32(day))
			day -= int64(dom) - 1
		}
		dst[i] = day * Day
	}
}

// TruncTimes writes the last whole unit of each local time: a Day, an Hour, a Minute, a
// Second, or any other number of microseconds. dst may be src.
func TruncTimes(dst, src []int64, unit int64) {
	src = src[:len(dst)]
	switch unit {
	case Day:
		for i, t := range src {
			dst[i] = (int64(daysUp(t)) - upDays) * Day
		}
	case Hour:
		for i, t := range src {
			dst[i] = t - FloorMod(t, Hour)
		}
	case Minute:
		for i, t := range src {
			dst[i] = t - FloorMod(t, Minute)
		}
	case Second:
		for i, t := range src {
			dst[i] = t - FloorMod(t, Second)
		}
	default:
		for i, t := range src {
			dst[i] = t - FloorMod(t, unit)
		}
	}
}

// DateField is what DateFields takes from a day.
type DateField uint8

// The fields of a day.
const (
	FieldYear DateField = iota
	FieldQuarter
	FieldMonth
	FieldDayOfMonth
	FieldDayOfYear
	FieldDayOfWeek    // Sunday 1 … Saturday 7
	FieldDayOfWeekISO // Monday 1 … Sunday 7
	FieldWeekday      // Monday 0 … Sunday 6
	FieldWeek         // ISO
	FieldYearOfWeek   // ISO
)

// DateFields writes one field of each day.
func DateFields(f DateField, dst, days []int32) {
	days = days[:len(dst)]
	switch f {
	case FieldYear:
		for i, d := range days {
			if d < firstShort || d > lastShort {
				y, _, _ := Civil(int64(d))
				dst[i] = int32(y)
				continue
			}
			dst[i], _, _, _ = civil(d)
		}
	case FieldQuarter:
		for i, d := range days {
			_, m, _ := Civil(int64(d))
			dst[i] = int32(m+2) / 3
		}
	case FieldMonth:
		for i, d := range days {
			_, m, _ := Civil(int64(d))
			dst[i] = int32(m)
		}
	case FieldDayOfMonth:
		for i, d := range days {
			_, _, m := Civil(int64(d))
			dst[i] = int32(m)
		}
	case FieldDayOfYear:
		for i, d := range days {
			dst[i] = int32(YearDay(int64(d)))
		}
	case FieldDayOfWeek:
		for i, d := range days {
			dst[i] = int32(FloorMod(int64(d)+4, 7)) + 1
		}
	case FieldDayOfWeekISO:
		for i, d := range days {
			dst[i] = int32(Weekday(int64(d))) + 1
		}
	case FieldWeekday:
		for i, d := range days {
			dst[i] = int32(Weekday(int64(d)))
		}
	case FieldWeek:
		for i, d := range days {
			_, w := ISOWeek(int64(d))
			dst[i] = int32(w)
		}
	case FieldYearOfWeek:
		for i, d := range days {
			y, _ := ISOWeek(int64(d))
			dst[i] = int32(y)
		}
	}
}
