package flight

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
)

// silent rows are live and wait for the end of the call.
type silent struct{ records }

// Next waits.
func (s *silent) Next(ctx context.Context) (arrow.RecordBatch, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// Schema takes its time, so that the reader is done before the sender looks.
func (s *silent) Schema() *arrow.Schema {
	time.Sleep(200 * time.Microsecond)
	return s.records.Schema()
}

// Endless reports that the rows live.
func (s *silent) Endless() bool { return true }

// Annotation is nothing.
func (s *silent) Annotation() func(from, to int64) []byte {
	return func(int64, int64) []byte { return nil }
}

// Drain does nothing.
func (s *silent) Drain() {}

// Check finds nothing.
func (s *silent) Check() error { return nil }

// nowhere is a stream that nobody reads.
type nowhere struct {
	grpc.ServerStream
	ctx context.Context
}

// Context is the call's.
func (n nowhere) Context() context.Context { return n.ctx }

// Send forgets the message.
func (n nowhere) Send(*flight.FlightData) error { return nil }

// SendMsg forgets the message.
func (n nowhere) SendMsg(any) error { return nil }

// A call may end while its rows are waited for: whoever sees the end first, the
// reader or the sender, the answer is the end and not a panic, which in the goroutine
// that writes would take the server along.
func TestEndWhileWaiting(t *testing.T) {
	o := sendOptions{target: 1 << 20, limit: 1 << 20, quiet: 1 << 40, stuck: 1 << 40, log: slog.Default()}
	for range 100 {
		ctx, cancel := context.WithCancel(bg)
		cancel()
		if err := sendLive(ctx, nowhere{ctx: ctx}, &silent{*fixed(numbers(1))}, o, nil); !errors.Is(err, context.Canceled) {
			t.Fatalf("live: %v", err)
		}
		if err := send(ctx, nowhere{ctx: ctx}, &silent{*fixed(numbers(1))}, o); !errors.Is(err, context.Canceled) {
			t.Fatalf("bounded: %v", err)
		}
	}
}

// endless are live rows that never end.
type endless struct{ schema *arrow.Schema }

func (e endless) Schema() *arrow.Schema { return e.schema }
func (e endless) Notices() []string     { return nil }
func (e endless) RowsAffected() int64   { return -1 }
func (e endless) Endless() bool         { return true }
func (e endless) Drain()                {}
func (e endless) Check() error          { return nil }
func (e endless) Close() error          { return nil }

func (e endless) Annotation() func(from, to int64) []byte {
	return func(int64, int64) []byte { return []byte("{}") }
}

func (e endless) Next(context.Context) (arrow.RecordBatch, error) { return empty(e.schema), nil }

// torn is a stream whose connection breaks.
type torn struct {
	flight.FlightService_DoGetServer
	left int
}

var errTorn = errors.New("torn")

func (s *torn) Context() context.Context { return bg }

func (s *torn) SendMsg(any) error {
	if s.left--; s.left < 0 {
		return errTorn
	}
	return nil
}

// A write that fails ends the subscription, with its goroutines.
func TestFailedWriteEnds(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	for left := range 5 {
		ended := make(chan error, 1)
		go func() {
			ended <- sendLive(bg, &torn{left: left}, endless{schema}, sendOptions{target: 1 << 20, limit: 1 << 20, stuck: time.Minute}, nil)
		}()
		select {
		case err := <-ended:
			if !errors.Is(err, errTorn) {
				t.Errorf("after %d messages: %v", left, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("after %d messages it goes on", left)
		}
	}
}
