package expr

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// xpathExpr is a parsed XPath 1.0 expression: an operator or function over kids, a
// literal, or a location path, whose steps begin at the root, the context node
// or the first kid.
type xpathExpr struct {
	op    string // "or" … "|", "neg", "number", "string", "path", "filter", or a function's name and "()"
	text  string
	num   float64
	kids  []*xpathExpr
	root  bool
	steps []xpathStep
}

// xpathStep is one step of a path. Test is a name, "*", or a kind of node with
// "()".
type xpathStep struct {
	axis, test string
	// target is the argument of processing-instruction().
	target     string
	predicates []*xpathExpr
}

var errXPath = errors.New("the path is no XPath expression")

// maxXPathDepth bounds nesting of expressions.
const maxXPathDepth = 200

type xpathParser struct {
	toks  []string
	at    int
	depth int
}

// parseXPath reads an XPath 1.0 expression.
func parseXPath(s string) (e *xpathExpr, err error) {
	toks, err := xpathTokens(s)
	if err != nil {
		return nil, err
	}
	p := &xpathParser{toks: toks}
	e, err = p.binary(0)
	if err == nil && p.at < len(p.toks) {
		err = errXPath
	}
	return e, err
}

// xpathTokens splits an expression; literals keep their first quote.
func xpathTokens(s string) ([]string, error) {
	var out []string
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		n := size
		switch {
		case unicode.IsSpace(r):
			s = s[size:]
			continue
		case r == '"' || r == '\'':
			end := strings.IndexByte(s[1:], s[0])
			if end < 0 {
				return nil, errXPath
			}
			out = append(out, s[:end+1])
			s = s[end+2:]
			continue
		case strings.HasPrefix(s, "//"), strings.HasPrefix(s, "::"), strings.HasPrefix(s, ".."), strings.HasPrefix(s, "!="), strings.HasPrefix(s, "<="), strings.HasPrefix(s, ">="):
			n = 2
		case r >= '0' && r <= '9' || r == '.' && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
			n = countOf(s, urlDigits)
			if n < len(s) && s[n] == '.' {
				n += 1 + countOf(s[n+1:], urlDigits)
			}
		case strings.ContainsRune("()[]@,/|+-=<>*$.", r):
		case unicode.IsLetter(r) || r == '_':
			n = xpathName(s)
		default:
			return nil, errXPath
		}
		out = append(out, s[:n])
		s = s[n:]
	}
	return out, nil
}

// xpathName returns the length of the name that s begins with: prefix:local,
// prefix:* or local.
func xpathName(s string) int {
	part := func(s string) int {
		n := 0
		for n < len(s) {
			r, size := utf8.DecodeRuneInString(s[n:])
			if !(unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_' || r == '-' || r == '.' || r == '·') {
				break
			}
			n += size
		}
		return n
	}
	n := part(s)
	if n+1 < len(s) && s[n] == ':' && s[n+1] != ':' {
		if s[n+1] == '*' {
			return n + 2
		}
		if k := part(s[n+1:]); k > 0 {
			return n + 1 + k
		}
	}
	return n
}

func (p *xpathParser) is(t string) bool { return p.at < len(p.toks) && p.toks[p.at] == t }

func (p *xpathParser) take(t string) bool {
	if p.is(t) {
		p.at++
		return true
	}
	return false
}

func (p *xpathParser) peek(k int) string {
	if p.at+k < len(p.toks) {
		return p.toks[p.at+k]
	}
	return ""
}

// binary reads operators of a level and those that bind tighter.
func (p *xpathParser) binary(level int) (*xpathExpr, error) {
	levels := [...]string{" or ", " and ", " = != ", " < <= > >= ", " + - ", " * div mod "}
	if level == len(levels) {
		return p.unary()
	}
	if p.depth++; p.depth > maxXPathDepth*len(levels) {
		return nil, errXPath
	}
	defer func() { p.depth-- }()
	left, err := p.binary(level + 1)
	for err == nil && p.at < len(p.toks) && strings.Contains(levels[level], " "+p.toks[p.at]+" ") {
		op := p.toks[p.at]
		p.at++
		var right *xpathExpr
		right, err = p.binary(level + 1)
		left = &xpathExpr{op: op, kids: []*xpathExpr{left, right}}
	}
	return left, err
}

func (p *xpathParser) unary() (*xpathExpr, error) {
	negative := false
	for p.take("-") {
		negative = !negative
	}
	e, err := p.path()
	for err == nil && p.take("|") {
		var right *xpathExpr
		right, err = p.path()
		e = &xpathExpr{op: "|", kids: []*xpathExpr{e, right}}
	}
	if negative {
		e = &xpathExpr{op: "neg", kids: []*xpathExpr{e}}
	}
	return e, err
}

var xpathNodeTypes = map[string]bool{"text": true, "node": true, "comment": true, "processing-instruction": true}

// path reads a location path, or a primary expression with predicates and steps.
func (p *xpathParser) path() (*xpathExpr, error) {
	t := p.peek(0)
	first, _ := utf8.DecodeRuneInString(t)
	call := p.peek(1) == "(" && (unicode.IsLetter(first) || first == '_') && !xpathNodeTypes[t]
	if t != "(" && first != '"' && first != '\'' && !(first >= '0' && first <= '9') && !(first == '.' && len(t) > 1 && t != "..") && !call {
		e := &xpathExpr{op: "path"}
		switch {
		case p.take("//"):
			e.root = true
			e.steps = append(e.steps, xpathStep{axis: "descendant-or-self", test: "node()"})
		case p.take("/"):
			e.root = true
			if !p.startsStep() {
				return e, nil
			}
		}
		return p.relative(e)
	}
	e, err := p.primary(t, first, call)
	if err != nil || !p.is("[") && !p.is("/") && !p.is("//") {
		return e, err
	}
	filter := xpathStep{axis: "self", test: "node()"}
	if filter.predicates, err = p.predicates(); err != nil {
		return nil, err
	}
	e = &xpathExpr{op: "filter", kids: []*xpathExpr{e}, steps: []xpathStep{filter}}
	switch {
	case p.take("//"):
		e.steps = append(e.steps, xpathStep{axis: "descendant-or-self", test: "node()"})
	case !p.take("/"):
		return e, nil
	}
	return p.relative(e)
}

func (p *xpathParser) startsStep() bool {
	t := p.peek(0)
	r, _ := utf8.DecodeRuneInString(t)
	return t == "." || t == ".." || t == "@" || t == "*" || unicode.IsLetter(r) || r == '_'
}

func (p *xpathParser) primary(t string, first rune, call bool) (*xpathExpr, error) {
	p.at++
	switch {
	case t == "(":
		e, err := p.binary(0)
		if err == nil && !p.take(")") {
			err = errXPath
		}
		return e, err
	case first == '"' || first == '\'':
		return &xpathExpr{op: "string", text: t[1:]}, nil
	case !call:
		n, err := strconv.ParseFloat(t, 64)
		return &xpathExpr{op: "number", num: n}, err
	}
	p.at++
	e := &xpathExpr{op: t + "()"}
	for !p.take(")") {
		if len(e.kids) > 0 && !p.take(",") {
			return nil, errXPath
		}
		arg, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		e.kids = append(e.kids, arg)
	}
	limits, ok := xpathFunctions[t]
	if !ok || len(e.kids) < limits[0] || len(e.kids) > limits[1] {
		return nil, errXPath
	}
	return e, nil
}

// relative reads steps into e.
func (p *xpathParser) relative(e *xpathExpr) (*xpathExpr, error) {
	for {
		s, err := p.step()
		if err != nil {
			return nil, err
		}
		e.steps = append(e.steps, s)
		switch {
		case p.take("//"):
			e.steps = append(e.steps, xpathStep{axis: "descendant-or-self", test: "node()"})
		case !p.take("/"):
			return e, nil
		}
	}
}

func (p *xpathParser) step() (s xpathStep, err error) {
	if !p.startsStep() {
		return s, errXPath
	}
	s.axis = "child"
	switch {
	case p.take("."):
		return xpathStep{axis: "self", test: "node()"}, nil
	case p.take(".."):
		return xpathStep{axis: "parent", test: "node()"}, nil
	case p.take("@"):
		s.axis = "attribute"
	case p.peek(1) == "::":
		s.axis = p.peek(0)
		if !strings.Contains(" child attribute self parent descendant descendant-or-self ancestor ancestor-or-self following-sibling preceding-sibling following preceding namespace ", " "+s.axis+" ") {
			return s, errXPath
		}
		p.at += 2
	}
	if s.test = p.peek(0); s.test != "*" && (!p.startsStep() || s.test == "." || s.test == ".." || s.test == "@") {
		return s, errXPath
	}
	p.at++
	if xpathNodeTypes[s.test] && p.take("(") {
		if t := p.peek(0); s.test == "processing-instruction" && t != "" && (t[0] == '"' || t[0] == '\'') {
			s.target = t[1:]
			p.at++
		}
		if !p.take(")") {
			return s, errXPath
		}
		s.test += "()"
	}
	s.predicates, err = p.predicates()
	return s, err
}

func (p *xpathParser) predicates() (list []*xpathExpr, err error) {
	for p.take("[") {
		e, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		if !p.take("]") {
			return nil, errXPath
		}
		list = append(list, e)
	}
	return list, nil
}
