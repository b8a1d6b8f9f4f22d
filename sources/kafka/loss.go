package kafka

import (
	"sync/atomic"

	"github.com/flightd/flightd/internal/base"
)

// losses says what is done about records that are gone, and counts them.
type losses struct {
	fail bool
	// table turns data loss into a changed static input.
	table bool
	// offsets counts what was skipped, gaps included.
	offsets atomic.Int64
}

// report returns err, or counts n skipped offsets and returns nil if losses are
// accepted.
func (l *losses) report(n int64, err *base.Error) error {
	if !l.fail {
		l.offsets.Add(max(n, 0))
		return nil
	}
	if l.table {
		return &base.Error{Code: base.CodeCorrupt, Condition: "STATIC_INPUT_CHANGED", SQLState: err.SQLState, Msg: err.Msg, Hint: err.Hint}
	}
	return err
}

// dataLoss is Spark's condition KAFKA_DATA_LOSS with one of its subconditions.
func dataLoss(sub, format string, args ...any) *base.Error {
	e := base.UserError("KAFKA_DATA_LOSS."+sub, "22000", format, args...)
	e.Msg = "Records that were not read yet are not in Kafka any more: they were aged out, or the topic was deleted. " + e.Msg
	return e.WithHint("set the source option failOnDataLoss to false to go on without them")
}

func partitionsDeleted(ps []partition, c *config) *base.Error {
	if c.client.GroupID != "" {
		return dataLoss("PARTITIONS_DELETED_AND_GROUP_ID_CONFIG_PRESENT", "Partitions %s have been deleted. The option 'kafka.group.id' is set on this query.", texts(ps))
	}
	return dataLoss("PARTITIONS_DELETED", "Partitions %s have been deleted.", texts(ps))
}

func partitionOffsetChanged(p partition, from, to int64) *base.Error {
	return dataLoss("PARTITION_OFFSET_CHANGED", "Partition %s offset was changed from %d to %d.", p, from, to)
}

func addedPartition(p partition, start int64) *base.Error {
	return dataLoss("ADDED_PARTITION_DOES_NOT_START_FROM_OFFSET_ZERO", "Added partition %s starts from %d instead of 0.", p, start)
}

func initialNotFound(ps []partition) *base.Error {
	return dataLoss("INITIAL_OFFSET_NOT_FOUND_FOR_PARTITIONS", "Cannot find initial offsets for partitions %s. They may have been deleted.", texts(ps))
}

func couldNotRead(p partition, from, to int64, group string) *base.Error {
	return dataLoss("COULD_NOT_READ_OFFSET_RANGE", "Could not read records in offset [%d, %d) for topic partition %s with consumer group %s.", from, to, p, group)
}

func startOffsetReset(p partition, asked, got int64) *base.Error {
	return dataLoss("START_OFFSET_RESET", "Starting offset for %s was %d but the nearest offset there is %d.", p, asked, got)
}
