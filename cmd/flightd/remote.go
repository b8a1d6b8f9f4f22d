package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	arrowflight "github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/flightd/flightd/internal/base"
)

// server is a connection to a flightd elsewhere.
type server struct {
	c *flightsql.Client
	// token is what a login gave, as the value of the header; empty without one.
	token string
}

// dialServer connects to a URI as the drivers spell them: grpc:// and grpc+tcp://
// in plain text, grpc+tls:// and flightsql:// encrypted,
// flightsql://…?transport=tcp in plain text. A bare host:port is plain text.
func (c *sqlCmd) dialServer(s *session) (*server, error) {
	uri := c.Connect
	addr, encrypted, err := parseURI(uri)
	if err != nil {
		return nil, err
	}
	creds := insecure.NewCredentials()
	if encrypted {
		config, err := c.tlsConfig()
		if err != nil {
			return nil, err
		}
		creds = credentials.NewTLS(config)
	} else if c.TLSCA != "" || c.TLSCert != "" {
		return nil, base.Errorf(base.CodeInvalid, "%s is in plain text, and a certificate was given", uri).WithHint("grpc+tls://host:port is encrypted")
	}
	x := &server{}
	x.c, err = flightsql.NewClientCtx(s.ctx, addr, nil, nil, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<30)))
	if err != nil {
		return nil, base.Errorf(base.CodeUnavailable, "connecting to %s: %v", uri, err)
	}
	if c.User == "" {
		return x, nil
	}
	password := os.Getenv("FLIGHTD_PASSWORD")
	if password == "" {
		if password, err = askPassword(s.term); err != nil {
			return nil, errors.Join(err, x.c.Close())
		}
	}
	ctx, err := x.c.Client.AuthenticateBasicToken(s.ctx, c.User, password)
	if err != nil {
		return nil, errors.Join(err, x.c.Close())
	}
	if md, ok := metadata.FromOutgoingContext(ctx); ok && len(md.Get("authorization")) > 0 {
		x.token = md.Get("authorization")[0]
	}
	return x, nil
}

func (c *sqlCmd) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLSCA != "" {
		text, err := os.ReadFile(c.TLSCA)
		if err != nil {
			return nil, base.Errorf(base.CodeInvalid, "reading --tls-ca: %v", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, base.Errorf(base.CodeInvalid, "--tls-ca %s has no PEM certificate", c.TLSCA)
		}
	}
	if c.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return nil, base.Errorf(base.CodeInvalid, "--tls-cert and --tls-key: %v", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// as returns ctx with the token of the login.
func (s *server) as(ctx context.Context) context.Context {
	if s.token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", s.token)
}

func parseURI(uri string) (addr string, encrypted bool, err error) {
	if !strings.Contains(uri, "://") {
		return uri, false, nil
	}
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" {
		return "", false, base.Errorf(base.CodeInvalid, "%q is not the URI of a server", uri).WithHint("as in grpc://127.0.0.1:8815")
	}
	switch u.Scheme {
	case "grpc", "grpc+tcp":
		return u.Host, false, nil
	case "grpc+tls":
		return u.Host, true, nil
	case "flightsql":
		return u.Host, u.Query().Get("transport") != "tcp", nil
	}
	return "", false, base.Errorf(base.CodeInvalid, "%q: there is no transport %s", uri, u.Scheme).WithHint("as in grpc://127.0.0.1:8815")
}

// zone asks the server; one that has no session options is taken to be in UTC.
func (s *server) zone(ctx context.Context) string {
	o, err := s.c.GetSessionOptions(s.as(ctx), &arrowflight.GetSessionOptionsRequest{})
	if err != nil {
		return ""
	}
	return o.GetSessionOptions()[zoneSetting].GetStringValue()
}

func (s *server) close() error { return s.c.Close() }

// execute prepares the statement, which tells whether it is an update, and runs
// it.
func (s *server) execute(ctx context.Context, text string) (rows, error) {
	ctx = s.as(ctx)
	p, err := s.c.Prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	if p.DatasetSchema() == nil {
		defer p.Close(ctx)
		n, err := p.ExecuteUpdate(ctx)
		if err != nil {
			return nil, err
		}
		return &remoteRows{affected: n, update: true, schema: arrow.NewSchema(nil, nil)}, nil
	}
	info, err := p.Execute(ctx)
	if err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	if len(info.GetEndpoint()) != 1 {
		return nil, base.Errorf(base.CodeInvalid, "the server answered with %d endpoints", len(info.GetEndpoint()))
	}
	r, err := s.c.DoGet(ctx, info.Endpoint[0].Ticket)
	if err != nil {
		return nil, err
	}
	return &remoteRows{schema: r.Schema(), r: r, done: func() error { return p.Close(context.WithoutCancel(ctx)) }, affected: -1, live: subscribes(text)}, nil
}

type remoteRows struct {
	schema   *arrow.Schema
	r        *arrowflight.Reader
	done     func() error
	update   bool
	affected int64
	live     bool
}

// Endless reports that the rows are those of SUBSCRIBE.
func (r *remoteRows) Endless() bool { return r.live }

// Schema is the schema of the rows.
func (r *remoteRows) Schema() *arrow.Schema { return r.schema }

// IsUpdate reports that there are no rows.
func (r *remoteRows) IsUpdate() bool { return r.update }

// RowsAffected is what an update changed.
func (r *remoteRows) RowsAffected() int64 { return r.affected }

// Notices come as headers, which this client does not read.
func (r *remoteRows) Notices() []string { return nil }

// Next returns the next record batch.
func (r *remoteRows) Next(context.Context) (arrow.RecordBatch, error) {
	if r.r == nil {
		return nil, io.EOF
	}
	rec, err := r.r.Read()
	if err != nil {
		return nil, err
	}
	rec.Retain()
	return rec, nil
}

// Close ends the statement.
func (r *remoteRows) Close() error {
	if r.r == nil {
		return nil
	}
	r.r.Release()
	r.r = nil
	return r.done()
}
