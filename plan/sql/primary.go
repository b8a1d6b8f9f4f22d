package sql

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// primary reads an operand and what hangs on it: fields, elements, casts,
// collations.
func (p *parser) primary() expr.Expr {
	first := p.tok().pos()
	e := p.operand()
	for n := 1; ; n++ {
		p.chain(n)
		switch {
		case p.op("["):
			index := p.value()
			p.mustOp("]")
			e = p.apply(first, "[]", e, index)
		case p.op("."):
			at := p.tok().pos()
			field := p.nameOrIdentifier("a field")
			e = p.apply(first, ".", e, &expr.Literal{At: at, Value: field, Typ: expr.String})
		case p.isOp(":") && (p.isName(1) || p.isOpAt(1, "[")):
			p.at++
			e = p.variantPath(first, e)
		case p.op("::"):
			e = &expr.Cast{At: first, Child: e, To: p.dataType()}
			e.(*expr.Cast).At = p.from(first)
		case p.isWord("COLLATE") && p.isName(1):
			p.at++
			at := p.tok().pos()
			parts := p.names("a collation")
			name := collationName(parts)
			e = &expr.Apply{At: p.from(first), Name: []string{"collate"}, Args: []expr.Expr{e, &expr.Literal{At: at, Value: name, Typ: expr.String}}}
		default:
			return e
		}
	}
}

// variantPath reads the path behind v:a.b[1]. The call has v, the path as text,
// $.a.b[1], and its last name, if there is one.
func (p *parser) variantPath(first base.Pos, e expr.Expr) expr.Expr {
	t := p.tok()
	path := "$"
	var last *expr.Literal
	name := func(at token, s string) { last = &expr.Literal{At: at.pos(), Value: s, Typ: expr.String} }
	for n := 1; ; n++ {
		p.chain(n)
		switch at := p.tok(); {
		case n == 1 && p.isName(0), p.isOp(".") && p.isName(1):
			p.op(".")
			s := p.name("a field")
			name(at, s[strings.LastIndexByte(s, '.')+1:])
			path += "." + s
		case p.op("["):
			i := p.tok()
			switch i.kind {
			case integer:
				p.at++
				path += "[" + p.text[i.start:i.end] + "]"
			case text:
				s := p.textLiteral()
				name(i, s)
				path += "['" + s + "']"
			default:
				p.unexpected("an index", "a field's name in quotes")
			}
			p.mustOp("]")
		default:
			args := []expr.Expr{e, &expr.Literal{At: p.since(t), Value: path, Typ: expr.String}}
			if last != nil {
				args = append(args, last)
			}
			return &expr.Apply{At: p.from(first), Name: []string{":"}, Args: args, Operator: true}
		}
	}
}

func (p *parser) operand() expr.Expr {
	t := p.tok()
	switch {
	case t.isNumber():
		p.at++
		return p.number(t, t, "")
	case p.isOp("-") && p.ahead(1).isNumber():
		p.at += 2
		return p.number(t, p.toks[p.at-1], "-")
	case t.kind == text && !p.isQuotedName(t):
		v := p.textLiteral()
		return &expr.Literal{At: p.since(t), Value: v, Typ: expr.String}
	case p.isOp("("):
		return p.parenthesis()
	case p.isOp("*"):
		p.at++
		return p.star(t.pos(), nil)
	case p.op("?"):
		p.params++
		return &expr.Param{At: t.pos(), Index: p.params - 1}
	case p.isOp(":") && p.isName(1) && t.adjacent(p.ahead(1)):
		p.at++
		name := p.name("a parameter")
		return &expr.Param{At: p.since(t), Label: name}
	case p.isName(0):
		return p.wordOperand(t)
	}
	p.unexpected("an expression")
	return nil
}

// wordOperand reads an operand that begins with a word: a keyword's form, a typed
// literal, a call, a lambda, a name.
func (p *parser) wordOperand(t token) expr.Expr {
	if p.isOpAt(1, "->") {
		return p.lambda(t)
	}
	if t.kind == word {
		if e := p.keywordForm(t); e != nil {
			return e
		}
	}
	return p.nameOrCall(t)
}

// keywordForm reads an operand with a syntax of its own, or returns nil.
func (p *parser) keywordForm(t token) expr.Expr {
	switch t.upper {
	case "NULL":
		p.at++
		return &expr.Literal{At: t.pos(), Typ: expr.Null}
	case "TRUE", "FALSE":
		p.at++
		return &expr.Literal{At: t.pos(), Value: t.upper == "TRUE", Typ: expr.Bool}
	case "CASE":
		if p.isWordAt(1, "WHEN") && p.startsExpr(2) || !p.isWordAt(1, "END", "FROM") && p.startsExpr(1) && !p.isOpAt(1, "*", "-", "+") && !p.isWordAt(1, "WHEN") {
			return p.caseForm(t)
		}
		return nil
	case "INTERVAL":
		if p.isInterval() {
			return p.interval()
		}
		return nil
	}
	if p.ahead(1).kind == text && !p.isQuotedName(p.ahead(1)) {
		return p.typedLiteral()
	}
	if p.isOpAt(1, "(") {
		return p.callForm(t)
	}
	return nil
}

// nameOrCall reads a dotted name, a star behind one, or a call.
func (p *parser) nameOrCall(t token) expr.Expr {
	if p.isIdentifierClause() {
		return p.identifier(t)
	}
	parts := []string{p.name("a name")}
	for p.isOp(".") {
		if p.isOpAt(1, "*") {
			p.at += 2
			star := p.star(t.pos(), parts)
			if p.isOp(".") && p.isName(1) {
				p.failAt(p.since(t), "INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "Nothing can be taken out of a star.")
			}
			return star
		}
		if !p.isName(1) {
			p.at++
			p.unexpected("a name")
		}
		p.at++
		parts = append(parts, p.name("a name"))
	}
	if p.isOp("(") {
		return p.call(t, parts)
	}
	return &expr.Name{At: p.since(t), Parts: parts}
}

// star reads [EXCEPT (a, b.c)] behind a star.
func (p *parser) star(first base.Pos, qualifier []string) expr.Expr {
	s := &expr.Star{Qualifier: qualifier}
	if p.isWord("EXCEPT") && p.isOpAt(1, "(") && !p.startsQuery(2) && !p.isOpAt(2, "(") {
		p.at++
		p.parenthesised(func() {
			parts := []string{p.name("a column")}
			for p.op(".") {
				parts = append(parts, p.name("a field"))
			}
			s.Except = append(s.Except, parts)
		})
	}
	s.At = p.from(first)
	return s
}

// parenthesis reads (expression), (query), (row, constructor) and the lambda
// (x, y) -> body.
func (p *parser) parenthesis() expr.Expr {
	t := p.tok()
	if p.isLambda() {
		return p.lambda(t)
	}
	if p.startsSubquery(0) {
		return p.subquery(expr.ScalarSubquery, t, nil)
	}
	p.at++
	e := p.namedExpression()
	if sub, ok := e.(*expr.Subquery); ok && sub.Kind == expr.ScalarSubquery && p.toks[p.at-1].upper == ")" && p.continuesQuery() {
		return p.widenSubquery(t, sub)
	}
	if !p.isOp(",") {
		if a, ok := e.(*expr.Alias); ok {
			p.at = p.tokenAt(a.Child.Pos().End)
			p.unexpected("')'")
		}
		p.mustOp(")")
		return e
	}
	items := []expr.Expr{e}
	for p.op(",") {
		items = append(items, p.namedExpression())
	}
	p.mustOp(")")
	return p.row(t, items)
}

// tokenAt returns the number of the first token at or after byte i.
func (p *parser) tokenAt(i int) int {
	n := p.at
	for n > 0 && p.toks[n-1].start >= i {
		n--
	}
	return n
}

// row makes a struct of (a, b): fields go by their names, or col1, col2.
func (p *parser) row(t token, items []expr.Expr) expr.Expr {
	args := make([]expr.Expr, 0, 2*len(items))
	for i, e := range items {
		name := "col" + itoa(i+1)
		switch x := e.(type) {
		case *expr.Star:
			return &expr.Apply{At: p.since(t), Name: []string{"struct"}, Args: items}
		case *expr.Name:
			name = x.Parts[len(x.Parts)-1]
		case *expr.Alias:
			name, e = x.Name, x.Child
		}
		args = append(args, &expr.Literal{At: e.Pos(), Value: name, Typ: expr.String}, e)
	}
	return &expr.Apply{At: p.since(t), Name: []string{"named_struct"}, Args: args}
}

// rowValues returns the members of a row constructor (a, b), or nil.
func rowValues(e expr.Expr) []expr.Expr {
	a, ok := e.(*expr.Apply)
	// The name of a field of a row stands where the field does.
	if !ok || len(a.Args) == 0 || len(a.Args)%2 != 0 || a.Name[0] != "named_struct" || a.Args[0].Pos() != a.Args[1].Pos() {
		return nil
	}
	var out []expr.Expr
	for i := 1; i < len(a.Args); i += 2 {
		out = append(out, a.Args[i])
	}
	return out
}

// subquery reads '(' query ')' as an expression.
func (p *parser) subquery(k expr.SubqueryKind, first token, values []expr.Expr) expr.Expr {
	p.mustOp("(")
	plan := p.innerQuery()
	p.mustOp(")")
	return &expr.Subquery{At: p.since(first), Kind: k, Values: values, Plan: plan}
}

// isLambda reports whether the parenthesis here is (x, y) before an arrow.
func (p *parser) isLambda() bool {
	n := 1
	for p.isName(n) && p.isOpAt(n+1, ",") {
		n += 2
	}
	return n > 1 && p.isName(n) && p.isOpAt(n+1, ")") && p.isOpAt(n+2, "->")
}

// lambda reads x -> body and (x, y) -> body.
func (p *parser) lambda(t token) expr.Expr {
	var params []*expr.LambdaVar
	read := func() {
		at := p.tok().pos()
		params = append(params, &expr.LambdaVar{At: at, ID: expr.NewID(), Name: p.name("a parameter")})
	}
	if p.isOp("(") {
		p.parenthesised(read)
	} else {
		read()
	}
	p.mustOp("->")
	body := p.expression()
	return &expr.Lambda{At: p.since(t), Params: params, Body: body}
}

// caseForm reads CASE WHEN c THEN v … [ELSE e] END and CASE x WHEN v THEN …. The
// latter compares x with each v.
func (p *parser) caseForm(t token) expr.Expr {
	p.at++
	var operand expr.Expr
	if !p.isWord("WHEN") {
		operand = p.expression()
	}
	var args []expr.Expr
	for p.isWord("WHEN") || len(args) == 0 {
		p.mustWord("WHEN")
		cond := p.expression()
		if operand != nil {
			cond = &expr.Apply{At: cond.Pos(), Name: []string{"="}, Args: []expr.Expr{operand, cond}, Operator: true}
		}
		p.mustWord("THEN")
		args = append(args, cond, p.expression())
	}
	if p.word("ELSE") {
		args = append(args, p.expression())
	}
	if !p.word("END") {
		p.unexpected("WHEN", "ELSE", "END")
	}
	return p.apply(t.pos(), "case", args...)
}
