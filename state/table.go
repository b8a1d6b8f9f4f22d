package state

import (
	"bytes"
	"math"
	"math/bits"
	"slices"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/kernels"
)

// A Table is one hash table from keys to rows of value columns. Rows are dense,
// numbered from 0 in the order in which their keys came, and keep their place
// until EndEpoch. A Table is used by one goroutine at a time.
//
// NewTable makes one that lives for one epoch or one query: it has no row
// numbers, no changes and no removal. The sub-tables of a Sharded have them.
type Table struct {
	schema Schema
	layout *layout
	seed   kernels.HashSeed
	rows
	slots []uint64
	shift uint
	// chain is what a table with several rows a key has besides.
	chain
	// next is the ordinal of the next input row, where the table counts itself.
	next int64

	epoch uint32
	// old is how many rows there were when the epoch began.
	old int
	// changed lists the rows touched in this epoch in the order of first touch,
	// and touched the ordinal of the input row that did it.
	changed []int32
	touched []int64
	// removed lists the rows below old that were removed in this epoch.
	removed []int32
	// dead counts all removed rows that are not compacted yet; removals those of
	// this epoch.
	dead, removals int
	zones          zones
	// slack is how many of 64 rows may be removed ones before the table is compacted.
	slack int
	// unordered says that row numbers do not ascend with rows: within a restore, or
	// after two long keys met with one hash. The end of the epoch sorts the rows.
	unordered bool
	// stale says that rows were removed that the index still has.
	stale bool
	// twice says that two rows came with one number.
	twice bool
	pins  []*pin
	// kept says, by page of the longest pin, that it has been copied for all pins.
	kept   []bool
	fresh  []int32
	made   []int32
	direct direct
	times  timeIndex
}

const (
	minSlots = 16
	// Sub-tables have a slack of a quarter to half of their rows, so that they are
	// not all compacted in one epoch.
	leastSlack, slacks = 16, 16
	// An index of up to cachedSlots slots (256 KiB, half of a small second-level
	// cache) is at most a quarter full, a larger one at most half.
	cachedSlots = 1 << 15
	// An index of up to hashedSlots slots (1 MiB) is made anew from the keys when many
	// rows are gone: that costs less than to look at all of its slots. In a larger one
	// the keys lie too far from each other.
	hashedSlots = 1 << 17
)

// NewTable returns an empty table that is not kept.
func NewTable(schema Schema, seed uint64) *Table {
	return newTable(schema, newLayout(schema.Keys), seed, false)
}

func newTable(schema Schema, l *layout, seed uint64, kept bool) *Table {
	t := &Table{schema: schema, layout: l, seed: kernels.NewHashSeed(seed), epoch: 1, slack: leastSlack, times: newTimeIndex()}
	for _, f := range schema.Values {
		t.values = append(t.values, newColumn(f))
	}
	if kept {
		t.numbers, t.epochs = []int64{}, []uint32{}
	}
	t.setSlots(minSlots)
	return t
}

func (t *Table) setSlots(n int) {
	t.slots, t.shift = make([]uint64, n), uint(32-bits.TrailingZeros(uint(n)))
}

// Reset drops all rows of a table that is not kept, and keeps its memory. Its
// columns stay the same ones.
func (t *Table) Reset() {
	clear(t.slots)
	t.direct.reset()
	t.chain.reset()
	t.times = newTimeIndex()
	t.n, t.next, t.nulls, t.texts, t.unordered = 0, 0, nil, nil, false
	for _, v := range t.values {
		v.empty()
	}
}

// Schema returns the table's schema. Its slices must not be written.
func (t *Table) Schema() Schema { return t.schema }

// Len returns the number of rows, removed ones left out: of keys, where a key has
// one row.
func (t *Table) Len() int { return t.n - t.dead }

// Rows returns the number of rows, removed ones included: rows are below it.
func (t *Table) Rows() int { return t.n }

// Value returns value column i: a *Fixed[T], or a *BytesColumn. It is the same
// one as long as the table lives.
func (t *Table) Value(i int) Column { return t.values[i] }

// Key returns key column i of rows, canonical as Normalise makes it.
func (t *Table) Key(i int, rows []int32) (Vector, error) { return t.key(t.layout, i, rows) }

// Alive reports whether row was not removed.
func (t *Table) Alive(row int32) bool { return t.alive(row) }

// MemBytes returns the memory that the table holds.
func (t *Table) MemBytes() int64 {
	return t.memBytes() + memOf(t.slots) + memOf(t.changed) + memOf(t.touched) + memOf(t.removed) + memOf(t.fresh) + memOf(t.made) + memOf(t.older) + t.times.memBytes() + t.direct.memBytes()
}

// Upsert finds the rows of the keys of sel (nil: all of k) and adds those that
// are missing, with value columns NULL or 0. rows[i] receives the row of key
// sel[i]; it is as long as sel, or k.Len().
//
// All rows that it returns may be written until the epoch ends. Slices of value
// columns that were taken before are stale.
func (t *Table) Upsert(k *Keys, sel, rows []int32) error {
	first := t.next
	t.next += int64(k.n)
	return t.upsert(k, k.rows(sel), rows, first, nil)
}

// Add is Upsert that leaves the rows that are there alone: they are not touched. made
// are the members of sel, by their index, ascending, that have made a row; it is good
// until the next call.
func (t *Table) Add(k *Keys, sel, rows []int32) (made []int32, err error) {
	first := t.next
	t.next += int64(k.n)
	return t.add(k, k.rows(sel), rows, first)
}

func (t *Table) add(k *Keys, sel, rows []int32, first int64) ([]int32, error) {
	was := t.n
	t.made = sized(t.made, len(sel))[:0]
	if err := t.place(k, sel, rows, first, nil, true); err != nil {
		return nil, err
	}
	t.keepFrom(was)
	switch {
	case k.longs != nil: // those with a hash of another come last
		slices.Sort(t.made)
		if t.epochs != nil {
			for _, i := range t.made {
				t.touchOne(rows[i], first+k.ordinal(sel[i]))
			}
		}
	case t.epochs != nil:
		t.touchNew(was)
	}
	return t.made, nil
}

// upsert is place, and touches all rows unless there are numbers.
func (t *Table) upsert(k *Keys, sel, rows []int32, first int64, numbers []int64) error {
	err := t.place(k, sel, rows, first, numbers, false)
	t.keep(rows[:len(sel)])
	if err == nil && t.epochs != nil && numbers == nil {
		t.touch(k, rows[:len(sel)], sel, first)
	}
	return err
}

// place finds or adds rows. It numbers a new row first plus the index of its input
// row, or takes its number from numbers. If tell is set, made receives which members of
// sel have made a row.
func (t *Table) place(k *Keys, sel, rows []int32, first int64, numbers []int64, tell bool) error {
	if len(rows) < len(sel) || k.layout.words != t.layout.words || t.schema.Many {
		return invariants.AssertionFailedf("upsert of %d keys of %d words into %d rows of %d words", len(sel), k.layout.words, len(rows), t.layout.words)
	}
	rows = rows[:len(sel)]
	if t.stale {
		t.purge()
	}
	was := t.n
	t.fresh = sized(t.fresh, len(sel))
	for done := 0; done < len(sel); {
		old, d := t.n, 0
		d, t.n = t.probe(k, sel[done:], rows[done:])
		t.describe(k, sel[done:], old, first, numbers)
		if tell {
			for _, i := range t.fresh[:t.n-old] {
				t.made = append(t.made, int32(done)+i)
			}
		}
		if done += d; done < len(sel) {
			if err := t.enlarge(); err != nil {
				return err
			}
		}
	}
	if k.longs != nil {
		if err := t.verify(k, sel, rows, first, numbers, tell); err != nil {
			return err
		}
	}
	for _, v := range t.values {
		v.grow(t.n - was)
	}
	return nil
}

// probe runs the kernel over sel until it is done or there is no more room.
func (t *Table) probe(k *Keys, sel, rows []int32) (done, n int) {
	switch t.layout.words {
	case 1:
		return probe[[1]uint64](t, k, sel, rows)
	case 2:
		return probe[[2]uint64](t, k, sel, rows)
	case 3:
		return probe[[3]uint64](t, k, sel, rows)
	case 4:
		return probe[[4]uint64](t, k, sel, rows)
	case 5:
		return probe[[5]uint64](t, k, sel, rows)
	}
	return probe[[6]uint64](t, k, sel, rows)
}

func probe[K kernels.Key](t *Table, k *Keys, sel, rows []int32) (int, int) {
	keys := kernels.KeysOf[K](t.words)
	keys = keys[:min(len(keys), t.limit())]
	return kernels.Upsert(t.slots, t.shift, keys, t.n, k.hashes, kernels.KeysOf[K](k.words), sel, rows, t.fresh)
}

// load is how many slots may be used before the index grows.
func (t *Table) load() int {
	if len(t.slots) <= cachedSlots {
		return len(t.slots) / 4
	}
	return len(t.slots) / 2
}

// limit is how many rows the table may have before the index grows.
func (t *Table) limit() int {
	if t.schema.Many {
		// A row more, and each of the rest with a slot of its own.
		return t.n + t.load() - t.heads
	}
	return t.load() + t.dead // removed rows have no slot
}

// full reports whether there is no room for another row.
func (t *Table) full() bool { return t.n >= t.limit() || t.n >= len(t.words)/t.layout.words }

// enlarge makes room for at least one more row.
func (t *Table) enlarge() error {
	if t.n >= t.limit() {
		if t.n >= math.MaxInt32/2 || t.shift == 0 {
			return base.Errorf(base.CodeExhausted, "adding a key: a table of %d rows is full", t.n)
		}
		old := t.slots
		t.setSlots(2 * len(old))
		kernels.Reslot(t.slots, t.shift, old)
	}
	if room := len(t.words) / t.layout.words; t.n >= room {
		more := max(16, room)
		if room > 1<<15 {
			more = room / 4
		}
		if !t.schema.Many {
			more = max(1, min(more, t.limit()-room))
		}
		words := make([]uint64, (room+more)*t.layout.words)
		copy(words, t.words)
		t.words = words
	}
	return nil
}

// describe fills in what the kernel does not know of the rows from old on.
func (t *Table) describe(k *Keys, sel []int32, old int, first int64, numbers []int64) {
	added := t.n - old
	if added == 0 {
		return
	}
	if t.epochs != nil {
		t.epochs = grown(t.epochs, added)
		t.numbers = grown(t.numbers, added)
		for j, i := range t.fresh[:added] {
			r := sel[i]
			number := first + k.ordinal(r)
			if numbers != nil {
				number = numbers[r]
			}
			t.numbers[old+j] = number
			if old+j > 0 && t.numbers[old+j-1] >= number {
				t.unordered = true
			}
		}
	}
	if k.hasNulls && t.nulls == nil {
		t.nulls = make([]uint8, old, t.n)
	}
	if t.nulls != nil {
		t.nulls = grown(t.nulls, added)
		for j, i := range t.fresh[:added] {
			t.nulls[old+j] = k.nulls(sel[i])
		}
	}
	if t.texts == nil && k.longs != nil {
		t.texts = make([]*BytesColumn, t.layout.texts)
	}
	for c := range t.texts {
		if t.texts[c] == nil {
			if k.longs == nil || k.longs[c] == nil {
				continue
			}
			t.texts[c] = newBytes(false)
		}
		t.texts[c].grow(t.n - t.texts[c].Len())
		if k.longs == nil || k.longs[c] == nil {
			continue
		}
		for j, i := range t.fresh[:added] {
			if b := k.long(c, sel[i]); b != nil {
				t.texts[c].Set(int32(old+j), b)
			}
		}
	}
}

// verify compares the bytes of long keys with those of the rows that were found
// by 128 bits of hash, and looks the mistaken ones up by their bytes.
func (t *Table) verify(k *Keys, sel, rows []int32, first int64, numbers []int64, tell bool) error {
	for i, r := range sel {
		if t.sameTexts(k, r, rows[i]) {
			continue
		}
		rows[i] = t.search(k, r)
		if rows[i] >= 0 {
			continue
		}
		for t.full() {
			if err := t.enlarge(); err != nil {
				return err
			}
		}
		w := t.layout.words
		copy(t.words[t.n*w:], k.words[int(r)*w:int(r+1)*w])
		rows[i] = int32(t.n)
		kernels.Insert(t.slots, t.shift, k.hashes[r], rows[i])
		t.n++
		t.fresh[0] = 0
		t.describe(k, sel[i:], t.n-1, first, numbers)
		if tell {
			t.made = append(t.made, int32(i))
		}
	}
	return nil
}

// sameTexts reports whether the long texts of key r are those of row.
func (t *Table) sameTexts(k *Keys, r, row int32) bool {
	for c := range k.longs {
		if b := k.long(c, r); b != nil && !bytes.Equal(b, t.texts[c].Get(row)) {
			return false
		}
	}
	return true
}

// search finds the row of key r by words and bytes, or -1: one key at a time,
// for the few that share the hash of another.
func (t *Table) search(k *Keys, r int32) int32 {
	mask, w := uint32(len(t.slots)-1), t.layout.words
	tag := uint32(k.hashes[r] >> 32)
next:
	for p := tag >> t.shift; ; p++ {
		s := t.slots[p&mask]
		if s == 0 {
			return -1
		}
		row := int32(uint32(s) - 1)
		if uint32(s>>32) != tag {
			continue
		}
		for j := range w {
			if t.words[int(row)*w+j] != k.words[int(r)*w+j] {
				continue next
			}
		}
		if t.sameTexts(k, r, row) {
			return row
		}
	}
}

// Find finds the rows of the keys of sel (nil: all of k): rows[i] is that of key
// sel[i], the newest if there are several, or -1. It touches nothing.
func (t *Table) Find(k *Keys, sel, rows []int32) error {
	sel = k.rows(sel)
	if len(rows) < len(sel) || k.layout.words != t.layout.words {
		return invariants.AssertionFailedf("finding %d keys of %d words in %d rows of %d words", len(sel), k.layout.words, len(rows), t.layout.words)
	}
	rows = rows[:len(sel)]
	if t.stale {
		t.purge()
	}
	switch t.layout.words {
	case 1:
		find[[1]uint64](t, k, sel, rows)
	case 2:
		find[[2]uint64](t, k, sel, rows)
	case 3:
		find[[3]uint64](t, k, sel, rows)
	case 4:
		find[[4]uint64](t, k, sel, rows)
	case 5:
		find[[5]uint64](t, k, sel, rows)
	case 6:
		find[[6]uint64](t, k, sel, rows)
	}
	if k.longs != nil {
		for i, r := range sel {
			if rows[i] >= 0 && !t.sameTexts(k, r, rows[i]) {
				rows[i] = t.search(k, r)
			}
		}
	}
	if t.schema.Many && t.dead > 0 {
		t.passDead(k, sel, rows)
	}
	return nil
}

func find[K kernels.Key](t *Table, k *Keys, sel, rows []int32) {
	kernels.Find(t.slots, t.shift, kernels.KeysOf[K](t.words), k.hashes, kernels.KeysOf[K](k.words), sel, rows)
}

// Keys makes dst the keys of all rows of t, removed ones included, so that they
// can be looked up in another table with the same key columns and seed. It
// shares t's memory: it is good until t changes.
func (t *Table) Keys(dst *Keys) {
	dst.layout, dst.seed, dst.n = t.layout, t.seed, t.n
	dst.words = t.words[:t.n*t.layout.words]
	dst.hashes = sized(dst.hashes, t.n)
	dst.longs, dst.heaps, dst.ordinals, dst.places, dst.hasNulls = nil, nil, nil, nil, t.nulls != nil
	dst.hash(nil)
	for i, m := range t.nulls {
		dst.hashes[i] |= uint64(m) << 32
	}
	for c, text := range t.texts {
		if text == nil {
			continue
		}
		if dst.longs == nil {
			dst.longs, dst.heaps = make([][]ref, t.layout.texts), make([][]byte, t.layout.texts)
		}
		dst.longs[c], dst.heaps[c] = text.refs, text.arena
	}
}
