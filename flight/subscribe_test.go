package flight

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"

	"github.com/flightd/flightd"
)

// streaming is a server over an engine with a query live into feed, which reads
// numbers that the test adds.
type streaming struct {
	t    *testing.T
	eng  *flightd.Engine
	s    *Server
	addr string
	dir  string
	n    int
}

func startStreaming(t *testing.T, o Options) *streaming {
	t.Helper()
	x := &streaming{t: t, dir: t.TempDir()}
	var err error
	if x.eng, err = flightd.Open(bg, flightd.Options{DataDir: filepath.Join(x.dir, "data")}); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(x.dir, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("CREATE TABLE numbers (n BIGINT) USING json OPTIONS ('path' = '%s');"+
		"CREATE STREAMING QUERY live INTO feed AS SELECT n FROM STREAM numbers", filepath.Join(x.dir, "in"))
	if err := x.eng.NewSession().ExecuteScript(bg, script, func(_ string, _ *flightd.Result, err error) error { return err }); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x.s, x.addr = New(Engine(x.eng), o), l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- x.s.Serve(l) }()
	t.Cleanup(func() {
		x.stop()
		<-served
		if err := x.eng.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func (x *streaming) stop() {
	ctx, cancel := context.WithTimeout(bg, 5*time.Second)
	defer cancel()
	x.s.Stop(ctx)
}

// add writes numbers from x.n on as one file, and waits for their epoch.
func (x *streaming) add(count int) {
	x.t.Helper()
	x.write(count)
	if err := x.eng.Query("live").ProcessAllAvailable(bg); err != nil {
		x.t.Fatal(err)
	}
}

// said is the JSON beside a record batch.
type said struct {
	V           int
	QueryID     string `json:"query_id"`
	Epoch       *int64
	Seq, Rows   int64
	LagMs       *int64 `json:"lag_ms"`
	Resume, End string
}

// subscriber reads a subscription by the Go client.
type subscriber struct {
	t      *testing.T
	r      *flight.Reader
	cancel context.CancelFunc
	last   said
}

func subscribe(t *testing.T, c *flightsql.Client, text string) *subscriber {
	t.Helper()
	ctx, cancel := context.WithCancel(bg)
	t.Cleanup(cancel)
	info, err := c.Execute(ctx, text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.DoGet(ctx, info.Endpoint[0].Ticket)
	if err != nil {
		t.Fatal(err)
	}
	return &subscriber{t: t, r: r, cancel: cancel}
}

// batch returns the column n of the next record batch.
func (s *subscriber) batch() ([]int64, error) {
	s.t.Helper()
	rec, err := s.r.Read()
	if err != nil {
		return nil, err
	}
	s.last = said{}
	if err := json.Unmarshal(s.r.LatestAppMetadata(), &s.last); err != nil || s.last.V != 1 || s.last.Rows != rec.NumRows() {
		s.t.Fatalf("app_metadata %s: %v", s.r.LatestAppMetadata(), err)
	}
	at := rec.Schema().FieldIndices("n")[0]
	return append([]int64(nil), rec.Column(at).(*array.Int64).Int64Values()...), nil
}

// want reads the numbers [from, to).
func (s *subscriber) want(from, to int64) {
	s.t.Helper()
	for from < to {
		got, err := s.batch()
		if err != nil {
			s.t.Fatalf("before %d: %v", from, err)
		}
		for _, n := range got {
			if n != from {
				s.t.Fatalf("got %d, want %d", n, from)
			}
			from++
		}
	}
}

func TestSubscribeOverFlight(t *testing.T) {
	x := startStreaming(t, Options{SliceBytes: 4096})
	c := dial(t, x.addr)
	s := subscribe(t, c, "SUBSCRIBE TO live FROM EPOCH 0")
	x.add(5000)
	x.add(10)
	// The first message has no rows; the next is a part of an epoch. A token stands
	// behind each.
	if got, err := s.batch(); err != nil || len(got) != 0 || s.last.Resume == "" {
		t.Fatalf("%v, %+v, %v", got, s.last, err)
	}
	subscribe(t, c, "SUBSCRIBE TO live RESUME '"+s.last.Resume+"'").want(0, 5010)
	got, err := s.batch()
	if err != nil || len(got) == 0 || len(got) >= 5000 || s.last.Epoch == nil || *s.last.Epoch != 0 || s.last.Seq != 0 || s.last.LagMs == nil {
		t.Fatalf("%d rows, %+v, %v", len(got), s.last, err)
	}
	again := subscribe(t, c, "SUBSCRIBE TO live RESUME '"+s.last.Resume+"'")
	again.want(int64(len(got)), 5010)
	s.want(int64(len(got)), 5010)
	if s.last.Epoch == nil || *s.last.Epoch != 1 || s.last.QueryID != x.eng.Query("live").ID() {
		t.Errorf("got %+v", s.last)
	}
	x.add(1)
	s.want(5010, 5011)
	_, err = c.Execute(bg, "SUBSCRIBE TO live RESUME 'nonsense'")
	wantCode(t, err, codes.InvalidArgument, "SUBSCRIBE_INVALID_TOKEN")
	// The server's end: a last batch with the token, then the end.
	go x.stop()
	if got, err := s.batch(); err != nil || len(got) != 0 || s.last.End != "drain" || s.last.Resume == "" {
		t.Errorf("got %v, %+v, %v", got, s.last, err)
	}
	if _, err := s.batch(); err != io.EOF {
		t.Errorf("got %v", err)
	}
}

// A subscriber that goes away, and one that does not read, leave nothing behind.
func TestSubscribersEnd(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("", func(t *testing.T) {
		x := startStreaming(t, Options{Stuck: 2 * time.Second})
		c := dial(t, x.addr)
		for range 5 {
			s := subscribe(t, c, "SUBSCRIBE TO SELECT n FROM STREAM numbers")
			x.add(3)
			s.want(0, int64(x.n))
			s.cancel()
			eventually(t, func() bool { return len(x.eng.AllQueries()) == 1 })
		}
		stuck := subscribe(t, c, "SUBSCRIBE TO live FROM EPOCH 0")
		free := subscribe(t, c, "SUBSCRIBE TO live")
		for range 20 {
			began := int64(x.n)
			x.add(20_000)
			free.want(began, int64(x.n))
		}
		time.Sleep(4 * time.Second) // longer than Stuck
		var at int64
		for {
			got, err := stuck.batch()
			if err != nil {
				wantCode(t, err, codes.ResourceExhausted, "has not read")
				break
			}
			at += int64(len(got))
			if at == int64(x.n) {
				t.Fatal("the stuck subscriber was not ended")
			}
		}
		// It goes on where it was.
		rest := subscribe(t, c, "SUBSCRIBE TO live RESUME '"+stuck.last.Resume+"'")
		rest.want(at, int64(x.n))
	})
}
