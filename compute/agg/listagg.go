package agg

import (
	"slices"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// joined is listagg: the values that are not NULL, joined by a delimiter in the
// order of sort keys. A group's entries are the encoded value and keys of a row, in
// order of arrival.
type joined struct {
	vals  *state.BytesColumn
	typ   *expr.Type
	delim []byte
	keys  []*expr.Type
	order []expr.Direction
	buf   []byte
	picker
}

// newJoined makes listagg of a value, a delimiter and the keys of c.Order.
func newJoined(c call) (*Func, error) {
	if err := c.need(2 + len(c.Order)); err != nil {
		return nil, err
	}
	delim, err := c.constants.Value(1)
	if err != nil {
		return nil, err
	}
	a := joined{typ: c.Typ, order: c.Order}
	if !delim.Null(0) {
		a.delim = slices.Clone(delim.Str(0))
	}
	for _, k := range c.Args[2:] {
		a.keys = append(a.keys, k.Type())
	}
	return &Func{
		Fields: []state.Field{field(state.Bytes, c.Typ.SQL(), false)},
		bind: func(cols []state.Column) Accumulator {
			bound := a
			bound.vals = cols[0].(*state.BytesColumn)
			return &bound
		},
	}, nil
}

func (a *joined) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[0])
	for i, r := range rows {
		a.buf = encodeValue(a.buf[:0], args[0], int(r))
		for _, k := range args[2 : 2+len(a.keys)] {
			a.buf = encodeValue(a.buf, k, int(r))
		}
		a.vals.Append(groups[i], a.buf)
	}
	return nil
}

func (a *joined) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*joined)
	for i, g := range dst {
		a.vals.Append(g, o.vals.Get(src[i]))
	}
	return nil
}

func (a *joined) Final(groups []int32) (*vec.Vec, error) {
	b := vec.NewBuilder(a.typ)
	for _, g := range groups {
		src := a.vals.Get(g)
		if len(src) == 0 {
			b.AppendNull()
			continue
		}
		vals := vec.NewBuilder(a.typ)
		keys := make([]*vec.Builder, len(a.keys))
		for i, t := range a.keys {
			keys[i] = vec.NewBuilder(t)
		}
		for len(src) > 0 {
			src = decodeInto(vals, src)
			for _, k := range keys {
				src = decodeInto(k, src)
			}
		}
		b.AppendBytes(a.join(vals.Vec(), keys))
	}
	return b.Vec(), nil
}

// join returns the values in the order of the keys.
func (a *joined) join(vals *vec.Vec, built []*vec.Builder) []byte {
	at := make([]int, vals.Len)
	for i := range at {
		at[i] = i
	}
	if len(built) > 0 {
		keys := make([]*vec.Vec, len(built))
		for i, b := range built {
			keys[i] = b.Vec()
		}
		slices.SortStableFunc(at, func(x, y int) int {
			for i, k := range keys {
				if c := compareDirected(k, x, y, a.order[i]); c != 0 {
					return c
				}
			}
			return 0
		})
	}
	var out []byte
	for n, i := range at {
		if n > 0 {
			out = append(out, a.delim...)
		}
		out = append(out, vals.Str(i)...)
	}
	return out
}

// compareDirected compares two rows of k as ORDER BY does.
func compareDirected(k *vec.Vec, x, y int, d expr.Direction) int {
	if k.Null(x) != k.Null(y) {
		if k.Null(x) == d.NullsFirst {
			return -1
		}
		return 1
	}
	c := vec.Compare(k, x, k, y)
	if d.Descending {
		return -c
	}
	return c
}
