package vec

import (
	"github.com/apache/arrow-go/v18/arrow/bitutil"

	"github.com/flightd/flightd/plan/expr"
)

// Concat returns the rows of vs one after another as a new column; vs is not empty
// and has one type. Constants are spread out.
func Concat(vs []*Vec) *Vec {
	out := &Vec{Type: vs[0].Type}
	nulls := false
	flat := make([]*Vec, len(vs))
	for i, v := range vs {
		flat[i] = v.Flat()
		out.Len += v.Len
		nulls = nulls || v.Valid != nil
	}
	if out.Type.Kind == expr.KindNull {
		return out
	}
	if nulls {
		out.Valid = make([]byte, (out.Len+7)>>3)
		at := 0
		for _, v := range flat {
			if v.Valid == nil {
				bitutil.SetBitsTo(out.Valid, int64(at), int64(v.Len), true)
			} else {
				bitutil.CopyBitmap(v.Valid, 0, v.Len, out.Valid, at)
			}
			at += v.Len
		}
	}
	switch out.Type.Kind {
	case expr.KindBool:
		out.Data = make([]byte, (out.Len+7)>>3)
		at := 0
		for _, v := range flat {
			bitutil.CopyBitmap(v.Data, 0, v.Len, out.Data, at)
			at += v.Len
		}
	case expr.KindString, expr.KindBinary, expr.KindVariant:
		out.Off = concatOffsets(flat, out.Len)
		out.Data = make([]byte, 0, out.Off[out.Len])
		for _, v := range flat {
			if v.Len > 0 {
				out.Data = append(out.Data, v.Data[v.Off[0]:v.Off[v.Len]]...)
			}
		}
	case expr.KindArray, expr.KindMap:
		out.Off = concatOffsets(flat, out.Len)
		for k := range flat[0].Kids {
			parts := make([]*Vec, 0, len(flat))
			for _, v := range flat {
				if v.Len > 0 {
					parts = append(parts, v.Kids[k].Slice(int(v.Off[0]), int(v.Off[v.Len])))
				}
			}
			if len(parts) == 0 {
				parts = append(parts, NewNull(flat[0].Kids[k].Type, 0))
			}
			out.Kids = append(out.Kids, Concat(parts))
		}
	case expr.KindStruct:
		for k := range out.Type.Fields {
			parts := make([]*Vec, len(flat))
			for i, v := range flat {
				parts[i] = v.Kids[k]
			}
			out.Kids = append(out.Kids, Concat(parts))
		}
	default:
		w := out.Type.Width()
		out.Data = make([]byte, 0, out.Len*w)
		for _, v := range flat {
			out.Data = append(out.Data, v.Data[:v.Len*w]...)
		}
	}
	return out
}

func concatOffsets(vs []*Vec, n int) []int32 {
	off := make([]int32, 1, n+1)
	at := int32(0)
	for _, v := range vs {
		for i := range v.Len {
			off = append(off, at+v.Off[i+1]-v.Off[0])
		}
		at = off[len(off)-1]
	}
	return off
}

// Slice returns rows lo to hi of v; all buffers but bitmaps are shared.
func (v *Vec) Slice(lo, hi int) *Vec {
	if lo == 0 && hi == v.Len {
		return v
	}
	out := *v
	out.Len = hi - lo
	if v.Const || v.Type.Kind == expr.KindNull {
		return &out
	}
	if v.Valid != nil {
		out.Valid = bits(v.Valid, lo, out.Len)
	}
	switch v.Type.Kind {
	case expr.KindBool:
		out.Data = bits(v.Data, lo, out.Len)
	case expr.KindString, expr.KindBinary, expr.KindVariant, expr.KindArray, expr.KindMap:
		out.Off = v.Off[lo : hi+1]
	case expr.KindStruct:
		out.Kids = make([]*Vec, len(v.Kids))
		for i, k := range v.Kids {
			out.Kids[i] = k.Slice(lo, hi)
		}
	default:
		w := v.Type.Width()
		out.Data = v.Data[lo*w : hi*w]
	}
	if out.Own == Scratch {
		out.Own = Borrowed
	}
	return &out
}
