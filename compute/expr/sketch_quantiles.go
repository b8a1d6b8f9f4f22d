package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/sketch/kll"
)

// quantileFunctions adds the functions of quantile sketches of T, whose names end in
// suffix; show appends an item as text.
func quantileFunctions[T kll.Item](rows map[string]row, suffix string, kind expr.Kind, show func(dst []byte, x T) []byte) {
	rows["kll_sketch_get_n"+suffix] = strict(func(f *frame) error {
		dst, a := results[int64](f), f.text(0)
		return f.try(func(i int) error {
			s, err := ParseKLL[T](f.call.Fn, a.at(i))
			if err == nil {
				dst[i] = s.N()
			}
			return err
		})
	})
	rows["kll_sketch_to_string"+suffix] = strict(func(f *frame) error {
		a := f.text(0)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			s, err := ParseKLL[T](f.call.Fn, a.at(i))
			if err != nil {
				return dst, err
			}
			return append(dst, s.Summary(func(x T) string { return string(show(nil, x)) })...), nil
		})
	})
	rows["kll_sketch_merge"+suffix] = strict(func(f *frame) error {
		a, b := f.text(0), f.text(1)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			x, err := ParseKLL[T](f.call.Fn, a.at(i))
			if err != nil {
				return dst, err
			}
			y, err := ParseKLL[T](f.call.Fn, b.at(i))
			if err != nil {
				return dst, err
			}
			x.Merge(y)
			return x.Append(dst), nil
		})
	})
	rows["kll_sketch_get_quantile"+suffix] = strict(func(f *frame) error {
		return query(f, func(v *kll.View[T], rank float64) (T, error) {
			x, err := v.Quantile(rank)
			if err != nil {
				err = base.UserError("KLL_SKETCH_INVALID_QUANTILE_RANGE", "22003", "`%s` wants ranks between 0.0 and 1.0, but got %v.", f.call.Fn, rank)
			}
			return x, err
		})
	})
	rows["kll_sketch_get_rank"+suffix] = strict(func(f *frame) error {
		return query(f, func(v *kll.View[T], x T) (float64, error) {
			if x != x {
				return 0, badQuantiles(f.call.Fn)
			}
			return v.Rank(x), nil
		})
	})
}

// query asks the sketch of each row for the value or the array of values in the
// second argument.
func query[T kll.Item, In, Out any](f *frame, ask func(v *kll.View[T], in In) (Out, error)) error {
	a := f.text(0)
	view := func(i int) (*kll.View[T], error) {
		s, err := ParseKLL[T](f.call.Fn, a.at(i))
		if err != nil {
			return nil, err
		}
		v, err := s.View()
		if err != nil {
			return nil, badQuantiles(f.call.Fn)
		}
		return v, nil
	}
	if f.args[1].Type.Kind != expr.KindArray {
		dst, in := results[Out](f), argument[In](f, 1)
		return f.try(func(i int) error {
			v, err := view(i)
			if err == nil {
				dst[i], err = ask(v, in.at(i))
			}
			return err
		})
	}
	in := f.list(1)
	asked := vec.Values[In](in.kids[0].Flat())
	var out []Out
	off := f.offsets()
	next := 0
	err := f.tryAll(func(i int) error {
		for ; next <= i; next++ {
			off[next] = int32(len(out))
		}
		if !f.valid(i) {
			return nil
		}
		lo, hi := in.at(i)
		if lo == hi {
			return nil
		}
		v, err := view(i)
		for j := lo; j < hi && err == nil; j++ {
			var x Out
			x, err = ask(v, asked[j])
			out = append(out, x)
		}
		return err
	})
	for ; next <= f.n; next++ {
		off[next] = int32(len(out))
	}
	f.out.Kids = []*vec.Vec{vec.FromValues(f.call.Typ.Elem, out, nil)}
	return err
}
