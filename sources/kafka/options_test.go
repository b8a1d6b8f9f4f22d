package kafka

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/kafkaclient/kafkatest"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/sourcetest"
)

func TestOptionsRefused(t *testing.T) {
	for _, c := range []struct {
		batch   bool
		options base.Options
		want    string
	}{
		{false, base.Options{}, "One of the following options must be specified"},
		{false, base.Options{"subscribe": "t", "assign": `{"t":[0]}`}, "Only one of the following options"},
		{false, base.Options{"subscribe": " , "}, "No topics to subscribe to"},
		{false, base.Options{"subscribePattern": ""}, "Pattern to subscribe is empty"},
		{false, base.Options{"subscribePattern": "a(?=b)"}, "not a regular expression"},
		{false, base.Options{"assign": `{"t":0}`}, "option assign"},
		{false, base.Options{"assign": `{"t":[-1]}`}, "option assign"},
		{false, base.Options{"assign": `{}`}, "names no partition"},
		{false, base.Options{"subscribe": "t", "startingOffset": "latest"}, `did you mean "startingOffsets"`},
		{false, base.Options{"subscribe": "t", "startingOffsets": "newest"}, "startingOffsets"},
		{false, base.Options{"subscribe": "t", "startingOffsets": `{"t":{"0":-3}}`}, "-3"},
		{false, base.Options{"subscribe": "t", "startingOffsets": `{"t":{"0":1}} x`}, "startingOffsets"},
		{false, base.Options{"subscribe": "t", "startingTimestamp": "noon"}, "noon"},
		{false, base.Options{"subscribe": "t", "startingOffsetsByTimestamp": `{"t":{"0":-2}}`}, "startingOffsetsByTimestamp"},
		{false, base.Options{"subscribe": "t", "startingOffsetsByTimestampStrategy": "earliest"}, "neither error nor latest"},
		{false, base.Options{"subscribe": "t", "endingOffsets": "latest"}, "ending offset not valid in streaming queries"},
		{false, base.Options{"subscribe": "t", "endingTimestamp": "7"}, "endingTimestamp"},
		{true, base.Options{"subscribe": "t", "startingOffsets": "latest"}, "starting offset can't be latest for batch queries"},
		{true, base.Options{"subscribe": "t", "startingOffsets": `{"t":{"0":-1}}`}, "starting offset for t-0 can't be latest"},
		{true, base.Options{"subscribe": "t", "endingOffsets": "earliest"}, "ending offset can't be earliest"},
		{true, base.Options{"subscribe": "t", "endingOffsets": `{"t":{"0":-2}}`}, "ending offset for t-0 can't be earliest"},
		{false, base.Options{"subscribe": "t", "maxOffsetsPerTrigger": "0"}, "maxOffsetsPerTrigger"},
		{false, base.Options{"subscribe": "t", "maxOffsetsPerTrigger": "many"}, "not a whole number"},
		{false, base.Options{"subscribe": "t", "maxOffsetsPerTrigger": "5", "minOffsetsPerTrigger": "6"}, "minOffsetsPerTrigger(6) is higher than the maxOffsetsPerTrigger(5)"},
		{false, base.Options{"subscribe": "t", "maxTriggerDelay": "soon"}, "maxTriggerDelay"},
		{false, base.Options{"subscribe": "t", "failOnDataLoss": "maybe"}, "failOnDataLoss"},
		{false, base.Options{"subscribe": "t", "minPartitions": "-1"}, "minPartitions"},
		{false, base.Options{"subscribe": "t", "kafka.auto.offset.reset": "latest"}, "'auto.offset.reset' is not supported: say where to start with the option startingOffsets"},
		{false, base.Options{"subscribe": "t", "kafka.key.deserializer": "x"}, "'key.deserializer' is not supported"},
		{false, base.Options{"subscribe": "t", "kafka.value.deserializer": "x"}, "'value.deserializer' is not supported"},
		{false, base.Options{"subscribe": "t", "kafka.enable.auto.commit": "true"}, "'enable.auto.commit' is not supported"},
		{false, base.Options{"subscribe": "t", "kafka.interceptor.classes": "x"}, "'interceptor.classes' is not supported"},
		{false, base.Options{"subscribe": "t", "kafka.isolation.levle": "read_committed"}, `did you mean "kafka.isolation.level"`},
		{false, base.Options{"subscribe": "t", "kafka.isolation.level": "committed"}, "neither read_committed nor read_uncommitted"},
		{false, base.Options{"subscribe": "t", "kafka.ack": "all"}, `did you mean "kafka.acks"`},
	} {
		c.options["kafka.bootstrap.servers"] = "127.0.0.1:1"
		var err error
		if c.batch {
			_, err = Provider().Batch(t.Context(), sources.Config{Options: c.options})
		} else {
			_, err = Provider().Stream(t.Context(), sources.Config{Options: c.options})
		}
		wantError(t, err, base.CodeInvalid, c.want)
	}
	_, err := Provider().Stream(t.Context(), sources.Config{Options: base.Options{"subscribe": "t"}})
	wantError(t, err, base.CodeInvalid, "Option 'kafka.bootstrap.servers' must be specified")
	_, err = Provider().Stream(t.Context(), sources.Config{Options: base.Options{"subscribe": "t", "kafka.bootstrap.servers": "h:1"},
		Schema: arrow.NewSchema([]arrow.Field{{Name: "value", Type: arrow.BinaryTypes.String}}, nil)})
	wantError(t, err, base.CodeInvalid, "fixed schema")
}

func TestTableBounds(t *testing.T) {
	c := fake(t, 2, "t")
	p := kafkatest.NewClient(t, servers(c))
	for i := range 10 {
		p.SendRecords(&kgo.Record{Topic: "t", Partition: 0, Timestamp: time.UnixMilli(int64(1000 * i))}, &kgo.Record{Topic: "t", Partition: 1, Timestamp: time.UnixMilli(int64(2000 * i))})
	}
	for _, x := range []struct {
		options []string
		want    string
	}{
		{nil, `{"from":{"t":{"0":0,"1":0}},"to":{"t":{"0":10,"1":10}}}`},
		{[]string{"endingOffsets", `{"t":{"0":4,"1":-1}}`, "startingOffsets", `{"t":{"0":1,"1":-2}}`}, `{"from":{"t":{"0":1,"1":0}},"to":{"t":{"0":4,"1":10}}}`},
		{[]string{"startingTimestamp", "3000", "endingTimestamp", "8000"}, `{"from":{"t":{"0":3,"1":2}},"to":{"t":{"0":8,"1":4}}}`},
		{[]string{"endingTimestamp", "9500"}, `{"from":{"t":{"0":0,"1":0}},"to":{"t":{"0":10,"1":5}}}`},
		{[]string{"endingOffsetsByTimestamp", `{"t":{"0":0,"1":2000}}`}, `{"from":{"t":{"0":0,"1":0}},"to":{"t":{"0":0,"1":1}}}`},
		{[]string{"startingTimestamp", "8000", "endingTimestamp", "3000"}, `{"from":{"t":{"0":8,"1":4}},"to":{"t":{"0":8,"1":4}}}`},
	} {
		tab := table(t, options(c, append(x.options, "subscribe", "t")...))
		if got, err := tab.Pin(t.Context()); err != nil || got != x.want {
			t.Errorf("%v: got %s, %v, want %s", x.options, got, err, x.want)
		}
	}
	tab := table(t, options(c, "subscribe", "t", "endingOffsets", `{"t":{"0":2,"1":0}}`))
	if got := sourcetest.ReadTable(t, tab, sources.Scan{Columns: []int{colPartition, colOffset}}); !slices.Equal(got, []string{"0|0", "0|1"}) {
		t.Errorf("got %v", got)
	}
	if want := `KafkaRelation(strategy=Subscribe[t], start=EarliestOffsetRangeLimit, end=SpecificOffsetRangeLimit({"t":{"0":2,"1":0}}))`; tab.Describe() != want {
		t.Errorf("described as %s", tab.Describe())
	}
}

// A leader that moves, answers with errors that pass, or hangs up costs tries, not
// rows.
func TestPassingTroubles(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	kafkatest.NewClient(t, servers(c)).Send("t", 0, kafkatest.Numbered("v", 20)...)
	s := stream(t, options(c, "subscribe", "t", "kafka.max.partition.fetch.bytes", "100"))
	to := latest(t, s, "", false)
	values(t, s, "", to) // the leader is known now
	if err := c.MoveTopicPartition("t", 0, (c.LeaderFor("t", 0)+1)%3); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, code := range []int16{kerr.NotLeaderForPartition.Code, kerr.UnknownTopicOrPartition.Code, kerr.UnknownTopicID.Code, kerr.KafkaStorageError.Code, kerr.OffsetNotAvailable.Code, kerr.OffsetOutOfRange.Code, 0} {
		c.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
			n++
			if code == 0 {
				return nil, fmt.Errorf("hanging up"), true
			}
			req := r.(*kmsg.FetchRequest)
			resp := req.ResponseKind().(*kmsg.FetchResponse)
			topic, part := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
			topic.Topic, topic.TopicID, part.ErrorCode = req.Topics[0].Topic, req.Topics[0].TopicID, code
			topic.Partitions = append(topic.Partitions, part)
			resp.Topics = append(resp.Topics, topic)
			return resp, nil, true
		})
	}
	if got := values(t, s, "", to); !slices.Equal(got, kafkatest.Numbered("v", 20)) || n != 7 {
		t.Errorf("after %d troubles: %v", n, got)
	}
}

func TestPollTimeout(t *testing.T) {
	c := fake(t, 1, "t")
	kafkatest.NewClient(t, servers(c)).Send("t", 0, "a", "b")
	o := options(c, "subscribe", "t", "kafkaConsumer.pollTimeoutMs", "300")
	s := stream(t, o)
	read := func(to base.Offset) error {
		splits, err := s.Read(t.Context(), "", to, sources.Scan{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = sourcetest.ReadSplits(t.Context(), t, splits, s.schema, 0)
		return err
	}
	start := time.Now()
	wantError(t, read(at("t", 5)), base.CodeInvalid, "KAFKA_DATA_LOSS.COULD_NOT_READ_OFFSET_RANGE", "[2, 5)", "spark-kafka-source")
	s.Close()
	c = fake(t, 1, "t")
	kafkatest.NewClient(t, servers(c)).Send("t", 0, "a", "b")
	o["kafka.bootstrap.servers"] = servers(c)
	s = stream(t, o)
	c.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return nil, fmt.Errorf("hanging up"), true
	})
	wantError(t, read(at("t", 2)), base.CodeUnavailable, "pollTimeoutMs (300 ms)", "t-0[0,2)", "offset 0")
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("two times 300 ms took %v", took)
	}
}

// A range whose records were all compacted away ends without them.
func TestNothingBehindAnOffset(t *testing.T) {
	c := fake(t, 1, "t")
	kafkatest.NewClient(t, servers(c)).Send("t", 0, "a", "b", "c")
	s := stream(t, options(c, "subscribe", "t", "kafkaConsumer.pollTimeoutMs", "1000"))
	splits, err := s.Read(t.Context(), at("t", 1), at("t", 3), sources.Scan{})
	if err != nil {
		t.Fatal(err)
	}
	c.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.FetchRequest)
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		topic, part := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
		topic.Topic, topic.TopicID, part.HighWatermark, part.LastStableOffset = req.Topics[0].Topic, req.Topics[0].TopicID, 3, 3
		topic.Partitions = append(topic.Partitions, part)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	if rows, err := sourcetest.ReadSplits(t.Context(), t, splits, s.schema, 0); err != nil || len(rows) != 0 {
		t.Errorf("got %v, %v", rows, err)
	}
}

func TestUnreachable(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, address := range []string{"127.0.0.1:1", silent.Addr().String()} {
		s := stream(t, base.Options{"kafka.bootstrap.servers": address, "subscribe": "t", "kafka.default.api.timeout.ms": "300", "kafka.retry.backoff.ms": "5"})
		start := time.Now()
		_, err := s.Initial(t.Context())
		wantError(t, err, base.CodeUnavailable, address)
		_, err = s.Latest(t.Context(), at("t", 1), sources.Limit{})
		wantError(t, err, base.CodeUnavailable, address)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err = s.Initial(ctx)
		cancel()
		wantError(t, err, base.CodeCanceled)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: giving up took %v", address, took)
		}
	}
}

func TestJavaDoubles(t *testing.T) {
	for v, want := range map[float64]string{0: "0.0", 4: "4.0", 1.5: "1.5", 1e7: "1.0E7", 12345678: "1.2345678E7", 9999999: "9999999.0", 0.0005: "5.0E-4"} {
		if got := javaDouble(v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
