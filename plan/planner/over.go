package planner

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

func (p *planner) over(n *logical.Over, need set) (physical.Node, []*expr.Column, error) {
	need = need.with(n.PartitionBy...)
	for _, k := range n.OrderBy {
		need = need.with(k.Expr)
	}
	for _, f := range n.Functions {
		need = need.with(f.Call)
	}
	in, cols, err := p.node(n.Input, need)
	if err != nil {
		return nil, nil, err
	}
	o := &physical.Over{Input: in}
	if o.Partition, err = p.bindAll(n.PartitionBy, cols); err != nil {
		return nil, nil, err
	}
	for _, k := range n.OrderBy {
		e, err := p.bind(k.Expr, cols)
		if err != nil {
			return nil, nil, err
		}
		o.Order = append(o.Order, physical.SortKey{Expr: e, Descending: k.Descending, NullsFirst: k.NullsFirst})
	}
	out := cols[:len(cols):len(cols)]
	for _, f := range n.Functions {
		g := physical.OverFunction{IgnoreNulls: f.IgnoreNulls}
		if g.Call, err = p.bind(f.Call, cols); err != nil {
			return nil, nil, err
		}
		if f.Frame != nil {
			d := *f.Frame
			for _, b := range []*expr.Bound{&d.Lower, &d.Upper} {
				if b.Value == nil {
					continue
				}
				if b.Value, err = p.bind(b.Value, cols); err != nil {
					return nil, nil, err
				}
			}
			g.Frame = &d
		}
		o.Functions, out = append(o.Functions, g), append(out, f.Column)
	}
	o.Out = schemaOf(out)
	return o, out, nil
}
