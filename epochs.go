package flightd

import (
	"context"
	"io"
	"maps"
	"strconv"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/sinks/feed"
	"github.com/flightd/flightd/subscribe"
)

// Epochs are the results of a bounded subscription, one for each epoch: what a client
// that polls is given, epoch by epoch. It is for one goroutine.
type Epochs struct {
	p       *Prepared
	st      *logical.Subscribe
	query   *StreamingQuery
	sub     *feed.Subscription
	request subscribe.Request
}

// Epochs are the epochs of a SUBSCRIBE that has an end: that says UP TO EPOCH, or whose
// query ends by itself (TRIGGER AVAILABLE NOW or ONCE). It is nil for other
// statements, and an error for a subscription without an end or with options that go
// over epochs.
func (p *Prepared) Epochs(ctx context.Context) (*Epochs, error) {
	stmt, err := p.session.parse(p.text)
	if err != nil {
		return nil, inText(err, p.text)
	}
	st, ok := stmt.(*logical.Subscribe)
	if !ok {
		return nil, nil
	}
	e, err := p.session.epochs(ctx, p, st)
	return e, inText(err, p.text)
}

func (s *Session) epochs(ctx context.Context, p *Prepared, st *logical.Subscribe) (*Epochs, error) {
	sub, err := s.subscription(st)
	if err != nil {
		return nil, err
	}
	refused := func(format string, args ...any) error {
		return base.UserError("SUBSCRIBE_NOT_BOUNDED", "0A000", format, args...).At(st.Pos()).WithHint("read it as a stream: GetFlightInfo and DoGet")
	}
	r := sub.request
	switch {
	case sub.query == nil:
		return nil, refused("A subscription to a view or SELECT has no end, so its results cannot be polled for.")
	case r.UpTo == base.NoEpoch && sub.query.spec.trigger.Kind == ProcessingTime:
		return nil, refused("The subscription to %s has no end, so its results cannot be polled for; UP TO EPOCH gives it one.", sub.name)
	case r.Snapshot, r.Resume != nil, r.Limit >= 0, st.Options["FOR"] != "":
		return nil, refused("Whoever polls is given whole epochs: SNAPSHOT, RESUME, LIMIT and FOR do not go with that.")
	}
	select {
	case <-sub.query.ready:
	case <-sub.query.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	first, _ := sub.feed.Range()
	if r.From != base.NoEpoch {
		first = r.From
	}
	f, err := sub.feed.Subscribe(first)
	if err != nil {
		return nil, at(err, st.Pos())
	}
	return &Epochs{p: p, st: st, query: sub.query, sub: f, request: r}, nil
}

// Next waits for the next epoch and returns its number; io.EOF after the last one.
func (e *Epochs) Next(ctx context.Context) (int64, error) {
	if e.request.UpTo != base.NoEpoch && e.sub.At() > e.request.UpTo {
		return 0, io.EOF
	}
	n, err := e.sub.Skim(ctx)
	if err == io.EOF {
		if failed := e.query.failure(); failed != nil {
			return 0, failed
		}
	}
	if err == nil && e.request.UpTo != base.NoEpoch && n > e.request.UpTo {
		return 0, io.EOF
	}
	return int64(n), err
}

// UpTo is the last epoch that Next may return, −1 if only the query's end tells.
func (e *Epochs) UpTo() int64 { return int64(e.request.UpTo) }

// Rows is the result of one epoch that Next returned, as often as it is asked for.
func (e *Epochs) Rows(ctx context.Context, epoch int64) (*Result, error) {
	st := *e.st
	st.Options = maps.Clone(st.Options)
	if st.Options == nil {
		st.Options = map[string]string{}
	}
	n := strconv.FormatInt(epoch, 10)
	st.Options["FROM EPOCH"], st.Options["UP TO EPOCH"] = n, n
	r, err := e.p.session.run(ctx, &st, e.p.text)
	return located(r, e.p.text), inText(err, e.p.text)
}
