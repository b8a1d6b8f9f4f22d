package agg

import (
	"encoding/binary"
	"math"
)

// compactWords is compact for entries whose values are words of 8 bytes, as those of
// numbers are, and reports whether they are.
func (a *tally) compactWords(g int32) bool {
	b := a.col.Get(g)
	before := len(b)
	var words []uint64
	var counts []int64
	var slots []int32
	for b = b[8:]; len(b) > 0; {
		if b[0] != 8 || len(b) < 10 {
			return false
		}
		x := binary.LittleEndian.Uint64(b[1:])
		n, w := binary.Uvarint(b[9:])
		b = b[9+w:]
		if 2*len(words) >= len(slots) {
			slots = wordSlots(words, max(1024, 4*len(words)))
		}
		at := wordSlot(slots, words, x)
		if slots[at] == 0 {
			words, counts = append(words, x), append(counts, 0)
			slots[at] = int32(len(words))
		}
		counts[slots[at]-1] += int64(n)
	}
	out := make([]byte, 8, 8+10*len(words))
	for i, x := range words {
		out = append(out, 8)
		out = binary.LittleEndian.AppendUint64(out, x)
		out = binary.AppendUvarint(out, uint64(counts[i]))
	}
	next := 2 * len(out)
	if 4*len(out) > 3*before {
		next *= 2 // hardly a value occurs twice: look less often
	}
	binary.LittleEndian.PutUint64(out, uint64(max(firstCompaction, next)))
	a.col.Set(g, out)
	return true
}

// wordSlots is a table of size slots, a power of two, for words; slot 0 is free, others
// hold a word's number from 1.
func wordSlots(words []uint64, size int) []int32 {
	slots := make([]int32, size)
	for i, x := range words {
		slots[wordSlot(slots, words, x)] = int32(i + 1)
	}
	return slots
}

func wordSlot(slots []int32, words []uint64, x uint64) uint32 {
	mask := uint32(len(slots) - 1)
	h := x * 0x9E3779B97F4A7C15
	at := uint32(h^h>>32) & mask
	for slots[at] != 0 && words[slots[at]-1] != x {
		at = (at + 1) & mask
	}
	return at
}

// orderWord maps a double to a word whose order is that of vec.CompareFloat: zeros are
// equal, and so are NaNs, the greatest.
func orderWord(x float64) uint64 {
	switch {
	case x != x:
		return math.MaxUint64
	case x == 0:
		return 1 << 63
	}
	b := math.Float64bits(x)
	if b>>63 == 1 {
		return ^b
	}
	return b | 1<<63
}

// sortTallied sorts by value; equal ones stay in their order.
func sortTallied(vals []tallied, descending bool) []tallied {
	flip := uint64(0)
	if descending {
		flip = math.MaxUint64
	}
	type entry struct {
		key uint64
		at  int32
	}
	from, to := make([]entry, len(vals)), make([]entry, len(vals))
	for i, v := range vals {
		from[i] = entry{orderWord(v.value) ^ flip, int32(i)}
	}
	for shift := 0; shift < 64; shift += 8 {
		var place [257]int
		for _, e := range from {
			place[e.key>>shift&0xff+1]++
		}
		if place[from[0].key>>shift&0xff+1] == len(from) {
			continue
		}
		for k := range 256 {
			place[k+1] += place[k]
		}
		for _, e := range from {
			k := e.key >> shift & 0xff
			to[place[k]] = e
			place[k]++
		}
		from, to = to, from
	}
	out := make([]tallied, len(vals))
	for i, e := range from {
		out[i] = vals[e.at]
	}
	return out
}
