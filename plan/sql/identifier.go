package sql

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// isIdentifierClause reports whether IDENTIFIER( begins here.
func (p *parser) isIdentifierClause() bool {
	return p.isWord("IDENTIFIER") && p.tok().kind == word && p.isOpAt(1, "(")
}

// isIdentifierLiteral reports whether IDENTIFIER('text') stands here, which can be
// wherever a name can.
func (p *parser) isIdentifierLiteral() bool {
	return p.isIdentifierClause() && p.ahead(2).kind == text && !p.isQuotedName(p.ahead(2)) && p.isOpAt(3, ")")
}

// nameOrIdentifier reads a name of one part, which IDENTIFIER('a') may give too.
func (p *parser) nameOrIdentifier(what string) string {
	if !p.isIdentifierLiteral() {
		return p.name(what)
	}
	t := p.tok()
	parts := p.identifierClause()
	if len(parts) != 1 {
		p.failAt(p.since(t), "IDENTIFIER_TOO_MANY_NAME_PARTS", "42601", "%s is one name, without dots.", what)
	}
	return parts[0]
}

// identifier reads IDENTIFIER(e) where an expression can be, and the call of a
// function that is called so.
func (p *parser) identifier(t token) expr.Expr {
	var out expr.Expr
	if p.isIdentifierLiteral() {
		parts := p.identifierClause()
		if p.isOp("(") {
			return p.call(t, parts)
		}
		out = &expr.Name{At: p.since(t), Parts: parts}
	} else {
		p.at += 2
		arg := p.expression()
		if p.isOp(",") { // a call like any other, and there is no such function
			a := &expr.Apply{Name: []string{p.text[t.start:t.end]}, Args: []expr.Expr{arg}}
			for p.op(",") {
				p.argument(a)
			}
			p.mustOp(")")
			p.callClauses(a)
			a.At = p.since(t)
			return a
		}
		p.mustOp(")")
		n := &expr.Identifier{Arg: arg}
		if p.isOp("(") {
			n.Call = p.call(t, []string{p.text[t.start:t.end]})
		}
		n.At = p.since(t)
		out = n
	}
	if p.isOp(".") && p.isOpAt(1, "*") {
		p.at += 2
		err := base.UserError("CANNOT_RESOLVE_STAR_EXPAND", "42704", "A star cannot stand behind IDENTIFIER(…).")
		p.fail(err.At(p.since(t)).WithHint("write the name of the table itself"))
	}
	return out
}

// relationName reads the name of a table or of a function that makes one; from is
// set instead where IDENTIFIER(e) gives the name.
func (p *parser) relationName() (name []string, from expr.Expr) {
	if !p.isIdentifierClause() || p.isIdentifierLiteral() {
		return p.names("a table"), nil
	}
	p.at += 2
	from = p.expression()
	p.mustOp(")")
	return nil, from
}

// SplitName cuts the text of a name, a.`b.c`, at its dots. The error has no place.
func SplitName(s string) ([]string, *base.Error) { return splitName(s) }
