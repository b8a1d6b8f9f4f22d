package compute

import (
	"context"
	"slices"
	"sync"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// A keyed is a batch with its rows sorted by part of their keys' hash, so that the
// sub-tables of a state can take in its rows beside each other.
type keyed struct {
	// Batch is without a selection; whoever has the keyed has a reference to the record
	// batch.
	Batch
	// keys are those of rows, in their order; rows are their places in the batch. Those
	// of part i are before ends[i].
	keys       state.Keys
	rows, ends []int32
	// times are the event times of rows, in microseconds, if there is such a column; what
	// is NULL counts as 0.
	times []int64
	// live is how many rows came, and late how many of them are left out as late.
	live, late int
	// first is the ordinal of the batch's first row, and passed says which rows go on:
	// what the operator finds out.
	first  int64
	passed []uint8
}

// A keyer makes batches keyed; each lane of an exchange has its own.
type keyer struct {
	view  *view
	keys  *keyLayout
	norm  *state.Keys
	on    []int // the key columns
	cols  []*vec.Vec
	event int // the column of event times, or -1
	// late is the watermark for late rows.
	late  int64
	parts int
	list  rowList
	sel   []int32
	// used are keyed batches to be filled again, by whatever lane.
	used *sync.Pool
}

func newKeyer(n *physical.Dedup, env *Env) *keyer {
	schema := n.Input.Schema()
	k := &keyer{view: newView(schema), on: n.Keys, cols: make([]*vec.Vec, len(n.Keys)), event: n.EventColumn, late: NoWatermark, used: &sync.Pool{}}
	types := make([]*expr.Type, len(n.Keys))
	for i, c := range n.Keys {
		types[i] = schema[c].Type
		k.view.uses[c] = plain
	}
	if n.EventColumn >= 0 {
		k.view.uses[n.EventColumn] = plain
	}
	if n.State != nil {
		k.late = watermark(env.Late, n.State.Operator)
	}
	k.keys = newKeyLayout(types)
	k.norm = state.NewKeys(k.keys.fields, env.Seed)
	return k
}

// normalise normalises the keys of those rows of b that are not late, and returns
// these rows.
func (k *keyer) normalise(b Batch) (rows []int32, times *vec.Vec, err error) {
	in := k.view.of(b)
	rows = k.list.of(b)
	if k.event >= 0 {
		times = eventTimes(in.Cols[k.event]).Flat()
		rows = k.punctual(times, rows)
	}
	for i, c := range k.on {
		k.cols[i] = in.Cols[c]
	}
	sel := rows
	if len(rows) == in.Rows { // all of them, which is quicker
		sel = nil
	}
	return rows, times, k.norm.Normalise(k.keys.vectors(k.cols, rows), in.Rows, sel)
}

// punctual returns the members of rows that are not late.
func (k *keyer) punctual(times *vec.Vec, rows []int32) []int32 {
	if k.late == NoWatermark {
		return rows
	}
	keep := k.sel[:0]
	micros, limit := vec.Values[int64](times), k.late*1000
	if times.Valid == nil {
		for _, r := range rows {
			if micros[r] > limit {
				keep = append(keep, r)
			}
		}
	} else {
		for _, r := range rows {
			if times.Null(int(r)) || micros[r] > limit {
				keep = append(keep, r)
			}
		}
	}
	if k.sel = keep; keep == nil {
		keep = []int32{}
	}
	return keep
}

// of makes b keyed. It takes a reference to b's record batch.
func (k *keyer) of(b Batch) (*keyed, error) {
	rows, times, err := k.normalise(b)
	if err != nil {
		return nil, err
	}
	to, _ := k.used.Get().(*keyed)
	if to == nil {
		to = &keyed{}
	}
	to.Batch = Batch{Rec: b.Rec, Split: b.Split}
	to.live, to.late = b.Live(), b.Live()-len(rows)
	to.rows, to.ends = k.norm.Split(rows, k.parts, to.rows, to.ends)
	if times != nil {
		to.times = slices.Grow(to.times[:0], len(to.rows))[:len(to.rows)]
		micros := vec.Values[int64](times)
		for i, r := range to.rows {
			if to.times[i] = micros[r]; times.Valid != nil && times.Null(int(r)) {
				to.times[i] = 0
			}
		}
	}
	k.norm.Gather(to.rows, &to.keys)
	to.keys.NumberByPlace(to.rows)
	n := int(b.Rec.NumRows())
	if cap(to.passed) < n {
		to.passed = make([]uint8, n)
	}
	to.passed = to.passed[:n]
	clear(to.passed)
	b.Rec.Retain()
	return to, nil
}

// bytes is about the memory that k holds.
func (k *keyed) bytes() int64 {
	n := int64(32 * len(k.rows))
	for _, c := range k.Rec.Columns() {
		n += int64(c.Data().SizeInBytes())
	}
	return n
}

// release lets go of k's record batch, and gives k back.
func (k *keyed) release(used *sync.Pool) {
	if k.Rec != nil {
		k.Rec.Release()
	}
	k.Batch = Batch{}
	used.Put(k)
}

// A keyedInput is where an operator gets its batches from, keyed. Above an exchange
// the workers make them so.
type keyedInput struct {
	unary
	keyer    *keyer
	exchange *exchange
}

// newKeyedInput returns the input of an operator; lane makes the keyer of a worker.
func newKeyedInput(input Operator, k *keyer, lane func(env *Env) *keyer) keyedInput {
	in := keyedInput{unary: unary{input}, keyer: k}
	if x, ok := input.(*exchange); ok {
		in.exchange, x.keyer, x.ahead = x, lane, keyedAhead
	}
	return in
}

// keyedAhead is how many parcels of keyed batches of a split may wait while those of the
// splits before it are taken: some 64 batches.
const keyedAhead = 17

// take returns the next batch, or io.EOF.
func (in *keyedInput) take(ctx context.Context) (*keyed, error) {
	if in.exchange != nil {
		b, err := in.exchange.take(ctx)
		if err != nil || b.keyed != nil {
			return b.keyed, err
		}
		defer b.Rec.Release()
		return in.keyer.of(b.Batch)
	}
	b, err := in.input.Next(ctx)
	if err != nil {
		return nil, err
	}
	return in.keyer.of(b)
}
