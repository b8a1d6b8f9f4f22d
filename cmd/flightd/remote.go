package main

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	arrowflight "github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/flightd/flightd/internal/base"
)

// server is a connection to a flightd elsewhere.
type server struct{ c *flightsql.Client }

// dialServer connects to a URI as the drivers spell them: grpc:// and grpc+tcp://
// in plain text, grpc+tls:// and flightsql:// encrypted,
// flightsql://…?transport=tcp in plain text. A bare host:port is plain text.
func dialServer(ctx context.Context, uri string) (*server, error) {
	addr, tls, err := parseURI(uri)
	if err != nil {
		return nil, err
	}
	creds := insecure.NewCredentials()
	if tls {
		creds = credentials.NewTLS(nil)
	}
	c, err := flightsql.NewClientCtx(ctx, addr, nil, nil, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<30)))
	if err != nil {
		return nil, base.Errorf(base.CodeUnavailable, "connecting to %s: %v", uri, err)
	}
	return &server{c}, nil
}

func parseURI(uri string) (addr string, tls bool, err error) {
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
	o, err := s.c.GetSessionOptions(ctx, &arrowflight.GetSessionOptionsRequest{})
	if err != nil {
		return ""
	}
	return o.GetSessionOptions()[zoneSetting].GetStringValue()
}

func (s *server) close() error { return s.c.Close() }

// execute prepares the statement, which tells whether it is an update, and runs
// it.
func (s *server) execute(ctx context.Context, text string) (rows, error) {
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
