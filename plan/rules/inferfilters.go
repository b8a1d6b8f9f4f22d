package rules

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// InferFilters filters a side of a join by what is known of the columns that the
// join makes equal to its own: with l.k = r.k and l.k > 5 the right side is filtered
// by r.k > 5. Inner and semi joins filter both sides, an outer join the side that it
// does not preserve. It is one step, as Spark's InferFiltersFromConstraints makes it.
// With PushFilters the filters sink below the watermark, so that their rows do not
// move it.
func InferFilters(n logical.Node) logical.Node {
	if inputs := n.Inputs(); len(inputs) > 0 {
		next := make([]logical.Node, len(inputs))
		for i, in := range inputs {
			next[i] = InferFilters(in)
		}
		n = n.With(next)
	}
	j, ok := n.(*logical.Join)
	if !ok || j.Cond == nil {
		return n
	}
	left, right := filtered(j.Kind)
	if !left && !right {
		return n
	}
	known := append(append(constraints(j.Left), constraints(j.Right)...), constant(expr.Conjuncts(j.Cond))...)
	extra := inferred(known)
	d := *j
	if left {
		d.Left = filter(j.Left, news(extra, j.Left))
	}
	if right {
		d.Right = filter(j.Right, news(extra, j.Right))
	}
	return &d
}

// filtered reports which sides of a join a filter that follows from its condition may
// stand on.
func filtered(k physical.JoinKind) (left, right bool) {
	both := k == physical.Inner || k == physical.LeftSemi
	return both || k == physical.RightOuter, both || k == physical.LeftOuter
}

// constraints returns conditions that hold for every row of n.
func constraints(n logical.Node) []expr.Expr {
	switch n := n.(type) {
	case *logical.Filter:
		return append(constraints(n.Input), constant(expr.Conjuncts(n.Cond))...)
	case *logical.Watermark, *logical.Window, *logical.Repartition, *logical.Tagged, *logical.Deduplicate, *logical.Distinct, *logical.Limit, *logical.Sort:
		return constraints(n.Inputs()[0])
	case *logical.Alias:
		out, err := renamed(constraints(n.Input), n.Input.Output(), n.Out)
		if err != nil {
			return nil
		}
		return out
	case *logical.Project:
		return projected(constraints(n.Input), n.List, n.Output())
	case *logical.Aggregate:
		return projected(constraints(n.Input), n.List, n.Output())
	case *logical.Join:
		switch n.Kind {
		case physical.Inner:
			return append(append(constraints(n.Left), constraints(n.Right)...), constant(expr.Conjuncts(n.Cond))...)
		case physical.LeftSemi, physical.LeftOuter, physical.LeftAnti, physical.NullAwareAnti:
			return constraints(n.Left)
		case physical.RightOuter:
			return constraints(n.Right)
		}
	}
	return nil
}

// projected returns what known says about the columns out of a select list.
func projected(known, list []expr.Expr, out []*expr.Column) []expr.Expr {
	names := map[string]*expr.Column{}
	for i, e := range list {
		if a, ok := e.(*expr.Alias); ok {
			names[expr.Fingerprint(a.Child)] = out[i]
		}
	}
	var kept []expr.Expr
	for _, e := range known {
		for _, e := range []expr.Expr{e, replaced(e, names)} {
			if e != nil && expr.Over(e, out) {
				kept = append(kept, e)
				break
			}
		}
	}
	return kept
}

// replaced returns e with columns in the place of the expressions that have names.
func replaced(e expr.Expr, names map[string]*expr.Column) expr.Expr {
	out, err := expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
		if c := names[expr.Fingerprint(e)]; c != nil {
			return c, nil
		}
		return e, nil
	})
	if err != nil {
		return nil
	}
	return out
}

// maxKnown is of how many conditions others are inferred.
const maxKnown = 40

// inferred returns each condition of known with one side of an equality in the place
// of the other. A side that is a cast stands for the other, not the other way round.
// Of many conditions, most would be made anew from each other.
func inferred(known []expr.Expr) []expr.Expr {
	if len(known) > maxKnown {
		return nil
	}
	var out []expr.Expr
	for i, e := range known {
		eq, ok := e.(*expr.Call)
		if !ok || eq.Fn != "=" {
			continue
		}
		rest := append(append([]expr.Expr(nil), known[:i]...), known[i+1:]...)
		l, r := eq.Args[0], eq.Args[1]
		if from, ok := l.(*expr.Column); ok && stands(r) {
			out = append(out, instead(rest, from, r)...)
		}
		if from, ok := r.(*expr.Column); ok && stands(l) {
			out = append(out, instead(rest, from, l)...)
		}
	}
	return out
}

// stands reports whether e is a column or a cast of one.
func stands(e expr.Expr) bool {
	if c, ok := e.(*expr.Cast); ok {
		e = c.Child
	}
	_, ok := e.(*expr.Column)
	return ok
}

// instead returns those of list that use from, with e in its place.
func instead(list []expr.Expr, from *expr.Column, e expr.Expr) []expr.Expr {
	var using []expr.Expr
	for _, p := range list {
		if c, ok := p.(*expr.Call); ok && c.Fn == "isnotnull" {
			continue
		}
		if uses(p, []*expr.Column{from}) {
			using = append(using, p)
		}
	}
	out, err := substitute(using, map[expr.ID]expr.Expr{from.ID: e})
	if err != nil {
		return nil
	}
	return out
}

// news returns those of list that are over n's columns and not known of n.
func news(list []expr.Expr, n logical.Node) []expr.Expr {
	seen := map[string]bool{}
	for _, e := range constraints(n) {
		seen[expr.Fingerprint(e)] = true
	}
	var out []expr.Expr
	for _, e := range list {
		if k := expr.Fingerprint(e); !seen[k] && expr.Over(e, n.Output()) {
			seen[k] = true
			out = append(out, e)
		}
	}
	return out
}
