package state

// rows are the rows of a table, column by column, without the index.
type rows struct {
	n int
	// words holds the normalised keys, row-major. It is longer than n rows: the
	// rest is room.
	words []uint64
	// nulls says which key columns are NULL; nil until there is one.
	nulls []uint8
	// texts holds, for each text of the layout, the bytes of long values; nil until
	// there is one.
	texts []*BytesColumn
	// numbers are the row numbers and epochs the epoch words; nil in a table that
	// is not kept.
	numbers []int64
	epochs  []uint32
	values  []Column
}

// deadEpoch is the epoch word of a removed row. Its key stays until the epoch
// ends, for the changelog, and its row until the table is compacted.
const deadEpoch = ^uint32(0)

func (r *rows) alive(row int32) bool { return r.epochs == nil || r.epochs[row] != deadEpoch }

// live returns the rows that are not removed, ascending.
func (r *rows) live() []int32 {
	out := make([]int32, 0, r.n)
	for i := range int32(r.n) {
		if r.alive(i) {
			out = append(out, i)
		}
	}
	return out
}

// reorder keeps exactly keep, in its order: in new memory, or in place, which is
// possible if they ascend.
func (r *rows) reorder(keep []int32, wordsPerKey int, inPlace bool) {
	if inPlace {
		for i, row := range keep {
			copy(r.words[i*wordsPerKey:(i+1)*wordsPerKey], r.words[int(row)*wordsPerKey:])
		}
	} else {
		words := make([]uint64, 0, len(keep)*wordsPerKey)
		for _, i := range keep {
			words = append(words, r.words[int(i)*wordsPerKey:(int(i)+1)*wordsPerKey]...)
		}
		r.words = words
	}
	r.nulls = kept(r.nulls, keep, inPlace)
	r.numbers = kept(r.numbers, keep, inPlace)
	r.epochs = kept(r.epochs, keep, inPlace)
	for _, t := range r.texts {
		if t != nil {
			t.reorder(keep, inPlace)
		}
	}
	for _, v := range r.values {
		v.reorder(keep, inPlace)
	}
	r.n = len(keep)
}

// kept returns the values of keep, in new memory or in that of s.
func kept[T any](s []T, keep []int32, inPlace bool) []T {
	if !inPlace || s == nil {
		return taken(s, keep)
	}
	for i, r := range keep {
		s[i] = s[r]
	}
	return s[:len(keep)]
}

func taken[T any](s []T, keep []int32) []T {
	if s == nil {
		return nil
	}
	out := make([]T, len(keep))
	for i, r := range keep {
		out[i] = s[r]
	}
	return out
}

func (r *rows) memBytes() int64 {
	sum := memOf(r.words) + memOf(r.nulls) + memOf(r.numbers) + memOf(r.epochs)
	for _, t := range r.texts {
		if t != nil {
			sum += t.MemBytes()
		}
	}
	for _, v := range r.values {
		sum += v.MemBytes()
	}
	return sum
}

// key returns key column i of the rows named, as it went in.
func (r *rows) key(l *layout, i int, of []int32) (Vector, error) {
	if l.encoded() {
		enc := r.text(l, place{}, of)
		return decodeColumn(l.fields, i, &enc)
	}
	p, f := l.places[i], l.fields[i]
	v := Vector{Kind: f.Kind, Len: len(of)}
	switch f.Kind {
	case Bytes:
		v = r.text(l, p, of)
	case Bool:
		v.Data = make([]byte, (len(of)+7)/8)
		words := r.words[min(p.word, len(r.words)):]
		for j, row := range of {
			v.Data[j>>3] |= byte(words[int(row)*l.words]>>p.shift&1) << (j & 7)
		}
	case Int8:
		v.Data = unpack[uint8](r, l, p, of)
	case Int16:
		v.Data = unpack[uint16](r, l, p, of)
	case Int32, Float32:
		v.Data = unpack[uint32](r, l, p, of)
	case Int64, Float64:
		v.Data = unpack[uint64](r, l, p, of)
	case Wide:
		out := make([]Word16, len(of))
		for j, row := range of {
			w := r.words[int(row)*l.words+p.word:]
			out[j] = Word16{Lo: w[0], Hi: w[1]}
		}
		v.Data = bytesOf(out)
	}
	v.Valid = r.keyValid(i, of)
	return v, nil
}

func unpack[U uint8 | uint16 | uint32 | uint64](r *rows, l *layout, p place, of []int32) []byte {
	out, words := make([]U, len(of)), r.words[min(p.word, len(r.words)):]
	for j, row := range of {
		out[j] = U(words[int(row)*l.words] >> p.shift)
	}
	return bytesOf(out)
}

func (r *rows) keyValid(i int, of []int32) []byte {
	if r.nulls == nil {
		return nil
	}
	out, nulls := make([]byte, (len(of)+7)/8), 0
	for j, row := range of {
		b := r.nulls[row] >> i & 1
		out[j>>3] |= (1 - b) << (j & 7)
		nulls += int(b)
	}
	if nulls == 0 {
		return nil
	}
	return out
}

// text gathers the text at p.
func (r *rows) text(l *layout, p place, of []int32) Vector {
	v := Vector{Kind: Bytes, Len: len(of), Off: make([]int32, len(of)+1)}
	n := 0
	for j, row := range of {
		n += r.textLen(l, p, row)
		v.Off[j+1] = int32(n)
	}
	v.Data = make([]byte, n)
	for j, row := range of {
		dst := v.Data[v.Off[j]:v.Off[j+1]]
		if len(dst) > inlineBytes {
			copy(dst, r.texts[p.text].Get(row))
			continue
		}
		w := r.words[int(row)*l.words+p.word:]
		copy(dst, bytesOf(w[:2]))
	}
	return v
}

func (r *rows) textLen(l *layout, p place, row int32) int {
	hi := r.words[int(row)*l.words+p.word+1]
	if hi>>56 == longMark {
		return len(r.texts[p.text].Get(row))
	}
	return int(hi >> 56)
}
