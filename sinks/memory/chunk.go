package memory

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// chunk is a record batch and which of its rows were not replaced.
type chunk struct {
	rec arrow.RecordBatch
	// alive has a bit per row; nil means that all rows live.
	alive []byte
	dead  int
	// shown is rec without the dead rows, once somebody wanted it; nil if not, or
	// since another row died.
	shown []arrow.RecordBatch
}

// newChunk takes rec over.
func newChunk(rec arrow.RecordBatch) *chunk { return &chunk{rec: rec} }

func (c *chunk) rows() int { return int(c.rec.NumRows()) }
func (c *chunk) live() int { return c.rows() - c.dead }

func (c *chunk) isLive(row int) bool { return c.alive == nil || bitutil.BitIsSet(c.alive, row) }

// kill marks a live row as replaced.
func (c *chunk) kill(row int) {
	if c.alive == nil {
		c.alive = make([]byte, bitutil.BytesForBits(int64(c.rows())))
		for i := range c.alive {
			c.alive[i] = 0xFF
		}
	}
	bitutil.ClearBit(c.alive, row)
	c.dead++
	c.hide()
}

func (c *chunk) hide() {
	releaseAll(c.shown)
	c.shown = nil
}

// view returns the live rows; the chunk keeps the references.
func (c *chunk) view() []arrow.RecordBatch {
	if c.shown != nil || c.live() == 0 {
		return c.shown
	}
	if c.dead == 0 {
		c.rec.Retain()
		c.shown = []arrow.RecordBatch{c.rec}
		return c.shown
	}
	mask := array.NewBoolean(c.rows(), memory.NewBufferBytes(c.alive), nil, 0)
	defer mask.Release()
	rec, err := compute.FilterRecordBatch(context.Background(), c.rec, mask, compute.DefaultFilterOptions())
	if err != nil {
		c.shown = c.runs()
	} else {
		c.shown = []arrow.RecordBatch{rec}
	}
	return c.shown
}

// runs returns the live rows as slices: what can always be done.
func (c *chunk) runs() []arrow.RecordBatch {
	var out []arrow.RecordBatch
	for i := 0; i < c.rows(); i++ {
		from := i
		for i < c.rows() && c.isLive(i) {
			i++
		}
		if i > from {
			out = append(out, c.rec.NewSlice(int64(from), int64(i)))
		}
	}
	return out
}

// bytes is an upper bound: buffers that record batches share count for each.
func (c *chunk) bytes() int64 {
	n := recordBytes(c.rec) + int64(len(c.alive))
	if c.dead > 0 {
		for _, rec := range c.shown {
			n += recordBytes(rec)
		}
	}
	return n
}

func (c *chunk) release() {
	c.rec.Release()
	c.hide()
}

func releaseAll(recs []arrow.RecordBatch) {
	for _, rec := range recs {
		rec.Release()
	}
}

func recordBytes(rec arrow.RecordBatch) int64 {
	var n int64
	for _, col := range rec.Columns() {
		n += dataBytes(col.Data())
	}
	return n
}

func dataBytes(d arrow.ArrayData) int64 {
	var n int64
	for _, b := range d.Buffers() {
		if b != nil {
			n += int64(b.Len())
		}
	}
	for _, kid := range d.Children() {
		n += dataBytes(kid)
	}
	return n
}
