package difftest

import (
	"fmt"
	"strings"
)

// A query is one statement or a subquery.
type query struct {
	ctes  []cte
	first *block
	more  []operand
	// sorted orders by all columns, so that equal rows are the same row and LIMIT
	// has one meaning.
	sorted []sortKey
	// limit and offset are −1 if there is none.
	limit, offset int
}

type cte struct {
	name string
	q    *query
}

type operand struct {
	op string
	b  *block
}

type sortKey struct {
	column            string
	down, nullsAtLast bool
}

// A block is SELECT … FROM … WHERE … GROUP BY … HAVING.
type block struct {
	distinct bool
	items    []item
	from     *relation
	joins    []join
	where    *term
	group    []*term
	// form is "", ROLLUP, CUBE or SETS, whose sets are numbers of keys.
	form   string
	sets   [][]int
	having *term
}

type item struct {
	name string
	t    *term
}

// A relation is a table, a CTE or a subquery under a name.
type relation struct {
	alias string
	table string
	sub   *query
	// inline is a VALUES list, written alike in both dialects.
	inline  string
	lateral bool
	columns []string // of inline
}

type join struct {
	// kind is an index of joinWords.
	kind  int
	rel   *relation
	on    *term
	using []string
}

var joinWords = [...][2]string{
	{"JOIN", "JOIN"}, {"LEFT JOIN", "LEFT JOIN"}, {"RIGHT JOIN", "RIGHT JOIN"}, {"FULL JOIN", "FULL JOIN"},
	{"CROSS JOIN", "CROSS JOIN"}, {"LEFT SEMI JOIN", "SEMI JOIN"}, {"LEFT ANTI JOIN", "ANTI JOIN"},
}

const (
	innerJoin = iota
	leftJoin
	rightJoin
	fullJoin
	crossJoin
	semiJoin
	antiJoin
)

func (q *query) sql(d dialect) string {
	var b strings.Builder
	q.write(&b, d)
	return b.String()
}

func (q *query) write(b *strings.Builder, d dialect) {
	for i, c := range q.ctes {
		b.WriteString([2]string{"WITH ", ", "}[min(i, 1)] + c.name + " AS (")
		c.q.write(b, d)
		b.WriteString(")")
	}
	if len(q.ctes) > 0 {
		b.WriteString(" ")
	}
	q.first.write(b, d)
	for _, o := range q.more {
		b.WriteString(" " + o.op + " ")
		o.b.write(b, d)
	}
	for i, k := range q.sorted {
		fmt.Fprintf(b, "%s%s%s%s", [2]string{" ORDER BY ", ", "}[min(i, 1)], k.column, pick(k.down, " DESC", ""), pick(k.nullsAtLast, " NULLS LAST", " NULLS FIRST"))
	}
	if q.limit >= 0 {
		fmt.Fprintf(b, " LIMIT %d", q.limit)
	}
	if q.offset >= 0 {
		fmt.Fprintf(b, " OFFSET %d", q.offset)
	}
}

func pick(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}

func (s *block) write(b *strings.Builder, d dialect) {
	b.WriteString(pick(s.distinct, "SELECT DISTINCT ", "SELECT "))
	for i, it := range s.items {
		if i > 0 {
			b.WriteString(", ")
		}
		it.t.write(b, d)
		b.WriteString(" AS " + it.name)
	}
	if s.from != nil {
		b.WriteString(" FROM ")
		s.from.write(b, d)
	}
	for _, j := range s.joins {
		b.WriteString(" " + joinWords[j.kind][d] + " ")
		j.rel.write(b, d)
		if j.on != nil {
			b.WriteString(" ON ")
			j.on.write(b, d)
		}
		if len(j.using) > 0 {
			b.WriteString(" USING (" + strings.Join(j.using, ", ") + ")")
		}
	}
	if s.where != nil {
		b.WriteString(" WHERE ")
		s.where.write(b, d)
	}
	s.writeGroup(b, d)
	if s.having != nil {
		b.WriteString(" HAVING ")
		s.having.write(b, d)
	}
}

func (s *block) writeGroup(b *strings.Builder, d dialect) {
	if len(s.group) == 0 {
		return
	}
	keys := make([]string, len(s.group))
	for i, k := range s.group {
		keys[i] = k.sql(d)
	}
	b.WriteString(" GROUP BY ")
	switch s.form {
	case "":
		b.WriteString(strings.Join(keys, ", "))
	case "SETS":
		b.WriteString("GROUPING SETS (")
		for i, set := range s.sets {
			b.WriteString(pick(i > 0, ", (", "("))
			for j, k := range set {
				b.WriteString(pick(j > 0, ", ", "") + keys[k])
			}
			b.WriteString(")")
		}
		b.WriteString(")")
	default:
		b.WriteString(s.form + " (" + strings.Join(keys, ", ") + ")")
	}
}

func (r *relation) write(b *strings.Builder, d dialect) {
	b.WriteString(pick(r.lateral, "LATERAL ", ""))
	switch {
	case r.sub != nil:
		b.WriteString("(")
		r.sub.write(b, d)
		b.WriteString(")")
	case r.inline != "":
		b.WriteString("(" + r.inline + ")")
	default:
		b.WriteString(r.table)
	}
	b.WriteString(" AS " + r.alias)
	if r.inline != "" {
		b.WriteString("(" + strings.Join(r.columns, ", ") + ")")
	}
}
