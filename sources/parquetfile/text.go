package parquetfile

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/sources/parquetfile/encoding"
)

// textCells are texts or bytes.
//
// As long as the pages of a record batch have dictionary indices, only these are
// kept, and the batch ends as a dictionary array or, in one step, as texts. A page
// with other values makes texts of what is there and goes on with texts.
type textCells struct {
	typ arrow.DataType // utf8 or binary
	// size is the bytes of a stored value; 0 if each has its own length.
	size int
	// asDictionary allows dictionary arrays.
	asDictionary bool

	dict textDictionary
	// in decodes the values of the current page.
	in byteValues

	// index are the rows as indices of dict, if there are any yet; texts says that
	// off and data are the rows instead.
	rows    int
	index   []uint32
	indexed bool
	texts   bool
	// unchecked says that data has texts that were not checked to be UTF-8.
	unchecked bool
	off       []int32
	data      []byte // padded

	tmp    *columnScratch
	plain  plainText
	fixed  fixedText
	length lengthText
	prefix prefixedText
	split  splitText
}

func (c *textCells) use(tmp *columnScratch) { c.tmp = tmp }

func (c *textCells) dictionary(data []byte, n int) error {
	if c.size > 0 {
		c.fixed = fixedText{data: data, size: c.size}
		return c.dict.fill(&c.fixed, len(data)/c.size, n, c.typ)
	}
	c.plain = plainText{data: data}
	return c.dict.fill(&c.plain, len(data)/4, n, c.typ)
}

func (c *textCells) page(enc encoding.Kind, data []byte) error {
	switch enc {
	case encoding.Plain:
		if c.size > 0 {
			c.fixed = fixedText{data: data, size: c.size}
			c.in = &c.fixed
		} else {
			c.plain = plainText{data: data}
			c.in = &c.plain
		}
	case encoding.PlainDictionary, encoding.RLEDictionary:
		c.in = &c.dict
		return openIndices(&c.dict.indices, data)
	case encoding.DeltaLengthByteArray:
		c.in = &c.length
		return c.length.reset(data)
	case encoding.DeltaByteArray:
		c.in = &c.prefix
		return c.prefix.reset(data)
	case encoding.ByteStreamSplit:
		c.in, c.split.size = &c.split, c.size
		return c.split.split.Reset(data, c.size)
	default:
		return fmt.Errorf("a page of encoding %d", enc)
	}
	return nil
}

func (c *textCells) begin(rows int) {
	c.rows, c.indexed, c.texts, c.unchecked, c.data = rows, false, false, false, nil
}

// makeIndex makes room for the rows as indices, all 0.
func (c *textCells) makeIndex() {
	if c.indexed {
		return
	}
	c.indexed = true
	if c.asDictionary && !c.tmp.lend { // it becomes part of the array
		c.index = make([]uint32, c.rows)
		return
	}
	c.tmp.index = grown(c.tmp.index, c.rows)
	c.index = c.tmp.index
	clear(c.index)
}

func (c *textCells) read(at, n, present int, valid []byte) error {
	if c.in == &c.dict && !c.texts {
		c.makeIndex()
		to := c.index[at : at+n]
		if present < n {
			c.tmp.dense32 = grown(c.tmp.dense32, present)
			to = c.tmp.dense32
		}
		if err := c.dict.numbers(to); err != nil {
			return err
		}
		if present < n {
			encoding.Spread(c.index[at:at+n], to, valid, at)
		}
		return nil
	}
	if !c.texts {
		if err := c.toTexts(at, valid); err != nil {
			return err
		}
	}
	lens, total, err := c.lengths(present)
	if err != nil {
		return err
	}
	have := len(c.data)
	if int64(have)+total > math.MaxInt32 {
		return errTooLong
	}
	c.data = c.tmp.newData(have+int(total), c.data)
	c.in.put(c.data[have:], lens)
	c.unchecked = c.unchecked || c.in != &c.dict
	addOffsets(c.off[at:at+n+1], lens, valid, at)
	return nil
}

// lengths decodes the lengths of the next present values, and returns their sum.
func (c *textCells) lengths(present int) ([]int32, int64, error) {
	lens := grown(c.tmp.lens, present)
	c.tmp.lens = lens
	total, err := c.in.lengths(lens)
	if err != nil {
		return nil, 0, err
	}
	if c.size > 0 {
		for _, n := range lens {
			if int(n) != c.size {
				return nil, 0, fmt.Errorf("a value of %d bytes where %d are needed", n, c.size)
			}
		}
	}
	return lens, total, nil
}

// errTooLong says that the offsets of a record batch do not reach.
var errTooLong = fmt.Errorf("more than 2 GiB in a record batch")

// addOffsets adds up lens in the offsets after the first; a row that is not
// present has no bytes.
func addOffsets(off, lens []int32, valid []byte, at int) {
	end, rows := off[0], off[1:]
	if len(lens) == len(rows) {
		for i, n := range lens {
			end += n
			rows[i] = end
		}
		return
	}
	for i := range rows {
		if bitutil.BitIsSet(valid, at+i) {
			end += lens[0]
			lens = lens[1:]
		}
		rows[i] = end
	}
}

// toTexts makes texts of the first n rows, which are indices so far.
func (c *textCells) toTexts(n int, valid []byte) error {
	c.texts = true
	c.off = c.tmp.newOffsets(c.rows)
	if n == 0 {
		return nil
	}
	c.makeIndex()
	total := int64(0)
	from, off := c.dict.off, c.off[1:n+1]
	if valid == nil {
		for i, k := range c.index[:n] {
			total += int64(from[k+1] - from[k])
			off[i] = int32(total)
		}
	} else {
		for i, k := range c.index[:n] {
			if bitutil.BitIsSet(valid, i) {
				total += int64(from[k+1] - from[k])
			}
			off[i] = int32(total)
		}
	}
	if total > math.MaxInt32 {
		return errTooLong
	}
	c.data = c.tmp.newData(int(total), nil)
	dst, src := c.data[:cap(c.data)], c.dict.data[:cap(c.dict.data)]
	for i, k := range c.index[:n] {
		start := c.off[i]
		if size := int(c.off[i+1] - start); size > 0 {
			putShort(dst, int(start), src, int(from[k]), size)
		}
	}
	return nil
}

func (c *textCells) array(rows, nulls int, valid *memory.Buffer) (arrow.Array, error) {
	if !c.texts && c.asDictionary {
		c.makeIndex()
		t := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: c.typ}
		d := array.NewDataWithDictionary(t, rows, []*memory.Buffer{valid, memory.NewBufferBytes(bytesOf(c.index))}, nulls, 0, c.dict.array(c.typ))
		defer d.Release()
		c.index = nil
		return array.MakeFromData(d), nil
	}
	if !c.texts {
		var bits []byte
		if valid != nil {
			bits = valid.Bytes()
		}
		if err := c.toTexts(rows, bits); err != nil {
			return nil, err
		}
	}
	if c.unchecked && c.typ.ID() == arrow.STRING && !validTexts(c.data, c.off) {
		return nil, errNotText
	}
	d := textData(c.typ, rows, nulls, valid, c.off, c.data)
	defer d.Release()
	c.off, c.data = nil, nil
	return array.MakeFromData(d), nil
}

func textData(t arrow.DataType, rows, nulls int, valid *memory.Buffer, off []int32, data []byte) *array.Data {
	return array.NewData(t, rows, []*memory.Buffer{valid, memory.NewBufferBytes(bytesOf(off)), memory.NewBufferBytes(data[:len(data):len(data)])}, nil, nulls, 0)
}

var errNotText = fmt.Errorf("a text that is not UTF-8")

// validTexts reports whether each text is UTF-8 by itself.
func validTexts(data []byte, off []int32) bool {
	if isASCII(data) {
		return true
	}
	if !utf8.Valid(data) {
		return false
	}
	for _, at := range off { // none may begin inside a character
		if int(at) < len(data) && !utf8.RuneStart(data[at]) {
			return false
		}
	}
	return true
}

func isASCII(b []byte) bool {
	const high = 0x8080808080808080
	for ; len(b) >= 32; b = b[32:] {
		w := binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:]) | binary.LittleEndian.Uint64(b[16:]) | binary.LittleEndian.Uint64(b[24:])
		if w&high != 0 {
			return false
		}
	}
	for _, x := range b {
		if x >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
