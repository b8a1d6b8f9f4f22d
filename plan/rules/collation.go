package rules

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// CollationKeys makes comparisons, groups, joins and orders of texts with a collation
// ones of the texts' keys, which compare by bytes: operators need not know of
// collations. A group shows the first of its texts.
func CollationKeys(n logical.Node) (logical.Node, error) {
	n, err := keyedNodes(n)
	if err != nil {
		return nil, err
	}
	return logical.RewriteExprs(n, keyed)
}

// keyedNodes rewrites the nodes that compare whole columns.
func keyedNodes(n logical.Node) (logical.Node, error) {
	switch m := n.(type) {
	case *logical.SetOp:
		if collates(m.Output()) && !m.All {
			n = setOperation(m)
		}
	case *logical.Distinct:
		if collates(m.Output()) {
			n = distinctRows(m)
		}
	}
	if inputs := n.Inputs(); len(inputs) > 0 {
		next := make([]logical.Node, len(inputs))
		for i, in := range inputs {
			var err error
			if next[i], err = keyedNodes(in); err != nil {
				return nil, err
			}
		}
		n = n.With(next)
	}
	switch n := n.(type) {
	case *logical.Distinct: // that of a set operation
		if collates(n.Output()) {
			return groupByKeys(distinctRows(n)), nil
		}
	case *logical.Aggregate:
		return groupByKeys(n), nil
	case *logical.Deduplicate:
		if collates(n.Keys) {
			return dedupByKeys(n), nil
		}
	case *logical.Sort:
		d := *n
		d.Keys = keyTerms(n.Keys)
		return &d, nil
	case *logical.Over:
		return overKeys(n)
	}
	return n, nil
}

func collates(cols []*expr.Column) bool {
	for _, c := range cols {
		if compared(c) {
			return true
		}
	}
	return false
}

// compared reports whether e is a text with a collation to compare by.
func compared(e expr.Expr) bool {
	t := e.Type()
	return t.Collated() && t.Collation != expr.Indeterminate
}

// keyOf is e, or its key if it is a text with a collation.
func keyOf(e expr.Expr) expr.Expr {
	if !compared(e) {
		return e
	}
	return &expr.Call{At: e.Pos(), Fn: "collation_key", Args: []expr.Expr{e}, Typ: expr.Binary, Null: e.Nullable()}
}

func anyCompared(list []expr.Expr) bool {
	for _, e := range list {
		if compared(e) {
			return true
		}
	}
	return false
}

func keysOf(list []expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = keyOf(e)
	}
	return out
}

func keyTerms(terms []expr.SortTerm) []expr.SortTerm {
	out := append([]expr.SortTerm(nil), terms...)
	for i := range out {
		out[i].Expr = keyOf(out[i].Expr)
	}
	return out
}

// setOperation is INTERSECT and EXCEPT as the join that they are.
func setOperation(n *logical.SetOp) logical.Node {
	var cond []expr.Expr
	right := n.Right.Output()
	for i, c := range n.Left.Output() {
		cond = append(cond, &expr.Call{At: n.At, Fn: "<=>", Args: []expr.Expr{c, right[i]}, Typ: expr.Bool})
	}
	kind := physical.LeftSemi
	if n.Except {
		kind = physical.LeftAnti
	}
	return &logical.Distinct{At: n.At, Input: &logical.Join{At: n.At, Kind: kind, Left: n.Left, Right: n.Right, Cond: expr.And(cond)}}
}

func distinctRows(n *logical.Distinct) *logical.Aggregate {
	a := &logical.Aggregate{At: n.At, Input: n.Input}
	for _, c := range n.Input.Output() {
		a.Group, a.List = append(a.Group, c), append(a.List, c)
	}
	return a
}

// groupByKeys groups by the keys of texts and puts out the first text of each group.
func groupByKeys(n *logical.Aggregate) logical.Node {
	texts := map[string]bool{}
	for _, g := range n.Group {
		if compared(g) {
			texts[expr.Fingerprint(g)] = true
		}
	}
	if len(texts) == 0 {
		return n
	}
	d := *n
	d.Group = keysOf(n.Group)
	d.List = make([]expr.Expr, len(n.List))
	for i, e := range n.List {
		d.List[i] = firstOf(e, texts)
		if c, ok := e.(*expr.Column); ok && d.List[i] != e {
			d.List[i] = &expr.Alias{At: c.At, Child: d.List[i], Name: c.Name, ID: c.ID}
		}
	}
	return &d
}

// firstOf replaces the grouping texts in e, outside of aggregates, by their first value.
func firstOf(e expr.Expr, texts map[string]bool) expr.Expr {
	if _, ok := e.(*expr.Alias); !ok && texts[expr.Fingerprint(e)] {
		return &expr.Agg{At: e.Pos(), Fn: "first", Args: []expr.Expr{e}, Typ: e.Type(), Null: true, Text: e.SQL()}
	}
	if _, ok := e.(*expr.Agg); ok {
		return e
	}
	children := e.Children()
	changed := false
	out := make([]expr.Expr, len(children))
	for i, c := range children {
		out[i] = firstOf(c, texts)
		changed = changed || out[i] != c
	}
	if !changed {
		return e
	}
	return e.With(out)
}

// dedupByKeys keeps the first row of each key of a text.
func dedupByKeys(n *logical.Deduplicate) logical.Node {
	cols := n.Input.Output()
	var list, back []expr.Expr
	for _, c := range cols {
		list, back = append(list, c), append(back, c)
	}
	d := *n
	d.Keys = append([]*expr.Column(nil), n.Keys...)
	for i, k := range d.Keys {
		if !compared(k) {
			continue
		}
		a := &expr.Alias{At: n.At, Child: keyOf(k), Name: k.Name, ID: expr.NewID()}
		list = append(list, a)
		d.Keys[i] = &expr.Column{At: n.At, ID: a.ID, Name: a.Name, Typ: expr.Binary, Null: k.Null}
	}
	d.Input = &logical.Project{At: n.At, List: list, Input: n.Input}
	return &logical.Project{At: n.At, List: back, Input: &d}
}

func overKeys(n *logical.Over) (logical.Node, error) {
	d := *n
	d.PartitionBy, d.OrderBy = keysOf(n.PartitionBy), keyTerms(n.OrderBy)
	d.Functions = append([]logical.OverFunction(nil), n.Functions...)
	for i := range d.Functions {
		var err error
		if d.Functions[i].Call, err = expr.Rewrite(d.Functions[i].Call, keyed); err != nil {
			return nil, err
		}
	}
	return &d, nil
}

// keyed rewrites one operation on texts with a collation.
func keyed(e expr.Expr) (expr.Expr, error) {
	switch e := e.(type) {
	case *expr.Subquery:
		if plan, ok := e.Plan.(logical.Node); ok {
			next, err := keyedNodes(plan)
			if err != nil {
				return nil, err
			}
			d := *e
			d.Plan = next
			return &d, nil
		}
	case *expr.Agg:
		return keyedAgg(e), nil
	case *expr.Call:
		return keyedCall(e), nil
	}
	return e, nil
}

func keyedAgg(e *expr.Agg) expr.Expr {
	if len(e.Args) == 0 {
		return e
	}
	d := *e
	switch last := e.Args[len(e.Args)-1]; {
	case (e.Fn == "min" || e.Fn == "max") && compared(last):
		d.Fn, d.Args = e.Fn+"_first_by", []expr.Expr{last, keyOf(last)}
	case !anyCompared(e.Args):
		return e
	case e.Fn == "min_by" || e.Fn == "max_by":
		d.Args = append([]expr.Expr(nil), e.Args...)
		d.Args[1] = keyOf(e.Args[1])
	case e.Fn == "count" && e.Distinct, e.Fn == "approx_count_distinct":
		d.Args = keysOf(e.Args)
	default:
		return e
	}
	if d.Text == "" {
		d.Text = e.SQL()
	}
	return &d
}

func keyedCall(e *expr.Call) expr.Expr {
	d := *e
	switch e.Fn {
	case "=", "!=", "<=>", "<", "<=", ">", ">=", "in", "between":
		if !anyCompared(e.Args) {
			return e
		}
		d.Args = keysOf(e.Args)
	case "like":
		if !compared(e.Args[0]) {
			return e
		}
		d.Fn = "ilike"
	case "rlike", "regexp_count", "regexp_extract", "regexp_extract_all", "regexp_instr", "regexp_replace", "regexp_substr", "split":
		if !compared(e.Args[0]) {
			return e
		}
		d.Args = append([]expr.Expr(nil), e.Args...)
		d.Args[1] = anyCase(e.Args[1])
	default:
		return e
	}
	if d.Text == "" {
		d.Text = e.SQL()
	}
	return &d
}

// anyCase makes a regular expression match letters of either case.
func anyCase(pattern expr.Expr) expr.Expr {
	const flag = "(?iu)"
	if l, ok := pattern.(*expr.Literal); ok {
		if s, ok := l.Value.(string); ok {
			return &expr.Literal{At: l.At, Value: flag + s, Typ: expr.String}
		}
		return l
	}
	return &expr.Call{At: pattern.Pos(), Fn: "concat", Typ: expr.String, Null: pattern.Nullable(),
		Args: []expr.Expr{&expr.Literal{At: pattern.Pos(), Value: flag, Typ: expr.String}, pattern}}
}
