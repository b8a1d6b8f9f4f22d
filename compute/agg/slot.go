package agg

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// A slot holds one value of one type, or NULL, for each group. Its methods take
// whole columns; groups may repeat, and then the last one wins.
type slot interface {
	put(groups, rows []int32, v *vec.Vec)
	// move copies from groups src of another slot of the same type.
	move(dst []int32, from slot, src []int32)
	take(groups []int32) *vec.Vec
}

// KindOf is how a value of type t lies in a state column: nested values are
// encoded, row by row.
func KindOf(t *expr.Type) state.Kind {
	switch t.Kind {
	case expr.KindBool, expr.KindNull:
		return state.Bool
	case expr.KindFloat32:
		return state.Float32
	case expr.KindFloat64:
		return state.Float64
	}
	switch t.Width() {
	case 1:
		return state.Int8
	case 2:
		return state.Int16
	case 4:
		return state.Int32
	case 8:
		return state.Int64
	case 16:
		return state.Wide
	}
	return state.Bytes
}

func slotField(t *expr.Type) state.Field { return field(KindOf(t), t.SQL(), true) }

func newSlot(t *expr.Type, col state.Column) slot {
	switch c := col.(type) {
	case *state.Fixed[uint8]:
		return &boolSlot{c, t}
	case *state.Fixed[int8]:
		return &fixedSlot[int8]{c, t}
	case *state.Fixed[int16]:
		return &fixedSlot[int16]{c, t}
	case *state.Fixed[int32]:
		return &fixedSlot[int32]{c, t}
	case *state.Fixed[int64]:
		return &fixedSlot[int64]{c, t}
	case *state.Fixed[float32]:
		return &fixedSlot[float32]{c, t}
	case *state.Fixed[float64]:
		return &fixedSlot[float64]{c, t}
	case *state.Fixed[state.Word16]:
		return &fixedSlot[state.Word16]{c, t}
	}
	return &bytesSlot{col: col.(*state.BytesColumn), typ: t}
}

type fixedSlot[T state.Number] struct {
	col *state.Fixed[T]
	typ *expr.Type
}

func (s *fixedSlot[T]) put(groups, rows []int32, v *vec.Vec) {
	v = v.Flat()
	vals := vec.Values[T](v)
	for i, r := range rows {
		if v.Valid != nil && !isSet(v.Valid, r) {
			s.col.SetNull(groups[i])
			continue
		}
		s.col.Set(groups[i], vals[r])
	}
}

func (s *fixedSlot[T]) move(dst []int32, from slot, src []int32) {
	moveFixed(s.col, from.(*fixedSlot[T]).col, dst, src)
}

func moveFixed[T state.Number](to, from *state.Fixed[T], dst, src []int32) {
	vals := from.Data()
	for i, g := range dst {
		if from.IsValid(src[i]) {
			to.Set(g, vals[src[i]])
		} else {
			to.SetNull(g)
		}
	}
}

func (s *fixedSlot[T]) take(groups []int32) *vec.Vec { return column(s.typ, s.col.Gather(groups)) }

// boolSlot is the slot of BOOLEAN, and of VOID, which is always NULL.
type boolSlot struct {
	col *state.Fixed[uint8]
	typ *expr.Type
}

func (s *boolSlot) put(groups, rows []int32, v *vec.Vec) {
	v = v.Flat()
	for i, r := range rows {
		if v.Null(int(r)) {
			s.col.SetNull(groups[i])
			continue
		}
		s.col.Set(groups[i], v.Data[r>>3]>>(r&7)&1)
	}
}

func (s *boolSlot) move(dst []int32, from slot, src []int32) {
	moveFixed(s.col, from.(*boolSlot).col, dst, src)
}

func (s *boolSlot) take(groups []int32) *vec.Vec {
	if s.typ.Kind == expr.KindNull {
		return vec.NewNull(s.typ, len(groups))
	}
	return column(s.typ, s.col.Gather(groups))
}

// bytesSlot is the slot of text and, encoded, of nested values.
type bytesSlot struct {
	col *state.BytesColumn
	typ *expr.Type
	buf []byte
}

func (s *bytesSlot) put(groups, rows []int32, v *vec.Vec) {
	v = v.Flat()
	nested := s.typ.IsNested()
	for i, r := range rows {
		switch {
		case v.Null(int(r)):
			s.col.SetNull(groups[i])
		case nested:
			s.buf = storeValue(s.buf[:0], v, int(r))
			s.col.Set(groups[i], s.buf)
		default:
			s.col.Set(groups[i], v.Str(int(r)))
		}
	}
}

func (s *bytesSlot) move(dst []int32, from slot, src []int32) {
	o := from.(*bytesSlot)
	for i, g := range dst {
		if o.col.IsValid(src[i]) {
			s.col.Set(g, o.col.Get(src[i]))
		} else {
			s.col.SetNull(g)
		}
	}
}

func (s *bytesSlot) take(groups []int32) *vec.Vec {
	v := s.col.Gather(groups)
	if !s.typ.IsNested() {
		return column(s.typ, v)
	}
	return decodeColumn(s.typ, &v)
}
