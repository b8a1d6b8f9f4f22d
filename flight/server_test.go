package flight

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// start serves a fake and returns it with the address.
func start(t *testing.T, o Options) (*fake, string) {
	t.Helper()
	f := newFake()
	_, addr := serve(t, f, o)
	return f, addr
}

// serve serves a backend until the test ends.
func serve(t *testing.T, b Backend, o Options) (*Server, string) {
	t.Helper()
	o.Logger = slog.New(slog.NewTextHandler(testWriter{t}, nil))
	s := New(b, o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		s.Stop(ctx)
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return s, l.Addr().String()
}

func dial(t *testing.T, addr string) *flightsql.Client {
	t.Helper()
	c, err := flightsql.NewClient(addr, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// collect reads a FlightInfo's one endpoint and holds its schema to the info's.
func collect(t *testing.T, c *flightsql.Client, info *flight.FlightInfo) ([]arrow.RecordBatch, error) {
	t.Helper()
	if len(info.Endpoint) != 1 || info.TotalRecords != -1 || info.FlightDescriptor == nil {
		t.Fatalf("the FlightInfo has %d endpoints, %d records, descriptor %v", len(info.Endpoint), info.TotalRecords, info.FlightDescriptor)
	}
	want, err := flight.DeserializeSchema(info.Schema, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.DoGet(context.Background(), info.Endpoint[0].Ticket)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	if !r.Schema().Equal(want) {
		t.Fatalf("the stream has the schema %v, the FlightInfo %v", r.Schema(), want)
	}
	var out []arrow.RecordBatch
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		rec.Retain()
		out = append(out, rec)
	}
}

func rowsOf(recs []arrow.RecordBatch) (n int64) {
	for _, rec := range recs {
		n += rec.NumRows()
	}
	return n
}

func wantCode(t *testing.T, err error, code codes.Code, text string) {
	t.Helper()
	if status.Code(err) != code || !strings.Contains(status.Convert(err).Message(), text) {
		t.Fatalf("want %v with %q, got %v", code, text, err)
	}
}

var bg = context.Background()

func TestQuery(t *testing.T) {
	_, addr := start(t, Options{})
	c := dial(t, addr)
	info, err := c.Execute(bg, "NUMBERS 10")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a ticket can be read again
		recs, err := collect(t, c, info)
		if err != nil || rowsOf(recs) != 10 {
			t.Fatalf("got %d rows, %v", rowsOf(recs), err)
		}
	}
	if recs, err := collect(t, c, mustInfo(t, c, "NUMBERS 0")); err != nil || rowsOf(recs) != 0 {
		t.Fatalf("got %d rows, %v", rowsOf(recs), err)
	}
	schema, err := c.GetExecuteSchema(bg, "NUMBERS 10")
	if err != nil || len(schema.Schema) == 0 {
		t.Fatalf("got %v, %v", schema, err)
	}
}

func mustInfo(t *testing.T, c *flightsql.Client, text string) *flight.FlightInfo {
	t.Helper()
	info, err := c.Execute(bg, text)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// F1: an update runs once, however its answer is asked for.
func TestUpdatesRunOnce(t *testing.T) {
	f, addr := start(t, Options{})
	c := dial(t, addr)
	info := mustInfo(t, c, "ADD 1")
	if f.updates.Load() != 1 {
		t.Fatalf("ran %d times before DoGet", f.updates.Load())
	}
	for range 3 {
		recs, err := collect(t, c, info)
		if err != nil || rowsOf(recs) != 1 || recs[0].Column(0).(*array.Int64).Value(0) != 7 {
			t.Fatalf("got %v, %v", recs, err)
		}
	}
	if n, err := c.ExecuteUpdate(bg, "ADD 1"); err != nil || n != 7 {
		t.Fatalf("got %d, %v", n, err)
	}
	if _, err := c.GetExecuteSchema(bg, "ADD 1"); err != nil {
		t.Fatal(err)
	}
	p, err := c.Prepare(bg, "ADD 1")
	if err != nil {
		t.Fatal(err)
	}
	if p.DatasetSchema() != nil {
		t.Fatal("an update has a dataset schema")
	}
	if f.updates.Load() != 2 {
		t.Fatalf("preparing ran it: %d", f.updates.Load())
	}
	if n, err := p.ExecuteUpdate(bg); err != nil || n != 7 || f.updates.Load() != 3 {
		t.Fatalf("got %d, %v; ran %d times", n, err, f.updates.Load())
	}
}

func TestParameters(t *testing.T) {
	f, addr := start(t, Options{})
	c := dial(t, addr)
	p, err := c.Prepare(bg, "ECHO ?")
	if err != nil {
		t.Fatal(err)
	}
	if p.ParameterSchema().NumFields() != 1 || p.DatasetSchema().NumFields() != 1 {
		t.Fatalf("got %v, %v", p.ParameterSchema(), p.DatasetSchema())
	}
	_, err = p.Execute(bg)
	wantCode(t, err, codes.InvalidArgument, "[UNBOUND_SQL_PARAMETER]")
	for _, values := range [][]int64{{42}, {1, 2, 3}} {
		p.SetParameters(numbers(values...))
		info, err := p.Execute(bg)
		if err != nil {
			t.Fatal(err)
		}
		recs, err := collect(t, c, info)
		if err != nil || rowsOf(recs) != int64(len(values)) || recs[0].Column(0).(*array.Int64).Value(0) != values[0] {
			t.Fatalf("got %v, %v", recs, err)
		}
	}
	two := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}, {Name: "b", Type: arrow.PrimitiveTypes.Int64}}, nil),
		[]arrow.Array{numbers(1).Column(0), numbers(2).Column(0)}, 1)
	p.SetParameters(two)
	_, err = p.Execute(bg)
	wantCode(t, err, codes.InvalidArgument, "has 1 parameters; 2 were bound")

	u, err := c.Prepare(bg, "ADD ?")
	if err != nil {
		t.Fatal(err)
	}
	u.SetParameters(numbers(1, 2, 3, 4))
	if n, err := u.ExecuteUpdate(bg); err != nil || n != 28 || f.updates.Load() != 4 {
		t.Fatalf("got %d, %v; ran %d times", n, err, f.updates.Load())
	}
	if err := u.Close(bg); err != nil {
		t.Fatal(err)
	}
}

func numbers(values ...int64) arrow.RecordBatch {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.AppendValues(values, nil)
	return array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil), []arrow.Array{b.NewArray()}, int64(len(values)))
}

// F7: code, text with caret, details as trailers that are printable ASCII.
func TestErrors(t *testing.T) {
	_, addr := start(t, Options{MaxStatement: 1000})
	c := dial(t, addr)
	var trailer metadata.MD
	_, err := c.Execute(bg, "nam FROM t", grpc.Trailer(&trailer))
	wantCode(t, err, codes.InvalidArgument, "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column with name `nam` cannot be resolved. SQLSTATE: 42703\nline 1:1: nam FROM t\n          ^^^\nhint: did you mean `größe`?")
	for key, want := range map[string]string{"sqlstate": "42703", "condition": "UNRESOLVED_COLUMN.WITH_SUGGESTION", "position": "1:1", "hint": "did you mean `gr%C3%B6%C3%9Fe`?"} {
		if got := trailer.Get("x-flightd-" + key); len(got) != 1 || got[0] != want {
			t.Errorf("trailer %s is %q, want %q", key, got, want)
		}
	}
	if id := trailer.Get("x-flightd-query-id"); len(id) != 1 || len(id[0]) != 32 {
		t.Errorf("the call's identity is %v", id)
	}
	_, err = c.Execute(bg, "NUMBERS "+strings.Repeat("1", 1000))
	wantCode(t, err, codes.ResourceExhausted, "the limit is 1000")
	_, err = collect(t, c, mustInfo(t, c, "NUMBERS many"))
	wantCode(t, err, codes.InvalidArgument, `"many" is not a number`)
	_, err = c.Client.GetFlightInfo(bg, &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: []byte("SELECT 1")})
	wantCode(t, err, codes.InvalidArgument, "")
	_, err = c.ExecuteSubstrait(bg, flightsql.SubstraitPlan{})
	wantCode(t, err, codes.Unimplemented, "Substrait")
	_, err = c.BeginTransaction(bg)
	wantCode(t, err, codes.Unimplemented, "no transactions")
}

// F6: a panic ends its call and no other.
func TestPanics(t *testing.T) {
	_, addr := start(t, Options{})
	c := dial(t, addr)
	_, err := c.Execute(bg, "PANIC")
	wantCode(t, err, codes.Internal, "ran into a bug")
	_, err = collect(t, c, mustInfo(t, c, "PANIC LATE"))
	wantCode(t, err, codes.Internal, "ran into a bug")
	if recs, err := collect(t, c, mustInfo(t, c, "NUMBERS 1")); err != nil || rowsOf(recs) != 1 {
		t.Fatalf("got %v, %v", recs, err)
	}
}

// F3: results are cut by bytes.
func TestMessageSizes(t *testing.T) {
	_, addr := start(t, Options{})
	c := dial(t, addr)
	recs, err := collect(t, c, mustInfo(t, c, "NUMBERS 2000000"))
	if err != nil || rowsOf(recs) != 2_000_000 {
		t.Fatalf("got %d rows, %v", rowsOf(recs), err)
	}
	next := int64(0)
	for _, rec := range recs {
		if rec.NumRows()*8 > 2<<20 {
			t.Fatalf("a message has %d rows", rec.NumRows())
		}
		for _, v := range rec.Column(0).(*array.Int64).Int64Values() {
			if v != next {
				t.Fatalf("got %d, want %d", v, next)
			}
			next++
		}
	}
	if _, err := collect(t, c, mustInfo(t, c, "TEXT 3000000")); err != nil {
		t.Fatal(err)
	}
	_, err = collect(t, c, mustInfo(t, c, "TEXT 8000000"))
	wantCode(t, err, codes.ResourceExhausted, "with_max_msg_size")
	options, err := flight.NewSessionOptionValues(map[string]any{optMaxMessage: int64(16 << 20)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.SetSessionOptions(bg, &flight.SetSessionOptionsRequest{SessionOptions: options}); err != nil {
		t.Fatal(err)
	}
	r, err := c.Client.DoGet(bg, mustInfo(t, c, "TEXT 8000000").Endpoint[0].Ticket, grpc.MaxCallRecvMsgSize(32<<20))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := r.Recv(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCancel(t *testing.T) {
	f, addr := start(t, Options{Quiet: 5 * time.Millisecond})
	c := dial(t, addr)
	info := mustInfo(t, c, "WAIT")
	r, err := c.DoGet(bg, info.Endpoint[0].Ticket)
	if err != nil {
		t.Fatal(err)
	}
	// A quiet stream shows that it lives.
	if rec, err := r.Read(); err != nil || rec.NumRows() != 0 {
		t.Fatalf("got %v, %v", rec, err)
	}
	res, err := c.CancelFlightInfo(bg, &flight.CancelFlightInfoRequest{Info: info})
	if err != nil || res.Status != flight.CancelStatusCancelled {
		t.Fatalf("got %v, %v", res, err)
	}
	for err == nil {
		_, err = r.Read()
	}
	wantCode(t, err, codes.Canceled, "")
	if _, err := collect(t, c, info); status.Code(err) != codes.Canceled {
		t.Fatalf("the ticket can still be read: %v", err)
	}
	// A client that goes away ends its query as well.
	ctx, cancel := context.WithCancel(bg)
	if _, err := c.DoGet(ctx, mustInfo(t, c, "WAIT").Endpoint[0].Ticket); err != nil {
		t.Fatal(err)
	}
	cancel()
	eventually(t, func() bool { return f.canceled.Load() == 2 })
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("it did not happen in 5 s")
}

// testWriter writes the server's log into the test's.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Logf("%s", b)
	return len(b), nil
}
