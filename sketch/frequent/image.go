package frequent

import "encoding/binary"

const (
	family    = 10
	flagEmpty = 5
	longHead  = 32
)

// Append appends the image of the sketch.
func (s *Sketch) Append(dst []byte) []byte {
	words, flags := byte(4), byte(0)
	if s.n == 0 {
		words, flags = 1, flagEmpty
	}
	dst = append(dst, words, 1, family, byte(s.maxLg), byte(s.lg), flags, 0, 0)
	if s.n == 0 {
		return dst
	}
	for _, x := range []int64{int64(s.n), s.weight, s.offset} {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(x))
	}
	for i, d := range s.drift {
		if d > 0 {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(s.counts[i]))
		}
	}
	at := 0
	for i, d := range s.drift {
		if d <= 0 {
			continue
		}
		dst = s.appendItem(dst, at, s.keys[i])
		at++
	}
	return dst
}

func (s *Sketch) appendItem(dst []byte, at int, item string) []byte {
	switch s.kind {
	case Bool:
		if at&7 == 0 {
			dst = append(dst, 0)
		}
		dst[len(dst)-1] |= item[0] << (at & 7)
		return dst
	case Byte, Short, Int, Float, Decimal32:
		dst = append(dst, s.kind.tag())
	case Text, Decimal:
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(item)))
	}
	return append(dst, item...)
}

// Parse reads the image of a sketch of items of a kind; the error is ErrImage.
func Parse(kind Kind, scale int, b []byte) (*Sketch, error) {
	if len(b) < 8 || b[1] != 1 || b[2] != family || b[3] > 30 || b[4] > b[3] {
		return nil, ErrImage
	}
	s := New(kind, scale, int(b[3]))
	empty := b[5]&flagEmpty != 0
	if empty && b[0] == 1 {
		return s, nil
	}
	if empty || b[0] != 4 || len(b) < longHead {
		return nil, ErrImage
	}
	n := int(int32(binary.LittleEndian.Uint32(b[8:])))
	if n < 0 || n > (len(b)-longHead)/8 || n > 1<<b[4] || b[4] < smallestLg {
		return nil, ErrImage
	}
	s.alloc(int(b[4]))
	s.offset = int64(binary.LittleEndian.Uint64(b[24:]))
	counts, items := b[longHead:longHead+8*n], b[longHead+8*n:]
	for i := range n {
		item, rest, ok := kind.item(items, i)
		count := int64(binary.LittleEndian.Uint64(counts[8*i:]))
		if !ok || count < 0 {
			return nil, ErrImage
		}
		items = rest
		if count > 0 {
			s.Update(item, count)
		}
	}
	s.weight = int64(binary.LittleEndian.Uint64(b[16:]))
	return s, nil
}

// item reads item i and returns the rest, which for Bool begins at the byte of the
// next item.
func (k Kind) item(b []byte, i int) (string, []byte, bool) {
	switch k {
	case Bool:
		if len(b) == 0 {
			return "", nil, false
		}
		bit := string([]byte{b[0] >> (i & 7) & 1})
		if i&7 == 7 {
			b = b[1:]
		}
		return bit, b, true
	case Text, Decimal:
		if len(b) < 4 {
			return "", nil, false
		}
		n := int(int32(binary.LittleEndian.Uint32(b)))
		if n < 0 || n > len(b)-4 || k == Decimal && n == 0 {
			return "", nil, false
		}
		return string(b[4 : 4+n]), b[4+n:], true
	}
	if k.tag() != 0 {
		if len(b) == 0 || b[0] != k.tag() {
			return "", nil, false
		}
		b = b[1:]
	}
	if len(b) < k.width() {
		return "", nil, false
	}
	return string(b[:k.width()]), b[k.width():], true
}

// AppendState appends the table as it lies, slot for slot, for Restore.
func (s *Sketch) AppendState(dst []byte) []byte {
	dst = append(dst, byte(s.maxLg), byte(s.lg))
	for _, x := range []int64{int64(s.n), s.weight, s.offset} {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(x))
	}
	last := 0
	for i, d := range s.drift {
		if d <= 0 {
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(i-last))
		dst = binary.AppendUvarint(dst, uint64(d))
		dst = binary.AppendUvarint(dst, uint64(s.counts[i]))
		dst = binary.AppendUvarint(dst, uint64(len(s.keys[i])))
		dst = append(dst, s.keys[i]...)
		last = i
	}
	return dst
}

// Restore reads what AppendState wrote of a sketch of the kind.
func Restore(kind Kind, scale int, b []byte) *Sketch {
	s := New(kind, scale, int(b[0]))
	s.alloc(int(b[1]))
	number := func(at int) int64 { return int64(binary.LittleEndian.Uint64(b[at:])) }
	s.n, s.weight, s.offset = int(number(2)), number(10), number(18)
	b = b[26:]
	next := func() int {
		x, n := binary.Uvarint(b)
		b = b[n:]
		return int(x)
	}
	slot := 0
	for range s.n {
		slot += next()
		s.drift[slot], s.counts[slot] = int16(next()), int64(next())
		n := next()
		s.keys[slot] = string(b[:n])
		b = b[n:]
	}
	return s
}

// Reloaded returns the sketch as its image gives it back, which may order items of
// equal count in another way.
func (s *Sketch) Reloaded() *Sketch {
	out, err := Parse(s.kind, s.scale, s.Append(nil))
	if err != nil {
		return s
	}
	return out
}
