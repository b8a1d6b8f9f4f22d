package feed

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
	"github.com/flightd/flightd/internal/turnstile"
	"github.com/flightd/flightd/sinks"
)

// Epoch is what a query put out in one epoch. Release it after use.
type Epoch struct {
	Number base.Epoch
	Mode   sinks.Mode
	Digest base.Digest
	// Time is when it was committed, in milliseconds since 1970.
	Time int64
	// Watermark is the one that the epoch ran with, in milliseconds since 1970; 0
	// if there was none.
	Watermark int64
	// Rows may be empty.
	Rows []arrow.RecordBatch
	// Pieces are the rows instead, for a reader who asked for them; else nil.
	Pieces *Pieces
	// Derived is what readers make of the rows for all who read the epoch now; nil if
	// nobody shares it.
	Derived *Derived
}

// Release lets go of the rows.
func (e *Epoch) Release() {
	e.Pieces.Close()
	release(e.Rows)
	e.Rows = nil
}

// Subscription is one reader's place in a feed. It is for one goroutine and needs
// no closing: it holds nothing between calls.
type Subscription struct {
	feed *Feed
	next base.Epoch
	// ticket is for the reader's turn; nil if he does not wait for one.
	ticket *turnstile.Ticket
	pieces bool
}

// Through makes the reader one of many who take turns: Next returns an epoch, or
// io.EOF, when it is his turn, which he has until the ticket gives way, and an epoch
// that is done wakes only those whose turn it is.
func (s *Subscription) Through(ticket *turnstile.Ticket) { s.ticket = ticket }

// Subscribe returns a subscription whose first epoch is from, or the next one
// there is. If from is not kept any more it is an OutOfRange error that names
// the earliest epoch.
func (f *Feed) Subscribe(from base.Epoch) (*Subscription, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.kept(from); err != nil {
		return nil, err
	}
	return &Subscription{feed: f, next: max(0, from)}, nil
}

// kept returns an error if epochs from from on were removed.
func (f *Feed) kept(from base.Epoch) error {
	if len(f.entries) == 0 || from >= f.entries[0].epoch {
		return nil
	}
	return base.Errorf(base.CodeOutOfRange, "[OUT_OF_RANGE] epoch %d of %s is not kept any more; the earliest is %d", from, f.Describe(), f.entries[0].epoch).
		WithHint("subscribe from epoch %d, or with a snapshot", f.entries[0].epoch)
}

// Next returns the next epoch, waiting for it if need be. It returns io.EOF when
// the feed is closed and all is read, and an OutOfRange error if the reader
// has fallen behind the retention.
func (s *Subscription) Next(ctx context.Context) (*Epoch, error) {
	for {
		e, wait, err := s.look()
		if err != nil {
			return nil, err
		}
		if e != nil {
			if err := s.ticket.Enter(ctx); err != nil {
				return nil, err
			}
			out, err := s.take(e)
			if errors.Is(err, fs.ErrNotExist) {
				continue // removed since; look says so
			}
			if err != nil {
				return nil, err
			}
			s.next = e.epoch + 1
			return out, nil
		}
		select {
		case <-ctx.Done():
			s.leave()
			return nil, ctx.Err()
		case <-wait:
		}
	}
}

// At is the first epoch that Next or Skim may return.
func (s *Subscription) At() base.Epoch { return s.next }

// Skim is Next for the number of the epoch alone: nothing is read.
func (s *Subscription) Skim(ctx context.Context) (base.Epoch, error) {
	for {
		e, wait, err := s.look()
		if err != nil {
			return base.NoEpoch, err
		}
		if e != nil {
			s.next = e.epoch + 1
			return e.epoch, nil
		}
		select {
		case <-ctx.Done():
			s.leave()
			return base.NoEpoch, ctx.Err()
		case <-wait:
		}
	}
}

func (s *Subscription) take(e *entry) (*Epoch, error) {
	if s.pieces && e.unpacked > wholeBytes {
		return s.feed.open(e)
	}
	return s.feed.recent.get(e, s.feed.read)
}

// look finds the next epoch; nil, and what to wait for, if there is none yet.
func (s *Subscription) look() (*entry, <-chan struct{}, error) {
	f := s.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.kept(s.next); err != nil {
		return nil, nil, err
	}
	if i, _ := f.find(s.next); i < len(f.entries) && f.entries[i].epoch <= f.visible {
		e := f.entries[i]
		return &e, nil, nil
	}
	if f.closed {
		return nil, nil, io.EOF
	}
	if s.ticket != nil {
		s.ticket.GiveWay()
		f.waiting = append(f.waiting, s.ticket)
		return nil, s.ticket.Turn(), nil
	}
	return nil, f.changed, nil
}

// leave is for who does not wait any more.
func (s *Subscription) leave() {
	if s.ticket == nil {
		return
	}
	f := s.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.waiting, s.ticket); i >= 0 {
		f.waiting = slices.Delete(f.waiting, i, i+1)
	}
	s.ticket.Cancel()
}

// read reads an epoch from its segment.
func (f *Feed) read(e *entry) (*Epoch, error) {
	body, err := e.read()
	if err != nil {
		return nil, base.Wrap(err, "reading epoch %d of %s", e.epoch, f.Describe())
	}
	h, packed, size, err := parse(body)
	if err == nil && h.epoch != e.epoch {
		err = errors.New("another epoch")
	}
	var rows []arrow.RecordBatch
	if err == nil {
		rows, err = f.codec.rows(packed, size, f.opt.Schema)
	}
	if err != nil {
		return nil, seglog.Damaged(e.segment, e.at, err.Error())
	}
	return &Epoch{Number: h.epoch, Mode: h.mode, Digest: h.digest, Time: h.time, Watermark: h.watermark, Rows: rows}, nil
}

// SkipTo makes epoch, or the first there is after it, the one that Next returns
// next.
func (s *Subscription) SkipTo(epoch base.Epoch) { s.next = epoch }

// Backlog is what readers can have from epoch from on: how many epochs, the bytes
// of their rows, and the number of the newest; base.NoEpoch if there is nothing.
func (f *Feed) Backlog(from base.Epoch) (epochs int, bytes int64, newest base.Epoch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	newest = base.NoEpoch
	for i, _ := f.find(from); i < len(f.entries) && f.entries[i].epoch <= f.visible; i++ {
		epochs, bytes, newest = epochs+1, bytes+f.entries[i].unpacked, f.entries[i].epoch
	}
	return epochs, bytes, newest
}

// Newest is the last epoch that was committed, whether readers can have it
// already or not; base.NoEpoch if there is none.
func (f *Feed) Newest() base.Epoch {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.entries) == 0 {
		return base.NoEpoch
	}
	return f.entries[len(f.entries)-1].epoch
}
