package subscribe

import (
	"encoding/json"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
)

// Batch is a step of a subscription: rows of one epoch, a marker, or nothing but
// the news that it lives. The receiver releases Rec.
type Batch struct {
	Rec arrow.RecordBatch
	// Epoch is that of the rows; without rows the last one that was told, or
	// base.NoEpoch.
	Epoch base.Epoch
	// Row is the number of the first row in its epoch, or in the snapshot.
	Row      int64
	Snapshot bool
	// Time is when the epoch was committed, Watermark the one it ran with, in
	// milliseconds since 1970; 0 if there is none.
	Time, Watermark int64
	// End says why the subscription ends, in its last batch, which has no rows.
	End string
	// Skipped is the first epoch that was left out, in a row with OpGap; else
	// base.NoEpoch.
	Skipped base.Epoch

	after Position
	// whole says that Row counts the rows of the snapshot.
	whole      bool
	isMarker   bool
	dressed    *dressed
	query, run string
	token      func(Position) string
	now        func() int64
}

// note is the JSON of Annotation.
type note struct {
	Version   int     `json:"v"`
	QueryID   string  `json:"query_id"`
	RunID     string  `json:"run_id"`
	Epoch     *int64  `json:"epoch"`
	Seq       int64   `json:"seq"`
	Rows      int64   `json:"rows"`
	Watermark *int64  `json:"watermark_us"`
	Lag       *int64  `json:"lag_ms"`
	Resume    *string `json:"resume"`
	Snapshot  bool    `json:"snapshot,omitempty"`
	Skipped   *int64  `json:"skipped_from,omitempty"`
	End       string  `json:"end,omitempty"`
}

// Annotation is what goes along with rows [from, to) of Rec as JSON: seq is the
// number of the first of them in its epoch, resume the token for what comes after
// the last.
func (b *Batch) Annotation(from, to int64) []byte {
	n := note{Version: 1, QueryID: b.query, RunID: b.run, Seq: b.Row + from, Rows: to - from, Snapshot: b.Snapshot, End: b.End}
	if b.Epoch != base.NoEpoch {
		n.Epoch = (*int64)(&b.Epoch)
	}
	if b.Skipped != base.NoEpoch {
		n.Skipped = (*int64)(&b.Skipped)
	}
	if b.Watermark != 0 {
		us := b.Watermark * 1000
		n.Watermark = &us
	}
	if b.Time != 0 {
		lag := max(0, b.now()-b.Time)
		n.Lag = &lag
	}
	if t := b.Resume(to); t != "" {
		n.Resume = &t
	}
	out, _ := json.Marshal(n) // of numbers and texts: never fails
	return out
}

// Resume is the token for what comes after the first rows of Rec; "" where a
// subscription cannot be resumed.
func (b *Batch) Resume(rows int64) string {
	p := b.after
	if b.Rec != nil && rows < b.Rec.NumRows() {
		p.Epoch, p.Row, p.Snapshot = b.Epoch, b.Row+rows, b.whole
	}
	return b.token(p)
}

// Derived makes something of Rec, for a key that says what it depends on beside Rec, once
// for all subscribers who get the same rows at about the same time.
func (b *Batch) Derived(key any, build func() any) any {
	if b.dressed == nil {
		return build()
	}
	return b.dressed.derived.Value(ofDressed{b.dressed.dress, key}, build)
}

// marker reports whether the row of the batch is none of the result.
func (b *Batch) marker() bool { return b.isMarker }
