package expr

import (
	"testing"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/variant"
	"github.com/flightd/flightd/plan/expr"
)

// ofJSON is a column of JSON as a VARIANT.
func ofJSON() expr.Expr { return call("parse_json", expr.Variant, cols(expr.String)[0]) }

func TestVariants(t *testing.T) {
	v := ofJSON()
	check(t, v, []testCase{{in(`{"b":1,"a":[1.50,null,"x"]}`), `{"a":[1.5,null,"x"],"b":1}`}, {in("1e3"), "1000.0"}, {in(nil), "NULL"},
		{in("{"), "!MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION"}, {in(`{"a":1,"a":2}`), "!MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION"}})
	try := call("try_parse_json", expr.Variant, cols(expr.String)[0])
	try.Mode = expr.Try
	check(t, try, []testCase{{in("{"), "NULL"}, {in("[]"), "[]"}})
	check(t, call("is_variant_null", expr.Bool, v), []testCase{{in("null"), "true"}, {in("0"), "false"}, {in(nil), "false"}})
	check(t, call("is_valid_variant", expr.Bool, v), []testCase{{in(`{"a":[]}`), "true"}, {in(nil), "NULL"}})
	check(t, call("schema_of_variant", expr.String, v), []testCase{
		{in(`{"b":true,"a":[1,2.5]}`), "OBJECT<a: ARRAY<DECIMAL(21,1)>, b: BOOLEAN>"}, {in(`[1,"x"]`), "ARRAY<VARIANT>"}, {in(`[{"a":1},{"b":1e3}]`), "ARRAY<OBJECT<a: BIGINT, b: DOUBLE>>"}, {in("null"), "VOID"}})
	check(t, call("to_json", expr.String, v), []testCase{{in(`"x\n"`), `"x\n"`}, {in("[1, 2]"), "[1,2]"}})
}

func TestVariantGet(t *testing.T) {
	v := ofJSON()
	p := &expr.Ref{Index: 1, Name: "p", Typ: expr.String, Null: true}
	doc := `{"a":{"b":[10,{"c":null}]},"x y":"7","n":"z"}`
	check(t, call("variant_get", expr.Variant, v, p), []testCase{{in(doc, "$.a.b[0]"), "10"}, {in(doc, "$['x y']"), `"7"`}, {in(doc, "$.a.b[1].c"), "null"},
		{in(doc, "$.a.z"), "NULL"}, {in(doc, "$[0]"), "NULL"}, {in(doc, nil), "NULL"}, {in(doc, "a"), "!INVALID_VARIANT_GET_PATH"}, {in(doc, "$.a["), "!INVALID_VARIANT_GET_PATH"}})
	check(t, call("variant_get", expr.Int32, v, p), []testCase{{in(doc, "$.a.b[0]"), "10"}, {in(doc, "$['x y']"), "7"}, {in(doc, "$.n"), "!INVALID_VARIANT_CAST"},
		{in(doc, "$.a"), "!INVALID_VARIANT_CAST"}, {in("300", "$"), "300"}, {in("99999999999", "$"), "!INVALID_VARIANT_CAST"}, {in("null", "$"), "NULL"}})
	member := expr.StructOf(expr.Field{Name: "k", Type: expr.Float64, Nullable: true}, expr.Field{Name: "l", Type: expr.ArrayOf(expr.String, true), Nullable: true})
	get := call("try_variant_get", member, v, p)
	get.Mode = expr.Try
	check(t, get, []testCase{{in(`{"k":1.5,"l":[1,"x",null,{"y":2}],"z":0}`, "$"), `{1.5, [1, x, null, {"y":2}]}`}, {in(`{"k":"q","l":5}`, "$"), "{null, null}"}, {in("[]", "$"), "NULL"}})
	m := call("variant_get", expr.MapOf(expr.String, expr.Int64, true), v, p)
	check(t, m, []testCase{{in(`{"b":1,"a":2.9}`, "$"), "{a -> 2, b -> 1}"}, {in("{}", "$"), "{}"}, {in(`{"a":"x"}`, "$"), "!INVALID_VARIANT_CAST"}})
}

func TestVariantCasts(t *testing.T) {
	to := func(typ *expr.Type) expr.Expr { return &expr.Cast{Child: cols(typ)[0], To: expr.Variant} }
	check(t, to(expr.Int16), []testCase{{in(-300), "-300"}, {in(nil), "NULL"}})
	check(t, to(expr.Decimal(10, 3)), []testCase{{in("1.500"), "1.5"}, {in("100.000"), "100"}})
	check(t, to(expr.Date), []testCase{{in("2020-02-29"), `"2020-02-29"`}})
	check(t, to(expr.Timestamp), []testCase{{in("2020-01-01 01:02:03.5"), `"2020-01-01 01:02:03.5+00:00"`}})
	check(t, to(expr.Float64), []testCase{{in("NaN"), `"NaN"`}, {in("0.1"), "0.1"}})
	check(t, &expr.Cast{Child: &expr.Cast{Child: cols(expr.String)[0], To: expr.Variant}, To: expr.Date}, []testCase{{in("2020-01-01"), "2020-01-01"}, {in("x"), "!INVALID_VARIANT_CAST"}})
	check(t, &expr.Cast{Child: ofJSON(), To: expr.Timestamp}, []testCase{{in("1.5"), "1970-01-01 00:00:01.5"}, {in("9223372036854775807"), "!INVALID_VARIANT_CAST"}})
	check(t, &expr.Cast{Child: ofJSON(), To: expr.String}, []testCase{{in(`"x"`), "x"}, {in("[1,2]"), "[1,2]"}, {in("null"), "NULL"}, {in("2.50"), "2.5"}})
	check(t, &expr.Cast{Child: ofJSON(), To: expr.Bool, Mode: expr.Try}, []testCase{{in("2"), "true"}, {in(`" true "`), "true"}, {in("[]"), "NULL"}})
}

func TestVariantEdits(t *testing.T) {
	v, p, x := ofJSON(), &expr.Ref{Index: 1, Name: "p", Typ: expr.String, Null: true}, &expr.Ref{Index: 2, Name: "x", Typ: expr.Int32, Null: true}
	check(t, call("variant_set", expr.Variant, v, p, x), []testCase{{in(`{"a":1}`, "$.b[1]", 5), `{"a":1,"b":[null,5]}`}, {in("[1]", "$[0]", 5), "[5]"},
		{in("[1]", "$.a", 5), "!VARIANT_PATH_TYPE_MISMATCH"}, {in("[1]", "$", 5), "!INVALID_VARIANT_PATH"}, {in("[1]", "$[0]", nil), "NULL"}})
	check(t, call("variant_set", expr.Variant, v, p, x, lit(false, expr.Bool)), []testCase{{in(`{"a":1}`, "$.b", 5), `{"a":1}`}, {in(`{"a":1}`, "$.a", 5), `{"a":5}`}})
	insert := call("try_variant_insert", expr.Variant, v, p, x)
	insert.Mode = expr.Try
	check(t, insert, []testCase{{in("[1,2]", "$[1]", 5), "[1,5,2]"}, {in(`{"a":1}`, "$.a", 5), "NULL"}, {in(`{"a":1}`, "x", 5), "!INVALID_VARIANT_PATH"}})
	check(t, call("variant_array_append", expr.Variant, v, p, x), []testCase{{in("[]", "$", 5), "[5]"}, {in("{}", "$.a", 5), "{}"}, {in("{}", "$", 5), "!VARIANT_PATH_TYPE_MISMATCH"}})
	check(t, call("variant_delete", expr.Variant, v, p, str("$.b")), []testCase{{in(`{"a":1,"b":2,"c":3}`, "$.a"), `{"c":3}`}, {in(`{"b":2}`, nil), "{}"}, {in(nil, "$.a"), "NULL"}})
	check(t, call("variant_strip_nulls", expr.Variant, v), []testCase{{in(`{"a":null,"b":[null,{"c":null}]}`), `{"b":[{}]}`}})
	pair := expr.StructOf(expr.Field{Name: "b", Type: expr.Int32, Nullable: true}, expr.Field{Name: "a", Type: expr.ArrayOf(expr.Date, true), Nullable: true})
	check(t, call("to_variant_object", expr.Variant, cols(pair)[0]), []testCase{{in([]any{int64(1), []any{int64(0), nil}}), `{"a":["1970-01-01",null],"b":1}`}, {in(nil), "NULL"}})
}

func TestVariantExplode(t *testing.T) {
	typ := expr.StructOf(expr.Field{Name: "pos", Type: expr.Int32}, expr.Field{Name: "key", Type: expr.String, Nullable: true}, expr.Field{Name: "value", Type: expr.Variant})
	g, err := CompileGenerator(call("variant_explode", typ, ofJSON()), &Env{})
	if err != nil {
		t.Fatal(err)
	}
	col := testColumn(t, expr.String, `{"b":1,"a":[]}`, nil, "5", `["x",null]`)
	rows, out, err := g.Generate(&Input{Cols: []*vec.Vec{col}, Rows: 4})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for k, row := range rows {
		got += string(rune('0'+row)) + ":"
		for _, c := range out {
			got += string(AppendText(nil, c, k, nil)) + " "
		}
	}
	if want := `0:0 a [] 0:1 b 1 3:0 NULL "x" 3:1 NULL null `; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestMalformedVariant gives functions bytes that are no variant.
func TestMalformedVariant(t *testing.T) {
	bad := lit(variant.Join(nil, []byte{2, 200, 1}, []byte{1, 0, 0}), expr.Variant)
	one(t, call("is_valid_variant", expr.Bool, bad), "false")
	for _, e := range []expr.Expr{call("schema_of_variant", expr.String, bad), call("variant_get", expr.Int32, bad, str("$.a")), &expr.Cast{Child: bad, To: expr.String},
		call("variant_strip_nulls", expr.Variant, bad)} {
		one(t, e, "!MALFORMED_VARIANT")
	}
	one(t, call("to_json", expr.String, bad), "<malformed variant>")
}
