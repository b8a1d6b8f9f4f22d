package expr

import (
	"testing"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
)

func ints3(v ...any) []any {
	out := make([]any, len(v))
	for i, x := range v {
		if n, ok := x.(int); ok {
			out[i] = int64(n)
		}
	}
	return out
}

func TestCollections(t *testing.T) {
	arr := expr.ArrayOf(expr.Int32, true)
	a := cols(arr)[0]
	for fn, cases := range map[string][]testCase{
		"array_distinct": {{in(ints3(1, 2, 1, nil, nil)), "[1, 2, null]"}}, "array_compact": {{in(ints3(1, nil)), "[1]"}},
		"sort_array": {{in(ints3(3, nil, 1)), "[null, 1, 3]"}}, "array_sort": {{in(ints3(3, nil, 1)), "[1, 3, null]"}}, "reverse": {{in(ints3(1, 2)), "[2, 1]"}},
	} {
		check(t, call(fn, arr, a), append(cases, testCase{in(nil), "NULL"}, testCase{in([]any{}), "[]"}))
	}
	check(t, call("size", expr.Int32, a), []testCase{{in(ints3(1, 2)), "2"}, {in(nil), "NULL"}})
	check(t, call("array_max", expr.Int32, a), []testCase{{in(ints3(1, nil, 3)), "3"}, {in([]any{}), "NULL"}})
	check(t, call("array_contains", expr.Bool, a, cols(nil, expr.Int32)[1]), []testCase{{in(ints3(1, nil), 1), "true"}, {in(ints3(1, nil), 2), "NULL"}, {in(ints3(1), 2), "false"}})
	check(t, call("getitem", expr.Int32, a, cols(nil, expr.Int32)[1]), []testCase{{in(ints3(5, 6), 1), "6"}, {in(ints3(5), 1), "!INVALID_ARRAY_INDEX"}, {in(ints3(5), -1), "!INVALID_ARRAY_INDEX"}, {in(nil, 0), "NULL"}})
	check(t, call("element_at", expr.Int32, a, cols(nil, expr.Int32)[1]), []testCase{{in(ints3(5, 6), -1), "6"}, {in(ints3(5), 2), "!INVALID_ARRAY_INDEX_IN_ELEMENT_AT"}, {in(ints3(5), 0), "!INVALID_INDEX_OF_ZERO"}})
	check(t, call("get", expr.Int32, a, cols(nil, expr.Int32)[1]), []testCase{{in(ints3(5), 3), "NULL"}})
	two := cols(arr, arr)
	check(t, call("array_union", arr, two...), []testCase{{in(ints3(1, 2), ints3(2, 3)), "[1, 2, 3]"}})
	check(t, call("array_except", arr, two...), []testCase{{in(ints3(1, 2, nil), ints3(2)), "[1, null]"}})
	check(t, call("array_intersect", arr, two...), []testCase{{in(ints3(1, 2, nil), ints3(2, nil)), "[2, null]"}})
	check(t, call("arrays_overlap", expr.Bool, two...), []testCase{{in(ints3(1), ints3(1)), "true"}, {in(ints3(1, nil), ints3(2)), "NULL"}, {in(ints3(1), ints3(2)), "false"}})
	check(t, call("concat", arr, two...), []testCase{{in(ints3(1), ints3(2)), "[1, 2]"}, {in(nil, ints3(2)), "NULL"}})
	check(t, call("slice", arr, a, cols(nil, expr.Int32)[1], num(2)), []testCase{{in(ints3(1, 2, 3), -2), "[2, 3]"}, {in(ints3(1, 2), 0), "!INVALID_PARAMETER_VALUE.START"}, {in(ints3(1), 5), "[]"}})
	check(t, call("sequence", arr, cols(expr.Int32, expr.Int32)...), []testCase{{in(1, 3), "[1, 2, 3]"}, {in(3, 1), "[3, 2, 1]"}, {in(nil, 1), "NULL"}})
	check(t, call("flatten", arr, cols(expr.ArrayOf(arr, true))[0]), []testCase{{in([]any{ints3(1), ints3(2, 3)}), "[1, 2, 3]"}, {in([]any{ints3(1), nil}), "NULL"}})
	check(t, call("array", arr, cols(expr.Int32, expr.Int32)...), []testCase{{in(1, nil), "[1, null]"}})
	check(t, call("array_append", arr, a, cols(nil, expr.Int32)[1]), []testCase{{in(ints3(1), nil), "[1, null]"}, {in(nil, 1), "NULL"}})
	check(t, call("array_repeat", arr, cols(expr.Int32, expr.Int32)...), []testCase{{in(7, 2), "[7, 7]"}, {in(nil, 1), "[null]"}, {in(1, -1), "[]"}})
	m := expr.MapOf(expr.String, expr.Int32, true)
	check(t, call("map", m, cols(expr.String, expr.Int32)[0], cols(nil, expr.Int32)[1], str("z"), num(1)), []testCase{{in("a", 2), "{a -> 2, z -> 1}"}, {in("z", 2), "!DUPLICATED_MAP_KEY"}, {in(nil, 2), "!NULL_MAP_KEY"}})
	mc := cols(m)[0]
	e := []expr.MapEntry{{Key: "a", Value: int64(1)}, {Key: "b", Value: nil}}
	check(t, call("getmapvalue", expr.Int32, mc, cols(nil, expr.String)[1]), []testCase{{in(e, "a"), "1"}, {in(e, "x"), "NULL"}, {in(nil, "a"), "NULL"}})
	check(t, call("map_keys", expr.ArrayOf(expr.String, false), mc), []testCase{{in(e), "[a, b]"}, {in(nil), "NULL"}})
	check(t, call("str_to_map", expr.MapOf(expr.String, expr.String, true), cols(expr.String)[0]), []testCase{{in("a:1,b"), "{a -> 1, b -> null}"}, {in("a:1,a:2"), "!DUPLICATED_MAP_KEY"}})
	st := expr.StructOf(expr.Field{Name: "x", Type: expr.Int32, Nullable: true}, expr.Field{Name: "y", Type: expr.String, Nullable: true})
	check(t, call("getfield", expr.Int32, cols(st)[0], num(0)), []testCase{{in([]any{int64(1), "p"}), "1"}, {in(nil), "NULL"}, {in([]any{nil, "p"}), "NULL"}})
	check(t, call("named_struct", st, str("x"), cols(expr.Int32)[0], str("y"), str("k")), []testCase{{in(1), "{1, k}"}, {in(nil), "{null, k}"}})
}

func TestLambdas(t *testing.T) {
	arr := expr.ArrayOf(expr.Int32, true)
	x := &expr.LambdaVar{ID: 1, Name: "x", Typ: expr.Int32, Null: true}
	y := &expr.LambdaVar{ID: 2, Name: "y", Typ: expr.Int32, Null: true}
	outer := cols(nil, expr.Int32)[1]
	fn := func(body expr.Expr, params ...*expr.LambdaVar) expr.Expr {
		return &expr.Lambda{Params: params, Body: body}
	}
	a := cols(arr)[0]
	plus := call("+", expr.Int32, x, outer)
	check(t, call("transform", arr, a, fn(plus, x)), []testCase{
		{in(ints3(1, nil), 10), "[11, null]"}, {in(nil, 1), "NULL"}, {in([]any{}, 1), "[]"}, {in(ints3(2147483647), 1), "!ARITHMETIC_OVERFLOW"},
	})
	check(t, call("transform", arr, a, fn(call("*", expr.Int32, x, y), x, y)), []testCase{{in(ints3(5, 6, 7)), "[0, 6, 14]"}})
	check(t, call("filter", arr, a, fn(call(">", expr.Bool, x, outer), x)), []testCase{{in(ints3(1, 5, nil, 9), 4), "[5, 9]"}, {in(nil, 1), "NULL"}})
	check(t, call("exists", expr.Bool, a, fn(call(">", expr.Bool, x, outer), x)), []testCase{{in(ints3(1, 9), 4), "true"}, {in(ints3(1, nil), 4), "NULL"}, {in([]any{}, 4), "false"}})
	check(t, call("forall", expr.Bool, a, fn(call(">", expr.Bool, x, outer), x)), []testCase{{in(ints3(5, 9), 4), "true"}, {in(ints3(5, nil), 4), "NULL"}, {in(ints3(1, nil), 4), "false"}})
	check(t, call("aggregate", expr.Int32, a, num(0), fn(call("+", expr.Int32, y, x), y, x), fn(call("*", expr.Int32, y, num(10)), y)), []testCase{
		{in(ints3(1, 2, 3)), "60"}, {in([]any{}), "0"}, {in(nil), "NULL"}, {in(ints3(1, nil)), "NULL"},
	})
	check(t, call("zip_with", arr, a, cols(nil, arr)[1], fn(call("coalesce", expr.Int32, x, y), x, y)), []testCase{{in(ints3(1), ints3(7, 8)), "[1, 8]"}})
	desc := call("-", expr.Int32, y, x)
	check(t, call("array_sort", arr, a, fn(desc, x, y)), []testCase{{in(ints3(1, 3, 2)), "[3, 2, 1]"}, {in(nil), "NULL"}})
	// A lambda inside a lambda sees both parameters.
	nested := expr.ArrayOf(arr, true)
	z := &expr.LambdaVar{ID: 3, Name: "z", Typ: arr, Null: true}
	inner := call("transform", arr, z, fn(call("+", expr.Int32, x, call("size", expr.Int32, z)), x))
	check(t, call("transform", nested, cols(nested)[0], fn(inner, z)), []testCase{{in([]any{ints3(1, 2), ints3(5)}), "[[3, 4], [6]]"}})
	m := expr.MapOf(expr.String, expr.Int32, true)
	k := &expr.LambdaVar{ID: 4, Name: "k", Typ: expr.String}
	e := []expr.MapEntry{{Key: "a", Value: int64(1)}, {Key: "b", Value: int64(2)}}
	check(t, call("transform_values", m, cols(m)[0], fn(call("+", expr.Int32, x, num(1)), k, x)), []testCase{{in(e), "{a -> 2, b -> 3}"}})
	check(t, call("map_filter", m, cols(m)[0], fn(call(">", expr.Bool, x, num(1)), k, x)), []testCase{{in(e), "{b -> 2}"}})
	check(t, call("transform_keys", m, cols(m)[0], fn(str("same"), k, x)), []testCase{{in(e), "!DUPLICATED_MAP_KEY"}})
}

func TestGenerators(t *testing.T) {
	arr := expr.ArrayOf(expr.Int32, true)
	in0 := &Input{Cols: []*vec.Vec{testColumn(t, arr, ints3(1, 2), nil, []any{}, ints3(3))}, Rows: 4, Sel: []int32{0, 1, 3}}
	gen := func(fn string, typ *expr.Type, args ...expr.Expr) ([]int32, []*vec.Vec) {
		t.Helper()
		g, err := CompileGenerator(call(fn, typ, args...), &Env{})
		if err != nil {
			t.Fatal(err)
		}
		rows, made, err := g.Generate(in0)
		if err != nil {
			t.Fatal(err)
		}
		return rows, made
	}
	show := func(rows []int32, made []*vec.Vec) string {
		s := ""
		for i, r := range rows {
			s += string(rune('0'+r)) + ":"
			for _, c := range made {
				s += string(AppendText(nil, c, i, nil)) + ","
			}
			s += " "
		}
		return s
	}
	col := expr.StructOf(expr.Field{Name: "col", Type: expr.Int32})
	if got := show(gen("explode", col, cols(arr)[0])); got != "0:1, 0:2, 3:3, " {
		t.Error(got)
	}
	pos := expr.StructOf(expr.Field{Name: "pos", Type: expr.Int32}, expr.Field{Name: "col", Type: expr.Int32})
	if got := show(gen("posexplode_outer", pos, cols(arr)[0])); got != "0:0,1, 0:1,2, 3:0,3, " {
		t.Error(got)
	}
	if got := show(gen("stack", expr.StructOf(expr.Field{Name: "c", Type: expr.Int32, Nullable: true}), num(2), num(7), num(8))); got != "0:7, 0:8, 1:7, 1:8, 3:7, 3:8, " {
		t.Error(got)
	}
}

func TestJSON(t *testing.T) {
	s := cols(expr.String, expr.String)
	check(t, call("get_json_object", expr.String, s...), []testCase{
		{in(`{"a":{"b":[1,{"c":"x"}]}}`, "$.a.b[1].c"), "x"}, {in(`{"a":1.50}`, "$.a"), "1.5"}, {in(`[{"a":1},{"a":2}]`, "$[*].a"), "[1,2]"}, {in(`{`, "$.a"), "NULL"}, {in(`{"a":null}`, "$.a"), "NULL"}, {in(nil, "$"), "NULL"},
	})
	st := expr.StructOf(expr.Field{Name: "a", Type: expr.Int32, Nullable: true}, expr.Field{Name: "b", Type: expr.ArrayOf(expr.String, true), Nullable: true})
	check(t, call("from_json", st, s[0], str("")), []testCase{
		{in(`{"a":1,"b":["x",2]}`), "{1, [x, 2]}"}, {in(`{"a":1.0}`), "{null, null}"}, {in("bad"), "{null, null}"}, {in(""), "NULL"}, {in(nil), "NULL"},
	})
	check(t, call("to_json", expr.String, cols(st)[0]), []testCase{{in([]any{int64(1), []any{"x\"", nil}}), `{"a":1,"b":["x\"",null]}`}, {in([]any{nil, nil}), "{}"}, {in(nil), "NULL"}})
	check(t, call("json_array_length", expr.Int32, s[0]), []testCase{{in("[1,2]"), "2"}, {in("{}"), "NULL"}})
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":null}]}`, `"\u00e9\ud83d\ude00"`, `[[[`, `-1.5e3`, `{"a":`, `NaN`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		v, ok := parseJSON(s)
		if !ok {
			return
		}
		again, ok := parseJSON(v.appendJSON(nil))
		if !ok || string(again.appendJSON(nil)) != string(v.appendJSON(nil)) {
			t.Fatalf("%q: %s does not read back", s, v.appendJSON(nil))
		}
	})
}

func FuzzPattern(f *testing.F) {
	f.Add("yyyy-MM-dd[ HH:mm:ss.SSS]", "2020-01-02 10:20:30.5")
	f.Add("MMM d, y G", "Jan 2, 44 BC")
	f.Fuzz(func(t *testing.T, pat, s string) {
		if p, err := parsePattern(pat, true); err == nil {
			p.parse(s)
			p.format(nil, 1_600_000_000_000_000, 0, utc, timeUTC)
		}
	})
}

func TestRandomness(t *testing.T) {
	env := &Env{Seed: 7}
	r := call("rand", expr.Float64, lit(int64(42), expr.Int64))
	ev, err := Compile(r, env)
	if err != nil {
		t.Fatal(err)
	}
	read := func(n int) []float64 {
		v, err := ev.Eval(&Input{Rows: n})
		if err != nil {
			t.Fatal(err)
		}
		return append([]float64(nil), vec.Values[float64](v)[:n]...)
	}
	all := append(read(2), read(1)...)
	if all[0] != 0.619189370225301 { // Spark's rand(42)
		t.Errorf("rand(42) begins with %v", all[0])
	}
	env.Epoch++
	if again := read(3); again[0] != all[0] || again[2] != all[2] {
		t.Errorf("another epoch begins anew: %v, %v", all, again)
	}
}
