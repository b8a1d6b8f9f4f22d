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

func likeLoop(fold bool) func(f *frame) error {
	var text string
	var esc rune
	var cached *likePattern
	return func(f *frame) error {
		dst, a, pats := f.bits(), f.text(0), f.text(1)
		escape := func(int) []byte { return []byte{'\\'} }
		if len(f.args) > 2 {
			escape = f.text(2).at
		}
		return f.try(func(i int) error {
			p, e := pats.at(i), escape(i)
			r, n := utf8.DecodeRune(e)
			if n != len(e) || n == 0 {
				return base.UserError("INVALID_ESC", "42604",
					"Found an invalid escape string: %s. The escape string must contain only one character.", quoted(e)).At(f.call.At)
			}
			if cached == nil || text != string(p) || esc != r {
				if fold {
					p = []byte(strings.ToLower(string(p)))
				}
				parsed, err := parseLike(p, r)
				if err != nil {
					return err.At(f.call.At)
				}
				cached, text, esc = parsed, string(pats.at(i)), r
			}
			s := a.at(i)
			if fold {
				s = []byte(strings.ToLower(string(s)))
			}
			if cached.match(s) {
				kernels.SetBit(dst, i)
			}
			return nil
		})
	}
}
