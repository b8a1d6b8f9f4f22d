package state

import "math"

// spanOf returns the first of rows if they follow one another.
func spanOf(rows []int32) (from int32, ok bool) {
	n := len(rows)
	if n == 0 || int(rows[n-1]-rows[0]) != n-1 {
		return 0, false
	}
	from = rows[0]
	for i, r := range rows {
		if r != from+int32(i) {
			return 0, false
		}
	}
	return from, true
}

// numbersOf returns the row numbers of rows; it may be the table's own memory.
func (r *rows) numbersOf(rows []int32) []int64 {
	if from, ok := spanOf(rows); ok {
		return r.numbers[from : int(from)+len(rows)]
	}
	return taken(r.numbers, rows)
}

// keyView is key, but the result may be the table's own memory.
func (r *rows) keyView(l *layout, i int, of []int32) (Vector, error) {
	from, ok := spanOf(of)
	if !ok || l.encoded() || l.words != 1 || l.fields[i].Kind != Int64 || r.nulls != nil {
		return r.key(l, i, of)
	}
	return Vector{Kind: Int64, Len: len(of), Data: bytesOf(r.words[from : int(from)+len(of)])}, nil
}

// view is Gather, but the result may be the column's own memory.
func (c *Fixed[T]) view(of []int32) Vector {
	from, ok := spanOf(of)
	if !ok || c.kind == Bool || !c.whole() {
		return c.Gather(of)
	}
	return Vector{Kind: c.kind, Len: len(of), Data: bytesOf(c.data[from : int(from)+len(of)])}
}

func (c *BytesColumn) view(of []int32) Vector { return c.Gather(of) }

// whole reports whether all values are present.
func (v *validity) whole() bool {
	if v.bits == nil {
		return true
	}
	full := v.n >> 3
	words := valuesOf[uint64](v.bits, full>>3)
	for _, w := range words {
		if w != math.MaxUint64 {
			return false
		}
	}
	for _, b := range v.bits[len(words)*8 : full] {
		if b != 0xff {
			return false
		}
	}
	tail := v.n & 7
	return tail == 0 || v.bits[full]&(1<<tail-1) == 1<<tail-1
}

// fill makes the values from to to−1 present.
func (v *validity) fill(from, to int) {
	for ; from < to && from&7 != 0; from++ {
		setBit(v.bits, from)
	}
	for ; from+8 <= to; from += 8 {
		v.bits[from>>3] = 0xff
	}
	for ; from < to; from++ {
		setBit(v.bits, from)
	}
}
