package resolve

import (
	"strings"
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/sql"
)

// Env is what a plan's names and rules depend on.
type Env struct {
	Catalog catalog.Catalog
	Conf    catalog.Conf
	// Params are the values of :name markers, Args those of ? by index:
	// literals or expressions without columns.
	Params map[string]expr.Expr
	Args   []expr.Expr
	// Fold evaluates constants that a type depends on, as the schema of from_json
	// does; nil takes literals only.
	Fold expr.Fold
}

// resolver holds what the resolution of one statement shares.
type resolver struct {
	env  *Env
	co   expr.Coercion
	zone *time.Location
	ctes *ctes
	// plans are the columns of the plans that DataFrame references name, once
	// for each time such a plan is resolved.
	plans map[int64][][]*expr.Column
	depth int
	// parameters is set where a parameter without a value was met; made has the
	// expressions with such that columns may have their values from.
	parameters bool
	made       map[expr.ID][]expr.Expr
	// timeRefused is set by an implicit cast to TIME where that type is off.
	timeRefused bool
}

func newResolver(env *Env) *resolver {
	zone, ok := sql.ParseZone(env.Conf.Zone())
	if !ok {
		zone = time.UTC // the session checks its zone where it is set
	}
	return &resolver{env: env, co: expr.Coercion{ANSI: env.Conf.ANSI()}, zone: zone, plans: map[int64][][]*expr.Column{}, made: map[expr.ID][]expr.Expr{}}
}

// Plan resolves a plan. The error is the user's mistake, with its place.
func Plan(n logical.Node, env *Env) (logical.Node, error) {
	r := newResolver(env)
	out, err := r.node(n, nil)
	if err != nil {
		return nil, err
	}
	return finish(out), nil
}

// Expr resolves an expression over columns: no aggregate, window or subquery
// that needs a join may stand in it.
func Expr(e expr.Expr, input []*expr.Column, env *Env) (expr.Expr, error) {
	r := newResolver(env)
	x := &exprs{r: r}
	return x.expr(e, &scope{cols: input})
}

// finish gives the node of a relation the names that its columns go by, in a
// Project where they differ from the node's own.
func finish(in rel) logical.Node {
	out := in.node.Output()
	same := len(out) == len(in.cols)
	for i := 0; same && i < len(out); i++ {
		same = out[i].ID == in.cols[i].ID && out[i].Name == in.cols[i].Name
	}
	if same {
		return in.node
	}
	list := make([]expr.Expr, len(in.cols))
	for i, c := range in.cols {
		list[i] = plain(c)
	}
	return &logical.Project{At: in.node.Pos(), List: list, Input: in.node}
}

// plain returns c without its qualifier.
func plain(c *expr.Column) *expr.Column {
	d := *c
	d.Qualifier = nil
	return &d
}

func (r *resolver) timestampText(us int64) string {
	local := time.UnixMicro(us).In(r.zone)
	_, offset := local.Zone()
	shifted := &expr.Literal{Value: us + int64(offset)*1e6, Typ: expr.TimestampNTZ}
	return "TIMESTAMP" + strings.TrimPrefix(shifted.SQL(), "TIMESTAMP_NTZ")
}

// maxDepth bounds views within views.
const maxDepth = 100

// node resolves one relation; outer is the scope around the subquery it stands
// in, or nil.
func (r *resolver) node(n logical.Node, outer *scope) (rel, error) {
	switch n := n.(type) {
	case *logical.Table:
		return r.table(n)
	case *logical.Source:
		return r.source(n)
	case *logical.Function:
		return r.function(n, outer)
	case *logical.With:
		return r.with(n, outer)
	case *logical.Alias:
		return r.alias(n, outer)
	case *logical.Pivot:
		return r.pivot(n, outer)
	case *logical.Unpivot:
		return r.unpivot(n, outer)
	case *logical.Tagged:
		in, err := r.node(n.Input, outer)
		if err == nil {
			r.plans[n.PlanID] = append(r.plans[n.PlanID], in.cols)
		}
		return in, err
	case *logical.Values:
		return r.values(n, outer)
	case *logical.Relation, *logical.Range:
		return r.again(n)
	case *logical.Project, *logical.Aggregate, *logical.Having, *logical.Qualify:
		b, err := r.block(n, outer)
		if err != nil {
			return rel{}, err
		}
		return b.finish(nil)
	case *logical.Sort:
		return r.sort(n, outer)
	case *logical.Filter:
		return r.filter(n, outer)
	case *logical.Join:
		return r.join(n, outer)
	case *logical.AsOfJoin:
		return r.asOfJoin(n, outer)
	case *logical.Union:
		return r.union(n, outer)
	case *logical.SetOp:
		return r.setOp(n, outer)
	case *logical.Generate:
		return r.lateralView(n, outer)
	case *logical.Distinct:
		return r.distinct(n, outer)
	case *logical.Limit:
		return r.limit(n, outer)
	case *logical.Watermark:
		return r.watermark(n, outer)
	case *logical.Deduplicate:
		return r.deduplicate(n, outer)
	case *logical.Store:
		return r.store(n, outer)
	case *logical.Sample, *logical.Repartition:
		in, err := r.node(n.Inputs()[0], outer)
		if err != nil {
			return rel{}, err
		}
		in.node = n.With([]logical.Node{in.node})
		return in, nil
	}
	return rel{}, invariants.AssertionFailedf("resolving a plan node %T", n)
}

// again gives a resolved leaf that is used once more columns of its own.
func (r *resolver) again(n logical.Node) (rel, error) {
	fresh := func(cols []*expr.Column) []*expr.Column {
		out := make([]*expr.Column, len(cols))
		for i, c := range cols {
			d := *c
			d.ID = expr.NewID()
			out[i] = &d
		}
		return out
	}
	switch n := n.(type) {
	case *logical.Relation:
		d := *n
		d.Columns = fresh(n.Columns)
		seen := len(n.Columns)
		for seen > 0 && n.Columns[seen-1].Hidden {
			seen--
		}
		return rel{node: &d, cols: d.Columns[:seen:seen], hidden: d.Columns[seen:]}, nil
	case *logical.Range:
		d := *n
		d.Column = fresh([]*expr.Column{n.Column})[0]
		return relOf(&d), nil
	}
	return rel{}, invariants.AssertionFailedf("resolving a plan node %T again", n)
}

func (r *resolver) filter(n *logical.Filter, outer *scope) (rel, error) {
	in, err := r.node(n.Input, outer)
	if err != nil {
		return rel{}, err
	}
	x := &exprs{r: r}
	cond, err := x.condition(n.Cond, &scope{cols: in.cols, hidden: in.hidden, outer: outer, clause: "WHERE"})
	if err != nil {
		return rel{}, err
	}
	if in.node, err = filterSubqueries(in.node, n.At, cond); err != nil {
		return rel{}, err
	}
	return in, nil
}

// condition resolves a BOOLEAN.
func (x *exprs) condition(e expr.Expr, s *scope) (expr.Expr, error) {
	cond, err := x.expr(e, s)
	if err != nil {
		return nil, err
	}
	cond = x.truth(cond)
	t := cond.Type()
	if t.Kind != expr.KindBool {
		condition := "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN"
		if s.clause == "Join" {
			return nil, base.UserError("JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE", "42K0E", "The join condition %q has the invalid type %q, expected \"BOOLEAN\".", cond.SQL(), t.SQL()).At(e.Pos())
		}
		return nil, base.UserError(condition, "42K09", "Cannot resolve %q due to data type mismatch: Filter expression %q of type %q is not a boolean.",
			cond.SQL(), cond.SQL(), t.SQL()).At(e.Pos())
	}
	return cond, nil
}

// havingCondition resolves the condition of HAVING, which is cast to BOOLEAN.
func (x *exprs) havingCondition(e expr.Expr, s *scope) (expr.Expr, error) {
	cond, err := x.expr(e, s)
	if err != nil {
		return nil, err
	}
	expr.Walk(cond, func(e expr.Expr) bool {
		a, ok := e.(*expr.Agg)
		for i := 0; ok && err == nil && i < len(a.Args); i++ {
			if holdsAgg(a.Args[i]) {
				err = base.UserError("MISSING_ATTRIBUTES.RESOLVED_ATTRIBUTE_MISSING_FROM_INPUT", "XX000", "The aggregate %s is of an aggregate of the same select list.", a.SQL()).At(a.At).
					WithHint("aggregate once more in a query around this one")
			}
		}
		return err == nil
	})
	if err != nil || cond.Type().Kind == expr.KindBool {
		return cond, err
	}
	return x.explicitCast(cond, &expr.Cast{At: e.Pos(), To: expr.Bool})
}

func (r *resolver) distinct(n *logical.Distinct, outer *scope) (rel, error) {
	in, err := r.node(n.Input, outer)
	if err != nil {
		return rel{}, err
	}
	if err := setOperationOn(n.At, in.cols); err != nil {
		return rel{}, err
	}
	node := finish(in)
	return rel{node: &logical.Distinct{At: n.At, Input: node}, cols: in.cols}, nil
}

func (r *resolver) limit(n *logical.Limit, outer *scope) (rel, error) {
	in, err := r.node(n.Input, outer)
	if err != nil {
		return rel{}, err
	}
	d := *n
	for _, e := range []*expr.Expr{&d.Count, &d.Offset} {
		if *e == nil {
			continue
		}
		raw := *e
		if *e, err = r.limitCount(raw, e == &d.Offset); err != nil {
			return rel{}, limitPlace(err, raw, in.cols)
		}
	}
	d.Input = in.node
	in.node = &d
	return in, nil
}

// limitPlace puts the error of a LIMIT that is a column to where the column comes from.
func limitPlace(err error, e expr.Expr, cols []*expr.Column) error {
	name, ok := e.(*expr.Name)
	if !ok || base.AsError(err).Condition != "INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE" {
		return err
	}
	if found := match(cols, nil, name.Parts[len(name.Parts)-1]); len(found) == 1 && found[0].At != (base.Pos{}) {
		moved := *base.AsError(err)
		moved.Pos = found[0].At
		return &moved
	}
	return err
}

func (r *resolver) limitCount(e expr.Expr, offset bool) (expr.Expr, error) {
	x := &exprs{r: r}
	v, err := x.expr(e, &scope{clause: "LIMIT"})
	if err != nil && base.AsError(err).Condition != "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION" {
		return nil, err
	}
	what := "limit"
	if offset {
		what = "offset"
	}
	const text = "The limit like expression %q is invalid. "
	if err != nil || !foldable(v) {
		return nil, base.UserError("INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE", "42K0E", text+"The %s expression must evaluate to a constant value.", e.SQL(), what).At(e.Pos())
	}
	if lit, ok := v.(*expr.Literal); ok && lit.Place != nil {
		lit.Place.Ask(expr.Int32, expr.Stored)
		return &expr.Literal{At: e.Pos(), Value: int64(1), Typ: expr.Int32}, nil
	}
	if placed(v) && v.Type().IsInteger() && v.Type().Kind != expr.KindInt64 {
		return &expr.Literal{At: e.Pos(), Value: int64(1), Typ: expr.Int32}, nil
	}
	if k := v.Type(); !k.IsInteger() || k.Kind == expr.KindInt64 {
		return nil, base.UserError("INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE", "42K0E", text+"The %s expression must be integer type, but got %q.", v.SQL(), what, k.SQL()).At(e.Pos())
	}
	count, ok := constant(v)
	if !ok && r.env.Fold != nil {
		if lit, folded := r.env.Fold(v); folded {
			count, ok = lit.Value.(int64)
		}
	}
	if !ok {
		return nil, base.UserError("INVALID_LIMIT_LIKE_EXPRESSION.IS_NULL", "42K0E", text+"The evaluated %s expression must not be null.", v.SQL(), what).At(e.Pos())
	}
	if count < 0 {
		return nil, base.UserError("INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "42K0E", text+"The %s expression must be equal to or greater than 0, but got %d.", v.SQL(), what, count).At(e.Pos())
	}
	return &expr.Literal{At: e.Pos(), Value: count, Typ: expr.Int32}, nil
}

// constant computes an integer expression of literals, + - and *.
func constant(e expr.Expr) (int64, bool) {
	if v, ok := intLiteral(e); ok {
		return v, true
	}
	switch e := e.(type) {
	case *expr.Cast:
		if e.To.IsInteger() {
			if text, ok := stringLiteral(e.Child); ok {
				return parseInt(text)
			}
			return constant(e.Child)
		}
	case *expr.Call:
		if len(e.Args) != 2 {
			return 0, false
		}
		l, ok := constant(e.Args[0])
		r, ok2 := constant(e.Args[1])
		if !ok || !ok2 {
			return 0, false
		}
		switch e.Fn {
		case "+":
			return l + r, true
		case "-":
			return l - r, true
		case "*":
			return l * r, true
		}
	}
	return 0, false
}
