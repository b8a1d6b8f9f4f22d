package vec

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/plan/expr"
)

// Vec is a column of Len values of one SQL type.
//
//	BOOLEAN                    Data is a bitmap
//	types with a Width         Data holds Len values of that width
//	STRING, BINARY             Off has Len+1 offsets into Data
//	VARIANT                    the same; each value with its metadata as variant.Join puts them
//	ARRAY                      Off has Len+1 offsets into Kids[0]
//	MAP                        Off has Len+1 offsets into Kids[0] (keys) and Kids[1] (values)
//	STRUCT                     Kids are the fields, Len rows each
//	VOID                       nothing
//
// A coded STRING or BINARY has a Dict, and Data holds Len codes, which are int32:
// the numbers of values of Dict, unspecified at NULL rows. Only those who asked for
// coded columns get them; of the functions of this package Null, Flat, Take, Concat
// and Arrow take them.
type Vec struct {
	Type *expr.Type
	Len  int
	// Const says that the buffers hold one row, which stands for all Len.
	Const bool
	// Valid has bit i set if value i is present (LSB first); nil means all.
	Valid []byte
	Data  []byte
	Off   []int32
	Kids  []*Vec
	// Dict has the values of a coded column, none of them NULL. Columns with the same
	// Dict have the same dictionary; it is never written.
	Dict *Vec
	// Own says who may write the buffers.
	Own Ownership
}

// Ownership says what becomes of a column's buffers after its maker's next call.
type Ownership uint8

// The ownerships. Shared buffers are never written again. Scratch buffers belong
// to the evaluator that returned the Vec; whoever takes them leaves nil behind,
// and the evaluator makes new ones. Borrowed buffers are partly another Vec's
// scratch and must be copied to be kept.
const (
	Shared Ownership = iota
	Scratch
	Borrowed
)

// Fixed is the set of Go types that fixed-width values are read as.
type Fixed interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64 | Wide
}

// Wide is a 16-byte value: a DECIMAL as little-endian two's complement (the
// layout of decimal128.Num), or a calendar interval (arrow.MonthDayNanoInterval).
type Wide struct{ Lo, Hi uint64 }

// Values returns the values of a fixed-width column. T must have the column's
// width. Values at NULL rows are unspecified.
func Values[T any](v *Vec) []T {
	var t T
	w := int(unsafe.Sizeof(t))
	if len(v.Data) < w {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(v.Data))), len(v.Data)/w)
}

// Bytes views a slice of fixed-width values as bytes, without copying.
func Bytes[T any](s []T) []byte {
	var t T
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(t)))
}

// FromValues returns a column over vals, which it shares.
func FromValues[T any](t *expr.Type, vals []T, valid []byte) *Vec {
	return &Vec{Type: t, Len: len(vals), Valid: valid, Data: Bytes(vals)}
}

// Index returns where row i is in the buffers: 0 for a constant.
func (v *Vec) Index(i int) int {
	if v.Const {
		return 0
	}
	return i
}

// Null reports whether row i is NULL.
func (v *Vec) Null(i int) bool {
	if v.Type.Kind == expr.KindNull {
		return true
	}
	if v.Valid == nil {
		return false
	}
	i = v.Index(i)
	return v.Valid[i>>3]>>(i&7)&1 == 0
}

// Bool returns row i of a BOOLEAN column; unspecified if NULL.
func (v *Vec) Bool(i int) bool {
	i = v.Index(i)
	return v.Data[i>>3]>>(i&7)&1 == 1
}

// Int returns row i of a column of integers, of 1 to 8 bytes, which is not NULL
// there.
func (v *Vec) Int(i int) int64 {
	i = v.Index(i)
	switch v.Type.Width() {
	case 1:
		return int64(Values[int8](v)[i])
	case 2:
		return int64(Values[int16](v)[i])
	case 4:
		return int64(Values[int32](v)[i])
	}
	return Values[int64](v)[i]
}

// Str returns the bytes of row i of a STRING or BINARY column; they share the
// column's buffer.
func (v *Vec) Str(i int) []byte {
	i = v.Index(i)
	return v.Data[v.Off[i]:v.Off[i+1]]
}

// Text returns row i of a STRING column without copying: it is valid as long as
// the buffer is unchanged.
func (v *Vec) Text(i int) string {
	b := v.Str(i)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// FromArrow returns arr as a column of type t, sharing its buffers. Only a
// bitmap that begins inside a byte, and what is coded, is copied. The caller keeps
// arr alive.
func FromArrow(arr arrow.Array, t *expr.Type) *Vec {
	if arr.DataType().ID() == arrow.DICTIONARY {
		return Coded(arr, t).Flat()
	}
	return fromData(arr.Data(), t)
}

// Coded returns an array of type dictionary<int32, utf8 or binary> as a coded
// column of type t, sharing its buffers.
func Coded(arr arrow.Array, t *expr.Type) *Vec {
	d := arr.Data()
	v := &Vec{Type: t, Len: d.Len(), Dict: fromData(d.Dictionary(), t)}
	bufs, off := d.Buffers(), d.Offset()
	if bufs[0] != nil && bufs[0].Len() > 0 && d.NullN() != 0 {
		v.Valid = bits(bufs[0].Bytes(), off, v.Len)
	}
	if v.Len > 0 {
		v.Data = bufs[1].Bytes()[4*off : 4*(off+v.Len)]
	}
	return v
}

func fromData(d arrow.ArrayData, t *expr.Type) *Vec {
	n, off := d.Len(), d.Offset()
	v := &Vec{Type: t, Len: n}
	bufs := d.Buffers()
	if len(bufs) > 0 && bufs[0] != nil && bufs[0].Len() > 0 && d.NullN() != 0 {
		v.Valid = bits(bufs[0].Bytes(), off, n)
	}
	switch t.Kind {
	case expr.KindNull:
	case expr.KindBool:
		if n > 0 { // what has no values may have no buffer
			v.Data = bits(bufs[1].Bytes(), off, n)
		}
	case expr.KindVariant:
		joinVariants(v, d)
	case expr.KindTime:
		if n > 0 {
			v.Data = clockTimes(d, off, n)
		}
	case expr.KindString, expr.KindBinary:
		v.Off = offsets(bufs[1], off, n)
		if len(bufs) > 2 && bufs[2] != nil {
			v.Data = bufs[2].Bytes()
		}
	case expr.KindArray:
		v.Off = offsets(bufs[1], off, n)
		v.Kids = []*Vec{fromData(d.Children()[0], t.Elem)}
	case expr.KindMap:
		v.Off = offsets(bufs[1], off, n)
		entries := d.Children()[0]
		key := array.NewSliceData(entries.Children()[0], int64(entries.Offset()), int64(entries.Offset()+entries.Len()))
		item := array.NewSliceData(entries.Children()[1], int64(entries.Offset()), int64(entries.Offset()+entries.Len()))
		v.Kids = []*Vec{fromData(key, t.Key), fromData(item, t.Elem)}
	case expr.KindStruct:
		v.Kids = make([]*Vec, len(t.Fields))
		for i, f := range t.Fields {
			c := d.Children()[i]
			v.Kids[i] = fromData(array.NewSliceData(c, int64(off), int64(off+n)), f.Type)
		}
	default:
		w := t.Width()
		if n > 0 {
			v.Data = bufs[1].Bytes()[off*w : (off+n)*w]
		}
	}
	return v
}

// bits returns n bits of b from bit off on, sharing b when it can.
func bits(b []byte, off, n int) []byte {
	if off&7 == 0 {
		return b[off>>3 : off>>3+(n+7)>>3]
	}
	out := make([]byte, (n+7)>>3)
	bitutil.CopyBitmap(b, off, n, out, 0)
	return out
}

func offsets(b *memory.Buffer, off, n int) []int32 {
	if b == nil || b.Len() == 0 {
		return make([]int32, 1)
	}
	return arrow.Int32Traits.CastFromBytes(b.Bytes())[off : off+n+1]
}

// Arrow returns the column as an Arrow array that shares its buffers, so the
// column must not be written afterwards. A constant is spread out first.
func (v *Vec) Arrow() arrow.Array {
	d := v.Flat().data()
	defer d.Release()
	return array.MakeFromData(d)
}

func (v *Vec) data() *array.Data {
	var valid *memory.Buffer
	nulls := 0
	if v.Valid != nil && v.Type.Kind != expr.KindNull {
		nulls = v.Len - bitutil.CountSetBits(v.Valid, 0, v.Len)
		if nulls > 0 {
			valid = memory.NewBufferBytes(v.Valid)
		}
	}
	dt := v.Type.Arrow()
	switch v.Type.Kind {
	case expr.KindNull:
		return array.NewData(dt, v.Len, []*memory.Buffer{nil}, nil, v.Len, 0)
	case expr.KindVariant:
		return array.NewData(dt, v.Len, []*memory.Buffer{valid}, v.splitVariants(), nulls, 0)
	case expr.KindString, expr.KindBinary:
		off := v.Off
		if len(off) == 0 {
			off = make([]int32, 1)
		}
		return array.NewData(dt, v.Len, []*memory.Buffer{valid, memory.NewBufferBytes(Bytes(off)), memory.NewBufferBytes(v.Data)}, nil, nulls, 0)
	case expr.KindArray:
		return array.NewData(dt, v.Len, []*memory.Buffer{valid, memory.NewBufferBytes(Bytes(v.Off))}, []arrow.ArrayData{v.Kids[0].Flat().data()}, nulls, 0)
	case expr.KindMap:
		entries := array.NewData(dt.(*arrow.MapType).Elem(), v.Kids[0].Len, []*memory.Buffer{nil},
			[]arrow.ArrayData{v.Kids[0].Flat().data(), v.Kids[1].Flat().data()}, 0, 0)
		return array.NewData(dt, v.Len, []*memory.Buffer{valid, memory.NewBufferBytes(Bytes(v.Off))}, []arrow.ArrayData{entries}, nulls, 0)
	case expr.KindStruct:
		kids := make([]arrow.ArrayData, len(v.Kids))
		for i, k := range v.Kids {
			kids[i] = k.Flat().data()
		}
		return array.NewData(dt, v.Len, []*memory.Buffer{valid}, kids, nulls, 0)
	}
	return array.NewData(dt, v.Len, []*memory.Buffer{valid, memory.NewBufferBytes(v.Data)}, nil, nulls, 0)
}

// Flat returns v itself, or a copy with Len rows if v is a constant or coded.
func (v *Vec) Flat() *Vec {
	switch {
	case v.Dict != nil:
		return v.Dict.Take(v.codes(nil))
	case v.Const:
		return v.Take(make([]int32, v.Len))
	}
	return v
}

// codes returns the codes of rows idx, or of all rows if it is nil; −1 is NULL.
func (v *Vec) codes(idx []int32) []int32 {
	vals := Values[int32](v)
	if idx == nil && v.Valid == nil {
		return vals
	}
	if idx == nil {
		out := make([]int32, v.Len)
		for i := range out {
			out[i] = -1
			if v.Valid[i>>3]>>(i&7)&1 == 1 {
				out[i] = vals[i]
			}
		}
		return out
	}
	out := make([]int32, len(idx))
	for i, j := range idx {
		out[i] = -1
		if j >= 0 && (v.Valid == nil || v.Valid[j>>3]>>(j&7)&1 == 1) {
			out[i] = vals[j]
		}
	}
	return out
}
