package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// finish builds the block's plan, from the bottom: Aggregate, HAVING, subqueries,
// OVER, generator, Project, and the sort of its result if there is one.
func (b *block) finish(order *logical.Sort) (rel, error) {
	keys, err := b.sortKeys(order)
	if err != nil {
		return rel{}, err
	}
	list := make([]expr.Expr, 0, len(b.items)+len(keys))
	for _, it := range b.items {
		list = append(list, it.e)
	}
	for _, k := range keys {
		list = append(list, k.Expr)
	}
	if b.agg != nil && b.agg.subqueries != nil {
		if err := b.agg.checkScalars(nil, list[:len(b.items)], b.having); err != nil {
			return rel{}, err
		}
	}
	if err := noScalarKeys(order, keys, b.items); err != nil {
		return rel{}, err
	}
	if b.qualify != nil {
		list = append(list, b.qualify)
	}
	node := b.in.node
	if b.agg != nil {
		if err := checkOuterAggregate(&logical.Aggregate{At: b.agg.at, Group: b.agg.group, List: list}); err != nil {
			return rel{}, err
		}
		if err := b.agg.checkScalars(list, list[:len(b.items)], b.having); err != nil {
			return rel{}, err
		}
		if node, list, err = b.aggregated(list); err != nil {
			return rel{}, err
		}
	}
	if node, list, err = placeSubqueries(node, list); err != nil {
		return rel{}, err
	}
	if node, list, err = placeOver(node, list); err != nil {
		return rel{}, err
	}
	if b.qualify != nil {
		last := len(list) - 1
		node = &logical.Filter{At: b.qualifyAt, Cond: list[last], Input: node}
		list = list[:last]
	}
	for i, e := range list[len(b.items):] {
		keys[i].Expr = e
	}
	node, items, err := b.generate(node, list[:len(b.items)])
	if err != nil {
		return rel{}, err
	}
	if order == nil {
		return b.project(node, items), nil
	}
	return b.sorted(order, node, items, keys), nil
}

// aggregated puts the Aggregate and HAVING under list.
func (b *block) aggregated(list []expr.Expr) (logical.Node, []expr.Expr, error) {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = b.agg.rewrite(e, nil); err != nil {
			if c := base.AsError(err).Condition; i >= len(b.items) && (c == "MISSING_GROUP_BY" || c == "MISSING_AGGREGATION") {
				return nil, nil, unresolvedColumn(base.AsError(err).Pos, []string{e.SQL()}, b.shown())
			}
			return nil, nil, err
		}
	}
	if b.agg.unsupported {
		return nil, nil, base.UserError("UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E",
			"Rows cannot be grouped by a window function or a generator.").At(b.agg.at).WithHint("compute it in a subquery, and group by its column")
	}
	if b.having == nil {
		node, err := b.agg.node()
		return node, out, err
	}
	b.agg.shown = b.shown()
	cond, err := b.agg.rewrite(b.having, nil)
	if err != nil {
		return nil, nil, err
	}
	node, err := b.agg.node()
	if err == nil {
		node, err = filterSubqueries(node, b.havingAt, cond)
	}
	return node, out, err
}

// shown are the names of the select list, for errors.
func (b *block) shown() []*expr.Column {
	cols := []*expr.Column{}
	for _, it := range b.items {
		cols = append(cols, &expr.Column{Name: it.name})
	}
	return cols
}

// generate puts the generator of the select list, if there is one, over node;
// its columns take its place among the items.
func (b *block) generate(node logical.Node, list []expr.Expr) (logical.Node, []item, error) {
	var out []item
	for i, it := range b.items {
		it.e = list[i]
		gen := generatorOf(it.e)
		if gen == nil {
			if it.names != nil {
				return nil, nil, multiAlias(it.at, it.names, it.e)
			}
			out = append(out, it)
			continue
		}
		names := it.names
		if _, ok := it.raw.(*expr.Alias); ok && names == nil {
			names = []string{it.name}
		}
		g, err := generateNode(it.at, gen, false, nil, names, node)
		if err != nil {
			return nil, nil, err
		}
		node = g
		for _, c := range g.Columns {
			out = append(out, item{named: named{c.Name, c}, at: it.at})
		}
	}
	return node, out, nil
}

// column is what an item puts out: a bare column as it is, under the item's
// name, anything else as an alias.
func (it *item) output() (expr.Expr, *expr.Column) {
	switch e := it.e.(type) {
	case *expr.Column:
		d := *e
		d.Name = it.name
		d.Qualifier = nil
		c := d
		if it.name == e.Name {
			c.Qualifier = e.Qualifier
		}
		if it.rawQualifier() != nil {
			c.Qualifier = it.rawQualifier()
		}
		return &d, &c
	case *expr.Alias:
		return e, &expr.Column{At: it.at, ID: e.ID, Name: e.Name, Typ: e.Type(), Null: e.Nullable(), Meta: logical.MetaOf(e)}
	}
	a := &expr.Alias{At: it.at, Child: it.e, Name: it.name, ID: expr.NewID(), Meta: timeMeta(it.e)}
	return a, &expr.Column{At: it.at, ID: a.ID, Name: a.Name, Typ: a.Type(), Null: a.Nullable(), Meta: logical.MetaOf(a)}
}

// rawQualifier is the qualifier of an item's column in the block's input, which
// an Aggregate in between has lost.
func (it *item) rawQualifier() []string {
	if n, ok := it.raw.(*expr.Name); ok && len(n.Parts) > 1 {
		return n.Parts[:len(n.Parts)-1]
	}
	return nil
}

// timeMeta keeps the event time of window_time over a window with one.
func timeMeta(e expr.Expr) *expr.Meta {
	if c, ok := e.(*expr.Call); ok && c.Fn == "window_time" {
		if m := windowMeta(e); m.EventTime {
			return &m
		}
	}
	return nil
}

// project puts the Project of the items over node, unless node puts out just
// them.
func (b *block) project(node logical.Node, items []item) rel {
	list := make([]expr.Expr, len(items))
	cols := make([]*expr.Column, len(items))
	for i := range items {
		list[i], cols[i] = items[i].output()
		b.r.from(cols[i].ID, items[i].e)
	}
	unique(list, cols)
	if agg, ok := node.(*logical.Aggregate); ok {
		if direct(agg, items) {
			return rel{node: namedAggregate(agg, items), cols: cols}
		}
	}
	return rel{node: &logical.Project{At: b.at, List: list, Input: node}, cols: cols}
}

// unique gives a column that the list puts out twice an ID of its own.
func unique(list []expr.Expr, cols []*expr.Column) {
	seen := map[expr.ID]bool{}
	for i, c := range cols {
		if !seen[c.ID] {
			seen[c.ID] = true
			continue
		}
		child := list[i]
		if a, ok := child.(*expr.Alias); ok {
			child = a.Child
		}
		a := &expr.Alias{At: c.At, Child: child, Name: c.Name, ID: expr.NewID()}
		list[i] = a
		d := *c
		d.ID = a.ID
		cols[i] = &d
	}
}

// direct reports whether the items are exactly the columns of agg, in order.
func direct(agg *logical.Aggregate, items []item) bool {
	out := agg.Output()
	if len(out) != len(items) {
		return false
	}
	for i, it := range items {
		c, ok := it.e.(*expr.Column)
		if !ok || c.ID != out[i].ID {
			return false
		}
	}
	return true
}

// namedAggregate gives the columns of agg the items' names.
func namedAggregate(agg *logical.Aggregate, items []item) logical.Node {
	d := *agg
	d.List = make([]expr.Expr, len(agg.List))
	for i, e := range agg.List {
		switch e := e.(type) {
		case *expr.Column:
			c := *e
			c.Name = items[i].name
			d.List[i] = &c
		case *expr.Alias:
			a := *e
			a.Name = items[i].name
			d.List[i] = &a
		}
	}
	return &d
}

// sortKeys resolves ORDER BY over the block: its items by ordinal or name first,
// then whatever the block's input has.
func (b *block) sortKeys(n *logical.Sort) ([]expr.SortTerm, error) {
	if n == nil {
		return nil, nil
	}
	if n.All {
		out := make([]expr.SortTerm, len(b.items))
		for i, it := range b.items {
			out[i] = expr.SortTerm{Expr: it.e, NullsFirst: true}
			if len(n.Keys) > 0 {
				out[i].Descending, out[i].NullsFirst = n.Keys[0].Descending, n.Keys[0].NullsFirst
			}
		}
		return out, nil
	}
	s := *b.s
	s.clause = "ORDER BY"
	s.first = b.names()
	s.aggregates = true
	out := make([]expr.SortTerm, len(n.Keys))
	for i, k := range n.Keys {
		out[i] = k
		if at, ok := sortOrdinal(k.Expr); ok {
			if at < 1 || at > len(b.items) {
				return nil, orderOutOfRange(k.Expr, at, len(b.items))
			}
			out[i].Expr = b.items[at-1].e
			continue
		}
		e, err := b.x.expr(k.Expr, &s)
		if err != nil {
			if name, ok := k.Expr.(*expr.Name); ok && base.AsError(err).Condition == "AMBIGUOUS_LATERAL_COLUMN_ALIAS" {
				return nil, unresolvedColumn(name.At, name.Parts, b.shown())
			}
			return nil, err
		}
		if b.agg == nil && holdsAgg(e) {
			return nil, base.UserError("UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E",
				"The query operator Sort contains one or more unsupported expressions.\nInvalid expressions: [%q]", e.SQL()).At(k.Expr.Pos())
		}
		out[i].Expr = e
	}
	for i, k := range out {
		if t := k.Expr.Type(); !t.Orderable() {
			return nil, mismatch("INVALID_ORDERING_TYPE", n.Keys[i].Expr.Pos(), k.Expr.SQL(), "The `sortorder` does not support ordering on type %q.", t.SQL())
		}
	}
	return out, nil
}

func sortOrdinal(e expr.Expr) (int, bool) {
	if lit, ok := e.(*expr.Literal); ok && lit.Typ.Kind == expr.KindInt32 && lit.Value != nil {
		return int(lit.Value.(int64)), true
	}
	return 0, false
}

func orderOutOfRange(e expr.Expr, at, n int) error {
	return base.UserError("ORDER_BY_POS_OUT_OF_RANGE", "42805", "ORDER BY position %d is not in select list (valid range is [1, %d]).", at, n).At(e.Pos())
}

// sorted puts the Sort over the Project of the items. Keys that are no items ride
// along as columns and are dropped above.
func (b *block) sorted(n *logical.Sort, node logical.Node, items []item, keys []expr.SortTerm) rel {
	out := b.project(node, items)
	// An aggregate's project may have vanished: keys are over its output then.
	prints := map[string]*expr.Column{}
	for i := range items {
		prints[expr.Fingerprint(items[i].e)] = out.cols[i]
	}
	var hidden []expr.Expr
	for i, k := range keys {
		if gen := generatorOf(k.Expr); gen != nil {
			continue
		}
		if c := prints[expr.Fingerprint(k.Expr)]; c != nil {
			keys[i].Expr = plain(c)
			continue
		}
		a := &expr.Alias{At: k.Expr.Pos(), Child: k.Expr, Name: k.Expr.SQL(), ID: expr.NewID()}
		hidden = append(hidden, a)
		c := &expr.Column{At: a.At, ID: a.ID, Name: a.Name, Typ: a.Type(), Null: a.Nullable()}
		prints[expr.Fingerprint(k.Expr)] = c
		keys[i].Expr = c
	}
	if hidden == nil {
		out.node = &logical.Sort{At: n.At, Keys: keys, Global: n.Global, Input: out.node}
		return out
	}
	if p, ok := out.node.(*logical.Project); ok && p.Input == node {
		q := *p
		q.List = append(p.List[:len(p.List):len(p.List)], hidden...)
		out.node = &q
	} else {
		out.node = &logical.Project{At: b.at, List: append(asExprs(out.node.Output()), hidden...), Input: out.node}
	}
	list := make([]expr.Expr, len(out.cols))
	for i, c := range out.cols {
		list[i] = plain(c)
	}
	sort := &logical.Sort{At: n.At, Keys: keys, Global: n.Global, Input: out.node}
	out.node = &logical.Project{At: b.at, List: list, Input: sort}
	return out
}

// sort resolves ORDER BY and SORT BY over any relation.
func (r *resolver) sort(n *logical.Sort, outer *scope) (rel, error) {
	switch n.Input.(type) {
	case *logical.Project, *logical.Aggregate, *logical.Having, *logical.Qualify:
		b, err := r.block(n.Input, outer)
		if err != nil {
			return rel{}, err
		}
		return b.finish(n)
	}
	in, err := r.node(n.Input, outer)
	if err != nil {
		return rel{}, err
	}
	b := &block{r: r, x: &exprs{r: r, windows: nil}, in: in, at: n.At, s: &scope{cols: in.cols, hidden: in.hidden, outer: outer}}
	for _, c := range in.cols {
		b.items = append(b.items, item{named: named{c.Name, c}, at: n.At})
	}
	keys, err := b.sortKeys(n)
	if err != nil {
		return rel{}, err
	}
	if err := noScalarKeys(n, keys, b.items); err != nil {
		return rel{}, err
	}
	list := make([]expr.Expr, len(keys))
	for i, k := range keys {
		list[i] = k.Expr
	}
	node, list, err := placeSubqueries(in.node, list)
	if err != nil {
		return rel{}, err
	}
	if node, list, err = placeOver(node, list); err != nil {
		return rel{}, err
	}
	for i := range keys {
		keys[i].Expr = list[i]
	}
	in.node = &logical.Sort{At: n.At, Keys: keys, Global: n.Global, Input: node}
	return in, nil
}

// multiAlias is the error of names for what is no generator.
func multiAlias(at base.Pos, names []string, e expr.Expr) error {
	return base.UserError("MULTI_ALIAS_WITHOUT_GENERATOR", "42K0E",
		"Multi part aliasing (%s) is not supported with %s as it is not a generator function.", quoteList(names), e.SQL()).At(at)
}
