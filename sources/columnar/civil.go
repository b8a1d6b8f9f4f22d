package columnar

const (
	microsPerSecond = 1_000_000
	microsPerDay    = 86_400 * microsPerSecond
)

// DaysFromCivil returns the days from 1970-01-01 to a date of the proleptic
// Gregorian calendar.
func DaysFromCivil(y, m, d int64) int64 {
	if m <= 2 {
		y--
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	mp := (m + 9) % 12
	doy := (153*mp+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func daysInMonth(y, m int64) int64 {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// number reads lo to hi digits of b from i on; next is where it stopped.
func number(b []byte, i, lo, hi int) (v int64, next int, ok bool) {
	start := i
	for i < len(b) && i-start < hi {
		d := b[i] - '0'
		if d > 9 {
			break
		}
		v = v*10 + int64(d)
		i++
	}
	return v, i, i-start >= lo
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// parseYMD reads [+-]y…[-m[-d]] with 4 to maxYear year digits. partial tells
// that the day is not there, so nothing may follow.
func parseYMD(b []byte, maxYear int) (days int64, next int, partial, ok bool) {
	i, neg := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		i = 1
	}
	y, i, ok := number(b, i, 4, maxYear)
	if !ok {
		return 0, 0, false, false
	}
	if neg {
		y = -y
	}
	m, d := int64(1), int64(1)
	partial = true
	if i < len(b) && b[i] == '-' {
		if m, i, ok = number(b, i+1, 1, 2); !ok {
			return 0, 0, false, false
		}
		if i < len(b) && b[i] == '-' {
			if d, i, ok = number(b, i+1, 1, 2); !ok {
				return 0, 0, false, false
			}
			partial = false
		}
	}
	if m < 1 || m > 12 || d < 1 || d > daysInMonth(y, m) {
		return 0, 0, false, false
	}
	return DaysFromCivil(y, m, d), i, partial, true
}

// ParseDate reads a date as Spark casts text to DATE: y, y-m or y-m-d, and after
// a whole date anything that begins with a space or a T. It returns days since
// 1970-01-01.
func ParseDate(b []byte) (int32, bool) {
	b = trimSpace(b)
	days, i, partial, ok := parseYMD(b, 7)
	if !ok || i < len(b) && (partial || b[i] != ' ' && b[i] != 'T') || days != int64(int32(days)) {
		return 0, false
	}
	return int32(days), true
}
