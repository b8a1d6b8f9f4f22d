package sql

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
)

// joinWords are the words that name no relation: an alias after a relation may
// not be one of them, a column may.
var joinWords = map[string]bool{
	"ANTI": true, "CROSS": true, "EXCEPT": true, "FULL": true, "INNER": true, "INTERSECT": true, "JOIN": true, "LATERAL": true, "LEFT": true,
	"NATURAL": true, "ON": true, "RIGHT": true, "SEMI": true, "MINUS": true, "UNION": true, "USING": true,
}

// isName reports whether token n on can be a name.
func (p *parser) isName(n int) bool {
	t := p.ahead(n)
	return t.kind == word || t.kind == quoted || t.kind == text && p.isQuotedName(t)
}

func (p *parser) isQuotedName(t token) bool { return p.DoubleQuotedNames && p.text[t.start] == '"' }

// name reads one identifier; what says what it names.
func (p *parser) name(what string) string {
	t := p.tok()
	switch {
	case t.kind == quoted:
		p.at++
		return nameValue(p.text[t.start:t.end])
	case t.kind == word:
		p.at++
		s := p.text[t.start:t.end]
		p.checkASCII(s, t.pos())
		return s
	case p.isName(0):
		p.at++
		s := p.text[t.start+1 : t.end-1]
		return strings.ReplaceAll(s, `""`, `"`)
	}
	p.unexpected(what)
	return ""
}

// checkASCII raises Spark's error for a bare name with letters beyond a–z.
func (p *parser) checkASCII(s string, at base.Pos) {
	for i := 0; i < len(s); i++ {
		if !isWordByte(s[i]) {
			p.invalidName(s, at)
		}
	}
}

func (p *parser) invalidName(s string, at base.Pos) {
	err := base.UserError("INVALID_IDENTIFIER", "42602", "The unquoted identifier %s is invalid and must be back quoted as: `%s`.\n"+
		"Unquoted identifiers can only contain ASCII letters ('a' - 'z', 'A' - 'Z'), digits ('0' - '9'), and underbar ('_').\n"+
		"Unquoted identifiers must also not start with a digit.\n"+
		"Different data sources and meta stores may impose additional restrictions on valid identifiers.", s, s)
	p.fail(err.At(at).WithHint("write `%s`", s))
}

// names reads a dotted name: catalog.schema.table.
func (p *parser) names(what string) []string {
	if p.isWord("IDENTIFIER") && p.isOpAt(1, "(") && p.ahead(2).kind == text {
		return p.identifierClause()
	}
	first := p.tok()
	out := []string{p.name(what)}
	p.refuseHyphen(first)
	for p.isOp(".") && p.isName(1) {
		p.at++
		out = append(out, p.name(what))
		p.refuseHyphen(first)
	}
	return out
}

// refuseHyphen catches a table that is called my-table.
func (p *parser) refuseHyphen(first token) {
	last := p.toks[p.at-1]
	if !p.isOp("-") || last.kind != word || !last.adjacent(p.tok()) || p.ahead(1).kind != word || !p.tok().adjacent(p.ahead(1)) {
		return
	}
	for p.isOp("-") && p.ahead(1).kind == word && p.tok().adjacent(p.ahead(1)) {
		p.at += 2
	}
	at := last.pos()
	at.End = p.toks[p.at-1].end
	p.invalidName(p.text[at.Start:at.End], at)
}

// identifierClause reads IDENTIFIER('a.b'), a name given as text.
func (p *parser) identifierClause() []string {
	p.mustWord("IDENTIFIER")
	p.mustOp("(")
	t := p.toks[p.at-2]
	s := p.textLiteral()
	for p.op("||") { // constants may be put together
		s += p.textLiteral()
	}
	p.mustOp(")")
	parts, err := splitName(s)
	if err != nil {
		err.Pos, err.Query = p.since(t), ""
		p.fail(err)
	}
	return parts
}

// splitName cuts "a.`b.c`" at its dots.
func splitName(s string) ([]string, *base.Error) {
	toks, err := lex(s)
	if err != nil {
		return nil, err
	}
	var parts []string
	for i := 0; ; i += 2 {
		t := toks[i]
		switch t.kind {
		case word:
			parts = append(parts, s[t.start:t.end])
		case quoted:
			parts = append(parts, nameValue(s[t.start:t.end]))
		case endOfText:
			if i == 0 {
				return nil, base.UserError("PARSE_EMPTY_STATEMENT", "42617", "A name is empty.")
			}
			fallthrough
		default:
			return nil, base.UserError("PARSE_SYNTAX_ERROR", "42601", "%q is not a name.", s)
		}
		if toks[i+1].kind == endOfText {
			return parts, nil
		}
		if toks[i+1].upper != "." {
			return nil, base.UserError("PARSE_SYNTAX_ERROR", "42601", "%q is not a name.", s)
		}
	}
}

// nameList reads '(' name, … ')'.
func (p *parser) nameList(what string) []string {
	var out []string
	p.parenthesised(func() { out = append(out, p.name(what)) })
	return out
}
