package stream

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/rowlog"
)

// OptionNames are the options of a stream table. A table has one set of options for
// its readers and its writers.
func OptionNames() []string {
	return []string{"startingOffsets", "maxRowsPerTrigger", "maxBytesPerTrigger", "failOnDataLoss", "retention", "retentionBytes", "segmentBytes"}
}

// reading are the options of those who read a table as a stream.
type reading struct {
	rows, bytes  int64
	fail, latest bool
}

// ParseLog puts the options that say how the rows are kept into a log's.
func ParseLog(o base.Options, into *rowlog.Options) error {
	var err error
	if into.Retention, err = o.Duration("retention", 0); err != nil {
		return err
	}
	if into.Retention < 0 {
		return base.Errorf(base.CodeInvalid, "option retention: %v is negative", into.Retention)
	}
	if into.RetentionBytes, err = atLeast(o, "retentionBytes", 0); err != nil {
		return err
	}
	if into.SegmentBytes, err = atLeast(o, "segmentBytes", 1); err != nil {
		return err
	}
	_, err = parse(o)
	return err
}

func parse(o base.Options) (r reading, err error) {
	if r.rows, err = atLeast(o, "maxRowsPerTrigger", 1); err != nil {
		return r, err
	}
	if r.bytes, err = atLeast(o, "maxBytesPerTrigger", 1); err != nil {
		return r, err
	}
	if r.fail, err = o.Bool("failOnDataLoss", true); err != nil {
		return r, err
	}
	switch start := o.String("startingOffsets", "earliest"); strings.ToLower(start) {
	case "earliest":
	case "latest":
		r.latest = true
	default:
		return r, base.Errorf(base.CodeInvalid, "option startingOffsets: %q is neither earliest nor latest", start)
	}
	return r, nil
}

// atLeast reads an option that counts; 0 if it was not given.
func atLeast(o base.Options, key string, least int64) (int64, error) {
	n, err := o.Int(key, 0)
	if _, given := o.Lookup(key); err == nil && given && n < least {
		err = base.Errorf(base.CodeInvalid, "option %s: %d is less than %d", key, n, least)
	}
	return n, err
}
