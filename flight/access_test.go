package flight

import (
	"context"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/flight/access"
)

// guarded serves a fake with the users ann (writer), bob and root, whose
// passwords are their name and " password", and the service svc.
func guarded(t *testing.T, o Options) (f *fake, addr, service string, later func(time.Duration)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users")
	file, err := access.Read(path, flightd.Roles(), true)
	if err != nil {
		t.Fatal(err)
	}
	for name, role := range map[string]string{"ann": "writer", "bob": "writer", "root": "admin", "rea": "reader"} {
		if err := file.AddUser(name, role, name+" password", false); err != nil {
			t.Fatal(err)
		}
	}
	if service, err = file.AddService("svc", "reader", false); err != nil {
		t.Fatal(err)
	}
	if err := file.Write(); err != nil {
		t.Fatal(err)
	}
	var ahead atomic.Int64
	o.Access, err = access.Open(path, flightd.Roles(), access.Options{TokenLife: time.Hour, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	f, addr = start(t, o)
	return f, addr, service, func(d time.Duration) { ahead.Add(int64(d)) }
}

// login returns a context with the user's new token, and the token.
func login(t *testing.T, c *flightsql.Client, user string) (context.Context, string) {
	t.Helper()
	ctx, err := c.Client.AuthenticateBasicToken(bg, user, user+" password")
	if err != nil {
		t.Fatal(err)
	}
	md, _ := metadata.FromOutgoingContext(ctx)
	return ctx, strings.TrimPrefix(md.Get("authorization")[0], "Bearer ")
}

func bearer(token string) context.Context {
	return metadata.AppendToOutgoingContext(bg, "authorization", "Bearer "+token)
}

// messages are those of Flight SQL that are asked for: commands, tickets and
// actions, from the protocol's own description.
func messages(t *testing.T, handle string) map[string]proto.Message {
	t.Helper()
	out := map[string]proto.Message{}
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		d := mt.Descriptor()
		name := string(d.Name())
		if d.ParentFile().Package() != "arrow.flight.protocol.sql" || d.Parent() != protoreflect.Descriptor(d.ParentFile()) || strings.HasSuffix(name, "Result") {
			return true
		}
		if !strings.HasPrefix(name, "Command") && !strings.HasPrefix(name, "Ticket") && !strings.HasPrefix(name, "Action") {
			return true
		}
		m := mt.New()
		for i := range d.Fields().Len() {
			f := d.Fields().Get(i)
			switch {
			case f.Kind() == protoreflect.BytesKind && strings.Contains(string(f.Name()), "handle"):
				m.Set(f, protoreflect.ValueOfBytes([]byte(handle)))
			case f.Name() == "query" && f.Kind() == protoreflect.StringKind:
				m.Set(f, protoreflect.ValueOfString("NUMBERS 1"))
			case f.Name() == "table" && f.Kind() == protoreflect.StringKind:
				m.Set(f, protoreflect.ValueOfString("t"))
			}
		}
		out[name] = m.Interface()
		return true
	})
	return out
}

func packed(t *testing.T, m proto.Message) []byte {
	t.Helper()
	a, err := anypb.New(m)
	if err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func marshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// actionBodies are the actions of Flight and Flight SQL with a body each.
func actionBodies(t *testing.T, handle string) map[string][]byte {
	t.Helper()
	info := &flight.FlightInfo{Endpoint: []*flight.FlightEndpoint{{Ticket: &flight.Ticket{Ticket: packed(t, &pb.TicketStatementQuery{StatementHandle: []byte(handle)})}}}}
	out := map[string][]byte{
		flight.CancelFlightInfoActionType:    marshal(t, &flight.CancelFlightInfoRequest{Info: info}),
		flight.RenewFlightEndpointActionType: marshal(t, &flight.RenewFlightEndpointRequest{Endpoint: info.Endpoint[0]}),
		flight.SetSessionOptionsActionType:   nil,
		flight.GetSessionOptionsActionType:   nil,
		flight.CloseSessionActionType:        nil,
		"NoSuchAction":                       nil,
	}
	for name, m := range messages(t, handle) {
		if short, ok := strings.CutPrefix(name, "Action"); ok {
			if q, ok := m.(*pb.ActionCancelQueryRequest); ok { //nolint:staticcheck // older clients still send it
				q.Info = marshal(t, info)
			}
			out[strings.TrimSuffix(short, "Request")] = packed(t, m)
		}
	}
	for _, a := range actions {
		if out[a.Type] == nil && !slices.Contains([]string{flight.SetSessionOptionsActionType, flight.GetSessionOptionsActionType, flight.CloseSessionActionType}, a.Type) {
			t.Errorf("the matrix does not know the action %s", a.Type)
		}
	}
	return out
}

// calls are all that a client can ask for: each RPC of the service with each
// message that it may carry. An RPC that is new to the protocol fails the test.
func calls(t *testing.T, c pb.FlightServiceClient, handle string) map[string]func(context.Context) error {
	t.Helper()
	out := map[string]func(context.Context) error{}
	drain := func(recv func() error) error {
		for {
			if err := recv(); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	descriptors := map[string]*flight.FlightDescriptor{"path": {Type: flight.DescriptorPATH, Path: []string{"t"}}, "raw": {Type: flight.DescriptorCMD, Cmd: []byte("SELECT 1")}}
	for name, m := range messages(t, handle) {
		descriptors[name] = &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: packed(t, m)}
	}
	methods := []string{}
	for _, m := range pb.FlightService_ServiceDesc.Methods {
		methods = append(methods, m.MethodName)
	}
	for _, s := range pb.FlightService_ServiceDesc.Streams {
		methods = append(methods, s.StreamName)
	}
	for _, method := range methods {
		each := func(f func(context.Context, *flight.FlightDescriptor) error) {
			for name, d := range descriptors {
				out[method+" "+name] = func(ctx context.Context) error { return f(ctx, d) }
			}
		}
		switch method {
		case "Handshake":
			out[method] = func(ctx context.Context) error {
				s, err := c.Handshake(ctx)
				if err != nil {
					return err
				}
				_ = s.Send(&flight.HandshakeRequest{Payload: make([]byte, 1000)})
				_ = s.CloseSend()
				return drain(func() error { _, err := s.Recv(); return err })
			}
		case "ListFlights":
			out[method] = func(ctx context.Context) error {
				s, err := c.ListFlights(ctx, &flight.Criteria{})
				if err != nil {
					return err
				}
				return drain(func() error { _, err := s.Recv(); return err })
			}
		case "GetFlightInfo":
			each(func(ctx context.Context, d *flight.FlightDescriptor) error {
				_, err := c.GetFlightInfo(ctx, d)
				return err
			})
		case "PollFlightInfo":
			each(func(ctx context.Context, d *flight.FlightDescriptor) error {
				_, err := c.PollFlightInfo(ctx, d)
				return err
			})
		case "GetSchema":
			each(func(ctx context.Context, d *flight.FlightDescriptor) error { _, err := c.GetSchema(ctx, d); return err })
		case "DoGet":
			each(func(ctx context.Context, d *flight.FlightDescriptor) error {
				s, err := c.DoGet(ctx, &flight.Ticket{Ticket: d.GetCmd()})
				if err != nil {
					return err
				}
				return drain(func() error { _, err := s.Recv(); return err })
			})
		case "DoPut", "DoExchange":
			each(func(ctx context.Context, d *flight.FlightDescriptor) error {
				var s interface {
					Send(*flight.FlightData) error
					CloseSend() error
				}
				recv := func() error { return nil }
				if method == "DoPut" {
					p, err := c.DoPut(ctx)
					if err != nil {
						return err
					}
					s, recv = p, func() error { _, err := p.Recv(); return err }
				} else {
					x, err := c.DoExchange(ctx)
					if err != nil {
						return err
					}
					s, recv = x, func() error { _, err := x.Recv(); return err }
				}
				_ = s.Send(&flight.FlightData{FlightDescriptor: d})
				_ = s.CloseSend()
				return drain(recv)
			})
		case "DoAction":
			for name, body := range actionBodies(t, handle) {
				out[method+" "+name] = func(ctx context.Context) error {
					s, err := c.DoAction(ctx, &flight.Action{Type: name, Body: body})
					if err != nil {
						return err
					}
					return drain(func() error { _, err := s.Recv(); return err })
				}
			}
		case "ListActions":
			out[method] = func(ctx context.Context) error {
				s, err := c.ListActions(ctx, &flight.Empty{})
				if err != nil {
					return err
				}
				return drain(func() error { _, err := s.Recv(); return err })
			}
		default:
			t.Errorf("the matrix does not know the RPC %s", method)
		}
	}
	return out
}

func connect(t *testing.T, addr string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// Without a valid token every RPC with every message is refused, before the
// backend or a session hears of it.
func TestUnauthenticatedMatrix(t *testing.T) {
	f, addr, _, later := guarded(t, Options{})
	_, expired := login(t, dial(t, addr), "ann")
	_, revoked := login(t, dial(t, addr), "ann")
	if _, err := dial(t, addr).CloseSession(bearer(revoked), &flight.CloseSessionRequest{}); err != nil {
		t.Fatal(err)
	}
	later(2 * time.Hour)
	_, fresh := login(t, dial(t, addr), "ann")
	sessions := f.sessions.Load()
	credentials := map[string]context.Context{
		"none":      bg,
		"garbage":   bearer("garbage"),
		"empty":     metadata.AppendToOutgoingContext(bg, "authorization", "Bearer "),
		"expired":   bearer(expired),
		"revoked":   bearer(revoked),
		"cut":       bearer(fresh[:len(fresh)-1]),
		"name":      bearer("ann"),
		"no scheme": metadata.AppendToOutgoingContext(bg, "authorization", fresh),
		"digest":    metadata.AppendToOutgoingContext(bg, "authorization", "Digest "+fresh),
		"cookie":    metadata.AppendToOutgoingContext(bg, "cookie", cookieName+"="+fresh),
		"wrong":     metadata.AppendToOutgoingContext(bg, "authorization", "Basic Ym9iOndyb25n"),
	}
	c := pb.NewFlightServiceClient(connect(t, addr))
	all := calls(t, c, newID())
	if len(all) < 100 {
		t.Fatalf("there are %d calls only", len(all))
	}
	n := 0
	for how, ctx := range credentials {
		for name, call := range all {
			err := call(ctx)
			locked := (name == "Handshake" || how == "wrong") && status.Code(err) == codes.ResourceExhausted
			if status.Code(err) != codes.Unauthenticated && !locked || !strings.Contains(err.Error(), "SQLSTATE: 28") {
				t.Errorf("%s with %s: %v", name, how, err)
			}
			n++
		}
	}
	if f.sessions.Load() != sessions {
		t.Errorf("strangers made %d sessions", f.sessions.Load()-sessions)
	}
	// A service that this server does not have is nobody's either, and health tells
	// no more than that the server answers.
	if err := connect(t, addr).Invoke(bg, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", &pb.Empty{}, &pb.Empty{}); status.Code(err) != codes.Unauthenticated && status.Code(err) != codes.Unimplemented {
		t.Errorf("reflection: %v", err)
	}
	if r, err := healthpb.NewHealthClient(connect(t, addr)).Check(bg, &healthpb.HealthCheckRequest{}); err != nil || r.Status != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", r, err)
	}
	t.Logf("%d calls with %d credentials: %d refused", len(all), len(credentials), n)
}

// F4: what another user holds is to a user as if it did not exist: every call
// answers the same as for a handle that there never was, and leaves it alone.
func TestOthersHandles(t *testing.T) {
	_, addr, service, _ := guarded(t, Options{})
	ann := dial(t, addr)
	ctx, _ := login(t, ann, "ann")
	p, err := ann.Prepare(ctx, "NUMBERS 3")
	if err != nil {
		t.Fatal(err)
	}
	info, err := ann.Execute(ctx, "NUMBERS 4")
	if err != nil {
		t.Fatal(err)
	}
	var ticket pb.TicketStatementQuery
	var a anypb.Any
	if err := proto.Unmarshal(info.Endpoint[0].Ticket.Ticket, &a); err != nil {
		t.Fatal(err)
	}
	if err := a.UnmarshalTo(&ticket); err != nil {
		t.Fatal(err)
	}
	_, bobs := login(t, dial(t, addr), "bob")
	_, admins := login(t, dial(t, addr), "root")
	_, anns := login(t, dial(t, addr), "ann") // another login of the same user is another session
	conn := pb.NewFlightServiceClient(connect(t, addr))
	for who, token := range map[string]string{"bob": bobs, "an administrator": admins, "a service": service, "another login": anns} {
		for what, handle := range map[string]string{"prepared": string(p.Handle()), "ticket": string(ticket.StatementHandle)} {
			stolen, unknown := calls(t, conn, handle), calls(t, conn, newID())
			names := slices.Sorted(maps.Keys(stolen))
			for _, name := range names {
				if strings.Contains(name, "CloseSession") || name == "Handshake" {
					continue
				}
				a, b := stolen[name](bearer(token)), unknown[name](bearer(token))
				if status.Code(a) != status.Code(b) || status.Convert(a).Message() != status.Convert(b).Message() {
					t.Errorf("%s with ann's %s handle by %s: %v, an unknown one: %v", name, what, who, a, b)
				}
			}
		}
	}
	got, err := p.Execute(ctx)
	if err != nil {
		t.Fatalf("ann's statement: %v", err)
	}
	for want, info := range map[int64]*flight.FlightInfo{3: got, 4: info} {
		r, err := ann.DoGet(ctx, info.Endpoint[0].Ticket)
		if err != nil {
			t.Fatalf("ann's ticket: %v", err)
		}
		n := int64(0)
		for r.Next() {
			n += r.RecordBatch().NumRows()
		}
		if r.Err() != nil || n != want {
			t.Fatalf("ann reads %d rows, %v", n, r.Err())
		}
		r.Release()
	}
	if len(p.Handle()) < 32 || len(ticket.StatementHandle) < 32 { // hexadecimal digits of 128 bits
		t.Fatalf("handles of %d and %d digits", len(p.Handle()), len(ticket.StatementHandle))
	}
}

// A token lives on over connections and ends with CloseSession; the service's is
// each connection's own session.
func TestTokensAndSessions(t *testing.T) {
	_, addr, service, later := guarded(t, Options{})
	c := dial(t, addr)
	ctx, token := login(t, c, "ann")
	set(t, c, ctx, "k", "1")
	for range 3 {
		later(50 * time.Minute)
		if got := setting(t, dial(t, addr), bearer(token), "k"); got != "1" {
			t.Fatalf("got %q", got)
		}
	}
	// A handshake with the token keeps it, whatever the case of the scheme.
	h, err := pb.NewFlightServiceClient(connect(t, addr)).Handshake(metadata.AppendToOutgoingContext(bg, "authorization", "BEARER "+token))
	if err != nil {
		t.Fatal(err)
	}
	_ = h.CloseSend()
	if r, err := h.Recv(); err != nil || string(r.Payload) != token {
		t.Fatalf("got %v, %v", r, err)
	}
	if _, err := c.CloseSession(ctx, &flight.CloseSessionRequest{}); err != nil {
		t.Fatal(err)
	}
	_, err = c.Execute(ctx, "NUMBERS 1")
	wantCode(t, err, codes.Unauthenticated, "[INVALID_TOKEN]")
	one, two := dial(t, addr), dial(t, addr)
	set(t, one, bearer(service), "k", "1")
	if got := setting(t, two, bearer(service), "k"); got != "" {
		t.Fatalf("two clients of a service share a session: %q", got)
	}
	if got := setting(t, one, bearer(service), "k"); got != "1" {
		t.Fatalf("got %q", got)
	}
	if _, err := dial(t, addr).Client.AuthenticateBasicToken(bg, "ann", "wrong"); status.Code(err) != codes.Unauthenticated {
		t.Fatalf("a wrong password: %v", err)
	}
}

// A user who is removed is out at once, with what runs.
func TestRemovedUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	file, err := access.Read(path, flightd.Roles(), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ann", "bob"} {
		if err := file.AddUser(name, "reader", name+" password", false); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Write(); err != nil {
		t.Fatal(err)
	}
	k, err := access.Open(path, flightd.Roles(), access.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, addr := serve(t, newFake(), Options{Access: k, Quiet: 20 * time.Millisecond})
	streams := map[string]flight.FlightService_DoGetClient{}
	for _, name := range []string{"ann", "bob"} {
		c := dial(t, addr)
		ctx, _ := login(t, c, name)
		info, err := c.Execute(ctx, "WAIT")
		if err != nil {
			t.Fatal(err)
		}
		if streams[name], err = pb.NewFlightServiceClient(connect(t, addr)).DoGet(ctx, info.Endpoint[0].Ticket); err != nil {
			t.Fatal(err)
		}
		if _, err := streams[name].Header(); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Remove("ann"); err != nil {
		t.Fatal(err)
	}
	if err := file.Write(); err != nil {
		t.Fatal(err)
	}
	eventually(t, s.Changed)
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := streams["ann"].Recv(); err != nil {
			wantCode(t, err, codes.Canceled, "")
			break
		}
	}
	ended := make(chan error, 1)
	go func() {
		var err error
		for err == nil {
			_, err = streams["bob"].Recv()
		}
		ended <- err
	}()
	select {
	case err := <-ended:
		t.Fatalf("bob's stream ended: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
}
