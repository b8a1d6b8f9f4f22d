package resolve

import (
	"strconv"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
)

// The limits of a recursion where no setting says otherwise, as Spark's.
const (
	recursionLevels = 100
	recursionRows   = 1000000
)

// recursive resolves a query of WITH RECURSIVE that reads itself: it must be
// anchor UNION ALL step, and only the step may read it.
func (r *resolver) recursive(at base.Pos, c *ctes) (rel, error) {
	saved := r.ctes
	defer func() { r.ctes = saved }()
	r.ctes = c.around
	query := c.query
	for {
		with, ok := query.(*logical.With)
		if !ok {
			break
		}
		if err := r.define(with, c.outer); err != nil {
			return rel{}, err
		}
		query = with.Body
	}
	if d, ok := query.(*logical.Distinct); ok {
		if _, ok := d.Input.(*logical.Union); ok {
			return rel{}, base.UserError("UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE", "42836", "A recursive query is joined by UNION ALL, not by UNION.").
				At(c.at).WithHint("write UNION ALL, and SELECT DISTINCT above the recursion")
		}
	}
	u, ok := query.(*logical.Union)
	if !ok || u.ByName {
		return rel{}, invalidRecursion(at, c)
	}
	last := len(u.Children) - 1
	for _, child := range u.Children[:last] {
		if reads(child, c.name) {
			return rel{}, invalidRecursion(at, c)
		}
	}
	if !reads(u.Children[last], c.name) {
		return rel{}, invalidRecursion(at, c)
	}
	first := u.Children[0]
	if last > 1 {
		first = &logical.Union{At: u.At, Children: u.Children[:last]}
	}
	anchor, err := r.node(first, c.outer)
	if err != nil {
		return rel{}, err
	}
	return r.recursion(at, c, anchor, u.Children[last])
}

func invalidRecursion(at base.Pos, c *ctes) error {
	return base.UserError("INVALID_RECURSIVE_CTE", "42836", "The query %s reads itself, but is not of the form anchor UNION ALL step, where only the step reads it.",
		quoteName([]string{c.name})).At(at)
}

// recursion resolves the step over the columns of the anchor.
func (r *resolver) recursion(at base.Pos, c *ctes, anchor rel, step logical.Node) (rel, error) {
	out := &logical.Recursion{At: at, Of: int64(expr.NewID()), MaxLevel: c.level, Anchor: finish(anchor)}
	for i, col := range anchor.cols {
		name := col.Name
		if len(c.columns) == len(anchor.cols) { // else the step's reader says so
			name = c.columns[i]
		}
		out.Out = append(out.Out, &expr.Column{At: at, ID: expr.NewID(), Name: name, Typ: everNull(col.Typ), Null: true})
	}
	r.ctes = &ctes{name: c.name, columns: c.columns, working: out, around: r.ctes, outer: c.outer}
	in, err := r.node(step, c.outer)
	if err != nil {
		return rel{}, err
	}
	if len(in.cols) != len(out.Out) {
		return rel{}, base.UserError("NUM_COLUMNS_MISMATCH", "42826", "UNION can only be performed on inputs with the same number of columns, but the first input has %d columns and the second input has %d columns.",
			len(out.Out), len(in.cols)).At(step.Pos())
	}
	if in, err = r.stepColumns(step.Pos(), in, anchor.cols); err != nil {
		return rel{}, err
	}
	if misplaced(in.node, out.Of, false) {
		return rel{}, base.UserError("INVALID_RECURSIVE_REFERENCE.PLACE", "42836",
			"The recursive query %s is read where its rows are grouped, sorted or may be missing: below an aggregate, a window function, a sort, or the other side of an outer, semi or anti join.",
			quoteName([]string{c.name})).At(step.Pos())
	}
	out.Step = in.node
	if logical.Streaming(out.Anchor) || logical.Streaming(out.Step) {
		return rel{}, base.UserError("UNSUPPORTED_FEATURE.RECURSIVE_CTE", "0A000", "A recursive query cannot read a stream.").At(at).
			WithHint("join the stream with the recursive query instead")
	}
	conf := r.env.Conf
	if out.MaxLevel < 0 {
		out.MaxLevel = confInt(conf.Lookup("spark.sql.cteRecursionLevelLimit", ""), recursionLevels)
	}
	out.MaxRows = confInt(conf.Lookup("spark.sql.cteRecursionRowLimit", ""), recursionRows)
	return relOf(out), nil
}

func confInt(text string, otherwise int64) int64 {
	if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil {
		return n
	}
	return otherwise
}

// stepColumns casts the columns of a step to the types of the anchor, which must lose
// nothing.
func (r *resolver) stepColumns(at base.Pos, in rel, anchor []*expr.Column) (rel, error) {
	x := &exprs{r: r}
	list := make([]expr.Expr, len(in.cols))
	changed := false
	for i, col := range in.cols {
		list[i] = plain(col)
		want := anchor[i].Typ
		if everNull(col.Typ).Equal(everNull(want)) {
			continue
		}
		if !upcast(col.Typ, want) {
			return rel{}, base.UserError("CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE", "42825",
				"Column %s of the recursive query is %q in its anchor and %q in its step.", quoteName([]string{anchor[i].Name}), want.SQL(), col.Typ.SQL()).
				At(at).WithHint("cast the column of the anchor to the type of the step")
		}
		changed = true
		list[i] = &expr.Alias{At: at, Child: x.cast(col, want), Name: col.Name, ID: expr.NewID()}
	}
	if !changed {
		in.node = finish(in)
		return in, nil
	}
	return relOf(&logical.Project{At: at, List: list, Input: in.node}), nil
}

// upcast reports whether a value of type from is one of type to without a loss.
func upcast(from, to *expr.Type) bool {
	switch {
	case from.Kind == expr.KindNull:
		return true
	case from.Kind == expr.KindDecimal && to.Kind == expr.KindDecimal:
		return to.Scale >= from.Scale && to.Precision-to.Scale >= from.Precision-from.Scale
	case from.IsInteger() && to.Kind == expr.KindDecimal:
		return to.Precision-to.Scale >= integerDigits(from)
	case from.IsInteger() && to.IsInteger():
		return integerDigits(from) <= integerDigits(to)
	case from.IsInteger() && (to.Kind == expr.KindFloat32 || to.Kind == expr.KindFloat64):
		return true
	case from.Kind == expr.KindFloat32 && to.Kind == expr.KindFloat64:
		return true
	case from.Kind == expr.KindDate && (to.Kind == expr.KindTimestamp || to.Kind == expr.KindTimestampNTZ):
		return true
	case from.Kind == expr.KindTimestampNTZ && to.Kind == expr.KindTimestamp, from.Kind == expr.KindTimestamp && to.Kind == expr.KindTimestampNTZ:
		return true
	}
	return false
}

func integerDigits(t *expr.Type) int {
	switch t.Kind {
	case expr.KindInt8:
		return 3
	case expr.KindInt16:
		return 5
	case expr.KindInt32:
		return 10
	}
	return 19
}

// everNull returns t with members that may be NULL: what a step puts in is not known
// while the working rows are read.
func everNull(t *expr.Type) *expr.Type {
	switch t.Kind {
	case expr.KindArray:
		return expr.ArrayOf(everNull(t.Elem), true)
	case expr.KindMap:
		d := *t
		d.Key, d.Elem, d.ElemNullable = everNull(t.Key), everNull(t.Elem), true
		return &d
	case expr.KindStruct:
		fields := make([]expr.Field, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = expr.Field{Name: f.Name, Type: everNull(f.Type), Nullable: true}
		}
		return expr.StructOf(fields...)
	}
	return t
}

// misplaced reports whether n reads the working rows of a recursion where Spark does
// not allow it; refused says that n itself stands in such a place.
func misplaced(n logical.Node, of int64, refused bool) bool {
	switch n := n.(type) {
	case *logical.Working:
		return refused && n.Of == of
	case *logical.Aggregate, *logical.Over, *logical.Sort:
		refused = true
	case *logical.Join:
		left, right := refused, refused
		switch {
		case n.Subquery:
		case n.Kind == physical.LeftOuter || n.Kind == physical.LeftSemi || n.Kind == physical.LeftAnti || n.Kind == physical.NullAwareAnti || n.Kind == physical.Existence:
			right = true
		case n.Kind == physical.RightOuter:
			left = true
		case n.Kind == physical.FullOuter:
			left, right = true, true
		}
		return misplaced(n.Left, of, left) || misplaced(n.Right, of, right)
	}
	for _, in := range n.Inputs() {
		if misplaced(in, of, refused) {
			return true
		}
	}
	for _, e := range logical.Exprs(n) {
		found := false
		expr.Walk(e, func(e expr.Expr) bool {
			if q, ok := e.(*expr.Subquery); ok {
				if plan, ok := q.Plan.(logical.Node); ok {
					found = found || misplaced(plan, of, refused)
				}
			}
			return !found
		})
		if found {
			return true
		}
	}
	return false
}

// workingRows makes a reader of the rows of the step before.
func (r *resolver) workingRows(n *logical.Table, c *ctes) (rel, error) {
	if c.columns != nil && len(c.columns) != len(c.working.Out) {
		return rel{}, arityMismatch(n.At, len(c.columns), len(c.working.Out))
	}
	w := &logical.Working{At: n.At, Of: c.working.Of}
	for _, col := range c.working.Out {
		d := *col
		d.ID = expr.NewID()
		w.Columns = append(w.Columns, &d)
	}
	return renamed(relOf(w), c.name, nil, n.At)
}

// reads reports whether a query that is not resolved yet reads the table name, in a
// subquery of an expression too.
func reads(n logical.Node, name string) bool {
	if t, ok := n.(*logical.Table); ok {
		return len(t.Name) == 1 && !t.Stream && strings.EqualFold(t.Name[0], name)
	}
	if w, ok := n.(*logical.With); ok {
		for i, q := range w.Queries {
			if (w.Recursive || !strings.EqualFold(w.Names[i], name)) && reads(q, name) {
				return true
			}
			if strings.EqualFold(w.Names[i], name) { // another query of that name
				return false
			}
		}
		return reads(w.Body, name)
	}
	for _, in := range n.Inputs() {
		if in != nil && reads(in, name) {
			return true
		}
	}
	found := false
	own := n
	if in := n.Inputs(); len(in) > 0 { // only what stands in n itself is looked at
		empty := make([]logical.Node, len(in))
		for i := range empty {
			empty[i] = &logical.Values{}
		}
		own = n.With(empty)
	}
	_, _ = logical.RewriteExprs(own, func(e expr.Expr) (expr.Expr, error) {
		if q, ok := e.(*expr.Subquery); ok {
			if plan, ok := q.Plan.(logical.Node); ok && reads(plan, name) {
				found = true
			}
		}
		return e, nil
	})
	return found
}
