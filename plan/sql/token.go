package sql

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
)

// kind is the lexical class of a token.
type kind uint8

const (
	endOfText  kind = iota
	word            // a bare identifier or keyword
	quoted          // `an identifier`
	text            // 'text', "text" or r'text'
	integer         // 12
	decimal         // 1.5
	exponent        // 1e5
	tinyint         // 1Y
	smallint        // 1S
	bigint          // 1L
	float           // 1F
	double          // 1D
	bigdecimal      // 1BD
	operator        // punctuation
	unknown         // a character that begins no token
)

// token is a piece of the text. upper is the operator's characters, or a word in
// upper case.
type token struct {
	kind       kind
	start, end int
	line, col  int
	upper      string
}

func (t token) pos() base.Pos { return base.Pos{Start: t.start, End: t.end, Line: t.line, Col: t.col} }

func (t token) isNumber() bool { return t.kind >= integer && t.kind <= bigdecimal }

// adjacent reports whether u follows t without a gap.
func (t token) adjacent(u token) bool { return t.end == u.start }

// numberKind returns the kind of a run of letters and digits that starts with a
// digit: 12, 1e5, 1L; word if it is no number.
func numberKind(s string) kind {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i == len(s) {
		return integer
	}
	switch strings.ToUpper(s[i:]) {
	case "L":
		return bigint
	case "S":
		return smallint
	case "Y":
		return tinyint
	}
	hasExponent := false
	if s[i] == 'e' || s[i] == 'E' {
		j := i + 1
		for j < len(s) && isDigit(s[j]) {
			j++
		}
		if j > i+1 {
			i, hasExponent = j, true
		}
	}
	switch strings.ToUpper(s[i:]) {
	case "":
		if hasExponent {
			return exponent
		}
	case "F":
		return float
	case "D":
		return double
	case "BD":
		return bigdecimal
	}
	return word
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordByte(c byte) bool {
	return c == '_' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
