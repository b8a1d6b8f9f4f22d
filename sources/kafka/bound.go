package kafka

import (
	"strconv"
	"strings"

	"github.com/flightd/flightd/internal/base"
)

// Kafka's names for the two ends of a log, in options and in requests.
const (
	latestOffset   = -1
	earliestOffset = -2
)

// A bound says where reading starts or ends: at one end of every log, at given
// offsets, or at the first record of a time.
type bound struct {
	// all is latestOffset or earliestOffset, if the maps are nil and byTime is
	// not set.
	all int64
	// offsets are positions by partition, −1 and −2 among them.
	offsets positions
	// times are milliseconds by partition; byTime and time are one for all.
	times  positions
	byTime bool
	time   int64
}

func (b bound) timestamped() bool { return b.byTime || b.times != nil }

// parseBound reads the options with a prefix, "starting" or "ending": one time
// for all wins over times by partition, these win over offsets.
func parseBound(o base.Options, prefix string, def int64) (bound, error) {
	b := bound{all: def}
	if v, ok := o.Lookup(prefix + "Timestamp"); ok {
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		if err != nil || n < 0 {
			return b, base.UserError("", "", "source kafka: option %sTimestamp: %q is not a number of milliseconds since 1970", prefix, v)
		}
		b.byTime, b.time = true, n
		return b, nil
	}
	if v, ok := o.Lookup(prefix + "OffsetsByTimestamp"); ok {
		times, err := parsePartitionMap(v, 0)
		if err != nil {
			return b, base.UserError("", "", `source kafka: option %sOffsetsByTimestamp: %q is not JSON such as {"topicA":{"0":1577836800000}}: %v`, prefix, v, err)
		}
		b.times = times
		return b, nil
	}
	v, ok := o.Lookup(prefix + "Offsets")
	if !ok {
		return b, nil
	}
	switch strings.ToLower(strings.TrimSpace(v)) {
	case "latest":
		b.all = latestOffset
	case "earliest":
		b.all = earliestOffset
	default:
		offsets, err := parsePartitionMap(v, earliestOffset)
		if err != nil {
			return b, base.UserError("", "", `source kafka: option %sOffsets: %q is neither earliest, latest nor JSON such as {"topicA":{"0":23,"1":-2}}: %v`, prefix, v, err)
		}
		b.offsets = offsets
	}
	return b, nil
}

// has reports whether the bound names an end of a log, and for which partition.
func (b bound) has(end int64) (string, bool) {
	if b.timestamped() {
		return "", false
	}
	if b.offsets == nil {
		return "", b.all == end
	}
	for _, p := range b.offsets.sorted() {
		if b.offsets[p] == end {
			return " for " + p.String(), true
		}
	}
	return "", false
}

// forBatch checks the ends of a batch query: it cannot start at the end, nor end
// at the start.
func forBatch(start, end bound) error {
	if p, ok := start.has(latestOffset); ok {
		return base.UserError("", "", "source kafka: starting offset%s can't be latest for batch queries on Kafka", p)
	}
	if p, ok := end.has(earliestOffset); ok {
		return base.UserError("", "", "source kafka: ending offset%s can't be earliest for batch queries on Kafka", p)
	}
	return nil
}

// String is the bound in Spark's words, as a table is described.
func (b bound) String() string {
	switch {
	case b.byTime:
		return "GlobalTimestampRangeLimit(" + strconv.FormatInt(b.time, 10) + ")"
	case b.times != nil:
		return "SpecificTimestampRangeLimit(" + string(b.times.offset()) + ")"
	case b.offsets != nil:
		return "SpecificOffsetRangeLimit(" + string(b.offsets.offset()) + ")"
	case b.all == earliestOffset:
		return "EarliestOffsetRangeLimit"
	}
	return "LatestOffsetRangeLimit"
}
