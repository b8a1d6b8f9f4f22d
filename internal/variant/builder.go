package variant

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
)

// Builder makes one variant after another. Scalars are appended; the members of
// an object or array are appended between Begin and EndObject or EndArray.
type Builder struct {
	buf   []byte
	ids   map[string]int
	names []string
	// open are the objects and arrays that have begun.
	open []frame
	// marks are the members of open ones.
	marks []mark
}

type frame struct{ start, marks int }

// mark is a member: where it begins and its name.
type mark struct {
	at   int
	id   int
	name string
}

// Reset forgets what was built.
func (b *Builder) Reset() {
	b.buf, b.names, b.open, b.marks = b.buf[:0], b.names[:0], b.open[:0], b.marks[:0]
	clear(b.ids)
}

// Finish appends the variant as a column's bytes; SizeLimit if it is too large.
func (b *Builder) Finish(dst []byte) ([]byte, error) {
	size := 0
	for _, n := range b.names {
		size += len(n)
	}
	most := max(size, len(b.names))
	if most >= 1<<24 || len(b.buf) > MaxBytes {
		return dst, ErrTooLarge
	}
	width := widthOf(most)
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = append(dst, byte(version|(width-1)<<6))
	dst = appendUint(dst, len(b.names), width)
	off := 0
	for _, n := range b.names {
		dst = appendUint(dst, off, width)
		off += len(n)
	}
	dst = appendUint(dst, off, width)
	for _, n := range b.names {
		dst = append(dst, n...)
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return append(dst, b.buf...), nil
}

// ErrTooLarge is what a variant above MaxBytes gives; callers name the function.
var ErrTooLarge = base.UserError("VARIANT_SIZE_LIMIT", "22023", "The variant would be larger than %d bytes.", MaxBytes)

func widthOf(n int) int {
	switch {
	case n < 1<<8:
		return 1
	case n < 1<<16:
		return 2
	case n < 1<<24:
		return 3
	}
	return 4
}

func appendUint(dst []byte, n, width int) []byte {
	for range width {
		dst = append(dst, byte(n))
		n >>= 8
	}
	return dst
}

func (b *Builder) primitive(stored int) { b.buf = append(b.buf, byte(stored<<2|formPrimitive)) }

// Null appends a variant null.
func (b *Builder) Null() { b.primitive(storedNull) }

// Bool appends a boolean.
func (b *Builder) Bool(v bool) {
	if v {
		b.primitive(storedTrue)
	} else {
		b.primitive(storedFalse)
	}
}

// Long appends an integer in the smallest width.
func (b *Builder) Long(v int64) {
	switch {
	case v == int64(int8(v)):
		b.primitive(storedInt8)
		b.buf = append(b.buf, byte(v))
	case v == int64(int16(v)):
		b.primitive(storedInt16)
		b.buf = binary.LittleEndian.AppendUint16(b.buf, uint16(v))
	case v == int64(int32(v)):
		b.primitive(storedInt32)
		b.buf = binary.LittleEndian.AppendUint32(b.buf, uint32(v))
	default:
		b.primitive(storedInt64)
		b.buf = binary.LittleEndian.AppendUint64(b.buf, uint64(v))
	}
}

// Double appends a double.
func (b *Builder) Double(v float64) {
	b.primitive(storedDouble)
	b.buf = binary.LittleEndian.AppendUint64(b.buf, math.Float64bits(v))
}

// Float appends a float.
func (b *Builder) Float(v float32) {
	b.primitive(storedFloat)
	b.buf = binary.LittleEndian.AppendUint32(b.buf, math.Float32bits(v))
}

// Decimal appends x × 10^−scale in the smallest width; it has at most 38 digits.
func (b *Builder) Decimal(x kernels.Int128, scale int) {
	digits := max(x.Digits(), scale)
	switch {
	case digits <= 9:
		b.primitive(storedDecimal32)
		b.buf = append(b.buf, byte(scale))
		b.buf = binary.LittleEndian.AppendUint32(b.buf, uint32(x.Lo))
	case digits <= 18:
		b.primitive(storedDecimal64)
		b.buf = append(b.buf, byte(scale))
		b.buf = binary.LittleEndian.AppendUint64(b.buf, x.Lo)
	default:
		b.primitive(storedDecimal128)
		b.buf = append(b.buf, byte(scale))
		b.buf = binary.LittleEndian.AppendUint64(b.buf, x.Lo)
		b.buf = binary.LittleEndian.AppendUint64(b.buf, uint64(x.Hi))
	}
}

// Date appends a day.
func (b *Builder) Date(days int32) {
	b.primitive(storedDate)
	b.buf = binary.LittleEndian.AppendUint32(b.buf, uint32(days))
}

// Timestamp appends microseconds since 1970-01-01 UTC.
func (b *Builder) Timestamp(us int64) {
	b.primitive(storedTimestamp)
	b.buf = binary.LittleEndian.AppendUint64(b.buf, uint64(us))
}

// TimestampNTZ appends microseconds of local time.
func (b *Builder) TimestampNTZ(us int64) {
	b.primitive(storedTimestampNTZ)
	b.buf = binary.LittleEndian.AppendUint64(b.buf, uint64(us))
}

// Binary appends bytes.
func (b *Builder) Binary(s []byte) {
	b.primitive(storedBinary)
	b.buf = binary.LittleEndian.AppendUint32(b.buf, uint32(len(s)))
	b.buf = append(b.buf, s...)
}

// String appends text.
func (b *Builder) String(s []byte) {
	if len(s) <= maxShort {
		b.buf = append(b.buf, byte(len(s)<<2|formShort))
	} else {
		b.primitive(storedString)
		b.buf = binary.LittleEndian.AppendUint32(b.buf, uint32(len(s)))
	}
	b.buf = append(b.buf, s...)
}

// Begin begins an object or array.
func (b *Builder) Begin() { b.open = append(b.open, frame{len(b.buf), len(b.marks)}) }

// Elem says that what is appended next is an element of the open array.
func (b *Builder) Elem() { b.marks = append(b.marks, mark{at: len(b.buf)}) }

// Field says that what is appended next is the field of a name of the open object.
func (b *Builder) Field(name string) {
	id, ok := b.ids[name]
	if !ok {
		if b.ids == nil {
			b.ids = map[string]int{}
		}
		id = len(b.names)
		b.ids[name] = id
		b.names = append(b.names, name)
	}
	b.marks = append(b.marks, mark{len(b.buf), id, name})
}

// insert makes room for n bytes at a place and returns them.
func (b *Builder) insert(at, n int) []byte {
	b.buf = slices.Grow(b.buf, n)
	b.buf = b.buf[:len(b.buf)+n]
	copy(b.buf[at+n:], b.buf[at:])
	return b.buf[at : at : at+n]
}

func (b *Builder) end() (start int, members []mark) {
	f := b.open[len(b.open)-1]
	b.open = b.open[:len(b.open)-1]
	members = b.marks[f.marks:]
	b.marks = b.marks[:f.marks]
	return f.start, members
}

// EndArray ends the open array.
func (b *Builder) EndArray() {
	start, members := b.end()
	size := len(b.buf) - start
	offWidth, countWidth, large := widthOf(size), 1, 0
	if len(members) > 255 {
		countWidth, large = 4, 1
	}
	head := b.insert(start, 1+countWidth+(len(members)+1)*offWidth)
	head = append(head, byte(large<<4|(offWidth-1)<<2|formArray))
	head = appendUint(head, len(members), countWidth)
	for _, m := range members {
		head = appendUint(head, m.at-start, offWidth)
	}
	appendUint(head, size, offWidth)
}

// EndObject ends the open object. DuplicateKey is the error of a name that two
// fields have.
func (b *Builder) EndObject() error {
	start, members := b.end()
	slices.SortStableFunc(members, func(x, y mark) int { return compareNames(x.name, y.name) })
	maxID := 0
	for i, m := range members {
		maxID = max(maxID, m.id)
		if i > 0 && m.id == members[i-1].id {
			return DuplicateKey(m.name)
		}
	}
	size := len(b.buf) - start
	offWidth, idWidth, countWidth, large := widthOf(size), widthOf(maxID), 1, 0
	if len(members) > 255 {
		countWidth, large = 4, 1
	}
	head := b.insert(start, 1+countWidth+len(members)*idWidth+(len(members)+1)*offWidth)
	head = append(head, byte(large<<6|(idWidth-1)<<4|(offWidth-1)<<2|formObject))
	head = appendUint(head, len(members), countWidth)
	for _, m := range members {
		head = appendUint(head, m.id, idWidth)
	}
	for _, m := range members {
		head = appendUint(head, m.at-start, offWidth)
	}
	appendUint(head, size, offWidth)
	return nil
}

// DuplicateKey is the error of an object with two fields of one name.
func DuplicateKey(name string) *base.Error {
	return base.UserError("VARIANT_DUPLICATE_KEY", "22023", "Two fields of the variant's object have the name %q.", name)
}

// Append appends another variant, with the names that it uses.
func (b *Builder) Append(v Value) error { return b.appendDeep(v, 0, &budget{len(v.data)}) }

func (b *Builder) appendDeep(v Value, depth int, left *budget) error {
	left.spend(depth)
	form, _ := v.header()
	switch form {
	case formObject:
		b.Begin()
		for i := range v.Len() {
			name, f := v.Field(i)
			b.Field(string(name))
			if err := b.appendDeep(f, depth+1, left); err != nil {
				return err
			}
		}
		return b.EndObject()
	case formArray:
		b.Begin()
		for i := range v.Len() {
			b.Elem()
			if err := b.appendDeep(v.Elem(i), depth+1, left); err != nil {
				return err
			}
		}
		b.EndArray()
		return nil
	}
	b.buf = append(b.buf, v.from(0, v.size())...)
	return nil
}
