package resolve

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// shapeOf is equal for subqueries that are written alike and mean the same: raw is the
// query as it was parsed, n the same resolved, whose columns of the query around it
// count too. It is "" where two such queries may still differ.
func shapeOf(kind expr.SubqueryKind, raw, n logical.Node) string {
	if randomPlan(n) {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d", kind)
	writeShape(&b, reflect.ValueOf(&raw).Elem())
	for _, c := range outerReferences(n) {
		fmt.Fprintf(&b, "#%d", c.ID)
	}
	return b.String()
}

// unwritten are the parts of a parsed plan that say nothing about its meaning: where
// something stands, and the IDs of aliases, which nothing refers to yet.
var unwritten = map[reflect.Type]bool{reflect.TypeFor[base.Pos](): true, reflect.TypeFor[expr.ID](): true}

// parsedPackages are where the types of a parsed plan are.
var parsedPackages = [2]string{reflect.TypeFor[logical.Project]().PkgPath(), reflect.TypeFor[expr.Name]().PkgPath()}

// writeShape writes all of a parsed plan or expression but what is unwritten.
func writeShape(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("-")
			return
		}
		switch v.Kind() {
		case reflect.Interface:
			b.WriteString(v.Elem().Type().String())
		default: // what the parser did not make, as a table of a DataFrame, is itself alone
			if p := v.Type().Elem().PkgPath(); p != parsedPackages[0] && p != parsedPackages[1] {
				fmt.Fprintf(b, "%#x", v.Pointer())
				return
			}
		}
		writeShape(b, v.Elem())
	case reflect.Struct:
		b.WriteString("{")
		for i := range v.NumField() {
			if !unwritten[v.Field(i).Type()] {
				writeShape(b, v.Field(i))
				b.WriteString(",")
			}
		}
		b.WriteString("}")
	case reflect.Slice, reflect.Array:
		fmt.Fprintf(b, "[%d:", v.Len())
		for i := range v.Len() {
			writeShape(b, v.Index(i))
			b.WriteString(",")
		}
		b.WriteString("]")
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	default:
		fmt.Fprintf(b, "%v", v)
	}
}

// randomPlan reports whether a plan computes what differs from one time to the next.
func randomPlan(n logical.Node) bool {
	found := false
	for _, e := range logical.Exprs(n) {
		expr.Walk(e, func(e expr.Expr) bool {
			if c, ok := e.(*expr.Call); ok {
				if f := c.Signature(); f != nil && f.Nondeterministic {
					found = true
				}
			}
			return !found
		})
	}
	for _, in := range n.Inputs() {
		found = found || randomPlan(in)
	}
	return found
}

// column returns the column of the aggregation's output that e is, or nil. A subquery
// that is written as one of the keys is the same one.
func (a *aggregation) column(e expr.Expr) *expr.Column {
	if c := a.columns[sameAs(e)]; c != nil || len(a.subqueries) == 0 || !holdsJoined(e) {
		return c
	}
	out, err := expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
		if q, ok := e.(*joined); ok && q.shape != "" && a.subqueries[q.shape] != nil {
			return a.subqueries[q.shape], nil
		}
		return e, nil
	})
	if err != nil {
		return nil
	}
	return a.columns[sameAs(out)]
}

// shows reports whether e has the grouping expression g in it.
func (a *aggregation) shows(e, g expr.Expr) bool {
	want := a.column(g)
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		if _, ok := e.(*expr.Agg); ok {
			return false
		}
		found = found || a.column(e) == want
		return !found
	})
	return found
}
