package flight

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/flightd/flightd"
)

// The kill test kills a server with -9 at random moments while a producer adds
// files and a subscriber reads, and the subscriber goes away at random moments as
// well. Whoever comes back goes on with the last token. FLIGHTD_KILLS says how many
// kills; the default keeps `make test` short.

const (
	killChild = "FLIGHTD_FLIGHT_CHILD"
	// killScript is what the child runs instead of the script of killed.
	killScript = "FLIGHTD_FLIGHT_SCRIPT"
)

func TestMain(m *testing.M) {
	if home := os.Getenv(killChild); home != "" {
		if err := killed(home); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if args := os.Getenv(crowdChild); args != "" {
		if err := crowdOf(args); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killed serves the engine of home until the process is killed. The first line of
// its output is the address.
func killed(home string) error {
	eng, err := flightd.Open(bg, flightd.Options{DataDir: filepath.Join(home, "data")})
	if err != nil {
		return err
	}
	script := fmt.Sprintf("CREATE TABLE IF NOT EXISTS numbers (n BIGINT) USING json OPTIONS ('path' = '%s');"+
		"CREATE STREAMING QUERY IF NOT EXISTS live INTO feed AS SELECT n FROM STREAM numbers;"+
		"CREATE STREAMING QUERY IF NOT EXISTS sums OUTPUT MODE update INTO feed AS SELECT n %% 7 AS k, count(*) AS n FROM STREAM numbers GROUP BY n %% 7", filepath.Join(home, "in"))
	if text := os.Getenv(killScript); text != "" {
		script = text
	}
	if err := eng.NewSession().ExecuteScript(bg, script, func(_ string, _ *flightd.Result, err error) error { return err }); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return New(Engine(eng), Options{SliceBytes: 2048}).Serve(l)
}

func startKilled(t *testing.T, home string, env ...string) (*exec.Cmd, *flightsql.Client) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), killChild+"="+home), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Process.Kill()
		t.Fatalf("the server did not start: %v", err)
	}
	c, err := flightsql.NewClient(strings.TrimSpace(addr), nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	return cmd, c
}

func TestSubscribeKill9(t *testing.T) {
	kills := 4
	if n, err := strconv.Atoi(os.Getenv("FLIGHTD_KILLS")); err == nil {
		kills = n
	} else if testing.Short() {
		t.Skip("starts processes")
	}
	home := t.TempDir()
	x := &streaming{t: t, dir: home}
	if err := os.Mkdir(filepath.Join(home, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	token, next, left := "", int64(0), 0
	for range kills {
		cmd, c := startKilled(t, home)
		after := time.AfterFunc(time.Duration(rand.Int64N(int64(400*time.Millisecond))), func() { _ = cmd.Process.Kill() })
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		for running := true; running; {
			x.write(1 + rand.IntN(300))
			next, token = x.readSome(c, token, next, rand.IntN(12))
			left++
			select {
			case <-ended:
				running = false
			default:
			}
		}
		after.Stop()
		c.Close()
	}
	cmd, c := startKilled(t, home)
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	defer c.Close()
	for deadline := time.Now().Add(time.Minute); next < int64(x.n); {
		if next, token = x.readSome(c, token, next, 1000); time.Now().After(deadline) {
			t.Fatalf("got %d of %d rows", next, x.n)
		}
	}
	t.Logf("%d kills, the subscriber left %d times, %d rows, each once and in order", kills, left, next)
}

// write adds a file without waiting for anyone.
func (x *streaming) write(count int) {
	x.t.Helper()
	var b strings.Builder
	for range count {
		fmt.Fprintf(&b, `{"n":%d}`+"\n", x.n)
		x.n++
	}
	hidden, name := filepath.Join(x.dir, "in", ".part"), filepath.Join(x.dir, "in", fmt.Sprintf("%09d.json", x.n))
	if err := os.WriteFile(hidden, []byte(b.String()), 0o644); err != nil {
		x.t.Fatal(err)
	}
	if err := os.Rename(hidden, name); err != nil {
		x.t.Fatal(err)
	}
}

// readSome subscribes behind token, reads some batches and goes away. The numbers
// must go on with next. Errors of a server that was killed are none.
func (x *streaming) readSome(c *flightsql.Client, token string, next int64, batches int) (int64, string) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(bg, 2*time.Second)
	defer cancel()
	text := "SUBSCRIBE TO live FROM EPOCH 0"
	if token != "" {
		text = "SUBSCRIBE TO live RESUME '" + token + "'"
	}
	info, err := c.Execute(ctx, text)
	if err != nil {
		mustBeGone(x.t, err)
		return next, token
	}
	r, err := c.DoGet(ctx, info.Endpoint[0].Ticket)
	if err != nil {
		mustBeGone(x.t, err)
		return next, token
	}
	defer r.Release()
	s := &subscriber{t: x.t, r: r, cancel: cancel}
	for range batches {
		got, err := s.batch()
		if err != nil {
			mustBeGone(x.t, err)
			break
		}
		for _, n := range got {
			if n != next {
				x.t.Fatalf("got %d, want %d", n, next)
			}
			next++
		}
		token = s.last.Resume
		if next == int64(x.n) {
			break
		}
	}
	return next, token
}

// mustBeGone fails the test for an error that is not that of a server which is not
// there any more, or of a reader that gave up.
func mustBeGone(t *testing.T, err error) {
	t.Helper()
	for _, part := range []string{"Unavailable", "DeadlineExceeded", "Canceled", "EOF", "error reading"} {
		if strings.Contains(err.Error(), part) {
			return
		}
	}
	t.Fatalf("got %v", err)
}
