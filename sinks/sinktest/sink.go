package sinktest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
)

// Harness is a connector under test.
type Harness struct {
	// Open opens the sink over what is there: a start, or a restart. Each test
	// calls Fresh first.
	Open func(t *testing.T) sinks.Sink
	// Fresh makes an empty place for the sink.
	Fresh func(t *testing.T)
	// Visible returns the rows that a reader sees now, as Rows has them, in any
	// order.
	Visible func(t *testing.T) []string
	// Mode is how epochs are written; Append if zero.
	Mode sinks.Mode
	// AtLeastOnce says that a replay may show rows again: K2 to K4 are not held.
	AtLeastOnce bool
	// Volatile says that rows are gone with the sink.
	Volatile bool
}

// Schema is the schema of the rows that Run writes.
func Schema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "v", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
}

// Record returns n rows from k on: (k, "value k").
func Record(k, n int) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, Schema())
	defer b.Release()
	for i := k; i < k+n; i++ {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprint("value ", i))
	}
	return b.NewRecordBatch()
}

// Rows returns the rows of Record as texts.
func Rows(k, n int) []string {
	var out []string
	for i := k; i < k+n; i++ {
		out = append(out, fmt.Sprintf("%d|value %d", i, i))
	}
	return out
}

func digest(n byte) base.Digest { return base.Digest{n, 1, 2, 3} }

// Run holds the sink to K1 to K4.
func Run(t *testing.T, h Harness) {
	before := goleak.IgnoreCurrent()
	files := openFiles()
	tests := map[string]func(*testing.T, Harness){"visible after commit": testVisible, "empty epochs": testEmpty}
	if !h.AtLeastOnce {
		tests["repeated commit"], tests["another digest"], tests["closed without commit"] = testRepeated, testOther, testClosed
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h.Fresh(t)
			test(t, h)
		})
	}
	if err := goleak.Find(before); err != nil {
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

func write(t *testing.T, h Harness, s sinks.Sink, epoch base.Epoch, k, n int) {
	t.Helper()
	for _, part := range [][2]int{{k, n / 2}, {k + n/2, n - n/2}} {
		rec := Record(part[0], part[1])
		if err := s.Write(t.Context(), epoch, h.Mode, rec); err != nil {
			t.Fatalf("writing epoch %d: %v", epoch, err)
		}
		rec.Release()
	}
}

func commit(t *testing.T, h Harness, s sinks.Sink, epoch base.Epoch, d byte) {
	t.Helper()
	if err := s.Commit(t.Context(), epoch, h.Mode, digest(d)); err != nil {
		t.Fatalf("committing epoch %d: %v", epoch, err)
	}
}

func shut(t *testing.T, s sinks.Sink) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
}

func sees(t *testing.T, h Harness, when string, want ...[]string) {
	t.Helper()
	all := slices.Sorted(slices.Values(slices.Concat(want...)))
	got := slices.Sorted(slices.Values(h.Visible(t)))
	if !slices.Equal(got, all) {
		t.Errorf("%s a reader sees\n     %v\nwant %v", when, strings.Join(got, " "), strings.Join(all, " "))
	}
}

// after is what is visible once rows new were added to old.
func (h Harness) after(old, fresh []string) []string {
	if h.Mode.Kind == base.Complete {
		return fresh
	}
	return slices.Concat(old, fresh)
}

func testVisible(t *testing.T, h Harness) { // K1
	s := h.Open(t)
	if s.Describe() == "" {
		t.Error("it has no description")
	}
	var seen []string
	for e := range base.Epoch(3) {
		k := 10 * int(e)
		write(t, h, s, e, k, 5)
		if !h.AtLeastOnce {
			sees(t, h, fmt.Sprintf("before epoch %d is committed", e), seen)
		}
		commit(t, h, s, e, byte(e))
		seen = h.after(seen, Rows(k, 5))
		sees(t, h, fmt.Sprintf("after epoch %d is committed", e), seen)
	}
	shut(t, s)
	if h.Volatile {
		return
	}
	s = h.Open(t)
	sees(t, h, "after a restart", seen)
	write(t, h, s, 3, 30, 4)
	commit(t, h, s, 3, 3)
	sees(t, h, "after an epoch of the new start", h.after(seen, Rows(30, 4)))
	shut(t, s)
}

func testEmpty(t *testing.T, h Harness) {
	s := h.Open(t)
	commit(t, h, s, 0, 0)
	sees(t, h, "after an epoch without rows")
	write(t, h, s, 1, 0, 3)
	commit(t, h, s, 1, 1)
	sees(t, h, "after the epoch behind it", Rows(0, 3))
	commit(t, h, s, 2, 2)
	if h.Mode.Kind == base.Complete {
		sees(t, h, "after a complete result without rows")
	} else {
		sees(t, h, "after one more epoch without rows", Rows(0, 3))
	}
	shut(t, s)
}

func testRepeated(t *testing.T, h Harness) { // K2
	s := h.Open(t)
	write(t, h, s, 0, 0, 5)
	commit(t, h, s, 0, 7)
	commit(t, h, s, 0, 7)
	sees(t, h, "after a repeated commit", Rows(0, 5))
	write(t, h, s, 0, 0, 5)
	commit(t, h, s, 0, 7)
	sees(t, h, "after a replay in the same run", Rows(0, 5))
	shut(t, s)
	if h.Volatile {
		return
	}
	s = h.Open(t)
	write(t, h, s, 0, 0, 5)
	commit(t, h, s, 0, 7)
	sees(t, h, "after a replay in a new run", Rows(0, 5))
	write(t, h, s, 1, 10, 2)
	commit(t, h, s, 1, 8)
	sees(t, h, "after the epoch behind the replay", h.after(Rows(0, 5), Rows(10, 2)))
	shut(t, s)
}

func testOther(t *testing.T, h Harness) { // K3
	s := h.Open(t)
	write(t, h, s, 0, 0, 5)
	commit(t, h, s, 0, 7)
	for range 2 {
		write(t, h, s, 0, 100, 5)
		err := s.Commit(t.Context(), 0, h.Mode, digest(9))
		if base.CodeOf(err) != base.CodeCorrupt || !strings.Contains(err.Error(), "epoch 0") {
			t.Errorf("committing another digest: got %v", err)
		}
		sees(t, h, "after it", Rows(0, 5))
		shut(t, s)
		if h.Volatile {
			return
		}
		s = h.Open(t)
	}
	shut(t, s)
}

func testClosed(t *testing.T, h Harness) { // K4
	s := h.Open(t)
	write(t, h, s, 0, 0, 5)
	commit(t, h, s, 0, 0)
	write(t, h, s, 1, 10, 5)
	shut(t, s)
	if h.Volatile {
		return
	}
	sees(t, h, "after Close without Commit", Rows(0, 5))
	s = h.Open(t)
	sees(t, h, "after the restart behind it", Rows(0, 5))
	write(t, h, s, 1, 10, 3)
	commit(t, h, s, 1, 1)
	sees(t, h, "after the epoch was replayed", h.after(Rows(0, 5), Rows(10, 3)))
	shut(t, s)
}
