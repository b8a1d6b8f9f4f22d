package state

import (
	"fmt"
	"io"
	"sort"

	"github.com/klauspost/compress/zstd"

	"github.com/flightd/flightd/internal/base"
)

// An ID names a table of a query: the number of its operator, and the table's
// name within it.
type ID struct {
	Operator int    `json:"operator"`
	Name     string `json:"name"`
}

// DefaultName is the name of an operator's only table.
const DefaultName = "default"

// String returns "operator 0, store default".
func (id ID) String() string { return fmt.Sprintf("operator %d, store %s", id.Operator, id.Name) }

// Config is what a store is opened with. All of it is pinned in the checkpoint
// of a query.
type Config struct {
	// Seed is drawn once per query.
	Seed uint64
	// SubTables is a power of two from 1 to 256; 0 means 64. It may change
	// between a snapshot and its restore.
	SubTables int
	// Workers is how many goroutines may encode an epoch; 0 means one.
	Workers int
}

// DefaultSubTables is the number of sub-tables where none is asked for.
const DefaultSubTables = 64

// A Store is all the state of one query: named tables that move from epoch to
// epoch together. No provider makes anything durable by itself: Commit and Pin
// hand out bytes that the ledger keeps. A Store is used by one goroutine, but
// for the encoding of a Pinned.
type Store interface {
	// Table returns the table that id names, and makes it at first. Another
	// schema than the one that exists or was restored is a MismatchError.
	Table(id ID, schema Schema) (*Sharded, error)
	// Tables returns all tables, by operator and name.
	Tables() []*Sharded
	// Commit ends epoch and returns its changes: what Apply takes. They are the
	// same bytes whenever the epoch does the same.
	Commit(epoch base.Epoch) ([]byte, error)
	// Apply brings the store from the epoch before to epoch. Tables that nobody
	// has asked for yet are made as they were.
	Apply(epoch base.Epoch, changes []byte) error
	// Pin keeps the state as the last Commit left it, to be written as a snapshot
	// while later epochs run.
	Pin() *Pinned
	// View keeps the state as the last Commit left it, for readers beside the epochs
	// that follow, within b's bound.
	View(b *Budget) *View
	// Rest says that no table changes before over has returned; see MemoryStore.
	Rest(over func())
	// Restore puts the store, which is new or rolled back, into the state of a
	// snapshot, and returns the snapshot's epoch.
	Restore(r io.Reader) (base.Epoch, error)
	// Rollback drops everything, the tables that Table returned too: they are to
	// be asked for again after Restore and Apply.
	Rollback()
	// Epoch is the last one that was committed, applied or restored.
	Epoch() base.Epoch
	MemBytes() int64
}

// A Provider makes stores.
type Provider struct {
	Name string
	Open func(Config) (Store, error)
}

// Memory returns the provider that keeps all state in memory.
func Memory() Provider {
	return Provider{Name: "memory", Open: func(cfg Config) (Store, error) { return NewMemory(cfg) }}
}

// A MismatchError says that stored state has other columns than the query wants.
type MismatchError struct {
	ID ID
	// Keys is true if the key columns differ, false if only the values do.
	Keys           bool
	Stored, Wanted Schema
}

// Error names the table and both schemas.
func (e *MismatchError) Error() string {
	part, stored, wanted := "value", e.Stored.Values, e.Wanted.Values
	if e.Keys && e.Stored.Many != e.Wanted.Many {
		rows := map[bool]string{false: "one row", true: "several rows"}
		return fmt.Sprintf("state of %s has %s a key, the query wants %s", e.ID, rows[e.Stored.Many], rows[e.Wanted.Many])
	}
	if e.Keys {
		part, stored, wanted = "key", e.Stored.Keys, e.Wanted.Keys
	}
	return fmt.Sprintf("state of %s has %s columns (%s), the query wants (%s)", e.ID, part, fieldsString(stored), fieldsString(wanted))
}

// Unwrap gives the error the code Invalid.
func (e *MismatchError) Unwrap() error { return base.Errorf(base.CodeInvalid, "state schema mismatch") }

// MemoryStore is the store of provider memory.
type MemoryStore struct {
	cfg    Config
	tables []*Sharded
	epoch  base.Epoch
	enc    *zstd.Encoder
	rest   rest
}

var _ Store = (*MemoryStore)(nil)

// NewMemory returns an empty store.
func NewMemory(cfg Config) (*MemoryStore, error) {
	if cfg.SubTables == 0 {
		cfg.SubTables = DefaultSubTables
	}
	if n := cfg.SubTables; n < 1 || n > 256 || n&(n-1) != 0 {
		return nil, base.Errorf(base.CodeInvalid, "opening state: %d sub-tables, want a power of two up to 256", n)
	}
	enc, err := newEncoder(cfg.Workers)
	if err != nil {
		return nil, base.Errorf(base.CodeInternal, "opening state").Because(err)
	}
	return &MemoryStore{cfg: cfg, epoch: base.NoEpoch, enc: enc}, nil
}

// Table returns the table that id names, and makes it at first.
func (m *MemoryStore) Table(id ID, schema Schema) (*Sharded, error) {
	for _, s := range m.tables {
		if s.id != id {
			continue
		}
		keys, values := s.schema.Equal(schema)
		if !keys || !values {
			return nil, &MismatchError{ID: id, Keys: !keys, Stored: s.schema, Wanted: schema}
		}
		s.setTime(schema.Time)
		return s, nil
	}
	m.rest.end()
	s := newSharded(id, schema, m.cfg.Seed, m.cfg.SubTables)
	s.rest = &m.rest
	m.tables = append(m.tables, s)
	sort.Slice(m.tables, func(i, j int) bool {
		a, b := m.tables[i].id, m.tables[j].id
		return a.Operator < b.Operator || a.Operator == b.Operator && a.Name < b.Name
	})
	return s, nil
}

// Tables returns all tables, by operator and name.
func (m *MemoryStore) Tables() []*Sharded { return m.tables }

// Epoch is the last one that was committed, applied or restored.
func (m *MemoryStore) Epoch() base.Epoch { return m.epoch }

// Rollback drops everything.
func (m *MemoryStore) Rollback() { m.tables, m.epoch = nil, base.NoEpoch }

// MemBytes returns the memory of all tables.
func (m *MemoryStore) MemBytes() int64 {
	var sum int64
	for _, s := range m.tables {
		sum += s.MemBytes()
	}
	return sum
}

// Commit ends epoch and returns its changes.
func (m *MemoryStore) Commit(epoch base.Epoch) ([]byte, error) {
	if m.epoch != base.NoEpoch && epoch != m.epoch+1 {
		return nil, base.Errorf(base.CodeInternal, "committing state of epoch %d: the last one is %d", epoch, m.epoch)
	}
	m.rest.end()
	changes, err := encodeChanges(m.enc, epoch, m.tables, m.cfg.Workers)
	if err != nil {
		return nil, base.Wrap(err, "committing state of epoch %d", epoch)
	}
	for _, s := range m.tables {
		s.endEpoch(m.cfg.Workers)
	}
	m.epoch = epoch
	return changes, nil
}

// Apply brings the store from the epoch before to epoch.
func (m *MemoryStore) Apply(epoch base.Epoch, changes []byte) error {
	if m.epoch != base.NoEpoch && epoch != m.epoch+1 {
		return base.Errorf(base.CodeCorrupt, "applying state changes of epoch %d: the last one is %d", epoch, m.epoch)
	}
	if err := m.replay(newSliceReader(changes), kindChanges, epoch); err != nil {
		return base.Wrap(err, "applying state changes of epoch %d", epoch)
	}
	m.epoch = epoch
	return nil
}

// Restore puts the store, which is new or rolled back, into a snapshot's state.
func (m *MemoryStore) Restore(r io.Reader) (base.Epoch, error) {
	if m.epoch != base.NoEpoch {
		return m.epoch, base.Errorf(base.CodeInternal, "restoring state: the store is at epoch %d already", m.epoch)
	}
	d := &frameReader{r: r}
	h, err := d.header(kindSnapshot)
	if err == nil {
		err = m.replayFrames(d, h)
	}
	if err != nil {
		m.Rollback()
		return base.NoEpoch, base.Wrap(err, "restoring state")
	}
	m.epoch = h.Epoch
	return h.Epoch, nil
}
