package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/kafkaclient/kafkatest"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/sinktest"
)

func TestMain(m *testing.M) { kafkatest.Main(m) }

func textField(name string) arrow.Field {
	return arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}
}

// keyValue writes the rows of sinktest as text keys and values.
type keyValue struct{ sinks.Sink }

func (s keyValue) Write(ctx context.Context, epoch base.Epoch, mode sinks.Mode, rec arrow.RecordBatch) error {
	key, err := compute.CastArray(ctx, rec.Column(0), compute.SafeCastOptions(arrow.BinaryTypes.String))
	if err != nil {
		return err
	}
	defer key.Release()
	out := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{textField("key"), textField("value")}, nil), []arrow.Array{key, rec.Column(1)}, rec.NumRows())
	defer out.Release()
	return s.Sink.Write(ctx, epoch, mode, out)
}

func TestContract(t *testing.T) {
	for _, mode := range []base.OutputMode{base.Append, base.Update} {
		var broker string
		sinktest.Run(t, sinktest.Harness{
			AtLeastOnce: true, Mode: sinks.Mode{Kind: mode},
			Fresh: func(t *testing.T) { broker = kafkatest.Fake(t, "out") },
			Open: func(t *testing.T) sinks.Sink {
				s, err := Provider().Open(t.Context(), sinks.Config{Options: base.Options{"kafka.bootstrap.servers": broker, "topic": "out"},
					Schema: arrow.NewSchema([]arrow.Field{textField("key"), textField("value")}, nil), OutputMode: mode})
				if err != nil {
					t.Fatal(err)
				}
				return keyValue{s}
			},
			Visible: func(t *testing.T) []string {
				var out []string
				for _, r := range kafkatest.ReadAll(t, broker, "out") {
					out = append(out, string(r.Key)+"|"+string(r.Value))
				}
				return out
			},
		})
	}
}

func fake(t *testing.T, topics ...string) (*kfake.Cluster, string) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, topics...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, strings.Join(c.ListenAddrs(), ",")
}

func openSink(t *testing.T, broker string, schema *arrow.Schema, options base.Options) (*Sink, error) {
	t.Helper()
	o := base.Options{"kafka.bootstrap.servers": broker}
	maps.Copy(o, options)
	s, err := open(sinks.Config{Options: o, Schema: schema})
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, err
}

// rowsOf builds rows from JSON.
func rowsOf(t *testing.T, schema *arrow.Schema, text string) arrow.RecordBatch {
	t.Helper()
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

var fullSchema = arrow.NewSchema([]arrow.Field{
	{Name: "other", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	textField("Topic"), textField("key"), {Name: "value", Type: arrow.BinaryTypes.Binary, Nullable: true},
	{Name: "partition", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "headers", Type: arrow.ListOf(arrow.StructOf(textField("key"), arrow.Field{Name: "value", Type: arrow.BinaryTypes.Binary, Nullable: true})), Nullable: true},
}, nil)

func TestColumns(t *testing.T) {
	_, broker := fake(t, "a", "b")
	s, err := openSink(t, broker, fullSchema, nil)
	if err != nil {
		t.Fatal(err)
	}
	rec := rowsOf(t, fullSchema, `[
		{"Topic":"skipped"},
		{"other":1,"Topic":"a","key":"k1","value":"djE=","partition":2,"headers":[{"key":"h","value":"eA=="},{"key":"n","value":null}]},
		{"Topic":"b","key":null,"value":null,"partition":1},
		{"Topic":"a","key":"","value":"","partition":0,"headers":[]}]`)
	sliced := rec.NewSlice(1, 4) // offsets into buffers count
	if err := s.Write(t.Context(), 0, sinks.Mode{}, sliced); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{1}); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, topic := range []string{"a", "b"} {
		for _, r := range kafkatest.ReadAll(t, broker, topic) {
			got[fmt.Sprintf("%s-%d", topic, r.Partition)] += fmt.Sprintf("%q %v %q %v %q", r.Key, r.Key == nil, r.Value, r.Value == nil, fmt.Sprint(r.Headers))
		}
	}
	want := map[string]string{
		"a-2": `"k1" false "v1" false "[{h [120]} {n []}]"`,
		"b-1": `"" true "" true "[]"`,
		"a-0": `"" false "" false "[]"`,
	}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if d := s.Describe(); d != "KafkaSink" {
		t.Errorf("described as %s", d)
	}
}

// The partition of a key is the one that every Kafka client chooses.
func TestKeysArePlacedAsKafkaDoes(t *testing.T) {
	_, broker := fake(t, "a", "b")
	schema := arrow.NewSchema([]arrow.Field{textField("key"), textField("value")}, nil)
	s, err := openSink(t, broker, schema, base.Options{"topic": "a"})
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	other := kafkatest.NewClient(t, broker, kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	for i := range 50 {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprint("key", i))
		b.Field(1).(*array.StringBuilder).Append("v")
		other.SendRecords(&kgo.Record{Topic: "b", Key: fmt.Append(nil, "key", i)})
	}
	if err := s.Write(t.Context(), 0, sinks.Mode{}, b.NewRecordBatch()); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{}); err != nil {
		t.Fatal(err)
	}
	places := func(topic string) map[string]int32 {
		out := map[string]int32{}
		for _, r := range kafkatest.ReadAll(t, broker, topic) {
			out[string(r.Key)] = r.Partition
		}
		return out
	}
	if a, b := places("a"), places("b"); len(a) != 50 || !maps.Equal(a, b) {
		t.Errorf("got %v, want %v", a, b)
	}
}

func TestRepeatsWithinOneLife(t *testing.T) {
	_, broker := fake(t, "a")
	schema := arrow.NewSchema([]arrow.Field{textField("value")}, nil)
	s, err := openSink(t, broker, schema, base.Options{"topic": "a"})
	if err != nil {
		t.Fatal(err)
	}
	rec := rowsOf(t, schema, `[{"value":"x"},{"value":"y"}]`)
	for i, d := range []base.Digest{{1}, {1}, {2}} {
		if err := s.Write(t.Context(), 4, sinks.Mode{}, rec); err != nil {
			t.Fatal(err)
		}
		err := s.Commit(t.Context(), 4, sinks.Mode{}, d)
		if i < 2 && err != nil {
			t.Fatal(err)
		}
		if i == 2 && (base.CodeOf(err) != base.CodeCorrupt || !strings.Contains(err.Error(), "epoch 4")) {
			t.Errorf("another digest: got %v", err)
		}
	}
	if got := len(kafkatest.ReadAll(t, broker, "a")); got != 2 {
		t.Errorf("%d records, want 2", got)
	}
}

func TestOptionsAndColumnsRefused(t *testing.T) {
	value := arrow.NewSchema([]arrow.Field{textField("value")}, nil)
	for _, c := range []struct {
		schema  *arrow.Schema
		options base.Options
		want    string
	}{
		{arrow.NewSchema([]arrow.Field{textField("v")}, nil), base.Options{"topic": "a"}, "Required attribute 'value' not found"},
		{value, nil, "topic option required when no 'topic' attribute is present"},
		{arrow.NewSchema([]arrow.Field{{Name: "value", Type: arrow.PrimitiveTypes.Int64}}, nil), base.Options{"topic": "a"}, "value attribute type must be a string or binary, not int64"},
		{arrow.NewSchema([]arrow.Field{textField("value"), textField("partition")}, nil), base.Options{"topic": "a"}, "partition attribute type must be an int"},
		{arrow.NewSchema([]arrow.Field{textField("value"), textField("headers")}, nil), base.Options{"topic": "a"}, "headers attribute type"},
		{arrow.NewSchema([]arrow.Field{textField("value"), textField("VALUE")}, nil), base.Options{"topic": "a"}, "two columns value"},
		{value, base.Options{"topic": "a", "topics": "b"}, `no option "topics"`},
		{value, base.Options{"topic": "a", "kafka.acks": "1"}, `"1" is not supported`},
		{value, base.Options{"topic": "a", "kafka.key.serializer": "x"}, "'key.serializer' is not supported"},
		{value, base.Options{"topic": "a", "kafka.compression.type": "lzo"}, "lzo"},
	} {
		if _, err := openSink(t, "127.0.0.1:1", c.schema, c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.options, err, c.want)
		}
	}
	if _, err := open(sinks.Config{Schema: value, Options: base.Options{"topic": "a"}}); err == nil || !strings.Contains(err.Error(), "kafka.bootstrap.servers") {
		t.Errorf("without brokers: got %v", err)
	}
}

// A table that is read and written has the options of both, and the columns of
// what is read.
func TestOptionsAndColumnsOfATable(t *testing.T) {
	_, broker := fake(t, "a")
	schema := arrow.NewSchema([]arrow.Field{{Name: "key", Type: arrow.BinaryTypes.Binary, Nullable: true}, {Name: "value", Type: arrow.BinaryTypes.Binary, Nullable: true}, textField("topic"),
		{Name: "partition", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "offset", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	s, err := openSink(t, broker, schema, base.Options{"topic": "a", "subscribe": "a", "startingOffsets": "earliest", "kafka.isolation.level": "read_committed"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), 0, sinks.Mode{}, rowsOf(t, schema, `[{"value":"djE="}]`)); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{}); err != nil {
		t.Fatal(err)
	}
	if got := kafkatest.ReadAll(t, broker, "a"); len(got) != 1 || string(got[0].Value) != "v1" {
		t.Errorf("got %v", got)
	}
}

func TestNullTopicAndBadPartition(t *testing.T) {
	_, broker := fake(t, "a")
	s, err := openSink(t, broker, fullSchema, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Write(t.Context(), 0, sinks.Mode{}, rowsOf(t, fullSchema, `[{"value":"eA=="}]`))
	if base.AsError(err).Condition != "KAFKA_NULL_TOPIC_IN_DATA" {
		t.Errorf("null topic: got %v", err)
	}
	err = s.Write(t.Context(), 0, sinks.Mode{}, rowsOf(t, fullSchema, `[{"Topic":"a","value":"eA==","partition":9}]`))
	if err == nil {
		err = s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{})
	}
	if err == nil || !strings.Contains(err.Error(), "epoch 0") {
		t.Errorf("partition 9 of 3: got %v", err)
	}
	if err2 := s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{}); err2 == nil {
		t.Error("the epoch that failed can be committed")
	}
}

func TestEveryCompression(t *testing.T) {
	_, broker := fake(t, "none", "gzip", "snappy", "lz4", "zstd")
	schema := arrow.NewSchema([]arrow.Field{textField("value")}, nil)
	for _, c := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		s, err := openSink(t, broker, schema, base.Options{"topic": c, "kafka.compression.type": c, "kafka.linger.ms": "20"})
		if err != nil {
			t.Fatal(err)
		}
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for i := range 1000 {
			b.Field(0).(*array.StringBuilder).Append(fmt.Sprint("some value ", i))
		}
		if err := s.Write(t.Context(), 0, sinks.Mode{}, b.NewRecordBatch()); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range kafkatest.ReadAll(t, broker, c) {
			got = append(got, string(r.Value))
		}
		slices.Sort(got)
		if got = slices.Compact(got); len(got) != 1000 {
			t.Errorf("%s: %d different values", c, len(got))
		}
	}
}

// Commit must not return while a broker keeps an acknowledgement to itself, and
// must not wait for ever for it.
func TestUnacknowledgedRecordsFailTheEpoch(t *testing.T) {
	c, broker := fake(t, "a")
	schema := arrow.NewSchema([]arrow.Field{textField("value")}, nil)
	s, err := openSink(t, broker, schema, base.Options{"topic": "a", "kafka.delivery.timeout.ms": "1500", "kafka.request.timeout.ms": "500"})
	if err != nil {
		t.Fatal(err)
	}
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return nil, fmt.Errorf("no answer"), true
	})
	start := time.Now()
	err = s.Write(t.Context(), 0, sinks.Mode{}, rowsOf(t, schema, `[{"value":"x"}]`))
	if err == nil {
		err = s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{})
	}
	if base.CodeOf(err) != base.CodeUnavailable || time.Since(start) > 20*time.Second {
		t.Errorf("after %v: got %v", time.Since(start), err)
	}
}

func TestUnreachableBroker(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{textField("value")}, nil)
	s, err := openSink(t, "127.0.0.1:1", schema, base.Options{"topic": "a", "kafka.delivery.timeout.ms": "1000"})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Write(t.Context(), 0, sinks.Mode{}, rowsOf(t, schema, `[{"value":"x"}]`))
	if err == nil {
		err = s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{})
	}
	if base.CodeOf(err) != base.CodeUnavailable || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s, err = openSink(t, "127.0.0.1:1", schema, base.Options{"topic": "a"})
	if err != nil {
		t.Fatal(err)
	}
	if err = s.Write(ctx, 0, sinks.Mode{}, rowsOf(t, schema, `[{"value":"x"}]`)); err == nil {
		err = s.Commit(ctx, 0, sinks.Mode{}, base.Digest{})
	}
	if base.CodeOf(err) != base.CodeCanceled {
		t.Errorf("cancelled: got %v", err)
	}
}
