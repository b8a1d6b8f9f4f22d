package subscribe

import (
	"context"
	"fmt"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks/feed"
)

// begin finds where the subscription starts, and brings the envelope there.
func (s *Stream) begin(ctx context.Context) error {
	first, last := s.o.Feed.Range()
	s.pos = Position{Query: s.o.Query, Shape: s.o.shape(), Epoch: last + 1}
	s.newest = last
	snapshot := s.o.Snapshot
	switch {
	case s.o.Resume != nil:
		if err := s.checkToken(*s.o.Resume); err != nil {
			return err
		}
		s.pos = *s.o.Resume
		s.skip = s.pos.Row
		snapshot = s.pos.Snapshot
	case s.o.From != base.NoEpoch:
		s.pos.Epoch = s.o.From
	case snapshot && last != base.NoEpoch:
		s.pos.Epoch, s.pos.Snapshot = last, true
		if s.o.UpTo != base.NoEpoch {
			s.pos.Epoch = min(last, s.o.UpTo)
		}
	case snapshot:
		snapshot = false
	}
	s.envelope = newEnvelope(&s.o.Request, s.o.Schema, s.o.Mode, snapshot)
	if _, ok := s.envelope.(plain); ok && snapshot {
		// Nothing replaces anything: the result is the rows of all epochs. They are
		// told from disk, each with its own epoch.
		s.pos.Snapshot = false
		if s.o.Resume == nil {
			s.pos.Epoch = first
		}
		if s.o.Resume == nil && first > 0 {
			s.notices = append(s.notices, fmt.Sprintf("%s keeps the rows of epochs from %d on; what came before is not in the snapshot", s.o.Name, first))
		}
		snapshot = false
	}
	start, upTo := s.pos.Epoch, s.pos.Epoch-1
	if snapshot {
		start, upTo = s.pos.Epoch+1, s.pos.Epoch
	}
	var err error
	if s.sub, err = s.o.Feed.Subscribe(start); err != nil && !snapshot {
		return err
	}
	s.read.Store(int64(start))
	at, err := s.fold(ctx, upTo)
	if err != nil || !snapshot {
		return err
	}
	if s.sub == nil {
		if s.sub, err = s.o.Feed.Subscribe(start); err != nil {
			return err
		}
	}
	s.tell(at, s.envelope.rows(), true)
	if u, ok := s.envelope.(*updating); ok && u.upsert {
		// Behind the snapshot the rows of an epoch say all: nobody needs the state.
		u.release()
		s.envelope = plain{OpUpdateAfter}
	}
	return nil
}

// checkToken refuses a token that is not of this query and request.
func (s *Stream) checkToken(p Position) error {
	switch newest := s.o.Feed.Newest(); {
	case p.Query != s.o.Query:
		return base.UserError("SUBSCRIBE_INVALID_TOKEN", "22023", "The resume token is of another query than %s.", s.o.Name).
			WithHint("a query that was dropped and made again is another one: subscribe with SNAPSHOT")
	case p.Shape != s.o.shape():
		return base.UserError("SUBSCRIBE_INVALID_TOKEN", "22023", "The resume token is of a subscription with another ENVELOPE.").
			WithHint("repeat the statement that gave the token, with RESUME")
	case p.Epoch > newest+1 && s.o.Token == nil:
		e := base.Errorf(base.CodeOutOfRange, "[OUT_OF_RANGE] the resume token is of epoch %d, and the last one of %s is %d", p.Epoch, s.o.Name, newest)
		return e.WithHint("the feed is not the one that gave the token: subscribe with SNAPSHOT")
	}
	return nil
}

// fold brings the envelope to the state after an epoch, and returns what is known
// of that epoch.
func (s *Stream) fold(ctx context.Context, upTo base.Epoch) (at Batch, err error) {
	at = s.last
	from := base.Epoch(0)
	switch s.envelope.(type) {
	case plain:
		return at, nil
	case *replacing:
		from = upTo
	}
	if upTo < 0 {
		return at, nil
	}
	sub, from, err := s.after(from, upTo, &at)
	if err != nil {
		return at, base.Wrap(err, "the result as of epoch %d needs what came before", upTo)
	}
	for e := from; e <= upTo; {
		if e > s.o.Feed.Newest() { // upTo lies ahead
			return at, base.Errorf(base.CodeOutOfRange, "[OUT_OF_RANGE] epoch %d of %s is not there yet", e, s.o.Name).
				WithHint("an ENVELOPE that knows what a row replaces begins at an epoch that is there, or the next")
		}
		got, err := sub.Next(ctx)
		if err != nil {
			return at, err
		}
		if got.Number > upTo {
			got.Release()
			break
		}
		e = got.Number + 1
		at.Epoch, at.Time, at.Watermark = got.Number, got.Time, got.Watermark
		err = s.follow(got)
		got.Release()
		if err != nil {
			return at, err
		}
	}
	return at, nil
}

func (s *Stream) follow(e *feed.Epoch) error {
	if err := s.envelope.follow(e); err != nil {
		return base.Wrap(err, "reading epoch %d of %s", e.Number, s.o.Name)
	}
	if held := s.envelope.held(); s.o.MaxHeld > 0 && held > s.o.MaxHeld {
		return s.tooLarge(held)
	}
	return nil
}

// after subscribes to the epochs from one on. If they are not kept any more, the
// envelope takes in what they came to, and goes on behind that.
func (s *Stream) after(from, upTo base.Epoch, at *Batch) (*feed.Subscription, base.Epoch, error) {
	for {
		sub, err := s.o.Feed.Subscribe(from)
		if _, keyed := s.envelope.(*updating); err == nil || !keyed {
			return sub, from, err
		}
		b, e := s.o.Feed.Base()
		if e != nil {
			return nil, from, e
		}
		if b == nil {
			return nil, from, err
		}
		if b.Number > upTo || b.Number < from { // a newer one is on its way only if it goes further
			b.Release()
			return nil, from, err
		}
		at.Epoch, at.Time, at.Watermark = b.Number, b.Time, b.Watermark
		e = s.follow(b)
		from = b.Number + 1
		b.Release()
		if e != nil {
			return nil, from, e
		}
	}
}
