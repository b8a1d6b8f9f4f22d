package memory

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
)

// A Version is the result after one epoch. It never changes, whatever the sink does,
// and may be read by any number of goroutines. To take one costs the sink next to
// nothing: rows that were replaced are left out by who reads first.
type Version struct {
	epoch base.Epoch
	parts []*part
}

// Epoch is the epoch; base.NoEpoch before the first.
func (v *Version) Epoch() base.Epoch { return v.epoch }

// Rows returns the rows, good until Release. None of the record batches is empty.
func (v *Version) Rows() []arrow.RecordBatch {
	var out []arrow.RecordBatch
	for _, p := range v.parts {
		out = append(out, p.rows()...)
	}
	return out
}

// Release lets go of the rows. It is called once.
func (v *Version) Release() {
	for _, p := range v.parts {
		p.release()
	}
	v.parts = nil
}

// part is the live rows of a chunk at one time.
type part struct {
	rec arrow.RecordBatch
	// alive has a bit per row; nil means that all rows live. Nobody writes to it.
	alive []byte
	refs  atomic.Int64
	once  sync.Once
	made  []arrow.RecordBatch
	// bytes is what made takes, where that is not rec.
	bytes atomic.Int64
}

func (p *part) release() {
	if p.refs.Add(-1) == 0 {
		releaseAll(p.made)
		p.rec.Release()
	}
}

// rows returns the live rows; the part keeps the references.
func (p *part) rows() []arrow.RecordBatch {
	p.once.Do(func() {
		if p.alive == nil {
			p.rec.Retain()
			p.made = []arrow.RecordBatch{p.rec}
			return
		}
		mask := array.NewBoolean(int(p.rec.NumRows()), memory.NewBufferBytes(p.alive), nil, 0)
		defer mask.Release()
		rec, err := compute.FilterRecordBatch(context.Background(), p.rec, mask, compute.DefaultFilterOptions())
		if err != nil {
			p.made = p.runs()
			return
		}
		p.made = []arrow.RecordBatch{rec}
		p.bytes.Store(recordBytes(rec))
	})
	return p.made
}

// runs returns the live rows as slices: what can always be done.
func (p *part) runs() []arrow.RecordBatch {
	var out []arrow.RecordBatch
	n := int(p.rec.NumRows())
	for i := 0; i < n; i++ {
		from := i
		for i < n && bitutil.BitIsSet(p.alive, i) {
			i++
		}
		if i > from {
			out = append(out, p.rec.NewSlice(int64(from), int64(i)))
		}
	}
	return out
}
