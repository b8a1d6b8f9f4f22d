package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// A Predicate selects rows by a BOOLEAN expression.
type Predicate interface {
	// Select returns the live rows of in for which the expression is true,
	// ascending, in out if it has room for in.Rows. out may be in.Sel itself.
	Select(in *Input, out []int32) ([]int32, error)
}

// CompilePredicate returns a predicate for a bound BOOLEAN expression. AND narrows
// the selection from operand to operand; OR asks each operand about the rows that
// the ones before refused.
func CompilePredicate(e expr.Expr, env *Env) (Predicate, error) {
	env.prepare()
	for {
		a, ok := e.(*expr.Alias)
		if !ok {
			break
		}
		e = a.Child
	}
	if c, ok := e.(*expr.Call); ok && (c.Fn == "and" || c.Fn == "or") {
		parts := make([]Predicate, len(c.Args))
		for i, a := range c.Args {
			var err error
			if parts[i], err = CompilePredicate(a, env); err != nil {
				return nil, err
			}
		}
		if c.Fn == "and" {
			return conjunction(parts), nil
		}
		return &disjunction{parts: parts}, nil
	}
	if c, ok := e.(*expr.Call); ok && c.Fn == "between" && collationOf(c) == "" {
		// Its value is looked at twice, so it must not cost anything.
		if _, plain := c.Args[0].(*expr.Ref); plain {
			return betweenPredicate(c, env)
		}
	}
	ev, err := Compile(e, env)
	if err != nil {
		return nil, err
	}
	p, ok := ev.(Predicate)
	if !ok {
		p = &truth{ev: ev}
	}
	if column, ok := byValue(e); ok {
		return &valuePredicate{rows: p, column: column}, nil
	}
	return p, nil
}

// betweenPredicate is a column between two others, as two comparisons.
func betweenPredicate(c *expr.Call, env *Env) (Predicate, error) {
	out := conjunction{}
	for i, fn := range []string{">=", "<="} {
		p, err := CompilePredicate(&expr.Call{At: c.At, Fn: fn, Args: []expr.Expr{c.Args[0], c.Args[i+1]}, Typ: expr.Bool, Mode: c.Mode}, env)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func room(out []int32, n int) []int32 {
	if cap(out) < n {
		return make([]int32, n)
	}
	return out[:n]
}

type conjunction []Predicate

func (p conjunction) Select(in *Input, out []int32) ([]int32, error) {
	out = room(out, in.Rows)
	narrowed := *in
	var err error
	for _, part := range p {
		sel, err := part.Select(&narrowed, out)
		if err != nil || len(sel) == 0 {
			return sel, err
		}
		narrowed.Sel = sel
	}
	return narrowed.Sel, err
}

type disjunction struct {
	parts            []Predicate
	rest, hit, union []int32
}

func (p *disjunction) Select(in *Input, out []int32) ([]int32, error) {
	n := in.Rows
	p.rest, p.hit, p.union = room(p.rest, n), room(p.hit, n), room(p.union, n)
	rest := p.rest[:0]
	if in.Sel == nil {
		for i := range n {
			rest = append(rest, int32(i))
		}
	} else {
		rest = append(rest, in.Sel...)
	}
	var chosen []int32
	for _, part := range p.parts {
		if len(rest) == 0 {
			break
		}
		narrowed := in.narrowed(rest)
		sel, err := part.Select(&narrowed, p.hit)
		if err != nil {
			return nil, err
		}
		k := kernels.Union(chosen, sel, p.union)
		chosen = append(chosen[:0], p.union[:k]...)
		rest = rest[:kernels.Minus(rest, sel, rest)]
	}
	out = room(out, n)
	return out[:copy(out, chosen)], nil
}

// truth selects by the bitmap of any BOOLEAN expression.
type truth struct {
	ev  Evaluator
	buf []byte
}

func (p *truth) Select(in *Input, out []int32) ([]int32, error) {
	out = room(out, in.Rows)
	if in.Live() == 0 {
		return out[:0], nil
	}
	v, err := p.ev.Eval(in)
	if err != nil {
		return nil, err
	}
	return selectTrue(v, in, out, &p.buf), nil
}

func selectTrue(v *vec.Vec, in *Input, out []int32, buf *[]byte) []int32 {
	if v.Type.Kind == expr.KindNull || v.Const && (v.Null(0) || !v.Bool(0)) {
		return out[:0]
	}
	if v.Const {
		if in.Sel != nil {
			return out[:copy(out, in.Sel)]
		}
		for i := range out {
			out[i] = int32(i)
		}
		return out
	}
	bits := v.Data
	if v.Valid != nil {
		*buf = grow(*buf, kernels.BitmapBytes(in.Rows))
		kernels.And(*buf, v.Data, v.Valid)
		bits = *buf
	}
	if in.Sel == nil {
		return out[:kernels.Ones(bits, in.Rows, out)]
	}
	return out[:kernels.SelectOnes(bits, in.Sel, out)]
}

// Select of a comparison of an integer-like column with a constant goes straight
// from values to rows.
func (e *comparison) Select(in *Input, out []int32) ([]int32, error) {
	out = room(out, in.Rows)
	if in.Live() == 0 {
		return out[:0], nil
	}
	if l, ok := e.args[1].(*literal); ok && !l.v.Null(0) && selects(e.f.call.Args[0].Type(), l.v.Type) {
		v, err := e.args[0].Eval(in)
		if err != nil {
			return nil, err
		}
		if sel, ok := selectScalar(e.op, v, l.v, in, out); ok {
			return sel, nil
		}
	}
	v, err := e.Eval(in)
	if err != nil {
		return nil, err
	}
	var buf []byte
	return selectTrue(v, in, out, &buf), nil
}

// selects reports whether selectScalar compares a column of a type with a constant.
func selects(t, s *expr.Type) bool {
	switch t.Kind {
	case expr.KindInt32, expr.KindDate, expr.KindYearMonth, expr.KindInt64, expr.KindTimestamp, expr.KindTimestampNTZ, expr.KindDayTime:
		return true
	}
	return t.Kind == expr.KindDecimal && s.Kind == expr.KindDecimal && t.Scale == s.Scale
}

func selectScalar(op kernels.Op, v, s *vec.Vec, in *Input, out []int32) ([]int32, bool) {
	if v.Const {
		return nil, false
	}
	var k int
	switch v.Type.Kind {
	case expr.KindInt32, expr.KindDate, expr.KindYearMonth:
		k = selectInts(op, vec.Values[int32](v), vec.Values[int32](s)[0], in, out)
	case expr.KindInt64, expr.KindTimestamp, expr.KindTimestampNTZ, expr.KindDayTime:
		k = selectInts(op, vec.Values[int64](v), vec.Values[int64](s)[0], in, out)
	case expr.KindDecimal:
		if s.Type.Kind != expr.KindDecimal || v.Type.Scale != s.Type.Scale {
			return nil, false
		}
		vals := vec.Values[kernels.Int128](v)
		if in.Sel == nil {
			vals = vals[:in.Rows]
		}
		choose := kernels.SelectDecimal
		if narrowDecimals(v.Type, s.Type) {
			choose = kernels.SelectNarrowDecimal
		}
		k = choose(op, vals, vec.Values[kernels.Int128](s)[0], in.Sel, out)
	default:
		return nil, false
	}
	out = out[:k]
	if v.Valid != nil {
		out = out[:kernels.SelectOnes(v.Valid, out, out)]
	}
	return out, true
}

func selectInts[T kernels.Int](op kernels.Op, vals []T, s T, in *Input, out []int32) int {
	if in.Sel == nil {
		return kernels.SelectScalar(op, vals[:in.Rows], s, out)
	}
	return kernels.SelectScalarSel(op, vals, s, in.Sel, out)
}
