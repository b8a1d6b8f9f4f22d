package flightd

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
)

// functionSink hands each epoch to a function of the program. It remembers
// nothing, so a replayed epoch reaches the function again.
type functionSink struct {
	f    func(ctx context.Context, rows []arrow.RecordBatch, batchID int64) error
	rows []arrow.RecordBatch
}

var _ sinks.Sink = (*functionSink)(nil)

// Write keeps the rows until the epoch is complete.
func (s *functionSink) Write(_ context.Context, _ base.Epoch, _ sinks.Mode, rec arrow.RecordBatch) error {
	rec.Retain()
	s.rows = append(s.rows, rec)
	return nil
}

// Commit calls the function.
func (s *functionSink) Commit(ctx context.Context, epoch base.Epoch, _ sinks.Mode, _ base.Digest) error {
	defer s.forget()
	return s.f(ctx, s.rows, int64(epoch))
}

func (s *functionSink) forget() {
	for _, r := range s.rows {
		r.Release()
	}
	s.rows = nil
}

// Describe is Spark's name of the sink.
func (s *functionSink) Describe() string { return "ForeachBatchSink" }

// Close forgets the rows of an epoch that was not committed.
func (s *functionSink) Close() error {
	s.forget()
	return nil
}
