package collation

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// Pattern is a text that is searched for.
type Pattern struct {
	c   *Collation
	key []byte
	buf []byte
	// empty patterns are found everywhere.
	empty bool
}

// Pattern returns part, ready to be searched for. It shares c's buffers.
func (c *Collation) Pattern(part []byte) *Pattern {
	return &Pattern{c: c, key: c.key(nil, part), empty: len(part) == 0}
}

// step returns the length of the first character of s: a letter with the marks that
// follow it where the collation knows marks, else a code point.
func (c *Collation) step(s []byte) int {
	_, n := utf8.DecodeRune(s)
	if c.weights == nil {
		return n
	}
	for n < len(s) {
		r, k := utf8.DecodeRune(s[n:])
		if !unicode.Is(unicode.M, r) {
			break
		}
		n += k
	}
	return n
}

// At returns the length of the shortest start of s that equals the pattern, or −1.
func (p *Pattern) At(s []byte) int {
	if p.empty {
		return 0
	}
	p.buf = p.buf[:0]
	for n := 0; n < len(s); {
		from := n
		n += p.c.step(s[n:])
		if p.c.weights == nil { // the key of a text is the keys of its characters
			p.buf = p.c.key(p.buf, s[from:n])
			if !bytes.HasPrefix(p.key, p.buf) {
				return -1
			}
		} else if p.buf = p.c.key(p.buf[:0], s[:n]); len(p.buf) > len(p.key) {
			return -1
		}
		if bytes.Equal(p.buf, p.key) {
			return n
		}
	}
	return -1
}

// Index returns where the pattern is first found in s, from byte from on, as a range
// of bytes; −1 where it is not.
func (p *Pattern) Index(s []byte, from int) (start, end int) {
	for i := from; i <= len(s); {
		if n := p.At(s[i:]); n >= 0 {
			return i, i + n
		}
		if i == len(s) {
			break
		}
		i += p.c.step(s[i:])
	}
	return -1, -1
}

// EndsAt reports whether s ends with the pattern, and where that begins.
func (p *Pattern) EndsAt(s []byte) (start int, ok bool) {
	if p.empty {
		return len(s), true
	}
	for i := 0; i < len(s); i += p.c.step(s[i:]) {
		if p.buf = p.c.key(p.buf[:0], s[i:]); bytes.Equal(p.buf, p.key) {
			return i, true
		}
	}
	return -1, false
}
