package sql

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// maxSets bounds the grouping sets that a GROUP BY may spell out.
const maxSets = 4096

// groupBy reads what follows GROUP BY.
func (p *parser) groupBy() *logical.Aggregate {
	a := &logical.Aggregate{}
	if p.isWord("ALL") && p.endsItem(1) && !p.isOpAt(1, ",") {
		p.at++
		a.Kind = logical.GroupAll
		return a
	}
	var parts []groupPart
	analytics := 0
	p.commaList(func() {
		part := p.groupPart()
		if part.kind != logical.GroupPlain {
			analytics++
		}
		parts = append(parts, part)
	})
	switch {
	case analytics == 0:
		for _, part := range parts {
			a.Group = append(a.Group, part.sets[0]...)
		}
		p.groupSuffix(a)
	case len(parts) == 1 && parts[0].kind != logical.GroupSets:
		a.Kind, a.Sets = parts[0].kind, parts[0].sets
		a.Group = distinctExprs(a.Sets)
	default:
		a.Kind = logical.GroupSets
		a.Sets = [][]expr.Expr{nil}
		for _, part := range parts {
			a.Sets = p.cross(a.Sets, p.expand(part))
		}
		var all [][]expr.Expr
		for _, part := range parts {
			all = append(all, part.sets...)
		}
		a.Group = distinctExprs(all)
	}
	return a
}

// groupSuffix reads WITH CUBE, WITH ROLLUP and GROUPING SETS behind plain
// expressions.
func (p *parser) groupSuffix(a *logical.Aggregate) {
	switch {
	case p.word("WITH", "CUBE"):
		a.Kind = logical.GroupCube
	case p.word("WITH", "ROLLUP"):
		a.Kind = logical.GroupRollup
	case p.isPhrase("GROUPING", "SETS") && p.isOpAt(2, "("):
		part := p.groupPart()
		a.Kind, a.Sets = logical.GroupSets, p.expand(part)
		return
	default:
		return
	}
	for _, e := range a.Group {
		a.Sets = append(a.Sets, []expr.Expr{e})
	}
}

// groupPart is one element of a GROUP BY. sets are its columns (plain: one set;
// cube and rollup: their groups) and, for GROUPING SETS, parts its elements.
type groupPart struct {
	kind  logical.GroupKind
	sets  [][]expr.Expr
	parts []groupPart
}

func (p *parser) groupPart() groupPart {
	switch {
	case p.isWord("CUBE", "ROLLUP") && p.isOpAt(1, "("):
		part := groupPart{kind: logical.GroupCube}
		if p.advance().upper == "ROLLUP" {
			part.kind = logical.GroupRollup
		}
		p.parenthesised(func() { part.sets = append(part.sets, p.groupingSet()) })
		return part
	case p.isPhrase("GROUPING", "SETS") && p.isOpAt(2, "("):
		defer p.nest()()
		p.at += 2
		part := groupPart{kind: logical.GroupSets}
		p.parenthesised(func() {
			inner := groupPart{}
			if p.isWord("CUBE", "ROLLUP") && p.isOpAt(1, "(") || p.isPhrase("GROUPING", "SETS") {
				inner = p.groupPart()
			} else {
				inner.sets = [][]expr.Expr{p.groupingSet()}
			}
			part.parts = append(part.parts, inner)
			part.sets = append(part.sets, inner.sets...)
		})
		return part
	}
	e := p.expression()
	return groupPart{sets: [][]expr.Expr{{e}}}
}

// groupingSet reads (a, b), () or one expression.
func (p *parser) groupingSet() []expr.Expr {
	if p.isOp("(") && p.isOpAt(1, ")") {
		p.at += 2
		return nil
	}
	e := p.expression()
	if row := rowValues(e); row != nil {
		return row
	}
	return []expr.Expr{e}
}

// expand returns the grouping sets that a part stands for.
func (p *parser) expand(part groupPart) [][]expr.Expr {
	var out [][]expr.Expr
	switch part.kind {
	case logical.GroupPlain:
		return part.sets
	case logical.GroupSets:
		for _, inner := range part.parts {
			out = append(out, p.expand(inner)...)
		}
	case logical.GroupRollup:
		for n := len(part.sets); n >= 0; n-- {
			out = append(out, flatten(part.sets[:n]))
		}
	case logical.GroupCube:
		n := len(part.sets)
		if n > 12 {
			p.tooManySets()
		}
		for mask := 1<<n - 1; mask >= 0; mask-- {
			var set []expr.Expr
			for i, s := range part.sets {
				if mask>>(n-1-i)&1 == 1 {
					set = append(set, s...)
				}
			}
			out = append(out, set)
		}
	}
	if len(out) > maxSets {
		p.tooManySets()
	}
	return out
}

func (p *parser) tooManySets() {
	p.failAt(p.tok().pos(), "FAILED_TO_PARSE_TOO_COMPLEX", "54001", "The GROUP BY has more than %d grouping sets.", maxSets)
}

func (p *parser) cross(a, b [][]expr.Expr) [][]expr.Expr {
	if len(a)*len(b) > maxSets {
		p.tooManySets()
	}
	out := make([][]expr.Expr, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			out = append(out, append(x[:len(x):len(x)], y...))
		}
	}
	return out
}

func flatten(sets [][]expr.Expr) []expr.Expr {
	var out []expr.Expr
	for _, s := range sets {
		out = append(out, s...)
	}
	return out
}

// distinctExprs returns the expressions of sets, each text once, in order.
func distinctExprs(sets [][]expr.Expr) []expr.Expr {
	var out []expr.Expr
	seen := map[string]bool{}
	for _, s := range sets {
		for _, e := range s {
			if key := fold(Format(e)); !seen[key] {
				seen[key] = true
				out = append(out, e)
			}
		}
	}
	return out
}
