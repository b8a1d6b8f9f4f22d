package flight

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// follow opens a result that does not end and waits for its first message.
func follow(t *testing.T, c *flightsql.Client, ctx context.Context) (flight.FlightService_DoGetClient, error) {
	t.Helper()
	info, err := c.Execute(ctx, "WAIT")
	if err != nil {
		return nil, err
	}
	s, err := c.Client.DoGet(ctx, info.Endpoint[0].Ticket)
	if err != nil {
		return nil, err
	}
	_, err = s.Recv()
	return s, err
}

// Each limit refuses with its class in the text, and only for as long as it is
// reached.
func TestLimits(t *testing.T) {
	_, addr, service, _ := guarded(t, Options{MaxUserStreams: 2, MaxStreams: 3, MaxUserSessions: 2, MaxResult: 1 << 20, MaxStatement: 1000, Quiet: 10 * time.Millisecond})
	c := dial(t, addr)
	ann, _ := login(t, c, "ann")
	bob, _ := login(t, c, "bob")
	root, _ := login(t, c, "root")
	first, cancel := context.WithCancel(ann)
	defer cancel()
	second, third := ann, bob
	for _, ctx := range []context.Context{first, second, third} {
		if _, err := follow(t, c, ctx); err != nil {
			t.Fatal(err)
		}
	}
	_, err := follow(t, c, ann)
	wantCode(t, err, codes.ResourceExhausted, "[LIMIT_EXCEEDED] the server has 3 streams at a time already")
	cancel()
	eventually(t, func() bool { _, err := follow(t, c, root); return err == nil })
	_, err = follow(t, c, root)
	wantCode(t, err, codes.ResourceExhausted, "SQLSTATE: 53000")

	_, addr, service, _ = guarded(t, Options{MaxUserStreams: 1, MaxUserSessions: 2, MaxResult: 1 << 20, MaxStatement: 1000, Quiet: 10 * time.Millisecond})
	c = dial(t, addr)
	ann, _ = login(t, c, "ann")
	bob, _ = login(t, c, "bob")
	if _, err := follow(t, c, ann); err != nil {
		t.Fatal(err)
	}
	_, err = follow(t, c, ann)
	wantCode(t, err, codes.ResourceExhausted, "[LIMIT_EXCEEDED] the user ann has 1 streams at a time already")
	if _, err := follow(t, c, bob); err != nil {
		t.Fatalf("another user's: %v", err)
	}
	// Two sessions of a user, and no third until one ends.
	second, _ = login(t, c, "ann")
	set(t, c, second, "k", "1")
	other, _ := login(t, c, "ann")
	_, err = c.Execute(other, "NUMBERS 1")
	wantCode(t, err, codes.ResourceExhausted, "[LIMIT_EXCEEDED] the user ann has 2 sessions already")
	if _, err := c.CloseSession(second, &flight.CloseSessionRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Execute(other, "NUMBERS 1"); err != nil {
		t.Fatal(err)
	}
	_, err = c.Execute(bearer(service), "TEXT "+strings.Repeat("x", 1000))
	wantCode(t, err, codes.ResourceExhausted, "the limit is 1000")
	if recs, err := collectAs(t, c, bearer(service), "NUMBERS 100000"); err != nil || rowsOf(recs) != 100000 {
		t.Fatal(err)
	}
	_, err = collectAs(t, c, bearer(service), "NUMBERS 200000")
	wantCode(t, err, codes.ResourceExhausted, "[LIMIT_EXCEEDED] the result has more than 1048576 bytes")
}

func collectAs(t *testing.T, c *flightsql.Client, ctx context.Context, text string) ([]arrow.RecordBatch, error) {
	t.Helper()
	info, err := c.Execute(ctx, text)
	if err != nil {
		return nil, err
	}
	r, err := c.DoGet(ctx, info.Endpoint[0].Ticket)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	var out []arrow.RecordBatch
	for r.Next() {
		rec := r.RecordBatch()
		rec.Retain()
		out = append(out, rec)
	}
	return out, r.Err()
}

// Statements at a time, of the server and of a user.
func TestTurnstile(t *testing.T) {
	g := newTurnstile("statements", 3, 2)
	var leave []func()
	for i, user := range []string{"a", "a", "b"} {
		l, err := g.enter(user)
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		leave = append(leave, l)
	}
	if _, err := g.enter("c"); err == nil || !strings.Contains(err.Error(), "the server has 3 statements") {
		t.Fatal(err)
	}
	leave[2]()
	if _, err := g.enter("a"); err == nil || !strings.Contains(err.Error(), "the user a has 2 statements") {
		t.Fatal(err)
	}
	leave[0]()
	leave[1]()
	if g.total != 0 || len(g.byUser) != 0 {
		t.Fatalf("left: %d, %v", g.total, g.byUser)
	}
}

// Connections beyond the limit are closed, and there is room again when one ends.
func TestMaxConnections(t *testing.T) {
	_, addr := start(t, Options{MaxConnections: 2})
	var open []*flightsql.Client
	for range 2 {
		c, err := flightsql.NewClient(addr, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Execute(bg, "NUMBERS 1"); err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Fatalf("a third connection was answered: %d, %v", n, err)
	}
	open[0].Close()
	eventually(t, func() bool {
		c, err := flightsql.NewClient(addr, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return false
		}
		defer c.Close()
		_, err = c.Execute(bg, "NUMBERS 1")
		return err == nil
	})
}

// What a stranger sends is not read: a message of the size that a user may send
// is refused before it is there.
func TestStrangersAreNotRead(t *testing.T) {
	_, addr, _, _ := guarded(t, Options{})
	c := pb.NewFlightServiceClient(connect(t, addr))
	start := time.Now()
	for range 20 {
		_, err := c.GetFlightInfo(bearer("wrong"), &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: make([]byte, 60<<20)})
		if code := status.Code(err); code != codes.Unauthenticated {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("20 refusals of 60 MiB took %v", took)
	}
	// Headers are bounded as well.
	_, err := c.GetFlightInfo(metadata.AppendToOutgoingContext(bg, "x", strings.Repeat("y", 1<<20)), &flight.FlightDescriptor{})
	if err == nil {
		t.Fatal("1 MiB of headers is taken")
	}
}

// Roles are the backend's to know; the server refuses an ingest before its rows.
func TestIngestNeedsWriter(t *testing.T) {
	f, addr, service, _ := guarded(t, Options{})
	c := pb.NewFlightServiceClient(connect(t, addr))
	byPath, err := c.DoPut(bearer(service))
	if err != nil {
		t.Fatal(err)
	}
	_ = byPath.Send(&flight.FlightData{FlightDescriptor: &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"t"}}})
	_, err = byPath.Recv()
	wantCode(t, err, codes.PermissionDenied, "[INSUFFICIENT_PERMISSIONS]")
	put := func(ctx context.Context) error {
		s, err := c.DoPut(ctx)
		if err != nil {
			return err
		}
		ingest := &pb.CommandStatementIngest{Table: "t", TableDefinitionOptions: &pb.CommandStatementIngest_TableDefinitionOptions{
			IfExists: pb.CommandStatementIngest_TableDefinitionOptions_TABLE_EXISTS_OPTION_APPEND}}
		_ = s.Send(&flight.FlightData{FlightDescriptor: &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: packed(t, ingest)}})
		_ = s.CloseSend()
		_, err = s.Recv()
		return err
	}
	err = put(bearer(service))
	wantCode(t, err, codes.PermissionDenied, "[INSUFFICIENT_PERMISSIONS]")
	if !strings.Contains(status.Convert(err).Message(), "SQLSTATE: 42501") || !strings.Contains(status.Convert(err).Message(), "hint: ") {
		t.Fatal(err)
	}
	ann, _ := login(t, dial(t, addr), "ann")
	if err := put(ann); status.Code(err) == codes.PermissionDenied {
		t.Fatal(err)
	}
	_ = f
}
