package state

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
)

// Keys are the keys of the rows of one record batch, normalised: made once, then
// looked up in any table with the same key columns and seed. A Keys is scratch:
// Normalise overwrites it.
type Keys struct {
	layout *layout
	seed   kernels.HashSeed
	n      int
	// words has layout.words words a row; hashes has one. The low bits of a
	// hash's upper half say which key columns are NULL.
	words  []uint64
	hashes []uint64
	// longs has, for each text of the layout, where the bytes of long values are;
	// nil if this batch has none. Rows with a short value have n 0.
	longs    [][]ref
	heaps    [][]byte
	hasNulls bool
	// ordinals number the rows where their index does not, and so do places.
	ordinals []int64
	places   []int32
	// buffers that are kept between batches
	wordBuf []uint64
	encoded []byte
	encOff  []int32
	all     []int32
	others  []int32
	// longBufs and heapBufs are the memory of longs, and of heaps where they are
	// this Keys' own.
	longBufs [][]ref
	heapBufs [][]byte
	// dicts has, for each key column, what is known of the last dictionary.
	dicts []codedWords
	// weak makes the hashes of long values collide; for tests.
	weak bool
}

// NewKeys returns an empty Keys for tables with these key columns and seed.
func NewKeys(fields []Field, seed uint64) *Keys {
	return &Keys{layout: newLayout(fields), seed: kernels.NewHashSeed(seed)}
}

// Len returns the number of rows of the batch, selected or not.
func (k *Keys) Len() int { return k.n }

// Normalise takes the key columns of a record batch of n rows. Only rows of sel
// (ascending; nil means all) may be looked up afterwards. It keeps references to
// cols until the next call.
//
// -0.0 becomes 0.0 and every NaN the same NaN, as in GROUP BY.
func (k *Keys) Normalise(cols []Vector, n int, sel []int32) error {
	l := k.layout
	if len(cols) != len(l.fields) {
		return base.Errorf(base.CodeInternal, "normalising keys: %d columns, want %d", len(cols), len(l.fields))
	}
	for i := range cols {
		if cols[i].Kind != l.fields[i].Kind || cols[i].Len < n {
			return base.Errorf(base.CodeInternal, "normalising key %s: %d rows of %s, want %d of %s",
				l.fields[i].Name, cols[i].Len, cols[i].Kind, n, l.fields[i].Kind)
		}
	}
	k.n = n
	k.longs, k.heaps, k.hasNulls, k.ordinals, k.places = nil, nil, false, nil, nil
	k.hashes = sized(k.hashes, n)
	if n == 0 {
		k.words = nil
		return nil
	}
	if l.encoded() {
		cols = uncoded(cols, n)
		k.words = k.fresh(n)
		k.encode(cols, n, sel)
		enc := Vector{Kind: Bytes, Len: n, Data: k.encoded, Off: k.encOff}
		k.addText(place{}, &enc, sel)
		k.hash(sel)
		return nil
	}
	if k.alias(cols, n, sel) {
		k.hash(sel)
		return nil
	}
	if k.oneCoded(cols, sel) {
		k.addNulls(0, &cols[0], sel)
		return nil
	}
	if len(cols) == 1 && l.words == 2 && cols[0].Valid == nil && sel == nil { // nothing is left out
		k.wordBuf = sized(k.wordBuf, 2*n)
		k.words = k.wordBuf
	} else {
		k.words = k.fresh(n)
	}
	for i := range cols {
		if cols[i].Dict != nil {
			k.addCoded(i, &cols[i], sel)
			continue
		}
		switch p := l.places[i]; l.fields[i].Kind {
		case Bool:
			k.addBits(p, &cols[i], sel)
		case Int8:
			addInts[uint8](k, p, &cols[i], sel)
		case Int16:
			addInts[uint16](k, p, &cols[i], sel)
		case Int32:
			addInts[uint32](k, p, &cols[i], sel)
		case Int64:
			addInts[uint64](k, p, &cols[i], sel)
		case Float32:
			k.addFloat32(p, &cols[i], sel)
		case Float64:
			k.addFloat64(p, &cols[i], sel)
		case Wide:
			k.addWide(p, &cols[i], sel)
		case Bytes:
			k.addText(p, &cols[i], sel)
		}
	}
	k.hash(sel)
	for i := range cols {
		k.addNulls(i, &cols[i], sel)
	}
	return nil
}

// alias uses the column itself as the words, which is possible for one column of
// 64-bit integers without NULLs.
func (k *Keys) alias(cols []Vector, n int, sel []int32) bool {
	if len(cols) != 1 || cols[0].Kind != Int64 || cols[0].Valid != nil {
		return false
	}
	k.words = Values[uint64](&cols[0])[:n]
	return true
}

// fresh returns zeroed words for n rows.
func (k *Keys) fresh(n int) []uint64 {
	k.wordBuf = sized(k.wordBuf, n*k.layout.words)
	clear(k.wordBuf)
	return k.wordBuf
}

func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

func (k *Keys) hash(sel []int32) {
	switch k.layout.words {
	case 1:
		hashKeys[[1]uint64](k, sel)
	case 2:
		hashKeys[[2]uint64](k, sel)
	case 3:
		hashKeys[[3]uint64](k, sel)
	case 4:
		hashKeys[[4]uint64](k, sel)
	case 5:
		hashKeys[[5]uint64](k, sel)
	case 6:
		hashKeys[[6]uint64](k, sel)
	}
}

func hashKeys[K kernels.Key](k *Keys, sel []int32) {
	if sel == nil && k.layout.words == 2 {
		kernels.HashPairs(k.hashes, kernels.KeysOf[[2]uint64](k.words), &k.seed, ^(k.layout.nullMask << 32))
		return
	}
	if sel == nil {
		kernels.HashKeys(k.hashes, kernels.KeysOf[K](k.words), &k.seed)
	} else {
		kernels.HashKeysSel(k.hashes, kernels.KeysOf[K](k.words), sel, &k.seed)
	}
	mask := k.layout.nullMask << 32
	if mask == 0 {
		return
	}
	if sel == nil {
		for i := range k.hashes {
			k.hashes[i] &^= mask
		}
		return
	}
	for _, r := range sel {
		k.hashes[r] &^= mask
	}
}

// Number gives the rows ordinals, ascending, instead of their index: what a kept
// table orders changes and new keys by. They are good until the next Normalise.
func (k *Keys) Number(ordinals []int64) { k.ordinals = ordinals }

// NumberByPlace gives the rows their places in another batch as ordinals: Number for
// what Gather has made.
func (k *Keys) NumberByPlace(places []int32) { k.places = places }

func (k *Keys) ordinal(row int32) int64 {
	switch {
	case k.places != nil:
		return int64(k.places[row])
	case k.ordinals != nil:
		return k.ordinals[row]
	}
	return int64(row)
}

// Split sorts the rows of sel (nil: all) by parts of the key's hash, of which
// there are a power of two: those of part i are rows[ends[i-1]:ends[i]], in the
// order of sel. A Sharded of as many sub-tables has the same parts. The slices
// are used if they have the room; ends is as long as parts.
func (k *Keys) Split(sel []int32, parts int, rows, ends []int32) ([]int32, []int32) {
	sel = k.rows(sel)
	rows, ends = sized(rows, len(sel)), sized(ends, parts)
	clear(ends)
	kernels.PartitionCounts(k.hashes, sel, ends)
	sum := int32(0)
	for i, c := range ends {
		ends[i] = sum
		sum += c
	}
	kernels.PartitionScatter(k.hashes, sel, ends, rows)
	return rows, ends
}

// Gather makes dst the keys of rows, in their order, in memory of its own.
func (k *Keys) Gather(rows []int32, dst *Keys) {
	w := k.layout.words
	dst.layout, dst.seed, dst.n, dst.hasNulls = k.layout, k.seed, len(rows), k.hasNulls
	dst.longs, dst.heaps, dst.ordinals, dst.places = nil, nil, nil, nil
	dst.hashes, dst.wordBuf = sized(dst.hashes, len(rows)), sized(dst.wordBuf, len(rows)*w)
	dst.words = dst.wordBuf
	for i, r := range rows {
		dst.hashes[i] = k.hashes[r]
	}
	switch w {
	case 1:
		gatherWords[[1]uint64](dst.words, k.words, rows)
	case 2:
		gatherWords[[2]uint64](dst.words, k.words, rows)
	case 3:
		gatherWords[[3]uint64](dst.words, k.words, rows)
	case 4:
		gatherWords[[4]uint64](dst.words, k.words, rows)
	case 5:
		gatherWords[[5]uint64](dst.words, k.words, rows)
	case 6:
		gatherWords[[6]uint64](dst.words, k.words, rows)
	}
	if k.longs == nil {
		return
	}
	dst.longs, dst.heaps = make([][]ref, len(k.longs)), make([][]byte, len(k.heaps))
	for t, refs := range k.longs {
		if refs != nil {
			dst.gatherLongs(t, refs, k.heaps[t], rows)
		}
	}
}

// gatherLongs copies the long ones of rows of text t, whose bytes are in heap.
func (k *Keys) gatherLongs(t int, refs []ref, heap []byte, rows []int32) {
	to, total := k.freshLongs(t, len(rows)), 0
	for i, r := range rows {
		to[i] = ref{off: uint64(total), n: refs[r].n}
		total += int(refs[r].n)
	}
	if k.heapBufs == nil {
		k.heapBufs = make([][]byte, k.layout.texts)
	}
	k.heapBufs[t] = sized(k.heapBufs[t], total)
	own := k.heapBufs[t]
	for i, r := range rows {
		if at := refs[r]; at.n > 0 {
			copy(own[to[i].off:], heap[at.off:at.off+uint64(at.n)])
		}
	}
	k.longs[t], k.heaps[t] = to, own
}

func gatherWords[K kernels.Key](dst, src []uint64, rows []int32) {
	to, from := kernels.KeysOf[K](dst), kernels.KeysOf[K](src)
	to = to[:len(rows)]
	for i, r := range rows {
		to[i] = from[r]
	}
}

// rows returns sel, or all rows if it is nil. The result must not be written.
func (k *Keys) rows(sel []int32) []int32 {
	if sel != nil {
		return sel
	}
	for i := len(k.all); i < k.n; i++ {
		k.all = append(k.all, int32(i))
	}
	return k.all[:k.n]
}

// nulls returns which key columns of row are NULL, one bit each.
func (k *Keys) nulls(row int32) uint8 {
	return uint8(k.hashes[row] >> 32 & k.layout.nullMask)
}
