package state

import (
	"encoding/binary"

	"github.com/flightd/flightd/internal/base"
)

// Keys that do not fit into four words are encoded into a byte string each:
//
//	one bit for each column, LSB first, padded to bytes: 1 = NULL
//	then each column that is not NULL, in order:
//	  fixed width   its canonical value, little-endian
//	  Bytes         its length as a 4-byte little-endian number, then its bytes
//
// Equal keys have equal encodings and different keys different ones.

// encode fills k.encoded and k.encOff with the keys of the rows of sel; the
// others are empty.
func (k *Keys) encode(cols []Vector, n int, sel []int32) {
	buf := k.encoded[:0]
	k.encOff = sized(k.encOff, n+1)
	done := int32(0)
	for _, r := range k.rows(sel) {
		for ; done <= r; done++ {
			k.encOff[done] = int32(len(buf))
		}
		mask := len(buf)
		buf = append(buf, make([]byte, (len(cols)+7)/8)...)
		for i := range cols {
			if v := &cols[i]; v.IsValid(int(r)) {
				buf = encodeValue(buf, v, int(r))
			} else {
				setBit(buf[mask:], i)
			}
		}
	}
	for ; int(done) <= n; done++ {
		k.encOff[done] = int32(len(buf))
	}
	k.encoded = buf
}

func encodeValue(buf []byte, v *Vector, r int) []byte {
	switch v.Kind {
	case Bool:
		return append(buf, v.Data[r>>3]>>(r&7)&1)
	case Float32:
		return binary.LittleEndian.AppendUint32(buf, canonical32(Values[float32](v)[r]))
	case Float64:
		return binary.LittleEndian.AppendUint64(buf, canonical64(Values[float64](v)[r]))
	case Bytes:
		b := v.At(r)
		return append(binary.LittleEndian.AppendUint32(buf, uint32(len(b))), b...)
	}
	w := v.Kind.width()
	return append(buf, v.Data[r*w:(r+1)*w]...)
}

// decodeColumn extracts column i of the encoded keys enc.
func decodeColumn(fields []Field, i int, enc *Vector) (Vector, error) {
	out := newVectorBuilder(fields[i].Kind, enc.Len)
	for r := range enc.Len {
		b := enc.At(r)
		mask := (len(fields) + 7) / 8
		if len(b) < mask {
			return Vector{}, badEncoding(r)
		}
		nulls := b[:mask]
		b = b[mask:]
		if bit(nulls, i) {
			out.appendNull()
			continue
		}
		for j := 0; ; j++ {
			if bit(nulls, j) {
				continue
			}
			n, head := fields[j].Kind.width(), 0
			if fields[j].Kind == Bytes {
				if len(b) < 4 {
					return Vector{}, badEncoding(r)
				}
				n, head = int(binary.LittleEndian.Uint32(b)), 4
			}
			if n > len(b)-head {
				return Vector{}, badEncoding(r)
			}
			if j == i {
				out.append(b[head : head+n])
				break
			}
			b = b[head+n:]
		}
	}
	return out.vector(), nil
}

func badEncoding(row int) error {
	return base.Errorf(base.CodeCorrupt, "decoding key of row %d: encoding is too short", row)
}

// vectorBuilder appends values to a Vector of a known length.
type vectorBuilder struct {
	v     Vector
	nulls bool
}

func newVectorBuilder(kind Kind, n int) *vectorBuilder {
	b := &vectorBuilder{v: Vector{Kind: kind, Valid: make([]byte, (n+7)/8)}}
	switch kind {
	case Bool:
		b.v.Data = make([]byte, (n+7)/8)
	case Bytes:
		b.v.Off = make([]int32, 1, n+1)
	default:
		b.v.Data = make([]byte, 0, n*kind.width())
	}
	return b
}

func (b *vectorBuilder) append(value []byte) {
	setBit(b.v.Valid, b.v.Len)
	if b.v.Kind == Bool {
		if value[0] != 0 {
			setBit(b.v.Data, b.v.Len)
		}
	} else {
		b.v.Data = append(b.v.Data, value...)
	}
	b.end()
}

func (b *vectorBuilder) appendNull() {
	b.nulls = true
	if b.v.Kind != Bool {
		b.v.Data = append(b.v.Data, make([]byte, b.v.Kind.width())...)
	}
	b.end()
}

func (b *vectorBuilder) end() {
	b.v.Len++
	if b.v.Kind == Bytes {
		b.v.Off = append(b.v.Off, int32(len(b.v.Data)))
	}
}

func (b *vectorBuilder) vector() Vector {
	if !b.nulls {
		b.v.Valid = nil
	}
	return b.v
}
