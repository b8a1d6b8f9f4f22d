package compute

import (
	"context"
	"io"

	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// streamLimit passes on the first rows of the query's life. It reads its input
// to the end also when it is full: what is below must see every row.
type streamLimit struct {
	unary
	node  *physical.Limit
	env   *Env
	table *state.Sharded
	began bool
	// before and passed are the rows passed on up to the epoch, and up to now.
	before, passed int64
	metrics        StateMetrics
	sel            []int32
}

var _ Operator = (*streamLimit)(nil)

func newStreamLimit(n *physical.Limit, input Operator, env *Env) (*streamLimit, error) {
	table, err := keptTable(env, n.State, state.Schema{Values: []state.Field{{Name: "rows", Type: "BIGINT", Kind: state.Int64}}})
	return &streamLimit{unary: unary{input}, node: n, env: env, table: table}, err
}

func (l *streamLimit) Next(ctx context.Context) (Batch, error) {
	if !l.began {
		if err := l.begin(); err != nil {
			return Batch{}, err
		}
	}
	for {
		b, err := l.input.Next(ctx)
		if err == io.EOF {
			if err := l.finish(); err != nil {
				return Batch{}, err
			}
		}
		if err != nil {
			return Batch{}, err
		}
		n := int64(b.Live())
		take := max(0, min(n, l.node.Count-l.passed))
		l.metrics.Input += n
		l.metrics.refuse(RefusedOverLimit, n-take)
		if take == 0 {
			continue
		}
		l.passed += take
		l.metrics.Used += take
		if take < n {
			l.sel = b.part(l.sel, 0, take)
			b.Sel = l.sel
		}
		return b, nil
	}
}

// begin reads how many rows have been passed on.
func (l *streamLimit) begin() error {
	l.began = true
	if refs := l.table.Scan(); len(refs) > 0 {
		v, err := l.table.Value(0, refs)
		if err != nil {
			return err
		}
		l.before = state.Values[int64](&v)[0]
	}
	l.passed = l.before
	return nil
}

// finish keeps the number of rows, if it changed.
func (l *streamLimit) finish() error {
	m := &l.metrics
	if l.passed > l.before {
		keys := l.table.NewKeys()
		if err := keys.Normalise(nil, 1, nil); err != nil {
			return err
		}
		err := l.table.Upsert(keys, nil, func(t *state.Table, _, rows []int32) error {
			t.Value(0).(*state.Fixed[int64]).Set(rows[0], l.passed)
			return nil
		})
		if err != nil {
			return err
		}
		m.Updated = 1
	}
	m.Total, m.Bytes = int64(l.table.Len()), l.table.MemBytes()
	*l.env.Metrics.state(l.node.State.Operator) = *m
	return nil
}
