package collation

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/flightd/flightd/plan/expr"
)

// Collation compares and searches texts. It keeps buffers: one goroutine at a time.
type Collation struct {
	expr.Collation
	weights *collate.Collator
	buf     collate.Buffer
	// left and right are the keys of Compare.
	left, right []byte
}

// New returns the collation of a name that expr.ParseCollation takes. "" and unknown
// names are UTF8_BINARY.
func New(name string) *Collation {
	parsed, ok := expr.ParseCollation(name)
	if !ok {
		parsed = expr.Collation{Base: "UTF8_BINARY"}
	}
	c := &Collation{Collation: parsed}
	if parsed.Base == "UTF8_BINARY" || parsed.IsLowerCase() {
		return c
	}
	var opts []collate.Option
	switch {
	case parsed.IgnoreCase && parsed.IgnoreAccents:
		opts = append(opts, collate.IgnoreCase, collate.IgnoreDiacritics, collate.IgnoreWidth)
	case parsed.IgnoreCase:
		opts = append(opts, collate.IgnoreCase, collate.IgnoreWidth)
	}
	c.weights = collate.New(tag(parsed.Base), opts...)
	return c
}

// tag is the language of a locale, whose country has three letters.
func tag(locale string) language.Tag {
	var parts []any
	for i, p := range strings.Split(locale, "_") {
		if i == 0 {
			if base, err := language.ParseBase(p); err == nil {
				parts = append(parts, base)
			}
		} else if script, err := language.ParseScript(p); err == nil {
			parts = append(parts, script)
		} else if region, err := language.ParseRegion(p); err == nil {
			parts = append(parts, region)
		}
	}
	t, err := language.Raw.Compose(parts...)
	if err != nil {
		return language.Und
	}
	return t
}

// Key appends the key of s to dst.
func (c *Collation) Key(dst, s []byte) []byte {
	if c.TrimRight {
		s = bytes.TrimRight(s, " ")
	}
	return c.key(dst, s)
}

// key is Key with the spaces at the end.
func (c *Collation) key(dst, s []byte) []byte {
	switch {
	case c.IsLowerCase():
		return Lower(dst, s)
	case c.weights == nil:
		return append(dst, s...)
	case c.IgnoreAccents && !c.IgnoreCase:
		s = withoutAccents(s)
	}
	c.buf.Reset()
	return append(dst, c.weights.Key(&c.buf, s)...)
}

// Compare orders two texts: −1, 0 or 1.
func (c *Collation) Compare(s, t []byte) int {
	c.left, c.right = c.Key(c.left[:0], s), c.Key(c.right[:0], t)
	return bytes.Compare(c.left, c.right)
}

// Lower appends s in the lower case of UTF8_LCASE: letter by letter, every sigma the
// same, and a capital I with a dot as an i with a dot above it.
func Lower(dst, s []byte) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		switch {
		case r < utf8.RuneSelf:
			if r >= 'A' && r <= 'Z' {
				r += 'a' - 'A'
			}
			dst = append(dst, byte(r))
		case r == utf8.RuneError && n == 1:
			dst = append(dst, s[0])
		case r == 'İ':
			dst = append(dst, "i̇"...)
		case r == 'ς':
			dst = append(dst, "σ"...)
		default:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		s = s[n:]
	}
	return dst
}

// withoutAccents is s without the marks on its letters.
func withoutAccents(s []byte) []byte {
	out := make([]byte, 0, len(s))
	for _, r := range string(norm.NFD.Bytes(s)) {
		if !unicode.Is(unicode.Mn, r) {
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}
