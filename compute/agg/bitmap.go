package agg

import (
	"bytes"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// bitmapBytes is the length of every bitmap.
const bitmapBytes = cexpr.BitmapBits / 8

// bitmap is bitmap_construct_agg, which sets bits by position, and bitmap_or_agg
// and bitmap_and_agg, which combine bitmaps; shorter ones go on with zeros. A
// group without values has all bits of the operation's identity.
type bitmap struct {
	bits *state.BytesColumn
	// and: bits begin as ones and are cleared.
	and bool
	c   call
	picker
}

func newBitmap(c call) (*Func, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	return &Func{
		AnyOrder: true,
		Fields:   []state.Field{field(state.Bytes, "BITMAP", false)},
		bind: func(cols []state.Column) Accumulator {
			return &bitmap{bits: cols[0].(*state.BytesColumn), and: c.Fn == "bitmap_and_agg", c: c}
		},
	}, nil
}

// of returns the bits of group g, to read and write; they are made at the group's
// first value.
func (a *bitmap) of(g int32) []byte {
	if len(a.bits.Get(g)) == 0 {
		a.bits.Set(g, a.identity())
	}
	return a.bits.Get(g)
}

func (a *bitmap) identity() []byte {
	if a.and {
		return bytes.Repeat([]byte{0xff}, bitmapBytes)
	}
	return make([]byte, bitmapBytes)
}

func (a *bitmap) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[0])
	if len(rows) == 0 {
		return nil
	}
	v := args[0].Flat()
	if v.Type.Kind == expr.KindBinary {
		for i, r := range rows {
			a.combine(a.of(groups[i]), v.Str(int(r)))
		}
		return nil
	}
	positions := vec.Values[int64](v)
	for i, r := range rows {
		p := positions[r]
		if p < 0 || p >= cexpr.BitmapBits {
			return base.UserError("INVALID_BITMAP_POSITION", "22003",
				"The 0-indexed bitmap position %d is out of bounds. The bitmap has %d bits (%d bytes).", p, cexpr.BitmapBits, bitmapBytes).At(a.c.At)
		}
		a.of(groups[i])[p/8] |= 1 << (p % 8)
	}
	return nil
}

func (a *bitmap) combine(ours, theirs []byte) {
	theirs = theirs[:min(len(theirs), bitmapBytes)]
	for j, x := range theirs {
		if a.and {
			ours[j] &= x
		} else {
			ours[j] |= x
		}
	}
	if a.and {
		clear(ours[len(theirs):])
	}
}

func (a *bitmap) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*bitmap)
	for i, g := range dst {
		if theirs := o.bits.Get(src[i]); len(theirs) > 0 {
			a.combine(a.of(g), theirs)
		}
	}
	return nil
}

func (a *bitmap) Final(groups []int32) (*vec.Vec, error) {
	b := vec.NewBuilder(expr.Binary)
	for _, g := range groups {
		if bits := a.bits.Get(g); len(bits) > 0 {
			b.AppendBytes(bits)
		} else {
			b.AppendBytes(a.identity())
		}
	}
	return b.Vec(), nil
}
