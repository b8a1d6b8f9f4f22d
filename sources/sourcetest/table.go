package sourcetest

import (
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
)

// RunTable holds a table to its contract. change alters its rows, if not nil;
// vanish removes what an older pin names, if not nil.
func RunTable(t *testing.T, openTable func(t *testing.T) sources.Table, change, vanish func(t *testing.T)) {
	before := goleak.IgnoreCurrent()
	files := openFiles()
	table := openTable(t)
	defer func() {
		if err := table.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		if err := goleak.Find(before); err != nil {
			t.Errorf("after Close: %v", err)
		}
		if n := openFiles(); n > files {
			t.Errorf("after Close: %d files are open, %d were", n, files)
		}
	}()
	pin, err := table.Pin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	read := func(table sources.Table, pin string, scan sources.Scan) ([]string, error) {
		splits, err := table.Scan(t.Context(), pin, scan)
		if err != nil {
			return nil, err
		}
		return ReadSplits(t.Context(), t, splits, pick(table.Schema(), scan.Columns), scan.BatchRows)
	}
	want, err := read(table, pin, sources.Scan{})
	if err != nil || len(want) == 0 {
		t.Fatalf("got %d rows, %v", len(want), err)
	}
	for _, rows := range []int{1, 3} {
		if got, err := read(table, pin, sources.Scan{BatchRows: rows}); err != nil || !slices.Equal(got, want) {
			t.Errorf("%d rows a batch: got %v %v, want %v", rows, got, err, want)
		}
	}
	for c := range table.Schema().NumFields() {
		var cells []string
		for _, r := range want {
			cells = append(cells, strings.Split(r, "|")[c])
		}
		if got, err := read(table, pin, sources.Scan{Columns: []int{c}}); err != nil || !slices.Equal(got, cells) {
			t.Errorf("column %d: got %v %v, want %v", c, got, err, cells)
		}
	}
	for _, bad := range []string{"{", "nonsense"} {
		if _, err := read(table, bad, sources.Scan{}); base.CodeOf(err) != base.CodeCorrupt {
			t.Errorf("scanning the pin %q: got %v", bad, err)
		}
	}
	if change != nil {
		change(t)
		if got, err := read(table, pin, sources.Scan{}); err != nil || !slices.Equal(got, want) {
			t.Errorf("after a change the old pin gives %v %v, want %v", got, err, want)
		}
		if now := ReadTable(t, table, sources.Scan{}); slices.Equal(now, want) {
			t.Error("after a change the rows are the same")
		}
	}
	if vanish != nil {
		vanish(t)
		_, err := read(table, pin, sources.Scan{})
		if base.CodeOf(err) != base.CodeCorrupt || base.AsError(err).Condition != "STATIC_INPUT_CHANGED" {
			t.Errorf("scanning what is gone: got %v", err)
		}
	}
}
