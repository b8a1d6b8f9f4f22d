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
	list   rowList
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
	times := eventTimes(vec.FromArrow(b.Rec.Column(o.column), o.typ))
	micros := vec.Values[int64](times)
	for _, r := range o.list.of(b) {
		ms := int64(0) // what a NULL counts as
		if !times.Null(int(r)) {
			ms = floorMillis(micros[r])
		}
		o.stats.add(ms)
	}
	return b, nil
}

func (o *observer) flush() {
	o.env.Metrics.addTimes(o.index, o.split, o.stats)
	o.stats = EventTime{}
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
