package agg

import (
	"encoding/binary"

	"github.com/flightd/flightd/state"
)

// tally counts how often each value was seen: what exact percentiles and mode
// need. A group's value is
//
//	8 bytes: the length at which it is compacted next
//	entries: uvarint length, encoded value, uvarint count
//
// in which a value may occur several times until it is compacted. So memory
// follows the number of distinct values.
type tally struct {
	col *state.BytesColumn
	buf []byte
}

const firstCompaction = 4096

func (a *tally) count(g int32, value []byte, n int64) {
	a.buf = appendEntry(a.buf[:0], value, n)
	a.add(g, a.buf)
}

func appendEntry(dst, value []byte, n int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	dst = append(dst, value...)
	return binary.AppendUvarint(dst, uint64(n))
}

// add adds entries to those of group g.
func (a *tally) add(g int32, entries []byte) {
	if len(a.col.Get(g)) == 0 {
		a.col.Set(g, binary.LittleEndian.AppendUint64(nil, firstCompaction))
	}
	a.col.Append(g, entries)
	if b := a.col.Get(g); uint64(len(b)) >= binary.LittleEndian.Uint64(b) {
		a.compact(g)
	}
}

// each calls f for the entries of group g.
func (a *tally) each(g int32, f func(value []byte, n int64)) {
	b := a.col.Get(g)
	if len(b) == 0 {
		return
	}
	for b = b[8:]; len(b) > 0; {
		n, w := binary.Uvarint(b)
		value := b[w : w+int(n)]
		b = b[w+int(n):]
		n, w = binary.Uvarint(b)
		b = b[w:]
		f(value, int64(n))
	}
}

// compact adds up the entries of equal values, in the order of their first.
func (a *tally) compact(g int32) {
	if a.compactWords(g) {
		return
	}
	counts := map[string]int64{}
	var order []string
	a.each(g, func(value []byte, n int64) {
		if _, ok := counts[string(value)]; !ok {
			order = append(order, string(value))
		}
		counts[string(value)] += n
	})
	out := make([]byte, 8)
	for _, v := range order {
		out = binary.AppendUvarint(out, uint64(len(v)))
		out = append(out, v...)
		out = binary.AppendUvarint(out, uint64(counts[v]))
	}
	binary.LittleEndian.PutUint64(out, uint64(max(firstCompaction, 2*len(out))))
	a.col.Set(g, out)
}

func (a *tally) merge(dst []int32, o *tally, src []int32) {
	for i, g := range dst {
		if b := o.col.Get(src[i]); len(b) > 8 {
			a.add(g, b[8:])
		}
	}
}
