package resolve

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// columnOf are the columns of a plan that stand for outer columns, by their IDs.
type columnOf map[expr.ID]*expr.Column

// leaf makes a domain.
func (d *decorrelation) leaf() (*domain, columnOf) {
	d.domains++
	n := &domain{}
	cols := columnOf{}
	for _, o := range d.outer {
		c := &expr.Column{At: o.At, ID: expr.NewID(), Name: o.Name, Typ: o.Typ, Null: o.Null}
		n.of, n.columns = append(n.of, o.ID), append(n.columns, c)
		cols[o.ID] = c
	}
	return n, cols
}

// list is the columns of cols in the order of the outer columns.
func (d *decorrelation) list(cols columnOf) []*expr.Column {
	out := make([]*expr.Column, len(d.outer))
	for i, o := range d.outer {
		out[i] = cols[o.ID]
	}
	return out
}

// domain returns a plan that puts out, for every value of the outer columns, the rows
// of n for it, with columns for the outer columns beside n's own.
func (d *decorrelation) domain(n logical.Node) (logical.Node, columnOf, error) {
	if !correlated(n) {
		leaf, cols := d.leaf()
		if v, ok := n.(*logical.Values); ok && len(v.Rows) == 1 && len(v.Columns) == 0 {
			return leaf, cols, nil
		}
		return &logical.Join{At: n.Pos(), Kind: physical.Inner, Left: leaf, Right: n}, cols, nil
	}
	switch n := n.(type) {
	case *logical.Filter:
		return d.domainFilter(n)
	case *logical.Aggregate:
		return d.domainAggregate(n)
	case *logical.Join:
		return d.domainJoin(n)
	case *logical.Limit:
		return d.domainLimit(n)
	case *logical.Union:
		return d.domainUnion(n)
	case *logical.SetOp:
		return d.domainSetOp(n)
	}
	ins := n.Inputs()
	if len(ins) != 1 {
		return nil, nil, notAllowed(n.Pos(), describeNode(n))
	}
	in, cols, err := d.domain(ins[0])
	if err != nil {
		return nil, nil, err
	}
	switch n := n.(type) {
	case *logical.Project:
		list := append(bindAll(n.List, cols), asExprs(d.list(cols))...)
		return &logical.Project{At: n.At, List: list, Input: in}, cols, nil
	case *logical.Sort: // nothing above depends on the order: a LIMIT takes the keys along
		return in, cols, nil
	case *logical.Distinct:
		list := append(n.Output()[:len(n.Output()):len(n.Output())], d.list(cols)...)
		return &logical.Distinct{At: n.At, Input: &logical.Project{At: n.At, List: asExprs(list), Input: in}}, cols, nil
	case *logical.Over:
		out := *n
		out.Input = in
		out.PartitionBy = append(bindAll(n.PartitionBy, cols), asExprs(d.list(cols))...)
		return &out, cols, nil
	case *logical.Generate:
		out := *n
		out.Input, out.Gen = in, bindOuter(n.Gen, cols)
		return &out, cols, nil
	case *logical.Window:
		out := *n
		out.Input, out.Time = in, bindOuter(n.Time, cols)
		return &out, cols, nil
	case *logical.Session:
		out := *n
		out.Input, out.Time, out.Gap = in, bindOuter(n.Time, cols), bindOuter(n.Gap, cols)
		return &out, cols, nil
	case *logical.Sample, *logical.Repartition:
		return n.With([]logical.Node{in}), cols, nil
	}
	return nil, nil, notAllowed(n.Pos(), describeNode(n))
}

func describeNode(n logical.Node) string {
	for _, e := range logical.Exprs(n) {
		if holdsOuter(e) {
			return e.SQL()
		}
	}
	return "below an operator that sees all rows at once"
}

// domainFilter joins a plan that is not correlated itself by the filter's condition,
// instead of making all pairs first.
func (d *decorrelation) domainFilter(n *logical.Filter) (logical.Node, columnOf, error) {
	if correlated(n.Input) {
		in, cols, err := d.domain(n.Input)
		if err != nil {
			return nil, nil, err
		}
		return &logical.Filter{At: n.At, Cond: bindOuter(n.Cond, cols), Input: in}, cols, nil
	}
	leaf, cols := d.leaf()
	stay, pairs := parted(n.Cond)
	in := n.Input
	if len(stay) > 0 {
		in = &logical.Filter{At: n.At, Cond: conjunction(stay), Input: in}
	}
	return &logical.Join{At: n.At, Kind: physical.Inner, Left: leaf, Right: in, Cond: conjunction(bindAll(pairs, cols))}, cols, nil
}

// domainAggregate groups by the domain's columns as well. Without groups of its own an
// aggregate has a row for every value of the domain, also where it has no input: there
// its functions see no row, because of their filters.
func (d *decorrelation) domainAggregate(n *logical.Aggregate) (logical.Node, columnOf, error) {
	in, cols, err := d.domain(n.Input)
	if err != nil {
		return nil, nil, err
	}
	out := *n
	if len(n.Group) > 0 {
		keys := asExprs(d.list(cols))
		groups, rest := bindAll(n.List[:len(n.Group)], cols), bindAll(n.List[len(n.Group):], cols)
		out.Group = append(bindAll(n.Group, cols), keys...)
		out.List = append(append(groups, keys...), rest...)
		out.Input = in
		return &out, cols, nil
	}
	mark := &expr.Alias{Child: &expr.Literal{Value: true, Typ: expr.Bool}, Name: "matched", ID: expr.NewID()}
	right := &logical.Project{At: n.At, List: append(asExprs(in.Output()), mark), Input: in}
	leaf, all := d.leaf()
	var conds []expr.Expr
	for _, o := range d.outer {
		conds = append(conds, sameValue(all[o.ID], cols[o.ID]))
	}
	matched := &expr.Call{Fn: "isnotnull", Args: []expr.Expr{&expr.Column{ID: mark.ID, Name: mark.Name, Typ: expr.Bool, Null: true}}, Typ: expr.Bool}
	out.Input = &logical.Join{At: n.At, Kind: physical.LeftOuter, Left: leaf, Right: right, Cond: conjunction(conds)}
	out.Group = asExprs(d.list(all))
	out.List = append([]expr.Expr(nil), out.Group...)
	for _, e := range n.List {
		e, err := expr.Rewrite(bindOuter(e, all), func(e expr.Expr) (expr.Expr, error) {
			a, ok := e.(*expr.Agg)
			if !ok {
				return e, nil
			}
			b := *a
			if b.Filter = matched; a.Filter != nil {
				b.Filter = conjunction([]expr.Expr{matched, a.Filter})
			}
			return &b, nil
		})
		if err != nil {
			return nil, nil, err
		}
		out.List = append(out.List, e)
	}
	return &out, all, nil
}

// domainJoin pairs rows of the two sides for the same values of the outer columns.
func (d *decorrelation) domainJoin(n *logical.Join) (logical.Node, columnOf, error) {
	out := *n
	l, r := correlated(n.Left), correlated(n.Right)
	switch {
	case n.Kind == physical.RightOuter:
		r = true
	case n.Kind != physical.Inner || !r:
		l = true
	}
	if l && r && (n.Kind == physical.NullAwareAnti || n.Kind == physical.FullOuter) {
		return nil, nil, notAllowed(n.At, describeNode(n))
	}
	var left, right columnOf
	var err error
	if l {
		if out.Left, left, err = d.domain(n.Left); err != nil {
			return nil, nil, err
		}
	}
	if r {
		if out.Right, right, err = d.domain(n.Right); err != nil {
			return nil, nil, err
		}
	}
	cols := left
	if left == nil || n.Kind == physical.RightOuter {
		cols = right
	}
	var conds []expr.Expr
	if l && r {
		for _, o := range d.outer {
			conds = append(conds, sameValue(left[o.ID], right[o.ID]))
		}
	}
	if n.Cond != nil {
		conds = append(conds, bindOuter(n.Cond, cols))
	}
	out.Cond = conjunction(conds)
	return &out, cols, nil
}

// domainLimit numbers the rows of each value of the domain, in the order of the sort
// below.
func (d *decorrelation) domainLimit(n *logical.Limit) (logical.Node, columnOf, error) {
	if p, ok := n.Input.(*logical.Project); ok { // a projection changes no row's place
		below := *n
		below.Input = p.Input
		above := *p
		above.Input = &below
		return d.domain(&above)
	}
	var order []expr.SortTerm
	input := n.Input
	if s, ok := input.(*logical.Sort); ok {
		order, input = s.Keys, s.Input
	}
	in, cols, err := d.domain(input)
	if err != nil {
		return nil, nil, err
	}
	if order == nil { // any order will do
		order = []expr.SortTerm{{Expr: &expr.Literal{Value: true, Typ: expr.Bool}, NullsFirst: true}}
	}
	number := &expr.Column{At: n.At, ID: expr.NewID(), Name: "row_number", Typ: expr.Int32}
	over := &logical.Over{At: n.At, PartitionBy: asExprs(d.list(cols)), OrderBy: order, Input: in, Functions: []logical.OverFunction{{
		Call: &expr.Call{At: n.At, Fn: "row_number", Typ: expr.Int32}, Column: number,
	}}}
	offset := int64(0)
	var conds []expr.Expr
	compare := func(fn string, v int64) {
		conds = append(conds, &expr.Call{At: n.At, Fn: fn, Args: []expr.Expr{number, &expr.Literal{Value: v, Typ: expr.Int32}}, Typ: expr.Bool})
	}
	if v, ok := intLiteral(n.Offset); ok && v > 0 {
		offset = v
		compare(">", v)
	}
	if v, ok := intLiteral(n.Count); ok {
		compare("<=", min(offset+v, 1<<31-1))
	}
	if conds == nil {
		return in, cols, nil
	}
	list := append(asExprs(input.Output()), asExprs(d.list(cols))...)
	return &logical.Project{At: n.At, List: list, Input: &logical.Filter{At: n.At, Cond: conjunction(conds), Input: over}}, cols, nil
}

// beside returns the columns of n and then the domain's.
func (d *decorrelation) beside(n logical.Node) (logical.Node, columnOf, error) {
	out, cols, err := d.domain(n)
	if err != nil {
		return nil, nil, err
	}
	list := append(asExprs(n.Output()), asExprs(d.list(cols))...)
	return &logical.Project{At: n.Pos(), List: list, Input: out}, cols, nil
}

func (d *decorrelation) domainUnion(n *logical.Union) (logical.Node, columnOf, error) {
	out := *n
	out.Children = make([]logical.Node, len(n.Children))
	for i, c := range n.Children {
		var err error
		if out.Children[i], _, err = d.beside(c); err != nil {
			return nil, nil, err
		}
	}
	cols := columnOf{}
	for _, o := range d.outer {
		cols[o.ID] = &expr.Column{At: o.At, ID: expr.NewID(), Name: o.Name, Typ: o.Typ, Null: o.Null}
	}
	out.Out = append(n.Out[:len(n.Out):len(n.Out)], d.list(cols)...)
	return &out, cols, nil
}

func (d *decorrelation) domainSetOp(n *logical.SetOp) (logical.Node, columnOf, error) {
	out := *n
	var cols columnOf
	var err error
	if out.Left, cols, err = d.beside(n.Left); err != nil {
		return nil, nil, err
	}
	if out.Right, _, err = d.beside(n.Right); err != nil {
		return nil, nil, err
	}
	return &out, cols, nil
}
