package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/kafkaclient"
)

// cluster is what one metadata answer says.
type cluster struct {
	// leaders are broker ids by partition, −1 where there is none just now.
	leaders  map[partition]int32
	ids      map[string][16]byte
	internal map[string]bool
}

// conn asks a cluster: single requests, each with its own answer. It fetches
// without a group, a session or a loop of its own, so nothing that was read for
// one range can turn up in another.
type conn struct {
	cfg    *config
	client *kafkaclient.Client

	mu     sync.Mutex
	routes map[partition]route
}

// route is where the records of a partition are.
type route struct {
	leader int32
	id     [16]byte
}

func dial(cfg *config) (*conn, error) {
	cl, err := cfg.client.Open()
	if err != nil {
		return nil, err
	}
	return &conn{cfg: cfg, client: cl, routes: map[partition]route{}}, nil
}

func (c *conn) close() { c.client.Close() }

// metadata asks about topics by name, or about all if names is nil. A topic that
// does not exist is absent from the answer.
func (c *conn) metadata(ctx context.Context, names []string) (*cluster, error) {
	out, err := retry(ctx, c, "asking for the partitions", func(ctx context.Context) (*cluster, error) {
		req := kmsg.NewPtrMetadataRequest()
		req.AllowAutoTopicCreation = false
		for _, n := range names {
			t := kmsg.NewMetadataRequestTopic()
			t.Topic = kmsg.StringPtr(n)
			req.Topics = append(req.Topics, t)
		}
		resp, err := req.RequestWith(ctx, c.client)
		if err != nil {
			return nil, err
		}
		return readMetadata(resp)
	})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for p, leader := range out.leaders {
		c.routes[p] = route{leader, out.ids[p.topic]}
	}
	return out, nil
}

func readMetadata(resp *kmsg.MetadataResponse) (*cluster, error) {
	out := &cluster{leaders: map[partition]int32{}, ids: map[string][16]byte{}, internal: map[string]bool{}}
	for _, t := range resp.Topics {
		err := kerr.ErrorForCode(t.ErrorCode)
		switch {
		case t.Topic == nil || err == kerr.UnknownTopicOrPartition || err == kerr.UnknownTopicID:
			continue
		case err != nil:
			return nil, fmt.Errorf("topic %s: %w", *t.Topic, err)
		}
		out.ids[*t.Topic], out.internal[*t.Topic] = t.TopicID, t.IsInternal
		for _, p := range t.Partitions {
			if p.Partition >= 0 {
				out.leaders[partition{*t.Topic, p.Partition}] = p.Leader
			}
		}
	}
	return out, nil
}

// list resolves times (−1 end, −2 start, or milliseconds) to offsets, with the
// query's isolation. A partition that does not exist is absent; where no record
// is as young as a time the offset is −1.
func (c *conn) list(ctx context.Context, times map[partition]int64) (positions, error) {
	if len(times) == 0 {
		return positions{}, nil
	}
	return retry(ctx, c, "listing offsets of "+listed(times), func(ctx context.Context) (positions, error) {
		out := positions{}
		for _, shard := range c.client.RequestSharded(ctx, c.listRequest(times)) {
			if shard.Err != nil {
				if shard.Err == kerr.UnknownTopicOrPartition {
					continue
				}
				return nil, shard.Err
			}
			for _, t := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
				for _, p := range t.Partitions {
					switch err := kerr.ErrorForCode(p.ErrorCode); {
					case err == nil:
						out[partition{t.Topic, p.Partition}] = p.Offset
					case err != kerr.UnknownTopicOrPartition:
						return nil, fmt.Errorf("%s-%d: %w", t.Topic, p.Partition, err)
					}
				}
			}
		}
		return out, nil
	})
}

func (c *conn) listRequest(times map[partition]int64) *kmsg.ListOffsetsRequest {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	if c.cfg.client.ReadCommitted {
		req.IsolationLevel = 1
	}
	at := map[string]int{}
	for _, p := range positions(times).sorted() {
		if _, ok := at[p.topic]; !ok {
			t := kmsg.NewListOffsetsRequestTopic()
			t.Topic = p.topic
			at[p.topic] = len(req.Topics)
			req.Topics = append(req.Topics, t)
		}
		part := kmsg.NewListOffsetsRequestTopicPartition()
		part.Partition, part.Timestamp, part.CurrentLeaderEpoch = p.id, times[p], -1
		t := &req.Topics[at[p.topic]]
		t.Partitions = append(t.Partitions, part)
	}
	return req
}

// ends lists the same end of each of ps.
func (c *conn) ends(ctx context.Context, ps []partition, end int64) (positions, error) {
	times := make(map[partition]int64, len(ps))
	for _, p := range ps {
		times[p] = end
	}
	return c.list(ctx, times)
}

// route returns where p is; fresh asks the cluster again. ok is false if there is
// no such partition.
func (c *conn) route(ctx context.Context, p partition, fresh bool) (r route, ok bool, err error) {
	if !fresh {
		c.mu.Lock()
		r, ok = c.routes[p]
		c.mu.Unlock()
		if ok {
			return r, true, nil
		}
	}
	m, err := c.metadata(ctx, []string{p.topic})
	if err != nil {
		return r, false, err
	}
	leader, ok := m.leaders[p]
	return route{leader, m.ids[p.topic]}, ok, nil
}

// retry runs ask until it succeeds, at most offsetTries times and within the
// time limit of a request. Each error carries the brokers' names.
func retry[T any](ctx context.Context, c *conn, step string, ask func(context.Context) (T, error)) (T, error) {
	limited, cancel := c.cfg.client.Limit(ctx)
	defer cancel()
	for try := 1; ; try++ {
		v, err := kafkaclient.Await(limited, ask)
		if err == nil {
			return v, nil
		}
		err = c.cfg.client.Error(ctx, err, step)
		if try >= c.cfg.offsetTries || base.CodeOf(err) != base.CodeUnavailable || limited.Err() != nil {
			return v, err
		}
		pause(limited, c.cfg.retryInterval)
	}
}

// pause waits for d or for ctx; whoever goes on sees ctx's error.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func listed(times map[partition]int64) string {
	ps := positions(times).sorted()
	if len(ps) > 5 {
		return fmt.Sprintf("%s and %d more partitions", texts(ps[:5]), len(ps)-5)
	}
	return texts(ps)
}
