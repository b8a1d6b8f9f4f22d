package flight

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Connections that come and go, queries that are cancelled and streams that are
// left unread leave nothing behind.
func TestNothingStays(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	f := newFake()
	s := New(f, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	for range 50 {
		c, err := flightsql.NewClient(l.Addr().String(), nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(bg)
		for _, text := range []string{"WAIT", "NUMBERS 3000000", "NUMBERS 1"} {
			info, err := c.Execute(ctx, text)
			if err != nil {
				t.Fatal(err)
			}
			r, err := c.Client.DoGet(ctx, info.Endpoint[0].Ticket)
			if err != nil {
				t.Fatal(err)
			}
			if text != "WAIT" {
				if _, err := r.Recv(); err != nil {
					t.Fatal(err)
				}
			}
		}
		cancel()
		c.Close()
	}
	eventually(t, func() bool { return f.closed.Load() == f.sessions.Load() && f.sessions.Load() == 50 })
	ctx, cancel := context.WithTimeout(bg, 5*time.Second)
	defer cancel()
	s.Stop(ctx)
	if err := <-served; err != nil {
		t.Fatal(err)
	}
}
