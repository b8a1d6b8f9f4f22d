package compute

import (
	"context"
	"io"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// observer is the watermark node: it collects the event times that pass, and
// changes nothing. The statistics of the splits are merged in their order.
type observer struct {
	unary
	column int
	typ    *expr.Type
	env    *Env
	index  int
	split  int32
	stats  EventTime
	rest   timeSum
	list   rowList
}

// meanRows is for how many rows of a split the mean is Spark's running mean, to
// the bit. Each of its steps waits for a division; behind them the mean is exact,
// which a running mean of so many rows no longer is.
const meanRows = 4096

// timeSum is the statistics of event times, in milliseconds, as whole numbers: the
// sum is that of the distances from the first time.
type timeSum struct{ count, first, low, high, sum int64 }

func (t *timeSum) add(ms int64) {
	if t.count == 0 {
		t.first, t.low, t.high = ms, ms, ms
	}
	t.low, t.high = min(t.low, ms), max(t.high, ms)
	t.sum += ms - t.first
	t.count++
}

// addMicros adds the times of rows.
func (t *timeSum) addMicros(micros []int64, rows []int32) {
	if len(rows) == 0 {
		return
	}
	if t.count == 0 {
		t.first = floorMillis(micros[rows[0]])
		t.low, t.high = t.first, t.first
	}
	low, high, sum := t.low, t.high, int64(0)
	for _, r := range rows {
		ms := floorMillis(micros[r])
		low, high = min(low, ms), max(high, ms)
		sum += ms - t.first
	}
	t.low, t.high, t.sum, t.count = low, high, t.sum+sum, t.count+int64(len(rows))
}

func (t *timeSum) eventTime() EventTime {
	if t.count == 0 {
		return EventTime{}
	}
	return EventTime{Count: t.count, Min: t.low, Max: t.high, Avg: float64(t.first) + float64(t.sum)/float64(t.count)}
}

var _ Operator = (*observer)(nil)

func newObserver(n *physical.Watermark, input Operator, env *Env) *observer {
	env.Metrics.eventTime(n.Index)
	return &observer{unary: unary{input}, column: n.Column, typ: n.Schema()[n.Column].Type, env: env, index: n.Index}
}

func (o *observer) Next(ctx context.Context) (Batch, error) {
	b, err := o.input.Next(ctx)
	if err == io.EOF {
		o.flush()
	}
	if err != nil {
		return Batch{}, err
	}
	if b.Split != o.split {
		o.flush()
		o.split = b.Split
	}
	o.observe(eventTimes(vec.FromArrow(b.Rec.Column(o.column), o.typ)), o.list.of(b))
	return b, nil
}

func (o *observer) observe(times *vec.Vec, rows []int32) {
	micros := vec.Values[int64](times)
	running := min(len(rows), int(max(0, meanRows-o.stats.Count)))
	for _, r := range rows[:running] {
		ms := int64(0) // what a NULL counts as
		if !times.Null(int(r)) {
			ms = floorMillis(micros[r])
		}
		o.stats.add(ms)
	}
	rows = rows[running:]
	if times.Valid == nil {
		o.rest.addMicros(micros, rows)
		return
	}
	for _, r := range rows {
		ms := int64(0)
		if !times.Null(int(r)) {
			ms = floorMillis(micros[r])
		}
		o.rest.add(ms)
	}
}

func (o *observer) flush() {
	o.stats.Merge(o.rest.eventTime())
	o.env.Metrics.addTimes(o.index, o.split, o.stats)
	o.stats, o.rest = EventTime{}, timeSum{}
}

// eventTimes returns the microseconds of an event time column: those of a window
// are its end.
func eventTimes(v *vec.Vec) *vec.Vec {
	if v.Type.Kind != expr.KindStruct {
		return v
	}
	for i, f := range v.Type.Fields {
		if f.Name == "end" || i == len(v.Type.Fields)-1 {
			end := *v.Kids[i]
			end.Valid = bothValid(v.Valid, end.Valid, v.Len)
			return &end
		}
	}
	return v
}

func bothValid(a, b []byte, n int) []byte {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	out := make([]byte, (n+7)/8)
	for i := range out {
		out[i] = a[i] & b[i]
	}
	return out
}

func floorMillis(us int64) int64 {
	ms := us / 1000
	if us%1000 < 0 {
		ms--
	}
	return ms
}
