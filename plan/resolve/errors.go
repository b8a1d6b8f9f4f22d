package resolve

import (
	"fmt"
	"sort"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// mismatch is a DATATYPE_MISMATCH error about e.
func mismatch(sub string, at base.Pos, text string, format string, args ...any) *base.Error {
	return base.UserError("DATATYPE_MISMATCH."+sub, "42K09", "Cannot resolve %q due to data type mismatch: %s",
		text, fmt.Sprintf(format, args...)).At(at)
}

var ordinals = []string{"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}

func ordinal(i int) string {
	if i < len(ordinals) {
		return ordinals[i]
	}
	return fmt.Sprintf("%dth", i+1)
}

func unexpectedInput(at base.Pos, text string, i int, wanted string, arg expr.Expr) *base.Error {
	return mismatch("UNEXPECTED_INPUT_TYPE", at, text, "The %s parameter requires the %s type, however %q has the type %q.",
		ordinal(i), wanted, arg.SQL(), arg.Type().SQL())
}

func quotedTypes(types []*expr.Type, sep string) string {
	parts := make([]string, len(types))
	for i, t := range types {
		parts[i] = `"` + t.SQL() + `"`
	}
	return strings.Join(parts, sep)
}

func wrongArgs(at base.Pos, name string, wanted string, actual int) *base.Error {
	return base.UserError("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605",
		"The `%s` requires %s parameters but the actual number is %d. Please, refer to 'https://spark.apache.org/docs/latest/sql-ref-functions.html' for a fix.",
		name, wanted, actual).At(at)
}

func quoteName(parts []string) string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = "`" + strings.ReplaceAll(p, "`", "``") + "`"
	}
	return strings.Join(out, ".")
}

// maxSuggestions is how many candidates an unresolved name comes with.
const maxSuggestions = 5

func unresolvedColumn(at base.Pos, parts []string, candidates []*expr.Column) *base.Error {
	const what = "A column, variable, or function parameter with name %s cannot be resolved. "
	names := nearest(strings.Join(parts, "."), columnNames(candidates), len(parts) > 1)
	if len(names) == 0 {
		return base.UserError("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", what, quoteName(parts)).At(at)
	}
	return base.UserError("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", what+"Did you mean one of the following? [%s].",
		quoteName(parts), strings.Join(names, ", ")).At(at).WithHint("the nearest column is %s", names[0])
}

// columnNames are the candidates' names with their qualifiers.
func columnNames(cols []*expr.Column) [][]string {
	out := make([][]string, len(cols))
	for i, c := range cols {
		out[i] = append(append([]string(nil), c.Qualifier...), c.Name)
	}
	return out
}

// nearest quotes the up to five names with the smallest edit distance to name.
// Qualifiers are left out if all candidates share one and name has none.
func nearest(name string, candidates [][]string, qualified bool) []string {
	same := true
	for _, c := range candidates {
		same = same && strings.Join(c[:len(c)-1], ".") == strings.Join(candidates[0][:len(candidates[0])-1], ".")
	}
	type scored struct {
		text     string
		distance int
	}
	all := make([]scored, len(candidates))
	for i, c := range candidates {
		if same && !qualified {
			c = c[len(c)-1:]
		}
		all[i] = scored{quoteName(c), distance(strings.ToLower(name), strings.ToLower(strings.Join(c, ".")))}
	}
	sort.SliceStable(all, func(i, j int) bool {
		if all[i].distance != all[j].distance {
			return all[i].distance < all[j].distance
		}
		return all[i].text < all[j].text
	})
	out := make([]string, 0, maxSuggestions)
	for _, s := range all {
		if len(out) < maxSuggestions {
			out = append(out, s.text)
		}
	}
	return out
}

// distance is the Levenshtein distance of two texts in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost = 1 + min(diagonal, row[j], row[j-1])
			}
			diagonal, row[j] = row[j], cost
		}
	}
	return row[len(b)]
}
