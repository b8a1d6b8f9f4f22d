package kafka

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/kafkaclient"
	"github.com/flightd/flightd/sinks"
)

// optionNames are topic and kafka.*; the others are the source's, which a table
// that is read and written has as well.
func optionNames() []string {
	return []string{
		"topic", "kafka.*",
		"subscribe", "subscribePattern", "assign", "startingOffsets", "startingOffsetsByTimestamp", "startingTimestamp", "startingOffsetsByTimestampStrategy",
		"endingOffsets", "endingOffsetsByTimestamp", "endingTimestamp", "failOnDataLoss", "kafkaConsumer.pollTimeoutMs",
		"fetchOffset.numRetries", "fetchOffset.retryIntervalMs", "maxOffsetsPerTrigger", "minOffsetsPerTrigger", "maxTriggerDelay",
		"minPartitions", "maxRecordsPerPartition", "groupIdPrefix", "includeHeaders",
	}
}

// shape says where the parts of a record are in a row; −1 for a column that is
// not there.
type shape struct {
	key, value, headers, partition int
	// topicColumn is −1 if topic is set.
	topicColumn int
	topic       string
}

// settings are the options and the columns, checked.
type settings struct {
	shape
	client *kafkaclient.Settings
}

func parseSettings(cfg sinks.Config) (*settings, error) {
	if err := cfg.Options.CheckKeys("sink kafka", optionNames()); err != nil {
		return nil, err
	}
	client, err := kafkaclient.Parse("sink kafka", kafkaclient.Producer, cfg.Options, cfg.Disk)
	if err != nil {
		return nil, err
	}
	if len(cfg.PartitionBy) > 0 {
		return nil, base.UserError("", "", "sink kafka: rows cannot be partitioned by columns").
			WithHint("the column partition says which partition of the topic a row goes to")
	}
	s := &settings{client: client}
	if s.shape, err = findColumns(cfg.Schema); err != nil {
		return nil, err
	}
	if s.topic = strings.TrimSpace(cfg.Options.String("topic", "")); s.topic != "" {
		s.topicColumn = -1
	} else if s.topicColumn < 0 {
		return nil, base.UserError("", "", "sink kafka: topic option required when no 'topic' attribute is present.").
			WithHint("set the option topic, or select a column topic")
	}
	return s, nil
}

// findColumns finds the columns of a record by name, ignoring case, and checks
// their types.
func findColumns(schema *arrow.Schema) (shape, error) {
	var s shape
	for _, c := range []struct {
		name string
		at   *int
		ok   func(arrow.DataType) bool
		want string
	}{
		{"key", &s.key, isBytes, "a string or binary"}, {"value", &s.value, isBytes, "a string or binary"},
		{"topic", &s.topicColumn, isString, "a string"}, {"headers", &s.headers, isHeaders, "an array of struct<key: string, value: binary>"},
		{"partition", &s.partition, isInt, "an int"},
	} {
		*c.at = -1
		for i, f := range schema.Fields() {
			if !strings.EqualFold(f.Name, c.name) {
				continue
			}
			if *c.at >= 0 {
				return s, base.UserError("", "", "sink kafka: there are two columns %s", c.name)
			}
			if !c.ok(f.Type) {
				return s, base.UserError("", "", "sink kafka: %s attribute type must be %s, not %s", c.name, c.want, f.Type)
			}
			*c.at = i
		}
	}
	if s.value < 0 {
		return s, base.UserError("", "", "sink kafka: Required attribute 'value' not found.").
			WithHint("select the text or bytes of a record AS value: to_json(struct(*)) AS value")
	}
	return s, nil
}

func isString(t arrow.DataType) bool { return t.ID() == arrow.STRING }
func isBytes(t arrow.DataType) bool  { return t.ID() == arrow.STRING || t.ID() == arrow.BINARY }
func isInt(t arrow.DataType) bool    { return t.ID() == arrow.INT32 }

func isHeaders(t arrow.DataType) bool {
	l, ok := t.(*arrow.ListType)
	if !ok {
		return false
	}
	s, ok := l.Elem().(*arrow.StructType)
	return ok && s.NumFields() == 2 && isString(s.Field(0).Type) && s.Field(1).Type.ID() == arrow.BINARY
}
