package compute

import (
	"context"
	"io"
	"slices"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// dedup passes on the first row of each key in the query's life, and drops late
// rows. With Within a key is forgotten when the watermark passes its first row's
// event time plus the delay, else when it passes the event time in the key.
type dedup struct {
	unary
	node    *physical.Dedup
	env     *Env
	table   *state.Sharded
	keys    *keyLayout
	norm    *state.Keys
	view    *view
	cols    []*vec.Vec
	metrics StateMetrics
	dropped int64 // duplicates
	rows    []int32
	refs    []state.Ref
	sel     []int32
	list    rowList
}

var _ Operator = (*dedup)(nil)

func newDedup(n *physical.Dedup, input Operator, env *Env) (Operator, error) {
	schema := n.Input.Schema()
	types := make([]*expr.Type, len(n.Keys))
	d := &dedup{unary: unary{input}, node: n, env: env, view: newView(schema), cols: make([]*vec.Vec, len(n.Keys))}
	for i, k := range n.Keys {
		types[i] = schema[k].Type
		d.view.uses[k] = plain
	}
	if n.EventColumn >= 0 {
		d.view.uses[n.EventColumn] = plain
	}
	d.keys = newKeyLayout(types)
	d.norm = state.NewKeys(d.keys.fields, env.Seed)
	if n.State == nil {
		return newBatchDedup(d), nil
	}
	fields := state.Schema{Keys: d.keys.fields}
	if n.Within {
		if n.EventColumn < 0 {
			return nil, base.UserError("", "", "dropDuplicatesWithinWatermark is not supported on streaming DataFrames/DataSets without watermark")
		}
		fields.Values = []state.Field{{Name: "expires", Type: "TIMESTAMP", Kind: state.Int64}}
	}
	var err error
	d.table, err = keptTable(env, n.State, fields)
	return d, err
}

func (d *dedup) Next(ctx context.Context) (Batch, error) {
	for {
		b, err := d.input.Next(ctx)
		if err == io.EOF {
			if err := d.evict(); err != nil {
				return Batch{}, err
			}
		}
		if err != nil {
			return Batch{}, err
		}
		sel, err := d.update(b)
		if err != nil {
			return Batch{}, err
		}
		if len(sel) > 0 {
			b.Sel = sel
			return b, nil
		}
	}
}

// update returns the live rows of b that are neither late nor known, and
// remembers them.
func (d *dedup) update(b Batch) ([]int32, error) {
	in := d.view.of(b)
	rows := d.list.of(b)
	d.metrics.Input += int64(len(rows))
	var times *vec.Vec
	if d.node.EventColumn >= 0 {
		times = eventTimes(in.Cols[d.node.EventColumn])
		rows = d.punctual(times, rows)
	}
	for i, k := range d.node.Keys {
		d.cols[i] = in.Cols[k]
	}
	if err := d.norm.Normalise(d.keys.vectors(d.cols, rows), in.Rows, rows); err != nil {
		return nil, err
	}
	fresh, err := d.unknown(rows)
	if err != nil {
		return nil, err
	}
	if fresh, err = d.insert(fresh, times); err != nil {
		return nil, err
	}
	d.dropped += int64(len(rows) - len(fresh))
	d.metrics.refuse(RefusedDuplicate, int64(len(rows)-len(fresh)))
	d.metrics.Used += int64(len(fresh))
	d.metrics.Updated += int64(len(fresh))
	return fresh, nil
}

// punctual returns the members of rows that are not late.
func (d *dedup) punctual(times *vec.Vec, rows []int32) []int32 {
	late := watermark(d.env.Late, d.node.State.Operator)
	if late == NoWatermark {
		return rows
	}
	keep := make([]int32, 0, len(rows))
	micros := vec.Values[int64](times)
	for _, r := range rows {
		if times.Null(int(r)) || micros[r] > late*1000 {
			keep = append(keep, r)
		}
	}
	d.metrics.Dropped += int64(len(rows) - len(keep))
	d.metrics.LateRows += int64(len(rows) - len(keep))
	return keep
}

// unknown returns the members of rows whose keys are not in the state. Known
// keys are not touched: they have not changed.
func (d *dedup) unknown(rows []int32) ([]int32, error) {
	if cap(d.refs) < len(rows) {
		d.refs = make([]state.Ref, len(rows))
	}
	refs := d.refs[:len(rows)]
	if err := d.table.Find(d.norm, rows, refs); err != nil {
		return nil, err
	}
	fresh := make([]int32, 0, len(rows))
	for i, r := range refs {
		if r.Row < 0 {
			fresh = append(fresh, rows[i])
		}
	}
	return fresh, nil
}

// insert adds the keys of rows and returns the first row of each, ascending.
func (d *dedup) insert(rows []int32, times *vec.Vec) ([]int32, error) {
	d.sel = d.sel[:0]
	p := d.table.Partition(d.norm, rows)
	for i := range d.table.Subs() {
		part := p.Sub(i)
		if len(part) == 0 {
			continue
		}
		if cap(d.rows) < len(part) {
			d.rows = make([]int32, len(part))
		}
		t, found := d.table.Sub(i), d.rows[:len(part)]
		next := int32(t.Rows())
		if err := d.table.UpsertSub(p, i, d.norm, found); err != nil {
			return nil, err
		}
		for j, row := range found {
			if row != next { // rows are numbered in the order in which they come
				continue
			}
			next++
			d.sel = append(d.sel, part[j])
			if d.node.Within {
				at := int64(0) // what a NULL counts as
				if !times.Null(int(part[j])) {
					at = vec.Values[int64](times)[part[j]]
				}
				t.Value(0).(*state.Fixed[int64]).Set(row, at+d.node.Delay*1000)
			}
		}
	}
	slices.Sort(d.sel)
	return d.sel, nil
}

// evict forgets keys that are due, and reports.
func (d *dedup) evict() error {
	key := slices.Index(d.node.Keys, d.node.EventColumn)
	if d.node.Within || d.node.EventColumn >= 0 && key >= 0 {
		gone := eviction{env: d.env, table: d.table, times: func(t *state.Table, rows []int32) (state.Vector, error) {
			if d.node.Within {
				return t.Value(0).Gather(rows), nil
			}
			return t.Key(d.keys.eventKey(key), rows)
		}}
		if err := gone.find(watermark(d.env.Evict, d.node.State.Operator)); err != nil {
			return err
		}
		if err := gone.remove(&d.metrics); err != nil {
			return err
		}
	}
	d.metrics.Total = int64(d.table.Len())
	d.metrics.Bytes = d.table.MemBytes()
	d.metrics.Custom = map[string]int64{"numDroppedDuplicateRows": d.dropped}
	*d.env.Metrics.state(d.node.State.Operator) = d.metrics
	return nil
}

// batchDedup is deduplication within a batch query: its keys are forgotten at
// the end.
type batchDedup struct {
	*dedup
	seen *state.Table
}

func newBatchDedup(d *dedup) *batchDedup {
	return &batchDedup{d, state.NewTable(state.Schema{Keys: d.keys.fields}, d.env.Seed)}
}

func (d *batchDedup) Next(ctx context.Context) (Batch, error) {
	for {
		b, err := d.input.Next(ctx)
		if err != nil {
			return Batch{}, err
		}
		in, rows := d.view.of(b), d.list.of(b)
		for i, k := range d.node.Keys {
			d.cols[i] = in.Cols[k]
		}
		if err := d.norm.Normalise(d.keys.vectors(d.cols, rows), in.Rows, rows); err != nil {
			return Batch{}, err
		}
		found, next := make([]int32, len(rows)), int32(d.seen.Rows())
		if err := d.seen.Upsert(d.norm, rows, found); err != nil {
			return Batch{}, err
		}
		d.sel = d.sel[:0]
		for i, row := range found {
			if row == next {
				next++
				d.sel = append(d.sel, rows[i])
			}
		}
		if len(d.sel) > 0 {
			b.Sel = d.sel
			return b, nil
		}
	}
}
