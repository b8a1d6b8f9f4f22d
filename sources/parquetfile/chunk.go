package parquetfile

import (
	"errors"
	"fmt"
	"io"

	"github.com/flightd/flightd/sources/parquetfile/encoding"
)

const (
	// leastRead is the least bytes that are read at a time, as far as there are so
	// many.
	leastRead = 32 << 10
	// maxHeader is the most bytes of a page header.
	maxHeader = 16 << 20
)

// chunk reads the pages of a column chunk, one after the other.
type chunk struct {
	in io.ReaderAt
	// at is the position in the file of the first byte that is not in window, end
	// that of the byte after the chunk.
	at, end int64
	codec   encoding.Codec
	unpack  *encoding.Decompressor

	window []byte // what was read and not yet taken
	*columnScratch
}

// page is a page's header and its body, decompressed. levels and values are
// padded, and are valid until the next page is read.
type page struct {
	encoding.PageHeader
	// levels are the definition levels of a DataPageV2; those of a DataPage stand
	// at the beginning of values.
	levels, values []byte
}

// next returns the next page; io.EOF after the last one.
func (c *chunk) next() (page, error) {
	var p page
	h, n, err := c.header()
	if err != nil {
		return p, err
	}
	p.PageHeader = h
	c.window = c.window[n:]
	if int64(p.Packed) > c.left() {
		return p, fmt.Errorf("a page of %d bytes where %d are left", p.Packed, c.left())
	}
	if err := c.fill(int(p.Packed)); err != nil {
		return p, err
	}
	body := c.window[:p.Packed]
	c.window = c.window[p.Packed:]
	return p, c.open(&p, body)
}

// pass passes over the next page if it is one of data with at most rows rows, and
// returns how many; 0 if it is another.
func (c *chunk) pass(rows int) (int, error) {
	h, n, err := c.header()
	if err == io.EOF {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if h.Kind != encoding.DataPage && h.Kind != encoding.DataPageV2 || h.Values <= 0 || int(h.Values) > rows {
		return 0, nil
	}
	size := int64(n) + int64(h.Packed)
	if h.Packed < 0 || size > c.left() {
		return 0, fmt.Errorf("a page of %d bytes where %d are left", h.Packed, c.left()-int64(n))
	}
	if have := int64(len(c.window)); have >= size {
		c.window = c.window[size:]
	} else {
		c.window = c.window[:0]
		c.at += size - have
	}
	return int(h.Values), nil
}

// header returns the header of the next page and its length; io.EOF if there is none.
func (c *chunk) header() (h encoding.PageHeader, n int, err error) {
	for {
		if len(c.window) == 0 && c.at == c.end {
			return h, 0, io.EOF
		}
		err := encoding.ErrShort
		if len(c.window) > n {
			h, n, err = encoding.ParsePageHeader(c.window)
		}
		if err == nil {
			return h, n, nil
		}
		if !errors.Is(err, encoding.ErrShort) {
			return h, 0, err
		}
		if n = len(c.window); n > maxHeader || int64(n) == c.left() {
			return h, 0, fmt.Errorf("the column ends inside a page header")
		}
		if err := c.fill(int(min(int64(n+1+n/2), c.left()))); err != nil {
			return h, 0, err
		}
	}
}

// open splits and decompresses the body of p.
func (c *chunk) open(p *page, body []byte) error {
	size := int(p.Size)
	codec := c.codec
	if p.Kind == encoding.DataPageV2 {
		levels := int(p.RepetitionBytes) + int(p.DefinitionBytes)
		if levels > len(body) || levels > size {
			return fmt.Errorf("a page of %d bytes with levels of %d", min(len(body), size), levels)
		}
		p.levels = body[p.RepetitionBytes:levels]
		body, size = body[levels:], size-levels
		if !p.Compressed {
			codec = encoding.Uncompressed
		}
	}
	if err := codec.Check(len(body), size); err != nil {
		return err
	}
	if codec == encoding.Uncompressed {
		p.values = body
		return nil
	}
	c.body = room(c.body, size)
	p.values = c.body[:size]
	return c.unpack.Decode(codec, p.values, body)
}

// left returns how many bytes of the chunk have not been taken.
func (c *chunk) left() int64 { return int64(len(c.window)) + c.end - c.at }

// fill reads until the window has n bytes, which the chunk must have.
func (c *chunk) fill(n int) error {
	have := len(c.window)
	if n <= have {
		return nil
	}
	total := have + int(min(int64(max(n-have, leastRead)), c.end-c.at))
	old := c.window
	c.read = room(c.read, total)
	c.window = c.read[:total]
	copy(c.window, old)
	n, err := c.in.ReadAt(c.window[have:], c.at)
	if n < total-have {
		return fmt.Errorf("reading %d bytes at %d: %w", total-have, c.at, err)
	}
	c.at += int64(n)
	return nil
}

// room returns b, or other memory if b has not room for n bytes and slack.
func room(b []byte, n int) []byte {
	const step = 64 << 10
	if n += encoding.Slack; cap(b) >= n {
		return b
	}
	return make([]byte, (n+step-1)/step*step)
}

// openChunk finds the chunk of column i of the row group. It returns false for one
// that only pqarrow can read, or explain why it cannot.
func (r *Reader) openChunk(c *chunk, i int) (bool, error) {
	m, err := r.file.meta.RowGroup(r.group).ColumnChunk(i)
	if err != nil {
		return false, err
	}
	c.codec = encoding.Codec(m.Compression())
	if r.file.shortLengths || m.CryptoMetadata() != nil || m.FilePath() != "" || !c.codec.Known() {
		return false, nil
	}
	for _, e := range m.Encodings() {
		if k := encoding.Kind(e); k < encoding.Plain || k > encoding.ByteStreamSplit {
			return false, nil
		}
	}
	if n := m.NumValues(); n != r.left {
		return false, fmt.Errorf("%d values in %d rows", n, r.left)
	}
	start, size := m.DataPageOffset(), m.TotalCompressedSize()
	if d := m.DictionaryPageOffset(); m.HasDictionaryPage() && d > 0 && d < start {
		start = d
	}
	if start < 0 || size < 0 || start > r.file.size || size > r.file.size-start {
		return false, fmt.Errorf("%d bytes at %d in a file of %d", size, start, r.file.size)
	}
	c.in, c.at, c.end = r.file.f, start, start+size
	return true, nil
}
