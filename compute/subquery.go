package compute

import (
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// withoutSubqueries returns n with each scalar subquery of its expressions
// replaced by its value.
func (b *builder) withoutSubqueries(n physical.Node) (physical.Node, error) {
	var err error
	one := func(e expr.Expr) expr.Expr {
		if e == nil || err != nil {
			return e
		}
		var r expr.Expr
		r, err = b.evaluated(e)
		return r
	}
	list := func(es []expr.Expr) []expr.Expr {
		out := make([]expr.Expr, len(es))
		for i, e := range es {
			out[i] = one(e)
		}
		return out
	}
	switch m := n.(type) {
	case *physical.Filter:
		c := *m
		c.Cond = one(m.Cond)
		n = &c
	case *physical.Project:
		c := *m
		c.Exprs = list(m.Exprs)
		n = &c
	case *physical.Values:
		c := *m
		c.Rows = make([][]expr.Expr, len(m.Rows))
		for i, r := range m.Rows {
			c.Rows[i] = list(r)
		}
		n = &c
	case *physical.Expand:
		c := *m
		c.Lists = make([][]expr.Expr, len(m.Lists))
		for i, l := range m.Lists {
			c.Lists[i] = list(l)
		}
		n = &c
	case *physical.Generate:
		c := *m
		if call, ok := one(m.Gen).(*expr.Call); ok {
			c.Gen = call
		}
		n = &c
	case *physical.Window:
		c := *m
		c.Time = one(m.Time)
		n = &c
	case *physical.Session:
		c := *m
		c.Time, c.Gap = one(m.Time), one(m.Gap)
		n = &c
	case *physical.Aggregate:
		c := *m
		c.Keys = list(m.Keys)
		c.Aggs = make([]*expr.Agg, len(m.Aggs))
		for i, a := range m.Aggs {
			if c.Aggs[i], _ = one(a).(*expr.Agg); c.Aggs[i] == nil {
				c.Aggs[i] = a
			}
		}
		n = &c
	case *physical.Join:
		c := *m
		c.LeftKeys, c.RightKeys, c.Cond = list(m.LeftKeys), list(m.RightKeys), one(m.Cond)
		n = &c
	case *physical.AsOfJoin:
		c := *m
		c.LeftKeys, c.RightKeys, c.Cond = list(m.LeftKeys), list(m.RightKeys), one(m.Cond)
		c.LeftSide.Filter, c.RightSide.Filter = one(m.LeftSide.Filter), one(m.RightSide.Filter)
		n = &c
	case *physical.StreamJoin:
		c := *m
		c.LeftKeys, c.RightKeys, c.Cond = list(m.LeftKeys), list(m.RightKeys), one(m.Cond)
		c.LeftSide.Filter, c.RightSide.Filter = one(m.LeftSide.Filter), one(m.RightSide.Filter)
		n = &c
	case *physical.Sort:
		c := *m
		c.Keys = append([]physical.SortKey(nil), m.Keys...)
		for i := range c.Keys {
			c.Keys[i].Expr = one(c.Keys[i].Expr)
		}
		n = &c
	}
	return n, err
}

// evaluated returns e with the values of its scalar subqueries.
func (b *builder) evaluated(e expr.Expr) (expr.Expr, error) {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		_, is := e.(*physical.ScalarSubquery)
		found = found || is
		return !found
	})
	if !found {
		return e, nil
	}
	return expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
		s, ok := e.(*physical.ScalarSubquery)
		if !ok {
			return e, nil
		}
		return b.scalar(s)
	})
}

// scalar runs a scalar subquery: NULL if it has no row, an error if it has two.
func (b *builder) scalar(s *physical.ScalarSubquery) (expr.Expr, error) {
	op, err := buildOver(b.ctx, s.Plan, b.env, b.working)
	if err != nil {
		return nil, err
	}
	defer Close(op)
	out := &expr.Literal{Typ: s.Type()}
	rows := int64(0)
	for {
		batch, err := op.Next(b.ctx)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		rec, err := batch.Compact()
		if err != nil {
			return nil, err
		}
		if rec.NumRows() > 0 {
			out.Value = firstValue(rec, s.Plan.Schema()[0].Type)
		}
		rows += rec.NumRows()
		rec.Release()
		if rows > 1 {
			return nil, base.UserError("SCALAR_SUBQUERY_TOO_MANY_ROWS", "21000",
				"More than one row returned by a subquery used as an expression.").At(s.Pos())
		}
	}
}

func firstValue(rec arrow.RecordBatch, t *expr.Type) any {
	return cexpr.Value(vec.FromArrow(rec.Column(0), t), 0)
}
