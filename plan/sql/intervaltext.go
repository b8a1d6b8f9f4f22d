package sql

import (
	"errors"
	"math"
	"math/bits"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

var (
	errRange    = errors.New("out of range")
	errFraction = errors.New("fraction")
	errForm     = errors.New("form")
)

var fieldMicros = map[expr.IntervalField]int64{
	expr.FieldDay: microsPerDay, expr.FieldHour: 3600 * microsPerSecond, expr.FieldMinute: 60 * microsPerSecond, expr.FieldSecond: microsPerSecond,
}

// textUnits say what a unit of an interval's text adds to.
var textUnits = map[string]struct{ months, days, micros int64 }{
	"year": {months: 12}, "month": {months: 1}, "week": {days: 7}, "day": {days: 1}, "hour": {micros: 3600 * microsPerSecond},
	"minute": {micros: 60 * microsPerSecond}, "second": {micros: microsPerSecond}, "millisecond": {micros: 1000}, "microsecond": {micros: 1},
}

// ParseInterval reads the text of an interval as Spark does: "10 seconds",
// "1 hour 30 minutes", "interval -1 year 2 days", "1.5 seconds". Months, days and
// microseconds stay apart, because a month has no fixed length.
func ParseInterval(s string) (months, days int32, micros int64, err error) {
	if months, days, micros, err = parseInterval(s); err == nil {
		return months, days, micros, nil
	}
	e := base.UserError("CANNOT_PARSE_INTERVAL", "22006", "Unable to parse '%s'. Please ensure that the value provided is in a valid format "+
		"for defining an interval. You can reference the documentation for the correct format. If the issue persists, please double check "+
		"that the input value is not null or empty and try again.", s)
	return 0, 0, 0, e.WithHint(`write a number and a unit: "10 seconds", "1 hour 30 minutes"`)
}

func parseInterval(s string) (months, days int32, micros int64, err error) {
	fields := strings.Fields(strings.ToLower(s))
	if len(fields) > 0 && fields[0] == "interval" {
		fields = fields[1:]
	}
	if len(fields) == 0 {
		return 0, 0, 0, errForm
	}
	var m, d int64
	for len(fields) > 0 {
		value := fields[0]
		fields = fields[1:]
		if value == "-" || value == "+" {
			if len(fields) == 0 {
				return 0, 0, 0, errForm
			}
			value += fields[0]
			fields = fields[1:]
		}
		if len(fields) == 0 {
			return 0, 0, 0, errForm
		}
		name := fields[0]
		fields = fields[1:]
		unit, ok := textUnits[strings.TrimSuffix(name, "s")]
		if !ok {
			return 0, 0, 0, errForm
		}
		n, frac, err := intervalNumber(value, unit.micros == microsPerSecond)
		if err != nil {
			return 0, 0, 0, err
		}
		var ok1, ok2, ok3 bool
		m, ok1 = addMicros(n, unit.months, m)
		d, ok2 = addMicros(n, unit.days, d)
		micros, ok3 = addMicros(n, unit.micros, micros)
		if !ok1 || !ok2 || !ok3 || m != int64(int32(m)) || d != int64(int32(d)) {
			return 0, 0, 0, errRange
		}
		if micros, ok = addMicros(frac, 1, micros); !ok {
			return 0, 0, 0, errRange
		}
	}
	return int32(m), int32(d), micros, nil
}

// intervalNumber reads [+-]n[.f]; the fraction, in microseconds with the number's
// sign, only where it may stand.
func intervalNumber(s string, fraction bool) (n, micros int64, err error) {
	negative := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	whole, frac, point := strings.Cut(s, ".")
	if whole == "" && frac == "" || len(frac) > 9 {
		return 0, 0, errForm
	}
	for i := 0; i < len(whole); i++ {
		if !isDigit(whole[i]) {
			return 0, 0, errForm
		}
		digit := int64(whole[i] - '0')
		if n > (math.MaxInt64-digit)/10 {
			return 0, 0, errRange
		}
		n = n*10 + digit
	}
	for i := 0; i < len(frac); i++ {
		if !isDigit(frac[i]) {
			return 0, 0, errForm
		}
	}
	if point {
		if !fraction {
			return 0, 0, errFraction
		}
		micros = fractionMicros(frac)
	}
	if negative {
		n, micros = -n, -micros
	}
	return n, micros, nil
}

// fractionMicros returns the microseconds of the digits behind a point; more than
// six are cut.
func fractionMicros(digits string) int64 {
	var v int64
	unit := int64(100_000)
	for i := 0; i < len(digits) && unit > 0; i++ {
		v += int64(digits[i]-'0') * unit
		unit /= 10
	}
	return v
}

// addMicros returns n*unit + sum, and false if it does not fit.
func addMicros(n, unit, sum int64) (int64, bool) {
	u := uint64(n)
	if n < 0 {
		u = -u
	}
	hi, lo := bits.Mul64(u, uint64(unit))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	product := int64(lo)
	if n < 0 {
		product = -product
	}
	total := sum + product
	return total, (total > sum) == (product > 0)
}

// literalMicros returns the length of a day-time literal.
func literalMicros(e expr.Expr) (int64, bool) {
	l, ok := e.(*expr.Literal)
	if !ok || l.Typ.Kind != expr.KindDayTime {
		return 0, false
	}
	return l.Value.(int64), true
}
