package expr

import (
	"testing"

	"github.com/flightd/flightd/plan/expr"
)

func TestXPath(t *testing.T) {
	doc := str(`<a id="7"><b>1</b><b k="x">2</b><c>cc<!-- n --></c></a>`)
	p := cols(expr.String)[0]
	check(t, call("xpath_string", expr.String, doc, p), []testCase{
		{in("a/b"), "1"}, {in("a/b[2]/@k"), "x"}, {in("//b[last()]"), "2"}, {in("a/c/text()"), "cc"}, {in("name(/*)"), "a"}, {in("a/b[@k='x']"), "2"},
		{in("count(//b) + 1"), "3"}, {in("concat(a/b, '-', a/c)"), "1-cc"}, {in("a/b = 2"), "true"}, {in("(//b)[1]/following-sibling::*[2]"), "cc"},
		{in("a/b[position() > 1]"), "2"}, {in("substring('12345', 2, 3)"), "234"}, {in("a/x | a/c"), "cc"}, {in("7 mod 3 * -2"), "-2"}, {in("a/@id/.."), "12cc"},
		{in("a/div"), ""}, {in("["), "!"}, {in("a/"), "!"}, {in("nope(1)"), "!"}, {in(""), "NULL"}, {in(nil), "NULL"},
	})
	d := cols(expr.String)[0]
	check(t, call("xpath_int", expr.Int32, d, str("a/b")), []testCase{{in("<a><b>-2.7</b></a>"), "-2"}, {in("<a/>"), "0"}, {in("<a"), "!"}, {in("<a/><b/>"), "!"}, {in(""), "NULL"}})
	check(t, call("xpath", expr.ArrayOf(expr.String, true), d, str("a/b/@k | a/c")), []testCase{{in(`<a><b k="9"/><c/></a>`), "[9, null]"}, {in("<a/>"), "[]"}, {in(nil), "NULL"}})
	check(t, call("xpath_boolean", expr.Bool, d, str("sum(a/b) = 3")), []testCase{{in("<a><b>1</b><b>2</b></a>"), "true"}, {in("<a/>"), "false"}})
}

func FuzzXPath(f *testing.F) {
	f.Add("a/b[2]/@k | //c[last()]", `<a><b k="9">x</b></a>`)
	f.Add("-count(a/*) div 2 mod 3 >= substring('x', 1)", "<a/>")
	f.Fuzz(func(t *testing.T, path, doc string) {
		e, err := parseXPath(path)
		if err != nil {
			return
		}
		if root, err := parseXML([]byte(doc)); err == nil && len(doc) < 1000 && len(path) < 100 {
			if v, err := e.eval(xpathContext{root, 1, 1}); err == nil {
				xpathString(v)
				xpathNumber(v)
			}
		}
	})
}
