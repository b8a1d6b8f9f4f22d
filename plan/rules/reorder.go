package rules

import (
	"maps"

	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// Reorder joins the relations of a chain of inner joins in another order, the least
// results first, and puts the smaller side of each join to the right, where it is
// built. It is a rule for speed: it never touches what reads a stream, nor a chain of
// which the size of one relation is not known.
func Reorder(n logical.Node, stats Statistics) logical.Node {
	return (&reorderer{estimator{stats}, map[*logical.Join]bool{}}).node(n)
}

type reorderer struct {
	estimator
	// streams remembers which joins read a stream, which is asked of each at every join
	// above it.
	streams map[*logical.Join]bool
}

// streaming is logical.Streaming.
func (r *reorderer) streaming(n logical.Node) bool {
	j, ok := n.(*logical.Join)
	if !ok {
		return logical.Streaming(n)
	}
	s, known := r.streams[j]
	if !known {
		s = r.streaming(j.Left) || r.streaming(j.Right)
		r.streams[j] = s
	}
	return s
}

// maxReordered is how many relations are put in order at once: every pair is looked at
// for every join. Of more, those below are.
const maxReordered = 32

// joinedRelations is how many relations the joins at n have that may be reordered.
func (r *reorderer) joinedRelations(n logical.Node) int {
	if j, ok := n.(*logical.Join); ok && r.reorderable(j) {
		return r.joinedRelations(j.Left) + r.joinedRelations(j.Right)
	}
	return 1
}

func (r *reorderer) node(n logical.Node) logical.Node {
	j, ok := n.(*logical.Join)
	if !ok || !r.reorderable(j) {
		inputs := n.Inputs()
		if len(inputs) == 0 {
			return n
		}
		next := make([]logical.Node, len(inputs))
		for i, in := range inputs {
			next[i] = r.node(in)
		}
		return n.With(next)
	}
	var leaves []logical.Node
	var cond []expr.Expr
	var flatten func(n logical.Node)
	flatten = func(n logical.Node) {
		if j, ok := n.(*logical.Join); ok && r.reorderable(j) {
			flatten(j.Left)
			flatten(j.Right)
			cond = append(cond, expr.Conjuncts(j.Cond)...)
			return
		}
		leaves = append(leaves, r.node(n))
	}
	var out logical.Node
	if r.joinedRelations(j) <= maxReordered {
		flatten(j)
		out = r.order(j, leaves, cond)
	}
	if out == nil {
		return j.With([]logical.Node{r.node(j.Left), r.node(j.Right)})
	}
	// Whoever is above may count on the places of columns.
	list := make([]expr.Expr, 0, len(j.Output()))
	for _, c := range j.Output() {
		list = append(list, c)
	}
	return &logical.Project{At: j.At, List: list, Input: out}
}

// reorderable reports whether a join may change places with others.
func (r *reorderer) reorderable(j *logical.Join) bool {
	if j.Kind != physical.Inner || j.Exists != nil || j.Lateral {
		return false
	}
	for _, e := range expr.Conjuncts(j.Cond) {
		if !movable(e) {
			return false
		}
	}
	return !r.streaming(j)
}

// tree is a part of the new join.
type tree struct {
	node logical.Node
	size *size
	// same leads from columns to others that they are equal to in all rows.
	same classes
}

// classes are sets of columns, each a chain that ends at the one that names it.
type classes map[expr.ID]expr.ID

func (c classes) of(id expr.ID) expr.ID {
	for {
		next, ok := c[id]
		if !ok {
			return id
		}
		id = next
	}
}

// join puts the classes of the columns of an equality together. It reports whether
// they were apart: if not, the equality says nothing new.
func (c classes) join(e expr.Expr) bool {
	call, ok := e.(*expr.Call)
	if !ok || call.Fn != "=" {
		return true
	}
	l, lok := call.Args[0].(*expr.Column)
	r, rok := call.Args[1].(*expr.Column)
	if !lok || !rok {
		return true
	}
	a, b := c.of(l.ID), c.of(r.ID)
	if a == b {
		return false
	}
	c[a] = b
	return true
}

// order joins leaves greedily: always the pair that gives the fewest rows, and pairs
// without a condition between them last.
func (r *reorderer) order(j *logical.Join, leaves []logical.Node, cond []expr.Expr) logical.Node {
	var trees []tree
	for _, n := range leaves {
		if n = filter(n, implied(cond, n)); n == nil {
			return nil
		}
		s := r.of(n)
		if s == nil {
			return nil
		}
		trees = append(trees, tree{n, s, classes{}})
	}
	for len(trees) > 1 {
		best := pairing{}
		for a := range trees {
			for b := a + 1; b < len(trees); b++ {
				p := pair(trees, a, b, cond)
				if !best.found || p.tied && !best.tied || p.tied == best.tied && p.size.rows < best.size.rows {
					best = p
				}
			}
		}
		left, right := trees[best.a], trees[best.b]
		if left.size.rows < right.size.rows {
			left, right = right, left
		}
		join := &logical.Join{At: j.At, Kind: physical.Inner, Left: left.node, Right: right.node, Cond: expr.And(best.on)}
		cond = best.rest
		trees[best.a] = tree{join, best.size, best.same}
		trees = append(trees[:best.b], trees[best.b+1:]...)
	}
	return filter(trees[0].node, cond)
}

// pairing is what a join of two trees would be: tied says that there is an equality
// between them, on are its conditions, and rest the others.
type pairing struct {
	a, b        int
	found, tied bool
	size        *size
	same        classes
	on, rest    []expr.Expr
}

func pair(trees []tree, a, b int, cond []expr.Expr) pairing {
	p := pairing{a: a, b: b, found: true, same: maps.Clone(trees[a].same)}
	maps.Copy(p.same, trees[b].same)
	left, right := trees[a].node.Output(), trees[b].node.Output()
	both := append(left[:len(left):len(left)], right...)
	for _, e := range cond {
		if !expr.Over(e, both) {
			p.rest = append(p.rest, e)
			continue
		}
		if !p.same.join(e) {
			continue
		}
		p.on = append(p.on, e)
		if c, ok := e.(*expr.Call); ok && (c.Fn == "=" || c.Fn == "<=>") && uses(e, left) && uses(e, right) {
			p.tied = true
		}
	}
	p.size = joinedSize(trees[a].size, trees[b].size, p.on)
	return p
}

// implied are conditions over n alone that follow from disjunctions over it and
// others: of (a AND x) OR (b AND y) follows a OR b.
func implied(cond []expr.Expr, n logical.Node) []expr.Expr {
	cols := n.Output()
	var out []expr.Expr
	for _, e := range cond {
		parts := disjuncts(e)
		if len(parts) < 2 || expr.Over(e, cols) {
			continue
		}
		var either expr.Expr
		for _, part := range parts {
			own, _ := split(expr.Conjuncts(part), func(e expr.Expr) bool { return expr.Over(e, cols) })
			if len(own) == 0 {
				either = nil
				break
			}
			if either == nil {
				either = expr.And(own)
			} else {
				either = or(either, expr.And(own))
			}
		}
		if either != nil {
			out = append(out, either)
		}
	}
	return out
}

// disjuncts splits a condition at its ORs.
func disjuncts(e expr.Expr) []expr.Expr {
	if c, ok := e.(*expr.Call); ok && c.Fn == "or" {
		return append(disjuncts(c.Args[0]), disjuncts(c.Args[1])...)
	}
	return []expr.Expr{e}
}

func or(a, b expr.Expr) expr.Expr {
	return &expr.Call{At: a.Pos(), Fn: "or", Args: []expr.Expr{a, b}, Typ: expr.Bool, Null: a.Nullable() || b.Nullable()}
}

// Tidy takes out of filters what they say twice, and writes x = x, which rules leave
// behind that put equal columns in each other's place, as what it says: x is not NULL.
func Tidy(n logical.Node) logical.Node {
	if inputs := n.Inputs(); len(inputs) > 0 {
		next := make([]logical.Node, len(inputs))
		for i, in := range inputs {
			next[i] = Tidy(in)
		}
		n = n.With(next)
	}
	f, ok := n.(*logical.Filter)
	if !ok {
		return n
	}
	seen := map[string]bool{}
	var out []expr.Expr
	input := f.Input
	list := expr.Conjuncts(f.Cond)
	if inner, ok := input.(*logical.Filter); ok {
		list, input = append(expr.Conjuncts(inner.Cond), list...), inner.Input
	}
	for _, e := range list {
		if c, ok := e.(*expr.Call); ok && c.Fn == "=" && movable(e) && expr.Fingerprint(c.Args[0]) == expr.Fingerprint(c.Args[1]) {
			e = &expr.Call{At: c.At, Fn: "isnotnull", Args: c.Args[:1], Typ: expr.Bool}
		}
		if k := expr.Fingerprint(e); !seen[k] || !movable(e) {
			seen[k] = true
			out = append(out, e)
		}
	}
	return filter(input, out)
}

// Factor takes what all disjuncts of a filter or a join share out of them, as Spark
// does: of (a AND x) OR (a AND y) it makes a AND (x OR y), so that a may be pushed, or
// be what a join is by. Like Reorder it is for plans without streams.
func Factor(n logical.Node) logical.Node {
	if inputs := n.Inputs(); len(inputs) > 0 {
		next := make([]logical.Node, len(inputs))
		for i, in := range inputs {
			next[i] = Factor(in)
		}
		n = n.With(next)
	}
	switch n := n.(type) {
	case *logical.Filter:
		d := *n
		d.Cond = factored(n.Cond)
		return &d
	case *logical.Join:
		if n.Cond == nil {
			return n
		}
		d := *n
		d.Cond = factored(n.Cond)
		return &d
	}
	return n
}

func factored(cond expr.Expr) expr.Expr {
	var out []expr.Expr
	for _, e := range expr.Conjuncts(cond) {
		out = append(out, shared(e)...)
	}
	return expr.And(out)
}

// shared splits one conjunct.
func shared(e expr.Expr) []expr.Expr {
	parts := disjuncts(e)
	if len(parts) < 2 || !movable(e) {
		return []expr.Expr{e}
	}
	lists := make([][]expr.Expr, len(parts))
	count := map[string]int{}
	for i, p := range parts {
		lists[i] = expr.Conjuncts(p)
		seen := map[string]bool{}
		for _, c := range lists[i] {
			if k := expr.Fingerprint(c); !seen[k] {
				seen[k] = true
				count[k]++
			}
		}
	}
	var out []expr.Expr
	taken := map[string]bool{}
	for _, c := range lists[0] {
		if k := expr.Fingerprint(c); count[k] == len(parts) && !taken[k] {
			taken[k] = true
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return []expr.Expr{e}
	}
	var rest expr.Expr
	for _, list := range lists {
		var left []expr.Expr
		for _, c := range list {
			if !taken[expr.Fingerprint(c)] {
				left = append(left, c)
			}
		}
		if len(left) == 0 { // this disjunct is what is shared: the others say nothing
			return out
		}
		if rest == nil {
			rest = expr.And(left)
		} else {
			rest = or(rest, expr.And(left))
		}
	}
	return append(out, rest)
}
