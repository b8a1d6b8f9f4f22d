package agg

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/state"
)

// variance is every aggregate of one variable's central moments. Its columns are
// n, avg, m2 and, by order, m3 and m4.
type variance struct {
	cols   []*state.Fixed[float64]
	order  int
	result func(*moments) (float64, bool)
	buf    []float64
	// arg is which argument is measured; rows at which any is NULL do not count.
	arg int
	picker
}

// momentsOf makes the constructor of an aggregate with moments up to order.
func momentsOf(order, arg int, result func(*moments) (float64, bool)) constructor {
	return func(c call) (*Func, error) {
		if err := c.need(arg + 1); err != nil {
			return nil, err
		}
		return &Func{
			Fields: floatFields(order + 1),
			bind: func(cols []state.Column) Accumulator {
				return &variance{cols: floatColumns(cols), order: order, result: result, arg: arg}
			},
		}, nil
	}
}

func floatFields(n int) []state.Field {
	fields := make([]state.Field, n)
	for i := range fields {
		fields[i] = field(state.Float64, "DOUBLE", false)
	}
	return fields
}

func floatColumns(cols []state.Column) []*state.Fixed[float64] {
	out := make([]*state.Fixed[float64], len(cols))
	for i, c := range cols {
		out[i] = c.(*state.Fixed[float64])
	}
	return out
}

func (a *variance) load(g int32) moments {
	m := moments{n: a.cols[0].Data()[g], avg: a.cols[1].Data()[g], m2: a.cols[2].Data()[g]}
	if a.order > 2 {
		m.m3 = a.cols[3].Data()[g]
	}
	if a.order > 3 {
		m.m4 = a.cols[4].Data()[g]
	}
	return m
}

func (a *variance) store(g int32, m *moments) {
	a.cols[0].Data()[g], a.cols[1].Data()[g], a.cols[2].Data()[g] = m.n, m.avg, m.m2
	if a.order > 2 {
		a.cols[3].Data()[g] = m.m3
	}
	if a.order > 3 {
		a.cols[4].Data()[g] = m.m4
	}
}

func (a *variance) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args...)
	if len(rows) == 0 {
		return nil
	}
	vals := floats(args[a.arg], a.buf)
	for i, r := range rows {
		m := a.load(groups[i])
		m.add(vals[r], a.order)
		a.store(groups[i], &m)
	}
	return nil
}

func (a *variance) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*variance)
	for i, g := range dst {
		m := a.load(g)
		m.merge(o.load(src[i]), a.order)
		a.store(g, &m)
	}
	return nil
}

func (a *variance) Final(groups []int32) (*vec.Vec, error) {
	return finalFloats(groups, func(g int32) (float64, bool) {
		m := a.load(g)
		return a.result(&m)
	}), nil
}

// covariance is every aggregate of the joint moments of two variables. Its
// columns are those of comoments, in order.
type covariance struct {
	cols [6]*state.Fixed[float64]
	covarianceKind
	bufX, bufY []float64
	picker
}

// covarianceKind tells the aggregates apart: swap takes the second argument as
// x; plain is that of comoments.add.
type covarianceKind struct {
	swap, plain bool
	result      func(*comoments) (float64, bool)
}

func comomentsOf(k covarianceKind) constructor {
	return func(c call) (*Func, error) {
		if err := c.need(2); err != nil {
			return nil, err
		}
		return &Func{
			Fields: floatFields(6),
			bind: func(cols []state.Column) Accumulator {
				return &covariance{cols: [6]*state.Fixed[float64](floatColumns(cols)), covarianceKind: k}
			},
		}, nil
	}
}

func (a *covariance) load(g int32) comoments {
	return comoments{a.cols[0].Data()[g], a.cols[1].Data()[g], a.cols[2].Data()[g],
		a.cols[3].Data()[g], a.cols[4].Data()[g], a.cols[5].Data()[g]}
}

func (a *covariance) store(g int32, m *comoments) {
	for i, x := range [...]float64{m.n, m.xAvg, m.yAvg, m.ck, m.xMk, m.yMk} {
		a.cols[i].Data()[g] = x
	}
}

func (a *covariance) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[:2]...)
	if len(rows) == 0 {
		return nil
	}
	x, y := args[0], args[1]
	if a.swap {
		x, y = y, x
	}
	xs, ys := floats(x, a.bufX), floats(y, a.bufY)
	for i, r := range rows {
		m := a.load(groups[i])
		m.add(xs[r], ys[r], a.plain)
		a.store(groups[i], &m)
	}
	return nil
}

func (a *covariance) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*covariance)
	for i, g := range dst {
		m := a.load(g)
		m.merge(o.load(src[i]))
		a.store(g, &m)
	}
	return nil
}

func (a *covariance) Final(groups []int32) (*vec.Vec, error) {
	return finalFloats(groups, func(g int32) (float64, bool) {
		m := a.load(g)
		return a.result(&m)
	}), nil
}

// Settle rounds as a merge into empty groups does.
func (a *variance) Settle(groups []int32) {
	for _, g := range groups {
		var m moments
		m.merge(a.load(g), a.order)
		a.store(g, &m)
	}
}

// Settle rounds as a merge into empty groups does.
func (a *covariance) Settle(groups []int32) {
	for _, g := range groups {
		var m comoments
		m.merge(a.load(g))
		a.store(g, &m)
	}
}
