package console

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
)

// defaultTruncate is the longest cell with truncate=true.
const defaultTruncate = 20

const rule = "-------------------------------------------\n"

// terminal is what the consoles of a process share: where they print, and what
// each query printed last.
type terminal struct {
	mu      sync.Mutex
	out     io.Writer
	printed map[string]printed // by query id
}

type printed struct {
	epoch  base.Epoch
	digest base.Digest
}

// Providers returns the provider console, which prints to w. Its options are
// numRows, the most rows of an epoch that are shown (20), and truncate, whether
// cells are cut to 20 characters (true).
func Providers(w io.Writer) []sinks.Provider {
	term := &terminal{out: w, printed: map[string]printed{}}
	return []sinks.Provider{{Name: "console", Options: []string{"numRows", "truncate"}, Volatile: true, Open: func(_ context.Context, cfg sinks.Config) (sinks.Sink, error) {
		return open(term, cfg)
	}}}
}

// Sink is the console of one query.
type Sink struct {
	term     *terminal
	cfg      sinks.Config
	numRows  int
	truncate int

	epoch base.Epoch // of the rows below
	recs  []arrow.RecordBatch
	kept  int   // rows of recs
	rows  int64 // rows that were written
}

var _ sinks.Sink = (*Sink)(nil)

func open(term *terminal, cfg sinks.Config) (sinks.Sink, error) {
	n, err := cfg.Options.Int("numRows", 20)
	if err != nil {
		return nil, err
	}
	if n < 0 || n > 1<<30 {
		return nil, base.Errorf(base.CodeInvalid, "option numRows: %d is not a number of rows", n)
	}
	truncate, err := cfg.Options.Bool("truncate", true)
	if err != nil {
		return nil, err
	}
	s := &Sink{term: term, cfg: cfg, numRows: int(n)}
	if truncate {
		s.truncate = defaultTruncate
	}
	return s, nil
}

// Write keeps the rows that will be shown and counts the others.
func (s *Sink) Write(_ context.Context, epoch base.Epoch, _ sinks.Mode, rec arrow.RecordBatch) error {
	if epoch != s.epoch {
		s.forget()
		s.epoch = epoch
	}
	s.rows += rec.NumRows()
	if n := min(s.numRows-s.kept, int(rec.NumRows())); n > 0 {
		s.recs = append(s.recs, rec.NewSlice(0, int64(n)))
		s.kept += n
	}
	return nil
}

// Commit prints the epoch, unless it was printed before.
func (s *Sink) Commit(_ context.Context, epoch base.Epoch, _ sinks.Mode, digest base.Digest) error {
	if epoch != s.epoch {
		s.forget()
	}
	defer s.forget()
	s.term.mu.Lock()
	defer s.term.mu.Unlock()
	if last, ok := s.term.printed[s.cfg.QueryID]; ok && last.epoch == epoch && !s.cfg.Batch {
		if last.digest == digest {
			return nil
		}
		return base.Errorf(base.CodeCorrupt, "epoch %d was printed with digest %s and comes again with %s", epoch, last.digest, digest)
	}
	var text []byte
	if !s.cfg.Batch {
		text = fmt.Appendf(text, "%sBatch: %d\n%s", rule, epoch, rule)
	}
	text = AppendTable(text, s.cfg.Schema, s.recs, s.numRows, s.truncate, s.rows > int64(s.kept))
	if _, err := s.term.out.Write(append(text, '\n')); err != nil {
		return base.Errorf(base.CodeUnavailable, "printing epoch %d", epoch).Because(err)
	}
	if !s.cfg.Batch {
		s.term.printed[s.cfg.QueryID] = printed{epoch, digest}
	}
	return nil
}

// Describe returns "ConsoleWriter[numRows=n, truncate=b]".
func (s *Sink) Describe() string {
	return fmt.Sprintf("ConsoleWriter[numRows=%d, truncate=%t]", s.numRows, s.truncate > 0)
}

// Close forgets what was not committed.
func (s *Sink) Close() error {
	s.forget()
	return nil
}

func (s *Sink) forget() {
	for _, rec := range s.recs {
		rec.Release()
	}
	s.recs, s.kept, s.rows, s.epoch = nil, 0, 0, base.NoEpoch
}
