package streaming

import (
	"fmt"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/physical"
)

// EmissionRules says of a plan, from the sink down, when each stateful operator
// and each watermark lets rows out.
func EmissionRules(n physical.Node, mode base.OutputMode) []Finding {
	var out []Finding
	var visit func(n physical.Node)
	visit = func(n physical.Node) {
		if f, ok := emissionRule(n, mode); ok {
			out = append(out, f)
		}
		for _, in := range n.Inputs() {
			visit(in)
		}
	}
	visit(n)
	if len(out) == 0 {
		out = append(out, Finding{Subject: "query", Text: "no state: every row that passes comes out in the epoch that reads it"})
	}
	return out
}

func emissionRule(n physical.Node, mode base.OutputMode) (Finding, bool) {
	switch n := n.(type) {
	case *physical.Watermark:
		return Finding{Subject: "watermark " + n.Schema()[n.Column].Name,
			Text: fmt.Sprintf("follows the greatest event time by %s; it moves at the end of an epoch, and ends what is at or before it in the next one", span(n.Delay))}, true
	case *physical.Aggregate:
		if n.State == nil {
			return Finding{}, false
		}
		return Finding{Subject: subject(n.State), Text: aggregateRule(n, mode)}, true
	case *physical.Dedup:
		if n.State == nil {
			return Finding{}, false
		}
		return Finding{Subject: subject(n.State), Text: "the first row of a key comes out in the epoch that reads it, later ones never"}, true
	case *physical.Limit:
		if n.State == nil {
			return Finding{}, false
		}
		return Finding{Subject: subject(n.State), Text: fmt.Sprintf("the first %d rows of the query's life come out, then none", n.Count)}, true
	}
	return Finding{}, false
}

func subject(s *physical.State) string { return fmt.Sprintf("operator %d %s", s.Operator, s.Name) }

func aggregateRule(n *physical.Aggregate, mode base.OutputMode) string {
	switch {
	case mode == base.Complete:
		return "every epoch with data puts out all groups; none is ever forgotten"
	case mode == base.Update && n.State.EventKey >= 0:
		return "every epoch puts out the groups that changed; a group is forgotten when the watermark passes it"
	case mode == base.Update:
		return "every epoch puts out the groups that changed; none is ever forgotten, as no key holds the watermark's column"
	}
	return fmt.Sprintf("a group comes out once, in the epoch after the watermark has passed its %s", n.Out[n.State.EventKey].Name)
}
