package kafkaclient

import (
	"crypto/tls"
	"slices"
	"strings"
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/roots"
)

// A Role says who asks: the two accept and refuse different keys.
type Role uint8

// The roles.
const (
	Consumer Role = 1 << iota
	Producer
	both = Consumer | Producer
)

// Prefix is what the names of all options of this package begin with.
const Prefix = "kafka."

// Settings are what the options say. The zero value is not useful; see Parse.
type Settings struct {
	// Servers are host:port pairs to begin with.
	Servers []string
	// GroupID names the reader in messages; no group is joined. May be empty.
	GroupID string

	clientID, rack string
	sasl           saslSettings
	tls            tlsSettings
	useTLS, auth   bool

	// RequestTimeout bounds one request, APITimeout a request with its retries.
	RequestTimeout, APITimeout     time.Duration
	RetryBackoff, RetryBackoffMax  time.Duration
	connectTimeout, idle, metadata time.Duration

	// ReadCommitted hides records of open and aborted transactions.
	ReadCommitted bool
	// FetchMinBytes, FetchMaxBytes and PartitionMaxBytes bound the answer to a
	// fetch; one record batch may be larger than PartitionMaxBytes, but not than
	// FetchMaxBytes.
	FetchMinBytes, FetchMaxBytes, PartitionMaxBytes int32
	FetchMaxWait                                    time.Duration
	// CheckCRC says that checksums of record batches are compared.
	CheckCRC bool

	// Linger, DeliveryTimeout, BatchBytes, BufferBytes, MaxRequestBytes and
	// Compression shape what a producer sends.
	Linger, DeliveryTimeout     time.Duration
	BatchBytes, MaxRequestBytes int32
	BufferBytes                 int64
	Compression                 string
	MaxInFlight                 int
	tlsConfig                   *tls.Config
}

func defaults() *Settings {
	return &Settings{
		clientID: "flightd", RequestTimeout: 30 * time.Second, APITimeout: 60 * time.Second,
		RetryBackoff: 100 * time.Millisecond, RetryBackoffMax: time.Second,
		connectTimeout: 10 * time.Second, idle: 9 * time.Minute, metadata: 5 * time.Minute,
		FetchMinBytes: 1, FetchMaxBytes: 50 << 20, PartitionMaxBytes: 4 << 20, FetchMaxWait: 500 * time.Millisecond, CheckCRC: true,
		DeliveryTimeout: 2 * time.Minute, Linger: 5 * time.Millisecond, BatchBytes: 1 << 20, MaxRequestBytes: 1 << 20, BufferBytes: 32 << 20, Compression: "none", MaxInFlight: 5,
	}
}

// Parse reads the options whose names begin with "kafka.". what names who has
// them, for messages: "source kafka". Settings of the other role are accepted
// without effect: one table may be read and written. Files that options name lie
// within disk.
func Parse(what string, role Role, o base.Options, disk *roots.Set) (*Settings, error) {
	s := defaults()
	names := make([]string, 0, len(o))
	for name := range o {
		if len(name) > len(Prefix) && strings.EqualFold(name[:len(Prefix)], Prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		k, err := lookup(what, name)
		if err != nil {
			return nil, err
		}
		if k.role&role == 0 {
			continue
		}
		if k.refused != "" {
			return nil, base.UserError("", "", "%s: Kafka option '%s' is not supported: %s", what, k.name, k.refused)
		}
		if k.set == nil {
			continue
		}
		if err := k.set(s, strings.TrimSpace(o[name])); err != nil {
			return nil, base.Wrap(err, "%s: option %s", what, name)
		}
	}
	if len(s.Servers) == 0 {
		return nil, base.UserError("", "", "%s: Option 'kafka.bootstrap.servers' must be specified.", what).
			WithHint("name the brokers to begin with: 'kafka.bootstrap.servers' = 'host1:9092,host2:9092'")
	}
	if err := s.secure(disk); err != nil {
		return nil, base.Wrap(err, "%s", what)
	}
	return s, nil
}

func lookup(what, name string) (*key, error) {
	bare := name[len(Prefix):]
	table := keys()
	var known []string
	for i := range table {
		if strings.EqualFold(table[i].name, bare) {
			return &table[i], nil
		}
		known = append(known, Prefix+table[i].name)
	}
	err := base.Errorf(base.CodeInvalid, "%s has no option %q", what, name)
	if near := base.Nearest(name, known); near != "" {
		return nil, err.WithHint("did you mean %q?", near)
	}
	return nil, err.WithHint("it is not among the Kafka settings that are passed on")
}
