package state

import (
	"math"
	"slices"
)

// A run is the rows of one sub-table in ascending order of something.
type run struct {
	rows  []int32
	order []int64
	split int
}

type ordered struct {
	order int64
	ref   Ref
}

// mergeRuns merges runs into one ascending list.
func mergeRuns(runs []run) []Ref {
	n, high := 0, int64(math.MinInt64)
	for _, r := range runs {
		if k := len(r.rows); k > 0 {
			n, high = n+k, max(high, r.order[k-1])
		}
	}
	refs := make([]Ref, n)
	to := n
	// The places of most rows lie close together; those of a few old ones do not.
	for to >= denseRows {
		low := high - int64(8*to)
		late := 0
		high = math.MinInt64
		for i, r := range runs {
			at, _ := slices.BinarySearch(r.order[:len(r.rows)], low)
			late += len(r.rows) - at
			runs[i].split = at
			if at > 0 {
				high = max(high, r.order[at-1])
			}
		}
		if late < to/2 || !scatter(refs[to-late:to], runs, low) {
			break
		}
		to -= late
		for i, r := range runs {
			runs[i].rows = r.rows[:r.split]
		}
	}
	mergePairs(refs[:to], runs)
	return refs
}

// denseRows is how many rows are worth an array of their places.
const denseRows = 1 << 10

// scatter fills refs with the rows of runs behind their splits, whose places are from
// low on. It reports false if two have the same.
func scatter(refs []Ref, runs []run, low int64) bool {
	high := low
	for _, r := range runs {
		if k := len(r.rows); k > r.split {
			high = max(high, r.order[k-1])
		}
	}
	// Sub-tables are numbered from 0, so a reference plus one in its lower half is
	// never 0.
	places := make([]uint64, high-low+1)
	for sub, r := range runs {
		for i := r.split; i < len(r.rows); i++ {
			p := &places[r.order[i]-low]
			if *p != 0 {
				return false
			}
			*p = uint64(uint32(sub))<<32 | uint64(uint32(r.rows[i])+1)
		}
	}
	n := 0
	for _, p := range places {
		if p != 0 {
			refs[n] = Ref{Sub: int32(p >> 32), Row: int32(uint32(p) - 1)}
			n++
		}
	}
	return true
}

// mergePairs merges runs two at a time.
func mergePairs(refs []Ref, runs []run) {
	items, ends := make([]ordered, 0, len(refs)), make([]int, 0, len(runs))
	for sub, r := range runs {
		if len(r.rows) == 0 {
			continue
		}
		for i, row := range r.rows {
			items = append(items, ordered{order: r.order[i], ref: Ref{Sub: int32(sub), Row: row}})
		}
		ends = append(ends, len(items))
	}
	spare := make([]ordered, len(items))
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
	for i := range refs {
		refs[i] = items[i].ref
	}
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

// pick takes, for each ref, the value of its row in the column of its sub-table.
func pick[T any](s *Sharded, refs []Ref, column func(t *Table) []T) []T {
	cols, out := make([][]T, len(s.subs)), make([]T, len(refs))
	for i, t := range s.subs {
		cols[i] = column(t)
	}
	for i, r := range refs {
		out[i] = cols[r.Sub][r.Row]
	}
	return out
}

// plainValue is Value for a column of eight bytes a value, none of them NULL.
func (s *Sharded) plainValue(i int, refs []Ref) (Vector, bool) {
	v := Vector{Kind: s.schema.Values[i].Kind, Len: len(refs)}
	switch v.Kind {
	case Int64:
		if s.wholeValue(i, len(refs), func(t *Table) *validity { return &t.values[i].(*Fixed[int64]).validity }) {
			v.Data = bytesOf(pick(s, refs, func(t *Table) []int64 { return t.values[i].(*Fixed[int64]).data }))
		}
	case Float64:
		if s.wholeValue(i, len(refs), func(t *Table) *validity { return &t.values[i].(*Fixed[float64]).validity }) {
			v.Data = bytesOf(pick(s, refs, func(t *Table) []float64 { return t.values[i].(*Fixed[float64]).data }))
		}
	}
	return v, v.Data != nil
}

// wholeValue reports whether column i has no NULL, and it costs little beside n values
// to see that.
func (s *Sharded) wholeValue(i, n int, of func(t *Table) *validity) bool {
	if !s.schema.Values[i].Nullable {
		return true
	}
	rows := 0
	for _, t := range s.subs {
		if rows += t.n; rows>>6 > n || !of(t).whole() {
			return false
		}
	}
	return true
}

// plainKey is Key for a column that is a word of its own, where no key has a NULL.
func (s *Sharded) plainKey(i int, refs []Ref) (Vector, bool) {
	l := s.layout
	v := Vector{Kind: s.schema.Keys[i].Kind, Len: len(refs)}
	if l.encoded() || v.Kind != Int64 && v.Kind != Float64 {
		return v, false
	}
	cols := make([][]uint64, len(s.subs))
	for j, t := range s.subs {
		if t.nulls != nil {
			return v, false
		}
		cols[j] = t.words[min(l.places[i].word, len(t.words)):]
	}
	out := make([]uint64, len(refs))
	for j, r := range refs {
		out[j] = cols[r.Sub][int(r.Row)*l.words]
	}
	v.Data = bytesOf(out)
	return v, true
}
