package agg

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// fold combines the values of a group with one bitwise operation; of a BOOLEAN
// too, as bool_and and bool_or.
type fold struct {
	acc *state.Fixed[int64]
	typ *expr.Type
	op  foldOp
	buf []int64
	picker
}

type foldOp uint8

const (
	foldAnd foldOp = iota
	foldOr
	foldXor
)

func foldOf(op foldOp) constructor {
	return func(c call) (*Func, error) {
		if err := c.need(1); err != nil {
			return nil, err
		}
		t := c.arg(0)
		if !t.IsInteger() && t.Kind != expr.KindBool && t.Kind != expr.KindNull {
			return nil, c.unsupported(t)
		}
		return &Func{
			AnyOrder: true,
			Fields:   []state.Field{field(state.Int64, t.SQL(), true)},
			bind: func(cols []state.Column) Accumulator {
				return &fold{acc: cols[0].(*state.Fixed[int64]), typ: c.Typ, op: op}
			},
		}, nil
	}
}

func (a *fold) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[0])
	if len(rows) == 0 {
		return nil
	}
	vals := a.ints(args[0].Flat())
	for i, r := range rows {
		a.add(groups[i], vals[r])
	}
	return nil
}

func (a *fold) add(g int32, x int64) {
	acc, valid := a.acc.Data(), a.acc.Valid()
	if !isSet(valid, g) {
		acc[g] = x
		set(valid, g)
		return
	}
	switch a.op {
	case foldAnd:
		acc[g] &= x
	case foldOr:
		acc[g] |= x
	case foldXor:
		acc[g] ^= x
	}
}

// ints widens v, which is flat.
func (a *fold) ints(v *vec.Vec) []int64 {
	switch v.Type.Width() {
	case 8:
		return vec.Values[int64](v)
	case 4:
		a.buf = widen(a.buf, vec.Values[int32](v))
	case 2:
		a.buf = widen(a.buf, vec.Values[int16](v))
	case 1:
		a.buf = widen(a.buf, vec.Values[int8](v))
	default:
		a.buf = grow(a.buf, v.Len)
		for i := range a.buf {
			a.buf[i] = int64(v.Data[i>>3] >> (i & 7) & 1)
		}
	}
	return a.buf
}

func widen[T int8 | int16 | int32](buf []int64, vals []T) []int64 {
	buf = grow(buf, len(vals))
	for i, x := range vals {
		buf[i] = int64(x)
	}
	return buf
}

func (a *fold) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*fold)
	for i, r := range src {
		if o.acc.IsValid(r) {
			a.add(dst[i], o.acc.Data()[r])
		}
	}
	return nil
}

func (a *fold) Final(groups []int32) (*vec.Vec, error) {
	v := column(a.typ, a.acc.Gather(groups))
	vals := vec.Values[int64](v)
	switch {
	case a.typ.Kind == expr.KindNull:
		return vec.NewNull(a.typ, len(groups)), nil
	case a.typ.Kind == expr.KindBool:
		v.Data = make([]byte, (len(vals)+7)/8)
		for i, x := range vals {
			v.Data[i>>3] |= byte(x) << (i & 7)
		}
	case a.typ.Width() == 4:
		v.Data = narrowed[int32](vals)
	case a.typ.Width() == 2:
		v.Data = narrowed[int16](vals)
	case a.typ.Width() == 1:
		v.Data = narrowed[int8](vals)
	}
	return v, nil
}

func narrowed[T int8 | int16 | int32](vals []int64) []byte {
	out := make([]T, len(vals))
	for i, x := range vals {
		out[i] = T(x)
	}
	return vec.Bytes(out)
}
