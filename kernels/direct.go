package kernels

// FindDirect finds rows by integer keys from a small range: rows[i] becomes
// ids[vals[i]-low]-1. Where that is not in ids, or 0, i goes to missing, which is
// as long as vals. It returns how many are missing.
func FindDirect[T ~int32 | ~int64](ids []int32, low int64, vals []T, rows, missing []int32) int {
	rows, missing = rows[:len(vals)], missing[:len(vals)]
	n := 0
	for i, x := range vals {
		if at := uint64(int64(x) - low); at < uint64(len(ids)) {
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

// FindDirectSel is FindDirect for the members of sel: rows[i] is that of
// vals[sel[i]].
func FindDirectSel[T ~int32 | ~int64](ids []int32, low int64, vals []T, sel, rows, missing []int32) int {
	rows, missing = rows[:len(sel)], missing[:len(sel)]
	n := 0
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
