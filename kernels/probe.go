package kernels

// An index is a power-of-two slice of slots, probed linearly. A slot is
//
//	tag << 32 | row + 1
//
// and 0 is free. The tag is the upper half of the key's hash (its low bits may
// carry what must match exactly but is not in the words: which columns are
// NULL). The home of a key is tag >> shift, where shift is 32 - log2(slots): so
// an index can be grown and shrunk, and a slot deleted, without a look at keys.

// Upsert finds the row of each key of sel, and makes one where there is none.
//
//   - hashes and keys are indexed by the members of sel; rows[i] receives the row
//     of key sel[i].
//   - rowKeys holds the keys of the n rows that exist; its length is the number
//     of rows there is room for. slots must have a free slot for each of them and
//     one more.
//   - fresh receives, for each new row in order, the i that made it; as long as sel.
//
// It returns how many members of sel are done, fewer than all when the room for
// rows is used up, and the new number of rows.
func Upsert[K Key](slots []uint64, shift uint, rowKeys []K, n int, hashes []uint64, keys []K, sel, rows, fresh []int32) (done, total int) {
	mask := uint32(len(slots) - 1)
	first := n
	rows = rows[:len(sel)]
	for i, r := range sel {
		tag := uint32(hashes[r] >> 32)
		key := &keys[r]
		p := tag >> shift
		for {
			s := slots[p&mask]
			if uint32(s>>32) == tag && s != 0 {
				if row := uint32(s) - 1; rowKeys[row] == *key {
					rows[i] = int32(row)
					break
				}
			}
			if s == 0 {
				if n == len(rowKeys) {
					return i, n
				}
				rowKeys[n] = *key
				slots[p&mask] = uint64(tag)<<32 | uint64(n+1)
				rows[i] = int32(n)
				fresh[n-first] = int32(i)
				n++
				break
			}
			p++
		}
	}
	return len(sel), n
}

// Stack makes a row of each key of sel, newer than all rows that the key has. The
// index leads to the newest row of a key, and older from each row to the next older
// one, or to -1.
//
//   - slots, rowKeys, n, hashes, keys, sel and rows are those of Upsert; room says how
//     many more slots may be used, which leaves one free.
//   - older is at least as long as the rows will be, or as rowKeys if that is less.
//
// It returns how many members of sel are done, which is the number of new rows, and
// how many slots they took: fewer than all when the room for rows or for slots is
// used up.
func Stack[K Key](slots []uint64, shift uint, room int, rowKeys []K, older []int32, n int, hashes []uint64, keys []K, sel, rows []int32) (done, used int) {
	mask := uint32(len(slots) - 1)
	rows = rows[:len(sel)]
	for i, r := range sel {
		if n == len(rowKeys) {
			return i, used
		}
		tag := uint32(hashes[r] >> 32)
		key := &keys[r]
		p := tag >> shift
		for {
			s := slots[p&mask]
			if s == 0 {
				if used == room {
					return i, used
				}
				used++
				older[n] = -1
				break
			}
			if uint32(s>>32) == tag {
				if row := uint32(s) - 1; rowKeys[row] == *key {
					older[n] = int32(row)
					break
				}
			}
			p++
		}
		slots[p&mask] = uint64(tag)<<32 | uint64(n+1)
		rowKeys[n] = *key
		rows[i] = int32(n)
		n++
	}
	return len(sel), used
}

// Find finds the row of each key of sel: rows[i] is that of key sel[i], or -1.
// See Upsert for the other arguments. At least one slot must be free.
func Find[K Key](slots []uint64, shift uint, rowKeys []K, hashes []uint64, keys []K, sel, rows []int32) {
	mask := uint32(len(slots) - 1)
	rows = rows[:len(sel)]
	for i, r := range sel {
		tag := uint32(hashes[r] >> 32)
		key := &keys[r]
		rows[i] = -1
		for p := tag >> shift; ; p++ {
			s := slots[p&mask]
			if s == 0 {
				break
			}
			if uint32(s>>32) == tag {
				if row := uint32(s) - 1; rowKeys[row] == *key {
					rows[i] = int32(row)
					break
				}
			}
		}
	}
}

// Reslot copies the used slots of old into slots, which are all free and enough.
// Homes grow with tags, so both are walked from front to back.
func Reslot(slots []uint64, shift uint, old []uint64) {
	mask := uint32(len(slots) - 1)
	for _, s := range old {
		if s == 0 {
			continue
		}
		p := uint32(s>>32) >> shift
		for slots[p&mask] != 0 {
			p++
		}
		slots[p&mask] = s
	}
}

// Insert puts row under hash into the first free slot from its home on. The
// caller knows that the key is not there and that a slot is free.
func Insert(slots []uint64, shift uint, hash uint64, row int32) {
	mask := uint32(len(slots) - 1)
	p := uint32(hash>>32) >> shift
	for slots[p&mask] != 0 {
		p++
	}
	slots[p&mask] = hash>>32<<32 | uint64(row+1)
}

// Replace makes the slot of row, whose key has hash, one of by. It reports whether
// the row was there.
func Replace(slots []uint64, shift uint, hash uint64, row, by int32) bool {
	mask := uint32(len(slots) - 1)
	want := hash>>32<<32 | uint64(row+1)
	for p := uint32(hash>>32) >> shift; ; p++ {
		switch slots[p&mask] {
		case want:
			slots[p&mask] = hash>>32<<32 | uint64(by+1)
			return true
		case 0:
			return false
		}
	}
}

// Delete frees the slot of row, whose key has hash, and moves the slots behind
// it forward, so that no mark is left. It reports whether the row was there.
func Delete(slots []uint64, shift uint, hash uint64, row int32) bool {
	mask := uint32(len(slots) - 1)
	want := hash>>32<<32 | uint64(row+1)
	p := uint32(hash>>32) >> shift & mask
	for slots[p] != want {
		if slots[p] == 0 {
			return false
		}
		p = (p + 1) & mask
	}
	for q := (p + 1) & mask; slots[q] != 0; q = (q + 1) & mask {
		home := uint32(slots[q]>>32) >> shift & mask
		// The slot at q may move to p unless its home lies behind p.
		if (q-home)&mask >= (q-p)&mask {
			slots[p] = slots[q]
			p = q
		}
	}
	slots[p] = 0
	return true
}

// MoveSlots copies the used slots of old into slots, which are all free and enough,
// with row remap[row] instead of row; those that map below 0 are left out.
func MoveSlots(slots []uint64, shift uint, old []uint64, remap []int32) {
	mask := uint32(len(slots) - 1)
	for _, s := range old {
		if s == 0 {
			continue
		}
		to := remap[uint32(s)-1]
		if to < 0 {
			continue
		}
		p := uint32(s>>32) >> shift
		for slots[p&mask] != 0 {
			p++
		}
		slots[p&mask] = s>>32<<32 | uint64(to+1)
	}
}

// KeepSlots gives every used slot the row names[row+1] − 1, and frees those for which
// that is −1; names[0] is 0. At least one slot must be free. It returns how many slots
// are used then.
func KeepSlots(slots []uint64, shift uint, names []int32) (used int) {
	mask := uint32(len(slots) - 1)
	start := uint32(0)
	for slots[start] != 0 {
		start++
	}
	// From a free slot on, all that lie between the home of a slot and it are done.
	for i := range uint32(len(slots)) {
		at := (start + i) & mask
		s := slots[at]
		if s == 0 {
			continue
		}
		name := names[uint32(s)]
		slots[at] = 0
		if name == 0 {
			continue
		}
		used++
		p := uint32(s>>32) >> shift & mask
		for p != at && slots[p] != 0 {
			p = (p + 1) & mask
		}
		slots[p] = s>>32<<32 | uint64(name)
	}
	return used
}

// RemapSlots gives every used slot the row remap[row]; no row may map below 0.
func RemapSlots(slots []uint64, remap []int32) {
	for i, s := range slots {
		if s != 0 {
			slots[i] = s>>32<<32 | uint64(remap[uint32(s)-1]+1)
		}
	}
}

// PartitionCounts counts the members of sel by the low bits of their hash:
// counts[hashes[r] & (len(counts)-1)]. The length of counts is a power of two.
func PartitionCounts(hashes []uint64, sel []int32, counts []int32) {
	mask := uint64(len(counts) - 1)
	for _, r := range sel {
		counts[hashes[r]&mask]++
	}
}

// PartitionScatter writes the members of sel to dst, part by part, in the order
// of sel within a part. starts holds where each part begins, and afterwards
// where it ends.
func PartitionScatter(hashes []uint64, sel []int32, starts, dst []int32) {
	mask := uint64(len(starts) - 1)
	for _, r := range sel {
		part := hashes[r] & mask
		dst[starts[part]] = r
		starts[part]++
	}
}
