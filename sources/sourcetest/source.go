package sourcetest

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
)

// Harness is a connector under test.
type Harness struct {
	// Open opens the source over the data that is there: a start, or a restart.
	Open func(t *testing.T) sources.Source
	// Add makes more rows available, at least three, each of them unlike any other.
	Add func(t *testing.T)
	// NoFreeze says that the source is not a Freezer.
	NoFreeze bool
	// Volatile says that its rows are gone with the source: no second Open sees
	// them.
	Volatile bool
}

// Run holds the source to S1 to S5.
func Run(t *testing.T, h Harness) {
	before := goleak.IgnoreCurrent()
	files := openFiles()
	for name, test := range map[string]func(*testing.T, Harness){
		"ranges partition and replay": testRanges, "empty range": testEmpty, "foreign offsets": testForeign,
		"cancelled context": testCancelled, "half-drained read": testHalfDrained, "columns and batch rows": testScan,
		"freeze": testFreeze, "fold and restore": testFold,
	} {
		t.Run(name, func(t *testing.T) { test(t, h) })
	}
	if err := goleak.Find(before); err != nil { // S5
		t.Errorf("after Close: %v", err)
	}
	if n := openFiles(); n > files {
		t.Errorf("after Close: %d files are open, %d were", n, files)
	}
}

func openFiles() int {
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(d)
}

func open(t *testing.T, h Harness) (sources.Source, base.Offset) {
	t.Helper()
	src := h.Open(t)
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	if src.Schema() == nil || src.Schema().NumFields() == 0 || src.Describe() == "" {
		t.Errorf("schema %v, described %q", src.Schema(), src.Describe())
	}
	first, err := src.Initial(t.Context())
	if err != nil {
		t.Fatalf("initial offset: %v", err)
	}
	return src, first
}

func latest(t *testing.T, src sources.Source, from base.Offset) base.Offset {
	t.Helper()
	to, err := src.Latest(t.Context(), from, sources.Limit{})
	if err != nil {
		t.Fatalf("latest after %s: %v", from, err)
	}
	return to
}

// span is a range that was planned and its rows.
type span struct {
	from, to base.Offset
	rows     []string
}

// plan adds rows and reads them, rounds times.
func plan(t *testing.T, h Harness, src sources.Source, at base.Offset, rounds int) []span {
	t.Helper()
	var out []span
	for range rounds {
		h.Add(t)
		to := latest(t, src, at)
		if to == at {
			t.Fatalf("rows were added after %s, but there is nothing new", at)
		}
		out = append(out, span{at, to, ReadRange(t, src, at, to, sources.Scan{})})
		at = to
	}
	return out
}

func join(spans []span) []string {
	var out []string
	for _, s := range spans {
		out = append(out, s.rows...)
	}
	return out
}

func testRanges(t *testing.T, h Harness) {
	src, first := open(t, h)
	h.Add(t) // so that a source that starts at its end has an end
	start := latest(t, src, first)
	spans := plan(t, h, src, start, 3)
	all := join(spans)
	if len(all) < 9 {
		t.Fatalf("three additions gave %d rows", len(all))
	}
	distinct := slices.Clone(all) // S2
	slices.Sort(distinct)
	if n := len(slices.Compact(distinct)); n != len(all) {
		t.Errorf("%d rows, but only %d different ones", len(all), n)
	}
	again := src
	if !h.Volatile {
		again, _ = open(t, h)
	}
	for _, s := range []sources.Source{src, again} { // S1
		for _, sp := range spans {
			if got := ReadRange(t, s, sp.from, sp.to, sources.Scan{}); !slices.Equal(got, sp.rows) {
				t.Errorf("replay of (%s, %s]:\n got %v\nwant %v", sp.from, sp.to, got, sp.rows)
			}
		}
		if _, ok := s.(sources.Folder); !ok {
			if got := ReadRange(t, s, spans[0].from, spans[2].to, sources.Scan{}); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(all))) {
				t.Errorf("one range for three:\n got %v\nwant %v", got, all)
			}
		}
	}
	for i, sp := range spans {
		if err := src.Commit(t.Context(), sp.to); err != nil {
			t.Errorf("committing range %d: %v", i, err)
		}
	}
	if err := src.Commit(t.Context(), spans[2].to); err != nil {
		t.Errorf("committing a second time: %v", err)
	}
}

func testEmpty(t *testing.T, h Harness) {
	src, first := open(t, h)
	if got := ReadRange(t, src, first, first, sources.Scan{}); len(got) != 0 {
		t.Errorf("(%s, %s] has rows %v", first, first, got)
	}
	h.Add(t)
	to := latest(t, src, first)
	if got := ReadRange(t, src, to, to, sources.Scan{}); len(got) != 0 {
		t.Errorf("(%s, %s] has rows %v", to, to, got)
	}
}

func testForeign(t *testing.T, h Harness) { // S4
	src, first := open(t, h)
	h.Add(t)
	to := latest(t, src, first)
	for _, o := range []base.Offset{`{"somebody":"else"}`, "[]", "nonsense", `{"`, to + "x"} {
		if _, err := src.Latest(t.Context(), o, sources.Limit{}); base.CodeOf(err) != base.CodeCorrupt {
			t.Errorf("latest after the foreign offset %s: got %v", o, err)
		}
		if _, err := src.Read(t.Context(), first, o, sources.Scan{}); base.CodeOf(err) != base.CodeCorrupt {
			t.Errorf("reading up to the foreign offset %s: got %v", o, err)
		}
	}
}

func testCancelled(t *testing.T, h Harness) {
	src, first := open(t, h)
	h.Add(t)
	from := latest(t, src, first)
	h.Add(t)
	to := latest(t, src, from)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	splits, err := src.Read(ctx, from, to, sources.Scan{})
	if err == nil {
		_, err = ReadSplits(ctx, t, splits, src.Schema(), 0)
	}
	if err == nil {
		t.Error("a cancelled read has no error")
	}
	if got := ReadRange(t, src, from, to, sources.Scan{}); len(got) < 3 {
		t.Errorf("after a cancelled read there are %d rows", len(got))
	}
}

func testHalfDrained(t *testing.T, h Harness) {
	src, first := open(t, h)
	h.Add(t)
	from := latest(t, src, first)
	sp := plan(t, h, src, from, 1)[0]
	splits, err := src.Read(t.Context(), sp.from, sp.to, sources.Scan{BatchRows: 1})
	if err != nil {
		t.Fatal(err)
	}
	r, err := splits[0].Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rec, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kept := Texts(rec)
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if got := ReadRange(t, src, sp.from, sp.to, sources.Scan{}); !slices.Equal(got, sp.rows) {
		t.Errorf("after a half-drained read:\n got %v\nwant %v", got, sp.rows)
	}
	if got := Texts(rec); !slices.Equal(got, kept) || got[0] != sp.rows[0] {
		t.Errorf("the record batch kept changed from %v to %v", kept, got)
	}
	rec.Release()
}

func testScan(t *testing.T, h Harness) {
	src, first := open(t, h)
	h.Add(t)
	from := latest(t, src, first)
	sp := plan(t, h, src, from, 1)[0]
	for _, rows := range []int{1, 2, 7} {
		if got := ReadRange(t, src, sp.from, sp.to, sources.Scan{BatchRows: rows}); !slices.Equal(got, sp.rows) {
			t.Errorf("%d rows a batch:\n got %v\nwant %v", rows, got, sp.rows)
		}
	}
	for c := range src.Schema().NumFields() {
		var want []string
		for _, r := range sp.rows {
			want = append(want, strings.Split(r, "|")[c])
		}
		if got := ReadRange(t, src, sp.from, sp.to, sources.Scan{Columns: []int{c}, BatchRows: 2}); !slices.Equal(got, want) {
			t.Errorf("column %d:\n got %v\nwant %v", c, got, want)
		}
	}
	if got := ReadRange(t, src, sp.from, sp.to, sources.Scan{Columns: []int{}}); len(got) != len(sp.rows) {
		t.Errorf("no columns: %d rows, want %d", len(got), len(sp.rows))
	}
}

func testFreeze(t *testing.T, h Harness) {
	src, first := open(t, h)
	f, ok := src.(sources.Freezer)
	if ok == h.NoFreeze {
		t.Fatalf("the source is a Freezer: %v", ok)
	}
	if !ok {
		return
	}
	h.Add(t)
	from := latest(t, src, first)
	h.Add(t)
	if err := f.Freeze(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	h.Add(t)
	frozen := latest(t, src, from)
	if frozen == from || latest(t, src, frozen) != frozen {
		t.Errorf("frozen, it goes from %s to %s and then to %s", from, frozen, latest(t, src, frozen))
	}
	rows := ReadRange(t, src, from, frozen, sources.Scan{})
	if h.Volatile {
		return
	}
	other, _ := open(t, h)
	if fo, ok := other.(sources.Folder); ok {
		restore(t, fo, from)
	}
	to := latest(t, other, from)
	if all := ReadRange(t, other, from, to, sources.Scan{}); len(all) <= len(rows) {
		t.Errorf("frozen there are %d rows, later %d", len(rows), len(all))
	}
}

func restore(t *testing.T, f sources.Folder, offsets ...base.Offset) {
	t.Helper()
	var fold []byte
	var err error
	for _, o := range offsets {
		if fold, err = f.Fold(fold, o); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Restore(t.Context(), fold); err != nil {
		t.Fatal(err)
	}
}

func testFold(t *testing.T, h Harness) {
	src, first := open(t, h)
	if _, ok := src.(sources.Folder); !ok {
		return
	}
	spans := plan(t, h, src, first, 3)
	again, _ := open(t, h)
	f := again.(sources.Folder)
	restore(t, f, spans[0].to, spans[1].to, spans[2].to)
	last := spans[2].to
	if to := latest(t, again, last); to != last {
		t.Errorf("restored, there is something new: %s", to)
	}
	h.Add(t)
	got := ReadRange(t, again, last, latest(t, again, last), sources.Scan{})
	for _, r := range got {
		if slices.Contains(join(spans), r) {
			t.Errorf("row %s comes a second time", r)
		}
	}
	if len(got) < 3 {
		t.Errorf("%d new rows", len(got))
	}
	for _, bad := range []string{"x", "files 9\n", "files 1\n{"} {
		if err := f.Restore(t.Context(), []byte(bad)); base.CodeOf(err) != base.CodeCorrupt {
			t.Errorf("restoring %q: got %v", bad, err)
		}
	}
}
