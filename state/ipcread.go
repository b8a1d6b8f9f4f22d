package state

import (
	"encoding/binary"
	"strconv"

	"github.com/flightd/flightd/internal/base"
)

// Blocks are read without arrow-go's decoder, which trusts the lengths in what it
// reads. The reader below knows which columns to expect, checks every position
// against the bytes that are there, and allocates nothing for what a message
// claims. It reads what encodeBlock writes: uncompressed record batches of flat
// columns.

// decodeBlock returns the columns of the one record batch in payload. They share
// its memory.
func decodeBlock(payload []byte, fields []Field) ([]Vector, error) {
	var widths []integers
	for at := 0; ; {
		meta, body, next, err := ipcMessage(payload, at)
		if err != nil {
			return nil, err
		}
		if meta == nil {
			return nil, badBlock("it has no record batch")
		}
		m := flatbuffer{b: meta}
		root := m.root()
		const headerSchema, headerRecordBatch = 1, 3
		switch m.u8(m.field(root, 1)) {
		case headerSchema:
			if widths, err = m.widths(m.table(m.field(root, 2)), fields); err != nil {
				return nil, err
			}
		case headerRecordBatch:
			if widths == nil {
				return nil, badBlock("it has no schema")
			}
			cols, err := m.columns(m.table(m.field(root, 2)), body, fields, widths)
			if err != nil {
				return nil, err
			}
			return cols, nil
		}
		if m.bad {
			return nil, badBlock("metadata is damaged")
		}
		at = next
	}
}

func badBlock(format string, args ...any) error {
	return base.Wrap(base.Errorf(base.CodeCorrupt, format, args...), "decoding block")
}

// ipcMessage splits the message at position at into metadata and body. Without
// a message there, meta is nil.
func ipcMessage(b []byte, at int) (meta, body []byte, next int, err error) {
	if len(b)-at < 8 {
		return nil, nil, 0, nil
	}
	if binary.LittleEndian.Uint32(b[at:]) != ^uint32(0) {
		return nil, nil, 0, badBlock("message at byte %d has no continuation mark", at)
	}
	n := int(binary.LittleEndian.Uint32(b[at+4:]))
	at += 8
	if n == 0 {
		return nil, nil, 0, nil
	}
	if n > len(b)-at {
		return nil, nil, 0, badBlock("metadata of %d bytes at byte %d of %d", n, at, len(b))
	}
	meta = b[at : at+n]
	at += n
	m := flatbuffer{b: meta}
	size := m.i64(m.field(m.root(), 3))
	if m.bad || size < 0 || size > int64(len(b)-at) {
		return nil, nil, 0, badBlock("body of %d bytes at byte %d of %d", size, at, len(b))
	}
	return meta, b[at : at+int(size)], at + int(size), nil
}

// integers is how the integers of a column are written: in so many bytes, 0 for other
// columns; differs says that they are differences, beginning behind from.
type integers struct {
	width   int
	differs bool
	from    int64
}

// widths returns what the schema at s says of the columns.
func (m *flatbuffer) widths(s int, fields []Field) ([]integers, error) {
	first, n := m.vector(m.field(s, 1), 4)
	if m.bad || n != len(fields) {
		return nil, badBlock("its schema has %d columns, want %d", n, len(fields))
	}
	out := make([]integers, n)
	for i, f := range fields {
		if f.Kind != Int16 && f.Kind != Int32 && f.Kind != Int64 {
			continue
		}
		const typeInt = 2
		column := m.table(first + 4*i)
		kind, bits := m.u8(m.field(column, 2)), 0
		if at := m.field(m.table(m.field(column, 3)), 0); at != 0 {
			bits = m.u32(at)
		}
		w := bits / 8
		if m.bad || kind != typeInt || bits%8 != 0 || w > f.Kind.width() || w < 1 || w&(w-1) != 0 {
			return nil, badBlock("column %s is of type %d with %d bits", f.Name, kind, bits)
		}
		out[i].width = w
		if text, ok := m.metadata(column, fromKey); ok {
			from, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, badBlock("column %s begins with %q", f.Name, text)
			}
			out[i].differs, out[i].from = true, from
		}
	}
	if m.bad {
		return nil, badBlock("metadata is damaged")
	}
	return out, nil
}

// metadata returns what the metadata of a column has under key.
func (m *flatbuffer) metadata(column int, key string) (string, bool) {
	first, n := m.vector(m.field(column, 6), 4)
	for i := range n {
		pair := m.table(first + 4*i)
		if m.text(m.field(pair, 0)) == key {
			return m.text(m.field(pair, 1)), true
		}
	}
	return "", false
}

// text returns the string that the offset at position at leads to.
func (m *flatbuffer) text(at int) string {
	first, n := m.vector(at, 1)
	return string(m.bytes(first, n))
}

// widened returns v, whose integers have width bytes, as a column of kind.
func widened(v Vector, kind Kind, width int) (Vector, error) {
	v.Kind = kindOf(width)
	if err := v.check(); err != nil || width == kind.width() {
		v.Kind = kind
		return v, err
	}
	switch width {
	case 1:
		v.Data = wide(Values[int8](&v)[:v.Len], kind)
	case 2:
		v.Data = wide(Values[int16](&v)[:v.Len], kind)
	case 4:
		v.Data = wide(Values[int32](&v)[:v.Len], kind)
	}
	v.Kind = kind
	return v, nil
}

// summed returns the values that the differences v come from.
func summed(v Vector, from int64) (Vector, error) {
	if v.Valid != nil {
		return v, badBlock("a column of differences has NULLs")
	}
	switch v.Kind {
	case Int64:
		v.Data = running(Values[int64](&v), from)
	case Int32:
		v.Data = running(Values[int32](&v), int32(from))
	default:
		return v, badBlock("a column of kind %s has differences", v.Kind)
	}
	return v, nil
}

// running adds the differences up, in new memory.
func running[T int32 | int64](vals []T, sum T) []byte {
	out := make([]T, len(vals))
	for i, d := range vals {
		sum += d
		out[i] = sum
	}
	return bytesOf(out)
}

func wide[T int8 | int16 | int32](vals []T, kind Kind) []byte {
	switch kind {
	case Int16:
		return converted[int16](vals)
	case Int32:
		return converted[int32](vals)
	}
	return converted[int64](vals)
}

// columns cuts the buffers of the record batch at rb out of body.
func (m *flatbuffer) columns(rb int, body []byte, fields []Field, widths []integers) ([]Vector, error) {
	n := m.i64(m.field(rb, 0))
	nodes, nodeCount := m.vector(m.field(rb, 1), 16)
	bufs, bufCount := m.vector(m.field(rb, 2), 16)
	want := 0
	for _, f := range fields {
		want += 2
		if f.Kind == Bytes {
			want++
		}
	}
	if m.bad || nodeCount != len(fields) || bufCount != want || m.field(rb, 3) != 0 || n < 0 || n > MaxFrame {
		return nil, badBlock("%d rows, %d columns in %d buffers, want %d in %d", n, nodeCount, bufCount, len(fields), want)
	}
	cols, next := make([]Vector, len(fields)), 0
	buffer := func() []byte {
		at, size := m.i64(bufs+16*next), m.i64(bufs+16*next+8)
		next++
		if at < 0 || at%8 != 0 || size < 0 || at > int64(len(body)) || size > int64(len(body))-at {
			m.bad = true
			return nil
		}
		return body[at : at+size]
	}
	for i, f := range fields {
		if rows := m.i64(nodes + 16*i); rows != n {
			return nil, badBlock("column %s has %d rows, want %d", f.Name, rows, n)
		}
		v := Vector{Kind: f.Kind, Len: int(n), Valid: buffer()}
		if len(v.Valid) == 0 {
			v.Valid = nil
		}
		if f.Kind == Bytes {
			off := buffer()
			v.Off = valuesOf[int32](off, len(off)/4)
			if n == 0 {
				v.Off = []int32{0}
			}
		}
		v.Data = buffer()
		if m.bad {
			return nil, badBlock("a buffer of column %s lies outside of %d bytes", f.Name, len(body))
		}
		var err error
		if w := widths[i]; w.width > 0 {
			if v, err = widened(v, f.Kind, w.width); err == nil && w.differs {
				v, err = summed(v, w.from)
			}
		} else {
			err = v.check()
		}
		if err != nil {
			return nil, base.Wrap(err, "decoding block: column %s", f.Name)
		}
		cols[i] = v
	}
	return cols, nil
}

// flatbuffer walks FlatBuffers bytes. Any position outside of them sets bad and
// reads as 0; position 0 stands for an absent field.
type flatbuffer struct {
	b   []byte
	bad bool
}

func (m *flatbuffer) bytes(at, n int) []byte {
	if at < 0 || n < 0 || at > len(m.b) || n > len(m.b)-at {
		m.bad = true
		return make([]byte, 8)
	}
	return m.b[at : at+n]
}

func (m *flatbuffer) u8(at int) uint8 {
	if at == 0 {
		return 0
	}
	return m.bytes(at, 1)[0]
}

func (m *flatbuffer) i64(at int) int64 {
	if at == 0 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(m.bytes(at, 8)))
}

func (m *flatbuffer) u32(at int) int { return int(binary.LittleEndian.Uint32(m.bytes(at, 4))) }
func (m *flatbuffer) u16(at int) int { return int(binary.LittleEndian.Uint16(m.bytes(at, 2))) }

func (m *flatbuffer) root() int { return m.u32(0) }

// field returns the position of field i of the table at position table, or 0.
func (m *flatbuffer) field(table, i int) int {
	vtable := table - int(int32(m.u32(table)))
	if size := m.u16(vtable); 4+2*i+2 > size {
		return 0
	}
	off := m.u16(vtable + 4 + 2*i)
	if off == 0 || m.bad {
		return 0
	}
	return table + off
}

// table follows the offset at position at.
func (m *flatbuffer) table(at int) int {
	if at == 0 {
		m.bad = true
		return 0
	}
	return at + m.u32(at)
}

// vector returns the position of the first element of the vector that the offset
// at position at leads to, and the number of elements, of size bytes each.
func (m *flatbuffer) vector(at, size int) (first, n int) {
	if at == 0 {
		return 0, 0
	}
	at += m.u32(at)
	n = m.u32(at)
	m.bytes(at+4, n*size)
	if m.bad {
		return 0, 0
	}
	return at + 4, n
}
