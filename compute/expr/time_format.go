package expr

import (
	"strconv"
	"time"

	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func timeFormatRows() map[string]row {
	return map[string]row{
		"date_format":   strict(dateFormat),
		"from_unixtime": strict(fromUnixtime),
	}
}

func dateFormat(f *frame) error {
	var c patterns
	zone := f.env.zone
	switch f.args[0].Type.Kind {
	case expr.KindTime:
		return formatTimes(f)
	case expr.KindTimestampNTZ:
		zone = utc
	}
	at := instants(f, 0, zone)
	pats := f.text(1)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		p, err := c.of(pats.at(i))
		if err != nil {
			return dst, err.At(f.call.At)
		}
		return p.format(dst, at(i), 0, zone, f.env.Zone), nil
	})
}

func fromUnixtime(f *frame) error {
	var c patterns
	secs := argument[int64](f, 0)
	pat := func(int) []byte { return []byte("yyyy-MM-dd HH:mm:ss") }
	if len(f.args) == 2 {
		pat = f.text(1).at
	}
	return f.write(func(i int, dst []byte) ([]byte, error) {
		p, err := c.of(pat(i))
		if err != nil {
			return dst, err.At(f.call.At)
		}
		return p.format(dst, secs.at(i)*kernels.Second, 0, f.env.zone, f.env.Zone), nil
	})
}

// format appends a time of a zone, microseconds and nanos beyond them, in the
// pattern's form.
func (p pattern) format(dst []byte, t, nanos int64, zone *kernels.Zone, loc *time.Location) []byte {
	off := zone.Offset(t)
	local := t + off
	day, clock := kernels.FloorDiv(local, kernels.Day), kernels.FloorMod(local, kernels.Day)
	y, m, d := kernels.Civil(day)
	hour := clock / kernels.Hour
	for _, it := range p {
		switch it.letter {
		case 0:
			dst = append(dst, it.text...)
		case 'G':
			dst = append(dst, era(y, it.count)...)
		case 'y':
			dst = formatYear(dst, y, it.count)
		case 'M', 'L':
			dst = formatName(dst, int64(m), it.count, monthNames[m-1])
		case 'd':
			dst = pad(dst, int64(d), it.count)
		case 'D':
			dst = pad(dst, int64(kernels.YearDay(day)), it.count)
		case 'Q', 'q':
			q := int64(m+2) / 3
			switch it.count {
			case 3:
				dst = strconv.AppendInt(append(dst, 'Q'), q, 10)
			case 4:
				dst = append(dst, [...]string{"1st", "2nd", "3rd", "4th"}[q-1]...)
				dst = append(dst, " quarter"...)
			default:
				dst = pad(dst, q, it.count)
			}
		case 'E':
			name := dayNames[kernels.Weekday(day)]
			if it.count < 4 {
				name = name[:3]
			}
			dst = append(dst, name...)
		case 'F':
			dst = pad(dst, int64((d-1)%7+1), it.count)
		case 'a':
			dst = append(dst, [...]string{"AM", "PM"}[hour/12]...)
		case 'h':
			dst = pad(dst, (hour+11)%12+1, it.count)
		case 'K':
			dst = pad(dst, hour%12, it.count)
		case 'k':
			dst = pad(dst, (hour+23)%24+1, it.count)
		case 'H':
			dst = pad(dst, hour, it.count)
		case 'm':
			dst = pad(dst, clock/kernels.Minute%60, it.count)
		case 's':
			dst = pad(dst, clock/kernels.Second%60, it.count)
		case 'S':
			text := strconv.AppendInt(nil, 1e9+clock%kernels.Second*nanosPerMicro+nanos, 10)[1:]
			dst = append(dst, text[:it.count]...)
		case 'V', 'z':
			dst = append(dst, zoneName(it, t, zone, loc)...)
		case 'O', 'X', 'x', 'Z':
			dst = formatOffset(dst, off/kernels.Second, it)
		}
	}
	return dst
}

func era(y int64, count int) string {
	switch {
	case y > 0 && count == 4:
		return "Anno Domini"
	case y > 0:
		return "AD"
	case count == 4:
		return "Before Christ"
	}
	return "BC"
}

// formatYear shows the year of the era: 'yy' its last two digits, four letters a
// plus sign beyond 9999.
func formatYear(dst []byte, y int64, count int) []byte {
	if y <= 0 {
		y = 1 - y
	}
	if count == 2 {
		return pad(dst, y%100, 2)
	}
	if count >= 4 {
		limit := int64(10000)
		for i := 4; i < count; i++ {
			limit *= 10
		}
		if y >= limit {
			dst = append(dst, '+')
		}
	}
	return pad(dst, y, count)
}

func formatName(dst []byte, v int64, count int, name string) []byte {
	switch count {
	case 1, 2:
		return pad(dst, v, count)
	case 3:
		return append(dst, name[:3]...)
	}
	return append(dst, name...)
}

// pad appends v with at least count digits.
func pad(dst []byte, v int64, count int) []byte {
	for p := int64(10); count > 1; count-- {
		if v < p {
			for ; count > 1; count-- {
				dst = append(dst, '0')
			}
			break
		}
		p *= 10
	}
	return strconv.AppendInt(dst, v, 10)
}

func zoneName(it patternItem, t int64, zone *kernels.Zone, loc *time.Location) string {
	name := zone.String()
	if it.letter == 'V' {
		return name
	}
	abbr := name
	if zone != utc {
		abbr, _ = time.UnixMicro(t).In(loc).Zone()
	}
	if it.count < 4 {
		return abbr
	}
	if long, ok := longZones[abbr]; ok {
		return long
	}
	return abbr
}

// longZones are the English names of the common abbreviations.
var longZones = map[string]string{
	"UTC": "Coordinated Universal Time", "GMT": "Greenwich Mean Time", "BST": "British Summer Time",
	"CET": "Central European Standard Time", "CEST": "Central European Summer Time", "EET": "Eastern European Standard Time",
	"EEST": "Eastern European Summer Time", "WET": "Western European Standard Time", "WEST": "Western European Summer Time",
	"EST": "Eastern Standard Time", "EDT": "Eastern Daylight Time", "CST": "Central Standard Time", "CDT": "Central Daylight Time",
	"MST": "Mountain Standard Time", "MDT": "Mountain Daylight Time", "PST": "Pacific Standard Time", "PDT": "Pacific Daylight Time",
	"JST": "Japan Standard Time", "IST": "India Standard Time", "KST": "Korean Standard Time",
}

// formatOffset shows an offset of seconds in the forms of the letters O, X, x, Z.
func formatOffset(dst []byte, off int64, it patternItem) []byte {
	letter, count := it.letter, it.count
	if letter == 'Z' {
		switch count {
		case 4:
			letter = 'O'
		case 5:
			letter, count = 'X', 5
		default:
			letter, count = 'x', 2
		}
	}
	if letter == 'X' && off == 0 {
		return append(dst, 'Z')
	}
	sign := byte('+')
	if off < 0 {
		sign, off = '-', -off
	}
	h, m, s := off/3600, off/60%60, off%60
	if letter == 'O' {
		dst = append(dst, "GMT"...)
		if off == 0 {
			return dst
		}
		if count == 4 {
			dst = append(pad(append(dst, sign), h, 2), ':')
			dst = pad(dst, m, 2)
		} else {
			dst = pad(append(dst, sign), h, 1)
			if m != 0 {
				dst = pad(append(dst, ':'), m, 2)
			}
		}
		if s != 0 {
			dst = pad(append(dst, ':'), s, 2)
		}
		return dst
	}
	dst = pad(append(dst, sign), h, 2)
	colon := count == 3 || count == 5
	if count > 1 || m != 0 {
		if colon {
			dst = append(dst, ':')
		}
		dst = pad(dst, m, 2)
	}
	if count >= 4 && s != 0 {
		if colon {
			dst = append(dst, ':')
		}
		dst = pad(dst, s, 2)
	}
	return dst
}
