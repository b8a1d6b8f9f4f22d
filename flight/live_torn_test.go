package flight

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"go.uber.org/goleak"
)

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
