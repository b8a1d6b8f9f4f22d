package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// decorrelated is a subquery whose plan mentions no column of the outer query any
// more: a row of the outer query goes with the rows of node for which conds hold.
type decorrelated struct {
	node  logical.Node
	conds []expr.Expr
	// outer are the columns of the outer query that the domains in node have the
	// different values of; nil if there is no domain.
	outer []*expr.Column
}

// decorrelate takes the columns of the outer query out of a subquery's plan.
//
// Where that changes nothing, the conditions that hold them are taken up and become
// those of a join. Elsewhere, where the outer column decides what an aggregate, a
// LIMIT or a projection sees, the part of the plan is run for all values of the outer
// columns at once: it is joined with their domain, and puts the domain's columns out
// beside its own. top, if not nil, is an aggregate without groups whose missing row is
// made up for by who asked.
func decorrelate(n logical.Node, top *logical.Aggregate) (*decorrelated, error) {
	d := &decorrelation{top: top}
	d.outer = outerColumns(n)
	out, conds, err := d.pull(n)
	if err != nil {
		return nil, err
	}
	for i, c := range conds {
		conds[i] = bindOuter(c, nil)
	}
	res := &decorrelated{node: out, conds: conds}
	if d.domains > 0 {
		res.outer = d.outer
	}
	return res, nil
}

// decorrelation is the state of one decorrelate.
type decorrelation struct {
	top     *logical.Aggregate
	outer   []*expr.Column
	domains int
}

// domain stands for the different values of the outer columns, until the plan of the
// outer query is known.
type domain struct {
	// of are the outer columns, columns those that this domain puts out for them.
	of      []expr.ID
	columns []*expr.Column
}

func (n *domain) Pos() base.Pos                    { return base.Pos{} }
func (n *domain) Inputs() []logical.Node           { return nil }
func (n *domain) With([]logical.Node) logical.Node { return n }
func (n *domain) Output() []*expr.Column           { return n.columns }

// overDomains puts the values of the outer columns, over the plan outer, into the
// domains of n.
func overDomains(n logical.Node, of []*expr.Column, values []expr.Expr, outer logical.Node) logical.Node {
	if d, ok := n.(*domain); ok {
		list := make([]expr.Expr, len(d.columns))
		for i, c := range d.columns {
			for k := range of {
				if of[k].ID == d.of[i] {
					list[i] = &expr.Alias{Child: values[k], Name: c.Name, ID: c.ID}
				}
			}
		}
		return &logical.Distinct{Input: &logical.Project{List: list, Input: outer}}
	}
	ins := n.Inputs()
	changed := false
	kids := make([]logical.Node, len(ins))
	for i, in := range ins {
		kids[i] = overDomains(in, of, values, outer)
		changed = changed || kids[i] != in
	}
	if !changed {
		return n
	}
	return n.With(kids)
}

// bindOuter replaces outer columns by those of cols that stand for them, or if cols is
// nil by themselves.
func bindOuter(e expr.Expr, cols map[expr.ID]*expr.Column) expr.Expr {
	if e == nil {
		return nil
	}
	out, err := expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
		o, ok := e.(*outerRef)
		if !ok {
			return e, nil
		}
		if c := cols[o.ID]; c != nil {
			return c, nil
		}
		return o.Column, nil
	})
	if err != nil {
		return e
	}
	return out
}

func bindAll(list []expr.Expr, cols map[expr.ID]*expr.Column) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = bindOuter(e, cols)
	}
	return out
}

func holdsOuter(e expr.Expr) bool {
	found := false
	if e == nil {
		return false
	}
	expr.Walk(e, func(e expr.Expr) bool {
		_, ok := e.(*outerRef)
		found = found || ok
		return !found
	})
	return found
}

// anyOuter reports whether an expression of n itself mentions the outer query.
func anyOuter(n logical.Node) bool {
	for _, e := range logical.Exprs(n) {
		if holdsOuter(e) {
			return true
		}
	}
	return false
}

// correlated reports whether n or what is below it mentions the outer query.
func correlated(n logical.Node) bool {
	if anyOuter(n) {
		return true
	}
	for _, in := range n.Inputs() {
		if correlated(in) {
			return true
		}
	}
	return false
}

// outerReferences are the mentions of the outer query in a plan, from the top.
func outerReferences(n logical.Node) []*expr.Column {
	var out []*expr.Column
	for _, e := range logical.Exprs(n) {
		expr.Walk(e, func(e expr.Expr) bool {
			if o, ok := e.(*outerRef); ok {
				out = append(out, o.Column)
			}
			return true
		})
	}
	for _, in := range n.Inputs() {
		out = append(out, outerReferences(in)...)
	}
	return out
}

// outerColumns are the outer columns that a plan mentions, each once.
func outerColumns(n logical.Node) []*expr.Column {
	var out []*expr.Column
	for _, c := range outerReferences(n) {
		if !holds(out, c.ID) {
			out = append(out, c)
		}
	}
	return out
}

// pull takes the conditions with outer columns out of n. Its result puts out what
// they need of it as well, behind its own columns.
func (d *decorrelation) pull(n logical.Node) (logical.Node, []expr.Expr, error) {
	if !correlated(n) {
		return n, nil, nil
	}
	ins := n.Inputs()
	if _, filter := n.(*logical.Filter); !filter && anyOuter(n) || len(ins) == 0 {
		if j, ok := n.(*logical.Join); !ok || j.Kind != physical.Inner {
			return d.apart(n)
		}
	}
	kids := make([]logical.Node, len(ins))
	each := make([][]expr.Expr, len(ins))
	var conds []expr.Expr
	for i, in := range ins {
		var err error
		if kids[i], each[i], err = d.pull(in); err != nil {
			return nil, nil, err
		}
		conds = append(conds, each[i]...)
	}
	switch n := n.(type) {
	case *logical.Filter:
		stay, out := parted(n.Cond)
		conds = append(conds, out...)
		if len(stay) == 0 {
			return kids[0], conds, nil
		}
		return &logical.Filter{At: n.At, Cond: conjunction(stay), Input: kids[0]}, conds, nil
	case *logical.Project:
		list := append(n.List[:len(n.List):len(n.List)], asExprs(needed(kids[0], n.Output(), conds))...)
		return &logical.Project{At: n.At, List: list, Input: kids[0]}, conds, nil
	case *logical.Aggregate:
		if len(n.Group) > 0 || n == d.top {
			if out, conds, ok := groupedBy(n, kids[0], conds); ok {
				return out, conds, nil
			}
		}
	case *logical.Distinct:
		if out, conds, ok := distinctBy(n, kids[0], conds); ok {
			return out, conds, nil
		}
	case *logical.Join:
		if out, conds, ok := pulledJoin(n, kids, each); ok {
			return out, conds, nil
		}
	case *logical.Sort, *logical.Generate, *logical.Repartition:
		return n.With(kids), conds, nil
	}
	return d.apart(n)
}

// parted splits a condition into the conjuncts that mention no outer column, and the
// others.
func parted(cond expr.Expr) (stay, out []expr.Expr) {
	for _, c := range conjuncts(cond) {
		if holdsOuter(c) {
			out = append(out, c)
		} else {
			stay = append(stay, c)
		}
	}
	return stay, out
}

// apart runs n for the domain of the outer columns; the conditions say which rows go
// with which outer row.
func (d *decorrelation) apart(n logical.Node) (logical.Node, []expr.Expr, error) {
	out, cols, err := d.domain(n)
	if err != nil {
		return nil, nil, err
	}
	conds := make([]expr.Expr, len(d.outer))
	for i, o := range d.outer {
		conds[i] = sameValue(&outerRef{o}, cols[o.ID])
	}
	return out, conds, nil
}

func sameValue(a, b expr.Expr) expr.Expr {
	return &expr.Call{Fn: "<=>", Args: []expr.Expr{a, b}, Typ: expr.Bool}
}

func notAllowed(at base.Pos, what string) error {
	return base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED", "0A000",
		"A column of the outer query cannot be used in this place of a subquery: %s", what).At(at)
}

// needed are the columns of in that conds mention and have does not put out.
func needed(in logical.Node, have []*expr.Column, conds []expr.Expr) []*expr.Column {
	seen := map[expr.ID]bool{}
	for _, c := range have {
		seen[c.ID] = true
	}
	offered := map[expr.ID]*expr.Column{}
	for _, c := range in.Output() {
		offered[c.ID] = c
	}
	var out []*expr.Column
	for _, cond := range conds {
		expr.Walk(cond, func(e expr.Expr) bool {
			if c, ok := e.(*expr.Column); ok && !seen[c.ID] && offered[c.ID] != nil {
				seen[c.ID] = true
				out = append(out, offered[c.ID])
			}
			return true
		})
	}
	return out
}

// keyed makes every condition an equality between an outer expression and a column of
// in, which it may add columns to; ok is false if one is none. Rows of in that differ
// in such a column go with different outer rows.
func keyed(in logical.Node, conds []expr.Expr) (logical.Node, []expr.Expr, bool) {
	out := make([]expr.Expr, len(conds))
	var added []expr.Expr
	for i, c := range conds {
		k, ok := c.(*expr.Call)
		if !ok || k.Fn != "=" && k.Fn != "<=>" {
			return nil, nil, false
		}
		side := 0
		if holdsOuter(k.Args[0]) {
			side = 1
		}
		inner, outer := k.Args[side], k.Args[1-side]
		if holdsOuter(inner) || !holdsOuter(outer) || holdsColumn(outer) {
			return nil, nil, false
		}
		if _, ok := inner.(*expr.Column); !ok {
			a := &expr.Alias{At: inner.Pos(), Child: inner, Name: inner.SQL(), ID: expr.NewID()}
			added = append(added, a)
			inner = &expr.Column{At: inner.Pos(), ID: a.ID, Name: a.Name, Typ: a.Type(), Null: a.Nullable()}
		}
		next := *k
		next.Args = []expr.Expr{inner, outer}
		out[i] = &next
	}
	if added != nil {
		in = &logical.Project{At: in.Pos(), List: append(asExprs(in.Output()), added...), Input: in}
	}
	return in, out, true
}

func holdsColumn(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		_, ok := e.(*expr.Column)
		found = found || ok
		return !found
	})
	return found
}

// groupedBy groups by what the conditions need as well.
func groupedBy(n *logical.Aggregate, in logical.Node, conds []expr.Expr) (logical.Node, []expr.Expr, bool) {
	in, conds, ok := keyed(in, conds)
	if !ok {
		return nil, nil, false
	}
	have := map[string]bool{}
	for _, g := range n.Group {
		have[expr.Fingerprint(g)] = true
	}
	out := *n
	out.Input = in
	groups, rest := n.List[:len(n.Group):len(n.Group)], n.List[len(n.Group):]
	var added []expr.Expr
	for _, m := range asExprs(needed(in, nil, conds)) {
		if !have[expr.Fingerprint(m)] {
			added = append(added, m)
		}
	}
	out.Group = append(n.Group[:len(n.Group):len(n.Group)], added...)
	out.List = append(append(groups, added...), rest...)
	return &out, conds, true
}

// distinctBy makes rows distinct together with what the conditions need.
func distinctBy(n *logical.Distinct, in logical.Node, conds []expr.Expr) (logical.Node, []expr.Expr, bool) {
	in, conds, ok := keyed(in, conds)
	if !ok {
		return nil, nil, false
	}
	keys := needed(in, n.Output(), conds)
	return &logical.Distinct{At: n.At, Input: &logical.Project{At: n.At, List: asExprs(append(n.Output()[:len(n.Output()):len(n.Output())], keys...)), Input: in}}, conds, true
}

// pulledJoin is a join without the conditions of its sides that may be taken out of
// it: those of a side whose rows all come out or not by themselves.
func pulledJoin(n *logical.Join, kids []logical.Node, each [][]expr.Expr) (logical.Node, []expr.Expr, bool) {
	out := *n
	out.Left, out.Right = kids[0], kids[1]
	conds := append(append([]expr.Expr(nil), each[0]...), each[1]...)
	switch n.Kind {
	case physical.Inner:
		if n.Cond == nil {
			break
		}
		stay, pulled := parted(n.Cond)
		out.Cond, conds = conjunction(stay), append(conds, pulled...)
	case physical.RightOuter:
		if len(each[0]) > 0 {
			return nil, nil, false
		}
	case physical.FullOuter:
		return nil, nil, false
	default:
		if len(each[1]) > 0 {
			return nil, nil, false
		}
	}
	return &out, conds, true
}

// withEmptyValue makes the value of a correlated scalar subquery: where no row of the
// plan matches, a count is 0, not NULL. ok is false if what an aggregate of no rows is
// is not known here.
func withEmptyValue(before, after logical.Node, out *expr.Column) (node logical.Node, value expr.Expr, ok bool) {
	agg, value := aggregateBelow(before, out)
	if agg == nil || len(agg.Group) > 0 || value == nil {
		return after, out, true
	}
	known, constant := true, true
	empty, err := expr.Rewrite(value, func(e expr.Expr) (expr.Expr, error) {
		a, ok := e.(*expr.Agg)
		if !ok {
			return e, nil
		}
		constant = false
		if f := a.Signature(); f != nil && f.Null == expr.NotNull {
			known = known && a.Typ.Kind == expr.KindInt64
			return &expr.Literal{Value: int64(0), Typ: expr.Int64}, nil
		}
		return &expr.Literal{Typ: a.Typ}, nil
	})
	if err != nil || !known || constant {
		return nil, nil, false
	}
	mark := &expr.Alias{Child: &expr.Literal{Value: true, Typ: expr.Bool}, Name: "matched", ID: expr.NewID()}
	node = &logical.Project{List: append(asExprs(after.Output()), mark), Input: after}
	marked := &expr.Column{ID: mark.ID, Name: mark.Name, Typ: expr.Bool, Null: true}
	isNull := &expr.Call{Fn: "isnull", Args: []expr.Expr{marked}, Typ: expr.Bool}
	return node, &expr.Call{Fn: "if", Args: []expr.Expr{isNull, empty, out}, Typ: out.Typ, Null: true}, true
}

// aggregateBelow finds the global aggregate whose result out is, and the
// expression over its Aggs that out stands for.
func aggregateBelow(n logical.Node, out *expr.Column) (*logical.Aggregate, expr.Expr) {
	var value expr.Expr = out
	for {
		var list []expr.Expr
		agg, isAgg := n.(*logical.Aggregate)
		switch n := n.(type) {
		case *logical.Aggregate:
			list = n.List
		case *logical.Project:
			list = n.List
		default:
			return nil, nil
		}
		v, err := expr.Rewrite(value, func(e expr.Expr) (expr.Expr, error) {
			c, ok := e.(*expr.Column)
			if !ok {
				return e, nil
			}
			for _, item := range list {
				if a, ok := item.(*expr.Alias); ok && a.ID == c.ID {
					return a.Child, nil
				}
			}
			return e, nil
		})
		if err != nil {
			return nil, nil
		}
		if value = v; isAgg {
			return agg, value
		}
		n = n.Inputs()[0]
	}
}
