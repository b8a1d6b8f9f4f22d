package compute

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// sessionSpread gives each row, in place of its own session window, that of the whole
// session: so an aggregation above, which knows nothing of sessions, can group by it.
// It is for aggregates that cannot be merged, those of DISTINCT values. It keeps all
// rows, and puts them out by key, each key's in the order of time.
type sessionSpread struct {
	unary
	plan   *grouping
	column int // the window among the columns
	types  []*expr.Type
	schema *arrow.Schema
	keys   *state.Table

	parts [][]*vec.Vec // the rows of each batch, by column
	rows  orderedRows
	cols  []*vec.Vec // all rows, by column
	at    int
	done  bool
	held
}

var _ Operator = (*sessionSpread)(nil)

// spread returns the input of an aggregation of sessions over DISTINCT values, and
// the aggregation as it is over that.
func (b *builder) spread(n *physical.Aggregate) (Operator, *physical.Aggregate, error) {
	ref, ok := n.Keys[n.Session.Key].(*expr.Ref)
	if n.State != nil || !ok {
		return nil, nil, base.UserError("UNSUPPORTED_FEATURE", "0A000", "Aggregates of DISTINCT values over the sessions of a stream cannot be run.").At(n.Keys[n.Session.Key].Pos())
	}
	keyed := *n
	keyed.Aggs = nil
	plan, err := (&sessions{of: &keyed, key: n.Session.Key}).grouping(b.env)
	if err != nil {
		return nil, nil, err
	}
	in, err := b.build(n.Input)
	if err != nil {
		return nil, nil, err
	}
	s := &sessionSpread{unary: unary{in}, plan: plan, column: ref.Index, schema: n.Input.Schema().Arrow(), keys: state.NewTable(plan.schema, b.env.Seed)}
	for _, f := range n.Input.Schema() {
		s.types = append(s.types, f.Type)
	}
	plain := *n
	plain.Session = nil
	return s, &plain, nil
}

func (s *sessionSpread) Next(ctx context.Context) (Batch, error) {
	if !s.done {
		if err := s.take(ctx); err != nil {
			return Batch{}, err
		}
		s.fuse()
		s.done = true
	}
	order := s.rows.at
	n := min(len(order)-s.at, BatchRows)
	if n <= 0 {
		return Batch{}, io.EOF
	}
	rows := order[s.at : s.at+n]
	s.at += n
	cols := make([]*vec.Vec, len(s.cols))
	for i, c := range s.cols {
		if i != s.column {
			cols[i] = c.Take(rows)
			continue
		}
		starts, ends := make([]int64, n), make([]int64, n)
		for j, r := range rows {
			starts[j], ends[j] = s.rows.starts[r], s.rows.ends[r]
		}
		cols[i] = windowAt(s.types[i], starts, ends)
	}
	return Batch{Rec: s.set(recordOf(s.schema, cols, n))}, ctx.Err()
}

// take takes in all rows.
func (s *sessionSpread) take(ctx context.Context) error {
	o := &s.rows
	for {
		b, err := s.input.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		live := s.plan.list.of(b)
		if len(live) == 0 {
			continue
		}
		in := s.plan.view.of(b)
		w := s.plan.session
		if err := w.of(in, live); err != nil {
			return err
		}
		keys, err := s.plan.keyVectors(in, live)
		if err != nil {
			return err
		}
		if err := s.plan.norm.Normalise(keys, in.Rows, b.Sel); err != nil {
			return err
		}
		ids := make([]int32, len(live))
		if err := s.keys.Upsert(s.plan.norm, b.Sel, ids); err != nil {
			return err
		}
		o.ids = append(o.ids, ids...)
		for _, r := range live {
			o.starts, o.ends = append(o.starts, w.starts[r]), append(o.ends, w.ends[r])
		}
		cols := make([]*vec.Vec, len(s.types))
		for i, t := range s.types {
			cols[i] = vec.FromArrow(b.Rec.Column(i), t).Take(live)
		}
		s.parts = append(s.parts, cols)
	}
	return nil
}

// fuse puts the rows into the order of time and gives them their sessions.
func (s *sessionSpread) fuse() {
	o := &s.rows
	o.at, o.place = byKey(o.ids, s.keys.Rows(), nil, nil)
	from := int32(0)
	for _, to := range o.place {
		rows := o.at[from:to]
		o.sort(rows)
		for lo := 0; lo < len(rows); {
			end, hi := o.ends[rows[lo]], lo+1
			for ; hi < len(rows) && o.starts[rows[hi]] <= end; hi++ {
				end = max(end, o.ends[rows[hi]])
			}
			start := o.starts[rows[lo]]
			for _, r := range rows[lo:hi] {
				o.starts[r], o.ends[r] = start, end
			}
			lo = hi
		}
		from = to
	}
	if len(s.parts) == 0 {
		return
	}
	s.cols = make([]*vec.Vec, len(s.types))
	for i := range s.cols {
		each := make([]*vec.Vec, len(s.parts))
		for j, p := range s.parts {
			each[j] = p[i]
		}
		s.cols[i] = vec.Concat(each)
	}
	s.parts = nil
}

// Close lets go of the last batch and closes the input.
func (s *sessionSpread) Close() error { s.set(nil); return s.unary.Close() }
