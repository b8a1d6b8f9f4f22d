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
	// update takes in a row at which no argument is NULL, or any row if nulls.
	update func(s S, args []*vec.Vec, row int32) (S, error)
	nulls  bool
	// merge returns dst with src, which came after it.
	merge func(dst, src S) (S, error)
	// settle, if not nil, returns what merging s into a fresh sketch gives.
	settle func(s S) (S, error)
	final  func(b *vec.Builder, s S) error
}

// held is the accumulator of every sketch. A group's sketch is read from its bytes
// once in an Update, whatever number of rows it takes in, and written back.
type held[S any] struct {
	kind *sketchKind[S]
	make func() *vec.Builder
	col  *state.BytesColumn
	live map[int32]S
	buf  []byte
	picker
}

// heldFunc returns the function of a kind of sketch whose result is of c's type.
func heldFunc[S any](c call, kind *sketchKind[S]) *Func {
	return &Func{
		Fields: []state.Field{field(state.Bytes, "SKETCH", false)},
		bind: func(cols []state.Column) Accumulator {
			return &held[S]{kind: kind, col: cols[0].(*state.BytesColumn), live: map[int32]S{},
				make: func() *vec.Builder { return vec.NewBuilder(c.Typ) }}
		},
	}
}

// of returns the sketch of group g.
func (a *held[S]) of(g int32) S {
	s, ok := a.live[g]
	if !ok {
		s = a.read(g)
	}
	return s
}

func (a *held[S]) read(g int32) S {
	if b := a.col.Get(g); len(b) > 0 {
		return a.kind.load(b)
	}
	return a.kind.fresh()
}

// flush writes back all sketches that were touched, in the order of groups.
func (a *held[S]) flush() {
	groups := make([]int32, 0, len(a.live))
	for g := range a.live {
		groups = append(groups, g)
	}
	slices.Sort(groups)
	for _, g := range groups {
		a.buf = a.kind.store(a.buf[:0], a.live[g])
		a.col.Set(g, a.buf)
	}
	clear(a.live)
}

func (a *held[S]) Update(rows, groups []int32, args []*vec.Vec) error {
	if !a.kind.nulls {
		rows, groups = a.present(rows, groups, args...)
	}
	flat := make([]*vec.Vec, len(args))
	for i, v := range args {
		if flat[i] = v; len(rows) > 0 {
			flat[i] = v.Flat()
		}
	}
	for i, r := range rows {
		s, err := a.kind.update(a.of(groups[i]), flat, r)
		if err != nil {
			clear(a.live)
			return err
		}
		a.live[groups[i]] = s
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
		s, err := a.kind.merge(a.of(g), o.read(src[i]))
		if err != nil {
			clear(a.live)
			return err
		}
		a.live[g] = s
	}
	a.flush()
	return nil
}

// Settle makes groups what merging them into empty ones gives.
func (a *held[S]) Settle(groups []int32) {
	if a.kind.settle == nil {
		return
	}
	for _, g := range groups {
		if len(a.col.Get(g)) == 0 {
			continue
		}
		if s, err := a.kind.settle(a.read(g)); err == nil {
			a.live[g] = s
		}
	}
	a.flush()
}

func (a *held[S]) Final(groups []int32) (*vec.Vec, error) {
	b := a.make()
	for _, g := range groups {
		if err := a.kind.final(b, a.read(g)); err != nil {
			return nil, err
		}
	}
	return b.Vec(), nil
}
