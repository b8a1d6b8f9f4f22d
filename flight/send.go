package flight

import (
	"context"
	"io"
	"log/slog"
	"sync"
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
//
// One goroutine reads and writes: waking another for each record batch costs more than
// reading it, unless that takes time. Then another reads ahead.
func send(ctx context.Context, stream flight.FlightService_DoGetServer, rows Rows, o sendOptions) error {
	defer rows.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &sending{w: wire.NewWriter(stream, rows.Schema()), o: o, cancel: cancel, gathers: wire.Gatherable(rows.Schema())}
	// Clients give the result to their user when they have the schema, so that it can
	// be canceled; what is ready at once goes along with it.
	s.mu.Lock()
	s.still = time.AfterFunc(schemaAfter, s.alive)
	s.mu.Unlock()
	defer s.end()
	read := func() item { return next(ctx, rows, o.log) }
	ahead := false
	for {
		began := time.Now()
		it := read()
		if it.err != nil {
			return s.last(it.err)
		}
		took := time.Since(began)
		if err := s.write(it); err != nil {
			return err
		}
		if took < workTime || ahead {
			continue
		}
		ahead = true
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
		read = func() item {
			if it, ok := <-source; ok {
				return it
			}
			return item{err: ctx.Err()} // the reader saw it first
		}
	}
}

// gatherTime is how long rows wait at most for others to go with.
const gatherTime = time.Millisecond

// sending is what one DoGet of bounded rows has sent. A timer writes, too, when there are
// no rows for a while.
type sending struct {
	o      sendOptions
	cancel func()
	still  *time.Timer
	// gathers says that small record batches are sent as one.
	gathers bool

	mu   sync.Mutex
	w    *wire.Writer
	sent int64
	err  error // of what the timer wrote
	over bool
	due  time.Time // when alive is to write
	// waiting are the record batches that wait for others, size about their bytes.
	waiting []arrow.RecordBatch
	size    int64
}

// write writes an item or keeps it for a while, unless that is more than a result may
// have.
func (s *sending) write(it item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		it.rec.Release()
		return s.err
	}
	size := recordBytes(it.rec, 0, it.rec.NumRows())
	if s.sent += size; s.o.most > 0 && s.sent > s.o.most {
		it.rec.Release()
		return limited("the result has more than %d bytes", s.o.most).WithHint("ask for fewer rows or columns; flightd serve --max-result sets the limit")
	}
	// What goes along with a record batch says whose rows it has.
	alone := !s.gathers || size > int64(s.o.target)/2 || it.annotate != nil && it.annotate(0, it.rec.NumRows()) != nil
	if alone || s.size+size > int64(s.o.target) {
		if err := s.flush(false); err != nil {
			it.rec.Release()
			return err
		}
	}
	if !alone {
		s.waiting = append(s.waiting, it.rec)
		s.size += size
		if len(s.waiting) == 1 {
			s.later(gatherTime)
		}
		return nil
	}
	defer s.later(s.o.quiet)
	return writeItem(s.w, it, s.o)
}

// flush writes the rows that wait; along with what follows at once, if that is so. It
// holds mu.
func (s *sending) flush(followed bool) (err error) {
	if len(s.waiting) == 0 {
		return nil
	}
	defer s.later(s.o.quiet)
	defer s.drop()
	defer func() {
		if p := recover(); p != nil {
			err = recovered(s.o.log, "writing a result", p)
		}
	}()
	return s.w.WriteGathered(s.waiting, followed)
}

// drop releases the rows that wait. It holds mu.
func (s *sending) drop() {
	for i, rec := range s.waiting {
		rec.Release()
		s.waiting[i] = nil
	}
	s.waiting, s.size = s.waiting[:0], 0
}

// last ends the stream with what ended the rows.
func (s *sending) last(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if failed := s.flush(true); failed != nil {
		return failed
	}
	if err == io.EOF {
		return s.w.Close()
	}
	return err
}

// alive writes the schema if there are no rows yet, and later a record batch without
// rows: so clients and whatever is between see that the call lives.
func (s *sending) alive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.err != nil || time.Now().Before(s.due) {
		return // or there were rows while this waited for its turn
	}
	if len(s.waiting) > 0 {
		s.err = s.flush(false)
	} else if s.w.Started() {
		s.err = s.w.Write(empty(s.w.Schema()))
	} else {
		s.err = s.w.Start()
	}
	if s.err != nil {
		s.cancel() // who reads rows must not go on
		return
	}
	s.later(s.o.quiet)
}

// later has alive called when nothing is written for so long. It holds mu.
func (s *sending) later(wait time.Duration) {
	s.due = time.Now().Add(wait)
	s.still.Reset(wait)
}

// end stops the timer; nothing is written after it.
func (s *sending) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.still.Stop()
	s.drop()
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
