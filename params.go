package flightd

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/adopt"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/sql"
)

// ParseSchema reads a schema in DDL: "k STRING, v INT NOT NULL".
func ParseSchema(ddl string) (*arrow.Schema, error) {
	s, err := sql.ParseSchema(ddl)
	if err != nil {
		return nil, err
	}
	return s.Arrow(), nil
}

// rewriteStatement rewrites the expressions of the plan in a statement.
func rewriteStatement(st logical.Statement, f func(expr.Expr) (expr.Expr, error)) (logical.Statement, error) {
	var err error
	in := func(n logical.Node) logical.Node {
		if n == nil || err != nil {
			return n
		}
		n, err = logical.RewriteExprs(n, f)
		return n
	}
	switch s := st.(type) {
	case *logical.Subscribe:
		c := *s
		c.Plan = in(s.Plan)
		return &c, err
	case *logical.Query:
		c := *s
		c.Plan = in(s.Plan)
		return &c, err
	case *logical.Insert:
		c := *s
		c.Plan = in(s.Plan)
		return &c, err
	case *logical.CreateTable:
		c := *s
		c.Plan = in(s.Plan)
		return &c, err
	case *logical.Immediate:
		c := *s
		if c.Text, err = expr.Rewrite(s.Text, f); err != nil {
			return nil, err
		}
		c.Args = make([]expr.Expr, len(s.Args))
		for i, a := range s.Args {
			if c.Args[i], err = expr.Rewrite(a, f); err != nil {
				return nil, err
			}
		}
		return &c, nil
	}
	return st, nil
}

// withParams puts row 0 of params in the place of the statement's parameters.
func withParams(st logical.Statement, params arrow.RecordBatch) (logical.Statement, error) {
	n := 0
	return rewriteStatement(st, func(e expr.Expr) (expr.Expr, error) {
		p, ok := e.(*expr.Param)
		if !ok {
			return e, nil
		}
		i := p.Index
		if p.Label != "" {
			i = -1
			if params != nil {
				if at := params.Schema().FieldIndices(p.Label); len(at) > 0 {
					i = at[0]
				}
			}
		}
		n++
		if params == nil || i < 0 || i >= int(params.NumCols()) || params.NumRows() == 0 {
			return nil, base.UserError("UNBOUND_SQL_PARAMETER", "42P02", "The parameter %s has no value.", p.SQL()).At(p.At).
				WithHint("bind one value for each parameter")
		}
		return paramLiteral(params.Column(i), p)
	})
}

// paramLiteral is the first value of a bound column as a literal.
func paramLiteral(arr arrow.Array, p *expr.Param) (expr.Expr, error) {
	v, t, err := adopt.Value(arr, p.SQL(), maxWrittenOut)
	if err != nil {
		return nil, base.Wrap(err, "binding parameter %s", p.SQL())
	}
	return &expr.Literal{At: p.At, Value: cexpr.Value(v, 0), Typ: t}, nil
}

// paramSchema lists the parameters of a statement with the types that their
// places suggest: that of a cast around them, or of what they are compared with
// where that is a literal; utf8 otherwise.
func paramSchema(st logical.Statement) (*arrow.Schema, error) {
	var fields []arrow.Field
	_, err := rewriteStatement(st, func(e expr.Expr) (expr.Expr, error) {
		switch e := e.(type) {
		case *expr.Param:
			name := e.Label
			fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true})
		case *expr.Cast:
			if _, ok := e.Child.(*expr.Param); ok && len(fields) > 0 {
				fields[len(fields)-1].Type = e.To.Arrow()
			}
		}
		return e, nil
	})
	return arrow.NewSchema(fields, nil), err
}

// nullParams puts NULL in the place of every parameter, to analyse a statement
// before it is bound.
func nullParams(n logical.Node) logical.Node {
	out, err := logical.RewriteExprs(n, func(e expr.Expr) (expr.Expr, error) {
		if p, ok := e.(*expr.Param); ok {
			return &expr.Literal{At: p.At, Typ: expr.Null}, nil
		}
		return e, nil
	})
	if err != nil {
		return n
	}
	return out
}

// reshaped puts ingested rows into the order and types of a table, through the
// engine itself: a query over each record batch as a table.
func (e *Engine) reshaped(ctx context.Context, want, have expr.Schema, next func() (arrow.RecordBatch, error)) (*Result, error) {
	known := map[string]bool{}
	for _, f := range want {
		known[f.Name] = true
	}
	for _, f := range have {
		if !known[f.Name] {
			return nil, base.Errorf(base.CodeInvalid, "the table has no column %q", f.Name)
		}
	}
	a, err := e.assign(ctx, want, have)
	if err != nil {
		return nil, err
	}
	var ready []arrow.RecordBatch
	return &Result{schema: want.Arrow(), next: func(ctx context.Context) (arrow.RecordBatch, error) {
		for len(ready) == 0 {
			rec, err := next()
			if err != nil {
				return nil, err
			}
			ready, err = a.rows(ctx, rec)
			rec.Release()
			if err != nil {
				return nil, err
			}
		}
		rec := ready[0]
		ready = ready[1:]
		return rec, nil
	}, close: func() error {
		for _, rec := range ready {
			rec.Release()
		}
		ready = nil
		return nil
	}}, nil
}
