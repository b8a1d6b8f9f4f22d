package resolve

import (
	"strconv"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// unitMicros are the units of fixed length.
var unitMicros = map[string]int64{"hour": 3600e6, "minute": 60e6, "second": 1e6, "millisecond": 1e3, "microsecond": 1}

// parseInterval reads an interval as withWatermark and window take it: "10
// seconds", "1 day 2 hours", "interval 1 week". The error is
// CANNOT_PARSE_INTERVAL.
func parseInterval(text string) (expr.CalendarInterval, error) {
	var iv expr.CalendarInterval
	bad := func() (expr.CalendarInterval, error) {
		return expr.CalendarInterval{}, base.UserError("CANNOT_PARSE_INTERVAL", "22006",
			"Unable to parse '%s'. Please ensure that the value provided is in a valid format for defining an interval. You can reference the documentation for the correct format. If the issue persists, please double check that the input value is not null or empty and try again.", text).
			WithHint("an interval is numbers with units, as in '10 minutes'")
	}
	fields := strings.Fields(strings.ToLower(text))
	if len(fields) > 0 && fields[0] == "interval" {
		fields = fields[1:]
	}
	if len(fields) == 0 {
		return bad()
	}
	sign := int64(1)
	for i := 0; i < len(fields); {
		number := fields[i]
		if number == "-" || number == "+" {
			if number == "-" {
				sign = -1
			}
			i++
			continue
		}
		if i+1 >= len(fields) {
			return bad()
		}
		unit := strings.TrimSuffix(fields[i+1], "s")
		whole, fraction, hasFraction := strings.Cut(number, ".")
		if hasFraction && unit != "second" || len(fraction) > 9 {
			return bad()
		}
		negative := strings.HasPrefix(whole, "-")
		n, err := strconv.ParseInt(strings.TrimPrefix(whole, "+"), 10, 64)
		if err != nil && whole != "" && whole != "-" && whole != "+" {
			return bad()
		}
		us := int64(0)
		if hasFraction {
			digits := (fraction + "000000")[:6]
			if us, err = strconv.ParseInt(digits, 10, 64); err != nil {
				return bad()
			}
			if negative {
				us = -us
			}
		}
		n, us = n*sign, us*sign
		sign = 1
		switch unit {
		case "year":
			iv.Months += int32(n * 12)
		case "month":
			iv.Months += int32(n)
		case "week":
			iv.Days += int32(n * 7)
		case "day":
			iv.Days += int32(n)
		default:
			m, ok := unitMicros[unit]
			if !ok || overflows(n, m, iv.Micros) {
				return bad()
			}
			iv.Micros += n*m + us
		}
		i += 2
	}
	return iv, nil
}
