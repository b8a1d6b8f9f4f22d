package resolve

import (
	"github.com/flightd/flightd/plan/expr"
)

// unknown resolves IS [NOT] UNKNOWN: IS [NOT] NULL of a BOOLEAN.
func (x *exprs) unknown(c *call) (expr.Expr, error) {
	fn, text := "isnull", "("+c.args[0].SQL()+" IS NULL)"
	if c.name == "isnotunknown" {
		fn, text = "isnotnull", "("+c.args[0].SQL()+" IS NOT UNKNOWN)"
	}
	if t := c.args[0].Type().Kind; t != expr.KindBool && t != expr.KindNull {
		return nil, unexpectedInput(c.at, text, 0, `"BOOLEAN"`, c.args[0])
	}
	return x.callOf(c, fn, text, c.args[0])
}

// likeEach resolves x [NOT] LIKE ANY | ALL (texts), whose name in Spark shows x
// alone.
func (x *exprs) likeEach(c *call) (expr.Expr, error) {
	join := "or"
	if c.name == "likeall" || c.name == "notlikeall" {
		join = "and"
	}
	terms := make([]expr.Expr, 0, len(c.args)-1)
	for _, pattern := range c.args[1:] {
		term, err := x.callOf(c, "like", "", c.args[0], pattern)
		if err == nil && c.name[0] == 'n' {
			term, err = x.callOf(c, "not", "", term)
		}
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
	}
	for len(terms) > 1 { // pairs of pairs: many patterns do not nest deeply
		pairs := terms[:0]
		for i := 0; i < len(terms); i += 2 {
			if i+1 == len(terms) {
				pairs = append(pairs, terms[i])
				break
			}
			pair, err := x.callOf(c, join, "", terms[i], terms[i+1])
			if err != nil {
				return nil, err
			}
			pairs = append(pairs, pair)
		}
		terms = pairs
	}
	return textOf(terms[0], nil)(c.name + "(" + c.args[0].SQL() + ")")
}
