package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func logicRows() map[string]row {
	return map[string]row{
		"and": {func(c *expr.Call, args []Evaluator, _ *Env) (Evaluator, error) { return &logic{args: args}, nil }},
		"or": {func(c *expr.Call, args []Evaluator, _ *Env) (Evaluator, error) {
			return &logic{or: true, args: args}, nil
		}},
		"not":       strict(func(f *frame) error { kernels.Not(f.bits(), bitsOf(f.args[0], f.n)); return nil }),
		"isnull":    lenient(func(f *frame) error { nullBits(f, true); return nil }),
		"isnotnull": lenient(func(f *frame) error { nullBits(f, false); return nil }),
		"isnan":     lenient(isNaN),
	}
}

// bitsOf returns the bitmap of a BOOLEAN column.
func bitsOf(v *vec.Vec, n int) []byte {
	switch {
	case v.Type.Kind == expr.KindNull:
		return make([]byte, kernels.BitmapBytes(n))
	case !v.Const:
		return v.Data[:kernels.BitmapBytes(n)]
	}
	b := make([]byte, kernels.BitmapBytes(n))
	if v.Data[0]&1 == 1 {
		kernels.FillOnes(b)
	}
	return b
}

// validOf returns the validity of a column as a bitmap; nil: all rows are
// present.
func validOf(v *vec.Vec, n int) []byte {
	switch {
	case v.Type.Kind == expr.KindNull, v.Const && v.Null(0):
		return make([]byte, kernels.BitmapBytes(n))
	case v.Const || v.Valid == nil:
		return nil
	}
	return v.Valid[:kernels.BitmapBytes(n)]
}

func nullBits(f *frame, want bool) {
	dst := f.bits()
	valid := validOf(f.args[0], f.n)
	switch {
	case valid == nil:
		if !want {
			kernels.FillOnes(dst)
		}
	case want:
		kernels.Not(dst, valid)
	default:
		copy(dst, valid)
	}
}

func isNaN(f *frame) error {
	dst, v := f.bits(), f.args[0]
	switch v.Type.Kind {
	case expr.KindFloat32:
		markNaN(f, dst, argument[float32](f, 0))
	case expr.KindFloat64:
		markNaN(f, dst, argument[float64](f, 0))
	}
	if valid := validOf(v, f.n); valid != nil {
		kernels.And(dst, dst, valid)
	}
	return nil
}

func markNaN[T kernels.Float](f *frame, dst []byte, a fixed[T]) {
	for i := range f.n {
		if x := a.at(i); x != x {
			kernels.SetBit(dst, i)
		}
	}
}

// logic is AND and OR. The second operand is evaluated only for the rows that
// the first does not decide.
type logic struct {
	or     bool
	args   []Evaluator
	out    vec.Vec
	yes    []byte
	no     []byte
	sel    []int32
	branch Input
}

func (e *logic) Eval(in *Input) (*vec.Vec, error) {
	n := in.Rows
	size := kernels.BitmapBytes(n)
	e.yes, e.no = grow(e.yes, size), grow(e.no, size)
	// yes: all operands so far are true (for OR: false); no: one is the other.
	kernels.FillOnes(e.yes)
	clear(e.no)
	known := false // whether every row is present so far
	for k, a := range e.args {
		branch := in
		if k > 0 {
			e.sel = undecided(e.sel, in, e.no)
			if len(e.sel) == 0 {
				break
			}
			if len(e.sel) < in.Live() {
				e.branch = in.narrowed(e.sel)
				branch = &e.branch
			}
		}
		v, err := a.Eval(branch)
		if err != nil {
			return nil, err
		}
		e.combine(v, n)
		known = v.Valid == nil && v.Type.Kind != expr.KindNull && (known || k == 0)
	}
	out := &e.out
	*out = vec.Vec{Type: expr.Bool, Len: n, Data: grow(out.Data, size), Valid: out.Valid, Own: vec.Scratch}
	// A row that is no counts as decided although yes may be garbage there.
	kernels.AndNot(e.yes, e.yes, e.no)
	if known {
		out.Valid = nil
	} else {
		out.Valid = grow(out.Valid, size)
		kernels.Or(out.Valid, e.yes, e.no)
	}
	if e.or {
		copy(out.Data, e.no)
	} else {
		copy(out.Data, e.yes)
	}
	return out, nil
}

// combine takes in an operand. Rows for which it was not evaluated are in no
// already, which nothing takes out again.
func (e *logic) combine(v *vec.Vec, n int) {
	val, valid := bitsOf(v, n), validOf(v, n)
	for i := range e.yes {
		t, ok := val[i], byte(0xff)
		if valid != nil {
			ok = valid[i]
		}
		if e.or {
			t = ^t
		}
		e.yes[i] &= t & ok
		e.no[i] |= ^t & ok
	}
}

// undecided lists the live rows whose bit in no is clear.
func undecided(buf []int32, in *Input, no []byte) []int32 {
	if cap(buf) < in.Rows {
		buf = make([]int32, in.Rows)
	}
	buf = buf[:in.Rows]
	k := 0
	if in.Sel == nil {
		for i := range in.Rows {
			buf[k] = int32(i)
			k += int(^no[i>>3] >> (i & 7) & 1)
		}
	} else {
		for _, i := range in.Sel {
			buf[k] = i
			k += int(^no[i>>3] >> (i & 7) & 1)
		}
	}
	return buf[:k]
}
