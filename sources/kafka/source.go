package kafka

import (
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
)

// Source is the stream of Kafka topics. An offset has, for each partition, the
// next offset to read, in Spark's form {"topic":{"0":5,"1":9}}.
type Source struct {
	cfg    *config
	conn   *conn
	schema *arrow.Schema
	clock  base.Clock
	losses *losses
	seen   *traffic

	mu       sync.Mutex
	patience patience
	// ends are the ends of the logs as Latest last saw them.
	ends positions
	// frozen are the ends at Freeze; nil before.
	frozen positions
}

var (
	_ sources.Source   = (*Source)(nil)
	_ sources.Freezer  = (*Source)(nil)
	_ sources.Measurer = (*Source)(nil)
)

func openStream(_ context.Context, cfg sources.Config) (sources.Source, error) {
	c, err := parseConfig(cfg.Options, cfg.Disk, false)
	if err != nil {
		return nil, err
	}
	schema := newSchema(c.headers)
	if err := checkSchema(cfg.Schema, schema); err != nil {
		return nil, err
	}
	conn, err := dial(c)
	if err != nil {
		return nil, err
	}
	clock := cfg.Clock
	if clock == nil {
		clock = base.RealClock{}
	}
	return &Source{cfg: c, conn: conn, schema: schema, clock: clock, losses: &losses{fail: c.failOnDataLoss}, seen: &traffic{},
		patience: patience{least: c.minOffsets, delay: c.maxDelay}}, nil
}

// Schema returns the fixed columns.
func (s *Source) Schema() *arrow.Schema { return s.schema }

// Describe returns the text of Spark's progress: KafkaV2[Subscribe[t1, t2]].
func (s *Source) Describe() string { return "KafkaV2[" + s.cfg.strategy.text + "]" }

// Initial returns where the starting options point now.
func (s *Source) Initial(ctx context.Context) (base.Offset, error) {
	ps, err := s.conn.subscribed(ctx, true)
	if err != nil {
		return "", err
	}
	at, err := s.conn.resolve(ctx, s.cfg.start, true, ps, s.losses)
	if err != nil {
		return "", base.Wrap(err, "source kafka: resolving where to start")
	}
	return at.offset(), nil
}

// Freeze fixes the end at what is there now.
func (s *Source) Freeze(ctx context.Context, from base.Offset) error {
	at, err := parseOffset(from)
	if err != nil {
		return err
	}
	ends, err := s.current(ctx, at)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = ends
	return nil
}

// Latest returns the ends of the logs, or less if lim asks for the rate limits.
func (s *Source) Latest(ctx context.Context, from base.Offset, lim sources.Limit) (base.Offset, error) {
	at, err := parseOffset(from)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	ends, frozen := s.frozen, s.frozen != nil
	s.mu.Unlock()
	if !frozen {
		if ends, err = s.current(ctx, at); err != nil {
			return "", err
		}
	}
	begin, err := s.begin(ctx, at, ends, false)
	if err != nil {
		return "", err
	}
	news, changed, err := s.compare(at, begin, ends)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends = ends
	if news == 0 && !changed {
		return from, nil
	}
	if lim.Options && !changed && !frozen && s.patience.wait(s.clock.Now(), news) {
		return from, nil
	}
	if lim.Options && s.cfg.maxOffsets > 0 {
		ends = prorate(begin, ends, s.cfg.maxOffsets)
	}
	return ends.offset(), nil
}

// current returns the ends of all logs. A broker that has just started may not
// know every topic yet, and one that has just become leader may name an end before
// one that was seen; they are asked again, for some seconds, before that counts.
func (s *Source) current(ctx context.Context, at positions) (positions, error) {
	for try := 1; ; try++ {
		ps, err := s.conn.subscribed(ctx, false)
		if err != nil {
			return nil, err
		}
		ends, err := s.conn.ends(ctx, ps, latestOffset)
		if err != nil {
			return nil, err
		}
		back := false
		for p, n := range at {
			end, ok := ends[p]
			back = back || !ok || end < n
		}
		if !back || try >= s.cfg.offsetTries+3 {
			return ends, nil
		}
		pause(ctx, max(s.cfg.retryInterval, s.cfg.client.Backoff(try)))
	}
}

// begin is at with the partitions that are new in ends: they start at the start
// of their log, which is a loss if records were removed from it already. counted
// says that the range is about to be read, so that a loss counts.
func (s *Source) begin(ctx context.Context, at, ends positions, counted bool) (positions, error) {
	out := positions{}
	var fresh []partition
	for p := range ends {
		if n, ok := at[p]; ok {
			out[p] = n
		} else {
			fresh = append(fresh, p)
		}
	}
	if len(fresh) == 0 {
		return out, nil
	}
	starts, err := s.conn.ends(ctx, fresh, earliestOffset)
	if err != nil {
		return nil, err
	}
	if err := missingIn(starts, fresh, s.losses); err != nil {
		return nil, err
	}
	for p, n := range starts {
		if n != 0 {
			missed := n
			if !counted {
				missed = 0
			}
			if err := s.losses.report(missed, addedPartition(p, n)); err != nil {
				return nil, err
			}
		}
		out[p] = n
	}
	for _, p := range fresh {
		if _, ok := starts[p]; !ok {
			out[p] = ends[p]
		}
	}
	return out, nil
}

// compare counts the new offsets. changed says that partitions went away or were
// cut, and that this is accepted: the next offset must say so.
func (s *Source) compare(at, begin, ends positions) (news int64, changed bool, err error) {
	var gone []partition
	for _, p := range at.sorted() {
		switch end, ok := ends[p]; {
		case !ok:
			gone = append(gone, p)
		case end < at[p]:
			changed = true
			if err := s.losses.report(0, partitionOffsetChanged(p, at[p], end)); err != nil {
				return 0, false, err
			}
		}
	}
	if len(gone) > 0 {
		changed = true
		if err := s.losses.report(0, partitionsDeleted(gone, s.cfg)); err != nil {
			return 0, false, err
		}
	}
	for p, end := range ends {
		news += max(end-begin[p], 0)
	}
	return news, changed, nil
}

// Read returns a split for each partition that has something in the range, more
// if the options cut them.
func (s *Source) Read(ctx context.Context, from, to base.Offset, scan sources.Scan) ([]sources.Split, error) {
	a, err := parseOffset(from)
	if err != nil {
		return nil, err
	}
	b, err := parseOffset(to)
	if err != nil {
		return nil, err
	}
	var gone []partition
	for p := range a {
		if _, ok := b[p]; !ok {
			gone = append(gone, p)
		}
	}
	if len(gone) > 0 {
		if err := s.losses.report(0, partitionsDeleted(gone, s.cfg)); err != nil {
			return nil, planning(err, from, to)
		}
	}
	begin, err := s.begin(ctx, a, b, true)
	if err != nil {
		return nil, planning(err, from, to)
	}
	rs, err := ranges(begin, b, s.losses)
	if err != nil {
		return nil, planning(err, from, to)
	}
	return splits(rs, scan, split{cfg: s.cfg, conn: s.conn, losses: s.losses, seen: s.seen, schema: s.schema})
}

// Commit does nothing: offsets are the ledger's, and none are kept in Kafka.
func (s *Source) Commit(context.Context, base.Offset) error { return nil }

// Close closes the connections.
func (s *Source) Close() error {
	s.conn.close()
	return nil
}
