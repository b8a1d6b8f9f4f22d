package expr

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonKind is the kind of a JSON value.
type jsonKind uint8

const (
	jsonNull jsonKind = iota
	jsonBool
	jsonNumber
	jsonString
	jsonArray
	jsonObject
)

// jsonValue is a JSON value. Text is a string's content, a number's digits, true
// or false; keys and items are in the order of the text, repeated keys included.
type jsonValue struct {
	kind  jsonKind
	text  string
	keys  []string
	items []jsonValue
}

// maxJSONDepth bounds nesting, so that hostile text cannot exhaust the stack.
const maxJSONDepth = 1000

// parseJSON reads one JSON value and reports whether it is well-formed. As
// Jackson with Spark's settings it takes single quotes, and NaN and Infinity as
// numbers, and does not look behind the value.
func parseJSON(s []byte) (jsonValue, bool) {
	p := jsonParser{s: s}
	v, ok := p.value(0)
	return v, ok
}

type jsonParser struct {
	s  []byte
	at int
	jsonLeave
}

// jsonLeave says what a text may do that strict JSON may not, beyond or short of
// what is usual here. Its zero value is usual.
type jsonLeave struct {
	// zeros: numbers may begin with zeros; bare: names may stand without quotes;
	// comments may stand between tokens; escapes may be of any character; control
	// characters may stand in strings.
	zeros, bare, comments, escapes, controls bool
	// doubleOnly: strings have double quotes; finite: NaN and Infinity are no numbers.
	doubleOnly, finite bool
}

func (p *jsonParser) space() {
	for p.at < len(p.s) {
		switch c := p.s[p.at]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			p.at++
		case c == '/' && p.comments && p.comment():
		default:
			return
		}
	}
}

// comment passes over the comment here, if there is one.
func (p *jsonParser) comment() bool {
	rest := p.s[p.at:]
	for open, end := range map[string]string{"/*": "*/", "//": "\n"} {
		if bytes.HasPrefix(rest, []byte(open)) {
			n := bytes.Index(rest[2:], []byte(end))
			if n < 0 {
				p.at = len(p.s)
			} else {
				p.at += 2 + n + len(end)
			}
			return true
		}
	}
	return false
}

func (p *jsonParser) word(w string) bool {
	if strings.HasPrefix(string(p.s[p.at:min(len(p.s), p.at+len(w))]), w) {
		p.at += len(w)
		return p.at == len(p.s) || !isWord(p.s[p.at])
	}
	return false
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
}

func (p *jsonParser) value(depth int) (jsonValue, bool) {
	p.space()
	if p.at >= len(p.s) || depth > maxJSONDepth {
		return jsonValue{}, false
	}
	switch c := p.s[p.at]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"' || c == '\'' && !p.doubleOnly:
		s, ok := p.str()
		return jsonValue{kind: jsonString, text: s}, ok
	case c == 't':
		return jsonValue{kind: jsonBool, text: "true"}, p.word("true")
	case c == 'f':
		return jsonValue{kind: jsonBool, text: "false"}, p.word("false")
	case c == 'n':
		return jsonValue{kind: jsonNull}, p.word("null")
	case p.finite && (c == 'N' || c == 'I'):
		return jsonValue{}, false
	case c == 'N':
		return jsonValue{kind: jsonNumber, text: "NaN"}, p.word("NaN")
	case c == 'I':
		return jsonValue{kind: jsonNumber, text: "Infinity"}, p.word("Infinity") || p.word("INF")
	}
	return p.number()
}

func (p *jsonParser) number() (jsonValue, bool) {
	start := p.at
	digits := func() int {
		n := p.at
		for p.at < len(p.s) && p.s[p.at] >= '0' && p.s[p.at] <= '9' {
			p.at++
		}
		return p.at - n
	}
	if p.s[p.at] == '-' || p.s[p.at] == '+' {
		if p.at++; !p.finite && (p.word("Infinity") || p.word("INF")) {
			return jsonValue{kind: jsonNumber, text: string(p.s[start:start+1]) + "Infinity"}, true
		}
		if p.s[start] == '+' {
			return jsonValue{}, false
		}
	}
	first := p.at
	n := digits()
	if n == 0 || n > 1 && p.s[first] == '0' && !p.zeros {
		return jsonValue{}, false
	}
	if p.at < len(p.s) && p.s[p.at] == '.' {
		p.at++
		if digits() == 0 {
			return jsonValue{}, false
		}
	}
	if p.at < len(p.s) && p.s[p.at]|0x20 == 'e' {
		if p.at++; p.at < len(p.s) && (p.s[p.at] == '-' || p.s[p.at] == '+') {
			p.at++
		}
		if digits() == 0 {
			return jsonValue{}, false
		}
	}
	if p.at < len(p.s) && isWord(p.s[p.at]) {
		return jsonValue{}, false
	}
	for first+1 < p.at && p.s[first] == '0' && p.s[first+1] >= '0' && p.s[first+1] <= '9' {
		first++ // zeros that may stand there say nothing
	}
	text := string(p.s[first:p.at])
	if p.s[start] == '-' {
		text = "-" + text
	}
	return jsonValue{kind: jsonNumber, text: text}, true
}

func (p *jsonParser) str() (string, bool) {
	quote := p.s[p.at]
	p.at++
	start := p.at
	for i := p.at; i < len(p.s); i++ {
		if c := p.s[i]; c == quote {
			p.at = i + 1
			return string(p.s[start:i]), true
		} else if c == '\\' || c < 0x20 && !p.controls {
			break
		}
	}
	var out []byte
	for p.at < len(p.s) {
		c := p.s[p.at]
		p.at++
		switch {
		case c == quote:
			return string(out), true
		case c < 0x20 && !p.controls:
			return "", false
		case c != '\\':
			out = append(out, c)
			continue
		}
		if p.at >= len(p.s) {
			return "", false
		}
		c = p.s[p.at]
		p.at++
		switch c {
		case '"', '\\', '/', '\'':
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
			r, ok := p.hex4()
			if !ok {
				return "", false
			}
			if utf16.IsSurrogate(r) && p.at+1 < len(p.s) && p.s[p.at] == '\\' && p.s[p.at+1] == 'u' {
				p.at += 2
				low, ok := p.hex4()
				if !ok {
					return "", false
				}
				r = utf16.DecodeRune(r, low)
			}
			out = utf8.AppendRune(out, r)
		default:
			if !p.escapes {
				return "", false
			}
			out = append(out, c)
		}
	}
	return "", false
}

func (p *jsonParser) hex4() (rune, bool) {
	if p.at+4 > len(p.s) {
		return 0, false
	}
	u, err := strconv.ParseUint(string(p.s[p.at:p.at+4]), 16, 32)
	p.at += 4
	return rune(u), err == nil
}

func (p *jsonParser) array(depth int) (jsonValue, bool) {
	v := jsonValue{kind: jsonArray}
	p.at++
	p.space()
	if p.at < len(p.s) && p.s[p.at] == ']' {
		p.at++
		return v, true
	}
	for {
		item, ok := p.value(depth + 1)
		if !ok {
			return v, false
		}
		v.items = append(v.items, item)
		p.space()
		if p.at >= len(p.s) {
			return v, false
		}
		p.at++
		switch p.s[p.at-1] {
		case ',':
		case ']':
			return v, true
		default:
			return v, false
		}
	}
}

func (p *jsonParser) object(depth int) (jsonValue, bool) {
	v := jsonValue{kind: jsonObject}
	p.at++
	p.space()
	if p.at < len(p.s) && p.s[p.at] == '}' {
		p.at++
		return v, true
	}
	for {
		p.space()
		key, ok := p.name()
		if !ok {
			return v, false
		}
		p.space()
		if p.at >= len(p.s) || p.s[p.at] != ':' {
			return v, false
		}
		p.at++
		item, ok := p.value(depth + 1)
		if !ok {
			return v, false
		}
		v.keys, v.items = append(v.keys, key), append(v.items, item)
		p.space()
		if p.at >= len(p.s) {
			return v, false
		}
		p.at++
		switch p.s[p.at-1] {
		case ',':
		case '}':
			return v, true
		default:
			return v, false
		}
	}
}

// name reads the name of a member.
func (p *jsonParser) name() (string, bool) {
	if p.at < len(p.s) && (p.s[p.at] == '"' || p.s[p.at] == '\'' && !p.doubleOnly) {
		return p.str()
	}
	start := p.at
	for p.bare && p.at < len(p.s) && isWord(p.s[p.at]) {
		p.at++
	}
	return string(p.s[start:p.at]), p.at > start
}

// appendJSON appends v as compact JSON; numbers with a fraction or an exponent are
// written as doubles.
func (v *jsonValue) appendJSON(dst []byte) []byte {
	switch v.kind {
	case jsonNull:
		return append(dst, "null"...)
	case jsonBool:
		return append(dst, v.text...)
	case jsonNumber:
		return appendNumber(dst, v.text)
	case jsonString:
		return appendQuoted(dst, v.text)
	case jsonArray:
		dst = append(dst, '[')
		for i := range v.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = v.items[i].appendJSON(dst)
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	for i := range v.items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, v.keys[i]), ':')
		dst = v.items[i].appendJSON(dst)
	}
	return append(dst, '}')
}

// appendQuoted appends a JSON string; only what must be is escaped.
func appendQuoted(dst []byte, s string) []byte {
	const hexDigits = "0123456789ABCDEF"
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
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
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
