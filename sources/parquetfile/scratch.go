package parquetfile

import (
	"unsafe"

	"github.com/flightd/flightd/sources/parquetfile/encoding"
)

// maxScratch is the most bytes of a column's buffer that is kept for other row
// groups.
const maxScratch = 16 << 20

// scratch is memory that readers use one after the other. Nothing of it becomes
// part of a record batch.
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
}

// column returns the scratch of column i.
func (s *scratch) column(i int) *columnScratch {
	for len(s.columns) <= i {
		s.columns = append(s.columns, new(columnScratch))
	}
	c := s.columns[i]
	if cap(c.read) > maxScratch || cap(c.body) > maxScratch || cap(c.dict) > maxScratch/8 {
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
