package columnar

// ParseTimestamp reads a timestamp as Spark casts text to TIMESTAMP: a date, or
// a date, a space or T, and h[:m[:s[.fraction]]], then perhaps a zone. A text
// without zone is a clock in z. Digits beyond microseconds are cut. It returns
// microseconds since 1970 UTC. A time of day alone is refused: it would mean
// another day at each reading.
func ParseTimestamp(b []byte, z *Zone) (int64, bool) {
	local, zone, ok := z.parseISO(b)
	if !ok {
		local, zone, ok = parseLocal(b)
	}
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

// parseISO is parseLocal for yyyy-mm-ddThh:mm:ss[.fraction], or with a space in
// place of the T, and Z or nothing behind it. ok is false for all else. The day
// that came last is remembered.
func (z *Zone) parseISO(b []byte) (local int64, zone []byte, ok bool) {
	if n := len(b) - 1; n >= 19 && b[n] == 'Z' {
		b, zone = b[:n], b[n:]
	}
	if len(b) < 19 {
		return 0, nil, false
	}
	ym, day := load(b, 0), load(b, 2)
	if ym != z.yearMonth || day != z.monthDay || ym == 0 {
		days, i, partial, ok := parseYMD(b[:10], 6)
		if !ok || i != 10 || partial {
			return 0, nil, false
		}
		z.yearMonth, z.monthDay, z.day = ym, day, days*microsPerDay
	}
	// hh:mm:ss is read as the digits 0hh0mm0ss would be, without the first.
	const colons = ':'<<16 | ':'<<40
	clock := load(b, 11)
	w := clock ^ (ones*'0'&^(0xff<<16|0xff<<40) | colons)
	if b[10] != 'T' && b[10] != ' ' || notDigits(w) != 0 || w&(0xff<<16|0xff<<40) != 0 {
		return 0, nil, false
	}
	w = w*10 + w>>8
	h, m, s := int64(w&0xff), int64(w>>24&0xff), int64(w>>48&0xff)
	if h > 23 || m > 59 || s > 59 {
		return 0, nil, false
	}
	local = z.day + ((h*60+m)*60+s)*microsPerSecond
	if len(b) == 19 {
		return local, zone, true
	}
	n := len(b) - 20
	if b[19] != '.' || n > 6 {
		return 0, nil, false
	}
	frac := int64(0)
	for _, c := range b[20:] {
		d := c - '0'
		if d > 9 {
			return 0, nil, false
		}
		frac = frac*10 + int64(d)
	}
	return local + frac*microsOf[n], zone, true
}

// microsOf are the microseconds of one in the last of n digits of a fraction.
var microsOf = [7]int64{0, 100_000, 10_000, 1000, 100, 10, 1}
