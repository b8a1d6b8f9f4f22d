package streamtest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/sinks"
)

// store is what a sink has committed.
type store struct {
	mu      sync.Mutex
	epochs  []committed
	printed int
	repeats int
}

type committed struct {
	epoch  base.Epoch
	digest base.Digest
	rows   []string
}

type sink struct {
	store *store
	epoch base.Epoch
	rows  []string
}

var _ sinks.Sink = (*sink)(nil)

var utc = kernels.NewZone(time.UTC)

// Write keeps the rows as text.
func (s *sink) Write(_ context.Context, epoch base.Epoch, _ sinks.Mode, rec arrow.RecordBatch) error {
	if epoch != s.epoch {
		s.epoch, s.rows = epoch, nil
	}
	s.rows = append(s.rows, rowLines(rec)...)
	return nil
}

// rowLines returns the rows of rec as text.
func rowLines(rec arrow.RecordBatch) []string {
	lines := make([]string, rec.NumRows())
	for i := range lines {
		cells := make([]string, rec.NumCols())
		for c := range cells {
			text, ok := arrowtext.Value(rec.Column(c), i, utc)
			if !ok {
				text = "NULL"
			}
			cells[c] = text
		}
		lines[i] = strings.Join(cells, ", ")
	}
	return lines
}

// Commit keeps an epoch once; another content for a known epoch is corruption.
func (s *sink) Commit(_ context.Context, epoch base.Epoch, _ sinks.Mode, digest base.Digest) error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	rows := s.rows
	if epoch != s.epoch {
		rows = nil
	}
	s.rows = nil
	for _, c := range s.store.epochs {
		if c.epoch != epoch {
			continue
		}
		s.store.repeats++
		if c.digest != digest {
			return base.Errorf(base.CodeCorrupt, "epoch %d was committed with digest %s and comes again with %s", epoch, c.digest, digest)
		}
		return nil
	}
	s.store.epochs = append(s.store.epochs, committed{epoch, digest, rows})
	return nil
}

// Describe names the sink.
func (s *sink) Describe() string { return "ScriptSink" }

// Close forgets what was not committed.
func (s *sink) Close() error { return nil }

// unseen returns the epochs that it has not returned yet.
func (s *store) unseen() []committed {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := append([]committed(nil), s.epochs[s.printed:]...)
	s.printed = len(s.epochs)
	return out
}

// repeated is how often a committed epoch came again.
func (s *store) repeated() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.repeats
}

func (s *store) String() string {
	var b strings.Builder
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.epochs {
		fmt.Fprintf(&b, "epoch %d\n", c.epoch)
		for _, r := range c.rows {
			fmt.Fprintf(&b, "  %s\n", r)
		}
	}
	return b.String()
}
