package planner

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// streamJoin plans a join of two streams. What is wrong with it stands in its state:
// Spark finds that only when it plans the first epoch.
func (p *planner) streamJoin(n *logical.Join, need set) (physical.Node, []*expr.Column, error) {
	j := &physical.StreamJoin{Kind: n.Kind, State: p.state[n]}
	j.State.Refused = p.refuseKind(n)
	inputs := need
	if n.Cond != nil {
		inputs = need.with(n.Cond)
	}
	left, err := p.streamSide(n.Left, inputs)
	if err != nil {
		return nil, nil, err
	}
	right, err := p.streamSide(n.Right, inputs)
	if err != nil {
		return nil, nil, err
	}
	keys := EquiKeys(n.Cond, left.cols, right.cols)
	if len(keys.Left) == 0 && j.State.Refused == nil {
		j.State.Refused = base.UserError("_LEGACY_ERROR_TEMP_1181", "", "A join of two streams needs an equality between them in its condition.").
			At(n.Pos()).WithHint("add l.key = r.key to ON")
	}
	j.NullSafe = keys.NullSafe
	if j.LeftKeys, err = p.bindAll(keys.Left, left.cols); err != nil {
		return nil, nil, err
	}
	if j.RightKeys, err = p.bindAll(keys.Right, right.cols); err != nil {
		return nil, nil, err
	}
	if err := p.splitCondition(j, keys.Rest, left.cols, right.cols); err != nil {
		return nil, nil, err
	}
	j.LeftSide.Bound, j.RightSide.Bound = StateBounds(keys, left.used, right.used, p.opts.Fold)
	for _, s := range []struct {
		side *joinSide
		to   *physical.StreamSide
	}{{left, &j.LeftSide}, {right, &j.RightSide}} {
		p.oneEventTime(n.Pos(), s.side.used, j.State)
		s.to.EventColumn = s.side.eventColumn()
		s.to.Columns, s.to.Used = s.side.indexes(need), s.side.indexes(inputs)
	}
	if n.Kind == physical.LeftSemi {
		j.RightSide.Columns = nil
	}
	j.State.Idle = !j.LeftSide.Bound.Bounded() && !j.RightSide.Bound.Bounded()
	j.Left, j.Right = left.node, right.node
	if p.opts.KeepLate {
		j.Left = p.keepLateSide(j.Left, j.State, j.LeftSide.EventColumn)
		j.Right = p.keepLateSide(j.Right, j.State, j.RightSide.EventColumn)
	}
	out := (&logical.Join{Kind: n.Kind, Left: columns(left.pick(j.LeftSide)), Right: columns(right.pick(j.RightSide))}).Output()
	j.Out = schemaOf(out)
	return j, out, nil
}

// refuseKind is why a join of two streams of this kind cannot run, where the support
// check has let it pass (recordings errors/recorded_anti_check_off,
// recorded_join_check_off_update).
func (p *planner) refuseKind(n *logical.Join) error {
	switch n.Kind {
	case physical.Inner, physical.LeftSemi:
		return nil
	case physical.LeftOuter, physical.RightOuter, physical.FullOuter:
		if p.opts.Mode == base.Append {
			return nil
		}
		return base.Errorf(base.CodeInvalid, "a %s join of two streams runs in output mode append only", n.Kind).At(n.Pos())
	}
	return base.Errorf(base.CodeInvalid, "a %s join of two streams cannot be run", n.Kind).At(n.Pos())
}

// joinSide is a planned side of a join.
type joinSide struct {
	node physical.Node
	// cols are its columns, and used those that the join or somebody above it uses: the
	// others are no columns of the side as far as rules about its event time go.
	cols, used []*expr.Column
}

func (p *planner) streamSide(n logical.Node, need set) (*joinSide, error) {
	below := need
	if p.opts.KeepLate { // late rows are kept whole
		below = need.with()
		below.addAll(n.Output())
	}
	node, cols, err := p.node(n, below)
	if err != nil {
		return nil, err
	}
	return &joinSide{node: node, cols: cols, used: among(cols, need)}, nil
}

// eventColumn returns the index of the column that carries the side's watermark, or
// −1.
func (s *joinSide) eventColumn() int {
	time, _ := EventTime(s.used)
	for i, c := range s.cols {
		if time != nil && c.ID == time.ID {
			return i
		}
	}
	return -1
}

// indexes returns which columns are in need.
func (s *joinSide) indexes(need set) []int {
	var out []int
	for i, c := range s.cols {
		if need[c.ID] {
			out = append(out, i)
		}
	}
	return out
}

func (s *joinSide) pick(side physical.StreamSide) []*expr.Column {
	out := make([]*expr.Column, len(side.Columns))
	for i, c := range side.Columns {
		out[i] = s.cols[c]
	}
	return out
}

// splitCondition gives each side the conjuncts that are over its columns alone, and
// the pair the others.
func (p *planner) splitCondition(j *physical.StreamJoin, rest []expr.Expr, left, right []*expr.Column) error {
	var own, other, both []expr.Expr
	for _, e := range rest {
		l, r, ok := expr.Within(e, left), expr.Within(e, right), movable(e)
		if ok && l {
			own = append(own, e)
		}
		if ok && r {
			other = append(other, e)
		}
		if !ok || !l && !r {
			both = append(both, e)
		}
	}
	all := append(left[:len(left):len(left)], right...)
	for _, part := range []struct {
		list []expr.Expr
		over []*expr.Column
		to   *expr.Expr
	}{{own, left, &j.LeftSide.Filter}, {other, right, &j.RightSide.Filter}, {both, all, &j.Cond}} {
		cond := expr.And(part.list)
		if cond == nil {
			continue
		}
		var err error
		if *part.to, err = p.bind(cond, part.over); err != nil {
			return err
		}
	}
	return nil
}

// movable reports whether e gives the same whenever it is evaluated.
func movable(e expr.Expr) bool {
	ok := true
	expr.Walk(e, func(e expr.Expr) bool {
		if c, is := e.(*expr.Call); is {
			if f := c.Signature(); f != nil && f.Nondeterministic {
				ok = false
			}
		}
		return ok
	})
	return ok
}

// keepLateSide puts a Late node below a side that judges rows by column time, or none.
func (p *planner) keepLateSide(in physical.Node, s *physical.State, time int) physical.Node {
	if time < 0 {
		return in
	}
	return p.keepLate(in, s, ref(in.Schema(), time))
}
