package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/kafkaclient"
)

// fetched is the answer to one fetch of one partition.
type fetched struct {
	batches []byte
	aborts  *aborted
	// end is how far a reader with the query's isolation may read now.
	end       int64
	throttled bool
	// replica is the broker that the leader points to; −1 for none.
	replica int32
}

// fetch asks broker for record batches of p from offset at on. The error is a
// *kerr.Error if the broker refused.
func (c *conn) fetch(ctx context.Context, broker int32, p partition, id [16]byte, at int64, maxBytes int32) (*fetched, error) {
	s := c.cfg.client
	req := kmsg.NewPtrFetchRequest()
	req.MinBytes, req.MaxBytes, req.Rack = s.FetchMinBytes, max(maxBytes, s.FetchMaxBytes), s.Rack()
	req.MaxWaitMillis = int32(min(s.FetchMaxWait, c.cfg.pollTimeout) / time.Millisecond)
	if s.ReadCommitted {
		req.IsolationLevel = 1
	}
	part := kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.FetchOffset, part.PartitionMaxBytes = p.id, at, maxBytes
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID, t.Partitions = p.topic, id, append(t.Partitions, part)
	req.Topics = append(req.Topics, t)

	raw, err := kafkaclient.Await(ctx, func(ctx context.Context) (kmsg.Response, error) {
		return c.client.Broker(int(broker)).Request(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	resp := raw.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, err
	}
	for _, rt := range resp.Topics {
		for i := range rt.Partitions {
			rp := &rt.Partitions[i]
			if rp.Partition != p.id || rt.Topic != p.topic && rt.TopicID != id {
				continue
			}
			if err := kerr.ErrorForCode(rp.ErrorCode); err != nil {
				return nil, err
			}
			f := &fetched{batches: rp.RecordBatches, end: rp.HighWatermark, throttled: resp.ThrottleMillis > 0, replica: rp.PreferredReadReplica}
			if s.ReadCommitted {
				f.end, f.aborts = rp.LastStableOffset, newAborted(rp.AbortedTransactions)
			}
			return f, nil
		}
	}
	return nil, fmt.Errorf("the broker's answer has no partition %s", p)
}

// emptyPatience is how long a leader must keep answering "nothing" for a range
// that ends before its end, until the range is taken to be empty: compaction can
// remove every record behind an offset.
const emptyPatience = 3 * time.Second

// more fetches what is at r.pos; r.in is empty and no error is returned if there
// is nothing more in the range.
func (r *reader) more(ctx context.Context) error {
	var (
		last            error
		unknown         int
		emptySince      time.Time
		fresh           bool
		limited, cancel       = context.WithTimeout(ctx, r.cfg.pollTimeout)
		patience              = min(emptyPatience, r.cfg.pollTimeout/2)
		replica         int32 = -1
	)
	defer cancel()
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return r.cfg.client.Error(ctx, err, "reading "+r.name())
		}
		if limited.Err() != nil {
			return r.late(ctx, last)
		}
		route, ok, err := r.conn.route(limited, r.p, fresh)
		switch {
		case err != nil:
			if base.CodeOf(err) != base.CodeUnavailable {
				return err
			}
			last, fresh = err, true
			pause(limited, r.cfg.client.Backoff(try))
			continue
		case !ok:
			if unknown++; unknown >= r.cfg.offsetTries {
				return r.lost(r.to, partitionsDeleted([]partition{r.p}, r.cfg))
			}
			fresh = true
			pause(limited, r.cfg.client.Backoff(try))
			continue
		}
		broker := route.leader
		if replica >= 0 {
			broker = replica
		}
		f, err := r.conn.fetch(limited, broker, r.p, route.id, r.pos, r.fetchBytes)
		if err == nil && f.replica >= 0 && f.replica != broker && len(f.batches) == 0 {
			replica = f.replica
			continue
		}
		if err == nil && len(f.batches) > 0 {
			r.in, r.aborts, r.fetchedAt, r.whole = f.batches, f.aborts, r.pos, 0
			return nil
		}
		fresh, replica = false, -1
		switch {
		case err == nil && f.end >= r.to && !f.throttled:
			if emptySince.IsZero() {
				emptySince = time.Now()
			} else if time.Since(emptySince) >= patience {
				return r.nothing(limited)
			}
			last = errEmpty
		case err == nil:
			emptySince, last = time.Time{}, fmt.Errorf("the log is readable up to offset %d only", f.end)
		case errors.Is(err, kerr.OffsetOutOfRange):
			moved, err := r.outOfRange(limited)
			if err != nil || moved {
				return err
			}
			last = kerr.OffsetOutOfRange
		case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID), errors.Is(err, kerr.InconsistentTopicID):
			last, fresh = err, true
			if unknown++; unknown >= 10*r.cfg.offsetTries {
				return r.lost(r.to, partitionsDeleted([]partition{r.p}, r.cfg))
			}
		default:
			last, fresh = r.cfg.client.Error(ctx, err, "reading "+r.name()), true
			if base.CodeOf(last) != base.CodeUnavailable {
				return last
			}
		}
		pause(limited, r.cfg.client.Backoff(try))
	}
}

var errEmpty = errors.New("the broker returns nothing")

// late is the end of the poll timeout: data loss if the log ends before the
// range, else an error that may pass.
func (r *reader) late(ctx context.Context, last error) error {
	ends, err := r.conn.ends(ctx, []partition{r.p}, latestOffset)
	if err != nil {
		return err
	}
	if end, ok := ends[r.p]; ok && end < r.to && end <= r.pos {
		return r.lost(r.to, couldNotRead(r.p, r.pos, r.to, r.cfg.group()))
	}
	late := base.Errorf(base.CodeUnavailable, "reading %s: cannot fetch offset %d within kafkaConsumer.pollTimeoutMs (%d ms)", r.name(), r.pos, r.cfg.pollTimeout.Milliseconds())
	if last != nil {
		return late.Because(last)
	}
	return late
}

// nothing ends a range in which the leader says there are no records. Records in
// remote storage may be out of reach for a while, so that is no proof there.
func (r *reader) nothing(ctx context.Context) error {
	const earliestLocal = -4
	if local, err := r.conn.ends(ctx, []partition{r.p}, earliestLocal); err == nil && local[r.p] > r.pos {
		return base.Errorf(base.CodeUnavailable, "reading %s: the broker does not return the records from offset %d, which are in remote storage", r.name(), r.pos)
	}
	r.pos = r.to
	return nil
}

// outOfRange answers a broker that does not have r.pos: moved is true if the
// range goes on behind what was lost.
func (r *reader) outOfRange(ctx context.Context) (moved bool, err error) {
	starts, err := r.conn.ends(ctx, []partition{r.p}, earliestOffset)
	if err != nil {
		return false, err
	}
	ends, err := r.conn.ends(ctx, []partition{r.p}, latestOffset)
	if err != nil {
		return false, err
	}
	start, ok := starts[r.p]
	end := ends[r.p]
	switch {
	case !ok:
		return true, r.lost(r.to, partitionsDeleted([]partition{r.p}, r.cfg))
	case start > r.pos:
		return true, r.lost(min(start, r.to), couldNotRead(r.p, r.pos, min(start, r.to), r.cfg.group()))
	case end < r.pos:
		return true, r.lost(r.to, couldNotRead(r.p, r.pos, r.to, r.cfg.group()))
	}
	return false, nil
}
