package expr

import (
	"bytes"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func comparisonRows() map[string]row {
	rows := map[string]row{"<=>": {makeNullSafe}, "greatest": {makeExtreme(1)}, "least": {makeExtreme(-1)}, "in": {makeIn}, "between": {makeBetween}}
	for name, op := range comparisons {
		rows[name] = row{func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
			return makeComparison(op, c, args, env), nil
		}}
	}
	return rows
}

var comparisons = map[string]kernels.Op{
	"=": kernels.EQ, "!=": kernels.NE, "<": kernels.LT, "<=": kernels.LE, ">": kernels.GT, ">=": kernels.GE,
}

// comparison is a function that can also select rows without a bitmap between.
type comparison struct {
	*function
	op kernels.Op
}

func makeComparison(op kernels.Op, c *expr.Call, args []Evaluator, env *Env) Evaluator {
	return &comparison{newFunction(c, args, env, compareColumns(op, c.Args[0].Type())), op}
}

// compareColumns returns the loop that compares two columns of type t.
func compareColumns(op kernels.Op, t *expr.Type) func(f *frame) error {
	switch t.Kind {
	case expr.KindInt8:
		return compareInt[int8](op)
	case expr.KindInt16:
		return compareInt[int16](op)
	case expr.KindInt32, expr.KindDate, expr.KindYearMonth:
		return compareInt[int32](op)
	case expr.KindInt64, expr.KindTimestamp, expr.KindTimestampNTZ, expr.KindDayTime, expr.KindTime:
		return compareInt[int64](op)
	case expr.KindFloat32:
		return compareFloat[float32](op)
	case expr.KindFloat64:
		return compareFloat[float64](op)
	case expr.KindDecimal:
		var sa, sb spread[kernels.Int128]
		return func(f *frame) error {
			a, b := sa.column(f, 0), sb.column(f, 1)
			if x, y := f.args[0].Type.Scale, f.args[1].Type.Scale; x != y {
				return compareScales(f, op, a, b, x, y)
			}
			if narrowDecimals(f.args[0].Type, f.args[1].Type) {
				kernels.CompareNarrowDecimal(op, f.bits(), a, b)
				return nil
			}
			kernels.CompareDecimal(op, f.bits(), a, b)
			return nil
		}
	case expr.KindString, expr.KindBinary:
		return func(f *frame) error { return compareText(f, op) }
	}
	return func(f *frame) error {
		dst := f.bits()
		a, b := f.args[0], f.args[1]
		f.each(func(i int) {
			if holds(op, vec.Compare(a, i, b, i)) {
				kernels.SetBit(dst, i)
			}
		})
		return nil
	}
}

// narrowDecimals reports whether decimals of both types are of 64 bits and so are their
// differences.
func narrowDecimals(a, b *expr.Type) bool { return max(a.Precision, b.Precision) <= 18 }

func holds(op kernels.Op, c int) bool {
	switch op {
	case kernels.EQ:
		return c == 0
	case kernels.NE:
		return c != 0
	case kernels.LT:
		return c < 0
	case kernels.LE:
		return c <= 0
	case kernels.GT:
		return c > 0
	}
	return c >= 0
}

func compareInt[T kernels.Int](op kernels.Op) func(f *frame) error {
	return func(f *frame) error {
		a, b := f.args[0], f.args[1]
		dst := f.bits()
		switch {
		case b.Const:
			kernels.CompareIntScalar(op, dst, column[T](a, f.n), vec.Values[T](b)[0])
		case a.Const:
			kernels.CompareIntScalar(op.Swap(), dst, column[T](b, f.n), vec.Values[T](a)[0])
		default:
			kernels.CompareInt(op, dst, column[T](a, f.n), column[T](b, f.n))
		}
		return nil
	}
}

func compareFloat[T kernels.Float](op kernels.Op) func(f *frame) error {
	return func(f *frame) error {
		a, b := f.args[0], f.args[1]
		dst := f.bits()
		switch {
		case b.Const:
			kernels.CompareScalar(op, dst, column[T](a, f.n), vec.Values[T](b)[0])
		case a.Const:
			kernels.CompareScalar(op.Swap(), dst, column[T](b, f.n), vec.Values[T](a)[0])
		default:
			kernels.Compare(op, dst, column[T](a, f.n), column[T](b, f.n))
		}
		return nil
	}
}

// column returns the first n values of v, or the one of a constant.
func column[T any](v *vec.Vec, n int) []T {
	if v.Const {
		n = 1
	}
	return vec.Values[T](v)[:n]
}

func compareScales(f *frame, op kernels.Op, a, b []kernels.Int128, x, y int) error {
	dst := f.bits()
	f.each(func(i int) {
		if holds(op, compareDecimals(a[i], b[i], x, y)) {
			kernels.SetBit(dst, i)
		}
	})
	return nil
}

func compareDecimals(a, b kernels.Int128, x, y int) int {
	s := max(x, y)
	p, okP := kernels.Rescale(a, x, s)
	q, okQ := kernels.Rescale(b, y, s)
	if !okP || !okQ {
		u, v := a.Big(), b.Big()
		u.Mul(u, kernels.Pow10(s-x).Big())
		v.Mul(v, kernels.Pow10(s-y).Big())
		return u.Cmp(v)
	}
	return p.Cmp(q)
}

func compareText(f *frame, op kernels.Op) error {
	dst := f.bits()
	if (op == kernels.EQ || op == kernels.NE) && (f.sel == nil || len(f.sel) >= f.n/8) {
		v, c := f.args[0], f.args[1]
		if v.Const {
			v, c = c, v
		}
		if c.Const && !v.Const && f.n > 0 {
			kernels.EqualText(dst, v.Off[:f.n+1], v.Data, c.Str(0))
			if op == kernels.NE {
				kernels.Not(dst, dst)
			}
			return nil
		}
	}
	if op != kernels.EQ && op != kernels.NE && f.n > 0 && f.args[0].Const != f.args[1].Const {
		orderTexts(f, op, dst)
		return nil
	}
	a, b := f.text(0), f.text(1)
	switch op {
	case kernels.EQ, kernels.NE:
		want := op == kernels.EQ
		f.each(func(i int) {
			if bytes.Equal(a.at(i), b.at(i)) == want {
				kernels.SetBit(dst, i)
			}
		})
	default:
		f.each(func(i int) {
			if holds(op, bytes.Compare(a.at(i), b.at(i))) {
				kernels.SetBit(dst, i)
			}
		})
	}
	return nil
}

// orderTexts compares texts with a constant.
func orderTexts(f *frame, op kernels.Op, dst []byte) {
	v, c := f.args[0], f.args[1]
	if v.Const { // c op v is v op' c
		v, c = c, v
		op = [...]kernels.Op{kernels.LT: kernels.GT, kernels.LE: kernels.GE, kernels.GT: kernels.LT, kernels.GE: kernels.LE}[op]
	}
	sel := f.sel
	if len(sel) >= f.n/2 { // all of them cost less
		sel = nil
	}
	kernels.CompareText(dst, v.Off[:f.n+1], v.Data, c.Str(0), sel, op == kernels.LE || op == kernels.GT)
	if op == kernels.GT || op == kernels.GE {
		kernels.Not(dst, dst)
	}
}

// makeNullSafe is <=>: never NULL, true for two NULLs.
func makeNullSafe(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	equal := compareColumns(kernels.EQ, c.Args[0].Type())
	e := newFunction(c, args, env, func(f *frame) error {
		if f.args[0].Type.Kind == expr.KindNull || f.args[1].Type.Kind == expr.KindNull {
			clear(f.bits())
		} else if err := equal(f); err != nil {
			return err
		}
		dst := f.out.Data
		for i := range f.n {
			if an, bn := f.args[0].Null(i), f.args[1].Null(i); an || bn {
				kernels.ClearBit(dst, i)
				if an && bn {
					kernels.SetBit(dst, i)
				}
			}
		}
		f.out.Valid = nil
		return nil
	})
	e.lenient()
	return e, nil
}

// makeExtreme is greatest (sign 1) and least (−1): NULLs are skipped.
func makeExtreme(sign int) func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	return func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
		return &choice{call: c, args: args, pick: func(in *Input, vs []*vec.Vec, from []int32) {
			in.each(func(i int) {
				best := int32(-1)
				for k, v := range vs {
					if !v.Null(i) && (best < 0 || vec.Compare(v, i, vs[best], i)*sign > 0) {
						best = int32(k)
					}
				}
				from[i] = best
			})
		}}, nil
	}
}

// each calls do for every live row.
func (in *Input) each(do func(i int)) {
	if in.Sel != nil {
		for _, i := range in.Sel {
			do(int(i))
		}
		return
	}
	for i := range in.Rows {
		do(i)
	}
}

func makeBetween(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	lo := makeComparison(kernels.GE, &expr.Call{At: c.At, Fn: ">=", Args: []expr.Expr{c.Args[0], c.Args[1]}, Typ: expr.Bool}, args[:2], env)
	hi := makeComparison(kernels.LE, &expr.Call{At: c.At, Fn: "<=", Args: []expr.Expr{c.Args[0], c.Args[2]}, Typ: expr.Bool}, []Evaluator{args[0], args[2]}, env)
	return &logic{args: []Evaluator{lo, hi}}, nil
}
