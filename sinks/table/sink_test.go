package table

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/sinktest"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/sourcetest"
	tablesource "github.com/flightd/flightd/sources/table"
)

func create(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tables", "t")
	if err := Create(dir, sinktest.Schema()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func openFor(t testing.TB, dir, writer string, o base.Options) *Sink {
	t.Helper()
	s, err := Open(t.Context(), dir, sinks.Config{QueryID: writer, Options: o, Schema: sinktest.Schema()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rowsOf(t testing.TB, dir string) []string {
	t.Helper()
	table, err := tablesource.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return sourcetest.ReadTable(t, table, sources.Scan{})
}

func commitRows(t testing.TB, s *Sink, e base.Epoch, mode sinks.Mode, k, n int) {
	t.Helper()
	if err := s.Write(t.Context(), e, mode, sinktest.Record(k, n)); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), e, mode, base.Digest{byte(e)}); err != nil {
		t.Fatal(err)
	}
}

func TestContract(t *testing.T) {
	for _, mode := range []base.OutputMode{base.Append, base.Complete} {
		t.Run(mode.String(), func(t *testing.T) {
			var dir string
			sinktest.Run(t, sinktest.Harness{
				Fresh:   func(t *testing.T) { dir = create(t) },
				Open:    func(t *testing.T) sinks.Sink { return openFor(t, dir, "q-1", nil) },
				Visible: func(t *testing.T) []string { return rowsOf(t, dir) },
				Mode:    sinks.Mode{Kind: mode},
			})
		})
	}
}

func TestSourceContract(t *testing.T) {
	dir := create(t)
	n := 0
	add := func(t *testing.T) {
		n++
		s := openFor(t, dir, fmt.Sprint("insert-", n), nil)
		commitRows(t, s, 0, sinks.Mode{}, 10*n, 4)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	add(t)
	sourcetest.Run(t, sourcetest.Harness{Add: add, Open: func(t *testing.T) sources.Source {
		src, err := tablesource.OpenStream(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		return src
	}})
	sourcetest.RunTable(t, func(t *testing.T) sources.Table {
		table, err := tablesource.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		return table
	}, func(t *testing.T) {
		s := openFor(t, dir, "replace", nil)
		commitRows(t, s, 0, sinks.Mode{Kind: base.Complete}, 1, 1)
	}, func(t *testing.T) {
		time.Sleep(2 * time.Millisecond)
		s := openFor(t, dir, "replace-2", base.Options{"retention": "0s"})
		commitRows(t, s, 0, sinks.Mode{Kind: base.Complete}, 1, 1)
	})
}

func TestStreamOfReplacedTable(t *testing.T) {
	dir := create(t)
	s := openFor(t, dir, "w", nil)
	commitRows(t, s, 0, sinks.Mode{}, 1, 2)
	src, err := tablesource.OpenStream(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	at, _ := src.Latest(t.Context(), "", sources.Limit{})
	commitRows(t, s, 1, sinks.Mode{Kind: base.Complete}, 5, 1)
	commitRows(t, s, 2, sinks.Mode{}, 6, 1)
	to, _ := src.Latest(t.Context(), at, sources.Limit{})
	if _, err := src.Read(t.Context(), at, to, sources.Scan{}); err == nil || !strings.Contains(base.AsError(err).Hint, "skipChangeCommits") {
		t.Errorf("got %v", err)
	}
	src, err = tablesource.OpenStream(dir, base.Options{"skipChangeCommits": "true"})
	if err != nil {
		t.Fatal(err)
	}
	if got := sourcetest.ReadRange(t, src, at, to, sources.Scan{}); fmt.Sprint(got) != "[6|value 6]" {
		t.Errorf("got %v", got)
	}
	fresh, _ := src.Latest(t.Context(), "", sources.Limit{})
	if got := sourcetest.ReadRange(t, src, "", fresh, sources.Scan{}); fmt.Sprint(got) != "[5|value 5 6|value 6]" {
		t.Errorf("got %v", got)
	}
}

func TestStreamLimits(t *testing.T) {
	dir := create(t)
	s := openFor(t, dir, "w", nil)
	commitRows(t, s, 0, sinks.Mode{}, 0, 1)
	src, err := tablesource.OpenStream(dir, base.Options{"maxFilesPerTrigger": "2"})
	if err != nil {
		t.Fatal(err)
	}
	at, _ := src.Latest(t.Context(), "", sources.Limit{Options: true})
	for e := base.Epoch(1); e < 6; e++ {
		commitRows(t, s, e, sinks.Mode{}, int(e), 1)
	}
	var got []string
	for {
		to, err := src.Latest(t.Context(), at, sources.Limit{Options: true})
		if err != nil {
			t.Fatal(err)
		}
		if to == at {
			break
		}
		got = append(got, fmt.Sprint(sourcetest.ReadRange(t, src, at, to, sources.Scan{Columns: []int{0}})))
		at = to
	}
	if fmt.Sprint(got) != "[[1 2] [3 4] [5]]" {
		t.Errorf("got %v", got)
	}
}

func TestManyWriters(t *testing.T) {
	dir := create(t)
	var want []string
	for e := range base.Epoch(3) {
		for w := range 3 {
			s := openFor(t, dir, fmt.Sprint("q", w), nil)
			commitRows(t, s, e, sinks.Mode{}, int(e)*10+w, 1)
			want = append(want, sinktest.Rows(int(e)*10+w, 1)...)
		}
	}
	if got := rowsOf(t, dir); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEveryTypeComesBack(t *testing.T) {
	f := func(n string, t arrow.DataType) arrow.Field { return arrow.Field{Name: n, Type: t, Nullable: true} }
	schema := arrow.NewSchema([]arrow.Field{f("b", arrow.FixedWidthTypes.Boolean), f("i8", arrow.PrimitiveTypes.Int8), f("i16", arrow.PrimitiveTypes.Int16),
		f("f32", arrow.PrimitiveTypes.Float32), f("dec", &arrow.Decimal128Type{Precision: 38, Scale: 10}), f("bin", arrow.BinaryTypes.Binary), f("day", arrow.FixedWidthTypes.Date32),
		f("ts", arrow.FixedWidthTypes.Timestamp_us), f("ntz", &arrow.TimestampType{Unit: arrow.Microsecond}), f("ym", arrow.FixedWidthTypes.MonthInterval),
		f("dt", arrow.FixedWidthTypes.Duration_us), f("l", arrow.ListOf(arrow.PrimitiveTypes.Int32)), f("m", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64)),
		f("st", arrow.StructOf(f("x", arrow.BinaryTypes.String), f("y", arrow.ListOf(arrow.PrimitiveTypes.Float64))))}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(
		`[{"b":true,"i8":-1,"i16":300,"f32":1.5,"dec":"-123.4567890123","bin":"YWI=","day":"2024-02-29","ts":"1969-12-31T23:59:59.999999Z","ntz":"2024-01-01T10:00:00.000001",
		 "ym":{"months":14},"dt":"-5us","l":[1,null],"m":[{"key":"k","value":1}],"st":{"x":"p","y":[1.5]}},{}]`))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "t")
	if err := Create(dir, schema); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), dir, sinks.Config{QueryID: "w", Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), 0, sinks.Mode{}, rec); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{}); err != nil {
		t.Fatal(err)
	}
	if got, want := rowsOf(t, dir), sourcetest.Texts(rec); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
}

func TestErrors(t *testing.T) {
	dir := create(t)
	for _, c := range []struct {
		cfg  sinks.Config
		want string
	}{
		{sinks.Config{QueryID: "w", Schema: sinktest.Schema(), OutputMode: base.Update}, "update output mode"},
		{sinks.Config{Schema: sinktest.Schema()}, "no id"},
		{sinks.Config{QueryID: "w", Schema: arrow.NewSchema(sinktest.Schema().Fields()[:1], nil)}, "2 columns"},
		{sinks.Config{QueryID: "w", Schema: sinktest.Schema(), Options: base.Options{"retnetion": "1h"}}, "retnetion"},
	} {
		if _, err := Open(t.Context(), dir, c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	if _, err := Open(t.Context(), t.TempDir(), sinks.Config{QueryID: "w", Schema: sinktest.Schema()}); base.CodeOf(err) != base.CodeNotFound {
		t.Errorf("got %v", err)
	}
	s := openFor(t, dir, "w", nil)
	if err := s.Write(t.Context(), 0, sinks.Mode{}, sinktest.Record(1, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.place(0); err != nil { // dies before the log
		t.Fatal(err)
	}
	openFor(t, dir, "w", nil)
	if left, _ := filepath.Glob(filepath.Join(dir, "data/w/*")); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	if _, err := os.Stat(filepath.Join(dir, "stage", "w")); err == nil {
		t.Error("the stage is left")
	}
}
