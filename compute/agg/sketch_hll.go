package agg

import (
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sketch/hll"
)

// newDistinctSketch is hll_sketch_agg.
func newDistinctSketch(c call) (*Func, error) {
	lgK, _, constant, err := c.constantInt(1, hll.DefaultLgK)
	if err != nil {
		return nil, err
	}
	if !constant {
		return nil, base.UserError("HLL_K_MUST_BE_CONSTANT", "42K0E", "The `lgConfigK` of `%s` must be a constant.", c.Fn)
	}
	if lgK < hll.MinLgK || lgK > hll.MaxLgK {
		return nil, base.UserError("HLL_INVALID_LG_K", "22546",
			"The `lgConfigK` of `%s` must be between %d and %d, but is %d.", c.Fn, hll.MinLgK, hll.MaxLgK, lgK)
	}
	hash := cexpr.NewKeyHash(c.arg(0))
	return heldFunc(c, &sketchKind[*hll.Sketch]{
		fresh: func() *hll.Sketch { return hll.New(int(lgK)) },
		load:  loadSketch(hll.Parse),
		store: func(dst []byte, s *hll.Sketch) []byte { return s.AppendState(dst) },
		update: func(s *hll.Sketch, args []*vec.Vec, row int32) (*hll.Sketch, error) {
			if h1, h2, ok := hash(args[0], int(row)); ok {
				s.Update(h1, h2)
			}
			return s, nil
		},
		merge: func(dst, src *hll.Sketch) (*hll.Sketch, error) {
			u := hll.NewUnion(dst.LgK())
			u.Add(dst, true)
			u.Add(src, true)
			return u.Result(), nil
		},
		final: func(b *vec.Builder, s *hll.Sketch) error {
			b.AppendBytes(s.Append(nil))
			return nil
		},
	}), nil
}

// newDistinctUnion is hll_union_agg. The first sketch says how many registers the
// union has at most.
func newDistinctUnion(c call) (*Func, error) {
	different, err := c.flag(1)
	if err != nil {
		return nil, err
	}
	add := func(u *hll.Union, s *hll.Sketch, copied bool) (*hll.Union, error) {
		if u == nil {
			u = hll.NewUnion(s.LgK())
		}
		if !different && u.LgK() != s.LgK() {
			return nil, cexpr.DifferentLgK(c.Fn, u.LgK(), s.LgK())
		}
		u.Add(s, copied)
		return u, nil
	}
	return heldFunc(c, &sketchKind[*hll.Union]{
		fresh: func() *hll.Union { return nil },
		load: func(b []byte) *hll.Union {
			return loadSketch(func(b []byte) (*hll.Union, error) { return hll.ParseUnion(int(b[0]), b[1:]) })(b)
		},
		store: func(dst []byte, u *hll.Union) []byte { return u.AppendState(append(dst, byte(u.MaxLgK()))) },
		update: func(u *hll.Union, args []*vec.Vec, row int32) (*hll.Union, error) {
			s, err := cexpr.ParseHLL(c.Fn, args[0].Str(int(row)))
			if err != nil {
				return nil, err
			}
			return add(u, s, false)
		},
		merge: func(dst, src *hll.Union) (*hll.Union, error) {
			if dst == nil {
				return src, nil
			}
			return add(dst, src.Result(), true)
		},
		final: func(b *vec.Builder, u *hll.Union) error {
			if u == nil {
				u = hll.NewUnion(hll.DefaultLgK)
			}
			b.AppendBytes(u.Result().Append(nil))
			return nil
		},
	}), nil
}

// flag returns argument i, a constant BOOLEAN; false if it is NULL or not given.
func (c call) flag(i int) (bool, error) {
	if i >= len(c.Args) {
		return false, nil
	}
	if dependsOnInput(c.Args[i]) {
		return false, c.mismatch("NON_FOLDABLE_INPUT", "argument %d must be a constant.", i+1)
	}
	v, err := c.constants.Value(i)
	if err != nil {
		return false, err
	}
	return !v.Null(0) && v.Flat().Data[0]&1 == 1, nil
}
