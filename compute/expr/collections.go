package expr

import (
	"math"
	"slices"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func collectionRows() map[string]row {
	return map[string]row{
		"size":            {makeSize},
		"array_size":      strict(listLength),
		"array_contains":  strict(arrayContains),
		"array_position":  strict(arrayPosition),
		"array_distinct":  strict(arrayDistinct),
		"array_union":     strict(arrayUnion),
		"array_intersect": strict(func(f *frame) error { return arrayFilterBy(f, true) }),
		"array_except":    strict(func(f *frame) error { return arrayFilterBy(f, false) }),
		"arrays_overlap":  strict(arraysOverlap),
		"array_remove":    strict(arrayRemove),
		"array_compact":   strict(arrayCompact),
		"array_max":       strict(func(f *frame) error { return arrayExtreme(f, 1) }),
		"array_min":       strict(func(f *frame) error { return arrayExtreme(f, -1) }),
		"array_join":      strict(arrayJoin),
		"array_repeat":    lenient(arrayRepeat),
		"array_append":    lenient(func(f *frame) error { return arrayWith(f, false) }),
		"array_prepend":   lenient(func(f *frame) error { return arrayWith(f, true) }),
		"array_insert":    lenient(arrayInsert),
		"slice":           strict(arraySlice),
		"sort_array":      strict(sortArray),
		"array_sort":      {makeArraySort},
		"shuffle":         {makeShuffle},
		"flatten":         strict(flatten),
		"arrays_zip":      strict(arraysZip),
		"get":             strict(arrayGet),
		"element_at":      {makeElementAt},
		"try_element_at":  {makeElementAt},
		"sequence":        strict(sequence),
	}
}

// makeSize is the number of elements; in legacy mode −1 for NULL.
func makeSize(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	if c.Mode != expr.Legacy {
		return newFunction(c, args, env, listLength), nil
	}
	e := newFunction(c, args, env, func(f *frame) error {
		dst, v := results[int32](f), f.args[0]
		f.each(func(i int) {
			dst[i] = -1
			if !v.Null(i) {
				k := v.Index(i)
				dst[i] = v.Off[k+1] - v.Off[k]
			}
		})
		return nil
	})
	e.lenient()
	return e, nil
}

func listLength(f *frame) error {
	dst, a := results[int32](f), f.list(0)
	f.each(func(i int) {
		lo, hi := a.at(i)
		dst[i] = int32(hi - lo)
	})
	return nil
}

// arrayContains is NULL where the value is not found but a NULL is.
func arrayContains(f *frame) error {
	dst, a, kid, want := f.bits(), f.list(0), f.args[0].Kids[0], f.args[1]
	f.each(func(i int) {
		lo, hi := a.at(i)
		null := false
		for k := lo; k < hi; k++ {
			if kid.Null(k) {
				null = true
			} else if vec.Compare(kid, k, want, i) == 0 {
				kernels.SetBit(dst, i)
				return
			}
		}
		if null {
			f.setNull(i)
		}
	})
	return nil
}

func arrayPosition(f *frame) error {
	dst, a, kid, want := results[int64](f), f.list(0), f.args[0].Kids[0], f.args[1]
	f.each(func(i int) {
		lo, hi := a.at(i)
		dst[i] = 0
		for k := lo; k < hi; k++ {
			if !kid.Null(k) && vec.Compare(kid, k, want, i) == 0 {
				dst[i] = int64(k - lo + 1)
				return
			}
		}
	})
	return nil
}

// valueSet is a set of values by their canonical bytes.
type valueSet struct {
	m   map[string]struct{}
	buf []byte
}

func (s *valueSet) clear() {
	if s.m == nil {
		s.m = map[string]struct{}{}
	}
	clear(s.m)
}

// add reports whether row k of v is new.
func (s *valueSet) add(v *vec.Vec, k int) bool {
	s.buf = vec.EqualRow(v, k, s.buf[:0])
	if _, ok := s.m[string(s.buf)]; ok {
		return false
	}
	s.m[string(s.buf)] = struct{}{}
	return true
}

func (s *valueSet) has(v *vec.Vec, k int) bool {
	s.buf = vec.EqualRow(v, k, s.buf[:0])
	_, ok := s.m[string(s.buf)]
	return ok
}

// noNegativeZero returns a column in which −0 is 0, as the set functions show it.
func noNegativeZero(v *vec.Vec) *vec.Vec {
	switch v.Type.Kind {
	case expr.KindFloat64:
		return withoutNegativeZero[float64](v)
	case expr.KindFloat32:
		return withoutNegativeZero[float32](v)
	}
	return v
}

func withoutNegativeZero[T kernels.Float](v *vec.Vec) *vec.Vec {
	out := make([]T, v.Len)
	for i, x := range vec.Values[T](v)[:v.Len] {
		out[i] = x + 0
	}
	return vec.FromValues(v.Type, out, v.Valid)
}

func arrayDistinct(f *frame) error {
	a := f.list(0)
	a.kids = []*vec.Vec{noNegativeZero(a.kids[0])}
	var seen valueSet
	return f.gather(a.kids, func(i int, idx []int32) ([]int32, error) {
		seen.clear()
		lo, hi := a.at(i)
		for k := lo; k < hi; k++ {
			if seen.add(a.kids[0], k) {
				idx = append(idx, int32(k))
			}
		}
		return idx, nil
	})
}

func arrayUnion(f *frame) error {
	a, b := f.list(0), f.list(1)
	both := noNegativeZero(vec.Concat([]*vec.Vec{memberColumn(a.kids[0], a.kids[0].Len, f.call.Typ.Elem), memberColumn(b.kids[0], b.kids[0].Len, f.call.Typ.Elem)}))
	shift := a.kids[0].Len
	var seen valueSet
	return f.gather([]*vec.Vec{both}, func(i int, idx []int32) ([]int32, error) {
		seen.clear()
		lo, hi := a.at(i)
		for k := lo; k < hi; k++ {
			if seen.add(both, k) {
				idx = append(idx, int32(k))
			}
		}
		lo, hi = b.at(i)
		for k := lo + shift; k < hi+shift; k++ {
			if seen.add(both, k) {
				idx = append(idx, int32(k))
			}
		}
		return idx, nil
	})
}

// arrayFilterBy keeps the distinct elements of the first array that the second has
// (want) or has not.
func arrayFilterBy(f *frame, want bool) error {
	a, b := f.list(0), f.list(1)
	a.kids = []*vec.Vec{noNegativeZero(a.kids[0])}
	var other, seen valueSet
	return f.gather(a.kids, func(i int, idx []int32) ([]int32, error) {
		other.clear()
		seen.clear()
		lo, hi := b.at(i)
		for k := lo; k < hi; k++ {
			other.add(b.kids[0], k)
		}
		lo, hi = a.at(i)
		for k := lo; k < hi; k++ {
			if other.has(a.kids[0], k) == want && seen.add(a.kids[0], k) {
				idx = append(idx, int32(k))
			}
		}
		return idx, nil
	})
}

func arraysOverlap(f *frame) error {
	dst, a, b := f.bits(), f.list(0), f.list(1)
	var set valueSet
	f.each(func(i int) {
		set.clear()
		null := false
		lo, hi := a.at(i)
		empty := lo == hi
		for k := lo; k < hi; k++ {
			if a.kids[0].Null(k) {
				null = true
			} else {
				set.add(a.kids[0], k)
			}
		}
		lo, hi = b.at(i)
		for k := lo; k < hi; k++ {
			if b.kids[0].Null(k) {
				null = true
			} else if set.has(b.kids[0], k) {
				kernels.SetBit(dst, i)
				return
			}
		}
		if null && !empty && hi > lo {
			f.setNull(i)
		}
	})
	return nil
}

func arrayRemove(f *frame) error {
	a, want := f.list(0), f.args[1]
	return f.gather(a.kids, func(i int, idx []int32) ([]int32, error) {
		lo, hi := a.at(i)
		for k := lo; k < hi; k++ {
			if a.kids[0].Null(k) || vec.Compare(a.kids[0], k, want, i) != 0 {
				idx = append(idx, int32(k))
			}
		}
		return idx, nil
	})
}

func arrayCompact(f *frame) error {
	a := f.list(0)
	return f.gather(a.kids, func(i int, idx []int32) ([]int32, error) {
		lo, hi := a.at(i)
		for k := lo; k < hi; k++ {
			if !a.kids[0].Null(k) {
				idx = append(idx, int32(k))
			}
		}
		return idx, nil
	})
}

func arrayExtreme(f *frame, sign int) error {
	a, kid := f.list(0), f.args[0].Kids[0]
	idx := freshFrom(nil, f.n)
	f.each(func(i int) {
		lo, hi := a.at(i)
		for k := lo; k < hi; k++ {
			if !kid.Null(k) && (idx[i] < 0 || vec.Compare(kid, k, kid, int(idx[i]))*sign > 0) {
				idx[i] = int32(k)
			}
		}
	})
	f.take(kid, idx)
	return nil
}

func arrayJoin(f *frame) error {
	a, kid, sep := f.list(0), f.args[0].Kids[0], f.text(1)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		first := true
		lo, hi := a.at(i)
		for k := lo; k < hi; k++ {
			null := kid.Null(k)
			if null && len(f.args) < 3 {
				continue
			}
			if !first {
				dst = append(dst, sep.at(i)...)
			}
			first = false
			if null {
				dst = append(dst, f.args[2].Str(i)...)
			} else {
				dst = append(dst, kid.Str(k)...)
			}
		}
		return dst, nil
	})
}

// maxArray is the largest number of elements of an array.
const maxArray = math.MaxInt32 - 15

func arrayTooLong(f *frame, n int64, parameter string) error {
	return base.UserError("COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER", "54000",
		"Can't create array with %d elements which exceeding the array size limit %d, the value of parameter(s) `%s` in the function `%s` is invalid.",
		n, maxArray, parameter, f.call.Fn).At(f.call.At)
}

// cellBytes is about how much memory a value of a column takes.
func cellBytes(v *vec.Vec) int64 {
	n := int64(len(v.Data)+4*len(v.Off)) / int64(max(v.Len, 1))
	for _, k := range v.Kids {
		n += cellBytes(k) * int64(max(k.Len, 1)) / int64(max(v.Len, 1))
	}
	return max(n, 1)
}

func arrayRepeat(f *frame) error {
	n := argument[int32](f, 1)
	v := memberColumn(f.args[0], f.n, f.call.Typ.Elem)
	return f.gather([]*vec.Vec{v}, func(i int, idx []int32) ([]int32, error) {
		if f.absent(1, i) {
			f.setNull(i)
			return idx, nil
		}
		if n.at(i) > maxArray {
			return idx, arrayTooLong(f, int64(n.at(i)), "count")
		}
		if err := f.room(product(int64(max(n.at(i), 0)), 4+cellBytes(v))); err != nil {
			return idx, err
		}
		for range max(n.at(i), 0) {
			idx = append(idx, int32(i))
		}
		return idx, nil
	})
}

// arrayWith adds an element, which may be NULL, at the end or the beginning.
func arrayWith(f *frame, front bool) error {
	v := f.args[0]
	if v.Type.Kind == expr.KindNull || v.Const && v.Null(0) {
		f.each(f.setNull)
		clear(f.offsets())
		f.out.Kids = []*vec.Vec{vec.NewNull(f.call.Typ.Elem, 0)}
		return nil
	}
	a := f.list(0)
	both := vec.Concat([]*vec.Vec{memberColumn(a.kids[0], a.kids[0].Len, f.call.Typ.Elem), memberColumn(f.args[1], f.n, f.call.Typ.Elem)})
	at := a.kids[0].Len
	return f.gather([]*vec.Vec{both}, func(i int, idx []int32) ([]int32, error) {
		if v.Null(i) {
			f.setNull(i)
			return idx, nil
		}
		if front {
			idx = append(idx, int32(at+i))
		}
		lo, hi := a.at(i)
		for k := lo; k < hi; k++ {
			idx = append(idx, int32(k))
		}
		if !front {
			idx = append(idx, int32(at+i))
		}
		return idx, nil
	})
}

func arrayInsert(f *frame) error {
	v, pos := f.args[0], argument[int32](f, 1)
	a := f.list(0)
	both := vec.Concat([]*vec.Vec{memberColumn(a.kids[0], a.kids[0].Len, f.call.Typ.Elem), memberColumn(f.args[2], f.n, f.call.Typ.Elem)})
	at := a.kids[0].Len
	return f.gather([]*vec.Vec{both}, func(i int, idx []int32) ([]int32, error) {
		if v.Null(i) || f.absent(1, i) {
			f.setNull(i)
			return idx, nil
		}
		lo, hi := a.at(i)
		n, p := hi-lo, int(pos.at(i))
		if p == 0 {
			return idx, base.UserError("INVALID_INDEX_OF_ZERO", "22003",
				"The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).").At(f.call.At)
		}
		if max(p, -p) > maxArray {
			return idx, arrayTooLong(f, int64(max(p, -p)), "pos")
		}
		if p > 0 {
			for k := range max(n+1, p) {
				switch {
				case k == p-1:
					idx = append(idx, int32(at+i))
				case k < p-1 && k < n:
					idx = append(idx, int32(lo+k))
				case k > p-1:
					idx = append(idx, int32(lo+k-1))
				default:
					idx = append(idx, -1)
				}
			}
			return idx, nil
		}
		// Counted from the end of the result: −1 is behind the last element.
		if -p > n+1 {
			idx = append(idx, int32(at+i))
			for range -p - n - 1 {
				idx = append(idx, -1)
			}
			for k := lo; k < hi; k++ {
				idx = append(idx, int32(k))
			}
			return idx, nil
		}
		for k := range n + 1 {
			switch q := n + 1 + p; {
			case k == q:
				idx = append(idx, int32(at+i))
			case k < q:
				idx = append(idx, int32(lo+k))
			default:
				idx = append(idx, int32(lo+k-1))
			}
		}
		return idx, nil
	})
}

func arraySlice(f *frame) error {
	a, start, count := f.list(0), argument[int32](f, 1), argument[int32](f, 2)
	return f.gather(a.kids, func(i int, idx []int32) ([]int32, error) {
		lo, hi := a.at(i)
		s, n := int(start.at(i)), int(count.at(i))
		if s == 0 {
			return idx, badParameter("START", "start", f.call.Fn, "Expects a positive or a negative value for `start`, but got 0.").At(f.call.At)
		}
		if n < 0 {
			return idx, badParameter("LENGTH", "length", f.call.Fn, "Expects `length` greater than or equal to 0, but got %d.", n).At(f.call.At)
		}
		from := lo + s - 1
		if s < 0 {
			from = hi + s
		}
		if from < lo || from >= hi {
			return idx, nil
		}
		for k := from; k < min(from+n, hi); k++ {
			idx = append(idx, int32(k))
		}
		return idx, nil
	})
}

// sortArray is sort_array(array[, ascending]): NULLs are smallest.
func sortArray(f *frame) error {
	asc := func(int) bool { return true }
	if len(f.args) > 1 {
		asc = f.args[1].Bool
	}
	return sortLists(f, func(i int, kid *vec.Vec) func(x, y int32) int {
		if asc(i) {
			return func(x, y int32) int { return vec.Compare(kid, int(x), kid, int(y)) }
		}
		return func(x, y int32) int { return vec.Compare(kid, int(y), kid, int(x)) }
	})
}

// sortLists sorts each row's elements, stably.
func sortLists(f *frame, order func(i int, kid *vec.Vec) func(x, y int32) int) error {
	a := f.list(0)
	return f.gather(a.kids, func(i int, idx []int32) ([]int32, error) {
		lo, hi := a.at(i)
		at := len(idx)
		for k := lo; k < hi; k++ {
			idx = append(idx, int32(k))
		}
		slices.SortStableFunc(idx[at:], order(i, a.kids[0]))
		return idx, nil
	})
}

// nullsLast is the order of array_sort without a function.
func nullsLast(_ int, kid *vec.Vec) func(x, y int32) int {
	return func(x, y int32) int {
		xn, yn := kid.Null(int(x)), kid.Null(int(y))
		if xn != yn {
			if xn {
				return 1
			}
			return -1
		}
		return vec.Compare(kid, int(x), kid, int(y))
	}
}

func flatten(f *frame) error {
	a := f.list(0)
	inner := a.kids[0]
	return f.gather(inner.Kids, func(i int, idx []int32) ([]int32, error) {
		lo, hi := a.at(i)
		for k := lo; k < hi; k++ {
			if inner.Null(k) {
				f.setNull(i)
				return idx[:len(idx):len(idx)], nil
			}
		}
		for k := lo; k < hi; k++ {
			for e := inner.Off[k]; e < inner.Off[k+1]; e++ {
				idx = append(idx, e)
			}
		}
		return idx, nil
	})
}
