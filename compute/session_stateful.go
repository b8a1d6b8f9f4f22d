package compute

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// statefulSessions fuses the sessions of the epoch with those of the query's life. A
// session lives in the row of its earliest part: where it grows to the left, or takes
// in another one, rows are removed.
type statefulSessions struct {
	*feed
	node    *physical.Aggregate
	plan    *grouping
	env     *Env
	table   *state.Sharded
	metrics *StateMetrics
	schema  *arrow.Schema
	out     *emitter
}

var _ Operator = (*statefulSessions)(nil)

func newStatefulSessions(n *physical.Aggregate, g *grouping, in *feed, env *Env) (Operator, error) {
	table, err := keptTable(env, n.State, g.sessionSchema(n.Keys[n.Session.Key].Type()))
	if err != nil {
		return nil, err
	}
	return &statefulSessions{feed: in, node: n, plan: g, env: env, table: table, schema: n.Out.Arrow()}, nil
}

// late is the watermark of late rows, which are dropped in complete mode too.
func (a *statefulSessions) late() int64 {
	if a.node.State.EventKey < 0 {
		return NoWatermark
	}
	return watermark(a.env.Late, a.node.State.Operator)
}

func (a *statefulSessions) readAhead(ctx context.Context) (err error) {
	if a.pipeline != nil {
		a.ahead, err = a.groupSessions(ctx, a.plan, a.table, a.late())
	}
	return err
}

func (a *statefulSessions) Next(ctx context.Context) (Batch, error) {
	if a.out == nil {
		t, err := a.gatherSessions(ctx, a.plan, a.table, a.late())
		if err != nil {
			return Batch{}, err
		}
		a.metrics = a.env.Metrics.state(a.node.State.Operator)
		a.metrics.Input += t.taken
		if err := a.update(t.sessions); err != nil {
			return Batch{}, err
		}
		if a.out, err = a.evict(); err != nil {
			return Batch{}, err
		}
	}
	return a.out.next(ctx)
}

// update merges the sessions of the epoch into the state, several sub-tables at a
// time.
func (a *statefulSessions) update(s *sessionParts) error {
	first := a.table.Begin(2 * s.base)
	done, errs := make([]sessionMerge, len(s.parts)), make([]error, len(s.parts))
	inTurn(max(1, a.env.Workers), len(s.parts), func(i int) {
		p := s.parts[i]
		if p == nil {
			return
		}
		done[i] = sessionMerge{part: p, kept: a.table, sub: i, table: a.table.Sub(i), plan: a.plan}
		errs[i] = done[i].run(first, first+s.base)
		s.parts[i] = nil
	})
	if err := firstOf(errs); err != nil {
		return err
	}
	for i := range done {
		m := &done[i]
		if m.part == nil {
			continue
		}
		a.metrics.Dropped += m.part.lateGroups
		a.metrics.LateRows += m.part.lateRows
		a.metrics.Used += m.part.used
		a.metrics.Updated += int64(len(m.rows))
		a.metrics.Removed += int64(len(m.gone))
	}
	return nil
}

// times returns the event times of rows of a sub-table: the ends of sessions.
func (a *statefulSessions) times(t *state.Table, rows []int32) (state.Vector, error) {
	if k := a.node.State.EventKey; k != a.sessions.key {
		return t.Key(a.plan.keys.eventKey(a.sessions.keyAt(k)), rows)
	}
	starts, ends := sessionColumns(t)
	v := ends.Gather(rows)
	for i, r := range rows {
		if starts.Data()[r] == noTime { // without a window
			if v.Valid == nil {
				v.Valid = slices.Repeat([]byte{0xff}, (v.Len+7)/8)
			}
			v.Valid[i>>3] &^= 1 << (i & 7)
		}
	}
	return v, nil
}

// sessionColumns returns the columns of starts and ends of a table of sessions.
func sessionColumns(t *state.Table) (starts, ends *state.Fixed[int64]) {
	n := len(t.Schema().Values)
	return t.Value(n - 2).(*state.Fixed[int64]), t.Value(n - 1).(*state.Fixed[int64])
}

// evict forgets the sessions that are over, and returns what the epoch puts out: in
// append mode these, in complete mode all.
func (a *statefulSessions) evict() (*emitter, error) {
	var out []state.Ref
	over := eviction{env: a.env, table: a.table, times: a.times}
	bounded := a.node.State.Mode != base.Complete && a.node.State.EventKey >= 0
	if a.node.State.Mode == base.Complete {
		out = a.table.Scan()
	} else if bounded {
		if err := over.find(watermark(a.env.Evict, a.node.State.Operator)); err != nil {
			return nil, err
		}
		out = over.refs()
	}
	e, err := a.read(out)
	if err != nil {
		return nil, err
	}
	if bounded {
		if err := over.remove(a.metrics); err != nil {
			return nil, err
		}
	}
	a.metrics.Total = int64(a.table.Len())
	a.metrics.Bytes = a.table.MemBytes()
	return e, nil
}

// read returns the output rows of refs, in their order.
func (a *statefulSessions) read(refs []state.Ref) (*emitter, error) {
	return readState(a.table, refs, a.node.Out, a.env.Workers, func(t *state.Table, rows []int32) ([]*vec.Vec, error) {
		var cols []*vec.Vec
		for i, k := range a.node.Keys {
			v, err := a.keyColumn(t, i, k.Type(), rows)
			if err != nil {
				return nil, err
			}
			cols = append(cols, v)
		}
		for _, acc := range a.plan.bind(t) {
			v, err := acc.Final(rows)
			if err != nil {
				return nil, err
			}
			cols = append(cols, v)
		}
		return cols, nil
	})
}

func (a *statefulSessions) keyColumn(t *state.Table, i int, typ *expr.Type, rows []int32) (*vec.Vec, error) {
	if i == a.sessions.key {
		starts, ends := sessionColumns(t)
		s, e := starts.Gather(rows), ends.Gather(rows)
		return windowAt(typ, state.Values[int64](&s), state.Values[int64](&e)), nil
	}
	return a.plan.keys.column(a.sessions.keyAt(i), func(k int) (state.Vector, error) { return t.Key(k, rows) })
}

// Close lets go of the last batch and closes the input.
func (a *statefulSessions) Close() error {
	if a.out != nil {
		a.out.close()
	}
	return a.feed.close()
}
