package state

// A run is the rows of one sub-table in ascending order of something.
type run struct {
	rows  []int32
	order []int64
}

type ordered struct {
	order int64
	ref   Ref
}

// mergeRuns merges runs into one ascending list, two at a time.
func mergeRuns(runs []run) []Ref {
	n := 0
	for _, r := range runs {
		n += len(r.rows)
	}
	items, ends := make([]ordered, 0, n), make([]int, 0, len(runs))
	for sub, r := range runs {
		if len(r.rows) == 0 {
			continue
		}
		for i, row := range r.rows {
			items = append(items, ordered{order: r.order[i], ref: Ref{Sub: int32(sub), Row: row}})
		}
		ends = append(ends, len(items))
	}
	if refs := scattered(items); refs != nil {
		return refs
	}
	spare := make([]ordered, n)
	for len(ends) > 1 {
		from, kept := 0, ends[:0]
		for i := 0; i < len(ends); i += 2 {
			mid := ends[i]
			to := mid
			if i+1 < len(ends) {
				to = ends[i+1]
			}
			merge(spare[from:to], items[from:mid], items[mid:to])
			from, kept = to, append(kept, to)
		}
		items, spare, ends = spare, items, kept
	}
	refs := make([]Ref, n)
	for i := range items[:n] {
		refs[i] = items[i].ref
	}
	return refs
}

// scattered puts items into order by their places, where these lie close
// together and no two are the same; else it returns nil.
func scattered(items []ordered) []Ref {
	if len(items) < 1<<10 {
		return nil
	}
	low, high := items[0].order, items[0].order
	for _, it := range items {
		low, high = min(low, it.order), max(high, it.order)
	}
	if high-low >= int64(8*len(items)) {
		return nil
	}
	// Sub-tables are numbered from 0, so a reference plus one in its lower half is
	// never 0.
	places := make([]uint64, high-low+1)
	for _, it := range items {
		p := &places[it.order-low]
		if *p != 0 {
			return nil
		}
		*p = uint64(uint32(it.ref.Sub))<<32 | uint64(uint32(it.ref.Row)+1)
	}
	refs := make([]Ref, 0, len(items))
	for _, p := range places {
		if p != 0 {
			refs = append(refs, Ref{Sub: int32(p >> 32), Row: int32(uint32(p) - 1)})
		}
	}
	return refs
}

func merge(dst, a, b []ordered) {
	for i := range dst {
		if len(b) == 0 || len(a) > 0 && a[0].order <= b[0].order {
			dst[i], a = a[0], a[1:]
		} else {
			dst[i], b = b[0], b[1:]
		}
	}
}

// gather collects one column of refs: from each sub-table at once, then into the
// order of refs.
func (s *Sharded) gather(refs []Ref, kind Kind, from func(*Table, []int32) (Vector, error)) (Vector, error) {
	rows := make([][]int32, len(s.subs))
	subs := 0
	for _, r := range refs {
		if rows[r.Sub] == nil {
			subs++
		}
		rows[r.Sub] = append(rows[r.Sub], r.Row)
	}
	parts := make([]Vector, len(s.subs))
	for i := range parts {
		if rows[i] == nil {
			continue
		}
		var err error
		if parts[i], err = from(s.subs[i], rows[i]); err != nil {
			return Vector{}, err
		}
		if subs == 1 {
			return parts[i], nil
		}
	}
	return interleave(kind, parts, refs), nil
}

// interleave takes, for each ref in turn, the next value of its sub-table's part.
func interleave(kind Kind, parts []Vector, refs []Ref) Vector {
	out := Vector{Kind: kind, Len: len(refs), Valid: interleaveValid(parts, refs)}
	next := make([]int, len(parts))
	switch kind {
	case Bool:
		out.Data = make([]byte, (len(refs)+7)/8)
		for i, r := range refs {
			if bit(parts[r.Sub].Data, next[r.Sub]) {
				setBit(out.Data, i)
			}
			next[r.Sub]++
		}
	case Bytes:
		out.Off = make([]int32, len(refs)+1)
		n := 0
		for i := range parts {
			n += len(parts[i].Data)
		}
		out.Data = make([]byte, 0, n)
		for i, r := range refs {
			out.Data = append(out.Data, parts[r.Sub].At(next[r.Sub])...)
			out.Off[i+1] = int32(len(out.Data))
			next[r.Sub]++
		}
	default:
		switch kind.width() {
		case 1:
			out.Data = interleaveFixed[uint8](parts, refs, next)
		case 2:
			out.Data = interleaveFixed[uint16](parts, refs, next)
		case 4:
			out.Data = interleaveFixed[uint32](parts, refs, next)
		case 8:
			out.Data = interleaveFixed[uint64](parts, refs, next)
		case 16:
			out.Data = interleaveFixed[Word16](parts, refs, next)
		}
	}
	return out
}

func interleaveFixed[T any](parts []Vector, refs []Ref, next []int) []byte {
	vals := make([][]T, len(parts))
	for i := range parts {
		vals[i] = Values[T](&parts[i])
	}
	out := make([]T, len(refs))
	for i, r := range refs {
		out[i] = vals[r.Sub][next[r.Sub]]
		next[r.Sub]++
	}
	return bytesOf(out)
}

func interleaveValid(parts []Vector, refs []Ref) []byte {
	nulls := false
	for i := range parts {
		nulls = nulls || parts[i].Valid != nil
	}
	if !nulls {
		return nil
	}
	next, out := make([]int, len(parts)), make([]byte, (len(refs)+7)/8)
	for i, r := range refs {
		if parts[r.Sub].IsValid(next[r.Sub]) {
			setBit(out, i)
		}
		next[r.Sub]++
	}
	return out
}
