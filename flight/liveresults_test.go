package flight

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/flightd/flightd"
)

// epochRows is how many rows an epoch of startCounting's queries has.
const epochRows = 1000

// startCounting serves an engine whose queries count without a pause: each epoch has
// epochRows rows, so the groups of epoch e have epochRows·(e+1) in all.
func startCounting(t *testing.T) (*flightd.Engine, string) {
	t.Helper()
	eng, err := flightd.Open(bg, flightd.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	group := "SELECT value % 997 AS k, count(*) AS n FROM STREAM r GROUP BY value % 997"
	script := fmt.Sprintf("CREATE TABLE r USING `rate-micro-batch` OPTIONS ('rowsPerBatch' = '%d');", epochRows) +
		"CREATE STREAMING QUERY counts OUTPUT MODE update INTO memory AS " + group +
		"; CREATE STREAMING QUERY fed OUTPUT MODE update INTO feed AS " + group
	if err := eng.NewSession().ExecuteScript(bg, script, func(_ string, _ *flightd.Result, err error) error { return err }); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Engine(eng), Options{})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(bg, 5*time.Second)
		defer cancel()
		s.Stop(ctx)
		<-served
	})
	return eng, l.Addr().String()
}

// answer is the record batches of a statement, with what the schema and
// the record batches say about epochs.
type answer struct {
	recs  []arrow.RecordBatch
	epoch string
	said  struct{ Epoch *int64 }
}

func ask(ctx context.Context, c *flightsql.Client, text string) (*answer, error) {
	info, err := c.Execute(ctx, text)
	if err != nil {
		return nil, err
	}
	r, err := c.DoGet(ctx, info.Endpoint[0].Ticket)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	a := &answer{}
	for {
		rec, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		rec.Retain()
		a.recs = append(a.recs, rec)
		if note := r.LatestAppMetadata(); len(note) > 0 {
			if err := json.Unmarshal(note, &a.said); err != nil {
				return nil, err
			}
		}
	}
	a.epoch, _ = r.Schema().Metadata().GetValue(flightd.EpochMetadata)
	return a, nil
}

// countingQueries give the number of all rows, another number that must be equal, and
// the least and the greatest epoch that was read.
var countingQueries = []string{
	"SELECT sum(n), sum(n), min(_epoch), max(_epoch) FROM counts",
	"SELECT sum(n), sum(n), min(_epoch), max(_epoch) FROM state.counts.aggregate",
	"SELECT sum(a.n), sum(b.n), min(a._epoch), max(b._epoch) FROM counts a JOIN counts b ON a.k = b.k",
	"SELECT sum(c.n), sum(s.n), min(c._epoch), max(s._epoch) FROM counts c JOIN state.counts.aggregate s ON c.k = s.k",
	"SELECT (SELECT sum(n) FROM state.counts.aggregate), sum(n), min(_epoch), max(_epoch) FROM counts",
	"SELECT sum(n), sum(n), min(_epoch), max(_epoch) FROM fed",
	"SELECT sum(c.n), sum(s.n), min(c._epoch), max(s._epoch) FROM fed c JOIN state.fed.aggregate s ON c.k = s.k",
}

// check holds an answer to what is true of a whole epoch, and returns the epoch.
func (a *answer) check() (int64, error) {
	var rows [][4]int64 // however they are cut into record batches
	for _, rec := range a.recs {
		for row := range int(rec.NumRows()) {
			var n [4]int64
			for i := range n {
				if col := rec.Column(i).(*array.Int64); col.IsNull(row) {
					n[i] = -1
				} else {
					n[i] = col.Value(row)
				}
			}
			rows = append(rows, n)
		}
		rec.Release()
	}
	if len(rows) != 1 {
		return 0, fmt.Errorf("%d rows: %v", len(rows), rows)
	}
	n := rows[0]
	switch e := n[2]; {
	case n == [4]int64{-1, -1, -1, -1} && a.epoch == "": // before the first epoch
	case a.said.Epoch == nil || a.epoch != strconv.FormatInt(*a.said.Epoch, 10):
		return e, fmt.Errorf("the schema says epoch %s, the record batch %v", a.epoch, a.said)
	case e != n[3] || n[0] != n[1] || n[0] != epochRows*(e+1):
		return e, fmt.Errorf("the rows are %d and %d, of epochs %d to %d", n[0], n[1], e, n[3])
	case a.epoch != strconv.FormatInt(e, 10):
		return e, fmt.Errorf("the schema says epoch %s, the rows %d", a.epoch, e)
	}
	return n[2], nil
}

// TestReadersBesideWriter has 100 clients ask for results and states while the queries
// run: each answer is that of one whole epoch, and no later one of a client is older.
func TestReadersBesideWriter(t *testing.T) {
	eng, addr := startCounting(t)
	epochs := func() int64 {
		if p := eng.Query("counts").LastProgress(); p != nil {
			return int64(p.BatchID)
		}
		return 0
	}
	span := time.Second
	rate := func() float64 {
		from, at := epochs(), time.Now()
		time.Sleep(span)
		return float64(epochs()-from) / time.Since(at).Seconds()
	}
	alone := rate()
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	var answers atomic.Int64
	var done sync.WaitGroup
	for reader := range 100 {
		c := dial(t, addr)
		done.Go(func() {
			last := make([]int64, len(countingQueries))
			for i := reader; i < reader+2 || ctx.Err() == nil; i++ {
				q := i % len(countingQueries)
				a, err := ask(bg, c, countingQueries[q])
				if err != nil {
					t.Errorf("%s: %v", countingQueries[q], err)
					return
				}
				epoch, err := a.check()
				if err != nil {
					t.Errorf("%s: %v", countingQueries[q], err)
					return
				}
				if epoch < last[q] {
					t.Errorf("%s: epoch %d after epoch %d", countingQueries[q], epoch, last[q])
				}
				last[q] = epoch
				answers.Add(1)
			}
		})
	}
	beside := rate()
	cancel()
	done.Wait()
	if beside == 0 {
		t.Error("no epoch was done beside 100 readers")
	}
	t.Logf("%.0f epochs/s alone, %.0f beside 100 readers, which got %d answers", alone, beside, answers.Load())
}

// TestDeadReaders has clients die in the middle of an answer, cancel, or close without
// reading: nothing of the state stays pinned, and no goroutine is left.
func TestDeadReaders(t *testing.T) {
	eng, addr := startCounting(t)
	if err := waitEpoch(eng, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(bg, dial(t, addr), "SELECT 1"); err != nil { // so that the server's own are there
		t.Fatal(err)
	}
	ignore := goleak.IgnoreCurrent()
	for i := range 30 {
		c, err := flightsql.NewClient(addr, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(bg)
		// Ten million rows: they do not fit into any window.
		info, err := c.Execute(ctx, "SELECT a.n, b.k, c.k FROM state.counts.aggregate a CROSS JOIN state.counts.aggregate b CROSS JOIN (SELECT k FROM counts LIMIT 10) c")
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.Client.DoGet(ctx, info.Endpoint[0].Ticket)
		if err != nil {
			t.Fatal(err)
		}
		if i%3 > 0 {
			if _, err := r.Recv(); err != nil {
				t.Fatal(err)
			}
		}
		if i%2 == 0 {
			cancel()
		}
		c.Close() // the connection breaks
		cancel()
	}
	eventually(t, func() bool { return eng.Query("counts").Readers() == 0 })
	for _, q := range eng.Queries() { // they have goroutines that come and go
		if err := q.Stop(bg); err != nil {
			t.Fatal(err)
		}
	}
	if err := goleak.Find(ignore); err != nil {
		t.Error(err)
	}
}

func waitEpoch(eng *flightd.Engine, epoch int64) error {
	for at := time.Now(); time.Since(at) < time.Minute; time.Sleep(time.Millisecond) {
		if p := eng.Query("counts").LastProgress(); p != nil && int64(p.BatchID) >= epoch {
			return nil
		}
	}
	return fmt.Errorf("epoch %d does not come", epoch)
}

// TestLiveCatalog lists states with their schema, and reads one by the name that the
// list gives.
func TestLiveCatalog(t *testing.T) {
	_, addr := startCounting(t)
	c := dial(t, addr)
	pattern := "state.c%"
	info, err := c.GetTables(bg, &flightsql.GetTablesOpts{DbSchemaFilterPattern: &pattern, IncludeSchema: true})
	if err != nil {
		t.Fatal(err)
	}
	recs, err := collect(t, c, info)
	if err != nil {
		t.Fatal(err)
	}
	if len(recs) != 1 || recs[0].NumRows() != 1 {
		t.Fatalf("%v", recs)
	}
	var got []string
	for i := range 4 {
		got = append(got, recs[0].Column(i).(*array.String).Value(0))
	}
	if fmt.Sprint(got) != "[spark_catalog state.counts aggregate SYSTEM TABLE]" {
		t.Errorf("got %v", got)
	}
	schema, err := flight.DeserializeSchema(recs[0].Column(4).(*array.Binary).Value(0), nil)
	if err != nil || schema.NumFields() != 2 || schema.Field(0).Name != "k" || schema.Field(1).Name != "n" {
		t.Errorf("%v, %v", schema, err)
	}
	if _, err := ask(bg, c, fmt.Sprintf("SELECT * FROM `%s`.`%s`.`%s`", got[0], got[1], got[2])); err != nil {
		t.Error(err)
	}
	if info, err = c.GetDBSchemas(bg, &flightsql.GetDBSchemasOpts{}); err != nil {
		t.Fatal(err)
	}
	if recs, err = collect(t, c, info); err != nil || recs[0].NumRows() != 3 {
		t.Errorf("%v, %v", recs, err)
	}
}
