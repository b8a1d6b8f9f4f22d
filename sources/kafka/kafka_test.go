package kafka

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/kafkaclient/kafkatest"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/sourcetest"
)

func TestMain(m *testing.M) { kafkatest.Main(m) }

// fake is a broker in this process with topics of n partitions.
func fake(t testing.TB, n int32, topics ...string) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(n, topics...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func servers(c *kfake.Cluster) string { return strings.Join(c.ListenAddrs(), ",") }

// options are name, value, name, value … with the brokers of c.
func options(c *kfake.Cluster, pairs ...string) base.Options { return optionsAt(servers(c), pairs...) }

func optionsAt(servers string, pairs ...string) base.Options {
	o := base.Options{"kafka.bootstrap.servers": servers, "kafka.retry.backoff.ms": "5"}
	for i := 0; i < len(pairs); i += 2 {
		o[pairs[i]] = pairs[i+1]
	}
	return o
}

func stream(t testing.TB, o base.Options) *Source {
	t.Helper()
	src, err := Provider().Stream(context.Background(), sources.Config{Options: o, Clock: base.RealClock{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	})
	return src.(*Source)
}

func table(t testing.TB, o base.Options) sources.Table {
	t.Helper()
	tab, err := Provider().Batch(context.Background(), sources.Config{Options: o, Clock: base.RealClock{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tab.Close() })
	return tab
}

func initial(t testing.TB, s *Source) base.Offset {
	t.Helper()
	o, err := s.Initial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func latest(t testing.TB, s *Source, from base.Offset, limited bool) base.Offset {
	t.Helper()
	o, err := s.Latest(context.Background(), from, sources.Limit{Options: limited})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// at is an offset of one topic: partition 0, 1, ….
func at(topic string, next ...int64) base.Offset {
	p := positions{}
	for i, n := range next {
		p[partition{topic, int32(i)}] = n
	}
	return p.offset()
}

// values reads the value column of a range as texts.
func values(t testing.TB, s *Source, from, to base.Offset) []string {
	t.Helper()
	return texts64(t, sourcetest.ReadRange(t, s, from, to, sources.Scan{Columns: []int{colValue}}))
}

// texts64 turns what Arrow prints of binary values, base64, into texts.
func texts64(t testing.TB, in []string) []string {
	t.Helper()
	out := make([]string, len(in))
	for i, s := range in {
		var b []byte
		if err := json.Unmarshal([]byte(`"`+s+`"`), &b); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		out[i] = string(b)
	}
	return out
}

func wantError(t testing.TB, err error, code base.Code, parts ...string) {
	t.Helper()
	if base.CodeOf(err) != code {
		t.Errorf("got %v, want the code %v", err, code)
		return
	}
	full := err.Error() + " " + base.AsError(err).Hint
	for _, p := range parts {
		if !strings.Contains(full, p) {
			t.Errorf("got %q, want it to mention %q", full, p)
		}
	}
}

func TestContract(t *testing.T) {
	n := 0
	for name, extra := range map[string][]string{
		"plain": nil, "split": {"minPartitions", "7"}, "short splits": {"maxRecordsPerPartition", "2"}, "headers": {"includeHeaders", "true"},
		"committed": {"kafka.isolation.level", "read_committed"},
	} {
		t.Run(name, func(t *testing.T) {
			broker := kafkatest.Fake(t, "t")
			sourcetest.Run(t, sourcetest.Harness{
				Open: func(t *testing.T) sources.Source {
					o := optionsAt(broker, extra...)
					o["subscribe"] = "t"
					src, err := Provider().Stream(t.Context(), sources.Config{Options: o})
					if err != nil {
						t.Fatal(err)
					}
					return src
				},
				Add: func(t *testing.T) {
					p := kafkatest.NewClient(t, broker)
					defer p.Close()
					for part := range int32(3) {
						for range 4 {
							n++
							p.SendRecords(&kgo.Record{Topic: "t", Partition: part, Key: fmt.Append(nil, "k", n), Value: fmt.Append(nil, "v", n),
								Headers: []kgo.RecordHeader{{Key: "h", Value: fmt.Append(nil, n)}}})
						}
					}
				},
			})
		})
	}
}

func TestTableContract(t *testing.T) {
	broker := kafkatest.Fake(t, "t")
	add := func(part int32, values ...string) {
		p := kafkatest.NewClient(t, broker)
		defer p.Close()
		p.Send("t", part, values...)
	}
	add(0, kafkatest.Numbered("a", 20)...)
	add(1, kafkatest.Numbered("b", 5)...)
	sourcetest.RunTable(t, func(t *testing.T) sources.Table {
		tab, err := Provider().Batch(t.Context(), sources.Config{Options: optionsAt(broker, "subscribe", "t", "minPartitions", "5")})
		if err != nil {
			t.Fatal(err)
		}
		return tab
	}, func(*testing.T) { add(0, "new") }, func(t *testing.T) {
		p := kafkatest.NewClient(t, broker)
		defer p.Close()
		req := kmsg.NewPtrDeleteRecordsRequest()
		topic, part := kmsg.NewDeleteRecordsRequestTopic(), kmsg.NewDeleteRecordsRequestTopicPartition()
		part.Offset = 10
		topic.Topic, topic.Partitions = "t", append(topic.Partitions, part)
		req.Topics = append(req.Topics, topic)
		if _, err := req.RequestWith(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	})
}
