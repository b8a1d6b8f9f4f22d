package sql

import (
	"strconv"
	"strings"
)

// textValue returns what a text token stands for: quotes gone, doubled quotes
// single, backslash escapes replaced as Spark does.
func textValue(s string) string {
	if s[0] == 'r' || s[0] == 'R' {
		return s[2 : len(s)-1]
	}
	q := s[:1]
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		return strings.ReplaceAll(s, q+q, q)
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == q[0]:
			b.WriteByte(c)
			i++
		case c != '\\' || i+1 == len(s):
			b.WriteByte(c)
		default:
			i += unescape(&b, s[i+1:])
		}
	}
	return b.String()
}

// unescape writes the character of an escape whose text after the backslash
// begins s, and returns how many bytes of s it took.
func unescape(b *strings.Builder, s string) int {
	switch c := s[0]; c {
	case 'u', 'U':
		n := 4
		if c == 'U' {
			n = 8
		}
		if len(s) > n {
			if r, err := strconv.ParseUint(s[1:1+n], 16, 32); err == nil {
				b.WriteRune(rune(r))
				return 1 + n
			}
		}
	case '0', '1':
		if len(s) >= 3 && isOctal(s[1]) && isOctal(s[2]) {
			n, _ := strconv.ParseUint(s[:3], 8, 8)
			b.WriteRune(rune(n))
			return 3
		}
		if c == '0' {
			b.WriteByte(0)
			return 1
		}
	case 'b':
		b.WriteByte('\b')
		return 1
	case 'n':
		b.WriteByte('\n')
		return 1
	case 'r':
		b.WriteByte('\r')
		return 1
	case 't':
		b.WriteByte('\t')
		return 1
	case 'Z':
		b.WriteByte(26)
		return 1
	case '%', '_':
		b.WriteByte('\\')
	}
	b.WriteByte(s[0])
	return 1
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }

// nameValue returns the name of a back-quoted token.
func nameValue(s string) string { return strings.ReplaceAll(s[1:len(s)-1], "``", "`") }
