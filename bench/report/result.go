package report

import (
	"math"
	"slices"
	"strings"
)

// Ours and Base are the names of our engine, and of another build of it, among the
// others; a size of micro-batches may follow.
const (
	Ours = "flightd"
	Base = "base"
)

// Run is one run of one engine.
type Run struct {
	Wall float64 `json:"wall"` // seconds
	CPU  float64 `json:"cpu"`  // seconds, of the process and its children
	RSS  int64   `json:"rss"`  // bytes, the peak
}

// Engine is what one engine did in a workload. Runs[0] is its first, which does
// not count.
type Engine struct {
	Name    string             `json:"name"`
	Version string             `json:"version,omitempty"`
	Note    string             `json:"note,omitempty"`
	Runs    []Run              `json:"runs,omitempty"`
	Metrics map[string]float64 `json:"metrics,omitempty"`
	// Error says why there are no figures.
	Error string `json:"error,omitempty"`
	// Wall, CPU and RSS are medians of the runs that count, Rate million rows a
	// second.
	Wall float64 `json:"wall_median,omitempty"`
	CPU  float64 `json:"cpu_median,omitempty"`
	RSS  int64   `json:"rss_peak,omitempty"`
	Rate float64 `json:"million_rows_per_second,omitempty"`
	// Ratio is this engine's time divided by ours.
	Ratio *Ratio `json:"ratio,omitempty"`
}

// Ratio is the peer's time divided by ours, over pairs of runs.
type Ratio struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
	// CPU is the median for CPU seconds.
	CPU float64 `json:"cpu"`
}

// Workload is a workload in one form, our engine first.
type Workload struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Form    string   `json:"form"`
	Rows    int      `json:"rows"`
	Target  float64  `json:"target,omitempty"`
	Goal    string   `json:"goal,omitempty"` // a target that is not a ratio
	Engines []Engine `json:"engines"`
}

// Finish computes the medians and ratios of w from its runs.
func (w *Workload) Finish() {
	for i := range w.Engines {
		e := &w.Engines[i]
		if e.Error != "" || len(e.Runs) < 2 {
			continue
		}
		counted := e.Runs[1:]
		e.Wall = median(collect(counted, func(r Run) float64 { return r.Wall }))
		e.CPU = mean(collect(counted, func(r Run) float64 { return r.CPU }))
		e.RSS = slices.MaxFunc(counted, func(a, b Run) int { return int(a.RSS - b.RSS) }).RSS
		e.Rate = float64(w.Rows) / e.Wall / 1e6
	}
	best := w.best()
	if best < 0 {
		return
	}
	// The fastest of ours comes first; the others are measured against it.
	first := w.Engines[best]
	w.Engines = slices.Insert(slices.Delete(w.Engines, best, best+1), 0, first)
	for i := range w.Engines[1:] {
		if e := &w.Engines[i+1]; e.Wall > 0 {
			e.Ratio = ratio(first.Runs[1:], e.Runs[1:])
		}
	}
}

// best is the index of the fastest of ours, or −1: sizes of micro-batches are
// engines of their own.
func (w *Workload) best() int {
	best := -1
	for i, e := range w.Engines {
		if e.ours() && e.Wall > 0 && (best < 0 || e.Wall < w.Engines[best].Wall) {
			best = i
		}
	}
	return best
}

func (e *Engine) ours() bool { return strings.HasPrefix(e.Name, Ours) }

// peer reports whether targets are about the engine.
func (e *Engine) peer() bool { return !e.ours() && !strings.HasPrefix(e.Name, Base) }

// Best is the ratio to the peer that the target is about, or nil: from memory
// DuckDB, otherwise the fastest.
func (w *Workload) Best() *Ratio {
	var best *Ratio
	for _, e := range w.Engines {
		if w.Form == "a" && e.Name != "duckdb" || !e.peer() {
			continue
		}
		if e.Ratio != nil && (best == nil || e.Ratio.Median < best.Median) {
			best = e.Ratio
		}
	}
	return best
}

func ratio(ours, peers []Run) *Ratio {
	var wall, cpu []float64
	for i := range min(len(ours), len(peers)) {
		wall = append(wall, peers[i].Wall/ours[i].Wall)
		if ours[i].CPU > 0 {
			cpu = append(cpu, peers[i].CPU/ours[i].CPU)
		}
	}
	return &Ratio{Median: median(wall), Least: slices.Min(wall), Most: slices.Max(wall), CPU: median(cpu)}
}

func collect(runs []Run, f func(Run) float64) []float64 {
	out := make([]float64, len(runs))
	for i, r := range runs {
		out[i] = f(r)
	}
	return out
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

func mean(v []float64) float64 {
	var sum float64
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}
