package rate

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/numbered"
)

// Providers returns the provider rate. Its options are rowsPerSecond (1),
// rampUpTime (0s), the time until that rate is reached, and numPartitions, the
// splits of an epoch.
func Providers() []sources.Provider {
	return []sources.Provider{{Name: "rate", Options: []string{"rowsPerSecond", "rampUpTime", "numPartitions"}, Stream: open, Lasting: true}}
}

// Source makes rows as the clock goes.
type Source struct {
	schema     *arrow.Schema
	clock      base.Clock
	seq        sequence // without its start
	partitions int64    // 0: not given
	frozen     int64    // the second that Freeze fixed, or −1
}

var (
	_ sources.Source  = (*Source)(nil)
	_ sources.Freezer = (*Source)(nil)
)

func open(_ context.Context, cfg sources.Config) (sources.Source, error) {
	s := &Source{schema: numbered.CounterSchema(), clock: cfg.Clock, frozen: -1}
	if s.clock == nil {
		s.clock = base.RealClock{}
	}
	var err error
	if s.seq.rowsPerSecond, err = cfg.Options.Int("rowsPerSecond", 1); err != nil {
		return nil, err
	}
	if n := s.seq.rowsPerSecond; n <= 0 || n > maxRowsPerSecond {
		return nil, base.Errorf(base.CodeInvalid, "option rowsPerSecond: %d is not between 1 and %d", n, maxRowsPerSecond)
	}
	if s.seq.ramp, err = rampUp(cfg.Options); err != nil {
		return nil, err
	}
	if s.partitions, err = numbered.Partitions(cfg.Options); err != nil {
		return nil, err
	}
	return s, numbered.CheckSchema("rate", cfg.Schema, s.schema)
}

// rampUp reads rampUpTime in seconds; a number without a unit is seconds as well.
func rampUp(o base.Options) (int64, error) {
	seconds, err := o.Int("rampUpTime", 0)
	if err != nil {
		d, err := o.Duration("rampUpTime", 0)
		if err != nil {
			return 0, err
		}
		seconds = int64(d / time.Second)
	}
	if seconds < 0 || seconds > maxSeconds {
		return 0, base.Errorf(base.CodeInvalid, "option rampUpTime: %d seconds are not between 0 and %d", seconds, int64(maxSeconds))
	}
	return seconds, nil
}

// Schema returns timestamp TIMESTAMP, value BIGINT.
func (s *Source) Schema() *arrow.Schema { return s.schema }

// Initial is now: the query's first row is of this second.
func (s *Source) Initial(context.Context) (base.Offset, error) {
	return offset{s.clock.Now().UnixMilli(), 0}.encode(), nil
}

// Latest returns the seconds that are over. There are no limits.
func (s *Source) Latest(_ context.Context, from base.Offset, _ sources.Limit) (base.Offset, error) {
	o, err := decode(from)
	if err != nil {
		return "", err
	}
	now := s.over(o.Start)
	if s.frozen >= 0 {
		now = s.frozen
	}
	if s.seq.rowsAfter(now) <= s.seq.rowsAfter(o.Seconds) {
		return from, nil
	}
	return offset{o.Start, now}.encode(), nil
}

// over is how many seconds are over since start.
func (s *Source) over(start int64) int64 {
	return max(0, min((s.clock.Now().UnixMilli()-start)/1000, maxSeconds))
}

// Freeze fixes the end at the seconds that are over.
func (s *Source) Freeze(_ context.Context, from base.Offset) error {
	o, err := decode(from)
	if err == nil {
		s.frozen = s.over(o.Start)
	}
	return err
}

// Read makes the rows of the seconds between the two offsets, in order, in so many
// splits as there are partitions.
func (s *Source) Read(_ context.Context, from, to base.Offset, scan sources.Scan) ([]sources.Split, error) {
	a, err := decode(from)
	if err != nil {
		return nil, err
	}
	b, err := decode(to)
	if err != nil {
		return nil, err
	}
	if a.Start != b.Start || a.Seconds > b.Seconds {
		return nil, base.Errorf(base.CodeCorrupt, "a range of %s begins at %s and ends at %s", s.Describe(), from, to)
	}
	seq := s.seq
	seq.start = a.Start
	lo, hi := seq.rowsAfter(a.Seconds), seq.rowsAfter(b.Seconds)
	schema := numbered.Project(s.schema, scan)
	return numbered.Splits("rate", lo, hi, numbered.PartitionRows(hi-lo, s.partitions), scan, func(lo, hi int64) (arrow.RecordBatch, error) {
		return numbered.Counter(schema, lo, hi, seq.times), nil
	}), nil
}

// Commit does nothing: every row can be made again.
func (s *Source) Commit(context.Context, base.Offset) error { return nil }

// Describe returns Spark's text: RateStreamV2[rowsPerSecond=…, …].
func (s *Source) Describe() string {
	partitions := "default"
	if s.partitions > 0 {
		partitions = fmt.Sprint(s.partitions)
	}
	return fmt.Sprintf("RateStreamV2[rowsPerSecond=%d, rampUpTimeSeconds=%d, numPartitions=%s]", s.seq.rowsPerSecond, s.seq.ramp, partitions)
}

// Close does nothing.
func (s *Source) Close() error { return nil }
