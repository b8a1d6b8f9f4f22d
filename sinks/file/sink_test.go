package file

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/manifest"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/sinktest"
	"github.com/flightd/flightd/sources"
	filesource "github.com/flightd/flightd/sources/file"
	"github.com/flightd/flightd/sources/sourcetest"
)

func openSink(t testing.TB, format, dir string, cfg sinks.Config, kv ...string) *Sink {
	t.Helper()
	s, err := tryOpen(format, dir, cfg, kv...)
	if err != nil {
		t.Fatal(err)
	}
	return s.(*Sink)
}

func tryOpen(format, dir string, cfg sinks.Config, kv ...string) (sinks.Sink, error) {
	cfg.Options = base.Options{"path": dir}
	for i := 0; i < len(kv); i += 2 {
		cfg.Options[kv[i]] = kv[i+1]
	}
	if cfg.Schema == nil {
		cfg.Schema = sinktest.Schema()
	}
	if cfg.QueryID == "" {
		cfg.Query, cfg.QueryID = "q 1", "0b4f-id"
	}
	for _, p := range Providers() {
		if p.Name == format {
			return p.Open(context.Background(), cfg)
		}
	}
	return nil, errors.New("no such format")
}

// readBack returns the rows of dir as the file source sees them.
func readBack(t testing.TB, format, dir string, schema *arrow.Schema, kv ...string) []string {
	t.Helper()
	o := base.Options{"path": dir}
	for i := 0; i < len(kv); i += 2 {
		o[kv[i]] = kv[i+1]
	}
	for _, p := range filesource.Providers() {
		if p.Name == format {
			tab, err := p.Batch(t.Context(), sources.Config{Options: o, Schema: schema})
			if err != nil {
				t.Fatal(err)
			}
			return sourcetest.ReadTable(t, tab, sources.Scan{})
		}
	}
	return nil
}

func TestContract(t *testing.T) {
	for _, format := range []string{"parquet", "json", "csv"} {
		for _, by := range []string{"", "k"} {
			t.Run(format+" "+by, func(t *testing.T) {
				var dir string
				cfg := sinks.Config{}
				if by != "" {
					cfg.PartitionBy = []string{by}
				}
				sinktest.Run(t, sinktest.Harness{
					Fresh: func(t *testing.T) { dir = filepath.Join(t.TempDir(), "a", "out") },
					Open:  func(t *testing.T) sinks.Sink { return openSink(t, format, dir, cfg) },
					Visible: func(t *testing.T) []string {
						if !manifest.Open(nil, dir).Exists() {
							return nil
						}
						return readBack(t, format, dir, sinktest.Schema())
					},
				})
			})
		}
	}
}

// inMemory returns a directory where a sync costs little, if there is one.
func inMemory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "sink")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// tree returns the names below dir with a hash of each file; the manifests, whose
// times differ, by name only.
func tree(t testing.TB, dir string) string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		b, err := os.ReadFile(path)
		if strings.HasPrefix(rel, manifest.DirName) {
			b = nil
		}
		out = append(out, fmt.Sprintf("%s %x", rel, sha256.Sum256(b)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(out)
	return strings.Join(out, "\n")
}

var digestOf = func(e base.Epoch) base.Digest { return base.Digest{byte(e), 9} }

// run writes epochs 0 to 10 in record batches of cut rows; before is told each
// durable step and may die there, upon which the epoch is replayed by a new start.
func run(t testing.TB, format, dir string, cfg sinks.Config, cut int, before func(e base.Epoch, step string) error, kv ...string) {
	t.Helper()
	s := openSink(t, format, dir, cfg, kv...)
	for e := base.Epoch(0); e < 11; e++ {
		for {
			s.before = func(step string) error { return before(e, step) }
			rows := 4 + int(e)%4
			for k := 0; k < rows; k += cut {
				rec := sinktest.Record(100*int(e)+k, min(cut, rows-k))
				if err := s.Write(t.Context(), e, sinks.Mode{}, rec); err != nil {
					t.Fatal(err)
				}
				rec.Release()
			}
			err := s.Commit(t.Context(), e, sinks.Mode{}, digestOf(e))
			if err == nil {
				err = before(e, "after")
			}
			if err == nil {
				break
			}
			if !errors.Is(err, errDied) {
				t.Fatal(err)
			}
			s = openSink(t, format, dir, cfg, kv...) // the old one is not closed: it died
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

var errDied = errors.New("died")

func never(base.Epoch, string) error { return nil }

func TestReplaysLeaveTheSameFiles(t *testing.T) { // D1, D2
	for _, format := range []string{"parquet", "json"} {
		for _, options := range [][]string{nil, {"maxRecordsPerFile", "3"}} {
			for _, cfg := range []sinks.Config{{}, {PartitionBy: []string{"v"}}} {
				want := filepath.Join(inMemory(t), "out")
				run(t, format, want, cfg, 7, never, options...)
				for _, step := range []string{"record", "place", "manifest", "after"} {
					got := filepath.Join(inMemory(t), "out")
					died := map[base.Epoch]bool{}
					run(t, format, got, cfg, 5, func(e base.Epoch, s string) error {
						if s == step && e%2 == 0 && !died[e] {
							died[e] = true
							return errDied
						}
						return nil
					}, options...)
					if len(died) != 6 {
						t.Fatalf("died %d times", len(died))
					}
					if tree(t, got) != tree(t, want) {
						t.Errorf("%s %v, dying before %s:\n got %s\nwant %s", format, cfg.PartitionBy, step, tree(t, got), tree(t, want))
					}
				}
			}
		}
	}
}

func TestStartUndoesWhatWasPlaced(t *testing.T) { // D2
	dir := t.TempDir()
	s := openSink(t, "json", dir, sinks.Config{PartitionBy: []string{"v"}})
	s.before = func(step string) error {
		if step == "manifest" {
			return errDied
		}
		return nil
	}
	if err := s.Write(t.Context(), 0, sinks.Mode{}, sinktest.Record(1, 3)); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{}); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	if got := tree(t, dir); !strings.Contains(got, "v=value 1/part-00000-q_1-c000.json") {
		t.Fatalf("nothing was placed: %s", got)
	}
	openSink(t, "json", dir, sinks.Config{PartitionBy: []string{"v"}})
	names, _ := os.ReadDir(dir)
	if len(names) != 1 || names[0].Name() != metaDir {
		t.Errorf("left %s", tree(t, dir))
	}
}

func TestBytesDoNotDependOnCuts(t *testing.T) { // D1
	for _, format := range []string{"parquet", "json", "csv"} {
		var want string
		for _, cut := range []int{1, 3, 1000} {
			dir := filepath.Join(t.TempDir(), "out")
			run(t, format, dir, sinks.Config{}, cut, never)
			if got := tree(t, dir); want == "" {
				want = got
			} else if got != want {
				t.Errorf("%s, %d rows a batch: other files", format, cut)
			}
		}
	}
	big := sinktest.Record(0, 300_000)
	var files [4][]byte
	for i, cut := range []int64{300_000, 70_001, 300_000, 10_000} {
		dir := t.TempDir()
		s := openSink(t, "parquet", dir, sinks.Config{})
		for at := int64(0); at < big.NumRows(); at += cut {
			if err := s.Write(t.Context(), 0, sinks.Mode{}, big.NewSlice(at, min(at+cut, big.NumRows()))); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{}); err != nil {
			t.Fatal(err)
		}
		names, _ := filepath.Glob(dir + "/*.parquet")
		files[i], _ = os.ReadFile(names[0])
	}
	for i, f := range files {
		if !bytes.Equal(f, files[0]) {
			t.Errorf("file %d: row groups depend on the cuts of record batches, or on the run", i)
		}
	}
}

func TestPartitionValues(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "city", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "day", Type: arrow.FixedWidthTypes.Date32, Nullable: true}}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(
		`[{"a":1,"city":"New York","day":"2024-01-02"},{"a":2,"day":"2024-01-02"},{"a":3,"city":"a=b/c","day":"2024-01-03"},{"a":4,"city":"New York","day":"2024-01-02"}]`))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := openSink(t, "parquet", dir, sinks.Config{Schema: schema, PartitionBy: []string{"CITY", "day"}})
	if err := s.Write(t.Context(), 0, sinks.Mode{}, rec); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"city=New York/day=2024-01-02", "city=a%3Db%2Fc/day=2024-01-03", "city=" + hiveNull + "/day=2024-01-02"} {
		if st, err := os.Stat(filepath.Join(dir, want)); err != nil || !st.IsDir() {
			t.Errorf("no directory %s", want)
		}
	}
	got := readBack(t, "parquet", dir, nil)
	sort.Strings(got)
	if fmt.Sprint(got) != "[1|New York|2024-01-02 2|(null)|2024-01-02 3|a=b/c|2024-01-03 4|New York|2024-01-02]" {
		t.Errorf("got %v", got)
	}
}

func TestTextFormats(t *testing.T) {
	text := arrow.NewSchema([]arrow.Field{{Name: "value", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, text, strings.NewReader(`[{"value":"one"},{"value":null},{"value":"two"}]`))
	if err != nil {
		t.Fatal(err)
	}
	for _, compression := range []string{"none", "gzip", "zstd"} {
		dir := t.TempDir()
		s := openSink(t, "text", dir, sinks.Config{Schema: text}, "compression", compression)
		if err := s.Write(t.Context(), 0, sinks.Mode{}, rec); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{}); err != nil {
			t.Fatal(err)
		}
		if got := readBack(t, "text", dir, nil); fmt.Sprintf("%q", got) != `["one" "" "two"]` {
			t.Errorf("%s: got %q", compression, got)
		}
	}
	dir := t.TempDir()
	s := openSink(t, "csv", dir, sinks.Config{}, "header", "true", "sep", ";")
	if err := s.Write(t.Context(), 0, sinks.Mode{}, sinktest.Record(1, 2)); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{}); err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob(dir + "/*.csv")
	if b, _ := os.ReadFile(names[0]); string(b) != "k;v\n1;value 1\n2;value 2\n" {
		t.Errorf("got %q", b)
	}
}

func TestManifestOfEpochs(t *testing.T) {
	dir := t.TempDir()
	clock := base.NewVirtualClock(time.Now())
	s := openSink(t, "json", dir, sinks.Config{Clock: clock}, "retention", "1h")
	for e := range base.Epoch(10) {
		if err := s.Write(t.Context(), e, sinks.Mode{}, sinktest.Record(int(e), 1)); err != nil {
			t.Fatal(err)
		}
		if e == 9 {
			clock.Advance(2 * time.Hour)
		}
		if err := s.Commit(t.Context(), e, sinks.Mode{}, digestOf(e)); err != nil {
			t.Fatal(err)
		}
	}
	entries, last, err := manifest.Open(nil, dir).Read()
	if err != nil || last != 9 || len(entries) != 0 {
		t.Errorf("after the retention: %d entries to epoch %d, %v", len(entries), last, err)
	}
	if names, _ := filepath.Glob(dir + "/*.json"); len(names) != 10 {
		t.Errorf("retention removed files: %v", names)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	nested := arrow.NewSchema([]arrow.Field{{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32)}}, nil)
	for _, c := range []struct {
		format, options string
		cfg             sinks.Config
		want            string
	}{
		{"json", "", sinks.Config{OutputMode: base.Update}, "STREAMING_OUTPUT_MODE"},
		{"json", "", sinks.Config{PartitionBy: []string{"nope"}}, "no column nope"},
		{"json", "", sinks.Config{PartitionBy: []string{"k", "v"}}, "nothing to write"},
		{"text", "", sinks.Config{}, "one column of type STRING"},
		{"csv", "", sinks.Config{Schema: nested}, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE"},
		{"json", "compresion gzip", sinks.Config{}, "compresion"},
		{"parquet", "compression lzo", sinks.Config{}, "none of"},
	} {
		if _, err := tryOpen(c.format, dir, c.cfg, strings.Fields(c.options)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: got %v, want %s", c.format, c.options, err, c.want)
		}
	}
	s := openSink(t, "json", dir, sinks.Config{})
	if err := s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := tryOpen("json", dir, sinks.Config{Query: "other", QueryID: "another-id"}); base.CodeOf(err) != base.CodeConflict { // D3
		t.Errorf("another query: got %v", err)
	}
	if _, err := tryOpen("json", dir, sinks.Config{Batch: true}); base.CodeOf(err) != base.CodeConflict {
		t.Errorf("a batch: got %v", err)
	}
}

func TestBatchInsert(t *testing.T) {
	dir := t.TempDir()
	insert := func(id string, mode base.OutputMode, k, n int) {
		t.Helper()
		s, err := tryOpen("json", dir, sinks.Config{Query: "t", QueryID: id, Batch: true, OutputMode: mode}, "maxFilesPerTrigger", "1")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Write(t.Context(), 0, sinks.Mode{Kind: mode}, sinktest.Record(k, n)); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context(), 0, sinks.Mode{Kind: mode}, base.Digest{}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	insert("a", base.Append, 1, 1)
	insert("b", base.Append, 2, 1)
	if got := readBack(t, "json", dir, sinktest.Schema()); fmt.Sprint(got) != "[1|value 1 2|value 2]" {
		t.Errorf("got %v", got)
	}
	insert("c", base.Complete, 3, 1)
	if got := readBack(t, "json", dir, sinktest.Schema()); fmt.Sprint(got) != "[3|value 3]" {
		t.Errorf("overwritten: got %v", got)
	}
}
