package columnar

// ParseTimestamp reads a timestamp as Spark casts text to TIMESTAMP: a date, or
// a date, a space or T, and h[:m[:s[.fraction]]], then perhaps a zone. A text
// without zone is a clock in z. Digits beyond microseconds are cut. It returns
// microseconds since 1970 UTC. A time of day alone is refused: it would mean
// another day at each reading.
func ParseTimestamp(b []byte, z *Zone) (int64, bool) {
	local, zone, ok := parseLocal(b)
	if !ok {
		return 0, false
	}
	if len(zone) > 0 {
		if len(zone) == 1 && zone[0] == 'Z' {
			return local, true
		}
		if secs, ok := parseOffset(zone); ok {
			return local - int64(secs)*microsPerSecond, true
		}
		if z, ok = z.byName(text(zone)); !ok {
			return 0, false
		}
	}
	return z.Instant(local), true
}

// ParseTimestampNTZ reads a wall-clock time of the same grammar. A zone in the
// text is refused if strict, else ignored.
func ParseTimestampNTZ(b []byte, strict bool) (int64, bool) {
	local, zone, ok := parseLocal(b)
	if !ok || strict && len(zone) > 0 {
		return 0, false
	}
	return local, true
}

func parseLocal(b []byte) (local int64, zone []byte, ok bool) {
	b = trimSpace(b)
	days, i, partial, ok := parseYMD(b, 6)
	if !ok {
		return 0, nil, false
	}
	local = days * microsPerDay
	if i == len(b) {
		return local, nil, true
	}
	if partial || b[i] != ' ' && b[i] != 'T' {
		return 0, nil, false
	}
	h, i, ok := number(b, i+1, 1, 2)
	if !ok {
		return 0, nil, false
	}
	var m, s, frac int64
	if i < len(b) && b[i] == ':' {
		if m, i, ok = number(b, i+1, 1, 2); !ok {
			return 0, nil, false
		}
		if i < len(b) && b[i] == ':' {
			if s, i, ok = number(b, i+1, 1, 2); !ok {
				return 0, nil, false
			}
			if i < len(b) && b[i] == '.' {
				start := i + 1
				for i = start; i < len(b) && b[i]-'0' <= 9; i++ {
					if i-start < 6 {
						frac = frac*10 + int64(b[i]-'0')
					}
				}
				for k := i - start; k < 6; k++ {
					frac *= 10
				}
			}
			zone = trimSpace(b[i:])
			i = len(b)
		}
	}
	if i < len(b) || h > 23 || m > 59 || s > 59 {
		return 0, nil, false
	}
	return local + ((h*60+m)*60+s)*microsPerSecond + frac, zone, true
}
