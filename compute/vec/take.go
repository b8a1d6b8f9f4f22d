package vec

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"

	"github.com/flightd/flightd/plan/expr"
)

// Take returns a new column of the rows that idx names, in its order. A negative
// index gives NULL. A constant counts as its one row (index 0), so that Take
// also spreads it out.
func (v *Vec) Take(idx []int32) *Vec {
	if v.Dict != nil {
		if idx == nil {
			idx = []int32{}
		}
		return v.Dict.Take(v.codes(idx))
	}
	out := &Vec{Type: v.Type, Len: len(idx)}
	if v.Type.Kind == expr.KindNull {
		return out
	}
	out.Valid = takeValid(v.Valid, idx)
	switch v.Type.Kind {
	case expr.KindBool:
		out.Data = make([]byte, (len(idx)+7)>>3)
		for i, j := range idx {
			if j >= 0 {
				out.Data[i>>3] |= (v.Data[j>>3] >> (j & 7) & 1) << (i & 7)
			}
		}
	case expr.KindString, expr.KindBinary, expr.KindVariant:
		out.Off, out.Data = takeBytes(v.Off, v.Data, idx)
	case expr.KindArray, expr.KindMap:
		var inner []int32
		out.Off, inner = takeLists(v.Off, idx)
		for _, k := range v.Kids {
			out.Kids = append(out.Kids, k.Take(inner))
		}
	case expr.KindStruct:
		for _, k := range v.Kids {
			out.Kids = append(out.Kids, k.Flat().Take(idx))
		}
	default:
		switch v.Type.Width() {
		case 1:
			out.Data = takeFixed[uint8](v, idx)
		case 2:
			out.Data = takeFixed[uint16](v, idx)
		case 4:
			out.Data = takeFixed[uint32](v, idx)
		case 8:
			out.Data = takeFixed[uint64](v, idx)
		case 16:
			out.Data = takeFixed[Wide](v, idx)
		}
	}
	return out
}

// Scatter returns a new column of n rows that has, in row to[i], row from[i] of v;
// to ascends. What the other rows hold is unspecified. It may use the memory of buf.
func (v *Vec) Scatter(from, to []int32, n int, buf []byte) *Vec {
	out := &Vec{Type: v.Type, Len: n}
	if v.Valid == nil {
		switch v.Type.Width() {
		case 4:
			out.Data = scatterFixed(Values[uint32](v), from, to, n, buf)
			return out
		case 8:
			out.Data = scatterFixed(Values[uint64](v), from, to, n, buf)
			return out
		}
	}
	if v.Len == 0 {
		return NewNull(v.Type, n)
	}
	idx := make([]int32, n)
	for i, r := range to {
		idx[r] = from[i]
	}
	return v.Take(idx)
}

func scatterFixed[T any](src []T, from, to []int32, n int, buf []byte) []byte {
	out := Values[T](&Vec{Data: buf[:cap(buf)]})
	if len(out) < n {
		out = make([]T, n)
	}
	out = out[:n]
	from = from[:len(to)]
	for i, r := range to {
		out[r] = src[from[i]]
	}
	return Bytes(out)
}

// TakeArrow returns the rows idx of arr, a column of type t; those of a coded array
// are coded.
func TakeArrow(arr arrow.Array, t *expr.Type, idx []int32) arrow.Array {
	if arr.DataType().ID() != arrow.DICTIONARY {
		return FromArrow(arr, t).Take(idx).Arrow()
	}
	codes := Coded(arr, t)
	codes.Type, codes.Dict = expr.Int32, nil
	d := codes.Take(idx).data()
	defer d.Release()
	out := array.NewDataWithDictionary(arr.DataType(), d.Len(), d.Buffers(), d.NullN(), 0, arr.Data().Dictionary().(*array.Data))
	defer out.Release()
	return array.MakeFromData(out)
}

func takeValid(valid []byte, idx []int32) []byte {
	missing := anyMissing(idx)
	if valid == nil && !missing {
		return nil
	}
	out := make([]byte, (len(idx)+7)>>3)
	if !missing { // no branch a row
		for i := range out {
			var m byte
			for k, j := range idx[8*i : min(8*i+8, len(idx))] {
				m |= (valid[j>>3] >> (j & 7) & 1) << k
			}
			out[i] = m
		}
		return out
	}
	for i, j := range idx {
		if j >= 0 && (valid == nil || valid[j>>3]>>(j&7)&1 == 1) {
			out[i>>3] |= 1 << (i & 7)
		}
	}
	return out
}

// anyMissing reports whether an index is negative.
func anyMissing(idx []int32) bool {
	var or int32
	for _, j := range idx {
		or |= j
	}
	return or < 0
}

func takeFixed[T any](v *Vec, idx []int32) []byte {
	src := Values[T](v)
	out := make([]T, len(idx))
	if !anyMissing(idx) {
		for i, j := range idx {
			out[i] = src[j]
		}
		return Bytes(out)
	}
	for i, j := range idx {
		if j >= 0 {
			out[i] = src[j]
		}
	}
	return Bytes(out)
}

func takeBytes(off []int32, data []byte, idx []int32) ([]int32, []byte) {
	out := make([]int32, len(idx)+1)
	n := int32(0)
	for i, j := range idx {
		if j >= 0 {
			n += off[j+1] - off[j]
		}
		out[i+1] = n
	}
	buf := make([]byte, 0, n)
	for _, j := range idx {
		if j >= 0 {
			buf = append(buf, data[off[j]:off[j+1]]...)
		}
	}
	return out, buf
}

func takeLists(off []int32, idx []int32) ([]int32, []int32) {
	out := make([]int32, len(idx)+1)
	var inner []int32
	for i, j := range idx {
		if j >= 0 {
			for k := off[j]; k < off[j+1]; k++ {
				inner = append(inner, k)
			}
		}
		out[i+1] = int32(len(inner))
	}
	return out, inner
}

// NewConst returns a NULL constant of n rows; New… of package compute/expr fill
// other constants.
func NewConst(t *expr.Type, n int) *Vec {
	v := NewNull(t, 1)
	v.Len, v.Const = n, true
	return v
}

// NewNull returns a column of n NULLs.
func NewNull(t *expr.Type, n int) *Vec {
	v := &Vec{Type: t, Len: n}
	switch t.Kind {
	case expr.KindNull:
		return v
	case expr.KindBool:
		v.Data = make([]byte, (n+7)>>3)
	case expr.KindString, expr.KindBinary, expr.KindVariant:
		v.Off = make([]int32, n+1)
	case expr.KindArray:
		v.Off, v.Kids = make([]int32, n+1), []*Vec{NewNull(t.Elem, 0)}
	case expr.KindMap:
		v.Off, v.Kids = make([]int32, n+1), []*Vec{NewNull(t.Key, 0), NewNull(t.Elem, 0)}
	case expr.KindStruct:
		for _, f := range t.Fields {
			v.Kids = append(v.Kids, NewNull(f.Type, n))
		}
	default:
		v.Data = make([]byte, n*t.Width())
	}
	v.Valid = make([]byte, (n+7)>>3)
	return v
}

// NullCount returns how many of the Len rows are NULL.
func (v *Vec) NullCount() int {
	switch {
	case v.Type.Kind == expr.KindNull:
		return v.Len
	case v.Valid == nil:
		return 0
	case v.Const:
		if v.Null(0) {
			return v.Len
		}
		return 0
	}
	return v.Len - bitutil.CountSetBits(v.Valid, 0, v.Len)
}
