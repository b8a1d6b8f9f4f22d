package expr

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/flightd/flightd/internal/base"
)

// NumberFormat is a format of to_number and to_char: [MI|S] [$] digits with
// separators, point, digits, [$] [PR|MI|S]. It never changes.
type NumberFormat struct {
	text   string
	tokens []numberToken
	// Whole and Scale are how many digits stand before and behind the point.
	Whole, Scale int
}

// numberToken is a part of a format: digits, or what its mark says.
type numberToken struct {
	mark   rune
	groups []digitGroup
}

// The marks of tokens beside '$' and '.'. A token of another character is none
// of the format's.
const (
	markDigits = '9'
	markSign   = 'S'
	markMinus  = 'M'
	markOpen   = '<'
	markClose  = '>'
)

// digitGroup is one run of digits or, if n is 0, a thousands separator.
type digitGroup struct {
	n int
	// exact runs begin with 0: as many digits must be there, or are filled in.
	exact bool
}

// ParseNumberFormat reads a format. The error is INVALID_FORMAT, without a place.
func ParseNumberFormat(text string) (*NumberFormat, *base.Error) {
	f := &NumberFormat{text: text}
	f.scan(strings.ToUpper(text))
	if sub, detail := f.problem(); sub != "" {
		return nil, base.UserError("INVALID_FORMAT."+sub, "42601", "The format '%s' is invalid: %s.", text, detail).
			WithHint("a number format is [MI|S] [$] digits (0, 9, G or comma) [. or D] digits [$] [PR|MI|S]")
	}
	part := &f.Whole
	for _, t := range f.tokens {
		if t.mark == '.' {
			part = &f.Scale
		}
		for _, g := range t.groups {
			*part += g.n
		}
	}
	return f, nil
}

func (f *NumberFormat) index(mark rune) int {
	for i, t := range f.tokens {
		if t.mark == mark {
			return i
		}
	}
	return -1
}

func (f *NumberFormat) scan(s string) {
	point := false
	digits := func(g digitGroup) {
		if last := len(f.tokens) - 1; last >= 0 && f.tokens[last].mark == markDigits {
			f.tokens[last].groups = append(f.tokens[last].groups, g)
			return
		}
		f.tokens = append(f.tokens, numberToken{markDigits, []digitGroup{g}})
	}
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '0' || r == '9':
			n = len(s) - len(strings.TrimLeft(s, "09"))
			digits(digitGroup{n, r == '0' && !point})
		case r == ',' || r == 'G':
			digits(digitGroup{})
		case r == '.' || r == 'D':
			point = true
			f.tokens = append(f.tokens, numberToken{mark: '.'})
		case strings.HasPrefix(s, "MI"):
			n = 2
			f.tokens = append(f.tokens, numberToken{mark: markMinus})
		case strings.HasPrefix(s, "PR"):
			n = 2
			f.tokens = append([]numberToken{{mark: markOpen}}, f.tokens...)
			f.tokens = append(f.tokens, numberToken{mark: markClose})
		case r == '$' || r == 'S':
			f.tokens = append(f.tokens, numberToken{mark: r})
		default:
			f.tokens = append(f.tokens, numberToken{mark: unicode.ToLower(r) | 1<<30})
		}
		s = s[n:]
	}
}

// problem returns the condition of what is wrong with the format, and says it.
func (f *NumberFormat) problem() (sub, detail string) {
	dollar, first, point := f.index('$'), f.index(markDigits), f.index('.')
	switch {
	case f.text == "":
		return "EMPTY", "it is empty"
	case first < 0:
		return "WRONG_NUM_DIGIT", "it has no digit 0 or 9"
	case first < dollar:
		return "CUR_MUST_BEFORE_DIGIT", "the currency sign must stand before the digits"
	case point >= 0 && point < dollar:
		return "CUR_MUST_BEFORE_DEC", "the currency sign must stand before the decimal point"
	}
	for i, t := range f.tokens {
		for k, g := range t.groups {
			if (point < 0 || i < point) && g.n == 0 && (k == 0 || k == len(t.groups)-1 || t.groups[k-1].n == 0) {
				return "CONT_THOUSANDS_SEPS", "a thousands separator must have digits on both sides"
			}
		}
	}
	for i, t := range f.tokens {
		for _, g := range t.groups {
			if point >= 0 && i > point && g.n == 0 {
				return "THOUSANDS_SEPS_MUST_BEFORE_DEC", "a thousands separator stands behind the decimal point"
			}
		}
	}
	for _, mark := range []rune{'.', markSign, markMinus, '$', markClose} {
		n := 0
		for _, t := range f.tokens {
			if t.mark == mark {
				n++
			}
		}
		if n > 1 {
			return "WRONG_NUM_TOKEN", "it has more than one " + markName(mark)
		}
	}
	at := 0
	for _, marks := range []string{"<", "MS", "$", "9", ".", "9", "$", "MS>"} {
		if at < len(f.tokens) && strings.ContainsRune(marks, f.tokens[at].mark) {
			at++
		}
	}
	if at < len(f.tokens) {
		return "UNEXPECTED_TOKEN", markName(f.tokens[at].mark) + " stands where it may not"
	}
	return "", ""
}

func markName(mark rune) string {
	switch mark {
	case '.':
		return ". or D"
	case markMinus:
		return "MI"
	case markOpen, markClose:
		return "PR"
	case markDigits:
		return "run of digits"
	case '$', markSign:
		return string(mark)
	}
	return "character '" + string(mark&^(1<<30)) + "'"
}

// Parse reads s as the format says and appends its digits to dst, Scale of them
// behind the point; ok is false where s does not match. Where s has no point, digits
// of the format's scale count as whole ones: there may be more than Whole then.
func (f *NumberFormat) Parse(dst, s []byte) (digits []byte, negative, ok bool) {
	opened, closed, point := false, false, false
	whole, frac := dst, 0
	next := func(c byte) bool {
		if len(s) > 0 && s[0] == c {
			s = s[1:]
			return true
		}
		return false
	}
	for _, t := range f.tokens {
		switch t.mark {
		case markDigits:
			before := len(whole)
			if whole, s, ok = t.read(whole, s); !ok {
				return dst, false, false
			}
			if point {
				frac += len(whole) - before
			}
		case '.':
			point = next('.') || point
		case '$':
			if len(s) > 0 && !next('$') {
				return dst, false, false
			}
		case markSign, markMinus:
			if next('-') {
				negative = !negative
			} else if t.mark == markSign {
				next('+')
			}
		case markOpen:
			opened = next('<')
		case markClose:
			if next('>') {
				if !opened {
					return dst, false, false
				}
				closed, negative = true, !negative
			}
		}
	}
	if len(s) > 0 || opened != closed || len(whole) == len(dst) {
		return dst, false, false
	}
	for ; frac < f.Scale; frac++ {
		whole = append(whole, '0')
	}
	return whole, negative, true
}

// read takes digits, separators and white space off s. The runs that the text
// has are held against the format's from the right, so that runs on the left may
// be missing.
func (t numberToken) read(dst, s []byte) (digits, rest []byte, ok bool) {
	var runs []int
	n := 0
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		if c := s[0]; c >= '0' && c <= '9' {
			dst = append(dst, c)
			n++
		} else if c == ',' {
			runs = append(runs, n)
			n = 0
		} else if !javaSpace(r) {
			break
		}
		s = s[size:]
	}
	runs = append(runs, n)
	k := len(runs) - 1
	for i := len(t.groups) - 1; i >= 0; i-- {
		g, have := t.groups[i], 0
		if g.n == 0 {
			continue
		}
		if k >= 0 {
			have = runs[k]
			k--
		}
		if have > g.n || g.exact && have != g.n {
			return dst, s, false
		}
	}
	return dst, s, k < 0
}

// javaSpace is Character.isWhitespace: no-break spaces are none.
func javaSpace(r rune) bool {
	switch r {
	case '\u00a0', '\u2007', '\u202f', '\u0085':
		return false
	case 0x1c, 0x1d, 0x1e, 0x1f:
		return true
	}
	return unicode.IsSpace(r)
}

// Append appends a number by the format: digits are those of its absolute value,
// the last scale of them behind the point. A number that has no room in the
// format shows as # in place of digits.
func (f *NumberFormat) Append(dst, digits []byte, scale int, negative bool) []byte {
	for len(digits) < scale {
		digits = append([]byte{'0'}, digits...)
	}
	whole := bytes.TrimLeft(digits[:len(digits)-scale], "0")
	frac := bytes.TrimRight(digits[len(digits)-scale:], "0")
	if len(whole) > f.Whole || len(frac) > f.Scale {
		whole, frac = bytes.Repeat([]byte{'#'}, f.Whole), bytes.Repeat([]byte{'#'}, f.Scale)
	}
	whole = append(bytes.Repeat([]byte{' '}, f.Whole-len(whole)), whole...)
	frac = append(bytes.Clone(frac), bytes.Repeat([]byte{'0'}, f.Scale-len(frac))...)
	out := numberText{dst, len(dst)}
	point := false
	for _, t := range f.tokens {
		switch t.mark {
		case markDigits:
			if point {
				out.b = append(out.b, frac...)
				break
			}
			whole = out.digits(t.groups, whole)
		case '.':
			if out.last() == ' ' {
				out.b[len(out.b)-1] = '0'
			}
			out.b, point = append(out.b, '.'), true
		case '$':
			out.b = append(out.b, '$')
		case markOpen:
			if negative {
				out.b = append(out.b, '<')
			}
		case markSign, markMinus, markClose:
			out.sign(t.mark, negative)
		}
	}
	out.dropPoint()
	if s := string(out.b[out.at:]); s == "" || s == "+" || s == "-" {
		return append(out.b[:out.at], '0')
	}
	return out.b
}

// numberText is a text under construction that begins at b[at].
type numberText struct {
	b  []byte
	at int
}

func (o *numberText) last() byte {
	if len(o.b) == o.at {
		return 0
	}
	return o.b[len(o.b)-1]
}

// digits writes groups, taking their digits from the front of whole.
func (o *numberText) digits(groups []digitGroup, whole []byte) (rest []byte) {
	for _, g := range groups {
		if c := o.last(); g.n == 0 && c >= '0' && c <= '9' {
			o.b = append(o.b, ',')
		} else if g.n == 0 {
			o.space()
		}
		for _, c := range whole[:g.n] {
			switch {
			case c == ' ' && g.exact:
				o.b = append(o.b, '0')
			case c == ' ':
				o.space()
			default:
				o.b = append(o.b, c)
			}
		}
		whole = whole[g.n:]
	}
	return whole
}

// space adds a space in front of the signs that end the text.
func (o *numberText) space() {
	o.b = append(o.b, ' ')
	for i := len(o.b) - 1; i > o.at && strings.IndexByte("+-<", o.b[i-1]) >= 0; i-- {
		o.b[i], o.b[i-1] = o.b[i-1], ' '
	}
}

// behindDigits adds c in front of the spaces that end the text.
func (o *numberText) behindDigits(c byte) {
	o.b = append(o.b, c)
	for i := len(o.b) - 1; i > o.at && o.b[i-1] == ' '; i-- {
		o.b[i], o.b[i-1] = ' ', c
	}
}

func (o *numberText) sign(mark rune, negative bool) {
	switch {
	case mark == markMinus && !negative:
		o.b = append(o.b, ' ')
		return
	case mark == markClose && !negative:
		o.dropPoint()
		o.b = append(o.b, "  "...)
		return
	}
	o.dropPoint()
	switch {
	case mark == markClose:
		o.behindDigits('>')
	case negative:
		o.behindDigits('-')
	default:
		o.behindDigits('+')
	}
}

// dropPoint makes a point without digits behind it a space.
func (o *numberText) dropPoint() {
	s := o.b[o.at:]
	if i := bytes.IndexByte(s, '.'); i >= 0 && (i == len(s)-1 || s[i+1] == ' ') {
		s[i] = ' '
	}
}
