package agg

import (
	"bytes"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// A rank keeps the extreme value of each group: NULL before the first. NaN is
// above everything, as SQL has it; NULLs must have been left out.
type rank interface {
	// update takes in rows and returns those that became their group's extreme,
	// with their groups. The slices are good until the next call.
	update(rows, groups []int32, v *vec.Vec) (winRows, winGroups []int32)
	// merge does the same with groups src of another rank.
	merge(dst []int32, from rank, src []int32) (winSrc, winDst []int32)
	take(groups []int32) *vec.Vec
}

// order says when a value takes the place of another: if it is smaller or
// greater and, where ties is set, also if it is equal.
type order struct{ max, ties bool }

// beats reports whether c, the comparison of a new value with the old one, lets
// the new one in.
func (o order) beats(c int) bool {
	if o.max {
		c = -c
	}
	return c < 0 || o.ties && c == 0
}

func newRank(t *expr.Type, o order, col state.Column) rank {
	w := wins{order: o}
	switch c := col.(type) {
	case *state.Fixed[uint8]:
		return &boolRank{w, boolSlot{c, t}}
	case *state.Fixed[int8]:
		return &numberRank[int8]{wins: w, fixedSlot: fixedSlot[int8]{c, t}}
	case *state.Fixed[int16]:
		return &numberRank[int16]{wins: w, fixedSlot: fixedSlot[int16]{c, t}}
	case *state.Fixed[int32]:
		return &numberRank[int32]{wins: w, fixedSlot: fixedSlot[int32]{c, t}}
	case *state.Fixed[int64]:
		return &numberRank[int64]{wins: w, fixedSlot: fixedSlot[int64]{c, t}}
	case *state.Fixed[float32]:
		return &numberRank[float32]{wins: w, fixedSlot: fixedSlot[float32]{c, t}}
	case *state.Fixed[float64]:
		return &numberRank[float64]{wins: w, fixedSlot: fixedSlot[float64]{c, t}}
	case *state.Fixed[state.Word16]:
		return &wideRank{w, fixedSlot[state.Word16]{c, t}}
	}
	return &bytesRank{w, bytesSlot{col: col.(*state.BytesColumn), typ: t}}
}

// wins collects the rows that won, and their groups.
type wins struct {
	order
	rows, groups []int32
}

func (w *wins) reset() { w.rows, w.groups = w.rows[:0], w.groups[:0] }

func (w *wins) add(row, group int32) {
	w.rows, w.groups = append(w.rows, row), append(w.groups, group)
}

type number interface {
	int8 | int16 | int32 | int64 | float32 | float64
}

type numberRank[T number] struct {
	wins
	fixedSlot[T]
	filled
}

// beats is order.beats over numbers; for integers the tests for NaN vanish.
func beats[T number](o order, x, old T) bool {
	lt := x < old || old != old && x == x
	gt := x > old || x != x && old == old
	if o.max {
		lt = gt
	} else {
		gt = lt
	}
	return lt || o.ties && !(x < old || x > old) && (x == old || x != x && old != old)
}

func (k *numberRank[T]) update(rows, groups []int32, v *vec.Vec) ([]int32, []int32) {
	k.reset()
	vals, best, valid := vec.Values[T](v.Flat()), k.col.Data(), k.col.Valid()
	for i, r := range rows {
		if g := groups[i]; !isSet(valid, g) || beats(k.order, vals[r], best[g]) {
			best[g] = vals[r]
			set(valid, g)
			k.add(r, g)
		}
	}
	return k.rows, k.groups
}

func (k *numberRank[T]) merge(dst []int32, from rank, src []int32) ([]int32, []int32) {
	k.reset()
	o := from.(*numberRank[T])
	vals, best, valid := o.col.Data(), k.col.Data(), k.col.Valid()
	for i, r := range src {
		if !o.col.IsValid(r) {
			continue
		}
		if g := dst[i]; !isSet(valid, g) || beats(k.order, vals[r], best[g]) {
			k.col.Set(g, vals[r])
			k.add(r, g)
		}
	}
	return k.rows, k.groups
}

type boolRank struct {
	wins
	boolSlot
}

func (k *boolRank) update(rows, groups []int32, v *vec.Vec) ([]int32, []int32) {
	k.reset()
	v = v.Flat()
	best := k.col.Data()
	for i, r := range rows {
		g, x := groups[i], v.Data[r>>3]>>(r&7)&1
		if !k.col.IsValid(g) || k.beats(int(x)-int(best[g])) {
			k.col.Set(g, x)
			k.add(r, g)
		}
	}
	return k.rows, k.groups
}

func (k *boolRank) merge(dst []int32, from rank, src []int32) ([]int32, []int32) {
	k.reset()
	o := from.(*boolRank)
	vals, best := o.col.Data(), k.col.Data()
	for i, r := range src {
		g := dst[i]
		if o.col.IsValid(r) && (!k.col.IsValid(g) || k.beats(int(vals[r])-int(best[g]))) {
			k.col.Set(g, vals[r])
			k.add(r, g)
		}
	}
	return k.rows, k.groups
}

// wideRank is the rank of decimals.
type wideRank struct {
	wins
	fixedSlot[state.Word16]
}

func (k *wideRank) update(rows, groups []int32, v *vec.Vec) ([]int32, []int32) {
	k.reset()
	vals, best := vec.Values[kernels.Int128](v.Flat()), int128s(k.col.Data())
	for i, r := range rows {
		g := groups[i]
		if !k.col.IsValid(g) || k.beats(vals[r].Cmp(best[g])) {
			best[g] = vals[r]
			k.col.SetValid(g)
			k.add(r, g)
		}
	}
	return k.rows, k.groups
}

func (k *wideRank) merge(dst []int32, from rank, src []int32) ([]int32, []int32) {
	k.reset()
	o := from.(*wideRank)
	vals, best := int128s(o.col.Data()), int128s(k.col.Data())
	for i, r := range src {
		g := dst[i]
		if o.col.IsValid(r) && (!k.col.IsValid(g) || k.beats(vals[r].Cmp(best[g]))) {
			best[g] = vals[r]
			k.col.SetValid(g)
			k.add(r, g)
		}
	}
	return k.rows, k.groups
}

// bytesRank is the rank of text, compared byte by byte, and of nested values.
type bytesRank struct {
	wins
	bytesSlot
}

// cmp compares two values as they lie in the column.
func (k *bytesRank) cmp(a, b []byte) int {
	if k.typ.IsNested() {
		return compareEncoded(k.typ, a, b)
	}
	return bytes.Compare(a, b)
}

func (k *bytesRank) update(rows, groups []int32, v *vec.Vec) ([]int32, []int32) {
	k.reset()
	v = v.Flat()
	nested := k.typ.IsNested()
	for i, r := range rows {
		g := groups[i]
		var x []byte
		if nested {
			k.buf = storeValue(k.buf[:0], v, int(r))
			x = k.buf
		} else {
			x = v.Str(int(r))
		}
		if !k.col.IsValid(g) || k.beats(k.cmp(x, k.col.Get(g))) {
			k.col.Set(g, x)
			k.add(r, g)
		}
	}
	return k.rows, k.groups
}

func (k *bytesRank) merge(dst []int32, from rank, src []int32) ([]int32, []int32) {
	k.reset()
	o := from.(*bytesRank)
	for i, r := range src {
		g := dst[i]
		if o.col.IsValid(r) && (!k.col.IsValid(g) || k.beats(k.cmp(o.col.Get(r), k.col.Get(g)))) {
			k.col.Set(g, o.col.Get(r))
			k.add(r, g)
		}
	}
	return k.rows, k.groups
}
