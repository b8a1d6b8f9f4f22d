package arrowtext

import (
	"strings"
	"time"
	_ "time/tzdata" // the binary carries the zones

	"github.com/flightd/flightd/kernels"
)

var shortZones = map[string]string{
	"ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires", "ART": "Africa/Cairo",
	"AST": "America/Anchorage", "BET": "America/Sao_Paulo", "BST": "Asia/Dhaka", "CAT": "Africa/Harare", "CNT": "America/St_Johns",
	"CST": "America/Chicago", "CTT": "Asia/Shanghai", "EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris",
	"IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "MIT": "Pacific/Apia", "NET": "Asia/Yerevan",
	"NST": "Pacific/Auckland", "PLT": "Asia/Karachi", "PNT": "America/Phoenix", "PRT": "America/Puerto_Rico",
	"PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh", "EST": "-05:00", "MST": "-07:00", "HST": "-10:00",
}

// LoadZone returns the zone of a name as Spark reads it: Z, an offset (+1:0, -0100,
// +05:30:15), UTC, GMT or UT with or without an offset, a region, or one of
// Java's short names.
func LoadZone(name string) (*time.Location, bool) {
	name = strings.TrimSpace(name)
	if long, ok := shortZones[name]; ok {
		name = long
	}
	switch name {
	case "Z", "UTC", "GMT", "UT", "Etc/UTC":
		return time.FixedZone(name, 0), true
	case "", "Local":
		return nil, false
	}
	rest := name
	for _, p := range [...]string{"UTC", "GMT", "UT"} {
		if r, ok := strings.CutPrefix(name, p); ok {
			rest = r
			break
		}
	}
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		sec, ok := parseOffset(rest)
		if !ok {
			return nil, false
		}
		return time.FixedZone(name, sec), true
	}
	if strings.Contains(name, "..") || name[0] == '/' || strings.ContainsAny(name, "\\ ") {
		return nil, false
	}
	loc, err := time.LoadLocation(name)
	return loc, err == nil
}

// parseOffset reads +h, +hh, +hhmm, +hhmmss and the forms with colons, where an
// hour or the last minute may have one digit.
func parseOffset(s string) (int, bool) {
	sign := 1
	if s[0] == '-' {
		sign = -1
	}
	s = s[1:]
	var parts []string
	if strings.Contains(s, ":") {
		parts = strings.Split(s, ":")
		if len(parts) == 3 && len(parts[1]) != 2 {
			return 0, false
		}
	} else {
		switch len(s) {
		case 1, 2:
			parts = []string{s}
		case 4:
			parts = []string{s[:2], s[2:]}
		case 6:
			parts = []string{s[:2], s[2:4], s[4:]}
		}
	}
	if len(parts) == 0 || len(parts) > 3 {
		return 0, false
	}
	total, unit := 0, 3600
	for i, p := range parts {
		if len(p) == 0 || len(p) > 2 || i == 2 && len(p) != 2 {
			return 0, false
		}
		v := 0
		for _, c := range []byte(p) {
			if c < '0' || c > '9' {
				return 0, false
			}
			v = v*10 + int(c-'0')
		}
		if i > 0 && v > 59 {
			return 0, false
		}
		total += v * unit
		unit /= 60
	}
	return sign * total, total <= 18*3600
}

// Zones keeps the tables of zones met in data. The zero value is ready; it is for
// one goroutine.
type Zones struct {
	tables map[string]*kernels.Zone
}

// Zone returns the table of a zone; nil if there is no such zone.
func (z *Zones) Zone(name string) *kernels.Zone {
	if t, ok := z.tables[name]; ok {
		return t
	}
	if z.tables == nil {
		z.tables = map[string]*kernels.Zone{}
	}
	var t *kernels.Zone
	if loc, ok := LoadZone(name); ok {
		t = kernels.NewZone(loc)
	}
	if len(z.tables) < 1000 { // names come from data
		z.tables[strings.Clone(name)] = t
	}
	return t
}
