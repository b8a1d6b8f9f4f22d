package state

import "github.com/flightd/flightd/kernels"

// codedWords is the words of the values of a dictionary, and their hashes where
// they are a key of their own.
type codedWords struct {
	of     *Vector
	words  [][2]uint64
	hashes []uint64
	// longs says that there is a value that does not fit into its words.
	longs bool
}

// wordsOf returns the words of the values of dict, the dictionary of key column i.
func (k *Keys) wordsOf(i int, dict *Vector) *codedWords {
	if k.dicts == nil {
		k.dicts = make([]codedWords, len(k.layout.fields))
	}
	d := &k.dicts[i]
	if d.of == dict {
		return d
	}
	*d = codedWords{of: dict, words: sized(d.words, dict.Len), hashes: d.hashes[:0]}
	for j := range d.words {
		from, to := int(dict.Off[j]), int(dict.Off[j+1])
		var lo, hi uint64
		if to-from > inlineBytes {
			lo, hi = k.hashText(dict.Data[from:to])
			hi |= longMark << 56
			d.longs = true
		} else {
			lo, hi = inlineWords(dict.Data, from, to-from)
		}
		d.words[j] = [2]uint64{lo, hi}
	}
	return d
}

// addCoded adds coded key column i to the words.
func (k *Keys) addCoded(i int, v *Vector, sel []int32) {
	p, d := k.layout.places[i], k.wordsOf(i, v.Dict)
	words, step, codes := k.words[p.word:], k.layout.words, Values[int32](v)
	if sel == nil && v.Valid == nil {
		for r, c := range codes[:k.n] {
			w, to := &d.words[c], words[r*step:]
			to[0], to[1] = w[0], w[1]
		}
	} else {
		for _, r := range k.rows(sel) {
			if v.IsValid(int(r)) {
				w, to := &d.words[codes[r]], words[int(r)*step:]
				to[0], to[1] = w[0], w[1]
			}
		}
	}
	k.addCodedLongs(p, d, v, sel)
}

// addCodedLongs says where the bytes of the long ones of a coded column are.
func (k *Keys) addCodedLongs(p place, d *codedWords, v *Vector, sel []int32) {
	if !d.longs {
		return
	}
	codes := Values[int32](v)
	for _, r := range k.rows(sel) {
		if !v.IsValid(int(r)) {
			continue
		}
		if c := codes[r]; d.words[c][1]>>56 == longMark {
			k.addLong(p.text, r, d.of.Data, int(d.of.Off[c]), int(d.of.Off[c+1]))
		}
	}
}

// oneCoded makes words and hashes of a key that is one coded column, without a
// NULL among its rows.
func (k *Keys) oneCoded(cols []Vector, sel []int32) bool {
	if len(cols) != 1 || cols[0].Dict == nil || cols[0].Valid != nil {
		return false
	}
	v := &cols[0]
	d := k.wordsOf(0, v.Dict)
	if len(d.hashes) < len(d.words) {
		d.hashes = sized(d.hashes, len(d.words))
		kernels.HashKeys(d.hashes, d.words, &k.seed)
		for i := range d.hashes {
			d.hashes[i] &^= k.layout.nullMask << 32
		}
	}
	k.wordBuf = sized(k.wordBuf, 2*k.n)
	k.words = k.wordBuf
	words, codes, hashes := kernels.KeysOf[[2]uint64](k.words), Values[int32](v), k.hashes
	if sel == nil {
		words, hashes = words[:k.n], hashes[:k.n]
		for r, c := range codes[:k.n] {
			words[r], hashes[r] = d.words[c], d.hashes[c]
		}
	} else {
		for _, r := range sel {
			c := codes[r]
			words[r], hashes[r] = d.words[c], d.hashes[c]
		}
	}
	k.addCodedLongs(k.layout.places[0], d, v, sel)
	return true
}

// uncoded returns cols with the texts of n rows in place of codes.
func uncoded(cols []Vector, n int) []Vector {
	var out []Vector
	for i := range cols {
		v := &cols[i]
		if v.Dict == nil {
			continue
		}
		if out == nil {
			out = append(out, cols...)
		}
		flat := Vector{Kind: Bytes, Len: n, Valid: v.Valid, Off: make([]int32, n+1)}
		for r, c := range Values[int32](v)[:n] {
			if v.IsValid(r) {
				flat.Data = append(flat.Data, v.Dict.At(int(c))...)
			}
			flat.Off[r+1] = int32(len(flat.Data))
		}
		out[i] = flat
	}
	if out == nil {
		return cols
	}
	return out
}
