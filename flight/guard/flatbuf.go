package guard

import (
	"encoding/binary"

	"github.com/flightd/flightd/internal/base"
)

// A header is FlatBuffers bytes and what the walk over them may still cost.
type header struct {
	b []byte
	// tables and text are the tables that may yet be visited and the bytes of
	// strings that may yet be copied out. Sub-tables and strings may be shared, so
	// without these a small header could unfold into a huge schema.
	tables int
	text   int
}

// A table is one FlatBuffers table whose own bytes were checked.
type table struct {
	h      *header
	pos    int // of the object
	size   int // of the object
	vt     int // of the vtable
	vtSize int
}

// A vector is a FlatBuffers vector whose bytes were checked.
type vector struct {
	pos int // of element 0
	n   int
}

func malformed(format string, args ...any) error {
	return base.Errorf(base.CodeInvalid, "malformed Arrow message: "+format, args...)
}

func newHeader(b []byte, fields int) *header {
	return &header{b: b, tables: fields + len(b), text: 2*len(b) + 64<<10}
}

func (h *header) u16(p int) int     { return int(binary.LittleEndian.Uint16(h.b[p:])) }
func (h *header) i32(p int) int64   { return int64(int32(binary.LittleEndian.Uint32(h.b[p:]))) }
func (h *header) u32(p int) int64   { return int64(binary.LittleEndian.Uint32(h.b[p:])) }
func (h *header) i64(p int) int64   { return int64(binary.LittleEndian.Uint64(h.b[p:])) }
func (h *header) has(p, n int) bool { return p >= 0 && n >= 0 && n <= len(h.b) && p <= len(h.b)-n }

// root returns the table that the header begins with.
func (h *header) root() (table, error) {
	if !h.has(0, 4) {
		return table{}, malformed("its header has %d bytes", len(h.b))
	}
	return h.table(0)
}

// table follows the offset at p to a table.
func (h *header) table(p int) (table, error) {
	if h.tables--; h.tables < 0 {
		return table{}, malformed("its header of %d bytes unfolds into too many tables", len(h.b))
	}
	pos, err := h.follow(p)
	if err != nil {
		return table{}, err
	}
	vt := int64(pos) - h.i32(pos)
	if vt < 0 || vt > int64(len(h.b)-4) {
		return table{}, malformed("a vtable lies at %d of %d bytes", vt, len(h.b))
	}
	t := table{h: h, pos: pos, vt: int(vt), vtSize: h.u16(int(vt)), size: h.u16(int(vt) + 2)}
	if t.vtSize < 4 || t.vtSize%2 != 0 || !h.has(t.vt, t.vtSize) || t.size < 4 || !h.has(pos, t.size) {
		return table{}, malformed("a table at %d has %d bytes, its vtable %d", pos, t.size, t.vtSize)
	}
	return t, nil
}

// follow adds the offset stored at p to p and checks that four bytes lie there.
func (h *header) follow(p int) (int, error) {
	to := int64(p) + h.u32(p)
	if to <= int64(p) || to > int64(len(h.b)-4) {
		return 0, malformed("an offset at %d points to %d of %d bytes", p, to, len(h.b))
	}
	return int(to), nil
}

// field returns where slot's value of width bytes lies, or 0 if it is absent.
func (t table) field(slot, width int) (int, error) {
	at := 4 + 2*slot
	if at+2 > t.vtSize {
		return 0, nil
	}
	off := t.h.u16(t.vt + at)
	if off == 0 {
		return 0, nil
	}
	if off < 4 || off+width > t.size {
		return 0, malformed("field %d of a table lies at %d of %d bytes", slot, off, t.size)
	}
	return t.pos + off, nil
}

func (t table) int8(slot int, def int64) (int64, error) {
	p, err := t.field(slot, 1)
	if p == 0 || err != nil {
		return def, err
	}
	return int64(int8(t.h.b[p])), nil
}

func (t table) int16(slot int, def int64) (int64, error) {
	p, err := t.field(slot, 2)
	if p == 0 || err != nil {
		return def, err
	}
	return int64(int16(t.h.u16(p))), nil
}

func (t table) int32(slot int, def int64) (int64, error) {
	p, err := t.field(slot, 4)
	if p == 0 || err != nil {
		return def, err
	}
	return t.h.i32(p), nil
}

func (t table) int64(slot int, def int64) (int64, error) {
	p, err := t.field(slot, 8)
	if p == 0 || err != nil {
		return def, err
	}
	return t.h.i64(p), nil
}

// sub returns the table in slot; ok is false if there is none.
func (t table) sub(slot int) (sub table, ok bool, err error) {
	p, err := t.field(slot, 4)
	if p == 0 || err != nil {
		return table{}, false, err
	}
	sub, err = t.h.table(p)
	return sub, err == nil, err
}

// vector returns the vector in slot, of elements of width bytes; an absent one
// is empty.
func (t table) vector(slot, width int) (vector, error) {
	p, err := t.field(slot, 4)
	if p == 0 || err != nil {
		return vector{}, err
	}
	at, err := t.h.follow(p)
	if err != nil {
		return vector{}, err
	}
	n := t.h.u32(at)
	if n*int64(width) > int64(len(t.h.b)-at-4) {
		return vector{}, malformed("a vector of %d elements has %d bytes", n, len(t.h.b)-at-4)
	}
	return vector{pos: at + 4, n: int(n)}, nil
}

// text checks the string in slot.
func (t table) text(slot int) error {
	v, err := t.vector(slot, 1)
	if err != nil {
		return err
	}
	if t.h.text -= v.n; t.h.text < 0 {
		return malformed("its header of %d bytes unfolds into too much text", len(t.h.b))
	}
	return nil
}

// tables checks the vector of tables in slot and calls each with every one.
func (t table) tables(slot int, each func(table) error) error {
	v, err := t.vector(slot, 4)
	if err != nil {
		return err
	}
	for i := range v.n {
		sub, err := t.h.table(v.pos + 4*i)
		if err != nil {
			return err
		}
		if err := each(sub); err != nil {
			return err
		}
	}
	return nil
}

// keyValues checks the vector of key-value tables in slot.
func (t table) keyValues(slot int) error {
	return t.tables(slot, func(kv table) error {
		if err := kv.text(0); err != nil {
			return err
		}
		return kv.text(1)
	})
}
