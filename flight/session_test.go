package flight

import (
	"context"
	"encoding/base64"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// A session is the bearer token's, on whatever connection.
func TestTokenSessions(t *testing.T) {
	f, addr := start(t, Options{})
	as := func(token string) context.Context {
		return metadata.AppendToOutgoingContext(bg, "authorization", "bEaReR "+token)
	}
	a, b := dial(t, addr), dial(t, addr)
	set(t, a, as("one"), "k", "1")
	set(t, b, as("two"), "k", "2")
	if got := setting(t, b, as("one"), "k"); got != "1" {
		t.Fatalf("on another connection: %q", got)
	}
	if got := setting(t, a, as("two"), "k"); got != "2" {
		t.Fatalf("got %q", got)
	}
	if got := setting(t, a, bg, "k"); got != "" {
		t.Fatalf("without a token: %q", got)
	}
	if f.sessions.Load() != 3 {
		t.Fatalf("there are %d sessions", f.sessions.Load())
	}
	if _, err := a.CloseSession(as("one"), &flight.CloseSessionRequest{}); err != nil {
		t.Fatal(err)
	}
	if got := setting(t, a, as("one"), "k"); got != "" {
		t.Fatalf("after the session was closed: %q", got)
	}
}

// A session without token or cookie is the connection's and ends with it.
func TestConnectionSessions(t *testing.T) {
	f, addr := start(t, Options{})
	c, err := flightsql.NewClient(addr, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Prepare(bg, "ECHO ?")
	if err != nil {
		t.Fatal(err)
	}
	// F4: to another session the handle does not exist.
	other := dial(t, addr)
	stolen := flightsql.NewPreparedStatement(other, p.Handle())
	_, err = stolen.Execute(bg)
	wantCode(t, err, codes.NotFound, "no such prepared statement")
	_, err = collect(t, other, mustInfo(t, c, "NUMBERS 1"))
	wantCode(t, err, codes.NotFound, "no such ticket")
	if len(p.Handle()) < 16 {
		t.Fatalf("the handle has %d bytes", len(p.Handle()))
	}
	before := f.closed.Load()
	c.Close()
	eventually(t, func() bool { return f.closed.Load() == before+1 })
}

func TestCookieSessions(t *testing.T) {
	f, addr := start(t, Options{})
	jar := flight.NewClientCookieMiddleware()
	open := func() *flightsql.Client {
		c, err := flightsql.NewClient(addr, nil, []flight.ClientMiddleware{jar}, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a := open()
	set(t, a, bg, "k", "1")
	a.Close()
	b := open()
	defer b.Close()
	if got := setting(t, b, bg, "k"); got != "1" {
		t.Fatalf("after reconnecting: %q", got)
	}
	if f.sessions.Load() != 1 {
		t.Fatalf("there are %d sessions", f.sessions.Load())
	}
}

func set(t *testing.T, c *flightsql.Client, ctx context.Context, key string, value any) {
	t.Helper()
	options, err := flight.NewSessionOptionValues(map[string]any{key: value})
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.SetSessionOptions(ctx, &flight.SetSessionOptionsRequest{SessionOptions: options})
	if err != nil || len(res.Errors) != 0 {
		t.Fatalf("got %v, %v", res, err)
	}
}

func setting(t *testing.T, c *flightsql.Client, ctx context.Context, key string) string {
	t.Helper()
	info, err := c.Execute(ctx, "SETTING "+key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.DoGet(ctx, info.Endpoint[0].Ticket)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	rec, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	return rec.Column(0).(*array.String).Value(0)
}

func TestSessionOptions(t *testing.T) {
	_, addr := start(t, Options{})
	c := dial(t, addr)
	set(t, c, bg, "catalog", "spark_catalog")
	set(t, c, bg, "schema", "default")
	set(t, c, bg, "flag", true)
	options, err := flight.NewSessionOptionValues(map[string]any{"catalog": "other", "no.such.key": "1", "list": []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.SetSessionOptions(bg, &flight.SetSessionOptionsRequest{SessionOptions: options})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Errors) != 3 || res.Errors["no.such.key"].GetValue() != flight.SetSessionOptionsResultErrorInvalidName || res.Errors["catalog"].GetValue() != flight.SetSessionOptionsResultErrorInvalidValue {
		t.Fatalf("got %v", res.Errors)
	}
	got, err := c.GetSessionOptions(bg, &flight.GetSessionOptionsRequest{})
	if err != nil || got.SessionOptions["catalog"].GetStringValue() != "spark_catalog" || got.SessionOptions["flag"].GetStringValue() != "true" {
		t.Fatalf("got %v, %v", got, err)
	}
}

// Go sends Basic credentials without padding, Java and C++ with it.
func TestHandshake(t *testing.T) {
	_, addr := start(t, Options{})
	c := dial(t, addr)
	for _, value := range []string{
		base64.RawStdEncoding.EncodeToString([]byte("ann:secret")), base64.StdEncoding.EncodeToString([]byte("ann:secret")),
		base64.RawStdEncoding.EncodeToString([]byte("ann:secre")), base64.StdEncoding.EncodeToString([]byte("ann:secre")),
	} {
		ctx := metadata.AppendToOutgoingContext(bg, "authorization", "Basic "+value)
		stream, err := c.Client.Handshake(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		md, err := stream.Header()
		if err != nil || len(md.Get("authorization")) != 1 || len(md.Get("authorization")[0]) < 32 {
			t.Fatalf("got %v, %v", md, err)
		}
	}
	ctx, err := c.Client.AuthenticateBasicToken(bg, "ann", "secret")
	if err != nil {
		t.Fatal(err)
	}
	set(t, c, ctx, "k", "1")
	if got := setting(t, dial(t, addr), ctx, "k"); got != "1" {
		t.Fatalf("got %q", got)
	}
}

func TestSweep(t *testing.T) {
	f := newFake()
	s := &sessions{backend: f, opts: Options{}.withDefaults(), byKey: map[string]*session{}, byConn: map[string][]*session{}, byUser: map[string]int{}}
	ctx := metadata.NewIncomingContext(bg, metadata.Pairs("authorization", "Bearer x"))
	ses, err := s.enter(ctx, caller{token: "x"})
	if err != nil {
		t.Fatal(err)
	}
	tk := ses.addTicket(s.opts, nil)
	s.sweep(time.Now().Add(48 * time.Hour))
	if f.closed.Load() != 0 {
		t.Fatal("a session with a running call was closed")
	}
	if _, err := ses.ticketBy([]byte(tk.id)); err == nil {
		t.Fatal("the ticket outlived its time")
	}
	ses.leave()
	s.sweep(time.Now().Add(48 * time.Hour))
	if f.closed.Load() != 1 || ses.ctx.Err() == nil {
		t.Fatal("an idle session lives on")
	}
	s.opts.MaxSessions = 0
	if _, err := s.enter(ctx, caller{token: "x"}); err == nil {
		t.Fatal("there is no limit")
	}
}

func TestTicketsMakeRoom(t *testing.T) {
	ses := &session{tickets: map[string]*ticket{}}
	o := Options{MaxHandles: 3, TicketLife: time.Hour}
	first := ses.addTicket(o, nil)
	for range 3 {
		ses.addTicket(o, nil)
	}
	if _, err := ses.ticketBy([]byte(first.id)); err == nil || len(ses.tickets) != 3 {
		t.Fatalf("there are %d tickets", len(ses.tickets))
	}
}
