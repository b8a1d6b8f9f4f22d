package columnar

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func popcount(b []byte) int {
	n := 0
	for _, x := range b {
		n += bits.OnesCount8(x)
	}
	return n
}

// Finish returns the cells as an Arrow array and empties the column. The array
// owns its buffers.
func (c *Column) Finish() arrow.Array {
	d := c.finish()
	defer d.Release()
	return array.MakeFromData(d)
}

func (c *Column) finish() *array.Data {
	n, nulls := c.n, c.nulls
	var valid *memory.Buffer
	if c.valid != nil && nulls > 0 {
		valid = memory.NewBufferBytes(c.valid)
	}
	var d *array.Data
	switch c.Kind {
	case Null:
		d = array.NewData(c.Type, n, []*memory.Buffer{nil}, nil, n, 0)
	case Bool:
		d = array.NewData(c.Type, n, []*memory.Buffer{valid, memory.NewBufferBytes(packBits(c.data))}, nil, nulls, 0)
	case String, Binary:
		off := memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.offsets))
		d = array.NewData(c.Type, n, []*memory.Buffer{valid, off, memory.NewBufferBytes(c.data)}, nil, nulls, 0)
	case Struct:
		children := make([]arrow.ArrayData, len(c.Children))
		for i, ch := range c.Children {
			children[i] = ch.finish()
		}
		d = array.NewData(c.Type, n, []*memory.Buffer{valid}, children, nulls, 0)
		release(children)
	case List:
		children := []arrow.ArrayData{c.Children[0].finish()}
		off := memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.offsets))
		d = array.NewData(c.Type, n, []*memory.Buffer{valid, off}, children, nulls, 0)
		release(children)
	case Map:
		entries := c.Children[0].n
		pair := []arrow.ArrayData{c.Children[0].finish(), c.Children[1].finish()}
		children := []arrow.ArrayData{array.NewData(c.Type.(*arrow.MapType).Elem(), entries, []*memory.Buffer{nil}, pair, 0, 0)}
		release(pair)
		off := memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.offsets))
		d = array.NewData(c.Type, n, []*memory.Buffer{valid, off}, children, nulls, 0)
		release(children)
	default:
		d = array.NewData(c.Type, n, []*memory.Buffer{valid, memory.NewBufferBytes(c.data)}, nil, nulls, 0)
	}
	c.reset()
	return d
}

func release(ds []arrow.ArrayData) {
	for _, d := range ds {
		d.Release()
	}
}

// packBits makes a bitmap of bytes that are 0 or 1.
func packBits(bools []byte) []byte {
	out := make([]byte, (len(bools)+7)/8)
	i := 0
	for ; i+8 <= len(bools); i += 8 {
		// The multiplication moves bit 8k to bit 56+k; no two meet.
		out[i>>3] = byte(load(bools, i) * 0x0102040810204080 >> 56)
	}
	for ; i < len(bools); i++ {
		out[i>>3] |= bools[i] << (i & 7)
	}
	return out
}

// A Batch is the columns of a record batch that is being gathered.
type Batch struct {
	Columns []*Column
	schema  *arrow.Schema
}

// NewBatch returns an empty batch of schema.
func NewBatch(schema *arrow.Schema) (*Batch, error) {
	b := &Batch{schema: schema}
	for _, f := range schema.Fields() {
		c, err := NewColumn(f.Name, f.Type)
		if err != nil {
			return nil, err
		}
		b.Columns = append(b.Columns, c)
	}
	return b, nil
}

// Record returns the rows gathered as a record batch and empties the batch.
// Every column must have rows cells.
func (b *Batch) Record(rows int) arrow.RecordBatch {
	cols := make([]arrow.Array, len(b.Columns))
	for i, c := range b.Columns {
		cols[i] = c.Finish()
	}
	rec := array.NewRecordBatch(b.schema, cols, int64(rows))
	for _, c := range cols {
		c.Release()
	}
	return rec
}

// Reserve makes room for a record batch like the one before.
func (b *Batch) Reserve() {
	for _, c := range b.Columns {
		c.reserve()
	}
}

// Truncate removes the rows from index n on, finished or not.
func (b *Batch) Truncate(n int) {
	for _, c := range b.Columns {
		c.Truncate(n)
	}
}

// CloseRow ends row n (0-based): columns that got no cell become null.
func (b *Batch) CloseRow(n int) {
	for _, c := range b.Columns {
		if c.n == n {
			c.AppendNull()
		}
	}
}
