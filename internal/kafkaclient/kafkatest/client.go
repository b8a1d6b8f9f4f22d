package kafkatest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Client sends records where a test wants them, and reads topics whole.
type Client struct {
	t testing.TB
	*kgo.Client
}

// NewClient returns a client of the brokers; the test closes it.
func NewClient(t testing.TB, servers string, opts ...kgo.Opt) *Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(strings.Split(servers, ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MetadataMinAge(50 * time.Millisecond)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return &Client{t, cl}
}

// Numbered is prefix0, prefix1, ….
func Numbered(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint(prefix, i)
	}
	return out
}

// Time is the timestamp of what Send sends.
func Time() time.Time { return time.UnixMilli(1_700_000_000_000) }

// Send sends a record of each value, with the key "k" and the value.
func (c *Client) Send(topic string, part int32, values ...string) {
	c.t.Helper()
	var rs []*kgo.Record
	for _, v := range values {
		rs = append(rs, &kgo.Record{Topic: topic, Partition: part, Key: []byte("k" + v), Value: []byte(v), Timestamp: Time()})
	}
	c.SendRecords(rs...)
}

// SendRecords sends records and waits for the broker.
func (c *Client) SendRecords(rs ...*kgo.Record) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := c.ProduceSync(ctx, rs...).FirstErr(); err != nil {
		c.t.Fatal(err)
	}
}

// Transaction sends values to a partition in a transaction and ends it.
func (c *Client) Transaction(commit bool, topic string, part int32, values ...string) {
	c.t.Helper()
	if err := c.BeginTransaction(); err != nil {
		c.t.Fatal(err)
	}
	c.Send(topic, part, values...)
	if err := c.EndTransaction(context.Background(), kgo.TransactionEndTry(commit)); err != nil {
		c.t.Fatal(err)
	}
}

// Admin changes topics.
func (c *Client) Admin() *kadm.Client { return kadm.NewClient(c.Client) }

// ReadAll returns the committed records of topic, partition by partition.
func ReadAll(t testing.TB, servers, topic string) []*kgo.Record {
	t.Helper()
	c := NewClient(t, servers, kgo.ConsumeTopics(topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	defer c.Close()
	ends, err := c.Admin().ListCommittedOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out []*kgo.Record
	for len(left) > 0 {
		fs := c.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			t.Fatalf("reading %s: %v; %v are to come", topic, err, left)
		}
		fs.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				out = append(out, r)
			}
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	return out
}
