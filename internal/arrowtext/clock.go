package arrowtext

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/kernels"
)

// Nanoseconds of the parts of a day.
const (
	nanosPerMicro = 1000
	nanosPerHour  = kernels.Hour * nanosPerMicro
	halfDay       = 12 * nanosPerHour
)

// AppendTime appends nanoseconds of a day as HH:mm:ss and the fraction without
// trailing zeros.
func AppendTime(dst []byte, t int64) []byte {
	dst = appendClock(dst, t/nanosPerMicro-t/nanosPerMicro%kernels.Second)
	f := t % (kernels.Second * nanosPerMicro)
	if f == 0 {
		return dst
	}
	dst = append(dst, '.')
	for p := int64(100_000_000); f > 0; p /= 10 {
		dst = append(dst, byte('0'+f/p))
		f %= p
	}
	return dst
}

// ParseTime reads what CAST AS TIME reads, a clock time down to the minute with an
// optional T before and AM or PM behind, and returns nanoseconds of the day; what
// is finer is cut.
func ParseTime(s []byte) (int64, bool) {
	for len(s) > 0 && s[len(s)-1] <= ' ' { // a space before the T is not allowed
		s = s[:len(s)-1]
	}
	half := byte(0)
	if n := len(s); n > 2 && s[n-1]|0x20 == 'm' && (s[n-2]|0x20 == 'a' || s[n-2]|0x20 == 'p') {
		half = s[n-2] | 0x20
		s = bytes.TrimRight(s[:n-2], " ")
	}
	t, ok := ParseTimestamp(s)
	if !ok || !t.TimeOnly || t.Zone != "" {
		return 0, false
	}
	v := t.Local*nanosPerMicro + t.Nanos
	if half == 0 {
		return v, true
	}
	if h := v / nanosPerHour; h < 1 || h > 12 {
		return 0, false
	}
	if v %= halfDay; half == 'p' {
		v += halfDay
	}
	return v, true
}

// nanosPer is the length of a unit of time.
func nanosPer(u arrow.TimeUnit) int64 {
	switch u {
	case arrow.Second:
		return kernels.Second * nanosPerMicro
	case arrow.Millisecond:
		return 1000 * nanosPerMicro
	case arrow.Microsecond:
		return nanosPerMicro
	}
	return 1
}
