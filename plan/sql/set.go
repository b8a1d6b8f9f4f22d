package sql

import (
	"strings"

	"github.com/flightd/flightd/plan/logical"
)

// set reads SET, SET -v, SET key, SET key = value and SET TIME ZONE. Key and
// value are free text up to the semicolon.
func (p *parser) set(t token) logical.Statement {
	p.at++
	s := &logical.Set{}
	switch {
	case p.end() || p.isOp(";"):
		s.ListAll = true
	case p.isOp("-") && p.isWordAt(1, "V"):
		p.at += 2
		s.ListAll = true
	case p.isPhrase("TIME", "ZONE"):
		p.at += 2
		s.Key, s.HasValue = "spark.sql.session.timeZone", true
		s.Value = p.zoneName()
	case p.isWord("CATALOG", "VARIABLE", "VAR", "ROLE", "PATH") && p.isName(1):
		p.unsupported(t, "SET "+p.tok().upper, "")
	default:
		p.setKey(s)
	}
	s.Stmt = p.stmt(t)
	return s
}

func (p *parser) setKey(s *logical.Set) {
	first := p.at
	for !p.end() && !p.isOp(";", "=") {
		p.at++
	}
	s.Key = unquoteName(p.source(first))
	if s.Key == "" {
		p.unexpected("a setting's name")
	}
	if !p.isOp("=") {
		if strings.ContainsAny(s.Key, " \t\n") {
			p.at = first
			p.failAt(p.tok().pos(), "INVALID_SET_SYNTAX", "42000",
				"Expected format is 'SET', 'SET key', or 'SET key=value'. If you want to include special characters in key, or include semicolon in value, please use backquotes, e.g., SET `key`=`value`.")
		}
		return
	}
	p.at++
	first = p.at
	for !p.end() && !p.isOp(";") {
		p.at++
	}
	s.HasValue = true
	s.Value = unquoteName(p.source(first))
}

// unquoteName removes the back-quotes around a whole key or value.
func unquoteName(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '`' && strings.IndexByte(s[1:], '`') == len(s)-2 {
		return s[1 : len(s)-1]
	}
	return s
}

// zoneName reads LOCAL, 'name' or INTERVAL n HOURS.
func (p *parser) zoneName() string {
	t := p.tok()
	switch {
	case p.word("LOCAL"):
		return "LOCAL"
	case t.kind == text:
		return p.textLiteral()
	case p.isWord("INTERVAL") && p.isInterval():
		e := p.interval()
		micros, _ := literalMicros(e)
		sec := micros / microsPerSecond
		sign := "+"
		if sec < 0 {
			sign, sec = "-", -sec
		}
		if sec > 18*3600 {
			p.failAt(e.Pos(), "_LEGACY_ERROR_TEMP_0044", "", "The interval value must be in the range of [-18, +18] hours with second precision.")
		}
		return sign + two(sec/3600) + ":" + two(sec/60%60)
	case p.isName(0) && !p.isOpAt(1, "="):
		parts := []string{p.name("a zone")}
		for p.isOp("/") && p.isName(1) {
			p.at++
			parts = append(parts, p.name("a zone"))
		}
		return strings.Join(parts, "/")
	}
	p.unexpected("LOCAL", "a zone such as 'Europe/Berlin'")
	return ""
}

func two(n int64) string {
	if n < 10 {
		return "0" + itoa(int(n))
	}
	return itoa(int(n))
}

func (p *parser) reset(t token) logical.Statement {
	p.at++
	s := &logical.Set{Reset: true}
	first := p.at
	p.toStatementEnd()
	s.Key = unquoteName(p.source(first))
	s.Stmt = p.stmt(t)
	return s
}
