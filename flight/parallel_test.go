package flight

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
)

func setOption(t *testing.T, c *flightsql.Client, name string, value any) *flight.SetSessionOptionsResult {
	t.Helper()
	options, err := flight.NewSessionOptionValues(map[string]any{name: value})
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.SetSessionOptions(bg, &flight.SetSessionOptionsRequest{SessionOptions: options})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// A session that asks for parallel endpoints has them: together they have every row
// once, read one after another or at the same time; updates and subscriptions keep one.
func TestParallelEndpoints(t *testing.T) {
	x := startStreaming(t, Options{})
	c := dial(t, x.addr)
	for _, bad := range []any{"0", int64(65), "many"} {
		if res := setOption(t, c, optParallel, bad); len(res.Errors) != 1 {
			t.Errorf("%v is taken", bad)
		}
	}
	setOption(t, c, optParallel, int64(4))
	read := func(e *flight.FlightEndpoint) ([]int64, error) {
		r, err := c.DoGet(bg, e.Ticket)
		if err != nil {
			return nil, err
		}
		defer r.Release()
		var out []int64
		for r.Next() {
			out = append(out, r.RecordBatch().Column(0).(*array.Int64).Int64Values()...)
		}
		return out, r.Err()
	}
	const rows = 300_000
	for _, together := range []bool{false, true} {
		info := mustInfo(t, c, "SELECT id FROM range(300000)")
		if len(info.Endpoint) != 4 || info.Ordered {
			t.Fatalf("got %v", info)
		}
		parts := make([][]int64, 4)
		var wg sync.WaitGroup
		for i, e := range info.Endpoint {
			wg.Go(func() {
				var err error
				if parts[i], err = read(e); err != nil {
					t.Error(err)
				}
			})
			if !together {
				wg.Wait()
			}
		}
		wg.Wait()
		all := slices.Concat(parts...)
		slices.Sort(all)
		if len(all) != rows || all[0] != 0 || all[rows-1] != rows-1 || len(slices.Compact(all)) != rows {
			t.Fatalf("got %d rows", len(all))
		}
		_, err := read(info.Endpoint[0])
		wantCode(t, err, codes.NotFound, "was read already")
	}
	if info := mustInfo(t, c, "CREATE TABLE t AS SELECT 1 AS n"); len(info.Endpoint) != 1 {
		t.Error("an update has several endpoints")
	}
	if info := mustInfo(t, c, "SUBSCRIBE TO live"); len(info.Endpoint) != 1 {
		t.Error("a subscription has several endpoints")
	}
	if info, err := c.GetCatalogs(bg); err != nil || len(info.Endpoint) != 1 {
		t.Errorf("got %v, %v", info, err)
	}
	setOption(t, c, optParallel, int64(1))
	if info := mustInfo(t, c, "SELECT 1"); len(info.Endpoint) != 1 || !info.Ordered {
		t.Errorf("got %v", info)
	}
}

// What nobody reads, or not to its end, leaves nothing behind.
func TestParallelEndpointsAreLeft(t *testing.T) {
	ignored := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, ignored) }) // after all else has been closed
	x := startStreaming(t, Options{TicketLife: 300 * time.Millisecond})
	c := dial(t, x.addr)
	setOption(t, c, optParallel, int64(3))
	for range 5 {
		info := mustInfo(t, c, "SELECT a.id FROM range(1000000) a CROSS JOIN range(1000) b")
		r, err := c.DoGet(bg, info.Endpoint[1].Ticket)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(); err != nil {
			t.Fatal(err)
		}
		r.Release()
	}
	bad := mustInfo(t, c, "SELECT 1 / (id - 1) FROM range(2)")
	for _, e := range bad.Endpoint {
		r, err := c.DoGet(bg, e.Ticket)
		if err == nil {
			_, err = r.Read()
			r.Release()
		}
		wantCode(t, err, codes.InvalidArgument, "[DIVIDE_BY_ZERO]")
	}
	time.Sleep(400 * time.Millisecond)
}
