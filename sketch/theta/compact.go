package theta

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
)

// ErrImage says that bytes are no image of a sketch.
var ErrImage = errors.New("not the image of a sketch")

// A Compact is a sketch that takes in nothing any more. The caller must not change
// it.
type Compact struct {
	Kind      Kind
	Theta     uint64
	Empty     bool
	Hashes    []uint64
	Summaries []Summary
}

// Estimating reports whether the sketch has dropped keys.
func (c *Compact) Estimating() bool { return c.Theta < One && !c.Empty }

// Fraction returns theta as a number from 0 to 1.
func (c *Compact) Fraction() float64 { return float64(c.Theta) / math.MaxInt64 }

// Estimate returns the estimated number of distinct keys.
func (c *Compact) Estimate() float64 {
	n := float64(len(c.Hashes))
	switch {
	case c.Kind == Plain:
		return n * (math.MaxInt64 / float64(c.Theta))
	case !c.Estimating():
		return n
	}
	return n / c.Fraction()
}

// The first bytes of an image: number of 8-byte words before the entries, version
// of the format, family; the flags are at 5, the hash of the seed at 6.
const (
	familyTheta = 3
	familyTuple = 9
	seedHash    = 0x93cc

	flagReadOnly = 1 << 1
	flagEmpty    = 1 << 2
	flagCompact  = 1 << 3
	flagOrdered  = 1 << 4
	flagSingle   = 1 << 5
)

// Append appends the image of the sketch: of a theta sketch with two entries or
// more the compressed one.
func (c *Compact) Append(dst []byte) []byte {
	switch {
	case c.Kind != Plain:
		return c.appendTuple(dst)
	case c.Empty:
		return append(dst, 1, 3, familyTheta, 0, 0, flagReadOnly|flagEmpty|flagCompact|flagOrdered, 0, 0)
	case len(c.Hashes) == 0:
		return c.appendPlain(dst, 3, 0)
	case len(c.Hashes) == 1 && !c.Estimating():
		return c.appendPlain(dst, 1, flagSingle)
	}
	return c.appendCompressed(dst)
}

func (c *Compact) appendPlain(dst []byte, words byte, flags byte) []byte {
	dst = append(dst, words, 3, familyTheta, 0, 0, flags|flagReadOnly|flagCompact|flagOrdered, seedHash&0xff, seedHash>>8)
	if words > 1 {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(c.Hashes)))
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(1))
		dst = binary.LittleEndian.AppendUint64(dst, c.Theta)
	}
	for _, h := range c.Hashes {
		dst = binary.LittleEndian.AppendUint64(dst, h)
	}
	return dst
}

// appendCompressed appends the image of version 4: the differences of ascending
// hashes, each in as many bits as the largest needs, high bits first.
func (c *Compact) appendCompressed(dst []byte) []byte {
	var all, last uint64
	for _, h := range c.Hashes {
		all |= h - last
		last = h
	}
	width := bits.Len64(all)
	words := byte(1)
	if c.Estimating() {
		words = 2
	}
	countBytes := (bits.Len32(uint32(len(c.Hashes))) + 7) / 8
	dst = append(dst, words, 4, familyTheta, byte(width), byte(countBytes), flagReadOnly|flagCompact|flagOrdered, seedHash&0xff, seedHash>>8)
	if words > 1 {
		dst = binary.LittleEndian.AppendUint64(dst, c.Theta)
	}
	for i := range countBytes {
		dst = append(dst, byte(len(c.Hashes)>>(8*i)))
	}
	last = 0
	free := 0
	for _, h := range c.Hashes {
		for left, d := width, h-last; left > 0; {
			if free == 0 {
				dst, free = append(dst, 0), 8
			}
			n := min(left, free)
			left -= n
			free -= n
			dst[len(dst)-1] |= byte(d>>left&(1<<n-1)) << free
		}
		last = h
	}
	return dst
}

func (c *Compact) appendTuple(dst []byte) []byte {
	single := len(c.Hashes) == 1 && !c.Estimating()
	words, flags := byte(2), byte(1<<3|1<<1)
	if c.Empty {
		flags |= 1 << 2
	}
	if c.Empty || single {
		words = 1
	} else if c.Estimating() {
		words = 3
	}
	dst = append(dst, words, 3, familyTuple, 1, 0, flags, seedHash&0xff, seedHash>>8)
	if words > 1 {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(len(c.Hashes)))
	}
	if words > 2 {
		dst = binary.LittleEndian.AppendUint64(dst, c.Theta)
	}
	for i, h := range c.Hashes {
		dst = binary.LittleEndian.AppendUint64(dst, h)
		dst = c.Kind.appendSummary(dst, c.Summaries[i])
	}
	return dst
}

func (k Kind) appendSummary(dst []byte, s Summary) []byte {
	switch k {
	case Double:
		dst = binary.LittleEndian.AppendUint64(dst, s.Value)
	case Integer:
		dst = binary.LittleEndian.AppendUint32(dst, uint32(s.Value))
	}
	return append(dst, byte(s.Mode))
}
