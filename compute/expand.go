package compute

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// expand puts out each row once per list of expressions: the rows of a row lie
// together, in the order of the lists.
type expand struct {
	unary
	lists  [][]cexpr.Evaluator
	types  []*expr.Type
	view   *view
	schema *arrow.Schema
	batch  Batch
	rows   []int32 // still to be expanded
	cols   []*vec.Vec
	list   rowList
	held
}

var _ Operator = (*expand)(nil)

func newExpand(n *physical.Expand, input Operator, env *Env) (*expand, error) {
	x := &expand{unary: unary{input}, view: newView(n.Input.Schema()), schema: n.Out.Arrow()}
	for _, f := range n.Out {
		x.types = append(x.types, f.Type)
	}
	for _, l := range n.Lists {
		x.view.uses.add(l...)
		evals, err := cexpr.CompileAll(l, env.Expr)
		if err != nil {
			return nil, err
		}
		x.lists = append(x.lists, evals)
	}
	return x, nil
}

func (x *expand) Next(ctx context.Context) (Batch, error) {
	for len(x.rows) == 0 {
		b, err := x.input.Next(ctx)
		if err != nil {
			return Batch{}, err
		}
		x.batch, x.rows = b, x.list.of(b)
		if err := x.evaluate(b); err != nil {
			return Batch{}, err
		}
	}
	n := min(len(x.rows), max(1, BatchRows/len(x.lists)))
	total := int32(x.batch.Rec.NumRows())
	idx := make([]int32, 0, n*len(x.lists))
	for _, r := range x.rows[:n] {
		for l := range x.lists {
			idx = append(idx, int32(l)*total+r)
		}
	}
	x.rows = x.rows[n:]
	out := make([]*vec.Vec, len(x.cols))
	for i, c := range x.cols {
		out[i] = c.Take(idx)
	}
	return Batch{Rec: x.set(recordOf(x.schema, out, len(idx))), Split: x.batch.Split}, nil
}

// evaluate makes each output column for all lists, one list after another.
func (x *expand) evaluate(b Batch) error {
	in := x.view.of(b)
	x.cols = make([]*vec.Vec, len(x.types))
	for c, t := range x.types {
		parts := make([]*vec.Vec, len(x.lists))
		for l, evals := range x.lists {
			v, err := evals[c].Eval(in)
			if err != nil {
				return err
			}
			if v.Type.Kind == expr.KindNull {
				v = vec.NewNull(t, in.Rows)
			}
			parts[l] = vec.Fresh(v)
		}
		x.cols[c] = vec.Concat(parts)
	}
	return nil
}

// Close lets go of the last batch and closes the input.
func (x *expand) Close() error { x.set(nil); return x.unary.Close() }
