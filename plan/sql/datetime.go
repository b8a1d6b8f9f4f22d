package sql

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// The texts of typed literals, read by Spark's rules. Casts of columns have
// readers of their own, made for columns.

const (
	microsPerSecond = 1_000_000
	nanosPerSecond  = 1_000_000_000
	microsPerDay    = 86400 * microsPerSecond
)

// digitsAt takes lo to hi digits from s.
func digitsAt(s string, lo, hi int) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && i < hi && isDigit(s[i]) {
		n = n*10 + int(s[i]-'0')
		i++
	}
	return n, s[i:], i >= lo && (i == len(s) || !isDigit(s[i]))
}

// takeDate takes [+-]y[yyyyyy]-[m]m-[d]d or a prefix of it and returns the days
// since 1970-01-01 and what follows.
func takeDate(s string) (days int64, rest string, ok bool) {
	sign := 1
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	y, rest, ok := digitsAt(s, 4, 7)
	if !ok {
		return 0, "", false
	}
	y *= sign
	m, d := 1, 1
	if strings.HasPrefix(rest, "-") {
		if m, rest, ok = digitsAt(rest[1:], 1, 2); !ok {
			return 0, "", false
		}
		if strings.HasPrefix(rest, "-") {
			if d, rest, ok = digitsAt(rest[1:], 1, 2); !ok {
				return 0, "", false
			}
		}
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if t.Month() != time.Month(m) || t.Day() != d {
		return 0, "", false
	}
	return t.Unix() / 86400, rest, t.Unix()/86400 == int64(int32(t.Unix()/86400))
}

// parseDate returns the days since 1970-01-01; anything may follow a T or a
// space.
func parseDate(s string) (int64, bool) {
	days, rest, ok := takeDate(strings.TrimSpace(s))
	return days, ok && (rest == "" || rest[0] == 'T' || rest[0] == ' ')
}

// takeClock takes h:m[:s[.f]] or, if hour is set, also h, and returns the
// nanoseconds. More than nine digits of a fraction are cut; digits says how many
// there were.
func takeClock(s string, hour bool) (nanos int64, digits int, rest string, ok bool) {
	h, rest, ok := digitsAt(s, 1, 2)
	if !ok || h > 23 {
		return 0, 0, "", false
	}
	nanos = int64(h) * 3600 * nanosPerSecond
	if !strings.HasPrefix(rest, ":") {
		return nanos, 0, rest, hour
	}
	m, rest, ok := digitsAt(rest[1:], 1, 2)
	if !ok || m > 59 {
		return 0, 0, "", false
	}
	nanos += int64(m) * 60 * nanosPerSecond
	if !strings.HasPrefix(rest, ":") {
		return nanos, 0, rest, true
	}
	sec, rest, ok := digitsAt(rest[1:], 1, 2)
	if !ok || sec > 59 {
		return 0, 0, "", false
	}
	nanos += int64(sec) * nanosPerSecond
	if !strings.HasPrefix(rest, ".") {
		return nanos, 0, rest, true
	}
	rest = rest[1:]
	for unit := int64(nanosPerSecond / 10); rest != "" && isDigit(rest[0]); rest = rest[1:] {
		nanos += int64(rest[0]-'0') * unit
		unit /= 10
		digits++
	}
	return nanos, digits, rest, true
}

// parseClock returns the nanoseconds of a TIME literal, which may say AM or PM, and
// how many digits its fraction has.
func parseClock(s string) (nanos int64, digits int, ok bool) {
	short := strings.TrimPrefix(s, "T")
	nanos, digits, rest, ok := takeClock(strings.TrimSpace(short), short != s)
	if !ok {
		return 0, 0, false
	}
	half := strings.ToUpper(strings.TrimSpace(rest))
	if half == "" {
		return nanos, digits, true
	}
	const noon = 12 * 3600 * nanosPerSecond
	h := nanos / (3600 * nanosPerSecond)
	if half != "AM" && half != "PM" || h < 1 || h > 12 {
		return 0, 0, false
	}
	nanos %= noon
	if half == "PM" {
		nanos += noon
	}
	return nanos, digits, true
}

// splitTimestamp cuts a timestamp's text into local microseconds and its zone,
// or "".
func splitTimestamp(s string) (local int64, zone string, ok bool) {
	s = strings.TrimSpace(s)
	days, rest, ok := takeDate(s)
	if !ok || days > math.MaxInt64/microsPerDay || days < math.MinInt64/microsPerDay {
		return 0, "", false
	}
	local = days * microsPerDay
	if rest == "" {
		return local, "", true
	}
	if rest[0] != ' ' && rest[0] != 'T' {
		return 0, "", false
	}
	ns, _, rest, ok := takeClock(rest[1:], true)
	us := ns / 1000
	if !ok {
		return 0, "", false
	}
	return local + us, strings.TrimSpace(rest), true
}

func hasZone(s string) bool {
	_, zone, _ := splitTimestamp(s)
	return zone != ""
}

// parseTimestamp returns the microseconds of a TIMESTAMP literal: since 1970 UTC,
// or with local those of the clock, without regard to a zone in the text.
func parseTimestamp(s string, zone *time.Location, local bool) (int64, bool) {
	us, name, ok := splitTimestamp(s)
	if !ok {
		return 0, false
	}
	if name != "" {
		if zone, ok = parseZone(name); !ok {
			return 0, false
		}
	}
	if local || zone == nil {
		return us, true
	}
	return toUTC(us, zone), true
}

// toUTC converts local microseconds: the earlier offset where clocks were set
// back, shifted forward where they were set forward.
func toUTC(us int64, zone *time.Location) int64 {
	sec := floorDiv(us, microsPerSecond)
	rest := us - sec*microsPerSecond
	t := time.Unix(sec, 0).In(zone)
	_, offset := t.Zone()
	t = time.Unix(sec-int64(offset), 0).In(zone)
	start, end := t.ZoneBounds()
	_, offset = t.Zone()
	if !start.IsZero() {
		if _, before := start.Add(-time.Second).Zone(); sec < start.Unix()+int64(max(before, offset)) {
			return (sec-int64(before))*microsPerSecond + rest
		}
	}
	if !end.IsZero() {
		if _, after := end.Zone(); sec >= end.Unix()+int64(max(offset, after)) {
			offset = after
		}
	}
	return (sec-int64(offset))*microsPerSecond + rest
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && a < 0 {
		q--
	}
	return q
}

// localText is a timestamp in zone as Spark prints it.
func localText(us int64, zone *time.Location) string {
	sec := floorDiv(us, microsPerSecond)
	t := time.Unix(sec, (us-sec*microsPerSecond)*1000).In(zone)
	s := t.Format("2006-01-02 15:04:05")
	if f := t.Nanosecond() / 1000; f != 0 {
		digits := strconv.Itoa(microsPerSecond + f)[1:]
		s += "." + strings.TrimRight(digits, "0")
	}
	return s
}

// shortZones are the three-letter names that Java knows beside the regions.
var shortZones = map[string]string{
	"ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires", "ART": "Africa/Cairo", "AST": "America/Anchorage",
	"BET": "America/Sao_Paulo", "BST": "Asia/Dhaka", "CAT": "Africa/Harare", "CNT": "America/St_Johns", "CST": "America/Chicago", "CTT": "Asia/Shanghai",
	"EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris", "EST": "-05:00", "HST": "-10:00", "IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata",
	"JST": "Asia/Tokyo", "MIT": "Pacific/Apia", "MST": "-07:00", "NET": "Asia/Yerevan", "NST": "Pacific/Auckland", "PLT": "Asia/Karachi",
	"PNT": "America/Phoenix", "PRT": "America/Puerto_Rico", "PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh",
}

// parseZone reads a zone as Spark does: Z, UTC, +1:0, -0100, GMT-03:30, a region,
// a short name.
func parseZone(s string) (*time.Location, bool) {
	if long, ok := shortZones[s]; ok {
		s = long
	}
	switch s {
	case "Z", "UTC", "GMT", "UT":
		return time.UTC, true
	}
	offset := s
	for _, prefix := range []string{"UTC", "GMT", "UT"} {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			offset = rest
			break
		}
	}
	if offset != "" && (offset[0] == '+' || offset[0] == '-') {
		return parseOffset(offset)
	}
	if s == "" || s == "Local" || strings.ContainsAny(s, ".\\") {
		return nil, false
	}
	loc, err := time.LoadLocation(s)
	return loc, err == nil
}

// ParseZone reads the name of a time zone as spark.sql.session.timeZone takes it.
func ParseZone(s string) (*time.Location, bool) { return parseZone(strings.TrimSpace(s)) }

// parseOffset reads +h, +hh:mm, +hhmm, +h:m and +hh:mm:ss, up to 18 hours.
func parseOffset(s string) (*time.Location, bool) {
	sign := 1
	if s[0] == '-' {
		sign = -1
	}
	var parts []string
	body := s[1:]
	if strings.Contains(body, ":") {
		parts = strings.Split(body, ":")
	} else {
		switch len(body) {
		case 1, 2:
			parts = []string{body}
		case 4:
			parts = []string{body[:2], body[2:]}
		case 6:
			parts = []string{body[:2], body[2:4], body[4:]}
		}
	}
	if len(parts) == 0 || len(parts) > 3 {
		return nil, false
	}
	sum, unit := 0, 3600
	for i, part := range parts {
		n, rest, ok := digitsAt(part, 1, 2)
		if !ok || rest != "" || i > 0 && n > 59 {
			return nil, false
		}
		sum += n * unit
		unit /= 60
	}
	if sum > 18*3600 {
		return nil, false
	}
	return time.FixedZone(s, sign*sum), true
}
