package flight

import (
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc/codes"
)

func wantText(t *testing.T, err error, text string) {
	t.Helper()
	if !strings.Contains(err.Error(), text) {
		t.Errorf("want %s, got %v", text, err)
	}
}

func queryDescriptor(t *testing.T, text string) *flight.FlightDescriptor {
	t.Helper()
	b, err := packedCommand(&pb.CommandStatementQuery{Query: text})
	if err != nil {
		t.Fatal(err)
	}
	return &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: b}
}

// readEndpoint returns the column n of what an endpoint has.
func readEndpoint(t *testing.T, c *flightsql.Client, e *flight.FlightEndpoint) []int64 {
	t.Helper()
	r, err := c.DoGet(bg, e.Ticket)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var out []int64
	for r.Next() {
		rec := r.RecordBatch()
		at := rec.Schema().FieldIndices("n")
		out = append(out, rec.Column(at[0]).(*array.Int64).Int64Values()...)
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return out
}

// A bounded subscription has an endpoint for each epoch, which can be read again, and
// an end.
func TestPollEpochs(t *testing.T) {
	x := startStreaming(t, Options{})
	c := dial(t, x.addr)
	x.add(3)
	p, err := c.Client.PollFlightInfo(bg, queryDescriptor(t, "SUBSCRIBE TO live FROM EPOCH 0 UP TO EPOCH 2"))
	if err != nil || p.FlightDescriptor == nil || len(p.Info.Endpoint) != 1 || p.GetProgress() != 1.0/3 || p.ExpirationTime == nil || p.Info.Schema == nil {
		t.Fatalf("got %v, %v", p, err)
	}
	began := time.Now()
	retry := p.FlightDescriptor
	if p, err = c.Client.PollFlightInfo(bg, retry); err != nil || len(p.Info.Endpoint) != 1 || p.FlightDescriptor == nil || time.Since(began) < pollWait/2 {
		t.Fatalf("without news: got %v, %v after %v", p, err, time.Since(began))
	}
	x.add(2)
	x.add(2)
	for p.FlightDescriptor != nil {
		if p, err = c.Client.PollFlightInfo(bg, p.FlightDescriptor); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.Info.Endpoint) != 3 || p.GetProgress() != 1 {
		t.Fatalf("got %v", p)
	}
	for range 2 {
		next := int64(0)
		for i, e := range p.Info.Endpoint {
			got := readEndpoint(t, c, e)
			if len(got) != []int{3, 2, 2}[i] {
				t.Fatalf("epoch %d has %v", i, got)
			}
			for _, n := range got {
				if n != next {
					t.Fatalf("epoch %d has %v", i, got)
				}
				next++
			}
		}
	}
	renewed, err := c.RenewFlightEndpoint(bg, &flight.RenewFlightEndpointRequest{Endpoint: p.Info.Endpoint[1]})
	if err != nil || renewed.ExpirationTime.AsTime().Before(time.Now()) {
		t.Fatalf("got %v, %v", renewed, err)
	}
	// A retry of an old descriptor tells the same again.
	if again, err := c.Client.PollFlightInfo(bg, retry); err != nil || again.FlightDescriptor != nil || len(again.Info.Endpoint) != 3 {
		t.Fatalf("got %v, %v", again, err)
	}
	for text, want := range map[string]string{
		"SUBSCRIBE TO live":                                 "[SUBSCRIBE_NOT_BOUNDED]",
		"SUBSCRIBE TO live SNAPSHOT UP TO EPOCH 2":          "[SUBSCRIBE_NOT_BOUNDED]",
		"SUBSCRIBE TO live UP TO EPOCH 2 LIMIT 1":           "[SUBSCRIBE_NOT_BOUNDED]",
		"SUBSCRIBE TO SELECT 1 AS n":                        "",
		"SELECT nothing":                                    "[UNRESOLVED_COLUMN",
		"SUBSCRIBE TO nothing FROM EPOCH 0 UP TO EPOCH 100": "[TABLE_OR_VIEW_NOT_FOUND]",
	} {
		_, err := c.Client.PollFlightInfo(bg, queryDescriptor(t, text))
		if err == nil {
			t.Errorf("%s: no error", text)
			continue
		}
		if want != "" {
			wantText(t, err, want)
		}
	}
}

// What is complete at once is told so, and an update runs once however often is
// polled.
func TestPollStatements(t *testing.T) {
	f, addr := start(t, Options{})
	c := dial(t, addr)
	p, err := c.Client.PollFlightInfo(bg, queryDescriptor(t, "NUMBERS 3"))
	if err != nil || p.FlightDescriptor != nil || len(p.Info.Endpoint) != 1 || p.GetProgress() != 1 {
		t.Fatalf("got %v, %v", p, err)
	}
	b, err := packedCommand(&pb.CommandGetCatalogs{})
	if err != nil {
		t.Fatal(err)
	}
	if p, err = c.Client.PollFlightInfo(bg, &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: b}); err != nil || p.FlightDescriptor != nil {
		t.Fatalf("got %v, %v", p, err)
	}
	if p, err = c.Client.PollFlightInfo(bg, queryDescriptor(t, "ADD 1")); err != nil || p.FlightDescriptor != nil || len(p.Info.Endpoint) != 1 {
		t.Fatalf("got %v, %v", p, err)
	}
	for range 2 {
		r, err := c.DoGet(bg, p.Info.Endpoint[0].Ticket)
		if err != nil {
			t.Fatal(err)
		}
		if rec, err := r.Read(); err != nil || rec.Column(0).(*array.Int64).Value(0) != 7 {
			t.Fatalf("got %v, %v", rec, err)
		}
		r.Release()
	}
	if n := f.updates.Load(); n != 1 {
		t.Fatalf("the update ran %d times", n)
	}
	_, err = c.Client.PollFlightInfo(bg, queryDescriptor(t, "oops"))
	wantCode(t, err, codes.InvalidArgument, "[UNRESOLVED_COLUMN")
	other, err := packedCommand(&pb.TicketStatementQuery{StatementHandle: []byte("nobody's/0")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Client.PollFlightInfo(bg, &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: other})
	wantCode(t, err, codes.NotFound, "no such statement")
}

// An update that is slow is polled for, and CancelFlightInfo ends it.
func TestPollCancel(t *testing.T) {
	f, addr := start(t, Options{})
	c := dial(t, addr)
	p, err := c.Client.PollFlightInfo(bg, queryDescriptor(t, "HANG"))
	if err != nil || p.FlightDescriptor == nil || len(p.Info.Endpoint) != 0 || p.Progress != nil {
		t.Fatalf("got %v, %v", p, err)
	}
	if _, err := c.CancelFlightInfo(bg, &flight.CancelFlightInfoRequest{Info: p.Info}); err != nil {
		t.Fatal(err)
	}
	_, err = c.Client.PollFlightInfo(bg, p.FlightDescriptor)
	wantCode(t, err, codes.Canceled, "")
	// The end of the session ends it as well.
	if p, err = c.Client.PollFlightInfo(bg, queryDescriptor(t, "HANG")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CloseSession(bg, &flight.CloseSessionRequest{}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); f.canceled.Load() != 2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it runs on")
		}
	}
}
