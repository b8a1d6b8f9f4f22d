package compute

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// project computes columns from each batch. Plain columns are passed on without
// a copy, the selection too.
type project struct {
	unary
	exprs  []expr.Expr
	evals  []cexpr.Evaluator
	common *cexpr.Subexpressions
	view   *view
	schema *arrow.Schema
	held
}

var _ Operator = (*project)(nil)

func newProject(n *physical.Project, input Operator, env *Env) (*project, error) {
	p := &project{unary: unary{input}, exprs: n.Exprs, view: newView(n.Input.Schema()), schema: n.Out.Arrow()}
	p.evals, p.common = make([]cexpr.Evaluator, len(n.Exprs)), cexpr.NewSubexpressions(n.Exprs, env.Expr, true)
	for i, e := range n.Exprs {
		if _, ok := e.(*expr.Ref); ok {
			continue
		}
		var err error
		if p.evals[i], err = p.common.Compile(e); err != nil {
			return nil, err
		}
		p.view.uses.add(e)
	}
	return p, nil
}

func (p *project) Next(ctx context.Context) (Batch, error) {
	b, err := p.input.Next(ctx)
	if err != nil {
		return Batch{}, err
	}
	gather := b.sparse()
	rec, err := p.compute(b, gather)
	if err != nil {
		return Batch{}, err
	}
	if gather {
		b.Sel = nil
	}
	return Batch{Rec: p.set(rec), Sel: b.Sel, Split: b.Split}, nil
}

func (p *project) compute(b Batch, gather bool) (arrow.RecordBatch, error) {
	in := p.view.of(b)
	if gather {
		in = p.view.gathered()
	}
	p.common.Begin(in)
	cols := make([]arrow.Array, 0, len(p.evals))
	for i, ev := range p.evals {
		if ev == nil {
			arr := b.Rec.Column(p.exprs[i].(*expr.Ref).Index)
			if gather {
				cols = append(cols, vec.TakeArrow(arr, p.exprs[i].Type(), b.Sel))
				continue
			}
			arr.Retain()
			cols = append(cols, arr)
			continue
		}
		v, err := ev.Eval(in)
		if err != nil {
			for _, c := range cols {
				c.Release()
			}
			return nil, err
		}
		cols = append(cols, arrayOf(v, b.Rec))
	}
	return newRecord(p.schema, cols, in.Rows), nil
}

// Close lets go of the last batch and closes the input.
func (p *project) Close() error { p.set(nil); return p.unary.Close() }
