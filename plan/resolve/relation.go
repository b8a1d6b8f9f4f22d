package resolve

import (
	"strconv"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

func parseInt(text string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n, err == nil
}

// ctes are the queries of the WITH clauses around, innermost first.
type ctes struct {
	name    string
	columns []string
	query   logical.Node
	// around is what the query itself sees, and where a search goes on.
	around *ctes
	// at is the WITH, outer the scope around the subquery that it stands in, or nil.
	at    base.Pos
	outer *scope
	// recursive says that the query may read itself; level is its MAX RECURSION LEVEL, or
	// -1.
	recursive bool
	level     int64
	// checked, if set, is the query as it was resolved to find its mistakes, which the
	// first who reads it takes: each WITH inside of it would be resolved twice else, and
	// one in there four times.
	checked *rel
	// working, if set, is the recursion whose step reads the name.
	working *logical.Recursion
}

func (r *resolver) table(n *logical.Table) (rel, error) {
	if n.From != nil {
		name, err := r.relationFrom(n.From, n.At)
		if err != nil {
			return rel{}, err
		}
		d := *n
		d.Name, d.From = name, nil
		n = &d
	}
	if len(n.Name) == 1 && !n.Stream {
		for c := r.ctes; c != nil; c = c.around {
			if strings.EqualFold(c.name, n.Name[0]) {
				return r.cte(n, c)
			}
		}
	}
	if v, err := r.env.Catalog.View(n.Name); err != nil {
		return rel{}, err
	} else if v != nil {
		return r.view(n, v)
	}
	t, err := r.env.Catalog.Table(n.Name)
	if err != nil {
		if e := *base.AsError(err); e.Code != base.CodeInternal && !e.Pos.Valid() {
			return rel{}, e.At(n.At)
		}
		return rel{}, err
	}
	if t == nil {
		return rel{}, r.noTable(n)
	}
	switch {
	case n.Stream && !t.Streamable:
		return rel{}, base.UserError("", "", "Table %s cannot be read as a stream.", quoteName(n.Name)).At(n.At).
			WithHint("leave out STREAM to read it as it is now")
	case !n.Stream && !t.Scannable:
		return rel{}, base.UserError("", "", "Table %s is a stream and cannot be read as a batch.", quoteName(n.Name)).At(n.At).
			WithHint("write FROM STREAM %s", strings.Join(n.Name, "."))
	}
	return r.relation(n.At, t, n.Stream, n.Name[len(n.Name)-1:]), nil
}

func (r *resolver) relation(at base.Pos, t *catalog.Table, stream bool, qualifier []string) rel {
	cols := make([]*expr.Column, len(t.Schema))
	for i, f := range t.Schema {
		cols[i] = &expr.Column{At: at, ID: expr.NewID(), Name: f.Name, Qualifier: qualifier, Typ: f.Type, Null: f.Nullable}
	}
	all := cols[:len(cols):len(cols)]
	for _, f := range t.Hidden {
		all = append(all, &expr.Column{At: at, ID: expr.NewID(), Name: f.Name, Qualifier: qualifier, Typ: f.Type, Null: f.Nullable, Hidden: true})
	}
	return rel{node: &logical.Relation{At: at, Table: t, Stream: stream, Columns: all}, cols: all[:len(cols):len(cols)], hidden: all[len(cols):]}
}

// severalSchemas is the error of a name with more than one schema in the catalog.
func severalSchemas(name []string) error {
	return base.UserError("REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "A name has one schema, but %s has several.", quoteName(name))
}

func (r *resolver) noTable(n *logical.Table) error {
	switch parts := len(n.Name); {
	case parts > 2 && !strings.EqualFold(n.Name[0], "spark_catalog"), parts > 3:
		return severalSchemas(n.Name)
	case parts == 2 && n.Name[1] == "":
		return base.UserError("INVALID_EMPTY_LOCATION", "42K05", "The location of the files is empty.").At(n.At)
	}
	err := base.UserError("TABLE_OR_VIEW_NOT_FOUND", "42P01",
		"The table or view %s cannot be found. Verify the spelling and correctness of the schema and catalog.", quoteName(n.Name)).At(n.At)
	err.Code = base.CodeNotFound
	best, far := "", 4
	for _, name := range r.env.Catalog.Names() {
		if d := distance(strings.ToLower(name), strings.ToLower(strings.Join(n.Name, "."))); d < far {
			best, far = name, d
		}
	}
	if best != "" {
		err = err.WithHint("the nearest name is %s", best)
	}
	return err
}

func (r *resolver) view(n *logical.Table, v *catalog.View) (rel, error) {
	if r.depth++; r.depth > maxDepth {
		return rel{}, base.UserError("VIEW_EXCEED_MAX_NESTED_DEPTH", "54K00",
			"The depth of view %s exceeds the maximum view resolution depth (%d).", quoteName(n.Name), maxDepth).At(n.At)
	}
	saved := r.ctes
	r.ctes = nil
	out, err := r.node(v.Plan.(logical.Node), nil)
	r.ctes = saved
	r.depth--
	if err != nil {
		// The place is one in the view's text, which is not this query's.
		e := *base.AsError(err)
		e.Pos = n.At
		return rel{}, &e
	}
	if n.Stream && !streaming(out.node) {
		return rel{}, base.UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "View %s reads no stream.", quoteName(n.Name)).At(n.At).WithHint("leave out STREAM")
	}
	return renamed(out, n.Name[len(n.Name)-1], v.Columns, n.At)
}

func (r *resolver) cte(n *logical.Table, c *ctes) (rel, error) {
	switch {
	case c.working != nil:
		return r.workingRows(n, c)
	case c.recursive && reads(c.query, c.name):
		out, err := r.recursive(n.At, c)
		if err != nil {
			return rel{}, err
		}
		return renamed(out, c.name, nil, n.At)
	}
	if out := c.checked; out != nil {
		c.checked = nil
		return renamed(*out, c.name, c.columns, n.At)
	}
	out, err := r.common(c)
	if err != nil {
		return rel{}, err
	}
	return renamed(out, c.name, c.columns, n.At)
}

// common resolves the query of a CTE, which sees only those around it.
func (r *resolver) common(c *ctes) (rel, error) {
	saved := r.ctes
	r.ctes = c.around
	out, err := r.node(c.query, c.outer)
	r.ctes = saved
	return out, err
}

func (r *resolver) with(n *logical.With, outer *scope) (rel, error) {
	saved := r.ctes
	defer func() { r.ctes = saved }()
	if err := r.define(n, outer); err != nil {
		return rel{}, err
	}
	return r.node(n.Body, outer)
}

// define adds the queries of a WITH to those that names may mean.
func (r *resolver) define(n *logical.With, outer *scope) error {
	for i, q := range n.Queries {
		for _, other := range n.Names[:i] {
			if strings.EqualFold(other, n.Names[i]) {
				return base.UserError("DUPLICATED_CTE_NAMES", "42602", "CTE definition can't have duplicate names: %s.", quoteName([]string{other})).At(n.At)
			}
		}
		c := &ctes{name: n.Names[i], query: q, around: r.ctes, at: n.At, recursive: n.Recursive, level: -1, outer: outer}
		if i < len(n.Columns) {
			c.columns = n.Columns[i]
		}
		if i < len(n.Levels) {
			c.level = n.Levels[i]
		}
		r.ctes = c
		// A query that no one reads is checked all the same.
		at := &logical.Table{At: q.Pos(), Name: []string{n.Names[i]}}
		if c.recursive && reads(c.query, c.name) {
			if _, err := r.cte(at, c); err != nil {
				return err
			}
			continue
		}
		out, err := r.common(c)
		if err == nil {
			_, err = renamed(out, c.name, c.columns, at.At)
		}
		if err != nil {
			return err
		}
		c.checked = &out
	}
	return nil
}

func (r *resolver) alias(n *logical.Alias, outer *scope) (rel, error) {
	in, err := r.node(n.Input, outer)
	if err != nil {
		return rel{}, err
	}
	if f, ok := n.Input.(*logical.Function); ok && n.Columns != nil && len(n.Columns) != len(in.cols) {
		return rel{}, base.UserError("NUM_TABLE_VALUE_ALIASES_MISMATCH", "42826",
			"%d names are given for the %d columns of %s.", len(n.Columns), len(in.cols), quoteName(f.Name)).At(n.At)
	}
	return renamed(in, n.Name, n.Columns, n.At)
}

// renamed gives the columns of in the qualifier name and, if columns is not nil,
// these names. The node stays as it is.
func renamed(in rel, name string, columns []string, at base.Pos) (rel, error) {
	if columns != nil && len(columns) != len(in.cols) {
		return rel{}, arityMismatch(at, len(columns), len(in.cols))
	}
	cols := make([]*expr.Column, len(in.cols))
	for i, c := range in.cols {
		d := *c
		d.Qualifier = nil
		if name != "" {
			d.Qualifier = []string{name}
		}
		if columns != nil {
			d.Name = columns[i]
		}
		cols[i] = &d
	}
	out := rel{node: in.node, cols: cols}
	for _, c := range in.hidden {
		if c.Hidden && name != "" {
			d := *c
			d.Qualifier = []string{name}
			out.hidden = append(out.hidden, &d)
		}
	}
	return out, nil
}

func arityMismatch(at base.Pos, names, columns int) error {
	return base.UserError("ASSIGNMENT_ARITY_MISMATCH", "42802",
		"The number of columns or variables assigned or aliased: %d does not match the number of source expressions: %d.", names, columns).At(at)
}

func (r *resolver) source(n *logical.Source) (rel, error) {
	t, err := r.env.Catalog.Source(n.Format, n.Options, n.Schema, n.Stream)
	if err != nil {
		return rel{}, err
	}
	return r.relation(n.At, t, n.Stream, nil), nil
}

// values resolves inline rows: a column has the type that its values share.
func (r *resolver) values(n *logical.Values, outer *scope) (rel, error) {
	if n.Columns != nil { // resolved already: rows given through the API
		d := *n
		d.Columns = make([]*expr.Column, len(n.Columns))
		for i, c := range n.Columns {
			e := *c
			e.ID = expr.NewID()
			d.Columns[i] = &e
		}
		return relOf(&d), nil
	}
	x := &exprs{r: r}
	rows := make([][]expr.Expr, len(n.Rows))
	s := &scope{outer: outer, clause: "VALUES"}
	for i, row := range n.Rows {
		if len(row) != len(n.Rows[0]) {
			return rel{}, base.UserError("INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "42000",
				"Invalid inline table. Inline table expected %d columns but found %d columns in row %d.", len(n.Rows[0]), len(row), i).At(n.At)
		}
		rows[i] = make([]expr.Expr, len(row))
		for k, e := range row {
			v, err := x.expr(e, s)
			if err != nil {
				if c := base.AsError(err).Condition; c == "UNSUPPORTED_EXPR_FOR_OPERATOR" {
					return rel{}, base.UserError("INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE", "42000",
						"Invalid inline table. Cannot evaluate the expression %q in inline table definition.", e.SQL()).At(e.Pos())
				}
				return rel{}, err
			}
			if holdsOuter(v) {
				return rel{}, base.UserError("INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE", "42000",
					"A row of VALUES cannot depend on the outer query: %s.", v.SQL()).At(e.Pos()).WithHint("write SELECT … UNION ALL SELECT …")
			}
			rows[i][k] = v
		}
	}
	if len(rows) == 0 {
		return relOf(&logical.Values{At: n.At, Columns: []*expr.Column{}}), nil
	}
	cols := make([]*expr.Column, len(rows[0]))
	for k := range cols {
		list := make([]*expr.Type, len(rows))
		null := false
		for i := range rows {
			list[i] = rows[i][k].Type()
			null = null || rows[i][k].Nullable()
		}
		t := list[0]
		for _, u := range list[1:] {
			if t = r.co.WiderNoString(t, u); t == nil {
				break
			}
		}
		if t == nil {
			return rel{}, base.UserError("INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE", "42000",
				"Invalid inline table. Found incompatible types in the column %s for inline table.", quoteName([]string{"col" + itoa(k+1)})).At(n.At)
		}
		cols[k] = &expr.Column{At: n.At, ID: expr.NewID(), Name: "col" + itoa(k+1), Typ: t, Null: null}
		for i := range rows {
			rows[i][k] = x.cast(rows[i][k], t)
			r.from(cols[k].ID, rows[i][k])
		}
	}
	return relOf(&logical.Values{At: n.At, Rows: rows, Columns: cols}), nil
}

// function resolves a table function: range and the generators.
func (r *resolver) function(n *logical.Function, outer *scope) (rel, error) {
	if n.From != nil {
		name, err := r.relationFrom(n.From, n.At)
		if err != nil {
			return rel{}, err
		}
		d := *n
		d.Name, d.From = name, nil
		n = &d
	}
	name := strings.ToLower(n.Name[len(n.Name)-1])
	x := &exprs{r: r}
	switch name {
	case "range":
		return r.rangeOf(n, x, outer)
	case "sql_keywords":
		return r.keywords(n)
	case "collations":
		return r.collations(n)
	}
	f := expr.Functions.Lookup(name)
	if f == nil || f.Class != expr.Generator {
		if f != nil {
			return rel{}, base.UserError("NOT_A_TABLE_FUNCTION", "42887", "%s appears as a table function here, but the function was defined as a scalar function.", quoteName(n.Name)).At(n.At)
		}
		return rel{}, base.UserError("UNRESOLVABLE_TABLE_VALUED_FUNCTION", "42883",
			"Could not resolve %s to a table-valued function.", quoteName(n.Name)).At(n.At)
	}
	x.inFrom = true
	e, err := x.expr(&expr.Apply{At: n.At, Name: n.Name, Args: n.Args, ArgNames: n.ArgNames}, &scope{outer: outer})
	if err != nil {
		return rel{}, err
	}
	g, err := generateNode(n.At, generatorOf(e), false, nil, nil, &logical.Values{At: n.At, Rows: [][]expr.Expr{{}}, Columns: []*expr.Column{}})
	if err != nil {
		return rel{}, err
	}
	return rel{node: g, cols: g.Columns}, nil
}

func (r *resolver) rangeOf(n *logical.Function, x *exprs, outer *scope) (rel, error) {
	args, err := x.all(n.Args, &scope{outer: outer})
	if err != nil {
		return rel{}, err
	}
	if len(args) == 0 || len(args) > 4 {
		return rel{}, wrongArgs(n.At, "range", "[1, 2, 3, 4]", len(args))
	}
	nums := []int64{0, 0, 1}
	for i, a := range args {
		if i == 3 {
			break
		}
		v, ok := constant(a)
		if !ok {
			if holdsOuter(a) {
				return rel{}, base.UserError("NON_FOLDABLE_ARGUMENT", "42K08", "Parameter %d of `range` must be constant, but is %q.", i+1, a.SQL()).At(n.At).
					WithHint("explode(sequence(…)) takes columns")
			}
			if !a.Type().IsNumeric() && a.Type().Kind != expr.KindString {
				return rel{}, base.UserError("UNEXPECTED_INPUT_TYPE", "42K09", "Parameter %d of function `range` requires the \"BIGINT\" type, however %q has the type %q.", i+1, a.SQL(), a.Type().SQL()).At(n.At)
			}
			if text, isText := stringLiteral(a); isText {
				return rel{}, base.UserError("CAST_INVALID_INPUT", "22018", "The value %q of the type \"STRING\" cannot be cast to \"BIGINT\".", text).At(n.At)
			}
			return rel{}, base.UserError("UNEXPECTED_INPUT_TYPE", "42K09", "Parameter %d of function `range` requires a constant, but got %q.", i+1, a.SQL()).At(n.At)
		}
		nums[i] = v
	}
	if len(args) == 1 {
		nums[0], nums[1] = 0, nums[0]
	}
	if nums[2] == 0 {
		return rel{}, base.UserError("FAILED_FUNCTION_CALL", "38000", "The step of `range` is 0.").At(n.At)
	}
	return relOf(&logical.Range{At: n.At, Start: nums[0], End: nums[1], Step: nums[2],
		Column: &expr.Column{At: n.At, ID: expr.NewID(), Name: "id", Typ: expr.Int64}}), nil
}
