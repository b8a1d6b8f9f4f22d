package resolve

import (
	"fmt"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// joined is a subquery expression on its way to becoming a join: conds are what
// a row of the outer query and one of node must fulfil to match.
type joined struct {
	at    base.Pos
	kind  expr.SubqueryKind
	node  logical.Node
	conds []expr.Expr
	// values is how many of conds, the last ones, compare the values of IN.
	values int
	// outer are the columns of the outer query that domains in node stand for, and keys
	// what they are where the subquery stands.
	outer []*expr.Column
	keys  []expr.Expr
	// single says that two matches are an error.
	single bool
	// inline says that the subquery reads no table: keys has its value.
	inline bool
	value  expr.Expr // of a scalar subquery: over node's columns
	typ    *expr.Type
	null   bool
	text   string
	// not says that the subquery is a NOT IN within an expression. As in Spark, IN
	// there is true or false, never NULL, and NOT IN is not true where a comparison is
	// NULL.
	not bool
	// shape is equal for subqueries of one block that are the same; see shapeOf.
	shape string
}

func (e *joined) Pos() base.Pos { return e.at }
func (e *joined) Children() []expr.Expr {
	return append(e.conds[:len(e.conds):len(e.conds)], e.keys...)
}
func (e *joined) With(c []expr.Expr) expr.Expr {
	d := *e
	n := len(e.conds)
	d.conds, d.keys = c[:n:n], c[n:]
	return &d
}

// overStream refuses a subquery that needs the different values of a stream's columns.
func (e *joined) overStream(outer logical.Node) error {
	if e.outer == nil || !logical.Streaming(outer) {
		return nil
	}
	return base.UserError("UNSUPPORTED_FEATURE.CORRELATED_SUBQUERY_OVER_STREAM", "0A000", "This subquery needs to see all rows of the stream around it at once.").
		At(e.at).WithHint("compare columns of a table with the stream's by = in the subquery's WHERE, without LIMIT, UNION or DISTINCT around")
}

// over is the node to join with outer, the plan of the outer query.
func (e *joined) over(outer logical.Node) logical.Node {
	if e.outer == nil {
		return e.node
	}
	return overDomains(e.node, e.outer, e.keys, outer)
}

func (e *joined) Type() *expr.Type { return e.typ }
func (e *joined) Nullable() bool   { return e.null }
func (e *joined) SQL() string      { return e.text }
func (e *joined) Detail() string   { return fmt.Sprintf("%p", e.node) }

// subquery resolves a query used as an expression.
func (x *exprs) subquery(e *expr.Subquery, s *scope) (expr.Expr, error) {
	if len(s.lambda) > 0 {
		return nil, noSubqueryInLambda(e.At)
	}
	in, err := x.r.node(e.Plan.(logical.Node), s)
	if err != nil {
		return nil, err
	}
	if streaming(in.node) {
		return nil, base.UserError("INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY", "42823",
			"Invalid subquery: Streaming query is not allowed in subquery expressions.").At(e.At).WithHint("join with the stream instead")
	}
	in.node = finish(in)
	if err := checkOuter(in.node); err != nil {
		return nil, err
	}
	out := in.node.Output()
	outer := outerNames(in.node)
	shape := ""
	if s.aggregates || s.clause != "" { // where it may be grouped by, or be the same as a key
		shape = shapeOf(e.Kind, e.Plan.(logical.Node), in.node)
	}
	switch e.Kind {
	case expr.ScalarSubquery:
		if len(out) != 1 {
			return nil, base.UserError("INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "42823",
				"Invalid subquery: Scalar subquery must return only one column, but got %d.", len(out)).At(e.At)
		}
		if outer == "" {
			return &expr.Subquery{At: e.At, Kind: e.Kind, Plan: in.node, Typ: out[0].Typ}, nil
		}
		q, err := scalarSubquery(e, in.node, out[0], "scalarsubquery("+outer+")")
		if err != nil {
			return nil, err
		}
		q.shape = shape
		return q, nil
	case expr.ExistsSubquery:
		plan := in.node
		for somePlan(plan) { // whether there is a row depends on none of these
			plan = plan.Inputs()[0]
		}
		d, err := decorrelate(plan, nil)
		if err != nil {
			return nil, err
		}
		return d.joined(&joined{at: e.At, kind: e.Kind, typ: expr.Bool, text: "exists(" + outer + ")", shape: shape}), nil
	}
	d, err := decorrelate(in.node, nil)
	if err != nil {
		return nil, err
	}
	q, err := x.inSubquery(e, s, d, out, outer)
	if j, ok := q.(*joined); ok && shape != "" {
		j.shape = shape
		for _, v := range j.conds[len(j.conds)-j.values:] {
			j.shape += "|" + expr.Fingerprint(v.Children()[0])
		}
	}
	return q, err
}

// joined fills in what a subquery's join is made of.
func (d *decorrelated) joined(q *joined) *joined {
	q.node, q.conds, q.outer, q.keys = d.node, d.conds, d.outer, asExprs(d.outer)
	return q
}

// outerNames are the names of the outer columns that a plan mentions, as Spark shows
// them in the text of a subquery.
func outerNames(n logical.Node) string {
	text := ""
	for i, c := range outerReferences(n) {
		if i > 0 {
			text += ", "
		}
		text += c.Name
	}
	return text
}

// somePlan reports whether n has a row exactly if its input has one.
func somePlan(n logical.Node) bool {
	switch n := n.(type) {
	case *logical.Project:
		for _, e := range n.List {
			if generatorOf(e) != nil {
				return false
			}
		}
		return true
	case *logical.Sort, *logical.Distinct:
		return true
	case *logical.Limit:
		c, ok := intLiteral(n.Count)
		return ok && c > 0 && n.Offset == nil
	}
	return false
}

// scalarSubquery joins a correlated scalar subquery.
func scalarSubquery(e *expr.Subquery, plan logical.Node, out *expr.Column, text string) (*joined, error) {
	q := &joined{at: e.At, kind: e.Kind, typ: out.Typ, null: true, text: text, single: !oneRow(plan)}
	if v := oneValue(plan, out); v != nil {
		q.value, q.node = v, nil
		q.keys = []expr.Expr{v}
		q.inline = true
		return q, nil
	}
	agg, _ := aggregateBelow(plan, out)
	d, err := decorrelate(plan, agg)
	if err != nil {
		return nil, err
	}
	if agg != nil && d.outer == nil {
		node, value, ok := withEmptyValue(plan, d.node, out)
		if ok {
			d.node, q.value = node, value
			return d.joined(q), nil
		}
		if d, err = decorrelate(plan, nil); err != nil {
			return nil, err
		}
	}
	q.value = out
	return d.joined(q), nil
}

func (x *exprs) inSubquery(e *expr.Subquery, s *scope, d *decorrelated, out []*expr.Column, outer string) (expr.Expr, error) {
	values, err := x.all(e.Values, s)
	if err != nil {
		return nil, err
	}
	text := (&expr.Subquery{Kind: expr.InSubquery, Values: values}).SQL()
	if len(values) > 1 { // Spark makes a struct of a row
		text = "(named_struct("
		for i, v := range values {
			if i > 0 {
				text += ", "
			}
			name := "col" + itoa(i+1)
			if n, ok := e.Values[i].(*expr.Name); ok {
				name = n.Parts[len(n.Parts)-1]
			}
			text += "'" + name + "', " + v.SQL()
		}
		text += ") IN (listquery()))"
	}
	if outer != "" {
		text = strings.TrimSuffix(text, "()))") + "(" + outer + ")))"
	}
	if a, ok := e.Values[0].(*expr.Apply); len(values) == 1 && (len(out) > 1 || ok && strings.EqualFold(a.Name[len(a.Name)-1], "struct")) {
		if k, ok := values[0].(*expr.Call); ok && k.Fn == "named_struct" {
			values = nil
			for i := 1; i < len(k.Args); i += 2 {
				values = append(values, k.Args[i])
			}
		}
	}
	if len(values) != len(out) {
		return nil, mismatch("IN_SUBQUERY_LENGTH_MISMATCH", e.At, text,
			"The number of columns in the left hand side of an IN subquery does not match the number of columns in the output of subquery. Left hand side columns(length: %d): [%s], right hand side columns(length: %d): [%s].",
			len(values), quotedSQL(values), len(out), quotedSQL(asExprs(out)))
	}
	for i, v := range values {
		x.r.ask(v, out[i].Typ, expr.Operand)
	}
	if len(values) == 1 && isNullLiteral(values[0]) { // NULL, but false where the subquery is empty
		some := d.joined(&joined{at: e.At, kind: expr.ExistsSubquery, typ: expr.Bool, text: text})
		return &expr.Call{At: e.At, Fn: "if", Args: []expr.Expr{some, &expr.Literal{At: e.At, Typ: expr.Bool}, &expr.Literal{At: e.At, Value: false, Typ: expr.Bool}},
			Typ: expr.Bool, Null: true, Text: text}, nil
	}
	null := false
	for i, v := range values {
		w := x.r.co.Wider(v.Type(), out[i].Typ)
		if w == nil {
			return nil, mismatch("IN_SUBQUERY_DATA_TYPE_MISMATCH", e.At, text,
				"The data type of one or more elements in the left hand side of an IN subquery is not compatible with the data type of the output of the subquery. Mismatched columns: [(%q:%q, %q:%q)].",
				v.SQL(), v.Type().SQL(), out[i].Name, out[i].Typ.SQL())
		}
		l, r := x.cast(v, w), x.cast(out[i], w)
		for _, side := range []expr.Expr{l, r} {
			if c, ok := side.(*expr.Cast); ok && (side != v && c.Implicit) { // where the casts are needed
				c.At = e.At
			}
		}
		null = null || l.Nullable() || r.Nullable()
		d.conds = append(d.conds, &expr.Call{At: e.At, Fn: "=", Args: []expr.Expr{l, r}, Typ: expr.Bool, Null: l.Nullable() || r.Nullable()})
	}
	return d.joined(&joined{at: e.At, kind: e.Kind, values: len(values), typ: expr.Bool, null: null, text: text}), nil
}

func isNullLiteral(e expr.Expr) bool {
	if c, ok := e.(*expr.Cast); ok {
		e = c.Child
	}
	l, ok := e.(*expr.Literal)
	return ok && l.Value == nil
}

func quotedSQL(list []expr.Expr) string {
	text := ""
	for i, e := range list {
		if i > 0 {
			text += ", "
		}
		text += `"` + e.SQL() + `"`
	}
	return text
}

func asExprs(cols []*expr.Column) []expr.Expr {
	out := make([]expr.Expr, len(cols))
	for i, c := range cols {
		out[i] = c
	}
	return out
}

// oneRow reports whether a subquery's plan has at most one row, whatever the outer row
// is.
func oneRow(n logical.Node) bool {
	switch n := n.(type) {
	case *logical.Aggregate:
		return len(n.Group) == 0
	case *logical.Limit:
		c, ok := intLiteral(n.Count)
		return ok && c <= 1
	case *logical.Project, *logical.Filter, *logical.Sort:
		return oneRow(n.Inputs()[0])
	}
	return false
}

// placeSubqueries puts the joins of every subquery in list over node and
// replaces the subqueries by columns.
func placeSubqueries(node logical.Node, list []expr.Expr) (logical.Node, []expr.Expr, error) {
	out := make([]expr.Expr, len(list))
	outer := node
	for i, e := range list {
		if e == nil {
			continue
		}
		e, err := expr.Rewrite(e, withoutNot)
		if err != nil {
			return nil, nil, err
		}
		e, err = expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
			if not, ok := e.(*expr.Call); ok && not.Fn == "not" {
				if q, ok := not.Args[0].(*joined); ok && q.kind == expr.InSubquery {
					d := *q
					d.not = true
					return &d, nil
				}
			}
			return e, nil
		})
		if err != nil {
			return nil, nil, err
		}
		d, err := expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
			q, ok := e.(*joined)
			if !ok {
				return e, nil
			}
			if err := q.overStream(outer); err != nil {
				return nil, err
			}
			if q.inline {
				return q.keys[0], nil
			}
			if q.kind == expr.ScalarSubquery {
				node = &logical.Join{At: q.at, Kind: physical.LeftOuter, Left: node, Right: q.over(outer), Subquery: true, Single: q.single, Cond: conjunction(q.conds)}
				return q.value, nil
			}
			exists := func(conds []expr.Expr) *expr.Column {
				col := &expr.Column{At: q.at, ID: expr.NewID(), Name: "exists", Typ: expr.Bool}
				node = &logical.Join{At: q.at, Kind: physical.Existence, Left: node, Right: q.over(outer), Subquery: true, Cond: conjunction(conds), Exists: col}
				return col
			}
			if !q.not {
				return exists(q.conds), nil
			}
			return &expr.Call{At: q.at, Fn: "not", Args: []expr.Expr{exists(q.possibly())}, Typ: expr.Bool}, nil
		})
		if err != nil {
			return nil, nil, err
		}
		out[i] = d
	}
	return node, out, nil
}

// withoutNot moves a NOT over subqueries to them, where Spark's rules do so too: IN
// and NOT IN within an expression do not know NULL, so that it makes a difference
// where it stands.
func withoutNot(e expr.Expr) (expr.Expr, error) {
	not, ok := e.(*expr.Call)
	if !ok || not.Fn != "not" || !holdsJoined(e) {
		return e, nil
	}
	c, ok := not.Args[0].(*expr.Call)
	if !ok {
		return e, nil
	}
	other := map[string]string{"and": "or", "or": "and"}[c.Fn]
	switch {
	case c.Fn == "not":
		return c.Args[0], nil
	case other == "":
		return e, nil
	}
	d := *c
	d.Fn, d.Args = other, nil
	for _, a := range c.Args {
		n, err := withoutNot(&expr.Call{At: not.At, Fn: "not", Args: []expr.Expr{a}, Typ: expr.Bool, Null: a.Nullable()})
		if err != nil {
			return nil, err
		}
		d.Args = append(d.Args, n)
	}
	return &d, nil
}

// possibly are conds where an equality of IN may as well be NULL.
func (q *joined) possibly() []expr.Expr {
	n := len(q.conds) - q.values
	return append(q.conds[:n:n], expr.OrUnknown(conjunction(q.conds[n:])))
}

// notIn returns NOT IN as a join: one that knows of NULLs if there is nothing but the
// one value, or else an anti join of what is or may be equal.
func notIn(q *joined) (*joined, physical.JoinKind) {
	if len(q.conds) == 1 {
		return q, physical.NullAwareAnti
	}
	d := *q
	d.conds = q.possibly()
	return &d, physical.LeftAnti
}

// filterSubqueries splits a condition: what subqueries of its conjuncts say
// becomes semi and anti joins over node, the rest stays.
func filterSubqueries(node logical.Node, at base.Pos, cond expr.Expr) (logical.Node, error) {
	cond, err := expr.Rewrite(cond, withoutNot)
	if err != nil {
		return nil, err
	}
	var plain, withJoins []expr.Expr
	var joins []func(logical.Node) logical.Node
	for _, c := range conjuncts(cond) {
		kind := physical.LeftSemi
		q, ok := c.(*joined)
		if not, isNot := c.(*expr.Call); isNot && not.Fn == "not" {
			if q, ok = not.Args[0].(*joined); ok {
				kind = physical.LeftAnti
				if q.kind == expr.InSubquery {
					q, kind = notIn(q)
				}
			}
		}
		switch {
		case ok && q.kind != expr.ScalarSubquery:
			if err := q.overStream(node); err != nil {
				return nil, err
			}
			joins = append(joins, func(in logical.Node) logical.Node {
				return &logical.Join{At: q.at, Kind: kind, Left: in, Right: q.over(in), Subquery: true, Cond: conjunction(q.conds)}
			})
		case holdsJoined(c):
			withJoins = append(withJoins, c)
		default:
			plain = append(plain, c)
		}
	}
	if len(plain) > 0 {
		node = &logical.Filter{At: at, Cond: conjunction(plain), Input: node}
	}
	for _, join := range joins {
		node = join(node)
	}
	if len(withJoins) == 0 {
		return node, nil
	}
	before := node.Output()
	node, list, err := placeSubqueries(node, withJoins)
	if err != nil {
		return nil, err
	}
	node = &logical.Filter{At: at, Cond: conjunction(list), Input: node}
	return &logical.Project{At: at, List: asExprs(before), Input: node}, nil
}

func holdsJoined(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		_, ok := e.(*joined)
		found = found || ok
		return !found
	})
	return found
}

// conjuncts splits a condition at its ANDs.
func conjuncts(e expr.Expr) []expr.Expr {
	if c, ok := e.(*expr.Call); ok && c.Fn == "and" {
		return append(conjuncts(c.Args[0]), conjuncts(c.Args[1])...)
	}
	return []expr.Expr{e}
}

// conjunction joins conditions by AND; nil for none.
func conjunction(list []expr.Expr) expr.Expr {
	var out expr.Expr
	for _, e := range list {
		if out == nil {
			out = e
			continue
		}
		out = &expr.Call{At: e.Pos(), Fn: "and", Args: []expr.Expr{out, e}, Typ: expr.Bool, Null: out.Nullable() || e.Nullable()}
	}
	return out
}

func noSubqueryInLambda(at base.Pos) error {
	return base.UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.HIGHER_ORDER_FUNCTION", "0A000", "A subquery cannot stand in a function that takes a lambda.").At(at).
		WithHint("compute it in a subquery in FROM, and name its column")
}

func holdsSubquery(e expr.Expr) bool {
	found := holdsJoined(e)
	expr.Walk(e, func(e expr.Expr) bool {
		_, ok := e.(*expr.Subquery)
		found = found || ok
		return !found
	})
	return found
}
