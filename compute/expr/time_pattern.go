package expr

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
)

// pattern is a datetime pattern taken apart.
type pattern []patternItem

// patternItem is a field (letter and how often), or literal text. Optional parts
// open and close with the letters '[' and ']'.
type patternItem struct {
	letter byte
	count  int
	text   string
}

// parsePattern reads a pattern as Spark does, which refuses some letters of
// Java's.
func parsePattern(s string, parsing bool) (pattern, *base.Error) {
	var p pattern
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\'':
			j := i + 1
			var text strings.Builder
			for ; j < len(s); j++ {
				if s[j] == '\'' {
					if j+1 < len(s) && s[j+1] == '\'' {
						j++
					} else {
						break
					}
				}
				text.WriteByte(s[j])
			}
			if j >= len(s) {
				return nil, unrecognizedPattern(s)
			}
			if j == i+1 {
				text.WriteByte('\'')
			}
			p = append(p, patternItem{text: text.String()})
			i = j + 1
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			j := i
			for j < len(s) && s[j] == c {
				j++
			}
			p = append(p, patternItem{letter: c, count: j - i})
			i = j
		case c == '[' || c == ']':
			p = append(p, patternItem{letter: c})
			i++
		case c == '{' || c == '}' || c == '#':
			return nil, unrecognizedPattern(s)
		default:
			p = append(p, patternItem{text: s[i : i+1]})
			i++
		}
	}
	return p, p.check(s, parsing)
}

func (p pattern) check(s string, parsing bool) *base.Error {
	for _, it := range p {
		if it.letter == 'e' || it.letter == 'c' {
			return base.UserError("INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN", "42K0B",
				"You may get a different result due to the upgrading to Spark >= 3.0:\nAll week-based patterns are unsupported since Spark 3.0, detected week-based character: %c.\nPlease use the SQL function EXTRACT instead.", it.letter)
		}
	}
	for _, it := range p {
		if it.letter == 0 {
			continue
		}
		most, known := patternWidths[it.letter]
		if !known || parsing && (it.letter == 'q' || it.letter == 'Q') {
			return base.UserError("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", "22007",
				"Unrecognized datetime pattern: %s. Illegal pattern character found in datetime pattern: %c. Please provide legal character.", s, it.letter)
		}
		if it.letter == 'V' && it.count != 2 {
			return base.UserError("INVALID_DATETIME_PATTERN.WITH_SUGGESTION", "22007",
				"Unrecognized datetime pattern: '%s'. You can form a valid datetime pattern with the guide from 'https://spark.apache.org/docs/latest/sql-ref-datetime-pattern.html'.", s)
		}
		if it.count > most || parsing && strings.IndexByte("EF", it.letter) >= 0 {
			return unrecognizedPattern(s)
		}
	}
	return nil
}

// patternWidths are the letters and how often each may be repeated; those of weeks
// are recognised only to be refused.
var patternWidths = map[byte]int{
	'G': 4, 'y': 6, 'D': 3, 'M': 4, 'L': 4, 'd': 2, 'Q': 4, 'q': 4, 'E': 4, 'F': 1, 'a': 1, 'h': 2, 'K': 2, 'k': 2, 'H': 2, 'm': 2, 's': 2,
	'S': 9, 'V': 2, 'z': 4, 'O': 4, 'X': 5, 'x': 5, 'Z': 5, '[': 0, ']': 0, 'Y': 0, 'w': 0, 'W': 0, 'u': 0,
}

func unrecognizedPattern(s string) *base.Error {
	return base.UserError("INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION", "42K0B",
		"You may get a different result due to the upgrading to Spark >= 3.0:\nFail to recognize '%s' pattern in the DateTimeFormatter.\n1) You can set \"spark.sql.legacy.timeParserPolicy\" to \"LEGACY\" to restore the behavior before Spark 3.0.\n2) You can form a valid datetime pattern with the guide from 'https://spark.apache.org/docs/latest/sql-ref-datetime-pattern.html'.", s)
}

// patterns compiles the patterns that a column names; a constant's only once.
type patterns struct {
	parsing bool
	text    string
	p       pattern
	err     *base.Error
	any     bool
}

func (c *patterns) of(s []byte) (pattern, *base.Error) {
	if !c.any || c.text != string(s) {
		c.any, c.text = true, string(s)
		c.p, c.err = parsePattern(c.text, c.parsing)
	}
	return c.p, c.err
}
