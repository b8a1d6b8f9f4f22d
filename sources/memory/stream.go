package memory

import (
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/numbered"
)

// Stream is rows that a program adds. Any number of queries may read it, each
// through a Source of its own, at the same time.
type Stream struct {
	name string
	mu   sync.Mutex
	rows rows
	// wakes are the callbacks of Announce.
	wakes map[*func()]struct{}
}

// NewStream returns an empty stream. name is for its description.
func NewStream(name string, schema *arrow.Schema) *Stream {
	return &Stream{name: name, rows: newRows(schema), wakes: map[*func()]struct{}{}}
}

// Schema returns the schema of the rows.
func (s *Stream) Schema() *arrow.Schema { return s.rows.schema }

// Add puts the rows of rec behind those before and retains it. A record batch
// without rows moves the offset as well. The error says that rec has other
// columns. Rows stay until Release.
func (s *Stream) Add(rec arrow.RecordBatch) error {
	if err := s.rows.fits(rec); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows.add(rec)
	for wake := range s.wakes {
		(*wake)()
	}
	return nil
}

// Len returns the number of record batches that were added.
func (s *Stream) Len() int64 { return int64(len(s.view().recs)) }

// Release lets go of all rows. No source of the stream may be read afterwards.
func (s *Stream) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows.release()
}

// view returns the rows as they are now; it does not change with the stream.
func (s *Stream) view() rows {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows
}

// Open returns a source of its own for one query.
func (s *Stream) Open() *Source { return &Source{stream: s, frozen: -1} }

// Provider returns a provider of the stream's sources under the stream's name.
// It takes no options.
func (s *Stream) Provider() sources.Provider {
	return sources.Provider{Name: s.name, Stream: func(_ context.Context, cfg sources.Config) (sources.Source, error) {
		if err := numbered.CheckSchema(s.name, cfg.Schema, s.Schema()); err != nil {
			return nil, err
		}
		return s.Open(), nil
	}}
}

// Source is one query's view of a Stream.
type Source struct {
	stream *Stream
	frozen int64 // the end that Freeze fixed, or -1
}

var (
	_ sources.Source    = (*Source)(nil)
	_ sources.Freezer   = (*Source)(nil)
	_ sources.Announcer = (*Source)(nil)
)

// Schema returns the schema of the rows.
func (s *Source) Schema() *arrow.Schema { return s.stream.Schema() }

// Initial returns 0: a query reads everything that was ever added.
func (s *Source) Initial(context.Context) (base.Offset, error) { return numbered.Offset(0), nil }

// Latest returns the number of record batches added so far. There are no limits.
func (s *Source) Latest(_ context.Context, from base.Offset, _ sources.Limit) (base.Offset, error) {
	at, err := numbered.ParseOffset(from, s.Describe())
	if err != nil {
		return "", err
	}
	end := s.stream.Len()
	if at > end {
		return "", s.beyond(at, end)
	}
	if s.frozen >= 0 {
		end = max(at, s.frozen)
	}
	if end == at {
		return from, nil
	}
	return numbered.Offset(end), nil
}

// Freeze fixes the end at the record batches added so far.
func (s *Source) Freeze(context.Context, base.Offset) error {
	s.frozen = s.stream.Len()
	return nil
}

// Announce calls wake within each Add.
func (s *Source) Announce(wake func()) (stop func()) {
	t := s.stream
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wakes[&wake] = struct{}{}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.wakes, &wake)
	}
}

// Read cuts the range into splits of numbered.LargeSplitRows rows.
func (s *Source) Read(_ context.Context, from, to base.Offset, scan sources.Scan) ([]sources.Split, error) {
	lo, hi, err := numbered.ParseRange(from, to, s.Describe())
	if err != nil {
		return nil, err
	}
	rows := s.stream.view()
	if n := int64(len(rows.recs)); hi > n {
		return nil, s.beyond(hi, n)
	}
	return rows.splits(s.stream.name, lo, hi, scan), nil
}

// beyond is the error of an offset that this process has never reached.
func (s *Source) beyond(at, end int64) error {
	return base.Errorf(base.CodeCorrupt, "the offset %d is beyond the %d record batches of %s", at, end, s.Describe()).
		WithHint("rows in memory end with the process: start the query with a new checkpoint")
}

// Commit does nothing: other queries may read the rows, and a later start.
func (s *Source) Commit(context.Context, base.Offset) error { return nil }

// Describe returns "MemoryStream[name]".
func (s *Source) Describe() string { return "MemoryStream[" + s.stream.name + "]" }

// Close leaves the stream and its rows as they are.
func (s *Source) Close() error { return nil }
