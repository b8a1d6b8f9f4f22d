package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// rel is a resolved relation and the names that its columns go by: the IDs of
// cols are those of node's output, names and qualifiers may differ.
type rel struct {
	node logical.Node
	cols []*expr.Column
	// hidden are not part of a star: the keys of both sides of a USING join, reachable by
	// qualified name only, and columns of tables that are hidden by themselves.
	hidden []*expr.Column
}

func relOf(n logical.Node) rel { return rel{node: n, cols: n.Output()} }

// named is an expression that goes by a name: an item of a select list.
type named struct {
	name string
	e    expr.Expr
}

// scope is what names mean at one place of a query.
type scope struct {
	cols, hidden []*expr.Column
	// first go before the columns outside of aggregate functions: the select
	// list's aliases in HAVING.
	first []named
	// having, in HAVING, chooses between these and the columns.
	having *havingNames
	// last go after the columns: window and session_window, and earlier items of
	// the select list.
	last []named
	// lambda are the parameters of the lambdas around, innermost last.
	lambda []*expr.LambdaVar
	// outer is the scope around a subquery, or nil.
	outer *scope
	// clause names the place for errors ("WHERE"), or is "".
	clause string
	// aggregates and windows say whether such functions may stand here.
	aggregates, windows bool
	// over says that it is within a function with OVER.
	over bool
	// naming says that an expression is resolved for its text only.
	naming bool
}

func (s *scope) withLambda(vars []*expr.LambdaVar) *scope {
	d := *s
	d.lambda = append(s.lambda[:len(s.lambda):len(s.lambda)], vars...)
	return &d
}

// outerRef is a column of the query around a subquery. It is gone when the
// subquery has been turned into a join.
type outerRef struct{ *expr.Column }

func (e *outerRef) With([]expr.Expr) expr.Expr { return e }

// Detail tells references to different columns apart.
func (e *outerRef) Detail() string { return fmt.Sprintf("#%d", e.ID) }

// name resolves a dotted name in s: the longest prefix that is a column, then
// struct members.
func (x *exprs) name(n *expr.Name, s *scope) (expr.Expr, error) {
	if n.PlanID != 0 {
		return x.tagged(n, s)
	}
	if len(n.Parts) == 1 || len(s.lambda) > 0 {
		for i := len(s.lambda) - 1; i >= 0; i-- {
			if strings.EqualFold(s.lambda[i].Name, n.Parts[0]) {
				v := *s.lambda[i]
				v.At = n.At
				return x.members(&v, n.Parts[1:], n.At)
			}
		}
	}
	if !x.inAggregate {
		if e, err := x.listed(n, s); e != nil || err != nil {
			return e, err
		}
	}
	// As in Spark, a subquery sees its own query and the one right around it.
	for depth, at := 0, s; at != nil && depth < 2; depth, at = depth+1, at.outer {
		e, err := x.column(n, at, depth > 0)
		if e != nil || err != nil {
			return e, err
		}
		if depth == 0 {
			if e, err := x.namedExpr(n, s.last); e != nil || err != nil {
				if err == nil && e.Type().Kind != expr.KindStruct {
					return x.lateralAlias(n, e, s)
				}
				return e, err
			}
		}
	}
	if len(n.Parts) == 1 {
		if f := noParens[strings.ToLower(n.Parts[0])]; f != "" {
			return x.expr(&expr.Apply{At: n.At, Name: []string{f}}, s)
		}
	}
	return nil, unresolvedColumn(n.At, n.Parts, s.cols)
}

// lateralAlias is e, which goes by a name of the same select list.
func (x *exprs) lateralAlias(n *expr.Name, e expr.Expr, s *scope) (expr.Expr, error) {
	if _, window := e.(*timeWindow); window {
		return e, nil
	}
	x.lateralAliases++
	switch {
	case s.over && s.clause == "":
		return nil, base.UserError("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_WINDOW", "0A000", "A function with OVER cannot use %s, a name of the same select list.", quoteName(n.Parts)).
			At(n.At).WithHint("write what it stands for, or compute it in a subquery")
	case x.inAggregate && s.clause == "":
		return nil, base.UserError("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_AGGREGATE_FUNC", "0A000", "An aggregate cannot use %s, a name of the same select list.", quoteName(n.Parts)).
			At(n.At).WithHint("write what it stands for, or compute it in a subquery")
	case s.naming:
		return &expr.Column{At: n.At, ID: expr.NewID(), Name: "lateralAliasReference(" + n.Parts[len(n.Parts)-1] + ")", Typ: e.Type(), Null: e.Nullable()}, nil
	}
	return e, nil
}

// noParens are the functions that may be called without parentheses.
var noParens = map[string]string{
	"current_timestamp": "current_timestamp", "current_date": "current_date", "current_user": "current_user", "user": "user",
	"session_user": "session_user", "current_time": "current_time", "localtime": "current_time", "localtimestamp": "", "grouping__id": "grouping_id",
}

func (x *exprs) namedExpr(n *expr.Name, list []named) (expr.Expr, error) {
	var found expr.Expr
	for _, item := range list {
		if !strings.EqualFold(item.name, n.Parts[0]) {
			continue
		}
		if found != nil && expr.Fingerprint(found) != expr.Fingerprint(item.e) {
			return nil, base.UserError("AMBIGUOUS_LATERAL_COLUMN_ALIAS", "42702",
				"Lateral column alias %s is ambiguous and has %d matches.", quoteName(n.Parts), 2).At(n.At)
		}
		found = item.e
	}
	if found == nil {
		return nil, nil
	}
	return x.members(found, n.Parts[1:], n.At)
}

// column finds the column that a name's prefix is in one scope; nil if none is.
func (x *exprs) column(n *expr.Name, s *scope, outer bool) (expr.Expr, error) {
	// A name with the most qualifiers goes first: a.b is column b of a, before
	// it is member b of column a.
	for k := min(len(n.Parts), 4); k >= 1; k-- {
		qualifier, name := n.Parts[:k-1], n.Parts[k-1]
		found := match(s.cols, qualifier, name)
		if len(found) == 0 {
			found = match(s.hidden, qualifier, name)
			if k == 1 {
				found = slices.DeleteFunc(found, func(c *expr.Column) bool { return !c.Hidden })
			}
		}
		if len(found) == 0 {
			continue
		}
		if len(found) > 1 {
			return nil, ambiguous(n, found)
		}
		c := *found[0]
		c.At, c.Name = n.At, name // as written: it shows in column names
		var e expr.Expr = &c
		if outer {
			e = &outerRef{&c}
		}
		out, err := x.members(e, n.Parts[k:], n.At)
		if err != nil && k > 1 {
			continue
		}
		return out, err
	}
	return nil, nil
}

func match(cols []*expr.Column, qualifier []string, name string) []*expr.Column {
	var out []*expr.Column
	for _, c := range cols {
		if !strings.EqualFold(c.Name, name) || !qualifies(c.Qualifier, qualifier) {
			continue
		}
		if len(out) > 0 && out[len(out)-1].ID == c.ID {
			continue
		}
		out = append(out, c)
	}
	return out
}

// qualifies reports whether have ends in want.
func qualifies(have, want []string) bool {
	if len(want) > len(have) {
		return false
	}
	have = have[len(have)-len(want):]
	for i := range want {
		if !strings.EqualFold(have[i], want[i]) {
			return false
		}
	}
	return true
}

func ambiguous(n *expr.Name, found []*expr.Column) error {
	names := columnNames(found)
	parts := make([]string, len(names))
	for i, p := range names {
		parts[i] = quoteName(p)
	}
	return base.UserError("AMBIGUOUS_REFERENCE", "42704", "Reference %s is ambiguous, could be: [%s].",
		quoteName(n.Parts), strings.Join(parts, ", ")).At(n.At).WithHint("write the relation before the name: %s", parts[0])
}

// members applies .a.b to e.
func (x *exprs) members(e expr.Expr, parts []string, at base.Pos) (expr.Expr, error) {
	for _, p := range parts {
		var err error
		if e, err = x.member(e, p, at); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// member is e.name: a struct's field, a map's value, or the field of each
// element of an array of structs.
func (x *exprs) member(e expr.Expr, name string, at base.Pos) (expr.Expr, error) {
	t := e.Type()
	switch {
	case t.Kind == expr.KindStruct:
		return x.field(e, name, at)
	case t.Kind == expr.KindMap:
		return x.getItem(e, &expr.Literal{At: at, Value: name, Typ: expr.String}, at)
	case t.Kind == expr.KindArray && t.Elem.Kind == expr.KindStruct:
		v := &expr.LambdaVar{At: at, ID: expr.NewID(), Name: "x", Typ: t.Elem, Null: t.ElemNullable}
		f, err := x.field(v, name, at)
		if err != nil {
			return nil, err
		}
		return &expr.Call{At: at, Fn: "transform", Args: []expr.Expr{e, &expr.Lambda{At: at, Params: []*expr.LambdaVar{v}, Body: f}},
			Typ: expr.ArrayOf(f.Type(), f.Nullable()), Null: e.Nullable(), Text: e.SQL() + "." + name}, nil
	}
	return nil, base.UserError("INVALID_EXTRACT_BASE_FIELD_TYPE", "42000",
		"Can't extract a value from %q. Need a complex type [STRUCT, ARRAY, MAP] but got %q.", e.SQL(), t.SQL()).At(at)
}

func (x *exprs) field(e expr.Expr, name string, at base.Pos) (expr.Expr, error) {
	found := -1
	fields := e.Type().Fields
	for i, f := range fields {
		if !strings.EqualFold(f.Name, name) {
			continue
		}
		if found >= 0 {
			return nil, base.UserError("AMBIGUOUS_REFERENCE_TO_FIELDS", "42000",
				"Ambiguous reference to the field %s. It appears 2 times in the schema.", quoteName([]string{name})).At(at)
		}
		found = i
	}
	if found < 0 {
		names := make([]string, len(fields))
		for i, f := range fields {
			names[i] = quoteName([]string{f.Name})
		}
		return nil, base.UserError("FIELD_NOT_FOUND", "42704", "No such struct field %s in %s.",
			quoteName([]string{name}), strings.Join(names, ", ")).At(at)
	}
	return textOf(fieldAt(e, found, at), nil)(e.SQL() + "." + name)
}

// fieldAt is member i of a struct, as a call of getfield.
func fieldAt(e expr.Expr, i int, at base.Pos) expr.Expr {
	f := e.Type().Fields[i]
	return &expr.Call{At: at, Fn: "getfield", Args: []expr.Expr{e, &expr.Literal{At: at, Value: int64(i), Typ: expr.Int32}},
		Typ: f.Type, Null: e.Nullable() || f.Nullable, Text: e.SQL() + "." + f.Name}
}

// tagged resolves a DataFrame's reference to a column of one of the plans below.
func (x *exprs) tagged(n *expr.Name, s *scope) (expr.Expr, error) {
	ids := map[expr.ID]bool{}
	for _, cols := range x.r.plans[n.PlanID] {
		for _, c := range match(cols, nil, n.Parts[0]) {
			ids[c.ID] = true
		}
	}
	var found []*expr.Column
	for _, c := range append(append([]*expr.Column(nil), s.cols...), s.hidden...) {
		if ids[c.ID] && (len(found) == 0 || found[len(found)-1].ID != c.ID) {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return nil, base.UserError("CANNOT_RESOLVE_DATAFRAME_COLUMN", "42704",
			"Cannot resolve dataframe column %s. It's probably because of illegal references like `df1.select(df2.col(\"a\"))`.",
			quoteName(n.Parts)).At(n.At)
	case 1:
		c := *found[0]
		c.At = n.At
		return x.members(&c, n.Parts[1:], n.At)
	}
	return nil, ambiguous(n, found)
}
