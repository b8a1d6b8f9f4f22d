package jsonlines

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources/columnar"
)

func field(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

func schemaOf(fields ...arrow.Field) *arrow.Schema { return arrow.NewSchema(fields, nil) }

var (
	i32 = arrow.PrimitiveTypes.Int32
	i64 = arrow.PrimitiveTypes.Int64
	f64 = arrow.PrimitiveTypes.Float64
	str = arrow.BinaryTypes.String
	ts  = arrow.FixedWidthTypes.Timestamp_us
)

// decode returns the rows as JSON texts, read with batches of rows rows.
func decode(t testing.TB, in string, schema *arrow.Schema, opt Options, rows int) ([]string, error) {
	t.Helper()
	d, err := NewDecoder(strings.NewReader(in), "in.jsonl", schema, opt)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var out []string
	for {
		rec, err := d.Next(rows)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		if rec.NumRows() == 0 || rec.NumRows() > int64(rows) {
			t.Fatalf("a record batch of %d rows", rec.NumRows())
		}
		for _, c := range rec.Columns() {
			if v, ok := c.(interface{ ValidateFull() error }); ok {
				if err := v.ValidateFull(); err != nil {
					t.Fatal(err)
				}
			}
		}
		b, err := array.RecordToStructArray(rec).MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var cells []json.RawMessage
		if err := json.Unmarshal(b, &cells); err != nil {
			t.Fatal(err)
		}
		for _, c := range cells {
			out = append(out, string(c))
		}
		rec.Release()
	}
}

func TestDecode(t *testing.T) {
	dec := &arrow.Decimal128Type{Precision: 5, Scale: 2}
	for _, c := range []struct {
		name   string
		schema *arrow.Schema
		in     string
		want   string
	}{
		{"numbers", schemaOf(field("a", i32), field("b", f64)), `{"a":1,"b":2.5}` + "\n" + `{"b":1e400,"a":-7}`, `{"a":1,"b":2.5} {"a":-7,"b":"+Inf"}`},
		{"missing and null", schemaOf(field("a", i32), field("b", str)), `{}` + "\n\n  \n" + `{"a":null}`, `{"a":null,"b":null} {"a":null,"b":null}`},
		{"string takes any value as text", schemaOf(field("a", str)), `{"a":1.50}` + "\n" + `{"a":{"x": [1,2]}}` + "\n" + `{"a":true}`, `{"a":"1.50"} {"a":"{\"x\": [1,2]}"} {"a":"true"}`},
		{"string for a number", schemaOf(field("a", i32), field("b", i32)), `{"a":"1","b":2}`, `{"a":null,"b":2}`},
		{"fraction for a whole number", schemaOf(field("a", i32)), `{"a":1.0}`, `{"a":null}`},
		{"too large", schemaOf(field("a", i32)), `{"a":3000000000}`, `{"a":null}`},
		{"string for a boolean", schemaOf(field("a", arrow.FixedWidthTypes.Boolean)), `{"a":"true"}` + "\n" + `{"a":false}`, `{"a":null} {"a":false}`},
		{"NaN both ways", schemaOf(field("a", f64)), `{"a":NaN}` + "\n" + `{"a":"-Infinity"}`, `{"a":"NaN"} {"a":"-Inf"}`},
		{"decimals", schemaOf(field("a", dec)), `{"a":1.005}` + "\n" + `{"a":"12.3"}` + "\n" + `{"a":123456.789}`, `{"a":"1.01"} {"a":"12.3"} {"a":null}`},
		{"binary", schemaOf(field("a", arrow.BinaryTypes.Binary)), `{"a":"YWJj"}`, `{"a":"YWJj"}`},
		{"array with a wrong element", schemaOf(field("a", arrow.ListOf(i32)), field("b", i32)), `{"a":[1,"x",[2]],"b":1}`, `{"a":null,"b":1}`},
		{"nested", schemaOf(field("a", arrow.StructOf(field("b", arrow.ListOf(i32)), field("c", i32)))), `{"a":{"b":[1,null,2]}}`, `{"a":{"b":[1,null,2],"c":null}}`},
		{"struct keeps its good fields", schemaOf(field("a", arrow.StructOf(field("b", i32), field("c", i32)))), `{"a":{"b":"x","c":1}}`, `{"a":{"b":null,"c":1}}`},
		{"array of structs", schemaOf(field("a", arrow.ListOf(arrow.StructOf(field("b", i32))))), `{"a":[{"b":1},null,{"b":"x"}]}`, `{"a":[{"b":1},null,{"b":null}]}`},
		{"map", schemaOf(field("a", arrow.MapOf(str, i32))), `{"a":{"k":1,"j":2}}` + "\n" + `{"a":{}}`, `{"a":[{"key":"k","value":1},{"key":"j","value":2}]} {"a":[]}`},
		{"last of a repeated name", schemaOf(field("a", i32), field("b", arrow.ListOf(i32))), `{"a":1,"b":[1],"a":2,"b":[2,3]}`, `{"a":2,"b":[2,3]}`},
		{"rest of the line", schemaOf(field("a", i32)), `{"a":1}{"a":2}`, `{"a":1}`},
		{"line is an array", schemaOf(field("a", i32)), `[{"a":1},{"a":2},{}]` + "\n[]", `{"a":1} {"a":2} {"a":null}`},
		{"single quotes", schemaOf(field("a", str)), `{'a':'it\'s "x"'}`, `{"a":"it's \"x\""}`},
		{"escapes", schemaOf(field("a", str)), `{"a":"\u00e9\ud83d\ude00\n\/ é long text \\ with more"}`, `{"a":"é😀\n/ é long text \\ with more"}`},
		{"names with escapes and case", schemaOf(field("é", i32), field("A", i32)), `{"\u00e9":1,"a":2}`, `{"A":null,"é":1}`},
		{"control character", schemaOf(field("a", str)), "{\"a\":\"x\ty\"}", `{"a":null}`},
		{"unquoted name", schemaOf(field("a", i32)), `{a:1}`, `{"a":null}`},
		{"leading zero", schemaOf(field("a", i32)), `{"a":01}`, `{"a":null}`},
		{"not an object", schemaOf(field("a", i32)), "12\nnull\n\"x\"\n[1]", `{"a":null} {"a":null} {"a":null} {"a":null}`},
		{"timestamps", schemaOf(field("a", ts)), `{"a":"2024-01-01 00:00:10.000001"}` + "\n" + `{"a":"2024-01-01T00:00:10+01:00"}` + "\n" + `{"a":86400}`,
			`{"a":"2024-01-01T00:00:10.000001Z"} {"a":"2023-12-31T23:00:10Z"} {"a":"1970-01-02T00:00:00Z"}`},
		{"dates", schemaOf(field("a", arrow.FixedWidthTypes.Date32)), `{"a":"2020-01-01"}` + "\n" + `{"a":"01/02/2020"}`, `{"a":"2020-01-01"} {"a":null}`},
		{"unwanted fields are checked", schemaOf(field("b", i32)), `{"x":[1,{"y":}],"b":2}` + "\n" + `{"x":[1,{"y":"z"}],"b":2}`, `{"b":null} {"b":2}`},
		{"too deep", schemaOf(field("b", i32)), `{"x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `,"b":2}`, `{"b":null}`},
	} {
		for _, rows := range []int{1, 2, 1000} {
			got, err := decode(t, c.in, c.schema, DefaultOptions(), rows)
			if err != nil || strings.Join(got, " ") != c.want {
				t.Errorf("%s (%d rows a batch):\n got %s %v\nwant %s", c.name, rows, strings.Join(got, " "), err, c.want)
			}
		}
	}
}

func TestParseModes(t *testing.T) {
	in := `{"a":1,"b":"x"}` + "\n" + `bad {` + "\n" + `{"a":"y","b":"z"}` + "\n" + "{\"a\":1\xff}\n" + `[{"a":5},{"a":6},7]` + "\n" + `{"a":2}`
	schema := schemaOf(field("a", i32), field("_corrupt_record", str), field("b", str))
	opt := DefaultOptions()
	got, err := decode(t, in, schema, opt, 10)
	want := []string{`{"_corrupt_record":null,"a":1,"b":"x"}`, `{"_corrupt_record":"bad {","a":null,"b":null}`, `{"_corrupt_record":"{\"a\":\"y\",\"b\":\"z\"}","a":null,"b":"z"}`,
		`{"_corrupt_record":"{\"a\":1�}","a":null,"b":null}`, `{"_corrupt_record":"[{\"a\":5},{\"a\":6},7]","a":null,"b":null}`, `{"_corrupt_record":null,"a":2,"b":null}`}
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("PERMISSIVE: got %v\n%s", err, strings.Join(got, "\n"))
	}
	opt.Malformed.Mode = columnar.DropMalformed
	got, err = decode(t, in, schema, opt, 10)
	if err != nil || strings.Join(got, "\n") != want[0]+"\n"+want[5] {
		t.Errorf("DROPMALFORMED: got %v\n%s", err, strings.Join(got, "\n"))
	}
	opt.Malformed.Mode = columnar.FailFast
	for line, text := range map[int]string{2: "bad {", 3: `{"a":"y"}`} {
		_, err = decode(t, `{"a":1}`+"\n"+strings.Repeat(`{"a":1}`+"\n", line-2)+text, schema, opt, 10)
		e := base.AsError(err)
		if !strings.HasPrefix(e.Condition, "MALFORMED_RECORD_IN_PARSING") || !strings.Contains(e.Msg, fmt.Sprintf("in.jsonl, line %d", line)) {
			t.Errorf("FAILFAST: got %v", err)
		}
	}
}

func TestRefusedOptionsAndTypes(t *testing.T) {
	for _, o := range []base.Options{{"multiLine": "true"}, {"mode": "SOMETIMES"}, {"allowComments": "yes"}, {"timestampFormat": "dd/MM/yyyy"}, {"timeZone": "Mars"}} {
		if _, err := ReadOptions(o, nil); base.CodeOf(err) != base.CodeInvalid {
			t.Errorf("%v: got %v", o, err)
		}
	}
	if _, err := ReadOptions(base.Options{"MULTILINE": "false", "mode": "failfast"}, nil); err != nil {
		t.Error(err)
	}
	for _, s := range []*arrow.Schema{schemaOf(field("m", arrow.MapOf(i32, i32))), schemaOf(field("d", arrow.FixedWidthTypes.Duration_us)), schemaOf(field("u", arrow.PrimitiveTypes.Uint8))} {
		if _, err := NewDecoder(strings.NewReader(""), "f", s, DefaultOptions()); base.CodeOf(err) != base.CodeInvalid {
			t.Errorf("%v: got %v", s, err)
		}
	}
}

func TestInfer(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"b":1,"a":"x"}` + "\n" + `{"c":true,"b":2.5}`, "a: utf8, b: float64, c: bool"},
		{`{"a":null}`, "a: utf8"},
		{`{"a":1}` + "\n" + `{"a":"x"}`, "a: utf8"},
		{`{"a":[1,2.5]}` + "\n" + `{"a":[]}`, "a: list<item: float64, nullable>"},
		{`{"a":{"y":1,"x":[{"k":1},{"j":2}]}}`, "a: struct<x: list<item: struct<j: int64 nullable, k: int64 nullable>, nullable> nullable, y: int64 nullable>"},
		{`{"a":123456789012345678901234567890}`, "a: decimal(30, 0)"},
		{`{"a":1}` + "\n" + `oops` + "\n" + `[{"z":1}]`, "_corrupt_record: utf8, a: int64, z: int64"},
		{`{"a":{}}`, ""},
	} {
		inf := NewInferrer(DefaultOptions())
		if err := inf.Add(strings.NewReader(c.in), "f"); err != nil {
			t.Error(err)
		}
		var got []string
		for _, f := range inf.Schema().Fields() {
			got = append(got, f.Name+": "+f.Type.String())
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, strings.Join(got, ", "), c.want)
		}
	}
}

var fuzzSchema = schemaOf(field("a", i64), field("s", str), field("f", f64), field("l", arrow.ListOf(i32)),
	field("o", arrow.StructOf(field("x", str), field("y", ts))), field("m", arrow.MapOf(str, f64)), field("_corrupt_record", str))

// FuzzDecode holds the decoder to encoding/json: strictly, a line is well formed
// for both or for neither, and strings and numbers are the same.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":1,"s":"x\u00e9\n","f":1.5,"l":[1,2],"o":{"x":"y","y":"2024-01-01"},"m":{"k":1}}`, `[{"a":1},{"a":2}]`, `{"a":1`, `{"s":{"x":[1,"\ud800"]}}`,
		`{'a':NaN}`, `{"a":1,"a":"x","s":[[[`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := decode(t, string(b), fuzzSchema, DefaultOptions(), 3)
		if err != nil {
			t.Fatal(err)
		}
		// The second time the lines come as they are expected.
		if twice, err := decode(t, string(b)+"\n"+string(b), fuzzSchema, DefaultOptions(), 3); err != nil || !bytes.HasPrefix(b, []byte("\ufeff")) && strings.Join(twice, "") != strings.Repeat(strings.Join(rows, ""), 2) {
			t.Fatalf("%q: twice: got %v %v, want %v", b, twice, err, rows)
		}
		inf := NewInferrer(DefaultOptions())
		if err := inf.Add(bytes.NewReader(b), "f"); err != nil {
			t.Fatal(err)
		}
		if d, err := NewDecoder(bytes.NewReader(b), "f", inf.Schema(), DefaultOptions()); err == nil {
			for err == nil {
				_, err = d.Next(2)
			}
		}
		if bytes.ContainsAny(b, "\r\n") || !bytes.HasPrefix(b, []byte("{")) || bytes.Count(b, []byte("["))+bytes.Count(b, []byte("{")) > 400 || bytes.ContainsRune(b, '\uFFFD') {
			return
		}
		strict := DefaultOptions()
		strict.SingleQuotes, strict.NonNumeric = false, false
		got, err := decode(t, string(b), fuzzSchema, strict, 3)
		if err != nil || len(got) != 1 {
			t.Fatalf("%q: got %v, %v", b, got, err)
		}
		var row struct {
			S *string  `json:"s"`
			F *float64 `json:"f"`
			C *string  `json:"_corrupt_record"`
		}
		if strings.Contains(got[0], "Inf") {
			return
		}
		if err := json.Unmarshal([]byte(got[0]), &row); err != nil {
			t.Fatal(err)
		}
		var ref map[string]json.RawMessage
		if err := json.NewDecoder(bytes.NewReader(b)).Decode(&ref); err != nil {
			if row.C == nil && !strings.Contains(string(b), "_corrupt_record") {
				t.Fatalf("%q is taken, but %v", b, err)
			}
			return
		}
		var s string
		if raw, ok := ref["s"]; ok && row.C == nil && json.Unmarshal(raw, &s) == nil && string(raw) != "null" && !strings.ContainsRune(s, '\uFFFD') {
			if row.S == nil || *row.S != s {
				t.Fatalf("%q: s is %v, want %q", b, row.S, s)
			}
		}
		var x float64
		if raw, ok := ref["f"]; ok && row.C == nil && json.Unmarshal(raw, &x) == nil && string(raw) != "null" {
			if row.F == nil || *row.F != x {
				t.Fatalf("%q: f is %v, want %v", b, row.F, x)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	line := `{"scheduled_at":"2013-01-01T10:15:00Z","observed_at":"2013-01-01T10:17:00Z","carrier":"UA","flight":1545,"tailnum":"N14228","origin":"EWR","dest":"IAH","dep_delay":2,"arr_delay":11,"air_time":227,"distance":1400}` + "\n"
	in := strings.Repeat(line, 20_000)
	schema := schemaOf(field("scheduled_at", ts), field("observed_at", ts), field("carrier", str), field("flight", i64), field("tailnum", str), field("origin", str), field("dest", str),
		field("dep_delay", f64), field("arr_delay", f64), field("air_time", f64), field("distance", i64))
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		d, _ := NewDecoder(strings.NewReader(in), "f", schema, DefaultOptions())
		for {
			rec, err := d.Next(8192)
			if err != nil {
				break
			}
			rec.Release()
		}
	}
}

// events returns rows lines of six fields whose lengths vary.
func events(rows int) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	var out []byte
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		at = at.Add(time.Millisecond)
		out = fmt.Appendf(out, `{"ts":"%s","user":%d,"page":"page-%d","kind":"%s","v":%d,"x":%v}`+"\n", at.Format("2006-01-02T15:04:05.000Z"), rnd.IntN(1_000_000),
			rnd.IntN(1000), []string{"view", "click", "purchase"}[i%3], rnd.IntN(1000), rnd.Float64())
	}
	return out
}

var eventSchema = schemaOf(field("ts", ts), field("user", i64), field("page", str), field("kind", str), field("v", i64), field("x", f64))

func BenchmarkEvents(b *testing.B) {
	in := events(50_000)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		d, _ := NewDecoder(bytes.NewReader(in), "f", eventSchema, DefaultOptions())
		for {
			rec, err := d.Next(8192)
			if err != nil {
				break
			}
			rec.Release()
		}
	}
	b.ReportMetric(50_000*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
