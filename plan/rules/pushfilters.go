package rules

import (
	"slices"

	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// PushFilters moves the conjuncts of filters towards the sources. A conjunct
// passes a watermark node if it does not use the event time, so that the rows it
// removes do not move the watermark (recordings tumbling/filter_below_watermark,
// filter_on_time), and an aggregation if it uses only grouping columns (recording
// join_then_window/recorded_agg_join). Nothing passes a limit or deduplication, and a
// conjunct that is not deterministic stays where it is.
//
// An outer join below a filter that refuses the rows without a partner becomes the
// stronger join that it is, for which fold must be set.
func PushFilters(n logical.Node, fold expr.Fold) (logical.Node, error) {
	p := &pusher{fold: fold}
	return p.push(n, nil)
}

type pusher struct{ fold expr.Fold }

func filter(n logical.Node, cond []expr.Expr) logical.Node {
	if len(cond) == 0 {
		return n
	}
	return &logical.Filter{At: cond[0].Pos(), Cond: expr.And(cond), Input: n}
}

// push returns n with cond applied to its output, as far down as it goes.
func (p *pusher) push(n logical.Node, cond []expr.Expr) (logical.Node, error) {
	switch n := n.(type) {
	case *logical.Filter:
		return p.pushFilter(n, cond)
	case *logical.Project:
		return p.pushProject(n, cond)
	case *logical.Alias:
		return p.pushRenamed(n, n.Input, n.Out, cond)
	case *logical.Watermark:
		below, above := split(cond, func(e expr.Expr) bool { return !uses(e, []*expr.Column{n.Column}) })
		return p.pushOne(n, n.Input, below, above)
	case *logical.Window:
		below, above := split(beyondWindow(cond, n.Column), func(e expr.Expr) bool { return !uses(e, []*expr.Column{n.Column}) })
		return p.pushOne(n, n.Input, append(below, timed(n.Time, n.Input)...), above)
	case *logical.Session:
		below, above := split(beyondWindow(cond, n.Column), func(e expr.Expr) bool { return !uses(e, []*expr.Column{n.Column}) })
		return p.pushOne(n, n.Input, append(below, timed(n.Time, n.Input)...), above)
	case *logical.Generate:
		below, above := split(cond, func(e expr.Expr) bool { return !uses(e, n.Columns) })
		return p.pushOne(n, n.Input, below, above)
	case *logical.Repartition, *logical.Tagged:
		return p.pushOne(n, n.Inputs()[0], cond, nil)
	case *logical.Aggregate:
		return p.pushAggregate(n, cond)
	case *logical.Distinct:
		return p.pushOne(n, n.Input, constant(cond), volatile(cond))
	case *logical.Join:
		return p.pushJoin(n, cond)
	case *logical.AsOfJoin:
		return p.pushAsOfJoin(n, cond)
	case *logical.Union:
		return p.pushUnion(n, cond)
	}
	inputs := n.Inputs()
	if len(inputs) == 0 {
		return filter(n, cond), nil
	}
	next := make([]logical.Node, len(inputs))
	for i, in := range inputs {
		var err error
		if next[i], err = p.push(in, nil); err != nil {
			return nil, err
		}
	}
	return filter(n.With(next), cond), nil
}

// beyondWindow drops the conjuncts that say that a window, or its start or end, is not
// NULL: rows without one are left out where it is assigned.
func beyondWindow(cond []expr.Expr, window *expr.Column) []expr.Expr {
	return slices.DeleteFunc(slices.Clone(cond), func(e expr.Expr) bool {
		c, ok := e.(*expr.Call)
		if !ok || c.Fn != "isnotnull" {
			return false
		}
		of := c.Args[0]
		if f, ok := of.(*expr.Call); ok && f.Fn == "getfield" {
			of = f.Args[0]
		}
		col, ok := of.(*expr.Column)
		return ok && col.ID == window.ID
	})
}

// timed returns the filter that a window is on its time: rows without one are in none.
// The window applies it itself; it is pushed only for a join below, whose rows and
// kind it changes (recordings join_then_window/full_then_window, left_then_window).
func timed(time expr.Expr, input logical.Node) []expr.Expr {
	if !time.Nullable() || !movable(time) || !overJoin(input) {
		return nil
	}
	e := &expr.Call{At: time.Pos(), Fn: "isnotnull", Args: []expr.Expr{time}, Typ: expr.Bool}
	return news([]expr.Expr{e}, input)
}

// overJoin reports whether filters of n may reach a join.
func overJoin(n logical.Node) bool {
	switch n.(type) {
	case *logical.Join:
		return true
	case *logical.Filter, *logical.Project, *logical.Alias, *logical.Window, *logical.Generate, *logical.Repartition, *logical.Tagged:
		return overJoin(n.Inputs()[0])
	}
	return false
}

// pushOne sends below into the one input of n and leaves above over it.
func (p *pusher) pushOne(n, input logical.Node, below, above []expr.Expr) (logical.Node, error) {
	in, err := p.push(input, below)
	if err != nil {
		return nil, err
	}
	return filter(n.With([]logical.Node{in}), above), nil
}

// split parts cond into what satisfies ok and the rest. What is not
// deterministic, or is a subquery, never moves.
func split(cond []expr.Expr, ok func(expr.Expr) bool) (yes, no []expr.Expr) {
	for _, e := range cond {
		if movable(e) && ok(e) {
			yes = append(yes, e)
		} else {
			no = append(no, e)
		}
	}
	return yes, no
}

// constant returns those of list that give the same whenever they are evaluated, and
// volatile the others.
func constant(list []expr.Expr) []expr.Expr {
	yes, _ := split(list, func(expr.Expr) bool { return true })
	return yes
}

func volatile(list []expr.Expr) []expr.Expr {
	_, no := split(list, func(expr.Expr) bool { return true })
	return no
}

// repeatable reports whether e gives the same whenever it is evaluated: a subquery
// does, though it stays where it is.
func repeatable(e expr.Expr) bool {
	ok := true
	expr.Walk(e, func(e expr.Expr) bool {
		c, call := e.(*expr.Call)
		ok = ok && (!call || movable(&expr.Call{Fn: c.Fn}))
		return ok
	})
	return ok
}

func movable(e expr.Expr) bool {
	ok := true
	expr.Walk(e, func(e expr.Expr) bool {
		switch e := e.(type) {
		case *expr.Subquery:
			ok = false
		case *expr.Call:
			switch e.Fn {
			case "rand", "randn", "uuid", "monotonically_increasing_id", "spark_partition_id", "shuffle", "random", "randstr", "uniform":
				ok = false
			}
		}
		return ok
	})
	return ok
}

func uses(e expr.Expr, cols []*expr.Column) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Column); ok {
			for _, d := range cols {
				found = found || d.ID == c.ID
			}
		}
		return !found
	})
	return found
}

func (p *pusher) pushFilter(n *logical.Filter, cond []expr.Expr) (logical.Node, error) {
	own := expr.Conjuncts(n.Cond)
	for _, e := range own {
		if !repeatable(e) {
			// The rows that reach it must stay the same: nothing passes either.
			in, err := p.push(n.Input, nil)
			if err != nil {
				return nil, err
			}
			return filter(n.With([]logical.Node{in}), cond), nil
		}
	}
	return p.push(n.Input, append(own, cond...))
}

func (p *pusher) pushProject(n *logical.Project, cond []expr.Expr) (logical.Node, error) {
	values := map[expr.ID]expr.Expr{}
	for i, c := range n.Output() {
		e := n.List[i]
		if !movable(e) {
			return p.pushOne(n, n.Input, nil, cond)
		}
		if a, ok := e.(*expr.Alias); ok {
			e = a.Child
		}
		values[c.ID] = e
	}
	below, above := split(cond, func(expr.Expr) bool { return true })
	below, err := substitute(below, values)
	if err != nil {
		return nil, err
	}
	return p.pushOne(n, n.Input, below, above)
}

// pushAggregate sends below what is over grouping columns alone: it removes whole
// groups. A group of all rows has none.
func (p *pusher) pushAggregate(n *logical.Aggregate, cond []expr.Expr) (logical.Node, error) {
	values := map[expr.ID]expr.Expr{}
	for i, c := range n.Output() {
		if e := n.List[i]; len(n.Group) > 0 && !aggregates(e) && movable(e) {
			if a, ok := e.(*expr.Alias); ok {
				e = a.Child
			}
			values[c.ID] = e
		}
	}
	below, above := split(cond, func(e expr.Expr) bool {
		some, all := false, true
		expr.Walk(e, func(e expr.Expr) bool {
			if c, is := e.(*expr.Column); is {
				some, all = true, all && values[c.ID] != nil
			}
			return all
		})
		return some && all
	})
	below, err := substitute(below, values)
	if err != nil {
		return nil, err
	}
	return p.pushOne(n, n.Input, below, above)
}

func aggregates(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		_, is := e.(*expr.Agg)
		found = found || is
		return !found
	})
	return found
}

// pushRenamed passes a node whose columns are those of its input by position.
func (p *pusher) pushRenamed(n, input logical.Node, out []*expr.Column, cond []expr.Expr) (logical.Node, error) {
	below, above := split(cond, func(expr.Expr) bool { return true })
	below, err := renamed(below, out, input.Output())
	if err != nil {
		return nil, err
	}
	return p.pushOne(n, input, below, above)
}

func renamed(cond []expr.Expr, out, in []*expr.Column) ([]expr.Expr, error) {
	values := map[expr.ID]expr.Expr{}
	for i, c := range out {
		values[c.ID] = in[i]
	}
	return substitute(cond, values)
}

func substitute(list []expr.Expr, values map[expr.ID]expr.Expr) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		var err error
		out[i], err = expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
			if c, ok := e.(*expr.Column); ok && values[c.ID] != nil {
				return values[c.ID], nil
			}
			return e, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// pushJoin sends to each side the conjuncts that use only its columns, if the
// kind of join keeps them equal there: those above the join, and those of its own
// condition. What is left above an inner join becomes a part of its condition.
func (p *pusher) pushJoin(n *logical.Join, cond []expr.Expr) (logical.Node, error) {
	d := *n
	d.Kind = p.strengthened(n, cond)
	lcols, rcols := n.Left.Output(), n.Right.Output()
	if n.Exists != nil {
		rcols = append(rcols[:len(rcols):len(rcols)], n.Exists)
	}
	ofLeft := func(e expr.Expr) bool { return uses(e, lcols) && !uses(e, rcols) }
	ofRight := func(e expr.Expr) bool { return uses(e, rcols) && !uses(e, lcols) }
	toLeft := d.Kind != physical.RightOuter && d.Kind != physical.FullOuter
	toRight := d.Kind == physical.Inner || d.Kind == physical.RightOuter
	left, cond := split(cond, func(e expr.Expr) bool { return toLeft && ofLeft(e) })
	right, cond := split(cond, func(e expr.Expr) bool { return toRight && ofRight(e) })
	if d.Kind == physical.Inner {
		var both []expr.Expr
		both, cond = split(cond, func(e expr.Expr) bool { return uses(e, lcols) && uses(e, rcols) })
		d.Cond = expr.And(append(expr.Conjuncts(d.Cond), both...))
	}
	toLeft, toRight = filtered(d.Kind)
	toRight = toRight || d.Kind == physical.LeftAnti || d.Kind == physical.Existence
	own := expr.Conjuncts(d.Cond)
	lown, own := split(own, func(e expr.Expr) bool { return toLeft && ofLeft(e) })
	rown, own := split(own, func(e expr.Expr) bool { return toRight && ofRight(e) })
	d.Cond = expr.And(own)
	var err error
	if d.Left, err = p.push(n.Left, append(left, lown...)); err != nil {
		return nil, err
	}
	if d.Right, err = p.push(n.Right, append(right, rown...)); err != nil {
		return nil, err
	}
	return filter(&d, cond), nil
}

// pushAsOfJoin sends what is above the join and over the left side alone to it, and of
// the join's own condition what is over the right side alone: a right row for which
// that does not hold is no match. It stays where the right side is a stream: there a
// row that does not match still moves the watermark.
func (p *pusher) pushAsOfJoin(n *logical.AsOfJoin, cond []expr.Expr) (logical.Node, error) {
	d := *n
	lcols, rcols := n.Left.Output(), n.Right.Output()
	left, above := split(cond, func(e expr.Expr) bool { return uses(e, lcols) && !uses(e, rcols) })
	still := !logical.Streaming(n.Right)
	right, own := split(expr.Conjuncts(n.Cond), func(e expr.Expr) bool { return still && uses(e, rcols) && !uses(e, lcols) })
	d.Cond = expr.And(own)
	var err error
	if d.Left, err = p.push(n.Left, left); err != nil {
		return nil, err
	}
	if d.Right, err = p.push(n.Right, right); err != nil {
		return nil, err
	}
	return filter(&d, above), nil
}

func (p *pusher) pushUnion(n *logical.Union, cond []expr.Expr) (logical.Node, error) {
	below, above := split(cond, func(expr.Expr) bool { return true })
	next := make([]logical.Node, len(n.Children))
	for i, c := range n.Children {
		own, err := renamed(below, n.Out, c.Output())
		if err != nil {
			return nil, err
		}
		if next[i], err = p.push(c, own); err != nil {
			return nil, err
		}
	}
	return filter(n.With(next), above), nil
}
