package planner

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// asOfJoin plans ASOF JOIN: over tables, over a stream and a table, and, if the
// options allow it, over two streams.
func (p *planner) asOfJoin(n *logical.AsOfJoin, need set) (physical.Node, []*expr.Column, error) {
	need = need.with(n.Match[0], n.Match[1])
	if n.Cond != nil {
		need = need.with(n.Cond)
	}
	left, err := p.streamSide(n.Left, need)
	if err != nil {
		return nil, nil, err
	}
	right, err := p.streamSide(n.Right, need)
	if err != nil {
		return nil, nil, err
	}
	keys := EquiKeys(n.Cond, left.cols, right.cols)
	j := &physical.AsOfJoin{Left: left.node, Right: right.node, Outer: n.Outer, NullSafe: keys.NullSafe,
		Forward: n.Op[0] == '<', Strict: len(n.Op) == 1}
	if j.LeftKeys, err = p.bindAll(keys.Left, left.cols); err != nil {
		return nil, nil, err
	}
	if j.RightKeys, err = p.bindAll(keys.Right, right.cols); err != nil {
		return nil, nil, err
	}
	for i, s := range []*joinSide{left, right} {
		if j.Match[i], err = p.bind(n.Match[i], s.cols); err != nil {
			return nil, nil, err
		}
	}
	out := (&logical.AsOfJoin{Outer: n.Outer, Left: columns(left.cols), Right: columns(right.cols)}).Output()
	j.Out = schemaOf(out)
	if p.opts.Stream && logical.Streaming(n.Left) && logical.Streaming(n.Right) {
		return j, out, p.streamAsOf(j, n, keys, left, right)
	}
	if cond := expr.And(keys.Rest); cond != nil {
		j.Cond, err = p.bind(cond, append(left.cols[:len(left.cols):len(left.cols)], right.cols...))
	}
	return j, out, err
}

// streamAsOf makes j one of two streams.
func (p *planner) streamAsOf(j *physical.AsOfJoin, n *logical.AsOfJoin, keys *Equalities, left, right *joinSide) error {
	if !p.opts.StreamAsOf {
		return base.UserError("UNSUPPORTED_FEATURE.ASOF_JOIN", "0A000", "ASOF JOIN of two streams is switched off: Spark has none.").At(n.Pos()).
			WithHint("SET flightd.streamAsOfJoin.enabled = true")
	}
	if p.opts.Mode == base.Complete {
		return base.UserError("_LEGACY_ERROR_TEMP_3102", "", "ASOF JOIN of two streams does not run in output mode complete.").At(n.Pos()).
			WithHint("use OUTPUT MODE append")
	}
	j.State = p.state[n]
	for i, s := range []struct {
		side *joinSide
		to   *physical.StreamSide
	}{{left, &j.LeftSide}, {right, &j.RightSide}} {
		p.oneEventTime(n.Pos(), s.side.used, j.State)
		s.to.EventColumn = s.side.eventColumn()
		if ref, ok := j.Match[i].(*expr.Ref); !ok || ref.Index != s.to.EventColumn || !isTime(ref.Typ) {
			return base.UserError("_LEGACY_ERROR_TEMP_3102", "", "MATCH_CONDITION of two streams compares their event times, which %s is not.", n.Match[i].SQL()).
				At(n.Match[i].Pos()).WithHint("declare it on either stream: FROM STREAM t WATERMARK ts DELAY OF INTERVAL …, and compare ts as it is")
		}
	}
	if len(j.LeftKeys) == 0 { // one key for all
		one := &expr.Literal{Value: int64(1), Typ: expr.Int32}
		j.LeftKeys, j.RightKeys, j.NullSafe = []expr.Expr{one}, []expr.Expr{one}, []bool{false}
	}
	parts := &physical.StreamJoin{}
	if err := p.splitCondition(parts, keys.Rest, left.cols, right.cols); err != nil {
		return err
	}
	j.LeftSide.Filter, j.RightSide.Filter, j.Cond = parts.LeftSide.Filter, parts.RightSide.Filter, parts.Cond
	j.LeftSide.Bound, j.RightSide.Bound = physical.Unbounded(), physical.Unbounded()
	if err := p.distances(j, keys.Rest, left, right); err != nil {
		return err
	}
	if p.opts.KeepLate {
		j.Left = p.keepLateSide(j.Left, j.State, j.LeftSide.EventColumn)
		j.Right = p.keepLateSide(j.Right, j.State, j.RightSide.EventColumn)
	}
	return nil
}

// distances takes the conjuncts over both sides: each must say how far away a match
// may be, for only the nearest row is kept.
func (p *planner) distances(j *physical.AsOfJoin, rest []expr.Expr, left, right *joinSide) error {
	for _, e := range plainComparisons(rest) {
		if expr.Within(e, left.cols) || expr.Within(e, right.cols) {
			continue
		}
		own, other, bound := right, left, &j.RightSide.Bound
		if j.Forward {
			own, other, bound = left, right, &j.LeftSide.Bound
		}
		ranges := RangeBounds([]expr.Expr{e}, own.used, other.used, p.opts.Fold)
		if len(ranges) == 0 {
			return base.UserError("_LEGACY_ERROR_TEMP_3102", "", "ASOF JOIN of two streams cannot take %s: only the nearest row is kept.", e.SQL()).At(e.Pos()).
				WithHint("of both streams ON takes equalities, and how far away a match may be: AND r.ts >= l.ts - INTERVAL 1 HOUR")
		}
		bound.Ranges = append(bound.Ranges, ranges...)
	}
	return nil
}

func isTime(t *expr.Type) bool {
	return t.Kind == expr.KindTimestamp || t.Kind == expr.KindTimestampNTZ
}
