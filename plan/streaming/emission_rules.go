package streaming

import (
	"fmt"
	"slices"

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
	case *physical.StreamJoin:
		return Finding{Subject: subject(n.State), Text: joinRule(n)}, true
	case *physical.AsOfJoin:
		if n.State == nil {
			return Finding{}, false
		}
		return Finding{Subject: subject(n.State), Text: asOfRule(n)}, true
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
	if n.Session != nil && n.Session.Key == n.State.EventKey {
		return "a session comes out once, in the epoch after the watermark has passed its end; until then each row that touches it makes it longer"
	}
	return fmt.Sprintf("a group comes out once, in the epoch after the watermark has passed its %s", n.Out[n.State.EventKey].Name)
}

// joinRule says when pairs and rows without a partner come out, and how long rows
// are kept.
func joinRule(n *physical.StreamJoin) string {
	text := "a pair comes out in the epoch that reads its later row"
	outer := map[physical.JoinKind]string{physical.LeftOuter: "a left row", physical.RightOuter: "a right row", physical.FullOuter: "a row"}[n.Kind]
	switch {
	case n.Kind == physical.LeftSemi:
		text = "a left row comes out once, in the epoch that reads it or its first match, whichever is later"
	case outer != "":
		text += ", and " + outer + " without one when the watermark ends it"
	}
	for _, s := range []struct {
		name string
		side physical.StreamSide
	}{{"left", n.LeftSide}, {"right", n.RightSide}} {
		kept := "for ever"
		switch {
		case fixed(s.side.Bound):
			kept += " if their event time is after " + moment(s.side.Bound.Watermark(0))
		case s.side.Bound.Bounded():
			kept = "until the watermark " + endOf(s.side.Bound)
		}
		text += fmt.Sprintf("; %s rows are kept %s", s.name, kept)
	}
	return text
}

// asOfRule says when rows find their match, and how long rows are kept.
func asOfRule(n *physical.AsOfJoin) string {
	bound, text := n.RightSide.Bound, "a left row comes out once, in the epoch after the watermark has passed it: then all that may be its match is there; the last right row of each key is kept "
	if n.Forward {
		bound, text = n.LeftSide.Bound, "a left row comes out once, in the epoch after the watermark has passed its match; it waits for one "
	}
	if !bound.Bounded() {
		return text + "for ever"
	}
	return text + "until the watermark " + endOf(bound)
}

// fixed reports whether no watermark moves the bound.
func fixed(b physical.StateBound) bool {
	return b.Key < 0 && slices.ContainsFunc(b.Ranges, func(r physical.RangeBound) bool { return r.Times == 0 })
}

// endOf says where the watermark must be to end a row.
func endOf(b physical.StateBound) string {
	if b.Key >= 0 {
		return "reaches their key"
	}
	const shown = 1_000_000_000_000 // a watermark, to see how far the bound is from it
	switch d := shown - b.Watermark(shown); {
	case d > 0:
		return "is " + span(d) + " beyond their event time"
	case d < 0:
		return "is " + span(-d) + " before their event time"
	}
	return "reaches their event time"
}
