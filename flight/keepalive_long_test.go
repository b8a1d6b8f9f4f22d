//go:build long

package flight

import (
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// A client that pings as often as gRPC lets it, also without a call, keeps its
// connection, and with it its session: grpc-go's servers send such clients away.
func TestKeepalive(t *testing.T) {
	_, addr := start(t, Options{})
	c, err := flightsql.NewClient(addr, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second, PermitWithoutStream: true}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	set(t, c, bg, "k", "1")
	time.Sleep(65 * time.Second)
	if got := setting(t, c, bg, "k"); got != "1" {
		t.Fatalf("the session is gone: %q", got)
	}
}
