package stream

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/layout"
	"github.com/flightd/flightd/internal/rowlog"
	"github.com/flightd/flightd/sinks"
)

// Sink writes one writer's epochs into a stream table. It is for one goroutine.
type Sink struct {
	log      *rowlog.Log
	producer string // "" for a batch statement
	epoch    base.Epoch
	rows     *rowlog.Statement // of epoch; nil without
}

var _ sinks.Sink = (*Sink)(nil)

// Open opens the table of log, whose types cfg.Schema must have, by position.
func Open(log *rowlog.Log, cfg sinks.Config) (*Sink, error) {
	switch cfg.OutputMode {
	case base.Update:
		return nil, base.UserError("STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE", "42KDE", "Data source flight does not support update output mode.").
			WithHint("use append with a watermark: rows of a stream table are never changed")
	case base.Complete:
		return nil, base.UserError("STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE", "42KDE", "Data source flight does not replace rows: table %s only takes more of them.", log.Name()).
			WithHint("use append, or a table under the data folder (CREATE TABLE without USING)")
	}
	if err := sameTypes(log, cfg.Schema); err != nil {
		return nil, err
	}
	s := &Sink{log: log, epoch: base.NoEpoch}
	if !cfg.Batch {
		s.producer = "query:" + cfg.QueryID
	}
	return s, nil
}

func sameTypes(log *rowlog.Log, rows *arrow.Schema) error {
	table := log.Schema()
	if table.NumFields() != rows.NumFields() {
		return base.Errorf(base.CodeInvalid, "table %s has %d columns, the rows have %d", log.Name(), table.NumFields(), rows.NumFields())
	}
	for i, f := range table.Fields() {
		if g := rows.Field(i); !layout.Same(f.Type, g.Type) {
			return base.Errorf(base.CodeInvalid, "column %s of table %s is of type %s, the rows have %s", f.Name, log.Name(), f.Type, g.Type)
		}
	}
	return nil
}

// Describe returns FlightTable[t].
func (s *Sink) Describe() string { return "FlightTable[" + s.log.Name() + "]" }

// Write keeps rows until Commit, on disk if they are many.
func (s *Sink) Write(_ context.Context, epoch base.Epoch, _ sinks.Mode, rec arrow.RecordBatch) error {
	s.begin(epoch)
	if rec.NumRows() == 0 {
		return nil
	}
	if err := layout.CheckNulls(s.log.Name(), s.log.Schema(), rec); err != nil {
		return err
	}
	p, err := Encode(s.log, rec)
	if err != nil {
		return base.Wrap(err, "writing epoch %d to %s", epoch, s.Describe())
	}
	if s.rows == nil {
		s.rows = s.log.Begin()
	}
	return s.rows.Add(p)
}

// Encode returns rows, whose types are the table's by position, as a part.
func Encode(log *rowlog.Log, rec arrow.RecordBatch) (rowlog.Part, error) {
	named := layout.Record(rec, log.Schema())
	defer named.Release()
	return rowlog.Encode(named)
}

func (s *Sink) begin(epoch base.Epoch) {
	if s.epoch != epoch {
		s.drop()
		s.epoch = epoch
	}
}

func (s *Sink) drop() {
	if s.rows != nil {
		s.rows.Abort()
	}
	s.rows, s.epoch = nil, base.NoEpoch
}

// Commit makes the epoch part of the table.
func (s *Sink) Commit(ctx context.Context, epoch base.Epoch, _ sinks.Mode, digest base.Digest) error {
	s.begin(epoch)
	defer s.drop()
	origin := rowlog.Origin{Producer: s.producer, Seq: int64(epoch), Sparse: true, Digest: &digest}
	if s.producer != "" {
		if known, err := s.known(epoch, digest); known || err != nil {
			return err
		}
	} else {
		origin.Digest = nil
	}
	if s.rows == nil {
		s.rows = s.log.Begin()
	}
	_, _, err := s.rows.Commit(ctx, origin)
	return base.Wrap(err, "committing epoch %d to %s", epoch, s.Describe())
}

// known reports whether the epoch is in the table; with another digest it is an error.
func (s *Sink) known(epoch base.Epoch, digest base.Digest) (bool, error) {
	last := s.log.Producer(s.producer)
	switch {
	case last.Seq < int64(epoch):
		return false, nil
	case last.Seq > int64(epoch):
		return false, base.Errorf(base.CodeCorrupt, "epoch %d was committed to %s before epoch %d, but its digest is not known any more", epoch, s.Describe(), last.Seq)
	case last.Digest == nil || *last.Digest != digest:
		return false, base.Errorf(base.CodeCorrupt, "the replay of epoch %d gives other rows (digest %s) than %s has committed (%v)", epoch, digest, s.Describe(), last.Digest)
	}
	return true, nil
}

// Close forgets what was not committed.
func (s *Sink) Close() error {
	s.drop()
	return nil
}
