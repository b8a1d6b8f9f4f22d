package theta

import (
	"encoding/binary"
	"math"
	"slices"
)

// Parse reads the image of a sketch of a kind; the error is ErrImage.
func Parse(image []byte, kind Kind) (*Compact, error) {
	r := &reader{b: image}
	var c *Compact
	if kind == Plain {
		c = r.theta()
	} else {
		c = r.tuple(kind)
	}
	if r.bad {
		return nil, ErrImage
	}
	return c, nil
}

// reader reads little-endian numbers; beyond the end it gives zeros and is bad.
type reader struct {
	b   []byte
	at  int
	bad bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b)-r.at {
		r.bad = true
		return make([]byte, 8)
	}
	r.at += n
	return r.b[r.at-n : r.at]
}

func (r *reader) byte() byte     { return r.take(1)[0] }
func (r *reader) u32() uint32    { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64    { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *reader) fail() *Compact { r.bad = true; return nil }

// count reads a number of entries of at least size bytes each.
func (r *reader) count(size int) int {
	n := int(int32(r.u32()))
	if n < 0 || n > (len(r.b)-r.at)/size+1 {
		r.bad = true
		return 0
	}
	return n
}

func (r *reader) theta() *Compact {
	head := r.take(8)
	if r.bad {
		return nil
	}
	words, version, family, flags := int(head[0]&0x3f), head[1], head[2], head[5]
	if family != familyTheta {
		return r.fail()
	}
	c := &Compact{Theta: One}
	switch version {
	case 4:
		return r.compressed(words, int(head[3]), int(head[4]))
	case 3:
		if flags&flagEmpty != 0 {
			if words != 1 || flags&(flagCompact|flagReadOnly) != flagCompact|flagReadOnly {
				return r.fail()
			}
			c.Empty = true
			return c
		}
		if words == 1 && flags&0x1f == flagReadOnly|flagCompact|flagOrdered || flags&flagSingle != 0 {
			c.Hashes = []uint64{r.u64()}
			return c
		}
		if flags&flagCompact == 0 || flags&flagReadOnly == 0 {
			return r.fail()
		}
	case 1:
		if words != 3 {
			return r.fail()
		}
	case 2:
		if words < 1 || words > 3 {
			return r.fail()
		}
	default:
		return r.fail()
	}
	n := 0
	if words > 1 {
		n = int(int32(r.u32()))
		r.u32()
	}
	if words > 2 {
		c.Theta = r.u64()
	}
	c.Empty = n == 0 && c.Theta == One
	c.Hashes = r.hashes(n)
	if version == 3 && flags&flagOrdered == 0 {
		slices.Sort(c.Hashes)
	}
	return c
}

func (r *reader) hashes(n int) []uint64 {
	if n < 0 || n > (len(r.b)-r.at)/8 {
		r.bad = true
		return nil
	}
	out := make([]uint64, n)
	for i := range out {
		out[i] = r.u64()
	}
	return out
}

// compressed reads the image of version 4.
func (r *reader) compressed(words, width, countBytes int) *Compact {
	c := &Compact{Theta: One}
	if words > 1 {
		c.Theta = r.u64()
	}
	if countBytes > 4 {
		return r.fail()
	}
	n := 0
	for i := range countBytes {
		n |= int(r.byte()) << (8 * i)
	}
	if r.bad || width < 1 || width > 63 || n > (len(r.b)-r.at)*8/width {
		return r.fail()
	}
	c.Hashes = make([]uint64, n)
	have, bits := 0, uint64(0)
	last := uint64(0)
	for i := range c.Hashes {
		delta := uint64(0)
		for left := width; left > 0; {
			if have == 0 {
				bits, have = uint64(r.byte()), 8
			}
			k := min(left, have)
			have -= k
			left -= k
			delta = delta<<k | bits>>have&(1<<k-1)
		}
		last += delta
		c.Hashes[i] = last
	}
	return c
}

// tuple reads the image of a compact tuple sketch, of the current version or one
// of the two before.
func (r *reader) tuple(kind Kind) *Compact {
	words, version, family, form := r.byte(), r.byte(), r.byte(), r.byte()
	if r.bad || family != familyTuple || words < 1 || words > 3 || version > 3 || form != 1 {
		return r.fail()
	}
	c := &Compact{Kind: kind, Theta: One}
	if version < 3 {
		return r.oldTuple(c, version)
	}
	head := r.take(4)
	c.Empty = head[1]&(1<<2) != 0
	n := 0
	if !c.Empty {
		n = 1
		if words > 1 {
			n = r.count(8)
			r.u32()
		}
		if words > 2 {
			c.Theta = r.u64()
		}
	}
	for range n {
		c.Hashes = append(c.Hashes, r.u64())
		c.Summaries = append(c.Summaries, r.summary(kind))
		if r.bad {
			return nil
		}
	}
	return c
}

// oldTuple reads what follows the first four bytes of versions 1 and 2.
func (r *reader) oldTuple(c *Compact, version byte) *Compact {
	flags := r.byte()
	if flags&1 != 0 {
		return r.fail()
	}
	c.Empty = flags&(1<<1) != 0
	if flags&(1<<3) != 0 {
		c.Theta = r.u64()
	}
	if flags&(1<<2) == 0 {
		return c
	}
	name := 0
	if version == 1 {
		name = int(int8(r.byte()))
	}
	n := r.count(8)
	r.take(name)
	if r.bad {
		return nil
	}
	c.Hashes = r.hashes(n)
	for range c.Hashes {
		c.Summaries = append(c.Summaries, r.summary(c.Kind))
	}
	return c
}

func (r *reader) summary(kind Kind) Summary {
	var s Summary
	if kind == Double {
		s.Value = r.u64()
	} else {
		s.Value = uint64(r.u32())
	}
	m := r.byte()
	if m > byte(AlwaysOne) {
		r.bad = true
		return Summary{}
	}
	s.Mode = Mode(m)
	return s
}

// Numbers returns the numbers of all keys taken together: their sum, which wraps
// around for integers; their minimum or maximum, 0 if there is none; how many
// there are for AlwaysOne. NaN makes a minimum or maximum of DOUBLE NaN.
func (c *Compact) Numbers(m Mode) (f float64, i int64) {
	for at, s := range c.Summaries {
		x, n := s.Float(), int64(s.Int())
		switch {
		case m == AlwaysOne:
			f, i = f+1, i+1
		case m == Sum:
			f, i = f+x, i+n
		case at == 0:
			f, i = x, n
		case m == Min:
			f, i = math.Min(f, x), min(i, n)
		default:
			f, i = math.Max(f, x), max(i, n)
		}
	}
	return f, i
}
