package compute

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// aggregate groups the rows of the epoch. Groups come out in the order of their
// first row; if a split had more than fit into the cache, by part of the hash of
// their key, and in that order within a part.
type aggregate struct {
	*feed
	node   *physical.Aggregate
	plan   *grouping
	out    source
	schema *arrow.Schema
}

// A source puts out what an operator has made, batch by batch.
type source interface {
	next(ctx context.Context) (Batch, error)
	close()
}

var _ Operator = (*aggregate)(nil)

func newAggregate(n *physical.Aggregate, in *feed, env *Env) (Operator, error) {
	if in.sessions != nil {
		return newSessionAggregate(n, in, env)
	}
	g, err := newGrouping(n, env)
	if err != nil {
		return nil, err
	}
	if n.State != nil {
		return newStatefulAggregate(n, g, in, env)
	}
	return &aggregate{feed: in, node: n, plan: g, schema: n.Out.Arrow()}, nil
}

func (a *aggregate) Next(ctx context.Context) (Batch, error) {
	if a.out == nil {
		t, err := a.gather(ctx, a.plan, nil)
		if err != nil {
			return Batch{}, err
		}
		if t.wide != nil {
			a.out = newWideEmitter(t.wide, a.schema, len(a.node.Out))
		} else {
			a.out = &emitter{total: t.merged.table.Rows(), column: t.merged.column, columns: len(a.node.Out), schema: a.schema}
		}
	}
	return a.out.next(ctx)
}

// Close lets go of the last batch and closes the input.
func (a *aggregate) Close() error {
	if a.out != nil {
		a.out.close()
	}
	return a.feed.close()
}

// A feed is where an aggregation gets its rows from: an operator, or a pipeline
// that several workers run.
type feed struct {
	// node is what groups the rows: the aggregate, or that of its panes.
	node     *physical.Aggregate
	panes    *panes
	sessions *sessions
	input    Operator
	pipeline *pipeline
	workers  *workers
	// ahead is what was gathered before the first Next, if anything was.
	ahead *gathering
}

// feed returns the input of an aggregation. DISTINCT remembers values across
// splits, and so do counters and random numbers: one worker must see them all.
func (b *builder) feed(n *physical.Aggregate) (*feed, error) {
	f := &feed{node: n, panes: panesOf(n)}
	if n.Session != nil {
		f.panes = nil
		for _, a := range n.Aggs {
			if a.Distinct {
				var err error
				f.input, f.node, err = b.spread(n)
				return f, err
			}
		}
		f.sessions = &sessions{of: n, key: n.Session.Key}
	}
	if f.panes != nil {
		w, err := b.withoutSubqueries(f.panes.window)
		if err != nil {
			return nil, err
		}
		f.panes.window = w.(*physical.Window)
		f.node = f.panes.inner()
	}
	b.read(f.node)
	alone := countsRows(n.Keys...)
	for _, a := range n.Aggs {
		alone = alone || a.Distinct || countsRows(a)
	}
	var err error
	if !alone {
		f.pipeline, err = b.pipeline(f.node.Input)
	}
	if f.pipeline != nil {
		b.env.readsInput()
	}
	if f.pipeline == nil && err == nil {
		f.input, err = b.build(f.node.Input)
	}
	return f, err
}

// grouping returns what groups the rows, over env; like says what it must agree
// with.
func (f *feed) grouping(like *grouping, env *Env) (g *grouping, err error) {
	switch {
	case f.sessions != nil:
		g, err = f.sessions.grouping(env)
	case f.panes != nil:
		g, err = f.panes.grouping(f.node, env)
	default:
		g, err = newGrouping(f.node, env)
	}
	if err == nil {
		g.countRows = like.countRows
	}
	return g, err
}

// gather groups all rows by g. kept is the table that the groups will be merged
// into, or nil.
func (f *feed) gather(ctx context.Context, g *grouping, kept *state.Sharded) (*gathering, error) {
	return f.ready(g, func() (*gathering, error) { return f.group(ctx, g, kept) })
}

// ready returns what was gathered ahead, or what gather returns.
func (f *feed) ready(g *grouping, gather func() (*gathering, error)) (*gathering, error) {
	t := f.ahead
	if f.ahead = nil; t == nil {
		var err error
		if t, err = gather(); err != nil {
			return nil, err
		}
	}
	if f.pipeline != nil {
		g.env.inputRead()
	}
	g.env.checkRead()
	return t, nil
}

// inputsRead is 1 if all rows of a pipeline were gathered ahead.
func (f *feed) inputsRead() int {
	if f.ahead == nil || f.pipeline == nil {
		return 0
	}
	return 1
}

func (f *feed) group(ctx context.Context, g *grouping, kept *state.Sharded) (*gathering, error) {
	inner := g
	if f.panes != nil {
		var err error
		if inner, err = f.grouping(g, g.env); err != nil {
			return nil, err
		}
	}
	t := newGathering(inner, kept)
	err := f.drain(ctx, t, inner)
	if err == nil && f.panes != nil {
		err = f.panes.spread(t, g)
	}
	return t, err
}

func (f *feed) drain(ctx context.Context, t *gathering, g *grouping) error {
	if f.pipeline == nil {
		return t.fromOperator(ctx, f.input)
	}
	w, err := newWorkers(ctx, f.pipeline)
	if err != nil {
		return err
	}
	f.workers = w
	plans := make([]*grouping, len(w.lanes))
	for i, l := range w.lanes {
		if plans[i], err = f.grouping(g, l.env); err != nil {
			return err
		}
	}
	return t.fromPipeline(ctx, w, plans)
}

func (f *feed) close() error {
	switch {
	case f.workers != nil:
		return f.workers.close()
	case f.pipeline != nil:
		return f.pipeline.close()
	}
	return Close(f.input)
}

// emitter puts out groups batch by batch: column returns output column i of the
// groups from lo to hi.
type emitter struct {
	at, total, columns int
	column             func(i, lo, hi int) (*vec.Vec, error)
	schema             *arrow.Schema
	held
}

func (e *emitter) close() { e.set(nil) }

func (e *emitter) next(ctx context.Context) (Batch, error) {
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
	return Batch{Rec: e.set(recordOf(e.schema, cols, n))}, nil
}

// partsEmitter puts out groups part after part; several parts are made at a time.
type partsEmitter struct {
	schema                  *arrow.Schema
	columns, parts, workers int
	// open returns the rows of part i, and what makes output column c of some of them.
	// It is called once for each part.
	open  func(i int) (rows []int32, column func(c int, rows []int32) (*vec.Vec, error), err error)
	at    int
	ready []arrow.RecordBatch
	held
}

func (e *partsEmitter) next(ctx context.Context) (Batch, error) {
	for len(e.ready) == 0 {
		if err := ctx.Err(); err != nil {
			return Batch{}, err
		}
		if e.at == e.parts {
			return Batch{}, io.EOF
		}
		if err := e.make(); err != nil {
			return Batch{}, err
		}
	}
	rec := e.ready[0]
	e.ready = e.ready[1:]
	return Batch{Rec: e.set(rec)}, nil
}

// make makes the record batches of the next parts.
func (e *partsEmitter) make() error {
	n := min(e.parts-e.at, 4*e.workers)
	made, errs := make([][]arrow.RecordBatch, n), make([]error, n)
	inTurn(e.workers, n, func(i int) {
		made[i], errs[i] = e.part(e.at + i)
	})
	e.at += n
	for _, recs := range made {
		e.ready = append(e.ready, recs...)
	}
	return firstOf(errs)
}

func (e *partsEmitter) part(i int) ([]arrow.RecordBatch, error) {
	all, column, err := e.open(i)
	if err != nil {
		return nil, err
	}
	var recs []arrow.RecordBatch
	for at := 0; at < len(all); at += BatchRows {
		rows := all[at:min(len(all), at+BatchRows)]
		cols := make([]*vec.Vec, e.columns)
		for c := range cols {
			if cols[c], err = column(c, rows); err != nil {
				return recs, err
			}
		}
		recs = append(recs, recordOf(e.schema, cols, len(rows)))
	}
	return recs, nil
}

func (e *partsEmitter) close() {
	e.set(nil)
	for _, rec := range e.ready {
		rec.Release()
	}
	e.ready = nil
}
