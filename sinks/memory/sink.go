package memory

import (
	"cmp"
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
)

// Sink is the result of one query. Write, Commit and Close are for the query's
// goroutine, everything else for any.
type Sink struct {
	schema *arrow.Schema
	// maxBytes bounds MemBytes; 0 is no bound.
	maxBytes int64

	pending      []arrow.RecordBatch
	pendingEpoch base.Epoch

	mu sync.Mutex
	// epoch and digest are of the last epoch that was committed; shown is the last one
	// that is part of the result.
	epoch, shown base.Epoch
	digest       base.Digest
	result       result
	// held says that a committed epoch becomes part of the result by Publish. Until then
	// waiting has its rows.
	held        bool
	waiting     []arrow.RecordBatch
	waitingMode sinks.Mode
}

var _ sinks.Sink = (*Sink)(nil)

// New returns an empty result with the columns of schema.
func New(schema *arrow.Schema) *Sink {
	return &Sink{schema: schema, epoch: base.NoEpoch, shown: base.NoEpoch, result: result{schema: schema}}
}

// Provider returns the provider "memory". It gives each new sink to publish,
// which makes it readable under the query's name; an error of publish is that of
// the opening. The option maxBytes ends a query whose result may take more bytes
// of memory; without it there is no bound.
func Provider(publish func(cfg sinks.Config, s *Sink) error) sinks.Provider {
	return sinks.Provider{Name: "memory", Options: []string{"maxBytes"}, Volatile: true, Open: func(_ context.Context, cfg sinks.Config) (sinks.Sink, error) {
		s := New(cfg.Schema)
		s.held = true
		var err error
		if s.maxBytes, err = cfg.Options.Int("maxBytes", 0); err != nil {
			return nil, err
		}
		if s.maxBytes < 0 {
			return nil, base.Errorf(base.CodeInvalid, "option maxBytes: %d is negative", s.maxBytes)
		}
		if cmp.Or(cfg.Query, cfg.QueryID) == cfg.QueryID {
			return nil, base.Errorf(base.CodeInvalid, "the sink memory needs a name for the query").
				WithHint("the result is a table of that name")
		}
		return s, publish(cfg, s)
	}}
}

// Write retains rec until Commit or Close.
func (s *Sink) Write(_ context.Context, epoch base.Epoch, _ sinks.Mode, rec arrow.RecordBatch) error {
	if epoch != s.pendingEpoch {
		s.forget()
		s.pendingEpoch = epoch
	}
	if rec.NumRows() > 0 {
		rec.Retain()
		s.pending = append(s.pending, rec)
	}
	return nil
}

// Commit makes the rows of epoch part of the result.
func (s *Sink) Commit(_ context.Context, epoch base.Epoch, mode sinks.Mode, digest base.Digest) error {
	if epoch != s.pendingEpoch {
		s.forget()
	}
	defer s.forget()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case epoch < s.epoch:
		return base.Errorf(base.CodeCorrupt, "epoch %d comes again after epoch %d was committed", epoch, s.epoch)
	case epoch == s.epoch && digest != s.digest:
		return base.Errorf(base.CodeCorrupt, "epoch %d was committed with digest %s and comes again with %s", epoch, s.digest, digest)
	case epoch == s.epoch:
		return nil
	}
	if err := s.fits(mode); err != nil {
		return base.Wrap(err, "epoch %d", epoch)
	}
	s.show() // should the one before not have been published
	s.waiting, s.waitingMode, s.pending = s.pending, mode, nil
	s.epoch, s.digest = epoch, digest
	if !s.held {
		s.show()
	}
	return nil
}

// Publish makes the last committed epoch part of the result, if the sink waits for
// that.
func (s *Sink) Publish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.show()
}

func (s *Sink) show() {
	if s.shown == s.epoch {
		return
	}
	if s.waitingMode.Kind == base.Complete {
		s.result.clear()
	}
	keys := s.waitingMode.Keys
	if s.waitingMode.Kind != base.Update {
		keys = nil
	}
	s.result.add(s.waiting, keys)
	releaseAll(s.waiting)
	s.waiting, s.shown = nil, s.epoch
}

// fits refuses an epoch that could take the result beyond maxBytes.
func (s *Sink) fits(mode sinks.Mode) error {
	if s.maxBytes == 0 {
		return nil
	}
	var need int64
	if mode.Kind != base.Complete {
		need = s.result.bytes()
	}
	for _, rec := range s.pending {
		need += recordBytes(rec)
	}
	if need <= s.maxBytes {
		return nil
	}
	return base.Errorf(base.CodeExhausted, "the result in memory would take up to %d bytes, more than the %d of the option maxBytes", need, s.maxBytes)
}

// Snapshot returns the result after the last committed epoch that was published:
// base.NoEpoch and nothing before the first. The caller releases the record batches;
// none is empty, and nobody writes to them.
func (s *Sink) Snapshot() (epoch base.Epoch, recs []arrow.RecordBatch) {
	v := s.Version()
	defer v.Release()
	recs = v.Rows()
	for _, rec := range recs {
		rec.Retain()
	}
	return v.epoch, recs
}

// Version returns the same, without the work. The caller releases it.
func (s *Sink) Version() *Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Version{s.shown, s.result.parts()}
}

// Schema returns the result's schema.
func (s *Sink) Schema() *arrow.Schema { return s.schema }

// MemBytes returns an upper bound of the bytes that the committed result takes.
func (s *Sink) MemBytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.result.bytes()
}

// Describe returns "MemorySink".
func (s *Sink) Describe() string { return "MemorySink" }

// Close forgets what was not committed. The result stays readable.
func (s *Sink) Close() error {
	s.forget()
	return nil
}

// Release drops the result, for when nothing names it any more. Snapshots that
// were taken stay valid.
func (s *Sink) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.clear()
	releaseAll(s.waiting)
	s.waiting = nil
}

func (s *Sink) forget() {
	releaseAll(s.pending)
	s.pending, s.pendingEpoch = nil, base.NoEpoch
}

// Replaced returns the rows of the result that rows of rec would replace: those
// with the same values in the columns keys. found says of each row of rec whether
// it has one. The caller releases the record batches.
func (s *Sink) Replaced(rec arrow.RecordBatch, keys []int) (old []arrow.RecordBatch, found []bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.result.replaced(rec, keys)
}
