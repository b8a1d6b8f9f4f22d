package flight

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/flight/wire"
)

// schemaAfter is how long the schema of a result waits for the first rows.
const schemaAfter = 20 * time.Millisecond

type sendOptions struct {
	target, limit int
	most          int64 // bytes of all messages; 0 is no limit
	quiet         time.Duration
	// stuck is how long one message may wait for the client of live rows.
	stuck time.Duration
	log   *slog.Logger
}

// send reads rows to their end and writes them, in messages of about o.target
// bytes. It closes rows.
func send(ctx context.Context, stream flight.FlightService_DoGetServer, rows Rows, o sendOptions) error {
	defer rows.Close()
	ctx, cancel := context.WithCancel(ctx)
	source := pump(ctx, rows, 1, o.log)
	// The reader of rows has ended when send returns.
	defer func() {
		cancel()
		for it := range source {
			if it.rec != nil {
				it.rec.Release()
			}
		}
	}()
	w := wire.NewWriter(stream, rows.Schema())
	quiet := time.NewTimer(o.quiet)
	defer quiet.Stop()
	// Clients give the result to their user when they have the schema, so that it can
	// be canceled; what is ready at once goes along with it.
	soon := time.NewTimer(schemaAfter)
	defer soon.Stop()
	var sent int64
	for {
		select {
		case it, ok := <-source:
			if !ok { // the reader saw the end of ctx first
				return ctx.Err()
			}
			if it.err == io.EOF {
				return w.Close()
			}
			if it.err != nil {
				return it.err
			}
			if sent += recordBytes(it.rec, 0, it.rec.NumRows()); o.most > 0 && sent > o.most {
				it.rec.Release()
				return limited("the result has more than %d bytes", o.most).WithHint("ask for fewer rows or columns; flightd serve --max-result sets the limit")
			}
			err := writeItem(w, it, o)
			if err != nil {
				return err
			}
		case <-soon.C:
			if err := w.Start(); err != nil {
				return err
			}
			continue
		case <-quiet.C:
			if err := w.Write(empty(rows.Schema())); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
		quiet.Reset(o.quiet)
	}
}

// item is a record batch, with what goes along with its parts if it is of Live rows,
// or an error.
type item struct {
	rec      arrow.RecordBatch
	annotate func(from, to int64) []byte
	// derived is set where other readers get the same.
	derived func(key any, build func() any) any
	err     error
}

// pump reads rows in a goroutine of its own, some record batches ahead of the one that
// it offers.
// The channel closes after the item with an error, io.EOF included, or when ctx
// ends.
func pump(ctx context.Context, rows Rows, ahead int, log *slog.Logger) <-chan item {
	out := make(chan item, ahead)
	go func() {
		defer close(out)
		for {
			it := next(ctx, rows, log)
			select {
			case out <- it:
			case <-ctx.Done():
				if it.rec != nil {
					it.rec.Release()
				}
				return
			}
			if it.err != nil {
				return
			}
		}
	}()
	return out
}

func next(ctx context.Context, rows Rows, log *slog.Logger) (it item) {
	defer func() {
		if p := recover(); p != nil {
			it = item{err: recovered(log, "reading a result", p)}
		}
	}()
	rec, err := rows.Next(ctx)
	if err != nil {
		return item{err: err}
	}
	it.rec = rec
	if a, ok := rows.(annotated); ok {
		it.annotate = a.Annotation()
	}
	if c, ok := rows.(derived); ok {
		it.derived = c.Derived()
	}
	return it
}

// empty returns a record batch without rows.
func empty(schema *arrow.Schema) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	return b.NewRecordBatch()
}
