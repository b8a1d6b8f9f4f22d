package sql

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// unitNames are the units of interval literals, by their singular.
var unitNames = map[string]bool{
	"YEAR": true, "MONTH": true, "WEEK": true, "DAY": true, "HOUR": true, "MINUTE": true, "SECOND": true, "MILLISECOND": true,
	"MICROSECOND": true, "NANOSECOND": true,
}

// intervalFields are the units that are fields of an interval type.
var intervalFields = map[string]expr.IntervalField{
	"YEAR": expr.FieldYear, "MONTH": expr.FieldMonth, "DAY": expr.FieldDay, "HOUR": expr.FieldHour, "MINUTE": expr.FieldMinute, "SECOND": expr.FieldSecond,
}

// isInterval reports whether the word INTERVAL here begins a literal and is not a
// column.
func (p *parser) isInterval() bool {
	n := 1
	if p.isOpAt(n, "-", "+") {
		t := p.ahead(n + 1)
		return (t.isNumber() || t.kind == text) && p.ahead(n+2).kind == word
	}
	t := p.ahead(n)
	return t.isNumber() || t.kind == text
}

// interval reads INTERVAL 1 HOUR 30 MINUTES, INTERVAL '1-2' YEAR TO MONTH and
// INTERVAL '1 day 2 hours'.
func (p *parser) interval() expr.Expr {
	first := p.advance()
	var parts []string
	var units []string
	for len(units) == 0 || p.isIntervalPart() {
		t := p.tok()
		value := p.intervalValue()
		u := p.tok()
		unit := strings.TrimSuffix(u.upper, "S")
		if u.kind != word || !unitNames[unit] {
			if len(units) == 0 && t.kind == text {
				return p.intervalText(p.since(first), value)
			}
			p.unexpected("YEAR", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")
		}
		p.at++
		if t.kind == text && !p.isWord("TO") && !isDecimal(value) {
			err := base.UserError("_LEGACY_ERROR_TEMP_0026", "", "The value of an interval's unit is a number, not '%s'.", value)
			p.fail(err.At(p.since(t)).WithHint("write INTERVAL '1' DAY, INTERVAL '1-2' YEAR TO MONTH or INTERVAL '1 02:03:04' DAY TO SECOND"))
		}
		if len(units) == 0 && p.isWord("TO") && p.ahead(1).kind == word {
			return p.intervalRange(first, t, value, unit)
		}
		parts = append(parts, value+" "+strings.ToLower(unit))
		units = append(units, unit)
	}
	return p.intervalUnits(p.since(first), strings.Join(parts, " "), units)
}

// isIntervalPart reports whether another value and unit follow.
func (p *parser) isIntervalPart() bool {
	n := 0
	if p.isOp("-", "+") {
		n = 1
	}
	t := p.ahead(n)
	if t.kind != integer && t.kind != decimal && t.kind != text {
		return false
	}
	u := p.ahead(n + 1)
	return u.kind == word && unitNames[strings.TrimSuffix(u.upper, "S")]
}

// intervalValue reads [+ | -] number or text, and returns it with its sign.
func (p *parser) intervalValue() string {
	minus := p.isOp("-")
	if minus || p.isOp("+") {
		p.at++
	}
	t := p.tok()
	var s string
	switch {
	case t.kind == integer || t.kind == decimal:
		s = p.text[t.start:t.end]
	case t.kind == text:
		s = strings.TrimSpace(textValue(p.text[t.start:t.end]))
	default:
		p.unexpected("a number")
	}
	p.at++
	switch {
	case minus && strings.HasPrefix(s, "-"):
		return s[1:]
	case minus:
		return "-" + strings.TrimPrefix(s, "+")
	}
	return s
}

// intervalText makes the literal of a text with units.
func (p *parser) intervalText(at base.Pos, s string) expr.Expr {
	var units []string
	for _, f := range strings.Fields(strings.ToUpper(s)) {
		if u := strings.TrimSuffix(f, "S"); unitNames[u] {
			units = append(units, u)
		}
	}
	if len(units) == 0 {
		p.invalidTyped(at, "INTERVAL", s)
	}
	if _, _, _, err := ParseInterval(s); err != nil {
		p.invalidTyped(at, "INTERVAL", s)
	}
	return p.intervalUnits(at, s, units)
}

// intervalUnits makes a year-month or day-time literal of s, whose units are
// given; the two do not mix.
func (p *parser) intervalUnits(at base.Pos, s string, units []string) expr.Expr {
	months, days, micros, err := parseInterval(s)
	if err != nil {
		p.invalidInterval(at, s, err)
	}
	lo, hi := expr.FieldSecond, expr.FieldYear
	yearMonth, dayTime := false, false
	for _, u := range units {
		f, ok := intervalFields[u]
		switch {
		case u == "WEEK":
			f = expr.FieldDay
		case !ok:
			f = expr.FieldSecond
		}
		yearMonth = yearMonth || f <= expr.FieldMonth
		dayTime = dayTime || f > expr.FieldMonth
		lo, hi = min(lo, f), max(hi, f)
	}
	if yearMonth && dayTime {
		e := base.UserError("_LEGACY_ERROR_TEMP_0029", "", "Cannot mix year-month and day-time fields: %s", p.text[at.Start:at.End])
		p.fail(e.At(at).WithHint("add two intervals, or use make_interval"))
	}
	if yearMonth {
		return &expr.Literal{At: at, Value: int64(months), Typ: &expr.Type{Kind: expr.KindYearMonth, From: lo, To: hi}}
	}
	sum, ok := addMicros(int64(days), microsPerDay, micros)
	if !ok {
		p.invalidInterval(at, s, errRange)
	}
	return &expr.Literal{At: at, Value: sum, Typ: &expr.Type{Kind: expr.KindDayTime, From: lo, To: hi}}
}

func (p *parser) invalidInterval(at base.Pos, s string, err error) {
	sub, why := "INTERVAL_PARSING", "the value is no interval"
	switch {
	case errors.Is(err, errFraction):
		sub, why = "INVALID_FRACTION", "only SECOND may have a fraction"
	case errors.Is(err, errRange):
		sub, why = "ARITHMETIC_EXCEPTION", "the value is too large"
	}
	e := base.UserError("INVALID_INTERVAL_FORMAT."+sub, "22006",
		"Error parsing '%s' to interval. Please ensure that the value provided is in a valid format for defining an interval: %s.", s, why)
	p.fail(e.At(at).WithHint("write INTERVAL '1' DAY, INTERVAL '1-2' YEAR TO MONTH or INTERVAL '1 02:03:04' DAY TO SECOND"))
}

// The forms of INTERVAL '…' first TO last, by their last field.
var (
	yearToMonth = regexp.MustCompile(`^([+-]?)(\d{1,10})-(\d{1,10})$`)
	dayTo       = map[expr.IntervalField]*regexp.Regexp{
		expr.FieldHour:   regexp.MustCompile(`^([+-]?)(\d{1,10}) (\d{1,2})$`),
		expr.FieldMinute: regexp.MustCompile(`^([+-]?)(\d{1,10}) (\d{1,2}):(\d{1,2})$`),
		expr.FieldSecond: regexp.MustCompile(`^([+-]?)(\d{1,10}) (\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d{1,9})?$`),
	}
	hourTo = map[expr.IntervalField]*regexp.Regexp{
		expr.FieldMinute: regexp.MustCompile(`^([+-]?)(\d{1,10}):(\d{1,2})$`),
		expr.FieldSecond: regexp.MustCompile(`^([+-]?)(\d{1,10}):(\d{1,2}):(\d{1,2})(\.\d{1,9})?$`),
	}
	minuteTo = map[expr.IntervalField]*regexp.Regexp{
		expr.FieldSecond: regexp.MustCompile(`^([+-]?)(\d{1,10}):(\d{1,2})(\.\d{1,9})?$`),
	}
)

// intervalRange reads the rest of INTERVAL '…' from TO to; t is the value's token.
func (p *parser) intervalRange(first, t token, s, from string) expr.Expr {
	p.mustWord("TO")
	u := p.advance()
	at := p.since(t)
	to, ok := intervalFields[strings.TrimSuffix(u.upper, "S")]
	lo, known := intervalFields[from]
	family := func(f expr.IntervalField) bool { return f <= expr.FieldMonth }
	if !ok || !known || lo >= to || family(lo) != family(to) {
		e := base.UserError("INVALID_INTERVAL_FORMAT.UNSUPPORTED_FROM_TO_EXPRESSION", "22006",
			"Error parsing '%s' to interval. Please ensure that the value provided is in a valid format for defining an interval: (interval '%s' %s to %s) expression is not supported.",
			s, s, strings.ToLower(from), strings.ToLower(u.upper))
		p.fail(e.At(at).WithHint("the larger unit comes first: DAY TO SECOND, YEAR TO MONTH"))
	}
	typ := &expr.Type{Kind: expr.KindDayTime, From: lo, To: to}
	var v int64
	if family(lo) {
		typ.Kind = expr.KindYearMonth
		v, ok = rangeMonths(s)
	} else {
		v, ok = p.rangeMicros(at, s, lo, to)
	}
	if !ok {
		p.invalidInterval(at, s, errors.New("no match"))
	}
	return &expr.Literal{At: p.since(first), Value: v, Typ: typ}
}

func rangeMonths(s string) (int64, bool) {
	m := yearToMonth.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	y, _ := strconv.ParseInt(m[2], 10, 64)
	mo, _ := strconv.ParseInt(m[3], 10, 64)
	v := y*12 + mo
	if m[1] == "-" {
		v = -v
	}
	return v, mo < 12 && v == int64(int32(v))
}

// rangeMicros reads a day-time text; every field but the first has its range.
func (p *parser) rangeMicros(at base.Pos, s string, from, to expr.IntervalField) (int64, bool) {
	re := map[expr.IntervalField]map[expr.IntervalField]*regexp.Regexp{expr.FieldDay: dayTo, expr.FieldHour: hourTo, expr.FieldMinute: minuteTo}[from][to]
	m := re.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	var sum int64
	n := int(to-from) + 1
	for i := 0; i < n; i++ {
		f := from + expr.IntervalField(i)
		v, _ := strconv.ParseInt(m[2+i], 10, 64)
		limit := map[expr.IntervalField]int64{expr.FieldHour: 23, expr.FieldMinute: 59, expr.FieldSecond: 59}[f]
		if i > 0 && v > limit {
			p.failAt(at, "_LEGACY_ERROR_TEMP_0063", "", "requirement failed: %s %d outside range [0, %d].", strings.ToLower(f.String()), v, limit)
		}
		var ok bool
		if sum, ok = addMicros(v, fieldMicros[f], sum); !ok {
			return 0, false
		}
	}
	if len(m) > 2+n && m[2+n] != "" {
		sum += fractionMicros(m[2+n][1:])
	}
	if m[1] == "-" {
		sum = -sum
	}
	return sum, true
}

// isDecimal reports whether s is a number as intervals have them: digits with a sign and
// a point at most.
func isDecimal(s string) bool {
	s = strings.TrimLeft(strings.TrimSpace(s), "+-")
	whole, part, _ := strings.Cut(s, ".")
	if whole+part == "" {
		return false
	}
	return strings.Trim(whole+part, "0123456789") == ""
}
