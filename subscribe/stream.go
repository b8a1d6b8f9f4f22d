package subscribe

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/turnstile"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/feed"
)

// Options are what a subscription is opened with, beside what is asked for.
type Options struct {
	Request
	Feed *feed.Feed
	// Name is the query's, for messages; Query and Run are the identities of the
	// query and of its start. Without Query nothing can be resumed.
	Name, Query, Run string
	// Token, if set, writes the tokens in place of Position.Token: of a query that ends
	// with the subscription. Its feed begins where Resume says.
	Token func(Position) string
	// Schema is that of the query's rows, Mode its output mode.
	Schema *arrow.Schema
	Mode   sinks.Mode
	Clock  base.Clock
	// Quiet is how long Next waits before it returns a batch without rows.
	Quiet time.Duration
	// MaxHeld bounds the bytes of rows by key that an envelope keeps; 0 is no bound.
	MaxHeld int64
	// Turns makes the subscriber wait for his turn among others before he works; nil for
	// one who does not.
	Turns *turnstile.Turnstile
	// Ended returns why the query failed once its feed is closed, or nil.
	Ended func() error
}

// A Stream is one subscription.
type Stream struct {
	o        Options
	schema   *arrow.Schema
	envelope envelope
	sub      *feed.Subscription
	ticket   *turnstile.Ticket
	// keeps says that Next leaves the turn to its caller.
	keeps bool

	// stop is ended, with the reason as its cause, when the subscription is to end.
	stop context.Context
	end  context.CancelCauseFunc

	// pos is behind the last batch that was returned; batches are those of the epoch
	// being told.
	pos     Position
	skip    int64 // rows of the next epoch that were told before
	left    int64 // of the limit; -1 is no limit
	batches []Batch
	large   *telling // an epoch of which more is on disk
	last    Batch    // without its rows and what they are shared by
	done    bool
	begun   bool
	notices []string

	// read is the next epoch to be read from the feed; caughtUp says that all has
	// been read once that was there at the beginning. Check reads them.
	read     atomic.Int64
	caughtUp atomic.Bool
	newest   base.Epoch // at the beginning
}

// reason is why a subscription ends, in its last batch.
type reason string

// Error is the reason itself.
func (r reason) Error() string { return string(r) }

// The reasons.
const (
	endStopped  reason = "query stopped"
	endDrain    reason = "drain"
	endInterval reason = "interval"
	endEpoch    reason = "epoch"
	endLimit    reason = "limit"
	endClosed   reason = "closed"
)

// Fit completes a request for a query and returns the schema of what it will give.
func Fit(r *Request, name string, mode sinks.Mode, rows *arrow.Schema) (*arrow.Schema, error) {
	if err := r.fit(name, mode); err != nil {
		return nil, err
	}
	return r.schema(rows), nil
}

// Open begins a subscription. An epoch that is not kept any more is an OutOfRange
// error that names the earliest.
func Open(ctx context.Context, o Options) (*Stream, error) {
	schema, err := Fit(&o.Request, o.Name, o.Mode, o.Schema)
	if err != nil {
		return nil, err
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxBatches == 0 {
		o.MaxBatches = DefaultMaxBatches
	}
	s := &Stream{o: o, schema: schema, left: o.Limit}
	s.last = Batch{Epoch: base.NoEpoch, Skipped: base.NoEpoch, query: o.Query, run: o.Run, token: o.token(), now: func() int64 { return o.Clock.Now().UnixMilli() }}
	if o.Turns != nil {
		s.ticket = o.Turns.Ticket()
		defer s.ticket.GiveWay()
	}
	err = s.ticket.Enter(ctx)
	if err == nil {
		err = s.begin(ctx)
	}
	if err != nil {
		if s.envelope != nil {
			s.envelope.release()
		}
		return nil, err
	}
	s.sub.Through(s.ticket)
	if _, ok := s.envelope.(plain); ok {
		s.sub.InPieces()
	}
	s.stop, s.end = context.WithCancelCause(context.Background())
	if o.For > 0 {
		go func() {
			if o.Clock.Sleep(s.stop, o.For) == nil {
				s.end(endInterval)
			}
		}()
	}
	return s, nil
}

// token is what writes the tokens.
func (o *Options) token() func(Position) string {
	if o.Token != nil && o.Query != "" {
		return o.Token
	}
	return Position.Token
}

// Schema is that of every batch.
func (s *Stream) Schema() *arrow.Schema { return s.schema }

// Notices are sentences for the reader: what of the snapshot is not kept any more.
func (s *Stream) Notices() []string { return s.notices }

// KeepTurn makes Next return with the subscriber's turn, so that what the caller does
// with the rows belongs to it, too. The caller gives way as soon as that is done, or
// takes longer than work does.
func (s *Stream) KeepTurn() { s.keeps = true }

// GiveWay lets the next subscriber work, if this one has his turn.
func (s *Stream) GiveWay() { s.ticket.GiveWay() }

// Drain asks for the end: Next returns a last batch without rows that carries the
// resume token.
func (s *Stream) Drain() { s.end(endDrain) }

// Close ends the subscription at once. Next must not be running, or in another
// goroutine be about to return.
func (s *Stream) Close() {
	s.end(endClosed)
	for i := range s.batches {
		s.batches[i].Rec.Release()
	}
	s.batches, s.done = nil, true
	s.leaveLarge()
	s.envelope.release()
	s.ticket.Cancel()
}

// Next returns the next batch, and io.EOF behind the last. The first has no rows and
// comes at once: a client then has the schema, and a token before anything happened.
func (s *Stream) Next(ctx context.Context) (*Batch, error) {
	b, err := s.step(ctx)
	if !s.keeps || err != nil {
		s.ticket.GiveWay()
	}
	return b, err
}

func (s *Stream) step(ctx context.Context) (*Batch, error) {
	for {
		if s.done {
			return nil, io.EOF
		}
		if why, ok := context.Cause(s.stop).(reason); ok {
			return s.finish(why), nil
		}
		if !s.begun {
			s.begun = true
			return s.idle(""), nil
		}
		if s.left == 0 {
			return s.finish(endLimit), nil
		}
		if len(s.batches) > 0 {
			if err := s.ticket.Enter(ctx); err != nil {
				return nil, err
			}
			return s.pop(), nil
		}
		if s.large != nil {
			if err := s.ticket.Enter(ctx); err != nil {
				return nil, err
			}
			if err := s.piece(); err != nil {
				return nil, err
			}
			continue
		}
		if s.o.UpTo != base.NoEpoch && s.pos.Epoch > s.o.UpTo && !s.pos.Snapshot {
			return s.finish(endEpoch), nil
		}
		b, err := s.advance(ctx)
		if b != nil || err != nil {
			return b, err
		}
	}
}

// pop returns the first of the batches, cut to the limit.
func (s *Stream) pop() *Batch {
	b := s.batches[0]
	s.batches = s.batches[1:]
	if n := b.Rec.NumRows(); !b.marker() && s.left >= 0 {
		if n > s.left {
			cut := b.Rec.NewSlice(0, s.left)
			b.Rec.Release()
			b.Rec, b.dressed = cut, nil
			b.after = Position{Query: s.pos.Query, Shape: s.pos.Shape, Epoch: b.Epoch, Row: b.Row + s.left, Snapshot: b.whole}
		}
		s.left -= b.Rec.NumRows()
	}
	s.pos = b.after
	s.last = b
	s.last.Rec, s.last.dressed = nil, nil
	return &b
}

// idle is a batch without rows that stands for the place reached.
func (s *Stream) idle(why reason) *Batch {
	b := s.last
	b.Rec, b.after, b.End, b.Skipped = nulls(s.schema, 0), s.pos, string(why), base.NoEpoch
	b.Row = 0
	if s.pos.Epoch == b.Epoch {
		b.Row = s.pos.Row
	}
	return &b
}

func (s *Stream) finish(why reason) *Batch {
	s.done = true
	for i := range s.batches {
		s.batches[i].Rec.Release()
	}
	s.batches = nil
	s.leaveLarge()
	return s.idle(why)
}

func (s *Stream) leaveLarge() {
	if s.large != nil {
		s.large.epoch.Release()
		s.large = nil
	}
}

// advance reads the next epoch into batches. It returns a batch without rows if
// none came in time, or the last.
func (s *Stream) advance(ctx context.Context) (*Batch, error) {
	if b, err := s.slow(); b != nil || err != nil {
		return b, err
	}
	e, err := s.wait(ctx)
	switch {
	case errors.Is(err, io.EOF):
		if s.o.Ended != nil {
			if err := s.o.Ended(); err != nil {
				return nil, err
			}
		}
		return s.finish(endStopped), nil
	case errors.Is(err, errQuiet):
		return s.idle(""), nil
	case err != nil && context.Cause(s.stop) != nil:
		return nil, nil // Next says so
	case err != nil:
		return nil, err
	}
	if s.o.UpTo != base.NoEpoch && e.Number > s.o.UpTo {
		e.Release()
		return s.finish(endEpoch), nil
	}
	s.read.Store(int64(e.Number + 1))
	at := s.last
	at.Epoch, at.Time, at.Watermark, at.Snapshot, at.Skipped = e.Number, e.Time, e.Watermark, s.o.Snapshot && s.o.Mode.Kind == base.Append && e.Number <= s.newest, base.NoEpoch
	if e.Pieces != nil {
		s.large = &telling{epoch: e, at: at}
		return nil, s.piece()
	}
	defer e.Release()
	parts, err := s.envelope.change(e)
	if err != nil {
		return nil, base.Wrap(err, "telling epoch %d of %s", e.Number, s.o.Name)
	}
	if held := s.envelope.held(); s.o.MaxHeld > 0 && held > s.o.MaxHeld {
		releaseParts(parts)
		return nil, s.tooLarge(held)
	}
	s.tell(at, parts, false)
	return nil, nil
}

// telling is an epoch that is told piece by piece: row is the number of the next one.
type telling struct {
	epoch *feed.Epoch
	at    Batch
	row   int64
}

// piece makes batches of the next record batch of a large epoch, or ends it.
func (s *Stream) piece() error {
	l := s.large
	rec, err := l.epoch.Pieces.Next()
	if err == nil {
		l.row = s.add(&l.at, part{rec: rec, ops: []int8{s.envelope.(plain).op}}, l.row, false)
		return nil
	}
	l.epoch.Release()
	s.large = nil
	if err != io.EOF {
		return err
	}
	s.complete(l.at, l.row)
	return nil
}

// tell makes batches of the parts of an epoch or, if whole, of the snapshot as of
// it. The parts' references are taken over.
func (s *Stream) tell(at Batch, parts []part, whole bool) {
	var row int64
	for _, p := range parts {
		row = s.add(&at, p, row, whole)
	}
	s.complete(at, row)
}

// add makes a batch of a part whose first row is number row, unless it was told before,
// and returns the number of the next row. The part's reference is taken over.
func (s *Stream) add(at *Batch, p part, row int64, whole bool) int64 {
	defer p.rec.Release()
	n := p.rec.NumRows()
	from := min(n, max(0, s.skip-row))
	row += n
	if from < n {
		b := *at
		b.Rec, b.dressed = s.dress(p, from, at)
		b.Row, b.Snapshot, b.whole = row-n+from, at.Snapshot || whole, whole
		b.after = Position{Query: s.pos.Query, Shape: s.pos.Shape, Epoch: at.Epoch, Row: row, Snapshot: whole}
		s.batches = append(s.batches, b)
	}
	return row
}

// complete ends what is told of an epoch, after so many rows.
func (s *Stream) complete(at Batch, rows int64) {
	s.skip = 0
	next := Position{Query: s.pos.Query, Shape: s.pos.Shape, Epoch: at.Epoch + 1}
	if s.o.Progress {
		s.batches = append(s.batches, s.marker(at, OpProgress, rows))
	}
	if len(s.batches) == 0 {
		s.pos = next
		s.last = at
		return
	}
	s.batches[len(s.batches)-1].after = next
}

// marker is a batch of one row that is none of the result.
func (s *Stream) marker(at Batch, op int8, row int64) Batch {
	rec := nulls(s.o.Schema, 1)
	defer rec.Release()
	at.Rec, at.Row = dress(s.schema, rec, uint64(at.Epoch), []int8{op}, at.Watermark), row
	at.Snapshot, at.whole = false, false
	at.isMarker = true
	return at
}

var errQuiet = errors.New("nothing came")

// wait reads the next epoch of the feed, until the end is asked for or the quiet
// has lasted.
func (s *Stream) wait(ctx context.Context) (*feed.Epoch, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.stop, cancel)()
	if s.o.Quiet > 0 {
		var done context.CancelFunc
		ctx, done = context.WithTimeoutCause(ctx, s.o.Quiet, errQuiet)
		defer done()
	}
	e, err := s.sub.Next(ctx)
	if err != nil && ctx.Err() != nil && errors.Is(context.Cause(ctx), errQuiet) {
		return nil, errQuiet
	}
	return e, err
}

// behind is how far the subscriber is behind, if that is his fault: what was there
// at the beginning does not count until it has been read.
func (s *Stream) behind() (newest base.Epoch, tooFar bool) {
	next := base.Epoch(s.read.Load())
	if !s.caughtUp.Load() {
		if next <= s.newest {
			return base.NoEpoch, false
		}
		s.caughtUp.Store(true)
	}
	n, bytes, newest := s.o.Feed.Backlog(next)
	return newest, n > s.o.MaxBatches || n > 1 && bytes > s.o.MaxBytes
}

// slow applies the policy to a subscriber that has fallen behind.
func (s *Stream) slow() (*Batch, error) {
	if s.o.Policy == Block {
		return nil, nil
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	newest, far := s.behind()
	if !far || s.o.Policy != Skip {
		return nil, nil
	}
	from := base.Epoch(s.read.Load())
	s.sub.SkipTo(newest)
	s.read.Store(int64(newest))
	at := s.last
	at.Epoch, at.Skipped, at.Time, at.Watermark = newest-1, from, 0, 0
	b := s.marker(at, OpGap, 0)
	b.after = Position{Query: s.pos.Query, Shape: s.pos.Shape, Epoch: newest}
	s.skip = 0
	s.batches = append(s.batches, b)
	return s.pop(), nil
}

// Check returns the error that ends a subscriber with the policy disconnect who
// has fallen behind, or nil. It may be called while Next runs or nobody reads.
func (s *Stream) Check() error {
	if s.o.Policy != Disconnect {
		return nil
	}
	if _, far := s.behind(); !far {
		return nil
	}
	return base.Errorf(base.CodeExhausted, "[RESOURCE_EXHAUSTED] the subscriber is more than %d epochs or %d bytes behind the query %s", s.o.MaxBatches, s.o.MaxBytes, s.o.Name).
		WithHint("go on with the resume token of the last batch that was read")
}

func (s *Stream) tooLarge(held int64) error {
	return base.Errorf(base.CodeExhausted, "[RESOURCE_EXHAUSTED] the result of %s, which the subscription must keep, takes %d bytes, more than the %d of flightd.memoryLimit", s.o.Name, held, s.o.MaxHeld)
}
