package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/codes"
)

// A Batch is rows of one epoch. Release it.
type Batch struct {
	arrow.RecordBatch
	// Epoch is the one that gave the rows, Seq the number of the first row in it.
	Epoch, Seq int64
	// Watermark is that which the epoch ran with; zero without one.
	Watermark time.Time
	// Lag is the time from the commit of the epoch to the batch.
	Lag time.Duration
	// Resume is the token for what comes after the batch; empty for what cannot be
	// resumed.
	Resume string
	// Snapshot marks rows of the result at the start.
	Snapshot bool
	// SkippedFrom is the first epoch that was left out before this batch; -1 if none
	// was.
	SkippedFrom int64
}

// said is the JSON that comes along with a batch (docs/subscribe.md).
type said struct {
	Epoch       *int64  `json:"epoch"`
	Seq         int64   `json:"seq"`
	WatermarkUs *int64  `json:"watermark_us"`
	LagMs       int64   `json:"lag_ms"`
	Resume      *string `json:"resume"`
	Snapshot    bool    `json:"snapshot"`
	SkippedFrom *int64  `json:"skipped_from"`
	End         string  `json:"end"`
}

// ErrNotResumable is in the error of a subscription whose connection broke and that
// cannot be resumed: of a SELECT, a view or a table that the server cannot go on with
// (docs/subscribe.md says which).
var ErrNotResumable = errors.New("the server gave no token for this subscription, so it cannot be resumed; one to a query INTO feed can")

// A Subscription gives the batches of a query as its epochs are done. It reconnects
// by itself.
type Subscription struct {
	conn *Conn
	what string
	opts SubscribeOptions
	ends time.Time // zero without an end

	ctx    context.Context
	cancel context.CancelFunc

	r     *flight.Reader
	stop  context.CancelFunc // of the call that r reads
	heard bool
	left  int64 // of the limit
	end   string

	mu         sync.Mutex
	token      string
	reconnects int
}

// Subscribe follows a query, a view, or a SELECT over a stream, until ctx ends. That
// the server has it is known when Subscribe returns. Close the subscription.
func (x *Conn) Subscribe(ctx context.Context, what string, o SubscribeOptions) (*Subscription, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.RetryFor == 0 {
		o.RetryFor = 5 * time.Minute
	}
	s := &Subscription{conn: x, what: what, opts: o, left: o.Limit, token: o.Resume}
	if o.For > 0 {
		s.ends = time.Now().Add(o.For)
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	if err := x.again(ctx, s.connect); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Schema is the schema of the batches.
func (s *Subscription) Schema() *arrow.Schema { return s.r.Schema() }

// Resume is the token for what comes after the last batch that Next returned.
func (s *Subscription) Resume() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

// Reconnects is how often the connection was made anew.
func (s *Subscription) Reconnects() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reconnects
}

// End is why the subscription ended: interval, epoch, limit or query stopped.
func (s *Subscription) End() string { return s.end }

// Close ends the subscription on the server. It may be called while Next waits.
func (s *Subscription) Close() { s.cancel() }

// All returns the batches for a loop, which releases each after its turn and closes
// the subscription at the end.
func (s *Subscription) All() iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		defer s.Close()
		for {
			b, err := s.Next()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			more := yield(b, nil)
			b.Release()
			if !more {
				return
			}
		}
	}
}

// Next waits for the next batch with rows, which the caller releases. It returns
// io.EOF at the end, and the context's error after Close.
func (s *Subscription) Next() (*Batch, error) {
	for {
		if s.end != "" {
			s.hangUp()
			return nil, io.EOF
		}
		if err := s.ctx.Err(); err != nil {
			s.hangUp()
			return nil, err
		}
		rec, err := s.r.Read()
		if err == io.EOF {
			s.end = "end"
			continue
		}
		if err == nil {
			b, err := s.take(rec)
			if b != nil || err != nil {
				return b, err
			}
			continue
		}
		if err = serverError(err); s.ctx.Err() != nil {
			continue
		}
		if err := s.reconnect(err); err != nil {
			return nil, err
		}
	}
}

// take reads what comes along with rec. It returns nil for one without rows.
func (s *Subscription) take(rec arrow.RecordBatch) (*Batch, error) {
	var m said
	if md := s.r.LatestAppMetadata(); len(md) > 0 {
		if err := json.Unmarshal(md, &m); err != nil {
			return nil, fmt.Errorf("flightd: reading what came with a batch: %w", err)
		}
	}
	s.heard = true
	b := &Batch{RecordBatch: rec, Seq: m.Seq, Epoch: -1, SkippedFrom: -1, Snapshot: m.Snapshot, Lag: time.Duration(m.LagMs) * time.Millisecond}
	if m.Epoch != nil {
		b.Epoch = *m.Epoch
	}
	if m.SkippedFrom != nil {
		b.SkippedFrom = *m.SkippedFrom
	}
	if m.WatermarkUs != nil {
		b.Watermark = time.UnixMicro(*m.WatermarkUs).UTC()
	}
	if m.Resume != nil {
		b.Resume = *m.Resume
		s.mu.Lock()
		s.token = b.Resume
		s.mu.Unlock()
	}
	if rec.NumRows() > 0 {
		rec.Retain()
		s.left -= counted(rec)
	} else {
		b = nil
	}
	switch m.End {
	case "":
	case "drain": // the server stops: go on with the next one
		if err := s.reconnect(&Error{Code: codes.Unavailable, Message: "the server stops"}); err != nil {
			if b != nil {
				b.Release()
			}
			return nil, err
		}
	default:
		s.end = m.End
	}
	return b, nil
}

// counted is how many rows of rec count for the limit: markers do not.
func counted(rec arrow.RecordBatch) int64 {
	at := rec.Schema().FieldIndices("_op")
	if len(at) == 0 {
		return rec.NumRows()
	}
	ops, ok := rec.Column(at[0]).(*array.Int8)
	if !ok {
		return rec.NumRows()
	}
	var n int64
	for _, op := range ops.Int8Values() {
		if op != 0 && op != 5 {
			n++
		}
	}
	return n
}

// connect opens the stream of what is left.
func (s *Subscription) connect() error {
	ctx, stop := context.WithCancel(s.ctx)
	info, err := s.conn.c.Execute(ctx, statement(s.what, s.opts, s.Resume(), s.left, s.ends))
	var r *flight.Reader
	if err == nil {
		r, err = s.conn.c.DoGet(ctx, info.Endpoint[0].Ticket)
	}
	if err != nil {
		stop()
		return serverError(err)
	}
	s.hangUp()
	s.r, s.stop = r, stop
	return nil
}

func (s *Subscription) hangUp() {
	if s.stop != nil {
		s.stop()
		s.r.Release()
		s.stop = nil
	}
}

// reconnect connects again after err, waiting longer from try to try. It returns
// err if that cannot help.
func (s *Subscription) reconnect(err error) error {
	if !passing(err) || s.opts.RetryFor < 0 {
		return err
	}
	if s.heard && s.Resume() == "" {
		return fmt.Errorf("flightd: %w: %w", ErrNotResumable, err)
	}
	for wait, end := 50*time.Millisecond, time.Now().Add(s.opts.RetryFor); ; wait = min(2*wait, 5*time.Second) {
		switch {
		case s.opts.Limit > 0 && s.left <= 0:
			s.end = "limit"
			return nil
		case !s.ends.IsZero() && time.Now().After(s.ends):
			s.end = "interval"
			return nil
		}
		select {
		case <-time.After(wait/2 + rand.N(wait)):
		case <-s.ctx.Done():
			return nil // Next says so
		}
		again := s.conn.again(s.ctx, s.connect)
		if again == nil {
			s.mu.Lock()
			s.reconnects++
			s.mu.Unlock()
			return nil
		}
		if !passing(again) || time.Now().After(end) {
			return again
		}
	}
}
