package kafka

import (
	"context"
	"fmt"

	"github.com/flightd/flightd/internal/base"
)

// subscribed returns the partitions that are read, as the cluster has them now.
// A new query (first) must find what it names.
func (c *conn) subscribed(ctx context.Context, first bool) ([]partition, error) {
	m, err := c.metadata(ctx, c.cfg.strategy.names())
	if err != nil {
		return nil, err
	}
	if what := c.cfg.strategy.missing(m); first && what != "" {
		return nil, base.Errorf(base.CodeNotFound, "source kafka: there is no %s", what).
			WithHint("create it first; topics that come later are found by subscribePattern")
	}
	return c.cfg.strategy.pick(m), nil
}

// resolve turns a bound into positions of ps. isStart says which end of the range
// it is, for messages and for times behind the last record.
func (c *conn) resolve(ctx context.Context, b bound, isStart bool, ps []partition, l *losses) (positions, error) {
	switch {
	case b.timestamped():
		return c.resolveTimes(ctx, b, isStart, ps)
	case b.offsets != nil:
		return c.resolveOffsets(ctx, b, isStart, ps, l)
	}
	out, err := c.ends(ctx, ps, b.all)
	if err != nil {
		return nil, err
	}
	return out, missingIn(out, ps, l)
}

// missingIn reports partitions that went away between two requests.
func missingIn(got positions, ps []partition, l *losses) error {
	var gone []partition
	for _, p := range ps {
		if _, ok := got[p]; !ok {
			gone = append(gone, p)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return l.report(0, initialNotFound(gone))
}

// sameSet holds offsets given by partition to the partitions that there are.
func sameSet(given positions, ps []partition, mismatch func(given, there string) error) error {
	same := len(given) == len(ps)
	for _, p := range ps {
		_, ok := given[p]
		same = same && ok
	}
	if same {
		return nil
	}
	return mismatch(texts(given.sorted()), texts(ps))
}

func (c *conn) resolveOffsets(ctx context.Context, b bound, isStart bool, ps []partition, l *losses) (positions, error) {
	err := sameSet(b.offsets, ps, func(given, there string) error {
		return base.UserError("KAFKA_START_OFFSET_DOES_NOT_MATCH_ASSIGNED", "22000",
			"If %sOffsets contains specific offsets, you must specify all TopicPartitions. Use -1 for latest, -2 for earliest. Specified: %s. Assigned: %s.", sideName(isStart), given, there)
	})
	if err != nil {
		return nil, err
	}
	first, err := c.ends(ctx, ps, earliestOffset)
	if err != nil {
		return nil, err
	}
	last, err := c.ends(ctx, ps, latestOffset)
	if err != nil {
		return nil, err
	}
	out := positions{}
	for _, p := range ps {
		lo, ok := first[p]
		hi, there := last[p]
		if !ok || !there {
			continue
		}
		switch at := b.offsets[p]; {
		case at == latestOffset:
			out[p] = hi
		case at == earliestOffset:
			out[p] = lo
		case at < lo || at > hi:
			near := min(max(at, lo), hi)
			if err := l.report(max(lo-at, 0), startOffsetReset(p, at, near)); err != nil {
				return nil, err
			}
			out[p] = near
		default:
			out[p] = at
		}
	}
	return out, missingIn(out, ps, l)
}

func (c *conn) resolveTimes(ctx context.Context, b bound, isStart bool, ps []partition) (positions, error) {
	times := make(map[partition]int64, len(ps))
	for _, p := range ps {
		times[p] = b.time
	}
	if !b.byTime {
		err := sameSet(b.times, ps, func(given, there string) error {
			return base.UserError("KAFKA_TIMESTAMP_OFFSET_DOES_NOT_MATCH_ASSIGNED", "22000",
				"Partitions specified for Kafka %s don't match what are assigned. Specified: %s. Assigned: %s.", sideName(isStart), given, there)
		})
		if err != nil {
			return nil, err
		}
		times = b.times
	}
	out, err := c.list(ctx, times)
	if err != nil {
		return nil, err
	}
	var none []partition
	for _, p := range ps {
		if at, ok := out[p]; !ok || at < 0 {
			none = append(none, p)
		}
	}
	if len(none) == 0 {
		return out, nil
	}
	if isStart && !c.cfg.latestIfNone {
		return nil, base.UserError("", "", "No offset matched from request of topic-partition %s and timestamp %d.", none[0], times[none[0]]).
			WithHint("'startingOffsetsByTimestampStrategy' = 'latest' starts at the end where no record is as young")
	}
	last, err := c.ends(ctx, none, latestOffset)
	if err != nil {
		return nil, err
	}
	for _, p := range none {
		at, ok := last[p]
		if !ok {
			return nil, base.Errorf(base.CodeNotFound, "source kafka: there is no partition %s any more", p)
		}
		out[p] = at
	}
	return out, nil
}

func sideName(isStart bool) string {
	if isStart {
		return "starting"
	}
	return "ending"
}

// ranges pairs two positions of the same partitions, in order. Where to lies
// before from the log was cut, which is reported as a loss.
func ranges(from, to positions, l *losses) ([]offsetRange, error) {
	var out []offsetRange
	for _, p := range to.sorted() {
		r := offsetRange{p, from[p], to[p]}
		switch {
		case r.size() < 0:
			if err := l.report(0, partitionOffsetChanged(p, r.from, r.to)); err != nil {
				return nil, err
			}
		case r.size() > 0:
			out = append(out, r)
		}
	}
	return out, nil
}

// planning wraps an error of the plan of a range.
func planning(err error, from, to base.Offset) error {
	return base.Wrap(err, "reading (%s, %s]", clip(from), clip(to))
}

func clip(o base.Offset) string {
	if len(o) > 120 {
		return fmt.Sprintf("%s… %d bytes", o[:100], len(o))
	}
	return string(o)
}
