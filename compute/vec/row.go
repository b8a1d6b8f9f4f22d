package vec

import (
	"encoding/binary"
	"math"

	"github.com/flightd/flightd/compute/collation"
	"github.com/flightd/flightd/plan/expr"
)

// EncodeRow appends row i of v in a form in which equal values have equal bytes:
// −0 is written as 0 and every NaN as the same one. The form is self-delimiting
// and says nothing about order.
//
//	value  = 0 | 1 body
//	body   = fixed-width little endian | BOOLEAN: one byte
//	       | uvarint length, bytes
//	       | uvarint count, values (ARRAY) | uvarint count, key value… (MAP) | values (STRUCT)
func EncodeRow(v *Vec, i int, dst []byte) []byte { return encodeRow(v, i, dst, canonicalForm) }

// StoreRow appends row i of v in EncodeRow's form, but bit for bit: what DecodeRow
// reads has the value's signs of zero. Its bytes are no key.
func StoreRow(v *Vec, i int, dst []byte) []byte { return encodeRow(v, i, dst, storedForm) }

// EqualRow appends what is the same for rows that are equal by the rules of SQL: the
// form of EncodeRow with the keys of texts that have a collation. It cannot be read
// back.
func EqualRow(v *Vec, i int, dst []byte) []byte { return encodeRow(v, i, dst, equalForm) }

// form is what an encoding is for.
type form uint8

const (
	storedForm form = iota
	canonicalForm
	equalForm
)

func encodeRow(v *Vec, i int, dst []byte, as form) []byte {
	if v.Null(i) {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	i = v.Index(i)
	switch v.Type.Kind {
	case expr.KindBool:
		return append(dst, v.Data[i>>3]>>(i&7)&1)
	case expr.KindString, expr.KindBinary, expr.KindVariant:
		s := v.Data[v.Off[i]:v.Off[i+1]]
		if as == equalForm && v.Type.Collated() && v.Type.Collation != expr.Indeterminate {
			s = collation.New(v.Type.Collation).Key(nil, s)
		}
		return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
	case expr.KindFloat32:
		if as == storedForm {
			break
		}
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(canonical(Values[float32](v)[i])))
	case expr.KindFloat64:
		if as == storedForm {
			break
		}
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(canonical(Values[float64](v)[i])))
	case expr.KindArray, expr.KindMap:
		lo, hi := v.Off[i], v.Off[i+1]
		dst = binary.AppendUvarint(dst, uint64(hi-lo))
		for j := lo; j < hi; j++ {
			for _, k := range v.Kids {
				dst = encodeRow(k, int(j), dst, as)
			}
		}
		return dst
	case expr.KindStruct:
		for _, k := range v.Kids {
			dst = encodeRow(k, i, dst, as)
		}
		return dst
	}
	w := v.Type.Width()
	return append(dst, v.Data[i*w:(i+1)*w]...)
}

func canonical[T float32 | float64](f T) T {
	if f != f {
		return T(math.NaN())
	}
	return f + 0 // −0 + 0 is 0
}

// DecodeRow appends the value that EncodeRow wrote at the beginning of src to b and
// returns the rest; ok is false if src is not such a value of b's type.
func DecodeRow(b *Builder, src []byte) (rest []byte, ok bool) {
	if len(src) == 0 || src[0] > 1 {
		return nil, false
	}
	null := src[0] == 0
	src = src[1:]
	if null {
		b.AppendNull()
		return src, true
	}
	switch b.Type.Kind {
	case expr.KindNull:
		return nil, false
	case expr.KindBool:
		if len(src) < 1 {
			return nil, false
		}
		b.AppendBool(src[0] == 1)
		return src[1:], true
	case expr.KindString, expr.KindBinary, expr.KindVariant:
		n, w := binary.Uvarint(src)
		if w <= 0 || n > uint64(len(src)-w) {
			return nil, false
		}
		b.AppendBytes(src[w : w+int(n)])
		return src[w+int(n):], true
	case expr.KindArray, expr.KindMap:
		n, w := binary.Uvarint(src)
		if w <= 0 || n > uint64(len(src)) { // every element takes a byte
			return nil, false
		}
		src = src[w:]
		for range n {
			for _, k := range b.Kids {
				if src, ok = DecodeRow(k, src); !ok {
					return nil, false
				}
			}
		}
		b.EndList()
		return src, true
	case expr.KindStruct:
		for _, k := range b.Kids {
			if src, ok = DecodeRow(k, src); !ok {
				return nil, false
			}
		}
		b.EndStruct()
		return src, true
	}
	w := b.Type.Width()
	if len(src) < w {
		return nil, false
	}
	b.appendRaw(src[:w])
	return src[w:], true
}
