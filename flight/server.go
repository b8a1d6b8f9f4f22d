package flight

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
)

// A Server serves a Backend over Flight SQL.
type Server struct {
	opts     Options
	log      *slog.Logger
	grpc     *grpc.Server
	sessions *sessions
	quit     chan struct{}
}

// New returns a server that is ready to Serve.
func New(b Backend, o Options) *Server {
	o = o.withDefaults()
	s := &Server{opts: o, log: o.Logger, quit: make(chan struct{}),
		sessions: &sessions{backend: b, opts: o, byKey: map[string]*session{}}}
	s.grpc = grpc.NewServer(
		grpc.MaxRecvMsgSize(o.MaxReceive),
		// Well-meant clients ping more often than grpc-go's default allows.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.ChainUnaryInterceptor(s.unary),
		grpc.ChainStreamInterceptor(s.stream),
	)
	flight.RegisterFlightServiceServer(s.grpc, newService(b, s.sessions, o, s.quit))
	healthpb.RegisterHealthServer(s.grpc, health.NewServer())
	return s
}

// Serve answers calls on l until Stop; it then returns nil.
func (s *Server) Serve(l net.Listener) error {
	go s.sweep()
	return s.grpc.Serve(&connListener{Listener: l, closed: s.sessions.dropConn})
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
		s.grpc.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.grpc.Stop()
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
		case <-s.quit:
			return
		}
	}
}
