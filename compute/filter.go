package compute

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// filter leaves in the selection the rows for which a condition is true.
type filter struct {
	unary
	cond *condition
	sel  []int32
}

var _ Operator = (*filter)(nil)

// newFilter returns the operator of n. A scan right below filters itself, so that its
// reader may ask before it has all columns.
func newFilter(n *physical.Filter, input Operator, env *Env) (Operator, error) {
	cond, err := newCondition(n.Cond, n.Input.Schema(), env)
	if err != nil {
		return nil, err
	}
	if s := scanBelow(input); s != nil && s.take(n.Cond, cond) {
		return input, nil
	}
	return &filter{unary: unary{input}, cond: cond}, err
}

func (f *filter) Next(ctx context.Context) (Batch, error) {
	for {
		b, err := f.input.Next(ctx)
		if err != nil {
			return Batch{}, err
		}
		if f.sel, err = f.cond.of(b, f.sel); err != nil {
			return Batch{}, err
		}
		if len(f.sel) == 0 {
			continue
		}
		if len(f.sel) < int(b.Rec.NumRows()) {
			b.Sel = f.sel
		}
		return b, nil
	}
}

// condition is a predicate over batches.
type condition struct {
	view *view
	pred cexpr.Predicate
}

func newCondition(e expr.Expr, schema expr.Schema, env *Env) (*condition, error) {
	pred, err := cexpr.CompilePredicate(e, env.Expr)
	v := newView(schema)
	v.uses.addCondition(e)
	return &condition{v, pred}, err
}

// of returns the live rows of b at which the condition is true, in out if it has
// the room.
func (c *condition) of(b Batch, out []int32) ([]int32, error) {
	return c.pred.Select(c.view.of(b), out)
}

// ofColumns is of for all rows of a record batch of which only the columns are there
// that the condition uses.
func (c *condition) ofColumns(cols []arrow.Array, rows int, out []int32) ([]int32, error) {
	return c.pred.Select(c.view.ofColumns(cols, rows, nil), out)
}
