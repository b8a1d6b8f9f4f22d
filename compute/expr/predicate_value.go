package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// PredicateColumns says how the predicate of e looks at its columns: coded is called
// with those that it takes coded, and other with the parts of e that take none so.
func PredicateColumns(e expr.Expr, coded func(column int), other func(e expr.Expr)) {
	for {
		a, ok := e.(*expr.Alias)
		if !ok {
			break
		}
		e = a.Child
	}
	if c, ok := e.(*expr.Call); ok && (c.Fn == "and" || c.Fn == "or") {
		for _, a := range c.Args {
			PredicateColumns(a, coded, other)
		}
		return
	}
	if column, ok := byValue(e); ok {
		coded(column)
		return
	}
	other(e)
}

// byValue reports whether e depends on nothing but one column of texts or bytes,
// so that rows with the same value have the same result.
func byValue(e expr.Expr) (column int, ok bool) {
	column, ok = -1, true
	expr.Walk(e, func(e expr.Expr) bool {
		switch e := e.(type) {
		case *expr.Ref:
			ok = ok && (column < 0 || column == e.Index) && (e.Typ.Kind == expr.KindString || e.Typ.Kind == expr.KindBinary)
			column = e.Index
		case *expr.Call:
			f := e.Signature()
			ok = ok && (f == nil || !f.Nondeterministic)
		case *expr.Literal, *expr.Cast, *expr.Alias:
		default:
			ok = false
		}
		return ok
	})
	return column, ok && column >= 0
}

// valuePredicate asks about each value of a dictionary once, where the column is
// coded.
type valuePredicate struct {
	rows   Predicate
	column int
	// dict is the last dictionary: verdicts has a 1 for each value that the predicate
	// is true for, null says whether it is for NULL. failed: it fails for a value,
	// though maybe for none that a row has.
	dict     *vec.Vec
	verdicts []byte
	null     bool
	failed   bool
	buf      []int32
}

// Select implements Predicate.
func (p *valuePredicate) Select(in *Input, out []int32) ([]int32, error) {
	v := in.Cols[p.column]
	if v.Dict == nil {
		return p.rows.Select(in, out)
	}
	if v.Dict != p.dict {
		p.judge(v.Dict, len(in.Cols))
	}
	if p.failed {
		flat := *in
		flat.Cols = append([]*vec.Vec(nil), in.Cols...)
		flat.Cols[p.column] = v.Flat()
		return p.rows.Select(&flat, out)
	}
	out = room(out, in.Rows)
	codes := vec.Values[int32](v)[:in.Rows]
	switch {
	case v.Valid == nil:
		return out[:kernels.SelectCodes(p.verdicts, codes, in.Sel, out)], nil
	case !p.null:
		out = out[:kernels.SelectCodes(p.verdicts, codes, in.Sel, out)]
		return out[:kernels.SelectOnes(v.Valid, out, out)], nil
	}
	n := 0
	in.each(func(i int) {
		if !kernels.Bit(v.Valid, i) || p.verdicts[codes[i]] == 1 {
			out[n] = int32(i)
			n++
		}
	})
	return out[:n], nil
}

// judge fills in what is known of a dictionary.
func (p *valuePredicate) judge(dict *vec.Vec, columns int) {
	p.dict, p.failed = dict, true
	p.verdicts = grow(p.verdicts, dict.Len)
	clear(p.verdicts)
	in := Input{Cols: make([]*vec.Vec, columns), Rows: dict.Len}
	in.Cols[p.column] = dict
	sel, err := p.rows.Select(&in, p.buf)
	if err != nil {
		return
	}
	p.buf = sel
	for _, r := range sel {
		p.verdicts[r] = 1
	}
	in.Cols[p.column], in.Rows = vec.NewNull(dict.Type, 1), 1
	sel, err = p.rows.Select(&in, nil)
	p.null, p.failed = len(sel) == 1, err != nil
}
