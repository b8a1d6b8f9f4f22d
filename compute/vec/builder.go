package vec

import (
	"github.com/apache/arrow-go/v18/arrow/bitutil"

	"github.com/flightd/flightd/plan/expr"
)

// Builder makes a column row by row: for what is built once (states, literals,
// parsed text), not for loops over columns. Rows of nested types are built by
// appending to Kids and then calling EndList or EndStruct.
type Builder struct {
	Type *expr.Type
	Kids []*Builder
	n    int
	// nulls is set with the first NULL; valid has a bit for each row from then.
	nulls bool
	valid []byte
	data  []byte
	off   []int32
}

// NewBuilder returns an empty builder of a type.
func NewBuilder(t *expr.Type) *Builder {
	b := &Builder{Type: t}
	switch t.Kind {
	case expr.KindString, expr.KindBinary, expr.KindVariant:
		b.off = append(b.off, 0)
	case expr.KindArray:
		b.off, b.Kids = append(b.off, 0), []*Builder{NewBuilder(t.Elem)}
	case expr.KindMap:
		b.off, b.Kids = append(b.off, 0), []*Builder{NewBuilder(t.Key), NewBuilder(t.Elem)}
	case expr.KindStruct:
		for _, f := range t.Fields {
			b.Kids = append(b.Kids, NewBuilder(f.Type))
		}
	}
	return b
}

// Len returns the number of rows so far.
func (b *Builder) Len() int { return b.n }

func (b *Builder) end(valid bool) {
	if !valid && !b.nulls {
		b.nulls = true
		b.valid = make([]byte, (b.n+8)>>3, (b.n+64)>>3)
		bitutil.SetBitsTo(b.valid, 0, int64(b.n), true)
	}
	if b.nulls {
		if b.n>>3 >= len(b.valid) {
			b.valid = append(b.valid, 0)
		}
		if valid {
			b.valid[b.n>>3] |= 1 << (b.n & 7)
		}
	}
	b.n++
}

var zeros [16]byte

// AppendNull appends a NULL.
func (b *Builder) AppendNull() {
	switch b.Type.Kind {
	case expr.KindNull:
	case expr.KindBool:
		b.growBits()
	case expr.KindString, expr.KindBinary, expr.KindVariant, expr.KindArray, expr.KindMap:
		b.off = append(b.off, b.off[len(b.off)-1])
	case expr.KindStruct:
		for _, k := range b.Kids {
			k.AppendNull()
		}
	default:
		b.data = append(b.data, zeros[:b.Type.Width()]...)
	}
	b.end(false)
}

func (b *Builder) growBits() {
	if b.n>>3 >= len(b.data) {
		b.data = append(b.data, 0)
	}
}

// AppendBool appends a BOOLEAN.
func (b *Builder) AppendBool(v bool) {
	b.growBits()
	if v {
		b.data[b.n>>3] |= 1 << (b.n & 7)
	}
	b.end(true)
}

// AppendBytes appends a STRING, BINARY or VARIANT.
func (b *Builder) AppendBytes(s []byte) {
	b.data = append(b.data, s...)
	b.off = append(b.off, int32(len(b.data)))
	b.end(true)
}

func (b *Builder) appendRaw(s []byte) {
	b.data = append(b.data, s...)
	b.end(true)
}

// AppendFixed appends a value of fixed width to b; T has the width of b's type.
func AppendFixed[T any](b *Builder, v T) { b.appendRaw(Bytes([]T{v})) }

// AppendInt appends a value of an integer-like type: integers, date, times,
// year-month and day-time intervals.
func (b *Builder) AppendInt(v int64) {
	switch b.Type.Width() {
	case 1:
		AppendFixed(b, int8(v))
	case 2:
		AppendFixed(b, int16(v))
	case 4:
		AppendFixed(b, int32(v))
	default:
		AppendFixed(b, v)
	}
}

// EndList makes the rows appended to Kids since the last row one list or map.
func (b *Builder) EndList() {
	b.off = append(b.off, int32(b.Kids[0].n))
	b.end(true)
}

// EndStruct makes the row appended to each of Kids one struct.
func (b *Builder) EndStruct() { b.end(true) }

// AppendRow appends row i of v, which has b's type.
func (b *Builder) AppendRow(v *Vec, i int) {
	if v.Null(i) {
		b.AppendNull()
		return
	}
	j := v.Index(i)
	switch b.Type.Kind {
	case expr.KindBool:
		b.AppendBool(v.Bool(i))
	case expr.KindString, expr.KindBinary, expr.KindVariant:
		b.AppendBytes(v.Str(i))
	case expr.KindArray, expr.KindMap:
		for e := v.Off[j]; e < v.Off[j+1]; e++ {
			for k, kid := range b.Kids {
				kid.AppendRow(v.Kids[k], int(e))
			}
		}
		b.EndList()
	case expr.KindStruct:
		for k, kid := range b.Kids {
			kid.AppendRow(v.Kids[k], j)
		}
		b.EndStruct()
	default:
		w := b.Type.Width()
		b.appendRaw(v.Data[j*w : (j+1)*w])
	}
}

// Vec returns the column. The builder must not be used afterwards.
func (b *Builder) Vec() *Vec {
	v := &Vec{Type: b.Type, Len: b.n, Data: b.data, Off: b.off}
	if b.nulls {
		v.Valid = b.valid
	}
	for _, k := range b.Kids {
		v.Kids = append(v.Kids, k.Vec())
	}
	return v
}
