package sql

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// call reads the arguments of a function and the clauses behind them.
func (p *parser) call(t token, name []string) expr.Expr {
	a := &expr.Apply{Name: name}
	p.mustOp("(")
	if p.isWord("DISTINCT", "ALL") && p.startsExpr(1) && !p.isOpAt(1, "(", "-", "+") || p.isWord("DISTINCT") && p.isOpAt(1, "(", "-", "+") {
		a.Distinct = p.advance().upper == "DISTINCT"
	}
	if !p.isOp(")") {
		p.commaList(func() { p.argument(a) })
	}
	p.nulls(a)
	p.mustOp(")")
	p.callClauses(a)
	a.At = p.since(t)
	return a
}

// argument reads e or name => e.
func (p *parser) argument(a *expr.Apply) {
	name := ""
	if p.isName(0) && p.isOpAt(1, "=>") {
		name = p.name("a parameter")
		p.at++
	}
	a.Args = append(a.Args, p.expression())
	if name != "" && a.ArgNames == nil {
		a.ArgNames = make([]string, len(a.Args)-1, len(a.Args))
	}
	if a.ArgNames != nil {
		a.ArgNames = append(a.ArgNames, name)
	}
}

// nulls reads IGNORE NULLS or RESPECT NULLS.
func (p *parser) nulls(a *expr.Apply) {
	if p.isPhrase("IGNORE", "NULLS") || p.isPhrase("RESPECT", "NULLS") {
		a.IgnoreNulls = p.tok().upper == "IGNORE"
		a.RespectNulls = !a.IgnoreNulls
		p.at += 2
	}
}

// callClauses reads WITHIN GROUP, FILTER, IGNORE NULLS and OVER.
func (p *parser) callClauses(a *expr.Apply) {
	if p.isPhrase("WITHIN", "GROUP") && p.isOpAt(2, "(") {
		p.at += 3
		p.mustWord("ORDER", "BY")
		a.WithinGroup = p.sortTerms()
		p.mustOp(")")
	}
	if p.isWord("FILTER") && p.isOpAt(1, "(") && p.isWordAt(2, "WHERE") {
		p.at += 3
		a.Filter = p.expression()
		p.mustOp(")")
	}
	p.nulls(a)
	if p.isWord("OVER") && (p.isOpAt(1, "(") || p.isName(1)) {
		p.at++
		a.Over = p.windowSpec()
	}
}

// callForm reads a call with a syntax of its own (CAST(x AS t)), or returns nil
// where t is a function like any other.
func (p *parser) callForm(t token) expr.Expr {
	switch t.upper {
	case "CAST", "TRY_CAST":
		return p.castForm(t)
	case "STRUCT":
		return p.structForm(t)
	case "EXTRACT":
		return p.extractForm(t)
	case "SUBSTRING", "SUBSTR":
		return p.keywordArgs(t, t.upper, "FROM", "FOR")
	case "OVERLAY":
		return p.keywordArgs(t, t.upper, "PLACING", "FROM", "FOR")
	case "TRIM":
		return p.trimForm(t)
	case "POSITION":
		return p.positionForm(t)
	case "TIMESTAMPADD", "DATEADD", "DATE_ADD":
		return p.unitForm(t, "timestampadd")
	case "TIMESTAMPDIFF", "DATEDIFF", "DATE_DIFF", "TIMEDIFF":
		return p.unitForm(t, "timestampdiff")
	}
	return nil
}

// castForm reads CAST(x AS t). Without the AS it is nil: a call of a function cast,
// which has its own error.
func (p *parser) castForm(t token) expr.Expr {
	if p.isOpAt(2, ")", "*") || p.isWordAt(2, "DISTINCT") && !p.isWordAt(3, "AS") || p.isOpAt(3, "=>") {
		return nil
	}
	p.at += 2
	c := &expr.Cast{Child: p.expression()}
	if p.isOp(",", ")") {
		a := &expr.Apply{Name: []string{p.text[t.start:t.end]}, Args: []expr.Expr{c.Child}}
		for p.op(",") {
			p.argument(a)
		}
		p.mustOp(")")
		p.callClauses(a)
		a.At = p.since(t)
		return a
	}
	if t.upper == "TRY_CAST" {
		c.Mode = expr.Try
	}
	p.mustWord("AS")
	c.To = p.dataType()
	p.mustOp(")")
	c.At = p.since(t)
	return c
}

// structForm reads STRUCT(a AS x, b).
func (p *parser) structForm(t token) expr.Expr {
	p.at += 2
	a := &expr.Apply{Name: []string{p.text[t.start:t.end]}}
	if !p.isOp(")") {
		p.commaList(func() { a.Args = append(a.Args, p.namedExpression()) })
	}
	p.mustOp(")")
	p.callClauses(a)
	a.At = p.since(t)
	return a
}

// extractForm reads EXTRACT(field FROM source); the field becomes a text.
func (p *parser) extractForm(t token) expr.Expr {
	if !p.isName(2) || !p.isWordAt(3, "FROM") {
		return nil
	}
	p.at += 2
	at := p.tok().pos()
	field := &expr.Literal{Value: p.name("a field"), Typ: expr.String, At: at}
	p.mustWord("FROM")
	source := p.expression()
	p.mustOp(")")
	return p.function(t, p.text[t.start:t.end], field, source)
}

// keywordArgs reads a call whose commas may be keywords: SUBSTRING(x FROM 1 FOR
// 2). The last keyword is optional.
func (p *parser) keywordArgs(t token, name string, separators ...string) expr.Expr {
	p.at += 2
	if p.isOp(")") || p.isWord("DISTINCT", "ALL") {
		p.at -= 2
		return nil
	}
	a := &expr.Apply{Name: []string{p.text[t.start:t.end]}}
	p.argument(a)
	if !p.isWord(separators[0]) {
		for p.op(",") {
			p.argument(a)
		}
		if a.ArgNames == nil && len(a.Args) == 1 && !p.isOp(")") {
			p.unexpected(separators[0], "','")
		}
	}
	for i, s := range separators {
		if !p.isWord(s) {
			if i > 0 && i < len(separators)-1 {
				p.unexpected(s)
			}
			break
		}
		p.at++
		a.Args = append(a.Args, p.value())
		if name == "SUBSTR" {
			a.Name = []string{"substring"}
		}
	}
	p.mustOp(")")
	p.callClauses(a)
	a.At = p.since(t)
	return a
}

// trimForm reads TRIM([BOTH | LEADING | TRAILING] [chars] FROM text).
func (p *parser) trimForm(t token) expr.Expr {
	side := ""
	if p.isWordAt(2, "BOTH", "LEADING", "TRAILING") && (p.startsExpr(3) && !p.isOpAt(3, "-", "+", "*", "(") || p.isOpAt(3, "(")) {
		side = p.ahead(2).upper
	}
	mark := p.at
	p.at += 2
	if side != "" {
		p.at++
	}
	if p.isOp(")") || p.isWord("DISTINCT", "ALL") {
		p.at = mark
		return nil
	}
	var args []expr.Expr
	if !p.isWord("FROM") || !p.startsExpr(1) {
		args = append(args, p.value())
		if side == "" && !p.isWord("FROM") {
			p.at = mark
			return nil
		}
	}
	p.mustWord("FROM")
	args = append(args, p.value())
	p.mustOp(")")
	name := map[string]string{"": "trim", "BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[side]
	return p.function(t, name, args...)
}

// positionForm reads POSITION(part IN text).
func (p *parser) positionForm(t token) expr.Expr {
	mark := p.at
	p.at += 2
	if !p.startsExpr(0) {
		p.at = mark
		return nil
	}
	part := p.value()
	if !p.word("IN") {
		p.at = mark
		return nil
	}
	whole := p.value()
	p.mustOp(")")
	return p.function(t, "locate", part, whole)
}

var timeUnits = map[string]bool{
	"YEAR": true, "QUARTER": true, "MONTH": true, "WEEK": true, "DAY": true, "DAYOFYEAR": true, "HOUR": true, "MINUTE": true,
	"SECOND": true, "MILLISECOND": true, "MICROSECOND": true,
}

// unitForm reads DATEADD(unit, n, time) and DATEDIFF(unit, a, b); the unit
// becomes a text.
func (p *parser) unitForm(t token, name string) expr.Expr {
	u := p.ahead(2)
	if u.kind == text && p.isOpAt(3, ",") {
		p.quotedUnit(t)
	}
	if u.kind != word || !timeUnits[u.upper] || !p.isOpAt(3, ",") {
		return nil
	}
	p.at += 4
	args := []expr.Expr{&expr.Literal{At: u.pos(), Value: u.upper, Typ: expr.String}, p.expression()}
	for p.op(",") {
		args = append(args, p.expression())
	}
	p.mustOp(")")
	return &expr.Apply{At: p.since(t), Name: []string{name}, Args: args, Operator: true}
}

// quotedUnit refuses TIMESTAMPADD('DAY', n, time); with two arguments the text is a
// date, and the call an ordinary one.
func (p *parser) quotedUnit(t token) {
	start := p.at
	p.at += 4
	p.expression()
	three := p.op(",")
	if three {
		p.expression()
		three = p.isOp(")")
	}
	if three {
		p.at++
		err := base.UserError("INVALID_PARAMETER_VALUE.DATETIME_UNIT", "22023",
			"The value of parameter(s) `unit` in `%s` is invalid: a unit such as DAY or HOUR is a word without quotes.", strings.ToLower(t.upper))
		p.fail(err.At(p.since(t)).WithHint("leave the quotes out"))
	}
	p.at = start
}

// function makes the call of a function whose text began at t and ends here.
func (p *parser) function(t token, name string, args ...expr.Expr) expr.Expr {
	return &expr.Apply{At: p.since(t), Name: []string{strings.ToLower(name)}, Args: args}
}
