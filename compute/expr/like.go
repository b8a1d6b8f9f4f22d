package expr

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func likeRows() map[string]row {
	return map[string]row{
		"like":  prepared(func(*expr.Call, *Env) (func(f *frame) error, error) { return likeLoop(false), nil }),
		"ilike": prepared(func(*expr.Call, *Env) (func(f *frame) error, error) { return likeLoop(true), nil }),
	}
}

// likePattern is a LIKE pattern cut at its percent signs: parts of exact text and
// single wildcards.
type likePattern struct {
	parts [][]likeRune
	// exact patterns without wildcards inside the parts compare bytes.
	plain [][]byte
}

// likeRune is a code point, or any one (−1).
type likeRune = rune

// parseLike reads a pattern; the escape may stand before a wildcard or itself.
func parseLike(p []byte, escape rune) (*likePattern, *base.Error) {
	out := &likePattern{}
	var part []likeRune
	simple := true
	for i := 0; i < len(p); {
		r, n := utf8.DecodeRune(p[i:])
		i += n
		switch {
		case r == escape:
			if i >= len(p) {
				return nil, base.UserError("INVALID_FORMAT.ESC_AT_THE_END", "42601",
					"The format is invalid: '%s'. The escape character is not allowed to end with.", p)
			}
			next, m := utf8.DecodeRune(p[i:])
			i += m
			if next != '_' && next != '%' && next != escape {
				return nil, base.UserError("INVALID_FORMAT.ESC_IN_THE_MIDDLE", "42601",
					"The format is invalid: '%s'. The escape character is not allowed to precede '%c'.", p, next)
			}
			part = append(part, next)
		case r == '_':
			part = append(part, -1)
			simple = false
		case r == '%':
			out.parts = append(out.parts, part)
			part = nil
		default:
			simple = simple && (r != utf8.RuneError || n > 1)
			part = append(part, r)
		}
	}
	out.parts = append(out.parts, part)
	if simple {
		for _, q := range out.parts {
			out.plain = append(out.plain, []byte(string(q)))
		}
	}
	return out, nil
}

// match reports whether s is of the pattern's form: the first and last part are
// anchored, those between are found greedily from the left.
func (p *likePattern) match(s []byte) bool {
	if p.plain != nil {
		return matchPlain(p.plain, s)
	}
	n := len(p.parts)
	k := matchRunes(p.parts[0], s)
	if k < 0 {
		return false
	}
	s = s[k:]
	if n == 1 {
		return len(s) == 0
	}
	for _, part := range p.parts[1 : n-1] {
		found := false
		for {
			if k := matchRunes(part, s); k >= 0 {
				s, found = s[k:], true
				break
			}
			if len(s) == 0 {
				break
			}
			s = s[runeLen(s):]
		}
		if !found {
			return false
		}
	}
	last := p.parts[n-1]
	for extra := runes(s) - len(last); extra > 0; extra-- {
		s = s[runeLen(s):]
	}
	return matchRunes(last, s) == len(s)
}

func matchPlain(parts [][]byte, s []byte) bool {
	n := len(parts)
	if n == 1 {
		return bytes.Equal(parts[0], s)
	}
	if !bytes.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, part := range parts[1 : n-1] {
		k := bytes.Index(s, part)
		if k < 0 {
			return false
		}
		s = s[k+len(part):]
	}
	return bytes.HasSuffix(s, parts[n-1])
}

// matchRunes returns the length of the beginning of s that part matches, or −1.
func matchRunes(part []likeRune, s []byte) int {
	at := 0
	for _, want := range part {
		if at >= len(s) {
			return -1
		}
		if want < 0 {
			at += runeLen(s[at:])
			continue
		}
		r, n := utf8.DecodeRune(s[at:])
		if r != want {
			return -1
		}
		at += n
	}
	return at
}

// matchASCII is match of a text of ASCII only.
func (p *likePattern) matchASCII(s []byte) bool {
	if p.plain != nil {
		return matchPlain(p.plain, s)
	}
	n := len(p.parts)
	first, last := p.parts[0], p.parts[n-1]
	if n == 1 {
		return len(s) == len(first) && startsWith(first, s)
	}
	if len(s) < len(first)+len(last) || !startsWith(first, s) || !startsWith(last, s[len(s)-len(last):]) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range p.parts[1 : n-1] {
		for ; len(s) >= len(part) && !startsWith(part, s); s = s[1:] {
		}
		if len(s) < len(part) {
			return false
		}
		s = s[len(part):]
	}
	return true
}

// startsWith reports whether s, which is long enough, begins with part.
func startsWith(part []likeRune, s []byte) bool {
	for i, want := range part {
		if want != rune(s[i]) && want >= 0 {
			return false
		}
	}
	return true
}

// column sets the bits of the texts of a column that are of the pattern's form, and
// reports false if it does so only text by text.
func (p *likePattern) column(dst []byte, off []int32, data []byte) bool {
	if p.plain == nil {
		return false
	}
	switch n := len(p.plain); {
	case n == 1:
		kernels.EqualText(dst, off, data, p.plain[0])
	case n == 2 && len(p.plain[1]) == 0:
		kernels.PrefixText(dst, off, data, p.plain[0])
	case n == 2 && len(p.plain[0]) == 0:
		kernels.SuffixText(dst, off, data, p.plain[1])
	case n == 3 && len(p.plain[0]) == 0 && len(p.plain[2]) == 0:
		kernels.ContainsText(dst, off, data, p.plain[1])
	default:
		return false
	}
	return true
}

// likes are the patterns of a LIKE, the last of them ready.
type likes struct {
	fold    bool
	text    string
	escape  rune
	cached  *likePattern
	lowered []byte
}

// of reads a pattern and the text of an escape.
func (l *likes) of(f *frame, p, escape []byte) (*likePattern, error) {
	r, n := utf8.DecodeRune(escape)
	if n != len(escape) || n == 0 {
		return nil, base.UserError("INVALID_ESC", "42604",
			"Found an invalid escape string: %s. The escape string must contain only one character.", quoted(escape)).At(f.call.At)
	}
	if l.cached == nil || l.text != string(p) || l.escape != r {
		l.text, l.escape = string(p), r
		if l.fold {
			p = []byte(strings.ToLower(l.text))
		}
		parsed, err := parseLike(p, r)
		if l.cached = parsed; err != nil {
			return nil, err.At(f.call.At)
		}
	}
	return l.cached, nil
}

// match matches one text.
func (l *likes) match(p *likePattern, s []byte, ascii bool) bool {
	switch {
	case l.fold && ascii:
		l.lowered = grow(l.lowered, len(s))
		kernels.FlipCase(l.lowered, s, 'A', 'Z')
		s = l.lowered
	case l.fold:
		s = []byte(strings.ToLower(string(s)))
	}
	if ascii {
		return p.matchASCII(s)
	}
	return p.match(s)
}

func likeLoop(fold bool) func(f *frame) error {
	l := &likes{fold: fold}
	usual := []byte{'\\'}
	return func(f *frame) error {
		dst, a, pats, ascii := f.bits(), f.text(0), f.text(1), f.asciiAt(0)
		escapes := texts{off: []int32{0, 1}, data: usual}
		if len(f.args) > 2 {
			escapes = f.text(2)
		}
		if !f.args[1].Const || escapes.mask != 0 {
			return f.try(func(i int) error {
				p, err := l.of(f, pats.at(i), escapes.at(i))
				if s := a.at(i); err == nil && l.match(p, s, ascii(s)) {
					kernels.SetBit(dst, i)
				}
				return err
			})
		}
		if f.live() == 0 {
			return nil
		}
		p, err := l.of(f, pats.at(0), escapes.at(0))
		if err != nil {
			return err
		}
		if off, data, ok := f.whole(0); ok && !fold && p.column(dst, off, data) {
			return nil
		}
		f.each(func(i int) {
			if s := a.at(i); l.match(p, s, ascii(s)) {
				kernels.SetBit(dst, i)
			}
		})
		return nil
	}
}
