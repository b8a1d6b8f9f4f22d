package difftest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// A source is what FROM can name: columns, and which of them is a key.
type source struct {
	name string
	cols []typedName
	keys []string
	rows float64
}

type typedName struct {
	name string
	typ
}

// maxRows is how many rows a block may have before grouping, by estimate.
const maxRows = 20_000

// draw draws the query of a seed. Whether its rows have an order is said too.
func draw(seed, n uint64) (q *query, ordered bool) {
	g := &drawer{r: rand.New(rand.NewPCG(seed, n))}
	depth := 1 + g.r.IntN(3)
	for i := range g.r.IntN(3) / 2 * (1 + g.r.IntN(2)) {
		c, src := g.query(1, false)
		src.name = fmt.Sprint("c", i)
		g.ctes = append(g.ctes, src)
		q = &query{ctes: append(heads(q), cte{src.name, c})}
	}
	body, src := g.query(depth, true)
	body.ctes = heads(q)
	if g.chance(30) && !anyNear(src) {
		g.sort(body, src)
	}
	return body, len(body.sorted) > 0
}

func heads(q *query) []cte {
	if q == nil {
		return nil
	}
	return q.ctes
}

func anyNear(s source) bool {
	for _, c := range s.cols {
		if c.grade == near {
			return true
		}
	}
	return false
}

// sort orders a query by all its columns and may limit it.
func (g *drawer) sort(q *query, src source) {
	order := g.r.Perm(len(src.cols))
	for _, i := range order {
		q.sorted = append(q.sorted, sortKey{column: src.cols[i].name, down: g.chance(50), nullsAtLast: g.chance(50)})
	}
	if g.chance(60) {
		q.limit = g.r.IntN(20)
	}
	if g.chance(20) {
		q.offset = g.r.IntN(5)
	}
}

func (g *drawer) alias() string { g.names++; return fmt.Sprint("a", g.names) }

// query draws a query of one or several blocks; at the top, values may be near.
func (g *drawer) query(depth int, top bool) (*query, source) {
	q := &query{limit: -1, offset: -1}
	var src source
	q.first, src = g.block(depth, top, nil)
	for depth > 1 && g.chance(20) && !anyNear(src) {
		want := make([]kind, len(src.cols))
		for i, c := range src.cols {
			want[i] = c.kind
		}
		b, other := g.block(depth-1, false, want)
		q.more = append(q.more, operand{oneOf(g, "UNION ALL", "UNION", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"), b})
		for i := range src.cols {
			src.cols[i].typ = union(src.cols[i].typ, other.cols[i].typ)
		}
		src.rows, src.keys = src.rows+other.rows, nil
	}
	if len(q.more) > 1 {
		// INTERSECT binds tighter in both; EXCEPT ALL after UNION is read alike too.
		src.keys = nil
	}
	return q, src
}

// block draws SELECT …, of columns of the kinds wanted if any are.
func (g *drawer) block(depth int, top bool, want []kind) (*block, source) {
	b := &block{}
	s := g.sources(b, depth)
	if g.chance(50) {
		s.predicates, s.scalars = depth > 0, depth > 0
		b.where = g.term(s, boolT, 1+g.r.IntN(3))
		if depth > 0 && g.chance(20) {
			if t := g.in(s); t != nil {
				b.where = t
			}
		}
		s.predicates = false
	}
	if want == nil {
		for range 1 + g.r.IntN(4) {
			want = append(want, g.anyKind())
		}
	}
	grouped, windows := g.chance(35), false
	inner := s
	if grouped {
		inner = g.grouped(b, s)
	} else {
		inner.scalars = depth > 0
		windows = g.chance(20)
	}
	out := source{rows: s.rows}
	for i, k := range want {
		var t *term
		switch {
		case windows && g.chance(60):
			t = g.over(s, k)
		case top && k == doubleT && g.chance(40):
			t = g.nearly(inner, 1)
		}
		if t == nil {
			t = g.term(inner, k, g.r.IntN(4))
		}
		name := fmt.Sprint("c", i)
		b.items = append(b.items, item{name, t})
		out.cols = append(out.cols, typedName{name, t.typ})
	}
	if grouped && g.chance(30) {
		b.having = g.term(inner, boolT, 2)
	}
	if b.form != "" {
		// Over no rows, the grouping set without columns has a row in DuckDB and none in Spark.
		some := leaf(typ{kind: boolT}, "count(*) > 0")
		if b.having != nil {
			some = call(typ{kind: boolT}, "count(*) > 0 AND $0", b.having)
		}
		b.having = some
	}
	if !grouped && g.chance(12) && !anyNear(out) {
		b.distinct = true
	} else if !grouped && len(s.keys) == 1 && g.chance(40) && !top && len(want) > 0 {
		// A key lets the block above order its rows.
		if name := s.keys[0]; want[0] == intT {
			b.items[0].t = leaf(typ{kind: intT, most: 1e4}, name)
			out.cols[0].typ, out.keys = b.items[0].t.typ, []string{"c0"}
		}
	}
	return b, out
}

// grouped adds GROUP BY to a block and returns the scope of its items.
func (g *drawer) grouped(b *block, s *scope) *scope {
	out := &scope{under: s, rows: s.rows}
	if g.chance(20) {
		return out // one group of all rows
	}
	if g.chance(25) {
		// Keys of grouping sets are columns: whether a key inside of another expression
		// stands for the key or the column is not asked.
		seen := map[string]bool{}
		for range 1 + g.r.IntN(3) {
			if c := s.cols[g.r.IntN(len(s.cols))]; !seen[c.text[0]] {
				seen[c.text[0]] = true
				b.group = append(b.group, c)
			}
		}
		b.form = oneOf(g, "ROLLUP", "CUBE", "SETS")
		b.sets = append(b.sets, g.r.Perm(len(b.group)))
		for range 1 + g.r.IntN(3) {
			b.sets = append(b.sets, g.r.Perm(len(b.group))[:g.r.IntN(len(b.group)+1)])
		}
		out.cols = append(out.cols, b.group...)
		for _, k := range b.group {
			out.cols = append(out.cols, &term{typ: typ{kind: intT, most: 1}, text: [2]string{"CAST(grouping($0) AS INT)", "CAST(grouping($0) AS INT)"}, args: []*term{k}, fixed: true})
		}
		return out
	}
	for range 1 + g.r.IntN(3) {
		k := g.term(s, g.anyKind(), g.r.IntN(3))
		if k.constant() || k.holdsSub() {
			continue
		}
		if k.kind == boolT && len(k.args) > 0 {
			// DuckDB rewrites conditions before it looks for them among the keys.
			continue
		}
		b.group = append(b.group, k)
		out.cols = append(out.cols, k)
	}
	return out
}

// sources draws FROM and its joins.
func (g *drawer) sources(b *block, depth int) *scope {
	rel, src := g.relation(depth, maxRows)
	b.from = rel
	s := g.visible(rel, src)
	for len(b.joins) < 2 && g.chance(40) {
		if !g.join(b, s, depth) {
			break
		}
	}
	return s
}

func (g *drawer) visible(rel *relation, src source) *scope {
	s := &scope{rows: max(1, src.rows)}
	for _, c := range src.cols {
		s.cols = append(s.cols, leaf(c.typ, rel.alias+"."+c.name))
	}
	for _, k := range src.keys {
		s.keys = append(s.keys, rel.alias+"."+k)
	}
	return s
}

// relation draws a table, CTE, VALUES or subquery of at most rows rows.
func (g *drawer) relation(depth int, rows float64) (*relation, source) {
	rel := &relation{alias: g.alias()}
	if depth > 1 && g.chance(25) {
		var src source
		rel.sub, src = g.query(depth-1, false)
		if g.chance(25) {
			g.sort(rel.sub, src)
		}
		if src.rows <= rows {
			return rel, src
		}
		rel.sub = nil
	}
	if len(g.ctes) > 0 && g.chance(40) {
		src := g.ctes[g.r.IntN(len(g.ctes))]
		if src.rows <= rows {
			rel.table = src.name
			return rel, src
		}
	}
	if g.chance(4) {
		return g.inline(rel)
	}
	var fit []source
	for i, n := range sizes() {
		if float64(n) <= rows {
			fit = append(fit, table(i))
		}
	}
	// The empty table and that of one row are of less interest.
	src := fit[g.r.IntN(len(fit))]
	for range 2 {
		if src.rows < 2 {
			src = fit[g.r.IntN(len(fit))]
		}
	}
	rel.table = src.name
	return rel, src
}

func table(i int) source {
	src := source{name: fmt.Sprint("t", i), keys: []string{"id"}, rows: float64(sizes()[i])}
	for _, c := range columns() {
		src.cols = append(src.cols, typedName{c.name, c.typ})
	}
	return src
}

func (g *drawer) inline(rel *relation) (*relation, source) {
	src := source{rows: 4}
	kinds := []kind{intT, oneOf(g, stringT, dateT, doubleT, boolT)}
	for i, k := range kinds {
		c := typedName{fmt.Sprint("v", i), typ{kind: k, most: 1000, bits: 2}}
		src.cols, rel.columns = append(src.cols, c), append(rel.columns, c.name)
	}
	rel.inline = "VALUES "
	for i := range 1 + g.r.IntN(4) {
		rel.inline += pick(i > 0, ", ", "") + "(" + g.constant(kinds[0]).text[0] + ", " + g.constant(kinds[1]).text[0] + ")"
	}
	return rel, src
}

// join adds a join to a block, if one fits.
func (g *drawer) join(b *block, s *scope, depth int) bool {
	kind := g.r.IntN(len(joinWords))
	most := maxRows / s.rows
	if kind != crossJoin {
		most *= 6 // an equality leaves few of the pairs
	}
	if kind == semiJoin || kind == antiJoin {
		most = maxRows
	}
	if most < 1 {
		return false
	}
	rel, src := g.relation(depth, most)
	r := g.visible(rel, src)
	j := join{kind: kind, rel: rel}
	both := &scope{cols: append(append([]*term(nil), s.cols...), r.cols...), rows: s.rows * r.rows}
	if kind != crossJoin {
		if len(b.joins) == 0 && b.from.table != "" && b.from.table[0] == 't' && rel.table != "" && rel.table[0] == 't' && g.chance(25) {
			return g.using(b, s, r, j)
		}
		j.on = g.on(s, r, both)
		if j.on == nil {
			return false
		}
		both.rows = max(s.rows, r.rows, both.rows/6)
	}
	b.joins = append(b.joins, j)
	if kind == semiJoin || kind == antiJoin {
		return true
	}
	s.cols, s.rows = both.cols, both.rows
	if len(s.keys) > 0 && len(r.keys) > 0 {
		s.keys = append(append([]string(nil), s.keys...), r.keys...)
	} else {
		s.keys = nil
	}
	return true
}

// using is a join by columns of one name, which both sides then share.
func (g *drawer) using(b *block, s, r *scope, j join) bool {
	j.using = oneOf(g, []string{"j"}, []string{"id"}, []string{"j", "f"}, []string{"s"})
	b.joins = append(b.joins, j)
	if j.kind == semiJoin || j.kind == antiJoin {
		return true
	}
	var cols []*term
	for _, c := range append(append([]*term(nil), s.cols...), r.cols...) {
		name := c.text[0][strings.IndexByte(c.text[0], '.')+1:]
		shared := false
		for _, u := range j.using {
			shared = shared || u == name
		}
		if !shared {
			cols = append(cols, c)
		}
	}
	for _, c := range columns() {
		for _, u := range j.using {
			if u == c.name {
				cols = append(cols, leaf(c.typ, u))
			}
		}
	}
	s.cols, s.rows = cols, s.rows*r.rows/2
	s.keys = append(append([]string(nil), s.keys...), r.keys...)
	return false // a third relation would have columns of the shared names
}

// on is a condition with an equality of columns of both sides, and at times more.
func (g *drawer) on(s, r, both *scope) *term {
	k := oneOf(g, intT, stringT, bigT, dateT, decimalT, boolT)
	if s.rows*r.rows > 2000 {
		k = oneOf(g, intT, dateT, bigT)
	}
	a, b := g.term(s, k, g.r.IntN(2)), g.term(r, k, g.r.IntN(2))
	if a.constant() || b.constant() || a.holdsSub() || b.holdsSub() {
		return nil
	}
	t := call(typ{kind: boolT}, "$0 "+oneOf(g, "=", "=", "=", "IS NOT DISTINCT FROM")+" $1", a, b)
	if g.chance(35) {
		t = call(typ{kind: boolT}, "$0 AND $1", t, g.term(both, boolT, 2))
	} else if g.chance(8) && s.rows*r.rows < 3000 {
		t = g.term(both, boolT, 2)
	}
	if t.holdsSub() {
		return nil
	}
	return t
}
