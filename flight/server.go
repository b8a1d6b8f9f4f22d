package flight

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/flightd/flightd/flight/transport"
	"github.com/flightd/flightd/flight/wire"
	"github.com/flightd/flightd/internal/base"
)

// A Server serves a Backend over Flight SQL.
type Server struct {
	opts      Options
	log       *slog.Logger
	transport *transport.Server
	sessions  *sessions
	quit      chan struct{}
	calls     *turnstile
	streams   *turnstile
}

// maxHeaders is the most bytes of a call's headers, connectTime how long a
// connection may take to be set up.
const (
	maxHeaders  = 128 << 10
	connectTime = 20 * time.Second
)

// New returns a server that is ready to Serve.
func New(b Backend, o Options) *Server {
	o = o.withDefaults()
	s := &Server{opts: o, log: o.Logger, quit: make(chan struct{}),
		sessions: &sessions{backend: b, opts: o, byKey: map[string]*session{}, byConn: map[string][]*session{}, byUser: map[string]int{}},
		calls:    newTurnstile("statements", o.MaxStatements, o.MaxUserStatements), streams: newTurnstile("streams", o.MaxStreams, o.MaxUserStreams)}
	settings := transport.Options{
		Codec:       wire.Codec(),
		Align:       wire.Align,
		Admit:       s.admit,
		Unary:       s.unary,
		Stream:      s.stream,
		MaxReceive:  o.MaxReceive,
		MaxHeaders:  maxHeaders,
		ConnectTime: connectTime,
		Log:         o.Logger,
	}
	if o.Certificates != nil {
		settings.Credentials = credentials.NewTLS(o.Certificates.config())
	}
	s.transport = transport.New(settings)
	pb.RegisterFlightServiceServer(s.transport, newService(b, s.sessions, o, s.quit))
	healthpb.RegisterHealthServer(s.transport, health.NewServer())
	return s
}

// Serve answers calls on l until Stop; it then returns nil.
func (s *Server) Serve(l net.Listener) error {
	go s.sweep()
	return s.transport.Serve(&connListener{Listener: l, closed: s.sessions.dropConn, limit: s.opts.MaxConnections, log: s.log, plain: s.opts.Certificates == nil})
}

// Stop lets running calls end and refuses new ones; when ctx ends, running calls
// are cut off.
func (s *Server) Stop(ctx context.Context) {
	select {
	case <-s.quit:
	default:
		close(s.quit)
	}
	done := make(chan struct{})
	go func() {
		s.transport.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.transport.Stop()
		<-done
	}
	s.sessions.closeAll()
}

func (s *Server) sweep() {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		select {
		case now := <-t.C:
			s.sessions.sweep(now)
			if s.opts.Access != nil {
				s.opts.Access.Sweep()
			}
		case <-s.quit:
			return
		}
	}
}

// Reload reads the certificates and the users again, if they are from files. What
// cannot be read stays as it was. Sessions of users that are gone end, with what
// runs in them; connections stay.
func (s *Server) Reload() error {
	var errs []error
	if s.opts.Certificates != nil {
		errs = append(errs, base.Wrap(s.opts.Certificates.Reload(), "reloading the certificates"))
	}
	if s.opts.Access != nil {
		errs = append(errs, base.Wrap(s.opts.Access.Reload(), "reloading the users"))
		s.sessions.sweep(time.Now())
	}
	return errors.Join(errs...)
}

// Changed reports whether a file that Reload reads has changed.
func (s *Server) Changed() bool {
	return s.opts.Certificates != nil && s.opts.Certificates.Changed() || s.opts.Access != nil && s.opts.Access.Changed()
}
