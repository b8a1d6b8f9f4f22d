package agg

import (
	"math"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/sketch/frequent"
)

// newCountMin is count_min_sketch.
func newCountMin(c call) (*Func, error) {
	if err := c.need(4); err != nil {
		return nil, err
	}
	var values [3]float64
	for i, name := range []string{"eps", "confidence", "seed"} {
		v, err := c.constants.Value(i + 1)
		if err != nil {
			return nil, err
		}
		if v.Null(0) {
			return nil, c.mismatch("UNEXPECTED_NULL", "The %s must not be null.", name)
		}
		if name != "seed" {
			values[i] = floats(v, nil)[0]
		}
	}
	eps, confidence := values[0], values[1]
	if !(eps > 0) {
		return nil, c.mismatch("VALUE_OUT_OF_RANGE", "The eps must be greater than 0, but is %v.", eps)
	}
	if !(confidence > 0 && confidence < 1) {
		return nil, c.mismatch("VALUE_OUT_OF_RANGE", "The confidence must be between 0 and 1, but is %v.", confidence)
	}
	seed, _ := c.constants.Value(3)
	depth, width := frequent.CountMinSize(eps, confidence)
	if depth < 1 || depth*width > math.MaxInt32/8 {
		return nil, c.mismatch("VALUE_OUT_OF_RANGE", "A sketch of %v rows of %v cells is too large.", depth, width)
	}
	fresh := func() *frequent.CountMin {
		return frequent.NewCountMin(int(depth), int(width), int(int32(seed.Int(0))))
	}
	return heldFunc(c, &sketchKind[*frequent.CountMin]{
		fresh: fresh,
		load: func(b []byte) *frequent.CountMin {
			s := fresh()
			s.Restore(b)
			return s
		},
		store: func(dst []byte, s *frequent.CountMin) []byte { return s.Append(dst) },
		update: func(s *frequent.CountMin, args []*vec.Vec, row int32) (*frequent.CountMin, error) {
			switch args[0].Type.Kind {
			case expr.KindString, expr.KindBinary:
				s.AddBytes(args[0].Str(int(row)))
			default:
				s.AddInteger(args[0].Int(int(row)))
			}
			return s, nil
		},
		merge: func(dst, src *frequent.CountMin) (*frequent.CountMin, error) {
			dst.Merge(src)
			return dst, nil
		},
		final: func(b *vec.Builder, s *frequent.CountMin) error {
			b.AppendBytes(s.Append(nil))
			return nil
		},
	}), nil
}
