package state

// A Column is one value column of a table: dense, by row. Accumulators take its
// concrete type, *Fixed[T] or *Bytes, once per batch and work on slices; the
// methods here are the ones that work on whole columns.
//
// The table grows and reorders its columns. Others write values only in rows
// that the table returned from Upsert, or was told about by Touch, in the same
// epoch; any other row may be in a snapshot that is being written.
type Column interface {
	Kind() Kind
	// Len is the number of rows.
	Len() int
	// Gather returns the values of rows, in their order.
	Gather(rows []int32) Vector
	// Load sets row rows[i] to value sel[i] of v, or to value i if sel is nil. The
	// kind of v is the column's.
	Load(rows []int32, v *Vector, sel []int32)
	// MemBytes is the memory that the column holds.
	MemBytes() int64

	// view is Gather, but the result may be the column's own memory.
	view(rows []int32) Vector
	// grow adds n rows, NULL if the column is nullable, and zero or empty.
	grow(n int)
	// reorder keeps exactly rows, in their order: in new memory, or, if they ascend, in
	// place where the column can.
	reorder(rows []int32, inPlace bool)
	// header returns a column of its own over the same memory: what the column does
	// afterwards does not show in it, but for values that are overwritten.
	header() Column
	// page returns a copy of rows lo to hi−1 that shares no memory; lo is a multiple of 8.
	page(lo, hi int) Column
	// empty drops all rows and keeps the memory.
	empty()
}

func newColumn(f Field) Column {
	switch f.Kind {
	case Bool:
		return newFixed[uint8](f)
	case Int8:
		return newFixed[int8](f)
	case Int16:
		return newFixed[int16](f)
	case Int32:
		return newFixed[int32](f)
	case Int64:
		return newFixed[int64](f)
	case Float32:
		return newFixed[float32](f)
	case Float64:
		return newFixed[float64](f)
	case Wide:
		return newFixed[Word16](f)
	default:
		return newBytes(f.Nullable)
	}
}

// validity is the bitmap of a nullable column; the zero validity is that of a
// column whose values are all present.
type validity struct {
	nullable bool
	bits     []byte
	n        int
}

// Nullable reports whether values may be NULL.
func (v *validity) Nullable() bool { return v.nullable }

// Valid returns the validity bitmap, LSB first, to read and write; nil if the
// column is not nullable. It is good until the table grows.
func (v *validity) Valid() []byte { return v.bits }

// IsValid reports whether the value of row is present.
func (v *validity) IsValid(row int32) bool { return v.bits == nil || bit(v.bits, int(row)) }

// SetValid makes the value of row present.
func (v *validity) SetValid(row int32) {
	if v.bits != nil {
		setBit(v.bits, int(row))
	}
}

func (v *validity) grow(n int) {
	v.n += n
	if v.nullable {
		v.bits = grown(v.bits, (v.n+7)/8-len(v.bits))
	}
}

// gather returns the bits of rows, or nil if all are set.
func (v *validity) gather(rows []int32) []byte {
	if v.bits == nil {
		return nil
	}
	if len(rows) >= v.n>>6 && v.whole() { // it is asked 64 rows at a time
		return nil
	}
	out, nulls := make([]byte, (len(rows)+7)/8), 0
	for i, r := range rows {
		b := v.bits[r>>3] >> (r & 7) & 1
		out[i>>3] |= b << (i & 7)
		nulls += int(1 - b)
	}
	if nulls == 0 {
		return nil
	}
	return out
}

func (v *validity) load(rows []int32, from *Vector, sel []int32) {
	if v.bits == nil {
		return
	}
	if first, ok := spanOf(rows); ok && from.Valid == nil {
		v.fill(int(first), int(first)+len(rows))
		return
	}
	for i, r := range rows {
		if from.IsValid(at(sel, i)) {
			setBit(v.bits, int(r))
		} else {
			clearBit(v.bits, int(r))
		}
	}
}

func (v *validity) reorder(rows []int32) {
	if !v.nullable {
		v.n = len(rows)
		return
	}
	bits := v.gather(rows)
	v.n = len(rows)
	if bits == nil {
		bits = make([]byte, (len(rows)+7)/8)
		for i := range bits {
			bits[i] = 0xff
		}
		// Bits beyond the last row are 0, so that rows that are added are NULL.
		if tail := len(rows) & 7; tail != 0 {
			bits[len(bits)-1] = 1<<tail - 1
		}
	}
	v.bits = bits
}

func (v *validity) empty() { v.n, v.bits = 0, v.bits[:0] }

func (v *validity) page(lo, hi int) validity {
	p := validity{nullable: v.nullable, n: hi - lo}
	if v.bits != nil {
		p.bits = append([]byte(nil), v.bits[lo>>3:(hi+7)>>3]...)
	}
	return p
}

// at returns sel[i], or i if sel is nil.
func at(sel []int32, i int) int {
	if sel == nil {
		return i
	}
	return int(sel[i])
}
