package frequent

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// A CountMin counts all items in depth rows of width cells; an item's count is at
// most that of any of its cells.
type CountMin struct {
	depth, width int
	multipliers  []int64
	total        int64
	table        []int64
}

// CountMinSize returns depth and width for a relative error eps with a confidence.
func CountMinSize(eps, confidence float64) (depth, width float64) {
	return math.Ceil(-math.Log(1-confidence) / math.Log(2)), math.Ceil(2 / eps)
}

// NewCountMin returns an empty sketch whose hash functions are those of seed.
func NewCountMin(depth, width, seed int) *CountMin {
	c := &CountMin{depth: depth, width: width, multipliers: make([]int64, depth), table: make([]int64, depth*width)}
	r := javaRandom(seed)
	for i := range c.multipliers {
		c.multipliers[i] = int64(r.below(math.MaxInt32))
	}
	return c
}

// random is Java's generator of random numbers.
type random struct{ state uint64 }

func javaRandom(seed int) *random {
	return &random{(uint64(int64(seed)) ^ 0x5deece66d) & (1<<48 - 1)}
}

func (r *random) next31() int32 {
	r.state = (r.state*0x5deece66d + 0xb) & (1<<48 - 1)
	return int32(r.state >> 17)
}

// below returns a number from 0 to n−1, n no power of two.
func (r *random) below(n int32) int32 {
	for {
		u := r.next31()
		if v := u % n; u-v+(n-1) >= 0 {
			return v
		}
	}
}

// AddInteger counts an integer.
func (c *CountMin) AddInteger(x int64) {
	for i, m := range c.multipliers {
		h := m * x
		h += h >> 32
		h &= 1<<31 - 1
		c.table[i*c.width+int(int32(h))%c.width]++
	}
	c.total++
}

// AddBytes counts a text or binary.
func (c *CountMin) AddBytes(b []byte) {
	h1 := murmur32(b, 0)
	h2 := murmur32(b, uint32(h1))
	for i := range c.depth {
		at := (h1 + int32(i)*h2) % int32(c.width)
		if at < 0 {
			at = -at
		}
		c.table[i*c.width+int(at)]++
	}
	c.total++
}

// Merge adds a sketch of the same size and seed.
func (c *CountMin) Merge(o *CountMin) {
	c.total += o.total
	for i, n := range o.table {
		c.table[i] += n
	}
}

// Append appends the image of the sketch, which is big-endian.
func (c *CountMin) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, 1)
	dst = binary.BigEndian.AppendUint64(dst, uint64(c.total))
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.depth))
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.width))
	for _, x := range c.multipliers {
		dst = binary.BigEndian.AppendUint64(dst, uint64(x))
	}
	for _, x := range c.table {
		dst = binary.BigEndian.AppendUint64(dst, uint64(x))
	}
	return dst
}

// Restore makes c, a new sketch, what Append wrote of one of the same size and seed.
func (c *CountMin) Restore(b []byte) {
	c.total = int64(binary.BigEndian.Uint64(b[4:]))
	b = b[20+8*c.depth:]
	for i := range c.table {
		c.table[i] = int64(binary.BigEndian.Uint64(b[8*i:]))
	}
}

// murmur32 is MurmurHash3 with 32 bits, except that the bytes after the last whole
// word are mixed one by one, each as a signed number, as Spark does.
func murmur32(b []byte, seed uint32) int32 {
	h, n := seed, uint32(len(b))
	mix := func(k uint32) {
		k = bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
		h = bits.RotateLeft32(h^k, 13)*5 + 0xe6546b64
	}
	for ; len(b) >= 4; b = b[4:] {
		mix(binary.LittleEndian.Uint32(b))
	}
	for _, x := range b {
		mix(uint32(int32(int8(x))))
	}
	h ^= n
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return int32(h ^ h>>16)
}
