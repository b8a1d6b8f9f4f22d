package checkpoint

import (
	"encoding/json"

	"github.com/flightd/flightd/internal/base"
)

// Meta says which query the ledger belongs to, and what of it can never change
// or was pinned when it began.
type Meta struct {
	// QueryID is the query's UUID. It and HashSeed never change.
	QueryID   string `json:"queryId"`
	CreatedMs int64  `json:"createdMs"`
	HashSeed  uint64 `json:"hashSeed"`
	// Conf are the settings whose first value wins over later ones.
	Conf map[string]string `json:"conf,omitempty"`
	// Fingerprint identifies the plan as far as it may not change.
	Fingerprint string `json:"fingerprint"`
	// Operators are the stateful ones, by number.
	Operators []Operator `json:"operators,omitempty"`
	// Sources describe the sources, in the order of a plan's offsets.
	Sources []string `json:"sources,omitempty"`
	// Initial is where each source began, resolved before the first epoch.
	Initial []base.Offset `json:"initial,omitempty"`
	// First is the number of the first epoch: 0, unless the query goes on with one that
	// is gone.
	First base.Epoch `json:"first,omitempty"`
	// SubTables is the number of state's sub-tables.
	SubTables int `json:"subTables"`
	// Extra is the engine's own; it is kept as it is.
	Extra json.RawMessage `json:"extra,omitempty"`
}

// Operator is a stateful operator as the ledger knows it.
type Operator struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// Plan is the intent of an epoch: everything that decides its output.
type Plan struct {
	Epoch base.Epoch `json:"epoch"`
	// From and To are each source's range, in the order of Meta.Sources. An empty
	// offset is "before anything".
	From []base.Offset `json:"from"`
	To   []base.Offset `json:"to"`
	// WatermarkMs decides what is evicted, LateWatermarkMs which rows are late.
	WatermarkMs     int64 `json:"watermarkMs"`
	LateWatermarkMs int64 `json:"lateWatermarkMs"`
	// Operators are the watermarks of each operator, as the engine writes them.
	Operators json.RawMessage `json:"operators,omitempty"`
	// ClockMs is what now() is in this epoch.
	ClockMs int64             `json:"clockMs"`
	Conf    map[string]string `json:"conf,omitempty"`
	// StaticPins name what each static input was, by table.
	StaticPins map[string]string `json:"staticPins,omitempty"`
	// Splits pin split boundaries and batch cuts, as the engine writes them.
	Splits json.RawMessage `json:"splits,omitempty"`
}

// SinkDigest is the digest of an epoch's rows in one sink.
type SinkDigest struct {
	Sink   string
	Digest base.Digest
}

// Done says that an epoch is finished: its sinks have committed.
type Done struct {
	Epoch           base.Epoch
	NextWatermarkMs int64
	Digests         []SinkDigest
	// Changes is the state's changelog of the epoch; nil if the query has none.
	// It is not set in what is recovered: see Ledger.ReadChanges.
	Changes []byte
	// Extra is the engine's own; it is kept as it is.
	Extra json.RawMessage

	ref *BlobRef
}

// doneJSON is Done on disk. Small changes follow it as bytes; large ones are in
// the file that it names.
type doneJSON struct {
	Epoch           base.Epoch      `json:"epoch"`
	NextWatermarkMs int64           `json:"nextWatermarkMs"`
	Digests         [][2]string     `json:"digests,omitempty"`
	HasChanges      bool            `json:"hasChanges,omitempty"`
	File            *BlobRef        `json:"file,omitempty"`
	Extra           json.RawMessage `json:"extra,omitempty"`
}

// BlobRef names a file of its own and what it must contain.
type BlobRef struct {
	Name string `json:"name"`
	Len  int64  `json:"len"`
	CRC  uint32 `json:"crc"`
}

// Snapshot names a snapshot of the state after an epoch.
type Snapshot struct {
	Epoch base.Epoch `json:"epoch"`
	File  BlobRef    `json:"file"`
	// Keep is how many snapshots were kept when it was written, with it.
	Keep int `json:"keep"`
}

// Folds are the offsets of all plans up to an epoch, folded by the engine, one
// opaque text per source; nil for a source that needs none.
type Folds struct {
	Epoch   base.Epoch
	Sources [][]byte
}

// foldsJSON is Folds on disk: the texts follow as bytes, or are in the file.
type foldsJSON struct {
	Epoch base.Epoch `json:"epoch"`
	// Lens are the lengths of the texts, -1 for nil.
	Lens []int    `json:"lens"`
	File *BlobRef `json:"file,omitempty"`
}

// opening begins every segment: what the segments before it come to, so that
// they may be removed.
type opening struct {
	Segment   int        `json:"segment"`
	Meta      *Meta      `json:"meta"`
	LastPlan  *Plan      `json:"lastPlan,omitempty"`
	LastDone  *doneJSON  `json:"lastDone,omitempty"`
	Snapshots []Snapshot `json:"snapshots,omitempty"`
	// Folds has its texts in a file, or behind the record.
	Folds *foldsJSON `json:"folds,omitempty"`
}

// recordType is what a record is.
type recordType uint8

const (
	recordOpening recordType = iota + 1
	recordMeta
	recordPlan
	recordDone
	recordSnapshot
	recordFolds
)

var recordNames = [...]string{"?", "opening", "meta", "plan", "done", "snapshot", "folds"}

// String returns the type's name.
func (t recordType) String() string {
	if int(t) < len(recordNames) {
		return recordNames[t]
	}
	return "?"
}

// record is one record, in the form that is on disk.
type record struct {
	typ recordType
	// json is the record; blob are bytes that belong to it.
	json []byte
	blob []byte
}

func newRecord(typ recordType, v any, blob []byte) (record, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return record{}, base.Errorf(base.CodeInvalid, "encoding %s record", typ).Because(err)
	}
	return record{typ: typ, json: b, blob: blob}, nil
}

func (d *Done) onDisk() doneJSON {
	out := doneJSON{Epoch: d.Epoch, NextWatermarkMs: d.NextWatermarkMs, HasChanges: d.Changes != nil || d.ref != nil, File: d.ref, Extra: d.Extra}
	for _, s := range d.Digests {
		out.Digests = append(out.Digests, [2]string{s.Sink, s.Digest.String()})
	}
	return out
}

func (d *doneJSON) done() (*Done, error) {
	out := &Done{Epoch: d.Epoch, NextWatermarkMs: d.NextWatermarkMs, Extra: d.Extra, ref: d.File}
	for _, s := range d.Digests {
		digest, err := base.ParseDigest(s[1])
		if err != nil {
			return nil, err
		}
		out.Digests = append(out.Digests, SinkDigest{Sink: s[0], Digest: digest})
	}
	return out, nil
}

// split cuts blob into the texts of the folds.
func (f *foldsJSON) split(blob []byte) (*Folds, error) {
	out := &Folds{Epoch: f.Epoch}
	for i, n := range f.Lens {
		if n < 0 {
			out.Sources = append(out.Sources, nil)
			continue
		}
		if n > len(blob) {
			return nil, base.Errorf(base.CodeCorrupt, "folds of epoch %d: source %d has %d bytes of %d", f.Epoch, i, n, len(blob))
		}
		out.Sources = append(out.Sources, blob[:n:n])
		blob = blob[n:]
	}
	if len(blob) != 0 {
		return nil, base.Errorf(base.CodeCorrupt, "folds of epoch %d: %d bytes too many", f.Epoch, len(blob))
	}
	return out, nil
}

func (f *Folds) onDisk() (foldsJSON, []byte) {
	out, blob := foldsJSON{Epoch: f.Epoch, Lens: []int{}}, []byte(nil)
	for _, s := range f.Sources {
		if s == nil {
			out.Lens = append(out.Lens, -1)
			continue
		}
		out.Lens = append(out.Lens, len(s))
		blob = append(blob, s...)
	}
	return out, blob
}
