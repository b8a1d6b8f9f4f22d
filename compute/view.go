package compute

import (
	"github.com/apache/arrow-go/v18/arrow"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

// view gives evaluators the columns of batches: only those that they use, and
// coded ones as codes where all that use them know codes.
type view struct {
	types []*expr.Type
	uses  uses
	in    cexpr.Input
	// dicts are the dictionaries of the last batch.
	dicts []dictionary
}

// uses says how columns are used: not at all, by those who know codes, or by
// others.
type uses []use

type use uint8

const (
	coded use = 1 << iota
	plain
)

// dictionary is one of Arrow beside the column that is made of it.
type dictionary struct {
	data arrow.ArrayData
	vec  *vec.Vec
}

func newView(schema expr.Schema, exprs ...expr.Expr) *view {
	v := &view{types: make([]*expr.Type, len(schema)), uses: make(uses, len(schema)), dicts: make([]dictionary, len(schema))}
	for i, f := range schema {
		v.types[i] = f.Type
	}
	v.uses.add(exprs...)
	v.in.Cols = make([]*vec.Vec, len(schema))
	return v
}

// add adds the columns of exprs, whose evaluators do not know codes.
func (u uses) add(exprs ...expr.Expr) {
	for _, e := range exprs {
		if e == nil {
			continue
		}
		expr.Walk(e, func(e expr.Expr) bool {
			if r, ok := e.(*expr.Ref); ok {
				u[r.Index] |= plain
			}
			return true
		})
	}
}

// addKeys adds the columns of keys of a grouping, which may be coded where they
// are keys themselves.
func (u uses) addKeys(keys ...expr.Expr) {
	for _, k := range keys {
		if r, ok := k.(*expr.Ref); ok {
			u[r.Index] |= coded
		} else {
			u.add(k)
		}
	}
}

// addCondition adds the columns of a predicate.
func (u uses) addCondition(e expr.Expr) {
	if e != nil {
		cexpr.PredicateColumns(e, func(column int) { u[column] |= coded }, func(e expr.Expr) { u.add(e) })
	}
}

// all adds every column.
func (u uses) all(as use) {
	for i := range u {
		u[i] |= as
	}
}

// of returns the columns of b. They are valid as long as b, and until the next
// call.
func (v *view) of(b Batch) *cexpr.Input {
	return v.ofColumns(b.Rec.Columns(), int(b.Rec.NumRows()), b.Sel)
}

// ofColumns is of for the columns of a batch, of which those are needed that are used.
func (v *view) ofColumns(cols []arrow.Array, rows int, sel []int32) *cexpr.Input {
	for i, u := range v.uses {
		if u == 0 {
			continue
		}
		if arr := cols[i]; u&plain == 0 && arr.DataType().ID() == arrow.DICTIONARY {
			v.in.Cols[i] = v.coded(i, arr)
		} else {
			v.in.Cols[i] = vec.FromArrow(arr, v.types[i])
		}
	}
	v.in.Rows, v.in.Sel = rows, sel
	return &v.in
}

// coded returns a coded column. Its dictionary is the same Vec as long as it is the
// same array.
func (v *view) coded(i int, arr arrow.Array) *vec.Vec {
	c := vec.Coded(arr, v.types[i])
	if d := arr.Data().Dictionary(); d == v.dicts[i].data {
		c.Dict = v.dicts[i].vec
	} else {
		v.dicts[i] = dictionary{d, c.Dict}
	}
	return c
}

// gathered returns the live rows of what of returned.
func (v *view) gathered() *cexpr.Input {
	for i, u := range v.uses {
		if u != 0 {
			v.in.Cols[i] = v.in.Cols[i].Take(v.in.Sel)
		}
	}
	v.in.Rows, v.in.Sel = len(v.in.Sel), nil
	return &v.in
}

// all returns every column of b.
func (v *view) all(b Batch) *cexpr.Input {
	v.uses.all(coded)
	return v.of(b)
}
