package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// Options are who connects and how. The zero Options connect without a login.
type Options struct {
	// User and Password log in.
	User, Password string
	// Token is that of a service, instead.
	Token string
	// TLS is how an encrypted connection is checked; nil trusts what this computer
	// trusts.
	TLS *tls.Config
	// MaxMessage is the most bytes of a message of a result; 0 is 64 MiB.
	MaxMessage int
	// Dial are further options of the connection.
	Dial []grpc.DialOption
}

// A Conn is a session of a server.
type Conn struct {
	opts Options
	c    *flightsql.Client

	mu     sync.Mutex
	header string // of authorization

	// numbering is held while record batches of producer, which is this connection's
	// alone, are appended.
	numbering sync.Mutex
	producer  string
}

// Connect opens a session of the server at uri: grpc://host:port in plain text,
// grpc+tls://host:port encrypted.
func Connect(ctx context.Context, uri string, o Options) (*Conn, error) {
	addr, encrypted, err := parseURI(uri)
	if err != nil {
		return nil, err
	}
	if o.Token != "" && o.User != "" {
		return nil, errors.New("flightd: a user and a token are given; one of them logs in")
	}
	creds := insecure.NewCredentials()
	if encrypted {
		creds = credentials.NewTLS(o.TLS)
	} else if o.TLS != nil {
		return nil, fmt.Errorf("flightd: %q is in plain text and Options.TLS is set; grpc+tls://%s is encrypted", uri, addr)
	}
	if o.MaxMessage == 0 {
		o.MaxMessage = 64 << 20
	}
	x := &Conn{opts: o}
	dial := append([]grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(o.MaxMessage)),
		grpc.WithChainUnaryInterceptor(x.authorizeUnary, unaryErrors),
		grpc.WithChainStreamInterceptor(x.authorizeStream, streamErrors),
	}, o.Dial...)
	if x.c, err = flightsql.NewClientCtx(ctx, addr, nil, nil, dial...); err != nil {
		return nil, err
	}
	if err := x.login(ctx); err != nil {
		return nil, errors.Join(err, x.c.Close())
	}
	return x, nil
}

// login gets a token, under which the server keeps the session.
func (x *Conn) login(ctx context.Context) error {
	x.setHeader("")
	switch {
	case x.opts.Token != "":
		x.setHeader("Bearer " + x.opts.Token)
		return x.greet(ctx)
	case x.opts.User == "":
		// Without users, a token only names the session. With users this is refused.
		if err := x.greet(ctx); err != nil {
			return err
		}
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails
		x.setHeader("Bearer " + hex.EncodeToString(b[:]))
		return nil
	}
	with, err := x.c.Client.AuthenticateBasicToken(ctx, x.opts.User, x.opts.Password)
	if err != nil {
		return err
	}
	md, _ := metadata.FromOutgoingContext(with)
	if tokens := md.Get("authorization"); len(tokens) > 0 {
		x.setHeader(tokens[len(tokens)-1])
		return nil
	}
	return &Error{Code: codes.Internal, Message: "the server accepted the login and gave no token"}
}

// greet makes a call that needs nothing but a valid token.
func (x *Conn) greet(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := x.c.Client.ListActions(ctx, &flight.Empty{})
	for err == nil {
		_, err = s.Recv()
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// again makes the call once more, after a login, if the server does not know the
// token any more: tokens end with the server that gave them.
func (x *Conn) again(ctx context.Context, call func() error) error {
	err := call()
	var e *Error
	if x.opts.User == "" || !errors.As(err, &e) || e.Code != codes.Unauthenticated {
		return err
	}
	if err := x.login(ctx); err != nil {
		return err
	}
	return call()
}

func (x *Conn) setHeader(h string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.header = h
}

func (x *Conn) authorized(ctx context.Context) context.Context {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.header == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", x.header)
}

func (x *Conn) authorizeUnary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	return invoke(x.authorized(ctx), method, req, reply, cc, opts...)
}

func (x *Conn) authorizeStream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return open(x.authorized(ctx), desc, cc, method, opts...)
}

// FlightSQL is the client underneath, for what this package does not have. Its
// calls are the session's.
func (x *Conn) FlightSQL() *flightsql.Client { return x.c }

// Close ends the session and the connection.
func (x *Conn) Close() error {
	// The session of a service's token hangs on the connection; others are ended by
	// name. A server that is gone has ended it already.
	if x.opts.Token == "" {
		_, _ = x.c.CloseSession(context.Background(), &flight.CloseSessionRequest{})
	}
	return x.c.Close()
}
