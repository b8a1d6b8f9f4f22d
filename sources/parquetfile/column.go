package parquetfile

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/sources/parquetfile/encoding"
)

// cells collect the values of a column for one record batch after the other.
type cells interface {
	// use gives memory that is not part of a record batch. It comes before all else.
	use(tmp *columnScratch)
	// dictionary takes the n values of the column's dictionary.
	dictionary(data []byte, n int) error
	// page begins with the values of a data page. data is padded and stays as it
	// is until the next call.
	page(enc encoding.Kind, data []byte) error
	// begin makes room for the rows of a record batch.
	begin(rows int)
	// read decodes the next present values of the page into rows at to at+n; valid
	// says which of them are present, unless all are.
	read(at, n, present int, valid []byte) error
	// pick is read of those of the next present values that among names, ascending:
	// they become the n rows from at on.
	pick(at, n, present int, among []int32, valid []byte) error
	// skip passes over the next present values.
	skip(present int) error
	// array returns the rows. valid is nil if none is null.
	array(rows, nulls int, valid *memory.Buffer) (arrow.Array, error)
}

// column decodes a column without nesting.
type column struct {
	chunk
	cells    cells
	optional bool

	// values are how many of the current data page are to come, nulls included.
	values        int
	levels        encoding.Runs
	hasDictionary bool
	// behind are rows that nobody wants before the next one to decode. They are passed
	// over when that is known, for then there may be whole pages of them.
	behind int
}

// next decodes the next rows rows.
func (c *column) next(rows int) (arrow.Array, error) {
	if err := c.catchUp(); err != nil {
		return nil, err
	}
	if invariants.Enabled && c.lend {
		c.poison()
	}
	c.cells.begin(rows)
	var valid []byte
	if c.optional {
		valid = c.newBits(&c.valid, rows)
	}
	nulls := 0
	for at := 0; at < rows; {
		if c.values == 0 {
			if err := c.nextPage(); err != nil {
				return nil, err
			}
			continue
		}
		n := min(c.values, rows-at)
		present := n
		if c.optional {
			var err error
			if present, err = c.levels.Bits(valid, at, n); err != nil {
				return nil, errLevels(err)
			}
		}
		if err := c.cells.read(at, n, present, valid); err != nil {
			return nil, err
		}
		nulls += n - present
		c.values -= n
		at += n
	}
	if nulls == 0 {
		return c.cells.array(rows, 0, nil)
	}
	return c.cells.array(rows, nulls, memory.NewBufferBytes(valid[:(rows+7)/8]))
}

// nextPage begins with the next page: a data page, or another to pass over.
func (c *column) nextPage() error {
	p, err := c.chunk.next()
	if err == io.EOF {
		return fmt.Errorf("the column ends early")
	}
	if err != nil {
		return err
	}
	switch p.Kind {
	case encoding.DictionaryPage:
		if c.hasDictionary {
			return fmt.Errorf("a second dictionary")
		}
		if p.Encoding != encoding.Plain && p.Encoding != encoding.PlainDictionary {
			return fmt.Errorf("a dictionary of encoding %d", p.Encoding)
		}
		c.hasDictionary = true
		return c.cells.dictionary(p.values, int(p.Values))
	case encoding.DataPage, encoding.DataPageV2:
		if err := c.openLevels(&p); err != nil {
			return errLevels(err)
		}
		if (p.Encoding == encoding.PlainDictionary || p.Encoding == encoding.RLEDictionary) && !c.hasDictionary {
			return fmt.Errorf("indices without a dictionary")
		}
		c.values = int(p.Values)
		return c.cells.page(p.Encoding, p.values)
	}
	return nil
}

func errLevels(err error) error { return fmt.Errorf("definition levels: %w", err) }

// openLevels begins with the definition levels of p and cuts them off its values.
func (c *column) openLevels(p *page) error {
	if !c.optional {
		return nil
	}
	if p.Kind == encoding.DataPageV2 {
		return c.levels.Reset(p.levels, 1)
	}
	switch p.Levels {
	case encoding.RLE:
		if len(p.values) < 4 {
			return encoding.ErrShort
		}
		n := uint64(binary.LittleEndian.Uint32(p.values))
		if n > uint64(len(p.values)-4) {
			return fmt.Errorf("%d bytes where %d are left", n, len(p.values)-4)
		}
		levels := p.values[4 : 4+n]
		p.values = p.values[4+n:]
		return c.levels.Reset(levels, 1)
	case encoding.BitPacked:
		n := (int(p.Values) + 7) / 8
		if n > len(p.values) {
			return encoding.ErrShort
		}
		c.levels.ResetPacked(p.values[:n])
		p.values = p.values[n:]
		return nil
	}
	return fmt.Errorf("encoding %d", p.Levels)
}
