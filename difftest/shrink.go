package difftest

import "slices"

// An edit changes a query in place and returns how to undo it.
type edit func() (undo func())

// shrink cuts parts off q as long as differs still says so; it asks at most tries
// times. A cut that makes the query invalid is an error of both, and no difference.
func shrink(q *query, differs func(*query) bool, tries int) {
	for changed := true; changed; {
		changed = false
		for _, e := range edits(q) {
			if tries--; tries < 0 {
				return
			}
			undo := e()
			if differs(q) {
				changed = true
				break
			}
			undo()
		}
	}
}

// set is the edit that gives *p another value.
func set[T any](p *T, v T) edit {
	return func() func() {
		old := *p
		*p = v
		return func() { *p = old }
	}
}

// without are the edits that leave out one element of a list.
func without[T any](p *[]T) []edit {
	var out []edit
	for i := range *p {
		out = append(out, set(p, slices.Delete(slices.Clone(*p), i, i+1)))
	}
	return out
}

// edits are all single cuts of q, the largest first.
func edits(q *query) []edit {
	var out []edit
	out = append(out, without(&q.ctes)...)
	if len(q.more) > 0 {
		out = append(out, without(&q.more)...)
		out = append(out, func() func() {
			first, more := q.first, q.more
			q.first, q.more = more[0].b, more[1:]
			return func() { q.first, q.more = first, more }
		})
	}
	if q.sorted != nil && q.limit < 0 && q.offset < 0 {
		out = append(out, set(&q.sorted, nil))
	}
	if q.limit >= 0 {
		out = append(out, set(&q.limit, -1))
	}
	if q.offset >= 0 {
		out = append(out, set(&q.offset, -1))
	}
	out = append(out, q.first.edits()...)
	for _, o := range q.more {
		out = append(out, o.b.edits()...)
	}
	for _, c := range q.ctes {
		out = append(out, edits(c.q)...)
	}
	return append(out, without(&q.sorted)...)
}

func (b *block) edits() []edit {
	var out []edit
	if b.where != nil {
		out = append(out, set(&b.where, nil))
	}
	if b.having != nil {
		out = append(out, set(&b.having, nil))
	}
	if b.distinct {
		out = append(out, set(&b.distinct, false))
	}
	if len(b.items) > 1 {
		out = append(out, without(&b.items)...)
	}
	out = append(out, without(&b.joins)...)
	if b.form != "SETS" { // whose sets are numbers of keys
		out = append(out, without(&b.group)...)
	}
	if b.form != "" {
		out = append(out, set(&b.form, ""))
	}
	if len(b.sets) > 1 {
		out = append(out, without(&b.sets)...)
	}
	rels := []*relation{b.from}
	for i := range b.joins {
		rels = append(rels, b.joins[i].rel)
		if b.joins[i].kind != innerJoin && b.joins[i].kind != crossJoin {
			out = append(out, set(&b.joins[i].kind, innerJoin))
		}
	}
	for _, r := range rels {
		if r == nil {
			continue
		}
		if r.sub != nil {
			out = append(out, edits(r.sub)...)
		} else if len(r.table) == 2 && r.table[0] == 't' && r.table > "t1" {
			out = append(out, set(&r.table, "t"+string(r.table[1]-1)))
		}
	}
	for i := range b.items {
		out = append(out, b.items[i].t.edits(&b.items[i].t)...)
	}
	for i := range b.joins {
		if b.joins[i].on != nil {
			out = append(out, b.joins[i].on.edits(&b.joins[i].on)...)
		}
	}
	if b.where != nil {
		out = append(out, b.where.edits(&b.where)...)
	}
	if b.having != nil {
		out = append(out, b.having.edits(&b.having)...)
	}
	for i := range b.group {
		out = append(out, b.group[i].edits(&b.group[i])...)
	}
	return out
}

// edits are the cuts of a term that stands at p: by an argument of its kind, a
// constant, and those of its arguments.
func (t *term) edits(p **term) []edit {
	var out []edit
	if t.sub != nil {
		out = append(out, edits(t.sub)...)
	}
	if len(t.args) == 0 && t.sub == nil {
		return out
	}
	for _, a := range t.args {
		if a.kind == t.kind {
			out = append(out, set(p, a))
		}
	}
	if !t.aggregate && !t.window {
		out = append(out, set(p, null(t.typ)))
		if t.kind == boolT {
			out = append(out, set(p, leaf(t.typ, "TRUE")))
		}
	}
	for i, a := range t.args {
		// A copy, since group keys are shared between GROUP BY and the items.
		_ = a
		out = append(out, t.args[i].edits(&t.args[i])...)
	}
	return out
}
