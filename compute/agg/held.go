package agg

import (
	"slices"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/state"
)

// sketchKind is how a sketch S lies in a group's bytes and what becomes of it. A
// group that has seen nothing has no bytes.
type sketchKind[S any] struct {
	fresh func() S
	load  func(b []byte) S
	store func(dst []byte, s S) []byte
	// update takes in a row at which none of the values is NULL, or any row if nulls.
	// The values are the first argument and so many more; the rest are constants.
	update func(s S, args []*vec.Vec, row int32) (S, error)
	more   int
	nulls  bool
	// merge returns dst with src, which came after it.
	merge func(dst, src S) (S, error)
	final func(b *vec.Builder, s S) error
}

// held is the accumulator of every sketch. A group's sketch is read from its bytes
// once in an Update, whatever number of rows it takes in, and written back. Before
// the bytes is one that says whether the sketch was merged into a fresh one: Spark
// does that with what the rows of a split made, and merging may order and round.
type held[S any] struct {
	kind *sketchKind[S]
	make func() *vec.Builder
	col  *state.BytesColumn
	live map[int32]heldSketch[S]
	buf  []byte
	picker
}

// heldFunc returns the function of a kind of sketch whose result is of c's type.
func heldFunc[S any](c call, kind *sketchKind[S]) *Func {
	return &Func{
		Fields: []state.Field{field(state.Bytes, "SKETCH", false)},
		bind: func(cols []state.Column) Accumulator {
			return &held[S]{kind: kind, col: cols[0].(*state.BytesColumn), live: map[int32]heldSketch[S]{},
				make: func() *vec.Builder { return vec.NewBuilder(c.Typ) }}
		},
	}
}

// heldSketch is the sketch of a group, and whether it was merged.
type heldSketch[S any] struct {
	s      S
	merged bool
}

// of returns the sketch of group g.
func (a *held[S]) of(g int32) heldSketch[S] {
	h, ok := a.live[g]
	if !ok {
		h = a.read(g)
	}
	return h
}

func (a *held[S]) read(g int32) heldSketch[S] {
	if b := a.col.Get(g); len(b) > 0 {
		return heldSketch[S]{a.kind.load(b[1:]), b[0] == 1}
	}
	return heldSketch[S]{a.kind.fresh(), false}
}

// settled returns h merged into a fresh sketch, if that was not done.
func (a *held[S]) settled(h heldSketch[S]) (heldSketch[S], error) {
	if h.merged {
		return h, nil
	}
	s, err := a.kind.merge(a.kind.fresh(), h.s)
	return heldSketch[S]{s, true}, err
}

// flush writes back all sketches that were touched, in the order of groups.
func (a *held[S]) flush() {
	groups := make([]int32, 0, len(a.live))
	for g := range a.live {
		groups = append(groups, g)
	}
	slices.Sort(groups)
	for _, g := range groups {
		h := a.live[g]
		a.buf = append(a.buf[:0], 0)
		if h.merged {
			a.buf[0] = 1
		}
		a.buf = a.kind.store(a.buf, h.s)
		a.col.Set(g, a.buf)
	}
	clear(a.live)
}

func (a *held[S]) Update(rows, groups []int32, args []*vec.Vec) error {
	if !a.kind.nulls {
		rows, groups = a.present(rows, groups, args[:1+a.kind.more]...)
	}
	flat := make([]*vec.Vec, 1+a.kind.more)
	for i, v := range args[:len(flat)] {
		if flat[i] = v; len(rows) > 0 {
			flat[i] = v.Flat()
		}
	}
	for i, r := range rows {
		h := a.of(groups[i])
		var err error
		if h.s, err = a.kind.update(h.s, flat, r); err != nil {
			clear(a.live)
			return err
		}
		a.live[groups[i]] = h
	}
	a.flush()
	return nil
}

func (a *held[S]) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*held[S])
	for i, g := range dst {
		if len(o.col.Get(src[i])) == 0 {
			continue
		}
		h, err := a.of(g), error(nil)
		if _, ok := a.live[g]; ok || len(a.col.Get(g)) > 0 {
			h, err = a.settled(h)
		}
		if err == nil {
			h.merged = true
			h.s, err = a.kind.merge(h.s, o.read(src[i]).s)
		}
		if err != nil {
			clear(a.live)
			return err
		}
		a.live[g] = h
	}
	a.flush()
	return nil
}

func (a *held[S]) Final(groups []int32) (*vec.Vec, error) {
	b := a.make()
	for _, g := range groups {
		h, err := a.read(g), error(nil)
		if len(a.col.Get(g)) > 0 {
			h, err = a.settled(h)
		}
		if err == nil {
			err = a.kind.final(b, h.s)
		}
		if err != nil {
			return nil, err
		}
	}
	return b.Vec(), nil
}
