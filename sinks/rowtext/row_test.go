package rowtext

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func TestRows(t *testing.T) {
	f := func(n string, t arrow.DataType) arrow.Field { return arrow.Field{Name: n, Type: t, Nullable: true} }
	schema := arrow.NewSchema([]arrow.Field{f("i", arrow.PrimitiveTypes.Int32), f("d", arrow.PrimitiveTypes.Float64), f("s", arrow.BinaryTypes.String),
		f("ts", arrow.FixedWidthTypes.Timestamp_us), f("ntz", &arrow.TimestampType{Unit: arrow.Microsecond}), f("b", arrow.BinaryTypes.Binary),
		f("dec", &arrow.Decimal128Type{Precision: 5, Scale: 2}), f("day", arrow.FixedWidthTypes.Date32)}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(
		`[{"i":1,"d":10000000,"s":"a\"\\b\né\u0001","ts":"1969-12-31T23:59:59.5Z","ntz":"2024-01-01 10:20:30.000001","b":"YWI=","dec":"-1.50","day":"2024-02-29"},
		  {"d":0.5,"s":""},{"s":" x, y "}]`))
	if err != nil {
		t.Fatal(err)
	}
	r := NewRow(rec)
	for i, want := range []string{
		`{"i":1,"d":1.0E7,"s":"a\"\\b\né\u0001","ts":"1969-12-31T23:59:59.500Z","ntz":"2024-01-01T10:20:30.000001","b":"YWI=","dec":-1.50,"day":"2024-02-29"}`,
		`{"d":0.5,"s":""}`, `{"s":" x, y "}`} {
		if got := string(r.AppendJSON(nil, i, false)); got != want || !json.Valid([]byte(got)) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := string(r.AppendJSON(nil, 2, true)); got != `{"i":null,"d":null,"s":" x, y ","ts":null,"ntz":null,"b":null,"dec":null,"day":null}` {
		t.Errorf("got %s", got)
	}
	o := DefaultCSV()
	var scratch []byte
	for i, want := range []string{
		`1,1.0E7,"a\"\\b` + "\né\x01" + `",1969-12-31T23:59:59.500Z,2024-01-01T10:20:30.000001,ab,-1.50,2024-02-29`,
		`,0.5,"",,,,,`, `,,"x, y",,,,,`} {
		if got := string(r.AppendCSV(nil, i, &o, &scratch)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := string(o.AppendHeader(nil, schema)); got != "i,d,s,ts,ntz,b,dec,day" {
		t.Errorf("got %s", got)
	}
	if err := Check(schema, false); err != nil {
		t.Error(err)
	}
}

func TestNestedRows(t *testing.T) {
	i32 := arrow.PrimitiveTypes.Int32
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "l", Type: arrow.ListOf(i32), Nullable: true},
		{Name: "m", Type: arrow.MapOf(i32, arrow.PrimitiveTypes.Float64), Nullable: true},
		{Name: "st", Type: arrow.StructOf(arrow.Field{Name: "x", Type: i32, Nullable: true}, arrow.Field{Name: "y", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true}), Nullable: true}}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(
		`[{"l":[1,null],"m":[{"key":1,"value":"NaN"},{"key":2,"value":1}],"st":{"x":null,"y":["a"]}},{"l":[],"st":{"x":2}},{}]`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`{"l":[1,null],"m":{"1":"NaN","2":1.0},"st":{"y":["a"]}}`, `{"l":[],"st":{"x":2}}`, `{}`} {
		if got := string(NewRow(rec).AppendJSON(nil, i, false)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		cut := rec.NewSlice(int64(i), rec.NumRows())
		if got := string(NewRow(cut).AppendJSON(nil, 0, false)); got != want {
			t.Errorf("sliced: got %s, want %s", got, want)
		}
	}
	if err := Check(schema, false); err == nil || Check(schema, true) != nil {
		t.Errorf("got %v, %v", err, Check(schema, true))
	}
}
