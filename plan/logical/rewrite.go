package logical

import "github.com/flightd/flightd/plan/expr"

// RewriteExprs rewrites every expression of an unresolved tree, children first,
// those of subqueries included.
func RewriteExprs(n Node, f func(expr.Expr) (expr.Expr, error)) (Node, error) {
	r := rewriter{f: f}
	out := r.node(n)
	return out, r.err
}

type rewriter struct {
	f   func(expr.Expr) (expr.Expr, error)
	err error
}

func (r *rewriter) expr(e expr.Expr) expr.Expr {
	if e == nil || r.err != nil {
		return e
	}
	out, err := expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
		if s, ok := e.(*expr.Subquery); ok {
			if plan, ok := s.Plan.(Node); ok {
				c := *s
				c.Plan = r.node(plan)
				e = &c
			}
		}
		return r.f(e)
	})
	if err != nil {
		r.err = err
		return e
	}
	return out
}

func (r *rewriter) list(es []expr.Expr) []expr.Expr {
	if es == nil {
		return nil
	}
	out := make([]expr.Expr, len(es))
	for i, e := range es {
		out[i] = r.expr(e)
	}
	return out
}

func (r *rewriter) lists(ls [][]expr.Expr) [][]expr.Expr {
	if ls == nil {
		return nil
	}
	out := make([][]expr.Expr, len(ls))
	for i, l := range ls {
		out[i] = r.list(l)
	}
	return out
}

func (r *rewriter) node(n Node) Node {
	if n == nil || r.err != nil {
		return n
	}
	if in := n.Inputs(); len(in) > 0 {
		next := make([]Node, len(in))
		for i, c := range in {
			next[i] = r.node(c)
		}
		n = n.With(next)
	}
	switch n := n.(type) {
	case *Function:
		d := *n
		d.Args, d.From = r.list(n.Args), r.expr(n.From)
		return &d
	case *Table:
		if n.From == nil {
			return n
		}
		d := *n
		d.From = r.expr(n.From)
		return &d
	case *Having:
		d := *n
		d.Cond = r.expr(n.Cond)
		return &d
	case *Qualify:
		d := *n
		d.Cond = r.expr(n.Cond)
		return &d
	case *Pivot:
		d := *n
		d.Aggs, d.For, d.Values = r.list(n.Aggs), r.list(n.For), r.lists(n.Values)
		return &d
	case *Unpivot:
		d := *n
		d.Items = r.lists(n.Items)
		return &d
	case *Values:
		d := *n
		d.Rows = r.lists(n.Rows)
		return &d
	case *Project:
		d := *n
		d.List = r.list(n.List)
		return &d
	case *Filter:
		d := *n
		d.Cond = r.expr(n.Cond)
		return &d
	case *Aggregate:
		d := *n
		d.Group, d.Sets, d.List = r.list(n.Group), r.lists(n.Sets), r.list(n.List)
		return &d
	case *Generate:
		d := *n
		d.Gen = r.expr(n.Gen)
		return &d
	case *Join:
		d := *n
		d.Cond = r.expr(n.Cond)
		return &d
	case *AsOfJoin:
		d := *n
		d.Match = [2]expr.Expr{r.expr(n.Match[0]), r.expr(n.Match[1])}
		d.Cond = r.expr(n.Cond)
		return &d
	case *Sort:
		d := *n
		d.Keys = append([]expr.SortTerm(nil), n.Keys...)
		for i := range d.Keys {
			d.Keys[i].Expr = r.expr(d.Keys[i].Expr)
		}
		return &d
	case *Limit:
		d := *n
		d.Count, d.Offset = r.expr(n.Count), r.expr(n.Offset)
		return &d
	case *Watermark:
		d := *n
		d.Time = r.expr(n.Time)
		return &d
	}
	return n
}

// Streaming reports whether n reads a stream.
func Streaming(n Node) bool {
	if r, ok := n.(*Relation); ok {
		return r.Stream
	}
	for _, in := range n.Inputs() {
		if Streaming(in) {
			return true
		}
	}
	return false
}
