package sql

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/logical"
)

// createQuery reads what follows CREATE STREAMING QUERY: clauses in any order,
// the sink, the query.
func (p *parser) createQuery(t token) logical.Statement {
	q := &logical.CreateQuery{IfNotExists: p.word("IF", "NOT", "EXISTS")}
	q.Name = p.name("a query")
	seen := map[string]bool{}
	for p.queryClause(q, seen) {
	}
	if !p.word("INTO") {
		p.unexpected("OUTPUT MODE", "TRIGGER", "CHECKPOINT LOCATION", "LATE ROWS INTO", "INTO")
	}
	if p.isWord("TABLE") && p.isName(1) {
		p.at++
		q.Table = p.names("a table")
	} else {
		q.Format = p.format()
	}
	for {
		c := p.tok()
		switch {
		case p.isWord("OPTIONS") && p.isOpAt(1, "("):
			p.once(c, seen)
			p.at++
			q.Options = p.options()
			continue
		case p.isPhrase("PARTITIONED", "BY"):
			p.once(c, seen)
			p.at += 2
			q.PartitionBy = p.nameList("a column")
			continue
		case p.isWord("OUTPUT", "TRIGGER", "CHECKPOINT", "LATE"):
			err := base.UserError("PARSE_SYNTAX_ERROR", "42601", "Syntax error at or near %s.", p.near(c)).At(c.pos())
			p.fail(err.WithHint("%s stands before INTO", c.upper))
		}
		break
	}
	p.mustWord("AS")
	q.Text, q.Plan = p.queryText()
	q.Stmt = p.stmt(t)
	return q
}

// queryClause reads one clause before INTO and reports whether there was one.
func (p *parser) queryClause(q *logical.CreateQuery, seen map[string]bool) bool {
	t := p.tok()
	if !p.isWord("OUTPUT", "TRIGGER", "CHECKPOINT", "LATE") {
		return false
	}
	p.once(t, seen)
	p.at++
	switch t.upper {
	case "OUTPUT":
		p.mustWord("MODE")
		m := p.tok()
		if m.kind != word && m.kind != text {
			p.unexpected("append", "update", "complete")
		}
		if m.kind == text {
			q.OutputMode = p.textLiteral()
		} else {
			q.OutputMode = p.text[m.start:m.end]
			p.at++
		}
	case "TRIGGER":
		q.Trigger = p.trigger()
	case "CHECKPOINT":
		p.mustWord("LOCATION")
		q.Checkpoint = p.mustText("a directory such as '/data/checkpoints/q'")
	case "LATE":
		p.mustWord("ROWS", "INTO")
		p.word("TABLE")
		q.LateRows = p.names("a table")
	}
	return true
}

// triggers are the kinds of trigger, as TriggerSpec spells them.
var triggers = []struct {
	words    []string
	kind     string
	interval string // an example; "" for none
}{
	{[]string{"PROCESSING", "TIME"}, "processing time", "'5 seconds'"},
	{[]string{"AVAILABLE", "NOW"}, "available now", ""},
	{[]string{"ONCE"}, "once", ""},
	{[]string{"CONTINUOUS"}, "continuous", "'1 second'"},
	{[]string{"REAL", "TIME"}, "real time", "'5 minutes'"},
}

func (p *parser) trigger() *logical.TriggerSpec {
	t := p.tok()
	for _, k := range triggers {
		if !p.word(k.words...) {
			continue
		}
		spec := &logical.TriggerSpec{Kind: k.kind}
		if k.interval != "" {
			spec.Interval = p.intervalSource(k.interval)
		}
		spec.At = p.since(t)
		return spec
	}
	p.unexpected("PROCESSING TIME '5 seconds'", "AVAILABLE NOW", "ONCE")
	return nil
}

// intervalSource reads '10 seconds' or INTERVAL 10 SECONDS and returns a text
// that ParseInterval reads.
func (p *parser) intervalSource(example string) string {
	if p.isWord("INTERVAL") && p.isInterval() {
		if p.ahead(1).kind == text && !p.isIntervalAfterText() {
			p.at++
			return p.textLiteral()
		}
		first := p.at + 1
		p.interval()
		return unquoteAll(p.source(first))
	}
	return p.mustText("an interval such as " + example)
}

// isIntervalAfterText reports whether INTERVAL 'text' goes on with a unit.
func (p *parser) isIntervalAfterText() bool {
	u := p.ahead(2)
	if u.kind != word {
		return false
	}
	n := len(u.upper)
	return unitNames[u.upper] || n > 0 && u.upper[n-1] == 'S' && unitNames[u.upper[:n-1]]
}

// unquoteAll removes the quotes of '5' SECONDS.
func unquoteAll(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\'' && s[i] != '"' {
			out = append(out, s[i])
		}
	}
	return string(out)
}
