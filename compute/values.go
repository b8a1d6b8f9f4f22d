package compute

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// values puts out the rows of a VALUES list.
type values struct {
	node   *physical.Values
	env    *Env
	schema *arrow.Schema
	next   int
	held
}

var _ Operator = (*values)(nil)

func newValues(n *physical.Values, env *Env) *values {
	return &values{node: n, env: env, schema: n.Out.Arrow()}
}

func (v *values) Next(ctx context.Context) (Batch, error) {
	n := min(len(v.node.Rows)-v.next, BatchRows)
	if n <= 0 {
		return Batch{}, io.EOF
	}
	cols := make([]*vec.Vec, len(v.node.Out))
	for c, f := range v.node.Out {
		b := vec.NewBuilder(f.Type)
		for _, row := range v.node.Rows[v.next : v.next+n] {
			if err := v.append(b, row[c]); err != nil {
				return Batch{}, err
			}
		}
		cols[c] = b.Vec()
	}
	v.next += n
	return Batch{Rec: v.set(recordOf(v.schema, cols, n))}, ctx.Err()
}

func (v *values) append(b *vec.Builder, e expr.Expr) error {
	l, err := cexpr.Fold(e, v.env.Expr)
	if err != nil {
		return err
	}
	return cexpr.AppendValue(b, l.Value)
}

// Close lets go of the last batch.
func (v *values) Close() error { v.set(nil); return nil }

// series is the table function range.
type series struct {
	next, end, step int64
	schema          *arrow.Schema
	held
}

var _ Operator = (*series)(nil)

func newSeries(n *physical.Range) (*series, error) {
	if n.Step == 0 {
		return nil, base.UserError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", "The step of range() must not be 0.")
	}
	return &series{next: n.Start, end: n.End, step: n.Step, schema: n.Out.Arrow()}, nil
}

// left is how many rows are still to come, at most BatchRows. The distance may
// be more than an int64 holds, so it is taken unsigned.
func (s *series) left() int {
	distance, step := uint64(s.end)-uint64(s.next), uint64(s.step)
	if s.step < 0 {
		distance, step = -distance, -step
	}
	if s.step > 0 == (s.next >= s.end) || s.next == s.end {
		return 0
	}
	n := distance / step
	if distance%step != 0 {
		n++
	}
	return int(min(n, BatchRows))
}

func (s *series) Next(ctx context.Context) (Batch, error) {
	n := s.left()
	if n == 0 {
		return Batch{}, io.EOF
	}
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = s.next + int64(i)*s.step
	}
	last := ids[n-1]
	s.next = last + s.step
	if (s.next > last) != (s.step > 0) { // past the range of int64
		s.next = s.end
	}
	rec := recordOf(s.schema, []*vec.Vec{vec.FromValues(expr.Int64, ids, nil)}, n)
	return Batch{Rec: s.set(rec)}, ctx.Err()
}

// Close lets go of the last batch.
func (s *series) Close() error { s.set(nil); return nil }
