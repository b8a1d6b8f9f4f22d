package parquetfile

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/sources/parquetfile/encoding"
)

// wide is a value of 16 bytes: a decimal, low half first.
type wide [2]uint64

type word interface {
	uint8 | uint16 | uint32 | uint64 | wide
}

// fixedCells are cells of a fixed width, kept as T.
type fixedCells[T word] struct {
	typ arrow.DataType
	// size is the bytes of a stored value, fit what makes cells of stored values;
	// nil if they are the same.
	size int
	fit  func(dst []T, src []byte)

	dict []T
	// narrow: the dictionary is kept as stored, in longs, for decimals of that size. It
	// takes half the cache, and is often as large as that.
	narrow bool
	longs  []uint64
	// indices are those of the current page, in is what decodes its values instead;
	// one of them at a time.
	indices encoding.Runs
	in      fixedValues

	out   []T
	tmp   *columnScratch
	plain plainValues
	delta deltaValues
	split splitValues
	text  textValues
}

// fixedValues decode stored values of a page that are not from a dictionary.
type fixedValues interface {
	// next returns the bytes of the next n values, good until the next call.
	next(n int) ([]byte, error)
}

func (c *fixedCells[T]) use(tmp *columnScratch) { c.tmp = tmp }

func (c *fixedCells[T]) dictionary(data []byte, n int) error {
	if n > len(data)/c.size {
		return fmt.Errorf("a dictionary of %d values in %d bytes", n, len(data))
	}
	if c.narrow {
		c.longs = wordsOf[uint64](&c.tmp.dict, n)
		copy(bytesOf(c.longs), data[:n*c.size])
		return nil
	}
	c.dict = wordsOf[T](&c.tmp.dict, n)
	c.put(c.dict, data[:n*c.size])
	return nil
}

func (c *fixedCells[T]) page(enc encoding.Kind, data []byte) error {
	switch enc {
	case encoding.Plain:
		c.plain = plainValues{data, c.size}
		c.in = &c.plain
	case encoding.PlainDictionary, encoding.RLEDictionary:
		c.in = nil
		return openIndices(&c.indices, data)
	case encoding.DeltaBinaryPacked:
		if c.size != 4 && c.size != 8 {
			return fmt.Errorf("values of %d bytes as differences", c.size)
		}
		c.delta.size = c.size
		c.in = &c.delta
		return c.delta.deltas.Reset(data)
	case encoding.ByteStreamSplit:
		c.split.size = c.size
		c.in = &c.split
		return c.split.split.Reset(data, c.size)
	case encoding.DeltaByteArray:
		c.text.size = c.size
		c.in = &c.text
		return c.text.in.reset(data)
	default:
		return fmt.Errorf("a page of encoding %d", enc)
	}
	return nil
}

// openIndices begins with the dictionary indices of a data page.
func openIndices(r *encoding.Runs, data []byte) error {
	if len(data) == 0 { // all rows are null
		return r.Reset(data, 1)
	}
	return r.Reset(data[1:], int(data[0]))
}

func (c *fixedCells[T]) begin(rows int) { c.out = newWords[T](c.tmp, rows) }

func (c *fixedCells[T]) read(at, n, present int, valid []byte) error {
	to := c.out[at : at+n]
	if present < n {
		to = wordsOf[T](&c.tmp.dense, present)
	}
	if c.in == nil {
		if err := c.gather(to); err != nil {
			return err
		}
	} else {
		raw, err := c.in.next(present)
		if err != nil {
			return err
		}
		c.put(to, raw)
	}
	if present < n {
		encoding.Spread(c.out[at:at+n], to, valid, at)
	}
	return nil
}

// gather decodes the next values of a page with indices, a part at a time, so that
// the indices stay near.
func (c *fixedCells[T]) gather(dst []T) error {
	const part = 1024
	c.tmp.index = grown(c.tmp.index, part)
	for len(dst) > 0 {
		n := min(len(dst), part)
		index := c.tmp.index[:n]
		if err := c.indices.Numbers(index); err != nil {
			return fmt.Errorf("dictionary indices: %w", err)
		}
		if err := c.lookUp(dst[:n], index); err != nil {
			return err
		}
		dst = dst[n:]
	}
	return nil
}

// lookUp puts the values of the dictionary at index into dst.
func (c *fixedCells[T]) lookUp(dst []T, index []uint32) error {
	bad, size := -1, len(c.dict)
	if to, ok := any(dst).([]wide); ok && c.narrow {
		bad, size = encoding.GatherWide(to, c.longs, index), len(c.longs)
	} else {
		bad = encoding.Gather(dst, c.dict, index)
	}
	if bad >= 0 {
		return fmt.Errorf("index %d of a dictionary of %d values", index[bad], size)
	}
	return nil
}

func (c *fixedCells[T]) put(dst []T, raw []byte) {
	if c.fit == nil {
		copy(bytesOf(dst), raw)
	} else {
		c.fit(dst, raw)
	}
}

func (c *fixedCells[T]) array(rows, nulls int, valid *memory.Buffer) (arrow.Array, error) {
	d := array.NewData(c.typ, rows, []*memory.Buffer{valid, memory.NewBufferBytes(bytesOf(c.out))}, nil, nulls, 0)
	defer d.Release()
	c.out = nil
	return array.MakeFromData(d), nil
}

// bytesOf views s as bytes.
func bytesOf[T any](s []T) []byte {
	var t T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(t)))
}

// grown returns s with length n; what it holds is of no use.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
