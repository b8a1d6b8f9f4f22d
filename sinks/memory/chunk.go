package memory

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
)

// chunk is a record batch and which of its rows were not replaced.
type chunk struct {
	rec arrow.RecordBatch
	// alive has a bit per row; nil means that all rows live.
	alive []byte
	dead  int
	// shown is rec without the dead rows, once somebody wanted it; nil if not, or
	// since another row died.
	shown *part
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
	if c.shown != nil {
		c.shown.release()
	}
	c.shown = nil
}

// part returns the live rows as they are now; the chunk keeps its reference.
func (c *chunk) part() *part {
	if c.shown == nil {
		c.rec.Retain()
		c.shown = &part{rec: c.rec}
		c.shown.refs.Store(1)
		if c.dead > 0 {
			c.shown.alive = bytes.Clone(c.alive)
		}
	}
	return c.shown
}

// view returns the live rows; the chunk keeps the references.
func (c *chunk) view() []arrow.RecordBatch {
	if c.live() == 0 {
		return nil
	}
	return c.part().rows()
}

// bytes is an upper bound: buffers that record batches share count for each.
func (c *chunk) bytes() int64 {
	n := recordBytes(c.rec) + int64(len(c.alive))
	if c.dead > 0 && c.shown != nil {
		n += c.shown.bytes.Load()
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
