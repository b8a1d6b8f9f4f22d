package arrowtext

import (
	"math"
	"strconv"

	"github.com/flightd/flightd/kernels"
)

// AppendDate appends a day since 1970-01-01 as yyyy-MM-dd; years above 9999 have
// a plus sign.
func AppendDate(dst []byte, day int64) []byte {
	y, m, d := kernels.Civil(day)
	dst = appendYear(dst, y)
	return append(dst, '-', byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
}

func appendYear(dst []byte, y int64) []byte {
	if y >= 0 && y <= 9999 {
		return append(dst, byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10))
	}
	if y < 0 {
		dst = append(dst, '-')
		y = -y
	} else {
		dst = append(dst, '+')
	}
	for p := int64(1000); p > y && p > 1; p /= 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, y, 10)
}

// AppendTimestamp appends local microseconds as yyyy-MM-dd HH:mm:ss and the
// fraction without trailing zeros.
func AppendTimestamp(dst []byte, local int64) []byte {
	dst = AppendDate(dst, kernels.FloorDiv(local, kernels.Day))
	dst = append(dst, ' ')
	return appendClock(dst, kernels.FloorMod(local, kernels.Day))
}

// appendClock appends microseconds of a day as HH:mm:ss and the fraction.
func appendClock(dst []byte, t int64) []byte {
	h, m, s := t/kernels.Hour, t/kernels.Minute%60, t/kernels.Second%60
	dst = append(dst, byte('0'+h/10), byte('0'+h%10), ':', byte('0'+m/10), byte('0'+m%10), ':', byte('0'+s/10), byte('0'+s%10))
	return appendFraction(dst, t%kernels.Second)
}

func appendFraction(dst []byte, f int64) []byte {
	if f == 0 {
		return dst
	}
	dst = append(dst, '.')
	for p := int64(100_000); f > 0; p /= 10 {
		dst = append(dst, byte('0'+f/p))
		f %= p
	}
	return dst
}

// ParseDate reads yyyy, yyyy-m or yyyy-m-d; after a whole date anything may
// follow a space or T.
func ParseDate(s []byte) (day int32, ok bool) {
	s = Trim(s)
	if len(s) == 0 {
		return 0, false
	}
	sign := int64(1)
	if s[0] == '-' || s[0] == '+' {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	seg := [3]int64{1, 1, 1}
	i, digits, j := 0, 0, 0
	cur := int64(0)
	for ; j < len(s) && s[j] != ' ' && s[j] != 'T'; j++ {
		c := s[j]
		switch {
		case c == '-' && i < 2:
			if !dateDigits(i, digits) {
				return 0, false
			}
			seg[i] = cur
			cur, digits = 0, 0
			i++
		case c >= '0' && c <= '9' && digits < 8:
			cur = cur*10 + int64(c-'0')
			digits++
		default:
			return 0, false
		}
	}
	if !dateDigits(i, digits) || i < 2 && j < len(s) {
		return 0, false
	}
	seg[i] = cur
	return CheckedDate(sign*seg[0], seg[1], seg[2])
}

func dateDigits(segment, digits int) bool {
	if segment == 0 {
		return digits >= 4 && digits <= 7
	}
	return digits >= 1 && digits <= 2
}

// CheckedDate returns the day of a date, if there is such a date and it fits.
func CheckedDate(y, m, d int64) (int32, bool) {
	if m < 1 || m > 12 || d < 1 || d > 31 || y < -999999999 || y > 999999999 || d > int64(kernels.DaysIn(y, int(m))) {
		return 0, false
	}
	day := kernels.DayOf(y, int(m), int(d))
	return int32(day), day == int64(int32(day))
}

// TimestampText is a timestamp taken apart: local microseconds, or those of a
// day if there was no date, and the text of the zone if there was one.
type TimestampText struct {
	Local int64
	// Nanos are the digits of the fraction after the sixth, up to the ninth.
	Nanos    int64
	TimeOnly bool
	Zone     string
}

// ParseTimestamp reads what CAST reads: any prefix of a date and time down to the
// year, nanoseconds cut to microseconds, an optional zone.
func ParseTimestamp(s []byte) (t TimestampText, ok bool) {
	untrimmed := len(s) > 0 && s[0] == 'T'
	s = Trim(s)
	if len(s) == 0 {
		return t, false
	}
	seg := [8]int64{1, 1, 1}
	sign := int64(0)
	if s[0] == '-' || s[0] == '+' {
		sign = 1
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	i, digits, fraction := 0, 0, 0
	cur := int64(0)
	next := func() bool {
		if !timeDigits(i, digits) {
			return false
		}
		seg[i] = cur
		cur, digits = 0, 0
		i++
		return true
	}
scan:
	for j, c := range s {
		if c >= '0' && c <= '9' {
			if i == 6 {
				if fraction++; fraction > 6 {
					if fraction <= 9 {
						t.Nanos = t.Nanos*10 + int64(c-'0')
					}
					continue
				}
			}
			if digits++; digits > 8 {
				return t, false
			}
			cur = cur*10 + int64(c-'0')
			continue
		}
		switch {
		case j == 0 && c == 'T' && untrimmed && sign == 0:
			t.TimeOnly = true
			i = 3
		case i == 0 && c == ':' && sign == 0:
			t.TimeOnly = true
			i = 3
			seg[0] = 1
			if !next() {
				return t, false
			}
		case i < 2 && c == '-', i == 2 && (c == ' ' || c == 'T'), (i == 3 || i == 4) && c == ':', i == 5 && c == '.':
			if !next() {
				return t, false
			}
		case i == 5 || i == 6:
			if !next() {
				return t, false
			}
			if i == 6 {
				i = 7
			}
			t.Zone = string(Trim(s[j:]))
			if t.Zone == "" {
				return t, false
			}
			break scan
		default:
			return t, false
		}
	}
	if i < 7 {
		if !timeDigits(i, digits) {
			return t, false
		}
		seg[i] = cur
	}
	for k := max(fraction, 6); k < 9; k++ {
		t.Nanos *= 10
	}
	for ; fraction < 6; fraction++ {
		seg[6] *= 10
	}
	if sign < 0 {
		seg[0] = -seg[0]
	}
	if seg[3] > 23 || seg[4] > 59 || seg[5] > 59 {
		return t, false
	}
	clock := seg[3]*kernels.Hour + seg[4]*kernels.Minute + seg[5]*kernels.Second + seg[6]
	if t.TimeOnly {
		t.Local = clock
		return t, true
	}
	day, ok := CheckedDate(seg[0], seg[1], seg[2])
	if !ok {
		return t, false
	}
	t.Local, ok = JoinDay(int64(day), clock)
	return t, ok
}

func timeDigits(segment, digits int) bool {
	switch segment {
	case 0:
		return digits >= 4 && digits <= 6
	case 6:
		return true
	}
	return digits >= 1 && digits <= 2
}

// JoinDay returns day·24h + clock, and whether that fits.
func JoinDay(day, clock int64) (int64, bool) {
	const most = math.MaxInt64 / kernels.Day
	if day > most || day < -most-1 {
		return 0, false
	}
	if day < 0 { // the first day of all begins before the smallest time
		return kernels.AddOK((day+1)*kernels.Day, clock-kernels.Day)
	}
	return kernels.AddOK(day*kernels.Day, clock)
}
