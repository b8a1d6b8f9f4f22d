//go:build long

package kafka

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/kafkaclient/kafkatest"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/sourcetest"
)

func create(t *testing.T, b *kafkatest.Broker, topic string, partitions int32, config map[string]*string) {
	t.Helper()
	c := kafkatest.NewClient(t, b.Address)
	defer c.Close()
	resp, err := c.Admin().CreateTopic(t.Context(), partitions, 1, config, topic)
	if err != nil || resp.Err != nil {
		t.Fatal(err, resp.Err)
	}
}

func text(s string) *string { return &s }

// One broker serves all of these; the last ones kill it.
func TestRealBroker(t *testing.T) {
	b := kafkatest.NewBroker(t)
	options := func(pairs ...string) base.Options { return optionsAt(b.Address, pairs...) }

	t.Run("contract", func(t *testing.T) {
		n := 0
		for i, extra := range [][]string{nil, {"minPartitions", "7", "kafka.isolation.level", "read_committed"}} {
			topic := fmt.Sprint("contract", i)
			create(t, b, topic, 3, nil)
			sourcetest.Run(t, sourcetest.Harness{
				Open: func(t *testing.T) sources.Source {
					src, err := Provider().Stream(t.Context(), sources.Config{Options: options(append(extra, "subscribe", topic, "includeHeaders", "true")...)})
					if err != nil {
						t.Fatal(err)
					}
					return src
				},
				Add: func(t *testing.T) {
					c := kafkatest.NewClient(t, b.Address)
					defer c.Close()
					for part := range int32(3) {
						n += 3
						c.Send(topic, part, kafkatest.Numbered(fmt.Sprint("v", n, "-"), 3)...)
					}
				},
			})
		}
	})

	t.Run("transactions", func(t *testing.T) {
		create(t, b, "txn", 1, nil)
		plain := kafkatest.NewClient(t, b.Address)
		txn := kafkatest.NewClient(t, b.Address, kgo.TransactionalID("x"))
		plain.Send("txn", 0, "p0")
		txn.Transaction(true, "txn", 0, kafkatest.Numbered("c", 100)...)
		txn.Transaction(false, "txn", 0, kafkatest.Numbered("a", 100)...)
		plain.Send("txn", 0, "p1")
		txn.Transaction(false, "txn", 0, "a")
		want := slices.Concat([]string{"p0"}, kafkatest.Numbered("c", 100), []string{"p1"})
		s := stream(t, options("subscribe", "txn", "kafka.isolation.level", "read_committed", "minPartitions", "9"))
		end := latest(t, s, "", false)
		if got := values(t, s, "", end); end != at("txn", 206) || !slices.Equal(got, want) {
			t.Errorf("up to %s: %d rows, want %d up to 206", end, len(got), len(want))
		}
		if got := values(t, stream(t, options("subscribe", "txn")), "", end); len(got) != 203 {
			t.Errorf("uncommitted: %d rows", len(got))
		}
	})

	t.Run("compaction", func(t *testing.T) {
		create(t, b, "compact", 1, map[string]*string{"cleanup.policy": text("compact"), "segment.ms": text("100"), "segment.bytes": text("1048576"), "min.cleanable.dirty.ratio": text("0.01"), "max.compaction.lag.ms": text("100")})
		c := kafkatest.NewClient(t, b.Address)
		for i := range 200 {
			c.SendRecords(&kgo.Record{Topic: "compact", Key: fmt.Append(nil, "k", i%3), Value: fmt.Append(nil, "v", i)})
		}
		s := stream(t, options("subscribe", "compact"))
		end := latest(t, s, "", false)
		for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(time.Second) {
			c.SendRecords(&kgo.Record{Topic: "compact", Key: []byte("roll"), Value: []byte("x")})
			got := values(t, s, at("compact", 0), end)
			if len(got) == 0 || got[len(got)-1] != "v199" {
				t.Fatalf("the last record is missing: %v", got)
			}
			if len(got) <= 3 {
				break
			}
			if time.Now().After(deadline) {
				t.Logf("the broker compacted to %d records only", len(got))
				break
			}
		}
		// Every range in the gap ends, too.
		if got := values(t, s, at("compact", 10), at("compact", 20)); len(got) > 10 {
			t.Errorf("got %v", got)
		}
	})

	t.Run("new partition", func(t *testing.T) {
		create(t, b, "grow", 1, nil)
		s := stream(t, options("subscribe", "grow"))
		from := initial(t, s)
		c := kafkatest.NewClient(t, b.Address)
		if _, err := c.Admin().CreatePartitions(t.Context(), 2, "grow"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		c = kafkatest.NewClient(t, b.Address)
		c.Send("grow", 2, "first", "second")
		to := latest(t, s, from, false)
		if got := values(t, s, from, to); !slices.Equal(got, []string{"first", "second"}) {
			t.Errorf("up to %s: %v", to, got)
		}
	})

	t.Run("data loss", func(t *testing.T) {
		create(t, b, "lose", 1, nil)
		c := kafkatest.NewClient(t, b.Address)
		c.Send("lose", 0, kafkatest.Numbered("v", 20)...)
		s := stream(t, options("subscribe", "lose"))
		loose := stream(t, options("subscribe", "lose", "failOnDataLoss", "false"))
		to := latest(t, s, at("lose", 5), false)
		gone := kadm.Offsets{}
		gone.AddOffset("lose", 0, 12, -1)
		if _, err := c.Admin().DeleteRecords(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		splits, err := s.Read(t.Context(), at("lose", 5), to, sources.Scan{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = sourcetest.ReadSplits(t.Context(), t, splits, s.schema, 0)
		wantError(t, err, base.CodeInvalid, "KAFKA_DATA_LOSS.COULD_NOT_READ_OFFSET_RANGE", "[5, 12)", "lose-0")
		if got := values(t, loose, at("lose", 5), to); !slices.Equal(got, kafkatest.Numbered("v", 20)[12:]) {
			t.Errorf("going on: %v", got)
		}
		if _, err := c.Admin().DeleteTopic(t.Context(), "lose"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		_, err = s.Latest(t.Context(), to, sources.Limit{})
		wantError(t, err, base.CodeInvalid, "KAFKA_DATA_LOSS.PARTITIONS_DELETED")
	})

	t.Run("kill -9 and restart", func(t *testing.T) {
		create(t, b, "crash", 2, nil)
		c := kafkatest.NewClient(t, b.Address)
		for part := range int32(2) {
			c.Send("crash", part, kafkatest.Numbered(fmt.Sprint("p", part, "-"), 1000)...)
		}
		s := stream(t, options("subscribe", "crash", "kafkaConsumer.pollTimeoutMs", "60000", "kafka.max.partition.fetch.bytes", "2000"))
		to := latest(t, s, "", false)
		splits, err := s.Read(t.Context(), "", to, sources.Scan{BatchRows: 50, Columns: []int{colValue}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := splits[0].Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var got []string
		for len(got) < 1000 {
			rec, err := r.Next(t.Context())
			if err != nil {
				t.Fatalf("after %d rows: %v", len(got), err)
			}
			got = append(got, sourcetest.Texts(rec)...)
			rec.Release()
			if len(got) == 200 { // in the middle of the range
				b.Kill()
				b.Start()
			}
		}
		if texts64(t, got)[999] != "p0-999" || !slices.Equal(texts64(t, got), kafkatest.Numbered("p0-", 1000)) {
			t.Errorf("the range read over a crash has %d rows, or others", len(got))
		}
		again := stream(t, options("subscribe", "crash"))
		if all := values(t, again, "", to); len(all) != 2000 {
			t.Errorf("after the restart: %d rows", len(all))
		}
		b.Kill()
		short := stream(t, options("subscribe", "crash", "kafka.default.api.timeout.ms", "500"))
		_, err = short.Latest(context.Background(), to, sources.Limit{})
		wantError(t, err, base.CodeUnavailable, b.Address)
	})
}
