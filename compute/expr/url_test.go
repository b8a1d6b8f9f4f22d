package expr

import (
	"testing"

	"github.com/flightd/flightd/plan/expr"
)

func TestParseURL(t *testing.T) {
	const full = "http://user:pw@spark.apache.org:8080/path/a?query=1&k=v#Ref"
	n := cols(expr.String, expr.String)
	parse := call("parse_url", expr.String, n...)
	check(t, parse, []testCase{
		{in(full, "HOST"), "spark.apache.org"}, {in(full, "PATH"), "/path/a"}, {in(full, "QUERY"), "query=1&k=v"}, {in(full, "REF"), "Ref"},
		{in(full, "PROTOCOL"), "http"}, {in(full, "FILE"), "/path/a?query=1&k=v"}, {in(full, "AUTHORITY"), "user:pw@spark.apache.org:8080"},
		{in(full, "USERINFO"), "user:pw"}, {in(full, "host"), "NULL"}, {in("mailto:x@y", "PATH"), "NULL"}, {in("a b", "HOST"), "!INVALID_URL"},
		{in("http://[::1%eth0]:80/", "HOST"), "[::1%eth0]"}, {in("http://1.2.3.4.5/", "HOST"), "NULL"}, {in("http://1.2.3.4.5/", "AUTHORITY"), "1.2.3.4.5"},
		{in("http://a_b/", "HOST"), "NULL"}, {in("http://a-/", "HOST"), "NULL"}, {in("http://", "HOST"), "!INVALID_URL"}, {in("file:///x", "PATH"), "/x"},
		{in("1a:b", "PATH"), "!INVALID_URL"}, {in("x%zz", "PATH"), "!INVALID_URL"}, {in(nil, "HOST"), "NULL"}, {in("", "PATH"), ""},
	})
	n = cols(expr.String, expr.String, expr.String)
	check(t, call("parse_url", expr.String, n...), []testCase{
		{in(full, "QUERY", "k"), "v"}, {in(full, "QUERY", "[qk]"), "v"}, {in(full, "QUERY", "x"), "NULL"}, {in(full, "HOST", "k"), "NULL"}, {in("a b", "HOST", "k"), "NULL"},
	})
	try := call("try_parse_url", expr.String, cols(expr.String, expr.String)...)
	try.Mode = expr.Try
	check(t, try, []testCase{{in("a b", "HOST"), "NULL"}})
}

func FuzzParseURI(f *testing.F) {
	f.Add("http://user:pw@spark.apache.org:8080/path/a?query=1&k=v#Ref")
	f.Add("//[::1%a]:0?#")
	f.Fuzz(func(t *testing.T, s string) {
		u, ok := parseURI(s)
		if ok && u.path == nil && u.scheme == nil {
			t.Errorf("%q has neither a scheme nor a path", s)
		}
	})
}
