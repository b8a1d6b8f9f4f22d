package compute

import (
	"cmp"
	"context"
	"io"
	"slices"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// dedup passes on the first row of each key in the query's life, and drops late
// rows. With Within a key is forgotten when the watermark passes its first row's
// event time plus the delay, else when it passes the event time in the key.
//
// Batches wait, keyed, until there are many rows; then each sub-table of the state
// takes in its keys of all of them, several at a time, and they go on in their order.
type dedup struct {
	input   keyedInput
	node    *physical.Dedup
	env     *Env
	table   *state.Sharded
	metrics StateMetrics
	dropped int64 // duplicates

	// waiting are the batches that wait, or go on from at.
	waiting []*keyed
	at      int
	ended   bool
	subs    []dedupSub
	sel     []int32
	held
}

// dedupSub is the scratch memory of a sub-table.
type dedupSub struct {
	sel, found []int32
	fresh      int
	err        error
}

const (
	// dedupRows is how many rows wait, and dedupBytes how much memory they may take.
	dedupRows  = 1 << 19
	dedupBytes = 256 << 20
)

var _ Operator = (*dedup)(nil)

func newDedup(n *physical.Dedup, input Operator, env *Env) (Operator, error) {
	k := newKeyer(n, env)
	if n.State == nil {
		return newBatchDedup(k, input, env), nil
	}
	fields := state.Schema{Keys: k.keys.fields}
	if n.Within {
		if n.EventColumn < 0 {
			return nil, base.UserError("", "", "dropDuplicatesWithinWatermark is not supported on streaming DataFrames/DataSets without watermark")
		}
		fields.Values = []state.Field{{Name: "expires", Type: "TIMESTAMP", Kind: state.Int64}}
		fields.Time = &state.TimeColumn{At: 0, Fixed: true}
	} else if key := slices.Index(n.Keys, n.EventColumn); n.EventColumn >= 0 && key >= 0 {
		fields.Time = &state.TimeColumn{Key: true, At: k.keys.eventKey(key)}
	}
	table, err := keptTable(env, n.State, fields)
	if err != nil {
		return nil, err
	}
	k.parts = table.Subs()
	d := &dedup{node: n, env: env, table: table, subs: make([]dedupSub, table.Subs())}
	d.input = newKeyedInput(input, k, func(env *Env) *keyer {
		lane := newKeyer(n, env)
		lane.parts, lane.used = k.parts, k.used
		return lane
	})
	return d, nil
}

func (d *dedup) Next(ctx context.Context) (Batch, error) {
	for {
		if b, ok := d.emit(); ok {
			return b, nil
		}
		if d.ended {
			return Batch{}, io.EOF
		}
		if err := d.gather(ctx); err != nil {
			return Batch{}, err
		}
		if err := d.update(); err != nil {
			return Batch{}, err
		}
		if d.ended {
			if err := d.evict(); err != nil {
				return Batch{}, err
			}
		}
	}
}

// gather has batches wait until there are enough rows or there is no more.
func (d *dedup) gather(ctx context.Context) error {
	d.waiting, d.at = d.waiting[:0], 0
	enough := cmp.Or(d.env.WaitingRows, dedupRows)
	for rows, bytes := 0, int64(0); rows < enough && bytes < dedupBytes; {
		k, err := d.input.take(ctx)
		if err == io.EOF {
			d.ended = true
			return nil
		}
		if err != nil {
			return err
		}
		d.waiting = append(d.waiting, k)
		d.metrics.Input += int64(k.live)
		d.metrics.Dropped += int64(k.late)
		d.metrics.LateRows += int64(k.late)
		k.first = d.table.Begin(k.Rec.NumRows())
		rows += len(k.rows)
		bytes += k.bytes()
	}
	return nil
}

// update adds the keys of the batches that wait to the state, and marks the first
// row of each. Keys that are there are not touched: they have not changed.
func (d *dedup) update() error {
	rows := int64(0)
	for _, k := range d.waiting {
		rows += int64(len(k.rows))
	}
	workers := 1
	if rows > aloneRows {
		workers = max(1, d.env.Workers)
	}
	inTurn(workers, len(d.subs), func(i int) { d.subs[i].err = d.subs[i].update(d, i) })
	fresh := int64(0)
	for i := range d.subs {
		if err := d.subs[i].err; err != nil {
			return err
		}
		fresh += int64(d.subs[i].fresh)
	}
	d.dropped += rows - fresh
	d.metrics.refuse(RefusedDuplicate, rows-fresh)
	d.metrics.Used += fresh
	d.metrics.Updated += fresh
	return nil
}

// update adds the keys of sub-table i.
func (s *dedupSub) update(d *dedup, i int) error {
	s.fresh = 0
	for _, k := range d.waiting {
		from, to := int32(0), k.ends[i]
		if i > 0 {
			from = k.ends[i-1]
		}
		if from == to {
			continue
		}
		s.sel, s.found = slices.Grow(s.sel[:0], int(to-from)), slices.Grow(s.found[:0], int(to-from))[:to-from]
		for r := from; r < to; r++ {
			s.sel = append(s.sel, r)
		}
		made, err := d.table.AddPart(i, &k.keys, s.sel, s.found, k.first)
		if err != nil {
			return err
		}
		s.fresh += len(made)
		for _, j := range made {
			k.passed[k.rows[from+j]] = 1
		}
		if d.node.Within {
			expires := d.table.Sub(i).Value(0).(*state.Fixed[int64]).Data()
			for _, j := range made {
				expires[s.found[j]] = k.times[from+j] + d.node.Delay*1000
			}
		}
	}
	return nil
}

// emit puts out the next batch that has a row to go on.
func (d *dedup) emit() (Batch, bool) {
	for d.at < len(d.waiting) {
		k := d.waiting[d.at]
		d.waiting[d.at] = nil
		d.at++
		if cap(d.sel) < len(k.passed) {
			d.sel = make([]int32, len(k.passed))
		}
		n, sel := 0, d.sel[:len(k.passed)]
		for r, p := range k.passed {
			sel[n] = int32(r)
			n += int(p)
		}
		b := Batch{Rec: d.set(k.Rec), Sel: sel[:n], Split: k.Split}
		if n == len(k.passed) {
			b.Sel = nil
		}
		k.Rec = nil
		k.release(d.input.keyer.used)
		if n > 0 {
			return b, true
		}
	}
	return Batch{}, false
}

// evict forgets keys that are due, and reports.
func (d *dedup) evict() error {
	if d.table.Schema().Time != nil {
		gone := eviction{env: d.env, table: d.table}
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

// Close lets go of what waits and closes the input.
func (d *dedup) Close() error {
	d.set(nil)
	for _, k := range d.waiting[d.at:] {
		k.release(d.input.keyer.used)
	}
	d.waiting, d.at = nil, 0
	return d.input.Close()
}

// batchDedup is deduplication within a batch query: its keys are forgotten at
// the end.
type batchDedup struct {
	unary
	keyer *keyer
	seen  *state.Table
	found []int32
	sel   []int32
}

var _ Operator = (*batchDedup)(nil)

func newBatchDedup(k *keyer, input Operator, env *Env) *batchDedup {
	return &batchDedup{unary: unary{input}, keyer: k, seen: state.NewTable(state.Schema{Keys: k.keys.fields}, env.Seed)}
}

func (d *batchDedup) Next(ctx context.Context) (Batch, error) {
	for {
		b, err := d.input.Next(ctx)
		if err != nil {
			return Batch{}, err
		}
		rows, _, err := d.keyer.normalise(b)
		if err != nil {
			return Batch{}, err
		}
		d.found = slices.Grow(d.found[:0], len(rows))[:len(rows)]
		made, err := d.seen.Add(d.keyer.norm, rows, d.found)
		if err != nil {
			return Batch{}, err
		}
		d.sel = d.sel[:0]
		for _, i := range made {
			d.sel = append(d.sel, rows[i])
		}
		if len(d.sel) > 0 {
			b.Sel = d.sel
			return b, nil
		}
	}
}
