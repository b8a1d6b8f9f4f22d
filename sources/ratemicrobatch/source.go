package ratemicrobatch

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/numbered"
)

// Providers returns the provider rate-micro-batch. Its options are rowsPerBatch,
// which is needed, numPartitions, the splits of an epoch, startTimestamp, the
// first epoch's time in milliseconds since 1970 (0), and advanceMillisPerBatch,
// the step to the next (1000).
func Providers() []sources.Provider {
	return []sources.Provider{{Name: "rate-micro-batch", Options: []string{"rowsPerBatch", "numPartitions", "startTimestamp", "advanceMillisPerBatch"}, Stream: open, Lasting: true}}
}

// Source makes the rows of one epoch after the other.
type Source struct {
	schema               *arrow.Schema
	rows, start, advance int64
	partitions           int64 // 0: not given
	frozen               *offset
}

var (
	_ sources.Source  = (*Source)(nil)
	_ sources.Freezer = (*Source)(nil)
)

func open(_ context.Context, cfg sources.Config) (sources.Source, error) {
	s := &Source{schema: numbered.CounterSchema()}
	for _, o := range []struct {
		name          string
		to            *int64
		def, min, max int64
	}{
		{"rowsPerBatch", &s.rows, 0, 1, 1 << 40},
		{"startTimestamp", &s.start, 0, 0, maxTimestamp},
		{"advanceMillisPerBatch", &s.advance, 1000, 0, 1<<31 - 1},
	} {
		var err error
		if *o.to, err = cfg.Options.Int(o.name, o.def); err != nil {
			return nil, err
		}
		if *o.to < o.min || *o.to > o.max {
			return nil, base.Errorf(base.CodeInvalid, "option %s: %d is not between %d and %d", o.name, *o.to, o.min, o.max)
		}
	}
	var err error
	if s.partitions, err = numbered.Partitions(cfg.Options); err != nil {
		return nil, err
	}
	return s, numbered.CheckSchema("rate-micro-batch", cfg.Schema, s.schema)
}

// Schema returns timestamp TIMESTAMP, value BIGINT.
func (s *Source) Schema() *arrow.Schema { return s.schema }

// Initial is row 0 at startTimestamp.
func (s *Source) Initial(context.Context) (base.Offset, error) {
	return offset{0, s.start}.encode(), nil
}

// Latest returns the offset one epoch further.
func (s *Source) Latest(_ context.Context, from base.Offset, _ sources.Limit) (base.Offset, error) {
	o, err := decode(from)
	if err != nil {
		return "", err
	}
	next := s.next(o)
	if s.frozen != nil {
		next = *s.frozen
	}
	if next.Offset <= o.Offset || next.Offset > maxOffset || next.Timestamp > maxTimestamp {
		return from, nil
	}
	return next.encode(), nil
}

func (s *Source) next(o offset) offset { return offset{o.Offset + s.rows, o.Timestamp + s.advance} }

// Freeze fixes the end one epoch further: AvailableNow runs one epoch.
func (s *Source) Freeze(_ context.Context, from base.Offset) error {
	o, err := decode(from)
	if err != nil {
		return err
	}
	o = s.next(o)
	s.frozen = &o
	return nil
}

// Read makes the rows of the range, in order, in so many splits as there are
// partitions.
func (s *Source) Read(_ context.Context, from, to base.Offset, scan sources.Scan) ([]sources.Split, error) {
	a, err := decode(from)
	if err != nil {
		return nil, err
	}
	b, err := decode(to)
	if err != nil {
		return nil, err
	}
	if a.Offset > b.Offset || a.Timestamp > b.Timestamp {
		return nil, base.Errorf(base.CodeCorrupt, "a range of %s begins at %s and ends at %s", s.Describe(), from, to)
	}
	times := func(dst []int64, lo int64) {
		for i := range dst {
			dst[i] = (a.Timestamp + (lo+int64(i)-a.Offset)/s.rows*s.advance) * 1000
		}
	}
	schema := numbered.Project(s.schema, scan)
	per := numbered.PartitionRows(b.Offset-a.Offset, s.partitions)
	return numbered.Splits("rate-micro-batch", a.Offset, b.Offset, per, scan, func(lo, hi int64) (arrow.RecordBatch, error) {
		return numbered.Counter(schema, lo, hi, times), nil
	}), nil
}

// Commit does nothing: every row can be made again.
func (s *Source) Commit(context.Context, base.Offset) error { return nil }

// Describe returns Spark's text: RatePerMicroBatchStream[rowsPerBatch=…, …].
func (s *Source) Describe() string {
	return fmt.Sprintf("RatePerMicroBatchStream[rowsPerBatch=%d, numPartitions=%d, startTimestamp=%d, advanceMsPerBatch=%d]",
		s.rows, max(1, s.partitions), s.start, s.advance)
}

// Close does nothing.
func (s *Source) Close() error { return nil }
