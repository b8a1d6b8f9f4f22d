package flight

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/headroom"
)

// openFiles counts this process's descriptors.
func openFiles(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	return len(list)
}

// TestChurn: 1,000 connections that come and go, each with a query that is cancelled
// while it runs and a subscription that is left: goroutines and descriptors are as
// before.
func TestChurn(t *testing.T) {
	x := startStreaming(t, Options{})
	x.add(10)
	visit := func() error {
		c := dial(t, x.addr)
		defer c.Close()
		ctx, cancel := context.WithCancel(bg)
		defer cancel()
		for _, text := range []string{"SELECT 1", "SELECT id FROM range(1000000000)", "SUBSCRIBE TO live SNAPSHOT", "SELECT count(*) FROM range(100000000000)"} {
			info, err := c.Execute(ctx, text)
			if err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
			r, err := c.Client.DoGet(ctx, info.Endpoint[0].Ticket)
			if err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
			if strings.HasPrefix(text, "SELECT count") {
				continue // nothing comes of it before it is cancelled
			}
			for range 2 { // the schema and a record batch
				if _, err := r.Recv(); err != nil {
					return fmt.Errorf("%s: %w", text, err)
				}
			}
		}
		return nil
	}
	for range 8 {
		if err := visit(); err != nil {
			t.Fatal(err)
		}
	}
	settled := func(goroutines, files int) func() bool {
		return func() bool { return runtime.NumGoroutine() <= goroutines && openFiles(t) <= files }
	}
	time.Sleep(200 * time.Millisecond)
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 125 {
				if err := visit(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for range 200 {
		if settled(goroutines, files)() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	t.Errorf("%d goroutines, %d before; %d descriptors, %d before\n%.5000s", runtime.NumGoroutine(), goroutines, openFiles(t), files, buf[:runtime.Stack(buf, true)])
}

// crowd is a server with a stream table t, a query live over it, and a producer.
type crowd struct {
	addr   string
	c      *flightsql.Client
	stream flight.FlightService_DoPutClient
	w      *flight.Writer
	rec    arrow.RecordBatch
	seq    int64
}

// crowdRows is how many rows a record batch of the producer has, and how many groups
// the query.
const crowdRows = 500

// crowdBound is how much longer the slowest of a hundred may take beside subscribers. It
// is measured at about 1; single rounds of either kind differ by 3.
const crowdBound = 1.5

func startCrowd(t *testing.T, o Options) *crowd {
	t.Helper()
	eng, err := flightd.Open(bg, flightd.Options{DataDir: filepath.Join(t.TempDir(), "data")})
	if err != nil {
		t.Fatal(err)
	}
	err = eng.NewSession().ExecuteScript(bg, "CREATE TABLE t (k BIGINT, v BIGINT) USING flight;"+
		"CREATE STREAMING QUERY live OUTPUT MODE update TRIGGER PROCESSING TIME '100 milliseconds' INTO feed AS SELECT k, count(*) AS n, sum(v) AS s FROM STREAM t GROUP BY k",
		func(_ string, _ *flightd.Result, err error) error { return err })
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv, served := New(Engine(eng), o), make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	x := &crowd{addr: l.Addr().String()}
	x.c = dial(t, x.addr)
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "v", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil))
	defer b.Release()
	for i := range int64(crowdRows) {
		b.Field(0).(*array.Int64Builder).Append(i)
		b.Field(1).(*array.Int64Builder).Append(i)
	}
	x.rec = b.NewRecordBatch()
	if x.stream, err = x.c.Client.DoPut(bg); err != nil {
		t.Fatal(err)
	}
	x.w = flight.NewRecordWriter(x.stream, ipc.WithSchema(x.rec.Schema()))
	x.w.SetFlightDescriptor(&flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"t"}})
	t.Cleanup(func() {
		_ = x.w.Close()
		_ = x.stream.CloseSend()
		for {
			if _, err := x.stream.Recv(); err != nil {
				break
			}
		}
		x.c.Close()
		ctx, cancel := context.WithTimeout(bg, 5*time.Second)
		defer cancel()
		srv.Stop(ctx)
		<-served
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// ingest sends a record batch every few milliseconds and returns, ascending, how long
// each waited until it was durable.
func (x *crowd) ingest(t *testing.T, batches int) []time.Duration {
	t.Helper()
	took := make([]time.Duration, batches)
	for i := range took {
		begun := time.Now()
		if err := x.w.WriteWithAppMetadata(x.rec, fmt.Appendf(nil, `{"producer":"p","seq":%d}`, x.seq)); err != nil {
			t.Fatal(err)
		}
		for a := (ack{}); a.Seq == nil || *a.Seq < x.seq; {
			r, err := x.stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			a = ack{}
			if err := json.Unmarshal(r.GetAppMetadata(), &a); err != nil {
				t.Fatal(err)
			}
		}
		took[i] = time.Since(begun)
		x.seq++
		time.Sleep(5 * time.Millisecond)
	}
	slices.Sort(took)
	return took
}

func p99(took []time.Duration) time.Duration { return took[len(took)*99/100] }

// crowdChild makes a process the clients of TestCrowd: "address readers stuck". They
// leave the processors to the server, as clients on other machines do: they run when
// nobody else would.
const crowdChild, crowdIdle = "FLIGHTD_FLIGHT_CROWD", "FLIGHTD_FLIGHT_CROWD_IDLE"

// leaveProcessors gives this process the scheduling policy SCHED_IDLE. It is a thread's,
// and the threads that a thread begins have it, too: so the process starts anew from one.
func leaveProcessors() error {
	if os.Getenv(crowdIdle) != "" {
		return nil
	}
	runtime.LockOSThread()
	const schedIdle = 5
	var priority int32
	if _, _, e := syscall.Syscall(syscall.SYS_SCHED_SETSCHEDULER, 0, schedIdle, uintptr(unsafe.Pointer(&priority))); e != 0 {
		return e
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, os.Args, append(os.Environ(), crowdIdle+"=1"))
}

// crowdOf is the process of the clients. It says "ready" when all have begun; after a
// line of input those who slept read on, and it says how they ended; at the end of its
// input the readers go.
func crowdOf(args string) error {
	if err := leaveProcessors(); err != nil {
		return err
	}
	var addr string
	var readers, stuck int
	if _, err := fmt.Sscan(args, &addr, &readers, &stuck); err != nil {
		return err
	}
	begun, awake := make(chan error, readers+stuck), make(chan struct{})
	ends := make(chan error, stuck)
	for i := range readers + stuck {
		go func() {
			r, err := begin(addr)
			begun <- err
			if err != nil {
				return
			}
			if i < stuck {
				<-awake
			}
			for err == nil {
				_, err = r.Recv()
			}
			if i < stuck {
				ends <- err
			}
		}()
	}
	for range readers + stuck {
		if err := <-begun; err != nil {
			return err
		}
	}
	fmt.Println("ready")
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err != nil {
		return nil // nobody is to be waked
	}
	close(awake)
	how := map[codes.Code]int{}
	for range stuck {
		how[status.Code(<-ends)]++
	}
	fmt.Println(how)
	_, err := io.Copy(io.Discard, in)
	return err
}

// begin subscribes over a connection of its own, and reads the first message.
func begin(addr string) (flight.FlightService_DoGetClient, error) {
	c, err := flightsql.NewClient(addr, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	info, err := c.Execute(bg, "SUBSCRIBE TO live SNAPSHOT")
	if err != nil {
		return nil, err
	}
	r, err := c.Client.DoGet(bg, info.Endpoint[0].Ticket)
	if err != nil {
		return nil, err
	}
	_, err = r.Recv()
	return r, err
}

// crowdRun is a process of clients.
type crowdRun struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	said *bufio.Reader
}

// crowd returns when all clients have begun.
func (x *crowd) crowd(t *testing.T, readers, stuck int) *crowdRun {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", crowdChild, x.addr, readers, stuck))
	cmd.Stderr = os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	r := &crowdRun{t, cmd, in, bufio.NewReader(out)}
	if line, err := r.said.ReadString('\n'); line != "ready\n" {
		t.Fatalf("the clients say %q, %v", line, err)
	}
	return r
}

func (r *crowdRun) end() {
	r.in.Close()
	if err := r.cmd.Wait(); err != nil {
		r.t.Errorf("the clients: %v", err)
	}
}

// TestCrowd: beside 200 subscribers, of which 50 do not read, ingest goes on as fast;
// those who do not read are let go, and what they did not read is not kept for them.
// With FLIGHTD_CROWD=200, else with 40 and for a short time; only then the times are
// compared, in turns, since nobody is alone on a machine: those of all rounds together.
func TestCrowd(t *testing.T) {
	readers, stuck, rounds, batches, wait := 30, 10, 1, 300, 3*time.Second
	n, err := strconv.Atoi(os.Getenv("FLIGHTD_CROWD"))
	long := err == nil
	if long {
		readers, stuck, rounds, batches, wait = n-n/4, n/4, 7, 1000, 15*time.Second
		headroom.Set(headroom.Default) // as the command does
	}
	x := startCrowd(t, Options{Stuck: wait})
	x.ingest(t, 100)
	var run *crowdRun
	var grown int64
	var allAlone, allCrowded []time.Duration
	for range rounds {
		if run != nil {
			run.end()
			run = nil
			time.Sleep(time.Second)
		}
		alone := x.ingest(t, batches)
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run = x.crowd(t, readers, stuck)
		x.ingest(t, 200)
		crowded := x.ingest(t, batches)
		runtime.GC()
		runtime.ReadMemStats(&after)
		grown = max(grown, int64(after.HeapAlloc)-int64(before.HeapAlloc))
		allAlone, allCrowded = append(allAlone, alone...), append(allCrowded, crowded...)
		t.Logf("ingest p50 %v, p99 %v alone; %v, %v beside %d subscribers, of which %d do not read; heap grown by %d KiB",
			alone[batches/2], p99(alone), crowded[batches/2], p99(crowded), readers+stuck, stuck, grown>>10)
	}
	defer run.end()
	// What the wire's own buffers take comes first: only then one does not read.
	for deadline := time.Now().Add(3 * wait); time.Now().Before(deadline); {
		x.ingest(t, 20)
	}
	if _, err := io.WriteString(run.in, "wake\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := run.said.ReadString('\n'); line != fmt.Sprintf("map[ResourceExhausted:%d]\n", stuck) {
		t.Errorf("those who did not read ended with %q, %v", line, err)
	}
	if bound := int64(readers+stuck) << 20; grown > bound {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	slices.Sort(allAlone)
	slices.Sort(allCrowded)
	ratio := float64(p99(allCrowded)) / float64(p99(allAlone))
	t.Logf("ingest p99 of all rounds: %v alone, %v beside subscribers: %.2f", p99(allAlone), p99(allCrowded), ratio)
	if long && ratio > crowdBound {
		t.Errorf("ingest p99 is %.2f times as long beside subscribers", ratio)
	}
}
