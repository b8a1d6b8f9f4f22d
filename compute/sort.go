package compute

import (
	"context"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// sorter orders all rows of the epoch, in memory. Equal rows keep their order.
type sorter struct {
	unary
	node   *physical.Sort
	evals  []cexpr.Evaluator
	out    *batches
	memory *cexpr.Memory
}

var _ Operator = (*sorter)(nil)

func newSort(n *physical.Sort, input Operator, env *Env) (*sorter, error) {
	s := &sorter{unary: unary{input}, node: n, memory: env.memory()}
	for _, k := range n.Keys {
		ev, err := cexpr.Compile(k.Expr, env.Expr)
		if err != nil {
			return nil, err
		}
		s.evals = append(s.evals, ev)
	}
	return s, nil
}

func (s *sorter) Next(ctx context.Context) (Batch, error) {
	if s.out == nil {
		all, err := collect(ctx, s.input, s.node.Input.Schema(), "a sort", s.memory)
		if err != nil {
			return Batch{}, err
		}
		rows, err := s.order(all)
		if err != nil {
			return Batch{}, err
		}
		s.out = &batches{schema: s.node.Schema().Arrow(), from: all, rows: rows}
	}
	return s.out.Next(ctx)
}

func (s *sorter) order(all *collected) ([]int32, error) {
	in := &cexpr.Input{Cols: all.cols, Rows: all.rows}
	var keys []*vec.Vec
	var desc, nullsFirst []bool
	for i, k := range s.node.Keys {
		v, err := s.evals[i].Eval(in)
		if err != nil {
			return nil, err
		}
		if v.Const || v.Type.Kind == expr.KindNull {
			continue // orders nothing
		}
		keys, desc, nullsFirst = append(keys, v), append(desc, k.Descending), append(nullsFirst, k.NullsFirst)
	}
	rows := make([]int32, all.rows)
	for i := range rows {
		rows[i] = int32(i)
	}
	if len(keys) == 0 {
		return rows, nil
	}
	return vec.SortIndex(keys, desc, nullsFirst, rows), nil
}

// Close lets go of all rows and closes the input.
func (s *sorter) Close() error {
	if s.out != nil {
		s.out.set(nil)
	}
	return s.unary.Close()
}
