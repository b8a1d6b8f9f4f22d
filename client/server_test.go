package client_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/client"
	"github.com/flightd/flightd/flight"
)

var bg = context.Background()

// served is an engine behind a server, which a test may stop and start again.
type served struct {
	dir  string
	addr string
	n    int
	eng  *flightd.Engine
	s    *flight.Server
	done chan error
}

// serve starts a server over the folder dir.
func serve(dir string) (*served, error) {
	x := &served{dir: dir, addr: "127.0.0.1:0"}
	return x, x.start()
}

func (x *served) start() error {
	var err error
	if x.eng, err = flightd.Open(bg, flightd.Options{DataDir: filepath.Join(x.dir, "data")}); err != nil {
		return err
	}
	l, err := net.Listen("tcp", x.addr)
	if err != nil {
		return err
	}
	x.addr = l.Addr().String()
	x.s, x.done = flight.New(flight.Engine(x.eng), flight.Options{}), make(chan error, 1)
	s, done := x.s, x.done
	go func() { done <- s.Serve(l) }()
	return nil
}

// stop ends the server: with a word to its clients, or in the middle of theirs.
func (x *served) stop(gently bool) error {
	ctx, cancel := context.WithTimeout(bg, 5*time.Second)
	defer cancel()
	if !gently {
		cancel()
	}
	x.s.Stop(ctx)
	if err := <-x.done; err != nil {
		return err
	}
	return x.eng.Close()
}

func (x *served) uri() string { return "grpc://" + x.addr }

// add puts count more numbers into the folder that the table numbers reads.
func (x *served) add(count int) error {
	var b strings.Builder
	for range count {
		fmt.Fprintf(&b, `{"n":%d}`+"\n", x.n)
		x.n++
	}
	hidden, name := filepath.Join(x.dir, "in", ".part"), filepath.Join(x.dir, "in", fmt.Sprintf("%09d.json", x.n))
	if err := os.WriteFile(hidden, []byte(b.String()), 0o644); err != nil {
		return err
	}
	return os.Rename(hidden, name)
}

// start returns a server and a connection to it that end with the test, behind
// which no goroutine stays.
func start(t *testing.T) (*served, *client.Conn) {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, ignore) })
	x, err := serve(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.stop(true); err != nil {
			t.Error(err)
		}
	})
	c, err := client.Connect(bg, x.uri(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return x, c
}

// stream makes the table numbers and the query live, which feeds them.
func stream(t *testing.T, x *served, c *client.Conn) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(x.dir, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, c, fmt.Sprintf("CREATE TABLE numbers (n BIGINT) USING json OPTIONS ('path' = '%s')", filepath.Join(x.dir, "in")))
	run(t, c, "CREATE STREAMING QUERY live INTO feed AS SELECT n FROM STREAM numbers")
}

func run(t *testing.T, c *client.Conn, statement string, args ...any) int64 {
	t.Helper()
	n, err := c.Execute(bg, statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return n
}
