package agg

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// tally counts how often each value was seen: what exact percentiles and mode
// need. A group's value is
//
//	8 bytes: the length at which it is compacted next
//	entries: uvarint length, encoded value, uvarint count
//
// in which a value may occur several times until it is compacted. So memory
// follows the number of distinct values.
type tally struct {
	col *state.BytesColumn
	buf []byte
}

const firstCompaction = 4096

func (a *tally) count(g int32, value []byte, n int64) {
	if len(a.col.Get(g)) == 0 {
		a.col.Set(g, binary.LittleEndian.AppendUint64(nil, firstCompaction))
	}
	a.buf = binary.AppendUvarint(a.buf[:0], uint64(len(value)))
	a.buf = append(a.buf, value...)
	a.buf = binary.AppendUvarint(a.buf, uint64(n))
	a.col.Append(g, a.buf)
	if b := a.col.Get(g); uint64(len(b)) >= binary.LittleEndian.Uint64(b) {
		a.compact(g)
	}
}

// each calls f for the entries of group g.
func (a *tally) each(g int32, f func(value []byte, n int64)) {
	b := a.col.Get(g)
	if len(b) == 0 {
		return
	}
	for b = b[8:]; len(b) > 0; {
		n, w := binary.Uvarint(b)
		value := b[w : w+int(n)]
		b = b[w+int(n):]
		n, w = binary.Uvarint(b)
		b = b[w:]
		f(value, int64(n))
	}
}

// compact adds up the entries of equal values, in the order of their first.
func (a *tally) compact(g int32) {
	counts := map[string]int64{}
	var order []string
	a.each(g, func(value []byte, n int64) {
		if _, ok := counts[string(value)]; !ok {
			order = append(order, string(value))
		}
		counts[string(value)] += n
	})
	out := make([]byte, 8)
	for _, v := range order {
		out = binary.AppendUvarint(out, uint64(len(v)))
		out = append(out, v...)
		out = binary.AppendUvarint(out, uint64(counts[v]))
	}
	binary.LittleEndian.PutUint64(out, uint64(max(firstCompaction, 2*len(out))))
	a.col.Set(g, out)
}

func (a *tally) merge(dst []int32, o *tally, src []int32) {
	for i, g := range dst {
		o.each(src[i], func(value []byte, n int64) { a.count(g, value, n) })
	}
}

// percentile is percentile and median: exact, by linear interpolation.
type percentile struct {
	tally
	percentages []float64
	out         *expr.Type
	scratch     []float64
	picker
}

func newPercentile(c call) (*Func, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	percentages := []float64{0.5}
	if c.Fn != "median" {
		if err := c.need(2); err != nil {
			return nil, err
		}
		v, err := c.constants.Value(1)
		if err != nil {
			return nil, err
		}
		percentages = constantFloats(v)
	}
	return &Func{
		Fields: []state.Field{field(state.Bytes, "TALLY", false)},
		bind: func(cols []state.Column) Accumulator {
			return &percentile{tally: tally{col: cols[0].(*state.BytesColumn)}, percentages: percentages, out: c.Typ}
		},
	}, nil
}

func (a *percentile) Update(rows, groups []int32, args []*vec.Vec) error {
	values := args[:1]
	if len(args) > 2 {
		values = []*vec.Vec{args[0], args[2]}
	}
	rows, groups = a.present(rows, groups, values...)
	if len(rows) == 0 {
		return nil
	}
	vals := floats(args[0], a.scratch)
	var times []float64
	if len(values) > 1 {
		times = floats(values[1], nil)
	}
	var word [8]byte
	for i, r := range rows {
		n := int64(1)
		if times != nil {
			n = int64(times[r])
		}
		if n < 0 {
			return base.Errorf(base.CodeInvalid, "percentile: frequency %d is negative", n)
		}
		if n > 0 {
			binary.LittleEndian.PutUint64(word[:], math.Float64bits(vals[r]))
			a.count(groups[i], word[:], n)
		}
	}
	return nil
}

func (a *percentile) Merge(dst []int32, from Accumulator, src []int32) error {
	a.merge(dst, &from.(*percentile).tally, src)
	return nil
}

type tallied struct {
	value float64
	n     int64
}

func (a *percentile) Final(groups []int32) (*vec.Vec, error) {
	b := vec.NewBuilder(a.out)
	elem := b
	if a.out.Kind == expr.KindArray {
		elem = b.Kids[0]
	}
	for _, g := range groups {
		var vals []tallied
		a.each(g, func(value []byte, n int64) {
			vals = append(vals, tallied{math.Float64frombits(binary.LittleEndian.Uint64(value)), n})
		})
		if len(vals) == 0 {
			b.AppendNull()
			continue
		}
		slices.SortFunc(vals, func(x, y tallied) int { return totalOrder(x.value, y.value) })
		total := int64(0)
		for i := range vals {
			total += vals[i].n
			vals[i].n = total
		}
		for _, p := range a.percentages {
			appendNumber(elem, interpolate(vals, p*float64(total-1)))
		}
		if elem != b {
			b.EndList()
		}
	}
	return b.Vec(), nil
}

// interpolate returns the value at position; n of vals are running totals.
func interpolate(vals []tallied, position float64) float64 {
	at := func(i int64) float64 {
		k, _ := slices.BinarySearchFunc(vals, i+1, func(t tallied, want int64) int {
			if t.n < want {
				return -1
			}
			return 1
		})
		return vals[k].value
	}
	lower, higher := math.Floor(position), math.Ceil(position)
	low, high := at(int64(lower)), at(int64(higher))
	if low == high || lower == higher {
		return low
	}
	return float64((higher-position)*low) + float64((position-lower)*high)
}

// mode is the most frequent value; of several the smallest.
type mode struct {
	tally
	typ *expr.Type
	enc []byte
	picker
}

func newMode(c call) (*Func, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	return &Func{
		Fields: []state.Field{field(state.Bytes, "TALLY", false)},
		bind: func(cols []state.Column) Accumulator {
			return &mode{tally: tally{col: cols[0].(*state.BytesColumn)}, typ: c.arg(0)}
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
			if n == most && (best == nil || compareEncoded(a.typ, []byte(v), best) < 0) {
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
