package rules

import (
	"math"

	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// Statistics says how many rows a table has, and for columns by name between which
// values theirs are, as numbers; ok is false if that is not known.
type Statistics func(t *catalog.Table) (rows int64, ranges map[string][2]int64, ok bool)

// size is what is thought of the rows of a plan: how many, and for columns how many
// different values they have and between which they are.
type size struct {
	rows   float64
	values map[expr.ID]float64
	ranges map[expr.ID][2]float64
}

// distinct is how many values e has: those of a column, else as many as rows.
func (s *size) distinct(e expr.Expr) float64 {
	if c, ok := e.(*expr.Cast); ok {
		return s.distinct(c.Child)
	}
	if c, ok := e.(*expr.Column); ok {
		if n, known := s.values[c.ID]; known {
			return max(1, n)
		}
	}
	return max(1, s.rows)
}

// estimator estimates sizes. The rules of thumb are the usual ones: values are spread
// evenly, and conditions do not know of each other.
type estimator struct{ stats Statistics }

// of returns the size of n, or nil if it is not known of a table.
func (e *estimator) of(n logical.Node) *size {
	switch n := n.(type) {
	case *logical.Relation:
		return e.relation(n)
	case *logical.Values:
		return &size{rows: float64(len(n.Rows))}
	case *logical.Range:
		return &size{rows: math.Abs(float64(n.End-n.Start)) / max(1, math.Abs(float64(n.Step)))}
	case *logical.Filter:
		return e.filtered(n)
	case *logical.Project:
		return renamedSize(e.of(n.Input), n.List)
	case *logical.Alias:
		in := e.of(n.Input)
		if in == nil {
			return nil
		}
		list := make([]expr.Expr, len(n.Out))
		for i, c := range n.Input.Output() {
			list[i] = &expr.Alias{Child: c, ID: n.Out[i].ID}
		}
		return renamedSize(in, list)
	case *logical.Aggregate:
		return e.grouped(n)
	case *logical.Join:
		return e.joined(n)
	case *logical.Union:
		out := &size{}
		for _, c := range n.Children {
			in := e.of(c)
			if in == nil {
				return nil
			}
			out.rows += in.rows
		}
		return out
	case *logical.Limit:
		in := e.of(n.Input)
		if l, ok := n.Count.(*expr.Literal); ok && in != nil {
			if count, ok := l.Value.(int64); ok {
				in.rows = min(in.rows, float64(count))
			}
		}
		return in
	case *logical.Distinct, *logical.Sort, *logical.Repartition, *logical.Tagged, *logical.Window, *logical.Over, *logical.Deduplicate:
		return e.of(n.Inputs()[0])
	}
	return nil
}

func (e *estimator) relation(n *logical.Relation) *size {
	if n.Stream {
		return nil
	}
	rows, ranges, ok := e.stats(n.Table)
	if !ok {
		return nil
	}
	s := &size{rows: float64(rows), values: map[expr.ID]float64{}, ranges: map[expr.ID][2]float64{}}
	for _, c := range n.Columns {
		s.values[c.ID] = s.rows
		if r, known := ranges[c.Name]; known {
			lo, hi := float64(r[0]), float64(r[1])
			s.ranges[c.ID] = [2]float64{lo, hi}
			s.values[c.ID] = min(s.rows, hi-lo+1)
		}
	}
	return s
}

// renamedSize is the size of in under the names of a list.
func renamedSize(in *size, list []expr.Expr) *size {
	if in == nil {
		return nil
	}
	out := &size{rows: in.rows, values: map[expr.ID]float64{}, ranges: map[expr.ID][2]float64{}}
	for _, e := range list {
		child, id := e, expr.ID(0)
		switch a := e.(type) {
		case *expr.Alias:
			child, id = a.Child, a.ID
		case *expr.Column:
			id = a.ID
		}
		if c, ok := child.(*expr.Column); ok {
			if n, known := in.values[c.ID]; known {
				out.values[id] = n
			}
			if r, known := in.ranges[c.ID]; known {
				out.ranges[id] = r
			}
		}
	}
	return out
}

func (e *estimator) grouped(n *logical.Aggregate) *size {
	in := e.of(n.Input)
	if in == nil {
		return nil
	}
	groups := 1.0
	for _, k := range n.Group {
		groups *= in.distinct(k)
	}
	out := renamedSize(in, n.List)
	out.rows = min(in.rows, groups)
	return out
}

func (e *estimator) joined(n *logical.Join) *size {
	l, r := e.of(n.Left), e.of(n.Right)
	if l == nil || r == nil {
		return nil
	}
	out := joinedSize(l, r, expr.Conjuncts(n.Cond))
	switch n.Kind {
	case physical.LeftSemi, physical.LeftAnti, physical.NullAwareAnti:
		out.rows = l.rows / 2
	case physical.Existence:
		out.rows = l.rows
	case physical.LeftOuter:
		out.rows = max(out.rows, l.rows)
	case physical.RightOuter:
		out.rows = max(out.rows, r.rows)
	case physical.FullOuter:
		out.rows = max(out.rows, l.rows+r.rows)
	}
	return out
}

// joinedSize is the size of the pairs for which cond holds. Of equalities the most
// selective counts whole, the next by its root, and so on: keys of several columns
// know of each other.
func joinedSize(l, r *size, cond []expr.Expr) *size {
	out := &size{rows: l.rows * r.rows, values: map[expr.ID]float64{}, ranges: map[expr.ID][2]float64{}}
	for _, s := range []*size{l, r} {
		for id, n := range s.values {
			out.values[id] = n
		}
		for id, x := range s.ranges {
			out.ranges[id] = x
		}
	}
	var equal []float64
	for _, e := range cond {
		c, ok := e.(*expr.Call)
		if ok && (c.Fn == "=" || c.Fn == "<=>") && len(c.Args) == 2 {
			equal = append(equal, 1/min(out.distinctAt(c.Args[0]), out.distinctAt(c.Args[1])))
			continue
		}
		out.rows *= out.selectivity(e)
	}
	power := 1.0
	for len(equal) > 0 {
		least := 0
		for i, s := range equal {
			if s < equal[least] {
				least = i
			}
		}
		out.rows *= math.Pow(equal[least], power)
		power /= 2
		equal = append(equal[:least], equal[least+1:]...)
	}
	out.rows = max(1, out.rows)
	return out
}

// distinctAt is distinct where rows are those of a product.
func (s *size) distinctAt(e expr.Expr) float64 {
	known := 0.0
	expr.Walk(e, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Column); ok {
			known = max(known, s.values[c.ID])
		}
		return true
	})
	return max(1, known)
}

func (e *estimator) filtered(n *logical.Filter) *size {
	in := e.of(n.Input)
	if in == nil {
		return nil
	}
	out := &size{rows: in.rows, values: in.values, ranges: in.ranges}
	for _, c := range expr.Conjuncts(n.Cond) {
		out.rows *= in.selectivity(c)
	}
	out.rows = max(1, out.rows)
	return out
}

const (
	// someOf is the part of the rows that a condition leaves of which nothing is known,
	// fewOf that of a pattern, and halfOf that of one bound.
	someOf, fewOf, halfOf = 0.25, 0.1, 0.4
)

// selectivity is the part of the rows for which e holds.
func (s *size) selectivity(e expr.Expr) float64 {
	c, ok := e.(*expr.Call)
	if !ok {
		return someOf
	}
	switch c.Fn {
	case "and":
		return s.selectivity(c.Args[0]) * s.selectivity(c.Args[1])
	case "or":
		return min(1, s.selectivity(c.Args[0])+s.selectivity(c.Args[1]))
	case "not":
		return 1 - min(0.9, s.selectivity(c.Args[0]))
	case "isnotnull":
		return 1
	case "=", "<=>":
		return 1 / min(s.distinct(c.Args[0]), s.distinct(c.Args[1]), max(1, s.named(c)))
	case "in":
		return min(1, float64(len(c.Args)-1)/min(s.distinct(c.Args[0]), max(1, s.named(c))))
	case "<", "<=", ">", ">=":
		return s.beyond(c)
	case "like", "ilike", "rlike", "startswith", "endswith", "contains":
		return fewOf
	case "between":
		return halfOf * halfOf
	}
	return someOf
}

// named is how many values a text column is thought to have that is compared with a
// constant: texts that one knows beforehand are mostly names of kinds.
func (s *size) named(c *expr.Call) float64 {
	if c.Args[0].Type().Kind == expr.KindString {
		return 20
	}
	return math.Inf(1)
}

// beyond is the part of a column's range that a comparison with a constant leaves.
func (s *size) beyond(c *expr.Call) float64 {
	col, lit, op := c.Args[0], c.Args[1], c.Fn
	if _, ok := col.(*expr.Literal); ok {
		col, lit = lit, col
		op = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}[op]
	}
	column, ok := col.(*expr.Column)
	l, constant := lit.(*expr.Literal)
	if !ok || !constant {
		return halfOf
	}
	at, number := l.Value.(int64)
	r, known := s.ranges[column.ID]
	if !number || !known || r[1] <= r[0] {
		return halfOf
	}
	part := (float64(at) - r[0]) / (r[1] - r[0])
	if op[0] == '>' {
		part = 1 - part
	}
	return min(1, max(0.001, part))
}
