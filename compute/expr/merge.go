package expr

import (
	"encoding/binary"
	"unsafe"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// merge fills out with rows of parts: row i is row i of parts[from[i]], or NULL
// where from[i] is negative. Parts have type t or are VOID.
func merge(out *vec.Vec, t *expr.Type, parts []*vec.Vec, from []int32) {
	n := len(from)
	*out = vec.Vec{Type: t, Len: n, Data: out.Data, Off: out.Off, Valid: out.Valid, Own: vec.Scratch}
	mergeValid(out, parts, from)
	switch t.Kind {
	case expr.KindNull:
	case expr.KindBool:
		out.Data = grow(out.Data, kernels.BitmapBytes(n))
		clear(out.Data)
		for i, k := range from {
			if k >= 0 && parts[k].Data != nil && parts[k].Bool(i) {
				kernels.SetBit(out.Data, i)
			}
		}
	case expr.KindString, expr.KindBinary, expr.KindVariant:
		mergeText(out, parts, from)
	case expr.KindArray, expr.KindMap, expr.KindStruct:
		mergeNested(out, parts, from)
	default:
		switch t.Width() {
		case 1:
			mergeFixed[uint8](out, parts, from)
		case 2:
			mergeFixed[uint16](out, parts, from)
		case 4:
			mergeFixed[uint32](out, parts, from)
		case 8:
			mergeFixed[uint64](out, parts, from)
		case 16:
			mergeFixed[vec.Wide](out, parts, from)
		}
	}
}

func mergeValid(out *vec.Vec, parts []*vec.Vec, from []int32) {
	nulls := false
	for _, p := range parts {
		nulls = nulls || p != nil && (p.Valid != nil || p.Type.Kind == expr.KindNull)
	}
	if !nulls {
		for _, k := range from {
			if nulls = k < 0; nulls {
				break
			}
		}
	}
	if !nulls {
		out.Valid = nil
		return
	}
	out.Valid = grow(out.Valid, kernels.BitmapBytes(len(from)))
	kernels.FillOnes(out.Valid)
	for i, k := range from {
		if k < 0 || parts[k].Null(i) {
			kernels.ClearBit(out.Valid, i)
		}
	}
}

func mergeFixed[T any](out *vec.Vec, parts []*vec.Vec, from []int32) {
	var zero T
	out.Data = grow(out.Data, len(from)*int(unsafe.Sizeof(zero)))
	dst := vec.Values[T](out)
	cols := make([]fixed[T], len(parts))
	for k, p := range parts {
		if p == nil || p.Type.Kind == expr.KindNull {
			cols[k] = fixed[T]{[]T{zero}, 0}
		} else if p.Const {
			cols[k] = fixed[T]{vec.Values[T](p), 0}
		} else {
			cols[k] = fixed[T]{vec.Values[T](p), -1}
		}
	}
	for i, k := range from {
		if k >= 0 {
			dst[i] = cols[k].at(i)
		} else {
			dst[i] = zero
		}
	}
}

func mergeText(out *vec.Vec, parts []*vec.Vec, from []int32) {
	if cap(out.Off) <= len(from) {
		out.Off = make([]int32, len(from)+1)
	}
	out.Off = out.Off[:len(from)+1]
	dst := out.Data[:0]
	cols, nulls := make([]texts, len(parts)), out.Valid != nil
	for k, p := range parts {
		if p != nil && p.Type.Kind != expr.KindNull {
			cols[k] = textsOf(p)
		}
	}
	if !nulls && mergeWords(out, cols, from) {
		return
	}
	dst = dst[:cap(dst)]
	n := 0
	for i, k := range from {
		out.Off[i] = int32(n)
		if k < 0 || nulls && !kernels.Bit(out.Valid, i) {
			continue
		}
		c := &cols[k]
		at := i & c.mask
		lo, hi := int(c.off[at]), int(c.off[at+1])
		if n+max(chunk, hi-lo) > len(dst) {
			dst = append(dst[:n], make([]byte, max(n, 16*len(from), hi-lo+chunk))...)
			dst = dst[:cap(dst)]
		}
		// Most texts are short: as many bytes as may be are copied at once, and those
		// beyond the end are overwritten by the next one.
		if hi-lo <= chunk && lo+chunk <= len(c.data) {
			*(*[chunk]byte)(dst[n:]) = *(*[chunk]byte)(c.data[lo:])
		} else {
			copy(dst[n:], c.data[lo:hi])
		}
		n += hi - lo
	}
	out.Off[len(from)] = int32(n)
	out.Data = dst[:n]
}

// chunk is how many bytes of a text mergeText copies at once.
const chunk = 32

// mergeWords is mergeText of constants of up to eight bytes, none of them missing, which
// are written as words; it reports false where there are others.
func mergeWords(out *vec.Vec, cols []texts, from []int32) bool {
	var words [16]uint64
	var sizes [16]int32
	if len(cols) > len(words) {
		return false
	}
	for k, c := range cols {
		if len(c.off) == 0 { // no row has it
			continue
		}
		if c.mask != 0 || c.off[1]-c.off[0] > 8 {
			return false
		}
		var b [8]byte
		sizes[k] = int32(copy(b[:], c.at(0)))
		words[k] = binary.LittleEndian.Uint64(b[:])
	}
	n := int32(0)
	out.Data = grow(out.Data, 8*len(from)+8)
	for i, k := range from {
		out.Off[i] = n
		binary.LittleEndian.PutUint64(out.Data[n:n+8], words[k&15])
		n += sizes[k&15]
	}
	out.Off[len(from)] = n
	out.Data = out.Data[:n]
	return true
}

func mergeNested(out *vec.Vec, parts []*vec.Vec, from []int32) {
	var used []*vec.Vec
	start := make([]int32, len(parts))
	at := int32(0)
	for k, p := range parts {
		if p == nil || p.Type.Kind == expr.KindNull {
			start[k] = -1
			continue
		}
		start[k] = at
		if p.Const {
			one := *p
			one.Const, one.Len = false, 1
			p = &one
		}
		at += int32(p.Len)
		used = append(used, p)
	}
	if len(used) == 0 {
		*out = *vec.NewNull(out.Type, len(from))
		out.Own = vec.Scratch // the next call fills out again
		return
	}
	idx := make([]int32, len(from))
	for i, k := range from {
		if k < 0 || start[k] < 0 {
			idx[i] = -1
		} else {
			idx[i] = start[k] + int32(parts[k].Index(i))
		}
	}
	all := used[0]
	if len(used) > 1 {
		all = vec.Concat(used)
	}
	valid, t := out.Valid, out.Type
	*out = *all.Take(idx)
	out.Valid, out.Type, out.Own = valid, t, vec.Scratch
}

// choice picks one of its arguments, all evaluated, for each row.
type choice struct {
	call *expr.Call
	args []Evaluator
	// pick sets from[i] to the argument whose value row i has, or to −1 for NULL.
	pick func(in *Input, vs []*vec.Vec, from []int32)
	vs   []*vec.Vec
	from []int32
	out  vec.Vec
}

func (e *choice) Eval(in *Input) (*vec.Vec, error) {
	e.vs = e.vs[:0]
	for _, a := range e.args {
		v, err := a.Eval(in)
		if err != nil {
			return nil, err
		}
		e.vs = append(e.vs, v)
	}
	e.from = freshFrom(e.from, in.Rows)
	e.pick(in, e.vs, e.from)
	merge(&e.out, e.call.Typ, e.vs, e.from)
	return &e.out, nil
}

// freshFrom returns n times −1.
func freshFrom(buf []int32, n int) []int32 {
	if cap(buf) < n {
		buf = make([]int32, n)
	}
	buf = buf[:n]
	for i := range buf {
		buf[i] = -1
	}
	return buf
}
