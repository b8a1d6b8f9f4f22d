package theta

import (
	"math"
	"slices"
)

// One is the theta of a sketch that keeps every hash.
const One uint64 = math.MaxInt64

// MinLgNominal and MaxLgNominal bound the logarithm of the nominal number of
// entries, DefaultLgNominal is what functions take if none is given.
const (
	MinLgNominal     = 4
	MaxLgNominal     = 26
	DefaultLgNominal = 12
)

// growth is the logarithm of the factor by which tables grow, smallest that of
// the smallest table.
const (
	growth   = 3
	smallest = 5
)

// A Table is a sketch that takes in keys: an open-addressed hash table of up to
// twice the nominal number of entries. When it is 15/16 full, theta drops to the
// hash after the nominal ones. The order of its slots is part of what tuple
// sketches show, in images and in sums of floating-point numbers.
type Table struct {
	kind  Kind
	mode  Mode
	lgNom int
	lg    int
	n     int
	theta uint64
	empty bool
	slots []uint64
	sums  []Summary
}

// NewTable returns a sketch of 1<<lgNominal entries; mode is ignored for Plain.
func NewTable(kind Kind, mode Mode, lgNominal int) *Table {
	t := &Table{kind: kind, mode: mode, lgNom: lgNominal, theta: One, empty: true}
	t.lg = smallest
	if target := lgNominal + 1; target > smallest {
		t.lg = (target-smallest)%growth + smallest
	}
	t.alloc()
	return t
}

func (t *Table) alloc() {
	t.slots, t.n = make([]uint64, 1<<t.lg), 0
	if t.kind != Plain {
		t.sums = make([]Summary, 1<<t.lg)
	}
}

// probe returns the slot of hash in a table of 1<<lg slots, or the free one where it
// belongs; −1 if it is not there and nothing is free.
func probe(slots []uint64, lg int, hash uint64) int {
	mask := uint64(1)<<lg - 1
	stride := hash>>lg&0x7f<<1 | 1
	at := hash & mask
	for range slots {
		if slots[at] == hash || slots[at] == 0 {
			return int(at)
		}
		at = (at + stride) & mask
	}
	return -1
}

// Update offers a key by its hash, with the number v.
func (t *Table) Update(hash, v uint64) {
	t.empty = false
	if hash == 0 || hash >= t.theta {
		return
	}
	at := probe(t.slots, t.lg, hash)
	if t.slots[at] == 0 {
		t.slots[at] = hash
		t.n++
		if t.kind != Plain {
			t.sums[at] = t.kind.Start(t.mode)
		}
	}
	if t.kind != Plain {
		t.sums[at] = t.kind.add(t.sums[at], v)
	}
	t.makeRoom()
}

// merge takes in an entry of another sketch.
func (t *Table) merge(hash uint64, s Summary) {
	t.empty = false
	if hash == 0 || hash >= t.theta {
		return
	}
	at := probe(t.slots, t.lg, hash)
	switch {
	case t.slots[at] == 0:
		t.slots[at] = hash
		t.n++
		if t.kind != Plain {
			t.sums[at] = s
		}
	case t.kind != Plain:
		t.sums[at] = t.kind.unite(t.sums[at], s, t.mode)
	}
	t.makeRoom()
}

func (t *Table) makeRoom() {
	switch {
	case t.lg <= t.lgNom:
		if t.n > 1<<t.lg/2 {
			t.rehash(t.lg + growth)
		}
	case t.n > 1<<t.lg/16*15:
		t.theta = nth(t.kept(), 1<<t.lgNom)
		t.rehash(t.lg)
	}
}

// rehash moves what is below theta into a table of 1<<lg slots.
func (t *Table) rehash(lg int) {
	slots, sums := t.slots, t.sums
	t.lg = lg
	t.alloc()
	for i, h := range slots {
		if h == 0 || h >= t.theta {
			continue
		}
		at := probe(t.slots, t.lg, h)
		t.slots[at] = h
		t.n++
		if t.kind != Plain {
			t.sums[at] = sums[i]
		}
	}
}

// kept returns the hashes in the order of slots.
func (t *Table) kept() []uint64 {
	out := make([]uint64, 0, t.n)
	for _, h := range t.slots {
		if h != 0 {
			out = append(out, h)
		}
	}
	return out
}

// nth returns the i-th smallest of hashes, from 0, and sorts them.
func nth(hashes []uint64, i int) uint64 {
	slices.Sort(hashes)
	return hashes[i]
}

// Compact returns what the sketch holds; a theta sketch cut down to the nominal
// number of entries and in order.
func (t *Table) Compact() *Compact {
	if t.kind == Plain && t.n > 1<<t.lgNom {
		t.theta = nth(t.kept(), 1<<t.lgNom)
		t.rehash(t.lg)
	}
	c := &Compact{Kind: t.kind, Theta: t.theta, Empty: t.empty, Hashes: t.kept()}
	if t.empty {
		c.Theta = One
	}
	if t.kind == Plain {
		slices.Sort(c.Hashes)
		return c
	}
	c.Summaries = make([]Summary, 0, t.n)
	for i, h := range t.slots {
		if h != 0 {
			c.Summaries = append(c.Summaries, t.sums[i])
		}
	}
	return c
}
