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
	y, _, _ := Civil(day)
	return int(day-DayOf(y, 1, 1)) + 1
}

// ISOWeek returns the ISO 8601 year and week of a day.
func ISOWeek(day int64) (year int64, week int) {
	thursday := day - int64(Weekday(day)) + 3
	year, _, _ = Civil(thursday)
	return year, int(thursday-DayOf(year, 1, 1))/7 + 1
}

// Days writes the day of each time.
func Days(dst []int32, micros []int64) {
	micros = micros[:len(dst)]
	for i := range dst {
		dst[i] = int32(FloorDiv(micros[i], Day))
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
			y, _, _ := Civil(int64(d))
			dst[i] = int32(y)
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
