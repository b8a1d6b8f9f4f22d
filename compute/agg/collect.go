package agg

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// list is collect_list: the values that are not NULL, in order of arrival.
type list struct {
	vals *state.BytesColumn
	element
	out *expr.Type
	buf []byte
	picker
}

func newList(c call) (*Func, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	return &Func{
		Fields: []state.Field{field(state.Bytes, c.Typ.SQL(), false)},
		bind: func(cols []state.Column) Accumulator {
			return &list{vals: cols[0].(*state.BytesColumn), element: newElement(c.arg(0)), out: c.Typ}
		},
	}, nil
}

func (a *list) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[0])
	if len(rows) == 0 {
		return nil
	}
	v := args[0].Flat()
	for i, r := range rows {
		a.buf = a.add(a.buf[:0], v, r)
		a.vals.Append(groups[i], a.buf)
	}
	return nil
}

func (a *list) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*list)
	for i, g := range dst {
		a.vals.Append(g, o.vals.Get(src[i]))
	}
	return nil
}

func (a *list) Final(groups []int32) (*vec.Vec, error) {
	b := vec.NewBuilder(a.out)
	for _, g := range groups {
		for src := a.vals.Get(g); len(src) > 0; {
			src = a.next(b.Kids[0], src)
		}
		b.EndList()
	}
	return b.Vec(), nil
}

// collected is collect_set: the distinct values that are not NULL, in order of
// their first arrival. The column holds each value once, after its length; what
// a group has is indexed in memory when it is first touched in an epoch.
type collected struct {
	vals *state.BytesColumn
	typ  *expr.Type
	out  *expr.Type
	have map[int32]map[string]struct{}
	buf  []byte
	picker
}

func newSet(c call) (*Func, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	return collectedFunc(c, func(a *collected) Accumulator { return a }), nil
}

// newUnion is collect_union: the distinct elements of arrays.
func newUnion(c call) (*Func, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	return collectedFunc(c, func(a *collected) Accumulator { return &collectedElements{collected: a} }), nil
}

func collectedFunc(c call, of func(*collected) Accumulator) *Func {
	return &Func{
		Fields: []state.Field{field(state.Bytes, c.Typ.SQL(), false)},
		bind: func(cols []state.Column) Accumulator {
			return of(&collected{vals: cols[0].(*state.BytesColumn), typ: c.Typ.Elem, out: c.Typ, have: map[int32]map[string]struct{}{}})
		},
	}
}

// collectedElements is a collected whose input are arrays of the values.
type collectedElements struct {
	*collected
	elements, groups []int32
}

func (a *collectedElements) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[0])
	if len(rows) == 0 {
		return nil
	}
	v := args[0].Flat()
	a.elements, a.groups = a.elements[:0], a.groups[:0]
	for i, r := range rows {
		for j := v.Off[r]; j < v.Off[r+1]; j++ {
			a.elements = append(a.elements, j)
			a.groups = append(a.groups, groups[i])
		}
	}
	return a.collected.Update(a.elements, a.groups, v.Kids[:1])
}

func (a *collectedElements) Merge(dst []int32, from Accumulator, src []int32) error {
	return a.collected.Merge(dst, from.(*collectedElements).collected, src)
}

// index returns the values that group g has.
func (a *collected) index(g int32) map[string]struct{} {
	m := a.have[g]
	if m == nil {
		m = map[string]struct{}{}
		for src := a.vals.Get(g); len(src) > 0; {
			var one []byte
			one, src = a.cut(src)
			m[string(one)] = struct{}{}
		}
		a.have[g] = m
	}
	return m
}

// cut splits the first encoded value off src.
func (a *collected) cut(src []byte) (one, rest []byte) {
	rest = decodeInto(vec.NewBuilder(a.typ), src)
	return src[:len(src)-len(rest)], rest
}

func (a *collected) insert(g int32, one []byte) {
	m := a.index(g)
	if _, ok := m[string(one)]; !ok {
		m[string(one)] = struct{}{}
		a.vals.Append(g, one)
	}
}

func (a *collected) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[0])
	if len(rows) == 0 {
		return nil
	}
	v := args[0].Flat()
	for i, r := range rows {
		a.buf = encodeValue(a.buf[:0], v, int(r))
		a.insert(groups[i], a.buf)
	}
	return nil
}

func (a *collected) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*collected)
	for i, g := range dst {
		for vals := o.vals.Get(src[i]); len(vals) > 0; {
			var one []byte
			one, vals = a.cut(vals)
			a.insert(g, one)
		}
	}
	return nil
}

func (a *collected) Final(groups []int32) (*vec.Vec, error) {
	b := vec.NewBuilder(a.out)
	for _, g := range groups {
		for src := a.vals.Get(g); len(src) > 0; {
			src = decodeInto(b.Kids[0], src)
		}
		b.EndList()
	}
	return b.Vec(), nil
}
