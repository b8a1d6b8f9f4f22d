package console

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/sinktest"
)

// visible reads the rows of the tables that were printed, or of the last one.
func visible(text string, last bool) []string {
	if last {
		text = text[max(0, strings.LastIndex(text, "Batch:")):]
	}
	var out []string
	for _, line := range strings.Split(text, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || strings.TrimSpace(cells[1]) == "k" {
			continue
		}
		out = append(out, strings.TrimSpace(cells[1])+"|"+strings.TrimSpace(cells[2]))
	}
	return out
}

func TestContract(t *testing.T) {
	for _, kind := range []base.OutputMode{base.Append, base.Update, base.Complete} {
		var out bytes.Buffer
		var p sinks.Provider
		sinktest.Run(t, sinktest.Harness{
			Fresh: func(*testing.T) { out.Reset(); p = Providers(&out)[0] },
			Open: func(t *testing.T) sinks.Sink {
				s, err := p.Open(t.Context(), sinks.Config{QueryID: "q", Schema: sinktest.Schema()})
				if err != nil {
					t.Fatal(err)
				}
				return s
			},
			Visible: func(*testing.T) []string { return visible(out.String(), kind == base.Complete) },
			Mode:    sinks.Mode{Kind: kind},
		})
	}
}

func show(t *testing.T, options base.Options, batch bool, schema *arrow.Schema, recs ...arrow.RecordBatch) string {
	t.Helper()
	var out bytes.Buffer
	s, err := Providers(&out)[0].Open(t.Context(), sinks.Config{QueryID: "q", Schema: schema, Options: options, Batch: batch})
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range recs {
		if err := s.Write(t.Context(), 7, sinks.Mode{}, rec); err != nil {
			t.Fatal(err)
		}
		rec.Release()
	}
	if err := s.Commit(t.Context(), 7, sinks.Mode{}, base.Digest{}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestEmptyEpoch(t *testing.T) {
	want := `-------------------------------------------
Batch: 7
-------------------------------------------
+---+---+
|  k|  v|
+---+---+
+---+---+

`
	if got := show(t, nil, false, sinktest.Schema()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOnlyTopRows(t *testing.T) {
	want := `+---+-------+
|  k|      v|
+---+-------+
|  0|value 0|
|  1|value 1|
|  2|value 2|
+---+-------+
only showing top 3 rows

`
	if got := show(t, base.Options{"numrows": "3"}, true, sinktest.Schema(), sinktest.Record(0, 2), sinktest.Record(2, 2)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := show(t, base.Options{"numRows": "3"}, true, sinktest.Schema(), sinktest.Record(0, 3)); strings.Contains(got, "only") {
		t.Errorf("three of three rows: got\n%s", got)
	}
	if got := show(t, base.Options{"numRows": "1"}, true, sinktest.Schema(), sinktest.Record(0, 2)); !strings.HasSuffix(got, "+\nonly showing top 1 row\n\n") {
		t.Errorf("one of two rows: got\n%s", got)
	}
}

func texts(values ...string) (*arrow.Schema, arrow.RecordBatch) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, v := range values {
		b.Field(0).(*array.StringBuilder).Append(v)
	}
	return schema, b.NewRecordBatch()
}

func TestTruncate(t *testing.T) {
	schema, rec := texts("exactly twenty chars", "this is twenty-one ch", "a\tb\nc", "")
	rec.Retain()
	want := `+--------------------+
|                text|
+--------------------+
|exactly twenty chars|
|this is twenty-on...|
|             a\tb\nc|
|                    |
+--------------------+

`
	if got := show(t, nil, true, schema, rec); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	want = `+---------------------+
|text                 |
+---------------------+
|exactly twenty chars |
|this is twenty-one ch|
|a\tb\nc              |
|                     |
+---------------------+

`
	if got := show(t, base.Options{"truncate": "false"}, true, schema, rec); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWideCharacters(t *testing.T) {
	schema, rec := texts("日本", "é", "日日日日日日日日日日日日日日日日日日日日日")
	want := "|" + strings.Repeat(" ", 33) + "日本|\n|" + strings.Repeat(" ", 36) + "é|\n|" + strings.Repeat("日", 17) + "...|\n"
	if got := show(t, nil, true, schema, rec); !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{{"abcdef", 3, "abc"}, {"abcdef", 5, "ab..."}, {"abcdef", 6, "abcdef"}, {"a😀😀bcd", 6, "a😀..."}, {"a😀😀bcd", 5, "a..."}} {
		if got := cut(c.s, c.n); got != c.want {
			t.Errorf("%q cut to %d: got %q, want %q", c.s, c.n, got, c.want)
		}
	}
	if got := fmt.Sprint(width("日本"), width("é"), width("a😀")); got != "4 1 3" {
		t.Errorf("widths %s", got)
	}
}

func TestCells(t *testing.T) {
	window := arrow.StructOf(arrow.Field{Name: "start", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true}, arrow.Field{Name: "b", Type: arrow.BinaryTypes.Binary, Nullable: true})
	for _, c := range []struct {
		typ       arrow.DataType
		json, out string
	}{
		{arrow.BinaryTypes.Binary, `["AQL/"]`, "[01 02 FF]"}, {arrow.PrimitiveTypes.Float64, `[1e20]`, "1.0E20"}, {arrow.PrimitiveTypes.Int64, `[null]`, "NULL"},
		{arrow.ListOf(arrow.PrimitiveTypes.Int64), `[[1, null, 3]]`, "[1, NULL, 3]"}, {arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), `[[{"key": "a", "value": 1}, {"key": "b", "value": null}]]`, "{a -> 1, b -> NULL}"},
		{window, `[{"start": "2024-01-01T00:00:01Z", "b": "AQI="}]`, "{2024-01-01 00:00:01, [01 02]}"}, {&arrow.Decimal128Type{Precision: 10, Scale: 8}, `["0.00000001"]`, "0.00000001"},
	} {
		col, _, err := array.FromJSON(memory.DefaultAllocator, c.typ, strings.NewReader(c.json))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendCell(nil, col, 0)); got != c.out {
			t.Errorf("%s %s: got %s, want %s", c.typ, c.json, got, c.out)
		}
	}
}

func TestNoColumns(t *testing.T) {
	schema := arrow.NewSchema(nil, nil)
	if got, want := show(t, nil, true, schema, array.NewRecordBatch(schema, nil, 2)), "++\n||\n++\n||\n||\n++\n\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []base.Options{{"numRows": "many"}, {"numRows": "-1"}, {"truncate": "20x"}} {
		if _, err := Providers(&bytes.Buffer{})[0].Open(t.Context(), sinks.Config{Options: o}); base.CodeOf(err) != base.CodeInvalid {
			t.Errorf("%v: got %v", o, err)
		}
	}
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestConsoleIsGone(t *testing.T) {
	s, err := Providers(closedPipe{})[0].Open(t.Context(), sinks.Config{QueryID: "q", Schema: sinktest.Schema()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // what was not printed is not remembered as printed
		if err := s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{}); base.CodeOf(err) != base.CodeUnavailable {
			t.Errorf("got %v", err)
		}
	}
}

// References to rows that are not shown are not kept.
func TestKeepsWhatIsShown(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	b := array.NewInt64Builder(mem)
	b.AppendValues(slices.Repeat([]int64{1}, 100), nil)
	col := b.NewArray()
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: col.DataType()}}, nil)
	rec := array.NewRecordBatch(schema, []arrow.Array{col}, 100)
	col.Release()
	if got := show(t, nil, true, schema, rec); strings.Count(got, "|  1|") != 20 {
		t.Errorf("got\n%s", got)
	}
	b.Release()
}
