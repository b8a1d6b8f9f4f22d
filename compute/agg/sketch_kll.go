package agg

import (
	"strings"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/sketch/kll"
)

// loadSketch reads what this package wrote.
func loadSketch[S any](parse func([]byte) (S, error)) func([]byte) S {
	return func(b []byte) S {
		s, err := parse(b)
		if err != nil {
			panic(invariants.AssertionFailedf("state of %d bytes is no sketch: %v", len(b), err))
		}
		return s
	}
}

// quantileK returns argument i, the k of a quantile sketch, 0 if there is none.
func (c call) quantileK(i int) (int, error) {
	k, null, _, err := c.constantInt(i, 0)
	if err != nil || i >= len(c.Args) {
		return 0, err
	}
	if null {
		return 0, c.mismatch("UNEXPECTED_NULL", "The k must not be null.")
	}
	if k < kll.MinK || k > kll.MaxK {
		return 0, c.mismatch("TYPE_CHECK_FAILURE_WITH_HINT", "k must be between %d and %d, but is %d.", kll.MinK, kll.MaxK, k)
	}
	return int(k), nil
}

// newQuantileSketch is kll_sketch_agg_*.
func newQuantileSketch(c call) (*Func, error) {
	k, err := c.quantileK(1)
	if err != nil {
		return nil, err
	}
	if k == 0 {
		k = kll.DefaultK
	}
	switch {
	case strings.HasSuffix(c.Fn, "_bigint"):
		return quantileSketch(c, k, func(v *vec.Vec, i int32) int64 { return v.Int(int(i)) }), nil
	case strings.HasSuffix(c.Fn, "_float"):
		return quantileSketch(c, k, func(v *vec.Vec, i int32) float32 { return vec.Values[float32](v)[i] }), nil
	}
	return quantileSketch(c, k, func(v *vec.Vec, i int32) float64 {
		if v.Type.Kind == expr.KindFloat32 {
			return float64(vec.Values[float32](v)[i])
		}
		return vec.Values[float64](v)[i]
	}), nil
}

func quantileSketch[T kll.Item](c call, k int, item func(v *vec.Vec, i int32) T) *Func {
	return heldFunc(c, &sketchKind[*kll.Sketch[T]]{
		fresh: func() *kll.Sketch[T] { return kll.New[T](k) },
		load:  loadSketch(kll.Parse[T]),
		store: func(dst []byte, s *kll.Sketch[T]) []byte { return s.Append(dst) },
		update: func(s *kll.Sketch[T], args []*vec.Vec, row int32) (*kll.Sketch[T], error) {
			if args[0].Type.Kind != expr.KindNull {
				s.Update(item(args[0], row))
			}
			return s, nil
		},
		merge: mergeQuantiles[T],
		final: func(b *vec.Builder, s *kll.Sketch[T]) error {
			b.AppendBytes(s.Append(nil))
			return nil
		},
	})
}

func mergeQuantiles[T kll.Item](dst, src *kll.Sketch[T]) (*kll.Sketch[T], error) {
	dst.Merge(src)
	return dst, nil
}

// newQuantileUnion is kll_merge_agg_*. Without k the first sketch says it.
func newQuantileUnion(c call) (*Func, error) {
	k, err := c.quantileK(1)
	if err != nil {
		return nil, err
	}
	switch {
	case strings.HasSuffix(c.Fn, "_bigint"):
		return quantileUnion[int64](c, k), nil
	case strings.HasSuffix(c.Fn, "_float"):
		return quantileUnion[float32](c, k), nil
	}
	return quantileUnion[float64](c, k), nil
}

func quantileUnion[T kll.Item](c call, k int) *Func {
	return heldFunc(c, &sketchKind[*kll.Sketch[T]]{
		fresh: func() *kll.Sketch[T] {
			if k == 0 {
				return nil
			}
			return kll.New[T](k)
		},
		load:  loadSketch(kll.Parse[T]),
		store: func(dst []byte, s *kll.Sketch[T]) []byte { return s.Append(dst) },
		update: func(s *kll.Sketch[T], args []*vec.Vec, row int32) (*kll.Sketch[T], error) {
			in, err := cexpr.ParseKLL[T](c.Fn, args[0].Str(int(row)))
			if err != nil {
				return nil, err
			}
			if s == nil {
				s = kll.New[T](in.K())
			}
			s.Merge(in)
			return s, nil
		},
		merge: func(dst, src *kll.Sketch[T]) (*kll.Sketch[T], error) {
			if dst == nil {
				return src, nil
			}
			return mergeQuantiles(dst, src)
		},
		final: func(b *vec.Builder, s *kll.Sketch[T]) error {
			if s == nil {
				s = kll.New[T](kll.DefaultK)
			}
			b.AppendBytes(s.Append(nil))
			return nil
		},
	})
}
