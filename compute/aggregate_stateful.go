package compute

import (
	"cmp"
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// statefulAggregate merges the groups of the epoch into those of the query's
// life. Late groups are dropped after the epoch's own aggregation, as Spark
// does, so one late group is dropped however many rows it has.
type statefulAggregate struct {
	*feed
	node    *physical.Aggregate
	plan    *grouping
	env     *Env
	table   *state.Sharded
	metrics *StateMetrics
	schema  *arrow.Schema
	out     *emitter
}

var _ Operator = (*statefulAggregate)(nil)

func newStatefulAggregate(n *physical.Aggregate, g *grouping, in *feed, env *Env) (Operator, error) {
	g.countRows = n.State.EventKey >= 0
	a := &statefulAggregate{feed: in, node: n, plan: g, env: env, schema: n.Out.Arrow()}
	schema := g.schema
	if a.bounded() {
		schema.Time = &state.TimeColumn{Key: true, At: g.keys.eventKey(n.State.EventKey)}
	}
	var err error
	a.table, err = keptTable(env, n.State, schema)
	return a, err
}

func (a *statefulAggregate) readAhead(ctx context.Context) (err error) {
	if a.pipeline != nil {
		a.ahead, err = a.group(ctx, a.plan, a.table)
	}
	return err
}

func (a *statefulAggregate) Next(ctx context.Context) (Batch, error) {
	if a.out == nil {
		a.metrics = &a.env.Metrics.State[a.node.State.Operator]
		t, err := a.gather(ctx, a.plan, a.table)
		if err != nil {
			return Batch{}, err
		}
		a.metrics.Input = t.taken
		if t.wide != nil {
			err = a.updateParts(t.wide)
		} else {
			err = a.update(t.merged)
		}
		if err != nil {
			return Batch{}, err
		}
		if !a.plan.countRows { // nothing of it can be late
			a.metrics.Used = a.metrics.Input
		}
		if a.out, err = a.evict(); err != nil {
			return Batch{}, err
		}
	}
	return a.out.next(ctx)
}

// update merges the groups that are not late into the state.
func (a *statefulAggregate) update(g *groups) error {
	g.settle()
	keep, late, err := a.punctual(g, a.plan.list.first(g.table.Rows()))
	if err != nil {
		return err
	}
	late.count(a.metrics)
	a.metrics.Used += g.rowsOf(keep)
	a.metrics.Updated = int64(len(keep))
	if keep == nil {
		a.metrics.Updated = int64(g.table.Rows())
	}
	var keys state.Keys
	g.table.Keys(&keys)
	merge := func(t *state.Table, sel, rows []int32) error {
		for i, acc := range a.plan.bind(t) {
			if err := acc.Merge(rows, g.accs[i], sel); err != nil {
				return err
			}
		}
		return nil
	}
	if a.metrics.Updated > sharedGroups && a.env.Workers > 1 && a.plan.direct() {
		return a.updateSubs(&keys, keep, merge)
	}
	return a.table.Upsert(&keys, keep, merge)
}

// sharedGroups is from how many groups on several workers merge them into the state.
const sharedGroups = 1 << 12

// updateSubs merges the groups of keep into the state, several sub-tables at a time.
func (a *statefulAggregate) updateSubs(keys *state.Keys, keep []int32, merge func(t *state.Table, sel, rows []int32) error) error {
	p := a.table.Partition(keys, keep)
	errs := make([]error, a.table.Subs())
	inTurn(a.env.Workers, len(errs), func(i int) {
		sel := p.Sub(i)
		if len(sel) == 0 {
			return
		}
		rows := make([]int32, len(sel))
		if errs[i] = a.table.UpsertSub(p, i, keys, rows); errs[i] == nil {
			errs[i] = merge(a.table.Sub(i), sel, rows)
		}
	})
	return firstOf(errs)
}

// updateParts does the same with groups by part of the hash: the parts are those
// of the state, so that each sub-table has one.
func (a *statefulAggregate) updateParts(w *wideGroups) error {
	first := a.table.Begin(w.base)
	late, updated, used, errs := make([]lateGroups, len(w.parts)), make([]int, len(w.parts)), make([]int64, len(w.parts)), make([]error, len(w.parts))
	inTurn(max(1, a.env.Workers), len(w.parts), func(p int) {
		if w.parts[p].table.Rows() > 0 {
			updated[p], used[p], late[p], errs[p] = a.updatePart(p, w.parts[p], first)
		}
		w.parts[p] = nil
	})
	for p := range late {
		if errs[p] != nil {
			return errs[p]
		}
		late[p].count(a.metrics)
		a.metrics.Updated += int64(updated[p])
		a.metrics.Used += used[p]
	}
	return nil
}

func (a *statefulAggregate) updatePart(p int, part *widePart, first int64) (updated int, used int64, late lateGroups, err error) {
	all := part.span(0, int32(part.table.Rows()))
	keep, late, err := a.punctual(part.groups, all)
	if err != nil {
		return 0, 0, late, err
	}
	if keep == nil {
		keep = all
	}
	if !slices.IsSorted(part.order) {
		keep = slices.Clone(keep)
		slices.SortFunc(keep, func(a, b int32) int { return cmp.Compare(part.order[a], part.order[b]) })
	}
	var keys state.Keys
	part.table.Keys(&keys)
	keys.Number(part.order)
	rows := make([]int32, len(keep))
	if err := a.table.UpsertPart(p, &keys, keep, rows, first); err != nil {
		return 0, 0, late, err
	}
	for i, acc := range a.plan.bind(a.table.Sub(p)) {
		if err := acc.Merge(rows, part.accs[i], keep); err != nil {
			return 0, 0, late, err
		}
	}
	return len(keep), part.rowsOf(keep), late, nil
}

// lateGroups counts what was too late.
type lateGroups struct{ groups, rows int64 }

func (l lateGroups) count(m *StateMetrics) {
	m.Dropped += l.groups
	m.LateRows += l.rows
}

// punctual returns the groups of all that are not late; nil means all of them.
func (a *statefulAggregate) punctual(g *groups, all []int32) (keep []int32, gone lateGroups, err error) {
	late := watermark(a.env.Late, a.node.State.Operator)
	if !a.bounded() || late == NoWatermark {
		return nil, gone, nil
	}
	times, err := g.table.Key(a.plan.keys.eventKey(a.node.State.EventKey), all)
	if err != nil {
		return nil, gone, err
	}
	keep = make([]int32, 0, len(all))
	counts := g.count.Data()
	for i, is := range due(times, late) {
		if is {
			gone.groups++
			gone.rows += counts[i]
			continue
		}
		keep = append(keep, int32(i))
	}
	return keep, gone, nil
}

// bounded reports whether the watermark bounds the state: complete mode ignores
// it, and so do keys without an event time.
func (a *statefulAggregate) bounded() bool {
	return a.node.State.EventKey >= 0 && a.node.State.Mode != base.Complete
}

// evict forgets the groups that are due, and returns what the epoch puts out: in
// append mode these, in update mode those that changed, in complete mode all.
func (a *statefulAggregate) evict() (*emitter, error) {
	var out []state.Ref
	gone := eviction{env: a.env, table: a.table}
	if a.bounded() {
		if err := gone.find(watermark(a.env.Evict, a.node.State.Operator)); err != nil {
			return nil, err
		}
	}
	switch a.node.State.Mode {
	case base.Append:
		out = gone.refs()
	case base.Update:
		out = a.table.Changed()
	case base.Complete:
		out = a.table.Scan()
	}
	// Rows of the state can be read until the epoch ends, also removed ones.
	e, err := a.read(out)
	if err != nil {
		return nil, err
	}
	if a.bounded() {
		if err := gone.remove(a.metrics); err != nil {
			return nil, err
		}
	}
	a.metrics.Total = int64(a.table.Len())
	a.metrics.Bytes = a.table.MemBytes()
	return e, nil
}

// read returns the output rows of refs, in their order.
func (a *statefulAggregate) read(refs []state.Ref) (*emitter, error) {
	return readState(a.table, refs, a.node.Out, a.env.Workers, a.readSub)
}

// readSub returns the output columns of rows of a sub-table.
func (a *statefulAggregate) readSub(t *state.Table, rows []int32) ([]*vec.Vec, error) {
	cols := make([]*vec.Vec, 0, len(a.node.Out))
	for i := range a.plan.keys.types {
		v, err := a.plan.keys.column(i, func(k int) (state.Vector, error) { return t.Key(k, rows) })
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
}

// Close lets go of the last batch and closes the input.
func (a *statefulAggregate) Close() error {
	if a.out != nil {
		a.out.close()
	}
	return a.feed.close()
}
