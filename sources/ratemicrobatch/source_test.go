package ratemicrobatch

import (
	"slices"
	"testing"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/sourcetest"
)

func openWith(t *testing.T, o base.Options) sources.Source {
	t.Helper()
	s, err := Providers()[0].Stream(t.Context(), sources.Config{Options: o})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	for _, o := range []base.Options{{"rowsPerBatch": "5"}, {"rowsPerBatch": "10", "numPartitions": "3", "startTimestamp": "500", "advanceMillisPerBatch": "0"}} {
		sourcetest.Run(t, sourcetest.Harness{
			Open:     func(t *testing.T) sources.Source { return openWith(t, o) },
			Add:      func(*testing.T) {}, // there is always an epoch more
			Volatile: true,                // a second source sees as much as the first, not more
		})
	}
}

// Epochs as Spark makes them; another start makes the same.
func TestEpochs(t *testing.T) {
	o := base.Options{"rowsPerBatch": "3", "startTimestamp": "1000", "advanceMillisPerBatch": "50", "numPartitions": "2"}
	at, err := openWith(t, o).Initial(t.Context())
	if err != nil || at != `{"offset":0,"timestamp":1000}` {
		t.Fatalf("got %s, %v", at, err)
	}
	for epoch, want := range [][]string{
		{"1970-01-01T00:00:01Z|0", "1970-01-01T00:00:01Z|1", "1970-01-01T00:00:01Z|2"},
		{"1970-01-01T00:00:01.05Z|3", "1970-01-01T00:00:01.05Z|4", "1970-01-01T00:00:01.05Z|5"},
	} {
		s := openWith(t, o)
		to, err := s.Latest(t.Context(), at, sources.Limit{})
		if err != nil {
			t.Fatal(err)
		}
		if got := sourcetest.ReadRange(t, s, at, to, sources.Scan{}); !slices.Equal(got, want) {
			t.Errorf("epoch %d: got %v, want %v", epoch, got, want)
		}
		at = to
	}
	if at != `{"offset":6,"timestamp":1100}` {
		t.Errorf("it ends at %s", at)
	}
	if got := openWith(t, o).Describe(); got != "RatePerMicroBatchStream[rowsPerBatch=3, numPartitions=2, startTimestamp=1000, advanceMsPerBatch=50]" {
		t.Errorf("got %s", got)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []base.Options{nil, {"rowsPerBatch": "0"}, {"rowsPerBatch": "x"}, {"rowsPerBatch": "1", "startTimestamp": "-1"},
		{"rowsPerBatch": "1", "advanceMillisPerBatch": "-1"}, {"rowsPerBatch": "1", "numPartitions": "0"}} {
		if _, err := Providers()[0].Stream(t.Context(), sources.Config{Options: o}); base.CodeOf(err) != base.CodeInvalid {
			t.Errorf("%v: got %v", o, err)
		}
	}
}

func FuzzOffset(f *testing.F) {
	f.Add(`{"offset":20,"timestamp":2000}`)
	f.Add(`{"offset":20}`)
	f.Fuzz(func(t *testing.T, text string) {
		if o, err := decode(base.Offset(text)); err == nil && o.encode() != base.Offset(text) {
			t.Errorf("%s is %v", text, o)
		}
	})
}
