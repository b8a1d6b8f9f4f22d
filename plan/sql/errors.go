package sql

import (
	"strings"
	"unicode/utf8"

	"github.com/flightd/flightd/internal/base"
)

// bailout carries an error out of the recursive descent; no exported function
// lets it through.
type bailout struct{ err *base.Error }

func (p *parser) fail(err *base.Error) { panic(bailout{err}) }

// failAt raises an error with Spark's condition at pos.
func (p *parser) failAt(pos base.Pos, condition, sqlState, format string, args ...any) {
	p.fail(base.UserError(condition, sqlState, format, args...).At(pos))
}

// unexpected raises the syntax error that the current token is none of those
// expected. It suggests a keyword where the token, or an alias just before it,
// looks like one.
func (p *parser) unexpected(expected ...string) {
	t := p.tok()
	msg := "Syntax error at or near " + p.near(t)
	if len(expected) == 1 && expected[0] == endOfStatement && t.kind != endOfText {
		msg += ": extra input " + p.near(t)
	}
	err := base.UserError("PARSE_SYNTAX_ERROR", "42601", "%s.", msg).At(t.pos())
	if hint := p.hint(t, expected); hint != "" {
		err.Hint = hint
	}
	p.fail(err)
}

const endOfStatement = "the end of the statement"

// near is a token as an error message cites it.
func (p *parser) near(t token) string {
	if t.kind == endOfText {
		return "end of input"
	}
	s := p.text[t.start:t.end]
	if len(s) > 100 {
		cut := 100
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return "'" + s + "'"
}

// clauses are the words whose misspelling leaves a statement that stops making
// sense a word or two later.
var clauses = []string{
	"SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "JOIN", "UNION", "CREATE", "INSERT", "DESCRIBE", "EXPLAIN",
	"WATERMARK", "DEDUPLICATE", "WINDOW", "LATERAL", "VALUES", "DISTINCT", "STREAM", "STREAMING", "SUBSCRIBE", "TRIGGER", "CHECKPOINT",
	"OPTIONS", "USING", "TABLE", "INTO", "SHOW", "DROP", "PARTITION BY", "SORT BY",
}

func (p *parser) hint(t token, expected []string) string {
	if t.kind == unknown {
		switch p.text[t.start] {
		case '\'', '"', '`':
			return "this quote is not closed"
		}
	}
	if t.kind == word {
		if s := misspelt(t.upper, expected); s != "" {
			return "did you mean " + s + "?"
		}
		if s := misspelt(t.upper, clauses); s != "" {
			return "did you mean " + s + "?"
		}
	}
	if a := p.lastAlias; a > 0 && a >= p.at-2 && a < p.at {
		if s := misspelt(p.toks[a].upper, clauses); s != "" {
			return "did you mean " + s + " for " + p.near(p.toks[a]) + "?"
		}
	}
	if t.kind == text && p.at > 0 && p.toks[p.at-1].upper == "AS" {
		return "a name is written bare or in back-quotes: `" + strings.Trim(p.text[t.start:t.end], `'"`) + "`"
	}
	if len(expected) == 0 || expected[0] == "" {
		return ""
	}
	return "expected " + list(expected)
}

// misspelt returns the clause whose first word w nearly is, or "".
func misspelt(w string, among []string) string {
	if len(w) < 3 {
		return ""
	}
	for _, c := range among {
		first, _, _ := strings.Cut(c, " ")
		if first == w || strings.ToUpper(first) != first || len(first) < 4 {
			continue
		}
		if d := base.EditDistance(w, first); d > 0 && (d == 1 || d == 2 && len(first) >= 6) || transposed(w, first) {
			return c
		}
	}
	return ""
}

// transposed reports whether a is b with two neighbours swapped: FORM for FROM.
func transposed(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i+1 < len(a); i++ {
		if a[i] != b[i] {
			return a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
		}
	}
	return false
}

// list joins what was expected: "a", "a or b", "a, b or c".
func list(s []string) string {
	if len(s) == 1 {
		return s[0]
	}
	return strings.Join(s[:len(s)-1], ", ") + " or " + s[len(s)-1]
}

func unclosedComment(at base.Pos) *base.Error {
	return base.UserError("UNCLOSED_BRACKETED_COMMENT", "42601",
		"Found an unclosed bracketed comment. Please, append */ at the end of the comment.").At(at).
		WithHint("comments may be nested: each /* needs its own */")
}

// invalidUTF8 names the first byte that is not text.
func (l *lexer) invalidUTF8() *base.Error {
	i := 0
	for i < len(l.text) {
		r, n := utf8.DecodeRuneInString(l.text[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	line, col := l.place(i)
	return base.UserError("INVALID_UTF8_STRING", "22029", "The SQL text is not valid UTF-8: byte %d is 0x%02X.", i, l.text[i]).
		At(base.Pos{Start: i, End: i + 1, Line: line, Col: col}).WithHint(`write bytes as X'…', characters as '\u00e9'`)
}

// unsupported raises the error that flightd does not know what, starting at
// token t, yet.
func (p *parser) unsupported(t token, what, hint string) {
	err := base.UserError("UNSUPPORTED_FEATURE", "0A000", "%s is not supported.", what).At(t.pos())
	err.Hint = hint
	p.fail(err)
}
