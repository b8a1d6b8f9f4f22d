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

// touchNew marks the rows from from on, which have come in the order of their input
// rows: their numbers are the ordinals of these.
func (t *Table) touchNew(from int) {
	for r := from; r < t.n; r++ {
		t.epochs[r] = t.epoch
		t.changed = append(t.changed, int32(r))
	}
	t.touched = append(t.touched, t.numbers[from:t.n]...)
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
func (t *Table) remove(rows []int32) error { return t.removeRows(rows, true) }

// removeRows says whether the changelog is to name the rows.
func (t *Table) removeRows(rows []int32, named bool) error {
	if t.epochs == nil {
		return invariants.AssertionFailedf("removing %d rows from a table that is not kept", len(rows))
	}
	t.keep(rows)
	// To leave out many costs less than to delete each: when somebody looks, or when
	// the table is compacted.
	if len(rows) > 64 && len(rows) > t.Len()/8 {
		t.stale = true
	}
	index := !t.schema.Many && !t.stale
	for _, row := range rows {
		if !t.alive(row) {
			continue
		}
		if index && !kernels.Delete(t.slots, t.shift, t.rowHash(row), row) {
			return invariants.AssertionFailedf("removing row %d: its key is not in the index", row)
		}
		t.epochs[row] = deadEpoch
		t.dead++
		t.removals++
		if named && int(row) < t.old {
			t.removed = append(t.removed, row)
		}
	}
	return nil
}

// purge takes removed rows out of the index, where remove has not.
func (t *Table) purge() {
	if !t.schema.Many {
		remap := make([]int32, t.n)
		for i := range remap {
			if remap[i] = int32(i); !t.alive(int32(i)) {
				remap[i] = -1
			}
		}
		t.moveSlots(len(t.slots), remap)
	}
	t.stale = false
}

// moveSlots makes an index of n slots for the rows that remap says.
func (t *Table) moveSlots(n int, remap []int32) {
	old := t.slots
	t.setSlots(n)
	kernels.MoveSlots(t.slots, t.shift, old, remap)
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
	case 5:
		kernels.HashKeys(h[:], kernels.KeysOf[[5]uint64](words), &t.seed)
	case 6:
		kernels.HashKeys(h[:], kernels.KeysOf[[6]uint64](words), &t.seed)
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
	t.dropPins()
	if t.unordered {
		order := t.scan()
		t.twice = t.twice || t.sameNumbers(order)
		t.reindex(order, false)
		t.unordered = false
	}
	if t.dead > 64 && t.dead > t.n/64*t.slack || t.dead > 0 && t.dead == t.n {
		t.compact()
	}
	if t.epoch++; t.epoch == deadEpoch {
		t.keepFrom(0)
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
	keep, came := t.live(), t.n-t.old
	// An epoch like this one will need the memory again.
	t.reindex(keep, len(t.pins) == 0 && 4*(len(keep)+came)*t.layout.words >= len(t.words))
	if cap(t.changed) > 1<<12 && cap(t.changed) > 8*max(t.n, came) {
		t.changed, t.touched, t.removed = nil, nil, nil
	}
}

// reindex makes keep, all live rows in any order, the rows of the table. They ascend
// if it is to be done in place.
func (t *Table) reindex(keep []int32, inPlace bool) {
	t.zones.reset()
	if t.unordered {
		t.times = newTimeIndex()
	}
	var remap []int32
	if !t.schema.Many || t.times.seen > 0 {
		remap = make([]int32, t.n)
		for i := range remap {
			remap[i] = -1
		}
		for i, r := range keep {
			remap[r] = int32(i)
		}
		t.times.remap(t, remap, len(keep))
	}
	used := len(keep) + t.n - t.old
	if t.schema.Many {
		used = min(used, t.heads+t.n-t.old)
	}
	slots := len(t.slots)
	if used*16 < slots {
		for slots > minSlots && used*8 < slots {
			slots /= 2
		}
	}
	if t.schema.Many && !t.unordered {
		t.keepChains(len(keep), slots)
	}
	switch t.reorder(keep, t.layout.words, inPlace); {
	case t.schema.Many:
		if t.unordered { // so are the chains
			t.stackAll()
		}
	case t.stale && slots <= hashedSlots:
		if slots < len(t.slots) {
			t.setSlots(slots)
		}
		t.stackAll()
	case t.stale || slots < len(t.slots):
		t.moveSlots(slots, remap)
	default:
		kernels.RemapSlots(t.slots, remap)
	}
	t.dead, t.stale = 0, false
	t.leave()
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
