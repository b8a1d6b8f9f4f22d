package kafka

import (
	"slices"
	"strings"
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/kafkaclient"
	"github.com/flightd/flightd/internal/roots"
)

// config is what the options of a source or a table say.
type config struct {
	strategy   strategy
	start, end bound
	// latestIfNone starts at the end where no record is as young as a starting
	// time; otherwise that is an error.
	latestIfNone   bool
	failOnDataLoss bool
	headers        bool

	pollTimeout   time.Duration
	offsetTries   int
	retryInterval time.Duration

	// maxOffsets, minOffsets, minSplits and maxRecords are 0 if not given.
	maxOffsets, minOffsets int64
	maxDelay               time.Duration
	minSplits, maxRecords  int64

	groupPrefix string
	client      *kafkaclient.Settings
}

func optionNames() []string {
	return []string{
		"subscribe", "subscribePattern", "assign", "startingOffsets", "startingOffsetsByTimestamp", "startingTimestamp", "startingOffsetsByTimestampStrategy",
		"endingOffsets", "endingOffsetsByTimestamp", "endingTimestamp", "failOnDataLoss", "kafkaConsumer.pollTimeoutMs",
		"fetchOffset.numRetries", "fetchOffset.retryIntervalMs", "maxOffsetsPerTrigger", "minOffsetsPerTrigger", "maxTriggerDelay",
		"minPartitions", "maxRecordsPerPartition", "groupIdPrefix", "includeHeaders", "kafka.*",
		"topic", // where the table is written to; not used here
	}
}

func parseConfig(o base.Options, disk *roots.Set, batch bool) (*config, error) {
	if err := o.CheckKeys("source kafka", optionNames()); err != nil {
		return nil, err
	}
	c := &config{}
	var err error
	if c.client, err = kafkaclient.Parse("source kafka", kafkaclient.Consumer, o, disk); err != nil {
		return nil, err
	}
	if c.strategy, err = parseStrategy(o); err != nil {
		return nil, err
	}
	startDefault := int64(latestOffset)
	if batch {
		startDefault = earliestOffset
	}
	if c.start, err = parseBound(o, "starting", startDefault); err != nil {
		return nil, err
	}
	if c.end, err = parseBound(o, "ending", latestOffset); err != nil {
		return nil, err
	}
	if batch {
		if err := forBatch(c.start, c.end); err != nil {
			return nil, err
		}
	} else if name, ok := firstOf(o, "endingOffsets", "endingOffsetsByTimestamp", "endingTimestamp"); ok {
		return nil, base.UserError("", "", "source kafka: option %s: ending offset not valid in streaming queries", name)
	}
	switch v := strings.ToLower(o.String("startingOffsetsByTimestampStrategy", "error")); v {
	case "error":
	case "latest":
		c.latestIfNone = true
	default:
		return nil, base.UserError("", "", "source kafka: option startingOffsetsByTimestampStrategy: %q is neither error nor latest", v)
	}
	if err := c.parseScalars(o); err != nil {
		return nil, base.Wrap(err, "source kafka")
	}
	return c, nil
}

// parseScalars reads the options that are one number or one word.
func (c *config) parseScalars(o base.Options) error {
	var err error
	if c.failOnDataLoss, err = o.Bool("failOnDataLoss", true); err != nil {
		return err
	}
	if c.headers, err = o.Bool("includeHeaders", false); err != nil {
		return err
	}
	var poll, tries, interval int64
	for _, n := range []struct {
		name       string
		into       *int64
		def, least int64
	}{
		{"kafkaConsumer.pollTimeoutMs", &poll, 120_000, 1}, {"fetchOffset.numRetries", &tries, 3, 0}, {"fetchOffset.retryIntervalMs", &interval, 10, 0},
		{"maxOffsetsPerTrigger", &c.maxOffsets, 0, 1}, {"minOffsetsPerTrigger", &c.minOffsets, 0, 1},
		{"minPartitions", &c.minSplits, 0, 1}, {"maxRecordsPerPartition", &c.maxRecords, 0, 1},
	} {
		if *n.into, err = o.Int(n.name, n.def); err != nil {
			return err
		}
		if _, given := o.Lookup(n.name); given && *n.into < n.least {
			return base.UserError("", "", "option %s: %d is less than %d", n.name, *n.into, n.least)
		}
	}
	const hours = 24 * 365 * time.Hour
	c.pollTimeout = min(time.Duration(min(poll, int64(hours/time.Millisecond)))*time.Millisecond, hours)
	c.offsetTries = int(min(tries, 1000)) + 1
	c.retryInterval = time.Duration(min(interval, int64(time.Hour/time.Millisecond))) * time.Millisecond
	if c.maxDelay, err = o.Duration("maxTriggerDelay", 15*time.Minute); err != nil {
		return err
	}
	if c.maxOffsets > 0 && c.minOffsets > c.maxOffsets {
		return base.UserError("", "", "The value of minOffsetsPerTrigger(%d) is higher than the maxOffsetsPerTrigger(%d).", c.minOffsets, c.maxOffsets)
	}
	c.groupPrefix = o.String("groupIdPrefix", "spark-kafka-source")
	return nil
}

// group is the name of the reader in messages. No group is joined and nothing is
// committed to one, so queries of the same group do not disturb each other.
func (c *config) group() string {
	if c.client.GroupID != "" {
		return c.client.GroupID
	}
	return c.groupPrefix
}

func firstOf(o base.Options, names ...string) (string, bool) {
	i := slices.IndexFunc(names, func(n string) bool { _, ok := o.Lookup(n); return ok })
	if i < 0 {
		return "", false
	}
	return names[i], true
}
