package flight

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// The other kill test: producers append to a stream table and a subscriber follows
// it, while the server is killed with -9 at random moments. In the end the rows that
// were acknowledged, the rows of the table and the rows that the subscriber got are
// the same, each once.

const appendScript = "CREATE TABLE IF NOT EXISTS t (n BIGINT) USING flight OPTIONS ('segmentBytes' = '100000');" +
	"CREATE STREAMING QUERY IF NOT EXISTS live INTO feed AS SELECT n FROM STREAM t"

// killedServer is the server that runs now; its clients change with it.
type killedServer struct {
	mu sync.Mutex
	c  *flightsql.Client
	// old are those of servers that were killed: somebody may still hold them.
	old []*flightsql.Client
}

func (k *killedServer) client() *flightsql.Client {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.c
}

func (k *killedServer) set(c *flightsql.Client) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.c != nil {
		k.old = append(k.old, k.c)
	}
	k.c = c
}

// killedProducer sends batches whose rows follow from its id and their number.
type killedProducer struct {
	id    int64
	acked int64 // the last number that was acknowledged; −1: none
	again int   // how often it came back
}

func (p *killedProducer) name() string { return fmt.Sprint("producer ", p.id) }

// rows are those of a batch: between none and nine.
func (p *killedProducer) rows(seq int64) []int64 {
	out := make([]int64, (seq*7+p.id)%10)
	for i := range out {
		out[i] = p.id<<40 + seq*10 + int64(i)
	}
	return out
}

// run sends until stop is closed and all is acknowledged.
func (p *killedProducer) run(t *testing.T, k *killedServer, stop <-chan struct{}) {
	for {
		done, err := p.connect(t, k.client(), stop)
		if err != nil {
			mustBeGone(t, err)
			p.again++
			time.Sleep(5 * time.Millisecond)
		}
		if done {
			return
		}
	}
}

// connect asks what is durable and goes on behind it, reading the answers meanwhile.
func (p *killedProducer) connect(t *testing.T, c *flightsql.Client, stop <-chan struct{}) (done bool, err error) {
	ctx, cancel := context.WithTimeout(bg, 30*time.Second)
	defer cancel()
	stream, err := c.Client.DoPut(ctx)
	if err != nil {
		return false, err
	}
	d := &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"t"}}
	if err := stream.Send(&flight.FlightData{FlightDescriptor: d, AppMetadata: []byte(`{"producer":"` + p.name() + `"}`)}); err != nil && err != io.EOF {
		return false, err
	}
	a := &producing{t: t, stream: stream, w: flight.NewRecordWriter(stream, ipc.WithSchema(numbers().Schema())), cancel: cancel}
	last, err := a.acked(-1)
	if err != nil {
		return false, err
	}
	if *last.Seq < p.acked {
		t.Errorf("%s: batch %d was acknowledged, now the last durable one is %d", p.name(), p.acked, *last.Seq)
		return true, nil
	}
	p.acked = *last.Seq
	sent := make(chan int64, 1) // the last number, once there are no more
	go func() {
		// Sometimes it sends again what is there.
		seq := max(0, *last.Seq+1-rand.Int64N(4))
		for ; ; seq++ {
			select {
			case <-stop:
				if seq > *last.Seq {
					sent <- seq - 1
					_ = a.w.Close()
					_ = stream.CloseSend()
					return
				}
			default:
			}
			if err := a.send(numbers(p.rows(seq)...), origins(p.name(), seq)); err != nil {
				sent <- -2
				return
			}
			if rand.IntN(20) == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	}()
	for {
		k, err := a.acked(-1)
		if err != nil {
			cancel()
			if end := <-sent; err == io.EOF && end == p.acked {
				return true, nil
			}
			return false, err
		}
		p.acked = *k.Seq
	}
}

// killedSubscriber collects what it is told of what.
type killedSubscriber struct {
	what  string
	token string
	seen  map[int64]bool
	total int
}

// read subscribes behind the token and reads for a while.
func (s *killedSubscriber) read(t *testing.T, c *flightsql.Client, most time.Duration) {
	ctx, cancel := context.WithTimeout(bg, most)
	defer cancel()
	text := "SUBSCRIBE TO " + s.what + " FROM EPOCH 0"
	if s.token != "" {
		text = "SUBSCRIBE TO " + s.what + " RESUME '" + s.token + "'"
	}
	info, err := c.Execute(ctx, text)
	if err != nil {
		mustBeGone(t, err)
		return
	}
	r, err := c.DoGet(ctx, info.Endpoint[0].Ticket)
	if err != nil {
		mustBeGone(t, err)
		return
	}
	defer r.Release()
	x := &subscriber{t: t, r: r, cancel: cancel}
	for {
		got, err := x.batch()
		if err != nil {
			mustBeGone(t, err)
			return
		}
		for _, n := range got {
			if s.seen[n] {
				t.Errorf("the subscriber got row %d of batch %d of producer %d twice", n%10, n%(1<<40)/10, n>>40)
			}
			s.seen[n] = true
		}
		s.total += len(got)
		s.token = x.last.Resume
	}
}

func TestAppendKill9(t *testing.T) {
	kills := 4
	if n, err := strconv.Atoi(os.Getenv("FLIGHTD_KILLS")); err == nil {
		kills = n
	} else if testing.Short() {
		t.Skip("starts processes")
	}
	home := t.TempDir()
	env := killScript + "=" + appendScript
	var server killedServer
	start := func() *exec.Cmd {
		cmd, c := startKilled(t, home, env)
		server.set(c)
		return cmd
	}
	cmd := start()
	stop := make(chan struct{})
	producers := []*killedProducer{{id: 1, acked: -1}, {id: 2, acked: -1}, {id: 3, acked: -1}}
	var wg sync.WaitGroup
	for _, p := range producers {
		wg.Go(func() { p.run(t, &server, stop) })
	}
	sub := &killedSubscriber{what: "live", seen: map[int64]bool{}}
	// The query of this one ends with each of its connections.
	odd := &killedSubscriber{what: "(SELECT n FROM STREAM t WHERE n % 2 = 1)", seen: map[int64]bool{}}
	reading := make(chan struct{})
	var read sync.WaitGroup
	for _, s := range []*killedSubscriber{sub, odd} {
		read.Go(func() {
			for {
				select {
				case <-reading:
					return
				default:
					s.read(t, server.client(), time.Duration(50+rand.IntN(400))*time.Millisecond)
					time.Sleep(5 * time.Millisecond)
				}
			}
		})
	}
	for i := 0; i < kills && !t.Failed(); i++ {
		time.Sleep(time.Duration(rand.Int64N(int64(400 * time.Millisecond))))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		cmd = start()
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	close(stop)
	wg.Wait()
	close(reading)
	read.Wait()
	c := server.client()
	for _, old := range server.old {
		old.Close()
	}
	defer c.Close()
	want, odds, again := map[int64]bool{}, map[int64]bool{}, 0
	for _, p := range producers {
		for seq := range p.acked + 1 {
			for _, n := range p.rows(seq) {
				if want[n] = true; n%2 == 1 {
					odds[n] = true
				}
			}
		}
		again += p.again
	}
	for deadline := time.Now().Add(time.Minute); (sub.total < len(want) || odd.total < len(odds)) && time.Now().Before(deadline); {
		sub.read(t, c, time.Second)
		odd.read(t, c, time.Second)
	}
	table := map[int64]bool{}
	recs, err := collect(t, c, mustInfo(t, c, "SELECT n FROM t"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, rec := range recs {
		for _, n := range rec.Column(0).(*array.Int64).Int64Values() {
			table[n] = true
			rows++
		}
	}
	same := func(what string, got map[int64]bool, total int, want map[int64]bool) {
		if total != len(want) || len(got) != len(want) {
			t.Errorf("%s: %d rows, %d of them different, %d were acknowledged", what, total, len(got), len(want))
		}
		for n := range want {
			if !got[n] {
				t.Errorf("%s: row %d of batch %d of producer %d is missing", what, n%10, n%(1<<40)/10, n>>40)
				return
			}
		}
	}
	same("the table", table, rows, want)
	same("the subscriber", sub.seen, sub.total, want)
	same("the subscriber to a SELECT", odd.seen, odd.total, odds)
	t.Logf("%d kills, producers came back %d times, %d rows, each once in the table and for the subscriber", kills, again, rows)
}
