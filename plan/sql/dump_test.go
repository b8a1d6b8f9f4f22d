package sql

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// dump writes a tree, one node a line, with every field that is not zero but
// places and IDs.
func dump(v any) string {
	var b strings.Builder
	dumpNode(&b, reflect.ValueOf(v), "")
	return b.String()
}

var (
	exprType = reflect.TypeFor[expr.Expr]()
	nodeType = reflect.TypeFor[logical.Node]()
	stmtType = reflect.TypeFor[logical.Statement]()
)

func dumpNode(b *strings.Builder, v reflect.Value, indent string) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	b.WriteString(indent + v.Type().Name())
	var below []reflect.Value
	for i := 0; i < v.NumField(); i++ {
		f, name := v.Field(i), v.Type().Field(i).Name
		if f.IsZero() || name == "At" || name == "Stmt" || name == "Out" {
			continue
		}
		if isTree(f.Type()) || f.Kind() == reflect.Slice && isTree(f.Type().Elem()) {
			below = append(below, f)
			continue
		}
		fmt.Fprintf(b, " %s=%s", name, dumpValue(f))
	}
	b.WriteByte('\n')
	for _, f := range below {
		if f.Kind() != reflect.Slice {
			dumpNode(b, f, indent+"  ")
			continue
		}
		for i := 0; i < f.Len(); i++ {
			dumpNode(b, f.Index(i), indent+"  ")
		}
	}
}

func isTree(t reflect.Type) bool { return t == nodeType || t == stmtType }

func dumpValue(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case expr.Expr:
		return dumpExpr(x)
	case expr.SortTerm:
		return dumpExpr(x.Expr) + map[bool]string{true: " DESC", false: ""}[x.Descending] + map[bool]string{true: " NULLS FIRST", false: ""}[x.NullsFirst]
	case expr.Schema:
		parts := make([]string, len(x))
		for i, f := range x {
			parts[i] = f.Name + " " + f.Type.SQL() + map[bool]string{true: "", false: " NOT NULL"}[f.Nullable]
		}
		return "(" + strings.Join(parts, ", ") + ")"
	case *logical.TriggerSpec:
		return fmt.Sprintf("%s %q", x.Kind, x.Interval)
	case string:
		return fmt.Sprintf("%q", x)
	case fmt.Stringer:
		return x.String()
	}
	switch v.Kind() {
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = dumpValue(v.Index(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Map:
		var parts []string
		for _, k := range v.MapKeys() {
			parts = append(parts, fmt.Sprintf("%v: %v", k, v.MapIndex(k)))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// dumpExpr is Format with the trees of subqueries and without the back-quotes.
func dumpExpr(e expr.Expr) string {
	s := strings.ReplaceAll(Format(e), "`", "")
	expr.Walk(e, func(e expr.Expr) bool {
		if q, ok := e.(*expr.Subquery); ok {
			s += "{" + strings.ReplaceAll(strings.TrimSpace(dump(q.Plan)), "\n", ";") + "}"
		}
		return true
	})
	return s
}
