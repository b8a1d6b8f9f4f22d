package sql

import (
	"strings"

	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// subscribeWords begin the options of SUBSCRIBE; behind its query they are no
// aliases.
var subscribeWords = map[string]bool{
	"SNAPSHOT": true, "PROGRESS": true, "RESUME": true, "UP": true, "FOR": true, "ENVELOPE": true, "LIMIT": true,
}

// subscribe reads SUBSCRIBE TO name | query and its options, in any order. A
// LIMIT at the end of a query without parentheses is the subscription's.
func (p *parser) subscribe(t token) logical.Statement {
	p.at++
	p.mustWord("TO")
	s := &logical.Subscribe{Options: map[string]string{}}
	if p.startsQuery(0) || p.isOp("(") {
		p.stops = subscribeWords
		s.Plan = p.query()
		p.stops = nil
	} else {
		s.Name = p.names("a table, a query or SELECT")
	}
	seen := map[string]bool{}
	for p.subscribeOption(s, seen) {
	}
	s.Stmt = p.stmt(t)
	return s
}

func (p *parser) subscribeOption(s *logical.Subscribe, seen map[string]bool) bool {
	t := p.tok()
	if p.isWord("FROM", "RESUME") && !seen["FROM"] && seen["RESUME"] || p.isWord("RESUME") && seen["FROM"] {
		p.failAt(t.pos(), "DUPLICATE_CLAUSES", "42614", "FROM EPOCH and RESUME both say where to start. Please, remove one of them.")
	}
	if !p.isWord("SNAPSHOT", "PROGRESS", "FROM", "RESUME", "UP", "FOR", "LIMIT", "ENVELOPE") {
		return false
	}
	p.once(t, seen)
	p.at++
	switch t.upper {
	case "SNAPSHOT", "PROGRESS":
		s.Options[t.upper] = "true"
	case "FROM":
		p.mustWord("EPOCH")
		s.Options["FROM EPOCH"] = p.wholeNumber("an epoch")
	case "RESUME":
		s.Options["RESUME"] = p.mustText("a resume token in quotes")
	case "UP":
		p.mustWord("TO", "EPOCH")
		s.Options["UP TO EPOCH"] = p.wholeNumber("an epoch")
	case "FOR":
		if !p.isWord("INTERVAL") {
			p.unexpected("INTERVAL '10 seconds'")
		}
		s.Options["FOR"] = p.intervalSource("'10 seconds'")
	case "LIMIT":
		s.Options["LIMIT"] = p.wholeNumber("a number of rows")
	case "ENVELOPE":
		s.Options["ENVELOPE"] = p.envelope()
	}
	return true
}

func (p *parser) wholeNumber(what string) string {
	t := p.tok()
	if t.kind != integer {
		p.unexpected(what)
	}
	p.at++
	return p.text[t.start:t.end]
}

// envelope reads append, changelog or upsert(key, …).
func (p *parser) envelope() string {
	kind := strings.ToLower(p.anyWord("APPEND", "CHANGELOG", "UPSERT"))
	switch kind {
	case "":
		p.unexpected("append", "changelog", "upsert(key)")
	case "upsert":
		names := p.nameList("a key column")
		for i, n := range names {
			names[i] = expr.QuoteIfNeeded(n)
		}
		return "upsert(" + strings.Join(names, ", ") + ")"
	}
	return kind
}
