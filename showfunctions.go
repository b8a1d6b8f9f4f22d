package flightd

import (
	"slices"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/resolve"
)

// showFunctions is SHOW [USER | SYSTEM | ALL] FUNCTIONS [LIKE pattern].
func showFunctions(st *logical.Show, names *names) *Result {
	var all []string
	if st.Of != "USER" {
		all = resolve.FunctionNames()
	}
	if st.Of != "SYSTEM" {
		all = append(all, sortedKeys(names.users)...)
		slices.Sort(all)
	}
	var rows [][]any
	for _, n := range all {
		if like(st.Like, n) {
			rows = append(rows, []any{n})
		}
	}
	return textResult([]string{"function"}, rows)
}

// describeFunction is DESCRIBE FUNCTION [EXTENDED]: the rows of Spark, with the
// signature for the usage.
func describeFunction(st *logical.Describe, names *names) (*Result, error) {
	name := last(st.Name)
	d := resolve.Describe(name, names.users)
	if d == nil {
		err := base.UserError("UNRESOLVED_ROUTINE", "42883", "There is no function %s.", name).At(st.NameAt).At(st.At)
		if s := base.Nearest(name, append(resolve.FunctionNames(), sortedKeys(names.users)...)); s != "" {
			return nil, err.WithHint("did you mean %s?", s)
		}
		return nil, err.WithHint("SHOW FUNCTIONS lists them")
	}
	class := d.Kind + " function"
	if d.User {
		class += " of the user's"
	}
	usage := d.Usage
	if d.Note != "" {
		usage += " - " + d.Note
	}
	rows := [][]any{{"Function: " + d.Name}, {"Class: " + class}, {"Usage: " + usage}}
	if st.Extended {
		var b strings.Builder
		b.WriteString("Extended Usage:")
		if len(d.Others) > 0 {
			b.WriteString("\n    Other names: " + strings.Join(d.Others, ", "))
		}
		if d.Nulls != "" {
			b.WriteString("\n    The result may be NULL: " + d.Nulls)
		}
		if d.Nondeterministic {
			b.WriteString("\n    Calls with equal arguments may have different results")
		}
		rows = append(rows, []any{b.String()})
	}
	return textResult([]string{"function_desc"}, rows), nil
}
