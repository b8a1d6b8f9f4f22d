package expr

import (
	"fmt"
	"strings"
)

// Fingerprint is equal for two resolved expressions exactly if they compute the
// same: columns by ID, lambda variables by their place, aliases looked through.
func Fingerprint(e Expr) string {
	var b strings.Builder
	writeFingerprint(&b, e, map[ID]int{})
	return b.String()
}

func writeFingerprint(b *strings.Builder, e Expr, vars map[ID]int) {
	switch e := e.(type) {
	case *Alias:
		writeFingerprint(b, e.Child, vars)
		return
	case *Column:
		fmt.Fprintf(b, "#%d", e.ID)
		return
	case *Literal:
		fmt.Fprintf(b, "%#v:%s", e.Value, e.Typ.SQL())
		return
	case *LambdaVar:
		n, ok := vars[e.ID]
		if !ok {
			n = len(vars)
			vars[e.ID] = n
		}
		fmt.Fprintf(b, "$%d", n)
		return
	case *Cast:
		fmt.Fprintf(b, "cast%d:%s", e.Mode, e.To.SQL())
	case *Call:
		fmt.Fprintf(b, "%s%d", e.Fn, e.Mode)
	case *Agg:
		fmt.Fprintf(b, "agg %s%d%t%t%t%v", e.Fn, e.Mode, e.Distinct, e.IgnoreNulls, e.Filter != nil, e.Order)
	case *Lambda:
		b.WriteString("lambda")
		for _, p := range e.Params {
			writeFingerprint(b, p, vars)
		}
	case *Subquery:
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

// A Detailer is a node of another package that its children do not tell apart
// from others of its type: Detail does.
type Detailer interface{ Detail() string }

func detail(e Expr) string {
	if d, ok := e.(Detailer); ok {
		return d.Detail()
	}
	return ""
}
