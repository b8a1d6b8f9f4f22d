package expr

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// xpathFunctions are the functions of XPath 1.0 and how many arguments they take.
var xpathFunctions = map[string][2]int{
	"last": {0, 0}, "position": {0, 0}, "count": {1, 1}, "id": {1, 1}, "local-name": {0, 1}, "namespace-uri": {0, 1}, "name": {0, 1},
	"string": {0, 1}, "concat": {2, 1 << 30}, "starts-with": {2, 2}, "contains": {2, 2}, "substring-before": {2, 2}, "substring-after": {2, 2},
	"substring": {2, 3}, "string-length": {0, 1}, "normalize-space": {0, 1}, "translate": {3, 3}, "boolean": {1, 1}, "not": {1, 1},
	"true": {0, 0}, "false": {0, 0}, "lang": {1, 1}, "number": {0, 1}, "sum": {1, 1}, "floor": {1, 1}, "ceiling": {1, 1}, "round": {1, 1},
}

var errNoNodes = errors.New("the value is not a set of nodes")

// xpathContext is where an expression is evaluated.
type xpathContext struct {
	node      *xmlNode
	pos, size int
}

// eval returns []*xmlNode in document order, string, float64 or bool.
func (e *xpathExpr) eval(c xpathContext) (any, error) {
	switch e.op {
	case "string":
		return e.text, nil
	case "number":
		return e.num, nil
	case "path":
		n := c.node
		if e.root {
			n = n.root()
		}
		return walkSteps([]*xmlNode{n}, e.steps)
	case "or", "and":
		a, err := e.kids[0].eval(c)
		if err != nil || xpathBool(a) == (e.op == "or") {
			return e.op == "or", err
		}
		b, err := e.kids[1].eval(c)
		return err == nil && xpathBool(b), err
	}
	args := make([]any, len(e.kids))
	for i, k := range e.kids {
		var err error
		if args[i], err = k.eval(c); err != nil {
			return nil, err
		}
	}
	switch e.op {
	case "filter":
		return e.filter(args[0])
	case "|":
		a, ok := args[0].([]*xmlNode)
		b, ok2 := args[1].([]*xmlNode)
		if !ok || !ok2 {
			return nil, errNoNodes
		}
		return ordered(append(slices.Clone(a), b...)), nil
	case "neg":
		return -xpathNumber(args[0]), nil
	case "=", "!=", "<", "<=", ">", ">=":
		return xpathCompare(e.op, args[0], args[1]), nil
	case "+", "-", "*", "div", "mod":
		a, b := xpathNumber(args[0]), xpathNumber(args[1])
		switch e.op {
		case "+":
			return a + b, nil
		case "-":
			return a - b, nil
		case "*":
			return a * b, nil
		case "div":
			return a / b, nil
		}
		return math.Mod(a, b), nil
	}
	return xpathCall(strings.TrimSuffix(e.op, "()"), args, c)
}

// filter applies predicates to a whole set, then goes on with steps.
func (e *xpathExpr) filter(v any) (any, error) {
	nodes, ok := v.([]*xmlNode)
	if !ok {
		return nil, errNoNodes
	}
	nodes, err := choose(nodes, e.steps[0].predicates)
	if err != nil {
		return nil, err
	}
	return walkSteps(nodes, e.steps[1:])
}

func walkSteps(nodes []*xmlNode, steps []xpathStep) ([]*xmlNode, error) {
	for _, s := range steps {
		var next []*xmlNode
		for _, n := range nodes {
			var list []*xmlNode
			n.along(s.axis, func(k *xmlNode) {
				if s.matches(k) {
					list = append(list, k)
				}
			})
			list, err := choose(list, s.predicates)
			if err != nil {
				return nil, err
			}
			next = append(next, list...)
		}
		nodes = ordered(next)
	}
	return nodes, nil
}

// choose keeps the nodes for which all predicates hold; a number is a position.
func choose(list []*xmlNode, predicates []*xpathExpr) ([]*xmlNode, error) {
	for _, p := range predicates {
		var kept []*xmlNode
		for i, n := range list {
			v, err := p.eval(xpathContext{n, i + 1, len(list)})
			if err != nil {
				return nil, err
			}
			if at, ok := v.(float64); ok && at == float64(i+1) || !ok && xpathBool(v) {
				kept = append(kept, n)
			}
		}
		list = kept
	}
	return list, nil
}

func (s *xpathStep) matches(n *xmlNode) bool {
	switch s.test {
	case "node()":
		return true
	case "text()":
		return n.kind == xmlText
	case "comment()":
		return n.kind == xmlComment
	case "processing-instruction()":
		return n.kind == xmlInstruction && (s.target == "" || s.target == n.name)
	}
	principal := xmlElement
	if s.axis == "attribute" {
		principal = xmlAttribute
	}
	if n.kind != principal {
		return false
	}
	// A prefix stands for no name space here, so that a name with one is no node's.
	return s.test == "*" || n.name == s.test && !strings.Contains(s.test, ":")
}

// ordered sorts nodes as they stand in the document and leaves out doubles.
func ordered(nodes []*xmlNode) []*xmlNode {
	slices.SortFunc(nodes, func(a, b *xmlNode) int { return a.order - b.order })
	return slices.Compact(nodes)
}

func xpathBool(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case float64:
		return v != 0 && v == v
	case string:
		return v != ""
	}
	return len(v.([]*xmlNode)) > 0
}

func xpathNumber(v any) float64 {
	switch v := v.(type) {
	case bool:
		if v {
			return 1
		}
		return 0
	case float64:
		return v
	}
	s := strings.Trim(xpathString(v), " \t\r\n")
	digits := strings.TrimPrefix(s, "-")
	if strings.ContainsAny(digits, "eE+-") || !plainNumber(digits, true) {
		return math.NaN()
	}
	f, _ := strconv.ParseFloat(s, 64)
	return f
}

func xpathString(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case float64:
		switch {
		case v != v:
			return "NaN"
		case math.IsInf(v, 0):
			return strings.TrimPrefix(strconv.FormatFloat(v, 'f', -1, 64), "+") + "inity"
		case v == 0:
			return "0"
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		return v
	}
	if nodes := v.([]*xmlNode); len(nodes) > 0 {
		return nodes[0].str()
	}
	return ""
}

// xpathCompare compares as XPath 1.0 does: of a set of nodes one that fits is
// enough.
func xpathCompare(op string, a, b any) bool {
	x, isX := a.([]*xmlNode)
	y, isY := b.([]*xmlNode)
	_, boolA := a.(bool)
	_, boolB := b.(bool)
	switch {
	case isX && !boolB:
		for _, n := range x {
			if _, number := b.(float64); number {
				if xpathCompare(op, xpathNumber(n.str()), b) {
					return true
				}
			} else if xpathCompare(op, n.str(), b) {
				return true
			}
		}
		return false
	case isY && !boolA:
		for _, n := range y {
			if _, number := a.(float64); number {
				if xpathCompare(op, a, xpathNumber(n.str())) {
					return true
				}
			} else if xpathCompare(op, a, n.str()) {
				return true
			}
		}
		return false
	}
	if op == "=" || op == "!=" {
		_, numberA := a.(float64)
		_, numberB := b.(float64)
		equal := false
		switch {
		case boolA || boolB:
			equal = xpathBool(a) == xpathBool(b)
		case numberA || numberB:
			equal = xpathNumber(a) == xpathNumber(b)
		default:
			equal = xpathString(a) == xpathString(b)
		}
		return equal == (op == "=")
	}
	if isX {
		a = xpathBool(a)
	}
	if isY {
		b = xpathBool(b)
	}
	p, q := xpathNumber(a), xpathNumber(b)
	switch op {
	case "<":
		return p < q
	case "<=":
		return p <= q
	case ">":
		return p > q
	}
	return p >= q
}

// xpathCall evaluates a function of the core library.
func xpathCall(fn string, args []any, c xpathContext) (any, error) {
	switch fn {
	case "last":
		return float64(c.size), nil
	case "position":
		return float64(c.pos), nil
	case "true", "false":
		return fn == "true", nil
	case "count", "sum":
		nodes, ok := args[0].([]*xmlNode)
		if !ok {
			return nil, errNoNodes
		}
		if fn == "count" {
			return float64(len(nodes)), nil
		}
		total := 0.0
		for _, n := range nodes {
			total += xpathNumber(n.str())
		}
		return total, nil
	case "id":
		return []*xmlNode(nil), nil // without a DTD no attribute is one
	case "lang":
		want := strings.ToLower(xpathString(args[0]))
		for n := c.node; n != nil; n = n.parent {
			for _, a := range n.attrs {
				if got := strings.ToLower(a.text); a.name == "xml:lang" {
					return got == want || strings.HasPrefix(got, want+"-"), nil
				}
			}
		}
		return false, nil
	case "boolean", "not":
		return xpathBool(args[0]) == (fn == "boolean"), nil
	case "floor":
		return math.Floor(xpathNumber(args[0])), nil
	case "ceiling":
		return math.Ceil(xpathNumber(args[0])), nil
	case "round":
		return math.Floor(xpathNumber(args[0]) + 0.5), nil
	}
	if len(args) == 0 {
		args = []any{[]*xmlNode{c.node}}
	}
	return xpathText(fn, args)
}

// xpathText evaluates the functions of text and names.
func xpathText(fn string, args []any) (any, error) {
	switch fn {
	case "number":
		return xpathNumber(args[0]), nil
	case "name", "local-name", "namespace-uri":
		nodes, ok := args[0].([]*xmlNode)
		switch {
		case !ok:
			return nil, errNoNodes
		case len(nodes) == 0 || fn == "namespace-uri":
			return "", nil
		case fn == "local-name":
			return nodes[0].name[strings.IndexByte(nodes[0].name, ':')+1:], nil
		}
		return nodes[0].name, nil
	}
	texts := make([]string, len(args))
	for i, a := range args {
		texts[i] = xpathString(a)
	}
	s := texts[0]
	switch fn {
	case "concat":
		return strings.Join(texts, ""), nil
	case "starts-with":
		return strings.HasPrefix(s, texts[1]), nil
	case "contains":
		return strings.Contains(s, texts[1]), nil
	case "substring-before":
		before, _, ok := strings.Cut(s, texts[1])
		if !ok {
			before = ""
		}
		return before, nil
	case "substring-after":
		_, after, _ := strings.Cut(s, texts[1])
		return after, nil
	case "string-length":
		return float64(utf8.RuneCountInString(s)), nil
	case "normalize-space":
		return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }), " "), nil
	case "translate":
		from, to := []rune(texts[1]), []rune(texts[2])
		return strings.Map(func(r rune) rune {
			switch i := slices.Index(from, r); {
			case i < 0:
				return r
			case i < len(to):
				return to[i]
			}
			return -1
		}, s), nil
	case "substring":
		start := math.Floor(xpathNumber(args[1]) + 0.5)
		end := math.Inf(1)
		if len(args) > 2 {
			end = start + math.Floor(xpathNumber(args[2])+0.5)
		}
		var out []rune
		for i, r := range []rune(s) {
			if p := float64(i + 1); p >= start && p < end {
				out = append(out, r)
			}
		}
		return string(out), nil
	}
	return s, nil
}
