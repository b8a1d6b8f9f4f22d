package transport

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/metadata"

	"github.com/flightd/flightd/internal/base"
)

// Options say how a Server serves. Those without a default must be set.
type Options struct {
	// Codec makes bytes of messages, and messages of bytes. The buffer that it is given
	// is the message's own: it may keep it.
	Codec encoding.CodecV2
	// Align returns which byte of a message that begins with head, and has size bytes in
	// all, is to stand at a multiple of 64 in memory. It may be nil.
	Align func(method string, head []byte, size int) int
	// Admit is asked about a call when its headers are there and before any memory is
	// spent on its messages. The call runs in the context that it returns; an error's
	// status is the call's answer. It may be nil. The connection waits for it.
	Admit func(ctx context.Context, method string, header metadata.MD) (context.Context, error)
	// Unary and Stream run the handlers of calls.
	Unary  grpc.UnaryServerInterceptor
	Stream grpc.StreamServerInterceptor
	// Credentials shake hands; nil is plaintext.
	Credentials credentials.TransportCredentials
	// MaxReceive is the most bytes of a message that comes, MaxHeaders that of a call's
	// headers (each counted with 32 bytes more, as HTTP/2 does).
	MaxReceive, MaxHeaders int
	// MaxCalls is how many calls of a connection run at a time; 1,024 if 0.
	MaxCalls int
	// ConnectTime is how long a client may take to shake hands.
	ConnectTime time.Duration
	// Quiet is after which time without a byte a client is asked whether it lives, Patience
	// how long it has to answer; 30 and 10 seconds if 0.
	Quiet, Patience time.Duration
	// Log has what goes wrong with a connection, at level debug.
	Log *slog.Logger
}

// A Server serves the calls of registered services.
type Server struct {
	opts    Options
	methods map[string]*method
	known   map[string]bool // services

	mu        sync.Mutex
	conns     map[*conn]struct{}
	listeners map[net.Listener]struct{}
	stopping  bool
	// running is one for each connection and each call.
	running sync.WaitGroup
	calls   atomic.Int64
}

// method is one method of a registered service: unary or stream is set.
type method struct {
	name   string // with slashes, as in :path
	impl   any
	unary  *grpc.MethodDesc
	stream *grpc.StreamDesc
}

// early reports whether a handler may have something to say before a message comes.
func (m *method) early() bool { return m.stream != nil && m.stream.ClientStreams }

// New returns a server without services.
func New(o Options) *Server {
	if o.MaxCalls == 0 {
		o.MaxCalls = 1024
	}
	if o.Quiet == 0 {
		o.Quiet = 30 * time.Second
	}
	if o.Patience == 0 {
		o.Patience = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{opts: o, methods: map[string]*method{}, known: map[string]bool{}, conns: map[*conn]struct{}{}, listeners: map[net.Listener]struct{}{}}
}

// RegisterService adds a service, as the generated code of its protobuf describes it.
// It is called before Serve.
func (s *Server) RegisterService(d *grpc.ServiceDesc, impl any) {
	s.known[d.ServiceName] = true
	for i := range d.Methods {
		m := &d.Methods[i]
		name := "/" + d.ServiceName + "/" + m.MethodName
		s.methods[name] = &method{name: name, impl: impl, unary: m}
	}
	for i := range d.Streams {
		m := &d.Streams[i]
		name := "/" + d.ServiceName + "/" + m.StreamName
		s.methods[name] = &method{name: name, impl: impl, stream: m}
	}
}

var _ grpc.ServiceRegistrar = (*Server)(nil)

// Calls is how many calls run now.
func (s *Server) Calls() int { return int(s.calls.Load()) }

// Serve takes the connections of l until a Stop; it then returns nil. It closes l.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return nil
	}
	s.listeners[l] = struct{}{}
	s.mu.Unlock()
	for pause := time.Duration(0); ; {
		raw, err := l.Accept()
		if err == nil {
			pause = 0
			s.serve(raw)
			continue
		}
		s.mu.Lock()
		stopping := s.stopping
		s.mu.Unlock()
		if stopping {
			return nil
		}
		// Such as too many open files: it passes.
		if t, ok := err.(interface{ Temporary() bool }); !ok || !t.Temporary() {
			return base.Wrap(err, "accepting connections")
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.opts.Log.Warn("accepting a connection", "err", err, "again_in", pause)
		time.Sleep(pause)
	}
}

// serve takes care of a connection in a goroutine of its own.
func (s *Server) serve(raw net.Conn) {
	c := newConn(s, raw)
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		raw.Close()
		return
	}
	s.conns[c] = struct{}{}
	s.running.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.running.Done()
		c.run()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
}

// GracefulStop takes no new connections and calls, and returns when those that run have
// ended.
func (s *Server) GracefulStop() { s.stop((*conn).drain) }

// Stop ends all connections, whose calls are cancelled, and returns when these have ended.
func (s *Server) Stop() { s.stop(func(c *conn) { c.cut(errStopped) }) }

func (s *Server) stop(each func(*conn)) {
	s.mu.Lock()
	s.stopping = true
	for l := range s.listeners {
		l.Close()
	}
	clear(s.listeners)
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		each(c)
	}
	s.running.Wait()
}
