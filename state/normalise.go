package state

import (
	"encoding/binary"
	"math"

	"github.com/flightd/flightd/kernels"
)

// The loops of this file add one key column to the words of a batch. The words
// of NULL values stay 0, whatever lies in the column there.

func addInts[U uint8 | uint16 | uint32 | uint64](k *Keys, p place, v *Vector, sel []int32) {
	vals, words, step := Values[U](v), k.words[p.word:], k.layout.words
	if v.Valid == nil && sel == nil {
		for i, x := range vals[:k.n] {
			words[i*step] |= uint64(x) << p.shift
		}
		return
	}
	for _, r := range k.rows(sel) {
		if v.IsValid(int(r)) {
			words[int(r)*step] |= uint64(vals[r]) << p.shift
		}
	}
}

func (k *Keys) addBits(p place, v *Vector, sel []int32) {
	words, step := k.words[p.word:], k.layout.words
	for _, r := range k.rows(sel) {
		if v.IsValid(int(r)) {
			words[int(r)*step] |= uint64(v.Data[r>>3]>>(r&7)&1) << p.shift
		}
	}
}

// Canonical NaNs: what Java's floatToIntBits and doubleToLongBits give.
const (
	nan32 = 0x7fc00000
	nan64 = 0x7ff8000000000000
)

func canonical32(f float32) uint32 {
	if f != f {
		return nan32
	}
	return math.Float32bits(f + 0) // -0 + 0 is 0
}

func canonical64(f float64) uint64 {
	if f != f {
		return nan64
	}
	return math.Float64bits(f + 0)
}

func (k *Keys) addFloat32(p place, v *Vector, sel []int32) {
	vals, words, step := Values[float32](v), k.words[p.word:], k.layout.words
	for _, r := range k.rows(sel) {
		if v.IsValid(int(r)) {
			words[int(r)*step] |= uint64(canonical32(vals[r])) << p.shift
		}
	}
}

func (k *Keys) addFloat64(p place, v *Vector, sel []int32) {
	vals, words, step := Values[float64](v), k.words[p.word:], k.layout.words
	for _, r := range k.rows(sel) {
		if v.IsValid(int(r)) {
			words[int(r)*step] = canonical64(vals[r])
		}
	}
}

func (k *Keys) addWide(p place, v *Vector, sel []int32) {
	vals, words, step := Values[Word16](v), k.words[p.word:], k.layout.words
	for _, r := range k.rows(sel) {
		if v.IsValid(int(r)) {
			words[int(r)*step], words[int(r)*step+1] = vals[r].Lo, vals[r].Hi
		}
	}
}

// inlineBytes is the longest text that is kept in its words: the last byte of the
// second word is the length, or longMark.
const (
	inlineBytes = 15
	longMark    = 0xff
)

func (k *Keys) addText(p place, v *Vector, sel []int32) {
	words, step, data := k.words[p.word:], k.layout.words, v.Data
	rows := k.rows(sel)
	if sel == nil && v.Valid == nil {
		k.others = sized(k.others, k.n)
		done, more := kernels.InlineTexts(words, step, v.Off[:k.n+1], data, k.others)
		for _, r := range k.others[:more] {
			k.addLongText(p, words, r, data, int(v.Off[r]), int(v.Off[r+1]))
		}
		rows = rows[done:]
	}
	for _, r := range rows {
		if !v.IsValid(int(r)) {
			continue
		}
		from, to := int(v.Off[r]), int(v.Off[r+1])
		if to-from > inlineBytes {
			k.addLongText(p, words, r, data, from, to)
			continue
		}
		lo, hi := inlineWords(data, from, to-from)
		words[int(r)*step], words[int(r)*step+1] = lo, hi
	}
}

// addLongText puts the hash of a long text where its bytes have no room.
func (k *Keys) addLongText(p place, words []uint64, r int32, data []byte, from, to int) {
	h1, h2 := k.hashText(data[from:to])
	at := int(r) * k.layout.words
	words[at], words[at+1] = h1, h2|longMark<<56
	k.addLong(p.text, r, data, from, to)
}

// inlineWords packs the n bytes at from, and n itself, into two words.
func inlineWords(data []byte, from, n int) (lo, hi uint64) {
	if from+16 <= len(data) {
		lo, hi = binary.LittleEndian.Uint64(data[from:]), binary.LittleEndian.Uint64(data[from+8:])
	} else {
		var b [16]byte
		copy(b[:], data[from:from+n])
		lo, hi = binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])
	}
	if n <= 8 {
		// A shift by 64 is 0 in Go, so n = 8 keeps all of lo and n = 0 nothing.
		return lo & (1<<(8*n) - 1), uint64(n) << 56
	}
	return lo, hi&(1<<(8*(n-8))-1) | uint64(n)<<56
}

func (k *Keys) hashText(b []byte) (uint64, uint64) {
	if k.weak {
		return 0, 0
	}
	return kernels.HashBytes(b, &k.seed)
}

func (k *Keys) addLong(text int, row int32, heap []byte, from, to int) {
	if k.longs == nil {
		k.longs, k.heaps = make([][]ref, k.layout.texts), make([][]byte, k.layout.texts)
	}
	if k.longs[text] == nil {
		k.longs[text], k.heaps[text] = k.freshLongs(text, k.n), heap
		clear(k.longs[text])
	}
	k.longs[text][row] = ref{off: uint64(from), n: uint32(to - from)}
}

// freshLongs returns room for n references, which hold what they hold.
func (k *Keys) freshLongs(text, n int) []ref {
	if k.longBufs == nil {
		k.longBufs = make([][]ref, k.layout.texts)
	}
	k.longBufs[text] = sized(k.longBufs[text], n)
	return k.longBufs[text]
}

// long returns the bytes of a long text of row, or nil if it is short.
func (k *Keys) long(text int, row int32) []byte {
	if k.longs == nil || k.longs[text] == nil {
		return nil
	}
	r := k.longs[text][row]
	if r.n == 0 {
		return nil
	}
	return k.heaps[text][r.off : r.off+uint64(r.n)]
}

// addNulls sets the bit of column i in the tags of the rows where it is NULL.
func (k *Keys) addNulls(i int, v *Vector, sel []int32) {
	if v.Valid == nil {
		return
	}
	for _, r := range k.rows(sel) {
		if !bit(v.Valid, int(r)) {
			k.hasNulls = true
			k.hashes[r] |= 1 << (32 + i)
		}
	}
}
