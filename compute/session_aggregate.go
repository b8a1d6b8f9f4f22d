package compute

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// sessionAggregate groups the rows of a batch query into sessions. They come out by
// part of the hash of their keys; within a part in the order of their first rows or,
// where rows were not in the order of time, by key and time.
type sessionAggregate struct {
	*feed
	node   *physical.Aggregate
	plan   *grouping
	schema *arrow.Schema
	out    *partsEmitter
}

var _ Operator = (*sessionAggregate)(nil)

func newSessionAggregate(n *physical.Aggregate, in *feed, env *Env) (Operator, error) {
	g, err := in.sessions.grouping(env)
	if err != nil {
		return nil, err
	}
	if n.State != nil {
		return newStatefulSessions(n, g, in, env)
	}
	return &sessionAggregate{feed: in, node: n, plan: g, schema: n.Out.Arrow()}, nil
}

func (a *sessionAggregate) Next(ctx context.Context) (Batch, error) {
	if a.out == nil {
		t, err := a.gatherSessions(ctx, a.plan, nil, NoWatermark)
		if err != nil {
			return Batch{}, err
		}
		parts := t.sessions.parts
		a.out = &partsEmitter{schema: a.schema, columns: len(a.node.Out), parts: len(parts), workers: max(1, a.plan.env.Workers)}
		a.out.open = func(i int) ([]int32, func(c int, rows []int32) (*vec.Vec, error), error) {
			p := parts[i]
			parts[i] = nil
			if p == nil {
				return nil, nil, nil
			}
			rows, err := p.fuse()
			return rows, func(c int, rows []int32) (*vec.Vec, error) { return p.columnOf(a.sessions, c, rows) }, err
		}
	}
	return a.out.next(ctx)
}

// Close lets go of the last batch and closes the input.
func (a *sessionAggregate) Close() error {
	if a.out != nil {
		a.out.close()
	}
	return a.feed.close()
}

// gatherSessions groups all rows by g, which is by the keys that are no session. kept
// is the table that the sessions will be merged into, or nil; late is the watermark in
// milliseconds at or before which rows are late.
func (f *feed) gatherSessions(ctx context.Context, g *grouping, kept *state.Sharded, late int64) (*gathering, error) {
	return f.ready(g, func() (*gathering, error) { return f.groupSessions(ctx, g, kept, late) })
}

func (f *feed) groupSessions(ctx context.Context, g *grouping, kept *state.Sharded, late int64) (*gathering, error) {
	t := newGathering(g, kept)
	if t.parts = hashParts; kept != nil {
		t.parts = kept.Subs()
	}
	t.sessions = newSessionParts(g, t.parts, late)
	return t, f.drain(ctx, t, g)
}
