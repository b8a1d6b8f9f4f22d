package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// pivot turns PIVOT into an aggregation with a filtered aggregate for each value.
// Of a value without any row every aggregate is NULL, count as well, as in Spark,
// which aggregates by group and value first.
func (r *resolver) pivot(n *logical.Pivot, outer *scope) (rel, error) {
	in, err := r.node(n.Input, outer)
	if err != nil {
		return rel{}, err
	}
	p := &pivoting{r: r, x: &exprs{r: r}, n: n, s: &scope{cols: in.cols, hidden: in.hidden, outer: outer, aggregates: true}}
	if err := p.resolve(); err != nil {
		return rel{}, err
	}
	used := map[expr.ID]bool{}
	for _, e := range append(append([]expr.Expr(nil), p.aggs...), p.by...) {
		expr.Walk(e, func(e expr.Expr) bool {
			if c, ok := e.(*expr.Column); ok {
				used[c.ID] = true
			}
			return true
		})
	}
	p.agg = &logical.Aggregate{At: n.At, Input: finish(in)}
	out := &logical.Project{At: n.At, Input: p.agg}
	for _, c := range in.cols {
		if !used[c.ID] {
			p.agg.Group, p.agg.List, out.List = append(p.agg.Group, plain(c)), append(p.agg.List, plain(c)), append(out.List, plain(c))
		}
	}
	for i := range n.Values {
		list, err := p.columns(i)
		if err != nil {
			return rel{}, err
		}
		out.List = append(out.List, list...)
	}
	return relOf(out), nil
}

// pivoting is a PIVOT under resolution.
type pivoting struct {
	r     *resolver
	x     *exprs
	n     *logical.Pivot
	s     *scope
	aggs  []expr.Expr
	names []string
	by    []expr.Expr
	agg   *logical.Aggregate
}

func (p *pivoting) resolve() error {
	for _, raw := range p.n.Aggs {
		name, inner := "", raw
		if a, ok := raw.(*expr.Alias); ok {
			name, inner = a.Name, a.Child
		}
		e, err := p.x.expr(inner, p.s)
		if err != nil {
			return err
		}
		if !holdsAgg(e) {
			return base.UserError("_LEGACY_ERROR_TEMP_1006", "", "PIVOT needs an aggregate function; %s is none.", e.SQL()).At(raw.Pos()).
				WithHint("write sum(x), count(*), max(x) …")
		}
		if name == "" {
			name = e.SQL()
		}
		p.aggs, p.names = append(p.aggs, e), append(p.names, name)
	}
	var err error
	p.by, err = p.x.all(p.n.For, p.s)
	return err
}

// columns are the columns of the i-th value: one for each aggregate.
func (p *pivoting) columns(i int) ([]expr.Expr, error) {
	at := p.n.At
	value, name, err := p.value(i)
	if err != nil {
		return nil, err
	}
	c := &call{at: at, s: p.s}
	var match expr.Expr
	for k, v := range value {
		same, err := p.x.callOf(c, "<=>", "", p.by[k], v)
		if err != nil {
			return nil, err
		}
		if match == nil {
			match = same
		} else if match, err = p.x.callOf(c, "and", "", match, same); err != nil {
			return nil, err
		}
	}
	one := &expr.Literal{At: at, Value: int64(1), Typ: expr.Int32}
	rows := &expr.Agg{At: at, Fn: "count", Args: []expr.Expr{one}, Filter: match, Typ: expr.Int64, Text: "count(1)"}
	some, err := p.x.callOf(c, ">", "", p.computed(rows), &expr.Literal{At: at, Value: int64(0), Typ: expr.Int64})
	if err != nil {
		return nil, err
	}
	out := make([]expr.Expr, len(p.aggs))
	for k, e := range p.aggs {
		e, err := p.filtered(e, match)
		if err != nil {
			return nil, err
		}
		if p.first() {
			if e, err = p.x.callOf(c, "if", "", some, e, &expr.Literal{At: at, Typ: e.Type()}); err != nil {
				return nil, err
			}
		}
		column := name
		if len(p.aggs) > 1 {
			column += "_" + p.names[k]
		}
		out[k] = &expr.Alias{At: at, Child: e, Name: column, ID: expr.NewID()}
	}
	return out, nil
}

// first reports whether Spark aggregates by group and value first, and then takes
// the value's: where all aggregates are numbers or truth values.
func (p *pivoting) first() bool {
	for _, e := range p.aggs {
		if t := e.Type(); !t.IsNumeric() && t.Kind != expr.KindBool {
			return false
		}
	}
	return true
}

// filtered returns e with its aggregates over the rows of match only.
func (p *pivoting) filtered(e, match expr.Expr) (expr.Expr, error) {
	return expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
		a, ok := e.(*expr.Agg)
		if !ok {
			return e, nil
		}
		d := *a
		if d.Filter = match; a.Filter != nil {
			both, err := p.x.callOf(&call{at: p.n.At, s: p.s}, "and", "", a.Filter, match)
			if err != nil {
				return nil, err
			}
			d.Filter = both
		}
		return p.computed(&d), nil
	})
}

// computed makes a a column of the aggregation.
func (p *pivoting) computed(a *expr.Agg) *expr.Column {
	c := &expr.Column{At: p.n.At, ID: expr.NewID(), Name: a.SQL(), Typ: a.Typ, Null: a.Nullable()}
	p.agg.List = append(p.agg.List, &expr.Alias{At: p.n.At, Child: a, Name: c.Name, ID: c.ID})
	return c
}

// value is the i-th value, of the types of the columns, and its column's name.
func (p *pivoting) value(i int) ([]expr.Expr, string, error) {
	raw := p.n.Values[i]
	if len(raw) != len(p.by) {
		return nil, "", base.UserError("PIVOT_VALUE_DATA_TYPE_MISMATCH", "42K09", "The value %s does not go with the %d columns of FOR.", raw[0].SQL(), len(p.by)).At(raw[0].Pos())
	}
	list, err := p.x.all(raw, &scope{outer: p.s.outer})
	if err != nil {
		if _, known := p.x.all(raw, p.s); known == nil { // it names columns
			err = base.UserError("NON_LITERAL_PIVOT_VALUES", "42K08", "A value of PIVOT must be a literal, and %s is none.", raw[0].SQL()).At(raw[0].Pos())
		}
		return nil, "", err
	}
	var texts []string
	for k, e := range list {
		if !foldable(e) {
			return nil, "", base.UserError("NON_LITERAL_PIVOT_VALUES", "42K08", "A value of PIVOT must be a literal, and %s is none.", e.SQL()).At(raw[k].Pos())
		}
		if _, literal := e.(*expr.Literal); !literal && p.r.env.Fold != nil {
			if lit, ok := p.r.env.Fold(e); ok { // the name is that of the value
				e = lit
			}
		}
		text := strings.Trim(e.SQL(), "'")
		if lit, ok := e.(*expr.Literal); ok && lit.Value == nil {
			text = "null"
		}
		texts = append(texts, text)
		if !e.Type().Equal(p.by[k].Type()) {
			to := p.by[k].Type()
			if !p.r.co.CanCast(e.Type(), to) {
				return nil, "", base.UserError("PIVOT_VALUE_DATA_TYPE_MISMATCH", "42K09", "The value %s is of type %s, the column %s of type %s.",
					e.SQL(), e.Type().SQL(), p.by[k].SQL(), to.SQL()).At(raw[k].Pos())
			}
			list[k] = p.x.cast(e, to)
		}
	}
	if p.n.Names[i] != "" {
		return list, p.n.Names[i], nil
	}
	if len(texts) == 1 {
		return list, texts[0], nil
	}
	return list, "{" + strings.Join(texts, ", ") + "}", nil
}

// unpivot turns UNPIVOT into an Expand with a list for each item.
func (r *resolver) unpivot(n *logical.Unpivot, outer *scope) (rel, error) {
	in, err := r.node(n.Input, outer)
	if err != nil {
		return rel{}, err
	}
	x := &exprs{r: r}
	s := &scope{cols: in.cols, hidden: in.hidden, outer: outer}
	used := map[expr.ID]bool{}
	items := make([][]expr.Expr, len(n.Items))
	for i, list := range n.Items {
		if len(list) != len(n.Values) {
			return rel{}, base.UserError("UNPIVOT_VALUE_SIZE_MISMATCH", "428C4", "An item of UNPIVOT has %d columns, and there are %d value columns.", len(list), len(n.Values)).At(list[0].Pos())
		}
		if items[i], err = x.all(list, s); err != nil {
			return rel{}, err
		}
		for _, e := range items[i] {
			if c, ok := e.(*expr.Column); ok {
				used[c.ID] = true
			}
		}
	}
	out := &logical.Expand{At: n.At, Input: finish(in)}
	var ids []expr.Expr
	for _, c := range in.cols {
		if !used[c.ID] {
			d := plain(c)
			ids = append(ids, plain(c))
			d.ID = expr.NewID()
			out.Columns = append(out.Columns, d)
		}
	}
	out.Columns = append(out.Columns, &expr.Column{At: n.At, ID: expr.NewID(), Name: n.Name, Typ: expr.String})
	values, err := r.unpivoted(n, x, items)
	if err != nil {
		return rel{}, err
	}
	out.Columns = append(out.Columns, values...)
	for i, list := range items {
		name := &expr.Literal{At: n.At, Value: itemLabel(n, i), Typ: expr.String}
		out.Lists = append(out.Lists, append(append(append([]expr.Expr(nil), ids...), name), list...))
	}
	if n.Nulls {
		return relOf(out), nil
	}
	c := &call{at: n.At, s: s}
	var some expr.Expr
	for _, v := range values {
		is, err := x.callOf(c, "isnotnull", "", v)
		if err != nil {
			return rel{}, err
		}
		if some == nil {
			some = is
		} else if some, err = x.callOf(c, "or", "", some, is); err != nil {
			return rel{}, err
		}
	}
	return rel{node: &logical.Filter{At: n.At, Cond: some, Input: out}, cols: out.Columns}, nil
}

// unpivoted gives the items of each value column one type, and returns the columns.
func (r *resolver) unpivoted(n *logical.Unpivot, x *exprs, items [][]expr.Expr) ([]*expr.Column, error) {
	var out []*expr.Column
	for k, name := range n.Values {
		t, null := items[0][k].Type(), false
		for _, list := range items {
			u := list[k].Type()
			if t = r.co.WiderNoString(t, u); t == nil {
				return nil, base.UserError("UNPIVOT_VALUE_DATA_TYPE_MISMATCH", "42K09", "The columns of value %s have no type in common: %s is of type %s.", name, list[k].SQL(), u.SQL()).At(n.Items[0][k].Pos())
			}
			null = null || list[k].Nullable()
		}
		for _, list := range items {
			list[k] = x.cast(list[k], t)
		}
		out = append(out, &expr.Column{At: n.At, ID: expr.NewID(), Name: name, Typ: t, Null: null})
	}
	return out, nil
}

func itemLabel(n *logical.Unpivot, i int) string {
	if n.Names[i] != "" {
		return n.Names[i]
	}
	parts := make([]string, len(n.Items[i]))
	for k, e := range n.Items[i] {
		name := e.(*expr.Name)
		parts[k] = name.Parts[len(name.Parts)-1]
	}
	return strings.Join(parts, "_")
}
