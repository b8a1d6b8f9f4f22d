package flight

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
)

// optParallel is the session option that gives results several endpoints, which a
// client may read at the same time; maxParallel is the most.
const (
	optParallel = "parallel_endpoints"
	maxParallel = 64
)

// A shared is one run of a query whose record batches go to whoever asks next: each of
// several endpoints reads a part of the rows, and all of them the whole. It begins with
// the first reader and ends with the last, or when its tickets do.
type shared struct {
	run    func(context.Context) (Rows, error)
	ctx    context.Context
	cancel context.CancelFunc

	mu    sync.Mutex // held while a record batch is made
	rows  Rows
	err   error
	left  int // endpoints that were not read to their end
	ended bool
}

// parallel makes n tickets of one run of a query.
func parallel(ses *session, o Options, n int, run func(context.Context) (Rows, error)) []*ticket {
	ctx, cancel := context.WithCancel(ses.ctx)
	s := &shared{run: run, ctx: ctx, cancel: cancel, left: n}
	out := make([]*ticket, n)
	for i := range out {
		var once sync.Once
		out[i] = ses.addTicket(o, func(context.Context) (Rows, error) {
			var rows Rows
			var err error = base.Errorf(base.CodeNotFound, "this endpoint was read already; parallel endpoints share one run").
				WithHint("execute the statement again, or without %s", optParallel)
			once.Do(func() { rows, err = s.reader() })
			return rows, err
		})
	}
	// What nobody reads does not stay open for longer than it can be read, nor beyond
	// its session.
	timer := time.AfterFunc(o.TicketLife, s.close)
	context.AfterFunc(ctx, func() {
		timer.Stop()
		s.close()
	})
	return out
}

// reader begins the run, if it is the first.
func (s *shared) reader() (Rows, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil && s.err == nil && !s.ended {
		s.rows, s.err = s.run(s.ctx)
	}
	if s.ended && s.err == nil {
		s.err = base.Errorf(base.CodeNotFound, "the result is over").WithHint("execute the statement again")
	}
	if s.err != nil && s.err != io.EOF {
		return nil, s.err
	}
	return &share{run: s, schema: s.rows.Schema()}, nil
}

// next returns the next record batch of the run, and what goes along with it.
func (s *shared) next() (arrow.RecordBatch, func(from, to int64) []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return nil, nil, s.err
	case s.ended:
		return nil, nil, base.Errorf(base.CodeCanceled, "the result was closed")
	}
	rec, err := s.rows.Next(s.ctx)
	if err != nil {
		s.err = err // io.EOF, too, is every reader's
		return nil, nil, err
	}
	if a, ok := s.rows.(annotated); ok {
		return rec, a.Annotation(), nil
	}
	return rec, nil, nil
}

// leave counts a reader out; the last one closes the run.
func (s *shared) leave() {
	s.mu.Lock()
	s.left--
	last := s.left == 0
	s.mu.Unlock()
	if last {
		s.cancel()
	}
}

func (s *shared) close() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows != nil && !s.ended {
		s.rows.Close()
	}
	s.ended = true
}

// A share is the part of a run that one endpoint reads.
type share struct {
	run      *shared
	schema   *arrow.Schema
	annotate func(from, to int64) []byte
	once     sync.Once
}

// Schema is that of the run.
func (s *share) Schema() *arrow.Schema { return s.schema }

// Next returns the next record batch that no other endpoint has.
func (s *share) Next(ctx context.Context) (rec arrow.RecordBatch, err error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	rec, s.annotate, err = s.run.next()
	return rec, err
}

// Annotation is what goes along with what Next returned last.
func (s *share) Annotation() func(from, to int64) []byte { return s.annotate }

// RowsAffected is −1: the rows are a query's.
func (s *share) RowsAffected() int64 { return -1 }

// Notices are those of the run.
func (s *share) Notices() []string { return s.run.rows.Notices() }

// Close leaves the run.
func (s *share) Close() error {
	s.once.Do(s.run.leave)
	return nil
}
