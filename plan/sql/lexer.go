package sql

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/flightd/flightd/internal/base"
)

// lexer cuts a text into tokens. Comments and hints are skipped.
type lexer struct {
	text string
	at   int
	// line and the byte and column that counting has reached.
	line, counted, col int
	out                []token
	// open are the quotes known to have no partner further on.
	open [256]bool
}

// lex returns the tokens of text, the last of them endOfText.
func lex(s string) ([]token, *base.Error) {
	l := &lexer{text: s, line: 1, col: 1, out: make([]token, 0, len(s)/4+2)}
	if !utf8.ValidString(s) {
		return nil, l.invalidUTF8()
	}
	for {
		if err := l.skipBlanks(); err != nil {
			return nil, err
		}
		if l.at >= len(s) {
			l.emit(endOfText, l.at)
			return l.out, nil
		}
		l.next()
	}
}

// place returns the line and column of byte i, which never goes back.
func (l *lexer) place(i int) (line, col int) {
	for l.counted < i {
		switch c := l.text[l.counted]; {
		case c == '\n':
			l.line++
			l.col = 1
			l.counted++
		case c < utf8.RuneSelf:
			l.col++
			l.counted++
		default:
			_, n := utf8.DecodeRuneInString(l.text[l.counted:])
			l.col++
			l.counted += max(1, n)
		}
	}
	return l.line, l.col
}

// emit adds the token from l.at to end.
func (l *lexer) emit(k kind, end int) {
	line, col := l.place(l.at)
	t := token{kind: k, start: l.at, end: end, line: line, col: col}
	switch k {
	case word:
		t.upper = strings.ToUpper(l.text[l.at:end])
	case operator:
		t.upper = l.text[l.at:end]
	}
	l.out = append(l.out, t)
	l.at = end
}

func (l *lexer) next() {
	s, i := l.text, l.at
	c := s[i]
	switch {
	case (c == 'r' || c == 'R') && i+1 < len(s) && (s[i+1] == '\'' || s[i+1] == '"'):
		if n := strings.IndexByte(s[i+2:], s[i+1]); n >= 0 {
			l.emit(text, i+2+n+1)
			return
		}
		l.word()
	case c == '\'' || c == '"':
		l.quotedText(c)
	case c == '`':
		l.backQuoted()
	case isDigit(c) || c == '.':
		l.number()
	case isWordByte(c) || c >= utf8.RuneSelf:
		l.word()
	default:
		l.punctuation()
	}
}

// word takes letters of any script; the parser refuses those that Spark wants
// quoted.
func (l *lexer) word() {
	i := l.wordEnd(l.at)
	if i == l.at {
		_, n := utf8.DecodeRuneInString(l.text[i:])
		l.emit(unknown, i+n)
		return
	}
	l.emit(word, i)
}

func (l *lexer) wordEnd(i int) int {
	for i < len(l.text) {
		if isWordByte(l.text[i]) {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(l.text[i:])
		if r < utf8.RuneSelf || !unicode.IsLetter(r) {
			break
		}
		i += n
	}
	return i
}

// quotedText takes '…' with backslash escapes and doubled quotes.
func (l *lexer) quotedText(q byte) {
	for i := l.at + 1; i < len(l.text) && !l.open[q]; i++ {
		switch l.text[i] {
		case '\\':
			i++
		case q:
			if i+1 < len(l.text) && l.text[i+1] == q {
				i++
				continue
			}
			l.emit(text, i+1)
			return
		}
	}
	l.unclosed(q)
}

func (l *lexer) backQuoted() {
	for i := l.at + 1; i < len(l.text) && !l.open['`']; i++ {
		if l.text[i] != '`' {
			continue
		}
		if i+1 < len(l.text) && l.text[i+1] == '`' {
			i++
			continue
		}
		l.emit(quoted, i+1)
		return
	}
	l.unclosed('`')
}

// unclosed makes a quote without its partner a token of its own, at which the
// parser stops. Its kind is not searched for again: the time stays linear.
func (l *lexer) unclosed(q byte) {
	l.open[q] = true
	l.emit(unknown, l.at+1)
}

// number takes the longest of a number and a word: 1a and 1e are words.
func (l *lexer) number() {
	s, start := l.text, l.at
	i := start
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i < len(s) && s[i] == '.' {
		if end, k := l.fraction(i); k != unknown {
			l.emit(k, end)
			return
		}
		if i == start {
			l.punctuation()
			return
		}
	}
	if n := signedExponent(s[i:]); n > 0 {
		end := l.wordEnd(i + n)
		if k := numberKind("0e0" + s[i+n:end]); k != word {
			l.emit(k, end)
			return
		}
	}
	end := l.wordEnd(start)
	l.emit(numberKind(s[start:end]), end)
}

// fraction takes a number with a point at dot. Letters may not follow it, unless
// they are its exponent and suffix.
func (l *lexer) fraction(dot int) (int, kind) {
	s := l.text
	i := dot + 1
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i == dot+1 && dot == l.at {
		return 0, unknown
	}
	end := l.wordEnd(i)
	if end == i {
		return end, decimal
	}
	switch k := numberKind("0" + s[i:end]); k {
	case exponent, float, double, bigdecimal:
		return end, k
	}
	// 1.5e+3 and 1.5e-3: the sign ends the word.
	if n := signedExponent(s[i:]); n > 0 {
		end = l.wordEnd(i + n)
		switch k := numberKind("0e0" + s[i+n:end]); k {
		case exponent, float, double, bigdecimal:
			return end, k
		}
	}
	return 0, unknown
}

// signedExponent returns the length of e+1 or e-1 at the start of s, or 0.
func signedExponent(s string) int {
	if len(s) < 3 || s[0] != 'e' && s[0] != 'E' || s[1] != '-' && s[1] != '+' || !isDigit(s[2]) {
		return 0
	}
	i := 3
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

var operators = []string{"<=>", "<=", "<>", "<<", ">=", "!=", "!<", "!>", "==", "=>", "||", "|>", "->", "::"}

func (l *lexer) punctuation() {
	s := l.text[l.at:]
	for _, op := range operators {
		if strings.HasPrefix(s, op) {
			l.emit(operator, l.at+len(op))
			return
		}
	}
	if strings.IndexByte("()[],.;:=<>+-*/%&|^~!?", s[0]) >= 0 {
		l.emit(operator, l.at+1)
		return
	}
	l.emit(unknown, l.at+1)
}

func (l *lexer) skipBlanks() *base.Error {
	for l.at < len(l.text) {
		s := l.text[l.at:]
		switch {
		case strings.HasPrefix(s, "--"):
			l.at += lineComment(s)
		case strings.HasPrefix(s, "/*"):
			n := bracketedComment(s)
			if n < 0 {
				line, col := l.place(l.at)
				return unclosedComment(base.Pos{Start: l.at, End: min(l.at+2, len(l.text)), Line: line, Col: col})
			}
			l.at += n
		default:
			r, n := utf8.DecodeRuneInString(s)
			if !isBlank(r) {
				return nil
			}
			l.at += n
		}
	}
	return nil
}

// lineComment returns the length of a -- comment; a backslash before the line's
// end continues it.
func lineComment(s string) int {
	for i := 2; i < len(s); i++ {
		if s[i] == '\n' && s[i-1] != '\\' {
			return i + 1
		}
	}
	return len(s)
}

// bracketedComment returns the length of a comment that may hold others, or -1
// if it is not closed.
func bracketedComment(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

func isBlank(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\r', '\f', '\v', 0xA0, 0x1680, 0x2028, 0x202F, 0x205F, 0x3000:
		return true
	}
	return r >= 0x2000 && r <= 0x200A
}
