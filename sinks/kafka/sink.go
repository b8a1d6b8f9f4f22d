package kafka

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/kafkaclient"
	"github.com/flightd/flightd/sinks"
)

// Sink sends rows to Kafka.
type Sink struct {
	set     *settings
	client  *kafkaclient.Client
	commits commits

	mu sync.Mutex
	// failed is the first error of a record of the epoch being written; it stays,
	// since an epoch that failed is replayed by a sink opened anew.
	failed error
}

var _ sinks.Sink = (*Sink)(nil)

// Provider returns the provider "kafka".
func Provider() sinks.Provider {
	return sinks.Provider{Name: "kafka", Options: optionNames(), AnySchema: true, Open: func(_ context.Context, cfg sinks.Config) (sinks.Sink, error) { return open(cfg) }}
}

func open(cfg sinks.Config) (*Sink, error) {
	set, err := parseSettings(cfg)
	if err != nil {
		return nil, err
	}
	c := set.client
	client, err := c.Open(
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordPartitioner(placing{kgo.StickyKeyPartitioner(nil)}), kgo.AllowAutoTopicCreation(),
		kgo.ProducerLinger(min(c.Linger, time.Minute)), kgo.ProducerBatchMaxBytes(min(max(c.MaxRequestBytes, 1<<10), 100<<20)),
		kgo.ProducerBatchCompression(codec(c.Compression)), kgo.MaxBufferedRecords(1<<17), kgo.MaxBufferedBytes(int(c.BufferBytes)),
		kgo.ProduceRequestTimeout(min(max(c.RequestTimeout, time.Second), 15*time.Minute)),
		// A record whose fate is unknown fails after the time limit too: the epoch
		// is replayed, which is allowed, and nothing waits for ever.
		kgo.RecordDeliveryTimeout(max(c.DeliveryTimeout, time.Second)), kgo.AllowIdempotentProduceCancellation(),
	)
	if err != nil {
		return nil, err
	}
	s := &Sink{set: set, client: client}
	s.commits = &flushed{flush: s.flush, last: base.NoEpoch}
	return s, nil
}

func codec(name string) kgo.CompressionCodec {
	switch name {
	case "gzip":
		return kgo.GzipCompression()
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		return kgo.Lz4Compression()
	case "zstd":
		return kgo.ZstdCompression()
	}
	return kgo.NoCompression()
}

// Write sends the rows of rec; it waits only when buffer.memory is full. The
// record batch is kept until its records are acknowledged.
func (s *Sink) Write(ctx context.Context, epoch base.Epoch, _ sinks.Mode, rec arrow.RecordBatch) error {
	if err := s.failure(); err != nil {
		return writing(err, epoch)
	}
	switch _, done, err := s.commits.find(ctx, epoch); {
	case err != nil:
		return err
	case done || rec.NumRows() == 0:
		return nil // Commit compares the digests
	}
	rows, err := s.set.records(rec)
	if err != nil {
		return writing(err, epoch)
	}
	rec.Retain()
	var open atomic.Int64
	open.Store(int64(len(rows)))
	acknowledged := func(r *kgo.Record, err error) {
		if err != nil {
			s.fail(ctx, r, err)
		}
		if open.Add(-1) == 0 {
			rec.Release()
		}
	}
	for i := range rows {
		s.client.Produce(ctx, &rows[i], acknowledged)
	}
	return writing(s.failure(), epoch)
}

func (s *Sink) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

func (s *Sink) fail(ctx context.Context, r *kgo.Record, err error) {
	where := "sending a record to topic " + r.Topic
	if errors.Is(err, kgo.ErrRecordTimeout) || errors.Is(err, kgo.ErrRecordRetries) {
		err = base.Errorf(base.CodeUnavailable, "%s: it was not acknowledged within kafka.delivery.timeout.ms (%d ms)", where, s.set.client.DeliveryTimeout.Milliseconds()).Because(err)
	} else if errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge) {
		err = base.Errorf(base.CodeInvalid, "%s: it has %d bytes of key and value", where, len(r.Key)+len(r.Value)).Because(err).
			WithHint("raise kafka.max.request.size (%d now), and max.message.bytes of the topic", s.set.client.MaxRequestBytes)
	} else {
		err = s.set.client.Error(ctx, err, where)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = err
	}
}

func writing(err error, epoch base.Epoch) error {
	return base.Wrap(err, "sink kafka: writing epoch %d", epoch)
}

// Commit waits until every record of the epoch is acknowledged by all replicas in
// sync. A repeat with the same digest is a no-op, see the package comment.
func (s *Sink) Commit(ctx context.Context, epoch base.Epoch, _ sinks.Mode, digest base.Digest) error {
	switch old, done, err := s.commits.find(ctx, epoch); {
	case err != nil:
		return err
	case done && old == digest:
		return nil
	case done:
		return base.Errorf(base.CodeCorrupt, "sink kafka: epoch %d was committed with the digest %s, now it has %s", epoch, old, digest)
	}
	return writing(s.commits.finish(ctx, epoch, digest), epoch)
}

// flush waits until all records sent are acknowledged; the error is that of the
// first one that was not.
func (s *Sink) flush(ctx context.Context) error {
	if err := s.failure(); err != nil {
		return err
	}
	if err := s.client.Flush(ctx); err != nil {
		return s.set.client.Error(ctx, err, "waiting for acknowledgements")
	}
	return s.failure()
}

// Describe returns KafkaSink[topic], or KafkaSink if rows name their topics.
func (s *Sink) Describe() string {
	if s.set.topic == "" {
		return "KafkaSink"
	}
	return "KafkaSink[" + s.set.topic + "]"
}

// Close closes the connections; records not acknowledged yet are given up.
func (s *Sink) Close() error {
	s.client.Close()
	return nil
}
