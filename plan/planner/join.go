package planner

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// Equalities are the equalities between the two sides of a join in its condition,
// and what else must hold.
type Equalities struct {
	Left, Right []expr.Expr
	// NullSafe[i] says that pair i is compared with <=>.
	NullSafe []bool
	Rest     []expr.Expr
}

// EquiKeys takes the equalities between the two sides out of a join condition.
func EquiKeys(cond expr.Expr, left, right []*expr.Column) *Equalities {
	k := &Equalities{}
	for _, e := range expr.Conjuncts(cond) {
		c, ok := e.(*expr.Call)
		if ok && (c.Fn == "=" || c.Fn == "<=>") {
			a, b := c.Args[0], c.Args[1]
			if expr.Over(a, right) && expr.Over(b, left) {
				a, b = b, a
			}
			if expr.Over(a, left) && expr.Over(b, right) {
				k.Left, k.Right, k.NullSafe = append(k.Left, a), append(k.Right, b), append(k.NullSafe, c.Fn == "<=>")
				continue
			}
		}
		k.Rest = append(k.Rest, e)
	}
	return k
}

// EventKey returns the first pair, compared with =, whose left side is an event time
// that carries a watermark, or else the first whose right side is; −1: there is none.
func (k *Equalities) EventKey() int {
	for _, side := range [][]expr.Expr{k.Left, k.Right} {
		for i, e := range side {
			if c, ok := e.(*expr.Column); ok && c.Meta.EventTime && !k.NullSafe[i] {
				return i
			}
		}
	}
	return -1
}

func (p *planner) join(n *logical.Join, need set) (physical.Node, []*expr.Column, error) {
	if p.opts.Stream && logical.Streaming(n.Left) && logical.Streaming(n.Right) {
		return p.streamJoin(n, need)
	}
	if n.Cond != nil {
		need = need.with(n.Cond)
	}
	left, lcols, err := p.node(n.Left, need)
	if err != nil {
		return nil, nil, err
	}
	right, rcols, err := p.node(n.Right, need)
	if err != nil {
		return nil, nil, err
	}
	keys, kind := EquiKeys(n.Cond, lcols, rcols), n.Kind
	if kind == physical.NullAwareAnti && len(keys.Left) == 0 {
		// One of the two is a constant, or has become one.
		keys, kind = &Equalities{Rest: []expr.Expr{expr.OrUnknown(n.Cond)}}, physical.LeftAnti
	}
	j := &physical.Join{Left: left, Right: right, Kind: kind, Single: n.Single, NullSafe: keys.NullSafe}
	if j.LeftKeys, err = p.bindAll(keys.Left, lcols); err != nil {
		return nil, nil, err
	}
	if j.RightKeys, err = p.bindAll(keys.Right, rcols); err != nil {
		return nil, nil, err
	}
	both := append(lcols[:len(lcols):len(lcols)], rcols...)
	if cond := expr.And(keys.Rest); cond != nil {
		if j.Cond, err = p.bind(cond, both); err != nil {
			return nil, nil, err
		}
	}
	// The streaming side, or else the side that must be kept, is read row by row
	// and the other one is built.
	j.BuildRight = n.Kind != physical.RightOuter && !(n.Kind == physical.Inner && logical.Streaming(n.Right))
	out := (&logical.Join{Kind: n.Kind, Left: columns(lcols), Right: columns(rcols), Exists: n.Exists}).Output()
	j.Out = schemaOf(out)
	return j, out, nil
}

// columns is a leaf with the given output, to ask logical.Join what it puts out.
func columns(cols []*expr.Column) logical.Node { return &logical.Values{Columns: cols} }

// setOp plans INTERSECT and EXCEPT as semi and anti joins on all columns, NULLs
// being equal, of the distinct left rows.
func (p *planner) setOp(n *logical.SetOp) (physical.Node, []*expr.Column, error) {
	if n.All {
		need := set{}
		need.addAll(n.Output())
		return p.node(countedSetOp(n), need)
	}
	var cond []expr.Expr
	right := n.Right.Output()
	for i, c := range n.Left.Output() {
		cond = append(cond, &expr.Call{Fn: "<=>", Args: []expr.Expr{c, right[i]}, Typ: expr.Bool})
	}
	kind := physical.LeftSemi
	if n.Except {
		kind = physical.LeftAnti
	}
	d := &logical.Distinct{At: n.At, Input: &logical.Join{At: n.At, Kind: kind, Left: n.Left, Right: n.Right, Cond: expr.And(cond)}}
	if s := p.state[n]; s != nil {
		p.state[d] = s
	}
	return p.distinct(d)
}
