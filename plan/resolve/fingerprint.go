package resolve

import (
	"fmt"
	"strings"

	"github.com/flightd/flightd/plan/expr"
)

// fingerprint is equal for two resolved expressions exactly if they compute the
// same: columns by ID, lambda variables by their place, aliases looked through.
func fingerprint(e expr.Expr) string {
	var b strings.Builder
	writeFingerprint(&b, e, map[expr.ID]int{})
	return b.String()
}

func writeFingerprint(b *strings.Builder, e expr.Expr, vars map[expr.ID]int) {
	switch e := e.(type) {
	case *expr.Alias:
		writeFingerprint(b, e.Child, vars)
		return
	case *expr.Column:
		fmt.Fprintf(b, "#%d", e.ID)
		return
	case *outerRef:
		fmt.Fprintf(b, "outer#%d", e.ID)
		return
	case *expr.Literal:
		fmt.Fprintf(b, "%#v:%s", e.Value, e.Typ.SQL())
		return
	case *expr.LambdaVar:
		n, ok := vars[e.ID]
		if !ok {
			n = len(vars)
			vars[e.ID] = n
		}
		fmt.Fprintf(b, "$%d", n)
		return
	case *expr.Cast:
		fmt.Fprintf(b, "cast%d:%s", e.Mode, e.To.SQL())
	case *expr.Call:
		fmt.Fprintf(b, "%s%d", e.Fn, e.Mode)
	case *expr.Agg:
		fmt.Fprintf(b, "agg %s%d%t%t%t", e.Fn, e.Mode, e.Distinct, e.IgnoreNulls, e.Filter != nil)
	case *expr.Lambda:
		b.WriteString("lambda")
		for _, p := range e.Params {
			writeFingerprint(b, p, vars)
		}
	case *expr.Subquery:
		fmt.Fprintf(b, "subquery%d%p", e.Kind, e.Plan)
	default:
		fmt.Fprintf(b, "%T%s", e, detail(e))
	}
	b.WriteByte('(')
	for i, c := range e.Children() {
		if i > 0 {
			b.WriteByte(',')
		}
		writeFingerprint(b, c, vars)
	}
	b.WriteByte(')')
}

// detail is what tells two nodes of the resolver's own types apart besides
// their children.
func detail(e expr.Expr) string {
	if d, ok := e.(interface{ detail() string }); ok {
		return d.detail()
	}
	return ""
}
