package flight

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"

	"github.com/flightd/flightd/flight/wire"
	"github.com/flightd/flightd/internal/base"
)

// Live rows have no end of their own: those of SUBSCRIBE. They say themselves
// that they live when nothing happens, by record batches without rows.
type Live interface {
	Rows
	annotated
	Endless() bool
	// Drain asks for the end: Next returns a last record batch, then io.EOF. Drain
	// and Check may be called while Next runs.
	Drain()
	// Check returns why the reader is too slow to go on, or nil.
	Check() error
}

// annotated rows have something that goes along with them.
type annotated interface {
	// Annotation returns what goes along with a part of the record batch that Next
	// returned last, or nil; it may be called until the rows are closed.
	Annotation() func(from, to int64) []byte
}

// inTurns are live rows of which few are worked at at a time; see Result.KeepTurn.
type inTurns interface {
	KeepTurn()
	GiveWay()
}

// derived rows are the same for several readers; see Result.Derived.
type derived interface {
	Derived() func(key any, build func() any) any
}

// checkEvery is how often a reader is looked at who may be too slow.
const checkEvery = time.Second

// workTime is how long a write takes at most that does not wait for the client.
const workTime = time.Millisecond

// sendLive sends rows as they come, each message with its annotation, until their
// end, or until drain closes, which asks the rows for it.
//
// Two goroutines take part, and no queue beside the wire's own: one reads the rows and
// writes them, as fast as the client takes; this one watches, so that a client that
// does not read any more is let go, too.
func sendLive(ctx context.Context, stream flight.FlightService_DoGetServer, rows Live, o sendOptions, drain <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	notify(ctx, rows.Notices())
	l := &live{rows: rows, w: wire.NewWriter(stream, rows.Schema()), o: o, give: func() {}}
	if t, ok := rows.(inTurns); ok {
		t.KeepTurn()
		l.give = t.GiveWay
	}
	ended := make(chan error, 1)
	go func() {
		err := l.run(ctx)
		rows.Close()
		ended <- err
	}()
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		var why error
		select {
		case err := <-ended:
			return err
		case <-drain:
			rows.Drain()
			drain = nil
			continue
		case <-tick.C:
			if why = rows.Check(); why == nil && l.writes() > o.stuck {
				why = base.Errorf(base.CodeExhausted, "[RESOURCE_EXHAUSTED] the client has not read for %v", o.stuck).
					WithHint("subscribe again with the resume token of the last batch that was read")
			}
			if why == nil {
				continue
			}
		case <-ctx.Done():
			why = ctx.Err()
		}
		cancel()
		return l.leave(ended, why)
	}
}

// live is the goroutine of a subscription that reads and writes.
type live struct {
	rows Live
	w    *wire.Writer
	o    sendOptions
	give func()
	// since is when the write began that goes on, in nanoseconds since 1970; 0 between
	// writes.
	since atomic.Int64
	// waits says that the last write waited for the client.
	waits atomic.Bool
}

// writes is how long the write takes that goes on; 0 if none does.
func (l *live) writes() time.Duration {
	if since := l.since.Load(); since != 0 {
		return time.Since(time.Unix(0, since))
	}
	return 0
}

// leave waits for the end of run, which sees that the call ends, unless it is in a
// write: that one ends when the call has.
func (l *live) leave(ended <-chan error, why error) error {
	tick := time.NewTicker(checkEvery / 100)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return why
		case <-tick.C:
			if l.since.Load() != 0 {
				return why
			}
		}
	}
}

// run reads rows and writes them until their end, an error, or the end of ctx.
func (l *live) run(ctx context.Context) error {
	slow := time.AfterFunc(time.Hour, func() {
		l.waits.Store(true)
		l.give()
	})
	slow.Stop()
	defer slow.Stop()
	// The first rows may be long in coming; clients give the result to their user when
	// they have the schema.
	l.since.Store(time.Now().UnixNano())
	if err := l.w.Start(); err != nil {
		return err
	}
	l.since.Store(0)
	for {
		it := next(ctx, l.rows, l.o.log)
		switch {
		case it.err == io.EOF:
			l.since.Store(time.Now().UnixNano())
			return l.w.Close()
		case it.err != nil:
			return it.err
		}
		// One whose last write waited for the client is likely to wait again.
		if l.waits.Swap(false) {
			l.give()
		}
		l.since.Store(time.Now().UnixNano())
		slow.Reset(workTime)
		err := writeItem(l.w, it, l.o)
		slow.Stop()
		l.since.Store(0)
		if err != nil {
			return err
		}
		l.give()
	}
}

// writeItem writes a record batch in messages of their size, with what goes along, and
// releases it.
func writeItem(w *wire.Writer, it item, o sendOptions) (err error) {
	defer it.rec.Release()
	defer func() {
		if p := recover(); p != nil {
			err = recovered(o.log, "writing a result", p)
		}
	}()
	annotate := it.annotate
	if annotate == nil {
		annotate = func(int64, int64) []byte { return nil }
	}
	if it.derived != nil {
		if e := it.derived(pieces{o.target, o.limit}, func() any { return encode(it.rec, o) }).(encoded); e != nil {
			for _, m := range e {
				if err := w.WriteEncoded(m.message, annotate(m.from, m.to)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	var at int64
	return cut(it.rec, o.target, o.limit, func(piece arrow.RecordBatch) error {
		from := at
		at += piece.NumRows()
		return w.WriteWithAppMetadata(piece, annotate(from, at))
	})
}

// pieces is what messages depend on beside their record batch.
type pieces struct{ target, limit int }

// encoded is a record batch as messages; nil if it cannot be: who writes it says why.
type encoded []struct {
	message  *wire.Encoded
	from, to int64
}

func encode(rec arrow.RecordBatch, o sendOptions) (out encoded) {
	var at int64
	err := cut(rec, o.target, o.limit, func(piece arrow.RecordBatch) error {
		m, err := wire.Encode(piece)
		if m == nil {
			return io.EOF
		}
		from := at
		at += piece.NumRows()
		out = append(out, struct {
			message  *wire.Encoded
			from, to int64
		}{m, from, at})
		return err
	})
	if err != nil {
		return nil
	}
	return out
}
