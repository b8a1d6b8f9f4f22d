package agg

import (
	"encoding/binary"
	"math"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
)

// vectorTotal is the running sum or mean of count vectors.
type vectorTotal struct {
	count int64
	acc   []float32
}

// newVectorTotal is vector_sum and vector_avg. They compute in FLOAT, as Spark does;
// the mean is kept up to date row by row. Vectors with a NULL in them do not count.
func newVectorTotal(c call) (*Func, error) {
	mean := c.Fn == "vector_avg"
	return heldFunc(c, &sketchKind[*vectorTotal]{
		fresh: func() *vectorTotal { return &vectorTotal{} },
		load: func(b []byte) *vectorTotal {
			t := &vectorTotal{count: int64(binary.LittleEndian.Uint64(b))}
			for b = b[8:]; len(b) > 0; b = b[4:] {
				t.acc = append(t.acc, math.Float32frombits(binary.LittleEndian.Uint32(b)))
			}
			return t
		},
		store: func(dst []byte, t *vectorTotal) []byte {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(t.count))
			for _, x := range t.acc {
				dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(x))
			}
			return dst
		},
		update: func(t *vectorTotal, args []*vec.Vec, row int32) (*vectorTotal, error) {
			kid, lo, hi := args[0].Kids[0].Flat(), int(args[0].Off[row]), int(args[0].Off[row+1])
			for j := lo; j < hi; j++ {
				if kid.Null(j) {
					return t, nil
				}
			}
			var in []float32
			if lo < hi {
				in = vec.Values[float32](kid)[lo:hi]
			}
			return t.add(c.Fn, &vectorTotal{1, in}, func(have, x float32) float32 {
				if mean {
					return have + (x-have)*(1/float32(t.count))
				}
				return have + x
			})
		},
		merge: func(dst, src *vectorTotal) (*vectorTotal, error) {
			before := dst.count
			return dst.add(c.Fn, src, func(have, x float32) float32 {
				if mean {
					return have*(float32(before)/float32(dst.count)) + x*(float32(src.count)/float32(dst.count))
				}
				return have + x
			})
		},
		final: func(b *vec.Builder, t *vectorTotal) error {
			if t.count == 0 {
				b.AppendNull()
				return nil
			}
			for _, x := range t.acc {
				vec.AppendFixed(b.Kids[0], x)
			}
			b.EndList()
			return nil
		},
	}), nil
}

// add joins the elements of o to those of t, after the count was raised.
func (t *vectorTotal) add(fn string, o *vectorTotal, join func(have, x float32) float32) (*vectorTotal, error) {
	if o.count == 0 {
		return t, nil
	}
	if t.count == 0 {
		t.acc = append([]float32(nil), o.acc...)
		t.count = o.count
		return t, nil
	}
	if len(t.acc) != len(o.acc) {
		return nil, cexpr.DimensionMismatch(fn, len(t.acc), len(o.acc))
	}
	t.count += o.count
	for i, x := range o.acc {
		t.acc[i] = join(t.acc[i], x)
	}
	return t, nil
}
