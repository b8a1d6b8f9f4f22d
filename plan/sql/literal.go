package sql

import (
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

func itoa(i int) string { return strconv.Itoa(i) }

func fold(s string) string { return strings.ToLower(s) }

// textLiteral reads one or more adjacent text tokens as one text.
func (p *parser) textLiteral() string {
	s := p.mustText("a text literal")
	if p.tok().kind != text {
		return s
	}
	var b strings.Builder
	b.WriteString(s)
	for p.tok().kind == text && !p.isQuotedName(p.tok()) {
		b.WriteString(p.mustText("a text literal"))
	}
	return b.String()
}

// number makes the literal of number token t, which sign may stand before; first
// is the sign's token.
func (p *parser) number(first, t token, sign string) expr.Expr {
	s := p.text[t.start:t.end]
	at := p.since(first)
	if t.kind != integer && t.kind != decimal && t.kind != exponent {
		s = s[:len(s)-1]
		if t.kind == bigdecimal {
			s = s[:len(s)-1]
		}
	}
	s = sign + s
	switch t.kind {
	case integer:
		if v, err := strconv.ParseInt(s, 10, 64); err == nil {
			if v == int64(int32(v)) {
				return &expr.Literal{At: at, Value: v, Typ: expr.Int32}
			}
			return &expr.Literal{At: at, Value: v, Typ: expr.Int64}
		}
		return p.decimal(at, s)
	case tinyint:
		return p.integer(at, s, expr.Int8, 8, "tinyint")
	case smallint:
		return p.integer(at, s, expr.Int16, 16, "smallint")
	case bigint:
		return p.integer(at, s, expr.Int64, 64, "bigint")
	case float:
		v, _ := strconv.ParseFloat(s, 64)
		if math.Abs(v) > math.MaxFloat32 {
			p.numberRange(at, s, "float", "-3.4028234663852886E+38", "3.4028234663852886E+38")
		}
		f, _ := strconv.ParseFloat(s, 32)
		return &expr.Literal{At: at, Value: float32(f), Typ: expr.Float32}
	case exponent, double:
		v, _ := strconv.ParseFloat(s, 64)
		if math.IsInf(v, 0) {
			p.numberRange(at, s, "double", "-1.7976931348623157E+308", "1.7976931348623157E+308")
		}
		return &expr.Literal{At: at, Value: v, Typ: expr.Float64}
	}
	return p.decimal(at, s)
}

func (p *parser) integer(at base.Pos, s string, t *expr.Type, bits int, name string) expr.Expr {
	v, err := strconv.ParseInt(s, 10, bits)
	if err != nil {
		low := int64(-1) << (bits - 1)
		p.numberRange(at, s, name, strconv.FormatInt(low, 10), strconv.FormatInt(-(low+1), 10))
	}
	return &expr.Literal{At: at, Value: v, Typ: t}
}

func (p *parser) numberRange(at base.Pos, s, typ, low, high string) {
	err := base.UserError("INVALID_NUMERIC_LITERAL_RANGE", "22003",
		"Numeric literal %s is outside the valid range for %s with minimum value of %s and maximum value of %s. Please adjust the value accordingly.",
		s, typ, low, high)
	p.fail(err.At(at).WithHint("leave the suffix out, or write BD for a DECIMAL"))
}

// decimal makes a DECIMAL literal of as many digits as are written.
func (p *parser) decimal(at base.Pos, s string) expr.Expr {
	mantissa, exp := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa = s[:i]
		n, err := strconv.Atoi(s[i+1:])
		if err != nil || n > 1000 || n < -1000 {
			p.decimalPrecision(at, 1000)
		}
		exp = n
	}
	digits := strings.Replace(mantissa, ".", "", 1)
	scale := -exp
	if i := strings.IndexByte(mantissa, '.'); i >= 0 {
		scale += len(mantissa) - i - 1
	}
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	digits = strings.TrimLeft(digits, "0")
	if scale < 0 {
		if digits != "" {
			digits += strings.Repeat("0", -scale)
		}
		scale = 0
	}
	precision := max(len(digits), scale, 1)
	if precision > expr.MaxPrecision {
		p.decimalPrecision(at, precision)
	}
	v, _ := new(big.Int).SetString(sign+"0"+digits, 10)
	return &expr.Literal{At: at, Value: decimal128.FromBigInt(v), Typ: expr.Decimal(precision, scale)}
}

func (p *parser) decimalPrecision(at base.Pos, n int) {
	p.failAt(at, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003", "Decimal precision %d exceeds max precision %d.", n, expr.MaxPrecision)
}

// typedLiteral reads a word and a text: DATE'2020-01-01', X'00ff'.
func (p *parser) typedLiteral() expr.Expr {
	t := p.advance()
	s := p.mustText("a text literal")
	at := p.since(t)
	lit := func(v any, typ *expr.Type) expr.Expr { return &expr.Literal{At: at, Value: v, Typ: typ} }
	switch t.upper {
	case "DATE":
		if e := p.specialTime(at, s, expr.Date); e != nil {
			return e
		}
		if v, ok := parseDate(s); ok {
			return lit(v, expr.Date)
		}
	case "TIMESTAMP", "TIMESTAMP_LTZ", "TIMESTAMP_NTZ":
		typ := expr.Timestamp
		if t.upper == "TIMESTAMP_NTZ" || t.upper == "TIMESTAMP" && p.NTZ && !hasZone(s) {
			typ = expr.TimestampNTZ
		}
		if e := p.specialTime(at, s, typ); e != nil {
			return e
		}
		if v, ok := parseTimestamp(s, p.Zone, typ == expr.TimestampNTZ); ok {
			l := &expr.Literal{At: at, Value: v, Typ: typ}
			if typ == expr.Timestamp && p.Zone != nil {
				l.Text = "TIMESTAMP '" + localText(v, p.Zone) + "'"
			}
			return l
		}
	case "TIME":
		if v, digits, ok := parseClock(s); ok {
			if digits > expr.MaxTimePrecision {
				p.failAt(at, "INVALID_TIME_LITERAL_PRECISION", "22023",
					"The time literal '%s' has %d digits of a fraction of a second, and a TIME has at most %d.", s, digits, expr.MaxTimePrecision)
			}
			return lit(v, expr.Time(max(digits, expr.DefaultTimePrecision)))
		}
	case "INTERVAL":
		return p.intervalText(at, s)
	case "X":
		odd := s
		if len(s)%2 == 1 {
			odd = "0" + s
		}
		if v, err := hex.DecodeString(odd); err == nil {
			return lit(v, expr.Binary)
		}
	default:
		err := base.UserError("UNSUPPORTED_TYPED_LITERAL", "0A000",
			`Literals of the type "%s" are not supported. Supported types are "DATE", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP", "TIME", "INTERVAL", "X".`, t.upper)
		p.fail(err.At(at).WithHint("write CAST('…' AS %s)", t.upper))
	}
	p.invalidTyped(at, t.upper, s)
	return nil
}

func (p *parser) invalidTyped(at base.Pos, typ, s string) {
	err := base.UserError("INVALID_TYPED_LITERAL", "42604", `The value of the typed literal "%s" is invalid: '%s'.`, typ, s).At(at)
	err.Hint = map[string]string{
		"DATE": "write DATE'2024-02-29'", "TIMESTAMP": "write TIMESTAMP'2024-02-29 12:34:56'", "TIMESTAMP_NTZ": "write TIMESTAMP_NTZ'2024-02-29 12:34:56'",
		"TIMESTAMP_LTZ": "write TIMESTAMP_LTZ'2024-02-29 12:34:56'", "TIME": "write TIME'12:34:56'", "X": "X'…' takes the digits 0-9 and a-f", "INTERVAL": "write INTERVAL '1 day 2 hours'",
	}[typ]
	p.fail(err)
}

// specialTime makes the calls that 'now', 'today', 'yesterday' and 'tomorrow'
// stand for: they are those of the epoch that runs, not of the parser. It
// returns nil for other texts.
func (p *parser) specialTime(at base.Pos, s string, typ *expr.Type) expr.Expr {
	call := func(name string, args ...expr.Expr) expr.Expr {
		return &expr.Apply{At: at, Name: []string{name}, Args: args}
	}
	day := func(n int64) expr.Expr {
		e := call("current_date")
		if n != 0 {
			e = call("date_add", e, &expr.Literal{At: at, Value: n, Typ: expr.Int32})
		}
		if typ != expr.Date {
			e = &expr.Cast{At: at, Child: e, To: typ}
		}
		return e
	}
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "epoch":
		return &expr.Literal{At: at, Value: int64(0), Typ: typ}
	case "now":
		switch typ {
		case expr.Date:
			return day(0)
		case expr.TimestampNTZ:
			return call("localtimestamp")
		}
		return call("current_timestamp")
	case "today":
		return day(0)
	case "yesterday":
		return day(-1)
	case "tomorrow":
		return day(1)
	}
	return nil
}
