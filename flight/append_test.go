package flight

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/flightd/flightd"
)

// producing is a DoPut with a path.
type producing struct {
	t      *testing.T
	stream flight.FlightService_DoPutClient
	w      *flight.Writer
	cancel context.CancelFunc
}

func produce(t *testing.T, c *flightsql.Client, table string, schema *arrow.Schema, headers ...string) *producing {
	t.Helper()
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(bg, headers...), 30*time.Second)
	stream, err := c.Client.DoPut(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p := &producing{t: t, stream: stream, cancel: cancel}
	if schema != nil {
		p.w = flight.NewRecordWriter(stream, ipc.WithSchema(schema))
		p.w.SetFlightDescriptor(&flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: strings.Split(table, ".")})
	}
	t.Cleanup(cancel)
	return p
}

func (p *producing) send(rec arrow.RecordBatch, meta string) error {
	if meta == "" {
		return p.w.Write(rec)
	}
	return p.w.WriteWithAppMetadata(rec, []byte(meta))
}

// acked reads answers up to the one that covers seq, or the end.
func (p *producing) acked(seq int64) (ack, error) {
	var last ack
	for {
		r, err := p.stream.Recv()
		if err != nil {
			return last, err
		}
		last = ack{}
		if err := json.Unmarshal(r.GetAppMetadata(), &last); err != nil {
			return last, err
		}
		if last.Seq != nil && *last.Seq >= seq {
			return last, nil
		}
	}
}

// end closes the client's side and reads the answers to the end.
func (p *producing) end() (ack, error) {
	if err := p.w.Close(); err != nil {
		p.t.Error(err)
	}
	if err := p.stream.CloseSend(); err != nil {
		p.t.Error(err)
	}
	last, err := p.acked(1 << 60)
	if err == io.EOF {
		err = nil
	}
	return last, err
}

func (p *producing) wantError(code codes.Code, text string) {
	p.t.Helper()
	_, err := p.acked(1 << 60)
	wantCode(p.t, err, code, text)
}

func origins(producer string, seq int64) string {
	return fmt.Sprintf(`{"producer":%q,"seq":%d}`, producer, seq)
}

func mustUpdate(t *testing.T, c *flightsql.Client, text string) {
	t.Helper()
	if _, err := c.ExecuteUpdate(bg, text); err != nil {
		t.Fatal(err)
	}
}

// table reads one column of numbers.
func tableOf(t *testing.T, c *flightsql.Client, text string) []int64 {
	t.Helper()
	recs, err := collect(t, c, mustInfo(t, c, text))
	if err != nil {
		t.Fatal(err)
	}
	out := []int64{}
	for _, rec := range recs {
		out = append(out, rec.Column(0).(*array.Int64).Int64Values()...)
	}
	return out
}

func TestAppendOnce(t *testing.T) {
	c := dial(t, startEngine(t))
	mustUpdate(t, c, "CREATE TABLE t (n BIGINT) USING flight")
	schema := numbers().Schema()
	p := produce(t, c, "t", schema)
	d := &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"t"}}
	if err := p.stream.Send(&flight.FlightData{FlightDescriptor: d, AppMetadata: []byte(`{"producer":"p"}`)}); err != nil {
		t.Fatal(err)
	}
	if k, err := p.acked(-1); err != nil || *k.Seq != -1 || k.Producer != "p" {
		t.Fatalf("a new producer hears %+v, %v", k, err)
	}
	for i := range int64(10) {
		if err := p.send(numbers(10*i, 10*i+1), origins("p", i)); err != nil {
			t.Fatal(err)
		}
	}
	k, err := p.acked(9)
	if err != nil || k.Durable < 1 || k.Rows != 20 {
		t.Fatalf("%+v, %v", k, err)
	}
	if n := len(tableOf(t, c, "SELECT n FROM t")); n != 20 {
		t.Fatalf("%d rows after the acknowledgement", n)
	}
	p.cancel() // it goes away, and comes back with what it thinks is missing
	q := produce(t, c, "default.t", schema)
	for range 2 {
		if err := q.send(numbers(), `{"producer":"p"}`); err != nil {
			t.Fatal(err)
		}
		if k, err := q.acked(9); err != nil || *k.Seq != 9 {
			t.Fatalf("%+v, %v", k, err)
		}
	}
	h := produce(t, c, "t", schema, producerHeader, "p") // as pyarrow asks
	if err := h.send(numbers(), ""); err != nil {
		t.Fatal(err)
	}
	if k, err := h.end(); err != nil || *k.Seq != 9 {
		t.Fatalf("%+v, %v", k, err)
	}
	for i := int64(7); i < 12; i++ {
		if err := q.send(numbers(10*i, 10*i+1), origins("p", i)); err != nil {
			t.Fatal(err)
		}
	}
	if k, err := q.end(); err != nil || *k.Seq != 11 {
		t.Fatalf("%+v, %v", k, err)
	}
	got := tableOf(t, c, "SELECT n FROM t")
	if len(got) != 24 {
		t.Fatalf("%d rows: %v", len(got), got)
	}
	for i, n := range got {
		if want := int64(i/2*10 + i%2); n != want {
			t.Fatalf("row %d is %d, want %d", i, n, want)
		}
	}
	r := produce(t, c, "t", schema)
	if err := r.send(numbers(0), origins("p", 13)); err != nil {
		t.Fatal(err)
	}
	r.wantError(codes.InvalidArgument, "batch 13 after batch 11")
	r = produce(t, c, "t", schema)
	for range 3 { // nobody's rows
		if err := r.send(numbers(1, 2, 3), ""); err != nil {
			t.Fatal(err)
		}
	}
	if k, err := r.end(); err != nil || k.Rows != 9 || k.Seq != nil {
		t.Errorf("%+v, %v", k, err)
	}
	info := mustInfo(t, c, "SHOW PRODUCERS t")
	recs, err := collect(t, c, info)
	if err != nil || rowsOf(recs) != 1 || recs[0].Column(1).(*array.String).Value(0) != "11" {
		t.Errorf("%v, %v", recs, err)
	}
}

// A question needs neither schema nor rows.
func TestAppendAsks(t *testing.T) {
	c := dial(t, startEngine(t))
	mustUpdate(t, c, "CREATE TABLE t (n BIGINT) USING flight")
	ctx, cancel := context.WithTimeout(bg, 10*time.Second)
	defer cancel()
	stream, err := c.Client.DoPut(ctx)
	if err != nil {
		t.Fatal(err)
	}
	d := &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"t"}}
	if err := stream.Send(&flight.FlightData{FlightDescriptor: d, AppMetadata: []byte(`{"producer":"x"}`)}); err != nil {
		t.Fatal(err)
	}
	p := &producing{t: t, stream: stream, cancel: cancel}
	if k, err := p.acked(-1); err != nil || k.Producer != "x" || *k.Seq != -1 {
		t.Errorf("%+v, %v", k, err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != io.EOF {
		t.Error(err)
	}
}

func TestAppendRefusals(t *testing.T) {
	c := dial(t, startEngine(t))
	mustUpdate(t, c, "CREATE TABLE t (n BIGINT NOT NULL, s STRING) USING flight")
	mustUpdate(t, c, "CREATE TABLE plain (n BIGINT)")
	one := func(name string, dt arrow.DataType, text string) arrow.RecordBatch {
		b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: name, Type: dt, Nullable: true}}, nil))
		defer b.Release()
		if err := b.UnmarshalJSON([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return b.NewRecordBatch()
	}
	n := one("n", arrow.PrimitiveTypes.Int64, `{"n":1}`)
	for _, x := range []struct {
		table string
		rec   arrow.RecordBatch
		meta  string
		code  codes.Code
		text  string
	}{
		{"nobody", n, "", codes.NotFound, "no table nobody"},
		{"plain", n, "", codes.InvalidArgument, "not a stream table"},
		{"x.t", n, "", codes.NotFound, "no schema x"},
		{"t", one("n", arrow.BinaryTypes.Binary, `{"n":"YQ=="}`), "", codes.InvalidArgument, "`n` of type BINARY cannot be stored into the column `n` of type BIGINT"},
		{"t", one("m", arrow.PrimitiveTypes.Int64, `{"m":1}`), "", codes.InvalidArgument, "no column `m`"},
		{"t", one("n", arrow.PrimitiveTypes.Int64, `{"n":null}`), "", codes.InvalidArgument, "`n` of table t, which is NOT NULL"},
		{"t", one("s", arrow.BinaryTypes.String, `{"s":"x"}`), "", codes.InvalidArgument, "`n` of table t, which is NOT NULL"},
		{"t", n, "junk", codes.InvalidArgument, "is not JSON"},
		{"t", n, `{"producer":"p"}`, codes.InvalidArgument, "has no number"},
		{"t", n, `{"seq":3}`, codes.InvalidArgument, "of no producer"},
		{"t", n, origins("p", 7), codes.InvalidArgument, "must be 0 or 1"},
		{"t", n, origins("p", -7), codes.InvalidArgument, "sequence number -7"},
		{"t", n, origins(strings.Repeat("p", 1000), 0), codes.InvalidArgument, "1000 bytes"},
	} {
		p := produce(t, c, x.table, x.rec.Schema())
		_ = p.send(x.rec, x.meta)
		p.wantError(x.code, x.text)
	}
	if got := tableOf(t, c, "SELECT n FROM t"); len(got) != 0 {
		t.Errorf("rows %v", got)
	}
}

// Columns go by name, are widened, and come in whatever layout and compression.
func TestAppendForms(t *testing.T) {
	c := dial(t, startEngine(t))
	mustUpdate(t, c, "CREATE TABLE t (n BIGINT, s STRING) USING flight")
	put := func(fields []arrow.Field, text string, o ...ipc.Option) {
		t.Helper()
		schema := arrow.NewSchema(fields, nil)
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		defer b.Release()
		if err := b.UnmarshalJSON([]byte(text)); err != nil {
			t.Fatal(err)
		}
		p := produce(t, c, "t", nil)
		p.w = flight.NewRecordWriter(p.stream, append(o, ipc.WithSchema(schema))...)
		p.w.SetFlightDescriptor(&flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"t"}})
		if err := p.send(b.NewRecordBatch(), ""); err != nil {
			t.Fatal(err)
		}
		if k, err := p.end(); err != nil || k.Rows != 1 {
			t.Fatalf("%+v, %v", k, err)
		}
	}
	f := func(name string, dt arrow.DataType) arrow.Field {
		return arrow.Field{Name: name, Type: dt, Nullable: true}
	}
	put([]arrow.Field{f("n", arrow.PrimitiveTypes.Int64), f("s", arrow.BinaryTypes.String)}, `{"n":0,"s":"plain"}`)
	put([]arrow.Field{f("n", arrow.PrimitiveTypes.Int64), f("s", arrow.BinaryTypes.String)}, `{"n":1,"s":"zstd"}`, ipc.WithZstd())
	put([]arrow.Field{f("s", arrow.BinaryTypes.String), f("n", arrow.PrimitiveTypes.Int64)}, `{"n":2,"s":"other order"}`)
	put([]arrow.Field{f("N", arrow.PrimitiveTypes.Int16), f("s", arrow.BinaryTypes.LargeString)}, `{"N":3,"s":"narrow"}`)
	put([]arrow.Field{f("n", arrow.PrimitiveTypes.Uint8), f("s", arrow.BinaryTypes.StringView)}, `{"n":4,"s":"a text that is longer than a view"}`, ipc.WithLZ4())
	put([]arrow.Field{f("n", arrow.PrimitiveTypes.Int64)}, `{"n":5}`)
	if got := fmt.Sprint(tableOf(t, c, "SELECT n FROM t")); got != "[0 1 2 3 4 5]" {
		t.Errorf("rows %s", got)
	}
	if got := fmt.Sprint(tableOf(t, c, "SELECT CAST(count(s) + max(length(s)) AS BIGINT) FROM t")); got != "[38]" {
		t.Errorf("texts %s", got)
	}
}

// An ingest makes a stream table if the session says so; its rows are there all or
// none.
func TestIngestIntoStreamTable(t *testing.T) {
	c := dial(t, startEngine(t))
	exists, fail := flightsql.TableDefinitionOptionsTableExistsOptionAppend, flightsql.TableDefinitionOptionsTableExistsOptionFail
	mustUpdate(t, c, "SET flightd.ingest.format = flight")
	for _, x := range []struct {
		makes bool
		opt   any
		n     int64
	}{{true, fail, 3}, {false, exists, 6}, {true, exists, 9}, {true, flightsql.TableDefinitionOptionsTableExistsOptionReplace, 3}} {
		o := ingestOptions("t", x.makes, fail)
		switch x.opt {
		case exists:
			o = ingestOptions("t", x.makes, exists)
		case flightsql.TableDefinitionOptionsTableExistsOptionReplace:
			o = ingestOptions("t", x.makes, flightsql.TableDefinitionOptionsTableExistsOptionReplace)
		}
		n, err := c.ExecuteIngest(bg, reader(t, numbers(1, 2), numbers(3)), o)
		if err != nil || n != 3 {
			t.Fatalf("%+v: %d, %v", x, n, err)
		}
		if got := tableOf(t, c, "SELECT count(*) FROM t"); got[0] != x.n {
			t.Errorf("%+v: %d rows", x, got[0])
		}
	}
	p := produce(t, c, "t", numbers().Schema())
	if err := p.send(numbers(9), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := p.end(); err != nil {
		t.Errorf("it is no stream table: %v", err)
	}
}

// Many producers at once, one that is slow, one that never reads its answers, one
// that goes away, and a table that is dropped under them.
func TestAppendTogether(t *testing.T) {
	addr := startEngine(t)
	c := dial(t, addr)
	mustUpdate(t, c, "CREATE TABLE t (n BIGINT) USING flight OPTIONS ('segmentBytes' = '20000')")
	schema := numbers().Schema()
	deaf := produce(t, dial(t, addr), "t", schema)
	slow := produce(t, dial(t, addr), "t", schema)
	gone := produce(t, dial(t, addr), "t", schema)
	for i := range int64(3) {
		for _, x := range []struct {
			p    *producing
			name string
		}{{deaf, "deaf"}, {slow, "slow"}, {gone, "gone"}} {
			if err := x.p.send(numbers(i), origins(x.name, i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	gone.cancel()
	stop := make(chan struct{})
	var background sync.WaitGroup
	background.Go(func() {
		for i := int64(3); ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := deaf.send(numbers(-i), origins("deaf", i)); err != nil {
				return
			}
		}
	})
	const producers, batches = 8, 50
	var wg sync.WaitGroup
	for n := range producers {
		wg.Go(func() {
			p := produce(t, c, "t", schema)
			name := fmt.Sprint("p", n)
			for i := range int64(batches) {
				if err := p.send(numbers(int64(n+1)*1000+i), origins(name, i)); err != nil {
					t.Error(err)
				}
			}
			if k, err := p.end(); err != nil || k.Seq == nil || *k.Seq != batches-1 {
				t.Errorf("%s: %+v, %v", name, k, err)
			}
		})
	}
	wg.Wait()
	close(stop)
	background.Wait()
	if k, err := slow.end(); err != nil || *k.Seq != 2 {
		t.Errorf("slow: %+v, %v", k, err)
	}
	if got := tableOf(t, c, "SELECT count(*) FROM t WHERE n >= 1000"); got[0] != producers*batches {
		t.Errorf("%d rows", got[0])
	}
	left := produce(t, c, "t", schema)
	if err := left.send(numbers(1), origins("left", 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := left.acked(0); err != nil {
		t.Fatal(err)
	}
	mustUpdate(t, c, "DROP TABLE t")
	_ = left.send(numbers(1), origins("left", 1))
	left.wantError(codes.NotFound, "was dropped")
	// What it sent may have been durable before, or not.
	if k, err := deaf.end(); err != nil {
		wantCode(t, err, codes.NotFound, "was dropped")
	} else if k.Seq == nil {
		t.Errorf("no acknowledgement: %+v", k)
	}
}

// A stream table's rows are a stream: a subscriber gets them as they come.
func TestAppendAndSubscribe(t *testing.T) {
	c := dial(t, startEngine(t))
	mustUpdate(t, c, "CREATE TABLE t (n BIGINT) USING flight")
	s := subscribe(t, c, "SUBSCRIBE TO SELECT n FROM STREAM t")
	p := produce(t, c, "t", numbers().Schema())
	for i := range int64(5) {
		begun := time.Now()
		if err := p.send(numbers(i), origins("p", i)); err != nil {
			t.Fatal(err)
		}
		s.want(i, i+1)
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("batch %d took %v", i, took)
		}
	}
	if _, err := p.end(); err != nil && !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// A client that never reads, not even after its end, is let go; its rows are there.
// Nothing of it, of those that asked without end, and of those that went away stays.
func TestAppendLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	eng, err := flightd.Open(bg, flightd.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Engine(eng), Options{Stuck: 200 * time.Millisecond})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	c, err := flightsql.NewClient(l.Addr().String(), nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithInitialWindowSize(1<<16))
	if err != nil {
		t.Fatal(err)
	}
	mustUpdate(t, c, "CREATE TABLE t (n BIGINT) USING flight")
	schema := numbers().Schema()
	for i := range 30 {
		p := produce(t, c, "t", schema)
		for seq := range int64(i) {
			if err := p.send(numbers(seq), origins(fmt.Sprint("gone ", i), seq)); err != nil {
				t.Fatal(err)
			}
		}
		p.cancel()
	}
	asks := produce(t, c, "t", schema)
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		for i := 0; ; i++ {
			if err := asks.send(numbers(), fmt.Sprintf(`{"producer":"%d %s"}`, i, strings.Repeat("x", 200))); err != nil {
				return
			}
		}
	}()
	time.Sleep(time.Second)
	asks.wantError(codes.ResourceExhausted, "RESOURCE_EXHAUSTED")
	<-asked

	deaf := produce(t, c, "t", schema)
	const batches = 4000
	for seq := range int64(batches) {
		if err := deaf.send(numbers(seq), origins(strings.Repeat("d", 200), seq)); err != nil {
			t.Fatal(err)
		}
		if seq%16 == 0 { // so that there are many answers
			time.Sleep(100 * time.Microsecond)
		}
	}
	if err := deaf.stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return tableOf(t, c, "SELECT count(*) FROM t")[0] >= batches })
	time.Sleep(500 * time.Millisecond)
	for err = nil; err == nil; {
		_, err = deaf.stream.Recv()
	}
	if err != io.EOF { // the answers may all have fitted on the way
		wantCode(t, err, codes.ResourceExhausted, "has not read its acknowledgements")
	}
	c.Close()
	ctx, cancel := context.WithTimeout(bg, 5*time.Second)
	defer cancel()
	s.Stop(ctx)
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	if err := eng.Close(); err != nil {
		t.Error(err)
	}
}
