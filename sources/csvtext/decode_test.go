package csvtext

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources/columnar"
)

var (
	i32 = arrow.PrimitiveTypes.Int32
	f64 = arrow.PrimitiveTypes.Float64
	str = arrow.BinaryTypes.String
)

func schemaOf(types ...arrow.DataType) *arrow.Schema {
	var f []arrow.Field
	for i, t := range types {
		f = append(f, arrow.Field{Name: string(rune('a' + i)), Type: t, Nullable: true})
	}
	return arrow.NewSchema(f, nil)
}

// decode returns the cells, null as ∅.
func decode(t testing.TB, in string, schema *arrow.Schema, columns []int, opt Options, rows int) ([][]string, error) {
	t.Helper()
	d, err := NewDecoder(strings.NewReader(in), "in.csv", schema, columns, opt)
	if err != nil {
		return nil, err
	}
	var out [][]string
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
		for i := range int(rec.NumRows()) {
			var row []string
			for _, c := range rec.Columns() {
				switch {
				case c.IsNull(i):
					row = append(row, "∅")
				default:
					if s, ok := c.(*array.String); ok {
						row = append(row, s.Value(i))
					} else {
						row = append(row, c.ValueStr(i))
					}
				}
			}
			out = append(out, row)
		}
	}
}

func TestDecode(t *testing.T) {
	def := DefaultOptions()
	with := func(f func(*Options)) Options {
		o := def
		f(&o)
		return o
	}
	two, ns := schemaOf(str, str), schemaOf(i32, str)
	for _, c := range []struct {
		in     string
		schema *arrow.Schema
		opt    Options
		want   string
	}{
		{"1,abc\n\n2,d\n", ns, def, "[[1 abc] [2 d]]"},
		{"1\n2,x,y\n", ns, def, "[[1 ∅] [2 x]]"},
		{" 1 , b \n", ns, def, "[[∅  b ]]"},
		{" 1 , b \n", ns, with(func(o *Options) { o.TrimLeft, o.TrimRight = true, true }), "[[1 b]]"},
		{",\n\"\",x\n", two, def, "[[∅ ∅] [∅ x]]"},
		{"NA,\"\"\n,x\n", two, with(func(o *Options) { o.Null = "NA" }), "[[∅ ] [∅ x]]"},
		{`"a""b",c`, two, def, `[["a""b" c]]`},
		{`"a""b",c`, two, with(func(o *Options) { o.Escape = '"' }), `[[a"b c]]`},
		{`"a\"b","c\\d\n"`, two, def, `[[a"b c\d\n]]`},
		{`"a,b" ,c"d"`, two, def, `[[a,b c"d"]]`},
		{`"abc,d`, two, def, `[[abc,d ∅]]`},
		{"h1,h2\n1,x", ns, with(func(o *Options) { o.Header = true }), "[[1 x]]"},
		{"# no\n1,x", ns, with(func(o *Options) { o.Comment = '#' }), "[[1 x]]"},
		{"1||x", ns, with(func(o *Options) { o.Sep = "||" }), "[[1 x]]"},
		{"'a,b',c", two, with(func(o *Options) { o.Quote = '\'' }), "[[a,b c]]"},
		{"1.5,NaN\n-Inf, 2.5f \nInfinity,x\n", schemaOf(f64, f64), def, "[[1.5 NaN] [-Inf 2.5] [+Inf ∅]]"},
		{"true,FALSE\n1,no\n", schemaOf(arrow.FixedWidthTypes.Boolean, arrow.FixedWidthTypes.Boolean), def, "[[true false] [∅ ∅]]"},
		{"2020-01-01,2020-01-01 10:00:00\n", schemaOf(arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Timestamp_us), def, "[[2020-01-01 2020-01-01T10:00:00Z]]"},
		{"\"1,234.567\",x", schemaOf(&arrow.Decimal128Type{Precision: 8, Scale: 2}, str), def, "[[1234.57 x]]"},
		{"a\xff,b", two, def, "[[a� b]]"},
	} {
		for _, rows := range []int{1, 100} {
			got, err := decode(t, c.in, c.schema, nil, c.opt, rows)
			if err != nil || fmt.Sprint(got) != c.want {
				t.Errorf("%q: got %v %v, want %s", c.in, got, err, c.want)
			}
		}
	}
	got, err := decode(t, "1,x\nz,y", ns, []int{1}, def, 10)
	if err != nil || fmt.Sprint(got) != "[[x] [y]]" {
		t.Errorf("one column: got %v %v", got, err)
	}
}

func TestParseModes(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: i32}, {Name: "_corrupt_record", Type: str}, {Name: "b", Type: str}}, nil)
	in := "1,x\ny,z\n3\n4,w"
	opt := DefaultOptions()
	if got, err := decode(t, in, schema, nil, opt, 10); err != nil || fmt.Sprint(got) != "[[1 ∅ x] [∅ y,z z] [3 3 ∅] [4 ∅ w]]" {
		t.Errorf("PERMISSIVE: got %v %v", got, err)
	}
	opt.Malformed.Mode = columnar.DropMalformed
	if got, err := decode(t, in, schema, nil, opt, 10); err != nil || fmt.Sprint(got) != "[[1 ∅ x] [4 ∅ w]]" {
		t.Errorf("DROPMALFORMED: got %v %v", got, err)
	}
	opt.Malformed.Mode = columnar.FailFast
	_, err := decode(t, in, schema, nil, opt, 10)
	if e := base.AsError(err); !strings.HasPrefix(e.Condition, "MALFORMED_RECORD_IN_PARSING") || !strings.Contains(e.Msg, "in.csv, line 2: column a") {
		t.Errorf("FAILFAST: got %v", err)
	}
	if _, err := decode(t, in, schemaOf(arrow.ListOf(i32)), nil, opt, 1); base.AsError(err).Condition != "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE" {
		t.Errorf("got %v", err)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []base.Options{{"multiLine": "true"}, {"quote": "ab"}, {"sep": "\n"}, {"header": "maybe"}, {"encoding": "latin1"}} {
		if _, err := ReadOptions(o, nil); base.CodeOf(err) != base.CodeInvalid {
			t.Errorf("%v: got %v", o, err)
		}
	}
	o, err := ReadOptions(base.Options{"Delimiter": `\t`, "quote": "", "escape": `"`, "header": "TRUE", "nullValue": "NA"}, nil)
	if err != nil || o.Sep != "\t" || o.Quote != 0 || o.Escape != '"' || !o.Header || o.Null != "NA" {
		t.Errorf("got %+v %v", o, err)
	}
}

func TestInfer(t *testing.T) {
	for _, c := range []struct {
		in            string
		header, types bool
		want          string
	}{
		{"a,b,\n1,2,3", true, false, "a:utf8 b:utf8 _c2:utf8"},
		{"1,2", false, false, "_c0:utf8 _c1:utf8"},
		{"a,A,b\n", true, false, "a0:utf8 A1:utf8 b:utf8"},
		{"1,3000000000,1.5,2020-01-01,2020-01-01 10:00:00,true,x,\n2,1,1,2020-01-02 00:00:01,2020-01-02,false,1,\n", false, true,
			"_c0:int32 _c1:int64 _c2:float64 _c3:timestamp[us, tz=UTC] _c4:timestamp[us, tz=UTC] _c5:bool _c6:utf8 _c7:utf8"},
		{"123456789012345678901234\n1", false, true, "_c0:decimal(24, 0)"},
		{"1\ntrue", false, true, "_c0:utf8"},
	} {
		opt := DefaultOptions()
		opt.Header, opt.Infer = c.header, c.types
		inf := NewInferrer(opt)
		if _, err := inf.Add(strings.NewReader(c.in), "f"); err != nil {
			t.Error(err)
		}
		var got []string
		for _, f := range inf.Schema().Fields() {
			got = append(got, f.Name+":"+f.Type.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.in, strings.Join(got, " "), c.want)
		}
	}
}

// FuzzDecode holds the cutting into cells to encoding/csv where both read the
// same dialect: doubled quotes, no bare quotes, one record a line.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"a,b,c\n1,2,3\n", `"x,""y""",z` + "\n", "a\\\"b,\"c\n", "\"\" ,,\n", "1\r2\r\n3"} {
		f.Add([]byte(s))
	}
	schema := schemaOf(str, str, i32, f64, arrow.FixedWidthTypes.Timestamp_us)
	strs := schemaOf(str, str, str)
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := decode(t, string(b), schema, nil, DefaultOptions(), 2); err != nil {
			t.Fatal(err)
		}
		opt := DefaultOptions()
		opt.Infer, opt.Header = true, true
		inf := NewInferrer(opt)
		if _, err := inf.Add(bytes.NewReader(b), "f"); err != nil {
			t.Fatal(err)
		}
		if bytes.ContainsAny(b, "\r\ufffd") || bytes.HasPrefix(b, []byte("\ufeff")) {
			return
		}
		opt = DefaultOptions()
		opt.Escape, opt.Null, opt.Empty = '"', "NULL", ""
		for _, line := range bytes.Split(b, []byte("\n")) {
			r := csv.NewReader(bytes.NewReader(line))
			r.FieldsPerRecord = -1
			want, err := r.Read()
			if err != nil || !opt.IsRecord(line) {
				continue
			}
			got, err := decode(t, string(line), strs, nil, opt, 2)
			if err != nil || len(got) != 1 {
				t.Fatalf("%q: got %v %v", line, got, err)
			}
			for i := range min(3, len(want)) {
				if w := strings.ToValidUTF8(want[i], "\ufffd"); got[0][i] != w && (w != "" && w != "NULL" || got[0][i] != "∅") && len(strings.Split(want[i], "\n")) == 1 {
					t.Fatalf("%q: cell %d is %q, want %q", line, i, got[0][i], w)
				}
			}
		}
	})
}

// TestShortWayChangesNothing: cells mean what the splitter and the parsers of
// whole cells make of them.
func TestShortWayChangesNothing(t *testing.T) {
	schema := schemaOf(i32, f64, str, arrow.PrimitiveTypes.Int64, arrow.FixedWidthTypes.Timestamp_us, str)
	rnd := rand.New(rand.NewPCG(1, 2))
	cells := []string{"1", "-2", "+3", "007", "3000000000", "1.5", "-0.25", "1.", ".5", "1e5", "1.5d", "NaN", "Inf", "", `""`, `"a,b"`, `"a""b"`, "text", "a longer text, é", `a"b`, "NULL", "-1", "2024-05-06T07:08:09Z", " 1", "1 "}
	for _, null := range []string{"", "NULL", "-1", "1"} {
		opt := DefaultOptions()
		opt.Null = null
		var b strings.Builder
		for range 3000 {
			for i := range 4 + rnd.IntN(4) {
				if i > 0 {
					b.WriteByte(',')
				}
				b.WriteString(cells[rnd.IntN(len(cells))])
			}
			b.WriteByte('\n')
		}
		for _, columns := range [][]int{nil, {1, 2, 5}, {}} {
			read := func(short bool) arrow.RecordBatch {
				d, err := NewDecoder(strings.NewReader(b.String()), "f", schema, columns, opt)
				if err != nil {
					t.Fatal(err)
				}
				if !short {
					d.plain, d.numbers = false, false
				}
				rec, err := d.Next(10_000)
				if err != nil {
					t.Fatal(err)
				}
				return rec
			}
			// NaN is not equal to itself, its text is.
			if got, want := read(true), read(false); got.NumRows() != want.NumRows() || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("nullValue %q, columns %v: the short way differs", null, columns)
			}
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	in := strings.Repeat("2013-01-01T06:00:00Z,EWR,39.02,26.06,59.37,270.0,10.357019999999999,,0.0,1012.0,10.0\n", 20_000)
	schema := schemaOf(arrow.FixedWidthTypes.Timestamp_us, str, f64, f64, f64, f64, f64, f64, f64, f64, f64)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		d, _ := NewDecoder(strings.NewReader(in), "f", schema, nil, DefaultOptions())
		for {
			rec, err := d.Next(8192)
			if err != nil {
				break
			}
			rec.Release()
		}
	}
}
