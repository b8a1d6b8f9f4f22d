package flight

import (
	"context"
	"io"
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

// checkEvery is how often a reader is looked at who may be too slow.
const checkEvery = time.Second

// sendLive sends rows as they come, each message with its annotation, until their
// end, or until drain closes, which asks the rows for it.
//
// Three goroutines take part, and no queue beside the wire's own: one reads the
// rows, one record batch ahead; one writes, as fast as the client takes; this one
// watches, so that a client that does not read any more is let go, too.
func sendLive(ctx context.Context, stream flight.FlightService_DoGetServer, rows Live, o sendOptions, drain <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	source := pump(ctx, rows, 0, o.log)
	defer func() {
		cancel()
		for it := range source { // the reader has ended when this returns
			if it.rec != nil {
				it.rec.Release()
			}
		}
		rows.Close()
	}()
	notify(ctx, rows.Notices())
	w := wire.NewWriter(stream, rows.Schema())
	written := make(chan error, 1)
	busy := false
	// A write ends with the stream's context, or when this has returned.
	abandoned := false
	defer func() {
		if busy && !abandoned {
			<-written
		}
	}()
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	var since time.Time
	for {
		from := source
		if busy {
			from = nil
		}
		select {
		case it, ok := <-from:
			if !ok { // the reader saw the end of ctx first
				return ctx.Err()
			}
			if it.err == io.EOF {
				return w.Close()
			}
			if it.err != nil {
				return it.err
			}
			busy, since = true, time.Now()
			go func() { written <- writeItem(w, it, o) }()
		case err := <-written:
			if busy = false; err != nil {
				return err
			}
		case <-drain:
			rows.Drain()
			drain = nil
		case <-tick.C:
			abandoned = true
			if err := rows.Check(); err != nil {
				return err
			}
			if busy && time.Since(since) > o.stuck {
				return base.Errorf(base.CodeExhausted, "[RESOURCE_EXHAUSTED] the client has not read for %v", o.stuck).
					WithHint("subscribe again with the resume token of the last batch that was read")
			}
			abandoned = false
		case <-ctx.Done():
			return ctx.Err()
		}
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
	if it.annotate == nil {
		return cut(it.rec, o.target, o.limit, w.Write)
	}
	var at int64
	return cut(it.rec, o.target, o.limit, func(piece arrow.RecordBatch) error {
		from := at
		at += piece.NumRows()
		return w.WriteWithAppMetadata(piece, it.annotate(from, at))
	})
}
