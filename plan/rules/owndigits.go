package rules

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// OwnDigits makes texts of approximate percentiles of decimals those that Spark makes: a
// percentile is a double on its way, and keeps the digits of that instead of its type's
// scale (1.1 in a DECIMAL(3,2)) until an operator copies it into a row of its own, which
// a select list, a filter and a limit do not.
func OwnDigits(n logical.Node) (logical.Node, error) {
	n, _, err := ownDigits(n)
	return n, err
}

// ownDigits returns n, rewritten, and which of its columns have digits of their own.
func ownDigits(n logical.Node) (logical.Node, map[expr.ID]bool, error) {
	inputs := n.Inputs()
	if len(inputs) == 0 {
		return n, nil, nil
	}
	next, changed := make([]logical.Node, len(inputs)), false
	var own map[expr.ID]bool
	for i, in := range inputs {
		var err error
		if next[i], own, err = ownDigits(in); err != nil {
			return nil, nil, err
		}
		changed = changed || next[i] != in
	}
	if changed {
		n = n.With(next)
	}
	switch n := n.(type) {
	case *logical.Aggregate:
		d := *n
		list, own, err := ownList(n.List, nil)
		if d.List = list; own == nil && err == nil {
			return n, nil, nil
		}
		return &d, own, err
	case *logical.Project:
		if len(own) == 0 {
			return n, nil, nil
		}
		d := *n
		var err error
		d.List, own, err = ownList(n.List, own)
		return &d, own, err
	case *logical.Alias:
		out := map[expr.ID]bool{}
		for i, c := range n.Input.Output() {
			if own[c.ID] && i < len(n.Out) {
				out[n.Out[i].ID] = true
			}
		}
		return n, out, nil
	case *logical.Filter, *logical.Limit:
		return n, own, nil
	case *logical.Sort:
		if oneRow(n.Input) { // Spark leaves such a sort out
			return n, own, nil
		}
	}
	return n, nil, nil
}

// oneRow reports whether n is an aggregation without groups, under select lists.
func oneRow(n logical.Node) bool {
	switch n := n.(type) {
	case *logical.Project, *logical.Alias:
		return oneRow(n.Inputs()[0])
	case *logical.Aggregate:
		return len(n.Group) == 0 && len(n.Sets) == 0
	}
	return false
}

// ownList rewrites a select list over columns of which own have digits of their own; it
// returns which of the list have. That is nil where nothing has.
func ownList(list []expr.Expr, own map[expr.ID]bool) ([]expr.Expr, map[expr.ID]bool, error) {
	out, found := make([]expr.Expr, len(list)), false
	var has map[expr.ID]bool
	for i, e := range list {
		var err error
		out[i], err = expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
			c, ok := e.(*expr.Cast)
			if !ok || c.To.Kind != expr.KindString || !hasOwnDigits(c.Child, own) {
				return e, nil
			}
			found = true
			return &expr.Call{At: c.At, Fn: "decimal_digits", Args: []expr.Expr{c.Child}, Typ: c.To, Null: c.Nullable(), Mode: c.Mode, Text: c.SQL()}, nil
		})
		if err != nil {
			return nil, nil, err
		}
		if !hasOwnDigits(out[i], own) {
			continue
		}
		if has == nil {
			has = map[expr.ID]bool{}
		}
		switch e := out[i].(type) {
		case *expr.Alias:
			has[e.ID] = true
		case *expr.Column:
			has[e.ID] = true
		}
	}
	if has == nil && found {
		has = map[expr.ID]bool{}
	}
	return out, has, nil
}

func hasOwnDigits(e expr.Expr, own map[expr.ID]bool) bool {
	switch e := e.(type) {
	case *expr.Alias:
		return hasOwnDigits(e.Child, own)
	case *expr.Column:
		return own[e.ID]
	case *expr.Agg:
		t := e.Typ
		if t.Kind == expr.KindArray {
			t = t.Elem
		}
		return t.Kind == expr.KindDecimal && (e.Fn == "percentile_approx" || e.Fn == "approx_percentile")
	case *expr.Call:
		switch e.Fn {
		case "negative", "abs", "element_at", "getitem":
			return hasOwnDigits(e.Args[0], own)
		}
	}
	return false
}
