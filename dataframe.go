package flightd

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// DataFrame is a query under construction: the same unresolved plan that the SQL
// parser makes. Methods return new ones and never fail; the first mistake is
// reported by Schema, Collect, CreateOrReplaceTempView or Start.
type DataFrame struct {
	s    *Session
	plan logical.Node
	err  error
	// text is the SQL that the plan was parsed from, if all of it was: errors show
	// their place in it.
	text string
}

func invalid(format string, args ...any) error { return base.Errorf(base.CodeInvalid, format, args...) }

func (d *DataFrame) over(plan logical.Node, err error) *DataFrame {
	if d.err != nil {
		return d
	}
	return &DataFrame{s: d.s, plan: plan, err: err}
}

// SQL is the DataFrame of a query.
func (s *Session) SQL(text string) *DataFrame {
	stmt, err := s.parse(text)
	if err != nil {
		return &DataFrame{s: s, err: inText(err, text)}
	}
	q, ok := stmt.(*logical.Query)
	if !ok {
		return &DataFrame{s: s, err: invalid("%.40q is a statement, not a query: use Execute", text)}
	}
	return &DataFrame{s: s, plan: q.Plan, text: text}
}

// Table is the DataFrame of a table or view. A view over a stream is a stream.
func (s *Session) Table(name string) *DataFrame {
	return &DataFrame{s: s, plan: &logical.Table{Name: strings.Split(name, ".")}}
}

// Select computes columns.
func (d *DataFrame) Select(cols ...Column) *DataFrame {
	list, err := exprs(cols)
	return d.over(&logical.Project{List: list, Input: d.plan}, err)
}

// SelectExpr computes SQL expressions.
func (d *DataFrame) SelectExpr(texts ...string) *DataFrame {
	cols := make([]Column, len(texts))
	for i, t := range texts {
		cols[i] = Expr(t)
	}
	return d.Select(cols...)
}

// Filter keeps the rows for which cond is true.
func (d *DataFrame) Filter(cond Column) *DataFrame {
	return d.over(&logical.Filter{Cond: cond.e, Input: d.plan}, cond.err)
}

// Where is Filter with a SQL condition.
func (d *DataFrame) Where(cond string) *DataFrame { return d.Filter(Expr(cond)) }

// As gives the DataFrame a name for qualified columns.
func (d *DataFrame) As(name string) *DataFrame {
	return d.over(&logical.Alias{Name: name, Input: d.plan}, nil)
}

// Grouped is a DataFrame with grouping columns, waiting for aggregates.
type Grouped struct {
	d     *DataFrame
	group []expr.Expr
	err   error
}

// GroupBy groups by columns; without columns all rows are one group.
func (d *DataFrame) GroupBy(cols ...Column) *Grouped {
	list, err := exprs(cols)
	return &Grouped{d, list, err}
}

// Agg computes the grouping columns and then aggregates.
func (g *Grouped) Agg(cols ...Column) *DataFrame {
	list, err := exprs(cols)
	if g.err != nil {
		err = g.err
	}
	list = append(append([]expr.Expr(nil), g.group...), list...)
	return g.d.over(&logical.Aggregate{Group: g.group, List: list, Input: g.d.plan}, err)
}

// Count is Agg(count(1) AS count).
func (g *Grouped) Count() *DataFrame { return g.Agg(Count(Lit(1)).As("count")) }

// Agg aggregates all rows as one group.
func (d *DataFrame) Agg(cols ...Column) *DataFrame { return d.GroupBy().Agg(cols...) }

var joinKinds = map[string]physical.JoinKind{
	"inner": physical.Inner, "cross": physical.Inner, "left": physical.LeftOuter, "leftouter": physical.LeftOuter,
	"right": physical.RightOuter, "rightouter": physical.RightOuter, "full": physical.FullOuter, "outer": physical.FullOuter,
	"fullouter": physical.FullOuter, "leftsemi": physical.LeftSemi, "semi": physical.LeftSemi, "leftanti": physical.LeftAnti,
	"anti": physical.LeftAnti,
}

// Join joins two DataFrames on a condition; how is Spark's name of the kind.
func (d *DataFrame) Join(other *DataFrame, on Column, how string) *DataFrame {
	kind, ok := joinKinds[strings.ReplaceAll(strings.ToLower(how), "_", "")]
	err := on.err
	if !ok {
		err = invalid("a join of the kind %q", how)
	}
	if other.err != nil {
		err = other.err
	}
	return d.over(&logical.Join{Kind: kind, Left: d.plan, Right: other.plan, Cond: on.e}, err)
}

// JoinUsing joins on columns that both sides have.
func (d *DataFrame) JoinUsing(other *DataFrame, columns []string, how string) *DataFrame {
	j := d.Join(other, Column{}, how)
	if j.err == nil {
		j.plan.(*logical.Join).Using = columns
	}
	return j
}

// Union appends the rows of another DataFrame, by position.
func (d *DataFrame) Union(other *DataFrame) *DataFrame {
	return d.over(&logical.Union{Children: []logical.Node{d.plan, other.plan}}, other.err)
}

// UnionByName appends the rows of another DataFrame, by column name;
// allowMissing fills columns that one side lacks with NULL.
func (d *DataFrame) UnionByName(other *DataFrame, allowMissing bool) *DataFrame {
	return d.over(&logical.Union{Children: []logical.Node{d.plan, other.plan}, ByName: true, AllowMissing: allowMissing}, other.err)
}

// WithWatermark declares a column as the event time and how far the watermark
// trails its maximum ("10 seconds").
func (d *DataFrame) WithWatermark(column, delay string) *DataFrame {
	c := Expr(column)
	return d.over(&logical.Watermark{Time: c.e, Delay: &expr.Literal{Value: delay, Typ: expr.String}, Input: d.plan}, c.err)
}

// DropDuplicates keeps the first row of each combination of columns, of all
// columns if none is named.
func (d *DataFrame) DropDuplicates(columns ...string) *DataFrame {
	return d.over(&logical.Deduplicate{Columns: columns, Input: d.plan}, nil)
}

// DropDuplicatesWithinWatermark is DropDuplicates that forgets a key once the
// watermark has passed its first row by the delay.
func (d *DataFrame) DropDuplicatesWithinWatermark(columns ...string) *DataFrame {
	return d.over(&logical.Deduplicate{Columns: columns, Within: true, Input: d.plan}, nil)
}

// Distinct keeps one of each set of equal rows.
func (d *DataFrame) Distinct() *DataFrame { return d.over(&logical.Distinct{Input: d.plan}, nil) }

// OrderBy sorts the rows.
func (d *DataFrame) OrderBy(cols ...Column) *DataFrame {
	keys, err := terms(cols)
	return d.over(&logical.Sort{Keys: keys, Global: true, Input: d.plan}, err)
}

// Limit keeps the first n rows.
func (d *DataFrame) Limit(n int) *DataFrame {
	return d.over(&logical.Limit{Count: Lit(n).e, Input: d.plan}, nil)
}

// WithColumn adds a column, or replaces those of the same name.
func (d *DataFrame) WithColumn(name string, c Column) *DataFrame {
	star := &expr.Star{Except: [][]string{{name}}}
	if d.err == nil {
		out, err := d.Columns()
		if err != nil {
			return d.over(nil, err)
		}
		for i, f := range out {
			if strings.EqualFold(f, name) {
				cols := make([]Column, len(out))
				for j, g := range out {
					cols[j] = Column{e: &expr.Name{Parts: []string{g}}}
				}
				cols[i] = c.As(name)
				return d.Select(cols...)
			}
		}
		star.Except = nil
	}
	return d.Select(Column{e: star}, c.As(name))
}

// Schema analyses the DataFrame and returns its columns.
func (d *DataFrame) Schema() (*arrow.Schema, error) {
	n, err := d.resolve()
	if err != nil {
		return nil, err
	}
	return schemaOf(n).Arrow(), nil
}

// DDL analyses the DataFrame and returns its columns as Spark's toDDL does:
// "k STRING,n BIGINT".
func (d *DataFrame) DDL() (string, error) {
	n, err := d.resolve()
	if err != nil {
		return "", err
	}
	parts := make([]string, 0, len(n.Output()))
	for _, c := range n.Output() {
		parts = append(parts, expr.QuoteIfNeeded(c.Name)+" "+c.Typ.SQL())
	}
	return strings.Join(parts, ","), nil
}

// Field is a column of a DataFrame with its type in SQL: "DECIMAL(10,2)".
type Field struct{ Name, Type string }

// Fields analyses the DataFrame and returns its columns with their SQL types,
// which say more than Arrow's (the fields of an interval).
func (d *DataFrame) Fields() ([]Field, error) {
	n, err := d.resolve()
	if err != nil {
		return nil, err
	}
	var out []Field
	for _, c := range n.Output() {
		out = append(out, Field{c.Name, c.Typ.SQL()})
	}
	return out, nil
}

// Columns analyses the DataFrame and returns the names of its columns.
func (d *DataFrame) Columns() ([]string, error) {
	n, err := d.resolve()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range n.Output() {
		names = append(names, c.Name)
	}
	return names, nil
}

// IsStreaming reports whether the DataFrame reads a stream.
func (d *DataFrame) IsStreaming() (bool, error) {
	n, err := d.resolve()
	return err == nil && isStream(n), err
}

// CreateOrReplaceTempView analyses the DataFrame and names it in the session.
func (d *DataFrame) CreateOrReplaceTempView(name string) error {
	if _, err := d.resolve(); err != nil {
		return err
	}
	return d.s.setView(name, d.plan, "", true)
}

// Explain returns the plans of the DataFrame as text.
func (d *DataFrame) Explain() (string, error) {
	if d.err != nil {
		return "", d.err
	}
	text, err := d.s.explain(d.plan)
	return text, inText(err, d.text)
}

// Collect runs the query as a batch.
func (d *DataFrame) Collect(ctx context.Context) ([]arrow.RecordBatch, error) {
	if d.err != nil {
		return nil, d.err
	}
	r, err := d.s.query(ctx, d.plan)
	if err != nil {
		return nil, inText(err, d.text)
	}
	return r.Collect(ctx)
}
