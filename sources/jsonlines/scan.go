package jsonlines

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is the most that values may be nested.
const maxDepth = 500

// scanner walks one line. Its methods return false where the text is not JSON;
// why then says what is wrong.
type scanner struct {
	b       []byte
	pad     []byte // b and LinePad bytes behind it
	i       int
	why     string
	scratch []byte // unescaped text
	single  bool
	words   bool
}

func (s *scanner) fail(why string) bool {
	s.why = why
	return false
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plain returns the index of the first byte from i on that is quote, a backslash
// or a control character; len(b) if there is none.
func plain(b []byte, i int, quote byte) int {
	q := ones * uint64(quote)
	const back = ones * '\\'
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		x, y := w^q, w^back
		// A set high bit marks a byte that is zero in x or y, or below 32 in w. The
		// lowest mark is exact; only those above it may be false.
		m := ((x - ones) &^ x) | ((y - ones) &^ y) | ((w - ones*0x20) &^ w)
		if m &= highs; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
		i += 8
	}
	for i < len(b) && b[i] != quote && b[i] != '\\' && b[i] >= 0x20 {
		i++
	}
	return i
}

// isQuote reports whether c opens a text.
func (s *scanner) isQuote(c byte) bool { return c == '"' || c == '\'' && s.single }

// text reads the text that begins at a quote. The bytes are valid until the next
// call of text.
func (s *scanner) text() ([]byte, bool) {
	quote := s.b[s.i]
	start := s.i + 1
	end := plain(s.b, start, quote)
	if end < len(s.b) && s.b[end] == quote {
		s.i = end + 1
		return s.b[start:end], true
	}
	out := s.scratch[:0]
	for {
		out = append(out, s.b[start:end]...)
		if end >= len(s.b) {
			s.i = end
			return nil, s.fail("a text has no end")
		}
		switch s.b[end] {
		case quote:
			s.i, s.scratch = end+1, out
			return out, true
		case '\\':
			var ok bool
			if out, start, ok = s.escape(out, end+1); !ok {
				return nil, false
			}
		default:
			return nil, s.fail("a control character in a text")
		}
		end = plain(s.b, start, quote)
	}
}

func (s *scanner) escape(out []byte, i int) ([]byte, int, bool) {
	if i >= len(s.b) {
		return nil, 0, s.fail("a text has no end")
	}
	switch c := s.b[i]; c {
	case '"', '\\', '/':
		return append(out, c), i + 1, true
	case '\'':
		if s.single {
			return append(out, c), i + 1, true
		}
	case 'b':
		return append(out, '\b'), i + 1, true
	case 'f':
		return append(out, '\f'), i + 1, true
	case 'n':
		return append(out, '\n'), i + 1, true
	case 'r':
		return append(out, '\r'), i + 1, true
	case 't':
		return append(out, '\t'), i + 1, true
	case 'u':
		r, ok := hex4(s.b, i+1)
		if !ok {
			return nil, 0, s.fail(`\u without four hexadecimal digits`)
		}
		i += 5
		if utf16.IsSurrogate(r) {
			pair := rune(utf8.RuneError)
			if i+1 < len(s.b) && s.b[i] == '\\' && s.b[i+1] == 'u' {
				if low, ok := hex4(s.b, i+2); ok {
					pair = utf16.DecodeRune(r, low)
				}
			}
			if pair != utf8.RuneError {
				i += 6
			}
			r = pair
		}
		return utf8.AppendRune(out, r), i, true
	}
	return nil, 0, s.fail("an unknown escape in a text")
}

func hex4(b []byte, i int) (rune, bool) {
	if i+4 > len(b) {
		return 0, false
	}
	var r rune
	for _, c := range b[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// number reads a number; whole tells that it has neither fraction nor exponent.
// The words NaN and Infinity are numbers that are not whole.
func (s *scanner) number() (tok []byte, whole, ok bool) {
	start := s.i
	i := start
	if s.b[i] == '-' || s.b[i] == '+' {
		i++
	}
	if i < len(s.b) && (s.b[i] == 'I' || s.b[i] == 'N') {
		for i < len(s.b) && s.b[i]|0x20 >= 'a' && s.b[i]|0x20 <= 'z' {
			i++
		}
		if !s.words || !isWord(s.b[start:i]) {
			return nil, false, s.fail("an unknown word")
		}
		s.i = i
		return s.b[start:i], false, true
	}
	if s.b[start] == '+' {
		return nil, false, s.fail("a number that begins with +")
	}
	first := i
	i = digits(s.b, i)
	if i == first || s.b[first] == '0' && i > first+1 {
		return nil, false, s.fail("a number without digits or with leading zeros")
	}
	whole = true
	if i < len(s.b) && s.b[i] == '.' {
		at := i + 1
		if i = digits(s.b, at); i == at {
			return nil, false, s.fail("a number without digits after the point")
		}
		whole = false
	}
	if i < len(s.b) && s.b[i]|0x20 == 'e' {
		at := i + 1
		if at < len(s.b) && (s.b[at] == '+' || s.b[at] == '-') {
			at++
		}
		if i = digits(s.b, at); i == at {
			return nil, false, s.fail("a number without digits in the exponent")
		}
		whole = false
	}
	s.i = i
	return s.b[start:i], whole, true
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

func isWord(b []byte) bool {
	switch string(b) {
	case "NaN", "Infinity", "+Infinity", "-Infinity", "INF", "+INF", "-INF":
		return true
	}
	return false
}

// word reads exactly w.
func (s *scanner) word(w string) bool {
	end := s.i + len(w)
	if end > len(s.b) || string(s.b[s.i:end]) != w || end < len(s.b) && s.b[end]|0x20 >= 'a' && s.b[end]|0x20 <= 'z' {
		return s.fail("an unknown word")
	}
	s.i = end
	return true
}

// skip passes over one value of any kind, checking that it is JSON.
func (s *scanner) skip(depth int) bool {
	switch c := s.peek(); {
	case c == '{':
		return s.skipObject(depth)
	case c == '[':
		return s.skipArray(depth)
	case s.isQuote(c):
		_, ok := s.text()
		return ok
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	case c == '-' || c == '+' || c >= '0' && c <= '9' || c == 'N' || c == 'I':
		_, _, ok := s.number()
		return ok
	}
	return s.fail("a value is missing")
}

func (s *scanner) skipObject(depth int) bool {
	first := true
	for {
		_, more, ok := s.key(&first, depth)
		if !ok || !more {
			return ok
		}
		if !s.skip(depth + 1) {
			return false
		}
	}
}

func (s *scanner) skipArray(depth int) bool {
	first := true
	for {
		more, ok := s.element(&first, depth)
		if !ok || !more {
			return ok
		}
		if !s.skip(depth + 1) {
			return false
		}
	}
}

// key moves to the next value of the object at i: the first call passes {, the
// later ones the comma. more is false at the end, which is passed.
func (s *scanner) key(first *bool, depth int) (name []byte, more, ok bool) {
	if *first {
		if depth >= maxDepth {
			return nil, false, s.fail("values are nested too deeply")
		}
		s.i++
	}
	c := s.peek()
	if c == '}' {
		s.i++
		return nil, false, true
	}
	if !*first {
		if c != ',' {
			return nil, false, s.fail("an object has no end")
		}
		s.i++
		c = s.peek()
	}
	*first = false
	if !s.isQuote(c) {
		return nil, false, s.fail("a field name without quotes")
	}
	if name, ok = s.text(); !ok {
		return nil, false, false
	}
	if s.peek() != ':' {
		return nil, false, s.fail("a field name without a colon")
	}
	s.i++
	return name, true, true
}

// element moves to the next value of the array at i, as key does.
func (s *scanner) element(first *bool, depth int) (more, ok bool) {
	if *first {
		if depth >= maxDepth {
			return false, s.fail("values are nested too deeply")
		}
		s.i++
		*first = false
		if s.peek() == ']' {
			s.i++
			return false, true
		}
		return true, true
	}
	switch s.peek() {
	case ']':
		s.i++
		return false, true
	case ',':
		s.i++
		return true, true
	}
	return false, s.fail("an array has no end")
}
