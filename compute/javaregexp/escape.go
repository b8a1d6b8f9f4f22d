package javaregexp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/unicode/runenames"
)

// errEscape is what is wrong with a backslash.
var errEscape = errors.New("a backslash stands before a letter that means nothing")

// escape reads what a backslash begins, outside of a class.
func (t *translation) escape() (bool, error) {
	if t.at+1 == len(t.src) {
		return false, errors.New("the pattern ends in a backslash")
	}
	switch r := t.src[t.at+1]; r {
	case 'A':
		t.both(`\A`)
	case 'z':
		t.both(`\z`)
	case 'Z':
		saved := t.flags
		t.multiline = false
		t.lineEnd()
		t.flags = saved
	case 'G':
		t.only(`\G`)
	case 'b', 'B':
		if r == 'b' && t.at+2 < len(t.src) && t.src[t.at+2] == '{' {
			if !t.has(`\b{g}`) {
				return false, errEscape
			}
			t.at += 3
		}
		t.boundary(r == 'b')
	case 'R':
		t.both("(?:\\x0d\\x0a|" + vertical().text() + ")")
	case 'X':
		m, _ := category("M")
		t.both("(?:\\x0d\\x0a|" + m.not().text() + m.text() + "*|" + m.text() + "+)")
	case 'k':
		t.at += 2
		return true, t.namedReference()
	default:
		if r >= '1' && r <= '9' {
			t.at++
			t.reference()
			return true, nil
		}
		s, one, err := t.escapedSet()
		if err != nil {
			return false, err
		}
		if s == nil {
			t.literal(one)
			return true, nil
		}
		t.both(t.cased(s).text())
		return true, nil
	}
	t.at += 2
	return true, nil
}

// cased is s under the flags of case.
func (t *translation) cased(s set) set {
	if !t.fold {
		return s
	}
	return s.folded(t.unicodeCase || t.unicodeClass)
}

// boundary writes \b or \B. Java counts the letters and digits of all scripts.
func (t *translation) boundary(at bool) {
	t.words = true
	w := boundaryRunes(t.unicodeClass).text()
	if at {
		t.fast.WriteString(`\b`)
		t.slow.WriteString("(?:(?<=" + w + ")(?!" + w + ")|(?<!" + w + ")(?=" + w + "))")
		return
	}
	t.fast.WriteString(`\B`)
	t.slow.WriteString("(?:(?<=" + w + ")(?=" + w + ")|(?<!" + w + ")(?!" + w + "))")
}

// reference reads \1 and on: as many digits as still name a group that has begun.
func (t *translation) reference() {
	n := int(t.src[t.at] - '0')
	t.at++
	for t.more() && t.src[t.at] >= '0' && t.src[t.at] <= '9' {
		next := n*10 + int(t.src[t.at]-'0')
		if next > t.groups {
			break
		}
		n = next
		t.at++
	}
	t.backTo(n)
}

func (t *translation) namedReference() error {
	if !t.is('<') {
		return errors.New(`\k names a group in <>`)
	}
	t.at++
	name, err := t.name()
	if err != nil {
		return err
	}
	n := t.names[name]
	if n == 0 {
		return fmt.Errorf("there is no group %q before its \\k", name)
	}
	t.backTo(n)
	return nil
}

func (t *translation) backTo(n int) {
	switch {
	case n > t.total:
		t.only("(?!)") // a group that is not there matches nothing
	case t.fold:
		t.only("(?i:\\" + strconv.Itoa(n) + ")")
	default:
		t.only("(?:\\" + strconv.Itoa(n) + ")")
	}
}

// escapedSet reads an escape that stands for a set or, if s is nil, for one code
// point. It is at the backslash.
func (t *translation) escapedSet() (s set, one rune, err error) {
	if t.at+1 == len(t.src) {
		return nil, 0, errors.New("the pattern ends in a backslash")
	}
	r := t.src[t.at+1]
	t.at += 2
	all := t.unicodeClass
	pick := func(plain, wide func() set) set {
		if all {
			return wide()
		}
		return plain()
	}
	switch r {
	case 'd':
		return pick(digits, unicodeDigits), 0, nil
	case 'D':
		return pick(digits, unicodeDigits).not(), 0, nil
	case 's':
		return pick(spaces, unicodeSpaces), 0, nil
	case 'S':
		return pick(spaces, unicodeSpaces).not(), 0, nil
	case 'w':
		return pick(wordRunes, unicodeWords), 0, nil
	case 'W':
		return pick(wordRunes, unicodeWords).not(), 0, nil
	case 'h':
		return horizontal(), 0, nil
	case 'H':
		return horizontal().not(), 0, nil
	case 'v':
		return vertical(), 0, nil
	case 'V':
		return vertical().not(), 0, nil
	case 'p', 'P':
		s, err := t.property()
		if err == nil && r == 'P' {
			s = s.not()
		}
		return s, 0, err
	}
	one, err = t.escapedRune(r)
	return nil, one, err
}

func (t *translation) property() (set, error) {
	if !t.more() {
		return nil, errors.New(`\p has no name`)
	}
	name := string(t.src[t.at])
	t.at++
	if name == "{" {
		from := t.at
		for t.more() && !t.is('}') {
			t.at++
		}
		if !t.more() || t.at == from {
			return nil, errors.New(`the name of \p{} is not closed, or is not there`)
		}
		name = string(t.src[from:t.at])
		t.at++
	}
	s, ok := property(name, t.unicodeClass)
	if !ok {
		return nil, fmt.Errorf("there is no character property %q", name)
	}
	return s, nil
}

// escapedRune reads the rest of an escape that is one code point; r is behind the
// backslash.
func (t *translation) escapedRune(r rune) (rune, error) {
	switch r {
	case 't':
		return '\t', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 'f':
		return '\f', nil
	case 'a':
		return 7, nil
	case 'e':
		return 27, nil
	case '0':
		return t.octal()
	case 'x':
		return t.hex()
	case 'u':
		return t.unit()
	case 'N':
		return t.named()
	case 'c':
		if !t.more() {
			return 0, errors.New(`\c has no letter`)
		}
		t.at++
		return t.src[t.at-1] ^ 64, nil
	}
	if isLetter(r) || r >= '1' && r <= '9' {
		return 0, errEscape
	}
	return r, nil
}

// octal reads up to three digits behind \0, the first of three at most 3.
func (t *translation) octal() (rune, error) {
	n, digits := rune(0), 0
	for t.more() && t.src[t.at] >= '0' && t.src[t.at] <= '7' && digits < 3 && n*8+t.src[t.at]-'0' <= 0o377 {
		n = n*8 + t.src[t.at] - '0'
		t.at++
		digits++
	}
	if digits == 0 {
		return 0, errors.New(`\0 has no octal digits`)
	}
	return n, nil
}

// digits16 reads n hexadecimal digits.
func (t *translation) digits16(n int) (rune, bool) {
	if t.at+n > len(t.src) {
		return 0, false
	}
	v, err := strconv.ParseUint(string(t.src[t.at:t.at+n]), 16, 32)
	if err != nil {
		return 0, false
	}
	t.at += n
	return rune(v), true
}

func (t *translation) hex() (rune, error) {
	if t.is('{') {
		end := strings.IndexRune(string(t.src[t.at:]), '}')
		if end > 1 && end < 10 {
			t.at++
			if v, ok := t.digits16(end - 1); ok && v <= lastRune {
				t.at++
				return v, nil
			}
		}
		return 0, errors.New(`\x{} holds no code point`)
	}
	if v, ok := t.digits16(2); ok {
		return v, nil
	}
	return 0, errors.New(`\x has no two hexadecimal digits`)
}

// unit reads the four digits of \u; a surrogate takes its other half along.
func (t *translation) unit() (rune, error) {
	v, ok := t.digits16(4)
	if !ok {
		return 0, errors.New(`\u has no four hexadecimal digits`)
	}
	if utf16.IsSurrogate(v) && t.has(`\u`) {
		at := t.at
		t.at += 2
		if low, ok := t.digits16(4); ok && utf16.DecodeRune(v, low) != '\ufffd' {
			return utf16.DecodeRune(v, low), nil
		}
		t.at = at
	}
	return v, nil
}

// named reads \N{name of a character}.
func (t *translation) named() (rune, error) {
	end := strings.IndexRune(string(t.src[t.at:]), '}')
	if !t.is('{') || end < 0 {
		return 0, errors.New(`\N has no name of a character`)
	}
	name := strings.ToUpper(string(t.src[t.at+1 : t.at+end]))
	t.at += end + 1
	for r := rune(0); r <= lastRune; r++ {
		if runenames.Name(r) == name {
			return r, nil
		}
	}
	return 0, fmt.Errorf("there is no character named %q", name)
}
