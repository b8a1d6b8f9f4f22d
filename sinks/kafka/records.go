package kafka

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flightd/flightd/internal/base"
)

// noPartition leaves the choice to the partitioner.
const noPartition = math.MinInt32

// records makes a Kafka record of each row. Keys and values are the bytes of rec,
// not copies: rec must be kept until the records are acknowledged.
func (s *shape) records(rec arrow.RecordBatch) ([]kgo.Record, error) {
	rows := make([]kgo.Record, rec.NumRows())
	value := bytesOf(rec.Column(s.value))
	key := func(int) []byte { return nil }
	if s.key >= 0 {
		key = bytesOf(rec.Column(s.key))
	}
	for i := range rows {
		rows[i] = kgo.Record{Topic: s.topic, Key: key(i), Value: value(i), Partition: noPartition}
	}
	if s.topicColumn >= 0 {
		topics := rec.Column(s.topicColumn).(*array.String)
		for i := range rows {
			if topics.IsNull(i) {
				return nil, base.UserError("KAFKA_NULL_TOPIC_IN_DATA", "22000", "The Kafka message data sent to the producer contains a null topic.").
					WithHint("use the option topic for setting a topic")
			}
			rows[i].Topic = topics.Value(i)
		}
	}
	if s.partition >= 0 {
		ids := rec.Column(s.partition).(*array.Int32)
		for i := range rows {
			switch {
			case ids.IsNull(i):
			case ids.Value(i) < 0:
				return nil, base.UserError("", "", "sink kafka: the column partition is %d in a row for topic %s", ids.Value(i), rows[i].Topic)
			default:
				rows[i].Partition = ids.Value(i)
			}
		}
	}
	if s.headers >= 0 {
		addHeaders(rows, rec.Column(s.headers).(*array.List))
	}
	return rows, nil
}

// bytesOf returns a column's value by row; nil where it is null.
func bytesOf(col arrow.Array) func(int) []byte {
	var offsets []int32
	var data []byte
	at := col.Data().Offset()
	if b := col.Data().Buffers(); b[1] != nil {
		offsets = arrow.Int32Traits.CastFromBytes(b[1].Bytes())
		if b[2] != nil {
			data = b[2].Bytes()
		}
	}
	if data == nil {
		data = []byte{} // an empty value is not a null one
	}
	return func(i int) []byte {
		if col.IsNull(i) {
			return nil
		}
		return data[offsets[at+i]:offsets[at+i+1]:offsets[at+i+1]]
	}
}

func addHeaders(rows []kgo.Record, lists *array.List) {
	elems := lists.ListValues().(*array.Struct)
	keys := elems.Field(0).(*array.String)
	values := bytesOf(elems.Field(1))
	for i := range rows {
		if lists.IsNull(i) {
			continue
		}
		from, to := lists.ValueOffsets(i)
		for j := int(from); j < int(to); j++ {
			if elems.IsNull(j) {
				continue
			}
			h := kgo.RecordHeader{Value: values(j)}
			if !keys.IsNull(j) {
				h.Key = keys.Value(j)
			}
			rows[i].Headers = append(rows[i].Headers, h)
		}
	}
}

// placing puts records with a partition there and leaves others to Kafka's own
// rule: by the key's murmur2 hash, or batch by batch without a key.
type placing struct{ rule kgo.Partitioner }

// ForTopic returns the rule of one topic.
func (p placing) ForTopic(topic string) kgo.TopicPartitioner {
	return &placingTopic{p.rule.ForTopic(topic)}
}

type placingTopic struct{ rule kgo.TopicPartitioner }

// RequiresConsistency keeps a record with a partition from going elsewhere.
func (p *placingTopic) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition != noPartition || p.rule.RequiresConsistency(r)
}

// Partition returns the index among n partitions.
func (p *placingTopic) Partition(r *kgo.Record, n int) int {
	if r.Partition != noPartition {
		return int(r.Partition)
	}
	return p.rule.Partition(r, n)
}

// OnNewBatch lets records without a key go to another partition.
func (p *placingTopic) OnNewBatch() {
	if b, ok := p.rule.(kgo.TopicPartitionerOnNewBatch); ok {
		b.OnNewBatch()
	}
}
