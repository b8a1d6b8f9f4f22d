package flightd

import (
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/sources"
)

// predicates are the conditions above a scan as its source understands them.
func predicates(scan *physical.Scan) []sources.Predicate {
	tests := map[string]sources.Test{
		"isnull": sources.Missing, "isnotnull": sources.Present, "in": sources.Equal, "<": sources.Less, "<=": sources.LessEqual,
		">": sources.Greater, ">=": sources.GreaterEqual, "prefix": sources.Prefix,
	}
	var out []sources.Predicate
	for _, w := range scan.Where {
		test, ok := tests[w.Test]
		if !ok || w.Column >= len(scan.Columns) {
			continue
		}
		p := sources.Predicate{Column: scan.Columns[w.Column], Test: test, Text: w.Cond.SQL()}
		for _, l := range w.Values {
			v := l.Value
			switch x := v.(type) {
			case []byte:
				v = string(x)
			case float32:
				v = float64(x)
			}
			p.Values = append(p.Values, v)
		}
		out = append(out, p)
	}
	return out
}
