package noop

import (
	"testing"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/sinktest"
)

// The sink takes rows in every mode, and epochs again.
func TestTakesEverything(t *testing.T) {
	p := Providers()[0]
	s, err := p.Open(t.Context(), sinks.Config{Schema: sinktest.Schema()})
	if err != nil || p.Name != "noop" || !p.Volatile || s.Describe() != "NoopSink" {
		t.Fatalf("got %v, %v", s, err)
	}
	rec := sinktest.Record(0, 5)
	for _, kind := range []base.OutputMode{base.Append, base.Update, base.Complete} {
		mode := sinks.Mode{Kind: kind}
		if err := s.Write(t.Context(), 0, mode, rec); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := s.Commit(t.Context(), 0, mode, base.Digest{}); err != nil {
				t.Error(err)
			}
		}
	}
	rec.Release()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
