package rules

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// PushFilters moves the conjuncts of filters towards the sources. A conjunct
// passes a watermark node if it does not use the event time, so that the rows it
// removes do not move the watermark (recordings tumbling/filter_below_watermark,
// filter_on_time). Nothing passes an aggregation, a limit or anything stateful,
// and a conjunct that is not deterministic stays where it is.
func PushFilters(n logical.Node) (logical.Node, error) { return push(n, nil) }

func filter(n logical.Node, cond []expr.Expr) logical.Node {
	if len(cond) == 0 {
		return n
	}
	return &logical.Filter{At: cond[0].Pos(), Cond: expr.And(cond), Input: n}
}

// push returns n with cond applied to its output, as far down as it goes.
func push(n logical.Node, cond []expr.Expr) (logical.Node, error) {
	switch n := n.(type) {
	case *logical.Filter:
		return pushFilter(n, cond)
	case *logical.Project:
		return pushProject(n, cond)
	case *logical.Alias:
		return pushRenamed(n, n.Input, n.Out, cond)
	case *logical.Watermark:
		below, above := split(cond, func(e expr.Expr) bool { return !uses(e, []*expr.Column{n.Column}) })
		return pushOne(n, n.Input, below, above)
	case *logical.Window:
		below, above := split(cond, func(e expr.Expr) bool { return !uses(e, []*expr.Column{n.Column}) })
		return pushOne(n, n.Input, below, above)
	case *logical.Generate:
		below, above := split(cond, func(e expr.Expr) bool { return !uses(e, n.Columns) })
		return pushOne(n, n.Input, below, above)
	case *logical.Repartition, *logical.Tagged:
		return pushOne(n, n.Inputs()[0], cond, nil)
	case *logical.Join:
		return pushJoin(n, cond)
	case *logical.Union:
		return pushUnion(n, cond)
	}
	inputs := n.Inputs()
	if len(inputs) == 0 {
		return filter(n, cond), nil
	}
	next := make([]logical.Node, len(inputs))
	for i, in := range inputs {
		var err error
		if next[i], err = push(in, nil); err != nil {
			return nil, err
		}
	}
	return filter(n.With(next), cond), nil
}

// pushOne sends below into the one input of n and leaves above over it.
func pushOne(n, input logical.Node, below, above []expr.Expr) (logical.Node, error) {
	in, err := push(input, below)
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

func pushFilter(n *logical.Filter, cond []expr.Expr) (logical.Node, error) {
	own := expr.Conjuncts(n.Cond)
	for _, e := range own {
		if !movable(e) {
			// The rows that reach it must stay the same: nothing passes either.
			in, err := push(n.Input, nil)
			if err != nil {
				return nil, err
			}
			return filter(n.With([]logical.Node{in}), cond), nil
		}
	}
	return push(n.Input, append(own, cond...))
}

func pushProject(n *logical.Project, cond []expr.Expr) (logical.Node, error) {
	values := map[expr.ID]expr.Expr{}
	for i, c := range n.Output() {
		e := n.List[i]
		if !movable(e) {
			return pushOne(n, n.Input, nil, cond)
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
	return pushOne(n, n.Input, below, above)
}

// pushRenamed passes a node whose columns are those of its input by position.
func pushRenamed(n, input logical.Node, out []*expr.Column, cond []expr.Expr) (logical.Node, error) {
	below, above := split(cond, func(expr.Expr) bool { return true })
	below, err := renamed(below, out, input.Output())
	if err != nil {
		return nil, err
	}
	return pushOne(n, input, below, above)
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
// kind of join keeps them equal there.
func pushJoin(n *logical.Join, cond []expr.Expr) (logical.Node, error) {
	toLeft := n.Kind != physical.RightOuter && n.Kind != physical.FullOuter
	toRight := n.Kind == physical.Inner || n.Kind == physical.RightOuter
	lcols, rcols := n.Left.Output(), n.Right.Output()
	if n.Exists != nil {
		rcols = append(rcols[:len(rcols):len(rcols)], n.Exists)
	}
	left, cond := split(cond, func(e expr.Expr) bool { return toLeft && uses(e, lcols) && !uses(e, rcols) })
	right, cond := split(cond, func(e expr.Expr) bool { return toRight && uses(e, rcols) && !uses(e, lcols) })
	l, err := push(n.Left, left)
	if err != nil {
		return nil, err
	}
	r, err := push(n.Right, right)
	if err != nil {
		return nil, err
	}
	return filter(n.With([]logical.Node{l, r}), cond), nil
}

func pushUnion(n *logical.Union, cond []expr.Expr) (logical.Node, error) {
	below, above := split(cond, func(expr.Expr) bool { return true })
	next := make([]logical.Node, len(n.Children))
	for i, c := range n.Children {
		own, err := renamed(below, n.Out, c.Output())
		if err != nil {
			return nil, err
		}
		if next[i], err = push(c, own); err != nil {
			return nil, err
		}
	}
	return filter(n.With(next), above), nil
}
