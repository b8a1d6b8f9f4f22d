package flight

import (
	"context"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/flightd/flightd/internal/base"
)

// unary runs a call of one request and one answer in its session.
func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (resp any, err error) {
	err = s.call(ctx, info.FullMethod, func(md metadata.MD) { _ = grpc.SetTrailer(ctx, md) }, func(ctx context.Context) (err error) {
		resp, err = next(ctx, req)
		return err
	})
	return resp, err
}

// stream runs a call with streams in its session.
func (s *Server) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	return s.call(ss.Context(), info.FullMethod, ss.SetTrailer, func(ctx context.Context) error {
		return next(srv, &inSession{ServerStream: ss, ctx: ctx})
	})
}

// inSession is a stream whose context has the session.
type inSession struct {
	grpc.ServerStream
	ctx context.Context
}

// Context returns the context with the session.
func (s *inSession) Context() context.Context { return s.ctx }

// call finds the session of a call, runs f in it, and turns what comes of it,
// panics included, into a status with trailers.
func (s *Server) call(ctx context.Context, method string, trailer func(metadata.MD), f func(context.Context) error) error {
	start := time.Now()
	err := s.guarded(ctx, method, f)
	if err == nil {
		return nil
	}
	st, md := toStatus(err)
	// The log has the call under the identity that the client is told.
	id := ""
	if len(md) > 0 {
		id = newID()
		md.Set("x-flightd-query-id", id)
		trailer(md)
	}
	level := slog.LevelDebug
	if st.Code() == codes.Internal || st.Code() == codes.DataLoss {
		level = slog.LevelError
	}
	s.log.Log(ctx, level, "call", "method", method, "code", st.Code().String(), "err", st.Message(), "query_id", id, "took", time.Since(start))
	return st.Err()
}

func (s *Server) guarded(ctx context.Context, method string, f func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.panicked(method, p)
		}
	}()
	if strings.HasPrefix(method, healthPrefix) {
		return f(ctx)
	}
	gate := s.calls
	if isStream(method) {
		gate = s.streams
	}
	// Whoever shakes hands has no name yet, and with users no session either.
	who, known := ctx.Value(callerKey{}).(caller)
	leave, err := gate.enter(who.user.Name)
	if err != nil {
		return err
	}
	defer leave()
	if method == handshakeMethod {
		return f(ctx)
	}
	if !known {
		return base.Errorf(base.CodeUnauthenticated, "nobody has looked at who calls %s", method)
	}
	ses, err := s.sessions.enter(ctx, who)
	if err != nil {
		return err
	}
	defer ses.leave()
	ctx, cancel := context.WithCancel(context.WithValue(ctx, sessionKey{}, ses))
	defer cancel()
	defer context.AfterFunc(ses.ctx, cancel)()
	return f(ctx)
}

// panicked logs a panic with its stack and returns the error that the client
// sees.
func (s *Server) panicked(where string, p any) error {
	return recovered(s.log, where, p)
}

func recovered(log *slog.Logger, where string, p any) error {
	log.Error("panic", "in", where, "value", p, "stack", string(debug.Stack()))
	if e, ok := p.(*base.Error); ok {
		return e
	}
	return base.Errorf(base.CodeInternal, "the server ran into a bug while answering").
		WithHint("please report it with the server's log")
}

// recovering runs f and makes an error of its panic.
func recovering(log *slog.Logger, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = recovered(log, "running a statement", p)
		}
	}()
	return f()
}
