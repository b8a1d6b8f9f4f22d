package variant

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/flightd/flightd/kernels"
)

// ParseJSON appends the first JSON value of s; what stands behind it is not looked
// at. It is strict JSON: double quotes, no NaN, no comments, no zeros in front. A
// number without exponent is an integer or a decimal if it has at most 38 digits,
// any other a double. A lone surrogate is refused. The error is DuplicateKey or
// ErrJSON.
func (b *Builder) ParseJSON(s []byte) error {
	p := jsonParser{s: s, b: b}
	return p.value(0)
}

type jsonError struct{ at int }

func (e jsonError) Error() string { return "variant: no JSON at byte " + strconv.Itoa(e.at) }

// maxJSONDepth is how deep JSON may be nested, as in Jackson.
const maxJSONDepth = 1000

// maxNumber is how many bytes a number of JSON may have, as in Jackson.
const maxNumber = 1000

type jsonParser struct {
	s  []byte
	at int
	b  *Builder
}

func (p *jsonParser) bad() error { return jsonError{p.at} }

// next returns the first byte behind white space, or 0 at the end.
func (p *jsonParser) next() byte {
	for ; p.at < len(p.s); p.at++ {
		switch c := p.s[p.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (p *jsonParser) value(depth int) error {
	if depth > maxJSONDepth || depth == maxJSONDepth && (p.next() == '{' || p.next() == '[') {
		return p.bad()
	}
	switch c := p.next(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, err := p.text()
		if err != nil {
			return err
		}
		p.b.String(s)
		return nil
	case c == 't' && p.word("true"):
		p.b.Bool(true)
		return nil
	case c == 'f' && p.word("false"):
		p.b.Bool(false)
		return nil
	case c == 'n' && p.word("null"):
		p.b.Null()
		return nil
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	return p.bad()
}

func (p *jsonParser) word(w string) bool {
	if len(p.s)-p.at < len(w) || string(p.s[p.at:p.at+len(w)]) != w {
		return false
	}
	p.at += len(w)
	if p.at == len(p.s) {
		return true
	}
	r, _ := utf8.DecodeRune(p.s[p.at:])
	return !javaLetter(r)
}

// javaLetter reports whether r goes on with a word.
func javaLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '$' || r >= 0xc0 && r != utf8.RuneError
}

func (p *jsonParser) object(depth int) error {
	p.at++
	p.b.Begin()
	if p.next() == '}' {
		p.at++
		return p.b.EndObject()
	}
	for {
		if p.next() != '"' {
			return p.bad()
		}
		name, err := p.text()
		if err != nil {
			return err
		}
		if p.next() != ':' {
			return p.bad()
		}
		p.at++
		p.b.Field(string(name))
		if err := p.value(depth + 1); err != nil {
			return err
		}
		switch p.next() {
		case ',':
			p.at++
		case '}':
			p.at++
			return p.b.EndObject()
		default:
			return p.bad()
		}
	}
}

func (p *jsonParser) array(depth int) error {
	p.at++
	p.b.Begin()
	if p.next() == ']' {
		p.at++
		p.b.EndArray()
		return nil
	}
	for {
		p.b.Elem()
		if err := p.value(depth + 1); err != nil {
			return err
		}
		switch p.next() {
		case ',':
			p.at++
		case ']':
			p.at++
			p.b.EndArray()
			return nil
		default:
			return p.bad()
		}
	}
}

// text reads a string in double quotes.
func (p *jsonParser) text() ([]byte, error) {
	p.at++
	start := p.at
	for ; p.at < len(p.s); p.at++ {
		switch c := p.s[p.at]; {
		case c == '"':
			p.at++
			return p.s[start : p.at-1], nil
		case c < 0x20:
			return nil, p.bad()
		case c == '\\':
			return p.escaped(append([]byte(nil), p.s[start:p.at]...))
		}
	}
	return nil, p.bad()
}

// escaped is text from the first backslash on.
func (p *jsonParser) escaped(out []byte) ([]byte, error) {
	for p.at < len(p.s) {
		c := p.s[p.at]
		p.at++
		switch {
		case c == '"':
			return out, nil
		case c < 0x20 || p.at == len(p.s):
			return nil, p.bad()
		case c != '\\':
			out = append(out, c)
			continue
		}
		c = p.s[p.at]
		p.at++
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := p.unit()
			if ok && utf16.IsSurrogate(r) {
				var low rune
				if ok = p.at+1 < len(p.s) && p.s[p.at] == '\\' && p.s[p.at+1] == 'u'; ok {
					p.at += 2
					low, ok = p.unit()
				}
				r = utf16.DecodeRune(r, low)
				ok = ok && r != utf8.RuneError
			}
			if !ok {
				return nil, p.bad()
			}
			out = utf8.AppendRune(out, r)
		default:
			return nil, p.bad()
		}
	}
	return nil, p.bad()
}

func (p *jsonParser) unit() (rune, bool) {
	var b [2]byte
	if p.at+4 > len(p.s) {
		return 0, false
	}
	_, err := hex.Decode(b[:], p.s[p.at:p.at+4])
	p.at += 4
	return rune(b[0])<<8 | rune(b[1]), err == nil
}

func (p *jsonParser) digits() int {
	start := p.at
	for p.at < len(p.s) && p.s[p.at] >= '0' && p.s[p.at] <= '9' {
		p.at++
	}
	return p.at - start
}

func (p *jsonParser) number() error {
	start := p.at
	if p.s[p.at] == '-' {
		p.at++
	}
	first := p.at
	n := p.digits()
	if n == 0 || n > 1 && p.s[first] == '0' {
		return p.bad()
	}
	scale, exact := 0, true
	if p.at < len(p.s) && p.s[p.at] == '.' {
		p.at++
		if scale = p.digits(); scale == 0 {
			return p.bad()
		}
	}
	if p.at < len(p.s) && p.s[p.at]|0x20 == 'e' {
		exact = false
		if p.at++; p.at < len(p.s) && (p.s[p.at] == '-' || p.s[p.at] == '+') {
			p.at++
		}
		if p.digits() == 0 {
			return p.bad()
		}
	}
	text := p.s[start:p.at]
	if len(text) > maxNumber {
		return p.bad()
	}
	if !p.ends() {
		return p.bad()
	}
	if exact && scale == 0 {
		if v, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			p.b.Long(v)
			return nil
		}
	}
	if x, ok := decimalOf(text); exact && ok && scale <= 38 {
		p.b.Decimal(x, scale)
		return nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil && !math.IsInf(f, 0) {
		return p.bad()
	}
	p.b.Double(f)
	return nil
}

// ends reports whether a number may end here: at the root a letter may not follow.
func (p *jsonParser) ends() bool {
	if p.at == len(p.s) || len(p.b.open) > 0 {
		return true
	}
	switch p.s[p.at] {
	case ' ', '\t', '\n', '\r':
		return true
	}
	return false
}

// decimalOf reads digits with a point somewhere as an unscaled decimal; false if
// there are more than 38 of them, zeros in front not counted.
func decimalOf(s []byte) (x kernels.Int128, ok bool) {
	negative := s[0] == '-'
	ten := kernels.From64(10)
	n := 0
	for _, c := range s {
		if c == '-' || c == '.' {
			continue
		}
		if n > 0 || c != '0' {
			n++
		}
		if n > 38 {
			return x, false
		}
		x = mul(x, ten).Add(kernels.From64(int64(c - '0')))
	}
	if negative {
		x = x.Neg()
	}
	return x, true
}

func mul(x, y kernels.Int128) kernels.Int128 {
	u, negative := kernels.Mul256(x, y)
	out, _ := u.Int128(negative)
	return out
}

// AppendJSON appends v as JSON. Scalar appends what JSON has no form of its own
// for: doubles, floats, decimals, dates and timestamps, quoted where it must be.
func (v Value) AppendJSON(dst []byte, scalar func(dst []byte, v Value) []byte) []byte {
	return v.appendJSON(dst, scalar, 0, &budget{len(v.data)})
}

func (v Value) appendJSON(dst []byte, scalar func(dst []byte, v Value) []byte, depth int, b *budget) []byte {
	b.spend(depth)
	switch v.Kind() {
	case Null:
		return append(dst, "null"...)
	case Bool:
		return strconv.AppendBool(dst, v.Bool())
	case Long:
		return strconv.AppendInt(dst, v.Int(), 10)
	case String:
		return appendQuoted(dst, v.Bytes())
	case Binary:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v.Bytes()), '"')
	case UUID:
		return append(v.AppendUUID(append(dst, '"')), '"')
	case Object:
		dst = append(dst, '{')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			name, f := v.Field(i)
			dst = append(appendQuoted(dst, name), ':')
			dst = f.appendJSON(dst, scalar, depth+1, b)
		}
		return append(dst, '}')
	case Array:
		dst = append(dst, '[')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = v.Elem(i).appendJSON(dst, scalar, depth+1, b)
		}
		return append(dst, ']')
	}
	return scalar(dst, v)
}

// AppendUUID appends the text of a UUID.
func (v Value) AppendUUID(dst []byte) []byte {
	u := v.uuid()
	for i, n := range []int{4, 2, 2, 2, 6} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, u[:n])
		u = u[n:]
	}
	return dst
}

// appendQuoted appends a JSON string; only what must be is escaped.
func appendQuoted(dst, s []byte) []byte {
	const hexDigits = "0123456789ABCDEF"
	dst = append(dst, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= 0x20:
			dst = append(dst, c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c == '\b':
			dst = append(dst, '\\', 'b')
		case c == '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(dst, '"')
}
