package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Machine is where and with what the figures were taken.
type Machine struct {
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	Threads int    `json:"threads"`
	Go      string `json:"go"`
	Date    string `json:"date"`
	Seed    uint64 `json:"seed"`
	Runs    int    `json:"runs"`
	// Revision is that of the build, "" if it was not recorded.
	Revision string `json:"revision,omitempty"`
}

// Report is all of it.
type Report struct {
	Machine   Machine    `json:"machine"`
	Workloads []Workload `json:"workloads"`
	// Text, if set, is the report as Markdown.
	Text string `json:"-"`
}

// WriteJSON writes the report with every run.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(r)
}

// Versions are the engines that took part, in the order in which they came.
func (r *Report) Versions() []string {
	var out []string
	for _, w := range r.Workloads {
		for _, e := range w.Engines {
			if e.Version != "" && !slices.Contains(out, e.Version) {
				out = append(out, e.Version)
			}
		}
	}
	return out
}

// Heading is the first lines of a table: machine, versions, names of columns.
func (r *Report) Heading() string {
	m := r.Machine
	text := fmt.Sprintf("%s, %d cores, %d threads an engine; %s, %s; %d runs after the first, seed %d", m.CPU, m.Cores, m.Threads, m.Date, m.Go, m.Runs, m.Seed)
	if m.Revision != "" {
		text += "; revision " + m.Revision
	}
	return text + ".\n"
}

// Columns is the head of the table.
const Columns = `| workload | form | M rows | engine | M rows/s | wall s (first) | CPU s | peak MB | peer ÷ us (range) | CPU | target | way |
|---|---|---|---|---|---|---|---|---|---|---|---|
`

// Lines are the table's lines of a workload.
func (w *Workload) Lines() string {
	var b strings.Builder
	for i, e := range w.Engines {
		name, form, rows := "", "", ""
		if i == 0 {
			name, form, rows = w.Name+" "+w.Title, w.Form, fmt.Sprintf("%.3g", float64(w.Rows)/1e6)
		}
		if e.Error != "" {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | – | – | – | – | – | – | | %s |\n", name, form, rows, e.Name, strings.ReplaceAll(oneLine(e.Error), "|", "/"))
			continue
		}
		rel, cpu, target := "", "", ""
		if e.Ratio != nil {
			rel = fmt.Sprintf("**%.2f** (%.2f–%.2f)", e.Ratio.Median, e.Ratio.Least, e.Ratio.Most)
			cpu = fmt.Sprintf("%.2f", e.Ratio.CPU)
		}
		if i == 0 {
			target = w.Goal
			if w.Target > 0 {
				target = w.verdict()
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.2f | %.3f (%.3f) | %.3f | %.0f | %s | %s | %s | %s |\n", name, form, rows, e.Name,
			e.Rate, e.Wall, e.Runs[0].Wall, e.CPU, float64(e.RSS)/1e6, rel, cpu, target, way(e))
	}
	return b.String()
}

// verdict is the target and what was seen of it.
func (w *Workload) verdict() string {
	best := w.Best()
	if best == nil {
		return fmt.Sprintf("%.3g×", w.Target)
	}
	mark := "missed"
	if best.Median >= w.Target {
		mark = "met"
	}
	return fmt.Sprintf("%.3g×: %.2f, %s", w.Target, best.Median, mark)
}

func way(e Engine) string {
	out := []string{}
	if e.Note != "" {
		out = append(out, e.Note)
	}
	names := make([]string, 0, len(e.Metrics))
	for name := range e.Metrics {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		out = append(out, fmt.Sprintf("%s %.4g", name, e.Metrics[name]))
	}
	return strings.Join(out, ", ")
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	// The cause stands at the end of a Python traceback.
	if len(s) > 300 {
		s = s[:100] + " … " + s[len(s)-200:]
	}
	return s
}

// Markdown is the report as a section of a page.
func (r *Report) Markdown() string {
	if r.Text != "" {
		return r.Text
	}
	var b strings.Builder
	b.WriteString(r.Heading() + "\nEngines: " + strings.Join(r.Versions(), ", ") + ".\n\n" + Columns)
	var behind []string
	for _, w := range r.Workloads {
		b.WriteString(w.Lines())
		for _, e := range w.Engines {
			if e.Ratio != nil && e.peer() && e.Ratio.Median < 1 {
				behind = append(behind, fmt.Sprintf("%s (%s) to %s %.2f", w.Name, w.Form, e.Name, e.Ratio.Median))
			}
		}
	}
	if len(behind) > 0 {
		b.WriteString("\nWhere we lose: " + strings.Join(behind, "; ") + ".\n")
	}
	return b.String()
}
