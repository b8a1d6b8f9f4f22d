package kafkaclient

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/flightd/flightd/internal/base"
)

// A key is one Kafka setting. set is nil if it has no effect here; refused says
// why it may not be given.
type key struct {
	name    string
	role    Role
	set     func(*Settings, string) error
	refused string
}

// keys is the table of all settings that may follow "kafka.".
func keys() []key {
	return append(append(connectionKeys(), securityKeys()...), append(consumerKeys(), producerKeys()...)...)
}

func connectionKeys() []key {
	return []key{
		{name: "bootstrap.servers", role: both, set: func(s *Settings, v string) error {
			for _, h := range strings.Split(v, ",") {
				if h = strings.TrimSpace(h); h != "" {
					s.Servers = append(s.Servers, h)
				}
			}
			return nil
		}},
		{name: "client.id", role: both, set: func(s *Settings, v string) error { s.clientID = v; return nil }},
		{name: "request.timeout.ms", role: both, set: millis(func(s *Settings) *time.Duration { return &s.RequestTimeout })},
		{name: "default.api.timeout.ms", role: both, set: millis(func(s *Settings) *time.Duration { return &s.APITimeout })},
		{name: "retry.backoff.ms", role: both, set: millis(func(s *Settings) *time.Duration { return &s.RetryBackoff })},
		{name: "retry.backoff.max.ms", role: both, set: millis(func(s *Settings) *time.Duration { return &s.RetryBackoffMax })},
		{name: "socket.connection.setup.timeout.ms", role: both, set: millis(func(s *Settings) *time.Duration { return &s.connectTimeout })},
		{name: "connections.max.idle.ms", role: both, set: millis(func(s *Settings) *time.Duration { return &s.idle })},
		{name: "metadata.max.age.ms", role: both, set: millis(func(s *Settings) *time.Duration { return &s.metadata })},
		// Accepted, so that a program written for another client runs; the
		// client decides these by itself.
		{name: "socket.connection.setup.timeout.max.ms", role: both}, {name: "reconnect.backoff.ms", role: both}, {name: "reconnect.backoff.max.ms", role: both},
		{name: "send.buffer.bytes", role: both}, {name: "receive.buffer.bytes", role: both}, {name: "client.dns.lookup", role: both},
		{name: "metric.reporters", role: both, refused: "it names classes of a Java client."},
		{name: "interceptor.classes", role: both, refused: "interceptors of a Java client could change records unseen."},
	}
}

func consumerKeys() []key {
	return []key{
		{name: "isolation.level", role: Consumer, set: func(s *Settings, v string) error {
			switch v {
			case "read_committed", "read_uncommitted":
				s.ReadCommitted = v == "read_committed"
				return nil
			}
			return base.Errorf(base.CodeInvalid, "%q is neither read_committed nor read_uncommitted", v)
		}},
		{name: "fetch.min.bytes", role: Consumer, set: bytes(func(s *Settings) *int32 { return &s.FetchMinBytes })},
		{name: "fetch.max.bytes", role: Consumer, set: bytes(func(s *Settings) *int32 { return &s.FetchMaxBytes })},
		{name: "max.partition.fetch.bytes", role: Consumer, set: bytes(func(s *Settings) *int32 { return &s.PartitionMaxBytes })},
		{name: "fetch.max.wait.ms", role: Consumer, set: millis(func(s *Settings) *time.Duration { return &s.FetchMaxWait })},
		{name: "check.crcs", role: Consumer, set: flag(func(s *Settings) *bool { return &s.CheckCRC })},
		{name: "client.rack", role: Consumer, set: func(s *Settings, v string) error { s.rack = v; return nil }},
		{name: "group.id", role: Consumer, set: func(s *Settings, v string) error { s.GroupID = v; return nil }},
		// Settings of consumer groups: none is joined.
		{name: "session.timeout.ms", role: Consumer}, {name: "heartbeat.interval.ms", role: Consumer}, {name: "max.poll.records", role: Consumer},
		{name: "max.poll.interval.ms", role: Consumer}, {name: "group.instance.id", role: Consumer}, {name: "partition.assignment.strategy", role: Consumer},
		{name: "allow.auto.create.topics", role: Consumer}, {name: "exclude.internal.topics", role: Consumer},
		{name: "auto.offset.reset", role: Consumer, refused: "say where to start with the option startingOffsets. " +
			"The query keeps its own offsets, so no record is missed when partitions are added; startingOffsets counts only when a query starts for the first time."},
		{name: "key.deserializer", role: Consumer, refused: "keys are binary; decode them in the query."},
		{name: "value.deserializer", role: Consumer, refused: "values are binary; decode them in the query."},
		{name: "enable.auto.commit", role: Consumer, refused: "the source commits no offsets to Kafka; the query's checkpoint has them."},
	}
}

func producerKeys() []key {
	always := func(name, want, why string) key {
		return key{name: name, role: Producer, set: func(_ *Settings, v string) error {
			if !strings.EqualFold(v, want) && (name != "acks" || v != "-1") {
				return base.Errorf(base.CodeInvalid, "%q is not supported, only %q: %s", v, want, why)
			}
			return nil
		}}
	}
	return []key{
		always("acks", "all", "an epoch counts as written when every replica in sync has it"),
		always("enable.idempotence", "true", "retries would write records twice"),
		{name: "linger.ms", role: Producer, set: millis(func(s *Settings) *time.Duration { return &s.Linger })},
		{name: "batch.size", role: Producer, set: bytes(func(s *Settings) *int32 { return &s.BatchBytes })},
		{name: "max.request.size", role: Producer, set: bytes(func(s *Settings) *int32 { return &s.MaxRequestBytes })},
		{name: "buffer.memory", role: Producer, set: func(s *Settings, v string) error {
			n, err := whole(v, 1, math.MaxInt64)
			s.BufferBytes = n
			return err
		}},
		{name: "delivery.timeout.ms", role: Producer, set: millis(func(s *Settings) *time.Duration { return &s.DeliveryTimeout })},
		{name: "max.in.flight.requests.per.connection", role: Producer, set: func(s *Settings, v string) error {
			n, err := whole(v, 1, 5)
			s.MaxInFlight = int(n)
			return err
		}},
		{name: "compression.type", role: Producer, set: func(s *Settings, v string) error {
			switch v {
			case "none", "gzip", "snappy", "lz4", "zstd":
				s.Compression = v
				return nil
			}
			return base.Errorf(base.CodeInvalid, "%q is not none, gzip, snappy, lz4 or zstd", v)
		}},
		{name: "retries", role: Producer}, {name: "max.block.ms", role: Producer}, {name: "partitioner.ignore.keys", role: Producer},
		{name: "key.serializer", role: Producer, refused: "keys are strings or binary; encode them in the query."},
		{name: "value.serializer", role: Producer, refused: "values are strings or binary; encode them in the query."},
		{name: "partitioner.class", role: Producer, refused: "it names a Java class; the column partition says where a record goes."},
		{name: "transactional.id", role: Producer, refused: "the sink does not write in transactions yet."},
		{name: "transaction.timeout.ms", role: Producer, refused: "the sink does not write in transactions yet."},
	}
}

func whole(v string, lo, hi int64) (int64, error) {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < lo || n > hi {
		return 0, base.Errorf(base.CodeInvalid, "%q is not a whole number from %d to %d", v, lo, hi)
	}
	return n, nil
}

func millis(field func(*Settings) *time.Duration) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		n, err := whole(v, 0, math.MaxInt32)
		*field(s) = time.Duration(n) * time.Millisecond
		return err
	}
}

func bytes(field func(*Settings) *int32) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		n, err := whole(v, 1, 1<<30)
		*field(s) = int32(n)
		return err
	}
}

func flag(field func(*Settings) *bool) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		b, err := strconv.ParseBool(strings.ToLower(v))
		if err != nil {
			return base.Errorf(base.CodeInvalid, "%q is neither true nor false", v)
		}
		*field(s) = b
		return nil
	}
}
