package kernels

// FindDirect finds rows by integer keys from a small range: rows[i] becomes
// ids[x-low]-1, where x is vals[sel[i]], or vals[i] if sel is nil. Where that is
// not in ids, or 0, i goes to missing, which is as long as rows. It returns how
// many are missing.
func FindDirect[T ~int32 | ~int64](ids []int32, low int64, vals []T, sel, rows, missing []int32) int {
	missing = missing[:len(rows)]
	n := 0
	if sel == nil {
		vals = vals[:len(rows)]
		for i := range rows {
			if at := uint64(int64(vals[i]) - low); at < uint64(len(ids)) {
				id := ids[at]
				rows[i] = id - 1
				if id != 0 {
					continue
				}
			}
			missing[n] = int32(i)
			n++
		}
		return n
	}
	sel = sel[:len(rows)]
	for i, r := range sel {
		if at := uint64(int64(vals[r]) - low); at < uint64(len(ids)) {
			id := ids[at]
			rows[i] = id - 1
			if id != 0 {
				continue
			}
		}
		missing[n] = int32(i)
		n++
	}
	return n
}

// outside is more than any place of FindPlaces, and stays so in a sum of some.
const outside = 1 << 40

// AddPlaces adds to at[i], which counts as 0 with fresh, the place of a key column's
// value in an array: its distance from low times stride, or a number beyond all places
// if it is not below size.
func AddPlaces[T ~int32 | ~int64](at []uint64, fresh bool, low int64, size, stride uint64, vals []T, sel []int32) {
	keep := ^uint64(0)
	if fresh {
		keep = 0
	}
	if sel == nil {
		vals = vals[:len(at)]
		for i, v := range vals {
			x := uint64(int64(v) - low)
			if x >= size {
				x = outside
			}
			at[i] = at[i]&keep + x*stride
		}
		return
	}
	sel = sel[:len(at)]
	for i, r := range sel {
		x := uint64(int64(vals[r]) - low)
		if x >= size {
			x = outside
		}
		at[i] = at[i]&keep + x*stride
	}
}

// FindPlaces is FindDirect with the places in ids themselves.
func FindPlaces(ids []int32, at []uint64, rows, missing []int32) int {
	at, missing = at[:len(rows)], missing[:len(rows)]
	n := 0
	for i, p := range at {
		if p < uint64(len(ids)) {
			id := ids[p]
			rows[i] = id - 1
			if id != 0 {
				continue
			}
		}
		missing[n] = int32(i)
		n++
	}
	return n
}

// LookupDirect is FindDirect for keys that are not to be added: rows[i] becomes
// -1 where there is none.
func LookupDirect[T ~int32 | ~int64](ids []int32, low int64, vals []T, sel, rows []int32) {
	rows = rows[:len(sel)]
	for i, r := range sel {
		id := int32(0)
		if at := uint64(int64(vals[r]) - low); at < uint64(len(ids)) {
			id = ids[at]
		}
		rows[i] = id - 1
	}
}
