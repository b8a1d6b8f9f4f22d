package expr

import (
	"bytes"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func formatRows() map[string]row {
	return map[string]row{
		"format_number": strict(formatNumber),
		"format_string": lenient(formatString),
	}
}

// exact returns a numeric value as an unscaled integer and its scale, by its
// shortest text if it is a floating-point number.
func exact(v *vec.Vec, i int) (b *big.Int, scale int, special string) {
	i = v.Index(i)
	switch v.Type.Kind {
	case expr.KindDecimal:
		return vec.Values[kernels.Int128](v)[i].Big(), v.Type.Scale, ""
	case expr.KindFloat32, expr.KindFloat64:
		text := appendText(nil, v, i, nil)
		n, ok := arrowtext.ScanDecimal(text)
		if !ok {
			return nil, 0, string(text)
		}
		b, scale = n.BigDecimal()
		return b, scale, ""
	}
	x, _ := Value(v, i).(int64)
	return big.NewInt(x), 0, ""
}

// formatNumber is format_number(x, digits or pattern): thousands separated, rounded
// half even.
func formatNumber(f *frame) error {
	v := f.args[0]
	digits := func(i int) (places int, grouped bool, lead int) { return 0, true, 1 }
	least := func(int) int { return 0 }
	if f.args[1].Type.Kind == expr.KindString {
		pats := f.text(1)
		digits = func(i int) (int, bool, int) {
			p := pats.at(i)
			whole, frac, _ := bytes.Cut(p, []byte{'.'})
			return len(frac), bytes.IndexByte(whole, ',') >= 0 || len(p) == 0, bytes.Count(whole, []byte{'0'})
		}
		least = func(i int) int {
			_, frac, _ := bytes.Cut(pats.at(i), []byte{'.'})
			return bytes.Count(frac, []byte{'0'})
		}
	} else {
		n := ints(f, 1, nil)
		digits = func(i int) (int, bool, int) { return int(n[i]), true, 1 }
		least = func(i int) int { return int(n[i]) }
	}
	return f.write(func(i int, dst []byte) ([]byte, error) {
		places, grouped, lead := digits(i)
		if places < 0 {
			f.setNull(i)
			return dst, nil
		}
		places = min(places, 340) // as many as java.text.DecimalFormat shows
		b, scale, special := exact(v, i)
		if special != "" {
			return append(dst, strings.ReplaceAll(special, "Infinity", "∞")...), nil
		}
		if scale > places {
			b = new(big.Int).Quo(roundBig(b, scale-places, halfEven), pow10Big(scale-places))
		} else {
			b = new(big.Int).Mul(b, pow10Big(places-scale))
		}
		neg := b.Sign() < 0 || b.Sign() == 0 && negativeZero(v, i)
		s := new(big.Int).Abs(b).String()
		for len(s) <= places {
			s = "0" + s
		}
		whole, frac := s[:len(s)-places], s[len(s)-places:]
		for len(frac) > min(least(i), places) && frac[len(frac)-1] == '0' {
			frac = frac[:len(frac)-1]
		}
		if lead == 0 && whole == "0" && frac != "" {
			whole = ""
		}
		for len(whole) < lead {
			whole = "0" + whole
		}
		if neg {
			dst = append(dst, '-')
		}
		for k := range len(whole) {
			if grouped && k > 0 && (len(whole)-k)%3 == 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, whole[k])
		}
		if frac != "" {
			dst = append(append(dst, '.'), frac...)
		}
		return dst, nil
	})
}

// negativeZero reports whether a number that rounds to zero was negative.
func negativeZero(v *vec.Vec, i int) bool {
	return v.Type.Kind >= expr.KindFloat32 && v.Type.Kind <= expr.KindFloat64 && appendText(nil, v, i, nil)[0] == '-'
}

// formatString is java.util.Formatter for the conversions that SQL values have.
func formatString(f *frame) error {
	return f.write(func(i int, dst []byte) ([]byte, error) {
		if f.absent(0, i) {
			f.setNull(i)
			return dst, nil
		}
		s := string(f.args[0].Str(i))
		next, last := 1, 0
		for k := 0; k < len(s); k++ {
			if s[k] != '%' {
				dst = append(dst, s[k])
				continue
			}
			spec, n, ok := parseSpec(s[k+1:])
			if !ok {
				return dst, javaError(f, "UnknownFormatConversionException", "Conversion = '%'")
			}
			k += n
			switch spec.verb {
			case 'n':
				dst = append(dst, '\n')
				continue
			case '%':
				dst = spec.pad(dst, "%")
				continue
			}
			if spec.zeroth {
				return dst, badParameter("ZERO_INDEX", "strfmt", "format_string", "the first argument is %%1$, there is no %%0$").At(f.call.At)
			}
			arg := spec.index
			switch {
			case spec.previous:
				arg = last
			case arg == 0:
				arg = next
				next++
			}
			if arg <= 0 || arg >= len(f.args) {
				return dst, javaError(f, "MissingFormatArgumentException", "Format specifier '%"+s[k-n+1:k+1]+"'")
			}
			last = arg
			text, bad := spec.format(f, f.args[arg], i)
			if bad != "" {
				return dst, javaError(f, "IllegalFormatConversionException", bad)
			}
			dst = spec.pad(dst, text)
		}
		return dst, nil
	})
}

func javaError(f *frame, class, msg string) error { return javaMessage(class, msg).At(f.call.At) }

func javaMessage(class, msg string) *base.Error {
	e := plainOverflow("")
	e.Msg = class + ": " + msg
	return e
}

// formatSpec is a conversion: %[index$][flags][width][.precision]verb.
type formatSpec struct {
	index, width, precision int
	flags                   string
	verb                    byte
	upper, previous         bool
	// zeroth: the index is given, and 0.
	zeroth bool
}

func parseSpec(s string) (p formatSpec, n int, ok bool) {
	p.precision = -1
	number := func() int {
		v := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' && v < 1<<20 {
			v = v*10 + int(s[n]-'0')
			n++
		}
		return v
	}
	start := n
	if v := number(); n > start && n < len(s) && s[n] == '$' {
		p.index, p.zeroth = v, v == 0
		n++
	} else {
		n = start
		if n < len(s) && s[n] == '<' {
			p.previous = true
			n++
		}
	}
	for n < len(s) && strings.IndexByte("-#+ 0,(", s[n]) >= 0 {
		p.flags += s[n : n+1]
		n++
	}
	p.width = number()
	if n < len(s) && s[n] == '.' {
		n++
		p.precision = number()
	}
	if n >= len(s) {
		return p, n, false
	}
	p.verb = s[n]
	n++
	if strings.IndexByte("SXEGBHC", p.verb) >= 0 {
		p.verb |= 0x20
		p.upper = true
	}
	return p, n, strings.IndexByte("sdfegxobhcn%", p.verb) >= 0
}

func (p formatSpec) has(flag byte) bool { return strings.IndexByte(p.flags, flag) >= 0 }

func (p formatSpec) pad(dst []byte, text string) []byte {
	if p.upper {
		text = strings.ToUpper(text)
	}
	n := p.width - len([]rune(text))
	switch {
	case n <= 0:
		return append(dst, text...)
	case p.has('-'):
		return append(append(dst, text...), strings.Repeat(" ", n)...)
	case p.has('0') && strings.IndexByte("dfexog", p.verb) >= 0:
		sign := 0
		if text != "" && (text[0] == '-' || text[0] == '+' || text[0] == ' ') {
			sign = 1
		}
		return append(append(append(dst, text[:sign]...), strings.Repeat("0", n)...), text[sign:]...)
	}
	return append(append(dst, strings.Repeat(" ", n)...), text...)
}

// format returns the value in the conversion's form; bad says why it cannot be.
func (p formatSpec) format(f *frame, v *vec.Vec, i int) (text, bad string) {
	if v.Null(i) {
		if p.verb == 'b' {
			return "false", ""
		}
		return p.cut("null"), ""
	}
	kind := v.Type.Kind
	switch p.verb {
	case 's':
		return p.cut(string(f.appendBare(nil, v, i))), ""
	case 'b':
		if kind == expr.KindBool {
			return p.cut(strconv.FormatBool(v.Bool(i))), ""
		}
		return p.cut("true"), ""
	case 'd', 'x', 'o', 'c':
		if !v.Type.IsInteger() {
			return "", fmt.Sprintf("%c != %s", p.verb, javaClass(v.Type))
		}
		x, _ := Value(v, i).(int64)
		switch p.verb {
		case 'c':
			return string(rune(x)), ""
		case 'x', 'o':
			u := uint64(x)
			if w := v.Type.Width(); w < 8 {
				u &= 1<<(8*w) - 1
			}
			base := 16
			if p.verb == 'o' {
				base = 8
			}
			text = strconv.FormatUint(u, base)
			if p.has('#') && p.verb == 'x' {
				text = "0x" + text
			}
			return text, ""
		}
		return p.signed(strconv.FormatInt(x, 10)), ""
	case 'f', 'e', 'g':
		if kind != expr.KindFloat32 && kind != expr.KindFloat64 {
			return "", fmt.Sprintf("%c != %s", p.verb, javaClass(v.Type))
		}
		return p.real(v, i), ""
	case 'h':
		return strconv.FormatUint(uint64(kernels.Murmur3Bytes(appendText(nil, v, i, nil), 42)), 16), ""
	}
	return "", "Conversion = '" + string(p.verb) + "'"
}

func (p formatSpec) cut(s string) string {
	if r := []rune(s); p.precision >= 0 && len(r) > p.precision {
		return string(r[:p.precision])
	}
	return s
}

// signed adds the sign flags and thousands separators to a number's text.
func (p formatSpec) signed(s string) string {
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	if p.has(',') {
		whole, frac, dot := strings.Cut(s, ".")
		var b strings.Builder
		for k := range len(whole) {
			if k > 0 && (len(whole)-k)%3 == 0 {
				b.WriteByte(',')
			}
			b.WriteByte(whole[k])
		}
		if s = b.String(); dot {
			s += "." + frac
		}
	}
	switch {
	case neg && p.has('('):
		return "(" + s + ")"
	case neg:
		return "-" + s
	case p.has('+'):
		return "+" + s
	case p.has(' '):
		return " " + s
	}
	return s
}

// real formats a number with a fraction, rounded half up on its decimal text.
func (p formatSpec) real(v *vec.Vec, i int) string {
	b, scale, special := exact(v, i)
	if special != "" {
		return p.signed(special)
	}
	places := p.precision
	if places < 0 {
		places = 6
	}
	if p.verb == 'g' {
		return p.general(v, i, max(places, 1))
	}
	if p.verb == 'e' {
		digits := new(big.Int).Abs(b).String()
		exp := len(digits) - 1 - scale
		if b.Sign() == 0 {
			exp, digits = 0, "0"
		}
		for len(digits) <= places {
			digits += "0"
		}
		m, _ := new(big.Int).SetString(digits, 10)
		if drop := len(digits) - 1 - places; drop > 0 {
			m = new(big.Int).Quo(roundBig(m, drop, halfUp), pow10Big(drop))
		}
		text := m.String()
		if b.Sign() == 0 {
			text = digits
		}
		if len(text) > places+1 {
			text = text[:places+1]
			exp++
		}
		if places > 0 {
			text = text[:1] + "." + text[1:]
		}
		if b.Sign() < 0 {
			text = "-" + text
		}
		return p.signed(text) + fmt.Sprintf("e%+03d", exp)
	}
	if scale > places {
		b = new(big.Int).Quo(roundBig(b, scale-places, halfUp), pow10Big(scale-places))
	} else {
		b = new(big.Int).Mul(b, pow10Big(places-scale))
	}
	text := arrowtext.BigDecimal(b, places)
	if b.Sign() == 0 && negativeZero(v, i) {
		text = "-" + text
	}
	return p.signed(text)
}

// general is the conversion g: plain from 0.0001 up to ten to the digits, else
// with an exponent, of so many digits either way.
func (p formatSpec) general(v *vec.Vec, i, digits int) string {
	p.verb, p.precision = 'e', digits-1
	text := p.real(v, i)
	at := strings.IndexByte(text, 'e')
	exp, err := strconv.Atoi(strings.TrimSuffix(text[at+1:], ")"))
	if err != nil || exp < -4 || exp >= digits {
		return text
	}
	p.verb, p.precision = 'f', digits-1-exp
	return p.real(v, i)
}

// appendBare appends a value as Java shows what Spark holds: dates, times and
// intervals are numbers, members stand without spaces.
func (f *frame) appendBare(dst []byte, v *vec.Vec, i int) []byte {
	if v.Null(i) {
		return append(dst, "null"...)
	}
	list := func(dst []byte, v *vec.Vec, lo, hi int32) []byte {
		dst = append(dst, '[')
		for k := lo; k < hi; k++ {
			if k > lo {
				dst = append(dst, ',')
			}
			dst = f.appendBare(dst, v, int(k))
		}
		return append(dst, ']')
	}
	switch r := v.Index(i); v.Type.Kind {
	case expr.KindDate, expr.KindTimestamp, expr.KindTimestampNTZ, expr.KindTime, expr.KindYearMonth, expr.KindDayTime:
		return fmt.Append(dst, Value(v, i))
	case expr.KindArray:
		return list(dst, v.Kids[0], v.Off[r], v.Off[r+1])
	case expr.KindMap:
		dst = list(append(dst, "keys: "...), v.Kids[0], v.Off[r], v.Off[r+1])
		return list(append(dst, ", values: "...), v.Kids[1], v.Off[r], v.Off[r+1])
	case expr.KindStruct:
		dst = append(dst, '[')
		for k, kid := range v.Kids {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = f.appendBare(dst, kid, r)
		}
		return append(dst, ']')
	}
	return appendText(dst, v, i, f.env.zone)
}

func javaClass(t *expr.Type) string {
	switch t.Kind {
	case expr.KindString:
		return "org.apache.spark.unsafe.types.UTF8String"
	case expr.KindBool:
		return "java.lang.Boolean"
	case expr.KindFloat64:
		return "java.lang.Double"
	case expr.KindFloat32:
		return "java.lang.Float"
	case expr.KindInt64:
		return "java.lang.Long"
	case expr.KindDecimal:
		return "org.apache.spark.sql.types.Decimal"
	}
	return "java.lang.Integer"
}
