package agg

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

func newAvg(c call) (*Func, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	if c.Fn == "try_avg" {
		c.Agg = withMode(c.Agg, expr.Try)
	}
	switch t := c.arg(0); {
	case t.Kind == expr.KindDecimal:
		sum := expr.Decimal(min(t.Precision+10, expr.MaxPrecision), t.Scale)
		return &Func{
			Direct:   neverFull(c, sum),
			AnyOrder: neverFull(c, sum),
			Fields:   append(decimalSumFields(sum), field(state.Int64, "BIGINT", false)),
			bind: func(cols []state.Column) Accumulator {
				return &decAvg{decSum: bindDecimalSum(cols, sum, c, "try_avg"), n: cols[2].(*state.Fixed[int64]), out: c.Typ}
			},
		}, nil
	case t.Kind == expr.KindDayTime || t.Kind == expr.KindYearMonth:
		f := intSumFunc(c)
		f.Fields = append(f.Fields, field(state.Int64, "BIGINT", false))
		bind := f.bind
		f.bind = func(cols []state.Column) Accumulator {
			return &intervalAvg{intSum: bind(cols).(*intSum), n: cols[2].(*state.Fixed[int64])}
		}
		return f, nil
	case t.IsNumeric() || t.Kind == expr.KindNull:
		return &Func{
			Direct: true,
			// Below 2^53 sums of narrow integers are exact.
			AnyOrder: t.IsInteger() && t.Width() < 8,
			Fields:   []state.Field{field(state.Float64, "DOUBLE", false), field(state.Int64, "BIGINT", false)},
			bind: func(cols []state.Column) Accumulator {
				return &floatAvg{sum: cols[0].(*state.Fixed[float64]), n: cols[1].(*state.Fixed[int64])}
			},
		}, nil
	}
	return nil, c.unsupported(c.arg(0))
}

// floatAvg is a sum of doubles, from zero and in row order, and a count.
type floatAvg struct {
	sum *state.Fixed[float64]
	n   *state.Fixed[int64]
	picker
	bySplit
}

// EndSplit adds the sums of the split to groups.
func (a *floatAvg) EndSplit(groups []int32) { a.end(a.sum.Data(), groups) }

func (a *floatAvg) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[0])
	if len(rows) == 0 {
		return nil
	}
	n := a.n.Data()
	for _, g := range groups {
		n[g]++
	}
	addFloats(a.sums(a.sum.Data()), rows, groups, args[0])
	return nil
}

func (a *floatAvg) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*floatAvg)
	sum, n := a.sums(a.sum.Data()), a.n.Data()
	addSum, addN := o.sum.Data(), o.n.Data()
	for i, g := range dst {
		sum[g] += addSum[src[i]]
		n[g] += addN[src[i]]
	}
	return nil
}

func (a *floatAvg) Final(groups []int32) (*vec.Vec, error) {
	sum, n := a.sum.Data(), a.n.Data()
	return finalFloats(groups, func(g int32) (float64, bool) { return sum[g] / float64(n[g]), n[g] > 0 }), nil
}

// finalFloats makes a DOUBLE column of f's results, NULL where f says false.
func finalFloats(groups []int32, f func(g int32) (float64, bool)) *vec.Vec {
	out, valid := make([]float64, len(groups)), make([]byte, (len(groups)+7)/8)
	for i, g := range groups {
		if x, ok := f(g); ok {
			out[i] = x
			set(valid, int32(i))
		}
	}
	return vec.FromValues(expr.Float64, out, valid)
}

type decAvg struct {
	*decSum
	n   *state.Fixed[int64]
	out *expr.Type
}

func (a *decAvg) Update(rows, groups []int32, args []*vec.Vec) error {
	n := a.n.Data()
	_, present := a.present(rows, groups, args[0])
	for _, g := range present {
		n[g]++
	}
	return a.decSum.Update(rows, groups, args)
}

func (a *decAvg) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*decAvg)
	n, add := a.n.Data(), o.n.Data()
	for i, g := range dst {
		n[g] += add[src[i]]
	}
	a.merge(dst, o.decSum, src)
	return nil
}

func (a *decAvg) Final(groups []int32) (*vec.Vec, error) {
	if err := a.check(groups); err != nil {
		return nil, err
	}
	out, valid := make([]kernels.Int128, len(groups)), make([]byte, (len(groups)+7)/8)
	sum, n := int128s(a.sum.Data()), a.n.Data()
	div := kernels.DecimalOp{ScaleA: a.typ.Scale, Precision: a.out.Precision, Scale: a.out.Scale}
	for i, g := range groups {
		if n[g] == 0 || !a.sum.IsValid(g) {
			continue
		}
		q, ok := div.Div(sum[g], kernels.From64(n[g]))
		switch {
		case ok:
			out[i] = q
			set(valid, int32(i))
		case a.call.Mode == expr.ANSI:
			return nil, a.overflow()
		}
	}
	return vec.FromValues(a.out, out, valid), nil
}

// intervalAvg is the mean of intervals, rounded half away from zero.
type intervalAvg struct {
	*intSum
	n *state.Fixed[int64]
}

func (a *intervalAvg) Update(rows, groups []int32, args []*vec.Vec) error {
	n := a.n.Data()
	_, present := a.present(rows, groups, args[0])
	for _, g := range present {
		n[g]++
	}
	return a.intSum.Update(rows, groups, args)
}

func (a *intervalAvg) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*intervalAvg)
	n, add := a.n.Data(), o.n.Data()
	for i, g := range dst {
		n[g] += add[src[i]]
	}
	return a.intSum.Merge(dst, o.intSum, src)
}

func (a *intervalAvg) Final(groups []int32) (*vec.Vec, error) {
	sum, n := a.sum.Data(), a.n.Data()
	out, narrow := make([]int64, len(groups)), make([]int32, len(groups))
	valid := make([]byte, (len(groups)+7)/8)
	for i, g := range groups {
		if n[g] == 0 || !a.sum.IsValid(g) {
			continue
		}
		q, r := sum[g]/n[g], sum[g]%n[g]
		if 2*max(r, -r) >= n[g] {
			if sum[g] < 0 {
				q--
			} else {
				q++
			}
		}
		out[i], narrow[i] = q, int32(q)
		set(valid, int32(i))
	}
	if a.typ.Width() == 4 {
		return vec.FromValues(a.typ, narrow, valid), nil
	}
	return vec.FromValues(a.typ, out, valid), nil
}
