package state

import (
	"bytes"
	"math/bits"
	"slices"
	"sort"
)

// Of a large epoch, new rows and removed rows mostly lie close together in the order
// of their ordinals, and so do their times. In that order the differences of neighbours
// are small, and compress to little; sub-table by sub-table they would not. So where
// they are dense they are written by ranges of ordinals, several at a time.

const (
	// denseRange is how many ordinals a range has.
	denseRange = blockRows
	// denseSpan is in how many ordinals one row must be.
	denseSpan = 8
)

// ranges are the ordinals from low to high, cut into ranges.
type ranges struct{ low, high int64 }

// dense returns the ranges of orders, which hold the ordinals of each sub-table's rows,
// ascending, unless there are too few.
func dense(orders [][]int64) (ranges, bool) {
	r, n := ranges{}, 0
	for _, o := range orders {
		if len(o) == 0 {
			continue
		}
		if !slices.IsSorted(o) {
			return r, false
		}
		if n == 0 {
			r = ranges{o[0], o[len(o)-1]}
		}
		r.low, r.high = min(r.low, o[0]), max(r.high, o[len(o)-1])
		n += len(o)
	}
	// The span wraps around if it is wider than half of all numbers.
	span := r.high - r.low
	return r, n > manyChanges && span >= 0 && span < int64(denseSpan*n)
}

func (r ranges) count() int { return int((r.high-r.low)/denseRange) + 1 }

// of returns the members of order, ascending, that lie in range i, by their index,
// and where the range begins.
func (r ranges) of(i int, order []int64) (from, to int, low int64) {
	low = r.low + int64(i)*denseRange
	from = sort.Search(len(order), func(j int) bool { return order[j] >= low })
	to = from + sort.Search(len(order)-from, func(j int) bool { return order[from+j]-low >= denseRange })
	return from, to, low
}

// denseChanges returns the ranges of the changed rows, where nearly all are new ones:
// those lie in their sub-table in the order in which they came.
func (s *Sharded) denseChanges() (ranges, bool) {
	orders, fresh, n := make([][]int64, len(s.subs)), 0, 0
	for i, t := range s.subs {
		for _, row := range t.Changed() {
			if int(row) >= t.old {
				fresh++
			}
		}
		orders[i] = t.touched
		n += len(t.changed)
	}
	if fresh < n-n/8 {
		return ranges{}, false
	}
	return dense(orders)
}

// rangeRefs returns the changed rows of range i, in their order; false if two have the
// same ordinal.
func (s *Sharded) rangeRefs(r ranges, i int) ([]Ref, bool) {
	// Sub-tables are numbered from 0, so a reference plus one in its lower half is
	// never 0.
	places, n := make([]uint64, denseRange), 0
	for sub, t := range s.subs {
		from, to, low := r.of(i, t.touched)
		for j, row := range t.changed[from:to] {
			p := &places[t.touched[from+j]-low]
			if *p != 0 {
				return nil, false
			}
			*p = uint64(sub)<<32 | uint64(uint32(row)+1)
		}
		n += to - from
	}
	refs := make([]Ref, 0, n)
	for _, p := range places {
		if p != 0 {
			refs = append(refs, Ref{Sub: int32(p >> 32), Row: int32(uint32(p) - 1)})
		}
	}
	return refs, true
}

// denseNumbers returns the numbers of the removed rows of range i; numbers are those of
// each sub-table.
func denseNumbers(r ranges, i int, numbers [][]int64) []int64 {
	var is [denseRange / 64]uint64
	n := 0
	for _, order := range numbers {
		from, to, low := r.of(i, order)
		for _, number := range order[from:to] {
			is[(number-low)>>6] |= 1 << ((number - low) & 63)
		}
		n += to - from
	}
	out := make([]int64, 0, n)
	for w, word := range is {
		for ; word != 0; word &= word - 1 {
			out = append(out, r.low+int64(i)*denseRange+int64(w)*64+int64(bits.TrailingZeros64(word)))
		}
	}
	return out
}

// writeDense writes the changed rows, or those that were removed, if they are dense.
func (f *frameWriter) writeDense(typ uint8, table int, s *Sharded, workers int) (bool, error) {
	if typ == frameGone {
		numbers := make([][]int64, len(s.subs))
		for i, t := range s.subs {
			numbers[i] = t.goneNumbers()
		}
		r, ok := dense(numbers)
		if !ok {
			return false, nil
		}
		return true, f.writeMade(typ, table, workers, r.count(), func(i int, buf *bytes.Buffer, each func(block []byte, rows int) error) error {
			return numberBlocks(buf, denseNumbers(r, i, numbers), each)
		})
	}
	r, ok := s.denseChanges()
	if !ok {
		return false, nil
	}
	refs, same := make([][]Ref, r.count()), make([]bool, r.count())
	inTurn(workers, len(refs), func(i int) { refs[i], same[i] = s.rangeRefs(r, i) })
	if slices.Contains(same, false) {
		return false, nil
	}
	return true, f.writeMade(typ, table, workers, len(refs), func(i int, buf *bytes.Buffer, each func(block []byte, rows int) error) error {
		return s.refBlocks(buf, refs[i], each)
	})
}

// refBlocks makes blocks of refs, of bounded size, in buf.
func (s *Sharded) refBlocks(buf *bytes.Buffer, refs []Ref, each func(block []byte, rows int) error) error {
	fields, fixed := blockFields(s.schema, true), s.rowSize()
	for len(refs) > 0 {
		n := cutBlock(len(refs), fixed, func(i int) int {
			t := s.subs[refs[i].Sub]
			return t.rowBytes(t.layout, refs[i].Row)
		})
		block := refs[:n]
		refs = refs[n:]
		cols := []Vector{{Kind: Int64, Len: n, Data: bytesOf(s.Numbers(block))}}
		for i := range s.schema.Keys {
			v, err := s.Key(i, block)
			if err != nil {
				return err
			}
			cols = append(cols, v)
		}
		for i := range s.schema.Values {
			v, err := s.Value(i, block)
			if err != nil {
				return err
			}
			cols = append(cols, v)
		}
		buf.Reset()
		if err := encodeBlock(buf, fields, cols); err != nil {
			return err
		}
		if err := each(buf.Bytes(), n); err != nil {
			return err
		}
	}
	return nil
}
