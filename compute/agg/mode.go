package agg

import (
	"slices"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// mode is the most frequent value; of several the smallest, the largest if desc, or
// if neither was asked for the first that Spark's hash table has.
type mode struct {
	tally
	desc, first bool
	typ         *expr.Type
	enc         []byte
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
			return &mode{tally: tally{col: cols[0].(*state.BytesColumn)}, typ: c.arg(0), desc: desc, first: len(c.Order) == 0}
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
		var values []string
		counts := map[string]int64{}
		most := int64(0)
		a.each(g, func(value []byte, n int64) {
			if counts[string(value)] == 0 {
				values = append(values, string(value))
			}
			counts[string(value)] += n
			most = max(most, counts[string(value)])
		})
		if len(values) == 0 {
			b.AppendNull()
			continue
		}
		if a.first {
			values = a.inOpenOrder(values)
		}
		best := ""
		for _, v := range values {
			if counts[v] == most && (best == "" || !a.first && compareEncoded(a.typ, []byte(v), []byte(best)) < 0 != a.desc) {
				best = v
			}
		}
		decodeInto(b, []byte(best))
	}
	return b.Vec(), nil
}

// inOpenOrder returns the encoded values as Spark's hash table has them: it is written
// out, read again, and merged into another, each time in the order it has. Values of a
// type whose hash is not known are put in order.
func (a *mode) inOpenOrder(values []string) []string {
	decoded := vec.NewBuilder(a.typ)
	for _, v := range values {
		decodeInto(decoded, []byte(v))
	}
	column := decoded.Vec()
	hashes := make([]int32, len(values))
	for i := range hashes {
		var ok bool
		if hashes[i], ok = javaHash(column, i); !ok {
			slices.SortFunc(values, func(x, y string) int { return compareEncoded(a.typ, []byte(x), []byte(y)) })
			return values
		}
	}
	for range 3 {
		order := openOrder(hashes)
		nextValues, nextHashes := make([]string, len(order)), make([]int32, len(order))
		for i, at := range order {
			nextValues[i], nextHashes[i] = values[at], hashes[at]
		}
		values, hashes = nextValues, nextHashes
	}
	return values
}
