package expr

import (
	"testing"

	"github.com/flightd/flightd/plan/expr"
)

func field(name string, t *expr.Type) expr.Field {
	return expr.Field{Name: name, Type: t, Nullable: true}
}

func options(pairs ...string) expr.Expr {
	m := []expr.MapEntry{}
	for i := 0; i < len(pairs); i += 2 {
		m = append(m, expr.MapEntry{Key: pairs[i], Value: pairs[i+1]})
	}
	return lit(m, expr.MapOf(expr.String, expr.String, false))
}

func TestFromXML(t *testing.T) {
	s := cols(expr.String)[0]
	simple := expr.StructOf(field("a", expr.Int32), field("b", expr.String))
	check(t, call("from_xml", simple, s), []testCase{
		{in("<p><a>1</a><b>x</b></p>"), "{1, x}"}, {in("<p><b><c>1</c>t</b><A> +5 </A></p>"), "{5, <c>1</c>t}"}, {in("<p/>"), "{null, null}"}, {in(nil), "NULL"},
		{in("<p><a>1</a>"), "{null, null}"}, {in("x"), "{null, null}"}, {in("<p><b/><z><a>9</a></z></p>"), "{null, }"}, {in("<p><a>2</a></p><q/>"), "{2, null}"},
		{in("<p><b>&lt;<![CDATA[&]]></b></p>"), "{null, <&}"},
		// What follows an element that does not fit belongs to its parent.
		{in("<p><b>1</b><a>x</a><b>2</b></p>"), "{null, 1}"},
	})
	nested := expr.StructOf(field("_x", expr.Int64), field("l", expr.ArrayOf(expr.Float64, true)),
		field("s", expr.StructOf(field("_VALUE", expr.String), field("_y", expr.Bool))), field("m", expr.MapOf(expr.String, expr.Date, true)))
	check(t, call("from_xml", nested, s), []testCase{
		{in(`<p x="7"><l>1,000.5</l><l/><s y="1">t</s><m><k>2020-01-01</k></m></p>`), "{7, [1000.5, null], {t, true}, {k -> 2020-01-01}}"},
		{in(`<p x="q"/>`), "{null, null, null, null}"},
	})
	corrupt := expr.StructOf(field("a", expr.Int32), field("bad", expr.String))
	check(t, call("from_xml", corrupt, s, lit(nil, expr.Null), options("columnNameOfCorruptRecord", "bad")), []testCase{
		{in("<p><a>x</a></p>"), "{null, <p><a>x</a></p>}"}, {in("<p><a>1</a></p>"), "{1, null}"}})
	check(t, call("from_xml", simple, s, lit(nil, expr.Null), options("mode", "FAILFAST")), []testCase{
		{in("<p><a>x</a></p>"), "!MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION"}, {in("<p><a>1</a></p>"), "{1, null}"}})
	check(t, call("from_xml", expr.Variant, s), []testCase{
		{in(`<p x="1"><a>1.50</a><A>x</A>t<b/></p>`), `{"_VALUE":"t","_x":1,"a":[1.5,"x"],"b":null}`}, {in("<p>true</p>"), "true"}, {in("<p>"), "NULL"}})
}

func TestSchemaOfXML(t *testing.T) {
	check(t, call("schema_of_xml", expr.String, cols(expr.String)[0]), []testCase{
		{in(`<p><a>1</a><b x="y">1.5</b><c>2020-01-01</c></p>`), "STRUCT<a: BIGINT, b: STRUCT<_VALUE: DOUBLE, _x: STRING>, c: DATE>"},
		{in("<p><a>1</a><a><b>x</b></a></p>"), "STRUCT<a: ARRAY<STRUCT<_VALUE: BIGINT, b: STRING>>>"}, {in("<p>t<a/>u</p>"), "STRUCT<_VALUE: ARRAY<STRING>, a: STRING>"},
		{in("<p"), "STRUCT<_corrupt_record: STRING>"}, {in("<p/>"), "STRUCT<>"},
	})
}

func TestToXML(t *testing.T) {
	typ := expr.StructOf(field("_id", expr.Int32), field("a", expr.ArrayOf(expr.String, true)), field("s", expr.StructOf(field("_VALUE", expr.String), field("_k", expr.Bool))), field("v", expr.Variant))
	row := cols(typ)[0]
	check(t, call("to_xml", expr.String, row, options("rowTag", "r", "indent", "")), []testCase{
		{in([]any{int64(5), []any{"<x>", nil, ""}, []any{"t", true}, nil}), `<r id="5"><a>&lt;x></a><a></a><s k="true">t</s></r>`},
		{in([]any{nil, nil, nil, nil}), "<r/>"}, {in(nil), "NULL"},
	})
	check(t, call("to_xml", expr.String, row), []testCase{{in([]any{nil, []any{"x"}, nil, nil}), "<ROW>\n    <a>x</a>\n</ROW>"}})
	one(t, call("to_xml", expr.String, lit([]any{int64(1)}, expr.StructOf(field("1a", expr.Int32)))), "!")
}

// FuzzXML reads arbitrary documents: they give a row, and the same one again, or
// NULL, never a panic.
func FuzzXML(f *testing.F) {
	f.Add(`<p x="1"><a>1</a><a><b>2</b></a>t<!-- c --></p>`)
	f.Add("<p><a>x</a><b/></p>")
	f.Add("<a><a><a/></a>")
	typ := expr.StructOf(field("a", expr.ArrayOf(expr.StructOf(field("b", expr.Int32), field("_VALUE", expr.String)), true)), field("_x", expr.Float64),
		field("b", expr.MapOf(expr.String, expr.String, true)), field("xs_any", expr.String))
	c := &expr.Call{Fn: "from_xml", Typ: typ}
	o, err := newXMLOptions(c, 2, &Env{}, true)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		if len(doc) > 1<<12 {
			return
		}
		v, err := o.record(c, []byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Constant(v, typ); err != nil {
			t.Fatal(err)
		}
		any, err := o.record(&expr.Call{Fn: "from_xml", Typ: expr.Variant}, []byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		if any != nil {
			one, err := Constant(any, expr.Variant)
			if err != nil {
				t.Fatal(err)
			}
			AppendText(nil, one, 0, nil)
		}
		in := &xmlInference{newXMLReader([]byte(doc), o)}
		if root, err := in.root(); err == nil {
			_, _ = in.object(root.attrs)
		}
	})
}
