package arrowtext

import (
	"math"
	"strconv"

	"github.com/flightd/flightd/kernels"
)

// The fields of interval types, largest first: 0 year, 1 month, 2 day, 3 hour, 4
// minute, 5 second (plan/expr's IntervalField has the same numbers).
const (
	year = iota
	month
	day
	hour
	minute
	second
)

var fieldNames = [...]string{"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"}

func appendFields(dst []byte, from, to int) []byte {
	dst = append(dst, "' "...)
	dst = append(dst, fieldNames[from]...)
	if from != to {
		dst = append(dst, " TO "...)
		dst = append(dst, fieldNames[to]...)
	}
	return dst
}

// AppendYearMonth appends months as a literal: INTERVAL '1-2' YEAR TO MONTH.
func AppendYearMonth(dst []byte, months int32, from, to int) []byte {
	dst = append(dst, "INTERVAL '"...)
	m := int64(months)
	if m < 0 {
		dst = append(dst, '-')
		m = -m
	}
	switch {
	case from == month:
		dst = strconv.AppendInt(dst, m, 10)
	case to == year:
		dst = strconv.AppendInt(dst, m/12, 10)
	default:
		dst = strconv.AppendInt(dst, m/12, 10)
		dst = append(dst, '-')
		dst = strconv.AppendInt(dst, m%12, 10)
	}
	return appendFields(dst, from, to)
}

// AppendDayTime appends microseconds as a literal: INTERVAL '1 02:03:04.5' DAY TO SECOND.
func AppendDayTime(dst []byte, micros int64, from, to int) []byte {
	dst = append(dst, "INTERVAL '"...)
	u := uint64(micros)
	if micros < 0 {
		dst = append(dst, '-')
		u = -u
	}
	units := [...]uint64{day: uint64(kernels.Day), hour: uint64(kernels.Hour), minute: uint64(kernels.Minute), second: uint64(kernels.Second)}
	for f := from; f <= to; f++ {
		switch {
		case f == from:
		case f == hour:
			dst = append(dst, ' ')
		default:
			dst = append(dst, ':')
		}
		v := u / units[f]
		u %= units[f]
		if v < 10 && f != day {
			dst = append(dst, '0')
		}
		dst = strconv.AppendUint(dst, v, 10)
	}
	if to == second {
		dst = appendFraction(dst, int64(u))
	}
	return appendFields(dst, from, to)
}

// AppendCalendar appends an interval of mixed units: 1 years 2 days 3.5 seconds.
func AppendCalendar(dst []byte, months, days int32, micros int64) []byte {
	n := len(dst)
	part := func(v int64, unit string) {
		if v != 0 {
			dst = strconv.AppendInt(dst, v, 10)
			dst = append(dst, unit...)
		}
	}
	part(int64(months/12), " years ")
	part(int64(months%12), " months ")
	part(int64(days), " days ")
	part(micros/kernels.Hour, " hours ")
	part(micros/kernels.Minute%60, " minutes ")
	if f := micros % kernels.Minute; f != 0 {
		if f < 0 {
			dst = append(dst, '-')
			f = -f
		}
		dst = strconv.AppendInt(dst, f/kernels.Second, 10)
		dst = appendFraction(dst, f%kernels.Second)
		dst = append(dst, " seconds "...)
	}
	if len(dst) == n {
		return append(dst, "0 seconds"...)
	}
	return dst[:len(dst)-1]
}

// scanner reads interval text.
type scanner struct{ s []byte }

func (c *scanner) byte(b byte) bool {
	if len(c.s) > 0 && c.s[0] == b {
		c.s = c.s[1:]
		return true
	}
	return false
}

func (c *scanner) spaces() bool {
	n := len(c.s)
	for len(c.s) > 0 && c.s[0] <= ' ' {
		c.s = c.s[1:]
	}
	return len(c.s) < n
}

// word takes an ASCII word, ignoring case.
func (c *scanner) word(w string) bool {
	if len(c.s) < len(w) {
		return false
	}
	for i := range len(w) {
		if b := c.s[i]; b != w[i] && (b < 'a' || b > 'z' || b-0x20 != w[i]) {
			return false
		}
	}
	c.s = c.s[len(w):]
	return true
}

func (c *scanner) sign() (neg, ok bool) {
	if c.byte('-') {
		return true, true
	}
	return false, c.byte('+')
}

// number takes up to most digits; the value saturates.
func (c *scanner) number(most int) (v int64, ok bool) {
	n := 0
	for n < len(c.s) && c.s[n] >= '0' && c.s[n] <= '9' {
		if d := int64(c.s[n] - '0'); v > (math.MaxInt64-d)/10 {
			v = math.MaxInt64
		} else {
			v = v*10 + d
		}
		n++
	}
	if n == 0 || n > most {
		return 0, false
	}
	c.s = c.s[n:]
	return v, true
}

// begin strips the frame of a literal, INTERVAL '…' FROM [TO TO], if there is one.
func (c *scanner) begin(from, to int) (neg, ok bool) {
	c.s = Trim(c.s)
	if c.word("INTERVAL") {
		if !c.spaces() {
			return false, false
		}
		neg, _ = c.sign()
		if !c.byte('\'') {
			return false, false
		}
		end := len(c.s) - 1
		for end >= 0 && c.s[end] != '\'' {
			end--
		}
		if end < 0 {
			return false, false
		}
		tail := scanner{c.s[end+1:]}
		ok := tail.spaces() && tail.word(fieldNames[from])
		if from != to {
			ok = ok && tail.spaces() && tail.word("TO") && tail.spaces() && tail.word(fieldNames[to])
		}
		if !ok || len(tail.s) > 0 {
			return false, false
		}
		c.s = c.s[:end]
	}
	n, _ := c.sign()
	return neg != n, true
}

// IntervalStatus is how parsing an interval ended.
type IntervalStatus uint8

// The statuses: a value; text of another form; a field out of its range or a
// total that does not fit.
const (
	IntervalOK IntervalStatus = iota
	IntervalMalformed
	IntervalOutOfRange
)

// ParseYearMonth reads [-]y-m, or a number for a type of one field, plain or as a
// literal.
func ParseYearMonth(s []byte, from, to int) (int32, IntervalStatus) {
	c := scanner{s}
	neg, ok := c.begin(from, to)
	if !ok {
		return 0, IntervalMalformed
	}
	v, ok := c.number(18)
	if !ok {
		return 0, IntervalMalformed
	}
	months := v
	if from == year {
		if v > math.MaxInt32 {
			v = math.MaxInt32
		}
		months = v * 12
	}
	if from != to {
		if !c.byte('-') {
			return 0, IntervalMalformed
		}
		m, ok := c.number(18)
		if !ok {
			return 0, IntervalMalformed
		}
		if m > 11 {
			return 0, IntervalOutOfRange
		}
		months += m
	}
	if len(c.s) > 0 {
		return 0, IntervalMalformed
	}
	if neg {
		months = -months
	}
	if months != int64(int32(months)) {
		return 0, IntervalOutOfRange
	}
	return int32(months), IntervalOK
}

// ParseDayTime reads [-]d h:m:s.f or the part of it that the type's fields name,
// plain or as a literal.
func ParseDayTime(s []byte, from, to int) (int64, IntervalStatus) {
	c := scanner{s}
	neg, ok := c.begin(from, to)
	if !ok {
		return 0, IntervalMalformed
	}
	units := [...]int64{day: kernels.Day, hour: kernels.Hour, minute: kernels.Minute, second: kernels.Second}
	total, status := int64(0), IntervalOK // negative, as the smallest has no positive
	for f := from; f <= to; f++ {
		if f > from {
			if f == hour {
				if !c.byte(' ') {
					return 0, IntervalMalformed
				}
			} else if !c.byte(':') {
				return 0, IntervalMalformed
			}
		}
		most := 2
		if f == from {
			most = 18
		}
		v, ok := c.number(most)
		if !ok {
			return 0, IntervalMalformed
		}
		if f > from && (f == hour && v > 23 || f > hour && v > 59) {
			status = IntervalOutOfRange
		}
		p, okMul := kernels.MulOK(v, units[f])
		t, okSub := kernels.SubOK(total, p)
		if !okMul || !okSub {
			status = IntervalOutOfRange
		}
		total = t
	}
	if to == second && c.byte('.') {
		n := len(c.s)
		v, ok := c.number(9)
		if !ok {
			return 0, IntervalMalformed
		}
		for k := n - len(c.s); k < 6; k++ {
			v *= 10
		}
		for k := n - len(c.s); k > 6; k-- {
			v /= 10
		}
		t, ok := kernels.SubOK(total, v)
		if !ok {
			status = IntervalOutOfRange
		}
		total = t
	}
	if len(c.s) > 0 {
		return 0, IntervalMalformed
	}
	if !neg {
		if total == math.MinInt64 {
			status = IntervalOutOfRange
		}
		total = -total
	}
	return total, status
}
