package state

import (
	"unsafe"

	"github.com/flightd/flightd/internal/base"
)

// A Vector is a column of Len values in the layout of Arrow, without its
// interfaces: what tables are looked up with, loaded from and gathered into.
//
//	Bool        Data is a bitmap, LSB first
//	fixed       Data holds Len little-endian values of the kind's width
//	Bytes       Off has Len+1 offsets into Data
//	coded       Data holds Len codes, int32 each, the numbers of values of Dict
//
// A Vector that is given to this package is only read, and not after the call,
// except that a Keys refers to it until its next Normalise. A Vector that this
// package returns belongs to the caller.
type Vector struct {
	Kind Kind
	Len  int
	// Valid has bit i set if value i is present; nil means that all are.
	Valid []byte
	Data  []byte
	Off   []int32
	// Dict, if it is set, makes a Bytes vector a coded one. It is not coded itself and
	// has no NULL; vectors with the same Dict have the same dictionary, and it is never
	// written. Only Normalise and UpsertDirect take coded vectors.
	Dict *Vector
}

// IsValid reports whether value i is present.
func (v *Vector) IsValid(i int) bool { return v.Valid == nil || bit(v.Valid, i) }

// At returns value i of a Bytes vector. It shares v's memory.
func (v *Vector) At(i int) []byte { return v.Data[v.Off[i]:v.Off[i+1]] }

// check returns an error unless the buffers are as long as Len asks for and the
// offsets stay inside Data: no later step looks again.
func (v *Vector) check() error {
	bad := func(what string, have, want int) error {
		return base.Errorf(base.CodeCorrupt, "%s column of %d rows: %s has %d bytes, want at least %d", v.Kind, v.Len, what, have, want)
	}
	if v.Len < 0 {
		return bad("length", v.Len, 0)
	}
	if v.Valid != nil && len(v.Valid) < (v.Len+7)/8 {
		return bad("validity", len(v.Valid), (v.Len+7)/8)
	}
	if v.Kind != Bytes {
		want := v.Len * v.Kind.width()
		if v.Kind == Bool {
			want = (v.Len + 7) / 8
		}
		if len(v.Data) < want {
			return bad("data", len(v.Data), want)
		}
		return nil
	}
	if len(v.Off) < v.Len+1 {
		return bad("offsets", 4*len(v.Off), 4*(v.Len+1))
	}
	last := int32(0)
	for _, o := range v.Off[:v.Len+1] {
		if o < last || int(o) > len(v.Data) {
			return base.Errorf(base.CodeCorrupt, "bytes column: offset %d after %d in %d bytes", o, last, len(v.Data))
		}
		last = o
	}
	return nil
}

// Values views the data of a vector of a fixed width as values, without copying.
// T must have the width of the vector's kind.
func Values[T any](v *Vector) []T { return valuesOf[T](v.Data, v.Len) }

func valuesOf[T any](data []byte, n int) []T {
	if n == 0 {
		return nil
	}
	var t T
	_ = data[n*int(unsafe.Sizeof(t))-1]
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(data))), n)
}

func bytesOf[T any](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	var t T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(t)))
}

func bit(b []byte, i int) bool { return b[i>>3]>>(i&7)&1 != 0 }
func setBit(b []byte, i int)   { b[i>>3] |= 1 << (i & 7) }
func clearBit(b []byte, i int) { b[i>>3] &^= 1 << (i & 7) }

// grown returns s with n more zero elements. It doubles small slices and adds a
// quarter to large ones, and forgets the capacity that append would guess.
func grown[T any](s []T, n int) []T {
	want := len(s) + n
	if want > cap(s) {
		room := 2 * cap(s)
		if cap(s) > 1<<15 {
			room = cap(s) + cap(s)/4
		}
		t := make([]T, len(s), max(want, room, 8))
		copy(t, s)
		s = t
	}
	s = s[:want]
	clear(s[want-n:])
	return s
}

func memOf[T any](s []T) int64 {
	var t T
	return int64(cap(s)) * int64(unsafe.Sizeof(t))
}
