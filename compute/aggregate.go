package compute

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/physical"
)

// aggregate groups the rows of the epoch. Each split is aggregated by itself, and
// the partial groups are merged in the order of the splits. Groups come out in
// the order of their first row.
type aggregate struct {
	unary
	node   *physical.Aggregate
	plan   *grouping
	out    emitter
	schema *arrow.Schema
	done   bool
	held
}

var _ Operator = (*aggregate)(nil)

func newAggregate(n *physical.Aggregate, input Operator, env *Env) (Operator, error) {
	g, err := newGrouping(n, env)
	if err != nil {
		return nil, err
	}
	if n.State != nil {
		return newStatefulAggregate(n, g, input, env)
	}
	return &aggregate{unary: unary{input}, node: n, plan: g, schema: n.Out.Arrow()}, nil
}

func (a *aggregate) Next(ctx context.Context) (Batch, error) {
	if !a.done {
		groups, err := a.plan.gather(ctx, a.input)
		if err != nil {
			return Batch{}, err
		}
		a.done = true
		a.out = emitter{total: groups.table.Rows(), column: groups.column, columns: len(a.node.Out)}
	}
	return a.out.next(ctx, a.schema, &a.held)
}

// Close lets go of the last batch and closes the input.
func (a *aggregate) Close() error { a.set(nil); return a.unary.Close() }

// emitter puts out groups batch by batch: column returns output column i of the
// groups from lo to hi.
type emitter struct {
	at, total, columns int
	column             func(i, lo, hi int) (*vec.Vec, error)
}

func (e *emitter) next(ctx context.Context, schema *arrow.Schema, h *held) (Batch, error) {
	if err := ctx.Err(); err != nil {
		return Batch{}, err
	}
	n := min(e.total-e.at, BatchRows)
	if n <= 0 {
		return Batch{}, io.EOF
	}
	cols := make([]*vec.Vec, e.columns)
	for i := range cols {
		var err error
		if cols[i], err = e.column(i, e.at, e.at+n); err != nil {
			return Batch{}, err
		}
	}
	e.at += n
	return Batch{Rec: h.set(recordOf(schema, cols, n))}, nil
}
