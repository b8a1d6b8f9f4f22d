package parquetfile

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/sources/parquetfile/encoding"
)

// bitCells are truth values, kept as bits.
type bitCells struct {
	// plain are the bits of the page, of which at have been taken; nil if they are
	// in runs.
	plain []byte
	at    int
	runs  encoding.Runs
	out   []byte
	tmp   *columnScratch
	dense []byte
}

func (c *bitCells) use(tmp *columnScratch) { c.tmp = tmp }

func (c *bitCells) dictionary([]byte, int) error { return fmt.Errorf("a dictionary of truth values") }

func (c *bitCells) page(enc encoding.Kind, data []byte) error {
	switch enc {
	case encoding.Plain:
		c.plain, c.at = data[:len(data):len(data)], 0
		if data == nil {
			c.plain = []byte{}
		}
		return nil
	case encoding.RLE:
		if len(data) == 0 { // all rows are null
			return c.runs.Reset(data, 1)
		}
		if len(data) < 4 || uint64(binary.LittleEndian.Uint32(data)) > uint64(len(data)-4) {
			return fmt.Errorf("truth values: %w", encoding.ErrShort)
		}
		c.plain = nil
		return c.runs.Reset(data[4:4+binary.LittleEndian.Uint32(data)], 1)
	}
	return fmt.Errorf("truth values of encoding %d", enc)
}

func (c *bitCells) begin(rows int) { c.out = c.tmp.newBits(&c.tmp.bits, rows)[:(rows+7)/8] }

func (c *bitCells) read(at, n, present int, valid []byte) error {
	src, from, err := c.take(present)
	if err != nil {
		return err
	}
	if present == n {
		bitutil.CopyBitmap(src, from, n, c.out, at)
		return nil
	}
	for i := at; i < at+n; i++ {
		if bitutil.BitIsSet(valid, i) {
			if bitutil.BitIsSet(src, from) {
				bitutil.SetBit(c.out, i)
			}
			from++
		}
	}
	return nil
}

// take returns the next values of the page, the first at bit from of src.
func (c *bitCells) take(present int) (src []byte, from int, err error) {
	if c.plain == nil {
		c.dense = grown(c.dense, (present+7)/8+encoding.Slack)
		clear(c.dense)
		if _, err := c.runs.Bits(c.dense, 0, present); err != nil {
			return nil, 0, fmt.Errorf("truth values: %w", err)
		}
		return c.dense, 0, nil
	}
	if have := 8*len(c.plain) - c.at; present > have {
		return nil, 0, fmt.Errorf("%d truth values where %d are needed", have, present)
	}
	from = c.at
	c.at += present
	return c.plain, from, nil
}

func (c *bitCells) array(rows, nulls int, valid *memory.Buffer) (arrow.Array, error) {
	d := array.NewData(arrow.FixedWidthTypes.Boolean, rows, []*memory.Buffer{valid, memory.NewBufferBytes(c.out)}, nil, nulls, 0)
	defer d.Release()
	c.out = nil
	return array.MakeFromData(d), nil
}
