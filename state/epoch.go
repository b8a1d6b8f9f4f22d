package state

import (
	"cmp"
	"slices"

	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/kernels"
)

// Changed returns the rows that were touched in this epoch and are still there,
// in the order of first touch. The slice is good until the next call of Upsert,
// Touch, Remove or EndEpoch.
func (t *Table) Changed() []int32 {
	if t.removals > 0 {
		t.dropDead()
	}
	return t.changed
}

// dropDead takes removed rows out of the list of changes.
func (t *Table) dropDead() {
	kept := 0
	for i, r := range t.changed {
		if t.alive(r) {
			t.changed[kept], t.touched[kept] = r, t.touched[i]
			kept++
		}
	}
	t.changed, t.touched = t.changed[:kept], t.touched[:kept]
}

// touch marks rows as changed in this epoch; rows[i] by input row sel[i].
func (t *Table) touch(k *Keys, rows, sel []int32, first int64) {
	for i, row := range rows {
		if t.epochs[row] != t.epoch {
			t.touchOne(row, first+k.ordinal(sel[i]))
		}
	}
}

func (t *Table) touchOne(row int32, ordinal int64) {
	if t.epochs[row] != t.epoch {
		t.epochs[row] = t.epoch
		t.changed = append(t.changed, row)
		t.touched = append(t.touched, ordinal)
	}
}

// remove takes the keys of rows out of the table. Rows that are gone already are
// passed over.
func (t *Table) remove(rows []int32) error {
	if t.epochs == nil {
		return invariants.AssertionFailedf("removing %d rows from a table that is not kept", len(rows))
	}
	t.unpin()
	for _, row := range rows {
		if !t.alive(row) {
			continue
		}
		if !t.schema.Many && !kernels.Delete(t.slots, t.shift, t.rowHash(row), row) {
			return invariants.AssertionFailedf("removing row %d: its key is not in the index", row)
		}
		t.epochs[row] = deadEpoch
		t.dead++
		t.removals++
		if int(row) < t.old {
			t.removed = append(t.removed, row)
		}
	}
	return nil
}

func (t *Table) rowHash(row int32) uint64 {
	w := t.layout.words
	words, h := t.words[int(row)*w:int(row+1)*w], [1]uint64{}
	switch w {
	case 1:
		kernels.HashKeys(h[:], kernels.KeysOf[[1]uint64](words), &t.seed)
	case 2:
		kernels.HashKeys(h[:], kernels.KeysOf[[2]uint64](words), &t.seed)
	case 3:
		kernels.HashKeys(h[:], kernels.KeysOf[[3]uint64](words), &t.seed)
	case 4:
		kernels.HashKeys(h[:], kernels.KeysOf[[4]uint64](words), &t.seed)
	}
	h[0] &^= t.layout.nullMask << 32
	if t.nulls != nil {
		h[0] |= uint64(t.nulls[row]) << 32
	}
	return h[0]
}

// endEpoch forgets what changed and starts the next epoch.
func (t *Table) endEpoch() {
	t.changed, t.touched, t.removed, t.removals = t.changed[:0], t.touched[:0], t.removed[:0], 0
	if t.unordered {
		t.unpin()
		order := t.scan()
		t.twice = t.twice || t.sameNumbers(order)
		t.reindex(order)
		t.unordered = false
	}
	if t.dead > 64 && t.dead > t.n/64*t.slack || t.dead > 0 && t.dead == t.n {
		t.compact()
	}
	if t.epoch++; t.epoch == deadEpoch {
		t.unpin()
		t.epoch = 1
		for i, e := range t.epochs {
			if e != deadEpoch {
				t.epochs[i] = 0
			}
		}
	}
	t.old = t.n
}

// compact drops removed rows. The others keep their order.
func (t *Table) compact() {
	t.unpin()
	keep := t.live()
	t.reindex(keep)
	used := len(keep)
	if t.schema.Many {
		used = t.heads
	}
	if used*16 < len(t.slots) && len(t.slots) > minSlots {
		n := len(t.slots)
		for n > minSlots && used*8 < n {
			n /= 2
		}
		old := t.slots
		t.setSlots(n)
		kernels.Reslot(t.slots, t.shift, old)
	}
	if cap(t.changed) > 1<<12 && cap(t.changed) > 8*t.n {
		t.changed, t.touched, t.removed = nil, nil, nil
	}
}

// reindex makes keep, all live rows in any order, the rows of the table.
func (t *Table) reindex(keep []int32) {
	remap := make([]int32, t.n)
	for i, r := range keep {
		remap[r] = int32(i)
	}
	if t.unordered {
		t.times = newTimeIndex()
	} else {
		t.times.remap(t, remap, len(keep))
	}
	switch {
	case !t.schema.Many:
		t.reorder(keep, t.layout.words)
		kernels.RemapSlots(t.slots, remap)
	case t.unordered: // so are the chains
		t.reorder(keep, t.layout.words)
		t.stackAll()
	default:
		t.remapChains(keep, remap)
		t.reorder(keep, t.layout.words)
	}
	t.dead = 0
}

// scan returns the live rows in the order of their numbers.
func (t *Table) scan() []int32 {
	rows := t.live()
	if t.unordered {
		t.sort(rows)
	}
	return rows
}

// sameNumbers reports whether two of rows, which are in order, have one number.
func (t *Table) sameNumbers(rows []int32) bool {
	for i := 1; i < len(rows); i++ {
		if t.numbers[rows[i-1]] == t.numbers[rows[i]] {
			return true
		}
	}
	return false
}

func (t *Table) sort(rows []int32) {
	slices.SortFunc(rows, func(a, b int32) int { return cmp.Compare(t.numbers[a], t.numbers[b]) })
}
