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

// percentile is percentile, median, percentile_cont and percentile_disc: exact,
// by linear interpolation or, if discrete, one of the values.
type percentile struct {
	tally
	percentileParams
	scratch []float64
	picker
}

type percentileParams struct {
	percentages []float64
	out         *expr.Type
	// frequency says that the third argument counts each row that many times.
	frequency, discrete, descending bool
}

func newPercentile(c call) (*Func, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	p := percentileParams{percentages: []float64{0.5}, out: c.Typ, frequency: c.Fn == "percentile" && len(c.Args) > 2,
		discrete: c.Fn == "percentile_disc"}
	if c.Fn != "median" {
		if err := c.need(2); err != nil {
			return nil, err
		}
		var err error
		if p.percentages, err = c.percentages(); err != nil {
			return nil, err
		}
	}
	if c.Fn != "percentile" && len(c.Args) > 2 {
		v, err := c.constants.Value(2)
		if err != nil {
			return nil, err
		}
		p.descending = v.Bool(0)
	}
	return &Func{
		Fields: []state.Field{field(state.Bytes, "TALLY", false)},
		bind: func(cols []state.Column) Accumulator {
			return &percentile{tally: tally{col: cols[0].(*state.BytesColumn)}, percentileParams: p}
		},
	}, nil
}

func (a *percentile) Update(rows, groups []int32, args []*vec.Vec) error {
	values := args[:1]
	if a.frequency {
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
	entries := a.buf[:0]
	for i, r := range rows {
		n := int64(1)
		if times != nil {
			n = int64(times[r])
		}
		if n < 0 {
			return base.UserError("NEGATIVE_VALUES_IN_FREQUENCY_EXPRESSION", "22003",
				"Found the negative value in the frequency of percentile: %dL, but expected a positive integral value.", n)
		}
		if n > 0 {
			binary.LittleEndian.PutUint64(word[:], math.Float64bits(vals[r]))
			entries = appendEntry(entries, word[:], n)
		}
		// Neighbours of one group go in together.
		if i+1 == len(rows) || groups[i+1] != groups[i] || len(entries) > 1<<12 {
			if len(entries) > 0 {
				a.add(groups[i], entries)
			}
			entries = entries[:0]
		}
	}
	a.buf = entries
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
		if len(vals) == 0 || len(a.percentages) == 0 {
			b.AppendNull()
			continue
		}
		vals = sortTallied(vals, a.descending)
		total := int64(0)
		for i := range vals {
			total += vals[i].n
			vals[i].n = total
		}
		for _, p := range a.percentages {
			if a.discrete {
				appendNumber(elem, nth(vals, max(0, int64(math.Ceil(p*float64(total)))-1)))
				continue
			}
			appendNumber(elem, interpolate(vals, p*float64(total-1)))
		}
		if elem != b {
			b.EndList()
		}
	}
	return b.Vec(), nil
}

// interpolate returns the value at position; n of vals are running totals. The
// form is the one whose last bit Spark has (recording aggregation/recorded_*).
func interpolate(vals []tallied, position float64) float64 {
	lower, higher := math.Floor(position), math.Ceil(position)
	low, high := nth(vals, int64(lower)), nth(vals, int64(higher))
	if low == high || lower == higher {
		return low
	}
	return low + float64(float64(position-lower)*float64(high-low))
}

// nth returns value i, from 0; n of vals are running totals.
func nth(vals []tallied, i int64) float64 {
	k, _ := slices.BinarySearchFunc(vals, i+1, func(t tallied, want int64) int {
		if t.n < want {
			return -1
		}
		return 1
	})
	return vals[k].value
}
