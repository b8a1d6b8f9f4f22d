package agg

import (
	"math"
	"math/big"
	"strconv"
	"unsafe"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// picker leaves out rows whose arguments are NULL.
type picker struct{ rows, groups []int32 }

// present returns the members of rows at which no arg is NULL, with their
// groups; the slices themselves if that is all of them.
func (p *picker) present(rows, groups []int32, args ...*vec.Vec) ([]int32, []int32) {
	for _, v := range args {
		switch {
		case v.Type.Kind == expr.KindNull || v.Const && v.Null(0):
			return nil, nil
		case v.Const || v.Valid == nil:
			continue
		}
		p.rows, p.groups = grow(p.rows, len(rows)), grow(p.groups, len(rows))
		n := 0
		for i, r := range rows {
			p.rows[n], p.groups[n] = r, groups[i]
			n += int(v.Valid[r>>3] >> (r & 7) & 1)
		}
		rows, groups = p.rows[:n], p.groups[:n]
	}
	return rows, groups
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// int128s views 16-byte values as integers, without copying.
func int128s(s []state.Word16) []kernels.Int128 {
	return unsafe.Slice((*kernels.Int128)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}

func isSet(bits []byte, i int32) bool { return bits[i>>3]>>(i&7)&1 == 1 }
func set(bits []byte, i int32)        { bits[i>>3] |= 1 << (i & 7) }
func unset(bits []byte, i int32)      { bits[i>>3] &^= 1 << (i & 7) }

// column returns what state gathered as a column of type t.
func column(t *expr.Type, v state.Vector) *vec.Vec {
	return &vec.Vec{Type: t, Len: v.Len, Valid: v.Valid, Data: v.Data, Off: v.Off}
}

// floats returns numeric values as DOUBLE by row, flat.
func floats(v *vec.Vec, buf []float64) []float64 {
	v = v.Flat()
	switch v.Type.Kind {
	case expr.KindFloat64:
		return vec.Values[float64](v)
	case expr.KindFloat32:
		return toFloats(vec.Values[float32](v), buf)
	case expr.KindInt8:
		return toFloats(vec.Values[int8](v), buf)
	case expr.KindInt16:
		return toFloats(vec.Values[int16](v), buf)
	case expr.KindInt32, expr.KindDate, expr.KindYearMonth:
		return toFloats(vec.Values[int32](v), buf)
	case expr.KindDecimal:
		out := grow(buf, v.Len)
		for i, x := range vec.Values[kernels.Int128](v) {
			out[i] = decimalFloat(x, v.Type.Scale)
		}
		return out
	}
	return toFloats(vec.Values[int64](v), buf)
}

// decimalFloat returns x·10^−scale, correctly rounded.
func decimalFloat(x kernels.Int128, scale int) float64 {
	if v, ok := x.Int64(); ok && v > -1<<53 && v < 1<<53 && scale <= 22 {
		// Both are exact, so the quotient is rounded once.
		return float64(v) / math.Pow10(scale)
	}
	f, _ := strconv.ParseFloat(x.Big().String()+"e-"+strconv.Itoa(scale), 64)
	return f
}

// decimalOf returns x as a decimal of type t, rounded half away from zero; 0 if
// it does not fit.
func decimalOf(x float64, t *expr.Type) kernels.Int128 {
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(x, 'f', -1, 64))
	if !ok {
		return kernels.Int128{}
	}
	r.Mul(r, new(big.Rat).SetInt(kernels.Pow10(t.Scale).Big()))
	n, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if rest.Lsh(rest.Abs(rest), 1).Cmp(r.Denom()) >= 0 {
		n.Add(n, big.NewInt(int64(r.Sign())))
	}
	d, ok := kernels.FromBig(n)
	if !ok || !d.Fits(t.Precision) {
		return kernels.Int128{}
	}
	return d
}

func toFloats[T int8 | int16 | int32 | int64 | float32](vals []T, buf []float64) []float64 {
	out := grow(buf, len(vals))
	for i, x := range vals {
		out[i] = float64(x)
	}
	return out
}
