package sql

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// immediate reads EXECUTE IMMEDIATE text [USING e [AS name], …].
func (p *parser) immediate(t token) logical.Statement {
	p.at += 2
	st := &logical.Immediate{Text: p.expression()}
	if p.isWord("INTO") {
		p.unsupported(p.tok(), "EXECUTE IMMEDIATE … INTO", "there are no variables: read the result")
	}
	if p.word("USING") {
		args, ok := p.usingInParentheses()
		if !ok {
			p.commaList(func() { args = append(args, p.namedExpression()) })
		}
		for _, a := range args {
			name := ""
			if al, ok := a.(*expr.Alias); ok {
				a, name = al.Child, al.Name
			}
			st.Args, st.Names = append(st.Args, a), append(st.Names, name)
		}
	}
	st.Stmt = p.stmt(t)
	return st
}

// usingInParentheses reads (e [AS name], …), if that is all there is.
func (p *parser) usingInParentheses() ([]expr.Expr, bool) {
	if !p.isOp("(") || p.startsSubquery(0) {
		return nil, false
	}
	at, params := p.at, p.params
	var args []expr.Expr
	p.parenthesised(func() { args = append(args, p.namedExpression()) })
	if p.end() {
		return args, true
	}
	p.at, p.params = at, params
	return nil, false
}
