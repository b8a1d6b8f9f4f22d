package flightd

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

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
	case *logical.Explain:
		if s.Inner == nil {
			return s, nil
		}
		c := *s
		c.Inner, err = rewriteStatement(s.Inner, f)
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
