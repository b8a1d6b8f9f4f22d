package planner

import (
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// bind replaces columns by their positions in have, and scalar subqueries by
// their plans.
func (p *planner) bind(e expr.Expr, have []*expr.Column) (expr.Expr, error) {
	return expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
		switch e := e.(type) {
		case *expr.Column:
			for i, c := range have {
				if c.ID == e.ID {
					return &expr.Ref{Index: i, Name: e.Name, Typ: e.Typ, Null: e.Null || c.Null}, nil
				}
			}
			return nil, invariants.AssertionFailedf("column %s#%d is not among the %d columns of its input", e.Name, e.ID, len(have))
		case *expr.Alias:
			return e.Child, nil
		case *expr.Subquery:
			return p.subquery(e)
		case *expr.Call:
			if f := e.Signature(); f != nil && f.Nondeterministic {
				p.plan.counts = true
			}
		}
		return e, nil
	})
}

func (p *planner) bindAll(list []expr.Expr, have []*expr.Column) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = p.bind(e, have); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// subquery plans an uncorrelated scalar subquery among the same inputs. It is a
// batch within the epoch, whatever the query around it is.
func (p *planner) subquery(e *expr.Subquery) (expr.Expr, error) {
	body, ok := e.Plan.(logical.Node)
	if !ok || e.Kind != expr.ScalarSubquery {
		return nil, notYet(e.Pos(), "This subquery")
	}
	inner := &planner{plan: p.plan, working: p.working, opts: Options{Plain: p.opts.Plain, Rewrite: p.opts.Rewrite}}
	need, out := set{}, body.Output()
	need.addAll(out)
	if p.opts.Rewrite != nil {
		var err error
		if body, err = p.opts.Rewrite(body); err != nil {
			return nil, err
		}
	}
	n, cols, err := inner.node(body, need)
	if err == nil {
		n, err = inner.exactly(n, cols, out)
	}
	if err != nil {
		return nil, err
	}
	return &physical.ScalarSubquery{At: e.At, Ref: expr.Ref{Name: e.SQL(), Typ: e.Typ, Null: true}, Plan: n}, nil
}
