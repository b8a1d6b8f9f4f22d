package kafkaclient

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flightd/flightd/internal/base"
)

// Client is a client whose Close ends every connection at once, also one that
// waits for a broker's first word.
type Client struct {
	*kgo.Client
	end context.CancelFunc
}

// Close ends all connections and whatever waits for them.
func (c *Client) Close() {
	c.end()
	c.Client.Close()
}

// Open returns a client; no connection is made yet. The caller closes it.
func (s *Settings) Open(more ...kgo.Opt) (*Client, error) {
	life, end := context.WithCancel(context.Background())
	opts := []kgo.Opt{
		kgo.SeedBrokers(s.Servers...), kgo.ClientID(s.clientID), kgo.SoftwareNameAndVersion("flightd", "1"),
		kgo.RetryTimeout(s.APITimeout), kgo.RequestTimeoutOverhead(within(s.RequestTimeout, 100*time.Millisecond, 15*time.Minute)),
		kgo.RetryBackoffFn(s.Backoff), kgo.Dialer(s.dialer(life)), kgo.ConnIdleTimeout(within(s.idle, time.Second, 15*time.Minute)),
		kgo.MetadataMaxAge(within(s.metadata, time.Second, time.Hour)), kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.DisableClientMetrics(),
		// The largest answer is one record batch over the limit of a fetch.
		kgo.BrokerMaxReadBytes(int32(within(2*int64(max(s.FetchMaxBytes, s.PartitionMaxBytes)), 64<<20, 1<<30))),
	}
	if s.rack != "" {
		opts = append(opts, kgo.Rack(s.rack))
	}
	if s.auth {
		opts = append(opts, kgo.SASL(s.mechanism()))
	}
	cl, err := kgo.NewClient(append(opts, more...)...)
	if err != nil {
		end()
		return nil, base.Errorf(base.CodeInvalid, "opening a Kafka client").Because(err)
	}
	return &Client{cl, end}, nil
}

// dialer connects, with TLS if asked for; life ends what it connected.
func (s *Settings) dialer(life context.Context) func(context.Context, string, string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: s.connectTimeout}
	dial := plain.DialContext
	if s.useTLS {
		dial = (&tls.Dialer{NetDialer: plain, Config: s.tlsConfig}).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(life, cancel)()
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &connection{Conn: c, forget: context.AfterFunc(life, func() { c.Close() })}, nil
	}
}

// connection is not told of its client's end any more once it is closed.
type connection struct {
	net.Conn
	forget func() bool
}

// Close closes the connection.
func (c *connection) Close() error {
	c.forget()
	return c.Conn.Close()
}

// Await runs ask, and returns when ctx ends even if ask does not: a client that
// waits for a broker's first word does not look at the context. ask must not
// touch what the caller still uses.
func Await[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	got := make(chan answer, 1)
	go func() {
		v, err := ask(ctx)
		got <- answer{v, err}
	}()
	select {
	case a := <-got:
		return a.v, a.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

func within[T time.Duration | int64](v, lo, hi T) T { return min(max(v, lo), hi) }

// Rack is the value of client.rack, for fetches.
func (s *Settings) Rack() string { return s.rack }

// Backoff is how long to wait before try n, counted from 1.
func (s *Settings) Backoff(n int) time.Duration {
	d := s.RetryBackoff << min(max(n-1, 0), 10)
	return max(min(d, s.RetryBackoffMax), time.Millisecond)
}

// Limit returns a context that ends after default.api.timeout.ms.
func (s *Settings) Limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, s.APITimeout, errTimeLimit)
}

var errTimeLimit = errors.New("no answer within kafka.default.api.timeout.ms")

// Error gives what a client returned the code that callers branch on: Unavailable
// for what may pass, with the brokers asked; Invalid for what the user must mend.
// step is a gerund with its object. ctx is the caller's own.
func (s *Settings) Error(ctx context.Context, err error, step string) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return base.Errorf(base.CodeCanceled, "%s", step).Because(context.Cause(ctx))
	}
	code, hint := base.CodeInternal, ""
	var ke *kerr.Error
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.GroupAuthorizationFailed):
		code, hint = base.CodeInvalid, "the broker's access rules do not allow it to this user"
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.UnsupportedSaslMechanism), errors.Is(err, kerr.IllegalSaslState):
		code, hint = base.CodeInvalid, "check kafka.sasl.mechanism and kafka.sasl.jaas.config"
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID):
		code = base.CodeNotFound
	case errors.As(err, &ke):
		if ke.Retriable {
			code = base.CodeUnavailable
		}
	case errors.As(err, &dns), errors.As(err, &op), errors.Is(err, context.DeadlineExceeded), errors.Is(err, errTimeLimit), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, kgo.ErrClientClosed), isNetwork(err):
		code, hint = base.CodeUnavailable, "is the broker running, and does it advertise an address that can be reached from here?"
	}
	// Only the text of err is kept: a connection that ended is an io.EOF, which
	// means something else to whoever reads records.
	e := base.Errorf(code, "%s (brokers %s)", step, strings.Join(s.Servers, ",")).Because(errors.New(err.Error()))
	if hint != "" {
		e = e.WithHint("%s", hint)
	}
	return e
}

// isNetwork knows the client's own errors that it does not export as types.
func isNetwork(err error) bool {
	text := err.Error()
	for _, part := range []string{"unable to dial", "broker", "connection", "timed out", "no answer"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
