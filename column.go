package flightd

import (
	"fmt"

	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/sql"
)

// Column is an expression over the columns of a DataFrame. It is data: nothing
// is looked up before the DataFrame is analysed.
type Column struct {
	e   expr.Expr
	err error
}

// Col is the column of a name, which may be dotted (t.a, a.field) or "*".
func Col(name string) Column {
	if name == "*" {
		return Column{e: &expr.Star{}}
	}
	return Expr(name)
}

// Expr is a SQL expression as text, "count(*) AS n" included.
func Expr(text string) Column {
	e, err := sql.ParseExpr(text)
	return Column{e, err}
}

// Lit is a constant: nil, a bool, an int, int32, int64, float64 or string.
func Lit(v any) Column {
	switch v := v.(type) {
	case nil:
		return Column{e: &expr.Literal{Typ: expr.Null}}
	case bool:
		return Column{e: &expr.Literal{Value: v, Typ: expr.Bool, Text: fmt.Sprint(v)}}
	case int:
		if int(int32(v)) == v {
			return Column{e: &expr.Literal{Value: int64(v), Typ: expr.Int32}}
		}
		return Column{e: &expr.Literal{Value: int64(v), Typ: expr.Int64}}
	case int32:
		return Column{e: &expr.Literal{Value: int64(v), Typ: expr.Int32}}
	case int64:
		return Column{e: &expr.Literal{Value: v, Typ: expr.Int64}}
	case float64:
		return Column{e: &expr.Literal{Value: v, Typ: expr.Float64}}
	case string:
		return Column{e: &expr.Literal{Value: v, Typ: expr.String}}
	}
	return Column{err: invalid("a literal of the Go type %T", v)}
}

// Call is the function or operator of a name applied to columns.
func Call(name string, args ...Column) Column {
	list, err := exprs(args)
	return Column{&expr.Apply{Name: []string{name}, Args: list}, err}
}

func exprs(cols []Column) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(cols))
	for i, c := range cols {
		if c.err != nil {
			return nil, c.err
		}
		out[i] = c.e
	}
	return out, nil
}

func operator(name string, args ...Column) Column {
	c := Call(name, args...)
	if c.err == nil {
		c.e.(*expr.Apply).Operator = true
	}
	return c
}

// As names the value.
func (c Column) As(name string) Column {
	if c.err != nil {
		return c
	}
	return Column{e: &expr.Alias{Child: c.e, Name: name, ID: expr.NewID()}}
}

// Cast converts the value to a type in SQL's spelling: "BIGINT".
func (c Column) Cast(to string) Column {
	t, err := sql.ParseType(to)
	if c.err != nil {
		err = c.err
	}
	return Column{&expr.Cast{Child: c.e, To: t}, err}
}

// Plus is c + d.
func (c Column) Plus(d Column) Column { return operator("+", c, d) }

// Minus is c - d.
func (c Column) Minus(d Column) Column { return operator("-", c, d) }

// Times is c * d.
func (c Column) Times(d Column) Column { return operator("*", c, d) }

// Over is c / d.
func (c Column) Over(d Column) Column { return operator("/", c, d) }

// Eq is c = d.
func (c Column) Eq(d Column) Column { return operator("=", c, d) }

// Ne is NOT c = d.
func (c Column) Ne(d Column) Column { return operator("not", operator("=", c, d)) }

// Lt is c < d.
func (c Column) Lt(d Column) Column { return operator("<", c, d) }

// Le is c <= d.
func (c Column) Le(d Column) Column { return operator("<=", c, d) }

// Gt is c > d.
func (c Column) Gt(d Column) Column { return operator(">", c, d) }

// Ge is c >= d.
func (c Column) Ge(d Column) Column { return operator(">=", c, d) }

// And is c AND d.
func (c Column) And(d Column) Column { return operator("and", c, d) }

// Or is c OR d.
func (c Column) Or(d Column) Column { return operator("or", c, d) }

// Not is NOT c.
func (c Column) Not() Column { return operator("not", c) }

// IsNull is c IS NULL.
func (c Column) IsNull() Column { return operator("isnull", c) }

// IsNotNull is c IS NOT NULL.
func (c Column) IsNotNull() Column { return operator("isnotnull", c) }

// Count is count(c); Count(Col("*")) counts rows.
func Count(c Column) Column { return Call("count", c) }

// Sum is sum(c).
func Sum(c Column) Column { return Call("sum", c) }

// Avg is avg(c).
func Avg(c Column) Column { return Call("avg", c) }

// Min is min(c).
func Min(c Column) Column { return Call("min", c) }

// Max is max(c).
func Max(c Column) Column { return Call("max", c) }

// Window is window(ts, duration[, slide[, start]]), the durations as text.
func Window(ts Column, durations ...string) Column {
	args := []Column{ts}
	for _, d := range durations {
		args = append(args, Lit(d))
	}
	return Call("window", args...)
}

// Asc sorts ascending, NULLs first.
func (c Column) Asc() Column { return c }

// Desc sorts descending, NULLs last; it is meant for OrderBy only.
func (c Column) Desc() Column {
	return Column{&expr.Apply{Name: []string{descending}, Args: []expr.Expr{c.e}}, c.err}
}

// descending marks a term of OrderBy; no function has that name.
const descending = "\x00desc"

func terms(cols []Column) ([]expr.SortTerm, error) {
	list, err := exprs(cols)
	out := make([]expr.SortTerm, len(list))
	for i, e := range list {
		out[i] = expr.SortTerm{Expr: e, NullsFirst: true}
		if a, ok := e.(*expr.Apply); ok && a.Name[0] == descending {
			out[i] = expr.SortTerm{Expr: a.Args[0], Descending: true}
		}
	}
	return out, err
}
