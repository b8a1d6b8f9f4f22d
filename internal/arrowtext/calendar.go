package arrowtext

import (
	"math"
	"strings"

	"github.com/flightd/flightd/kernels"
)

// ParseCalendar reads an interval of units: [interval] 1 year -2 days 3.5 seconds.
func ParseCalendar(s []byte) (months, days int32, micros int64, ok bool) {
	c := scanner{Trim(s)}
	if c.word("INTERVAL") {
		c.spaces()
	}
	var m, d, us int64
	parts := 0
	for len(c.s) > 0 {
		neg, _ := c.sign()
		c.spaces()
		v, fraction, nanos, okNumber := c.decimal()
		if !okNumber || !c.spaces() {
			return 0, 0, 0, false
		}
		n := 0
		for n < len(c.s) && (c.s[n]|0x20) >= 'a' && (c.s[n]|0x20) <= 'z' {
			n++
		}
		name := strings.TrimSuffix(strings.ToLower(string(c.s[:n])), "s")
		c.s = c.s[n:]
		if neg {
			v, nanos = -v, -nanos
		}
		okAdd := true
		add := func(total *int64, unit int64) {
			p, ok1 := kernels.MulOK(v, unit)
			t, ok2 := kernels.AddOK(*total, p)
			*total, okAdd = t, okAdd && ok1 && ok2
		}
		if fraction && name != "second" {
			return 0, 0, 0, false
		}
		switch name {
		case "year":
			add(&m, 12)
		case "month":
			add(&m, 1)
		case "week":
			add(&d, 7)
		case "day":
			add(&d, 1)
		case "hour":
			add(&us, kernels.Hour)
		case "minute":
			add(&us, kernels.Minute)
		case "second":
			add(&us, kernels.Second)
			us += nanos / 1000
		case "millisecond":
			add(&us, 1000)
		case "microsecond":
			add(&us, 1)
		default:
			return 0, 0, 0, false
		}
		if !okAdd {
			return 0, 0, 0, false
		}
		parts++
		if len(c.s) > 0 && !c.spaces() {
			return 0, 0, 0, false
		}
	}
	if parts == 0 || m != int64(int32(m)) || d != int64(int32(d)) || us > math.MaxInt64/1000 || us < math.MinInt64/1000 {
		return 0, 0, 0, false
	}
	return int32(m), int32(d), us, true
}

// decimal takes digits with at most nine behind a point.
func (c *scanner) decimal() (v int64, fraction bool, nanos int64, ok bool) {
	if len(c.s) > 0 && c.s[0] != '.' {
		if v, ok = c.number(18); !ok {
			return 0, false, 0, false
		}
	}
	if c.byte('.') {
		fraction = true
		n := len(c.s)
		if nanos, ok = c.number(9); !ok {
			return v, true, 0, n > 0 && v > 0
		}
		for k := n - len(c.s); k < 9; k++ {
			nanos *= 10
		}
	}
	return v, fraction, nanos, ok
}
