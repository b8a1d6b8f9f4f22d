package expr

import (
	"fmt"
	"strings"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func timeParseRows() map[string]row {
	rows := map[string]row{}
	for _, name := range []string{"to_date", "to_timestamp", "to_timestamp_ltz", "to_timestamp_ntz", "to_unix_timestamp", "unix_timestamp"} {
		rows[name] = row{makeTimeParser}
	}
	for _, name := range []string{"try_to_date", "try_to_timestamp"} {
		rows[name] = row{func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
			try := *c
			try.Mode = expr.Try
			return makeTimeParser(&try, args, env)
		}}
	}
	return rows
}

// makeTimeParser makes to_date, to_timestamp… and unix_timestamp: a cast where no
// pattern is given, else the pattern's parser.
func makeTimeParser(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	unix := strings.HasSuffix(c.Fn, "unix_timestamp")
	if unix && len(args) == 0 {
		return &clock{env, c.Typ, func(env *Env) int64 { return kernels.FloorDiv(env.Now, kernels.Second) }}, nil
	}
	from := c.Args[0].Type()
	if from.Kind == expr.KindString && (unix || len(args) > 1) {
		return newFunction(c, args, env, parseWithPattern(c, unix)), nil
	}
	to := c.Typ
	if unix {
		to = expr.Timestamp
	}
	cast, err := compileCast(&expr.Cast{At: c.At, Child: c.Args[0], To: to, Mode: c.Mode}, env, nil)
	if err != nil {
		return nil, err
	}
	if !unix {
		if len(args) == 1 {
			return cast, nil
		}
		return newFunction(c, []Evaluator{cast, args[1]}, env, func(f *frame) error {
			if f.call.Typ.Width() == 4 {
				return copyInts[int32](f, 0)
			}
			return copyInts[int64](f, 0)
		}), nil
	}
	return newFunction(c, []Evaluator{cast}, env, wholeSeconds), nil
}

// wholeSeconds cuts microseconds off, towards zero.
func wholeSeconds(f *frame) error {
	dst, a := results[int64](f), argument[int64](f, 0)
	for i := range dst {
		dst[i] = a.at(i) / kernels.Second
	}
	return nil
}

func parseWithPattern(c *expr.Call, unix bool) func(f *frame) error {
	cache := patterns{parsing: true}
	var zones arrowtext.Zones
	try := "try_to_timestamp"
	if c.Typ.Kind == expr.KindDate {
		try = "try_to_date"
	}
	return func(f *frame) error {
		texts := f.text(0)
		pat := func(int) []byte { return []byte("yyyy-MM-dd HH:mm:ss") }
		if len(f.args) > 1 {
			pat = f.text(1).at
		}
		var days []int32
		var times []int64
		if c.Typ.Kind == expr.KindDate {
			days = results[int32](f)
		} else {
			times = results[int64](f)
		}
		return f.try(func(i int) error {
			p, perr := cache.of(pat(i))
			if perr != nil {
				if c.Typ.Kind == expr.KindTimestampNTZ && strings.HasSuffix(perr.Condition, "PATTERN_RECOGNITION") {
					perr = base.UserError("INVALID_DATETIME_PATTERN.WITH_SUGGESTION", "22007",
						"Unrecognized datetime pattern: '%s'. You can form a valid datetime pattern with the guide from 'https://spark.apache.org/docs/latest/sql-ref-datetime-pattern.html'.", pat(i))
				}
				return perr.At(c.At)
			}
			text := string(texts.at(i))
			r, why := p.parse(text)
			var zone *kernels.Zone
			if why == "" && r.zone != "" {
				if zone = zones.Zone(r.zone); zone == nil {
					why = "at index 0"
				}
			}
			if why != "" {
				return f.fail(i, base.UserError("CANNOT_PARSE_TIMESTAMP", "22007",
					"Text '%s' could not be parsed%s. Use `%s` to tolerate invalid input string and return NULL instead.", text, sep(why), try))
			}
			switch {
			case days != nil:
				days[i] = int32(kernels.FloorDiv(r.local, kernels.Day))
			case c.Typ.Kind == expr.KindTimestampNTZ:
				times[i] = r.local
			default:
				if zone == nil {
					zone = f.env.zone
				}
				times[i] = zone.UTC(r.local)
				if unix {
					times[i] = kernels.FloorDiv(times[i], kernels.Second)
				}
			}
			return nil
		})
	}
}

func sep(why string) string {
	if strings.HasPrefix(why, "at ") {
		return " " + why
	}
	if strings.HasPrefix(why, "unparsed") {
		return ", " + why
	}
	return ": " + why
}

// parsedTime is what a pattern read.
type parsedTime struct {
	local int64
	// nanos are beyond the microseconds of local.
	nanos int64
	zone  string
}

// fields are the fields of a pattern as they were met; −1: not met.
type fields struct {
	year, yearDay, month, day, hour, hour12, minute, second, pm int64
	nanos                                                       int64
	bc                                                          bool
	zone                                                        string
}

// parse reads the whole text; why says what is wrong with it.
func (p pattern) parse(s string) (parsedTime, string) {
	v := fields{year: -1, yearDay: -1, month: -1, day: -1, hour: -1, hour12: -1, minute: -1, second: -1, pm: -1}
	at, bad := p.match(s, 0, &v)
	if bad >= 0 {
		return parsedTime{}, fmt.Sprintf("at index %d", bad)
	}
	if at < len(s) {
		return parsedTime{}, fmt.Sprintf("unparsed text found at index %d", at)
	}
	return v.resolve()
}

// match reads s from at; bad is where it does not match, or −1.
func (p pattern) match(s string, at int, v *fields) (end, bad int) {
	for k := 0; k < len(p); k++ {
		it := p[k]
		switch {
		case it.letter == '[':
			depth, close := 1, k+1
			for ; close < len(p); close++ {
				if p[close].letter == '[' {
					depth++
				} else if p[close].letter == ']' {
					if depth--; depth == 0 {
						break
					}
				}
			}
			saved := *v
			if e, bad := p[k+1:min(close, len(p))].match(s, at, v); bad < 0 {
				at = e
			} else {
				*v = saved
			}
			k = close
		case it.letter == ']':
		case it.letter == 0:
			if !strings.HasPrefix(s[at:], it.text) {
				return at, at
			}
			at += len(it.text)
		default:
			n := 0
			// Digits that follow at once belong to the fields behind this one.
			reserve := 0
			for _, next := range p[k+1:] {
				if !next.numeric() {
					break
				}
				reserve += max(next.count, 1)
			}
			if n = it.read(s[at:], reserve, v); n < 0 {
				return at, at
			}
			at += n
		}
	}
	return at, -1
}

func (it patternItem) numeric() bool {
	switch it.letter {
	case 'M', 'L':
		return it.count <= 2
	case 'y', 'd', 'D', 'h', 'K', 'k', 'H', 'm', 's', 'S':
		return true
	}
	return false
}

// read takes the field from the beginning of s and returns its length, or −1.
func (it patternItem) read(s string, reserve int, v *fields) int {
	number := func(least, most int) (int64, int) {
		n, x := 0, int64(0)
		for n < len(s) && n < most && s[n] >= '0' && s[n] <= '9' {
			x = x*10 + int64(s[n]-'0')
			n++
		}
		if n < least {
			return 0, -1
		}
		return x, n
	}
	least, most := it.count, it.count
	if it.count == 1 {
		most = 18
		if reserve > 0 {
			most = max(1, digits(s)-reserve)
		}
	}
	var n int
	switch it.letter {
	case 'y':
		switch {
		case it.count == 2:
			if v.year, n = number(2, 2); n > 0 {
				v.year += 2000
			}
			return n
		case reserve > 0:
			most = max(it.count, min(18, digits(s)-reserve))
		default:
			most = 18
		}
		plus := 0
		if strings.HasPrefix(s, "+") {
			plus, s = 1, s[1:]
		}
		v.year, n = number(least, most)
		if n < 0 || plus == 0 && it.count >= 4 && n > it.count {
			return -1
		}
		return n + plus
	case 'M', 'L':
		if it.count >= 3 {
			for i, name := range monthNames {
				if it.count == 3 {
					name = name[:3]
				}
				if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
					v.month = int64(i + 1)
					return len(name)
				}
			}
			return -1
		}
		v.month, n = number(least, most)
	case 'd':
		v.day, n = number(least, most)
	case 'D':
		v.yearDay, n = number(least, max(most, 3))
	case 'H', 'k':
		v.hour, n = number(least, most)
		if it.letter == 'k' && v.hour == 24 {
			v.hour = 0
		}
	case 'h', 'K':
		v.hour12, n = number(least, most)
		if it.letter == 'h' && v.hour12 == 12 {
			v.hour12 = 0
		} else if it.letter == 'h' && v.hour12 == 0 && n > 0 {
			v.hour12 = 99
		}
	case 'm':
		v.minute, n = number(least, most)
	case 's':
		v.second, n = number(least, most)
	case 'S':
		v.nanos, n = number(it.count, it.count)
		for k := it.count; k < 9; k++ {
			v.nanos *= 10
		}
	case 'a':
		if len(s) < 2 {
			return -1
		}
		switch strings.ToUpper(s[:2]) {
		case "AM":
			v.pm = 0
		case "PM":
			v.pm = 1
		default:
			return -1
		}
		return 2
	case 'G':
		for name, bc := range map[string]bool{"AD": false, "BC": true, "Anno Domini": false, "Before Christ": true} {
			if (it.count == 4) == (len(name) > 2) && len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
				v.bc = bc
				return len(name)
			}
		}
		return -1
	default:
		return it.readZone(s, v)
	}
	return n
}

// digits counts the digits at the beginning of s.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func (it patternItem) readZone(s string, v *fields) int {
	if strings.IndexByte("VzOXxZ", it.letter) < 0 {
		return -1
	}
	if it.letter == 'X' && strings.HasPrefix(s, "Z") {
		v.zone = "Z"
		return 1
	}
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || strings.IndexByte("+-:/_", s[n]) >= 0 || it.letter != 'X' && it.letter != 'x' && (s[n]|0x20) >= 'a' && (s[n]|0x20) <= 'z') {
		n++
	}
	if n == 0 {
		return -1
	}
	if c := s[0]; (it.letter == 'X' || it.letter == 'x') && c != '+' && c != '-' {
		return -1
	}
	v.zone = s[:n]
	return n
}

// resolve checks the fields and joins them; what is missing is that of 1970-01-01
// 00:00.
func (v *fields) resolve() (parsedTime, string) {
	or := func(x, def int64) int64 {
		if x < 0 {
			return def
		}
		return x
	}
	y := or(v.year, 1970)
	if v.bc {
		y = 1 - y
	}
	var day int64
	if v.yearDay >= 0 && v.month < 0 {
		limit := int64(365)
		if kernels.LeapYear(y) {
			limit = 366
		}
		if v.yearDay < 1 || v.yearDay > limit {
			return parsedTime{}, fmt.Sprintf("Invalid value for DayOfYear (valid values 1 - 365/366): %d", v.yearDay)
		}
		day = kernels.DayOf(y, 1, 1) + v.yearDay - 1
	} else {
		var err *base.Error
		if day, err = civilDate(y, or(v.month, 1), or(v.day, 1)); err != nil {
			return parsedTime{}, strings.TrimSuffix(err.Msg, ". ")
		}
	}
	hour := or(v.hour, 0)
	if v.hour < 0 && v.hour12 >= 0 {
		hour = v.hour12 + 12*or(v.pm, 0)
		if v.hour12 > 11 {
			return parsedTime{}, fmt.Sprintf("Invalid value for ClockHourOfAmPm (valid values 1 - 12): %d", v.hour12)
		}
	}
	if err := clockFields(hour, or(v.minute, 0), or(v.second, 0)); err != nil {
		return parsedTime{}, strings.TrimSuffix(err.Msg, ". ")
	}
	local, ok := arrowtext.JoinDay(day, hour*kernels.Hour+or(v.minute, 0)*kernels.Minute+or(v.second, 0)*kernels.Second+v.nanos/1000)
	if !ok {
		return parsedTime{}, "long overflow"
	}
	return parsedTime{local, v.nanos % nanosPerMicro, v.zone}, ""
}
