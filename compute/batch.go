package compute

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// BatchRows is how many rows an operator puts into a batch that it makes.
const BatchRows = 8192

// Batch is a record batch and the rows of it that are still alive.
//
// Rec is named, not embedded: a Batch that satisfied arrow.RecordBatch could
// reach a sink with its dead rows.
type Batch struct {
	Rec arrow.RecordBatch
	// Sel lists live rows in ascending order; nil means all of them.
	Sel []int32
	// Split numbers the part of the input that the rows come from.
	Split int32
}

// An Operator produces the batches of one epoch.
type Operator interface {
	// Next returns the next batch, or io.EOF after the last one of the epoch. The
	// selection and the record batch are valid until the following call: copy the
	// one and retain the other to keep them. The record batch's buffers are never
	// written again. A batch may have no live row.
	Next(ctx context.Context) (Batch, error)
}

// An Explainer says in a line what an operator does.
type Explainer interface {
	Explain() string
}

// Close closes op and all operators below it. It may be called at any time, and
// ends what op returned.
func Close(op Operator) error {
	if c, ok := op.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Live returns the number of live rows.
func (b Batch) Live() int {
	if b.Sel != nil {
		return len(b.Sel)
	}
	return int(b.Rec.NumRows())
}

// part returns live rows lo to hi of b as a selection, in buf if it has room: not
// in b's own, which its owner may write.
func (b Batch) part(buf []int32, lo, hi int64) []int32 {
	buf = buf[:0]
	for i := lo; i < hi; i++ {
		if b.Sel != nil {
			buf = append(buf, b.Sel[i])
		} else {
			buf = append(buf, int32(i))
		}
	}
	return buf
}

// Compact returns the live rows as a record batch of their own, which the caller
// releases: the same one where all rows are alive, a slice where they lie
// together, else a copy.
func (b Batch) Compact() (arrow.RecordBatch, error) {
	n := len(b.Sel)
	switch {
	case b.Sel == nil:
		b.Rec.Retain()
		return b.Rec, nil
	case n == 0:
		return b.Rec.NewSlice(0, 0), nil
	case int(b.Sel[n-1]-b.Sel[0]) == n-1:
		return b.Rec.NewSlice(int64(b.Sel[0]), int64(b.Sel[n-1])+1), nil
	}
	cols := make([]arrow.Array, b.Rec.NumCols())
	for i := range cols {
		arr := b.Rec.Column(i)
		t, err := expr.FromArrow(arr.DataType())
		if err != nil {
			return nil, err
		}
		cols[i] = vec.FromArrow(arr, t).Take(b.Sel).Arrow()
	}
	return newRecord(b.Rec.Schema(), cols, n), nil
}
