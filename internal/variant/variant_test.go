package variant

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/flightd/flightd/internal/base"
)

// plain writes scalars without their SQL form.
func plain(dst []byte, v Value) []byte {
	switch v.Kind() {
	case Double:
		return strconv.AppendFloat(dst, v.Double(), 'g', -1, 64)
	case Decimal:
		x, scale := v.Decimal()
		return append(dst, x.Big().String()+"e-"+strconv.Itoa(scale)...)
	}
	return append(dst, '?')
}

func parse(t testing.TB, s string) []byte {
	t.Helper()
	var b Builder
	if err := b.ParseJSON([]byte(s)); err != nil {
		t.Fatalf("ParseJSON(%q): %v", s, err)
	}
	out, err := b.Finish(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !Valid(out) {
		t.Fatalf("what ParseJSON(%q) made is not valid", s)
	}
	return out
}

func text(b []byte) string { return string(Open(b).AppendJSON(nil, plain)) }

func TestParseJSON(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`null`, `null`}, {` [ 1 , -200 , 70000, 9223372036854775807] `, `[1,-200,70000,9223372036854775807]`},
		{`{"b":1,"a":{"c":[]}}`, `{"a":{"c":[]},"b":1}`}, {`{}`, `{}`}, {`true false`, `true`},
		{`1.50`, `15e-1`}, {`0.00`, `0e-0`}, {`1e3`, `1000`}, {`9223372036854775808`, `9223372036854775808e-0`},
		{strings.Repeat("1", 39), `1.111111111111111e+38`}, {`1e400`, `+Inf`},
		{`"a\u00e9\ud83d\ude00\n"`, `"aé😀\n"`}, {`"` + strings.Repeat("x", 64) + `"`, `"` + strings.Repeat("x", 64) + `"`},
		// Names are in the order of UTF-16: U+1F600 stands before U+FFEE.
		{"{\"\uffee\":1,\"\U0001F600\":2,\"z\":3}", "{\"z\":3,\"\U0001F600\":2,\"\uffee\":1}"},
		{strings.Repeat("[", 1000) + strings.Repeat("]", 1000), strings.Repeat("[", 1000) + strings.Repeat("]", 1000)},
	} {
		if got := text(parse(t, c.in)); got != c.want {
			t.Errorf("%.60s: got %.80s, want %.80s", c.in, got, c.want)
		}
	}
	for _, in := range []string{``, ` `, `[1,]`, `{"a":1,}`, `'a'`, `NaN`, `01`, `+1`, `.5`, `5.`, `1e`, `-`, `"abc`, `tru`, `nullx`, `{a:1}`, `{"a" 1}`, `[1`,
		`"\x"`, "\"\t\"", `"\ud800"`, `"\udc00\ud800"`, `// 1`, strings.Repeat("[", 1001) + strings.Repeat("]", 1001), strings.Repeat("1", 1001)} {
		var b Builder
		if b.ParseJSON([]byte(in)) == nil {
			t.Errorf("%.40q was taken", in)
		}
	}
	var b Builder
	var e *base.Error
	if err := b.ParseJSON([]byte(`{"a":1,"b":{"x":1,"x":2}}`)); !errors.As(err, &e) || e.Condition != "VARIANT_DUPLICATE_KEY" {
		t.Errorf("a repeated name gave %v", err)
	}
}

// TestWideObject has more than 255 fields, whose ids and offsets need two bytes.
func TestWideObject(t *testing.T) {
	var in []string
	for i := range 600 {
		in = append(in, `"k`+strconv.Itoa(i)+`":`+strconv.Itoa(i))
	}
	v := Open(parse(t, "{"+strings.Join(in, ",")+"}"))
	for i := range 600 {
		f, ok := v.Find("k" + strconv.Itoa(i))
		if !ok || f.Int() != int64(i) {
			t.Fatalf("field %d: %v", i, ok)
		}
	}
	if _, ok := v.Find("k600"); ok {
		t.Error("a field that is not there was found")
	}
}

func TestPath(t *testing.T) {
	for in, want := range map[string]int{"$": 0, "$.a": 1, "$.a.b[0]": 3, `$['a.b']["c"]`: 2, "$.a b": 1, "$.a]": 1, "$.*": 1, "$['']": 1, "$[2147483647]": 1,
		"": -1, "a": -1, "$a": -1, "$.": -1, "$..a": -1, "$.a.": -1, "$[": -1, "$[a]": -1, "$[-1]": -1, "$[ 1]": -1, "$['a'": -1, `$["a']`: -1, "$[2147483648]": -1, " $": -1} {
		steps, ok := ParsePath(in)
		if n := len(steps); ok != (want >= 0) || ok && n != want {
			t.Errorf("%q: %d steps, %v; want %d", in, n, ok, want)
		}
	}
}

func TestEdits(t *testing.T) {
	const doc = `{"a":1,"b":[1,2],"c":{"d":null}}`
	for _, c := range []struct {
		edit           Edit
		doc, path, out string
	}{
		{Set, doc, "$.a", `{"a":"N","b":[1,2],"c":{"d":null}}`},
		{Set, doc, "$.b[0]", `{"a":1,"b":["N",2],"c":{"d":null}}`},
		{Set, doc, "$.b[4]", `{"a":1,"b":[1,2,null,null,"N"],"c":{"d":null}}`},
		{Set, doc, "$.c.e[1].f", `{"a":1,"b":[1,2],"c":{"d":null,"e":[null,{"f":"N"}]}}`},
		{Set, doc, "$.a.x", "path"}, {Set, doc, "$[0]", "path"},
		{Replace, doc, "$.z", doc}, {Replace, doc, "$.b[7]", doc}, {Replace, doc, "$.b[1]", `{"a":1,"b":[1,"N"],"c":{"d":null}}`},
		{Insert, doc, "$.z", `{"a":1,"b":[1,2],"c":{"d":null},"z":"N"}`},
		{Insert, doc, "$.b[0]", `{"a":1,"b":["N",1,2],"c":{"d":null}}`},
		{Insert, doc, "$.c.d", "VARIANT_DUPLICATE_KEY"},
		{Push, doc, "$.b", `{"a":1,"b":[1,2,"N"],"c":{"d":null}}`}, {Push, doc, "$.z", doc}, {Push, doc, "$.a", "path"}, {Push, `[]`, "$", `["N"]`},
	} {
		steps, _ := ParsePath(c.path)
		var b Builder
		err := b.Edit(c.edit, Open(parse(t, c.doc)), steps, Open(parse(t, `"N"`)))
		var e *base.Error
		switch {
		case errors.Is(err, ErrPathType):
			if c.out != "path" {
				t.Errorf("%d %s: a step does not fit", c.edit, c.path)
			}
		case errors.As(err, &e):
			if c.out != e.Condition {
				t.Errorf("%d %s: %v", c.edit, c.path, err)
			}
		default:
			if out, _ := b.Finish(nil); text(out) != c.out {
				t.Errorf("%d %s: got %s, want %s", c.edit, c.path, text(out), c.out)
			}
		}
	}
	for path, want := range map[string]string{"$.a": `{"b":[1,2],"c":{"d":null}}`, "$.b[0]": `{"a":1,"b":[2],"c":{"d":null}}`, "$.b[9]": doc, "$.a.x": doc, "$.c.d": `{"a":1,"b":[1,2],"c":{}}`} {
		steps, _ := ParsePath(path)
		var b Builder
		if err := b.Delete(Open(parse(t, doc)), steps); err != nil {
			t.Fatal(err)
		}
		if out, _ := b.Finish(nil); text(out) != want {
			t.Errorf("delete %s: got %s, want %s", path, text(out), want)
		}
	}
}

// FuzzVariant reads arbitrary bytes: they give a value or the error, never a panic
// or an endless walk; what is valid is the same after it was copied.
func FuzzVariant(f *testing.F) {
	for _, s := range []string{`{"a":[1,"x",1.5,null],"b":{"c":true}}`, `[]`, `1e9`, `"` + strings.Repeat("x", 70) + `"`} {
		f.Add(parse(f, s))
	}
	f.Add([]byte{1, 0, 0, 0, 1, 3, 1})
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 1<<12 {
			return
		}
		var err error
		func() {
			defer Catch(&err)
			v := Open(in)
			if !Valid(in) {
				_, _ = v.Get([]Step{{Name: "a", Field: true}, {Index: 1}})
				return
			}
			want := v.AppendJSON(nil, plain)
			var b Builder
			if b.Append(v) != nil {
				return // repeated names
			}
			out, err := b.Finish(nil)
			if err != nil || !bytes.Equal(Open(out).AppendJSON(nil, plain), want) && sorted(v) {
				t.Fatalf("copied %x: %s, want %s (%v)", in, Open(out).AppendJSON(nil, plain), want, err)
			}
		}()
	})
}

// sorted reports whether the fields of every object are in order, as they must be.
func sorted(v Value) bool {
	switch v.Kind() {
	case Object:
		last := ""
		for i := range v.Len() {
			name, f := v.Field(i)
			if i > 0 && compareNames(last, string(name)) >= 0 || !sorted(f) {
				return false
			}
			last = string(name)
		}
	case Array:
		for i := range v.Len() {
			if !sorted(v.Elem(i)) {
				return false
			}
		}
	}
	return true
}

// FuzzJSON holds that what is made of JSON is valid and says the same JSON again.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,"x",1.5,null],"b":{"c":true}}`, `[]`, `-0.0`, `"\ud83d\ude00"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var b Builder
		if b.ParseJSON(in) != nil {
			return
		}
		out, err := b.Finish(nil)
		if err != nil || !Valid(out) {
			t.Fatalf("%q makes %x, which is not valid (%v)", in, out, err)
		}
	})
}
