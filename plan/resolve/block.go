package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// item is one resolved expression of a select list. names are those of AS (a, b).
type item struct {
	named
	names []string
	at    base.Pos
	raw   expr.Expr
	star  bool
}

// block is one SELECT … FROM … GROUP BY … HAVING under resolution.
type block struct {
	r *resolver
	x *exprs
	// in is what names mean, with the Window node on top if there is one.
	in    rel
	s     *scope
	at    base.Pos
	items []item
	// agg is nil if the block does not group.
	agg *aggregation
	// pipe is logical.Project.Pipe.
	pipe string
	// having is the condition, over in.
	having   expr.Expr
	havingAt base.Pos
	// qualify is the condition of QUALIFY, over in as well.
	qualify   expr.Expr
	qualifyAt base.Pos
}

// block resolves a Project or Aggregate, with the Having over it.
func (r *resolver) block(n logical.Node, outer *scope) (*block, error) {
	b := &block{r: r, x: &exprs{r: r}, at: n.Pos()}
	if q, ok := n.(*logical.Qualify); ok {
		b.qualify, b.qualifyAt = q.Cond, q.At
		n = q.Input
	}
	var having expr.Expr
	if h, ok := n.(*logical.Having); ok {
		having, b.havingAt = h.Cond, h.At
		n = h.Input
	}
	var list []expr.Expr
	var group *logical.Aggregate
	switch n := n.(type) {
	case *logical.Project:
		list, b.pipe = n.List, n.Pipe
	case *logical.Aggregate:
		list, group = n.List, n
	default:
		in, err := r.node(n, outer)
		if err != nil {
			return nil, err
		}
		b.in = in
		list = []expr.Expr{&expr.Star{At: n.Pos()}}
		return b, b.resolveLists(list, nil, having, outer)
	}
	b.at = n.Pos()
	in, err := r.node(n.Inputs()[0], outer)
	if err != nil {
		return nil, err
	}
	b.in = in
	return b, b.resolveLists(list, group, having, outer)
}

func (b *block) resolveLists(list []expr.Expr, group *logical.Aggregate, having expr.Expr, outer *scope) error {
	b.s = &scope{cols: b.in.cols, hidden: b.in.hidden, outer: outer, aggregates: true, windows: true}
	all := append([]expr.Expr(nil), list...)
	if group != nil {
		all = append(all, group.Group...)
	}
	if err := b.x.prepareWindows(append(all, having, b.qualify), &b.in, b.s); err != nil {
		return err
	}
	if err := b.resolveItems(list); err != nil {
		return err
	}
	if err := b.resolveQualify(); err != nil {
		return err
	}
	aggregated := group != nil || having != nil
	for _, it := range b.items {
		if aggregates := holdsAgg(it.e); aggregates && b.pipe != "" {
			return base.UserError("PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION", "0A000", "The aggregate %s cannot stand in |> %s.", it.e.SQL(), b.pipe).At(it.e.Pos()).
				WithHint("write |> AGGREGATE, or give the function an OVER ()")
		} else if aggregates {
			aggregated = true
		}
	}
	if group != nil && group.Pipe {
		for _, it := range b.items[len(group.Group):] {
			if !holdsAgg(it.e) {
				return base.UserError("PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION", "0A000",
					"|> AGGREGATE takes aggregates, and %s is none.", it.e.SQL()).At(it.at).WithHint("group by it: GROUP BY %s", it.e.SQL())
			}
		}
	}
	if aggregated {
		if err := b.group(group); err != nil {
			return err
		}
	}
	if having == nil {
		return nil
	}
	s := *b.s
	s.clause = "HAVING"
	s.first = b.names()
	cond, err := b.resolveHaving(having, &s)
	if err != nil && len(b.agg.group) == 0 && base.AsError(err).Condition != "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE" { // what no GROUP BY lets stand is told first
		for _, it := range b.items {
			if _, missing := b.agg.rewrite(it.e, nil); missing != nil {
				return missing
			}
		}
	}
	b.having = cond
	return err
}

// resolveQualify resolves QUALIFY over the columns and the names of the select list.
func (b *block) resolveQualify() error {
	if b.qualify == nil {
		return nil
	}
	s := *b.s
	s.clause, s.last = "QUALIFY", append(s.last[:len(s.last):len(s.last)], b.names()...)
	cond, err := b.x.condition(b.qualify, &s)
	b.qualify = cond
	return err
}

// names are the items that later clauses may refer to by name.
func (b *block) names() []named {
	var out []named
	for _, it := range b.items {
		if it.names == nil && generatorOf(it.e) == nil {
			out = append(out, it.named)
		}
	}
	return out
}

// resolveItems resolves the select list: stars become columns, and each alias
// may be used by the items behind it.
func (b *block) resolveItems(list []expr.Expr) error {
	for i, raw := range list {
		if star, ok := raw.(*expr.Star); ok {
			cols, err := b.x.expandStar(star, b.s)
			if err != nil {
				return err
			}
			if star.Replace != nil {
				if err := b.replace(star.Replace, cols); err != nil {
					return err
				}
			}
			for _, c := range cols {
				b.items = append(b.items, item{named: c, at: star.At, raw: raw, star: true})
			}
			continue
		}
		it := item{at: raw.Pos(), raw: raw}
		inner := raw
		switch a := raw.(type) {
		case *expr.Alias:
			it.name, inner = a.Name, a.Child
		case *expr.MultiAlias:
			it.names, inner = a.Names, a.Child
		}
		used := b.x.lateralAliases
		var err error
		if named, ok := inner.(*expr.Identifier); ok { // its name is the item's
			if inner, err = b.x.identified(named, b.s); err != nil {
				return err
			}
		}
		if it.e, err = b.x.expr(inner, b.s); err != nil {
			return trailingComma(err, raw, i == len(list)-1 && i > 0)
		}
		if meta, ok := raw.(*expr.Alias); ok && meta.Meta != nil {
			it.e = &expr.Alias{At: meta.At, Child: it.e, Name: meta.Name, ID: expr.NewID(), Meta: meta.Meta}
		}
		explicit := it.name != ""
		if a, ok := it.e.(*expr.Alias); ok && explicit && a.Meta == nil {
			it.e = a.Child // v:a AS b
		}
		if !explicit && it.names == nil {
			it.name = itemName(inner, it.e)
			if _, plain := inner.(*expr.Name); !plain && b.x.lateralAliases > used { // its text names the alias
				s := *b.s
				s.naming = true
				if e, err := b.x.expr(inner, &s); err == nil {
					it.name = itemName(inner, e)
				}
			}
		}
		b.items = append(b.items, it)
		if explicit && generatorOf(it.e) == nil {
			b.s.last = append(b.s.last, it.named)
		}
	}
	return nil
}

// trailingComma tells a FROM behind a comma, which is read as a column, from other
// unknown columns.
func trailingComma(err error, raw expr.Expr, last bool) error {
	a, ok := raw.(*expr.Alias)
	if !ok || !last {
		return err
	}
	if n, ok := a.Child.(*expr.Name); ok && len(n.Parts) == 1 && strings.EqualFold(n.Parts[0], "FROM") {
		return base.UserError("TRAILING_COMMA_IN_SELECT", "42601", "The select list ends in a comma.").At(raw.Pos())
	}
	return err
}

// replace makes the column that a names an expression.
func (b *block) replace(a *expr.Alias, cols []named) error {
	for i := range cols {
		if !sameFold(cols[i].name, a.Name) {
			continue
		}
		e, err := b.x.expr(a.Child, b.s)
		if err != nil {
			return err
		}
		cols[i].e = &expr.Alias{At: a.At, Child: e, Name: cols[i].name, ID: expr.NewID()}
		return nil
	}
	list := make([]*expr.Column, len(cols))
	for i, c := range cols {
		list[i] = &expr.Column{Name: c.name}
	}
	return unresolvedColumn(a.At, []string{a.Name}, list)
}

// itemName is the name of an item without an alias.
func itemName(raw, e expr.Expr) string {
	switch e := e.(type) {
	case *expr.Column:
		if n, ok := raw.(*expr.Name); ok {
			return n.Parts[len(n.Parts)-1]
		}
		return e.Name
	case *outerRef:
		return "outer(" + e.Name + ")"
	case *expr.Alias:
		return e.Name
	case *expr.Cast:
		// A column that is only cast keeps its name.
		if a, ok := e.Child.(*expr.Alias); ok {
			return a.Name
		}
		if c, ok := e.Child.(*expr.Column); ok && !e.Implicit {
			if in := raw.Children(); len(in) == 1 {
				return itemName(in[0], c)
			}
			return c.Name
		}
	}
	if n, ok := raw.(*expr.Name); ok {
		return n.Parts[len(n.Parts)-1]
	}
	return e.SQL()
}

// expandStar returns the columns that a star stands for.
func (x *exprs) expandStar(n *expr.Star, s *scope) ([]named, error) {
	var out []named
	if len(n.Qualifier) == 0 {
		for _, c := range s.cols {
			out = append(out, named{c.Name, c})
		}
		return except(n, out)
	}
	for _, c := range append(append([]*expr.Column(nil), s.hidden...), s.cols...) {
		if qualifies(c.Qualifier, n.Qualifier) {
			out = append(out, named{c.Name, c})
		}
	}
	if out != nil {
		return except(n, out)
	}
	e, err := x.name(&expr.Name{At: n.At, Parts: n.Qualifier}, s)
	if err != nil {
		names := make([]string, len(s.cols))
		for i, c := range s.cols {
			names[i] = c.Name
		}
		return nil, base.UserError("CANNOT_RESOLVE_STAR_EXPAND", "42704",
			"Cannot resolve %s.* given input columns %s. Please check that the specified table or struct exists and is accessible in the input columns.",
			quoteName(n.Qualifier), quoteList(names)).At(n.At)
	}
	if e.Type().Kind != expr.KindStruct {
		return nil, base.UserError("_LEGACY_ERROR_TEMP_1050", "", "Can only star expand struct data types. Attribute: `List(%s)`.", n.Qualifier[len(n.Qualifier)-1]).At(n.At)
	}
	for i, f := range e.Type().Fields {
		out = append(out, named{f.Name, fieldAt(e, i, n.At)})
	}
	return except(n, out)
}

func quoteList(names []string) string {
	text := ""
	for i, n := range names {
		if i > 0 {
			text += ", "
		}
		text += "`" + n + "`"
	}
	return text
}

// except leaves out what * EXCEPT (…) names.
func except(n *expr.Star, list []named) ([]named, error) {
	for i, a := range n.Except {
		for _, b := range n.Except[:i] {
			if k := min(len(a), len(b)); qualifies(a[:k], b[:k]) {
				return nil, base.UserError("EXCEPT_OVERLAPPING_COLUMNS", "42702", "Columns in an EXCEPT list must be distinct and non-overlapping, but %s and %s are not.",
					quoteName(b), quoteName(a)).At(n.At)
			}
		}
	}
	for _, parts := range n.Except {
		if len(parts) > 1 {
			if done, err := exceptField(list, parts, n.At); done {
				continue
			} else if err != nil {
				return nil, err
			}
		}
		kept := list[:0:0]
		var dropped []*expr.Column
		for _, item := range list {
			if c, ok := item.e.(*expr.Column); !sameFold(item.name, parts[len(parts)-1]) || ok && !qualifies(c.Qualifier, parts[:len(parts)-1]) {
				kept = append(kept, item)
			} else if ok {
				dropped = append(dropped, c)
			}
		}
		if len(dropped) > 1 {
			return nil, ambiguous(&expr.Name{At: n.At, Parts: parts}, dropped)
		}
		if len(kept) == len(list) {
			cols := make([]*expr.Column, 0, len(list))
			for _, item := range list {
				cols = append(cols, &expr.Column{Name: item.name})
			}
			return nil, unresolvedColumn(n.At, parts, cols)
		}
		list = kept
	}
	if len(list) == 0 && len(n.Except) > 0 {
		return list, nil
	}
	return list, nil
}

// exceptField drops a member of a struct column: * EXCEPT (s.a).
func exceptField(list []named, parts []string, at base.Pos) (bool, error) {
	for i, item := range list {
		if !sameFold(item.name, parts[0]) || item.e.Type().Kind != expr.KindStruct {
			continue
		}
		var args []expr.Expr
		found := false
		for k, f := range item.e.Type().Fields {
			if sameFold(f.Name, parts[1]) {
				found = true
				continue
			}
			args = append(args, &expr.Literal{At: at, Value: f.Name, Typ: expr.String}, fieldAt(item.e, k, at))
		}
		if !found {
			return false, nil
		}
		x := &exprs{}
		x.r = &resolver{env: &Env{}}
		e, err := x.callOf(&call{at: at}, "named_struct", "", args...)
		if err != nil {
			return false, err
		}
		list[i].e = e
		return true, nil
	}
	return false, nil
}

func sameFold(a, b string) bool { return qualifies([]string{a}, []string{b}) }

func holdsAgg(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		if o, ok := e.(*overCall); ok {
			for _, c := range o.Children() {
				found = found || holdsAgg(c)
			}
			return false
		}
		if _, ok := e.(*expr.Agg); ok {
			found = true
		}
		return !found
	})
	return found
}
