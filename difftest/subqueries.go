package difftest

import "fmt"

// correlation draws an equality of a column of the subquery with one outside. Spark
// takes scalar subqueries with equalities alone; the predicates with any comparison.
func (g *drawer) correlation(in, out *scope, op string) *term {
	for range 4 {
		k := oneOf(g, intT, stringT, dateT, boolT, bigT)
		a, b := g.column(in, k), g.column(out, k)
		if a != nil && b != nil {
			return call(typ{kind: boolT}, "($0 "+op+" $1)", a, b)
		}
	}
	return nil
}

func (g *drawer) column(s *scope, k kind) *term {
	var of []*term
	for _, c := range s.cols {
		// In a grouped block, columns are terms: an outer one may be an expression there.
		if c.kind == k && len(c.args) == 0 {
			of = append(of, c)
		}
	}
	if len(of) == 0 {
		return nil
	}
	return of[g.r.IntN(len(of))]
}

// simple is a subquery's block over one relation with a condition of its own.
func (g *drawer) simple() (*block, *scope) {
	b := &block{}
	rel, src := g.relation(1, 200)
	b.from = rel
	in := g.visible(rel, src)
	if g.chance(50) {
		b.where = g.term(in, boolT, 1)
	}
	return b, in
}

func (b *block) and(cond *term) {
	if b.where != nil {
		cond = call(typ{kind: boolT}, "$0 AND $1", cond, b.where)
	}
	b.where = cond
}

// scalar is a subquery of one value: an aggregate, so that it is one.
func (g *drawer) scalar(s *scope, k kind, depth int) *term {
	if !s.scalars || s.under != nil || !g.chance(40) {
		return nil
	}
	b, in := g.simple()
	a := g.aggregate(in, k)
	if a == nil || a.grade != exact {
		return nil
	}
	if g.chance(60) {
		if c := g.correlation(in, s, "="); c != nil {
			b.and(c)
		}
	}
	if g.chance(15) {
		a = call(a.typ, "coalesce($0, $1)", a, g.sized(k, a.typ))
	}
	b.items = []item{{"c0", a}}
	return &term{typ: a.typ, text: [2]string{"($q)", "($q)"}, sub: &query{first: b, limit: -1, offset: -1}}
}

// sized is a constant of a kind that needs no wider type.
func (g *drawer) sized(k kind, t typ) *term {
	if k == decimalT {
		return either(t, fmt.Sprintf("CAST(0 AS %s)", t.name(ours)), fmt.Sprintf("CAST(0 AS %s)", t.name(duck)))
	}
	return null(t)
}

// exists is EXISTS over a correlated subquery.
func (g *drawer) exists(s *scope) *term {
	if !s.predicates {
		return nil
	}
	b, in := g.simple()
	b.items = []item{{"c0", leaf(typ{kind: intT, most: 1}, "1")}}
	c := g.correlation(in, s, "=")
	if c == nil {
		return nil
	}
	b.and(c)
	if g.chance(30) {
		// Of an EXISTS with another comparison inside of an expression, DuckDB before 2.0
		// gives wrong answers.
		if more := g.correlation(in, s, "="); more != nil {
			b.and(more)
		}
	}
	text := oneOf(g, "(EXISTS ($q))", "(NOT EXISTS ($q))")
	return &term{typ: typ{kind: boolT}, text: [2]string{text, text}, sub: &query{first: b, limit: -1, offset: -1}}
}

// in is IN over a subquery. It is drawn only where FALSE and NULL are the same: inside
// of an expression, Spark's IN is never NULL.
func (g *drawer) in(s *scope) *term {
	b, in := g.simple()
	k := oneOf(g, intT, stringT, bigT, dateT, decimalT)
	value := g.term(s, k, 1)
	if value.holdsSub() {
		return nil
	}
	if value.constant() {
		// A constant NULL is in no list for Spark that one knows of, not even an empty one.
		value = g.constant(k)
	}
	b.items = []item{{"c0", g.term(in, k, 1)}}
	if g.chance(30) {
		if c := g.correlation(in, s, oneOf(g, "=", "=", "<")); c != nil {
			b.and(c)
		}
	}
	// Several values are one struct in DuckDB, which knows NULLs otherwise.
	text := "($0 " + oneOf(g, "IN", "NOT IN") + " ($q))"
	t := &term{typ: typ{kind: boolT}, text: [2]string{text, text}, args: []*term{value}, sub: &query{first: b, limit: -1, offset: -1}}
	if g.chance(40) {
		t = call(typ{kind: boolT}, "($0 "+oneOf(g, "AND", "OR")+" $1)", t, g.term(s, boolT, 2))
	}
	return t
}
