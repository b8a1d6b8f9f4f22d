package expr

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// SQL is the literal as Spark names a column of it: text bare, numbers without
// suffix, dates and intervals with their keyword. Text, where set, goes before.
func (e *Literal) SQL() string {
	switch {
	case e.Text != "":
		return e.Text
	case e.Value == nil:
		return "NULL"
	}
	return valueText(e.Value, e.Typ)
}

func valueText(v any, t *Type) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case string:
		return v
	case []byte:
		return "X'" + strings.ToUpper(hex.EncodeToString(v)) + "'"
	case float32:
		return JavaFloat(float64(v), 32)
	case float64:
		return JavaFloat(v, 64)
	case decimal128.Num:
		return decimalText(v, t.Scale)
	case int64:
		return integerText(v, t)
	case CalendarInterval:
		return "INTERVAL '" + calendarText(v) + "'"
	}
	return fmt.Sprint(v)
}

func integerText(v int64, t *Type) string {
	switch t.Kind {
	case KindDate:
		return "DATE '" + dateText(v) + "'"
	case KindTimestamp:
		return "TIMESTAMP '" + timestampText(v) + "'"
	case KindTimestampNTZ:
		return "TIMESTAMP_NTZ '" + timestampText(v) + "'"
	case KindTime:
		return "TIME '" + timeOfDayText(v) + "'"
	case KindYearMonth, KindDayTime:
		return IntervalText(v, t)
	}
	return strconv.FormatInt(v, 10)
}

// decimalText is a decimal as Java prints it: with an exponent where more than six
// zeros would stand behind the point first.
func decimalText(v decimal128.Num, scale int) string {
	digits := v.BigInt().String()
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	exponent := len(digits) - 1 - scale
	if scale >= 0 && exponent >= -6 {
		return v.ToString(int32(scale))
	}
	if len(digits) > 1 {
		digits = digits[:1] + "." + digits[1:]
	}
	return fmt.Sprintf("%s%sE%+d", sign, digits, exponent)
}

func dateText(days int64) string {
	d := time.Unix(days*86400, 0).UTC()
	if d.Year() > 9999 {
		return "+" + strconv.Itoa(d.Year()) + d.Format("-01-02")
	}
	if d.Year() < 0 {
		return fmt.Sprintf("-%04d%s", -d.Year(), d.Format("-01-02"))
	}
	return d.Format("2006-01-02")
}

func timestampText(us int64) string {
	day := int64(math.Floor(float64(us) / 86_400e6))
	for day*86_400e6 > us {
		day--
	}
	return dateText(day) + " " + clockText(us-day*86_400e6)
}

func clockText(us int64) string {
	text := fmt.Sprintf("%02d:%02d:%02d", us/3600e6, us/60e6%60, us/1e6%60)
	return text + fraction(us%1e6)
}

// timeOfDayText shows nanoseconds of the day.
func timeOfDayText(ns int64) string {
	text := clockText(ns / 1e9 * 1e6)
	if ns %= 1e9; ns > 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%09d", ns), "0")
	}
	return text
}

func fraction(us int64) string {
	if us == 0 {
		return ""
	}
	return "." + strings.TrimRight(fmt.Sprintf("%06d", us), "0")
}

// IntervalText returns a year-month or day-time interval as its SQL literal:
// INTERVAL '1-2' YEAR TO MONTH.
func IntervalText(v int64, t *Type) string {
	sign := ""
	u := uint64(v)
	if v < 0 {
		sign, u = "-", -u
	}
	var body string
	if t.Kind == KindYearMonth {
		switch {
		case t.From == FieldYear && t.To == FieldYear:
			body = strconv.FormatUint(u/12, 10)
		case t.From == FieldMonth:
			body = strconv.FormatUint(u, 10)
		default:
			body = fmt.Sprintf("%d-%d", u/12, u%12)
		}
	} else {
		body = dayTimeText(u, t)
	}
	unit := t.From.String()
	if t.From != t.To {
		unit += " TO " + t.To.String()
	}
	return "INTERVAL '" + sign + body + "' " + unit
}

func dayTimeText(u uint64, t *Type) string {
	const second, minute, hour, day = 1e6, 60e6, 3600e6, 86_400e6
	units := []uint64{day, hour, minute, second}
	var b strings.Builder
	for f := t.From; f <= t.To; f++ {
		unit := units[f-FieldDay]
		n := u / unit
		u %= unit
		// Only the leading number may have one digit; a leading SECOND, and any
		// unit but the day, has two.
		if f == FieldDay {
			fmt.Fprintf(&b, "%d", n)
		} else {
			fmt.Fprintf(&b, "%02d", n)
		}
		if f == FieldSecond {
			b.WriteString(fraction(int64(u)))
		}
		if f < t.To {
			b.WriteByte(" :::"[min(int(f-FieldDay), 3)])
		}
	}
	return b.String()
}

// calendarText is a calendar interval in words: "1 years 2 days 3 hours".
func calendarText(v CalendarInterval) string {
	var parts []string
	add := func(n int64, unit string) {
		if n != 0 {
			parts = append(parts, strconv.FormatInt(n, 10)+" "+unit)
		}
	}
	add(int64(v.Months)/12, "years")
	add(int64(v.Months)%12, "months")
	add(int64(v.Days), "days")
	add(v.Micros/3600e6, "hours")
	add(v.Micros/60e6%60, "minutes")
	if rest := v.Micros % 60e6; rest != 0 {
		sign := ""
		if rest < 0 {
			sign, rest = "-", -rest
		}
		parts = append(parts, sign+strconv.FormatInt(rest/1e6, 10)+fraction(rest%1e6)+" seconds")
	}
	if parts == nil {
		return "0 seconds"
	}
	return strings.Join(parts, " ")
}

// JavaFloat returns a FLOAT (bits 32) or DOUBLE (bits 64) as Java prints it: the
// shortest digits that read back, plain between 0.001 and 10 million.
func JavaFloat(v float64, bits int) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "Infinity"
	case math.IsInf(v, -1):
		return "-Infinity"
	case math.Abs(v) == math.SmallestNonzeroFloat64:
		return strings.Replace("-4.9E-324", "-", signOf(v), 1)
	case bits == 32 && math.Abs(v) == math.SmallestNonzeroFloat32:
		return strings.Replace("-1.4E-45", "-", signOf(v), 1)
	case v == 0:
		if math.Signbit(v) {
			return "-0.0"
		}
		return "0.0"
	}
	if a := math.Abs(v); a >= 1e-3 && a < 1e7 {
		text := strconv.FormatFloat(v, 'f', -1, bits)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	text := strconv.FormatFloat(v, 'e', -1, bits)
	mantissa, exponent, _ := strings.Cut(text, "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	exponent = strings.TrimPrefix(exponent, "+")
	if neg := strings.HasPrefix(exponent, "-"); neg {
		exponent = "-" + strings.TrimLeft(exponent[1:], "0")
	} else {
		exponent = strings.TrimLeft(exponent, "0")
	}
	return mantissa + "E" + exponent
}

func signOf(v float64) string {
	if v < 0 {
		return "-"
	}
	return ""
}
