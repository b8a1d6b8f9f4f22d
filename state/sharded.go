package state

import (
	"sync"
	"sync/atomic"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/invariants"
)

// A Ref names a row of a Sharded: the sub-table and the row in it. It is good
// until the epoch ends.
type Ref struct{ Sub, Row int32 }

// A Sharded is a kept table that is split into sub-tables by the hash of the key.
// How many there are changes nothing that can be seen: Changed, Scan, row
// numbers and changelogs are the same for any number.
//
// A Sharded is used by one goroutine at a time, but different sub-tables of the
// parts of one Partition may be worked on at the same time.
type Sharded struct {
	id     ID
	schema Schema
	seed   uint64
	layout *layout
	subs   []*Table
	// next is the ordinal of the next input row. It counts for ever: row numbers
	// are ordinals.
	next int64
	part Partition
	rows []int32
	// weak makes the hashes of long texts collide; for tests.
	weak bool
	// expired is up to where Expire has removed rows in this epoch.
	expired *int64
	// rest is the store's; nil without one.
	rest *rest
}

func newSharded(id ID, schema Schema, seed uint64, subs int) *Sharded {
	s := &Sharded{id: id, schema: schema, seed: seed, layout: newLayout(schema.Keys)}
	for i := range subs {
		t := newTable(schema, s.layout, seed, true)
		t.slack += i % slacks
		s.subs = append(s.subs, t)
	}
	return s
}

// ID returns the table's operator and name.
func (s *Sharded) ID() ID { return s.id }

// Schema returns the table's schema. Its slices must not be written.
func (s *Sharded) Schema() Schema { return s.schema }

// NewKeys returns an empty Keys for this table.
func (s *Sharded) NewKeys() *Keys {
	k := NewKeys(s.schema.Keys, s.seed)
	k.weak = s.weak
	return k
}

// Subs returns the number of sub-tables.
func (s *Sharded) Subs() int { return len(s.subs) }

// Sub returns a sub-table: for its value columns and for reading.
func (s *Sharded) Sub(i int) *Table { return s.subs[i] }

// Len returns the number of rows: of keys, where a key has one row.
func (s *Sharded) Len() int {
	n := 0
	for _, t := range s.subs {
		n += t.Len()
	}
	return n
}

// ChangedLen returns how many rows were touched in this epoch and are there.
func (s *Sharded) ChangedLen() int {
	n := 0
	for _, t := range s.subs {
		n += len(t.Changed())
	}
	return n
}

// RemovedLen returns how many rows were removed in this epoch.
func (s *Sharded) RemovedLen() int {
	n := 0
	for _, t := range s.subs {
		n += t.removals
	}
	return n
}

// MemBytes returns the memory that the table holds.
func (s *Sharded) MemBytes() int64 {
	sum := memOf(s.part.rows) + memOf(s.rows)
	for _, t := range s.subs {
		sum += t.MemBytes()
	}
	return sum
}

// A Partition is a batch of keys, split by sub-table.
type Partition struct {
	rows  []int32
	ends  []int32
	first int64
}

// Sub returns the rows of the batch that belong to sub-table i, ascending.
func (p *Partition) Sub(i int) []int32 {
	from := int32(0)
	if i > 0 {
		from = p.ends[i-1]
	}
	return p.rows[from:p.ends[i]]
}

// Partition splits the rows of sel (nil: all of k) by sub-table and gives them
// their ordinals: it begins the one upsert of this batch. The result is good
// until the next call.
func (s *Sharded) Partition(k *Keys, sel []int32) *Partition {
	s.rest.end()
	p := &s.part
	s.split(k, k.rows(sel))
	p.first = s.next
	s.next += int64(k.n)
	return p
}

func (s *Sharded) split(k *Keys, sel []int32) {
	s.part.rows, s.part.ends = k.Split(sel, len(s.subs), s.part.rows, s.part.ends)
}

// UpsertSub upserts the part of a batch that belongs to sub-table i; rows[j]
// receives the row of key p.Sub(i)[j]. Calls for different i may run at the same
// time.
func (s *Sharded) UpsertSub(p *Partition, i int, k *Keys, rows []int32) error {
	return s.subs[i].upsert(k, p.Sub(i), rows, p.first, nil)
}

// InsertSub inserts the part of a batch that belongs to sub-table i, as UpsertSub
// upserts it.
func (s *Sharded) InsertSub(p *Partition, i int, k *Keys, rows []int32) error {
	return s.subs[i].insert(k, p.Sub(i), rows, p.first, nil)
}

// Begin reserves n ordinals for an upsert whose keys are split by sub-table
// already, and returns the first of them.
func (s *Sharded) Begin(n int64) int64 {
	s.rest.end()
	first := s.next
	s.next += n
	return first
}

// UpsertPart upserts the keys of sel (nil: all of k), which all belong to
// sub-table i; their ordinals are first and what Keys.Number says. Calls for
// different i may run at the same time.
func (s *Sharded) UpsertPart(i int, k *Keys, sel, rows []int32, first int64) error {
	return s.subs[i].upsert(k, k.rows(sel), rows, first, nil)
}

// InsertPart inserts the keys of sel (nil: all of k), which all belong to sub-table i,
// as UpsertPart upserts them.
func (s *Sharded) InsertPart(i int, k *Keys, sel, rows []int32, first int64) error {
	return s.subs[i].insert(k, k.rows(sel), rows, first, nil)
}

// TouchPart marks rows of sub-table i as changed, as Touch does. ordinals say in which
// order, as those of InsertPart do. Calls for different i may run at the same time.
func (s *Sharded) TouchPart(i int, rows []int32, ordinals []int64) error {
	s.rest.end()
	t := s.subs[i]
	t.keep(rows)
	for j, r := range rows {
		if !t.alive(r) {
			return invariants.AssertionFailedf("touching row %d of sub-table %d, which is removed", r, i)
		}
		t.touchOne(r, ordinals[j])
	}
	return nil
}

// AddPart is UpsertPart that leaves the rows that are there alone, as Table.Add
// does, which says what made is.
func (s *Sharded) AddPart(i int, k *Keys, sel, rows []int32, first int64) (made []int32, err error) {
	return s.subs[i].add(k, k.rows(sel), rows, first)
}

// Upsert finds or adds the rows of the keys of sel (nil: all of k), sub-table by
// sub-table, and calls f with each sub-table that has some: rows[j] is the row of
// key sel[j]. What f may write is what Table.Upsert says; its slices are good
// until it returns.
func (s *Sharded) Upsert(k *Keys, sel []int32, f func(t *Table, sel, rows []int32) error) error {
	p := s.Partition(k, sel)
	s.rows = sized(s.rows, len(p.rows))
	for i, t := range s.subs {
		part := p.Sub(i)
		if len(part) == 0 {
			continue
		}
		rows := s.rows[:len(part)]
		if err := t.upsert(k, part, rows, p.first, nil); err != nil {
			return err
		}
		if err := f(t, part, rows); err != nil {
			return err
		}
	}
	return nil
}

// Find finds the rows of the keys of sel (nil: all of k): refs[i] is that of key
// sel[i], the newest if there are several, or has Row -1. It touches nothing.
func (s *Sharded) Find(k *Keys, sel []int32, refs []Ref) error {
	sel = k.rows(sel)
	s.rows = sized(s.rows, len(sel)+k.n)
	s.split(k, sel)
	byRow := s.rows[len(sel):][:k.n] // for each row of the batch, its row in the sub-table
	mask := uint64(len(s.subs) - 1)
	for i, t := range s.subs {
		part := s.part.Sub(i)
		if len(part) == 0 { // a nil selection would mean all rows
			continue
		}
		rows := s.rows[:len(part)]
		if err := t.Find(k, part, rows); err != nil {
			return err
		}
		for j, r := range part {
			byRow[r] = rows[j]
		}
	}
	for i, r := range sel {
		refs[i] = Ref{Sub: int32(k.hashes[r] & mask), Row: byRow[r]}
	}
	return nil
}

// Touch marks rows as changed in this epoch, in the order given, so that their
// values may be written and reach the changelog.
func (s *Sharded) Touch(refs []Ref) error {
	s.rest.end()
	for _, r := range refs {
		t := s.subs[r.Sub]
		if !t.alive(r.Row) {
			return invariants.AssertionFailedf("touching row %d of sub-table %d, which is removed", r.Row, r.Sub)
		}
		t.keepPage(int(r.Row) >> pageBits)
		t.touchOne(r.Row, s.next)
		s.next++
	}
	return nil
}

// Remove takes rows out of the table. Their keys and values may be read until
// the epoch ends.
func (s *Sharded) Remove(refs []Ref) error {
	s.rest.end()
	parts := make([][]int32, len(s.subs))
	for _, r := range refs {
		parts[r.Sub] = append(parts[r.Sub], r.Row)
	}
	for i, rows := range parts {
		if len(rows) == 0 {
			continue
		}
		if err := s.subs[i].remove(rows); err != nil {
			return err
		}
	}
	return nil
}

// RemoveSub is Remove for rows of sub-table i. Calls for different i may run at the
// same time.
func (s *Sharded) RemoveSub(i int, rows []int32) error {
	s.rest.end()
	return s.subs[i].remove(rows)
}

// Changed returns the rows that were touched in this epoch and are still there,
// in the order of first touch.
func (s *Sharded) Changed() []Ref {
	runs := make([]run, len(s.subs))
	for i, t := range s.subs {
		runs[i].rows = t.Changed()
		runs[i].order = t.touched
	}
	return mergeRuns(runs)
}

// Scan returns all rows in the order of their row numbers: that of the first
// appearance of their keys, over restarts too.
func (s *Sharded) Scan() []Ref {
	runs := make([]run, len(s.subs))
	for i, t := range s.subs {
		runs[i].rows, runs[i].order = t.scan(), t.numbers
		if t.dead > 0 || t.unordered {
			runs[i].order = taken(t.numbers, runs[i].rows)
		}
	}
	return mergeRuns(runs)
}

// InOrder returns rows, given by sub-table, in the order of their row numbers. It
// may reorder its argument.
func (s *Sharded) InOrder(rows [][]int32) []Ref {
	runs := make([]run, len(s.subs))
	for i, t := range s.subs {
		if t.unordered {
			t.sort(rows[i])
		}
		runs[i].rows, runs[i].order = rows[i], taken(t.numbers, rows[i])
	}
	return mergeRuns(runs)
}

// Numbers returns the row numbers of refs.
func (s *Sharded) Numbers(refs []Ref) []int64 {
	return pick(s, refs, func(t *Table) []int64 { return t.numbers })
}

// Key returns key column i of refs, canonical as Normalise makes it.
func (s *Sharded) Key(i int, refs []Ref) (Vector, error) {
	if v, ok := s.plainKey(i, refs); ok {
		return v, nil
	}
	return s.gather(refs, s.schema.Keys[i].Kind, func(t *Table, rows []int32) (Vector, error) { return t.Key(i, rows) })
}

// Value returns value column i of refs.
func (s *Sharded) Value(i int, refs []Ref) (Vector, error) {
	if v, ok := s.plainValue(i, refs); ok {
		return v, nil
	}
	return s.gather(refs, s.schema.Values[i].Kind, func(t *Table, rows []int32) (Vector, error) { return t.values[i].Gather(rows), nil })
}

// endEpoch starts the next epoch in every sub-table. Where there are many rows
// several workers do it: some may have to move.
func (s *Sharded) endEpoch(workers int) {
	if s.Len() < manyChanges {
		workers = 1
	}
	s.each(workers, func(_ int, t *Table) { t.endEpoch() })
	s.expired = nil
}

// each calls work for every sub-table, for several at a time if there are several
// workers.
func (s *Sharded) each(workers int, work func(i int, t *Table)) {
	inTurn(workers, len(s.subs), func(i int) { work(i, s.subs[i]) })
}

// inTurn calls work for 0 … n−1 by several workers.
func inTurn(workers, n int, work func(i int)) {
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			work(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	wg.Wait()
}

// load adds or overwrites rows of another epoch's table: what a changelog or a
// snapshot holds.
func (s *Sharded) load(k *Keys, numbers []int64, values []Vector) error {
	s.split(k, k.rows(nil))
	s.rows = sized(s.rows, k.n)
	for i, t := range s.subs {
		part := s.part.Sub(i)
		if len(part) == 0 {
			continue
		}
		rows := s.rows[:len(part)]
		load := t.loadOne
		if s.schema.Many {
			load = t.loadMany
		}
		if err := load(k, part, rows, numbers); err != nil {
			return err
		}
		for c := range values {
			t.values[c].Load(rows, &values[c], part)
		}
	}
	return nil
}

func (t *Table) loadOne(k *Keys, sel, rows []int32, numbers []int64) error {
	if err := t.upsert(k, sel, rows, 0, numbers); err != nil {
		return err
	}
	for j, row := range rows {
		if t.numbers[row] != numbers[sel[j]] {
			return base.Errorf(base.CodeCorrupt, "loading state: a key has row number %d and %d", t.numbers[row], numbers[sel[j]])
		}
	}
	return nil
}
