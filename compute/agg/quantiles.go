package agg

import (
	"encoding/binary"
	"math"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// quantiles is percentile_approx: the summary of Greenwald and Khanna. A group's
// value is the summary as writeSummary writes it, then the numbers that have not
// been taken into it yet, 8 bytes each.
type quantiles struct {
	col    *state.BytesColumn
	params quantileParams
	buf    []float64
	picker
}

type quantileParams struct {
	// err is the relative error of ranks: 1/accuracy.
	err         float64
	percentages []float64
	in, out     *expr.Type
}

// pendingMax is how many numbers a group collects before they are taken in, and
// compressAt how many samples are kept without compressing.
const (
	pendingMax = 50_000
	compressAt = 10_000
)

func newQuantiles(c call) (*Func, error) {
	if err := c.need(2); err != nil {
		return nil, err
	}
	p := quantileParams{err: 1.0 / 10_000, in: c.arg(0), out: c.Typ}
	var err error
	if p.percentages, err = c.percentages(); err != nil {
		return nil, err
	}
	if len(c.Args) > 2 {
		v, err := c.constants.Value(2)
		if err != nil {
			return nil, err
		}
		accuracy := floats(v, nil)[0]
		if v.Null(0) || accuracy < 1 || accuracy > math.MaxInt32 {
			return nil, c.mismatch("VALUE_OUT_OF_RANGE", "The accuracy must be between (0, 2147483647] (current value = %vL).", accuracy)
		}
		p.err = 1 / accuracy
	}
	return &Func{
		Fields: []state.Field{field(state.Bytes, "QUANTILES", false)},
		bind: func(cols []state.Column) Accumulator {
			return &quantiles{col: cols[0].(*state.BytesColumn), params: p}
		},
	}, nil
}

// percentages returns the second argument, a number or an array of numbers from 0
// to 1.
func (c call) percentages() ([]float64, error) {
	v, err := c.constants.Value(1)
	if err != nil {
		return nil, err
	}
	all := v.Flat()
	var out []float64
	null := v.Null(0)
	if v.Type.Kind == expr.KindArray && !null {
		kid := all.Kids[0]
		for i := all.Off[0]; i < all.Off[1]; i++ {
			null = null || kid.Null(int(i))
		}
		out = floats(kid, nil)[all.Off[0]:all.Off[1]]
	} else if !null {
		out = floats(all, nil)[:1]
	}
	if null {
		return nil, c.mismatch("UNEXPECTED_NULL", "The percentage must not be null.")
	}
	for _, p := range out {
		if !(p >= 0 && p <= 1) {
			return nil, c.mismatch("VALUE_OUT_OF_RANGE", "The percentage must be between [0.0, 1.0] (current value = %vD).", p)
		}
	}
	return out, nil
}

func (a *quantiles) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[0])
	if len(rows) == 0 {
		return nil
	}
	vals := floats(args[0], a.buf)
	var word [8]byte
	for i, r := range rows {
		g := groups[i]
		if len(a.col.Get(g)) == 0 {
			a.col.Set(g, writeSummary(nil, &summary{}))
		}
		binary.LittleEndian.PutUint64(word[:], math.Float64bits(vals[r]))
		a.col.Append(g, word[:])
		if b := a.col.Get(g); pendingBytes(b) >= 8*pendingMax {
			s, pending := readSummary(b)
			s.insert(pending, a.params.err)
			if len(s.samples) >= compressAt {
				s.compress(a.params.err)
			}
			a.col.Set(g, writeSummary(nil, &s))
		}
	}
	return nil
}

// compressed returns the whole of a group, compressed.
func (a *quantiles) compressed(g int32) summary {
	s, pending := readSummary(a.col.Get(g))
	if len(pending) > 0 || !s.compressed {
		s.insert(pending, a.params.err)
		s.compress(a.params.err)
	}
	return s
}

func (a *quantiles) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*quantiles)
	for i, g := range dst {
		if len(o.col.Get(src[i])) == 0 {
			continue
		}
		s := a.compressed(g)
		s.merge(o.compressed(src[i]), a.params.err)
		a.col.Set(g, writeSummary(nil, &s))
	}
	return nil
}

func (a *quantiles) Final(groups []int32) (*vec.Vec, error) {
	b := vec.NewBuilder(a.params.out)
	elem := b
	if a.params.out.Kind == expr.KindArray {
		elem = b.Kids[0]
	}
	for _, g := range groups {
		s := a.compressed(g)
		if s.count == 0 || len(a.params.percentages) == 0 {
			b.AppendNull()
			continue
		}
		for _, x := range s.query(a.params.percentages, a.params.err) {
			appendNumber(elem, x)
		}
		if elem != b {
			b.EndList()
		}
	}
	return b.Vec(), nil
}

// appendNumber appends x as a value of b's type, which is numeric or a number
// of days, months or microseconds.
func appendNumber(b *vec.Builder, x float64) {
	switch b.Type.Kind {
	case expr.KindFloat64:
		vec.AppendFixed(b, x)
	case expr.KindFloat32:
		vec.AppendFixed(b, float32(x))
	case expr.KindDecimal:
		vec.AppendFixed(b, decimalOf(x, b.Type))
	default:
		b.AppendInt(int64(x))
	}
}
