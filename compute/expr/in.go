package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// makeIn is value IN (items…). Lists of literals become a set; other lists are
// compared item by item.
func makeIn(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	t := c.Args[0].Type()
	set := map[string]struct{}{}
	small := true
	null := false
	var buf []byte
	args = append(args[:1:1], foldedCasts(c.Args[1:], args[1:], env)...)
	for _, a := range args[1:] {
		l, ok := a.(*literal)
		if !ok {
			small = false
			break
		}
		if l.v.Null(0) {
			null = true
			continue
		}
		if !l.v.Type.Equal(t) {
			small = false
			break
		}
		buf = vec.EqualRow(l.v, 0, buf[:0])
		set[string(buf)] = struct{}{}
	}
	if !small || t.IsNested() || t.Kind == expr.KindNull {
		return newLenientIn(c, args, env), nil
	}
	var run func(f *frame) error
	switch t.Kind {
	case expr.KindInt32, expr.KindDate, expr.KindYearMonth:
		run = inInts[int32](args[1:], null)
	case expr.KindInt64, expr.KindTimestamp, expr.KindTimestampNTZ, expr.KindDayTime:
		run = inInts[int64](args[1:], null)
	default:
		run = func(f *frame) error {
			dst, v := f.bits(), f.args[0]
			var key []byte
			f.each(func(i int) {
				key = vec.EqualRow(v, i, key[:0])
				if _, ok := set[string(key)]; ok {
					kernels.SetBit(dst, i)
				} else if null {
					f.setNull(i)
				}
			})
			return nil
		}
	}
	return newFunction(c, args[:1], env, run), nil
}

// foldedCasts returns the evaluators of items, those of literals that coercion has cast
// as literals. What cannot be cast is left to fail when a row asks for it.
func foldedCasts(items []expr.Expr, args []Evaluator, env *Env) []Evaluator {
	out := append([]Evaluator(nil), args...)
	for i, item := range items {
		if _, cast := item.(*expr.Cast); !cast {
			continue
		}
		if l, ok := constantOf(item, env); ok {
			if ev, err := newLiteral(l.Value, l.Typ); err == nil {
				out[i] = ev
			}
		}
	}
	return out
}

func inInts[T kernels.Int](items []Evaluator, null bool) func(f *frame) error {
	set := map[T]struct{}{}
	for _, a := range items {
		if v := a.(*literal).v; !v.Null(0) {
			set[vec.Values[T](v)[0]] = struct{}{}
		}
	}
	few := make([]T, 0, len(set))
	for x := range set {
		few = append(few, x)
	}
	return func(f *frame) error {
		dst, v := f.bits(), f.args[0]
		if len(few) <= 8 {
			vals := column[T](v, f.n)
			part := make([]byte, len(dst))
			for _, x := range few {
				kernels.CompareIntScalar(kernels.EQ, part, vals, x)
				kernels.Or(dst, dst, part)
			}
			if null {
				f.each(func(i int) {
					if !kernels.Bit(dst, i) {
						f.setNull(i)
					}
				})
			}
			return nil
		}
		a := argument[T](f, 0)
		f.each(func(i int) {
			if _, ok := set[a.at(i)]; ok {
				kernels.SetBit(dst, i)
			} else if null {
				f.setNull(i)
			}
		})
		return nil
	}
}

func newLenientIn(c *expr.Call, args []Evaluator, env *Env) Evaluator {
	e := newFunction(c, args, env, func(f *frame) error {
		dst, v := f.bits(), f.args[0]
		f.each(func(i int) {
			if v.Null(i) {
				f.setNull(i)
				return
			}
			null := false
			for _, item := range f.args[1:] {
				if item.Null(i) {
					null = true
				} else if vec.Compare(v, i, item, i) == 0 {
					kernels.SetBit(dst, i)
					return
				}
			}
			if null {
				f.setNull(i)
			}
		})
		return nil
	})
	e.lenient()
	return e
}
