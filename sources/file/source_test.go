package file

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/manifest"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/sourcetest"
)

var abSchema = arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)

// dir is a directory into which tests put files, each later than the one before.
type dir struct {
	path  string
	clock time.Time
	n     int
}

func newDir(t testing.TB) *dir {
	return &dir{path: t.TempDir(), clock: time.Now().Add(-time.Hour).Truncate(time.Second)}
}

func (d *dir) put(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(d.path, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	d.clock = d.clock.Add(time.Second)
	if err := os.Chtimes(path, d.clock, d.clock); err != nil {
		t.Fatal(err)
	}
	return path
}

// content returns a file of format with rows new rows.
func (d *dir) content(t testing.TB, format string, rows int) string {
	t.Helper()
	var b strings.Builder
	var js []string
	for range rows {
		d.n++
		js = append(js, fmt.Sprintf(`{"a":%d,"s":"text %d"}`, d.n, d.n))
		switch format {
		case "json":
			fmt.Fprintln(&b, js[len(js)-1])
		case "csv":
			fmt.Fprintf(&b, "%d,text %d\n", d.n, d.n)
		case "text":
			fmt.Fprintf(&b, "text %d\n", d.n)
		}
	}
	if format != "parquet" {
		return b.String()
	}
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, abSchema, strings.NewReader("["+strings.Join(js, ",")+"]"))
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w, err := pqarrow.NewFileWriter(abSchema, &buf, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(3)), pqarrow.DefaultWriterProps())
	if err == nil {
		err = w.Write(rec)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func openIn(t testing.TB, format, path string, schema *arrow.Schema, kv ...string) (*Source, error) {
	t.Helper()
	o := base.Options{"path": path}
	for i := 0; i < len(kv); i += 2 {
		o[kv[i]] = kv[i+1]
	}
	for _, p := range Providers() {
		if p.Name == format {
			src, err := p.Stream(t.Context(), sources.Config{Name: "t", Options: o, Schema: schema})
			if err != nil {
				return nil, err
			}
			return src.(*Source), nil
		}
	}
	t.Fatalf("no format %s", format)
	return nil, nil
}

func must(t testing.TB, format, path string, schema *arrow.Schema, kv ...string) *Source {
	t.Helper()
	s, err := openIn(t, format, path, schema, kv...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func schemaFor(format string) *arrow.Schema {
	if format == "text" {
		return nil
	}
	return abSchema
}

func TestContract(t *testing.T) {
	for _, format := range []string{"parquet", "json", "csv", "text"} {
		t.Run(format, func(t *testing.T) {
			d := newDir(t)
			files := 0
			sourcetest.Run(t, sourcetest.Harness{
				Open: func(t *testing.T) sources.Source { return must(t, format, d.path, schemaFor(format)) },
				Add: func(t *testing.T) {
					for range 2 {
						files++
						d.put(t, fmt.Sprintf("f%03d.%s", 999-files, format), d.content(t, format, 4))
					}
				},
			})
			d.put(t, "more."+format, d.content(t, format, 4))
			sourcetest.RunTable(t, func(t *testing.T) sources.Table { return table(t, format, d.path, schemaFor(format)) },
				func(t *testing.T) { d.put(t, "later."+format, d.content(t, format, 1)) },
				func(t *testing.T) { d.put(t, "more."+format, d.content(t, format, 1)) })
		})
	}
}

func table(t testing.TB, format, path string, schema *arrow.Schema, kv ...string) sources.Table {
	t.Helper()
	o := base.Options{"path": path}
	for i := 0; i < len(kv); i += 2 {
		o[kv[i]] = kv[i+1]
	}
	for _, p := range Providers() {
		if p.Name == format {
			tab, err := p.Batch(t.Context(), sources.Config{Name: "t", Options: o, Schema: schema})
			if err != nil {
				t.Fatal(err)
			}
			return tab
		}
	}
	return nil
}

// epochs reads all that is there now in epochs, with the source's own limits.
func epochs(t testing.TB, s *Source, at base.Offset) (rows []string, last base.Offset) {
	t.Helper()
	for range 100 {
		to, err := s.Latest(t.Context(), at, sources.Limit{Options: true})
		if err != nil {
			t.Fatal(err)
		}
		if to == at {
			return rows, at
		}
		rows = append(rows, strings.Join(sourcetest.ReadRange(t, s, at, to, sources.Scan{}), " "))
		at = to
	}
	t.Fatal("there is always something new")
	return nil, ""
}

func TestOrderAndLimits(t *testing.T) {
	d := newDir(t)
	for _, n := range []string{"z", "m", "a", "q"} {
		d.put(t, n, n+"\n")
	}
	same := d.clock
	for _, n := range []string{"y", "b"} {
		if err := os.Chtimes(d.put(t, n, n+"\n"), same, same); err != nil {
			t.Fatal(err)
		}
	}
	d.put(t, "_SUCCESS", "x")
	d.put(t, ".part.crc", "x")
	d.put(t, "sub/x", "x")
	for _, c := range []struct {
		options string
		want    string
	}{
		{"", "[z m a b q y]"},
		{"maxFilesPerTrigger 2", "[z m|a b|q y]"},
		{"maxFilesPerTrigger 2 latestFirst true", "[y q|b a|m z]"},
		{"maxBytesPerTrigger 5", "[z m|a b|q y]"},
		{"maxBytesPerTrigger 1", "[z|m|a|b|q|y]"},
		{"pathGlobFilter {a,b}*", "[a b]"},
		{"recursiveFileLookup true", "[z m a b q y x]"},
	} {
		s := must(t, "text", d.path, nil, strings.Fields(c.options)...)
		got, _ := epochs(t, s, "")
		if fmt.Sprintf("[%s]", strings.Join(got, "|")) != c.want {
			t.Errorf("%s: got %s, want %s", c.options, strings.Join(got, "|"), c.want)
		}
	}
	if s := must(t, "text", filepath.Join(d.path, "[ab]"), nil); true {
		if got, _ := epochs(t, s, ""); fmt.Sprint(got) != "[a b]" {
			t.Errorf("pattern: got %v", got)
		}
	}
	if s := must(t, "text", "file://"+d.path+"/sub", nil); s.Describe() != "FileStreamSource[file:"+d.path+"/sub]" {
		t.Errorf("described %s", s.Describe())
	}
}

func TestMaxFileAge(t *testing.T) {
	d := newDir(t)
	old := d.put(t, "old", "old\n")
	week := d.clock.Add(-8 * 24 * time.Hour)
	if err := os.Chtimes(old, week, week); err != nil {
		t.Fatal(err)
	}
	d.put(t, "new", "new\n")
	s := must(t, "text", d.path, nil)
	got, at := epochs(t, s, "")
	if fmt.Sprint(got) != "[old new]" { // age does not matter in the first epoch
		t.Fatalf("got %v", got)
	}
	if err := os.Chtimes(d.put(t, "late", "late\n"), week, week); err != nil {
		t.Fatal(err)
	}
	d.put(t, "fresh", "fresh\n")
	if got, _ = epochs(t, s, at); fmt.Sprint(got) != "[fresh]" {
		t.Fatalf("got %v", got)
	}
}

func TestFileNameOnly(t *testing.T) {
	d := newDir(t)
	d.put(t, "x=1/f", "one\n")
	s := must(t, "text", d.path, nil, "fileNameOnly", "true")
	_, at := epochs(t, s, "")
	d.put(t, "x=2/f", "two\n")
	if got, _ := epochs(t, s, at); len(got) != 0 {
		t.Errorf("the same name elsewhere is taken: %v", got)
	}
}

func TestPlannedFileChanged(t *testing.T) { // F2
	d := newDir(t)
	for name, change := range map[string]func(path string){
		"has gone":    func(p string) { os.Remove(p) },
		"has changed": func(p string) { os.WriteFile(p, []byte("longer than before\n"), 0o644) },
	} {
		for _, format := range []string{"text", "parquet"} {
			path := d.put(t, "f."+format, d.content(t, format, 2))
			s := must(t, format, d.path, schemaFor(format), "pathGlobFilter", "f."+format)
			to, err := s.Latest(t.Context(), "", sources.Limit{})
			if err != nil {
				t.Fatal(err)
			}
			change(path)
			splits, err := s.Read(t.Context(), "", to, sources.Scan{})
			if err == nil {
				_, err = sourcetest.ReadSplits(t.Context(), t, splits, s.Schema(), 0)
			}
			if base.CodeOf(err) != base.CodeCorrupt || !strings.Contains(err.Error(), path+" "+name) {
				t.Errorf("%s, %s: got %v", format, name, err)
			}
		}
	}
}

func TestCleanSource(t *testing.T) { // F4
	d, archive := newDir(t), t.TempDir()
	for _, mode := range []string{"delete", "archive"} {
		one, two := d.put(t, "one", "1\n"), d.put(t, "two", "2\n")
		s := must(t, "text", d.path, nil, "cleanSource", mode, "sourceArchiveDir", archive, "maxFilesPerTrigger", "1")
		first, _ := s.Latest(t.Context(), "", sources.Limit{Options: true})
		sourcetest.ReadRange(t, s, "", first, sources.Scan{})
		second, _ := s.Latest(t.Context(), first, sources.Limit{Options: true})
		sourcetest.ReadRange(t, s, first, second, sources.Scan{})
		if err := s.Commit(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(one); err == nil {
			t.Errorf("%s: the committed file is still there", mode)
		}
		if _, err := os.Stat(two); err != nil {
			t.Errorf("%s: a file that is not committed is gone", mode)
		}
		if err := s.Commit(t.Context(), second); err != nil {
			t.Fatal(err)
		}
	}
	if b, _ := os.ReadFile(filepath.Join(archive, d.path, "two")); string(b) != "2\n" {
		t.Errorf("archived %q", b)
	}
}

func TestPartitionDirectories(t *testing.T) {
	d := newDir(t)
	d.put(t, "city=New%20York/day=2024-01-02/n=1/f.json", `{"a":1}`)
	d.put(t, "city=__HIVE_DEFAULT_PARTITION__/day=2024-01-03/n=3000000000/f.json", `{"a":2}`)
	d.put(t, "city=a%3Db%2Fc/day=2024-01-03/n=2/f.json", `{"a":3}`)
	a := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}}, nil)
	s := must(t, "json", d.path, a)
	var types []string
	for _, f := range s.Schema().Fields() {
		types = append(types, f.Name+" "+f.Type.String())
	}
	if fmt.Sprint(types) != "[a int64 city utf8 day date32 n int64]" {
		t.Errorf("columns %v", types)
	}
	got, at := epochs(t, s, "")
	if want := "1|New York|2024-01-02|1 2|(null)|2024-01-03|3000000000 3|a=b/c|2024-01-03|2"; fmt.Sprint(got) != "["+want+"]" {
		t.Errorf("got %v", got)
	}
	d.put(t, "city=Rome/day=2024-01-04/n=5/zone=x/f.json", `{"a":4}`)
	to, err := s.Latest(t.Context(), at, sources.Limit{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(t.Context(), at, to, sources.Scan{}); err == nil || !strings.Contains(err.Error(), "zone=") {
		t.Errorf("a new key: got %v", err)
	}
	declared := arrow.NewSchema([]arrow.Field{{Name: "N", Type: arrow.BinaryTypes.String}, {Name: "a", Type: arrow.PrimitiveTypes.Int32}}, nil)
	s = must(t, "json", filepath.Join(d.path, "city=*"), declared, "basePath", d.path, "pathGlobFilter", "*.json")
	if got, _ := epochs(t, s, ""); len(got) != 1 || !strings.HasPrefix(got[0], "1|1|New York|2024-01-02|(null) 3000000000|2|") {
		t.Errorf("declared and with basePath: got %v", got)
	}
	bad := arrow.NewSchema([]arrow.Field{{Name: "city", Type: arrow.PrimitiveTypes.Int32}, {Name: "a", Type: arrow.PrimitiveTypes.Int32}}, nil)
	s = must(t, "json", d.path, bad)
	splits, err := s.Read(t.Context(), "", mustLatest(t, s), sources.Scan{})
	if err == nil {
		_, err = splits[0].Open(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "city=New York") {
		t.Errorf("a value of the wrong type: got %v", err)
	}
}

func mustLatest(t testing.TB, s *Source) base.Offset {
	t.Helper()
	to, err := s.Latest(t.Context(), "", sources.Limit{})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func TestManifestIsRead(t *testing.T) {
	d := newDir(t)
	committed := d.put(t, "part-0.txt", "yes\n")
	d.put(t, "part-1.txt", "not committed\n")
	st, _ := os.Stat(committed)
	log := manifest.Open(nil, d.path)
	if err := log.Append(0, []manifest.Entry{manifest.NewEntry(committed, st.Size(), st.ModTime())}, time.Time{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if got, _ := epochs(t, must(t, "text", d.path, nil), ""); fmt.Sprint(got) != "[yes]" {
		t.Errorf("got %v", got)
	}
	if err := os.Remove(committed); err != nil {
		t.Fatal(err)
	}
	if _, err := openIn(t, "text", d.path, nil); base.CodeOf(err) != base.CodeCorrupt {
		t.Errorf("got %v", err)
	}
}

func TestErrors(t *testing.T) {
	d := newDir(t)
	d.put(t, "f.json", `{"b":1,"a":"x"}`)
	for _, c := range []struct{ format, path, options, want string }{
		{"json", d.path + "/no", "", "[PATH_NOT_FOUND] Path does not exist: file:" + d.path + "/no"},
		{"json", "", "", "needs the option path"},
		{"json", d.path, "maxFilesPerTriger 1", `has no option "maxFilesPerTriger"`},
		{"json", d.path, "maxFilesPerTrigger 1 maxBytesPerTrigger 1", "exclude each other"},
		{"json", d.path, "maxFilesPerTrigger 0", "not a positive number"},
		{"json", d.path, "multiLine true", "multiLine=true"},
		{"json", d.path, "modifiedBefore 2024-01-01", "modifiedBefore"},
		{"json", d.path, "cleanSource archive", "sourceArchiveDir"},
		{"json", d.path, "cleanSource archive sourceArchiveDir " + d.path + "/old", "must not contain each other"},
		{"json", "s3://bucket/x", "", "only local files"},
	} {
		_, err := openIn(t, c.format, c.path, abSchema, strings.Fields(c.options)...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: got %v, want %s", c.path, c.options, err, c.want)
		}
	}
	_, err := openIn(t, "json", d.path, nil)
	if e := base.AsError(err); e == nil || !strings.Contains(e.Hint, "spark.sql.streaming.schemaInference") {
		t.Errorf("no schema: got %v", err)
	}
	if _, err := openIn(t, "json", d.path, abSchema, "maxFilesPerTriger", "1"); base.AsError(err).Hint != `did you mean "maxFilesPerTrigger"?` {
		t.Errorf("hint %q", base.AsError(err).Hint)
	}
	if got := sourcetest.ReadTable(t, table(t, "json", d.path, nil), sources.Scan{}); fmt.Sprint(got) != "[x|1]" {
		t.Errorf("inferred: got %v", got)
	}
}

func TestMalformedDoesNotDependOnColumns(t *testing.T) {
	d := newDir(t)
	d.put(t, "f.json", `{"a":1,"s":"x"}`+"\n"+`{"a":"bad","s":"y"}`+"\n")
	d.put(t, "f.csv", "1,x\nbad,y\n")
	for _, format := range []string{"json", "csv"} {
		tab := table(t, format, d.path, abSchema, "mode", "DROPMALFORMED", "pathGlobFilter", "*."+format)
		for _, columns := range [][]int{nil, {0}, {1}, {}} {
			if got := sourcetest.ReadTable(t, tab, sources.Scan{Columns: columns}); len(got) != 1 {
				t.Errorf("%s, columns %v: got %v", format, columns, got)
			}
		}
	}
}

func TestFoldForgetsOldFiles(t *testing.T) {
	d := newDir(t)
	s := must(t, "text", d.path, nil, "maxFileAge", "1h")
	var fold []byte
	var last delta
	for i := range 20_000 {
		last = delta{LogOffset: int64(i), Files: []planned{{fmt.Sprintf("/data/in/a-file-with-a-name-%d", i), 1, int64(i) * 60e6}}}
		var err error
		if fold, err = s.Fold(fold, last.encode()); err != nil {
			t.Fatal(err)
		}
	}
	if len(fold) > 200_000 {
		t.Errorf("the fold has %d bytes", len(fold))
	}
	if err := s.Restore(t.Context(), fold); err != nil {
		t.Fatal(err)
	}
	if s.seen.isNew(last.Files[0].Path, last.Files[0].MTime) || s.seen.isNew("/data/in/a-file-with-a-name-3", 3*60e6) {
		t.Error("a file is taken twice")
	}
	if len(s.seen.times) > 100 {
		t.Errorf("%d files are remembered", len(s.seen.times))
	}
}

func TestCompressedText(t *testing.T) {
	d := newDir(t)
	d.put(t, "bad.gz", "this is not gzip")
	s := must(t, "text", d.path, nil)
	splits, err := s.Read(t.Context(), "", mustLatest(t, s), sources.Scan{})
	if err == nil {
		_, err = splits[0].Open(t.Context())
	}
	if base.CodeOf(err) != base.CodeCorrupt || !strings.Contains(err.Error(), "bad.gz") {
		t.Errorf("got %v", err)
	}
}

func FuzzOffset(f *testing.F) {
	f.Add(`{"logOffset":0,"files":[{"path":"/a","size":1,"mtime":2}]}`)
	f.Add("files 1\n" + `{"n":1,"dir":"/a/","names":["b"],"times":[1]}` + "\n")
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := decodeOffset(base.Offset(s)); err == nil && d.LogOffset >= 0 {
			again, err := decodeOffset(d.encode())
			if err != nil || !slices.Equal(again.Files, d.Files) {
				t.Fatalf("%s becomes %s", s, d.encode())
			}
			lines, err := parseFold(appendFold(nil, d.foldLine()))
			if err != nil || len(lines) != 1 {
				t.Fatalf("%s folds to %v %v", s, lines, err)
			}
			for i, n := range lines[0].Names {
				if filepath.Clean(lines[0].Dir+n) != filepath.Clean(d.Files[i].Path) {
					t.Fatalf("%s folds to %s%s", d.Files[i].Path, lines[0].Dir, n)
				}
			}
		}
		_, _ = parseFold([]byte(s))
	})
}

// BenchmarkIdleTrigger asks for news in a directory of 60 files that were taken.
func BenchmarkIdleTrigger(b *testing.B) {
	d := newDir(b)
	for i := range 60 {
		d.put(b, fmt.Sprintf("day=%d/%d.json", i%3, i), d.content(b, "json", 1))
	}
	s := must(b, "json", d.path, abSchema)
	at, err := s.Latest(b.Context(), "", sources.Limit{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if to, err := s.Latest(b.Context(), at, sources.Limit{}); err != nil || to != at {
			b.Fatal(to, err)
		}
	}
}
