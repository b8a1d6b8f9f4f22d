package client_test

import (
	"bufio"
	"context"
	"errors"
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

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"google.golang.org/grpc/codes"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/client"
	"github.com/flightd/flightd/flight"
)

// source is a reader whose record batches are made when they are asked for.
type source struct {
	array.RecordReader // for the methods that nobody calls
	next               func() (arrow.RecordBatch, error)
	rec                arrow.RecordBatch
	err                error
}

func (s *source) Schema() *arrow.Schema { return numbers().Schema() }
func (s *source) Next() bool {
	s.rec, s.err = s.next()
	return s.rec != nil && s.err == nil
}
func (s *source) RecordBatch() arrow.RecordBatch { return s.rec }
func (s *source) Err() error                     { return s.err }

// batches is a reader of these.
func batches(recs ...arrow.RecordBatch) *source {
	return &source{next: func() (arrow.RecordBatch, error) {
		if len(recs) == 0 {
			return nil, nil
		}
		r := recs[0]
		recs = recs[1:]
		return r, nil
	}}
}

func TestAppend(t *testing.T) {
	_, c := start(t)
	run(t, c, "CREATE TABLE t (n BIGINT) USING flight")
	appended := func(want int64, o client.AppendOptions, recs ...arrow.RecordBatch) {
		t.Helper()
		if n, err := c.Append(bg, "t", batches(recs...), o); n != want || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	rows := func(want string) {
		t.Helper()
		if got := strings.ReplaceAll(values(t, c, "SELECT n FROM t"), "\n", ""); got != want {
			t.Errorf("got %s", got)
		}
	}
	var told []client.Durable
	o := client.AppendOptions{Producer: "p", Seq: client.Seq(0), Durable: func(d client.Durable) { told = append(told, d) }}
	appended(3, o, numbers(1, 2), numbers(), numbers(3))
	if last := told[len(told)-1]; last.Producer != "p" || last.Seq != 2 || last.Rows != 3 || last.Commit < 1 {
		t.Errorf("told %+v", told)
	}
	appended(2, client.AppendOptions{Producer: "p", Seq: client.Seq(2)}, numbers(3), numbers(4)) // 3 is there already
	appended(1, client.AppendOptions{Producer: "p"}, numbers(5))
	appended(0, client.AppendOptions{Producer: "p"})
	rows(`{"n":1}{"n":2}{"n":3}{"n":4}{"n":5}`)
	for range 2 { // Ingest takes the name of the connection
		if n, err := c.Ingest(bg, "t", batches(numbers(6)), client.CreateAppend); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if got := values(t, c, "SHOW PRODUCERS t LIKE '~go-%'"); !strings.Contains(got, `"seq":"1"`) {
		t.Errorf("got %s", got)
	}
	rows(`{"n":1}{"n":2}{"n":3}{"n":4}{"n":5}{"n":6}{"n":6}`)
}

func TestAppendRefused(t *testing.T) {
	_, c := start(t)
	run(t, c, "CREATE TABLE t (n BIGINT) USING flight")
	run(t, c, "CREATE TABLE files (n BIGINT)")
	broken := errors.New("the source failed")
	for _, x := range []struct {
		table string
		rows  array.RecordReader
		opts  client.AppendOptions
		want  string
	}{
		{"files", batches(numbers(1)), client.AppendOptions{}, "NOT_A_STREAM_TABLE"},
		{"nowhere", batches(numbers(1)), client.AppendOptions{}, "TABLE_OR_VIEW_NOT_FOUND"},
		{"t", batches(numbers(1)), client.AppendOptions{Producer: "p", Seq: client.Seq(7)}, "INGEST_SEQUENCE_GAP"},
		{"t", batches(numbers(1)), client.AppendOptions{Seq: client.Seq(7)}, "name the producer"},
		{"t", batches(numbers(1)), client.AppendOptions{Producer: "p", Seq: client.Seq(-1)}, "from 0 on"},
		{"t", &source{next: func() (arrow.RecordBatch, error) { return nil, broken }}, client.AppendOptions{}, "the source failed"},
	} {
		if _, err := c.Append(bg, x.table, x.rows, x.opts); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: got %v", x.want, err)
		}
	}
	ctx, cancel := context.WithCancel(bg)
	n := 0
	endless := &source{next: func() (arrow.RecordBatch, error) {
		if n++; n == 100 {
			cancel()
		}
		return numbers(int64(n)), nil
	}}
	if _, err := c.Append(ctx, "t", endless, client.AppendOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n, err := c.Append(bg, "t", batches(numbers(-1)), client.AppendOptions{}); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err) // under another name than what was cancelled
	}
	if got := values(t, c, "SELECT count(*) AS c FROM t WHERE n < 0"); got != `{"c":1}` {
		t.Errorf("got %s", got)
	}
}

func TestAppendCutsLargeBatches(t *testing.T) {
	_, c := start(t)
	run(t, c, "CREATE TABLE t (n BIGINT) USING flight")
	vals := make([]int64, 10_000_000) // 80 MB
	for i := range vals {
		vals[i] = int64(i)
	}
	large := numbers(vals...)
	defer large.Release()
	slice := large.NewSlice(5, 10)
	defer slice.Release()
	if n, err := c.Append(bg, "t", batches(large, slice), client.AppendOptions{Producer: "p"}); n != 10_000_005 || err != nil {
		t.Fatal(n, err)
	}
	if got := values(t, c, "SELECT count(*) AS c, sum(n) AS s FROM t"); got != `{"c":10000005,"s":49999995000035}` {
		t.Errorf("got %s", got)
	}
	if got := values(t, c, "SHOW PRODUCERS t"); !strings.Contains(got, `"seq":"5"`) {
		t.Errorf("got %s", got)
	}
}

const killChild = "FLIGHTD_CLIENT_CHILD"

func TestMain(m *testing.M) {
	if home := os.Getenv(killChild); home != "" {
		if err := killed(home, os.Getenv(killChild+"_ADDR")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killed serves the engine of home until the process is killed. The first line of
// its output is the address.
func killed(home, addr string) error {
	eng, err := flightd.Open(bg, flightd.Options{DataDir: filepath.Join(home, "data")})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return flight.New(flight.Engine(eng), flight.Options{}).Serve(l)
}

func startKilled(t *testing.T, home, addr string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killChild+"="+home, killChild+"_ADDR="+addr)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Process.Kill()
		t.Fatalf("the server did not start: %v", err)
	}
	return cmd, strings.TrimSpace(line)
}

// One Append goes on while the server is killed with -9 and started again: the rows
// of the table are what was sent, each once and in order. FLIGHTD_KILLS says how many
// kills.
func TestAppendKill9(t *testing.T) {
	kills := 5
	if n, err := strconv.Atoi(os.Getenv("FLIGHTD_KILLS")); err == nil {
		kills = n
	} else if testing.Short() {
		t.Skip("starts processes")
	}
	home := t.TempDir()
	cmd, addr := startKilled(t, home, "127.0.0.1:0")
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	c, err := client.Connect(bg, "grpc://"+addr, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	run(t, c, "CREATE TABLE t (n BIGINT) USING flight OPTIONS ('segmentBytes' = '100000')")
	stop, told := make(chan struct{}), make(chan int64, 1)
	var sent, last int64
	rows := &source{next: func() (arrow.RecordBatch, error) {
		select {
		case <-stop:
			return nil, nil
		default:
		}
		vals := make([]int64, rand.IntN(40))
		for i := range vals {
			vals[i] = sent
			sent++
		}
		if rand.IntN(10) == 0 {
			time.Sleep(time.Millisecond)
		}
		return numbers(vals...), nil
	}}
	done := make(chan error, 1)
	go func() {
		n, err := c.Append(bg, "t", rows, client.AppendOptions{RetryFor: time.Minute, Durable: func(d client.Durable) {
			if d.Seq < last {
				t.Errorf("batch %d is durable, then %d", last, d.Seq)
			}
			last = d.Seq
			select {
			case told <- d.Rows:
			default:
			}
		}})
		if err == nil && n != sent {
			err = fmt.Errorf("%d rows of %d", n, sent)
		}
		done <- err
	}()
	for range kills {
		time.Sleep(time.Duration(rand.Int64N(int64(400 * time.Millisecond))))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		select {
		case <-told:
		default:
		}
		cmd, _ = startKilled(t, home, addr)
		select {
		case <-told: // it goes on
		case err := <-done:
			t.Fatal(err)
		case <-time.After(time.Minute):
			t.Fatal("it does not go on")
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	got, err := c.SQL(bg, "SELECT n FROM t")
	if err != nil {
		t.Fatal(err)
	}
	defer got.Release()
	var next int64
	for got.Next() {
		for _, n := range got.RecordBatch().Column(0).(*array.Int64).Int64Values() {
			if n != next {
				t.Fatalf("row %d behind row %d", n, next-1)
			}
			next++
		}
	}
	if got.Err() != nil || next != sent {
		t.Fatalf("%d rows of %d: %v", next, sent, got.Err())
	}
	t.Logf("%d kills, %d rows, each once and in order", kills, sent)
}

// Without somebody to answer, Append ends when it may.
func TestAppendGivesUp(t *testing.T) {
	home := t.TempDir()
	cmd, addr := startKilled(t, home, "127.0.0.1:0")
	c, err := client.Connect(bg, "grpc://"+addr, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	run(t, c, "CREATE TABLE t (n BIGINT) USING flight")
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for _, retry := range []time.Duration{-1, 300 * time.Millisecond} {
		began := time.Now()
		_, err = c.Append(bg, "t", batches(numbers(1)), client.AppendOptions{RetryFor: retry})
		var e *client.Error
		if !errors.As(err, &e) || e.Code != codes.Unavailable || time.Since(began) > 20*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	}
}

// A server that is away when they begin is waited for, by Append and by Ingest, into a
// stream table and into another.
func TestBeginsWithoutServer(t *testing.T) {
	home := t.TempDir()
	cmd, addr := startKilled(t, home, "127.0.0.1:0")
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	c, err := client.Connect(bg, "grpc://"+addr, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	run(t, c, "CREATE TABLE t (n BIGINT) USING flight")
	run(t, c, "CREATE TABLE files (n BIGINT)")
	ingests := func(table string) func(context.Context) (int64, error) {
		return func(ctx context.Context) (int64, error) {
			return c.Ingest(ctx, table, batches(numbers(1)), client.Append)
		}
	}
	for i, send := range []func(context.Context) (int64, error){
		ingests("t"), ingests("files"),
		func(ctx context.Context) (int64, error) {
			return c.Append(ctx, "t", batches(numbers(1)), client.AppendOptions{})
		},
	} {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		ctx, cancel := context.WithTimeout(bg, 200*time.Millisecond)
		if _, err := send(ctx); !errors.Is(err, context.DeadlineExceeded) { // not the connection's error: it waits
			t.Errorf("%d: without a server: %v", i, err)
		}
		cancel()
		done := make(chan error, 1)
		go func() {
			n, err := send(bg)
			if err == nil && n != 1 {
				err = fmt.Errorf("%d rows", n)
			}
			done <- err
		}()
		time.Sleep(300 * time.Millisecond)
		select {
		case err := <-done:
			t.Fatalf("%d: it did not wait: %v", i, err)
		default:
		}
		cmd, _ = startKilled(t, home, addr)
		if err := <-done; err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if got := values(t, c, "SELECT (SELECT count(*) FROM t) AS t, (SELECT count(*) FROM files) AS files"); got != `{"files":1,"t":2}` {
		t.Errorf("got %s", got)
	}
}
