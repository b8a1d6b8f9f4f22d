package columnar

import (
	"strings"
	"time"
)

// Zone turns wall-clock times into instants. It remembers the period between two
// transitions that it met last, so that a column of near times costs no look-up
// per cell. A Zone is for one goroutine.
type Zone struct {
	loc *time.Location
	// from and to are wall-clock microseconds between which offset holds alone.
	from, to, offset int64
	named            map[string]*Zone
	// yearMonth and monthDay are the text of a day, yyyy-mm- and yy-mm-dd, and day
	// the microseconds at which it begins.
	yearMonth, monthDay uint64
	day                 int64
}

// NewZone returns the zone of loc; nil is UTC.
func NewZone(loc *time.Location) *Zone {
	if loc == nil {
		loc = time.UTC
	}
	return &Zone{loc: loc}
}

// Instant returns the instant (microseconds since 1970 UTC) at which a clock in
// the zone shows local. A time that is shown twice means the earlier instant;
// one that is skipped is moved forward by the width of the gap.
func (z *Zone) Instant(local int64) int64 {
	if local >= z.from && local < z.to {
		return local - z.offset
	}
	if z.loc == time.UTC {
		z.from, z.to = -1<<62, 1<<62
		return local
	}
	at := func(micros int64) (offset int64, start, end time.Time) {
		t := time.UnixMicro(micros).In(z.loc)
		_, o := t.Zone()
		start, end = t.ZoneBounds()
		return int64(o) * microsPerSecond, start, end
	}
	// With the offset of a day before, an overlap gives the earlier instant. If
	// another offset holds at that instant, a transition lies between: after a gap
	// the new one is right, unless local is within the gap.
	before, _, _ := at(local - microsPerDay)
	o, start, end := at(local - before)
	if o > before && local-o < start.UnixMicro() {
		return local - before
	}
	lo, hi := int64(-1<<62), int64(1<<62)
	if !start.IsZero() {
		lo = start.UnixMicro() + o + microsPerDay
	}
	if !end.IsZero() {
		hi = end.UnixMicro() + o - microsPerDay
	}
	if lo <= local && local < hi {
		z.from, z.to, z.offset = lo, hi, o
	}
	return local - o
}

const maxNamedZones = 256

// byName returns the zone that text names: Z, an offset, a prefix with an offset
// (GMT-03:30), a region, or one of Java's short names.
func (z *Zone) byName(text string) (*Zone, bool) {
	if got, ok := z.named[text]; ok {
		return got, got != nil
	}
	loc := parseZone(text)
	var got *Zone
	if loc != nil {
		got = NewZone(loc)
	}
	if z.named == nil {
		z.named = map[string]*Zone{}
	}
	if len(z.named) < maxNamedZones {
		z.named[strings.Clone(text)] = got
	}
	return got, got != nil
}

func parseZone(s string) *time.Location {
	switch s {
	case "Z", "UTC", "GMT", "UT":
		return time.UTC
	}
	rest := s
	for _, p := range []string{"UTC", "GMT", "UT"} {
		if r, ok := strings.CutPrefix(s, p); ok {
			rest = r
			break
		}
	}
	if secs, ok := parseOffset([]byte(rest)); ok {
		if secs == 0 {
			return time.UTC
		}
		return time.FixedZone(s, secs)
	}
	if region := shortZone(s); region != "" {
		s = region
	}
	if secs, ok := parseOffset([]byte(s)); ok {
		return time.FixedZone(s, secs)
	}
	if s == "" || s == "Local" || strings.HasPrefix(s, "/") || strings.Contains(s, "..") {
		return nil
	}
	loc, err := time.LoadLocation(s)
	if err != nil {
		return nil
	}
	return loc
}

// parseOffset reads ±h, ±hh, ±h:m, ±hh:mm, ±hhmm, ±hh:mm:ss or ±hhmmss, up to 18
// hours, as seconds east of UTC.
func parseOffset(b []byte) (int, bool) {
	if len(b) < 2 || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	var part [3]int64
	i := 1
	for k := range part {
		v, next, ok := number(b, i, 1, 2)
		if !ok {
			return 0, false
		}
		part[k], i = v, next
		if i == len(b) {
			break
		}
		if b[i] == ':' {
			i++
		} else if k == 0 && len(b) != 5 && len(b) != 7 {
			return 0, false
		}
		if k == 2 || i == len(b) {
			return 0, false
		}
	}
	secs := part[0]*3600 + part[1]*60 + part[2]
	if part[1] > 59 || part[2] > 59 || secs > 18*3600 {
		return 0, false
	}
	if b[0] == '-' {
		secs = -secs
	}
	return int(secs), true
}

// shortZone returns what Java's three-letter names mean; "" if s is none.
func shortZone(s string) string {
	switch s {
	case "ACT":
		return "Australia/Darwin"
	case "AET":
		return "Australia/Sydney"
	case "AGT":
		return "America/Argentina/Buenos_Aires"
	case "ART":
		return "Africa/Cairo"
	case "AST":
		return "America/Anchorage"
	case "BET":
		return "America/Sao_Paulo"
	case "BST":
		return "Asia/Dhaka"
	case "CAT":
		return "Africa/Harare"
	case "CNT":
		return "America/St_Johns"
	case "CST":
		return "America/Chicago"
	case "CTT":
		return "Asia/Shanghai"
	case "EAT":
		return "Africa/Addis_Ababa"
	case "ECT":
		return "Europe/Paris"
	case "IET":
		return "America/Indiana/Indianapolis"
	case "IST":
		return "Asia/Kolkata"
	case "JST":
		return "Asia/Tokyo"
	case "MIT":
		return "Pacific/Apia"
	case "NET":
		return "Asia/Yerevan"
	case "NST":
		return "Pacific/Auckland"
	case "PLT":
		return "Asia/Karachi"
	case "PNT":
		return "America/Phoenix"
	case "PRT":
		return "America/Puerto_Rico"
	case "PST":
		return "America/Los_Angeles"
	case "SST":
		return "Pacific/Guadalcanal"
	case "VST":
		return "Asia/Ho_Chi_Minh"
	case "EST":
		return "-05:00"
	case "MST":
		return "-07:00"
	case "HST":
		return "-10:00"
	}
	return ""
}
