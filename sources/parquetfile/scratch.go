package parquetfile

import (
	"unsafe"

	"github.com/flightd/flightd/sources/parquetfile/encoding"
)

// maxScratch is the most bytes of a column's buffer that is kept for other row
// groups.
const maxScratch = 16 << 20

// scratch is memory that readers use one after the other. Nothing of it becomes
// part of a record batch, unless these are borrowed.
type scratch struct {
	unpack  encoding.Decompressor
	columns []*columnScratch
}

// columnScratch is that of a column.
type columnScratch struct {
	// read is what was read of the file, body a page decompressed.
	read, body []byte
	// dict is a dictionary of a fixed width, dense are values before they are
	// spread.
	dict, dense []uint64
	// index are dictionary indices, lens lengths of texts.
	index, dense32 []uint32
	lens           []int32
	// picked are values as they are stored, pickedLens their lengths, tmpPlaces the
	// numbers of those that are wanted, levelBits definition levels, sums how many of
	// them are 1.
	picked                      []byte
	pickedLens, tmpPlaces, sums []int32
	levelBits                   []byte

	// lend says that record batches are borrowed; the rest is the memory of the last
	// one.
	lend              bool
	words             []uint64
	bits, valid, data []byte
	off               []int32
}

// newWords returns room for n values of a record batch. What they hold is of no
// use.
func newWords[T word](c *columnScratch, n int) []T {
	if !c.lend {
		return make([]T, n)
	}
	return wordsOf[T](&c.words, n)
}

// newBits returns room for n bits of a record batch, all 0, with slack.
func (c *columnScratch) newBits(to *[]byte, n int) []byte {
	n = (n+7)/8 + encoding.Slack
	if !c.lend {
		return make([]byte, n)
	}
	*to = grown(*to, n)
	clear(*to)
	return *to
}

// newOffsets returns room for n+1 offsets, of which the first is 0.
func (c *columnScratch) newOffsets(n int) []int32 {
	if !c.lend {
		return make([]int32, n+1)
	}
	c.off = grown(c.off, n+1)
	c.off[0] = 0
	return c.off
}

// newData returns room for n bytes, with slack, that begins with the bytes of old,
// which came from here.
func (c *columnScratch) newData(n int, old []byte) []byte {
	switch {
	case cap(old) >= n+encoding.Slack:
		return old[:n]
	case c.lend && cap(c.data) >= n+encoding.Slack && len(old) == 0:
		return c.data[:n]
	}
	room := n + encoding.Slack
	if c.lend || len(old) > 0 { // there will be more
		room += n / 4
	}
	out := make([]byte, n, room)
	copy(out, old)
	if c.lend {
		c.data = out
	}
	return out
}

// keep gives the memory of the last record batch away for good.
func (c *columnScratch) keep() {
	c.words, c.bits, c.valid, c.data, c.off, c.index = nil, nil, nil, nil, nil, nil
}

// poison makes sure that who looks at a record batch that was borrowed notices.
func (c *columnScratch) poison() {
	for _, b := range [][]byte{bytesOf(c.words), c.bits, c.valid, c.data, bytesOf(c.off)} {
		for b = b[:cap(b)]; len(b) > 0; b = b[1:] {
			b[0] = 0xA5
		}
	}
}

// column returns the scratch of column i.
func (s *scratch) column(i int) *columnScratch {
	for len(s.columns) <= i {
		s.columns = append(s.columns, new(columnScratch))
	}
	c := s.columns[i]
	if cap(c.read) > maxScratch || cap(c.body) > maxScratch || cap(c.dict) > maxScratch/8 || cap(c.data) > maxScratch || cap(c.picked) > maxScratch {
		*c = columnScratch{}
	}
	return c
}

// wordsOf returns n values of T in *words, which it makes larger if need be. What
// they hold is of no use.
func wordsOf[T word](words *[]uint64, n int) []T {
	var t T
	*words = grown(*words, (n*int(unsafe.Sizeof(t))+7)/8)
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(*words))), n)
}
