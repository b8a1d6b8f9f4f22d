package variant

import (
	"encoding/binary"
	"math"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
)

// Kind is what a value is.
type Kind uint8

// The kinds. Integers of all widths are Long.
const (
	Null Kind = iota
	Bool
	Long
	Double
	Decimal
	Date         // days
	Timestamp    // microseconds since 1970-01-01 UTC
	TimestampNTZ // microseconds of local time
	Float
	Binary
	String
	UUID
	Object
	Array
)

// The forms: the lower two bits of a value's first byte.
const (
	formPrimitive = iota
	formShort
	formObject
	formArray
)

// The kinds of primitives, as they are stored.
const (
	storedNull = iota
	storedTrue
	storedFalse
	storedInt8
	storedInt16
	storedInt32
	storedInt64
	storedDouble
	storedDecimal32
	storedDecimal64
	storedDecimal128
	storedDate
	storedTimestamp
	storedTimestampNTZ
	storedFloat
	storedBinary
	storedString
	storedUUID = 20
)

const (
	version = 1
	// MaxBytes bounds the value and the metadata of one variant.
	MaxBytes = 128 << 20
	maxShort = 63
)

// Value is a variant or a part of one. It shares the bytes it was opened from.
type Value struct {
	meta []byte
	// data begins at the value and may go on behind it.
	data []byte
}

// malformed is what methods of Value panic with.
type malformed struct{ stored int }

// Catch, deferred, stores MALFORMED_VARIANT (or UNKNOWN_PRIMITIVE_TYPE_IN_VARIANT)
// in err if a method of Value panicked over malformed bytes.
func Catch(err *error) {
	switch p := recover().(type) {
	case nil:
	case malformed:
		*err = p.err()
	default:
		panic(p)
	}
}

func (m malformed) err() *base.Error {
	if m.stored >= 0 {
		return base.UserError("UNKNOWN_PRIMITIVE_TYPE_IN_VARIANT", "22023", "The variant holds a primitive of type %d, which is not known.", m.stored)
	}
	return base.UserError("MALFORMED_VARIANT", "22023", "The bytes of the variant are malformed.")
}

func fail() { panic(malformed{-1}) }

// Split returns the value and the metadata of a column's bytes. Bytes that are
// too short give empty parts.
func Split(b []byte) (value, metadata []byte) {
	if len(b) < 4 {
		return nil, nil
	}
	n := uint64(binary.LittleEndian.Uint32(b))
	if n > uint64(len(b)-4) {
		return nil, nil
	}
	return b[4+n:], b[4 : 4+n]
}

// Join appends a value and its metadata in the form of a column's bytes.
func Join(dst, value, metadata []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(metadata)))
	return append(append(dst, metadata...), value...)
}

// Open returns the value in a column's bytes, which it shares. It panics (see
// Catch) if the metadata is of another version.
func Open(b []byte) Value {
	value, meta := Split(b)
	if len(meta) == 0 || meta[0]&15 != version {
		fail()
	}
	return Value{meta, value}
}

// Valid reports whether every value in b can be read.
func Valid(b []byte) (ok bool) {
	var err error
	defer func() { ok = ok && err == nil }()
	defer Catch(&err)
	v := Open(b)
	v.validate(0, &budget{len(v.data)})
	return true
}

// maxDepth bounds the nesting of what is read, so that hostile bytes cannot
// exhaust the stack.
const maxDepth = 1000

// budget bounds how many values a walk may meet: each takes a byte, so more of
// them than bytes means that some are reached by more than one way, which hostile
// bytes could make exponentially many.
type budget struct{ left int }

func (b *budget) spend(depth int) {
	if b.left--; b.left < 0 || depth > maxDepth {
		fail()
	}
}

func (v Value) validate(depth int, b *budget) {
	b.spend(depth)
	switch v.Kind() {
	case Object:
		for i := range v.Len() {
			_, f := v.Field(i)
			f.validate(depth+1, b)
		}
	case Array:
		for i := range v.Len() {
			v.Elem(i).validate(depth+1, b)
		}
	case Decimal:
		v.Decimal()
	case Double:
		v.Double()
	case Float:
		v.Float()
	case Binary, String:
		v.Bytes()
	case UUID:
		v.uuid()
	case Long, Date, Timestamp, TimestampNTZ:
		v.Int()
	}
}

func (v Value) header() (form, info int) {
	if len(v.data) == 0 {
		fail()
	}
	return int(v.data[0] & 3), int(v.data[0] >> 2)
}

// Kind returns what v is.
func (v Value) Kind() Kind {
	form, info := v.header()
	switch form {
	case formShort:
		return String
	case formObject:
		return Object
	case formArray:
		return Array
	}
	switch info {
	case storedNull:
		return Null
	case storedTrue, storedFalse:
		return Bool
	case storedInt8, storedInt16, storedInt32, storedInt64:
		return Long
	case storedDouble:
		return Double
	case storedDecimal32, storedDecimal64, storedDecimal128:
		return Decimal
	case storedDate:
		return Date
	case storedTimestamp:
		return Timestamp
	case storedTimestampNTZ:
		return TimestampNTZ
	case storedFloat:
		return Float
	case storedBinary:
		return Binary
	case storedString:
		return String
	case storedUUID:
		return UUID
	}
	panic(malformed{info})
}

// from returns n bytes of v's data.
func (v Value) from(at, n int) []byte { return part(v.data, at, n) }

func part(b []byte, at, n int) []byte {
	if at < 0 || n < 0 || at+n > len(b) || at+n < at {
		fail()
	}
	return b[at : at+n]
}

// unsigned reads a number of up to four bytes; it must fit an int32.
func unsigned(b []byte, at, width int) int {
	x := 0
	for i, c := range part(b, at, width) {
		x |= int(c) << (8 * i)
	}
	if x > math.MaxInt32 {
		fail()
	}
	return x
}

func signed(b []byte) int64 {
	var x int64
	for i, c := range b {
		x |= int64(c) << (8 * i)
	}
	shift := 64 - 8*len(b)
	return x << shift >> shift
}

// Bool returns the value of a Bool.
func (v Value) Bool() bool {
	_, info := v.header()
	return info == storedTrue
}

// Int returns the value of a Long, Date, Timestamp or TimestampNTZ.
func (v Value) Int() int64 {
	_, info := v.header()
	switch info {
	case storedInt8:
		return signed(v.from(1, 1))
	case storedInt16:
		return signed(v.from(1, 2))
	case storedInt32, storedDate:
		return signed(v.from(1, 4))
	}
	return signed(v.from(1, 8))
}

// Double returns the value of a Double.
func (v Value) Double() float64 { return math.Float64frombits(uint64(signed(v.from(1, 8)))) }

// Float returns the value of a Float.
func (v Value) Float() float32 { return math.Float32frombits(uint32(signed(v.from(1, 4)))) }

// Decimal returns the value of a Decimal without trailing zeros behind the
// point, and how many digits it has there.
func (v Value) Decimal() (x kernels.Int128, scale int) {
	_, info := v.header()
	scale = int(v.from(1, 1)[0])
	most := 38
	switch info {
	case storedDecimal32:
		x, most = kernels.From64(signed(v.from(2, 4))), 9
	case storedDecimal64:
		x, most = kernels.From64(signed(v.from(2, 8))), 18
	default:
		b := v.from(2, 16)
		x = kernels.Int128{Lo: uint64(signed(b[:8])), Hi: signed(b[8:])}
	}
	if scale > most || x.Digits() > most {
		fail()
	}
	for scale > 0 {
		tenth := kernels.Truncate(x, 1)
		if back, ok := kernels.Rescale(tenth, 0, 1); !ok || back != x {
			break
		}
		x, scale = tenth, scale-1
	}
	return x, scale
}

// Bytes returns the content of a String or Binary.
func (v Value) Bytes() []byte {
	form, info := v.header()
	if form == formShort {
		return v.from(1, info)
	}
	return v.from(5, unsigned(v.data, 1, 4))
}

func (v Value) uuid() []byte { return v.from(1, 16) }

// table is what the header of an object or array says: counts, widths and where
// its lists stand.
type table struct {
	n, idWidth, offWidth int
	ids, offs, elems     int
}

func (v Value) table() table {
	form, info := v.header()
	t := table{offWidth: info&3 + 1}
	large := info >> 2 & 1
	if form == formObject {
		t.idWidth = info>>2&3 + 1
		large = info >> 4 & 1
	}
	sizeWidth := 1 + 3*large
	t.n = unsigned(v.data, 1, sizeWidth)
	t.ids = 1 + sizeWidth
	t.offs = t.ids + t.n*t.idWidth
	t.elems = t.offs + (t.n+1)*t.offWidth
	if t.elems > len(v.data) {
		fail()
	}
	return t
}

func (v Value) at(t table, i int) Value {
	at := t.elems + unsigned(v.data, t.offs+i*t.offWidth, t.offWidth)
	if at >= len(v.data) {
		fail()
	}
	return Value{v.meta, v.data[at:]}
}

// Len returns the number of fields of an Object or elements of an Array.
func (v Value) Len() int { return v.table().n }

// Elem returns element i of an Array.
func (v Value) Elem(i int) Value { return v.at(v.table(), i) }

// Field returns field i of an Object.
func (v Value) Field(i int) (name []byte, value Value) {
	t := v.table()
	return v.name(unsigned(v.data, t.ids+i*t.idWidth, t.idWidth)), v.at(t, i)
}

// Find returns the field of an Object that has a name, which is sought by
// bisection.
func (v Value) Find(name string) (Value, bool) {
	t := v.table()
	lo, hi := 0, t.n
	for lo < hi {
		mid := (lo + hi) / 2
		switch c := compareNames(string(v.name(unsigned(v.data, t.ids+mid*t.idWidth, t.idWidth))), name); {
		case c == 0:
			return v.at(t, mid), true
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return Value{}, false
}

// name returns a name of the metadata.
func (v Value) name(id int) []byte {
	width := int(v.meta[0]>>6) + 1
	n := unsigned(v.meta, 1, width)
	if id >= n {
		fail()
	}
	lo, hi := unsigned(v.meta, 1+(id+1)*width, width), unsigned(v.meta, 1+(id+2)*width, width)
	return part(v.meta, 1+(n+2)*width+lo, hi-lo)
}

// size returns how many bytes of data v takes.
func (v Value) size() int {
	form, info := v.header()
	switch form {
	case formShort:
		return 1 + info
	case formObject, formArray:
		t := v.table()
		return t.elems + unsigned(v.data, t.offs+t.n*t.offWidth, t.offWidth)
	}
	switch info {
	case storedNull, storedTrue, storedFalse:
		return 1
	case storedInt8:
		return 2
	case storedInt16:
		return 3
	case storedInt32, storedDate, storedFloat:
		return 5
	case storedInt64, storedDouble, storedTimestamp, storedTimestampNTZ:
		return 9
	case storedDecimal32:
		return 6
	case storedDecimal64:
		return 10
	case storedDecimal128:
		return 18
	case storedBinary, storedString:
		return 5 + unsigned(v.data, 1, 4)
	case storedUUID:
		return 17
	}
	panic(malformed{info})
}

// compareNames orders names as Java orders strings: by UTF-16 code units, so that
// U+FFEE stands behind U+1F600.
func compareNames(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i == len(a) || i == len(b) {
		return len(a) - len(b)
	}
	x, y := a[i], b[i]
	// Of two names that differ first in a leading byte, one above U+FFFF (0xF0…)
	// is written with surrogates, which are below U+E000 (0xEE, 0xEF).
	if x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0) {
		return int(y) - int(x)
	}
	return int(x) - int(y)
}
