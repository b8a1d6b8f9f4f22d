package expr

import (
	"testing"

	"github.com/flightd/flightd/plan/expr"
)

func TestCSV(t *testing.T) {
	s := cols(expr.String)[0]
	two := expr.StructOf(expr.Field{Name: "a", Type: expr.Int32, Nullable: true}, expr.Field{Name: "b", Type: expr.String, Nullable: true})
	check(t, call("from_csv", two, s), []testCase{
		{in("1,abc"), "{1, abc}"}, {in(" 1 , b "), "{null,  b }"}, {in(`1,"a\"b, c"`), `{1, a"b, c}`}, {in(`1,"x""y"`), `{1, "x""y"}`}, {in("1"), "{1, null}"},
		{in(""), "{null, null}"}, {in(`,""`), "{null, null}"}, {in(nil), "NULL"}, {in(`"2`), "{2, null}"},
	})
	check(t, call("schema_of_csv", expr.String, s), []testCase{
		{in("1,abc"), "STRUCT<_c0: INT, _c1: STRING>"}, {in("1e5,true"), "STRUCT<_c0: DOUBLE, _c1: BOOLEAN>"}, {in("2020-01-01,3000000000"), "STRUCT<_c0: DATE, _c1: BIGINT>"},
	})
	check(t, call("schema_of_json", expr.String, s), []testCase{
		{in(`{"b":1,"a":[{"x":1},{"y":2.5}]}`), "STRUCT<a: ARRAY<STRUCT<x: BIGINT, y: DOUBLE>>, b: BIGINT>"}, {in("[]"), "ARRAY<STRING>"}, {in(`{"a":{}}`), "STRUCT<>"},
	})
	row := call("struct", expr.StructOf(expr.Field{Name: "a", Type: expr.String, Nullable: true}, expr.Field{Name: "b", Type: expr.String, Nullable: true}), cols(expr.String, expr.String)...)
	row.Fn, row.Null = "named_struct", false
	row.Args = []expr.Expr{str("a"), row.Args[0], str("b"), row.Args[1]}
	check(t, call("to_csv", expr.String, row), []testCase{
		{in("a,b", `q"r`), `"a,b","q\"r"`}, {in("", " x "), `"",x`}, {in("x", nil), "x,"}, {in("a\nb", "c"), "\"a\nb\",c"},
	})
}

// FuzzCSV holds that a record that was written is read back, but for white space
// around values.
func FuzzCSV(f *testing.F) {
	f.Add("a", `b"`, `"x""y",z`)
	f.Fuzz(func(t *testing.T, a, b, raw string) {
		o, err := newCSVOptions(&expr.Call{}, 1, &Env{}, true)
		if err != nil {
			t.Fatal(err)
		}
		o.split([]byte(raw))
		o.trimOut = [2]bool{}
		line := o.write(nil, []byte(a), true, false)
		line = o.write(append(line, ','), []byte(b), false, false)
		got := o.split(line)
		if len(got) != 2 || string(got[0].text) != a || string(got[1].text) != b {
			t.Fatalf("%q and %q are %q, read back as %v", a, b, line, got)
		}
	})
}
