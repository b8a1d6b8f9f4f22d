package agg

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// mode is the most frequent value; of several the smallest, or the largest if desc.
type mode struct {
	tally
	desc bool
	typ  *expr.Type
	enc  []byte
	picker
}

func newMode(c call) (*Func, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	desc := len(c.Order) > 0 && c.Order[0].Descending
	return &Func{
		Fields: []state.Field{field(state.Bytes, "TALLY", false)},
		bind: func(cols []state.Column) Accumulator {
			return &mode{tally: tally{col: cols[0].(*state.BytesColumn)}, typ: c.arg(0), desc: desc}
		},
	}, nil
}

func (a *mode) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[0])
	for i, r := range rows {
		a.enc = encodeValue(a.enc[:0], args[0], int(r))
		a.count(groups[i], a.enc, 1)
	}
	return nil
}

func (a *mode) Merge(dst []int32, from Accumulator, src []int32) error {
	a.merge(dst, &from.(*mode).tally, src)
	return nil
}

func (a *mode) Final(groups []int32) (*vec.Vec, error) {
	b := vec.NewBuilder(a.typ)
	for _, g := range groups {
		counts := map[string]int64{}
		most := int64(0)
		a.each(g, func(value []byte, n int64) {
			counts[string(value)] += n
			most = max(most, counts[string(value)])
		})
		var best []byte
		for v, n := range counts {
			if n == most && (best == nil || compareEncoded(a.typ, []byte(v), best) < 0 != a.desc) {
				best = []byte(v)
			}
		}
		if best == nil {
			b.AppendNull()
			continue
		}
		decodeInto(b, best)
	}
	return b.Vec(), nil
}
