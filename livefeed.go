package flightd

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks/feed"
	sinkmemory "github.com/flightd/flightd/sinks/memory"
	"github.com/flightd/flightd/sources"
)

// feedCache is the newest row of each key of a query into feed, as of the epoch that
// was asked for last: the next reader adds only what came since. It is made when
// somebody asks, by who asks, and dropped when nobody has for a while.
type feedCache struct {
	mu    sync.Mutex
	sink  *sinkmemory.Sink
	epoch base.Epoch
	drop  *time.Timer
}

// keepFeedResult is how long the result of a feed is kept in memory after a reader.
const keepFeedResult = time.Minute

// result returns the rows as of the last epoch that h holds. The caller releases the
// version.
func (c *feedCache) result(ctx context.Context, h *feed.Hold, schema *arrow.Schema, limit int64) (*sinkmemory.Version, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	epochs := h.Epochs()
	if len(epochs) == 0 {
		return sinkmemory.New(schema).Version(), nil
	}
	last := epochs[len(epochs)-1]
	if c.sink != nil && c.epoch > last { // another reader has gone on: this one needs its own
		sink := sinkmemory.New(schema)
		defer sink.Release()
		if _, err := follow(ctx, sink, base.NoEpoch, h, limit); err != nil {
			return nil, err
		}
		return sink.Version(), nil
	}
	if c.sink == nil {
		c.sink, c.epoch = sinkmemory.New(schema), base.NoEpoch
	}
	var err error
	if c.epoch, err = follow(ctx, c.sink, c.epoch, h, limit); err != nil {
		if ctx.Err() == nil { // what was taken in may be too much
			c.sink.Release()
			c.sink = nil
		}
		return nil, err
	}
	if c.drop == nil {
		c.drop = time.AfterFunc(keepFeedResult, c.forget)
	} else {
		c.drop.Reset(keepFeedResult)
	}
	return c.sink.Version(), nil
}

func (c *feedCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sink != nil {
		c.sink.Release()
	}
	c.sink = nil
}

// follow adds to sink, which is as of the epoch at, the epochs of h behind it, and
// returns the last one that it has taken in.
func follow(ctx context.Context, sink *sinkmemory.Sink, at base.Epoch, h *feed.Hold, limit int64) (base.Epoch, error) {
	add := func(e *feed.Epoch) error {
		defer e.Release()
		for _, rec := range e.Rows {
			if err := sink.Write(ctx, e.Number, e.Mode, rec); err != nil {
				return err
			}
		}
		if err := sink.Commit(ctx, e.Number, e.Mode, e.Digest); err != nil {
			return err
		}
		at = e.Number
		if n := sink.MemBytes(); limit > 0 && n > limit {
			e := base.UserError("UNABLE_TO_ACQUIRE_MEMORY", "53200", "The result of the query takes more than the %d bytes of flightd.memoryLimit.", limit)
			e.Code = base.CodeExhausted
			return e.WithHint("raise flightd.memoryLimit, or write the query INTO TABLE, which lies on disk")
		}
		return ctx.Err()
	}
	epochs := h.Epochs()
	if epochs[0] > at+1 {
		b, err := h.Base()
		if err != nil {
			return at, err
		}
		if b != nil && b.Number > at {
			if err := add(b); err != nil {
				return at, err
			}
		} else if b != nil {
			b.Release()
		}
	}
	for i, epoch := range epochs {
		if epoch <= at {
			continue
		}
		e, err := h.Read(i)
		if err != nil {
			return at, err
		}
		if err := add(e); err != nil {
			return at, err
		}
	}
	return at, nil
}

// feedSplits are the rows of epochs as splits, one an epoch, read from disk when they
// are asked for.
func feedSplits(h *feed.Hold, from int, scan sources.Scan) []sources.Split {
	var out []sources.Split
	for i := range h.Epochs()[from:] {
		out = append(out, &feedSplit{h, from + i, scan})
	}
	return out
}

type feedSplit struct {
	hold *feed.Hold
	at   int
	scan sources.Scan
}

// String names the epoch.
func (s *feedSplit) String() string { return "epoch " + epochText(s.hold.Epochs()[s.at]) }

// Open reads the epoch.
func (s *feedSplit) Open(context.Context) (sources.Reader, error) {
	e, err := s.hold.Read(s.at)
	if err != nil {
		return nil, err
	}
	defer e.Release()
	var recs []arrow.RecordBatch
	for _, rec := range e.Rows {
		if rec.NumRows() > 0 {
			recs = append(recs, columnsOf(rec, s.scan.Columns))
		}
	}
	return &recordReader{recs: recs}, nil
}

// recordReader yields record batches that it owns.
type recordReader struct{ recs []arrow.RecordBatch }

// Next returns the next one.
func (r *recordReader) Next(context.Context) (arrow.RecordBatch, error) {
	if len(r.recs) == 0 {
		return nil, io.EOF
	}
	rec := r.recs[0]
	r.recs = slices.Delete(r.recs, 0, 1)
	return rec, nil
}

// Close releases the others.
func (r *recordReader) Close() error {
	for _, rec := range r.recs {
		rec.Release()
	}
	r.recs = nil
	return nil
}
