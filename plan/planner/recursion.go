package planner

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// recursion plans a query of WITH RECURSIVE. Its step is planned like a query of its
// own, over the working rows.
func (p *planner) recursion(n *logical.Recursion) (physical.Node, []*expr.Column, error) {
	out := &physical.Recursion{MaxLevel: n.MaxLevel, MaxRows: n.MaxRows, Enough: -1, Out: schemaOf(n.Out)}
	var err error
	if out.Anchor, err = p.whole(n.Anchor); err != nil {
		return nil, nil, err
	}
	saved := p.working
	p.working = map[int64]*physical.Recursion{n.Of: out}
	for of, r := range saved {
		p.working[of] = r
	}
	out.Step, err = p.whole(n.Step)
	p.working = saved
	if err != nil {
		return nil, nil, err
	}
	out.Step = physical.Share(out.Step)
	return out, n.Out, nil
}

// whole plans n with all of its columns, in order.
func (p *planner) whole(n logical.Node) (physical.Node, error) {
	need := set{}
	need.addAll(n.Output())
	in, cols, err := p.node(n, need)
	if err != nil {
		return nil, err
	}
	return p.exactly(in, cols, n.Output())
}

// enough tells the recursions below n that no more than rows of theirs are wanted. As
// in Spark that is so below projections and UNION ALL only: what a filter or a join
// needs is not known before.
func enough(n physical.Node, rows int64) {
	switch n := n.(type) {
	case *physical.Recursion:
		if n.Enough < 0 || rows < n.Enough {
			n.Enough = rows
		}
	case *physical.Project:
		enough(n.Input, rows)
	case *physical.Union:
		for _, c := range n.Children {
			enough(c, rows)
		}
	case *physical.Limit:
		if n.Count < 0 || rows < n.Count {
			enough(n.Input, rows+n.Offset)
		}
	}
}
