package state

import "math"

// BytesColumn is a column of values of any length: text, binary, encoded nested
// values, sketches. Values lie in one arena, each with room to grow; what an
// overwritten value leaves behind is counted, and dropped when it is more than
// what is alive.
type BytesColumn struct {
	validity
	refs    []ref
	arena   []byte
	garbage int
}

// ref is where a value lies: n bytes at off, in a place of size room.
type ref struct {
	off     uint64
	n, room uint32
}

// MaxValue is the longest value of a BytesColumn, in bytes.
const MaxValue = math.MaxInt32 / 2

var _ Column = (*BytesColumn)(nil)

func newBytes(nullable bool) *BytesColumn {
	return &BytesColumn{validity: validity{nullable: nullable}}
}

// Kind returns Bytes.
func (c *BytesColumn) Kind() Kind { return Bytes }

// Len returns the number of rows.
func (c *BytesColumn) Len() int { return len(c.refs) }

// Get returns the value of row; a NULL's is empty. It is good until the next Set,
// Append or growth of the column. The caller may overwrite its bytes in place.
func (c *BytesColumn) Get(row int32) []byte {
	r := c.refs[row]
	return c.arena[r.off : r.off+uint64(r.n) : r.off+uint64(r.n)]
}

// Set copies b to row and makes it present. b is at most MaxValue long, and may
// be a part of a value of this column.
func (c *BytesColumn) Set(row int32, b []byte) {
	c.SetValid(row)
	if r := &c.refs[row]; len(b) <= int(r.room) {
		r.n = uint32(len(b))
		copy(c.arena[r.off:], b)
		return
	}
	c.move(row, 0, b, len(b))
}

// Append adds b to the end of row's value and makes it present: a list that is
// built so costs a copy only when its room doubles.
func (c *BytesColumn) Append(row int32, b []byte) {
	c.SetValid(row)
	r := &c.refs[row]
	n := int(r.n) + len(b)
	if n <= int(r.room) {
		copy(c.arena[r.off+uint64(r.n):], b)
		r.n = uint32(n)
		return
	}
	c.move(row, int(r.n), b, n+n/2)
}

// SetNull makes the value of row NULL, and empty.
func (c *BytesColumn) SetNull(row int32) {
	c.refs[row].n = 0
	if c.bits != nil {
		clearBit(c.bits, int(row))
	}
}

// move gives row a new place with the given room: the first keep bytes of its
// value, then b.
func (c *BytesColumn) move(row int32, keep int, b []byte, room int) {
	old := c.refs[row]
	c.garbage += int(old.room)
	if c.garbage > 1<<16 && c.garbage > len(c.arena)/2 && len(c.arena)+room > cap(c.arena) {
		// b may lie in the arena that is about to go; the old arena stays
		// reachable through it, and unchanged.
		c.compact(row, keep)
		old = c.refs[row]
		c.garbage += int(old.room)
	}
	off := len(c.arena)
	arena := grown(c.arena, room)
	copy(arena[off:], c.arena[old.off:old.off+uint64(keep)])
	copy(arena[off+keep:], b)
	c.arena = arena
	c.refs[row] = ref{off: uint64(off), n: uint32(keep + len(b)), room: uint32(room)}
}

// compact rewrites the arena without garbage, in new memory: a pin may still read the
// old one. Of row's value it keeps only the first keep bytes.
func (c *BytesColumn) compact(row int32, keep int) {
	c.refs = append(make([]ref, 0, cap(c.refs)), c.refs...)
	if row >= 0 {
		c.refs[row].n, c.refs[row].room = uint32(keep), uint32(keep)
	}
	total := 0
	for _, r := range c.refs {
		total += int(r.room)
	}
	arena := make([]byte, 0, total+total/4)
	for i, r := range c.refs {
		c.refs[i].off = uint64(len(arena))
		arena = append(arena, c.arena[r.off:r.off+uint64(r.room)]...)
	}
	c.arena, c.garbage = arena, 0
}

// Cut returns how many of the first rows have at most limit bytes together, and
// at least 1 if there are any.
func (c *BytesColumn) Cut(rows []int32, limit int) int {
	sum := 0
	for i, r := range rows {
		if sum += int(c.refs[r].n); sum > limit && i > 0 {
			return i
		}
	}
	return len(rows)
}

// Gather returns the values of rows. Their bytes must be fewer than 2 GiB
// together: see Cut.
func (c *BytesColumn) Gather(rows []int32) Vector {
	v := Vector{Kind: Bytes, Len: len(rows), Valid: c.gather(rows), Off: make([]int32, len(rows)+1)}
	n := 0
	for i, r := range rows {
		n += int(c.refs[r].n)
		v.Off[i+1] = int32(n)
	}
	v.Data = make([]byte, n)
	for i, r := range rows {
		copy(v.Data[v.Off[i]:v.Off[i+1]], c.Get(r))
	}
	return v
}

// Load sets row rows[i] to value sel[i] of v.
func (c *BytesColumn) Load(rows []int32, v *Vector, sel []int32) {
	for i, r := range rows {
		if j := at(sel, i); v.IsValid(j) {
			c.Set(r, v.At(j))
		} else {
			c.SetNull(r)
		}
	}
}

// MemBytes returns the memory of references, arena and validity.
func (c *BytesColumn) MemBytes() int64 { return memOf(c.refs) + memOf(c.arena) + memOf(c.bits) }

func (c *BytesColumn) grow(n int) {
	c.refs = grown(c.refs, n)
	c.validity.grow(n)
}

func (c *BytesColumn) reorder(rows []int32, _ bool) {
	total := 0
	for _, r := range rows {
		total += int(c.refs[r].n)
	}
	refs, arena := make([]ref, len(rows)), make([]byte, 0, total)
	for i, r := range rows {
		b := c.Get(r)
		refs[i] = ref{off: uint64(len(arena)), n: uint32(len(b)), room: uint32(len(b))}
		arena = append(arena, b...)
	}
	c.refs, c.arena, c.garbage = refs, arena, 0
	c.validity.reorder(rows)
}

func (c *BytesColumn) header() Column {
	h := *c
	return &h
}

func (c *BytesColumn) page(lo, hi int) Column {
	p := &BytesColumn{validity: c.validity.page(lo, hi), refs: append([]ref(nil), c.refs[lo:hi]...)}
	for i, r := range p.refs {
		p.refs[i].off = uint64(len(p.arena))
		p.arena = append(p.arena, c.arena[r.off:r.off+uint64(r.n)]...)
	}
	return p
}

func (c *BytesColumn) empty() {
	c.refs, c.arena, c.garbage = c.refs[:0], c.arena[:0], 0
	c.validity.empty()
}
