package state

import (
	"sort"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/kernels"
)

// A chain links the rows of one key: the index leads to the newest, and from each
// row older leads to the next older one, or to -1. Rows that have one key have it to
// the byte: of two long keys that share a hash, each has a slot and a chain.
//
// Removal only marks a row. Whoever walks a chain passes over removed rows and takes
// them out of it, so that each is passed once; a key whose rows are all removed keeps
// its slot until it is asked for or the table is compacted.
type chain struct {
	older []int32
	// heads is how many slots are used.
	heads int
}

func (c *chain) reset() { c.older, c.heads = c.older[:0], 0 }

// Insert adds a row for every key of sel (nil: all of k), in order, with value
// columns NULL or 0, to a table with several rows a key. rows[i] receives the row of
// key sel[i]; it is as long as sel, or k.Len().
//
// What Upsert says of the rows and of slices of value columns holds here too.
func (t *Table) Insert(k *Keys, sel, rows []int32) error {
	first := t.next
	t.next += int64(k.n)
	return t.insert(k, k.rows(sel), rows, first, nil)
}

// Older returns the newest row of the same key that is older than row, or -1.
func (t *Table) Older(row int32) int32 {
	next := t.older[row]
	if next < 0 || t.alive(next) {
		return next
	}
	return t.pass(row)
}

// pass returns the newest live row behind row, and links row and all that it passes
// to it.
func (t *Table) pass(row int32) int32 {
	live := t.older[row]
	for live >= 0 && !t.alive(live) {
		live = t.older[live]
	}
	for row >= 0 && row != live {
		row, t.older[row] = t.older[row], live
	}
	return live
}

// passDead replaces removed rows, which the index led to, by the newest live ones of
// their keys, in the index too.
func (t *Table) passDead(k *Keys, sel, rows []int32) {
	for i, row := range rows {
		if row < 0 || t.alive(row) {
			continue
		}
		live := t.pass(row)
		if rows[i] = live; live >= 0 {
			kernels.Replace(t.slots, t.shift, k.hashes[sel[i]], row, live)
		} else if kernels.Delete(t.slots, t.shift, k.hashes[sel[i]], row) { // else an equal key of sel did it
			t.heads--
		}
	}
}

// insert numbers rows as upsert does.
func (t *Table) insert(k *Keys, sel, rows []int32, first int64, numbers []int64) error {
	if len(rows) < len(sel) || k.layout.words != t.layout.words || !t.schema.Many {
		return invariants.AssertionFailedf("insert of %d keys of %d words into %d rows of %d words", len(sel), k.layout.words, len(rows), t.layout.words)
	}
	rows = rows[:len(sel)]
	was := t.n
	t.keepFrom(was)
	t.older = grown(t.older, len(sel))
	t.fresh = sized(t.fresh, len(sel))
	for i := range t.fresh {
		t.fresh[i] = int32(i)
	}
	if k.longs != nil {
		if err := t.stackTexts(k, sel, rows, first, numbers); err != nil {
			return err
		}
	} else {
		for done := 0; done < len(sel); {
			old := t.n
			d := t.stack(k, sel[done:], rows[done:])
			t.describe(k, sel[done:], old, first, numbers)
			if done += d; done < len(sel) {
				if err := t.enlarge(); err != nil {
					return err
				}
			}
		}
	}
	for _, v := range t.values {
		v.grow(t.n - was)
	}
	if t.epochs != nil && numbers == nil {
		t.touchNew(was)
	}
	return nil
}

// stack runs the kernel over sel until it is done or there is no more room.
func (t *Table) stack(k *Keys, sel, rows []int32) int {
	switch t.layout.words {
	case 1:
		return stack[[1]uint64](t, k, sel, rows)
	case 2:
		return stack[[2]uint64](t, k, sel, rows)
	case 3:
		return stack[[3]uint64](t, k, sel, rows)
	case 4:
		return stack[[4]uint64](t, k, sel, rows)
	case 5:
		return stack[[5]uint64](t, k, sel, rows)
	}
	return stack[[6]uint64](t, k, sel, rows)
}

func stack[K kernels.Key](t *Table, k *Keys, sel, rows []int32) int {
	done, used := kernels.Stack(t.slots, t.shift, t.load()-t.heads, kernels.KeysOf[K](t.words), t.older, t.n,
		k.hashes, kernels.KeysOf[K](k.words), sel, rows)
	t.n += done
	t.heads += used
	return done
}

// stackTexts is stack for keys with long texts, whose bytes say which chain a row
// belongs to.
func (t *Table) stackTexts(k *Keys, sel, rows []int32, first int64, numbers []int64) error {
	w := t.layout.words
	for i, r := range sel {
		for t.full() {
			if err := t.enlarge(); err != nil {
				return err
			}
		}
		row, top := int32(t.n), t.search(k, r)
		if t.older[row] = top; top >= 0 {
			kernels.Replace(t.slots, t.shift, k.hashes[r], top, row)
		} else {
			kernels.Insert(t.slots, t.shift, k.hashes[r], row)
			t.heads++
		}
		copy(t.words[t.n*w:], k.words[int(r)*w:int(r+1)*w])
		rows[i] = row
		t.n++
		t.describe(k, sel[i:], t.n-1, first, numbers)
	}
	return nil
}

// stackAll makes index and chains of all rows, none of which is removed, anew.
func (t *Table) stackAll() {
	var k Keys
	t.Keys(&k)
	clear(t.slots)
	if !t.schema.Many {
		for r, h := range k.hashes {
			kernels.Insert(t.slots, t.shift, h, int32(r))
		}
		return
	}
	all := k.rows(nil)
	t.heads, t.older = 0, make([]int32, t.n)
	if k.longs == nil {
		rows := make([]int32, t.n)
		t.n = 0
		t.stack(&k, all, rows) // there was room for them
		return
	}
	for _, r := range all {
		// Rows from r on have no slot yet.
		if t.older[r] = t.search(&k, r); t.older[r] >= 0 {
			kernels.Replace(t.slots, t.shift, k.hashes[r], t.older[r], r)
		} else {
			kernels.Insert(t.slots, t.shift, k.hashes[r], r)
			t.heads++
		}
	}
}

// keepChains makes the live rows, which become 0, 1, … in their order, those of the
// index, which gets n slots, and of the chains.
func (t *Table) keepChains(kept, n int) {
	// Links are to rows below: so one pass knows the new name of each row, plus one, or,
	// of a removed row, that of the live one behind it.
	older, names := make([]int32, 0, kept), make([]int32, t.n+1)
	for r, next := range t.older[:t.n] {
		name := names[next+1]
		if t.alive(int32(r)) {
			older = append(older, name-1)
			name = int32(len(older))
		}
		names[r+1] = name
	}
	t.older = older
	t.heads = kernels.KeepSlots(t.slots, t.shift, names)
	if n < len(t.slots) {
		old := t.slots
		t.setSlots(n)
		kernels.Reslot(t.slots, t.shift, old)
	}
}

// rowOf returns the row that had number when the epoch began, or -1.
func (t *Table) rowOf(number int64) int32 {
	i := sort.Search(t.old, func(i int) bool { return t.numbers[i] >= number })
	if i < t.old && t.numbers[i] == number {
		return int32(i)
	}
	return -1
}

// sameKey reports whether key r is that of row.
func (t *Table) sameKey(k *Keys, r, row int32) bool {
	w := t.layout.words
	for j := range w {
		if t.words[int(row)*w+j] != k.words[int(r)*w+j] {
			return false
		}
	}
	nulls := uint8(0)
	if t.nulls != nil {
		nulls = t.nulls[row]
	}
	return nulls == k.nulls(r) && t.sameTexts(k, r, row)
}

// loadMany finds the rows that are there by their numbers, and adds the others.
func (t *Table) loadMany(k *Keys, sel, rows []int32, numbers []int64) error {
	var missing, at []int32
	for i, r := range sel {
		row := t.rowOf(numbers[r])
		if rows[i] = row; row < 0 {
			missing, at = append(missing, r), append(at, int32(i))
		} else if !t.alive(row) || !t.sameKey(k, r, row) {
			return base.Errorf(base.CodeCorrupt, "loading state: row number %d has another key, or was removed", numbers[r])
		}
	}
	t.keep(rows[:len(sel)])
	if len(missing) == 0 {
		return nil
	}
	added := make([]int32, len(missing))
	if err := t.insert(k, missing, added, 0, numbers); err != nil {
		return err
	}
	for i, row := range added {
		rows[at[i]] = row
	}
	return nil
}

// findNumbers finds rows by their numbers: refs[i] is the live row that had numbers[i]
// when the epoch began, or has Row -1.
func (s *Sharded) findNumbers(numbers []int64, refs []Ref) {
	last := int32(0) // the numbers of a sub-table come together
	for i, number := range numbers {
		row := s.subs[last].rowOf(number)
		for sub := 0; row < 0 && sub < len(s.subs); sub++ {
			if row = s.subs[sub].rowOf(number); row >= 0 {
				last = int32(sub)
			}
		}
		if row >= 0 && !s.subs[last].alive(row) {
			row = -1
		}
		refs[i] = Ref{Sub: last, Row: row}
	}
}
