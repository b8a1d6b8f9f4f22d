package file

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
)

// scanRows returns the splits of a table and the text of their rows; the splits
// are read from the last to the first, which must not matter.
func scanRows(t *testing.T, format, path string, options base.Options, scan sources.Scan) (names, rows []string) {
	t.Helper()
	o := base.Options{"path": path}
	for k, v := range options {
		o[k] = v
	}
	cfg := sources.Config{Options: o, Schema: abSchema}
	if format == "text" {
		cfg.Schema = nil
	}
	p, err := sources.NewRegistry(Providers()...).Lookup(format)
	if err != nil {
		t.Fatal(err)
	}
	table, err := p.Batch(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	pin, err := table.Pin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	splits, err := table.Scan(t.Context(), pin, scan)
	if err != nil {
		t.Fatal(err)
	}
	readers := make([]sources.Reader, len(splits))
	for i := range splits {
		if readers[i], err = splits[i].Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer readers[i].Close()
		names = append(names, splits[i].String())
	}
	parts := make([][]string, len(splits))
	for i := len(splits) - 1; i >= 0; i-- {
		for {
			rec, err := readers[i].Next(t.Context())
			if err != nil {
				break
			}
			b, err := array.RecordToStructArray(rec).MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			parts[i] = append(parts[i], strings.Trim(string(b), "[]\n"))
			rec.Release()
		}
	}
	for _, p := range parts {
		rows = append(rows, p...)
	}
	return names, rows
}

// TestLargeFilesAreCut: a file of lines is read in parts, which together are the
// file, in order; how many depends on its length alone. A header is skipped once.
func TestLargeFilesAreCut(t *testing.T) {
	for _, c := range []struct {
		format  string
		options base.Options
		head    string
	}{
		{"json", nil, ""}, {"csv", nil, ""}, {"text", nil, ""}, {"csv", base.Options{"header": "true"}, "a,s\n"}, {"json", base.Options{"lineSep": ";"}, ""},
	} {
		d := newDir(t)
		content := c.head + d.content(t, c.format, 100)
		if sep := c.options["lineSep"]; sep != "" {
			content = strings.ReplaceAll(content, "\n", sep)
		}
		d.put(t, "f."+c.format, content)
		_, whole := scanRows(t, c.format, d.path, c.options, sources.Scan{BatchRows: 1})
		if len(whole) != 100 {
			t.Fatalf("%s: %d rows", c.format, len(whole))
		}
		for _, size := range []int{7, 30, 100, len(content) / 3, len(content)} {
			names, rows := scanRows(t, c.format, d.path, c.options, sources.Scan{BatchRows: 1, SplitBytes: int64(size)})
			if want := (len(content) + size/2) / size; len(names) != want {
				t.Errorf("%s of %d bytes in parts of %d: %d splits, want %d", c.format, len(content), size, len(names), want)
			}
			if strings.Join(rows, "\n") != strings.Join(whole, "\n") {
				t.Errorf("%s %v: %d rows in parts of %d bytes are not those of the whole", c.format, c.options, len(rows), size)
			}
		}
	}
}

// TestWhatIsNotCut: compressed files, and separators that a cut could halve.
func TestWhatIsNotCut(t *testing.T) {
	d := newDir(t)
	content := d.content(t, "json", 100)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	fmt.Fprint(w, content)
	w.Close()
	d.put(t, "f.json.gz", packed.String())
	if names, rows := scanRows(t, "json", d.path, nil, sources.Scan{SplitBytes: 16, BatchRows: 1}); len(names) != 1 || len(rows) != 100 {
		t.Errorf("%d splits, %d rows", len(names), len(rows))
	}
	d = newDir(t)
	d.put(t, "f.json", strings.ReplaceAll(content, "\n", "||"))
	if names, rows := scanRows(t, "json", d.path, base.Options{"lineSep": "||"}, sources.Scan{SplitBytes: 16, BatchRows: 1}); len(names) != 1 || len(rows) != 100 {
		t.Errorf("%d splits, %d rows", len(names), len(rows))
	}
}
