package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

func arraysZip(f *frame) error {
	cols := make([]lists, len(f.args))
	for k := range cols {
		cols[k] = f.list(k)
	}
	off := f.offsets()
	idx := make([][]int32, len(cols))
	next, total := 0, 0
	rows := func(i int) error {
		for ; next <= i; next++ {
			off[next] = int32(total)
		}
		if !f.valid(i) {
			return nil
		}
		longest := 0
		for _, c := range cols {
			lo, hi := c.at(i)
			longest = max(longest, hi-lo)
		}
		for k, c := range cols {
			lo, hi := c.at(i)
			for e := range longest {
				if lo+e < hi {
					idx[k] = append(idx[k], int32(lo+e))
				} else {
					idx[k] = append(idx[k], -1)
				}
			}
		}
		total += longest
		return nil
	}
	if err := f.tryAll(rows); err != nil {
		return err
	}
	for ; next <= f.n; next++ {
		off[next] = int32(total)
	}
	s := &vec.Vec{Type: f.call.Typ.Elem, Len: total}
	for k, c := range cols {
		s.Kids = append(s.Kids, c.kids[0].Take(idx[k]))
	}
	f.out.Kids = []*vec.Vec{s}
	return nil
}

// arrayGet is get(array, index), 0-based: NULL outside.
func arrayGet(f *frame) error {
	a, n := f.list(0), ints(f, 1, nil)
	idx := freshFrom(nil, f.n)
	f.each(func(i int) {
		lo, hi := a.at(i)
		if k := n[i]; k >= 0 && k < int64(hi-lo) {
			idx[i] = int32(lo + int(k))
		}
	})
	f.take(f.args[0].Kids[0], idx)
	return nil
}

// makeElementAt is element_at: an array's element from 1, from the end if negative,
// or a map's value.
func makeElementAt(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	if c.Args[0].Type().Kind == expr.KindMap {
		return newFunction(c, args, env, mapValue), nil
	}
	lenient := c.Fn == "try_element_at"
	return newFunction(c, args, env, func(f *frame) error {
		a, n := f.list(0), ints(f, 1, nil)
		idx := freshFrom(nil, f.n)
		err := f.try(func(i int) error {
			lo, hi := a.at(i)
			k, size := n[i], int64(hi-lo)
			switch {
			case k == 0:
				return base.UserError("INVALID_INDEX_OF_ZERO", "22003",
					"The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).").At(f.call.At)
			case k > size || k < -size:
				if lenient {
					return nil
				}
				return f.fail(i, base.UserError("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "22003",
					"The index %d is out of bounds. The array has %d elements. Use `try_element_at` to tolerate accessing element at invalid index and return NULL instead.", k, size))
			case k > 0:
				idx[i] = int32(int64(lo) + k - 1)
			default:
				idx[i] = int32(int64(hi) + k)
			}
			return nil
		})
		f.take(f.args[0].Kids[0], idx)
		return err
	}), nil
}
