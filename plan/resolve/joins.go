package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

func (r *resolver) join(n *logical.Join, outer *scope) (rel, error) {
	left, err := r.node(n.Left, outer)
	if err != nil {
		return rel{}, err
	}
	around := outer
	if n.Lateral {
		around = &scope{cols: left.cols, hidden: left.hidden, outer: outer}
	}
	right, err := r.node(n.Right, around)
	if err != nil {
		return rel{}, err
	}
	out := &logical.Join{At: n.At, Kind: n.Kind, Left: left.node, Right: right.node}
	var conds []expr.Expr
	if n.Lateral {
		all, done, err := r.lateral(n, out, left, &right, outer)
		if err != nil || done {
			return all, err
		}
		if out.Cond != nil {
			conds = []expr.Expr{out.Cond}
		}
	}
	x := &exprs{r: r}
	using := n.Using
	if n.Natural {
		if n.Kind == physical.LeftSemi || n.Kind == physical.LeftAnti {
			return rel{}, base.Errorf(base.CodeInvalid, "requirement failed: NATURAL %s join is not supported", n.Kind).At(n.At)
		}
		for _, c := range left.cols {
			if len(match(right.cols, nil, c.Name)) > 0 {
				using = append(using, c.Name)
			}
		}
	}
	if using != nil || n.Natural {
		return r.using(out, using, left, right, x, conds)
	}
	both := &scope{cols: concat(left.cols, right.cols), hidden: concat(left.hidden, right.hidden), outer: outer, clause: "Join"}
	if n.Cond != nil {
		cond, err := x.condition(n.Cond, both)
		if err != nil {
			return rel{}, err
		}
		if holdsOver(cond) {
			return rel{}, base.UserError("UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E", "A window function cannot stand in a join condition: %q.", cond.SQL()).At(n.At)
		}
		if holdsJoined(cond) {
			return joinedWithSubqueries(out, conds, cond, left, right)
		}
		conds = append(conds, cond)
	}
	out.Cond = conjunction(conds)
	return joinedRel(out, left, right), nil
}

func concat(a, b []*expr.Column) []*expr.Column { return append(a[:len(a):len(a)], b...) }

// joinedRel names the columns of a join without USING.
func joinedRel(n *logical.Join, left, right rel) rel {
	switch n.Kind {
	case physical.LeftSemi, physical.LeftAnti, physical.NullAwareAnti:
		return rel{node: n, cols: left.cols, hidden: left.hidden}
	}
	l, rr := sideColumns(n.Kind, left, right)
	return rel{node: n, cols: concat(l.cols, rr.cols), hidden: concat(l.hidden, rr.hidden)}
}

// sideColumns makes the columns nullable whose side may be missing.
func sideColumns(kind physical.JoinKind, left, right rel) (rel, rel) {
	if kind == physical.RightOuter || kind == physical.FullOuter {
		left.cols, left.hidden = nullable(left.cols), nullable(left.hidden)
	}
	if kind == physical.LeftOuter || kind == physical.FullOuter {
		right.cols, right.hidden = nullable(right.cols), nullable(right.hidden)
	}
	return left, right
}

func nullable(cols []*expr.Column) []*expr.Column {
	out := make([]*expr.Column, len(cols))
	for i, c := range cols {
		d := *c
		d.Null = true
		out[i] = &d
	}
	return out
}

// using resolves JOIN … USING and NATURAL JOIN: the key columns come first and
// once, from the side that has them all; both sides' own are hidden.
func (r *resolver) using(n *logical.Join, names []string, left, right rel, x *exprs, conds []expr.Expr) (rel, error) {
	var lk, rk []*expr.Column
	for _, name := range names {
		l, err := r.usingKey(n, "left", name, left.cols)
		if err != nil {
			return rel{}, err
		}
		k, err := r.usingKey(n, "right", name, right.cols)
		if err != nil {
			return rel{}, err
		}
		w := x.comparable(l, k)
		if w == nil {
			return rel{}, mismatch("BINARY_OP_DIFF_TYPES", n.At, "("+l.Name+" = "+k.Name+")",
				"the left and right operands of the binary operator have incompatible types (%q and %q).", l.Typ.SQL(), k.Typ.SQL())
		}
		if !w.Orderable() {
			return rel{}, mismatch("INVALID_ORDERING_TYPE", n.At, "("+l.Name+" = "+k.Name+")", "The `=` does not support ordering on type %q.", w.SQL())
		}
		a, b := x.cast(l, w), x.cast(k, w)
		conds = append(conds, &expr.Call{At: n.At, Fn: "=", Args: []expr.Expr{a, b}, Typ: expr.Bool, Null: a.Nullable() || b.Nullable()})
		lk, rk = append(lk, l), append(rk, k)
	}
	n.Cond = conjunction(conds)
	if n.Kind == physical.LeftSemi || n.Kind == physical.LeftAnti {
		return rel{node: n, cols: concat(lk, without(left.cols, lk))}, nil
	}
	left, right = sideColumns(n.Kind, left, right)
	lk, rk = pick(left.cols, lk), pick(right.cols, rk)
	rest := concat(without(left.cols, lk), without(right.cols, rk))
	hidden := concat(left.hidden, right.hidden)
	switch n.Kind {
	case physical.RightOuter:
		return rel{node: n, cols: concat(rk, rest), hidden: concat(hidden, lk)}, nil
	case physical.FullOuter:
		return r.usingFull(n, lk, rk, rest, hidden, x)
	}
	return rel{node: n, cols: concat(lk, rest), hidden: concat(hidden, rk)}, nil
}

func (r *resolver) usingFull(n *logical.Join, lk, rk, rest, hidden []*expr.Column, x *exprs) (rel, error) {
	hidden = concat(concat(hidden, lk), rk)
	var list []expr.Expr
	var keys []*expr.Column
	for i, l := range lk {
		w := x.comparable(l, rk[i])
		both := &expr.Call{At: n.At, Fn: "coalesce", Args: []expr.Expr{x.cast(l, w), x.cast(rk[i], w)}, Typ: w, Null: true}
		a := &expr.Alias{At: n.At, Child: both, Name: l.Name, ID: expr.NewID()}
		list = append(list, a)
		keys = append(keys, &expr.Column{At: n.At, ID: a.ID, Name: a.Name, Typ: w, Null: true})
	}
	for _, c := range concat(rest, hidden) {
		list = append(list, plain(c))
	}
	return rel{node: &logical.Project{At: n.At, List: list, Input: n}, cols: concat(keys, rest), hidden: hidden}, nil
}

func (r *resolver) usingKey(n *logical.Join, side, name string, cols []*expr.Column) (*expr.Column, error) {
	switch found := match(cols, nil, name); len(found) {
	default: // Spark takes the first of several
		return found[0], nil
	case 0:
		names := make([]string, len(cols))
		for i, c := range cols {
			names[i] = quoteName([]string{c.Name})
		}
		return nil, base.UserError("UNRESOLVED_USING_COLUMN_FOR_JOIN", "42703",
			"USING column %s cannot be resolved on the %s side of the join. The %s-side columns: [%s].",
			quoteName([]string{name}), side, side, strings.Join(names, ", ")).At(n.At)
	}
}

func without(cols, keys []*expr.Column) []*expr.Column {
	var out []*expr.Column
	for _, c := range cols {
		if !holds(keys, c.ID) {
			out = append(out, c)
		}
	}
	return out
}

func holds(cols []*expr.Column, id expr.ID) bool {
	for _, c := range cols {
		if c.ID == id {
			return true
		}
	}
	return false
}

// pick returns the columns of cols with the IDs of keys, in the order of keys.
func pick(cols, keys []*expr.Column) []*expr.Column {
	out := make([]*expr.Column, len(keys))
	for i, k := range keys {
		for _, c := range cols {
			if c.ID == k.ID {
				out[i] = c
			}
		}
	}
	return out
}
