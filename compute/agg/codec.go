package agg

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// encodeValue writes a value so that equal ones have equal bytes, storeValue one to
// be given back as it is.
func encodeValue(dst []byte, v *vec.Vec, i int) []byte { return vec.EncodeRow(v, i, dst) }

func storeValue(dst []byte, v *vec.Vec, i int) []byte { return vec.StoreRow(v, i, dst) }

// decodeColumn returns values that encodeValue wrote, one to a row of v.
func decodeColumn(t *expr.Type, v *state.Vector) *vec.Vec {
	b := vec.NewBuilder(t)
	for i := range v.Len {
		if !v.IsValid(i) {
			b.AppendNull()
			continue
		}
		decodeInto(b, v.At(i))
	}
	return b.Vec()
}

// decodeInto appends the first value of src to b and returns the rest.
func decodeInto(b *vec.Builder, src []byte) []byte {
	rest, ok := vec.DecodeRow(b, src)
	if !ok {
		panic(invariants.AssertionFailedf("state of type %s holds %d bytes that are no value", b.Type, len(src)))
	}
	return rest
}

// compareEncoded compares two encoded values of type t.
func compareEncoded(t *expr.Type, x, y []byte) int {
	b := vec.NewBuilder(t)
	decodeInto(b, x)
	decodeInto(b, y)
	v := b.Vec()
	return vec.Compare(v, 0, v, 1)
}

// element writes and reads the values that lists are made of: those of a fixed
// width bare, bit for bit, others encoded.
type element struct {
	typ   *expr.Type
	width int
}

func newElement(t *expr.Type) element {
	if t.Kind == expr.KindBool {
		return element{t, 1}
	}
	return element{t, t.Width()}
}

// add appends row r of v, which is flat and not NULL there.
func (e element) add(dst []byte, v *vec.Vec, r int32) []byte {
	switch {
	case e.typ.Kind == expr.KindBool:
		return append(dst, v.Data[r>>3]>>(r&7)&1)
	case e.width > 0:
		return append(dst, v.Data[int(r)*e.width:(int(r)+1)*e.width]...)
	}
	return storeValue(dst, v, int(r))
}

// next appends the first value of src to b and returns the rest.
func (e element) next(b *vec.Builder, src []byte) []byte {
	switch {
	case e.typ.Kind == expr.KindBool:
		b.AppendBool(src[0] == 1)
	case e.width == 1:
		vec.AppendFixed(b, src[0])
	case e.width == 2:
		vec.AppendFixed(b, [2]byte(src))
	case e.width == 4:
		vec.AppendFixed(b, [4]byte(src))
	case e.width == 8:
		vec.AppendFixed(b, [8]byte(src))
	case e.width == 16:
		vec.AppendFixed(b, [16]byte(src))
	default:
		return decodeInto(b, src)
	}
	return src[e.width:]
}
