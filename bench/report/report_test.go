package report

import (
	"strings"
	"testing"
)

func runs(walls ...float64) []Run {
	out := make([]Run, len(walls))
	for i, w := range walls {
		out[i] = Run{Wall: w, CPU: w, RSS: int64(i)}
	}
	return out
}

// Ratios are those of pairs, the first run does not count, and the fastest of
// ours is what the others are compared with.
func TestFinish(t *testing.T) {
	w := Workload{Name: "w0", Form: "c", Rows: 2_000_000, Target: 2, Engines: []Engine{
		{Name: "flightd 1M", Runs: runs(9, 2, 2, 2)},
		{Name: "flightd 5M", Runs: runs(9, 1, 1, 2)},
		{Name: "spark", Runs: runs(100, 2, 4, 6)},
		{Name: "flink", Error: "another answer"},
	}}
	w.Finish()
	if w.Engines[0].Name != "flightd 5M" || w.Engines[0].Rate != 2 || w.Engines[0].RSS != 3 {
		t.Errorf("the fastest of ours is %+v", w.Engines[0])
	}
	best := w.Best()
	if best == nil || best.Median != 3 || best.Least != 2 || best.Most != 4 {
		t.Errorf("the ratio is %+v", best)
	}
	text := w.Lines()
	for _, want := range []string{"| 2×: 3.00, met |", "**3.00** (2.00–4.00)", "another answer"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

// From memory the target is about DuckDB, whoever else is faster.
func TestTargetFromMemory(t *testing.T) {
	w := Workload{Form: "a", Rows: 1, Engines: []Engine{
		{Name: Ours, Runs: runs(1, 1)}, {Name: "polars", Runs: runs(1, 0.5)}, {Name: "duckdb", Runs: runs(1, 2)},
	}}
	w.Finish()
	if best := w.Best(); best == nil || best.Median != 2 {
		t.Errorf("the ratio is %+v", best)
	}
}

func TestInto(t *testing.T) {
	const page = "# Title\n<!-- begin a -->\nold\n<!-- end a -->\nrest\n"
	got, err := Into(page, "a", "new\n")
	if err != nil || got != "# Title\n<!-- begin a -->\nnew\n<!-- end a -->\nrest\n" {
		t.Errorf("%v: %s", err, got)
	}
	if _, err := Into(page, "b", ""); err == nil {
		t.Error("a section that is not there is not an error")
	}
}
